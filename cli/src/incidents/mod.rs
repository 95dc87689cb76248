//! `tocsin incidents`: what is in the table, as it stands.

mod list;
mod show;

use anyhow::Result;
use clap::Subcommand;
use shared::domain::ids::Workspace;
use shared::domain::incident::{Holder, State};

use crate::deployment::{Deployment, Stack, workspace};
use crate::output::Output;

/// List incidents, or show one with everything that happened to it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    /// The workspace, T… or E…; without it, the one that the deployment is for.
    #[arg(long, value_name = "T…", value_parser = workspace, global = true)]
    workspace: Option<Workspace>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Arguments),
    Show(show::Arguments),
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { stack, workspace, command } = arguments;
    let deployment = Deployment::read(&stack).await?;
    let workspace = deployment.workspace(workspace.as_ref()).await?;
    let store = deployment.store()?;
    match command {
        Command::List(arguments) => list::run(&store, &workspace, &arguments, output).await,
        Command::Show(arguments) => show::run(&store, &workspace, &arguments, output).await,
    }
}

/// How it stands, in a word.
pub(crate) fn state(state: State) -> &'static str {
    match state {
        State::Expected => "expected",
        State::Triggered => "triggered",
        State::Acknowledged => "acknowledged",
        State::Snoozed => "snoozed",
        State::Resolved => "resolved",
    }
}

fn holder(holder: &Holder) -> &str {
    match holder {
        Holder::User(person) => person.as_str(),
        Holder::Source(name) => name,
    }
}
