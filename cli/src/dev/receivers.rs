//! The functions that Slack would have called, and what they answer.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use serde_json::{Value, json};
use shared::secrets::app::Secrets;
use shared::slack::verify::signature;
use url::Url;

use super::message::{Envelope, Kind};
use crate::deployment::Deployment;

/// How long Slack waits for an acknowledgement.
const PATIENCE: Duration = Duration::from_secs(3);

/// The three receivers of a stack, and what requests to them are signed with.
pub(super) struct Receivers {
    http: reqwest::Client,
    commands: String,
    interactions: String,
    events: String,
    secrets: Secrets,
}

/// What a function did about an envelope.
#[derive(Debug)]
pub(super) enum Answer {
    /// 200, with what Slack is to do or to show, where it said that.
    Taken(Option<Value>),
    /// Another status.
    Refused(u16),
    /// None within the time that Slack gives.
    Late,
    /// None at all, and why.
    Unreachable(String),
}

impl Receivers {
    /// Those of a stack, which has to have a signing secret.
    pub(super) async fn of(deployment: &Deployment) -> Result<Self> {
        let secrets = Secrets::new(deployment.secrets(), deployment.output("SlackSecretArn")?.to_owned(), SignedDuration::ZERO);
        let secret = secrets.now().await.context("the Slack secret cannot be read, so nothing can be signed")?;
        ensure!(
            secret.signing_secrets(Timestamp::now()).any(|secret| !secret.is_blank()),
            "the Slack secret holds no signing_secret, so the functions would believe nothing: `tocsin secrets set` puts it there"
        );
        Ok(Self {
            http: shared::http::client(PATIENCE)?,
            commands: address(deployment, "CommandsUrl")?,
            interactions: address(deployment, "InteractionsUrl")?,
            events: address(deployment, "EventsUrl")?,
            secrets,
        })
    }

    /// Sends an envelope to its function, as Slack would have.
    pub(super) async fn ask(&self, envelope: &Envelope) -> Answer {
        tokio::time::timeout(PATIENCE, self.sends(envelope)).await.unwrap_or(Answer::Late)
    }

    async fn sends(&self, envelope: &Envelope) -> Answer {
        // A rotation is in force for the functions within a minute, and here as soon.
        let secret = match self.secrets.fresh().await {
            Ok(secret) => secret,
            Err(error) => return Answer::Unreachable(format!("the Slack secret cannot be read: {error}")),
        };
        let now = Timestamp::now();
        let Some(signing) = secret.signing_secrets(now).next() else { return Answer::Unreachable("there is no signing secret".to_owned()) };
        let request = envelope.request();
        let signature = signature(signing, now.as_second(), request.body.as_bytes());
        let mut sent = self
            .http
            .post(self.url(envelope.kind))
            .header(CONTENT_TYPE, request.content_type)
            .header(USER_AGENT, "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header("X-Slack-Request-Timestamp", now.as_second())
            .header("X-Slack-Signature", signature.expose());
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        match read(sent.body(request.body)).await {
            Ok((200, text)) => Answer::Taken(said(envelope.kind, &text)),
            Ok((status, _)) => Answer::Refused(status),
            Err(error) if error.is_timeout() => Answer::Late,
            Err(error) => Answer::Unreachable(shared::causes(&error.without_url())),
        }
    }

    fn url(&self, kind: Kind) -> &str {
        match kind {
            Kind::SlashCommands => &self.commands,
            Kind::Interactive => &self.interactions,
            Kind::EventsApi => &self.events,
        }
    }
}

/// Where a function is; looked at now rather than when somebody waits for it.
fn address(deployment: &Deployment, output: &str) -> Result<String> {
    let url = deployment.url(output)?;
    Url::parse(&url).with_context(|| format!("the stack's output {output} is no URL: {url}"))?;
    Ok(url)
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<(u16, String)> {
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await?))
}

/// What the body of a 200 says: an object, or plain text, which is a message where a command is answered and means nothing elsewhere.
fn said(kind: Kind, text: &str) -> Option<Value> {
    match serde_json::from_str(text) {
        _ if text.trim().is_empty() => None,
        Ok(Value::Object(fields)) => (!fields.is_empty()).then_some(Value::Object(fields)),
        _ => (kind == Kind::SlashCommands).then(|| json!({ "text": text })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_an_object_and_for_a_command_a_text() {
        assert_eq!(said(Kind::SlashCommands, r#"{"text": "a"}"#), Some(json!({ "text": "a" })));
        assert_eq!(said(Kind::SlashCommands, "plain"), Some(json!({ "text": "plain" })));
        assert_eq!(said(Kind::Interactive, r#"{"response_action": "clear"}"#), Some(json!({ "response_action": "clear" })));
        for (kind, text) in
            [(Kind::SlashCommands, " \n"), (Kind::SlashCommands, "{}"), (Kind::Interactive, "plain"), (Kind::EventsApi, "ok")]
        {
            assert_eq!(said(kind, text), None, "{text}");
        }
    }
}
