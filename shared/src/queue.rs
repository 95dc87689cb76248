//! SQS: what is sent, how a batch is worked through, and where a job goes that nobody can do.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, IntentId, Workspace};
use crate::domain::intent::Job;

/// The version written into every message. A function reads this one and the one before, so that a deployment in mid-flight loses nothing; this is the first.
pub const VERSION: u32 = 1;

/// From this receive on a job is handled by itself: it may be what kills the process, and must not take others along.
const ALONE_FROM: u32 = 4;

/// At this receive, or a later one, a failure parks the job with its reason.
const LAST_FAILURE: u32 = 6;

/// Beyond this receive a job is parked unread: whatever reads it does not live to tell. Being put off until it comes alone costs a receive too, so this leaves room for a
/// whole batch of suspects to be tried one by one. SQS's own `maxReceiveCount`, 30 in template.yaml, is only the backstop behind it.
const LAST_RECEIVE: u32 = 20;

/// What can stand on a FIFO queue of ours.
pub trait Message: Serialize + DeserializeOwned {
    /// Messages of one group are worked off one after the other.
    fn group(&self) -> String;
    /// SQS drops a message with the same id for five minutes; what comes later, the receiver recognises.
    fn deduplication(&self) -> String;
}

impl Message for Job {
    fn group(&self) -> String {
        Self::group(self)
    }

    fn deduplication(&self) -> String {
        self.id().as_str().to_owned()
    }
}

/// Wakes the poster of one channel. What is due there stands in the store; this only says that something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// The installation.
    pub workspace: Workspace,
    /// The channel, as it was routed.
    pub channel: Channel,
    /// Whose doing it is: the same intent wakes a channel once in five minutes.
    pub because: IntentId,
    /// A post that was parked and is to be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpark: Option<String>,
}

impl Message for Wake {
    fn group(&self) -> String {
        IntentId::of("channel", &[self.workspace.as_str(), self.channel.as_str()]).as_str().to_owned()
    }

    fn deduplication(&self) -> String {
        let unpark = self.unpark.as_deref().unwrap_or_default();
        IntentId::of("wake", &[self.workspace.as_str(), self.channel.as_str(), self.because.as_str(), unpark]).as_str().to_owned()
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    version: u32,
    message: T,
}

/// A message of ours that cannot be read: the reason, without its text.
#[derive(Debug, thiserror::Error)]
#[error("unreadable message: {0}")]
pub struct Unreadable(String);

/// The text that travels.
pub fn seal<T: Message>(message: &T) -> Result<String, SendFailed> {
    let envelope = Envelope { version: VERSION, message };
    let text = serde_json::to_string(&envelope).map_err(|error| SendFailed(format!("the message cannot be written as JSON: {error}")))?;
    // Two characters that people can type and SQS refuses; JSON can write them differently.
    Ok(text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
}

/// Reads what [`seal`] wrote.
pub fn open<T: Message>(body: &str) -> Result<T, Unreadable> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    // The category and the place of a mistake, never serde's own words: those may quote a value.
    let unreadable =
        |what: &str, error: &serde_json::Error| Unreadable(format!("{what} (line {}, column {})", error.line(), error.column()));
    let Version { version } = serde_json::from_str(body).map_err(|error| unreadable("not JSON with a version", &error))?;
    if version != VERSION {
        return Err(Unreadable(format!("version {version}; this function reads version {VERSION}")));
    }
    let envelope: Envelope<T> = serde_json::from_str(body).map_err(|error| unreadable("not the expected fields", &error))?;
    Ok(envelope.message)
}

/// SQS did not take a message. Trying again helps.
#[derive(Debug, thiserror::Error)]
#[error("SQS did not take the message: {0}")]
pub struct SendFailed(String);

impl SendFailed {
    fn from_sdk<E: std::error::Error>(error: &E) -> Self {
        Self(crate::causes(error))
    }
}

/// A FIFO queue of ours, for sending.
#[derive(Debug, Clone)]
pub struct Sender {
    sqs: Client,
    url: String,
}

impl Sender {
    /// Sends to the queue at `url`.
    pub fn new(sqs: Client, url: String) -> Self {
        Self { sqs, url }
    }

    /// Puts one message on the queue; when this returns `Ok`, it is safe.
    pub async fn send<T: Message>(&self, message: &T) -> Result<(), SendFailed> {
        self.sqs
            .send_message()
            .queue_url(&self.url)
            .message_group_id(message.group())
            .message_deduplication_id(message.deduplication())
            .message_body(seal(message)?)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| SendFailed::from_sdk(&error))
    }

    /// Opens the connection before anybody waits for it, with a message that a FIFO queue cannot take: it has no group. The call is one that the
    /// function may make anyway, so nothing has to be permitted for it.
    pub async fn warm(&self) {
        // An answer of any kind has opened the connection; a failure shows at the first send, with its own words.
        let _ = self.sqs.send_message().queue_url(&self.url).message_body("warm").send().await;
    }
}

/// Why a job was not done.
#[derive(Debug)]
pub enum Failure {
    /// It can never be done: it belongs on the dead-letter queue with this reason.
    Never(String),
    /// Not now: the queue delivers it again after its visibility timeout.
    Later(String),
}

impl Failure {
    /// A failure that trying again may cure.
    pub fn later(error: &dyn std::error::Error) -> Self {
        Self::Later(crate::causes(error))
    }
}

impl From<SendFailed> for Failure {
    fn from(error: SendFailed) -> Self {
        Self::later(&error)
    }
}

/// A message as it came off its queue.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// SQS's id: the same for every delivery of the message.
    pub message_id: String,
    /// For deleting it, or changing when it comes again.
    pub receipt_handle: String,
    /// The text.
    pub body: String,
    /// When it was sent, in milliseconds since 1970.
    pub sent_at_ms: i64,
    /// How often it has come, this time included.
    pub receives: u32,
    /// The FIFO group; on a standard queue every message is a group of its own.
    pub group: String,
}

impl From<SqsMessage> for Delivery {
    fn from(message: SqsMessage) -> Self {
        let attribute = |name: &str| message.attributes.get(name).cloned();
        let message_id = message.message_id.unwrap_or_default();
        Self {
            receipt_handle: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            sent_at_ms: attribute("SentTimestamp").and_then(|value| value.parse().ok()).unwrap_or_default(),
            receives: attribute("ApproximateReceiveCount").and_then(|value| value.parse().ok()).unwrap_or(1),
            group: attribute("MessageGroupId").unwrap_or_else(|| message_id.clone()),
            message_id,
        }
    }
}

/// The dead-letter queue, as far as we put things there ourselves, with a reason. (What kills its process, SQS moves there after `maxReceiveCount`.)
#[derive(Debug, Clone)]
pub struct DeadLetters {
    sqs: Client,
    url: String,
    fifo: bool,
}

impl DeadLetters {
    /// The queue at `url`, standard or FIFO: the name of a FIFO queue ends in `.fifo`, always in small letters.
    pub fn new(sqs: Client, url: String) -> Self {
        let fifo = url.strip_suffix(".fifo").is_some();
        Self { sqs, url, fifo }
    }

    /// Puts a job there as it came, with `reason` and where it came from as message attributes. `reason` never quotes the body.
    pub async fn park(&self, delivery: &Delivery, reason: &str) -> Result<(), SendFailed> {
        let text = |value: &str| {
            let value = if value.is_empty() { "unknown" } else { value };
            MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(|error| SendFailed::from_sdk(&error))
        };
        self.sqs
            .send_message()
            .queue_url(&self.url)
            .set_message_group_id(self.fifo.then(|| delivery.group.clone()))
            .set_message_deduplication_id(self.fifo.then(|| IntentId::of("parked", &[&delivery.message_id]).as_str().to_owned()))
            .message_attributes("Reason", text(reason)?)
            .message_attributes("MessageId", text(&delivery.message_id)?)
            .message_attributes("Receives", text(&delivery.receives.to_string())?)
            .message_body(&delivery.body)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| SendFailed::from_sdk(&error))
    }
}

/// Works through a batch and says which messages have to come again.
///
/// Groups run beside each other; within a group, order is kept: after the first failure the rest of the group is not touched and comes again with it.
/// A job that panics fails by itself. A job that can never be done is parked and thereby done.
pub async fn work_through<F, Work>(event: SqsEvent, dead_letters: &DeadLetters, work: F) -> SqsBatchResponse
where
    F: Fn(Delivery) -> Work,
    Work: Future<Output = Result<(), Failure>>,
{
    let mut groups: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    let mut later: Vec<Delivery> = Vec::new();
    let deliveries: Vec<Delivery> = event.records.into_iter().map(Delivery::from).collect();
    let crowd = deliveries.len() > 1;
    for delivery in deliveries {
        groups.entry(delivery.group.clone()).or_default().push(delivery);
    }
    if crowd {
        // A suspect waits until it comes in a batch of its own: everything else first, and of several suspects' groups only one.
        let suspect = |group: &Vec<Delivery>| group.iter().any(|delivery| (ALONE_FROM..=LAST_RECEIVE).contains(&delivery.receives));
        let (suspects, innocent): (BTreeMap<_, _>, BTreeMap<_, _>) = groups.into_iter().partition(|(_, group)| suspect(group));
        let mut suspects = suspects.into_iter();
        groups = if innocent.is_empty() { suspects.by_ref().take(1).collect() } else { innocent };
        later.extend(suspects.flat_map(|(_, group)| group));
    }
    let work = &work;
    let failed = join_all(groups.into_values().map(|group| async move {
        let mut group = group.into_iter();
        for delivery in group.by_ref() {
            let id = delivery.message_id.clone();
            if !done(delivery, dead_letters, work).await {
                return std::iter::once(id).chain(group.map(|rest| rest.message_id)).collect();
            }
        }
        Vec::new()
    }))
    .await;
    let failed = failed.into_iter().flatten().chain(later.into_iter().map(|delivery| delivery.message_id));
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed
        .map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
}

/// Whether the job needs to come again no more.
async fn done<F, Work>(delivery: Delivery, dead_letters: &DeadLetters, work: &F) -> bool
where
    F: Fn(Delivery) -> Work,
    Work: Future<Output = Result<(), Failure>>,
{
    let kept = delivery.clone();
    let failure = if delivery.receives > LAST_RECEIVE {
        Failure::Never(format!("received {} times without an outcome: whatever handles it dies or runs out of time", delivery.receives))
    } else {
        match AssertUnwindSafe(work(delivery)).catch_unwind().await {
            Ok(Ok(())) => return true,
            Ok(Err(failure)) => failure,
            Err(_) => Failure::Later("it makes the program panic; the line before this one says where".to_owned()),
        }
    };
    let reason = match failure {
        Failure::Later(reason) if kept.receives < LAST_FAILURE => {
            tracing::warn!(
                message_id = kept.message_id,
                receives = kept.receives,
                reason,
                outcome = "retried",
                "job failed, it comes again"
            );
            return false;
        }
        Failure::Never(reason) | Failure::Later(reason) => reason,
    };
    match dead_letters.park(&kept, &reason).await {
        Ok(()) => {
            tracing::error!(
                message_id = kept.message_id,
                receives = kept.receives,
                reason,
                outcome = "parked",
                "job parked on the dead-letter queue"
            );
            true
        }
        Err(error) => {
            tracing::error!(message_id = kept.message_id, %error, reason, outcome = "retried", "job could not be parked, it comes again");
            false
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never(reason) | Self::Later(reason) => f.write_str(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sqs_refuses_travels_escaped_and_arrives_as_it_was() {
        let wake = Wake {
            workspace: Workspace::new("T1"),
            channel: Channel::new("a\u{fffe}b\u{ffff}c"),
            because: IntentId::of("test", &[]),
            unpark: None,
        };
        let text = seal(&wake).expect("a text");
        assert!(!text.contains(['\u{fffe}', '\u{ffff}']));
        assert_eq!(open::<Wake>(&text).expect("a wake"), wake);
    }
}
