use jiff::Timestamp;

use super::{AFFECTED_MAX, CreateContext, DESCRIPTION_MAX, HINT_MAX, SERVICE_MAX, TITLE_MAX, metadata, severities, text};
use crate::domain::severity::Severity;
use crate::slack::blocks::{Block, Button, Field, View};

/// What has been filled in before the form is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// What is wrong.
    pub title: String,
    /// How bad it is; `None`: what `/incident create TITLE` takes where nobody says it.
    pub severity: Option<Severity>,
    /// The service.
    pub service: String,
    /// What else is known.
    pub description: String,
}

/// The form behind `/incident create` and the shortcut: what one has to say at night, and a button for the rest.
pub fn create(context: &CreateContext) -> View {
    create_quoting(context, "")
}

/// The same at a message, whose words stand in the description, marked as a quotation.
pub fn create_quoting(context: &CreateContext, words: &str) -> View {
    let quotation: Vec<String> = words.trim().lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
    let draft = Draft { description: quotation.join("\n"), ..Draft::default() };
    form(context, &draft, vec![Block::actions([Button::press("create_incident_more", "More …", None, "more")])])
}

/// The whole of it, in the place of the short one: what was typed there stays.
pub fn create_with_more(context: &CreateContext, draft: &Draft, now: Timestamp) -> View {
    let more = vec![
        Block::input("assignee", "Who is to look at it?", Field::person("assignee", "Choose somebody"), true, None),
        Block::input("since", "Since when?", Field::moment("since", now), true, None),
        Block::input("affected", "What is affected?", text("affected", false, AFFECTED_MAX, "payments-api, checkout-web"), true, None),
        Block::input("hint", "What to do first", text("hint", false, HINT_MAX, "Switch to the second provider"), true, None),
    ];
    form(context, draft, more)
}

fn form(context: &CreateContext, draft: &Draft, more: Vec<Block>) -> View {
    let title = text("title", false, TITLE_MAX, "Checkout answers with 500").beginning_with(&draft.title);
    let service = text("service", false, SERVICE_MAX, "checkout").beginning_with(&draft.service);
    let description =
        text("description", true, DESCRIPTION_MAX, "Since when, who is affected, what was tried").beginning_with(&draft.description);
    let mut blocks = vec![
        Block::input("title", "What is wrong?", title, false, None),
        Block::input("severity", "Severity", severities("severity", draft.severity.unwrap_or(Severity::P3)), false, None),
        Block::input("service", "Service", service, true, Some("Decides where its card appears.")),
        Block::input("description", "Description", description, true, None),
    ];
    blocks.extend(more);
    View::modal("create_incident", "Create incident", "Create", metadata(context), blocks)
}
