//! What a message will come to, in words, by the very reading that `intake` makes of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::intent::{Action, Changes, Intent, Target};
use shared::domain::kind;
use shared::intake::{self, Reading};
use shared::watch::Watch;

use crate::output::plain;

/// What a message will come to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Foretold {
    /// What each of its wishes will do.
    pub(super) does: Vec<String>,
    /// Why nothing comes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ignored: Option<String>,
    /// Why it goes to the dead letters, or a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead: Option<String>,
    /// The wishes.
    #[serde(skip)]
    pub(super) intents: Vec<Intent>,
}

impl Foretold {
    /// Reads a message as it will be read once SQS has given it this id.
    pub(super) fn of(body: &str, message_id: &str, watch: Option<&Watch>) -> Self {
        let now = Timestamp::now();
        let message = intake::Message { body, message_id, attributes: &BTreeMap::new(), sent_at: now, now, watch };
        let (intents, ignored, dead) = match intake::read(&message).reading {
            Reading::Intents(intents) => (intents, None, None),
            Reading::Ignored(why) => (Vec::new(), Some(why), None),
            Reading::Refused(reason) => (Vec::new(), None, Some(reason)),
            Reading::Partly { intents, reason } => (intents, None, Some(reason)),
        };
        Self { does: intents.iter().map(|intent| plain(&does(intent))).collect(), ignored, dead, intents }
    }
}

fn does(intent: &Intent) -> String {
    let target = target(&intent.target);
    let place = intent.workspace.as_ref().map(|workspace| format!(" in {workspace}")).unwrap_or_default();
    let what = match &intent.action {
        Action::Create(changes) => create(changes, &intent.target),
        Action::Update(changes) => format!("changes {} of {target}", fields(changes)),
        Action::Acknowledge => format!("acknowledges {target}"),
        Action::Resolve(_) => format!("resolves {target}"),
        Action::Note { .. } => format!("takes a note about {target}"),
        Action::Reopen
        | Action::Snooze { .. }
        | Action::Wake
        | Action::Settle
        | Action::Assign { .. }
        | Action::Escalate { .. }
        | Action::CallNext
        | Action::Due(_)
        | Action::Decide { .. }
        | Action::Expire
        | Action::Called { .. }
        | Action::Tell
        | Action::Await { .. } => format!("{} {target}", intent.action.name().replace('_', " ")),
    };
    format!("{what}{place}")
}

fn create(changes: &Changes, target: &Target) -> String {
    let title = changes.title.as_deref().unwrap_or("Untitled incident");
    let service = changes.service.as_ref().map(|service| format!(" of {service}")).unwrap_or_default();
    if changes.kind.as_deref().is_some_and(kind::is_notice) {
        let when = changes.tell_at.map(|at| format!(" at {at}")).unwrap_or_default();
        return format!("tells the notice \"{title}\"{service}{when}");
    }
    let severity = changes.severity.map_or_else(String::new, |severity| format!(" {severity}"));
    let counts = if let Target::Key(key) = target { format!(", or counts up on the one that is open as {key}") } else { String::new() };
    format!("opens an incident{severity} \"{title}\"{service}{counts}")
}

fn target(target: &Target) -> String {
    match target {
        Target::New => "a new incident".to_owned(),
        Target::Id(id) => id.to_string(),
        Target::Prefix(prefix) => format!("the incident {prefix}…"),
        Target::Only => "the only open incident".to_owned(),
        Target::Key(key) => format!("the incident {key}"),
    }
}

fn fields(changes: &Changes) -> String {
    let names = match serde_json::to_value(changes) {
        Ok(serde_json::Value::Object(fields)) => fields.keys().map(|name| name.replace('_', " ")).collect(),
        _ => Vec::new(),
    };
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Foretold {
        Foretold::of(body, "m-1", None)
    }

    #[test]
    fn what_a_message_will_do_is_said_in_words() {
        for (body, does) in [
            (
                r#"{"type":"create","title":"Checkout p99 above 2 s","severity":"P2","service":"checkout","dedup_key":"checkout-latency"}"#,
                "opens an incident P2 \"Checkout p99 above 2 s\" of checkout, or counts up on the one that is open as checkout-latency",
            ),
            (r#"{"type":"create","title":"Disk full","workspace":"T1"}"#, "opens an incident \"Disk full\" in T1"),
            (r#"{"type":"create","title":"Release at noon","kind":"notice"}"#, "tells the notice \"Release at noon\""),
            (r#"{"type":"resolve","dedup_key":"disk-7"}"#, "resolves the incident disk-7"),
            (r#"{"type":"acknowledge","incident":"INC-7K3QPF"}"#, "acknowledges INC-7K3QPF"),
            (
                r#"{"type":"update","dedup_key":"disk-7","severity":"P1","title":"Disks full"}"#,
                "changes severity, title of the incident disk-7",
            ),
            (r#"{"type":"note","dedup_key":"disk-7","note":"Replaced"}"#, "takes a note about the incident disk-7"),
        ] {
            assert_eq!(told(body).does, [does], "{:?}", told(body));
        }
        assert_eq!(told(r#"{"type":"resolve","dedup_key":"k\u001b[2J"}"#).does, ["resolves the incident k[2J"]);
        assert!(told("{").dead.is_some() && told(r#"{"type":"create"}"#).dead.is_some());
    }
}
