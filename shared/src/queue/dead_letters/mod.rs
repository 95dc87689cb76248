//! Dead letters: what stands there and why, and how it gets back to the queue it came from.
//!
//! Putting back is safe to kill at any instant: a letter is taken off only after SQS has the message. Killed in between, it is put back a second time; within five
//! minutes SQS itself drops the second message, and after that its job finds its marker. A job keeps its body, its group, and what it was known by: so its intent's id.

mod letter;
mod look;
mod redrive;
mod said;

use std::collections::BTreeSet;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName};
use jiff::Timestamp;

pub use self::letter::{Filter, Letter};
use self::look::Look;
pub use self::redrive::{Fate, Outcome, Redriven};
pub use self::said::{Contents, Said};
use super::delivery::{FIRST_ID, FIRST_SENT_AT};
use super::message::SendFailed;
use crate::domain::ids::IntentId;

/// For how long what is being looked at is hidden from others, in seconds: then it is there again, even if whoever looked was killed.
const LOOK: i32 = 60;

/// SQS did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the dead-letter queue: {0}")]
pub struct QueueError(String);

impl QueueError {
    fn from_sdk<E: std::error::Error>(error: &E) -> Self {
        Self(crate::causes(error))
    }
}

/// A dead-letter queue, and the queue that its letters came from.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    sqs: Client,
    contents: Contents,
    url: String,
    origin: String,
}

/// What stands there.
#[derive(Debug)]
pub struct Listing {
    /// Those that are meant, within a group in their order.
    pub letters: Vec<Letter>,
    /// How many SQS showed, of which the filter took some.
    pub seen: usize,
    /// How many there are, as far as SQS can count. Of a FIFO group it shows no more than ten at a time, so this may be more than was seen.
    pub standing: usize,
    /// The ids of those that SQS showed and that are not meant.
    left_out: BTreeSet<String>,
    is_full: bool,
}

/// What stands there and SQS does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden {
    /// How many, as far as SQS can count.
    pub count: usize,
    /// Ten of some group are shown, so others of it may stand behind them; else somebody else looks at them.
    pub is_behind: bool,
}

impl Listing {
    /// What stands there beside what SQS showed.
    pub fn hidden(&self) -> Hidden {
        Hidden { count: self.standing.saturating_sub(self.seen), is_behind: self.is_full }
    }
}

impl DeadLetterQueue {
    /// The dead-letter queue at `url` of the queue at `origin`.
    pub fn new(sqs: Client, contents: Contents, url: String, origin: String) -> Self {
        Self { sqs, contents, url, origin }
    }

    /// Shows what stands there, and takes nothing away. Others do not see it meanwhile, for a minute at most.
    pub async fn list(&self, filter: &Filter) -> Result<Listing, QueueError> {
        let now = Timestamp::now();
        let look = self.hold().await?;
        let is_full = look.is_full();
        let (letters, left): (Vec<Letter>, Vec<Letter>) = look.end().await.into_iter().partition(|letter| filter.takes(letter, now));
        let seen = letters.len() + left.len();
        let left_out = left.into_iter().map(|letter| letter.id).collect();
        Ok(Listing { letters, seen, standing: self.standing().await?.max(seen), left_out, is_full })
    }

    /// Deletes the letters with these ids, for good, and says of each that is there whether it is gone; the others are left alone.
    pub async fn delete(&self, ids: &BTreeSet<String>) -> Result<Vec<(Letter, Result<(), QueueError>)>, QueueError> {
        let mut look = self.hold().await?;
        let mut fates = Vec::new();
        for letter in look.letters().into_iter().filter(|letter| ids.contains(&letter.id)) {
            let delete = self.sqs.delete_message().queue_url(&self.url).receipt_handle(&letter.receipt_handle);
            let fate = delete.send().await.map(|_| ()).map_err(|error| QueueError::from_sdk(&error));
            if fate.is_ok() {
                look.gone(&letter);
            }
            fates.push((letter, fate));
        }
        look.end().await;
        Ok(fates)
    }

    /// Receives all that SQS shows. Others do not see it until the look ends, for a minute at most.
    async fn hold(&self) -> Result<Look<'_>, QueueError> {
        let mut look = Look::new(self, self.standing().await?);
        loop {
            match look.next().await {
                Ok(new) if new.is_empty() => return Ok(look),
                Ok(_) => {}
                Err(error) => {
                    look.end().await;
                    return Err(error);
                }
            }
        }
    }

    /// First onto its queue, then off this one.
    async fn put_back(&self, letter: &Letter) -> Fate {
        if let Err(error) = self.send(letter).await {
            return Fate::Failed(error.to_string());
        }
        match self.sqs.delete_message().queue_url(&self.url).receipt_handle(&letter.receipt_handle).send().await {
            Ok(_) => Fate::PutBack,
            Err(error) => Fate::StillHere(crate::causes(&error)),
        }
    }

    async fn send(&self, letter: &Letter) -> Result<(), SendFailed> {
        let text = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(|error| SendFailed::from_sdk(&error))
        };
        let mut send = self
            .sqs
            .send_message()
            .queue_url(&self.origin)
            .message_body(&letter.body)
            .message_attributes(FIRST_ID, text(&letter.message_id)?)
            .message_attributes(FIRST_SENT_AT, text(&letter.sent_at.as_millisecond().to_string())?);
        for (name, value) in letter.attributes.iter().filter(|(_, value)| !value.is_empty()) {
            send = send.message_attributes(name, text(value)?);
        }
        let send = match self.contents {
            Contents::Incidents => send,
            // A new deduplication id, since SQS remembers the old one for five minutes and would drop the message without a word; the same for the same letter.
            Contents::Intents | Contents::Posts | Contents::Calls | Contents::Timeline => send
                .message_group_id(letter.group.as_deref().unwrap_or("redriven"))
                .message_deduplication_id(IntentId::of("redriven", &[&letter.id]).as_str()),
        };
        send.send().await.map(|_| ()).map_err(|error| SendFailed::from_sdk(&error))
    }

    async fn receive(&self) -> Result<Vec<Letter>, QueueError> {
        let receive = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(LOOK)
            // Long polling asks all of SQS's servers.
            .wait_time_seconds(1)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All);
        let received = receive.send().await.map_err(|error| QueueError::from_sdk(&error))?;
        Ok(received.messages.unwrap_or_default().into_iter().map(|message| Letter::read(message, self.contents)).collect())
    }

    /// Lets others see letters again. Where that fails they are there again within a minute.
    async fn release(&self, letters: &[Letter]) {
        for some in letters.chunks(10) {
            let entries = some.iter().enumerate().filter_map(|(index, letter)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&letter.receipt_handle)
                    .visibility_timeout(0)
                    .build()
                    .ok()
            });
            let change = self.sqs.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
            if let Err(error) = change.send().await {
                let error = crate::causes(&error);
                tracing::debug!(error, "letters are seen again only after a minute");
            }
        }
    }

    async fn standing(&self) -> Result<usize, QueueError> {
        use aws_sdk_sqs::types::QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible};
        let names = vec![ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible];
        let answer = self.sqs.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names)).send().await;
        let attributes = answer.map_err(|error| QueueError::from_sdk(&error))?.attributes.unwrap_or_default();
        Ok(attributes.values().filter_map(|count| count.parse::<usize>().ok()).sum())
    }
}

/// Whether an ARN and a URL name the same queue: both end in the account and the name.
fn names(arn: &str, url: &str) -> bool {
    let of_arn: Vec<&str> = arn.rsplitn(3, ':').take(2).collect();
    let of_url: Vec<&str> = url.rsplitn(3, '/').take(2).collect();
    of_arn == of_url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_and_a_url_name_the_same_queue() {
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/tocsin-intents.fifo";
        assert!(names("arn:aws:sqs:eu-west-1:123456789012:tocsin-intents.fifo", url));
        assert!(!names("arn:aws:sqs:eu-west-1:123456789012:tocsin-posts.fifo", url));
        assert!(!names("arn:aws:sqs:eu-west-1:210987654321:tocsin-intents.fifo", url));
    }
}
