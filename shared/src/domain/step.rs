//! Steps of the workflows that people build in Slack: what a step wants is an intent like any other, and what comes of it ends the step.

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::ids::{ExecutionId, IntentId, Workspace};

/// So many workflows wait for one incident at most: more would be a workflow that starts itself.
pub const MOST_WAITING: usize = 20;

/// So many that waited are remembered: those of the last rounds, for as long as what ended them may be delivered again.
pub const MOST_ENDED: usize = 80;

/// A step that was filled in so that nothing can be done: it ends with these words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRefused {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// The installation.
    pub workspace: Workspace,
    /// The step.
    pub execution: ExecutionId,
    /// What is wrong with it.
    pub why: Refusal,
}

/// A step that waits for the end of an incident, or has waited for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The step.
    pub execution: ExecutionId,
    /// What ended the incident, and so the step: it tells Slack, each time that it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<IntentId>,
}
