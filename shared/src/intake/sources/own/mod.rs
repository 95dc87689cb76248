//! Tocsin's own schema, published as infra/incident.schema.json: `{"type": "create", "title": …}`.
//!
//! It is read strictly where that helps its author (a wrong type, an unknown severity, a broken time are refused, all of them named at once) and tolerantly
//! where strictness would cost somebody their night: a field nobody knows does not stop an incident. On a create it shows among the details.

mod decisions;
mod kinds;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::Verdict;
use crate::domain::ids::{IncidentId, IntentId, Workspace};
use crate::domain::incident::APPROVAL;
use crate::domain::intent::{Action, Actor, Changes, Closing, Detail, Intent, Link, Target};
use crate::domain::kind::NOTICE;
use crate::domain::severity::Severity;
use crate::intake::event::{self, Event};
use crate::intake::fields::{is_link, plain, rfc_3339, text};
use crate::intake::{limits, mask};

/// Whose name stands for a message that names nobody.
const NAMELESS: &str = "the incidents queue";

/// A dedup key is part of a key in DynamoDB, which takes 1,024 bytes; a character has up to four.
const KEY_CHARACTERS: usize = 256;

/// What is to be told later than that is forgotten.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The fields that say what is meant, by whom and when, and so are no change.
const ABOUT: &[&str] = &["type", "id", "workspace", "dedup_key", "incident", "time", "by", "root_cause"];

/// The fields that an update can change, or add in the case of the note.
const CHANGEABLE: &[&str] = &[
    "title",
    "description",
    "severity",
    "service",
    "kind",
    "components",
    "assignee",
    "action_hint",
    "sla_breach_at",
    "url",
    "links",
    "details",
    "approval",
    "actions",
    "metric",
    "deployment",
    "change",
    "at",
    "note",
];

/// What a message can ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Create,
    Update,
    Acknowledge,
    Resolve,
    Note,
}

impl Type {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "create" => Some(Self::Create),
            "update" => Some(Self::Update),
            "acknowledge" => Some(Self::Acknowledge),
            "resolve" => Some(Self::Resolve),
            "note" => Some(Self::Note),
            _ => None,
        }
    }
}

/// `type` is one of ours, or stands beside a field that only we have: then it is a slip of the pen, and its author wants to hear of it. What an AWS service
/// says in its own event is never ours.
pub(super) fn is_its_own(event: &Event) -> bool {
    let Some(object) = event.object() else { return false };
    if event.bridge.as_ref().is_some_and(event::Bridge::is_from_aws) {
        return false;
    }
    let has = |names: &[&str]| names.iter().any(|name| object.contains_key(*name));
    let known = |word: &str| Type::parse(word).is_some();
    // On somebody's own bus `{"type": "update", "customer": 5}` is their own business, as long as it neither says what is wrong nor which incident it is about.
    let speaks_to_us = event.bridge.is_none() || has(&["title", "dedup_key", "incident"]);
    // PagerDuty's events have a `dedup_key` too, but no `type`.
    object.get("type").and_then(Value::as_str).is_some_and(|word| (known(word) && speaks_to_us) || has(&["dedup_key", "incident"]))
}

/// Reads one message of our own schema.
pub(super) fn read(event: &Event) -> Verdict {
    form(event, None).map_or_else(|problems| Verdict::Refused(problems.join("; ")), Verdict::Intents)
}

/// The same for somebody who waits for an answer: everything that is wrong, each by itself. What says no `type` is of this one.
pub(super) fn wanted(event: &Event, otherwise: Type) -> Result<Vec<Intent>, Vec<String>> {
    form(event, Some(otherwise))
}

fn form(event: &Event, otherwise: Option<Type>) -> Result<Vec<Intent>, Vec<String>> {
    let Some(object) = event.object() else { return Err(vec!["it is not an object".to_owned()]) };
    let mut form = Form { object, problems: Vec::new() };
    let intents = form.intents(event, otherwise.filter(|_| !object.contains_key("type")));
    if form.problems.is_empty() { Ok(intents) } else { Err(form.problems) }
}

/// A message, and what is wrong with it.
struct Form<'a> {
    object: &'a Map<String, Value>,
    problems: Vec<String>,
}

impl Form<'_> {
    /// What is wanted; only meant where there are no problems.
    fn intents(&mut self, event: &Event, unsaid: Option<Type>) -> Vec<Intent> {
        let Some(what) = unsaid.or_else(|| text(self.object, "type").and_then(Type::parse)) else {
            self.problem("`type` must be create, update, acknowledge, resolve or note");
            return Vec::new();
        };
        let target = self.target(what);
        let workspace = self.workspace();
        let changes = self.changes(what == Type::Create, event.now);
        let note = self.line("note").and_then(|note| limits::said(&note, limits::PROSE));
        let root_cause = self.line("root_cause");
        let id = self.id(event, workspace.as_ref());
        let at = event.at(self.time("time"));
        let by = self.by(event);
        let (action, also) = match what {
            Type::Create => {
                self.demand_text("title");
                (Action::Create(limits::fit(self.with_the_rest(changes, note, root_cause)).with_kind()), None)
            }
            Type::Update => {
                if CHANGEABLE.iter().all(|name| self.object.get(*name).is_none_or(Value::is_null)) {
                    self.problem("an update must change something");
                }
                (Action::Update(limits::fit(changes)), note)
            }
            Type::Acknowledge => (Action::Acknowledge, note),
            Type::Resolve => (Action::Resolve(limits::fit_closing(Closing { note, root_cause })), None),
            Type::Note => {
                self.demand_text("note");
                (Action::Note { text: note.unwrap_or_default(), heard_in: None }, None)
            }
        };
        let first = Intent { id, workspace, at, by, target, action, reply: None };
        // A note that comes with something else is taken as well, under an id of its own.
        let also = also.map(|text| Intent {
            id: IntentId::of("note", &[first.id.as_str()]),
            action: Action::Note { text, heard_in: None },
            ..first.clone()
        });
        let only_a_note = first.action == Action::Update(Changes::default()) && also.is_some();
        std::iter::once(first).filter(|_| !only_a_note).chain(also).collect()
    }

    fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(what.into());
    }

    /// A field's value; `null` is as good as nothing.
    fn value(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A field that must be text where it is there.
    fn line(&mut self, name: &str) -> Option<String> {
        match self.value(name) {
            None => None,
            Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
            Some(_) => {
                self.problem(format!("`{name}` must be text"));
                None
            }
        }
    }

    fn demand_text(&mut self, name: &str) {
        // Of another type, `line` has said so already.
        if matches!(self.value(name), None | Some(Value::String(_))) && text(self.object, name).is_none() {
            self.problem(format!("`{name}` is missing or empty"));
        }
    }

    /// Text that must fit, and whose length counts because it names something.
    fn name(&mut self, name: &str) -> Option<String> {
        let text = match self.value(name)? {
            Value::String(text) => text.clone(),
            _ => String::new(),
        };
        if text.trim().is_empty() || text.chars().count() > KEY_CHARACTERS {
            self.problem(format!("`{name}` must be text of 1 to {KEY_CHARACTERS} characters"));
            return None;
        }
        Some(text)
    }

    fn target(&mut self, what: Type) -> Target {
        let key = self.name("dedup_key").map(|key| Target::Key(limits::key(&key)));
        let incident = self.value("incident").cloned();
        match (what, incident) {
            (Type::Create, None) => key.unwrap_or(Target::New),
            (Type::Create, Some(_)) => {
                self.problem("a create cannot name an `incident`: it makes a new one, or counts up on the one with its `dedup_key`");
                Target::New
            }
            (_, Some(id)) => {
                let id = id.as_str().and_then(IncidentId::parse);
                if id.is_none() {
                    self.problem("`incident` must be an incident's whole id, like INC-7K3QPF");
                }
                id.map_or(Target::New, Target::Id)
            }
            (_, None) => {
                if key.is_none() && self.value("dedup_key").is_none() {
                    self.problem("`dedup_key` or `incident` must say which incident is meant");
                }
                key.unwrap_or(Target::New)
            }
        }
    }

    fn workspace(&mut self) -> Option<Workspace> {
        let id = self.value("workspace")?.as_str().and_then(Workspace::parse);
        if id.is_none() {
            self.problem("`workspace` must be a Slack team (T…) or enterprise (E…)");
        }
        id
    }

    fn id(&mut self, event: &Event, workspace: Option<&Workspace>) -> IntentId {
        let workspace = workspace.map(Workspace::as_str).unwrap_or_default();
        self.name("id").map_or_else(|| event.id(), |id| IntentId::of("message", &[workspace, &id]))
    }

    fn by(&mut self, event: &Event) -> Actor {
        let sender = || {
            let bridge = event.bridge.as_ref().and_then(|bridge| bridge.source.clone());
            bridge.or_else(|| Some(event.sns.as_ref()?.topic.as_ref()?.resource.clone()))
        };
        let name = self.line("by").or_else(sender).and_then(|name| limits::said_line(&name, limits::NAME));
        Actor::Source(name.unwrap_or_else(|| NAMELESS.to_owned()))
    }

    fn time(&mut self, name: &str) -> Option<Timestamp> {
        let time = self.value(name)?.as_str().and_then(rfc_3339);
        if time.is_none() {
            self.problem(format!("`{name}` must be a time like 2026-01-31T12:00:00Z"));
        }
        time
    }

    fn changes(&mut self, begins: bool, now: Timestamp) -> Changes {
        Changes {
            metric: kinds::metric(self.object, &mut self.problems),
            deployment: kinds::deployment(self.object, begins, &mut self.problems),
            change: kinds::change(self.object, &mut self.problems),
            tell_at: self.tell_at(begins, now),
            title: self.line("title"),
            description: self.line("description"),
            severity: self.severity(),
            service: self.line("service"),
            kind: self.kind(),
            components: self.components(),
            assignee: self.line("assignee"),
            action_hint: self.line("action_hint"),
            sla_breach_at: self.time("sla_breach_at"),
            url: self.url(),
            links: self.links(),
            details: self.details(),
            decisions: decisions::read(self.object, &mut self.problems),
        }
    }

    /// What it is about; an approval says so by asking for one.
    fn kind(&mut self) -> Option<String> {
        let approves = self.value("approval").is_some_and(Value::is_object);
        self.line("kind").or_else(|| approves.then(|| APPROVAL.to_owned()))
    }

    /// When a notice is to be told.
    fn tell_at(&mut self, begins: bool, now: Timestamp) -> Option<Timestamp> {
        let at = self.time("at")?;
        if begins && text(self.object, "kind") != Some(NOTICE) {
            self.problem(format!("`at` says when a notice is told, so it goes with the `kind` {NOTICE}"));
        }
        if at.duration_since(now) > LONGEST_WAIT {
            self.problem(format!("`at` must be within {} days", LONGEST_WAIT.as_hours() / 24));
        }
        Some(at)
    }

    fn severity(&mut self) -> Option<Severity> {
        let severity = self.value("severity")?.as_str().filter(|word| is_severity(word)).and_then(Severity::parse);
        if severity.is_none() {
            self.problem("`severity` must be P1, P2, P3, P4, HIGH, MEDIUM or LOW");
        }
        severity
    }

    fn components(&mut self) -> Option<Vec<String>> {
        let names: Option<Vec<String>> = match self.value("components")? {
            Value::Array(names) => names.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        if names.is_none() {
            self.problem("`components` must be a list of texts");
        }
        names
    }

    fn url(&mut self) -> Option<String> {
        let url = self.value("url")?.as_str().filter(|url| is_link(url)).map(str::to_owned);
        if url.is_none() {
            self.problem(format!("`url` must be {LINK_IN_WORDS}"));
        }
        url
    }

    fn links(&mut self) -> Option<Vec<Link>> {
        let link = |link: &Value| {
            let link = link.as_object()?;
            let url = link.get("url")?.as_str().filter(|url| is_link(url))?;
            Some(Link { label: text(link, "label")?.to_owned(), url: url.to_owned() })
        };
        let links: Option<Vec<Link>> = self.value("links")?.as_array().and_then(|links| links.iter().map(link).collect());
        if links.is_none() {
            self.problem(format!("`links` must be a list of {{\"label\": text, \"url\": {LINK_IN_WORDS}}}"));
        }
        links
    }

    fn details(&mut self) -> Option<Vec<Detail>> {
        let pair = |label: &str, value: &Value| Some(Detail { label: label.to_owned(), value: plain(value)? });
        let details: Option<Vec<Detail>> = match self.value("details")? {
            Value::Object(all) => all.iter().map(|(label, value)| pair(label, value)).collect(),
            Value::Array(all) => all.iter().map(|entry| pair(text(entry.as_object()?, "label")?, entry.get("value")?)).collect(),
            _ => None,
        };
        if details.is_none() {
            self.problem("`details` must be an object of texts and numbers, or a list of {\"label\": text, \"value\": text or number}");
        }
        details
    }

    /// What has no place of its own in a new incident shows among the details: a note, and what the schema does not know, so that a misspelt or new field is
    /// seen and not silently dropped.
    fn with_the_rest(&self, mut changes: Changes, note: Option<String>, root_cause: Option<String>) -> Changes {
        let known = [("Note", note), ("Root cause", root_cause)];
        let mut rest: Vec<Detail> =
            known.into_iter().filter_map(|(label, value)| Some(Detail { label: label.to_owned(), value: value? })).collect();
        let unknown = self.object.iter().filter(|(name, _)| ![ABOUT, CHANGEABLE].iter().any(|known| known.contains(&name.as_str())));
        rest.extend(unknown.filter_map(|(name, value)| {
            let shown = plain(value)?;
            let secret = mask::is_secret_name(name) && !mask::is_harmless(value);
            let value = if secret { mask::MASKED.to_owned() } else { mask::text(&limits::cut(&shown, limits::PROSE)) };
            Some(Detail { label: name.clone(), value })
        }));
        if !rest.is_empty() {
            changes.details.get_or_insert_default().extend(rest);
        }
        changes
    }
}

const LINK_IN_WORDS: &str = "a link (http:// or https://, at most 2,000 characters, no user name in it)";

/// The spellings that the schema names; [`Severity::parse`] knows more, for other sources.
fn is_severity(word: &str) -> bool {
    matches!(
        word,
        "P1" | "P2"
            | "P3"
            | "P4"
            | "p1"
            | "p2"
            | "p3"
            | "p4"
            | "HIGH"
            | "MEDIUM"
            | "LOW"
            | "High"
            | "Medium"
            | "Low"
            | "high"
            | "medium"
            | "low"
    )
}

#[cfg(test)]
mod tests;
