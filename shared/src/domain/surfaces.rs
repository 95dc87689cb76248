//! What people do in Slack that is no plain wish about one incident, each as a job for `intents.fifo`: at messages, in channels, at Home.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::configuration::Switch;
use super::ids::{Channel, IntentId, MessageTs, Workspace};
use super::intent::{Intent, Person, ReplyTo};

/// Something that somebody did at a message which may be a card, or any other message: only the store knows, so whoever receives it passes it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Known by this when it is delivered again.
    pub id: IntentId,
    /// The installation.
    pub workspace: Workspace,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Person,
    /// In which channel, by Slack's id.
    pub channel: Channel,
    /// At which message.
    pub message: MessageTs,
    /// What.
    pub what: Remarked,
}

/// What was done at a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remarked {
    /// An emoji of this name was put under it.
    Reacted(String),
    /// This was said in its thread.
    Replied(String),
}

/// An incident that begins with somebody's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromMessage {
    /// What creates it.
    pub intent: Box<Intent>,
    /// The message.
    pub message: Quoted,
}

/// A message that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// In which channel, by Slack's id.
    pub channel: Channel,
    /// Which.
    pub ts: MessageTs,
    /// The message in whose thread it stands, where it is a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<MessageTs>,
}

/// Somebody opened Home, or did something there: it is painted for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeOpened {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// The installation.
    pub workspace: Workspace,
    /// Who.
    pub by: Person,
}

/// Somebody brought the bot into a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// The installation.
    pub workspace: Workspace,
    /// Which, by Slack's id.
    pub channel: Channel,
}

/// Somebody shared links to pages of which some may be incidents'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// The installation.
    pub workspace: Workspace,
    /// Who.
    pub by: Person,
    /// What they lead to, as Slack found them in the message.
    pub urls: Vec<String>,
    /// By what Slack knows the message, or the one that is still being written.
    pub unfurl_id: String,
    /// Which of the two it is.
    pub source: String,
}

/// Somebody wants a setting to be different. Said twice, it is said once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingWish {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// The installation.
    pub workspace: Workspace,
    /// Who.
    pub by: Person,
    /// What it is to be.
    pub change: Setting,
    /// Where they wait for an answer; `None`: at Home, which is painted anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<ReplyTo>,
}

/// What a setting is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Where everything goes that no rule takes.
    DefaultChannel(Channel),
    /// Whether something is told.
    Switch(Switch, bool),
}
