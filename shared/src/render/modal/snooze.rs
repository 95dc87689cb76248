use jiff::{SignedDuration, Timestamp};

use super::{IncidentContext, about};
use crate::slack::blocks::{Block, Field, View};

/// The form behind "Until …": a day and an hour, on the clock of whoever is asked. An hour from now is where it begins.
pub fn snooze(context: &IncidentContext, now: Timestamp) -> View {
    let hour = now.checked_add(SignedDuration::from_hours(1)).unwrap_or(now);
    let hint = "It wakes up by itself then, and earlier if it gets worse.";
    let blocks = vec![Block::input("until", "Until when?", Field::moment("until", hour), false, Some(hint))];
    about("snooze_incident", "Snooze", "Snooze", context, blocks)
}
