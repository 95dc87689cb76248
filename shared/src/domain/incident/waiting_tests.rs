//! Workflows that wait, in the words of those who build them.

use jiff::{SignedDuration, Timestamp};

use super::super::ids::{ExecutionId, IntentId, UserId};
use super::super::intent::{Changes, Person, Target};
use super::super::step::{MOST_ENDED, MOST_WAITING};
use super::*;

/// Minutes after ten o'clock.
fn at(minutes: i64) -> Timestamp {
    "2026-03-01T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(minutes)
}

fn intent(by: Actor, minute: i64, action: Action) -> Intent {
    let id = IntentId::of("test", &[&format!("{minute}{action:?}")]);
    Intent { id, workspace: None, at: at(minute), by, target: Target::New, action, reply: None }
}

fn workflow(minute: i64, action: Action) -> Intent {
    intent(Actor::Source("Workflow".into()), minute, action)
}

fn jane(minute: i64, action: Action) -> Intent {
    let jane = Person { id: UserId::new("U1JANE"), name: None, email: None, team: None, enterprise: None, place: None };
    intent(Actor::User(jane), minute, action)
}

fn waits(minute: i64, execution: &str) -> Intent {
    workflow(minute, Action::Await { execution: ExecutionId::new(execution) })
}

fn after(incident: &Incident, intent: &Intent) -> Effect {
    incident.apply(intent, &Settings::of(Channel::new("#incidents"), intent.at)).expect("an effect")
}

fn open() -> Incident {
    let nothing = Incident::expected(Workspace::new("T1"), IncidentId::new("INC-1"), None);
    after(&nothing, &workflow(0, Action::Create(Changes { title: Some("slow".into()), ..Changes::default() }))).incident
}

fn ended(incident: &Incident, by: &Intent) -> Vec<String> {
    incident.steps_ended_by(&by.id).map(ToString::to_string).collect()
}

#[test]
fn what_waits_ends_with_what_ends_the_incident_and_with_nothing_else() {
    let first = after(&open(), &waits(1, "Fx1"));
    assert_eq!((first.outcome, first.repaint, first.entry), (Outcome::Awaited, false, None), "nobody else has to know");
    let incident = after(&first.incident, &waits(2, "Fx2")).incident;
    let (acknowledges, resolves) = (jane(3, Action::Acknowledge), jane(4, Action::Resolve(Closing::default())));
    let incident = after(&incident, &acknowledges).incident;
    assert_eq!(ended(&incident, &acknowledges), [""; 0]);
    let incident = after(&incident, &resolves).incident;
    assert_eq!(ended(&incident, &resolves), ["Fx1", "Fx2"]);
    let kept: Incident = serde_json::from_str(&serde_json::to_string(&incident).expect("JSON")).expect("an incident");
    assert_eq!(ended(&kept, &resolves), ["Fx1", "Fx2"], "when it is delivered again");
    let late = workflow(5, Action::Resolve(Closing::default()));
    assert_eq!(ended(&after(&incident, &late).incident, &late), [""; 0], "its end came too late to end anything");
}

#[test]
fn what_is_over_is_not_waited_for_and_what_has_gone_on_does_not_wait_again() {
    let incident = after(&open(), &waits(1, "Fx1")).incident;
    let (first, second) = (jane(2, Action::Resolve(Closing::default())), jane(6, Action::Resolve(Closing::default())));
    let over = after(&incident, &first).incident;
    let asked = after(&over, &waits(3, "Fx2"));
    assert_eq!((asked.outcome, asked.incident.awaited.len()), (Outcome::Late, 1));
    let again = after(&over, &jane(4, Action::Reopen)).incident;
    let again = after(&again, &waits(5, "Fx3")).incident;
    let over = after(&again, &second).incident;
    assert_eq!((ended(&over, &first), ended(&over, &second)), (vec!["Fx1".to_owned()], vec!["Fx3".to_owned()]));
}

#[test]
fn whatever_ends_it_ends_the_waiting() {
    let deployment = Changes {
        deployment: Some(super::super::kind::Deployment { status: Some(Progress::Started), ..Default::default() }),
        ..Changes::default()
    };
    let incident = after(&open(), &workflow(1, Action::Update(deployment.clone()))).incident;
    let incident = after(&incident, &waits(2, "Fx1")).incident;
    let mut done = deployment;
    done.deployment.as_mut().expect("a deployment").status = Some(Progress::Succeeded);
    let done = workflow(3, Action::Update(done));
    let over = after(&incident, &done).incident;
    assert_eq!((over.state(), ended(&over, &done)), (State::Resolved, vec!["Fx1".to_owned()]));
}

#[test]
fn workflows_without_end_are_stopped_and_what_waited_long_ago_is_forgotten() {
    let mut incident = open();
    for minute in 1..=5 {
        for number in 0..MOST_WAITING {
            incident = after(&incident, &waits(minute * 10, &format!("Fx{minute}x{number}"))).incident;
        }
        let settings = Settings::of(Channel::new("#incidents"), at(minute * 10 + 1));
        let refused = incident.apply(&waits(minute * 10 + 1, "FxMORE"), &settings).expect_err("a refusal");
        assert!(refused.to_string().contains("20 workflows wait for the end of INC-1 already"), "{refused}");
        incident = after(&incident, &jane(minute * 10 + 2, Action::Resolve(Closing::default()))).incident;
        incident = after(&incident, &jane(minute * 10 + 3, Action::Reopen)).incident;
    }
    assert_eq!((incident.awaited.len(), incident.awaited[0].execution.as_str()), (MOST_ENDED, "Fx2x0"));
}

#[test]
fn what_nobody_has_reported_yet_cannot_be_waited_for() {
    let nothing = Incident::expected(Workspace::new("T1"), IncidentId::new("INC-1"), None);
    let early = after(&nothing, &workflow(0, Action::Resolve(Closing::default()))).incident;
    let refused = early.apply(&waits(1, "Fx1"), &Settings::of(Channel::new("#incidents"), at(1))).expect_err("a refusal");
    assert!(refused.to_string().contains("has not been created yet"), "{refused}");
}
