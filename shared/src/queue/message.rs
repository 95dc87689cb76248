//! Typed, versioned messages, and the queue they are put on.

use std::cmp::Ordering;
use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::delivery::Failure;
use crate::domain::call::Call;
use crate::domain::ids::{Channel, IncidentId, IntentId, Workspace};
use crate::domain::intent::Job;

/// The version written into every message. A function reads this one and the one before, and leaves what is newer on its queue for the function that is being deployed, so that a
/// deployment in mid-flight and a rollback lose nothing; this is the first. Whoever raises it has [`open`] go on reading the one before. A field that is added, and that may be missing, needs no new version.
pub const VERSION: u32 = 1;

/// How many messages SQS takes at once. Ten intents of 64 KB are below what it takes in bytes, 1 MiB.
const BATCH: usize = 10;

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

/// An entry was written to a timeline, and systems outside are to hear of it. What it says stands in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The installation.
    pub workspace: Workspace,
    /// The incident.
    pub incident: IncidentId,
    /// When it happened, which is a part of the entry's place.
    pub at: Timestamp,
    /// The intent that did it, which is the other part.
    pub entry: IntentId,
    /// See [`Told::unseen`](crate::domain::timeline::Told::unseen).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
}

impl Message for Written {
    fn group(&self) -> String {
        IntentId::of("timeline", &[self.workspace.as_str(), self.incident.as_str()]).as_str().to_owned()
    }

    fn deduplication(&self) -> String {
        let parts = [self.workspace.as_str(), self.incident.as_str(), self.entry.as_str(), "unseen"];
        IntentId::of("written", if self.unseen { &parts } else { &parts[..3] }).as_str().to_owned()
    }
}

impl Message for Call {
    fn group(&self) -> String {
        Self::group(self).as_str().to_owned()
    }

    fn deduplication(&self) -> String {
        self.id.as_str().to_owned()
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    version: u32,
    message: T,
}

/// Whether a newer version of this program sealed this text.
pub fn is_newer(text: &str) -> bool {
    serde_json::from_str::<Envelope<IgnoredAny>>(text).is_ok_and(|envelope| envelope.version > VERSION)
}

/// A message of ours that cannot be read: the reason, without its text.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A newer function wrote it, while all of them are being deployed or after a rollback: it waits for one that reads it.
    #[error("unreadable message: version {0}; this function reads version {VERSION}")]
    Newer(u32),
    /// Nothing that a function of ours ever wrote, or nothing that one reads any more.
    #[error("unreadable message: {0}")]
    Broken(String),
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Newer(_) => Self::later(&unreadable),
            Unreadable::Broken(_) => Self::Never(unreadable.to_string()),
        }
    }
}

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
        |what: &str, error: &serde_json::Error| Unreadable::Broken(format!("{what} (line {}, column {})", error.line(), error.column()));
    let Version { version } = serde_json::from_str(body).map_err(|error| unreadable("not JSON with a version", &error))?;
    match version.cmp(&VERSION) {
        Ordering::Greater => return Err(Unreadable::Newer(version)),
        Ordering::Less => return Err(Unreadable::Broken(format!("version {version}; this function reads version {VERSION}"))),
        Ordering::Equal => {}
    }
    let envelope: Envelope<T> = serde_json::from_str(body).map_err(|error| unreadable("not the expected fields", &error))?;
    Ok(envelope.message)
}

/// SQS did not take a message. Trying again helps.
#[derive(Debug, thiserror::Error)]
#[error("SQS did not take the message: {0}")]
pub struct SendFailed(String);

impl SendFailed {
    pub(super) fn from_sdk<E: std::error::Error>(error: &E) -> Self {
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

    /// Puts messages on the queue in their order, ten with each call; what became of each, in their order. Behind a call that left something out no further one is made, so that a
    /// queue that is down is not waited for again and again: what was not tried failed too.
    pub async fn send_all<T: Message>(&self, messages: &[T]) -> Vec<Result<(), SendFailed>> {
        let mut became = Vec::with_capacity(messages.len());
        for batch in messages.chunks(BATCH) {
            match batch {
                [only] => became.push(self.send(only).await),
                several => became.extend(self.send_batch(several).await),
            }
            if became.iter().any(Result::is_err) {
                break;
            }
        }
        became.resize_with(messages.len(), || Err(SendFailed("one before it was not taken".to_owned())));
        became
    }

    async fn send_batch<T: Message>(&self, messages: &[T]) -> Vec<Result<(), SendFailed>> {
        let entries = messages.iter().enumerate().map(|(number, message)| {
            let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_group_id(message.group());
            let entry = entry.message_deduplication_id(message.deduplication()).message_body(seal(message)?);
            entry.build().map_err(|error| SendFailed::from_sdk(&error))
        });
        let all_fail = |error: &SendFailed| messages.iter().map(|_| Err(SendFailed(error.0.clone()))).collect();
        let entries: Vec<_> = match entries.collect::<Result<_, _>>() {
            Ok(entries) => entries,
            Err(error) => return all_fail(&error),
        };
        let answer = match self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await {
            Ok(answer) => answer,
            Err(error) => return all_fail(&SendFailed::from_sdk(&error)),
        };
        let failed: HashMap<&str, &str> = answer.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
        (0..messages.len())
            .map(|number| failed.get(number.to_string().as_str()).map_or(Ok(()), |code| Err(SendFailed((*code).to_owned()))))
            .collect()
    }

    /// Opens the connection before anybody waits for it, with a message that a FIFO queue cannot take: it has no group. The call is one that the
    /// function may make anyway, so nothing has to be permitted for it.
    pub async fn warm(&self) {
        // An answer of any kind has opened the connection; a failure shows at the first send, with its own words.
        let _ = self.sqs.send_message().queue_url(&self.url).message_body("warm").send().await;
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

    #[test]
    fn only_a_newer_version_says_so() {
        let sealed = |version: u32| format!(r#"{{"version":{version},"message":{{"whatever":1}}}}"#);
        assert!(is_newer(&sealed(VERSION + 1)));
        assert!(!is_newer(&sealed(VERSION)) && !is_newer("{}") && !is_newer("no JSON"));
    }
}
