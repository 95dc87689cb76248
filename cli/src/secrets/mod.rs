//! `tocsin secrets`: what the Slack app needs, in the secret of the stack. Nothing of it is ever an argument, printed, or part of an error.

mod form;
mod given;
mod rotate;
mod set;

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use shared::domain::ids::Workspace;
use shared::secrets::Secret;
use shared::secrets::app::{self, Secrets};
use shared::slack::client::{Identity, SlackError, address_on};
use url::Url;

pub(crate) use self::form::Field;
use self::given::Given;
use crate::deployment::{Deployment, Stack};
use crate::output::{Output, moment, note};
use crate::secret::{self, CURRENT};

/// Hand over the secrets of the Slack app, and rotate them. They are never arguments: those stand in the shell's history.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Set(set::Arguments),
    Rotate(rotate::Arguments),
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { stack, command } = arguments;
    match command {
        Command::Set(arguments) => set::run(&stack, &arguments, output).await,
        Command::Rotate(arguments) => rotate::run(&stack, &arguments, output).await,
    }
}

/// Refuses what was typed behind the command, without saying it again.
pub(crate) fn refuse_arguments(given: &[String]) -> Result<()> {
    ensure!(
        given.is_empty(),
        "secrets are never arguments, since those stand in the shell's history and in the list of processes: leave it out, and it is asked for. If that was a secret, change it at Slack now"
    );
    Ok(())
}

/// The secret as it stands, and what counts beside it.
pub(crate) struct AppSecret {
    secret: secret::Kept,
    /// Its fields by name.
    pub(crate) fields: Map<String, Value>,
    version: Option<secret::Version>,
    overlap: SignedDuration,
}

/// What is told to whoever came second.
const RACED: &str = "somebody else has changed the secret in the same moment, and one change may have undone the other: look whether Slack and Tocsin still understand each other, and do it again where not";

impl AppSecret {
    fn kept(deployment: &Deployment) -> Result<secret::Kept> {
        Ok(secret::Kept { client: deployment.secrets(), id: deployment.output("SlackSecretArn")?.to_owned() })
    }

    /// What stands there now; `anew`: nothing, where that cannot be read.
    pub(crate) async fn read(deployment: &Deployment, anew: bool) -> Result<Self> {
        let secret = Self::kept(deployment)?;
        let version = secret.version(CURRENT).await?;
        let fields = match fields(version.as_ref()) {
            Err(unreadable) if anew => {
                note(format_args!("{unreadable}: it is written anew"));
                Map::new()
            }
            read => read.context("`tocsin secrets set --replace` writes it anew")?,
        };
        let hours = deployment.parameter("SigningOverlapHours").and_then(|hours| hours.parse().ok()).unwrap_or(24);
        Ok(Self { secret, fields, version, overlap: SignedDuration::from_hours(hours) })
    }

    /// A field that is there and not blank.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.fields.get(field.name()).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
    }

    /// Until when the signing secret of the version before counts beside the current one; `None` where none does. Read as those read it who verify signatures.
    async fn old_counts_until(&self) -> Option<Timestamp> {
        let read = Secrets::new(self.secret.client.clone(), self.secret.id.clone(), self.overlap).now().await.ok()?;
        let counts = read.signing_secrets(Timestamp::now()).count() > 1;
        read.written_at?.checked_add(self.overlap).ok().filter(|_| counts)
    }

    /// Only the one version before counts, so another one must not come too soon.
    async fn may_be_written(&self, force: bool) -> Result<()> {
        let current = self.fields.get(Field::SigningSecret.name()).and_then(Value::as_str).unwrap_or_default();
        // With what is no signing secret at all, nobody signs: then it is a mistake that is mended, and no rotation that is cut short.
        if Field::SigningSecret.wrong(current).is_some() {
            return Ok(());
        }
        let Some(until) = self.old_counts_until().await else { return Ok(()) };
        ensure!(
            force,
            "the signing secret before this one still counts, until {}, and anything that is written now ends that. Where Slack signs with the new one already, --force writes it",
            moment(until)
        );
        note("the signing secret before this one counts no more");
        Ok(())
    }

    /// Writes the fields as they are now.
    pub(crate) async fn write(&self) -> Result<()> {
        let text = serde_json::to_string(&self.fields).context("the secret cannot be written as JSON")?;
        self.secret.write(&text, self.version.as_ref().map(|version| version.id.as_str()), RACED).await
    }
}

/// What stands in a version; nothing stands in one that is blank or that the stack began with.
fn fields(version: Option<&secret::Version>) -> Result<Map<String, Value>> {
    let text = version.map(|version| version.text.expose()).unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    // What serde says about it may quote it.
    let of_its_form = serde_json::from_str::<app::AppSecret>(text).is_ok();
    let Some(fields) = serde_json::from_str(text).ok().filter(|_| of_its_form) else {
        bail!("what stands in the secret is not of its form, so nothing of it can be kept")
    };
    Ok(fields)
}

/// Whose a bot token is, as the deployment's Slack says; refused where Slack does not take it, or where it is another workspace's than the deployment's.
async fn checked(deployment: &Deployment, token: &Secret, force: bool, output: Output) -> Result<Option<Identity>> {
    let waiting = output.waiting("asking Slack whose token it is");
    let answer = deployment.slack()?.identity(token).await;
    drop(waiting);
    let identity = match answer {
        Ok(identity) => identity,
        Err(error) => {
            let (what, advice) = match &error {
                SlackError::RateLimited { .. } | SlackError::Later(_) | SlackError::Ambiguous(_) => {
                    ("whose bot token that is, Slack cannot be asked", "Try again; --force writes it unasked.")
                }
                SlackError::Token(_) => (
                    "Slack does not take the bot token",
                    "Copy it again, as it stands under OAuth & Permissions now: whoever installs the app again may get another.",
                ),
                SlackError::Closed(_) | SlackError::Never { .. } => ("Slack does not take the bot token", error.advice()),
            };
            ensure!(force, "{what} ({error}), so nothing is written. {advice}");
            note(format_args!("{what} ({error}), and it is written all the same"));
            return Ok(None);
        }
    };
    let Some(own) = own(deployment).await? else { return Ok(Some(identity)) };
    if own != identity.workspace {
        ensure!(
            force,
            "the bot token is of {} ({}), and this deployment is for {own}: it would not be used, so nothing is written. The parameter DefaultWorkspace moves the deployment; --force writes it all the same",
            identity.workspace,
            identity.team
        );
        note(format_args!("the bot token is of {}, and this deployment is for {own}", identity.workspace));
    }
    Ok(Some(identity))
}

/// What is posted to, has to be Slack's: nobody calls another address.
fn check_webhooks(deployment: &Deployment, given: &Given, force: bool) -> Result<()> {
    let hooks = deployment.parameter("SlackHooksUrl").unwrap_or("https://hooks.slack.com/");
    let base: Url = hooks.parse().with_context(|| format!("the parameter SlackHooksUrl is no URL: {hooks}"))?;
    let addresses = given.webhooks.iter().filter_map(|(name, address)| Some((name, address.as_ref()?)));
    let foreign = addresses.filter(|(_, address)| address_on(&base, address.expose().trim(), "webhook").is_err());
    let names: Vec<_> = foreign.map(|(name, _)| format!("webhooks.{name}")).collect();
    ensure!(
        names.is_empty() || force,
        "nothing is written: {}: the address is none on {hooks}. --force writes it all the same",
        names.join(", ")
    );
    Ok(())
}

/// The workspace that a pasted token has to be of; `None` where any will do.
async fn own(deployment: &Deployment) -> Result<Option<Workspace>> {
    if let Some(named) = deployment.parameter("DefaultWorkspace") {
        return Ok(Some(Workspace::new(named)));
    }
    let known = deployment.store()?.installations().await.context("the table cannot be read")?;
    let mut pasted = known.into_iter().filter(|installation| !installation.by_link && installation.removed_at.is_none());
    Ok(match (pasted.next(), pasted.next()) {
        (Some(only), None) => Some(only.workspace),
        _ => None,
    })
}
