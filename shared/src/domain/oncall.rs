//! Who is on call: people take turns, and hand over at the same hour of their own clocks, summer and winter.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Deserialize, Serialize};

use super::ids::UserId;

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// What it is called, in policies and in `/incident oncall`.
    pub name: String,
    /// Where its clock hangs.
    pub zone: TimeZone,
    /// When the first person's first turn begins, on that clock.
    pub start: DateTime,
    /// How many days a turn lasts.
    pub days: u16,
    /// Who, in this order. Never empty.
    pub people: Vec<UserId>,
}

/// Somebody takes over for a while, whoever's turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Who.
    pub person: UserId,
    /// From when.
    pub from: Timestamp,
    /// Until when, not included.
    pub until: Timestamp,
    /// When this was said: of several, the last one counts.
    pub said_at: Timestamp,
}

/// A turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub person: UserId,
    /// Until when, unless somebody takes over.
    pub until: Timestamp,
}

impl Rotation {
    /// Whose turn it is at a moment; `None` before the first one.
    pub fn turn(&self, at: Timestamp) -> Option<Turn> {
        let there = at.to_zoned(self.zone.clone());
        let since = (there.date() - self.start.date()).get_days();
        // Near a change of the clocks, and in the hours before the hand-over, the turn may be the one before.
        let guess = i64::from(since).div_euclid(i64::from(self.days));
        let number = (guess - 1..=guess + 1).rev().find(|number| self.begins(*number).is_some_and(|begins| begins <= at))?;
        let number = usize::try_from(number).ok()?;
        let person = self.people.get(number % self.people.len())?.clone();
        let until = self.begins(i64::try_from(number).ok()? + 1)?;
        Some(Turn { person, until })
    }

    /// Who is on call: whoever took over, else whose turn it is.
    pub fn on_call(&self, at: Timestamp, overrides: &[Override]) -> Option<Turn> {
        let holds = |taken: &&Override| taken.from <= at && at < taken.until;
        match overrides.iter().filter(holds).max_by_key(|taken| taken.said_at) {
            Some(taken) => Some(Turn { person: taken.person.clone(), until: taken.until }),
            None => self.turn(at),
        }
    }

    /// When a turn begins: at the same hour of the clock, whatever that is in seconds. An hour that the clocks leave out is the one after it, one that comes twice is
    /// the first.
    fn begins(&self, number: i64) -> Option<Timestamp> {
        let day = self.start.checked_add(number.checked_mul(i64::from(self.days))?.days()).ok()?;
        day.to_zoned(self.zone.clone()).ok().as_ref().map(Zoned::timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(zone: &str, start: &str, days: u16) -> Rotation {
        Rotation {
            name: "checkout".into(),
            zone: TimeZone::get(zone).expect("a zone"),
            start: start.parse().expect("a time"),
            days,
            people: ["U1", "U2", "U3"].map(UserId::new).into(),
        }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    /// Every hand-over of a year, found by asking every quarter of an hour.
    fn hand_overs(rotation: &Rotation, from: &str, until: &str) -> Vec<(Timestamp, UserId)> {
        let (mut now, mut found, mut last) = (at(from), Vec::new(), None);
        while now < at(until) {
            let person = rotation.turn(now).map(|turn| turn.person);
            if person != last {
                found.extend(person.clone().map(|person| (now, person)));
                last = person;
            }
            now += jiff::SignedDuration::from_mins(15);
        }
        found
    }

    #[test]
    fn everybody_hands_over_at_the_same_hour_of_the_clock_all_year() {
        for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"] {
            let rotation = rotation(zone, "2026-01-05T09:00", 7);
            let found = hand_overs(&rotation, "2026-01-06T00:00:00Z", "2027-01-06T00:00:00Z");
            assert!((52..=54).contains(&found.len()), "{zone}: {}", found.len());
            for (number, (when, person)) in found.iter().enumerate().skip(1) {
                let there = when.to_zoned(rotation.zone.clone());
                assert_eq!((there.hour(), there.minute()), (9, 0), "{zone}: {there}");
                assert_eq!(there.weekday(), jiff::civil::Weekday::Monday, "{zone}: {there}");
                assert_eq!(*person, rotation.people[number % 3], "{zone}: {there}");
            }
        }
    }

    #[test]
    fn a_turn_says_until_when() {
        let rotation = rotation("Europe/Berlin", "2026-03-23T09:00", 7);
        // The clocks go forward on the 29th.
        let turn = rotation.turn(at("2026-03-28T12:00:00Z")).expect("a turn");
        assert_eq!((turn.person.as_str(), turn.until), ("U1", at("2026-03-30T07:00:00Z")));
        assert_eq!(rotation.turn(at("2026-03-30T06:59:59Z")).map(|turn| turn.person), Some(UserId::new("U1")));
        assert_eq!(rotation.turn(at("2026-03-30T07:00:00Z")).map(|turn| turn.person), Some(UserId::new("U2")));
        assert_eq!(rotation.turn(at("2026-03-23T07:59:59Z")), None, "before the first turn");
    }

    #[test]
    fn a_hand_over_at_an_hour_that_is_left_out_or_comes_twice_is_one_hand_over() {
        let daily = rotation("Europe/Berlin", "2026-03-27T02:30", 1);
        let found = hand_overs(&daily, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
        let when: Vec<_> = found.iter().map(|(when, _)| when.to_string()).collect();
        assert_eq!(when, ["2026-03-28T00:00:00Z", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
        let found = hand_overs(&daily, "2026-10-24T01:00:00Z", "2026-10-27T00:00:00Z");
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn who_took_over_last_is_on_call() {
        let rotation = rotation("Europe/Berlin", "2026-01-05T09:00", 7);
        let taken = |person: &str, from: &str, until: &str, said_at: &str| Override {
            person: UserId::new(person),
            from: at(from),
            until: at(until),
            said_at: at(said_at),
        };
        let overrides = [
            taken("U7", "2026-01-06T00:00:00Z", "2026-01-08T00:00:00Z", "2026-01-05T00:00:00Z"),
            taken("U8", "2026-01-07T00:00:00Z", "2026-01-07T12:00:00Z", "2026-01-06T00:00:00Z"),
        ];
        let who = |time: &str| rotation.on_call(at(time), &overrides).map(|turn| turn.person.to_string());
        assert_eq!(who("2026-01-05T23:59:59Z").as_deref(), Some("U1"));
        assert_eq!(who("2026-01-06T00:00:00Z").as_deref(), Some("U7"));
        assert_eq!(who("2026-01-07T06:00:00Z").as_deref(), Some("U8"));
        assert_eq!(who("2026-01-07T12:00:00Z").as_deref(), Some("U7"));
        assert_eq!(who("2026-01-08T00:00:00Z").as_deref(), Some("U1"));
    }
}
