//! What people are asked to decide about an incident: an approval, whose options exclude each other, or a button of its own such as "Roll back", which is a decision with one option.
//!
//! Decisions are the one thing that is not ordered by the time at its source: the first that is written counts, because somebody else's system is told of it and cannot be untold.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::IntentId;
use super::intent::Person;
use super::people::Who;

/// How many decisions an incident can bring: a card has room for so many rows of buttons.
pub const MOST: usize = 6;
/// How many options a decision can have.
pub const OPTIONS_MOST: usize = 5;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What it is known by within its incident, see [`is_name`].
    pub name: String,
    /// What can be chosen.
    pub options: Vec<Choice>,
    /// Who may; nobody in particular: as the workspace's configuration says.
    #[serde(default, skip_serializing_if = "Who::is_anybody")]
    pub who: Who,
    /// Until when; nobody can decide later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// One of the options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What it is known by within its decision, see [`is_name`].
    pub name: String,
    /// What its button says.
    pub label: String,
    /// How its button looks.
    #[serde(default)]
    pub tone: Tone,
    /// What is asked before it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// Whoever chooses it has to say why.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reason: bool,
    /// How many people have to choose it; `None`: as the workspace's configuration says, else one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u16>,
    /// The endpoint of the workspace's configuration that is called when it is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// As any other.
    #[default]
    Plain,
    /// What one mostly wants.
    Primary,
    /// What one had better think about.
    Danger,
}

/// A decision as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is asked; it stays what it was when it was first asked.
    #[serde(flatten)]
    pub asked: Asked,
    /// What people have chosen so far; each person once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// How it ended; `None`: it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// What somebody has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The option.
    pub option: String,
    /// Who.
    pub by: Person,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a decision ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It was decided.
    Decided {
        /// The option.
        option: String,
        /// The intent that decided it: what is called because of it is called in its name.
        intent: IntentId,
        /// When.
        at: Timestamp,
        /// What came of the call, if there is one and it has come to an end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<Called>,
    },
    /// Nobody decided in time.
    Expired {
        /// When.
        at: Timestamp,
    },
}

/// What came of calling somebody's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// It took it.
    pub ok: bool,
    /// What it said, or why not; one line for people.
    pub said: String,
}

impl Decision {
    /// Asks.
    pub fn new(asked: Asked) -> Self {
        Self { asked, votes: Vec::new(), end: None }
    }

    /// Whether it is an approval, rather than a button of an incident's own, which leaves nothing to choose.
    pub fn is_approval(&self) -> bool {
        self.asked.options.len() > 1
    }

    /// Nothing is to come of it any more: it expired, or was decided, and the call that belongs to that, if there is one, has been taken.
    pub fn is_settled(&self) -> bool {
        match &self.end {
            None => false,
            Some(End::Expired { .. }) => true,
            Some(End::Decided { option, outcome, .. }) => {
                let calls = self.choice(option).is_some_and(|choice| choice.call.is_some());
                !calls || outcome.as_ref().is_some_and(|called| called.ok)
            }
        }
    }

    /// Nobody has decided yet.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// The option of this name.
    pub fn choice(&self, name: &str) -> Option<&Choice> {
        self.asked.options.iter().find(|choice| choice.name == name)
    }

    /// The option that was decided upon, and what came of it.
    pub fn decided(&self) -> Option<(&Choice, Option<&Called>)> {
        match self.end.as_ref()? {
            End::Decided { option, outcome, .. } => Some((self.choice(option)?, outcome.as_ref())),
            End::Expired { .. } => None,
        }
    }

    /// Those who have chosen this option, in order.
    pub fn voters(&self, option: &str) -> impl Iterator<Item = &Vote> {
        self.votes.iter().filter(move |vote| vote.option == option)
    }
}

/// Whether something can be the name of a decision or an option: it travels in a button.
pub fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
}
