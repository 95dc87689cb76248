//! What is promised about delivery, tried at length: functions are killed and frozen, answers get lost, Slack refuses, sources repeat themselves; and then it is counted what was
//! lost, what is there twice, and who did not wait.
//!
//! `cargo run -p tests --bin chaos` does all parts one after the other; names of parts do only those. What is scaled, so that it does not take days, each part says.

mod addresses;
mod common;
mod duels;
mod freezes;
mod installs;
mod kills;
mod mutations;
mod orders;
mod rates;
mod replays;
mod resets;
mod rotations;
mod same;
mod storms;
mod upgrade;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use common::Report;

/// Which parts, and how large.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// The parts to do; all where none is named.
    parts: Vec<String>,
    /// A tenth of everything, to see quickly whether it works at all.
    #[arg(long)]
    tenth: bool,
    /// For `upgrade`: the git revision of the functions that were deployed before.
    #[arg(long, value_name = "REVISION")]
    before: Option<String>,
    /// Decides what is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// All parts, in the order in which they are done.
const PARTS: [&str; 14] = [
    "kills",
    "resets",
    "freezes",
    "same",
    "rates",
    "storms",
    "orders",
    "rotations",
    "replays",
    "addresses",
    "installs",
    "duels",
    "mutations",
    "upgrade",
];

impl Options {
    /// A number of things, a tenth of it where that is asked for.
    fn scaled(&self, number: usize) -> usize {
        if self.tenth { number.div_ceil(10) } else { number }
    }
}

async fn run(part: &str, options: &Options) -> Option<Report> {
    Some(match part {
        "kills" => kills::run(options).await,
        "resets" => resets::run(options).await,
        "freezes" => freezes::run(options).await,
        "same" => same::run(options).await,
        "rates" => rates::run(options).await,
        "storms" => storms::run(options).await,
        "orders" => orders::run(options).await,
        "rotations" => rotations::run(options).await,
        "replays" => replays::run(options).await,
        "addresses" => addresses::run(options).await,
        "installs" => installs::run(options).await,
        "duels" => duels::run(options).await,
        "mutations" => mutations::run(options).await,
        "upgrade" => upgrade::run(options).await,
        _ => return None,
    })
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let options = Options::parse();
    let all: Vec<String> = PARTS.iter().map(|part| (*part).to_owned()).collect();
    let parts = if options.parts.is_empty() { &all } else { &options.parts };
    let mut reports = Vec::new();
    for part in parts {
        println!("── {part}");
        let began = Instant::now();
        let Some(report) = run(part, &options).await else {
            eprintln!("there is no part {part}: {}", PARTS.join(", "));
            return ExitCode::from(2);
        };
        let took = began.elapsed();
        report.print(part, took);
        reports.push((part.clone(), report, took));
    }
    // Once more, together: an hour lies between the first and the last.
    println!("\n── all\n");
    for (part, report, took) in &reports {
        report.print(part, *took);
    }
    if reports.iter().all(|(_, report, _)| report.is_good()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
