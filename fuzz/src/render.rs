//! Incidents, however they came about: what happens to them never panics, and everything that is ever shown of them is a message that Slack takes and that calls nobody who
//! was not to be called.
//!
//! The first byte says whether the others tell a story (`s`) or are a message of the incidents queue (`m`).

use arbitrary::{Arbitrary, Unstructured};
use serde_json::Value;
use shared::domain::Refusal;
use shared::domain::ids::MessageTs;
use shared::domain::incident::{Incident, State, Summary};
use shared::domain::intent::{Action, Actor, Intent};
use shared::domain::severity::Severity;
use shared::domain::storm::{Member, Overview, PAGE};
use shared::domain::timeline::Entry;
use shared::render::modal::{self, CreateContext, IncidentContext};
use shared::render::{answer, card, digest, reply};

use crate::story::{Story, ends_the_same, nothing, settings};

/// An input that is a message of the incidents queue.
pub(crate) fn told_by(message: &[u8]) -> Vec<u8> {
    [b"m", message].concat()
}

/// Some stories: whatever these bytes come to.
pub(crate) fn stories() -> impl Iterator<Item = Vec<u8>> {
    (0..16_u8).map(|step| {
        let bytes = (0..=255_u8).map(move |byte| byte.wrapping_mul(step.wrapping_mul(2).wrapping_add(1)).rotate_left(step.into()));
        std::iter::once(b's').chain(bytes).collect()
    })
}

/// One input.
pub fn check(input: &[u8]) {
    let Some((sort, rest)) = input.split_first() else { return };
    if *sort == b'm' {
        return happens(nothing(), &crate::messages::of(&String::from_utf8_lossy(rest)));
    }
    let Ok(story) = Story::arbitrary_take_rest(Unstructured::new(rest)) else { return };
    let intents = story.intents();
    happens(story.beginning(), &intents);
    ends_the_same(&intents);
}

/// All of it happens, and all of it is shown.
fn happens(beginning: Incident, intents: &[Intent]) {
    let callable = callable(&beginning, intents);
    let shown = |what: &str, message: &Value| calls_only(&callable, what, message);
    let mut entries: Vec<Entry> = Vec::new();
    let mut timers = Vec::new();
    let mut incident = beginning;
    for intent in intents {
        incident = happens_one(incident, intent, &mut entries, &mut timers, &shown);
    }
    // What was to be looked at later is looked at.
    for intent in std::mem::take(&mut timers) {
        incident = happens_one(incident, &intent, &mut entries, &mut timers, &shown);
    }
    let kept = serde_json::to_string(&incident).expect("an incident can be written");
    assert_eq!(serde_json::from_str::<Incident>(&kept).expect("and read"), incident, "an incident is kept as it is");
    shown("everything", &crate::fits("everything", &answer::show(&incident, &entries)));
    lists(&incident, &shown);
    let context = IncidentContext {
        workspace: incident.workspace.clone(),
        incident: incident.id.clone(),
        channel: incident.channels.first().filter(|channel| channel.as_str().len() < 100).cloned(),
        message: Some(MessageTs::new("1768446121.000100")),
    };
    crate::fits("a form", &modal::resolve(&context));
    crate::fits("a form", &modal::create(&CreateContext { channel: context.channel, message: None }));
}

fn happens_one(
    incident: Incident,
    intent: &Intent,
    entries: &mut Vec<Entry>,
    timers: &mut Vec<Intent>,
    shown: &impl Fn(&str, &Value),
) -> Incident {
    match incident.apply(intent, &settings()) {
        Ok(effect) => {
            let next = effect.incident;
            assert_eq!(next.version, incident.version + 1, "every write is a version");
            let was_hidden = incident.state() == State::Expected;
            assert_eq!(effect.reveals, was_hidden && next.state() != State::Expected, "what is seen for the first time is revealed");
            assert!(!effect.repaint || next.state() != State::Expected, "what is only expected has no card");
            assert_eq!(next.summary().is_none(), next.state() == State::Expected, "what is seen is in the lists");
            shown("a card", &crate::fits("a card", &card(&next, &settings().configuration)));
            shown("an answer", &crate::fits("an answer", &answer::done(&next, &effect.outcome)));
            if let Some(entry) = &effect.entry {
                shown("a reply", &crate::fits("a reply", &reply(&next, entry)));
            }
            entries.extend(effect.entry);
            timers.extend(effect.timers.iter().map(|timer| timer.intent(&next.workspace)));
            next
        }
        Err(refusal) => {
            shown("a refusal", &refused(&refusal));
            incident
        }
    }
}

fn refused(refusal: &Refusal) -> Value {
    crate::fits("a refusal", &answer::refused(refusal))
}

/// The incident among others like it.
fn lists(incident: &Incident, shown: &impl Fn(&str, &Value)) {
    let Some(summary) = incident.summary() else { return };
    let mut all: Vec<Summary> =
        Severity::ALL.iter().cycle().take(60).map(|severity| Summary { severity: *severity, ..summary.clone() }).collect();
    for (number, summary) in all.iter_mut().enumerate() {
        summary.state = [State::Triggered, summary.state, State::Acknowledged][number % 3];
    }
    shown("a list", &crate::fits("a list", &answer::list(&all, 3)));
    shown("the status", &crate::fits("the status", &answer::status(&all, 3)));
    let page = crate::fits("a page", &digest::page(&vec![incident.clone(); PAGE]));
    assert_eq!(page["blocks"].as_array().map(Vec::len), Some(PAGE), "every incident of a page has its place");
    shown("a page", &page);
    let members = all.iter().map(|summary| Member { severity: summary.severity, state: summary.state, ..Member::of(incident) }).collect();
    let overview = Overview { started: summary.started, ended: incident.closed, members };
    shown("a digest", &crate::fits("a digest", &digest::digest(&overview)));
}

/// Everybody who may be called: those who act, those to whom it is assigned, and those whom a configuration names.
fn callable(beginning: &Incident, intents: &[Intent]) -> Vec<String> {
    let configured = beginning.mentions.iter().cloned().chain(beginning.channels.iter().map(|channel| channel.as_str().to_owned()));
    let acting = intents.iter().filter_map(|intent| match &intent.by {
        Actor::User(person) => Some(person.id.as_str().to_owned()),
        Actor::Source(_) => None,
    });
    let assigned = intents.iter().filter_map(|intent| match &intent.action {
        Action::Create(changes) | Action::Update(changes) => changes.assignee.clone(),
        Action::Assign { to } => Some(to.to_string()),
        Action::Escalate { to, .. } => to.as_ref().map(ToString::to_string),
        Action::Acknowledge
        | Action::Resolve(_)
        | Action::Reopen
        | Action::Snooze { .. }
        | Action::Wake
        | Action::Settle
        | Action::CallNext
        | Action::Due(_)
        | Action::Decide { .. }
        | Action::Expire
        | Action::Called { .. }
        | Action::Tell
        | Action::Await { .. }
        | Action::Note { .. } => None,
    });
    let deployed = intents.iter().filter_map(|intent| match &intent.action {
        Action::Create(changes) | Action::Update(changes) => changes.deployment.as_ref()?.by.clone(),
        _ => None,
    });
    let on_call = ["U0PERSON0", "U0PERSON1", "U0PERSON2", "S0ONCALL"].map(str::to_owned);
    configured
        .chain(acting)
        .chain(assigned)
        .chain(deployed)
        .chain(on_call)
        .map(|name| name.chars().filter(char::is_ascii_graphic).collect())
        .collect()
}

fn calls_only(callable: &[String], what: &str, message: &Value) {
    match message {
        Value::Object(fields) if fields.get("type").is_some_and(|sort| sort == "plain_text") => {}
        Value::Object(fields) => fields.values().for_each(|value| calls_only(callable, what, value)),
        Value::Array(values) => values.iter().for_each(|value| calls_only(callable, what, value)),
        Value::String(text) => {
            for token in text.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
                let called = token.strip_prefix('@').or_else(|| token.strip_prefix("!subteam^"));
                let may = called.is_none_or(|id| callable.iter().any(|name| name == id));
                assert!(may, "{what} calls <{token}>");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
