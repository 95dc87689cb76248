//! A source that cannot make up its mind: what comes back again and again within a short time is held as one open incident, until it has been quiet for as long.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A workspace's measure, from its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlappingRate {
    /// What begins for this many times within `minutes` is flapping; 0: nothing ever is.
    pub times: u16,
    /// Within how many minutes, and for how long it has to be quiet afterwards.
    pub minutes: u16,
}

impl Default for FlappingRate {
    fn default() -> Self {
        Self { times: 4, minutes: 10 }
    }
}

impl FlappingRate {
    fn window(self) -> SignedDuration {
        SignedDuration::from_mins(self.minutes.into())
    }

    /// Whether something that begins at `at`, and began at `before`, is flapping.
    pub fn is_flapping(self, before: &Begun, at: Timestamp) -> bool {
        let lately = before.0.iter().filter(|begun| at.duration_since(**begun).abs() <= self.window()).count();
        self.times > 0 && lately + 1 >= usize::from(self.times)
    }

    /// What is held from `since` on.
    pub fn hold(self, since: Timestamp) -> Flapping {
        Flapping { since, quiet_minutes: self.minutes, recovered: None }
    }
}

/// When incidents of one key began lately, kept with the key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Begun(Vec<Timestamp>);

impl Begun {
    /// How many are remembered: more than any measure asks for.
    const MOST: usize = 50;

    /// One more. A moment that is known already is not counted twice.
    #[must_use]
    pub fn and(&self, at: Timestamp) -> Self {
        let mut all = self.0.clone();
        if !all.contains(&at) {
            all.push(at);
        }
        all.sort_unstable();
        Self(all.split_off(all.len().saturating_sub(Self::MOST)))
    }
}

/// An incident that is held open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flapping {
    /// When it was seen to be flapping.
    pub since: Timestamp,
    /// How long it has to be quiet.
    pub quiet_minutes: u16,
    /// When its source said last that it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Timestamp>,
}

impl Flapping {
    /// Its source says that it is over: when to look whether it has been quiet since.
    pub fn recover(&mut self, at: Timestamp) -> Timestamp {
        self.recovered = self.recovered.max(Some(at));
        at.checked_add(self.quiet()).unwrap_or(Timestamp::MAX)
    }

    /// When it was over, if it has been quiet until `now`; `fired` is when its source said last that it is wrong.
    pub fn settled(&self, fired: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.recovered.filter(|recovered| *recovered >= fired && now.duration_since(*recovered) >= self.quiet())
    }

    fn quiet(&self) -> SignedDuration {
        SignedDuration::from_mins(self.quiet_minutes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).expect("a time")
    }

    #[test]
    fn a_source_at_the_end_of_time_is_still_looked_at() {
        assert_eq!(FlappingRate::default().hold(at(0)).recover(Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn what_begins_for_the_fourth_time_within_ten_minutes_is_flapping() {
        let rate = FlappingRate::default();
        let begun = [0, 3, 6].into_iter().fold(Begun::default(), |begun, minutes| begun.and(at(minutes)));
        assert!(rate.is_flapping(&begun, at(9)));
        assert!(rate.is_flapping(&begun, at(10)));
        assert!(!rate.is_flapping(&begun, at(11)));
        assert!(!FlappingRate { times: 0, minutes: 10 }.is_flapping(&begun, at(9)));
        assert_eq!(begun.and(at(3)), begun, "the same beginning is one");
    }

    #[test]
    fn it_is_over_when_it_has_been_quiet_long_enough() {
        let mut held = FlappingRate::default().hold(at(9));
        assert_eq!(held.settled(at(9), at(60)), None, "it never recovered");
        assert_eq!(held.recover(at(12)), at(22));
        assert_eq!(held.settled(at(9), at(21)), None);
        assert_eq!(held.settled(at(9), at(22)), Some(at(12)));
        assert_eq!(held.settled(at(13), at(60)), None, "it fired again");
    }
}
