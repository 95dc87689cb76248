//! `tocsin manifest`: the Slack app of a deployment, as Slack wants it described. <https://docs.slack.dev/reference/app-manifest>

mod api;
mod apply;
mod create;
mod document;
mod link;
mod print;
mod validate;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use url::Url;

use self::document::{Addresses, Document};
use crate::chosen::Chosen;
use crate::deployment::{Deployment, Stack};
use crate::output::Output;

/// Print the Slack app's manifest with the stack's addresses, make a link that creates the app, or hand it to Slack.
///
/// Features choose the scopes: few of them are usual, and each can be left out. Leave out the same ones with `tocsin doctor`, or set `TOCSIN_WITHOUT` once.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    #[command(flatten)]
    wish: Wish,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the manifest as YAML, with what each scope is for; with `--json`, as JSON.
    Print(print::Arguments),
    /// Print a link that creates the app: open it, choose the workspace, read and confirm.
    Link,
    /// Ask Slack whether the manifest is one. Changes nothing.
    Validate(validate::Arguments),
    /// Give an app this manifest, in the place of the one that it has. What it loses by that is said first.
    Apply(apply::Arguments),
    /// Create the app.
    Create(create::Arguments),
}

/// How the app is to be.
#[derive(Debug, Clone, clap::Args)]
struct Wish {
    #[command(flatten)]
    chosen: Chosen,
    /// What the app and its bot are called.
    #[arg(long, default_value = "Tocsin", value_parser = name, env = "TOCSIN_NAME", global = true)]
    name: String,
    /// The slash command. Another word than /incident has to be among the `aliases` of the workspace's configuration.
    #[arg(long, value_name = "/WORD", default_value = "/incident", value_parser = slash, env = "TOCSIN_COMMAND", global = true)]
    command: String,
    /// With the feature `links`: a domain that incidents' pages are on, at most five; several by commas.
    #[arg(long = "domain", value_name = "DOMAIN", value_delimiter = ',', value_parser = domain, env = "TOCSIN_DOMAIN", global = true)]
    domains: Vec<String>,
    /// Slack sends over a WebSocket that the app opens, as `tocsin dev` does; the app then has no addresses.
    #[arg(long, global = true)]
    socket_mode: bool,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { stack, wish, command } = arguments;
    wish.check()?;
    match command {
        Command::Print(arguments) => print::run(&stack, &wish, arguments, output).await,
        Command::Link => link::run(&stack, &wish, output).await,
        Command::Validate(arguments) => validate::run(&stack, &wish, &arguments, output).await,
        Command::Apply(arguments) => apply::run(&stack, &wish, &arguments, output).await,
        Command::Create(arguments) => create::run(&stack, &wish, &arguments, output).await,
    }
}

impl Wish {
    fn check(&self) -> Result<()> {
        let shows_links = self.chosen.features().any(|feature| feature.word == "links");
        ensure!(shows_links || self.domains.is_empty(), "--domain is for the feature links: say --with links too");
        ensure!(
            !shows_links || (1..=5).contains(&self.domains.len()),
            "the feature links wants one to five domains: --domain grafana.example.com"
        );
        Ok(())
    }

    /// The deployment that the app is for. In Socket Mode there need not be one.
    async fn deployment(&self, stack: &Stack, output: Output) -> Result<Option<Deployment>> {
        let _waiting = output.waiting("asking CloudFormation for the stack");
        match Deployment::read(stack).await {
            Err(_) if self.socket_mode => Ok(None),
            read => read.map(Some),
        }
    }

    /// The app's manifest.
    fn document(&self, deployment: Option<&Deployment>) -> Result<Document> {
        let addresses = match deployment {
            Some(deployment) if !self.socket_mode => Addresses::of(deployment)?,
            _ => Addresses::placeholders(),
        };
        Ok(Document::new(self, deployment.map(|deployment| deployment.stack.as_str()), &addresses))
    }
}

/// The Slack of this deployment, or the one that there is.
fn slack_api(deployment: Option<&Deployment>) -> Result<Url> {
    let api = deployment.and_then(|deployment| deployment.parameter("SlackApiUrl")).unwrap_or("https://slack.com/api/");
    api.parse().with_context(|| format!("the parameter SlackApiUrl is no URL: {api}"))
}

/// Slack shows 35 characters.
fn name(text: &str) -> Result<String, &'static str> {
    let plain = (1..=35).contains(&text.chars().count()) && !text.chars().any(char::is_control) && text.trim() == text;
    if plain { Ok(text.to_owned()) } else { Err("a name is 1 to 35 characters in one line") }
}

/// <https://docs.slack.dev/interactivity/implementing-slash-commands>
fn slash(text: &str) -> Result<String, &'static str> {
    let word = text.strip_prefix('/').unwrap_or_default();
    let plain = (1..=31).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    if plain { Ok(text.to_owned()) } else { Err("a slash command is / and 1 to 31 small letters, digits, - and _") }
}

fn domain(text: &str) -> Result<String, &'static str> {
    let label = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let plain = text.contains('.') && text.len() <= 253 && text.split('.').all(label);
    if plain { Ok(text.to_owned()) } else { Err("a domain is a name such as grafana.example.com, without https:// and without a path") }
}
