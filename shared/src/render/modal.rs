//! The forms. They are filled from the payload that asked for them, never from the store: the receiver has three seconds.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, IncidentId, MessageTs, Workspace};
use crate::domain::severity::Severity;
use crate::slack::blocks::{Block, Choice, Field, View};

use super::words;

/// How long a note may be.
pub const NOTE_MAX: usize = 2_000;
/// How long a root cause may be.
pub const ROOT_CAUSE_MAX: usize = 300;
/// How long a title may be: a card's header shows no more.
pub const TITLE_MAX: usize = 140;
/// How long a description may be.
pub const DESCRIPTION_MAX: usize = 3_000;
/// How long a service's name may be.
pub const SERVICE_MAX: usize = 100;

/// What the resolve form brings back: which incident, and where its button was pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveContext {
    /// Whose incident.
    pub workspace: Workspace,
    /// Which.
    pub incident: IncidentId,
    /// Where the form was opened from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The message whose button opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageTs>,
}

/// What the create form brings back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateContext {
    /// Where the form was opened from; `None` for a global shortcut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

/// The form behind Resolve. Nothing in it is required: it is three taps at night.
pub fn resolve(context: &ResolveContext) -> View {
    let title = format!("Resolve {}", context.incident);
    // Slack allows 24 characters, and the longest ids leave no room for the word, which the button says too.
    let title = if title.len() <= 24 { title } else { context.incident.to_string() };
    let blocks = vec![
        Block::input("note", "What was done?", text("note", true, NOTE_MAX, "Rolled back to v41"), true, Some("Shown in the thread.")),
        Block::input("root_cause", "Root cause", text("root_cause", false, ROOT_CAUSE_MAX, "Connection pool too small"), true, None),
    ];
    View::modal("resolve_incident", &title, "Resolve", metadata(context), blocks)
}

/// The form behind `/incident create` and the shortcut.
pub fn create(context: &CreateContext) -> View {
    let choice = |severity: Severity| {
        let meaning = match severity {
            Severity::P1 => "everything stops",
            Severity::P2 => "much is broken",
            Severity::P3 => "something is broken, can wait",
            Severity::P4 => "good to know",
        };
        Choice::new(format!("{} {severity}: {meaning}", words::sign(severity)), severity.as_str())
    };
    // What `/incident create TITLE` takes where nobody says how bad it is.
    let initial = choice(Severity::P3);
    let severity = Field::select("severity", Severity::ALL.map(choice).into(), Some(initial));
    let blocks = vec![
        Block::input("title", "What is wrong?", text("title", false, TITLE_MAX, "Checkout answers with 500"), false, None),
        Block::input("severity", "Severity", severity, false, None),
        Block::input("service", "Service", text("service", false, SERVICE_MAX, "checkout"), true, Some("Decides where its card appears.")),
        Block::input(
            "description",
            "Description",
            text("description", true, DESCRIPTION_MAX, "Since when, who is affected, what was tried"),
            true,
            None,
        ),
    ];
    View::modal("create_incident", "Create incident", "Create", metadata(context), blocks)
}

fn text(name: &'static str, multiline: bool, max_length: usize, placeholder: &'static str) -> Field {
    Field::text(name, multiline, u16::try_from(max_length).unwrap_or(u16::MAX), Some(placeholder))
}

fn metadata(context: &impl Serialize) -> String {
    // A struct of strings always has a JSON form.
    serde_json::to_string(context).unwrap_or_default()
}
