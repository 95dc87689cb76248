//! When a channel is in a storm: more new incidents come than anybody reads. Then one live digest carries them, until it is calm again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::IncidentId;
use super::incident::{Incident, State};
use super::severity::Severity;

/// Over how long new cards are counted, in seconds.
const WINDOW: i64 = 60;

/// How finely, in seconds.
const SLOT: i64 = 10;

/// How many incidents one reply of a digest shows.
pub const PAGE: usize = 40;

/// A workspace's rate, from its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StormRate {
    /// More new cards than this in a channel within a minute are a storm; 0: never.
    pub above: u32,
}

impl Default for StormRate {
    fn default() -> Self {
        Self { above: 30 }
    }
}

impl StormRate {
    /// Whether `lately` new cards within the last minute, those that wait included, are a storm: it takes twice as many for one to begin as for one to go on.
    pub fn is_storm(self, lately: u32, already: bool) -> bool {
        let above = if already { self.above / 2 } else { self.above };
        self.above > 0 && lately > above
    }
}

/// How many new incidents a channel had within the last minute, in slots of ten seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lately(Vec<(i64, u32)>);

impl Lately {
    /// That many more, now. What is older than a minute is forgotten.
    pub fn add(&mut self, count: usize, now: Timestamp) {
        let (slot, count) = (now.as_second() / SLOT, u32::try_from(count).unwrap_or(u32::MAX));
        self.0.retain(|(at, _)| *at > slot - WINDOW / SLOT);
        match self.0.iter_mut().find(|(at, _)| *at == slot) {
            Some((_, known)) => *known = known.saturating_add(count),
            None => self.0.push((slot, count)),
        }
    }

    /// How many within the minute before `now`.
    pub fn count(&self, now: Timestamp) -> u32 {
        let slot = now.as_second() / SLOT;
        self.0.iter().filter(|(at, _)| *at > slot - WINDOW / SLOT).map(|(_, count)| count).sum()
    }
}

/// An incident in a digest, as it stood when its page was painted last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Which.
    pub id: IncidentId,
    /// How bad it is.
    pub severity: Severity,
    /// How it stands.
    pub state: State,
    /// What it is.
    pub title: String,
}

impl Member {
    /// An incident as it stands.
    pub fn of(incident: &Incident) -> Self {
        let title = incident.title().chars().take(200).collect();
        Self { id: incident.id.clone(), severity: incident.severity(), state: incident.state(), title }
    }
}

/// A digest as it stands: when it began, when it ended, and all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// When the storm began.
    pub started: Timestamp,
    /// When it was calm again.
    pub ended: Option<Timestamp>,
    /// All incidents, page by page.
    pub members: Vec<Member>,
}

impl Overview {
    /// How many stand so.
    pub fn count(&self, of: impl Fn(&Member) -> bool) -> usize {
        self.members.iter().filter(|member| of(member)).count()
    }

    /// The worst of those that nobody has, at most `most`.
    pub fn worst(&self, most: usize) -> Vec<&Member> {
        let mut waiting: Vec<_> = self.members.iter().filter(|member| member.state == State::Triggered).collect();
        waiting.sort_by_key(|member| member.severity.rank());
        waiting.truncate(most);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
    }

    #[test]
    fn a_minute_is_counted_and_then_forgotten() {
        let mut lately = Lately::default();
        for second in 0..30 {
            lately.add(2, at(second));
        }
        assert_eq!(lately.count(at(30)), 60);
        assert_eq!(lately.count(at(59)), 60);
        assert_eq!(lately.count(at(75)), 20);
        assert_eq!(lately.count(at(90)), 0);
        lately.add(1, at(200));
        assert_eq!(lately.0.len(), 1);
    }

    #[test]
    fn a_storm_begins_above_the_rate_and_ends_below_half_of_it() {
        let rate = StormRate { above: 30 };
        assert!(!rate.is_storm(30, false));
        assert!(rate.is_storm(31, false));
        assert!(rate.is_storm(16, true));
        assert!(!rate.is_storm(15, true));
        assert!(!StormRate { above: 0 }.is_storm(u32::MAX, true));
    }
}
