//! Through what a channel is spoken to: the workspace's bot, or an incoming webhook, which can post and nothing else.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::domain::ids::{Channel, Workspace};
use shared::installation::Bot;
use shared::metrics;
use shared::secrets::Secret;
use shared::slack::client::{Client, SlackError};

use crate::channel::Rest;
use crate::post::Arguments;
use crate::{App, Turn};

/// What stands in every message that comes by a webhook.
const NO_UPDATES: &str = "Sent by a webhook: this message cannot be updated, and nothing can be pressed on it.";

/// Through what a channel is spoken to.
#[derive(Debug)]
pub(crate) enum Voice<'a> {
    /// The workspace's bot.
    Bot(Bot<'a>),
    /// The address of an incoming webhook, which is a secret: whoever has it can post.
    Webhook(Secret, &'a Client),
}

impl App {
    /// What speaks in this channel, for the whole turn. Where nothing may be called, the channel is parked until somebody has mended that.
    pub(crate) async fn voice<'a>(&'a self, turn: &'a Turn, workspace: &Workspace, channel: &Channel) -> Result<Voice<'a>, Rest> {
        let Some(name) = channel.webhook() else {
            let bot = self.installations.bot(&turn.client, workspace).await.map_err(|error| match error {
                SlackError::Closed(reason) => Rest::Park(reason),
                SlackError::Token(_) => Rest::Park(format!("{error}. {}", error.advice())),
                SlackError::RateLimited { retry_after } => Rest::Wait { wait: Duration::from_secs(retry_after), why: error.to_string() },
                error => Rest::Wait { wait: Duration::from_secs(30), why: error.to_string() },
            })?;
            return Ok(Voice::Bot(bot));
        };
        let secret = self.installations.tokens().app.fresh().await;
        let secret = secret.map_err(|error| Rest::Wait { wait: Duration::from_secs(30), why: error.to_string() })?;
        match secret.webhooks.get(name) {
            Some(address) => Ok(Voice::Webhook(address.clone(), &turn.client)),
            None => Err(Rest::Park(format!(
                "the Slack secret holds no webhook of the name {name}: put its address there, as {{\"webhooks\": {{\"{name}\": \"https://…\"}}}}, or correct the routing"
            ))),
        }
    }
}

impl Voice<'_> {
    /// Whether it can only post: nothing is updated, nothing has a thread, nothing can be looked up.
    pub(crate) fn only_posts(&self) -> bool {
        matches!(self, Self::Webhook(..))
    }

    /// The method whose rate counts for new messages: every webhook has its own.
    pub(crate) fn posting<'c>(&self, channel: &'c Channel) -> &'c str {
        if self.only_posts() { channel.as_str() } else { "chat.postMessage" }
    }

    /// Posts or changes a message; a webhook answers nothing. No call begins after `until`.
    pub(crate) async fn say(
        &self,
        app: &App,
        method: &'static str,
        arguments: &Arguments<'_>,
        until: Timestamp,
    ) -> Result<Value, SlackError> {
        match self {
            Self::Bot(bot) => bot.call_now(method, arguments, until).await,
            Self::Webhook(address, client) => {
                let posted = client.webhook(&app.slack_hooks, address, &arguments.message.clone().without_actions(NO_UPDATES)).await;
                if matches!(posted, Err(SlackError::RateLimited { .. })) {
                    metrics::rate_limited(method);
                }
                posted.map(|()| Value::Null)
            }
        }
    }

    /// Asks something; a webhook tells nothing.
    pub(crate) async fn ask(&self, method: &'static str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        match self {
            Self::Bot(bot) => bot.ask_now(method, arguments).await,
            Self::Webhook(..) => Err(SlackError::Never { code: "webhook_tells_nothing".to_owned(), needed: None }),
        }
    }
}
