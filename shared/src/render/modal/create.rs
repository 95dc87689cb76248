use super::{CreateContext, DESCRIPTION_MAX, SERVICE_MAX, TITLE_MAX, metadata, severities, text};
use crate::domain::severity::Severity;
use crate::slack::blocks::{Block, View};

/// The form behind `/incident create` and the shortcut.
pub fn create(context: &CreateContext) -> View {
    create_quoting(context, "")
}

/// The same at a message, whose words stand in the description, marked as a quotation.
pub fn create_quoting(context: &CreateContext, words: &str) -> View {
    let quotation: Vec<String> = words.trim().lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
    let description = text("description", true, DESCRIPTION_MAX, "Since when, who is affected, what was tried");
    let blocks = vec![
        Block::input("title", "What is wrong?", text("title", false, TITLE_MAX, "Checkout answers with 500"), false, None),
        // What `/incident create TITLE` takes where nobody says how bad it is.
        Block::input("severity", "Severity", severities("severity", Severity::P3), false, None),
        Block::input("service", "Service", text("service", false, SERVICE_MAX, "checkout"), true, Some("Decides where its card appears.")),
        Block::input("description", "Description", description.beginning_with(&quotation.join("\n")), true, None),
    ];
    View::modal("create_incident", "Create incident", "Create", metadata(context), blocks)
}
