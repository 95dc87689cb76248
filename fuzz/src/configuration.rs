//! Any document is read or refused, and with whatever is read every incident has a place to go.

use jiff::Timestamp;
use shared::domain::configuration::Configuration;
use shared::domain::flapping::Begun;
use shared::domain::routing::Match;
use shared::domain::severity::Severity;

/// The bytes are the document.
pub fn check(input: &[u8]) {
    let document = String::from_utf8_lossy(input);
    let Ok(Configuration { thread: _, storm, flapping, routing }) = toml::from_str::<Configuration>(&document) else { return };
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
