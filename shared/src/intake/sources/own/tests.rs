use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::json;

use super::*;
use crate::intake::event::Content;
use crate::intake::tests::{files, message, one, path};
use crate::intake::{Reading, read as read_message};

fn schema() -> Validator {
    let text = std::fs::read_to_string(path("infra/incident.schema.json")).unwrap_or_else(|error| panic!("{error}"));
    let schema: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
        panic!("the schema itself is broken: {error}");
    }
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap_or_else(|error| panic!("{error}"))
}

fn accepts(object: &Value) -> bool {
    let Value::Object(object) = object.clone() else { return false };
    let Ok(now) = "2026-03-15T12:00:00Z".parse() else { return false };
    let attributes = BTreeMap::new();
    let event =
        Event { content: Content::Object(object), bridge: None, sns: None, attributes, place: vec!["m".to_owned()], sent_at: now, now };
    matches!(read(&event), Verdict::Intents(_))
}

#[track_caller]
fn agree(schema: &Validator, message: &Value, accepted: bool) {
    assert_eq!(schema.is_valid(message), accepted, "the schema on {message}");
    assert_eq!(accepts(message), accepted, "the parser on {message}");
}

#[test]
fn schema_and_parser_accept_every_sample_of_our_own_schema() {
    let schema = schema();
    let mut seen = 0;
    for file in files(&path("events")) {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("own-") {
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}"));
            let message: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            agree(&schema, message.get("detail").unwrap_or(&message), true);
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen}");
}

#[test]
fn schema_and_parser_agree_on_what_is_good() {
    let schema = schema();
    for message in [
        json!({"type": "create", "title": "x"}),
        json!({"type": "create", "title": "x", "incident": null, "dedup_key": null, "links": null, "details": null, "url": null, "time": null}),
        json!({"type": "create", "title": "x", "something_new": {"from": "a newer producer"}, "description": ""}),
        json!({"type": "create", "title": "x", "components": [], "links": [], "details": {}}),
        json!({"type": "create", "title": "x", "approval": {"quorum": 2.0}}),
        json!({"type": "create", "title": "x", "details": [{"label": "a", "value": 1.5}, {"label": "b", "value": false}]}),
        json!({"type": "create", "title": "x", "time": "2026-01-31T12:00:00.123456789+01:00", "sla_breach_at": "2026-01-31t12:00:00z"}),
        json!({"type": "create", "title": "x", "url": "http://wiki:8080?q=%20#a"}),
        json!({"type": "create", "title": "x", "approval": {}}),
        json!({"type": "create", "title": "x", "approval": {"who": ["U0JANE", "S0RELEASE"], "quorum": 2, "reason": true, "call": "deploys", "confirm": "Now?"}}),
        json!({"type": "create", "title": "x", "actions": [{"name": "rollback", "label": "Roll back", "style": "danger", "expires_at": null}]}),
        json!({"type": "update", "dedup_key": "k", "actions": []}),
        json!({"type": "update", "dedup_key": "k", "title": ""}),
        json!({"type": "update", "incident": "INC-7K3QPF", "note": "seen"}),
        json!({"type": "update", "incident": "INC-7K3QPF", "dedup_key": "k", "severity": "low"}),
        json!({"type": "acknowledge", "dedup_key": "é".repeat(256), "workspace": "T0TOCSIN", "id": "1"}),
        json!({"type": "resolve", "dedup_key": "k", "workspace": "E01"}),
        json!({"type": "note", "dedup_key": "k", "note": "x"}),
        json!({"type": "create", "title": "x", "metric": {"name": "a", "value": 1.5, "limit": -1}}),
        json!({"type": "create", "title": "x", "metric": {"name": "a", "value": 1, "limit": 0, "unit": null, "comparison": "below"}}),
        json!({"type": "create", "title": "x", "deployment": {"status": "started"}, "metric": null, "change": null, "at": null}),
        json!({"type": "create", "title": "x", "deployment": {"status": "rolled_back", "version": "1", "by": null}}),
        json!({"type": "update", "dedup_key": "k", "deployment": {"status": "succeeded"}}),
        json!({"type": "update", "dedup_key": "k", "deployment": {"version": "v2"}}),
        json!({"type": "create", "title": "x", "change": {"what": "a", "where": "b", "from": "c", "to": "d", "newer": 1}}),
        json!({"type": "create", "title": "x", "kind": "notice", "at": "1970-03-15T14:00:00Z"}),
        json!({"type": "update", "dedup_key": "k", "at": "1970-03-15T14:00:00Z"}),
    ] {
        agree(&schema, &message, true);
    }
    for severity in ["P1", "p2", "P3", "P4", "HIGH", "Medium", "low"] {
        agree(&schema, &json!({"type": "create", "title": "x", "severity": severity}), true);
    }
}

#[test]
fn schema_and_parser_agree_on_what_is_bad() {
    let schema = schema();
    for message in [
        json!({}),
        json!({"type": "explode", "title": "x"}),
        json!({"type": "Create", "title": "x"}),
        json!({"type": null, "title": "x"}),
        json!({"type": "create"}),
        json!({"type": "create", "title": null}),
        json!({"type": "create", "title": "  "}),
        json!({"type": "create", "title": 7}),
        json!({"type": "create", "title": "x", "incident": "INC-7K3QPF"}),
        json!({"type": "create", "title": "x", "dedup_key": ""}),
        json!({"type": "create", "title": "x", "dedup_key": "é".repeat(257)}),
        json!({"type": "create", "title": "x", "dedup_key": 7}),
        json!({"type": "create", "title": "x", "id": " "}),
        json!({"type": "create", "title": "x", "workspace": "t0tocsin"}),
        json!({"type": "create", "title": "x", "workspace": "T"}),
        json!({"type": "create", "title": "x", "workspace": 1}),
        json!({"type": "create", "title": "x", "by": 1}),
        json!({"type": "create", "title": "x", "description": ["x"]}),
        json!({"type": "create", "title": "x", "severity": "P5"}),
        json!({"type": "create", "title": "x", "severity": "URGENT"}),
        json!({"type": "create", "title": "x", "severity": 1}),
        json!({"type": "create", "title": "x", "severity": " P1"}),
        json!({"type": "create", "title": "x", "components": "payments"}),
        json!({"type": "create", "title": "x", "components": [1]}),
        json!({"type": "create", "title": "x", "time": "yesterday"}),
        json!({"type": "create", "title": "x", "time": "2026-02-30T12:00:00Z"}),
        json!({"type": "create", "title": "x", "time": "2026-01-31T12:00:00"}),
        json!({"type": "create", "title": "x", "time": "2026-01-31 12:00:00Z"}),
        json!({"type": "create", "title": "x", "time": "2026-01-31T12:00Z"}),
        json!({"type": "create", "title": "x", "time": "20260131T120000Z"}),
        json!({"type": "create", "title": "x", "time": "2026-01-31T12:00:00+0100"}),
        json!({"type": "create", "title": "x", "time": "2026-01-31T25:00:00Z"}),
        json!({"type": "create", "title": "x", "sla_breach_at": 1_769_860_800}),
        json!({"type": "create", "title": "x", "metric": 7}),
        json!({"type": "create", "title": "x", "metric": {"name": "a", "value": 1}}),
        json!({"type": "create", "title": "x", "metric": {"name": " ", "value": 1, "limit": 1}}),
        json!({"type": "create", "title": "x", "metric": {"name": "a", "value": "1", "limit": 1}}),
        json!({"type": "create", "title": "x", "metric": {"name": "a", "value": 1, "limit": 1, "unit": 1}}),
        json!({"type": "create", "title": "x", "metric": {"name": "a", "value": 1, "limit": 1, "comparison": "over"}}),
        json!({"type": "create", "title": "x", "deployment": {"version": "v1"}}),
        json!({"type": "create", "title": "x", "deployment": {"status": null}}),
        json!({"type": "create", "title": "x", "deployment": {"status": "done"}}),
        json!({"type": "update", "dedup_key": "k", "deployment": {"status": "done"}}),
        json!({"type": "update", "dedup_key": "k", "deployment": {"version": 42}}),
        json!({"type": "create", "title": "x", "change": {"where": "a"}}),
        json!({"type": "create", "title": "x", "change": {"what": "a", "to": 4}}),
        json!({"type": "create", "title": "x", "at": "1970-03-15T14:00:00Z"}),
        json!({"type": "create", "title": "x", "kind": "incident", "at": "1970-03-15T14:00:00Z"}),
        json!({"type": "create", "title": "x", "kind": "notice", "at": "tomorrow"}),
        json!({"type": "create", "title": "x", "url": "wiki.example.com"}),
        json!({"type": "create", "title": "x", "url": "ftp://wiki.example.com"}),
        json!({"type": "create", "title": "x", "url": "https://"}),
        json!({"type": "create", "title": "x", "url": "https://jane:secret@wiki.example.com"}),
        json!({"type": "create", "title": "x", "url": "https://wiki.example.com/a b"}),
        json!({"type": "create", "title": "x", "url": format!("https://wiki.example.com/{}", "x".repeat(2000))}),
        json!({"type": "create", "title": "x", "links": {"label": "Runbook", "url": "https://wiki.example.com"}}),
        json!({"type": "create", "title": "x", "links": [{"label": "Runbook"}]}),
        json!({"type": "create", "title": "x", "links": [{"label": "", "url": "https://wiki.example.com"}]}),
        json!({"type": "create", "title": "x", "links": [{"label": "Runbook", "url": "javascript:alert(1)"}]}),
        json!({"type": "create", "title": "x", "details": "much"}),
        json!({"type": "create", "title": "x", "details": {"a": {"b": 1}}}),
        json!({"type": "create", "title": "x", "details": {"a": null}}),
        json!({"type": "create", "title": "x", "details": [{"label": "a"}]}),
        json!({"type": "create", "title": "x", "root_cause": 1}),
        json!({"type": "update", "dedup_key": "k"}),
        json!({"type": "update", "dedup_key": "k", "title": null}),
        json!({"type": "update", "title": "x"}),
        json!({"type": "acknowledge"}),
        json!({"type": "acknowledge", "dedup_key": null}),
        json!({"type": "acknowledge", "incident": "7K3QPF"}),
        json!({"type": "acknowledge", "incident": "INC-7K3"}),
        json!({"type": "acknowledge", "incident": "INC-7k3qpf"}),
        json!({"type": "resolve", "note": "fixed"}),
        json!({"type": "note", "dedup_key": "k"}),
        json!({"type": "note", "dedup_key": "k", "note": "\n"}),
    ] {
        agree(&schema, &message, false);
    }
}

#[test]
fn every_problem_is_named_at_once() {
    let body = json!({"type": "create", "severity": "URGENT", "url": "wiki"}).to_string();
    let Reading::Refused(reason) = read_message(&message(&body, "m")).reading else { panic!("accepted") };
    for field in ["`title`", "`severity`", "`url`"] {
        assert!(reason.contains(field), "{reason}");
    }
}

#[test]
fn a_slip_of_the_pen_in_the_type_is_told_and_not_shown_as_a_card() {
    for body in [json!({"type": "acknowlege", "dedup_key": "k"}), json!({"type": "close", "incident": "INC-7K3QPF"})] {
        let Reading::Refused(reason) = read_message(&message(&body.to_string(), "m")).reading else { panic!("accepted") };
        assert_eq!(reason, "`type` must be create, update, acknowledge, resolve or note");
    }
}

#[test]
fn somebody_elses_type_is_not_taken_for_ours() {
    for body in [
        json!({"type": "invoice.paid", "data": {"amount": 7}}),
        json!({"detail-type": "Thing Changed", "source": "aws.things", "detail": {"type": "update", "dedup_key": 7}}),
        json!({"routing_key": "R", "dedup_key": "k", "event_action": "trigger"}),
    ] {
        assert_eq!(one(&body.to_string()).target, Target::New, "{body}");
    }
}

#[test]
fn what_the_producer_says_reaches_the_intent() {
    let intent = one(&json!({"type": "resolve", "incident": "INC-7K3QPF", "workspace": "T0TOCSIN", "note": "Restarted.", "root_cause": "A leak.", "by": "Checkout monitor"}).to_string());
    assert_eq!(intent.workspace, Some(Workspace::new("T0TOCSIN")));
    assert_eq!(intent.target, Target::Id(IncidentId::new("INC-7K3QPF")));
    assert_eq!(intent.by, Actor::Source("Checkout monitor".into()));
    assert_eq!(intent.action, Action::Resolve(Closing { note: Some("Restarted.".into()), root_cause: Some("A leak.".into()) }));
}

#[test]
fn a_producer_may_send_again_under_the_same_id() {
    let body = json!({"type": "create", "title": "x", "id": "4711"}).to_string();
    let id = |message_id: &str| match read_message(&message(&body, message_id)).reading {
        Reading::Intents(intents) => intents.into_iter().map(|intent| intent.id).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(id("m-1"), id("m-2"));
    let elsewhere = json!({"type": "create", "title": "x", "id": "4711", "workspace": "T1"}).to_string();
    assert_ne!(id("m-1").first(), Some(&one(&elsewhere).id));
}

#[test]
fn a_note_may_come_with_an_acknowledgement() {
    let body = json!({"type": "acknowledge", "dedup_key": "k", "note": "On my way."}).to_string();
    let Reading::Intents(intents) = read_message(&message(&body, "m")).reading else { panic!("refused") };
    let [acknowledge, note] = intents.as_slice() else { panic!("{intents:?}") };
    assert_eq!(acknowledge.action, Action::Acknowledge);
    assert_eq!(note.action, Action::Note { text: "On my way.".into(), heard_in: None });
    assert_ne!(acknowledge.id, note.id);
    assert_eq!(acknowledge.target, note.target);
}

#[test]
fn fields_nobody_knows_show_among_the_details_and_their_secrets_do_not() {
    let body =
        json!({"type": "create", "title": "x", "severty": "P1", "api_token": "abc", "nested": {"a": 1}, "note": "Seen twice."}).to_string();
    let Action::Create(changes) = one(&body).action else { panic!("no create") };
    let details: Vec<(String, String)> = changes.details.into_iter().flatten().map(|detail| (detail.label, detail.value)).collect();
    let expected = [("Note", "Seen twice."), ("api_token", "[masked]"), ("severty", "P1")];
    assert_eq!(details, expected.map(|(label, value)| (label.to_owned(), value.to_owned())));
}
