//! What people are asked to decide: one decision, whoever presses when.

use jiff::{SignedDuration, Timestamp};

use super::super::decision::{Asked, Called, Choice, Tone};
use super::super::ids::{IntentId, UserId};
use super::super::intent::{Actor, Changes, Person, Target};
use super::super::people::Who;
use super::super::timer::TimerKind;
use super::*;

fn at(minutes: i64) -> Timestamp {
    "2026-03-01T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(minutes)
}

fn settings(minute: i64, member_of: &[&str]) -> Settings {
    let mut settings = Settings::of(Channel::new("#incidents"), at(minute));
    settings.member_of = member_of.iter().map(|group| (*group).to_owned()).collect();
    settings.configuration.approvals.expires_after = Some(SignedDuration::from_mins(60));
    settings
}

fn intent(by: Actor, minute: i64, action: Action) -> Intent {
    let id = IntentId::of("test", &[&format!("{by:?}{minute}{action:?}")]);
    Intent { id, workspace: None, at: at(minute), by, target: Target::New, action, reply: None }
}

fn person(name: &str, minute: i64, option: &str) -> Intent {
    let person = Person { id: UserId::new(name), name: None, email: None, team: None, enterprise: None, place: None };
    let reason = (option == "reject").then(|| "too early".to_owned());
    intent(Actor::User(person), minute, Action::Decide { decision: "approval".into(), option: option.into(), reason })
}

fn asks(quorum: Option<u16>, who: &[&str], kind: &str) -> Incident {
    let choice = |name: &str, reason, quorum| Choice {
        name: name.into(),
        label: name.to_uppercase(),
        tone: Tone::Plain,
        confirm: None,
        reason,
        quorum,
        call: Some("deploys".into()),
    };
    let options = vec![choice("approve", false, quorum), choice("reject", true, None)];
    let asked =
        Asked { name: "approval".into(), options, who: Who::new(who.iter().map(|who| (*who).to_owned()).collect()), expires_at: None };
    let changes = Changes { title: Some("Deploy".into()), kind: Some(kind.into()), decisions: Some(vec![asked]), ..Changes::default() };
    let incident = Incident::expected(Workspace::new("T1"), IncidentId::new("INC-1"), None);
    let effect = incident.apply(&intent(Actor::Source("ci".into()), 0, Action::Create(changes)), &settings(0, &[])).expect("an effect");
    let expiries = effect.timers.iter().filter(|timer| timer.kind == TimerKind::Expire).map(|timer| timer.at).collect::<Vec<_>>();
    assert_eq!(expiries, [at(60)]);
    effect.incident
}

fn refusal(incident: &Incident, intent: &Intent, member_of: &[&str]) -> String {
    incident.apply(intent, &settings(5, member_of)).expect_err("a refusal").to_string()
}

fn after(incident: &Incident, intent: &Intent) -> Incident {
    incident.apply(intent, &settings(5, &[])).expect("an effect").incident
}

#[test]
fn the_first_decision_counts_and_the_second_reads_who_was_first() {
    let approved = after(&asks(None, &[], APPROVAL), &person("U1JANE", 5, "approve"));
    assert!(approved.call_of(&person("U1JANE", 5, "approve").id).is_some(), "it is called because of it");
    // Pressed earlier, arrived later: somebody has been told already.
    let second = person("U1OMAR", 4, "reject");
    assert_eq!(refusal(&approved, &second, &[]), "<@U1JANE> chose *APPROVE* for INC-1 already.");
    assert!(approved.call_of(&second.id).is_none());
}

#[test]
fn as_many_as_are_needed_and_each_once() {
    let asked = asks(Some(2), &[], APPROVAL);
    let one = after(&asked, &person("U1JANE", 5, "approve"));
    assert!(one.decisions[0].is_open());
    assert!(refusal(&one, &person("U1JANE", 6, "approve"), &[]).contains("it needs 1 more"));
    let two = after(&one, &person("U1OMAR", 6, "approve"));
    assert!(two.decisions[0].decided().is_some());
    assert!(one.call_of(&person("U1JANE", 5, "approve").id).is_none(), "one alone calls nobody");
    let no = after(&one, &person("U1OMAR", 6, "reject"));
    assert_eq!(no.decisions[0].decided().map(|(choice, _)| choice.name.as_str()), Some("reject"), "one says no for everybody");
    let changed = after(&after(&one, &person("U1JANE", 6, "reject")), &intent(Actor::Source("x".into()), 7, Action::Expire));
    assert_eq!(changed.decisions[0].votes.len(), 1, "whoever changes their mind has one voice");
}

#[test]
fn only_those_who_may_decide() {
    let asked = asks(None, &["U1JANE", "S1RELEASE"], APPROVAL);
    let refused = refusal(&asked, &person("U1OMAR", 5, "approve"), &["S1OTHER"]);
    assert_eq!(refused, "You may not decide this. These may: <@U1JANE>, the usergroup S1RELEASE.");
    assert!(asked.apply(&person("U1OMAR", 5, "approve"), &settings(5, &["S1RELEASE"])).is_ok());
    assert!(asked.apply(&person("U1JANE", 5, "approve"), &settings(5, &[])).is_ok());
    assert!(asked.channels.contains(&Channel::new("U1JANE")), "who is asked by name has the card at hand");
    let source = intent(Actor::Source("ci".into()), 5, person("U1JANE", 5, "approve").action);
    assert!(refusal(&asked, &source, &["S1RELEASE"]).contains("Only a person"));
}

#[test]
fn a_no_needs_its_reason() {
    let mut wordless = person("U1JANE", 5, "reject");
    wordless.action = Action::Decide { decision: "approval".into(), option: "reject".into(), reason: None };
    assert!(refusal(&asks(None, &[], APPROVAL), &wordless, &[]).contains("needs a reason"));
}

#[test]
fn what_nobody_decides_in_time_expires_once() {
    let asked = asks(None, &[], APPROVAL);
    let timer = intent(Actor::Source("Tocsin".into()), 60, Action::Expire);
    let expired = after(&asked, &timer);
    assert_eq!((expired.state(), expired.decisions[0].is_open()), (State::Resolved, false));
    assert!(refusal(&expired, &person("U1JANE", 59, "approve"), &[]).contains("nobody decided"));
    let again = expired.apply(&timer, &settings(61, &[])).expect("an effect");
    assert!(!again.tells && again.entry.is_none());
    let late = person("U1JANE", 61, "approve");
    let before_the_timer = asked.apply(&late, &settings(61, &[])).expect_err("a refusal").to_string();
    assert!(before_the_timer.contains("too late"), "{before_the_timer}");
}

#[test]
fn an_approval_is_over_once_it_is_told_and_an_incident_is_not() {
    let told = |incident: &Incident, ok| {
        let outcome = Called { ok, said: "HTTP 503".into() };
        after(incident, &intent(Actor::Source("deploys".into()), 7, Action::Called { decision: "approval".into(), outcome }))
    };
    let approved = after(&asks(None, &[], APPROVAL), &person("U1JANE", 5, "approve"));
    assert_eq!(approved.state(), State::Triggered, "nobody has taken it yet");
    let failed = told(&approved, false);
    assert_eq!(failed.state(), State::Triggered);
    assert_eq!(told(&failed, true).state(), State::Resolved, "called again, it comes right");
    assert_eq!(told(&approved, true).state(), State::Resolved);
    assert_eq!(told(&told(&approved, true), false).decisions, told(&approved, true).decisions, "what came right stays so");
    let deciding = after(&asks(None, &[], "cloudwatch"), &person("U1JANE", 5, "approve"));
    assert_eq!(told(&deciding, true).state(), State::Triggered);
}

#[test]
fn what_is_asked_stays_as_it_was_asked() {
    let asked = asks(None, &["U1JANE"], APPROVAL);
    let mut decision = asked.decisions[0].asked.clone();
    decision.who = Who::default();
    let update = intent(Actor::Source("ci".into()), 5, Action::Update(Changes { decisions: Some(vec![decision]), ..Changes::default() }));
    assert_eq!(after(&asked, &update).decisions, asked.decisions);
}

/// An approval with a button of its own beside it, by a source that names the button first.
fn with_a_button(call: Option<&str>) -> Incident {
    let mut asked = asks(None, &[], APPROVAL);
    let mut button = asked.decisions[0].clone();
    button.asked.name = "restart".into();
    button.asked.expires_at = None;
    button.asked.options = vec![Choice { name: "restart".into(), call: call.map(str::to_owned), ..button.asked.options[0].clone() }];
    asked.decisions.insert(0, button);
    asked
}

fn presses_the_button(minute: i64) -> Intent {
    let mut press = person("U1OMAR", minute, "restart");
    press.action = Action::Decide { decision: "restart".into(), option: "restart".into(), reason: None };
    press
}

#[test]
fn a_button_beside_an_approval_neither_keeps_it_open_nor_ends_it() {
    let taken = |incident: &Incident, minute| {
        let outcome = Called { ok: true, said: "started".into() };
        after(incident, &intent(Actor::Source("deploys".into()), minute, Action::Called { decision: "approval".into(), outcome }))
    };
    let asked = with_a_button(None);
    assert_eq!(asked.verdict(), Some(Verdict::Open));
    let approved = taken(&after(&asked, &person("U1JANE", 3, "approve")), 4);
    assert_eq!(approved.state(), State::Resolved, "nobody has to press the button");
    assert!(matches!(approved.verdict(), Some(Verdict::Decided(choice, _)) if choice.name == "approve"));
    assert!(refusal(&approved, &presses_the_button(5), &[]).contains("INC-1 was resolved"), "its card has no button any more");

    let pressed = after(&asked, &presses_the_button(2));
    assert_eq!((pressed.state(), pressed.verdict()), (State::Triggered, Some(Verdict::Open)), "that was not what was asked");
    let pressed = after(&after(&asked, &person("U1JANE", 2, "approve")), &presses_the_button(3));
    assert_eq!(pressed.state(), State::Triggered, "what was decided has not been told yet");
    assert_eq!(taken(&pressed, 4).state(), State::Resolved);

    let expired = after(&with_a_button(Some("deploys")), &intent(Actor::Source("Tocsin".into()), 60, Action::Expire));
    assert_eq!((expired.state(), expired.verdict()), (State::Resolved, Some(Verdict::Expired)));
}

#[test]
fn what_was_closed_undecided_is_decided_by_nobody() {
    let asked = asks(None, &[], APPROVAL);
    let Actor::User(jane) = person("U1JANE", 4, "approve").by else { panic!("a person") };
    let closed = after(&asked, &intent(Actor::User(jane), 4, Action::Resolve(Closing::default())));
    assert_eq!(closed.verdict(), Some(Verdict::Closed));
    assert!(refusal(&closed, &person("U1OMAR", 5, "approve"), &[]).contains("INC-1 was resolved by <@U1JANE>"));
}
