//! What is told once in a channel: the bot says hello, and a message hears of the incident that began with it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::domain::ids::{Channel, IncidentId, IntentId, NoticeId, Workspace};
use shared::domain::incident::Outcome;
use shared::domain::intent::{Action, Link};
use shared::domain::surfaces::{FromMessage, Joined, Quoted};
use shared::queue::{Failure, Try, Wake};
use shared::store::StoreError;
use shared::store::notices::Notice;

use crate::App;

/// When to look for the card of an incident, to link it: it may have been created a moment ago.
const LOOKS: [Duration; 4] = [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(700), Duration::from_millis(1_500)];

impl App {
    /// The bot is in a channel: it says hello there, once, however often it is taken out and brought back.
    pub(crate) async fn say_hello(&self, joined: &Joined) -> Result<(), Failure> {
        let Joined { id, workspace, channel } = joined;
        let Ok(workspace) = self.workspace(Some(workspace)).await? else { return Ok(()) };
        tracing::info!(workspace = workspace.as_str(), channel = channel.as_str(), intent = id.as_str(), outcome = "joined", "channel");
        self.tell_once(&workspace, channel, &NoticeId::new("hello"), Notice::Hello, id).await
    }

    /// Creates the incident with a link to the message, and says so in the message's thread, if the bot is there.
    pub(crate) async fn create_from(&self, wish: FromMessage, tried: Try) -> Result<(), Failure> {
        let FromMessage { mut intent, message } = wish;
        let id = intent.id.clone();
        if let (Ok(workspace), Action::Create(changes)) = (self.workspace(intent.workspace.as_ref()).await?, &mut intent.action)
            && let Some(url) = self.permalink(&workspace, &message.channel, message.ts.as_str()).await
        {
            changes.links.get_or_insert_default().push(Link { label: "Message".to_owned(), url });
        }
        let named = intent.workspace.clone();
        let marker = self.applied(*intent, tried).await?;
        let created = marker.filter(|marker| !matches!(marker.outcome, Outcome::Refused(_))).and_then(|marker| marker.incident);
        let (Some(incident), Ok(workspace)) = (created, self.workspace(named.as_ref()).await?) else { return Ok(()) };
        let Quoted { channel, ts, thread } = message;
        if let Err(why) = self.is_in(&workspace, &channel).await? {
            // The person was told by themselves where the card is.
            tracing::info!(intent = id.as_str(), channel = channel.as_str(), %why, outcome = "not_told", "the message's thread");
            return Ok(());
        }
        let link = self.card_link(&workspace, &incident).await?;
        let name = NoticeId::new(format!("began-{incident}"));
        let notice = Notice::Began { thread: thread.unwrap_or(ts), incident, link };
        self.tell_once(&workspace, &channel, &name, notice, &id).await
    }

    async fn tell_once(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        name: &NoticeId,
        notice: Notice,
        because: &IntentId,
    ) -> Result<(), Failure> {
        let (now, later) = (Timestamp::now(), |error: StoreError| Failure::later(&error));
        // First, so that the clock looks after the channel if nobody lives to wake it.
        self.know_channels(workspace, std::slice::from_ref(channel), now).await.map_err(later)?;
        self.store.tell_once(workspace, channel, name, notice, now).await.map_err(later)?;
        let wake = Wake { workspace: workspace.clone(), channel: channel.clone(), because: because.clone(), unpark: None };
        self.wake([wake]).await
    }

    /// The address of an incident's first card, once that is posted; the link is a courtesy, so nothing waits for it for long.
    pub(crate) async fn card_link(&self, workspace: &Workspace, incident: &IncidentId) -> Result<Option<String>, Failure> {
        let later = |error: StoreError| Failure::later(&error);
        let known = self.store.incident(workspace, incident).await.map_err(later)?;
        let Some(channel) = known.and_then(|incident| incident.channels.into_iter().next()) else { return Ok(None) };
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            if let Some(card) = self.store.posted(workspace, incident, &channel).await.map_err(later)? {
                return Ok(self.permalink(workspace, &card.slack_channel, card.ts.as_str()).await);
            }
        }
        Ok(None)
    }

    /// The address of a message; `None` where Slack does not tell.
    async fn permalink(&self, workspace: &Workspace, channel: &Channel, ts: &str) -> Option<String> {
        match self.ask(workspace, "chat.getPermalink", &[("channel", channel.as_str()), ("message_ts", ts)]).await {
            Ok(answer) => answer.get("permalink").and_then(Value::as_str).map(str::to_owned),
            Err(error) => {
                tracing::info!(channel = channel.as_str(), %error, outcome = "not_linked", "a message");
                None
            }
        }
    }
}
