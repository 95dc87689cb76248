//! Dead letters: what stands there and why, and how it gets back to the queue it came from.
//!
//! Putting back is safe to kill at any instant: a letter is taken off only after SQS has the message. Killed in between, it is put back a second time; within five
//! minutes SQS itself drops the second message, and after that its job finds its marker. A job keeps its body, its group, and what it was known by: so its intent's id.

mod letter;
mod said;

use std::collections::{BTreeSet, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName};
use jiff::Timestamp;

pub use self::letter::{Filter, Letter};
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
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is back on its queue and no longer here.
    PutBack,
    /// It is back on its queue, and for this reason still here as well: putting it back again does no harm.
    StillHere(String),
    /// Nobody can read it, and that was not asked for explicitly: why.
    Unreadable(String),
    /// It came from another queue.
    Foreign,
    /// SQS did not take it, so it stays: why.
    Failed(String),
    /// One before it in its group stays, so it stays too.
    Behind,
}

/// A letter that was meant, and what became of it.
#[derive(Debug)]
pub struct Redriven {
    /// Which.
    pub letter: Letter,
    /// What became of it.
    pub fate: Fate,
}

impl DeadLetterQueue {
    /// The dead-letter queue at `url` of the queue at `origin`.
    pub fn new(sqs: Client, contents: Contents, url: String, origin: String) -> Self {
        Self { sqs, contents, url, origin }
    }

    /// Shows what stands there, and takes nothing away. Others do not see it meanwhile, for a minute at most.
    pub async fn list(&self, filter: &Filter) -> Result<Listing, QueueError> {
        let now = Timestamp::now();
        let mut letters = self.hold().await?;
        self.release(&letters).await;
        let seen = letters.len();
        letters.retain(|letter| filter.takes(letter, now));
        Ok(Listing { letters, seen, standing: self.standing().await?.max(seen) })
    }

    /// Deletes the letters with these ids, for good, and says of each that is there whether it is gone; the others are left alone.
    pub async fn delete(&self, ids: &BTreeSet<String>) -> Result<Vec<(Letter, Result<(), QueueError>)>, QueueError> {
        let (meant, mut left): (Vec<Letter>, Vec<Letter>) = self.hold().await?.into_iter().partition(|letter| ids.contains(&letter.id));
        let mut fates = Vec::new();
        for letter in meant {
            let delete = self.sqs.delete_message().queue_url(&self.url).receipt_handle(&letter.receipt_handle);
            let fate = delete.send().await.map(|_| ()).map_err(|error| QueueError::from_sdk(&error));
            if fate.is_err() {
                left.push(letter.clone());
            }
            fates.push((letter, fate));
        }
        self.release(&left).await;
        Ok(fates)
    }

    /// Receives all that SQS shows. Others do not see it until it is released, for a minute at most.
    async fn hold(&self) -> Result<Vec<Letter>, QueueError> {
        let mut letters: Vec<Letter> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        loop {
            let more = match self.receive().await {
                Ok(more) => more,
                Err(error) => {
                    self.release(&letters).await;
                    return Err(error);
                }
            };
            let known = letters.len();
            for letter in more {
                // What comes a second time says that the minute is over; only its newest handle deletes it.
                if let Some(before) = places.get(&letter.id).and_then(|place| letters.get_mut(*place)) {
                    *before = letter;
                } else {
                    places.insert(letter.id.clone(), letters.len());
                    letters.push(letter);
                }
            }
            if letters.len() == known {
                return Ok(letters);
            }
        }
    }

    /// Puts back what the filter takes, in order, and says what became of each: `tell` hears it at once. `unreadable`: also what nobody can read, since somebody has seen to that.
    ///
    /// What comes back here meanwhile, because it failed again, is left alone.
    pub async fn redrive(&self, filter: &Filter, unreadable: bool, mut tell: impl FnMut(&Redriven)) -> Result<Vec<Redriven>, QueueError> {
        let began = Timestamp::now();
        let mut told: Vec<Redriven> = Vec::new();
        let mut left: Vec<Letter> = Vec::new();
        let mut put_back: BTreeSet<String> = BTreeSet::new();
        let mut stuck: BTreeSet<String> = BTreeSet::new();
        let mut again = 0;
        let ended = loop {
            let letters = match self.receive().await {
                Ok(letters) => letters,
                Err(error) => break Err(error),
            };
            let received = letters.len();
            let known: BTreeSet<&str> = told.iter().map(|one| &one.letter).chain(&left).map(|letter| letter.id.as_str()).collect();
            let new: Vec<Letter> = letters.into_iter().filter(|letter| !known.contains(letter.id.as_str())).collect();
            // What is left alone is there again after a minute. Once as much came again as there is of it, nothing else is left.
            let standing = left.len() + told.iter().filter(|one| one.fate != Fate::PutBack).count();
            again = if new.is_empty() { again + received } else { 0 };
            if received == 0 || again > standing {
                break Ok(());
            }
            for letter in new {
                let failed_again = put_back.contains(&letter.message_id) || letter.parked_at.unwrap_or(letter.sent_at) > began;
                if failed_again || !filter.takes(&letter, began) {
                    left.push(letter);
                    continue;
                }
                let fate = match (&letter.said, &letter.group) {
                    (Err(why), _) if !unreadable => Fate::Unreadable(why.clone()),
                    (_, Some(group)) if stuck.contains(group) => Fate::Behind,
                    _ if letter.origin.as_ref().is_some_and(|arn| !names(arn, &self.origin)) => Fate::Foreign,
                    _ => self.put_back(&letter).await,
                };
                match &fate {
                    Fate::PutBack | Fate::StillHere(_) => {
                        put_back.insert(letter.message_id.clone());
                    }
                    Fate::Failed(_) => stuck.extend(letter.group.clone()),
                    Fate::Unreadable(_) | Fate::Foreign | Fate::Behind => {}
                }
                let one = Redriven { letter, fate };
                tell(&one);
                told.push(one);
            }
        };
        left.extend(told.iter().filter(|one| one.fate != Fate::PutBack).map(|one| one.letter.clone()));
        self.release(&left).await;
        // What is done is told even where SQS fails in the middle.
        if told.is_empty() { ended.map(|()| told) } else { Ok(told) }
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
