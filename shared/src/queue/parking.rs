//! Where a job goes that nobody can do: onto its queue's dead-letter queue, with its reason and where it came from. How it gets back is in `dead_letters`.

use std::collections::BTreeMap;
use std::env;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use jiff::Timestamp;

use super::delivery::Delivery;
use super::message::SendFailed;
use crate::domain::ids::IntentId;
use crate::intake;

/// Why it was parked.
pub(super) const REASON: &str = "Reason";
/// The ARN of the queue it came off.
pub(super) const ORIGIN: &str = "Origin";
/// SQS's id of the message when it was first sent.
pub(super) const MESSAGE_ID: &str = "MessageId";
/// When it was first sent, in milliseconds since 1970.
pub(super) const SENT_AT: &str = "SentAt";
/// How often it came.
pub(super) const RECEIVES: &str = "Receives";
/// When it was parked, in milliseconds since 1970.
pub(super) const PARKED_AT: &str = "ParkedAt";
/// What its sender had written beside it, as far as it counts, as JSON: ten attributes are all that SQS allows, so they share one.
pub(super) const ATTRIBUTES: &str = "Attributes";
/// Which function parked it.
pub(super) const FUNCTION: &str = "Function";

/// The longest reason that is kept: it counts towards SQS's limit for the whole message.
const REASON_MOST: usize = 2000;

/// The dead-letter queue, as far as we put things there ourselves, with a reason. (What kills its process, SQS moves there after `maxReceiveCount`.)
#[derive(Debug, Clone)]
pub struct DeadLetters {
    sqs: Client,
    url: String,
    fifo: bool,
    function: String,
}

impl DeadLetters {
    /// The queue at `url`, standard or FIFO: the name of a FIFO queue ends in `.fifo`, always in small letters.
    pub fn new(sqs: Client, url: String) -> Self {
        let fifo = url.strip_suffix(".fifo").is_some();
        Self { sqs, url, fifo, function: env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default() }
    }

    /// Puts a job there as it came, with `reason` and where it came from as message attributes. `reason` never quotes the body.
    pub async fn park(&self, delivery: &Delivery, reason: &str) -> Result<(), SendFailed> {
        let now = Timestamp::now().as_millisecond();
        let sent_at = if delivery.sent_at_ms > 0 { delivery.sent_at_ms } else { now };
        let mut send = self
            .sqs
            .send_message()
            .queue_url(&self.url)
            .set_message_group_id(self.fifo.then(|| delivery.group.clone()))
            .set_message_deduplication_id(self.fifo.then(|| IntentId::of("parked", &[&delivery.message_id]).as_str().to_owned()))
            .message_body(&delivery.body);
        let heeded = delivery.attributes.iter().filter(|(name, _)| intake::ATTRIBUTES.contains(&name.as_str()));
        let heeded: BTreeMap<_, _> = heeded.collect();
        if !heeded.is_empty()
            && let Ok(json) = serde_json::to_string(&heeded)
        {
            send = send.message_attributes(ATTRIBUTES, text(&json)?);
        }
        for (name, value) in [
            (REASON, reason.to_owned()),
            (ORIGIN, delivery.queue.clone()),
            (MESSAGE_ID, delivery.first_id.clone()),
            (SENT_AT, sent_at.to_string()),
            (RECEIVES, delivery.receives.to_string()),
            (PARKED_AT, now.to_string()),
            (FUNCTION, self.function.clone()),
        ] {
            send = send.message_attributes(name, text(&value)?);
        }
        send.send().await.map(|_| ()).map_err(|error| SendFailed::from_sdk(&error))
    }
}

/// A text as SQS takes it: not empty, and without the characters that it refuses.
fn text(value: &str) -> Result<MessageAttributeValue, SendFailed> {
    let allowed =
        |letter: &char| (!letter.is_control() || matches!(letter, '\t' | '\n' | '\r')) && !matches!(letter, '\u{fffe}' | '\u{ffff}');
    let value: String = value.chars().filter(allowed).take(REASON_MOST).collect();
    let value = if value.trim().is_empty() { "unknown".to_owned() } else { value };
    MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(|error| SendFailed::from_sdk(&error))
}
