//! Deployments and notices, in the words of those who hear of them.

use jiff::{SignedDuration, Timestamp};

use super::super::escalation::{Callee, Policy, Step};
use super::super::kind::{Deployment, Progress};
use super::*;
use crate::domain::ids::{IntentId, UserId};
use crate::domain::intent::{Changes, Person, Target};
use crate::domain::sla;
use crate::domain::timer::TimerKind;

fn at(minutes: i64) -> Timestamp {
    "2026-03-01T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(minutes)
}

fn intent(by: Actor, minutes: i64, action: Action) -> Intent {
    let id = IntentId::of("test", &[&format!("{by:?}{minutes}{action:?}")]);
    Intent { id, workspace: None, at: at(minutes), by, target: Target::New, action, reply: None }
}

fn source(minutes: i64, action: Action) -> Intent {
    intent(Actor::Source("Deployer".into()), minutes, action)
}

fn jane(minutes: i64, action: Action) -> Intent {
    let person = Person { id: UserId::new("U0JANE"), name: None, email: None, team: None, enterprise: None, place: None };
    intent(Actor::User(person), minutes, action)
}

/// Somebody is called at once, and everything is promised within an hour.
fn settings() -> Settings {
    let mut settings = Settings::of(Channel::new("#incidents"), at(0));
    let call = vec![Callee::Person(UserId::new("U0LENA"))];
    let steps = vec![Step { after: SignedDuration::ZERO, call }];
    settings.configuration.policies = vec![Policy { name: "all".into(), matches: None, steps, repeat: 0 }];
    settings.configuration.sla.set(Severity::P3, sla::Target { acknowledge: None, resolve: Some(SignedDuration::from_hours(1)) });
    settings
}

fn nothing() -> Incident {
    Incident::expected(Workspace::new("T1"), IncidentId::new("INC-1"), Some(DedupKey::new("deploy")))
}

fn effect(incident: &Incident, intent: &Intent) -> Effect {
    incident.apply(intent, &settings()).expect("an effect")
}

fn after_all(intents: &[Intent]) -> Incident {
    intents.iter().fold(nothing(), |incident, intent| effect(&incident, intent).incident)
}

/// Every order of these.
fn orders(intents: &[Intent]) -> Vec<Vec<Intent>> {
    if intents.len() <= 1 {
        return vec![intents.to_vec()];
    }
    let others = |first: usize| intents.iter().enumerate().filter(move |(number, _)| *number != first).map(|(_, intent)| intent.clone());
    (0..intents.len())
        .flat_map(|first| {
            let begin = vec![intents[first].clone()];
            orders(&others(first).collect::<Vec<_>>()).into_iter().map(move |order| [begin.clone(), order].concat())
        })
        .collect()
}

fn deployment(status: Progress) -> Changes {
    let deployment = Deployment { status: Some(status), ..Deployment::default() };
    Changes { title: Some("Deploy checkout".into()), deployment: Some(deployment), ..Changes::default() }
}

fn begins() -> Intent {
    source(0, Action::Create(deployment(Progress::Started)))
}

fn gets(minutes: i64, status: Progress) -> Intent {
    source(minutes, Action::Update(Changes { title: None, ..deployment(status) }))
}

fn notice(minutes: i64, tell_at: Option<Timestamp>) -> Intent {
    let kind = Some("notice".to_owned());
    source(minutes, Action::Create(Changes { title: Some("Maintenance".into()), kind, tell_at, ..Changes::default() }))
}

fn timers(effect: &Effect) -> Vec<(Timestamp, TimerKind)> {
    effect.timers.iter().map(|timer| (timer.at, timer.kind)).collect()
}

#[test]
fn a_deployment_that_goes_as_it_should_calls_nobody_and_ends_by_itself() {
    let started = effect(&nothing(), &begins());
    assert_eq!((started.incident.state(), started.timers.len()), (State::Triggered, 0));
    assert_eq!(started.incident.sla, Sla::default());
    let done = effect(&started.incident, &gets(9, Progress::Succeeded));
    assert_eq!((done.incident.state(), done.incident.over_at()), (State::Resolved, Some(at(9))));
    assert_eq!(done.entry.map(|entry| entry.what), Some(What::Deployed { progress: Progress::Succeeded }));
    assert!(done.repaint && !done.incident.is_over_before(at(9)) && done.incident.is_over_before(at(10)));
}

#[test]
fn a_deployment_that_fails_calls_from_then_on_until_it_is_rolled_back() {
    let started = after_all(&[begins()]);
    let failed = effect(&started, &gets(5, Progress::Failed));
    assert_eq!(failed.incident.state(), State::Triggered);
    assert!(failed.entry.as_ref().is_some_and(|entry| entry.broadcast), "the channel hears of it");
    let sla = (at(65), TimerKind::SlaResolve);
    assert!(timers(&failed).contains(&sla) && timers(&failed).iter().any(|(_, kind)| *kind == TimerKind::Escalate), "{:?}", failed.timers);
    let back = effect(&failed.incident, &gets(7, Progress::RolledBack)).incident;
    assert_eq!((back.state(), back.escalation), (State::Resolved, None));
}

#[test]
fn a_deployment_ends_the_same_in_any_order_of_its_messages() {
    let version = source(
        2,
        Action::Update(Changes {
            deployment: Some(Deployment { version: Some("v42".into()), ..Deployment::default() }),
            ..Changes::default()
        }),
    );
    let all = [begins(), version, gets(5, Progress::Failed), gets(9, Progress::Succeeded)];
    let end = |incident: &Incident| (incident.state(), incident.facts.clone(), incident.fired, incident.over_at(), incident.needed_since());
    let expected = end(&after_all(&all));
    assert_eq!((expected.0, expected.3), (State::Resolved, Some(at(9))));
    for order in orders(&all) {
        assert_eq!(end(&after_all(&order)), expected);
    }
}

#[test]
fn a_deployment_that_says_each_step_as_a_create_is_one_deployment() {
    let done = effect(&after_all(&[begins()]), &source(4, Action::Create(deployment(Progress::Succeeded))));
    assert_eq!((done.incident.state(), done.outcome), (State::Resolved, Outcome::Counted));
    assert_eq!(done.entry.map(|entry| entry.what), Some(What::Deployed { progress: Progress::Succeeded }));
}

#[test]
fn somebody_may_take_a_deployment_and_it_still_ends_by_itself() {
    let taken = after_all(&[begins(), jane(1, Action::Acknowledge)]);
    assert_eq!(taken.state(), State::Acknowledged);
    let done = effect(&taken, &gets(9, Progress::Succeeded)).incident;
    assert_eq!(done.state(), State::Resolved);
    let refusal = done.apply(&jane(10, Action::Acknowledge), &settings()).expect_err("a refusal").to_string();
    assert!(refusal.contains("is over already"), "{refusal}");
    assert_eq!(effect(&done, &jane(11, Action::Reopen)).incident.state(), State::Triggered);
}

#[test]
fn a_notice_is_told_and_over() {
    let told = effect(&nothing(), &notice(0, None));
    assert!(told.reveals && told.repaint && !told.tells, "its card tells it");
    assert_eq!((told.incident.state(), told.incident.sla.clone(), told.timers.len()), (State::Resolved, Sla::default(), 0));
    assert!(told.incident.is_over_before(at(1)), "the next one is a notice of its own");
    for action in [Action::Acknowledge, Action::Reopen, Action::Resolve(Closing::default()), Action::Snooze { until: at(60) }] {
        let refusal = told.incident.apply(&jane(1, action), &settings()).expect_err("a refusal").to_string();
        assert!(refusal.contains("is a notice"), "{refusal}");
    }
    assert!(told.incident.apply(&jane(1, Action::Note { text: "Thanks".into(), heard_in: None }), &settings()).is_ok());
}

#[test]
fn a_notice_waits_for_its_time_and_is_told_once() {
    let waiting = effect(&nothing(), &notice(0, Some(at(90))));
    assert_eq!((waiting.incident.state(), waiting.incident.summary(), waiting.entry.clone()), (State::Expected, None, None));
    assert_eq!(timers(&waiting), [(at(90), TimerKind::Tell)]);
    let tell = |incident: &Incident, minutes| effect(incident, &source(minutes, Action::Tell));
    assert!(!tell(&waiting.incident, 89).reveals);
    let told = tell(&waiting.incident, 90);
    assert!(told.reveals && told.incident.state() == State::Resolved);
    assert_eq!(told.incident.fired, Some(Fired { first: at(90), last: at(90) }));
    assert!(!tell(&told.incident, 90).reveals);
    let late = effect(&nothing(), &notice(-60, Some(at(-30))));
    assert!(late.reveals, "what is over by now is told at once");
}

#[test]
fn a_notice_that_waits_can_be_moved_and_taken_back() {
    let waiting = after_all(&[notice(0, Some(at(90)))]);
    let moved = effect(&waiting, &source(1, Action::Update(Changes { tell_at: Some(at(120)), ..Changes::default() })));
    assert_eq!(timers(&moved), [(at(120), TimerKind::Tell)]);
    let tell = |incident: &Incident, minutes| effect(incident, &source(minutes, Action::Tell)).reveals;
    assert!(!tell(&moved.incident, 90) && tell(&moved.incident, 120));
    let back = effect(&waiting, &source(1, Action::Resolve(Closing::default()))).incident;
    assert!(!tell(&back, 90));
}

#[test]
fn of_a_beginning_and_an_end_in_the_same_second_the_end_counts_whichever_comes_first() {
    let says = |title: &str, status| source(0, Action::Create(Changes { title: Some(title.into()), ..deployment(status) }));
    for end in [Progress::Failed, Progress::Succeeded, Progress::RolledBack] {
        for order in orders(&[says("is running", Progress::Started), says("is not", end)]) {
            let incident = after_all(&order);
            let status = incident.facts.deployment.status.as_ref().map(|status| status.value);
            assert_eq!((status, incident.title()), (Some(end), "is not"), "{order:?}");
        }
    }
}
