//! Who is told what happens to incidents.

use super::calls::endpoint_named;
use super::read::matching;
use super::section::{Section, listed};
use crate::domain::call::{Endpoint, Subscriber};
use crate::domain::timeline::Heading;

pub(super) fn subscribers(document: &mut Section<'_, '_>, endpoints: &[Endpoint]) -> Vec<Subscriber> {
    let sections = document.sections("subscribers", 0).into_iter();
    sections.filter_map(|section| section.read(|section| subscriber(section, endpoints))).collect()
}

fn subscriber(section: &mut Section<'_, '_>, endpoints: &[Endpoint]) -> Option<Subscriber> {
    let endpoint = endpoint_named(section, "endpoint", endpoints);
    let events = events(section);
    let matches = section.section("match").map(|section| section.read(matching));
    // A rule that could not be read is no rule for everything.
    let matches = match matches {
        None => None,
        Some(None) => return None,
        Some(found) => found,
    };
    Some(Subscriber { endpoint: endpoint?, events, matches })
}

fn events(section: &mut Section<'_, '_>) -> Vec<Heading> {
    let mut events = Vec::new();
    // A list with nothing in it would mean everything.
    for word in section.texts("events", 1).unwrap_or_default() {
        if let Some(heading) = Heading::ALL.into_iter().find(|heading| heading.word() == word.value) {
            events.push(heading);
        } else {
            let words = listed(Heading::ALL.into_iter().map(Heading::word));
            section.wrong_at(&word, format!("nothing is told by the name of `{}`. There is: {words}", word.value));
        }
    }
    events
}
