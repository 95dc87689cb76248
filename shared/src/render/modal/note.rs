use super::{IncidentContext, NOTE_MAX, about, text};
use crate::slack::blocks::{Block, View};

/// The form behind "Add a note …".
pub fn note(context: &IncidentContext) -> View {
    let blocks = vec![Block::input(
        "note",
        "Note",
        text("note", true, NOTE_MAX, "The queue is draining again"),
        false,
        Some("Shown in the thread."),
    )];
    about("note_incident", "Note", "Add", context, blocks)
}
