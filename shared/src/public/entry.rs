//! What happened to an incident, entry by entry.

use jiff::Timestamp;
use serde::Serialize;

use super::By;
use crate::domain::Refusal;
use crate::domain::escalation::Called;
use crate::domain::ids::{Channel, IntentId, UserId};
use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::domain::sla::Promise;
use crate::domain::timeline::{self, Fate, What};

/// One entry of an incident's timeline. It is written once and never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry<'a> {
    /// Known by this, however often it is told: the id of the intent that did it.
    pub id: &'a IntentId,
    /// When it happened at its source.
    pub at: Timestamp,
    /// Who did it.
    pub by: By<'a>,
    /// What happened: `type`, and the fields that belong to it.
    #[serde(flatten)]
    pub what: Happened<'a>,
    /// What became of it: `outcome`, and why not.
    #[serde(flatten)]
    pub outcome: Outcome<'a>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome<'a> {
    /// It took effect.
    Done,
    /// Something newer, or the same, was known already: it is written down, and nothing changed.
    Late,
    /// It was not done.
    Refused {
        /// Why, as the person read it.
        refusal: &'a Refusal,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Happened<'a> {
    /// The incident began.
    Triggered {
        /// Its title then.
        title: &'a str,
        /// Its description then.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
    },
    /// Something is said differently now.
    Updated {
        /// The names of what changed, for people: `action hint`.
        fields: &'a [String],
        /// Where the severity changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        severity: Option<FromTo>,
    },
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved {
        /// What was done.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
        /// What it was.
        #[serde(skip_serializing_if = "Option::is_none")]
        root_cause: Option<&'a str>,
        /// Since it began, in seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        after_seconds: Option<i64>,
    },
    /// It is open again.
    Reopened,
    /// Nobody has to look at it for a while.
    Snoozed {
        /// When it wakes up by itself.
        until: Timestamp,
    },
    /// It is to be looked at again.
    Woken,
    /// It came back so often that it is held open.
    Flapping {
        /// For how many minutes it has to be quiet.
        quiet_minutes: u16,
    },
    /// Somebody in particular has to look at it.
    Assigned {
        /// `U…`
        to: &'a UserId,
    },
    /// More people were called.
    Escalated {
        /// The policy's step, from 1; nothing where somebody chose whom to call.
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<usize>,
        /// Who.
        called: Vec<Callee<'a>>,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
    },
    /// What was promised was not kept.
    SlaBreached {
        /// That somebody has it (`acknowledge`), or that it is over (`resolve`).
        promise: Promise,
        /// By when.
        due: Timestamp,
    },
    /// Somebody has chosen.
    Decided {
        /// What the option is called.
        label: &'a str,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        /// How many more people have to choose it before it counts.
        missing: u16,
    },
    /// Nobody decided in time.
    Expired {
        /// What could have been chosen.
        labels: &'a [String],
    },
    /// The endpoint that a decision called has answered, or never will.
    Called {
        /// What the option is called.
        label: &'a str,
        /// It took it.
        ok: bool,
        /// What it said, or why not.
        said: &'a str,
    },
    /// A deployment got further, or did not.
    Deployed {
        /// How far it is.
        status: Progress,
    },
    /// A note was taken.
    Noted {
        /// What it says.
        text: &'a str,
    },
}

/// From what to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FromTo {
    /// What it was.
    pub from: &'static str,
    /// What it is.
    pub to: &'static str,
}

/// Who was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Callee<'a> {
    /// A person.
    User {
        /// `U…`
        id: &'a UserId,
    },
    /// A usergroup.
    Group {
        /// `S…`
        id: &'a str,
    },
    /// A channel.
    Channel {
        /// As it was configured.
        id: &'a Channel,
    },
    /// Nobody: it is nobody's turn.
    Nobody {
        /// In this rotation.
        rotation: &'a str,
    },
}

impl<'a> From<&'a timeline::Entry> for Entry<'a> {
    fn from(entry: &'a timeline::Entry) -> Self {
        let outcome = match &entry.fate {
            Fate::Done => Outcome::Done,
            Fate::Late => Outcome::Late,
            Fate::Refused(refusal) => Outcome::Refused { refusal },
        };
        Self { id: &entry.intent, at: entry.at, by: By::from(&entry.by), what: Happened::from(&entry.what), outcome }
    }
}

impl<'a> From<&'a What> for Happened<'a> {
    fn from(what: &'a What) -> Self {
        match what {
            What::Triggered { title, description } => Self::Triggered { title, description: description.as_deref() },
            What::Updated { fields, severity } => Self::Updated { fields, severity: severity.map(FromTo::from) },
            What::Acknowledged => Self::Acknowledged,
            What::Resolved { closing, after_seconds } => {
                Self::Resolved { note: closing.note.as_deref(), root_cause: closing.root_cause.as_deref(), after_seconds: *after_seconds }
            }
            What::Reopened => Self::Reopened,
            What::Snoozed { until } => Self::Snoozed { until: *until },
            What::Woken => Self::Woken,
            What::Flapping { quiet_minutes } => Self::Flapping { quiet_minutes: *quiet_minutes },
            What::Assigned { to } => Self::Assigned { to },
            What::Escalated { step, called, note } => {
                let called = called.iter().map(Callee::from).collect();
                Self::Escalated { step: *step, called, note: note.as_deref() }
            }
            What::SlaBreached { promise, by } => Self::SlaBreached { promise: *promise, due: *by },
            What::Decided { label, reason, missing } => Self::Decided { label, reason: reason.as_deref(), missing: *missing },
            What::Expired { labels } => Self::Expired { labels },
            What::Called { label, outcome } => Self::Called { label, ok: outcome.ok, said: &outcome.said },
            What::Deployed { progress } => Self::Deployed { status: *progress },
            What::Noted { text } => Self::Noted { text },
        }
    }
}

impl From<(Severity, Severity)> for FromTo {
    fn from((from, to): (Severity, Severity)) -> Self {
        Self { from: from.as_str(), to: to.as_str() }
    }
}

impl<'a> From<&'a Called> for Callee<'a> {
    fn from(called: &'a Called) -> Self {
        match called {
            Called::Person(id) => Self::User { id },
            Called::Group(id) => Self::Group { id },
            Called::Channel(id) => Self::Channel { id },
            Called::Nobody(rotation) => Self::Nobody { rotation },
        }
    }
}
