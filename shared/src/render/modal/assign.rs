use super::{IncidentContext, about};
use crate::slack::blocks::{Block, Field, View};

/// The form behind "Assign …".
pub fn assign(context: &IncidentContext) -> View {
    let hint = "Gets the card as a direct message.";
    let blocks = vec![Block::input("to", "Who is to look at it?", Field::person("to", "Choose somebody"), false, Some(hint))];
    about("assign_incident", "Assign", "Assign", context, blocks)
}
