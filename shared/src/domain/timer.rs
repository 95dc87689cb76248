//! What falls due with time, to be looked at by whoever watches the clock.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{IncidentId, IntentId, Workspace};
use super::intent::{Action, Actor, Intent, Target};
use super::sla::Promise;

/// The name under which Tocsin itself acts.
pub const TOCSIN: &str = "Tocsin";

/// Something to look at, about one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// When.
    pub at: Timestamp,
    /// About which incident.
    pub incident: IncidentId,
    /// What.
    pub kind: TimerKind,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// Whether something that was flapping has been quiet.
    Settle,
    /// Whether something is to wake up.
    Wake,
    /// Whether the next ones have to be called.
    Escalate,
    /// Whether somebody has it by now, as was promised.
    SlaAcknowledge,
    /// Whether it is over by now, as was promised.
    SlaResolve,
    /// Whether somebody has decided by now.
    Expire,
    /// Whether a notice is to be told.
    Tell,
}

impl TimerKind {
    /// The word for keys and ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settle => "settle",
            Self::Wake => "wake",
            Self::Escalate => "escalate",
            Self::SlaAcknowledge => "sla_acknowledge",
            Self::SlaResolve => "sla_resolve",
            Self::Expire => "expire",
            Self::Tell => "tell",
        }
    }
}

impl Timer {
    /// The wish that it comes to. The same timer always comes to the same wish, however often it goes off.
    pub fn intent(&self, workspace: &Workspace) -> Intent {
        let at = self.at.as_microsecond().to_string();
        let action = match self.kind {
            TimerKind::Settle => Action::Settle,
            TimerKind::Wake => Action::Wake,
            TimerKind::Escalate => Action::CallNext,
            TimerKind::SlaAcknowledge => Action::Due(Promise::Acknowledge),
            TimerKind::SlaResolve => Action::Due(Promise::Resolve),
            TimerKind::Expire => Action::Expire,
            TimerKind::Tell => Action::Tell,
        };
        Intent {
            id: IntentId::of("timer", &[workspace.as_str(), self.incident.as_str(), self.kind.name(), &at]),
            workspace: Some(workspace.clone()),
            at: self.at,
            by: Actor::Source(TOCSIN.to_owned()),
            target: Target::Id(self.incident.clone()),
            action,
            reply: None,
        }
    }
}
