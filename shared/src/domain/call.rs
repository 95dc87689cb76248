//! Calling somebody's API because of what people decided or asked for.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{IncidentId, IntentId, Workspace};
use super::intent::{Person, ReplyTo};
use super::people::Who;
use super::routing::Match;
use super::timeline::{Heading, Told};

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
    /// When somebody wanted it, or when it happened.
    pub at: Timestamp,
    /// Who wanted it; nobody where a subscriber is told of something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
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
    /// An entry of a timeline, for a subscriber; the table says the rest.
    Entry {
        /// The incident.
        incident: IncidentId,
        /// When it happened.
        at: Timestamp,
        /// The intent that did it.
        entry: IntentId,
        /// See [`Told::unseen`].
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unseen: bool,
    },
}

/// An endpoint that wants to hear what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The endpoint's name.
    pub endpoint: String,
    /// What it wants to hear; nothing named: everything.
    pub events: Vec<Heading>,
    /// About which incidents; `None`: about all of them.
    pub matches: Option<Match>,
}

impl Subscriber {
    /// Whether it wants to hear of this.
    pub fn wants(&self, told: Told<'_>) -> bool {
        let named = self.events.is_empty() || self.events.contains(&told.heading());
        named && self.matches.as_ref().is_none_or(|rule| rule.takes(told.incident))
    }

    /// The call that tells it. Told of the same entry again, it is told under the same id.
    pub fn call(&self, told: Told<'_>) -> Call {
        let (Told { incident, entry, .. }, unseen) = (told, told.is_unseen());
        let id = IntentId::of("told", &[told.event_id().as_str(), &self.endpoint]);
        let about = About::Entry { incident: incident.id.clone(), at: entry.at, entry: entry.intent.clone(), unseen };
        Call { id, workspace: incident.workspace.clone(), at: entry.at, by: None, to: self.endpoint.clone(), about }
    }
}

impl Call {
    /// The FIFO group. A subscriber hears in order what happened to an incident; every other call waits for none.
    pub fn group(&self) -> IntentId {
        match &self.about {
            About::Decision { .. } | About::Command { .. } => self.id.clone(),
            About::Entry { incident, .. } => IntentId::of("subscriber", &[self.workspace.as_str(), incident.as_str(), &self.to]),
        }
    }
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
