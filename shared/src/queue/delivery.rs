//! A message as it came off its queue, and why its job was not done.

use std::collections::BTreeMap;
use std::fmt;

use aws_lambda_events::sqs::SqsMessage;

use super::message::SendFailed;
use super::parking::PARKED_AT;

/// The names of the message attributes that a job carries which was put back from the dead letters: so that it is known by what it was known by before, and its
/// time is the time it was first sent. They begin with our name because the incidents queue takes messages of any producer, with attributes of their own.
pub(super) const FIRST_ID: &str = "TocsinMessageId";
/// See [`FIRST_ID`].
pub(super) const FIRST_SENT_AT: &str = "TocsinSentAt";

/// A message as it came off its queue.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// SQS's id: the same for every delivery of the message.
    pub message_id: String,
    /// SQS's id of the message that was first sent: another one only after the message was put back from the dead letters.
    pub first_id: String,
    /// For deleting it, or changing when it comes again.
    pub receipt_handle: String,
    /// The text.
    pub body: String,
    /// What its sender has written beside it: its attributes that hold texts or numbers.
    pub attributes: BTreeMap<String, String>,
    /// When it was first sent, in milliseconds since 1970; 0 where nobody says.
    pub sent_at_ms: i64,
    /// How often it has come, this time included.
    pub receives: u32,
    /// The FIFO group; on a standard queue every message is a group of its own.
    pub group: String,
    /// The ARN of the queue it came off; empty where it came off none.
    pub queue: String,
}

impl Delivery {
    /// A message that never was on a queue, for the dead letters: it stands for something that has to be tried again.
    pub fn made(id: &str, body: String, group: String, receives: u32) -> Self {
        Self {
            message_id: id.to_owned(),
            first_id: id.to_owned(),
            receipt_handle: String::new(),
            body,
            attributes: BTreeMap::new(),
            sent_at_ms: 0,
            receives,
            group,
            queue: String::new(),
        }
    }
}

/// Whether a job may have been begun before by the same message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// No: its message is new, whatever a message before it has said.
    First,
    /// Yes: it was received before, or put back from the dead letters, and whoever had it may have died at any point.
    Again,
}

impl From<&Delivery> for Try {
    fn from(delivery: &Delivery) -> Self {
        // SQS's own redrive keeps what stood beside a letter, and names no first message.
        let was_parked = delivery.first_id != delivery.message_id || delivery.attributes.contains_key(PARKED_AT);
        if delivery.receives > 1 || was_parked { Self::Again } else { Self::First }
    }
}

impl From<SqsMessage> for Delivery {
    fn from(message: SqsMessage) -> Self {
        let attribute = |name: &str| message.attributes.get(name).cloned();
        let own = |name: &str| message.message_attributes.get(name)?.string_value.clone().filter(|value| !value.is_empty());
        let message_id = message.message_id.unwrap_or_default();
        let sent_at_ms = attribute("SentTimestamp").and_then(|value| value.parse().ok()).unwrap_or_default();
        // Nothing was first sent after it was last sent: that would be somebody's mistake.
        let first_sent_at = own(FIRST_SENT_AT).and_then(|value| value.parse().ok()).filter(|first| (1..=sent_at_ms).contains(first));
        let ours = [FIRST_ID, FIRST_SENT_AT];
        let attributes = message.message_attributes.iter().filter(|(name, _)| !ours.contains(&name.as_str()));
        let attributes = attributes.filter_map(|(name, value)| Some((name.clone(), value.string_value.clone()?))).collect();
        Self {
            attributes,
            first_id: own(FIRST_ID).unwrap_or_else(|| message_id.clone()),
            receipt_handle: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            sent_at_ms: first_sent_at.unwrap_or(sent_at_ms),
            receives: attribute("ApproximateReceiveCount").and_then(|value| value.parse().ok()).unwrap_or(1),
            group: attribute("MessageGroupId").unwrap_or_else(|| message_id.clone()),
            queue: message.event_source_arn.unwrap_or_default(),
            message_id,
        }
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
    fn what_was_received_before_or_put_back_is_tried_again() {
        let fresh = Delivery::made("m-1", String::new(), "group".to_owned(), 1);
        let parked = BTreeMap::from([(PARKED_AT.to_owned(), "1".to_owned())]);
        assert_eq!(Try::from(&fresh), Try::First);
        assert_eq!(Try::from(&Delivery { receives: 2, ..fresh.clone() }), Try::Again);
        assert_eq!(Try::from(&Delivery { first_id: "m-0".to_owned(), ..fresh.clone() }), Try::Again);
        assert_eq!(Try::from(&Delivery { attributes: parked, ..fresh }), Try::Again, "by SQS's own redrive");
    }
}
