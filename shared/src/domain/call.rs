//! Calling somebody's API because of what people decided or asked for.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{IncidentId, IntentId, Workspace};
use super::intent::{Person, ReplyTo};
use super::people::Who;

/// How long an endpoint may take where its configuration does not say.
pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// An API that the workspace's configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What decisions and commands call it; its signing secret goes by the same name.
    pub name: String,
    /// `https://…`
    pub url: String,
    /// How long one attempt may take.
    pub timeout: SignedDuration,
}

/// A command of the workspace's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// `/deploy`, a slash command that the Slack app has; also the word `deploy` after `/incident` or a mention.
    pub name: String,
    /// What comes after it, for help: `SERVICE [VERSION]`.
    pub usage: Option<String>,
    /// What it does, for help.
    pub help: Option<String>,
    /// The endpoint it calls.
    pub call: String,
    /// Who may.
    pub who: Who,
    /// The whole channel sees the answer.
    pub in_channel: bool,
}

impl Command {
    /// The word without its slash.
    pub fn word(&self) -> &str {
        self.name.trim_start_matches('/')
    }
}

/// One call, as it stands on the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Whoever is called twice under this id does it once.
    pub id: IntentId,
    /// The installation.
    pub workspace: Workspace,
    /// When somebody wanted it.
    pub at: Timestamp,
    /// Who.
    pub by: Person,
    /// The endpoint.
    pub to: String,
    /// What about.
    pub about: About,
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A decision; the incident says the rest.
    Decision {
        /// The incident.
        incident: IncidentId,
        /// The decision.
        decision: String,
    },
    /// A command of the workspace's own.
    Command {
        /// Its name.
        command: String,
        /// What came after it, as it was typed.
        text: String,
        /// Where the person waits.
        reply: ReplyTo,
        /// The whole channel sees the answer.
        in_channel: bool,
    },
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// The installation.
    pub workspace: Workspace,
    /// Who asked.
    pub by: Person,
    /// The command.
    pub command: String,
    /// It was done.
    pub ok: bool,
    /// What there is to say.
    pub text: String,
    /// Where they wait.
    pub reply: ReplyTo,
    /// The whole channel sees it.
    pub in_channel: bool,
}
