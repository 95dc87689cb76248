//! What is around an event comes off: an SNS notification, a Lambda event's or SQS answer's records, a list, EventBridge's envelope, text in text, in
//! any order and to a fixed depth. Then the event stands alone, with what its envelopes said about it.

use jiff::Timestamp;
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::Message;
use super::event::{Arn, Attributes, Bridge, Content, Event, Notification, time_in};
use super::fields::{list, object, plain, text};
use super::sources::{self, Verdict};

/// How many levels of envelopes may be around an event; a list and each of its records is one of its own. Real ones have up to four envelopes: an SQS record, SNS twice, EventBridge.
const DEEPEST: usize = 12;

/// How many events one message may carry. AWS puts at most ten into one; each becomes a message of its own on the intents queue, and all of them have to
/// get there before the function's time is up.
const MOST_EVENTS: usize = 100;

/// Where a notification rule of the Developer Tools writes what it found out; it becomes a part of the event.
const FOUND_OUT: &str = "additionalAttributes";

type Opened = Vec<Result<Event, Verdict>>;

/// What the envelopes passed so far have said.
#[derive(Clone)]
struct Way {
    sns: Option<Notification>,
    attributes: Attributes,
    place: Vec<String>,
    depth: usize,
    sent_at: Timestamp,
    now: Timestamp,
}

impl Way {
    fn deeper(mut self) -> Self {
        self.depth += 1;
        self
    }

    fn entry(&self, index: usize) -> Self {
        let mut way = self.clone().deeper();
        way.place.push(index.to_string());
        way
    }

    fn event(self, content: Content, bridge: Option<Bridge>) -> Event {
        let Self { sns, attributes, place, sent_at, now, .. } = self;
        Event { content, bridge, sns, attributes, place, sent_at, now }
    }
}

/// Takes the envelopes off: every event by itself, and for what cannot be opened its verdict. Never empty.
pub(super) fn open(message: &Message<'_>) -> Opened {
    let Message { body, message_id, attributes, sent_at, now, .. } = *message;
    let way = Way { sns: None, attributes: attributes.clone(), place: vec![message_id.to_owned()], depth: 0, sent_at, now };
    let mut opened = Vec::new();
    open_text(body, Expect::Json, way, &mut opened);
    if opened.len() > MOST_EVENTS {
        return vec![Err(Verdict::Refused(format!("the message carries more than {MOST_EVENTS} events")))];
    }
    opened
}

fn refuse(reason: impl Into<String>, opened: &mut Opened) {
    opened.push(Err(Verdict::Refused(reason.into())));
}

/// What a text may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// JSON and nothing else.
    Json,
    /// Whatever people write to an SNS topic.
    Anything,
}

fn open_text(text: &str, expect: Expect, way: Way, opened: &mut Opened) {
    // Some editors and PowerShell begin a text with a byte order mark.
    let json = text.trim_start_matches('\u{feff}').trim();
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Object(map)) => open_object(map, way, opened),
        Ok(Value::Array(entries)) => open_entries(entries, &way, opened),
        Ok(Value::String(inner)) if way.depth < DEEPEST => open_text(&inner, expect, way.deeper(), opened),
        // `{` begins nothing but JSON; other texts may well begin with `[`: "[prod] disk full".
        Ok(_) | Err(_) if expect == Expect::Anything && !json.starts_with('{') => {
            opened.push(Ok(way.event(Content::Text(text.to_owned()), None)));
        }
        // SNS's raw delivery takes the envelope off and leaves the text.
        Err(_) if sources::is_known_text(json) => opened.push(Ok(way.event(Content::Text(text.to_owned()), None))),
        Ok(_) => refuse("it is JSON, but no event: an object is expected", opened),
        Err(_) if json.is_empty() => refuse("it is empty", opened),
        Err(error) => refuse(why_unreadable(&error), opened),
    }
}

/// What is wrong with a text that should be JSON, and where; never serde's own words, which may quote the text.
pub fn why_unreadable(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    if error.classify() == Category::Eof {
        format!("it is not JSON: it breaks off at line {line}, column {column}")
    } else if error.to_string().starts_with("recursion limit exceeded") {
        format!("it is nested too deeply (line {line}, column {column})")
    } else {
        format!("it is not JSON (line {line}, column {column})")
    }
}

fn open_entries(entries: Vec<Value>, way: &Way, opened: &mut Opened) {
    if entries.is_empty() {
        return refuse("it is an empty list", opened);
    }
    if way.depth >= DEEPEST {
        return refuse(format!("more than {DEEPEST} envelopes are around it"), opened);
    }
    for (index, entry) in entries.into_iter().enumerate() {
        if opened.len() > MOST_EVENTS {
            return;
        }
        let way = way.entry(index);
        match entry {
            Value::Object(map) => open_object(map, way, opened),
            Value::String(text) => open_text(&text, Expect::Json, way, opened),
            Value::Array(entries) => open_entries(entries, &way, opened),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                refuse("it is a list of something else than events", opened);
            }
        }
    }
}

/// Whether all entries are objects, and there are some.
fn are_objects(entries: &[Value]) -> bool {
    !entries.is_empty() && entries.iter().all(Value::is_object)
}

fn open_object(mut map: Map<String, Value>, way: Way, opened: &mut Opened) {
    if map.is_empty() {
        return refuse("it is an empty object", opened);
    }
    if way.depth >= DEEPEST {
        return refuse(format!("more than {DEEPEST} envelopes are around it"), opened);
    }
    // Lambda's events (`Records`) and the answer of SQS's ReceiveMessage (`Messages`).
    for records in ["Records", "Messages"] {
        if are_objects(list(&map, records))
            && let Some(Value::Array(entries)) = map.remove(records)
        {
            return open_entries(entries, &way, opened);
        }
    }
    if object(&map, "Sns").is_some_and(is_notification) {
        if let Some(Value::Object(notification)) = map.remove("Sns") {
            open_notification(notification, way, opened);
        }
    } else if text(&map, "Type") == Some("Notification") && is_notification(&map) {
        open_notification(map, way, opened);
    } else if let Some((id, body)) = sqs_record(&map) {
        let mut way = Way { place: vec![id.to_owned()], ..way.deeper() };
        way.attributes.extend(attributes(&map));
        open_text(body, Expect::Json, way, opened);
    } else if (text(&map, "detail-type").is_some() || is_of_a_rule(&map)) && object(&map, "detail").is_some() {
        open_bridge(map, way, opened);
    } else {
        opened.push(Ok(way.event(Content::Object(map), None)));
    }
}

/// An SQS message inside the message: its id and its body. Lambda and pipes write small letters, SQS itself capitals.
fn sqs_record(map: &Map<String, Value>) -> Option<(&str, &str)> {
    [("messageId", "body"), ("MessageId", "Body")].into_iter().find_map(|(id, body)| Some((text(map, id)?, map.get(body)?.as_str()?)))
}

/// The attributes of a message of SQS or SNS. Lambda writes them in small letters, SQS and SNS in capitals; binary ones say nothing to us.
fn attributes(map: &Map<String, Value>) -> impl Iterator<Item = (String, String)> {
    let all = object(map, "messageAttributes").or_else(|| object(map, "MessageAttributes"));
    all.into_iter().flatten().filter_map(|(name, attribute)| {
        let attribute = attribute.as_object()?;
        let value = ["stringValue", "StringValue", "Value"].into_iter().find_map(|name| plain(attribute.get(name)?));
        let kind = ["dataType", "DataType", "Type"].into_iter().find_map(|name| text(attribute, name));
        Some((name.clone(), value.filter(|_| kind != Some("Binary"))?))
    })
}

/// Whether the fields are those of an SNS notification that says something.
fn is_notification(map: &Map<String, Value>) -> bool {
    let message = match map.get("Message") {
        Some(Value::String(_)) => true,
        Some(Value::Object(message)) => !message.is_empty(),
        _ => false,
    };
    message
        && (text(map, "Message").is_some() || object(map, "Message").is_some() || text(map, "Subject").is_some())
        && (text(map, "MessageId").is_some() || text(map, "TopicArn").is_some())
}

fn open_notification(mut map: Map<String, Value>, way: Way, opened: &mut Opened) {
    let owned = |name: &str| text(&map, name).map(str::to_owned);
    let sns = Notification {
        id: owned("MessageId"),
        topic: text(&map, "TopicArn").and_then(Arn::parse),
        subject: owned("Subject"),
        time: time_in(&map, "Timestamp"),
    };
    let mut way = Way { sns: Some(sns), ..way.deeper() };
    way.attributes.extend(attributes(&map));
    match map.remove("Message") {
        Some(Value::String(message)) => open_text(&message, Expect::Anything, way, opened),
        Some(Value::Object(message)) => open_object(message, way, opened),
        _ => refuse("its SNS notification has no message", opened),
    }
}

/// What notification rules of the Developer Tools send to an SNS topic: EventBridge's envelope with a name spelled otherwise, and what the rule found out
/// beside it. <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>
fn is_of_a_rule(map: &Map<String, Value>) -> bool {
    text(map, "detailType").is_some() && text(map, "source").is_some_and(|source| source.starts_with("aws."))
}

fn open_bridge(mut map: Map<String, Value>, way: Way, opened: &mut Opened) {
    let owned = |name: &str| text(&map, name).map(str::to_owned);
    let resources = list(&map, "resources").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let bridge = Bridge {
        id: owned("id"),
        source: owned("source"),
        detail_type: owned("detail-type").or_else(|| owned("detailType")).unwrap_or_default(),
        account: owned("account"),
        region: owned("region"),
        time: time_in(&map, "time"),
        resources,
    };
    let found_out = map.remove(FOUND_OUT).filter(Value::is_object);
    if let Some(Value::Object(mut detail)) = map.remove("detail") {
        if let Some(found_out) = found_out {
            detail.entry(FOUND_OUT).or_insert(found_out);
        }
        opened.push(Ok(way.event(Content::Object(detail), Some(bridge))));
    }
}
