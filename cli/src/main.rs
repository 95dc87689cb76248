//! `tocsin`: what whoever looks after a deployment does from a shell. One command, one file.
//!
//! What is asked for is printed on standard output, as JSON with `--json`; everything else goes to standard error. It ends with 0 where it did what it was asked, 1 where it
//! could not and says why, 2 where it was not understood.
//!
//! It reaches AWS as every tool does: by the environment, a profile, a single sign-on or the role of the machine.

mod chosen;
mod completions;
mod config;
mod dead_letters;
mod deployment;
mod dev;
mod doctor;
mod incidents;
mod install_link;
mod keys;
mod manifest;
mod output;
#[cfg(test)]
mod reference;
mod secret;
mod secrets;
mod send;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

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
    /// What a shell needs to complete this program's words.
    Completions(completions::Arguments),
    /// A workspace's settings: one TOML document.
    Config(config::Arguments),
    /// What nobody could handle, and how it gets back.
    DeadLetters(dead_letters::Arguments),
    Dev(dev::Arguments),
    /// Look at everything, and say what is not well and how it is mended.
    Doctor(doctor::Arguments),
    /// What is open, and what happened to it.
    Incidents(incidents::Arguments),
    /// The link by which a workspace installs the app.
    InstallLink(install_link::Arguments),
    /// The keys of the HTTP API.
    Keys(keys::Arguments),
    /// The Slack app, as Slack wants it described.
    Manifest(manifest::Arguments),
    /// The secrets of the Slack app.
    Secrets(secrets::Arguments),
    /// Drop incidents onto the queue.
    Send(send::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { output, command } = Arguments::parse();
    let done = match command {
        Command::Completions(arguments) => completions::run(&arguments, &mut Arguments::command()),
        Command::Config(arguments) => config::run(arguments, output).await,
        Command::DeadLetters(arguments) => dead_letters::run(arguments, output).await,
        Command::Dev(arguments) => dev::run(&arguments, output).await,
        Command::Doctor(arguments) => doctor::run(arguments, output).await,
        Command::Incidents(arguments) => incidents::run(arguments, output).await,
        Command::InstallLink(arguments) => install_link::run(&arguments, output).await,
        Command::Keys(arguments) => keys::run(arguments, output).await,
        Command::Manifest(arguments) => manifest::run(arguments, output).await,
        Command::Secrets(arguments) => secrets::run(arguments, output).await,
        Command::Send(arguments) => send::run(arguments, output).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failed(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
