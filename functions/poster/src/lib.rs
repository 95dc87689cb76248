//! Brings Slack up to date. A message only says that something is due in a channel; [`channel`] works that off, [`post`] does one post, after [`look_up`] has found out
//! what became of an earlier attempt; [`setback`] is what it means that it failed; [`storm`] is what happens when there are too many, and [`voice`] through what a channel is spoken to.
//!
//! A channel that has to wait (for Slack's rates, for another poster's attempt) is put back on the queue for just that long: all its messages of the batch get the same
//! visibility, since the head alone would leave the rest locked. Channels of one batch run beside each other, so none waits for another.

mod channel;
mod look_up;
mod post;
mod setback;
mod storm;
mod voice;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::aws::{self, Patience};
use shared::config::{self, ConfigError};
use shared::domain::ids::{Channel, IntentId, Workspace};
use shared::fallback::Fallback;
use shared::http::Unbuildable;
use shared::installation::Installations;
use shared::metrics;
use shared::queue::{self, DeadLetters, Delivery, SendFailed, Unreadable, Wake};
use shared::slack::client::Client;
use shared::store::Store;
use url::Url;

use channel::Rest;

/// What an attempt has for itself beyond its call to Slack: so long after the mark the call may begin, and so long before the lease ends it is over.
const MARGIN: Duration = Duration::from_secs(1);

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    store: Store,
    sqs: aws_sdk_sqs::Client,
    posts_url: String,
    dead_letters: DeadLetters,
    installations: Installations,
    fallback: Fallback,
    slack_api: Url,
    slack_hooks: Url,
    /// The longest that one call to Slack may take; shorter where the function itself has less time.
    slack_timeout: Duration,
    uncertain: Uncertain,
    updates_per_minute: u32,
}

/// What happens to a message that may have been posted, where it cannot be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uncertain {
    /// It is posted again: at least once.
    Again,
    /// It is parked: at most once, until an operator puts it back.
    Park,
}

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] ConfigError);

/// One invocation: who it is and how long it may take.
#[derive(Debug)]
struct Turn {
    owner: String,
    deadline: Timestamp,
    client: Client,
    slack_timeout: Duration,
    /// How soon after the mark of an attempt the call to Slack has to begin.
    head_start: Duration,
    /// How long an attempt has for itself: longer than its call may take, so that whoever comes after it looks at what is there for good.
    lease: Duration,
}

impl Turn {
    /// Whether there is time for one more call to Slack, and for writing down what came of it.
    fn has_time(&self) -> bool {
        let left = self.deadline.duration_since(Timestamp::now());
        left > SignedDuration::try_from(self.slack_timeout).unwrap_or(SignedDuration::MAX) + SignedDuration::from_secs(1)
    }

    /// Where that time is over, the channel is the next invocation's.
    fn in_time(&self) -> Result<(), Rest> {
        let over = || Rest::Wait { wait: Duration::ZERO, why: "this invocation's time is over".to_owned() };
        self.has_time().then_some(()).ok_or_else(over)
    }
}

impl App {
    /// Reads the environment and gets ready.
    pub fn start() -> Result<Self, StartError> {
        let aws = aws::sdk_config(Patience::BACKGROUND)?;
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), config::required("TABLE_NAME")?);
        Ok(Self {
            installations: Installations::start(&aws, store.clone())?,
            fallback: Fallback::start(&aws)?,
            store,
            posts_url: config::required("POSTS_QUEUE_URL")?,
            dead_letters: DeadLetters::new(sqs.clone(), config::required("DEAD_LETTERS_QUEUE_URL")?),
            sqs,
            slack_api: config::base_url("SLACK_API_URL")?,
            slack_hooks: config::base_url("SLACK_HOOKS_URL")?,
            slack_timeout: Duration::from_secs(config::number("SLACK_TIMEOUT")?),
            uncertain: match config::required("UNCERTAIN_POSTS")?.as_str() {
                "again" => Uncertain::Again,
                "park" => Uncertain::Park,
                _ => return Err(ConfigError::Unusable { name: "UNCERTAIN_POSTS", expected: "`again` or `park`" }.into()),
            },
            updates_per_minute: config::number("UPDATES_PER_MINUTE")?,
        })
    }

    /// One batch of `posts.fifo`. `owner` is the invocation's id, `deadline` in milliseconds since 1970 is when Lambda ends it.
    pub async fn handle(&self, event: SqsEvent, owner: &str, deadline: u64) -> Result<SqsBatchResponse, Unbuildable> {
        let deadline = i64::try_from(deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
        let whole = Duration::try_from(deadline.duration_since(Timestamp::now())).unwrap_or_default();
        let slack_timeout = self.slack_timeout.min(whole / 3);
        // A client of its own, so that no connection outlives the invocation.
        let client = Client::new(self.slack_api.clone(), slack_timeout)?;
        let lease = self.slack_timeout + 2 * MARGIN;
        let turn = Turn { owner: owner.to_owned(), deadline, client, slack_timeout, head_start: MARGIN, lease };
        let mut groups: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for delivery in event.records.into_iter().map(Delivery::from) {
            groups.entry(delivery.group.clone()).or_default().push(delivery);
        }
        let again = join_all(groups.into_values().map(|group| self.group(&turn, group))).await;
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = again.into_iter().flatten().map(failure).collect();
        Ok(response)
    }

    /// One channel's messages: the ids of those that have to come again.
    async fn group(&self, turn: &Turn, group: Vec<Delivery>) -> Vec<String> {
        let (mut wakes, mut again) = (Vec::new(), Vec::new());
        for delivery in &group {
            match queue::open::<Wake>(&delivery.body) {
                Ok(wake) => wakes.push((wake, delivery)),
                Err(unreadable @ Unreadable::Newer(_)) => {
                    tracing::warn!(message_id = delivery.message_id, reason = %unreadable, outcome = "retried", "it comes again");
                    again.push(delivery.message_id.clone());
                }
                Err(unreadable @ Unreadable::Broken(_)) => {
                    if let Err(error) = self.park(delivery, &unreadable.to_string()).await {
                        tracing::error!(%error, message_id = delivery.message_id, outcome = "retried", "a message could not be parked");
                        return ids(group.iter());
                    }
                }
            }
        }
        again.extend(self.woken(turn, &wakes).await);
        again
    }

    /// One channel's wakes: the ids of those that have to come again, which is all or none of them.
    async fn woken(&self, turn: &Turn, wakes: &[(Wake, &Delivery)]) -> Vec<String> {
        let Some((first, delivery)) = wakes.first() else { return Vec::new() };
        let readable: Vec<&Delivery> = wakes.iter().map(|(_, delivery)| *delivery).collect();
        let unpark: Vec<(&str, &IntentId)> = wakes.iter().filter_map(|(wake, _)| Some((wake.unpark.as_deref()?, &wake.because))).collect();
        let work = AssertUnwindSafe(self.work_channel(turn, &first.workspace, &first.channel, &unpark)).catch_unwind().await;
        let rest = work.unwrap_or_else(|_| Rest::Wait { wait: Duration::from_secs(30), why: "it made the program panic".to_owned() });
        match rest {
            Rest::Nothing => Vec::new(),
            Rest::Wait { wait, why } => {
                let (channel, seconds) = (first.channel.as_str(), wait.as_secs());
                metrics::post(metrics::Post::Waiting);
                tracing::info!(workspace = first.workspace.as_str(), channel, seconds, why, outcome = "waiting", "channel put back");
                self.put_back(&readable, wait).await;
                ids(readable)
            }
            Rest::Park(reason) => {
                // What is due stays due; one message stands for it on the dead-letter queue, and putting that back posts everything.
                match self.park(delivery, &reason).await {
                    Ok(()) => {
                        self.tell(&first.workspace, &first.channel, "Nothing can be posted there", &reason).await;
                        Vec::new()
                    }
                    Err(error) => {
                        tracing::error!(%error, reason, outcome = "retried", "a channel could not be parked");
                        ids(readable)
                    }
                }
            }
        }
    }

    async fn park(&self, delivery: &Delivery, reason: &str) -> Result<(), SendFailed> {
        self.dead_letters.park(delivery, reason).await?;
        metrics::post(metrics::Post::Parked);
        metrics::parked();
        tracing::error!(message_id = delivery.message_id, reason, outcome = "parked", "parked on the dead-letter queue");
        Ok(())
    }

    /// Tells those whom Slack cannot reach: what is the matter in a channel, and what to do about it.
    async fn tell(&self, workspace: &Workspace, channel: &Channel, what: &str, reason: &str) {
        let text = format!(
            "{what}: {reason}\n\nWorkspace {workspace}, channel {channel}. What waits stands on the dead-letter queue of the posts queue; put it back once this is mended."
        );
        self.fallback.notify(&format!("Tocsin cannot post to {channel}"), &format!("{workspace} {what}"), &text).await;
    }

    /// Makes the messages come again after `wait`, all together. Where that fails they come again after the queue's visibility timeout.
    async fn put_back(&self, group: &[&Delivery], wait: Duration) {
        // Whole seconds, rounded up: never before Slack's time. SQS takes at most 12 hours.
        let seconds = i32::try_from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).unwrap_or(i32::MAX).min(43_200);
        let entries: Vec<_> = group
            .iter()
            .enumerate()
            .filter_map(|(index, delivery)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&delivery.receipt_handle)
                    .visibility_timeout(seconds)
                    .build()
                    .ok()
            })
            .collect();
        let answer = self.sqs.change_message_visibility_batch().queue_url(&self.posts_url).set_entries(Some(entries)).send().await;
        let error = match &answer {
            Ok(answer) => answer.failed().first().map(|failed| failed.message().unwrap_or_else(|| failed.code()).to_owned()),
            Err(error) => Some(shared::causes(error)),
        };
        if let Some(error) = error {
            tracing::warn!(error, "messages come again only after the queue's visibility timeout");
        }
    }
}

fn ids<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Vec<String> {
    deliveries.into_iter().map(|delivery| delivery.message_id.clone()).collect()
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}
