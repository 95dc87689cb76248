//! The Slack app's secret: whether it is there, of its form, and complete. Nothing of it is ever part of a finding.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use shared::secrets::app::{AppSecret, Secrets};
use shared::secrets::{Secret, SecretError};
use shared::slack::client::address_on;
use url::Url;

use super::super::finding::{Check, Finding, Fix, State};
use super::{of, unreadable};
use crate::deployment::Deployment;
use crate::secret::Kept;

/// What stands in it.
#[derive(Debug, Default)]
pub(in super::super) struct Seen {
    pub(in super::super) findings: Vec<Finding>,
    /// What Slack signs with, where it can be.
    pub(super) signing: Option<Secret>,
    /// All of it, where it is of its form.
    pub(super) app: Option<Arc<AppSecret>>,
    /// It holds incoming webhooks and nothing of an app, as for a workspace without any bot.
    pub(super) is_webhooks_alone: bool,
}

/// What only an app has.
const OF_AN_APP: [&str; 4] = ["signing_secret", "bot_token", "client_id", "client_secret"];

/// Why what needs the secret was not looked at.
pub(super) const INCOMPLETE: &str = "the Slack secret is not complete";

pub(in super::super) async fn read(deployment: &Deployment) -> Seen {
    let Ok(id) = deployment.output("SlackSecretArn") else {
        return only(Finding::skipped(Check::Secret, "the stack has no output SlackSecretArn"));
    };
    let client = deployment.secrets();
    let written = match text(&client, id, "AWSCURRENT").await {
        Ok(written) => written.unwrap_or_default(),
        Err(error) => return only(unreadable(Check::Secret, "the secret", &error)),
    };
    let set = |say: &str, how: &str| {
        Fix::new(format!("{say} Nothing is redeployed; it is in force within a minute."))
            .paste(format!("tocsin secrets set{how}{}", of(deployment)))
    };
    if written.trim().is_empty() {
        let seen = "nothing is in it yet: no request of Slack's is believed, and nothing can be posted";
        return only(Finding::broken(
            Check::Secret,
            seen,
            set("Hand over the Signing Secret (Basic Information) and the Bot User OAuth Token (OAuth & Permissions).", ""),
        ));
    }
    let hours = deployment.parameter("SigningOverlapHours").and_then(|hours| hours.parse().ok()).unwrap_or(24);
    let secrets = Secrets::new(client.clone(), id.to_owned(), SignedDuration::from_hours(hours));
    let read = match secrets.now().await {
        Err(SecretError::Unavailable(error)) => return only(unreadable(Check::Secret, "the secret", &error)),
        read => read,
    };
    let (Ok(Value::Object(fields)), Ok(app)) = (serde_json::from_str(&written), read) else {
        let seen = r#"it is not JSON of its form, {"signing_secret": …, "bot_token": …}; nothing of Slack's is believed, and nothing can be posted"#;
        return only(Finding::broken(Check::Secret, seen, set("Write it anew.", " --replace")));
    };
    let is_webhooks_alone = !app.webhooks.is_empty() && OF_AN_APP.iter().all(|field| given(&fields, field).is_none());
    let mistakes = mistakes(deployment, &fields, &app, is_webhooks_alone);
    let bad = |mistake: &&Mistake| mistake.state == State::Broken;
    let signing = fields
        .get("signing_secret")
        .and_then(Value::as_str)
        .filter(|_| !is_webhooks_alone && !mistakes.iter().filter(bad).any(|mistake| mistake.field == "signing_secret"));
    let mut findings: Vec<Finding> = mistakes.iter().map(|mistake| mistake.finding(&set(mistake.advice, mistake.how()))).collect();
    if findings.is_empty() {
        findings.push(Finding::well(Check::Secret, complete(&app, is_webhooks_alone)));
    }
    if app.signing_secrets(Timestamp::now()).count() > 1 {
        findings.push(overlap(deployment, &app, hours));
    }
    Seen { findings, signing: signing.map(Secret::new), app: Some(app), is_webhooks_alone }
}

fn complete(app: &AppSecret, is_webhooks_alone: bool) -> String {
    if is_webhooks_alone {
        return "webhooks alone, for a workspace without any bot: nothing can be pressed, and nothing of Slack's is believed".to_owned();
    }
    let mode = if app.is_by_link() { "workspaces install the app by its link" } else { "one workspace, whose bot token was pasted" };
    format!("complete: {mode}. That its signing secret is the app's, only Slack knows: /incident help answers there")
}

fn only(finding: Finding) -> Seen {
    Seen { findings: vec![finding], ..Seen::default() }
}

/// A field that is not as it should be.
struct Mistake {
    field: &'static str,
    state: State,
    seen: String,
    advice: &'static str,
}

impl Mistake {
    fn broken(field: &'static str, seen: &str, advice: &'static str) -> Self {
        Self { field, state: State::Broken, seen: seen.to_owned(), advice }
    }

    /// Where a choice is still to be made, what belongs to the other way of getting tokens goes; nobody is asked for webhooks.
    fn how(&self) -> &'static str {
        match self.advice {
            BOTH | ONE => " --replace",
            WEBHOOKS => " --from webhooks.json",
            _ => "",
        }
    }

    fn finding(&self, fix: &Fix) -> Finding {
        Finding { state: self.state, ..Finding::broken(Check::Secret, self.seen.clone(), fix.clone()) }.about(self.field)
    }
}

const BASIC: &str = "Hand it over; it stands under Basic Information at https://api.slack.com/apps.";
const BOTH: &str = "Hand over both; they stand under Basic Information at https://api.slack.com/apps. Or neither, and a bot token instead.";
const ONE: &str = "Hand over what you use, and the other way's goes.";
const WEBHOOKS: &str = r#"Hand over the address as Slack gives it, under Incoming Webhooks, in a file, webhooks.json: {"webhooks": {"NAME": "https://…"}}. null instead of the address takes it away."#;

/// A field that is there and not blank.
fn given<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f str> {
    fields.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

fn mistakes(deployment: &Deployment, fields: &Map<String, Value>, app: &AppSecret, is_webhooks_alone: bool) -> Vec<Mistake> {
    let mut found = Vec::new();
    if !is_webhooks_alone {
        found.extend(signing(deployment, given(fields, "signing_secret")));
        found.extend(tokens(fields));
    }
    found.extend(webhooks(deployment, app));
    found
}

fn tokens(fields: &Map<String, Value>) -> Vec<Mistake> {
    let given = |name: &str| given(fields, name);
    let mut found = Vec::new();
    match (given("client_id"), given("client_secret"), given("bot_token")) {
        (Some(_), None, None) => found.push(Mistake::broken(
            "client_secret",
            "there is a client_id without a client_secret, and no bot_token: nothing can be posted",
            BOTH,
        )),
        (None, Some(_), None) => found.push(Mistake::broken(
            "client_id",
            "there is a client_secret without a client_id, and no bot_token: nothing can be posted",
            BOTH,
        )),
        (None, None, None) => {
            found.push(Mistake::broken(
                "bot_token",
                "there is neither a bot_token nor client_id and client_secret: nothing can be posted",
                "Hand it over; it stands under OAuth & Permissions at https://api.slack.com/apps.",
            ));
        }
        (Some(_), Some(_), Some(_)) => found.push(Mistake {
            state: State::Look,
            ..Mistake::broken("bot_token", "it is not used, since client_id and client_secret are there too", ONE)
        }),
        (Some(_), None, Some(_)) | (None, Some(_), Some(_)) => found.push(Mistake {
            state: State::Look,
            ..Mistake::broken("client_id", "client_id and client_secret count only together; the bot_token is used", BOTH)
        }),
        (Some(_), Some(_), None) | (None, None, Some(_)) => {}
    }
    if let Some(token) = given("bot_token")
        && !["xoxb-", "xoxe.xoxb-"].iter().any(|start| token.starts_with(start))
    {
        found.push(Mistake::broken(
            "bot_token",
            "it is no bot token: those begin with xoxb-",
            "Hand over the Bot User OAuth Token; it stands under OAuth & Permissions.",
        ));
    }
    found
}

/// Addresses that are none of Slack's.
fn webhooks(deployment: &Deployment, app: &AppSecret) -> Option<Mistake> {
    let hooks: Url = deployment.parameter("SlackHooksUrl").unwrap_or("https://hooks.slack.com/").parse().ok()?;
    let foreign: BTreeSet<_> = app
        .webhooks
        .iter()
        .filter(|(_, address)| address_on(&hooks, address.expose().trim(), "webhook").is_err())
        .map(|(name, _)| name.as_str())
        .collect();
    let names = foreign.into_iter().collect::<Vec<_>>().join(", ");
    let seen = format!("{names}: the address is none on {hooks}, and nothing is posted there");
    (!names.is_empty()).then(|| Mistake::broken("webhooks", &seen, WEBHOOKS))
}

fn signing(deployment: &Deployment, given: Option<&str>) -> Option<Mistake> {
    let Some(secret) = given else {
        return Some(Mistake::broken("signing_secret", "it is missing or blank: no request of Slack's is believed", BASIC));
    };
    if secret.starts_with("xox") || secret.len() < 16 || secret.contains(char::is_whitespace) {
        return Some(Mistake::broken(
            "signing_secret",
            "it is none, but a token or a part of something: no request of Slack's is believed",
            BASIC,
        ));
    }
    // Slack's own are so many digits; another's, such as a simulator's, need not be.
    let slacks = deployment
        .parameter("SlackApiUrl")
        .is_none_or(|api| api.starts_with("https://slack.com/") || api.starts_with("https://slack-gov.com/"));
    let hex = secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    (slacks && !hex).then(|| Mistake {
        state: State::Look,
        ..Mistake::broken("signing_secret", "it does not look like one of Slack's, which are 32 hexadecimal digits", BASIC)
    })
}

/// The version before is still believed.
fn overlap(deployment: &Deployment, app: &AppSecret, hours: i64) -> Finding {
    let until = app.written_at.and_then(|at| at.checked_add(SignedDuration::from_hours(hours)).ok());
    let until = until.map(|until| format!(" until {}", until.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    let fix = Fix::new("That ends by itself. Write no other version before it has. Where the one before has leaked, end it now:")
        .paste(format!("tocsin secrets rotate --end-overlap{}", of(deployment)));
    Finding::look(Check::Overlap, format!("the signing secret was rotated; the one before is believed too{until}"), fix)
}

/// The text of a version, `None` where nothing stands there; why it cannot be read.
pub(super) async fn text(client: &Client, id: &str, stage: &str) -> Result<Option<String>, String> {
    let kept = Kept { client: client.clone(), id: id.to_owned() };
    let version = kept.version(stage).await.map_err(|error| format!("{:#}", error.root_cause()))?;
    Ok(version.map(|version| version.text.expose().to_owned()))
}

/// What brings the version before back.
pub(super) async fn restore(client: &Client, id: &str) -> Option<String> {
    let (current, before) = (version_at(client, id, "AWSCURRENT").await?, version_at(client, id, "AWSPREVIOUS").await?);
    Some(format!(
        "aws secretsmanager update-secret-version-stage --secret-id {id} --version-stage AWSCURRENT --move-to-version-id {before} --remove-from-version-id {current}"
    ))
}

async fn version_at(client: &Client, id: &str, stage: &str) -> Option<String> {
    let described = client.describe_secret().secret_id(id).send().await.ok()?;
    let at_stage = |stages: &Vec<String>| stages.iter().any(|known| known == stage);
    described.version_ids_to_stages?.into_iter().find(|(_, stages)| at_stage(stages)).map(|(id, _)| id)
}
