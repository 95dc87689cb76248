//! A year, minute by minute, with both changes of the clocks: whose turn it is, who is called, what was promised and what sleeps. What is due is looked at once a minute, as `clock` does, and each
//! timer goes off twice, as it may.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::escalation::{Called, Callee, Policy, Step};
use super::ids::{Channel, IncidentId, IntentId, UserId, Workspace};
use super::incident::{Incident, State};
use super::intent::{Action, Actor, Changes, Intent, Person, Target};
use super::oncall::Rotation;
use super::settings::Settings;
use super::severity::Severity;
use super::sla;
use super::timeline::{Fate, What};
use super::timer::Timer;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("the world's time zones")
}

/// Jane and Omar take weeks, handing over on Mondays at nine; after ten minutes without an answer, Lena.
fn settings() -> Settings {
    let mut settings = Settings::of(Channel::new("#incidents"), Timestamp::UNIX_EPOCH);
    let people = ["U1JANE", "U1OMAR"].map(UserId::new).to_vec();
    let start = "2026-01-05T09:00".parse().expect("a moment");
    settings.configuration.rotations = vec![Rotation { name: "primary".into(), zone: berlin(), start, days: 7, people }];
    let step = |after, callee| Step { after: SignedDuration::from_mins(after), call: vec![callee] };
    let steps = vec![step(0, Callee::Rotation("primary".into())), step(10, Callee::Person(UserId::new("U1LENA")))];
    settings.configuration.policies = vec![Policy { name: "all".into(), matches: None, steps, repeat: 0 }];
    let allowed = sla::Target { acknowledge: Some(SignedDuration::from_mins(15)), resolve: Some(SignedDuration::from_hours(12)) };
    settings.configuration.sla.set(Severity::P3, allowed);
    settings
}

/// What is there, and what was told of it.
struct Simulated {
    settings: Settings,
    incidents: BTreeMap<String, Incident>,
    timers: Vec<Timer>,
    /// What markers remember.
    applied: HashSet<IntentId>,
    told: Vec<(Timestamp, String, What)>,
}

impl Simulated {
    fn apply(&mut self, id: &str, intent: &Intent) {
        if !self.applied.insert(intent.id.clone()) {
            return;
        }
        let new = || Incident::expected(Workspace::new("T1"), IncidentId::new(id), None);
        let before = self.incidents.remove(id).unwrap_or_else(new);
        let effect = before.apply(intent, &self.settings).expect("an effect");
        let now = self.settings.now;
        self.told.extend(effect.entry.filter(|entry| entry.fate == Fate::Done).map(|entry| (now, id.to_owned(), entry.what)));
        self.timers.extend(effect.timers);
        self.incidents.insert(id.to_owned(), effect.incident);
    }

    fn acts(&mut self, id: &str, by: Actor, action: Action) {
        let at = self.settings.now;
        let intent = Intent {
            id: IntentId::of("test", &[id, action.name(), &at.to_string()]),
            workspace: None,
            at,
            by,
            target: Target::New,
            action,
            reply: None,
        };
        self.apply(id, &intent);
    }

    /// One minute of the clock.
    fn tick(&mut self) {
        let now = self.settings.now;
        while let Some(place) = self.timers.iter().position(|timer| timer.at <= now) {
            let timer = self.timers.remove(place);
            let intent = timer.intent(&Workspace::new("T1"));
            self.apply(timer.incident.as_str(), &intent);
            self.apply(timer.incident.as_str(), &intent);
        }
    }

    fn told(&self, id: &str, is: impl Fn(&What) -> bool) -> Vec<Timestamp> {
        self.told.iter().filter(|(_, of, what)| of == id && is(what)).map(|(at, ..)| *at).collect()
    }
}

fn lena() -> Actor {
    Actor::User(Person { id: UserId::new("U1LENA"), name: None, email: None, team: None, enterprise: None, place: None })
}

/// An alarm each night at half past two by the clock on the wall (which that hour leaves out in March and has twice in October); Lena puts it off at twenty past the hour until half past eight, and ends it
/// at ten.
#[test]
fn a_year_of_nights_with_every_turn_call_promise_and_waking_at_its_time_and_none_twice() {
    let zone = berlin();
    let begin = "2026-01-05T09:00".parse::<jiff::civil::DateTime>().expect("a moment").to_zoned(zone.clone()).expect("a moment");
    let end = begin.checked_add(1.year()).expect("a year later").timestamp();
    let mut year =
        Simulated { settings: settings(), incidents: BTreeMap::new(), timers: Vec::new(), applied: HashSet::new(), told: Vec::new() };
    let (mut turns, mut on_call, mut nights) = (Vec::new(), None, Vec::new());
    let mut fired: Option<(String, Timestamp)> = None;
    let mut now = begin.timestamp();
    while now < end {
        year.settings.now = now;
        year.tick();
        let turn = year.settings.on_call("primary").map(|turn| turn.person);
        if turn != on_call {
            turns.push((now, turn.clone().expect("somebody is on call")));
            on_call = turn;
        }
        let wall = now.to_zoned(zone.clone());
        // The alarm itself goes by universal time, as machines do: 01:30, in summer half past three.
        let universal = now.to_zoned(TimeZone::UTC);
        if (universal.hour(), universal.minute()) == (1, 30) {
            let id = format!("INC-{}", wall.date());
            year.acts(
                &id,
                Actor::Source("CloudWatch".into()),
                Action::Create(Changes { title: Some("Night".into()), ..Changes::default() }),
            );
            fired = Some((id.clone(), now));
            nights.push((id, now));
        }
        if let Some((id, at)) = fired.clone() {
            if now == at + SignedDuration::from_mins(50) {
                let morning = wall.date().at(8, 30, 0, 0).to_zoned(zone.clone()).expect("a morning").timestamp();
                year.acts(&id, lena(), Action::Snooze { until: morning });
            }
            if (wall.hour(), wall.minute()) == (10, 0) {
                assert_eq!(year.incidents[&id].state(), State::Triggered, "{id} has woken up");
                year.acts(&id, lena(), Action::Resolve(super::intent::Closing::default()));
                fired = None;
            }
        }
        now += MINUTE;
    }
    assert_eq!(nights.len(), 365);
    let weeks: Vec<_> = turns.iter().map(|(at, _)| at.to_zoned(zone.clone())).collect();
    assert_eq!(weeks.len(), 53, "a hand-over a week, the first among them");
    for (turn, week) in turns.iter().zip(&weeks) {
        assert_eq!((week.weekday(), week.hour(), week.minute()), (Weekday::Monday, 9, 0), "{} takes over at {week}", turn.1);
    }
    assert!(turns.windows(2).all(|pair| pair[0].1 != pair[1].1), "they take turns");
    for (id, at) in &nights {
        night(&year, id, *at, &turns, &zone);
    }
    // Those of the mornings that are still to come are all that is left.
    assert!(year.timers.iter().all(|timer| timer.at >= end), "{:?}", year.timers);
}

/// One night, as it has to be.
fn night(year: &Simulated, id: &str, at: Timestamp, turns: &[(Timestamp, UserId)], zone: &TimeZone) {
    let minutes = |minutes| at + SignedDuration::from_mins(minutes);
    let calls = |person: &UserId| {
        let person = Called::Person(person.clone());
        year.told(id, |what| matches!(what, What::Escalated { called, .. } if called.contains(&person)))
    };
    let whose = &turns.iter().rev().find(|(since, _)| *since <= at).expect("somebody's turn").1;
    let woken = year.told(id, |what| matches!(what, What::Woken));
    let morning: Vec<_> =
        woken.iter().map(|at| at.to_zoned(zone.clone())).map(|at| (at.date().to_string(), at.hour(), at.minute())).collect();
    assert_eq!(morning, [(id.trim_start_matches("INC-").to_owned(), 8, 30)], "{id} wakes up once");
    // What wakes up calls again, from the beginning.
    let again = woken[0];
    let ten = SignedDuration::from_mins(10);
    assert_eq!(calls(whose), [minutes(1), again], "{id} calls whose turn it is, each time once");
    assert_eq!(calls(&UserId::new("U1LENA")), [minutes(11), again + ten], "{id} calls who is next");
    let breached = |wanted| year.told(id, move |what| matches!(what, What::SlaBreached { promise, .. } if *promise == wanted));
    assert_eq!(breached(sla::Promise::Acknowledge), [minutes(15)], "{id}");
    assert_eq!(breached(sla::Promise::Resolve), [] as [Timestamp; 0], "{id} is over within twelve hours");
}
