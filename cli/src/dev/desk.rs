//! Hands an envelope over, and tells what became of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::message::Envelope;
use super::receivers::{Answer, Receivers};
use super::said::{self, Said};
use crate::output::Output;

/// Where envelopes come in.
pub(super) struct Desk {
    receivers: Receivers,
    output: Output,
    under_way: AtomicUsize,
}

/// An envelope that its function has seen.
#[derive(Debug)]
pub(super) struct Handled {
    envelope: Envelope,
    answer: Answer,
    took: Duration,
}

impl Desk {
    pub(super) fn new(receivers: Receivers, output: Output) -> Self {
        Self { receivers, output, under_way: AtomicUsize::new(0) }
    }

    /// Asks the function.
    pub(super) async fn handle(&self, envelope: Envelope) -> Handled {
        let began = Instant::now();
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let answer = self.receivers.ask(&envelope).await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        Handled { envelope, answer, took: began.elapsed() }
    }

    /// How many are being asked at this moment.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Says something on the terminal.
    pub(super) fn tell(&self, said: &Said<'_>) -> Result<()> {
        said::tell(self.output, said)
    }

    /// Says what became of an envelope. `sent` is whether the acknowledgement reached Slack.
    pub(super) fn tell_handled(&self, handled: &Handled, sent: bool) -> Result<()> {
        let status = match handled.answer {
            Answer::Taken(_) => Some(200),
            Answer::Refused(status) => Some(status),
            Answer::Late | Answer::Unreachable(_) => None,
        };
        self.tell(&Said::Envelope {
            what: &handled.envelope.what(),
            envelope: handled.envelope.kind,
            retry: handled.envelope.retry.filter(|number| *number > 0),
            ms: handled.took.as_millis(),
            status,
            answered: handled.payload().is_some(),
            acknowledged: sent,
            why: handled.hindrance(sent),
        })
    }
}

impl Handled {
    /// What is said to Slack; nothing where the function did not take it, so that Slack tries again or tells the person.
    pub(super) fn acknowledgement(&self) -> Option<String> {
        let Answer::Taken(_) = self.answer else { return None };
        let mut said = json!({ "envelope_id": self.envelope.id });
        if let Some(payload) = self.payload() {
            said["payload"] = payload.clone();
        }
        Some(said.to_string())
    }

    fn payload(&self) -> Option<&Value> {
        let Answer::Taken(Some(payload)) = &self.answer else { return None };
        self.envelope.takes_answer.then_some(payload)
    }

    /// Why Slack does not know that it was taken.
    fn hindrance(&self, sent: bool) -> Option<String> {
        match &self.answer {
            Answer::Taken(_) if sent => None,
            Answer::Taken(_) => Some("the connection was gone before it could be acknowledged".to_owned()),
            Answer::Refused(401) => {
                Some("the function does not believe it: it reads another signing secret than the stack's, or its clock is off".to_owned())
            }
            Answer::Refused(status) => Some(format!("the function answers {status}")),
            Answer::Late => Some("no answer within the three seconds that Slack waits".to_owned()),
            Answer::Unreachable(why) => Some(why.clone()),
        }
    }
}
