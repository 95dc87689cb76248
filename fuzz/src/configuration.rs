//! Any document is read or refused, and with whatever is read every incident has a place to go.

use jiff::Timestamp;
use shared::domain::configuration::{self, Configuration};
use shared::domain::flapping::Begun;
use shared::domain::routing::Match;
use shared::domain::severity::Severity;

/// The bytes are the document.
pub fn check(input: &[u8]) {
    let document = String::from_utf8_lossy(input);
    let configuration = match configuration::read(&document) {
        Ok(configuration) => configuration,
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused without a reason");
            let lines = document.lines().count() + 1;
            assert!(
                mistakes.iter().all(|mistake| (1..=lines).contains(&mistake.line) && !mistake.what.is_empty()),
                "a mistake without its place"
            );
            return;
        }
    };
    let Configuration { storm, flapping, routing, rotations, policies, snooze, .. } = configuration;
    assert!(!snooze.is_empty(), "nothing to choose from");
    for rotation in &rotations {
        for at in [Timestamp::MIN, crate::now(), Timestamp::MAX] {
            rotation.on_call(at, &[]);
        }
    }
    for policy in &policies {
        let mut next = policy.begin(crate::now());
        let mut steps = 0;
        while let Some(step) = next {
            next = policy.next(&step, crate::now());
            steps += 1;
        }
        assert!(steps >= 1 && steps <= policy.steps.len() * (usize::from(policy.repeat) + 1), "a policy that never ends, or never begins");
    }
    let begun = [Timestamp::MIN, crate::now(), Timestamp::MAX].into_iter().fold(Begun::default(), |begun, at| begun.and(at));
    for at in [Timestamp::MIN, crate::now(), Timestamp::MAX] {
        let flaps = flapping.is_flapping(&begun, at);
        assert!(flapping.times > 0 || !flaps, "with 0, nothing is flapping");
        let mut held = flapping.hold(at);
        held.recover(at);
        held.settled(at, Timestamp::MAX);
    }
    assert!(storm.above > 0 || !storm.is_storm(u32::MAX, true), "with 0, there is no storm");
    let Some(routing) = routing else { return };
    let named = routing.rules.iter().filter_map(|rule| match &rule.matches {
        Match::Service(name) | Match::Kind(name) => Some(name.as_str()),
        Match::Severity(_) => None,
    });
    for name in named.map(Some).chain([None]) {
        for severity in Severity::ALL {
            assert!(!routing.targets(name, name, severity).is_empty(), "an incident without a place to go");
        }
    }
}
