use super::{IncidentContext, NOTE_MAX, about, text};
use crate::slack::blocks::{Block, Field, View};

/// The form behind "Escalate …". With nothing in it, whoever is next is called.
pub fn escalate(context: &IncidentContext) -> View {
    let hint = "Nobody chosen: whoever comes next in the escalation policy.";
    let blocks = vec![
        Block::input("to", "Whom to call?", Field::person("to", "Choose somebody"), true, Some(hint)),
        Block::input("note", "Why?", text("note", true, NOTE_MAX, "The database is beyond me"), true, Some("Shown in the thread.")),
    ];
    about("escalate_incident", "Escalate", "Escalate", context, blocks)
}
