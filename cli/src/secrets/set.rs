//! `tocsin secrets set`

use anyhow::{Result, ensure};
use serde_json::json;

use super::form::Field;
use super::given::{FORM, Given, Source, asked, json as read};
use super::{AppSecret, check_webhooks, checked, refuse_arguments};
use crate::deployment::{Deployment, Stack};
use crate::output::{Output, note};

/// Hand over what the Slack app needs: its signing secret, and a bot token or the app's client id and secret.
///
/// They are asked for at a terminal, or read from standard input or a file as JSON; never from arguments. A bot token is shown to Slack before it is written. What is in the secret besides
/// stays, incoming webhooks for instance.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 it is written; 1 nothing is, or somebody else wrote in the same moment, and standard error says which; 2 the command was not understood."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Take away what belongs to the other way of getting tokens, `client_id` and `client_secret` for a bot token and the other way round; and all of it, where it cannot be read.
    #[arg(long)]
    replace: bool,
    /// Write it even where a check says that it would not work.
    #[arg(long)]
    force: bool,
    #[arg(hide = true)]
    given: Vec<String>,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments, output: Output) -> Result<()> {
    let Arguments { source, replace, force, given } = arguments;
    refuse_arguments(given)?;
    let text = source.text(FORM)?;
    let deployment = Deployment::read(stack).await?;
    let mut secret = AppSecret::read(&deployment, *replace).await?;
    let given = match text {
        Some(text) => read(&text)?,
        None => ask(&secret, *replace)?,
    };
    ensure!(!given.fields.is_empty() || !given.webhooks.is_empty(), "nothing was handed over, so nothing is written");
    given.check(*force)?;
    check_webhooks(&deployment, &given, *force)?;
    let identity = match given.get(Field::BotToken) {
        Some(token) => checked(&deployment, token, *force, output).await?,
        None => None,
    };
    secret.may_be_written(*force).await?;
    choose(&mut secret, &given, *replace)?;
    given.merge(&mut secret.fields);
    complete(&secret, *force)?;
    secret.write().await?;
    let written: Vec<_> = given.fields.keys().copied().chain((!given.webhooks.is_empty()).then_some("webhooks")).collect();
    let (workspace, team) = identity.map(|identity| (identity.workspace, identity.team)).unzip();
    output.print(&json!({ "secret": secret.secret.id, "written": written, "workspace": workspace, "team": team }), || {
        anstream::println!("{} written to {}", written.join(", "), secret.secret.id);
        if let (Some(workspace), Some(team)) = (&workspace, &team) {
            anstream::println!("the bot token is of {team} ({workspace})");
        }
    })?;
    note("it is in force within a minute");
    if given.has(Field::SigningSecret) {
        note("where Slack could not check the address before, press Retry under Event Subscriptions");
    }
    if secret.has(Field::ClientId) {
        note("`tocsin install-link` has the link by which workspaces install the app");
    }
    Ok(())
}

/// Asks for what is needed, and for nothing that was given.
fn ask(secret: &AppSecret, replace: bool) -> Result<Given> {
    let mut given = Given::default();
    let mut want = |field: Field, required: bool| -> Result<bool> {
        let Some(value) = asked(field, required && !secret.has(field))? else { return Ok(false) };
        given.put(field, value.expose());
        Ok(true)
    };
    note("nothing that you type is shown. What is there already stays where you type nothing");
    want(Field::SigningSecret, true)?;
    let (token, by_link) = (secret.has(Field::BotToken), secret.has(Field::ClientId));
    if !want(Field::BotToken, false)? && (replace || !token) {
        note(if token {
            "no other bot token: workspaces may install the app by a link instead"
        } else {
            "no bot token: then workspaces install the app by a link"
        });
        if want(Field::ClientId, !by_link && !token)? || !token {
            want(Field::ClientSecret, !by_link)?;
        }
    }
    Ok(given)
}

/// A secret is for one way of getting tokens; where both are in it, the bot token is not used.
fn choose(secret: &mut AppSecret, given: &Given, replace: bool) -> Result<()> {
    let (token, link) = (given.has(Field::BotToken), given.has(Field::ClientId) || given.has(Field::ClientSecret));
    ensure!(
        !(token && link),
        "give a bot token, for one workspace, or client_id and client_secret, for any number of them; where both are there, the bot token is not used"
    );
    let others: &[Field] = match (token, link) {
        (true, _) => &[Field::ClientId, Field::ClientSecret],
        (_, true) => &[Field::BotToken],
        (false, false) => &[],
    };
    let there: Vec<_> = others.iter().filter(|field| secret.has(**field)).map(|field| field.name()).collect();
    ensure!(
        there.is_empty() || replace,
        "the secret holds {}, and either of the two ways counts, not both: --replace takes that away",
        there.join(" and ")
    );
    for field in there {
        secret.fields.remove(field);
        note(format_args!("{field} is taken away"));
    }
    Ok(())
}

/// Whether anything could work with what is there then.
fn complete(secret: &AppSecret, force: bool) -> Result<()> {
    let webhooks = secret.fields.get("webhooks").is_some();
    let by_link = secret.has(Field::ClientId) && secret.has(Field::ClientSecret);
    let missing = if !secret.has(Field::SigningSecret) && !webhooks {
        "without a signing_secret nothing that Slack says is believed"
    } else if secret.has(Field::ClientId) != secret.has(Field::ClientSecret) {
        "client_id and client_secret belong together"
    } else if !by_link && !secret.has(Field::BotToken) && !webhooks {
        "there is neither a bot_token nor client_id and client_secret, so nothing can be posted"
    } else {
        return Ok(());
    };
    ensure!(force, "{missing}; nothing is written, and --force writes it all the same");
    note(missing);
    Ok(())
}
