//! `tocsin`: what whoever looks after a deployment does from a shell. One command, one file.
//!
//! What is asked for is printed on standard output, as JSON with `--json`; everything else goes to standard error. It ends with 0 where it did what it was asked, 1 where it
//! could not and says why, 2 where it was not understood.
//!
//! It reaches AWS as every tool does: by the environment, a profile, a single sign-on or the role of the machine.

mod chosen;
mod deployment;
mod doctor;
mod keys;
mod manifest;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::Output;

/// Incident response in Slack: what is done from a shell.
#[derive(Debug, Parser)]
#[command(version, about, after_help = "Exit codes: 0 it is done; 1 it is not, and standard error says why; 2 it was not understood.")]
struct Arguments {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at everything, and say what is not well and how it is mended.
    Doctor(doctor::Arguments),
    /// The keys of the HTTP API.
    Keys(keys::Arguments),
    /// The Slack app, as Slack wants it described.
    Manifest(manifest::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { output, command } = Arguments::parse();
    let done = match command {
        Command::Doctor(arguments) => doctor::run(arguments, output).await,
        Command::Keys(arguments) => keys::run(arguments, output).await,
        Command::Manifest(arguments) => manifest::run(arguments, output).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
