//! That something happened to an incident: what stands in the `detail` of an event on the bus and in the `data` of a webhook. `infra/timeline-event.schema.json` describes it.

use serde::Serialize;

use super::{Entry, Incident};
use crate::domain::ids::{IntentId, Workspace};
use crate::domain::timeline::{Heading, Told};

/// The version of the form; one that others could stumble over would be the next.
pub const VERSION: u32 = 1;

/// How much one may take as JSON, in bytes: EventBridge took 256 KB of an event in all for long, and takes 1 MB since 2026, not everywhere at once. One with every field full takes
/// a third of this. <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
pub const MOST: usize = 255 * 1024;

/// Something happened to an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event<'a> {
    /// See [`VERSION`].
    pub version: u32,
    /// Known by this, however often it comes.
    pub id: IntentId,
    /// The Slack team or enterprise.
    pub workspace: &'a Workspace,
    /// What happened.
    pub entry: Entry<'a>,
    /// The incident as it stands when this is told, which may be after something more has happened to it.
    pub incident: Incident<'a>,
}

impl<'a> Event<'a> {
    /// That this entry was written to this incident.
    pub fn of(told: Told<'a>) -> Self {
        let (id, Told { incident, entry, .. }) = (told.event_id(), told);
        Self { version: VERSION, id, workspace: &incident.workspace, entry: Entry::from(entry), incident: Incident::from(incident) }
    }
}

impl Heading {
    /// The `detail-type` of an event on the bus: `Incident SLA Breached`.
    pub fn detail_type(self) -> String {
        let capital = |part: &str| match part {
            "sla" => "SLA".to_owned(),
            other => other.char_indices().map(|(place, letter)| if place == 0 { letter.to_ascii_uppercase() } else { letter }).collect(),
        };
        format!("Incident {}", self.word().split('_').map(capital).collect::<Vec<_>>().join(" "))
    }

    /// The `type` of a webhook: `incident.sla_breached`.
    pub fn webhook_type(self) -> String {
        format!("incident.{}", self.word())
    }
}
