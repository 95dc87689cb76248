//! What is told outside is what `infra/timeline-event.schema.json` says, whatever happened, and fits into an event.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::Event;
use super::event::MOST;
use super::tests::{apply, at, everything, intent, jane};
use crate::domain::Refusal;
use crate::domain::call::Subscriber;
use crate::domain::decision;
use crate::domain::escalation::Called;
use crate::domain::ids::{Channel, IncidentId, UserId, Workspace};
use crate::domain::incident::Incident;
use crate::domain::intent::{Action, Actor, Closing};
use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::domain::sla::Promise;
use crate::domain::timeline::{Entry, Fate, Heading, Told, What};
use crate::intake::{Message, Reading, read};

const SCHEMA: &str = include_str!("../../../infra/timeline-event.schema.json");

fn schema() -> (Value, Validator) {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
        panic!("{error}");
    }
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    (schema, validator)
}

/// Everything that can happen, with all that can be said about it and with nothing but what has to be.
fn all() -> Vec<What> {
    let note = || Some("a note".to_owned());
    let called = vec![
        Called::Person(UserId::new("U0LENA")),
        Called::Group("S0ONCALL".into()),
        Called::Channel(Channel::new("#war-room")),
        Called::Nobody("checkout".into()),
    ];
    vec![
        What::Triggered { title: "Disk full".into(), description: note() },
        What::Triggered { title: String::new(), description: None },
        What::Updated { fields: vec!["severity".into()], severity: Some((Severity::P3, Severity::P1)) },
        What::Updated { fields: Vec::new(), severity: None },
        What::Acknowledged,
        What::Resolved { closing: Closing { note: note(), root_cause: note() }, after_seconds: Some(60) },
        What::Resolved { closing: Closing::default(), after_seconds: None },
        What::Reopened,
        What::Snoozed { until: at(60) },
        What::Woken,
        What::Flapping { quiet_minutes: 10 },
        What::Assigned { to: UserId::new("U0LENA") },
        What::Escalated { step: Some(1), called, note: None },
        What::Escalated { step: None, called: Vec::new(), note: note() },
        What::SlaBreached { promise: Promise::Acknowledge, by: at(1) },
        What::SlaBreached { promise: Promise::Resolve, by: at(1) },
        What::Decided { label: "Approve".into(), reason: note(), missing: 1 },
        What::Decided { label: "Approve".into(), reason: None, missing: 0 },
        What::Expired { labels: vec!["Approve".into(), "Reject".into()] },
        What::Called { label: "Approve".into(), outcome: decision::Called { ok: true, said: "triggered".into() } },
        What::Deployed { progress: Progress::RolledBack },
        What::Noted { text: "a note".into() },
    ]
}

/// One who has everything known about them and one about whom nothing is, in each state.
fn incidents() -> Vec<Incident> {
    let nothing = Incident::expected(Workspace::new("T1"), IncidentId::new("INC-7K3QPF"), None);
    let create = intent(Actor::Source("CloudWatch".into()), 0, Action::Create(everything()));
    let mut incidents = vec![apply(&nothing, &intent(jane(), 0, Action::Note { text: "early".into(), heard_in: None })).incident];
    incidents.push(apply(&nothing, &create).incident);
    let closing = Closing { note: Some("Rolled back".into()), root_cause: Some("A typo".into()) };
    let acts = [Action::Acknowledge, Action::Snooze { until: at(60) }, Action::Resolve(closing)];
    for (minute, action) in (1..).zip(acts) {
        let last = incidents.last().expect("the one before").clone();
        incidents.push(apply(&last, &intent(jane(), minute, action)).incident);
    }
    incidents.push(approval(&json!({ "type": "create", "title": "Deploy?", "approval": { "who": ["U0JANE"] } })));
    let decide = Action::Decide { decision: "approval".into(), option: "approve".into(), reason: None };
    incidents.push(apply(incidents.last().expect("an approval"), &intent(jane(), 9, decide)).incident);
    incidents
}

fn seen<'a>(incident: &'a Incident, entry: &'a Entry) -> Told<'a> {
    Told { incident, entry, unseen: false }
}

/// What a message of the queue begins.
fn approval(message: &Value) -> Incident {
    let attributes = std::collections::BTreeMap::new();
    let body = message.to_string();
    let message = Message { body: &body, message_id: "m", attributes: &attributes, sent_at: at(8), now: at(8), watch: None };
    let Reading::Intents(intents) = read(&message).reading else { panic!("{body} is no message") };
    let nothing = Incident::expected(Workspace::new("T1"), IncidentId::new("INC-7K3QPF"), None);
    apply(&nothing, &intents[0]).incident
}

#[test]
fn whatever_happens_is_told_as_the_schema_says() {
    let (schema, validator) = schema();
    let fates = || [Fate::Done, Fate::Late, Fate::Refused(Refusal::new("<@U0OMAR> had it already."))];
    let mut headings = BTreeSet::new();
    for (what, fate) in all().into_iter().flat_map(|what| fates().map(|fate| (what.clone(), fate))) {
        for (by, incident) in [jane(), Actor::Source("CloudWatch".into())].into_iter().cycle().zip(incidents()) {
            let intent = intent(by.clone(), 3, Action::Acknowledge).id;
            let entry = Entry { intent, at: at(3), by, what: what.clone(), fate: fate.clone(), broadcast: false, heard_in: None };
            headings.insert(seen(&incident, &entry).heading().word());
            let event = serde_json::to_value(Event::of(seen(&incident, &entry))).expect("JSON");
            let errors: Vec<_> = validator.iter_errors(&event).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:#?}\n{event:#}");
            assert!(undescribed(&schema, &event).is_empty(), "nobody has described {:?}", undescribed(&schema, &event));
        }
    }
    let known: BTreeSet<_> = Heading::ALL.into_iter().map(Heading::word).collect();
    assert_eq!(headings, known, "everything that can happen was tried");
}

/// The fields of the incident and of the entry that the schema does not name.
fn undescribed(schema: &Value, event: &Value) -> Vec<String> {
    let names = |value: Option<&Value>| value.and_then(Value::as_object).into_iter().flat_map(|fields| fields.keys().cloned()).collect();
    let mut left = Vec::new();
    for part in ["incident", "entry"] {
        let mut known: BTreeSet<String> = names(schema.pointer(&format!("/$defs/{part}/properties")));
        let kinds = schema.pointer(&format!("/$defs/{part}/oneOf")).and_then(Value::as_array).into_iter().flatten();
        let kind = |kind: &&Value| kind.pointer("/properties/type/const") == event.pointer(&format!("/{part}/type"));
        known.extend(kinds.filter(kind).flat_map(|kind| -> BTreeSet<String> { names(kind.get("properties")) }));
        let said: BTreeSet<String> = names(event.get(part));
        left.extend(said.difference(&known).cloned());
    }
    left
}

#[test]
fn the_schema_takes_nothing_else() {
    let (_, validator) = schema();
    let incident = incidents().pop().expect("an incident");
    let intent = intent(jane(), 3, Action::Acknowledge).id;
    let what = What::Deployed { progress: Progress::Failed };
    let entry = Entry { intent, at: at(3), by: jane(), what, fate: Fate::Done, broadcast: false, heard_in: None };
    let event = serde_json::to_value(Event::of(seen(&incident, &entry))).expect("JSON");
    assert!(validator.is_valid(&event));
    for (pointer, value) in [
        ("/version", json!(2)),
        ("/entry/type", json!("closed")),
        ("/entry/status", json!("lost")),
        ("/entry/outcome", json!("refused")),
        ("/entry/at", json!("yesterday")),
        ("/entry/by/type", json!("robot")),
        ("/incident/state", json!("open")),
        ("/incident/severity", json!("HIGH")),
        ("/incident/id", json!("INC-1")),
    ] {
        let mut wrong = event.clone();
        *wrong.pointer_mut(pointer).expect("a field") = value;
        assert!(!validator.is_valid(&wrong), "{pointer}");
    }
}

#[test]
fn the_largest_one_fits_into_an_event() {
    let long = |count: usize| "\"".repeat(count);
    let many = |one: Value, count: usize| vec![one; count];
    let (label, value) = (long(300), long(700));
    let actions: Vec<_> =
        (0..5).map(|number| json!({ "name": format!("action-{number}"), "label": long(80), "confirm": long(200) })).collect();
    let mut incident = approval(&json!({
        "type": "create", "dedup_key": "k".repeat(256), "title": long(600), "description": long(9_000), "service": long(300), "kind": "x",
        "components": many(json!(label), 30), "assignee": long(300), "action_hint": long(3_000),
        "links": many(json!({ "label": label, "url": format!("https://example.com/{}", "x".repeat(1_900)) }), 10),
        "details": many(json!({ "label": label, "value": value }), 30), "actions": actions, "approval": { "who": many(json!("U0JANE"), 10) },
    }));
    let prose = "\"".repeat(4 * 1024);
    let closing = Closing { note: Some(prose.clone()), root_cause: Some(prose.clone()) };
    incident.channels = (0..100).map(|number| Channel::new(format!("#{number:080}"))).collect();
    let over = apply(&incident, &intent(jane(), 9, Action::Resolve(closing)));
    let event = serde_json::to_string(&Event::of(seen(&over.incident, over.entry.as_ref().expect("an entry")))).expect("JSON");
    assert!((48 * 1024..MOST / 2).contains(&event.len()), "{} bytes", event.len());
}

#[test]
fn what_nobody_sees_yet_has_taken_no_effect() {
    let over = |minutes| intent(Actor::Source("CloudWatch".into()), minutes, Action::Resolve(Closing::default()));
    let early = apply(&Incident::expected(Workspace::new("T1"), IncidentId::new("INC-7K3QPF"), None), &over(5));
    let entry = early.entry.expect("an entry");
    let subscriber = |heading| Subscriber { endpoint: "audit".into(), events: vec![heading], matches: None };
    let wants = |told: Told<'_>| [Heading::Resolved, Heading::Late].map(|heading| subscriber(heading).wants(told));
    let before = Told { incident: &early.incident, entry: &entry, unseen: true };
    assert_eq!((before.heading(), wants(before)), (Heading::Late, [false, true]));
    let refused = Entry { fate: Fate::Refused(Refusal::new("no")), ..entry.clone() };
    assert_eq!(Told { entry: &refused, ..before }.heading(), Heading::Refused);
    // Told again once its create is there, it goes by its own word, under an id of its own; what was not told in time still goes as it was.
    let shown = apply(&early.incident, &intent(Actor::Source("CloudWatch".into()), 0, Action::Create(everything()))).incident;
    let after = seen(&shown, &entry);
    assert_eq!((after.heading(), wants(after)), (Heading::Resolved, [true, false]));
    let delayed = Told { incident: &shown, ..before };
    assert_eq!((delayed.heading(), delayed.event_id()), (Heading::Late, before.event_id()));
    assert_ne!(after.event_id(), before.event_id());
}
