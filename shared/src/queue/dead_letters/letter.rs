//! One dead letter, and which are meant.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::{Message as SqsMessage, MessageSystemAttributeName};
use jiff::{SignedDuration, Timestamp};

use super::said::{Contents, Said};
use crate::domain::ids::IntentId;
use crate::intake;
use crate::queue::delivery::{FIRST_ID, FIRST_SENT_AT};
use crate::queue::message::is_newer;
use crate::queue::parking::{ATTRIBUTES, FUNCTION, MESSAGE_ID, ORIGIN, PARKED_AT, REASON, RECEIVES, SENT_AT};

/// How much of a letter's id tells it from the others: SQS's ids are random.
const SHORT_ID: usize = 8;

/// One message that nobody could handle.
#[derive(Debug, Clone)]
pub struct Letter {
    /// SQS's id of the letter.
    pub id: String,
    /// SQS's id of the message when it was first sent.
    pub message_id: String,
    /// The text, as it came.
    pub body: String,
    /// What its sender had written beside it, as far as it counts.
    pub attributes: BTreeMap<String, String>,
    /// Why it is here; nothing where SQS moved it by itself, because whatever handled it died or ran out of time too often.
    pub reason: Option<String>,
    /// The ARN of the queue it came from, where somebody wrote that down.
    pub origin: Option<String>,
    /// The function that parked it.
    pub function: Option<String>,
    /// How often it was received: before it was parked, or, where SQS moved it, up to now.
    pub receives: u32,
    /// When it was first sent.
    pub sent_at: Timestamp,
    /// When it was parked; nothing where SQS moved it.
    pub parked_at: Option<Timestamp>,
    /// Its FIFO group.
    pub group: Option<String>,
    /// What the body says, or why nobody can read it.
    pub said: Result<Said, String>,
    /// A newer version wrote it, which can read it.
    pub is_newer: bool,
    pub(super) receipt_handle: String,
}

impl Letter {
    /// What SQS hands over from a queue with these contents.
    pub(super) fn read(message: SqsMessage, contents: Contents) -> Self {
        let own = message.message_attributes.unwrap_or_default();
        let own = |name: &str| own.get(name).and_then(|value| value.string_value.clone()).filter(|value| value != "unknown");
        let system: HashMap<_, _> = message.attributes.unwrap_or_default();
        let system = |name: MessageSystemAttributeName| system.get(&name).cloned();
        let time = |ms: String| Timestamp::from_millisecond(ms.parse().ok()?).ok();
        let id = message.message_id.unwrap_or_default();
        let reason = own(REASON);
        // Parked by a function; else moved by SQS, as it came, perhaps after having been put back before.
        let message_id = own(MESSAGE_ID).or_else(|| own(FIRST_ID)).unwrap_or_else(|| id.clone());
        let sent_at =
            own(SENT_AT).or_else(|| own(FIRST_SENT_AT)).or_else(|| system(MessageSystemAttributeName::SentTimestamp)).and_then(time);
        let sent_at = sent_at.unwrap_or_else(Timestamp::now);
        let receives = own(RECEIVES).or_else(|| system(MessageSystemAttributeName::ApproximateReceiveCount));
        let body = message.body.unwrap_or_default();
        let parked = own(ATTRIBUTES).and_then(|json| serde_json::from_str(&json).ok());
        let as_it_came = || intake::ATTRIBUTES.into_iter().filter_map(|name| Some((name.to_owned(), own(name)?))).collect();
        let attributes: BTreeMap<String, String> = parked.unwrap_or_else(as_it_came);
        Self {
            said: contents.said(&body, &message_id, &attributes, sent_at),
            is_newer: contents != Contents::Incidents && is_newer(&body),
            attributes,
            message_id,
            reason,
            origin: own(ORIGIN).or_else(|| system(MessageSystemAttributeName::DeadLetterQueueSourceArn)),
            function: own(FUNCTION),
            receives: receives.and_then(|count| count.parse().ok()).unwrap_or_default(),
            sent_at,
            parked_at: own(PARKED_AT).and_then(time),
            group: system(MessageSystemAttributeName::MessageGroupId),
            receipt_handle: message.receipt_handle.unwrap_or_default(),
            id,
            body,
        }
    }

    /// The beginning of its id, by which people call it.
    pub fn short_id(&self) -> &str {
        self.id.get(..SHORT_ID).unwrap_or(&self.id)
    }

    /// Whether its id is this or begins with this.
    pub fn is_called(&self, name: &str) -> bool {
        !name.is_empty() && self.id.starts_with(name)
    }

    /// How old it is: since it was first sent.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.sent_at)
    }
}

/// Which letters are meant; everything that is asked has to hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The reason contains this, in capitals or small letters.
    pub reason: Option<String>,
    /// The body contains this, in capitals or small letters.
    pub text: Option<String>,
    /// The letter's id or the beginning of it, the message's id, an intent's, an incident's, or a source's key.
    pub id: Option<String>,
    /// At least this old.
    pub older_than: Option<SignedDuration>,
    /// At most this old.
    pub younger_than: Option<SignedDuration>,
}

impl Filter {
    /// Whether this letter is meant.
    pub fn takes(&self, letter: &Letter, now: Timestamp) -> bool {
        let contains =
            |text: &str, part: &Option<String>| part.as_ref().is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()));
        let is_named = |name: &String| {
            let said = letter.said.as_ref().ok();
            let mut names =
                said.into_iter().flat_map(|said| said.intents.iter().map(IntentId::as_str).chain(said.about.iter().map(String::as_str)));
            letter.is_called(name) || *name == letter.message_id || names.any(|known| known == name)
        };
        let age = letter.age(now);
        contains(letter.reason.as_deref().unwrap_or_default(), &self.reason)
            && contains(&letter.body, &self.text)
            && self.id.as_ref().is_none_or(is_named)
            && self.older_than.is_none_or(|least| age >= least)
            && self.younger_than.is_none_or(|most| age <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(contents: Contents, body: &str, reason: Option<&str>) -> Letter {
        let sent_at = Timestamp::now() - SignedDuration::from_hours(2);
        Letter {
            is_newer: false,
            id: "letter-1-of-2".to_owned(),
            message_id: "first".to_owned(),
            body: body.to_owned(),
            reason: reason.map(str::to_owned),
            origin: None,
            function: None,
            receives: 1,
            sent_at,
            parked_at: None,
            group: None,
            said: contents.said(body, "first", &BTreeMap::new(), sent_at),
            attributes: BTreeMap::new(),
            receipt_handle: String::new(),
        }
    }

    #[test]
    fn a_filter_takes_what_meets_all_that_is_asked() {
        let body = r#"{"type":"create","title":"Disk full","dedup_key":"disk-7"}"#;
        let letter = letter(Contents::Incidents, body, Some("Slack: not_in_channel"));
        let now = Timestamp::now();
        let text = |text: &str| Some(text.to_owned());
        let hours = |hours| Some(SignedDuration::from_hours(hours));
        let any = Filter::default;
        for filter in [
            any(),
            Filter { reason: text("NOT_IN"), text: text("disk full"), ..any() },
            Filter { id: text("disk-7"), older_than: hours(1), younger_than: hours(3), ..any() },
            Filter { id: text("first"), ..any() },
            Filter { id: text("letter-1-of-2"), ..any() },
            Filter { id: text("letter-1"), ..any() },
            Filter { id: text("le"), ..any() },
        ] {
            assert!(filter.takes(&letter, now), "{filter:?}");
        }
        for filter in [
            Filter { reason: text("archived"), ..any() },
            Filter { reason: text("not_in"), text: text("memory"), ..any() },
            Filter { id: text("disk"), ..any() },
            Filter { id: text("etter"), ..any() },
            Filter { id: text(""), ..any() },
            Filter { id: text("letter-2"), ..any() },
            Filter { older_than: hours(3), ..any() },
            Filter { younger_than: hours(1), ..any() },
        ] {
            assert!(!filter.takes(&letter, now), "{filter:?}");
        }
    }
}
