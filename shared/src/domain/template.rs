//! What a workspace's own card says instead of Tocsin's: blocks of texts, in which the incident's fields have their places.

use super::incident::Incident;
use super::routing::Match;

/// The one name that a template may begin a field with.
pub const SUBJECT: &str = "incident";

/// The fields of [`SUBJECT`], and what they are. What is not known is an empty text.
pub const FIELDS: &[(&str, &str)] = &[
    ("id", "INC-7K3QPF"),
    ("title", "what is wrong, in a line"),
    ("severity", "P1 to P4"),
    ("priority", "the same, as other systems call it"),
    ("state", "triggered, acknowledged, snoozed, resolved"),
    ("service", "what it is about"),
    ("kind", "what sort of incident it is"),
    ("components", "a list of what is affected"),
    ("assignee", "who has to look"),
    ("acknowledged_by", "who has it"),
    ("reported_by", "who said that it is wrong"),
    ("started", "when it began; in markup on the reader's own clock"),
    ("duration", "how long it lasted; empty while it is open"),
    ("description", "what happened and why"),
    ("action_hint", "what to do first"),
    ("count", "how often its source said so"),
    ("url", "its page at its source"),
    ("metric", "name, value, limit, unit, excess"),
    ("deployment", "version, environment, status, commit, by"),
    ("change", "what, where, from, to"),
    ("details", "its source's further facts, by their labels"),
];

/// What stands within these fields; of the details everything does.
pub const PARTS: &[(&str, &[&str])] = &[
    ("metric", &["name", "value", "limit", "unit", "excess"]),
    ("deployment", &["version", "environment", "status", "commit", "by"]),
    ("change", &["what", "where", "from", "to"]),
];

/// How much one text may do: many times what a card needs, and over in a moment.
pub const FUEL: u64 = 20_000;

/// A workspace's own card for some of its incidents: what stands between the buttons and the thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Which incidents; `None`: all of them.
    pub matches: Option<Match>,
    /// What a notification says; `None`: what Tocsin says.
    pub text: Option<String>,
    /// The blocks, from the top.
    pub blocks: Vec<Piece>,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The largest text there is.
    Header(String),
    /// A text, and short ones in two columns.
    Section(Option<Text>, Vec<Text>),
    /// Small grey texts.
    Context(Vec<Text>),
    /// A line across.
    Divider,
}

/// A text with places for fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Whether Slack reads its markup; else it shows the text as it is.
    pub markup: bool,
    /// The text.
    pub source: String,
}

impl Template {
    /// The first of these that is meant for an incident.
    pub fn of<'t>(templates: &'t [Self], incident: &Incident) -> Option<&'t Self> {
        templates.iter().find(|template| template.matches.as_ref().is_none_or(|rule| rule.takes(incident)))
    }
}
