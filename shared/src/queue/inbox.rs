//! Working through a batch.
//!
//! SQS keeps nothing about a message but how often it was received, and a receive says little: the process may have died of this message or of one beside it,
//! or the message may only have stood behind another one. What holds all the same:
//!
//! - From its fourth receive on a job is a *suspect*. It is tried after everything else of its batch is done **and deleted** from the queue, so that if the process
//!   dies of it, it takes nobody along. Every receive is therefore a try, however steady the crowd beside it.
//! - Of several suspects in one batch, the one that was received most often is tried first, being nearest to its end. Before that all of them are told when to
//!   come again, each at a time of its own: if one kills the process, those behind it do not come again beside it.
//! - Nothing is given up only because of what stood before it in its FIFO group: for being received too often, or failing too often, only the head of a group is parked.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry};
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use jiff::Timestamp;

use super::delivery::{Delivery, Failure};
use super::parking::DeadLetters;
use crate::metrics;

/// From this receive on a job is a suspect: it may be what kills the process.
const SUSPECT_FROM: u32 = 4;

/// At this receive, or a later one, a failure parks the job with its reason.
const LAST_FAILURE: u32 = 6;

/// Beyond this receive a job is parked unread: whatever reads it does not live to tell. SQS's own `maxReceiveCount`, 30 in template.yaml, is only the backstop behind it.
const LAST_RECEIVE: u32 = 20;

/// How far apart suspects come again that came together: longer than a mapping takes from one batch to the next.
const APART: Duration = Duration::from_secs(2);

/// How many messages SQS takes at once.
const AT_ONCE: usize = 10;

/// The queue that a function is called with batches of.
#[derive(Debug, Clone)]
pub struct Inbox {
    sqs: Client,
    url: String,
    dead_letters: DeadLetters,
}

/// What became of some messages.
#[derive(Default)]
struct Outcome {
    done: Vec<Delivery>,
    again: Vec<Delivery>,
}

impl Inbox {
    /// The queue at `url`, with its dead letters.
    pub fn new(sqs: Client, url: String, dead_letters: DeadLetters) -> Self {
        Self { sqs, url, dead_letters }
    }

    /// Works through a batch and says which messages have to come again. `deadline`, in milliseconds since 1970, is when Lambda ends the invocation.
    ///
    /// Groups run beside each other; within a group, order is kept: after the first failure the rest of the group is not touched and comes again with it.
    /// A job that panics fails by itself. A job that can never be done is parked and thereby done.
    pub async fn work_through<F, Work>(&self, event: SqsEvent, deadline: u64, work: F) -> SqsBatchResponse
    where
        F: Fn(Delivery) -> Work,
        Work: Future<Output = Result<(), Failure>>,
    {
        let began = Timestamp::now();
        let mut groups: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for delivery in event.records.into_iter().map(Delivery::from) {
            groups.entry(delivery.group.clone()).or_default().push(delivery);
        }
        let (mut suspects, others): (Vec<_>, Vec<_>) = groups.into_values().partition(|group| is_suspect(group));
        let work = &work;
        let outcomes = join_all(others.into_iter().map(|group| self.group(group, Alone::No, work))).await;
        let mut again = Vec::new();
        let mut done = Vec::new();
        for outcome in outcomes {
            done.extend(outcome.done);
            again.extend(outcome.again);
        }
        if !suspects.is_empty() {
            suspects.sort_by_key(|group| Reverse(group.iter().map(|delivery| delivery.receives).max()));
            again.extend(Box::pin(self.suspects(suspects, &done, visibility(began, deadline), work)).await);
        }
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = again.into_iter().map(|delivery| failure(delivery.message_id)).collect();
        response
    }

    /// What may kill the process, one group after the other, once the others are safe; what has to come again.
    async fn suspects<F, Work>(&self, suspects: Vec<Vec<Delivery>>, done: &[Delivery], after: Duration, work: &F) -> Vec<Delivery>
    where
        F: Fn(Delivery) -> Work,
        Work: Future<Output = Result<(), Failure>>,
    {
        let (mut safe, ()) = join(self.delete(done), self.set_apart(&suspects, after)).await;
        let mut again = Vec::new();
        for group in suspects {
            if !safe {
                again.extend(group);
                continue;
            }
            let outcome = self.group(group, Alone::Yes, work).await;
            safe = self.delete(&outcome.done).await;
            again.extend(outcome.again);
        }
        again
    }

    /// The messages of one group, in order.
    async fn group<F, Work>(&self, group: Vec<Delivery>, alone: Alone, work: &F) -> Outcome
    where
        F: Fn(Delivery) -> Work,
        Work: Future<Output = Result<(), Failure>>,
    {
        let mut outcome = Outcome::default();
        let mut rest = group.into_iter();
        let mut is_head = true;
        while let Some(delivery) = rest.next() {
            if !self.is_done(&delivery, is_head, work).await {
                outcome.again.push(delivery);
                break;
            }
            is_head = false;
            // What is done is not taken along by what comes after it.
            if matches!(alone, Alone::Yes) && rest.len() > 0 {
                if !self.delete(std::slice::from_ref(&delivery)).await {
                    break;
                }
            } else {
                outcome.done.push(delivery);
            }
        }
        outcome.again.extend(rest);
        outcome
    }

    /// Whether the job needs to come again no more.
    async fn is_done<F, Work>(&self, delivery: &Delivery, is_head: bool, work: &F) -> bool
    where
        F: Fn(Delivery) -> Work,
        Work: Future<Output = Result<(), Failure>>,
    {
        let (message_id, receives) = (delivery.message_id.as_str(), delivery.receives);
        let failure = if is_head && receives > LAST_RECEIVE {
            Failure::Never(format!("received {receives} times without an outcome: whatever handles it dies or runs out of time"))
        } else {
            match AssertUnwindSafe(work(delivery.clone())).catch_unwind().await {
                Ok(Ok(())) => return true,
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Later("it makes the program panic; the line before this one says where".to_owned()),
            }
        };
        let reason = match failure {
            Failure::Later(reason) if receives < LAST_FAILURE || (!is_head && receives <= LAST_RECEIVE) => {
                metrics::retried();
                tracing::warn!(message_id, receives, reason, outcome = "retried", "job failed, it comes again");
                return false;
            }
            Failure::Never(reason) | Failure::Later(reason) => reason,
        };
        match self.dead_letters.park(delivery, &reason).await {
            Ok(()) => {
                metrics::parked();
                tracing::error!(message_id, receives, reason, outcome = "parked", "job parked on the dead-letter queue");
                true
            }
            Err(error) => {
                metrics::retried();
                tracing::error!(message_id, %error, reason, outcome = "retried", "job could not be parked, it comes again");
                false
            }
        }
    }

    /// Takes what is done off the queue, so that it does not come again whatever happens next; whether that worked. Lambda does the same at the end of the
    /// invocation, and finds them gone.
    async fn delete(&self, done: &[Delivery]) -> bool {
        let mut all_gone = true;
        for some in done.chunks(AT_ONCE) {
            let entries = some.iter().enumerate().filter_map(|(index, delivery)| {
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(&delivery.receipt_handle).build().ok()
            });
            let answer = self.sqs.delete_message_batch().queue_url(&self.url).set_entries(Some(entries.collect())).send().await;
            let why = match answer {
                Ok(answer) if answer.failed.is_empty() => continue,
                Ok(answer) => answer.failed.first().map(|failed| failed.code.clone()).unwrap_or_default(),
                Err(error) => crate::causes(&error),
            };
            tracing::warn!(error = why, "what is done cannot be taken off the queue yet, so what may kill the process is not tried");
            all_gone = false;
        }
        all_gone
    }

    /// Lets suspects come again at different times. Where that fails they come again together, in which case only some of them are tried then.
    async fn set_apart(&self, suspects: &[Vec<Delivery>], after: Duration) {
        let mut entries = Vec::new();
        for (place, group) in suspects.iter().enumerate() {
            let wait = after.saturating_add(APART.saturating_mul(u32::try_from(place).unwrap_or_default()));
            for delivery in group {
                // The whole group together: the head alone would leave the rest locked.
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(entries.len().to_string())
                    .receipt_handle(&delivery.receipt_handle)
                    .visibility_timeout(seconds(wait));
                entries.extend(entry.build().ok());
            }
        }
        // A single one comes again beside nobody anyway.
        if suspects.len() < 2 {
            return;
        }
        for some in entries.chunks(AT_ONCE) {
            let change = self.sqs.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(some.to_vec()));
            if let Err(error) = change.send().await {
                let error = crate::causes(&error);
                tracing::warn!(error, "suspects come again together");
            }
        }
    }
}

/// Whether a group is tried after the others of its batch.
#[derive(Clone, Copy)]
enum Alone {
    Yes,
    No,
}

/// Whether something about this group may be what kills the process. A head that is parked unread kills nobody.
fn is_suspect(group: &[Delivery]) -> bool {
    group.iter().enumerate().any(|(place, delivery)| delivery.receives >= SUSPECT_FROM && (place > 0 || delivery.receives <= LAST_RECEIVE))
}

/// The queue's visibility timeout, as far as a function can tell: six times its own, see template.yaml.
fn visibility(began: Timestamp, deadline: u64) -> Duration {
    let deadline = i64::try_from(deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(began);
    Duration::try_from(deadline.duration_since(began)).unwrap_or_default().saturating_mul(6)
}

/// Whole seconds, rounded up, as many as SQS takes: 12 hours.
fn seconds(wait: Duration) -> i32 {
    i32::try_from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).unwrap_or(i32::MAX).min(43_200)
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}
