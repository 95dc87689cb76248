use super::{IncidentContext, NOTE_MAX, ROOT_CAUSE_MAX, about, text};
use crate::slack::blocks::{Block, View};

/// The form behind Resolve. Nothing in it is required: it is three taps at night.
pub fn resolve(context: &IncidentContext) -> View {
    let blocks = vec![
        Block::input("note", "What was done?", text("note", true, NOTE_MAX, "Rolled back to v41"), true, Some("Shown in the thread.")),
        Block::input("root_cause", "Root cause", text("root_cause", false, ROOT_CAUSE_MAX, "Connection pool too small"), true, None),
    ];
    about("resolve_incident", "Resolve", "Resolve", context, blocks)
}
