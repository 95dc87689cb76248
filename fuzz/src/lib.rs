//! What holds for every input: a target takes bytes, makes of them what may come from outside, and panics where a promise is broken. `make fuzz` looks for such bytes;
//! the tests try every seed.
//!
//! Reading order: [`ingress`] and [`receivers`] are what Slack sends, [`messages`] what is dropped on the queue, [`render`] what is shown of it,
//! [`configuration`] what a workspace sets; [`seeds`] is what the search begins with.
#![expect(clippy::missing_panics_doc, reason = "a target panics where a promise is broken; that is all it does")]
#![expect(clippy::expect_used, reason = "a promise that is broken ends the run, with the words that say which")]

pub mod configuration;
pub mod ingress;
pub mod messages;
pub mod receivers;
pub mod render;
pub mod seeds;
mod story;
mod wire;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::intent::{Actor, Intent, Job, Target};
use shared::queue::message::{Message, open, seal};
use shared::render::limits;

/// What one intent may take on the queue and in the table.
const INTENT: usize = 64 * 1024;

/// One of our messages on a queue: SQS takes it, and it arrives as it was.
fn travels(job: &Job) {
    let sealed = seal(job).expect("a job can be written");
    assert!(sealed.chars().all(sqs_takes), "SQS takes every character");
    assert_eq!(&open::<Job>(&sealed).expect("what was written can be read"), job, "a job arrives as it was");
    for name in [job.group(), job.deduplication()] {
        let plain = name.bytes().all(|byte| byte.is_ascii_graphic());
        assert!((1..=128).contains(&name.len()) && plain, "{name} is no name that SQS takes");
    }
    if let Job::Intent(intent) = job {
        let said = what_is_said(intent);
        assert!(said <= INTENT, "{said} bytes are more than one intent may say");
    }
}

/// How much an intent says, without what names whom and what: ids are given by Slack, who keeps them short.
fn what_is_said(intent: &Intent) -> usize {
    let by = Actor::Source(String::new());
    let bare = Intent { workspace: None, by, target: Target::New, reply: None, ..intent.clone() };
    serde_json::to_string(&bare).expect("an intent can be written").len()
}

/// The characters of a message, by SQS's reference: those of XML 1.0.
fn sqs_takes(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// What is sent to Slack is within its limits; as it is sent.
fn fits(what: &str, message: &impl Serialize) -> serde_json::Value {
    let sent = serde_json::to_value(message).expect("a message can be written");
    let broken = limits::check(&sent);
    assert!(broken.is_empty(), "{what}: {broken:?}");
    sent
}

/// The present of all targets that have one: the same input always does the same.
fn now() -> Timestamp {
    Timestamp::from_second(1_768_446_120).expect("a time")
}
