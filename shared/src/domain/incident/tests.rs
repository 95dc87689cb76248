//! The state machine, in the words of those who use it.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::ids::{IntentId, UserId};
use crate::domain::intent::{Changes, Person, Target};
use crate::domain::timeline::Fate;

/// Seconds after ten o'clock.
fn at(seconds: i64) -> Timestamp {
    "2026-03-01T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_secs(seconds)
}

fn intent(by: Actor, seconds: i64, action: Action) -> Intent {
    let id = IntentId::of("test", &[&format!("{by:?}{seconds}{action:?}")]);
    Intent { id, workspace: None, at: at(seconds), by, target: Target::New, action, reply: None }
}

fn source(seconds: i64, action: Action) -> Intent {
    intent(Actor::Source("CloudWatch".into()), seconds, action)
}

fn person(name: &str, seconds: i64, action: Action) -> Intent {
    let person = Person { id: UserId::new(name), name: None, email: None, team: None, enterprise: None, place: None };
    intent(Actor::User(person), seconds, action)
}

fn alarm(seconds: i64) -> Intent {
    titled(seconds, "CPU high")
}

fn titled(seconds: i64, title: &str) -> Intent {
    source(seconds, Action::Create(Changes { title: Some(title.into()), ..Changes::default() }))
}

fn update(seconds: i64, changes: Changes) -> Intent {
    source(seconds, Action::Update(changes))
}

fn recovery(seconds: i64) -> Intent {
    source(seconds, Action::Resolve(Closing::default()))
}

fn resolve() -> Action {
    Action::Resolve(Closing { note: Some("rolled back".into()), root_cause: None })
}

/// A workspace that has configured nothing.
fn settings() -> Settings {
    Settings::of(Channel::new("#incidents"), at(0))
}

fn nothing() -> Incident {
    Incident::expected(Workspace::new("T1"), IncidentId::new("INC-1"), Some(DedupKey::new("cpu")))
}

/// All intents in this order; what is refused changes nothing.
fn after_all(intents: &[Intent]) -> Incident {
    intents.iter().fold(nothing(), |incident, intent| incident.apply(intent, &settings()).map_or(incident, |effect| effect.incident))
}

/// Every order of these.
fn orders(intents: &[Intent]) -> Vec<Vec<Intent>> {
    if intents.len() <= 1 {
        return vec![intents.to_vec()];
    }
    (0..intents.len())
        .flat_map(|first| {
            let mut rest = intents.to_vec();
            let first = rest.remove(first);
            orders(&rest).into_iter().map(move |order| [vec![first.clone()], order].concat()).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn an_alarm_makes_an_incident_that_nobody_has() {
    let effect = nothing().apply(&alarm(0), &settings()).expect("an effect");
    assert_eq!((effect.incident.state(), effect.outcome), (State::Triggered, Outcome::Created));
    assert!(effect.reveals && effect.repaint);
    assert_eq!(effect.incident.version, 1);
}

#[test]
fn a_repeat_counts_up_and_leaves_the_timeline_and_the_acknowledgement_alone() {
    let held = after_all(&[alarm(0), person("U0JANE", 5, Action::Acknowledge)]);
    let effect = held.apply(&alarm(60), &settings()).expect("an effect");
    assert_eq!((effect.incident.count, effect.outcome), (2, Outcome::Counted));
    assert_eq!(effect.entry, None);
    assert_eq!(effect.incident.state(), State::Acknowledged);
    assert_eq!(effect.incident.fired, Some(Fired { first: at(0), last: at(60) }));
}

#[test]
fn the_second_to_acknowledge_reads_who_was_first() {
    let held = after_all(&[alarm(0), person("U0JANE", 5, Action::Acknowledge)]);
    let refusal = |who| held.apply(&person(who, 6, Action::Acknowledge), &settings()).expect_err("a refusal").to_string();
    assert_eq!(refusal("U0OMAR"), "<@U0JANE> had INC-1 already.");
    assert_eq!(refusal("U0JANE"), "You have INC-1 already.");
}

#[test]
fn acknowledge_reopen_acknowledge_by_one_person_both_count() {
    let rounds = [alarm(0), person("U0JANE", 5, Action::Acknowledge), person("U0JANE", 9, Action::Reopen)];
    assert_eq!(after_all(&rounds).state(), State::Triggered);
    let effect = after_all(&rounds).apply(&person("U0JANE", 14, Action::Acknowledge), &settings()).expect("an effect");
    assert_eq!((effect.incident.state(), effect.outcome), (State::Acknowledged, Outcome::Acknowledged));
}

#[test]
fn what_is_resolved_is_neither_acknowledged_nor_resolved_again_but_reopened() {
    let over = after_all(&[alarm(0), person("U0JANE", 5, resolve())]);
    for action in [Action::Acknowledge, resolve()] {
        let refusal = over.apply(&person("U0OMAR", 9, action), &settings()).expect_err("a refusal").to_string();
        assert!(refusal.contains("resolved by <@U0JANE>") && refusal.contains("/incident reopen INC-1"), "{refusal}");
    }
    let again = over.apply(&person("U0OMAR", 9, Action::Reopen), &settings()).expect("an effect").incident;
    assert_eq!(again.state(), State::Triggered);
    assert!(again.apply(&person("U0OMAR", 10, Action::Reopen), &settings()).is_err());
}

#[test]
fn a_click_on_what_was_reopened_since_does_not_end_the_new_round() {
    let again = after_all(&[alarm(0), person("U0JANE", 5, resolve()), person("U0OMAR", 20, Action::Reopen)]);
    let refusal = again.apply(&person("U0LENA", 12, resolve()), &settings()).expect_err("a refusal").to_string();
    assert!(refusal.contains("reopened by <@U0OMAR>"), "{refusal}");
}

#[test]
fn a_person_can_resolve_what_a_source_with_a_fast_clock_has_opened() {
    let fast = after_all(&[alarm(290), person("U0JANE", 5, Action::Acknowledge)]);
    assert_eq!(fast.state(), State::Acknowledged);
    assert_eq!(after_all(&[alarm(290), person("U0JANE", 5, resolve())]).state(), State::Resolved);
}

#[test]
fn a_person_can_go_on_with_what_was_reopened_after_a_source_with_a_fast_clock_had_closed_it() {
    let again = after_all(&[alarm(0), recovery(290), person("U0OMAR", 20, Action::Reopen)]);
    assert_eq!(again.state(), State::Triggered);
    let held = again.apply(&person("U0JANE", 30, Action::Acknowledge), &settings()).expect("an effect").incident;
    assert_eq!(held.state(), State::Acknowledged);
    assert_eq!(held.apply(&person("U0JANE", 40, resolve()), &settings()).expect("an effect").incident.state(), State::Resolved);
    assert!(again.apply(&person("U0LENA", 12, resolve()), &settings()).is_err(), "done before it was reopened");
}

#[test]
fn in_whatever_order_an_alarm_its_update_and_its_recovery_come_the_end_is_the_same() {
    let worse = update(10, Changes { severity: Some(Severity::P1), ..Changes::default() });
    let retitled = update(20, Changes { title: Some("CPU very high".into()), severity: Some(Severity::P2), ..Changes::default() });
    for order in orders(&[alarm(0), worse, retitled, recovery(30)]) {
        let incident = after_all(&order);
        assert_eq!(incident.state(), State::Resolved, "{order:?}");
        assert_eq!((incident.title(), incident.severity()), ("CPU very high", Severity::P2), "{order:?}");
        assert_eq!(incident.resolution.as_ref().map(|end| end.at), Some(at(30)), "{order:?}");
    }
}

#[test]
fn in_whatever_order_an_alarm_its_recovery_and_its_return_come_it_is_open_in_the_end() {
    for order in orders(&[alarm(0), recovery(10), alarm(20)]) {
        // What begins a new incident does so in the store; here both rounds are one incident's.
        let begins_anew = order.iter().scan(nothing(), |incident, intent| {
            let anew = incident.is_over_before(intent.at);
            *incident = incident.apply(intent, &settings()).map_or_else(|_| incident.clone(), |effect| effect.incident);
            Some(anew && matches!(intent.action, Action::Create(_)))
        });
        let anew = begins_anew.collect::<Vec<_>>().contains(&true);
        assert!(anew || after_all(&order).state() == State::Triggered, "{order:?}");
    }
}

#[test]
fn a_recovery_before_its_alarm_waits_unseen_and_then_both_show() {
    let early = nothing().apply(&recovery(30), &settings()).expect("an effect");
    assert_eq!((early.incident.state(), early.outcome.clone()), (State::Expected, Outcome::Expected));
    assert!(!early.repaint && early.entry.is_some());
    let late = early.incident.apply(&alarm(0), &settings()).expect("an effect");
    assert_eq!((late.incident.state(), late.outcome), (State::Resolved, Outcome::Created));
    assert!(late.reveals && late.repaint);
}

#[test]
fn an_older_update_is_recorded_and_changes_nothing() {
    let new = after_all(&[alarm(0), update(20, Changes { title: Some("new".into()), ..Changes::default() })]);
    let effect = new.apply(&update(10, Changes { title: Some("old".into()), ..Changes::default() }), &settings()).expect("an effect");
    assert_eq!((effect.incident.title(), effect.outcome), ("new", Outcome::Late));
    assert_eq!(effect.entry.map(|entry| entry.fate), Some(Fate::Late));
}

#[test]
fn an_alarm_of_before_the_recovery_belongs_to_what_is_over() {
    let over = after_all(&[alarm(0), recovery(30)]);
    assert!(!over.is_over_before(at(10)));
    assert!(over.is_over_before(at(40)));
    assert_eq!(over.apply(&alarm(10), &settings()).expect("an effect").outcome, Outcome::Late);
}

#[test]
fn the_recovery_after_a_person_resolved_keeps_the_persons_words() {
    let over = after_all(&[alarm(0), person("U0JANE", 10, resolve()), recovery(30)]);
    assert_eq!(over.resolution.as_ref().and_then(|end| end.closing.note.clone()), Some("rolled back".into()));
    // An alarm that fired before that recovery and comes late is over as well.
    assert!(!over.is_over_before(at(20)));
}

#[test]
fn only_getting_worse_and_the_end_are_told_to_the_whole_channel() {
    let told =
        |incident: &Incident, intent: Intent| incident.apply(&intent, &settings()).expect("an effect").entry.expect("an entry").broadcast;
    let open = after_all(&[alarm(0)]);
    let severity = |severity| update(10, Changes { severity: Some(severity), ..Changes::default() });
    assert!(told(&open, severity(Severity::P1)));
    assert!(!told(&open, severity(Severity::P4)));
    assert!(!told(&open, person("U0JANE", 5, Action::Acknowledge)));
    assert!(told(&open, recovery(5)));
}

#[test]
fn a_source_says_what_a_person_said_already_without_a_word() {
    let held = after_all(&[alarm(0), person("U0JANE", 5, Action::Acknowledge)]);
    let effect = held.apply(&source(9, Action::Acknowledge), &settings()).expect("an effect");
    assert_eq!((effect.outcome, effect.repaint), (Outcome::Late, false));
    assert_eq!(effect.incident.acknowledged, held.acknowledged);
}

#[test]
fn of_many_recoveries_before_the_alarm_only_the_first_is_told_and_the_latest_counts() {
    let early = after_all(&[recovery(10)]);
    let again = early.apply(&recovery(20), &settings()).expect("an effect");
    assert_eq!((again.outcome, again.entry), (Outcome::Expected, None));
    assert_eq!(again.incident.apply(&alarm(15), &settings()).expect("an effect").incident.state(), State::Resolved);
    assert_eq!(again.incident.apply(&alarm(25), &settings()).expect("an effect").incident.state(), State::Triggered);
}

#[test]
fn a_source_that_never_stops_saying_that_it_is_over_leaves_no_trace() {
    let unseen = after_all(&[recovery(10)]);
    let over = after_all(&[alarm(0), recovery(10)]);
    let by_hand = after_all(&[alarm(0), person("U0JANE", 10, resolve())]);
    for before in [unseen, over, by_hand] {
        let closed = before.closed.expect("over");
        for seconds in [0, 20, 40] {
            let at = closed + SignedDuration::from_secs(seconds);
            let again = before.apply(&Intent { at, ..recovery(30) }, &settings()).expect("an effect");
            assert_eq!((again.entry, again.repaint, again.incident.closed), (None, false, Some(at)), "{before:?}");
            assert_eq!((again.incident.state(), again.incident.resolution), (before.state(), before.resolution.clone()));
        }
        // What is older than what is known is written down, as everything that comes late.
        let older = before.apply(&recovery(5), &settings()).expect("an effect");
        assert_eq!((older.entry.map(|entry| entry.fate), older.incident.closed), (Some(Fate::Late), Some(closed)));
    }
    let open = after_all(&[alarm(0), recovery(10), alarm(20)]);
    let older = open.apply(&recovery(15), &settings()).expect("an effect");
    assert!(older.incident.state() == State::Triggered && older.entry.is_some(), "that is no repeat: it is not over");
}

fn until(seconds: i64) -> Action {
    Action::Snooze { until: at(seconds) }
}

#[test]
fn what_is_snoozed_sleeps_and_wakes_by_itself() {
    let effect = after_all(&[alarm(0)]).apply(&person("U1", 10, until(900)), &settings()).expect("it sleeps");
    assert_eq!(effect.incident.state(), State::Snoozed);
    let timer = effect.timers.first().expect("somebody wakes it");
    assert_eq!(timer.at, at(900));
    let woken = effect.incident.apply(&timer.intent(&Workspace::new("T1")), &settings()).expect("it wakes");
    assert_eq!((woken.incident.state(), woken.outcome), (State::Triggered, Outcome::Woken));
}

#[test]
fn a_sleep_that_was_made_longer_is_not_ended_by_the_first_timer() {
    let first = after_all(&[alarm(0)]).apply(&person("U1", 10, until(900)), &settings()).expect("it sleeps");
    let longer = first.incident.apply(&person("U1", 20, until(3_600)), &settings()).expect("longer");
    let early = longer.incident.apply(&first.timers.first().expect("a timer").intent(&Workspace::new("T1")), &settings()).expect("nothing");
    assert_eq!((early.incident.state(), early.outcome), (State::Snoozed, Outcome::Late));
    let woken =
        early.incident.apply(&longer.timers.first().expect("a timer").intent(&Workspace::new("T1")), &settings()).expect("it wakes");
    assert_eq!(woken.incident.state(), State::Triggered);
}

#[test]
fn who_had_it_before_it_slept_has_it_after() {
    let held = after_all(&[alarm(0)]).apply(&person("U1", 5, Action::Acknowledge), &settings()).expect("hers").incident;
    let asleep = held.apply(&person("U1", 10, until(900)), &settings()).expect("it sleeps").incident;
    let awake = asleep.apply(&person("U1", 20, Action::Wake), &settings()).expect("it wakes").incident;
    assert_eq!((asleep.state(), awake.state()), (State::Snoozed, State::Acknowledged));
    assert!(awake.apply(&person("U1", 30, Action::Wake), &settings()).is_err(), "it does not sleep");
}

#[test]
fn nothing_sleeps_into_the_past_or_for_ever() {
    assert!(after_all(&[alarm(0)]).apply(&person("U1", 10, until(5)), &settings()).is_err());
    assert!(after_all(&[alarm(0)]).apply(&person("U1", 10, until(40 * 24 * 3_600)), &settings()).is_err());
    let over = after_all(&[alarm(0)]).apply(&person("U1", 5, Action::Resolve(Closing::default())), &settings()).expect("over").incident;
    assert!(over.apply(&person("U1", 10, until(900)), &settings()).is_err(), "what is over does not sleep");
}

#[test]
fn a_source_that_calls_itself_like_a_person_calls_nobody() {
    let over = intent(Actor::Source("<<@U0JANE>".into()), 10, Action::Resolve(Closing::default()));
    let refusal = after_all(&[alarm(0), over])
        .apply(&person("U0OMAR", 20, Action::Resolve(Closing::default())), &settings())
        .expect_err("it is over")
        .to_string();
    assert!(refusal.contains("resolved by @U0JANE> already"), "{refusal}");
}

#[test]
fn what_was_said_before_the_end_counts_however_late_it_comes() {
    let described = source(0, Action::Create(Changes { description: Some("since ten".into()), ..Changes::default() }));
    let in_time = after_all(&[described.clone(), alarm(5), recovery(30)]);
    let late = after_all(&[alarm(5), recovery(30), described]);
    assert_eq!((late.fired, &late.facts, late.count, late.state()), (in_time.fired, &in_time.facts, in_time.count, State::Resolved));
}
