//! By when something has to be done, and what was not done by then.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::severity::Severity;

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// That somebody has it.
    Acknowledge,
    /// That it is over.
    Resolve,
}

/// How long a workspace allows for both, by severity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets([Target; 4]);

/// How long both may take; `None`: as long as they take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Target {
    /// From the beginning until somebody has it.
    pub acknowledge: Option<SignedDuration>,
    /// From the beginning to the end.
    pub resolve: Option<SignedDuration>,
}

impl Targets {
    /// What is promised for this severity.
    pub fn of(&self, severity: Severity) -> Target {
        self.0.get(usize::from(severity.rank()) - 1).copied().unwrap_or_default()
    }

    /// Promises something for this severity.
    pub fn set(&mut self, severity: Severity, target: Target) {
        if let Some(place) = self.0.get_mut(usize::from(severity.rank()) - 1) {
            *place = target;
        }
    }
}

/// What is promised about one incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sla {
    /// By when somebody has to have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledge_by: Option<Timestamp>,
    /// By when it has to be over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve_by: Option<Timestamp>,
    /// What has been told already to be broken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<Promise>,
}

impl Sla {
    /// What is promised about an incident that began then. The source's own word about the end counts before the workspace's.
    pub fn promised(target: Target, began: Timestamp, by_source: Option<Timestamp>) -> Self {
        let by = |allowed: Option<SignedDuration>| began.checked_add(allowed?).ok();
        Self { acknowledge_by: by(target.acknowledge), resolve_by: by_source.or(by(target.resolve)), broken: Vec::new() }
    }

    /// By when.
    pub fn by(&self, promise: Promise) -> Option<Timestamp> {
        match promise {
            Promise::Acknowledge => self.acknowledge_by,
            Promise::Resolve => self.resolve_by,
        }
    }
}
