//! `tocsin secrets rotate`

use anyhow::{Context, Result, anyhow, bail, ensure};
use jiff::Timestamp;
use serde_json::json;

use super::form::Field;
use super::given::{Given, Source, asked, json as read};
use super::{AppSecret, checked, refuse_arguments};
use crate::deployment::{Deployment, Stack};
use crate::output::{Output, ask, moment, note};
use crate::secret::PREVIOUS;

/// Put a new signing secret, a new bot token or both in the place of the old, and keep the rest.
///
/// Nothing is redeployed and nothing is missed. The new one is asked for at a terminal, or read from standard input or a file: one alone as it is, both as JSON.
///
/// After a new signing secret the old one counts for as many hours as the parameter `SigningOverlapHours` says, so that it does not matter when Slack changes. A new bot token is taken up within
/// a minute, and at once where Slack refuses the old one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Both at once are one version of the secret: `tocsin secrets rotate signing bot`.

Exit codes: 0 it is done; 1 nothing is written, or somebody else wrote in the same moment, and standard error says which; 2 the command was not understood.")]
pub(crate) struct Arguments {
    /// What is new: `signing`, `bot` or both.
    #[arg(value_name = "WHAT", required_unless_present = "end_overlap")]
    what: Vec<String>,
    #[command(flatten)]
    source: Source,
    /// The signing secret before counts no more, within five minutes: where it has leaked.
    #[arg(long, conflicts_with_all = ["what", "from"])]
    end_overlap: bool,
    /// Write it even where a check says that it would not work.
    #[arg(long)]
    force: bool,
    /// Do not ask. It is only asked at a terminal.
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments, output: Output) -> Result<()> {
    let Arguments { what, source, end_overlap, force, yes } = arguments;
    if *end_overlap {
        return end(&Deployment::read(stack).await?, *yes, output).await;
    }
    let mut fields = Vec::new();
    for word in what {
        match word.as_str() {
            "signing" => fields.push(Field::SigningSecret),
            "bot" => fields.push(Field::BotToken),
            // Whatever else was typed may be a secret.
            other => refuse_arguments(&[other.to_owned()])?,
        }
    }
    fields.dedup();
    let given = given(source, &fields)?;
    given.check(*force)?;
    let deployment = Deployment::read(stack).await?;
    let mut secret = AppSecret::read(&deployment, false).await?;
    for field in &fields {
        ensure!(secret.has(*field), "there is no {} in the secret yet: `tocsin secrets set` puts it there", field.name());
    }
    if fields.contains(&Field::BotToken) && secret.has(Field::ClientId) {
        bail!(
            "the secret holds client_id and client_secret, so each workspace has a token of its own, and a bot token is not used: install again by `tocsin install-link`"
        );
    }
    let identity = match given.get(Field::BotToken) {
        Some(token) => checked(&deployment, token, *force, output).await?,
        None => None,
    };
    let mut fields_then = secret.fields.clone();
    given.merge(&mut fields_then);
    ensure!(secret.fields != fields_then, "that is what the secret holds already, so nothing is written");
    secret.may_be_written(*force).await?;
    secret.fields = fields_then;
    secret.write().await?;
    let overlaps = fields.contains(&Field::SigningSecret) && secret.overlap.is_positive();
    let until = overlaps.then(|| Timestamp::now().checked_add(secret.overlap).ok()).flatten();
    let names: Vec<_> = fields.iter().map(|field| field.name()).collect();
    output.print(&json!({ "secret": secret.secret.id, "rotated": names, "old_signing_secret_until": until }), || {
        anstream::println!("{} rotated", names.join(" and "));
    })?;
    tell(&fields, until, identity.map(|identity| identity.team));
    Ok(())
}

/// What happens now.
fn tell(fields: &[Field], until: Option<Timestamp>, team: Option<String>) {
    if fields.contains(&Field::BotToken) {
        let team = team.map(|team| format!(" of {team}")).unwrap_or_default();
        note(format_args!("the new bot token{team} is taken up within a minute, and at once where Slack refuses the old one"));
    }
    match until {
        Some(until) => note(format_args!(
            "the new signing secret is believed within a minute, and the old one counts until {}, so that it does not matter when Slack changes; \
             write no other version before. Where the old one has leaked, `tocsin secrets rotate --end-overlap` ends it",
            moment(until)
        )),
        None if fields.contains(&Field::SigningSecret) => {
            note("the new signing secret is believed within a minute, and the old one no more: the parameter SigningOverlapHours is 0");
        }
        None => {}
    }
}

/// The new values: JSON, or one alone as it is.
fn given(source: &Source, fields: &[Field]) -> Result<Given> {
    let mut given = Given::default();
    let form = match fields {
        [only] => format!("it has to be the new {} alone, as it is", only.name()),
        _ => r#"it has to be JSON, {"signing_secret": "…", "bot_token": "xoxb-…"}"#.to_owned(),
    };
    let Some(text) = source.text(&form)? else {
        for field in fields {
            if let Some(value) = asked(*field, true)? {
                given.put(*field, value.expose());
            }
        }
        return Ok(given);
    };
    match fields {
        [only] if !text.expose().trim_start().starts_with('{') => given.put(*only, text.expose()),
        _ => given = read(&text)?,
    }
    for field in fields {
        ensure!(given.has(*field), "there is no new {} in what was handed over", field.name());
    }
    let others = Field::ALL.into_iter().filter(|field| given.has(*field) && !fields.contains(field));
    let others: Vec<_> = others.map(Field::name).chain((!given.webhooks.is_empty()).then_some("webhooks")).collect();
    ensure!(
        others.is_empty(),
        "{} was not to be rotated: name it too, or leave it out; `tocsin secrets set` changes the rest",
        others.join(", ")
    );
    Ok(given)
}

/// Takes the version before its stage away, so that nobody reads it any more.
async fn end(deployment: &Deployment, yes: bool, output: Output) -> Result<()> {
    let secret = AppSecret::kept(deployment)?;
    let Some(previous) = secret.version(PREVIOUS).await? else {
        note("there is no version before, so nothing else than the current signing secret counts");
        return output.print(&json!({ "ended": false }), || {});
    };
    ask("Shall the signing secret before count no more? What Slack still signs with it is refused then.", yes)?;
    let take = secret.client.update_secret_version_stage().secret_id(&secret.id).version_stage(PREVIOUS);
    let taken = take.remove_from_version_id(&previous.id).send().await.map_err(|error| anyhow!(shared::causes(&error)));
    taken.context("the version before keeps its stage")?;
    note("within five minutes nobody believes the signing secret before any more");
    output.print(&json!({ "ended": true }), || {})
}
