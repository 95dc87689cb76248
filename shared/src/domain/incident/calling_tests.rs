//! Who is called while nobody has it, and what was promised: in the words of those who are called.

use jiff::{SignedDuration, Timestamp};

use super::super::escalation::{Called, Callee, Policy, Step as PolicyStep};
use super::super::ids::{IntentId, UserId};
use super::super::intent::{Changes, Person, Target};
use super::super::sla::{Promise, Target as Allowed};
use super::super::timer::TimerKind;
use super::*;

/// Minutes after ten o'clock.
fn at(minutes: i64) -> Timestamp {
    "2026-03-01T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(minutes)
}

/// First Jane, after ten minutes Omar and the management's channel; once again from the beginning.
fn settings(minute: i64) -> Settings {
    let step = |after, call: &[Callee]| PolicyStep { after: SignedDuration::from_mins(after), call: call.to_vec() };
    let person = |id: &str| Callee::Person(UserId::new(id));
    let steps = vec![step(0, &[person("U1JANE")]), step(10, &[person("U1OMAR"), Callee::Channel(Channel::new("C1BOSS"))])];
    let mut settings = Settings::of(Channel::new("#incidents"), at(minute));
    settings.configuration.policies = vec![Policy { name: "urgent".into(), matches: None, steps, repeat: 1 }];
    let allowed = Allowed { acknowledge: Some(SignedDuration::from_mins(5)), resolve: Some(SignedDuration::from_mins(60)) };
    settings.configuration.sla.set(Severity::P3, allowed);
    settings
}

fn intent(by: Actor, minute: i64, action: Action) -> Intent {
    let id = IntentId::of("test", &[&format!("{by:?}{minute}{action:?}")]);
    Intent { id, workspace: None, at: at(minute), by, target: Target::New, action, reply: None }
}

fn person(name: &str, minute: i64, action: Action) -> Intent {
    let person = Person { id: UserId::new(name), name: None, email: None, team: None, enterprise: None, place: None };
    intent(Actor::User(person), minute, action)
}

/// An incident with the timers that are set.
struct Watched {
    incident: Incident,
    timers: Vec<Timer>,
    told: Vec<(i64, What)>,
}

impl Watched {
    fn fires() -> Self {
        let incident = Incident::expected(Workspace::new("T1"), IncidentId::new("INC-1"), None);
        let create = Action::Create(Changes { title: Some("CPU high".into()), ..Changes::default() });
        Self { incident, timers: Vec::new(), told: Vec::new() }.then(&intent(Actor::Source("CloudWatch".into()), 0, create), 0)
    }

    fn then(mut self, intent: &Intent, minute: i64) -> Self {
        let effect = self.incident.apply(intent, &settings(minute)).expect("an effect");
        self.told.extend(effect.entry.filter(|entry| entry.fate == Fate::Done).map(|entry| (minute, entry.what)));
        self.timers.extend(effect.timers);
        self.incident = effect.incident;
        self
    }

    /// The clock, every minute from the one after `from` on.
    fn until(mut self, from: i64, minutes: i64) -> Self {
        for minute in from..=minutes {
            while let Some(place) = self.timers.iter().position(|timer| timer.at <= at(minute)) {
                let timer = self.timers.remove(place);
                self = self.then(&timer.intent(&Workspace::new("T1")), minute);
            }
        }
        self
    }

    fn called(&self) -> Vec<(i64, Vec<Called>)> {
        let called = self.told.iter().filter_map(|(minute, what)| match what {
            What::Escalated { called, .. } => Some((*minute, called.clone())),
            _ => None,
        });
        called.collect()
    }

    fn breached(&self) -> Vec<(i64, Promise)> {
        let breached = self.told.iter().filter_map(|(minute, what)| match what {
            What::SlaBreached { promise, .. } => Some((*minute, *promise)),
            _ => None,
        });
        breached.collect()
    }
}

fn jane() -> Called {
    Called::Person(UserId::new("U1JANE"))
}

fn omar_and_the_boss() -> Vec<Called> {
    vec![Called::Person(UserId::new("U1OMAR")), Called::Channel(Channel::new("C1BOSS"))]
}

#[test]
fn one_after_the_other_is_called_while_nobody_has_it_and_each_gets_the_card() {
    let watched = Watched::fires().until(0, 600);
    let steps = [(0, vec![jane()]), (10, omar_and_the_boss()), (20, vec![jane()]), (30, omar_and_the_boss())];
    assert_eq!(watched.called(), steps, "and then nobody any more");
    let channels: Vec<_> = watched.incident.channels.iter().map(Channel::as_str).collect();
    assert_eq!(channels, ["#incidents", "U1JANE", "U1OMAR", "C1BOSS"]);
}

#[test]
fn nobody_is_called_any_more_once_somebody_has_it() {
    for action in [Action::Acknowledge, Action::Resolve(Closing::default()), Action::Snooze { until: at(500) }] {
        let watched = Watched::fires().until(0, 3).then(&person("U1JANE", 3, action.clone()), 3).until(3, 400);
        assert_eq!(watched.called(), [(0, vec![jane()])], "{action:?}");
    }
}

#[test]
fn what_is_handed_back_or_wakes_up_calls_from_the_beginning() {
    let held = Watched::fires().until(0, 3).then(&person("U1JANE", 3, Action::Acknowledge), 3);
    let back = held.until(3, 30).then(&person("U1JANE", 30, Action::Reopen), 30).until(30, 35);
    assert_eq!(back.called(), [(0, vec![jane()]), (30, vec![jane()])]);
    let asleep = Watched::fires().until(0, 3).then(&person("U1JANE", 3, Action::Snooze { until: at(40) }), 3).until(3, 45);
    assert_eq!(asleep.called(), [(0, vec![jane()]), (40, vec![jane()])]);
}

#[test]
fn who_cannot_wait_calls_the_next_ones_now_or_somebody_in_particular() {
    let asked = Watched::fires().until(0, 2).then(&person("U1LENA", 2, Action::Escalate { to: None, note: None }), 2).until(2, 11);
    assert_eq!(asked.called(), [(0, vec![jane()]), (2, omar_and_the_boss())], "and then goes on from there");
    let to = Some(UserId::new("U1SAM"));
    let asked = Watched::fires().then(&person("U1LENA", 0, Action::Escalate { to, note: Some("she knows it".into()) }), 0);
    assert!(asked.incident.channels.contains(&Channel::new("U1SAM")));
    let nothing = Settings::of(Channel::new("#incidents"), at(0));
    let refusal = asked.incident.apply(&person("U1LENA", 1, Action::Escalate { to: None, note: None }), &nothing).expect_err("nobody");
    assert!(refusal.to_string().contains("`/incident escalate INC-1 @name`"), "{refusal}");
}

#[test]
fn a_timer_of_an_earlier_round_calls_nobody() {
    let first = Watched::fires();
    let timer = first.timers.iter().find(|timer| timer.kind == TimerKind::Escalate).cloned().expect("a timer");
    let held = first.then(&person("U1JANE", 0, Action::Acknowledge), 0).then(&person("U1JANE", 30, Action::Reopen), 30).until(30, 30);
    let again = held.incident.apply(&timer.intent(&Workspace::new("T1")), &settings(31)).expect("an effect");
    assert_eq!(again.outcome, Outcome::Late);
}

#[test]
fn what_was_promised_and_not_kept_is_told_once() {
    let watched = Watched::fires().until(0, 600);
    assert_eq!(watched.breached(), [(5, Promise::Acknowledge), (60, Promise::Resolve)]);
    let held = Watched::fires().until(0, 4).then(&person("U1JANE", 4, Action::Acknowledge), 4).until(4, 600);
    assert_eq!(held.breached(), [(60, Promise::Resolve)], "acknowledged in time");
    let over = Watched::fires().until(0, 4).then(&person("U1JANE", 4, Action::Resolve(Closing::default())), 4).until(4, 600);
    assert_eq!(over.breached(), []);
}

#[test]
fn the_sources_own_word_about_the_end_counts() {
    let by = Action::Update(Changes { sla_breach_at: Some(at(20)), ..Changes::default() });
    let watched = Watched::fires().then(&intent(Actor::Source("CloudWatch".into()), 1, by), 1).until(1, 600);
    assert_eq!(watched.breached(), [(5, Promise::Acknowledge), (20, Promise::Resolve)]);
}

#[test]
fn whoever_it_is_assigned_to_gets_the_card_unless_the_workspace_does_not_want_that() {
    let assigned = Watched::fires().then(&person("U1LENA", 1, Action::Assign { to: UserId::new("U1SAM") }), 1);
    assert!(assigned.incident.channels.contains(&Channel::new("U1SAM")));
    let again = assigned.incident.apply(&person("U1LENA", 2, Action::Assign { to: UserId::new("U1SAM") }), &settings(2));
    assert!(again.expect_err("a refusal").to_string().contains("<@U1SAM> already"));
    let mut quiet = settings(1);
    quiet.configuration.notify.direct_on_assignment = false;
    let assign = person("U1LENA", 1, Action::Assign { to: UserId::new("U1SAM") });
    let effect = Watched::fires().incident.apply(&assign, &quiet).expect("an effect");
    assert!(effect.added.is_empty() && effect.incident.facts.assignee.is_some());
}

#[test]
fn what_gets_worse_shows_where_that_goes_as_well_and_wakes_up() {
    let mut routed = settings(2);
    let to = vec![super::super::routing::Target::channel(Channel::new("#war-room"))];
    let rule = super::super::routing::Rule { matches: super::super::routing::Match::Severity(Severity::P1), to };
    routed.configuration.routing =
        Some(super::super::routing::Routing { rules: vec![rule], ..super::super::routing::Routing::all_to(Channel::new("#incidents")) });
    let asleep = Watched::fires().then(&person("U1JANE", 1, Action::Snooze { until: at(500) }), 1).incident;
    let worse = |severity| person("U1LENA", 2, Action::Update(Changes { severity: Some(severity), ..Changes::default() }));
    let effect = asleep.apply(&worse(Severity::P1), &routed).expect("an effect");
    assert_eq!(effect.added, [Channel::new("#war-room")]);
    assert_eq!(effect.incident.channels, [Channel::new("#incidents"), Channel::new("#war-room")], "it never leaves a place");
    assert_eq!(effect.incident.state(), State::Triggered);
    let better = asleep.apply(&worse(Severity::P4), &routed).expect("an effect").incident;
    assert_eq!(better.state(), State::Snoozed);
}

#[test]
fn what_is_not_severe_enough_has_no_card_until_it_is() {
    let mut least = settings(0);
    least.configuration.notify.least = Severity::P2;
    let incident = Incident::expected(Workspace::new("T1"), IncidentId::new("INC-1"), None);
    let create = Action::Create(Changes { severity: Some(Severity::P4), ..Changes::default() });
    let quiet = incident.apply(&person("U1LENA", 0, create), &least).expect("an effect");
    assert!(quiet.incident.channels.is_empty() && quiet.reveals);
    let worse = Action::Update(Changes { severity: Some(Severity::P1), ..Changes::default() });
    let effect = quiet.incident.apply(&person("U1LENA", 1, worse), &least).expect("an effect");
    assert_eq!(effect.added, [Channel::new("#incidents")]);
}
