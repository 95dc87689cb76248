//! What was done, in order, by whom, and what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Refusal;
use super::decision::Called;
use super::escalation;
use super::ids::{Channel, IntentId, UserId};
use super::incident::{Incident, State};
use super::intent::{Actor, Closing};
use super::kind::Progress;
use super::severity::Severity;
use super::sla::Promise;

/// One line of an incident's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The intent that did it: an entry is written once.
    pub intent: IntentId,
    /// When it happened at its source.
    pub at: Timestamp,
    /// Who did it, and where in Slack.
    pub by: Actor,
    /// What.
    pub what: What,
    /// What became of it.
    pub fate: Fate,
    /// Whether the whole channel sees the reply that tells it: only when it gets worse, or is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub broadcast: bool,
    /// Under which card everybody has read it already, because it was said there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_in: Option<Channel>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The incident began.
    Triggered {
        /// What was said about it then; the card shows what is said now.
        title: String,
        /// Why.
        description: Option<String>,
    },
    /// Something is said differently now.
    Updated {
        /// The names of what changed.
        fields: Vec<String>,
        /// From and to, where the severity changed.
        severity: Option<(Severity, Severity)>,
    },
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved {
        /// What was said about it.
        closing: Closing,
        /// Since it began, in seconds.
        after_seconds: Option<i64>,
    },
    /// It is open again.
    Reopened,
    /// Nobody looks at it before this moment.
    Snoozed {
        /// When it wakes up by itself.
        until: Timestamp,
    },
    /// It is to be looked at again.
    Woken,
    /// It came back so often that it is held open from now on.
    Flapping {
        /// For how many minutes it has to be quiet.
        quiet_minutes: u16,
    },
    /// Somebody in particular has to look at it.
    Assigned {
        /// Who.
        to: UserId,
    },
    /// More people were called.
    Escalated {
        /// The policy's step, from 1; `None`: somebody chose whom to call.
        step: Option<usize>,
        /// Who.
        called: Vec<escalation::Called>,
        /// Why.
        note: Option<String>,
    },
    /// What was promised was not kept.
    SlaBreached {
        /// What.
        promise: Promise,
        /// By when.
        by: Timestamp,
    },
    /// Somebody has chosen an option of a decision.
    Decided {
        /// What the option is called.
        label: String,
        /// Why.
        reason: Option<String>,
        /// How many more people have to choose it before it counts.
        missing: u16,
    },
    /// Nobody decided in time.
    Expired {
        /// What the options were called.
        labels: Vec<String>,
    },
    /// What was called because of a decision has answered, or never will.
    Called {
        /// What the option is called.
        label: String,
        /// What came of it.
        outcome: Called,
    },
    /// A deployment got further, or did not.
    Deployed {
        /// How far it is.
        progress: Progress,
    },
    /// Something to remember.
    Noted {
        /// What.
        text: String,
    },
}

impl What {
    /// What the person who did it said about it.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Noted { text } => Some(text),
            Self::Resolved { closing, .. } => closing.note.as_deref(),
            Self::Escalated { note, .. } => note.as_deref(),
            Self::Decided { reason, .. } => reason.as_deref(),
            Self::Triggered { .. }
            | Self::Updated { .. }
            | Self::Acknowledged
            | Self::Reopened
            | Self::Snoozed { .. }
            | Self::Woken
            | Self::Flapping { .. }
            | Self::Assigned { .. }
            | Self::SlaBreached { .. }
            | Self::Expired { .. }
            | Self::Called { .. }
            | Self::Deployed { .. } => None,
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It took effect.
    Done,
    /// Something newer was known already: recorded, nothing changed.
    Late,
    /// It was not allowed, or made no sense: told to the person.
    Refused(Refusal),
}

/// What an entry is about, in a word: that by which systems outside choose what they hear. Only what took effect goes by what it did, and what is told of an incident that nobody sees yet
/// has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are those of `What`, and of `Fate` where it took no effect")]
pub enum Heading {
    Triggered,
    Updated,
    Acknowledged,
    Resolved,
    Reopened,
    Snoozed,
    Woken,
    Flapping,
    Assigned,
    Escalated,
    SlaBreached,
    Decided,
    Expired,
    Called,
    Deployed,
    Noted,
    Late,
    Refused,
}

impl Heading {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Triggered,
        Self::Updated,
        Self::Acknowledged,
        Self::Resolved,
        Self::Reopened,
        Self::Snoozed,
        Self::Woken,
        Self::Flapping,
        Self::Assigned,
        Self::Escalated,
        Self::SlaBreached,
        Self::Decided,
        Self::Expired,
        Self::Called,
        Self::Deployed,
        Self::Noted,
        Self::Late,
        Self::Refused,
    ];

    /// The word: `sla_breached`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Updated => "updated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Snoozed => "snoozed",
            Self::Woken => "woken",
            Self::Flapping => "flapping",
            Self::Assigned => "assigned",
            Self::Escalated => "escalated",
            Self::SlaBreached => "sla_breached",
            Self::Decided => "decided",
            Self::Expired => "expired",
            Self::Called => "called",
            Self::Deployed => "deployed",
            Self::Noted => "noted",
            Self::Late => "late",
            Self::Refused => "refused",
        }
    }
}

/// An entry as systems outside are told of it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// As it stands when this is told.
    pub incident: &'a Incident,
    /// What was written to it.
    pub entry: &'a Entry,
    /// Nobody saw the incident yet when it was written: its source had not reported it. Once that is made up for, the entry is told again, for what it is.
    pub unseen: bool,
}

impl Told<'_> {
    /// What they know it by, however often they are told: another one for every entry of every workspace.
    pub fn event_id(&self) -> IntentId {
        let parts = [self.incident.workspace.as_str(), self.incident.id.as_str(), self.entry.intent.as_str(), "unseen"];
        IntentId::of("event", if self.is_unseen() { &parts } else { &parts[..3] })
    }

    /// What it is about, in a word.
    pub fn heading(&self) -> Heading {
        self.entry.heading(self.is_unseen())
    }

    /// [`Told::unseen`], or it still is.
    pub fn is_unseen(&self) -> bool {
        self.unseen || self.incident.state() == State::Expected
    }
}

impl Entry {
    fn heading(&self, unseen: bool) -> Heading {
        match (&self.fate, &self.what) {
            (Fate::Refused(_), _) => Heading::Refused,
            (Fate::Late, _) => Heading::Late,
            (Fate::Done, _) if unseen => Heading::Late,
            (Fate::Done, What::Triggered { .. }) => Heading::Triggered,
            (Fate::Done, What::Updated { .. }) => Heading::Updated,
            (Fate::Done, What::Acknowledged) => Heading::Acknowledged,
            (Fate::Done, What::Resolved { .. }) => Heading::Resolved,
            (Fate::Done, What::Reopened) => Heading::Reopened,
            (Fate::Done, What::Snoozed { .. }) => Heading::Snoozed,
            (Fate::Done, What::Woken) => Heading::Woken,
            (Fate::Done, What::Flapping { .. }) => Heading::Flapping,
            (Fate::Done, What::Assigned { .. }) => Heading::Assigned,
            (Fate::Done, What::Escalated { .. }) => Heading::Escalated,
            (Fate::Done, What::SlaBreached { .. }) => Heading::SlaBreached,
            (Fate::Done, What::Decided { .. }) => Heading::Decided,
            (Fate::Done, What::Expired { .. }) => Heading::Expired,
            (Fate::Done, What::Called { .. }) => Heading::Called,
            (Fate::Done, What::Deployed { .. }) => Heading::Deployed,
            (Fate::Done, What::Noted { .. }) => Heading::Noted,
        }
    }

    /// Whether there is anybody under the card in this channel who has not read it there.
    pub fn is_news_in(&self, channel: &Channel) -> bool {
        self.heard_in.as_ref() != Some(channel)
    }

    /// Whether the entry is told in the card's thread.
    pub fn is_told(&self) -> bool {
        self.fate == Fate::Done
    }

    /// Whether it calls this person.
    pub fn calls(&self, person: &UserId) -> bool {
        match &self.what {
            What::Assigned { to } => to == person,
            What::Escalated { called, .. } => called.contains(&escalation::Called::Person(person.clone())),
            What::Triggered { .. }
            | What::Updated { .. }
            | What::Acknowledged
            | What::Resolved { .. }
            | What::Reopened
            | What::Snoozed { .. }
            | What::Woken
            | What::Flapping { .. }
            | What::SlaBreached { .. }
            | What::Decided { .. }
            | What::Expired { .. }
            | What::Called { .. }
            | What::Deployed { .. }
            | What::Noted { .. } => false,
        }
    }
}
