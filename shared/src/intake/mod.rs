//! What arrives on the incidents queue becomes intents: first the [`envelope`]s come off, then the table of [`sources`] says whose event it is, and that source's
//! file reads it; what its sender has written beside it ([`attributes`]) counts for more. Pure: no clock, no network; the same message always reads the same.

mod attributes;
mod envelope;
mod event;
mod fields;
mod limits;
mod mask;
mod news;
mod place;
mod sources;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::ids::IntentId;
use crate::domain::intent::Intent;
use crate::watch::Watch;
pub use attributes::NAMES as ATTRIBUTES;
pub use envelope::why_unreadable;
use event::Event;
pub use mask::{MASKED, document as masked_document, text as masked};
use sources::Verdict;

/// A message as SQS delivers it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The text.
    pub body: &'a str,
    /// SQS's id: the same for every delivery of this message.
    pub message_id: &'a str,
    /// Its message attributes, by name; only texts and numbers.
    pub attributes: &'a BTreeMap<String, String>,
    /// When it was put on the queue (`SentTimestamp`).
    pub sent_at: Timestamp,
    /// The present, against which a source's clock is checked.
    pub now: Timestamp,
    /// By what Tocsin's own alarms and notices are known, which are nobody's incidents.
    pub watch: Option<&'a Watch>,
}

/// What was made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// What it comes to.
    pub reading: Reading,
    /// Whose events it carried, one word each: a source of the table in [`sources`], `watch` for what Tocsin says about itself, `unreadable` for what has no event in it.
    pub sources: Vec<&'static str>,
}

/// What a message comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// This is wanted; never empty.
    Intents(Vec<Intent>),
    /// Nothing is wanted, and why.
    Ignored(String),
    /// It belongs on the dead-letter queue with this reason, which never quotes the message.
    Refused(String),
    /// It carries several events, and some of them cannot be read: the intents count, and the message belongs on the dead-letter queue as well.
    Partly {
        /// What the readable ones want.
        intents: Vec<Intent>,
        /// What is wrong with the others.
        reason: String,
    },
}

/// How many reasons of one message are told; the others are like them.
const REASONS_TOLD: usize = 3;

/// Reads one message from the incidents queue.
pub fn read(message: &Message<'_>) -> Read {
    let mut sources = Vec::new();
    let mut intents = Vec::new();
    let mut ignored = Vec::new();
    let mut refused = Vec::new();
    for opened in envelope::open(message) {
        let (source, verdict) = opened.map_or_else(|verdict| ("unreadable", verdict), |event| recognise(&event, message.watch));
        sources.push(source);
        match verdict {
            Verdict::Intents(more) => intents.extend(more),
            Verdict::Ignored(why) => ignored.push(why),
            Verdict::Refused(reason) => refused.push(reason),
        }
    }
    let intents = tell_apart(intents);
    let together = |mut reasons: Vec<String>| {
        let more = reasons.len().saturating_sub(REASONS_TOLD);
        reasons.truncate(REASONS_TOLD);
        let told = reasons.join("; ");
        if more == 0 { told } else { format!("{told}; and {more} more") }
    };
    let reading = match (intents.is_empty(), refused.is_empty()) {
        (false, true) => Reading::Intents(intents),
        (false, false) => Reading::Partly { intents, reason: together(refused) },
        (true, false) => Reading::Refused(together(refused)),
        (true, true) => Reading::Ignored(together(ignored)),
    };
    Read { reading, sources }
}

/// What a message comes to that can only be of our own schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// This is wanted; never empty.
    Intents(Vec<Intent>),
    /// Everything that is wrong with it, each with its place; nothing of it is quoted.
    Refused(Vec<String>),
    /// It is an event of the source that people know by this name, or in an envelope of AWS's.
    Foreign(&'static str),
}

/// Reads one message of our own schema for somebody who waits for an answer. Without a `type` it is a create.
pub fn read_own(message: &Message<'_>) -> Own {
    let mut opened = envelope::open(message);
    let event = match (opened.pop(), opened.pop()) {
        (Some(Ok(event)), None) if !event.came_in_an_envelope() => event,
        (Some(Err(Verdict::Refused(reason))), None) => return Own::Refused(vec![reason]),
        _ => return Own::Foreign("AWS"),
    };
    match sources::foreign(&event) {
        Some(name) => Own::Foreign(name),
        None => sources::own(&event).map_or_else(Own::Refused, |intents| Own::Intents(tell_apart(intents))),
    }
}

fn recognise(event: &Event, watch: Option<&Watch>) -> (&'static str, Verdict) {
    if watch.is_some_and(|watch| says_about_itself(event, watch)) {
        return (
            "watch",
            Verdict::Ignored("Tocsin says this about itself; as an incident it would call for the very thing that is broken".to_owned()),
        );
    }
    let (word, verdict) = sources::read(event);
    let verdict = match verdict {
        Verdict::Intents(intents) => Verdict::Intents(attributes::heeded(intents, &event.attributes, sources::is_own(word))),
        Verdict::Ignored(_) | Verdict::Refused(_) => verdict,
    };
    (word, verdict)
}

/// Whether this is one of Tocsin's own alarms or notices.
fn says_about_itself(event: &Event, watch: &Watch) -> bool {
    sources::alarm_arn(event).is_some_and(|arn| watch.is_own_alarm(&arn)) || event.sns.as_ref().is_some_and(|sns| sns.is_from(watch))
}

/// Different wishes in one message get different ids even where their source gave all of them the same one; the same wish twice is one.
fn tell_apart(intents: Vec<Intent>) -> Vec<Intent> {
    let mut seen: BTreeMap<String, Vec<Intent>> = BTreeMap::new();
    let mut apart = Vec::with_capacity(intents.len());
    for mut intent in intents {
        let same = seen.entry(intent.id.as_str().to_owned()).or_default();
        if same.contains(&intent) {
            continue;
        }
        same.push(intent.clone());
        if same.len() > 1 {
            intent.id = IntentId::of("again", &[intent.id.as_str(), &same.len().to_string()]);
        }
        apart.push(intent);
    }
    apart
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
