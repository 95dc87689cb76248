//! `POST /v1/test`: whether the bot can show incidents, finding by finding, each with what to do about it; and a test message on the way that all incidents take.

use std::time::Duration;

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use shared::domain::ids::{Channel, IntentId, Workspace, is_slack_id};
use shared::domain::intent::{Action, Actor, Changes, Intent, Target};
use shared::domain::kind::NOTICE;
use shared::secrets::SecretError;
use shared::secrets::tokens::Held;
use shared::slack::client::{Client, Identity, SlackError};
use shared::slack::connection::{AGAIN, Finding};
use shared::slack::reply::Reply;

use crate::caller::{unreadable, wanted};
use crate::problem::{Problem, answer};
use crate::{App, Asked, body};

/// How long Slack may take for one call.
const TIMEOUT: Duration = Duration::from_secs(4);

/// How long everything that is looked at may take; the function itself has 25 s, and the queue needs some of them.
const ALL: Duration = Duration::from_secs(15);

/// What is looked at, in this order, beside the queue.
const CHECKS: [&str; 3] = ["token", "scopes", "channel"];

/// What was found.
#[derive(Serialize)]
struct Report {
    /// Whether all is well.
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<Workspace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<String>,
    findings: Vec<Finding>,
    /// The test message.
    request: IntentId,
}

/// What is known so far.
#[derive(Debug, Default)]
struct Found {
    findings: Vec<Finding>,
    identity: Option<Identity>,
}

/// What is to be tested.
struct Wish {
    workspace: Option<Workspace>,
    channel: Option<Channel>,
}

impl App {
    /// `POST /v1/test`
    pub(crate) async fn test(&self, asked: &Asked<'_>) -> Result<Reply, Problem> {
        let Wish { workspace, channel } = wish(body::object(asked.request)?.unwrap_or_default())?;
        let workspace = wanted(asked, workspace)?.or_else(|| self.default_workspace.clone());
        // First, so that it is sent whatever is found.
        let notice = notice(asked, workspace.clone());
        let request = notice.id.clone();
        self.queue(asked, vec![notice]).await?;
        let mut found = Found::default();
        in_time(ALL, &mut found, async |found| self.look(workspace.as_ref(), channel, found).await).await;
        let Found { mut findings, identity } = found;
        findings.push(Finding::good("queue", "The test message is on the queue; it shows where notices go, within a moment."));
        let ok = findings.iter().all(|finding| finding.ok);
        let (team, bot) = identity.as_ref().map(|identity| (identity.team.clone(), identity.bot.clone())).unzip();
        let workspace = workspace.or(identity.map(|identity| identity.workspace));
        Ok(answer(StatusCode::OK, &Report { ok, workspace, team, bot, findings, request }))
    }

    /// Looks at everything, one after the other, and notes what it finds.
    async fn look(&self, workspace: Option<&Workspace>, channel: Option<Channel>, found: &mut Found) {
        let (client, held, identity) = match self.identity(workspace).await {
            Ok(known) => known,
            Err(finding) => return found.findings.push(finding),
        };
        found.findings.push(Finding::known(&identity));
        found.findings.push(Finding::scopes(&identity));
        found.identity = Some(identity.clone());
        let finding = match channel {
            Some(channel) => Finding::membership(&client, &held.token, &identity, &channel).await,
            None => match self.channel(&identity.workspace).await {
                Ok(channel) => Finding::membership(&client, &held.token, &identity, &channel).await,
                Err(finding) => finding,
            },
        };
        found.findings.push(finding);
    }

    /// With which token Slack is called for this workspace, and who that is; else what is in the way.
    async fn identity(&self, workspace: Option<&Workspace>) -> Result<(Client, Held, Identity), Finding> {
        let held = self.held(workspace).await?;
        let client =
            Client::new(self.slack.clone(), TIMEOUT).map_err(|error| Finding::refused("token", &SlackError::Later(error.to_string())))?;
        let identity = client.identity(&held.token).await.map_err(|error| Finding::refused("token", &error))?;
        if workspace.is_some_and(|workspace| *workspace != identity.workspace) {
            return Err(Finding::foreign());
        }
        Ok((client, held, identity))
    }

    async fn held(&self, workspace: Option<&Workspace>) -> Result<Held, Finding> {
        let held = match workspace {
            // As it stands at this moment: whoever tests has perhaps just written it.
            Some(workspace) => self.tokens.now(workspace).await,
            None => self.tokens.pasted().await.transpose().ok_or_else(|| {
                let fix = "Name one: {\"workspace\": \"T…\"}, or use a key that is for one.";
                Finding::bad("token", "Workspaces install the app by a link, each with a token of its own.", fix)
            })?,
        };
        held.map_err(|error| no_token(&error))
    }

    /// Where incidents go that no rule routes.
    async fn channel(&self, workspace: &Workspace) -> Result<Channel, Finding> {
        let settings = self.store.settings(workspace).await.map_err(|error| {
            unreadable(&error);
            Finding::bad("channel", "The workspace's settings cannot be read, which say where incidents go.", AGAIN)
        })?;
        Ok(settings.routing.map_or_else(|| self.default_channel.clone(), |routing| routing.default.channel))
    }
}

/// Looks for so long and no longer: what was not reached by then is a finding.
async fn in_time(limit: Duration, found: &mut Found, look: impl AsyncFnOnce(&mut Found)) {
    if tokio::time::timeout(limit, look(found)).await.is_err() {
        let reached: Vec<&str> = found.findings.iter().map(|finding| finding.check).collect();
        let detail = format!("Not looked at: Slack's answers took more than {} seconds together.", limit.as_secs());
        found
            .findings
            .extend(CHECKS.into_iter().filter(|check| !reached.contains(check)).map(|check| Finding::bad(check, detail.clone(), AGAIN)));
    }
}

fn wish(object: Map<String, Value>) -> Result<Wish, Problem> {
    let (mut wish, mut mistakes) = (Wish { workspace: None, channel: None }, Vec::new());
    for (name, value) in object.into_iter().filter(|(_, value)| !value.is_null()) {
        let text = value.as_str();
        match name.as_str() {
            "workspace" => match text.and_then(Workspace::parse) {
                None => mistakes.push("`workspace` must be a Slack team (T…) or enterprise (E…)".to_owned()),
                named => wish.workspace = named,
            },
            "channel" => match text.filter(|text| is_channel(text)) {
                None => mistakes.push("`channel` must be a channel's id (C…) or its #name".to_owned()),
                Some(text) => wish.channel = Some(Channel::new(text)),
            },
            _ => mistakes.push("only `workspace` and `channel` can be said".to_owned()),
        }
    }
    mistakes.dedup();
    if mistakes.is_empty() { Ok(wish) } else { Err(Problem::mistakes(mistakes)) }
}

fn is_channel(text: &str) -> bool {
    let named =
        text.strip_prefix('#').is_some_and(|name| (1..=80).contains(&name.chars().count()) && !name.contains(['#', ' ', '\t', '\n', '\r']));
    named || (is_slack_id(text, &['C', 'G']) && (3..=24).contains(&text.len()))
}

fn notice(asked: &Asked<'_>, workspace: Option<Workspace>) -> Intent {
    let changes = Changes {
        title: Some("Test message".to_owned()),
        description: Some(format!("Sent over the HTTP API with the key {}. Incidents take the same way.", asked.holder.name)),
        kind: Some(NOTICE.to_owned()),
        ..Changes::default()
    };
    let (id, by) = (IntentId::of("test", &[&asked.id()]), Actor::Source(asked.holder.name.clone()));
    Intent { id, workspace, at: asked.now, by, target: Target::New, action: Action::Create(changes), reply: None }
}

fn no_token(error: &SecretError) -> Finding {
    tracing::warn!(%error, outcome = "no_token", "the connection was tested");
    Finding::no_token(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_not_reached_in_time_is_a_finding() {
        let mut found = Found::default();
        let look = async |found: &mut Found| {
            found.findings.push(Finding::good("token", "known"));
            std::future::pending::<()>().await;
        };
        in_time(Duration::ZERO, &mut found, look).await;
        let said: Vec<(&str, bool)> = found.findings.iter().map(|finding| (finding.check, finding.ok)).collect();
        assert_eq!(said, [("token", true), ("scopes", false), ("channel", false)]);
        assert!(found.findings.iter().skip(1).all(|finding| finding.detail.contains("Not looked at") && finding.fix.is_some()));
        // What ended by itself is left as it is.
        let mut found = Found::default();
        in_time(ALL, &mut found, async |found: &mut Found| found.findings.push(Finding::bad("token", "none", "write one"))).await;
        assert_eq!(found.findings.len(), 1);
    }
}
