//! The names that others rely on, as they stand in JSON.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Entry, Incident};
use crate::domain::ids::{Channel, DedupKey, IncidentId, IntentId, UserId, Workspace};
use crate::domain::incident;
use crate::domain::intent::{Action, Actor, Changes, Closing, Detail, Intent, Link, Person, Target};
use crate::domain::kind::{Change, Comparison, Deployment, Metric, Number, Progress};
use crate::domain::settings::Settings;
use crate::domain::severity::Severity;

fn at(minutes: i64) -> Timestamp {
    "2026-03-01T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(minutes)
}

fn intent(by: Actor, minutes: i64, action: Action) -> Intent {
    let id = IntentId::of("test", &[&minutes.to_string()]);
    Intent { id, workspace: None, at: at(minutes), by, target: Target::New, action, reply: None }
}

fn jane() -> Actor {
    let email = Some("jane@example.com".to_owned());
    Actor::User(Person { id: UserId::new("U0JANE"), name: Some("Jane".into()), email, team: None, enterprise: None, place: None })
}

fn everything() -> Changes {
    let number = |text| Number::parse(text).expect("a number");
    let metric =
        Metric { name: "errors".into(), value: number("7.5"), limit: number("5"), unit: Some("%".into()), comparison: Comparison::Above };
    let deployment = Deployment { version: Some("v42".into()), status: Some(Progress::Failed), ..Deployment::default() };
    Changes {
        title: Some("Checkout is down".into()),
        severity: Some(Severity::P1),
        service: Some("checkout".into()),
        components: Some(vec!["cart".into()]),
        url: Some("https://example.com/1".into()),
        links: Some(vec![Link { label: "Runbook".into(), url: "https://example.com/2".into() }]),
        details: Some(vec![Detail { label: "Region".into(), value: "eu-west-1".into() }]),
        metric: Some(metric),
        deployment: Some(deployment),
        change: Some(Change { what: "web".into(), place: Some("production".into()), from: None, to: Some("4".into()) }),
        ..Changes::default()
    }
}

fn apply(incident: &incident::Incident, intent: &Intent) -> incident::Effect {
    incident.apply(intent, &Settings::of(Channel::new("#incidents"), at(0))).expect("an effect")
}

#[test]
fn an_incident_and_its_entries_are_read_by_these_names() {
    let nothing = incident::Incident::expected(Workspace::new("T1"), IncidentId::new("INC-7K3QPF"), Some(DedupKey::new("checkout")));
    let created = apply(&nothing, &intent(Actor::Source("CloudWatch".into()), 0, Action::Create(everything())));
    let taken = apply(&created.incident, &intent(jane(), 1, Action::Acknowledge));
    let closing = Closing { note: Some("Rolled back".into()), root_cause: Some("A typo".into()) };
    let over = apply(&taken.incident, &intent(jane(), 2, Action::Resolve(closing)));
    let jane = json!({ "type": "user", "id": "U0JANE", "name": "Jane", "email": "jane@example.com" });
    let said = serde_json::to_value(Incident::from(&over.incident)).expect("JSON");
    assert_eq!(
        said,
        json!({
            "id": "INC-7K3QPF", "workspace": "T1", "revision": 3, "dedup_key": "checkout",
            "title": "Checkout is down", "state": "resolved", "severity": "P1", "service": "checkout",
            "components": ["cart"], "url": "https://example.com/1",
            "links": [{ "label": "Runbook", "url": "https://example.com/2" }],
            "details": [{ "label": "Region", "value": "eu-west-1" }],
            "reported_by": { "type": "source", "name": "CloudWatch" },
            "count": 1, "started_at": "2026-03-01T10:00:00Z",
            "acknowledged": { "at": "2026-03-01T10:01:00Z", "by": jane },
            "resolved": { "at": "2026-03-01T10:02:00Z", "by": jane, "note": "Rolled back", "root_cause": "A typo" },
            "metric": { "name": "errors", "value": 7.5, "limit": 5.0, "unit": "%", "comparison": "above" },
            "deployment": { "version": "v42", "status": "failed" },
            "change": { "what": "web", "where": "production", "to": "4" },
            "decisions": [], "channels": ["#incidents"],
        })
    );
    let entry = |effect: &incident::Effect| serde_json::to_value(Entry::from(effect.entry.as_ref().expect("an entry"))).expect("JSON");
    let id = |minutes: i64| json!(IntentId::of("test", &[&minutes.to_string()]));
    let expected: Value = json!({
        "id": id(2), "at": "2026-03-01T10:02:00Z", "by": jane, "outcome": "done",
        "type": "resolved", "note": "Rolled back", "root_cause": "A typo", "after_seconds": 120,
    });
    assert_eq!(entry(&over), expected);
    let late = apply(&over.incident, &intent(Actor::Source("CloudWatch".into()), 1, Action::Resolve(Closing::default())));
    assert_eq!(entry(&late)["outcome"], "late");
}

#[test]
fn what_was_opened_again_is_in_nobodys_hands() {
    let nothing = incident::Incident::expected(Workspace::new("T1"), IncidentId::new("INC-7K3QPF"), None);
    let mut incident = apply(&nothing, &intent(jane(), 0, Action::Create(Changes::default()))).incident;
    for (minutes, action) in [(1, Action::Acknowledge), (2, Action::Resolve(Closing::default())), (3, Action::Reopen)] {
        incident = apply(&incident, &intent(jane(), minutes, action)).incident;
    }
    let said = serde_json::to_value(Incident::from(&incident)).expect("JSON");
    assert_eq!((&said["state"], said.get("acknowledged"), said.get("resolved")), (&json!("triggered"), None, None));
    let sleeps = intent(jane(), 4, Action::Snooze { until: at(60) });
    let said = apply(&incident, &sleeps).incident;
    assert_eq!(serde_json::to_value(Incident::from(&said)).expect("JSON")["snoozed"]["until"], "2026-03-01T11:00:00Z");
}
