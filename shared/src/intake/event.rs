//! One event with its envelopes off, and what they said about it.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::fields;
use super::place::{Place, is_region};
use crate::domain::ids::IntentId;
use crate::watch::Watch;

/// A source's clock may run ahead of ours by this much. A time beyond it is no time at all: it would hold an incident open against every recovery.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Before this second (the beginning of the year 2000) nothing can have happened: such a time is a placeholder, mostly the beginning of 1970.
const FIRST_PLAUSIBLE: i64 = 946_684_800;

/// An event as its source wrote it.
#[derive(Debug)]
pub(super) struct Event {
    /// The innermost content.
    pub(super) content: Content,
    /// EventBridge's envelope, if one was around it.
    pub(super) bridge: Option<Bridge>,
    /// The innermost SNS notification, if one was around it.
    pub(super) sns: Option<Notification>,
    /// What its sender has written beside it, as attributes of the messages of SQS and SNS around it; what stands further inside counts.
    pub(super) attributes: Attributes,
    /// SQS's id of the message, or of the record found inside, and which of several events it is.
    pub(super) place: Vec<String>,
    /// When the message was put on the queue.
    pub(super) sent_at: Timestamp,
    /// The present.
    pub(super) now: Timestamp,
}

/// Attributes of messages, by name; only texts and numbers.
pub(super) type Attributes = BTreeMap<String, String>;

/// What an event says.
#[derive(Debug)]
pub(super) enum Content {
    /// JSON; with EventBridge its `detail`.
    Object(Map<String, Value>),
    /// What somebody wrote to an SNS topic.
    Text(String),
}

/// EventBridge's envelope.
#[derive(Debug, Clone, Default)]
pub(super) struct Bridge {
    pub(super) id: Option<String>,
    pub(super) source: Option<String>,
    pub(super) detail_type: String,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    pub(super) time: Option<Timestamp>,
    pub(super) resources: Vec<String>,
}

impl Bridge {
    /// Whether an AWS service sent it, and not somebody's own program.
    pub(super) fn is_from_aws(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.starts_with("aws."))
    }
}

/// An SNS notification's own fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Notification {
    pub(super) id: Option<String>,
    pub(super) topic: Option<Arn>,
    pub(super) subject: Option<String>,
    pub(super) time: Option<Timestamp>,
}

impl Notification {
    /// Whether Tocsin itself wrote it.
    pub(super) fn is_from(&self, watch: &Watch) -> bool {
        let (Some(subject), Some(topic)) = (&self.subject, &self.topic) else { return false };
        watch.is_own_notice(subject, topic.region.as_deref().unwrap_or_default(), topic.account.as_deref().unwrap_or_default())
    }
}

/// An Amazon resource name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arn {
    pub(super) partition: String,
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
    /// What stands after the account, colons included.
    pub(super) resource: String,
}

impl Arn {
    /// Takes `arn:partition:service:region:account:resource` apart.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':').map(str::trim);
        let (Some("arn"), Some(partition), Some(_), Some(region), Some(account), Some(resource)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let said = |part: &str| (!part.is_empty()).then(|| part.to_owned());
        Some(Self { partition: partition.to_owned(), region: said(region), account: said(account), resource: resource.to_owned() })
    }
}

/// The last name in an ARN, which is what people call it: `checkout` of `…:service/shop/checkout`, `vol-0b5a` of `…:volume/vol-0b5a`. The whole where none stands last.
pub(super) fn last_name(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().filter(|name| !name.is_empty()).unwrap_or(arn)
}

impl Event {
    /// The JSON that it says, if it does.
    pub(super) fn object(&self) -> Option<&Map<String, Value>> {
        match &self.content {
            Content::Object(object) => Some(object),
            Content::Text(_) => None,
        }
    }

    /// The text that it is, if it is no JSON.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Object(_) => None,
        }
    }

    /// Whether anything was around it.
    pub(super) fn came_in_an_envelope(&self) -> bool {
        self.bridge.is_some() || self.sns.is_some() || self.place.len() > 1
    }

    /// What an AWS service calls this kind of event, where EventBridge brought it: `ECS Task State Change`.
    pub(super) fn detail_type(&self) -> &str {
        self.bridge.as_ref().map_or("", |bridge| bridge.detail_type.as_str())
    }

    /// The resources that EventBridge names beside the event, mostly ARNs.
    pub(super) fn resources(&self) -> &[String] {
        self.bridge.as_ref().map_or(&[], |bridge| bridge.resources.as_slice())
    }

    /// Where it is from: what EventBridge says, else the topic that it went through.
    pub(super) fn place(&self) -> Place {
        let bridge = self.bridge.as_ref().map(|bridge| Place {
            partition: None,
            region: bridge.region.clone().filter(|region| is_region(region)),
            account: bridge.account.clone(),
        });
        let topic = self.sns.as_ref().and_then(|sns| sns.topic.as_ref()).map(Place::of);
        bridge.unwrap_or_default().or(topic.unwrap_or_default())
    }

    /// The id that its innermost envelope knows it by: the same however often it is sent on. SQS's id is the last resort; it stays the same when SQS
    /// delivers again, but not when the producer sends again.
    pub(super) fn id(&self) -> IntentId {
        if let Some(id) = self.bridge.as_ref().and_then(|bridge| bridge.id.as_deref()) {
            return IntentId::of("eventbridge", &[id]);
        }
        if let Some(id) = self.sns.as_ref().and_then(|sns| sns.id.as_deref()) {
            return IntentId::of("sns", &[id]);
        }
        let place: Vec<&str> = self.place.iter().map(String::as_str).collect();
        IntentId::of("queue", &place)
    }

    /// When it happened: what the event itself says, else its envelopes from the inside out, else when it was sent. Times that cannot be are passed over.
    pub(super) fn at(&self, itself: Option<Timestamp>) -> Timestamp {
        let bridge = self.bridge.as_ref().and_then(|bridge| bridge.time);
        let sns = self.sns.as_ref().and_then(|sns| sns.time);
        let latest = self.now.checked_add(CLOCK_TOLERANCE).unwrap_or(Timestamp::MAX);
        let can_be = |at: &Timestamp| at.as_second() >= FIRST_PLAUSIBLE && *at <= latest;
        [itself, bridge, sns].into_iter().flatten().find(can_be).unwrap_or(self.sent_at)
    }
}

/// Reads a point in time as AWS services write it: RFC 3339, with or without the colon in the offset, and CloudWatch's stray spaces; RFC 2822, whatever day of
/// the week it says; `Wed Sep 04 16:59:44.356 UTC 2024`; and without a zone, which means UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    const MAIL: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    // Longer than any point in time: not worth a try.
    if text.len() > 64 {
        return None;
    }
    let text = text.trim();
    let mail = || MAIL.parse_timestamp(text).ok();
    let spoken = || DateTime::strptime("%a %b %d %H:%M:%S%.f UTC %Y", text).ok();
    let civil = || spoken().or_else(|| text.parse::<DateTime>().ok())?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(|| text.replace(": ", ":").parse().ok()).or_else(mail).or_else(civil)
}

/// The time in one of an object's fields: text, or seconds or milliseconds since 1970.
pub(super) fn time_in(object: &Map<String, Value>, way: &str) -> Option<Timestamp> {
    /// As seconds this is the year 5138; as milliseconds it is 1973.
    const MILLISECONDS: u64 = 100_000_000_000;
    match fields::get(object, way)? {
        Value::String(text) => time(text),
        Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "parts of a second do not count")]
            let number = number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64))?;
            if number.unsigned_abs() < MILLISECONDS {
                Timestamp::from_second(number).ok()
            } else {
                Timestamp::from_millisecond(number).ok()
            }
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
