//! Measures what Tocsin costs and how fast it is: instructions of start and answer beside the smallest function there is ([`counts`]), the wall clock beside Bolt ([`beside`]),
//! the whole stack from the queue to the card ([`stack`]), and how much intake takes in ([`intake`]). README.md says how.

mod aws;
mod beside;
mod binaries;
mod contenders;
mod cost;
mod counts;
mod intake;
mod report;
mod requests;
mod run;
mod runtime_api;
mod share;
mod stack;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

use crate::counts::Outcome;

/// Cold starts of each, beside Bolt.
const ROUNDS: usize = 20;

#[derive(Parser)]
#[command(about = "What Tocsin costs and how fast it is, beside its gates and beside Bolt; without a part, all but intake")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Print, and leave the files of bench/ as they are.
    #[arg(long, global = true)]
    dry: bool,
}

#[derive(Subcommand)]
enum Part {
    /// Sizes, instruction counts and peak memory, beside the gates; writes RESULTS.md and counts.json
    Counts {
        /// End with 1 where a target is missed.
        #[arg(long)]
        check: bool,
        /// Measure this binary as the function of that name, and only what is named so (and hello); nothing is written.
        #[arg(long = "binary", value_name = "FUNCTION=PATH", value_parser = named)]
        binaries: Vec<(&'static str, PathBuf)>,
    },
    /// Count the receivers again, and end with 1 where one has grown by more than 5 % since counts.json was written
    Growth,
    /// Cold start and warm answers by the clock, beside Bolt for JavaScript and for Python; writes BESIDE.md
    Beside {
        /// Cold starts of each.
        #[arg(long, default_value_t = ROUNDS)]
        rounds: usize,
    },
    /// The whole stack: from the queue to the card, messages in a second, and what incidents cost; writes STACK.md
    Stack,
    /// How much the function intake takes in, by sample file; writes INTAKE.md
    Intake,
}

fn named(text: &str) -> Result<(&'static str, PathBuf)> {
    let (name, path) = text.split_once('=').context("as FUNCTION=PATH")?;
    let name = counts::packages().find(|package| *package == name).with_context(|| format!("there is no function {name}"))?;
    Ok((name, path.into()))
}

fn main() -> Result<ExitCode> {
    let Arguments { part, dry } = Arguments::parse();
    // One thread measures, so that a function has a core beside it; a whole stack is served by two.
    let alone = Builder::new_current_thread().enable_all().build()?;
    let both = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let is_well = match part {
        None => {
            let outcome = alone.block_on(counts::run(Vec::new(), dry))?;
            alone.block_on(beside::run(ROUNDS, dry))?;
            both.block_on(stack::run(dry))?;
            outcome != Outcome::ToldApart
        }
        Some(Part::Counts { check, binaries }) => {
            let outcome = alone.block_on(counts::run(binaries, dry))?;
            outcome == Outcome::Met || !check && outcome != Outcome::ToldApart
        }
        Some(Part::Growth) => alone.block_on(counts::growth()).map(|()| true)?,
        Some(Part::Beside { rounds }) => alone.block_on(beside::run(rounds, dry)).map(|()| true)?,
        Some(Part::Stack) => both.block_on(stack::run(dry)).map(|()| true)?,
        Some(Part::Intake) => alone.block_on(intake::run(dry)).map(|()| true)?,
    };
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first line a tool says about itself.
fn tool(name: &str, argument: &str) -> Result<String> {
    let output = Command::new(name).arg(argument).output().with_context(|| format!("{name} does not run"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// Counts here stay far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "a count of messages, far below 2^52")]
fn of_many(count: usize) -> f64 {
    count as f64
}

/// Counts here stay far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "a count of instructions or bytes, far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Bytes as small hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
