//! Whether the bot can show incidents, finding by finding, each with what to do about it. What the HTTP API tests and what `tocsin doctor` looks at is the same.

use serde::Serialize;
use serde_json::Value;

use super::client::{Client, Identity, SlackError};
use super::features::{FEATURES, Feature, SCOPES};
use crate::domain::ids::Channel;
use crate::secrets::{Secret, SecretError};

/// What helps against what passes.
pub const AGAIN: &str = "Try it again; if that does not help, the function's log says why.";

/// How many pages of channels are looked through for a name, a thousand to a page.
const PAGES: usize = 5;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word.
    pub check: &'static str,
    /// Whether it is well.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// It is well.
    pub fn good(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, ok: true, detail: detail.into(), fix: None }
    }

    /// It is not.
    pub fn bad(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, ok: false, detail: detail.into(), fix: Some(fix.into()) }
    }

    /// Slack did not do it.
    pub fn refused(check: &'static str, error: &SlackError) -> Self {
        Self::bad(check, format!("{error}."), error.advice())
    }

    /// There is no token.
    pub fn no_token(error: &SecretError) -> Self {
        let (detail, fix) = match error {
            SecretError::Absent => {
                ("There is no bot token for this workspace.", "Put `bot_token` into the Slack secret, or install the app by its link.")
            }
            SecretError::Malformed(_) => ("The Slack secret is not JSON of its form.", "Write it anew: `tocsin secrets set --replace`."),
            SecretError::Unavailable(_) => ("Secrets Manager cannot be read at the moment.", AGAIN),
        };
        Self::bad("token", detail, fix)
    }

    /// Slack knows the token.
    pub fn known(identity: &Identity) -> Self {
        Self::good("token", format!("Slack knows the bot token as {} of {}.", identity.bot, identity.team))
    }

    /// The token is of another workspace than the one that was meant.
    pub fn foreign() -> Self {
        let fix = "Put this workspace's token into the Slack secret, or install the app there.";
        Self::bad("token", "The bot token belongs to another workspace, and nothing is called with it.", fix)
    }

    /// Whether what is usual was granted.
    pub fn scopes(identity: &Identity) -> Self {
        let missing = missing(identity, SCOPES);
        if missing.is_empty() {
            return Self::good("scopes", format!("All {} scopes are granted.", SCOPES.len()));
        }
        let detail = format!("Not granted: {}. {}", missing.join(", "), losses(&missing));
        let fix = "Add them under OAuth & Permissions, as infra/app-manifest.yaml has them, and install the app again.";
        Self::bad("scopes", detail.trim_end(), fix)
    }

    /// How the bot stands to a channel that incidents go to.
    pub async fn membership(client: &Client, token: &Secret, identity: &Identity, channel: &Channel) -> Self {
        if channel.webhook().is_some() {
            return Self::good("channel", format!("{channel} is an incoming webhook, which needs no membership."));
        }
        if channel.person().is_some() {
            return Self::good("channel", format!("{channel} is a person, whom the bot may write to."));
        }
        let found = match channel.as_str().strip_prefix('#') {
            Some(name) => by_name(client, token, identity, name).await,
            None => by_id(client, token, channel).await,
        };
        let invite = format!("Invite it there: /invite @{}", identity.bot);
        match found {
            Ok(State::Member) => Self::good("channel", format!("The bot is in {channel}.")),
            Ok(State::Archived) => {
                Self::bad("channel", format!("{channel} is archived."), "Bring it back in Slack, or choose another channel.")
            }
            Ok(State::Outside) if channel.as_str().starts_with('#') => {
                Self::bad("channel", format!("The bot is not in {channel}, or there is no such channel."), invite)
            }
            Ok(State::Outside) => Self::bad("channel", format!("The bot is not in {channel}."), invite),
            Err(error) if error.is("channel_not_found") => {
                Self::bad("channel", format!("{channel} does not exist, or is private and the bot is not in it."), invite)
            }
            Err(error) => Self::refused("channel", &error),
        }
    }
}

/// Which of these scopes were not granted.
pub fn missing<'s>(identity: &Identity, wanted: impl IntoIterator<Item = &'s str>) -> Vec<&'s str> {
    wanted.into_iter().filter(|scope| !identity.scopes.iter().any(|granted| granted == scope)).collect()
}

/// What one misses without these scopes, a sentence for each feature.
fn losses(missing: &[&str]) -> String {
    let lacks = |feature: &Feature| missing.iter().copied().filter(|scope| feature.scopes.contains(scope)).collect::<Vec<_>>().join(", ");
    let features = FEATURES.iter().map(|feature| (lacks(feature), feature.without)).filter(|(lacks, _)| !lacks.is_empty());
    features.map(|(lacks, without)| format!("Without {lacks}, {without}.")).collect::<Vec<_>>().join(" ")
}

/// How the bot stands to a channel.
enum State {
    Member,
    Outside,
    Archived,
}

/// <https://docs.slack.dev/reference/methods/conversations.info>
async fn by_id(client: &Client, token: &Secret, channel: &Channel) -> Result<State, SlackError> {
    let answer = client.ask(token, "conversations.info", &[("channel", channel.as_str())]).await?;
    let flag = |name: &str| answer.pointer(&format!("/channel/{name}")).and_then(Value::as_bool) == Some(true);
    Ok(if flag("is_archived") {
        State::Archived
    } else if flag("is_member") {
        State::Member
    } else {
        State::Outside
    })
}

/// Among the channels that the bot is in. <https://docs.slack.dev/reference/methods/users.conversations>
async fn by_name(client: &Client, token: &Secret, identity: &Identity, name: &str) -> Result<State, SlackError> {
    let mut cursor = String::new();
    for _ in 0..PAGES {
        let arguments = [
            ("user", identity.bot_user.as_str()),
            ("types", "public_channel,private_channel"),
            ("exclude_archived", "true"),
            ("limit", "1000"),
            ("cursor", cursor.as_str()),
        ];
        let answer = client.ask(token, "users.conversations", &arguments).await?;
        let channels = answer.get("channels").and_then(Value::as_array).into_iter().flatten();
        if channels.filter_map(|channel| channel.get("name")?.as_str()).any(|known| known == name) {
            return Ok(State::Member);
        }
        answer.pointer("/response_metadata/next_cursor").and_then(Value::as_str).unwrap_or_default().clone_into(&mut cursor);
        if cursor.is_empty() {
            break;
        }
    }
    Ok(State::Outside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Workspace;

    #[test]
    fn what_is_missing_says_what_it_costs_once_for_each_feature() {
        let granted = |without: &[&str]| Identity {
            workspace: Workspace::new("T1"),
            team: "Ops".to_owned(),
            bot: "tocsin".to_owned(),
            bot_user: "U0".to_owned(),
            scopes: SCOPES.into_iter().filter(|scope| !without.contains(scope)).map(str::to_owned).collect(),
        };
        assert!(Finding::scopes(&granted(&[])).ok);
        let found = Finding::scopes(&granted(&["im:history", "groups:history", "reactions:read"]));
        assert!(
            found
                .detail
                .starts_with("Not granted: groups:history, im:history, reactions:read. Without groups:history, im:history, replies"),
            "{found:?}"
        );
        assert_eq!(found.detail.matches("Without ").count(), 2, "{found:?}");
    }
}
