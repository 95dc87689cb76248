use super::{IncidentContext, about, severities};
use crate::domain::severity::Severity;
use crate::slack::blocks::{Block, View};

/// The form behind "Change severity …", beginning with what it is now.
pub fn severity(context: &IncidentContext, now: Severity) -> View {
    let hint = "Its card appears where incidents of this severity go.";
    let blocks = vec![Block::input("severity", "How bad is it?", severities("severity", now), false, Some(hint))];
    about("severity_incident", "Severity", "Change", context, blocks)
}
