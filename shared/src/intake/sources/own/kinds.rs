//! What a message of our own schema may say about something measured, a deployment or a change: every mistake is named at its place.

use serde_json::{Map, Value};

use crate::domain::kind::{Change, Comparison, Deployment, Metric, Number, Progress};
use crate::intake::fields::text;
use crate::intake::limits;

/// An object within a message, and what is wrong with it.
struct Part<'a> {
    name: &'static str,
    object: &'a Map<String, Value>,
    problems: &'a mut Vec<String>,
}

impl<'a> Part<'a> {
    /// The part of this name; `null` is as good as nothing.
    fn of(message: &'a Map<String, Value>, name: &'static str, wanted: &str, problems: &'a mut Vec<String>) -> Option<Self> {
        let value = message.get(name).filter(|value| !value.is_null())?;
        let Some(object) = value.as_object() else {
            problems.push(format!("`{name}` must be an object: {wanted}"));
            return None;
        };
        Some(Self { name, object, problems })
    }

    fn problem(&mut self, field: &str, must: &str) {
        self.problems.push(format!("`{}.{field}` must {must}", self.name));
    }

    fn value(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    /// Text that may be left out.
    fn line(&mut self, field: &str) -> Option<String> {
        if let Value::String(text) = self.value(field)? {
            return limits::said_line(text, limits::WORD);
        }
        self.problem(field, "be text");
        None
    }

    /// Text that may not.
    fn demanded(&mut self, field: &str) -> Option<String> {
        let said = text(self.object, field).and_then(|text| limits::said_line(text, limits::WORD));
        if said.is_none() {
            self.problem(field, "be text with something in it");
        }
        said
    }

    fn number(&mut self, field: &str) -> Option<Number> {
        let number = self.value(field).and_then(Value::as_number).and_then(|number| Number::parse(&number.to_string()));
        if number.is_none() {
            self.problem(field, "be a number");
        }
        number
    }

    /// One of a few words.
    fn word<T>(&mut self, field: &str, all: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let word = self.value(field)?;
        let known = all.iter().find(|(name, _)| word.as_str() == Some(name)).map(|(_, known)| *known);
        if known.is_none() {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            let (last, others) = names.split_last().unwrap_or((&"", &[]));
            self.problem(field, &format!("be {} or {last}", others.join(", ")));
        }
        known
    }
}

/// `metric {name, value, limit, unit, comparison}`.
pub(super) fn metric(message: &Map<String, Value>, problems: &mut Vec<String>) -> Option<Metric> {
    let mut part = Part::of(message, "metric", r#"{"name": text, "value": number, "limit": number}"#, problems)?;
    let (name, value, limit) = (part.demanded("name"), part.number("value"), part.number("limit"));
    let unit = part.line("unit");
    let comparison = part.word("comparison", &[("above", Comparison::Above), ("below", Comparison::Below)]);
    Some(Metric { name: name?, value: value?, limit: limit?, unit, comparison: comparison.unwrap_or_default() })
}

/// `deployment {version, environment, status, commit, by}`. What begins one says how far it is.
pub(super) fn deployment(message: &Map<String, Value>, begins: bool, problems: &mut Vec<String>) -> Option<Deployment> {
    let mut part = Part::of(message, "deployment", r#"{"status": text}"#, problems)?;
    let statuses = Progress::ALL.map(|progress| (progress.name(), progress));
    let status = part.word("status", &statuses);
    if begins && part.value("status").is_none() {
        part.problem("status", "say how far it is: started, succeeded, failed or rolled_back");
    }
    let (version, environment) = (part.line("version"), part.line("environment"));
    Some(Deployment { version, environment, status, commit: part.line("commit"), by: part.line("by") })
}

/// `change {what, where, from, to}`.
pub(super) fn change(message: &Map<String, Value>, problems: &mut Vec<String>) -> Option<Change> {
    let mut part = Part::of(message, "change", r#"{"what": text}"#, problems)?;
    let what = part.demanded("what");
    let (place, from, to) = (part.line("where"), part.line("from"), part.line("to"));
    Some(Change { what: what?, place, from, to })
}
