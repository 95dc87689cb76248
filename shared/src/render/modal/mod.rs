//! The forms, one file each. They are filled from the payload that asked for them, never from the store: the receiver has three seconds.

mod assign;
mod create;
mod escalate;
mod note;
mod reason;
mod resolve;
mod severity;
mod snooze;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, IncidentId, MessageTs, Workspace};
use crate::domain::severity::Severity;
use crate::domain::surfaces::Quoted;
use crate::slack::blocks::{Choice, Field, View};

use super::words;

pub use assign::assign;
pub use create::{Draft, create, create_quoting, create_with_more};
pub use escalate::escalate;
pub use note::note;
pub use reason::reason;
pub use resolve::resolve;
pub use severity::severity;
pub use snooze::snooze;

/// How long a note may be.
pub const NOTE_MAX: usize = 2_000;
/// How long the reason for a decision may be.
pub const REASON_MAX: usize = 300;
/// How long a root cause may be.
pub const ROOT_CAUSE_MAX: usize = 300;
/// How long a title may be: a card's header shows no more.
pub const TITLE_MAX: usize = 140;
/// How long a description may be.
pub const DESCRIPTION_MAX: usize = 3_000;
/// How long the list of what is affected may be.
pub const AFFECTED_MAX: usize = 300;
/// How long the hint may be that says what to do first.
pub const HINT_MAX: usize = 300;
/// How long a service's name may be.
pub const SERVICE_MAX: usize = 100;

/// What a form about an incident brings back: which incident, and where its button was pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentContext {
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

/// What the form for a reason brings back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonContext {
    /// Which incident, and from where.
    #[serde(flatten)]
    pub about: IncidentContext,
    /// What is decided.
    pub decision: String,
    /// How.
    pub option: String,
}

/// What the create form brings back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateContext {
    /// Where the form was opened from; `None` for a global shortcut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The message that it was opened at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Quoted>,
}

/// The first field of a form: the place for what is the matter with all of it.
pub fn first_field(form: &str) -> &'static str {
    match form {
        "create_incident" => "title",
        "snooze_incident" => "until",
        "assign_incident" | "escalate_incident" => "to",
        "severity_incident" => "severity",
        "reason_incident" => "reason",
        _ => "note",
    }
}

/// What is done and to which incident. Slack allows 24 characters, and the longest ids leave no room for the word, which the button says too.
fn title(what: &str, context: &IncidentContext) -> String {
    let title = format!("{what} {}", context.incident);
    if title.len() <= 24 { title } else { context.incident.to_string() }
}

fn text(name: &'static str, multiline: bool, max_length: usize, placeholder: &'static str) -> Field {
    Field::text(name, multiline, u16::try_from(max_length).unwrap_or(u16::MAX), Some(placeholder))
}

/// The severities, with what each means.
fn severities(name: &'static str, initial: Severity) -> Field {
    let choice = |severity: Severity| {
        let meaning = match severity {
            Severity::P1 => "everything stops",
            Severity::P2 => "much is broken",
            Severity::P3 => "something is broken, can wait",
            Severity::P4 => "good to know",
        };
        Choice::new(format!("{} {severity}: {meaning}", words::sign(severity)), severity.as_str())
    };
    Field::select(name, Severity::ALL.map(choice).into(), Some(choice(initial)))
}

fn metadata(context: &impl Serialize) -> String {
    // A struct of strings always has a JSON form.
    serde_json::to_string(context).unwrap_or_default()
}

/// A form about an incident.
fn about(
    form: &'static str,
    what: &str,
    submit: &'static str,
    context: &IncidentContext,
    blocks: Vec<crate::slack::blocks::Block>,
) -> View {
    View::modal(form, &title(what, context), submit, metadata(context), blocks)
}
