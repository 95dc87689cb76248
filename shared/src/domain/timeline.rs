//! What was done, in order, by whom, and what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Refusal;
use super::ids::IntentId;
use super::intent::{Actor, Closing};
use super::severity::Severity;

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
    /// It came back so often that it is held open from now on.
    Flapping {
        /// For how many minutes it has to be quiet.
        quiet_minutes: u16,
    },
    /// Something to remember.
    Noted {
        /// What.
        text: String,
    },
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

impl Entry {
    /// Whether the entry is told in the card's thread.
    pub fn is_told(&self) -> bool {
        self.fate == Fate::Done
    }

    /// Whether the whole channel is to see the reply: only when it gets worse, or is over.
    pub fn is_broadcast(&self) -> bool {
        match &self.what {
            What::Resolved { .. } => true,
            What::Updated { severity: Some((from, to)), .. } => to.worse_than(*from),
            What::Triggered { .. }
            | What::Updated { severity: None, .. }
            | What::Acknowledged
            | What::Reopened
            | What::Flapping { .. }
            | What::Noted { .. } => false,
        }
    }
}
