//! `tocsin dev`: Socket Mode, in which an app asks Slack for what happens instead of having a public URL. What comes over the WebSocket is handed to the functions of a stack as Slack
//! would have sent it to their URLs, and Slack is told what they answered. <https://docs.slack.dev/apis/events-api/using-socket-mode>
//!
//! [`token`] opens, [`link`] is a connection, [`talk`] uses it, [`message`] is what is said over it, [`receivers`] are the functions, [`desk`] hands over, [`session`] sees to
//! it that there is always a connection, [`said`] is what the terminal shows.

mod desk;
mod link;
mod message;
mod receivers;
mod said;
mod session;
mod talk;
mod token;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use url::Url;

use self::desk::Desk;
use self::link::Slack;
use self::receivers::Receivers;
use self::said::Said;
use self::session::Session;
use self::token::Source;
use crate::deployment::{Deployment, Stack};
use crate::output::Output;
use crate::secrets::refuse_arguments;

/// Connect a Slack workspace to the functions of a stack by Socket Mode, with no public URL.
///
/// What people do in Slack goes to the stack's functions, usually those that `make local` runs, and Slack gets their answers. It wants an app-level token with the scope connections:write,
/// from the environment variable `SLACK_APP_TOKEN`, from a file, or asked for at a terminal; and an app in Socket Mode: `tocsin manifest print --socket-mode`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "One line for each thing that happens is printed on standard output. Ctrl-C ends it, once what is under way is done; pressed again, at once.

Exit codes: 0 Ctrl-C ended it; 1 it cannot go on, and standard error says why; 2 the command was not understood."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    #[command(flatten)]
    source: Source,
    /// After how many seconds in which Slack says nothing a connection counts as broken. It is asked three times meanwhile.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=600))]
    silence: u64,
    #[arg(hide = true)]
    given: Vec<String>,
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Result<()> {
    let Arguments { stack, source, silence, given } = arguments;
    refuse_arguments(given)?;
    let token = source.token()?;
    let waiting = output.waiting("asking CloudFormation for the stack");
    let deployment = Deployment::read(stack).await?;
    drop(waiting);
    let slack = Slack::new(api(&deployment)?, token, Duration::from_secs(*silence))?;
    let receivers = Receivers::of(&deployment).await?;
    said::tell(output, &Said::Begins { stack: &deployment.stack, slack: slack.api.as_str() })?;
    Session::new(Arc::new(slack), Arc::new(Desk::new(receivers, output))).run().await
}

/// The Slack that the stack's functions call: the app's token has to be of the same one, since that is where they answer.
fn api(deployment: &Deployment) -> Result<Url> {
    let api = deployment.parameter("SlackApiUrl").unwrap_or("https://slack.com/api/");
    let api: Url = api.parse().with_context(|| format!("the parameter SlackApiUrl of the stack {} is no URL: {api}", deployment.stack))?;
    let here = api.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "[::1]" | "localhost"));
    ensure!(
        api.scheme() == "https" || here,
        "the stack's Slack, {api}, is neither on this machine nor reached by https: no token is sent there"
    );
    Ok(api)
}
