//! Who is called, one after the other, for as long as nobody has it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{Channel, UserId};
use super::routing::Match;

/// Whom to call, in steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What it is called.
    pub name: String,
    /// What it is for; `None`: everything.
    pub matches: Option<Match>,
    /// The steps. Never empty.
    pub steps: Vec<Step>,
    /// How often it begins again after its last step.
    pub repeat: u16,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How long after the step before it, or after the beginning.
    pub after: SignedDuration,
    /// Whom to call.
    pub call: Vec<Callee>,
}

/// Somebody to call, as a policy names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// Whoever is on call in the rotation of this name.
    Rotation(String),
    /// This person.
    Person(UserId),
    /// This usergroup, `S…`.
    Group(String),
    /// Everybody in this channel, which shows the incident's card from then on.
    Channel(Channel),
}

/// Somebody who was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Called {
    /// A person.
    Person(UserId),
    /// A usergroup.
    Group(String),
    /// A channel.
    Channel(Channel),
    /// Nobody: it is nobody's turn in the rotation of this name.
    Nobody(String),
}

/// How far an incident's policy has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// The policy's name.
    pub policy: String,
    /// The step that comes next, from 0.
    pub step: usize,
    /// How often the policy has begun again.
    pub round: u16,
    /// When the step is due.
    pub due: Timestamp,
}

impl Policy {
    /// From the beginning, at this moment.
    pub fn begin(&self, at: Timestamp) -> Option<Escalation> {
        self.at_step(0, 0, at, self.steps.first()?.after)
    }

    /// What comes after the step that was done at this moment; `None` after the last one.
    pub fn next(&self, done: &Escalation, at: Timestamp) -> Option<Escalation> {
        match self.steps.get(done.step + 1) {
            Some(next) => self.at_step(done.step + 1, done.round, at, next.after),
            None if done.round < self.repeat => {
                // Whoever was called last has as long as everybody, even where the first step waits for nothing.
                let longest = self.steps.iter().map(|step| step.after).max().unwrap_or_default();
                self.at_step(0, done.round + 1, at, longest)
            }
            None => None,
        }
    }

    fn at_step(&self, step: usize, round: u16, at: Timestamp, after: SignedDuration) -> Option<Escalation> {
        Some(Escalation { policy: self.name.clone(), step, round, due: at.checked_add(after).ok()? })
    }
}
