//! `tocsin doctor`: looks at everything that has to be well before an incident shows in Slack, and says of each thing what it saw and how it is mended. It changes nothing.
//!
//! What is broken is told once: what could not be looked at because of it is told as such. Checks that do not need each other run side by side.

mod checks;
mod finding;
mod report;
mod visit;

use std::time::Duration;

use anyhow::{Result, bail};

use self::finding::State;
use self::report::Report;
use crate::chosen::Chosen;
use crate::deployment::Stack;
use crate::output::Output;

/// Look at everything, and say what is not well and how it is mended.
///
/// ✓ is well, ! works and somebody should look at it, ✗ does not work, · could not be looked at because of a ✗. Nothing is changed: Slack is asked, AWS is asked, and each URL is called as
/// Slack calls it, with requests that have no effect. Scopes are compared with those that the chosen features need, as `tocsin manifest` chooses them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing is broken; 1 something is; 2 the command was not understood.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    #[command(flatten)]
    chosen: Chosen,
    /// Look again and again, with so many seconds between, five at least, and tell what is different. With --json, one line for each look that saw something else.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "30", value_parser = clap::value_parser!(u64).range(5..))]
    watch: Option<u64>,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { stack, chosen, watch } = arguments;
    let mut report = Report::new(visit::everything(&stack, &chosen, output).await);
    let Some(seconds) = watch else {
        report.print(output)?;
        return verdict(&report);
    };
    report.print_first(output)?;
    loop {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let next = Report::new(visit::everything(&stack, &chosen, output).await);
        next.print_changes(&report, output)?;
        report = next;
    }
}

fn verdict(report: &Report) -> Result<()> {
    match report.count(State::Broken) {
        0 => Ok(()),
        1 => bail!("something is broken; how it is mended stands beside it"),
        several => bail!("{several} things are broken; how each is mended stands beside it"),
    }
}
