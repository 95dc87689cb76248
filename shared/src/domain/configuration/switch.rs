//! The switches of `[notify]`, by name: those that admins find at Home.

use serde::{Deserialize, Serialize};

use super::Notify;

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are the fields of `Notify`, where they are described")]
pub enum Switch {
    Triggered,
    Updated,
    Acknowledged,
    Resolved,
    Escalated,
    Snoozed,
    SlaBreached,
    Decided,
    Noted,
    DirectOnAssignment,
    NoticeOnResolve,
}

impl Switch {
    /// All of them, in the order of the document.
    pub const ALL: [Self; 11] = [
        Self::Triggered,
        Self::Updated,
        Self::Acknowledged,
        Self::Resolved,
        Self::Escalated,
        Self::Snoozed,
        Self::SlaBreached,
        Self::Decided,
        Self::Noted,
        Self::DirectOnAssignment,
        Self::NoticeOnResolve,
    ];

    /// Its name in the document.
    pub fn key(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Updated => "updated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Escalated => "escalated",
            Self::Snoozed => "snoozed",
            Self::SlaBreached => "sla_breached",
            Self::Decided => "decided",
            Self::Noted => "noted",
            Self::DirectOnAssignment => "direct_on_assignment",
            Self::NoticeOnResolve => "notice_on_resolve",
        }
    }

    /// The switch of this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.key() == key)
    }
}

impl Notify {
    /// How a switch stands.
    pub fn is_on(&self, switch: Switch) -> bool {
        match switch {
            Switch::Triggered => self.triggered,
            Switch::Updated => self.updated,
            Switch::Acknowledged => self.acknowledged,
            Switch::Resolved => self.resolved,
            Switch::Escalated => self.escalated,
            Switch::Snoozed => self.snoozed,
            Switch::SlaBreached => self.sla_breached,
            Switch::Decided => self.decided,
            Switch::Noted => self.noted,
            Switch::DirectOnAssignment => self.direct_on_assignment,
            Switch::NoticeOnResolve => self.notice_on_resolve,
        }
    }
}
