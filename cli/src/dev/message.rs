//! What Slack says over a connection, and the request that it would have made of it. <https://docs.slack.dev/apis/events-api/using-socket-mode#events>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::plain;

/// Something that Slack says.
#[derive(Debug)]
pub(super) enum Message {
    /// The connection is in use.
    Hello(Hello),
    /// It will not be for long, for this reason.
    Disconnect(String),
    /// Something happened.
    Envelope(Envelope),
    /// Of a type that is not known.
    Other(String),
}

/// How Slack begins.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    /// How many connections the app has open, this one among them.
    #[serde(rename = "num_connections", default)]
    pub(super) connections: usize,
    #[serde(default)]
    connection_info: ConnectionInfo,
}

#[derive(Debug, Default, Deserialize)]
struct ConnectionInfo {
    #[serde(default)]
    app_id: String,
}

impl Hello {
    /// `A…`
    pub(super) fn app(&self) -> &str {
        &self.connection_info.app_id
    }
}

/// What in HTTP would be a request.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    /// What it is acknowledged by.
    #[serde(rename = "envelope_id")]
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    /// Whether the acknowledgement may bring an answer.
    #[serde(rename = "accepts_response_payload", default)]
    pub(super) takes_answer: bool,
    payload: Value,
    /// The how manieth repetition it is.
    #[serde(rename = "retry_attempt", default)]
    pub(super) retry: Option<u64>,
    #[serde(default)]
    retry_reason: Option<String>,
}

/// What an envelope holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    SlashCommands,
    Interactive,
    EventsApi,
}

/// What is sent to a function, but for the signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) content_type: &'static str,
    pub(super) body: String,
    /// For an event that comes again: `X-Slack-Retry-Num` and `X-Slack-Retry-Reason`.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Message {
    /// Reads it; else what is wrong, which quotes nothing.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let told = |error: serde_json::Error| format!("what Slack says cannot be read, at column {}", error.column());
        let value: Value = serde_json::from_str(text).map_err(told)?;
        let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match part("type").as_str() {
            "hello" => serde_json::from_value(value).map(Self::Hello).map_err(told),
            "disconnect" => Ok(Self::Disconnect(part("reason"))),
            "slash_commands" | "interactive" | "events_api" => serde_json::from_value(value).map(Self::Envelope).map_err(told),
            other => Ok(Self::Other(short(other))),
        }
    }
}

impl Envelope {
    /// The request that Slack would have made: <https://docs.slack.dev/apis/events-api/using-http-request-urls>,
    /// <https://docs.slack.dev/interactivity/implementing-slash-commands>, <https://docs.slack.dev/interactivity/handling-user-interaction>
    pub(super) fn request(&self) -> Request {
        const FORM: &str = "application/x-www-form-urlencoded";
        let form = || form_urlencoded::Serializer::new(String::new());
        let (content_type, body) = match self.kind {
            Kind::SlashCommands => (FORM, form().extend_pairs(self.fields()).finish()),
            Kind::Interactive => (FORM, form().append_pair("payload", &self.payload.to_string()).finish()),
            Kind::EventsApi => ("application/json", self.payload.to_string()),
        };
        let number = self.retry.filter(|number| *number > 0).map(|number| ("X-Slack-Retry-Num", number.to_string()));
        let reason = self.retry_reason.clone().filter(|reason| !reason.is_empty()).map(|reason| ("X-Slack-Retry-Reason", reason));
        Request { content_type, body, headers: number.into_iter().chain(reason).collect() }
    }

    /// The fields of a command, as a form has them.
    fn fields(&self) -> impl Iterator<Item = (&str, String)> {
        self.payload.as_object().into_iter().flatten().map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            (name.as_str(), text)
        })
    }

    /// What it is, in a few words for the terminal: a command with its first word, the button, the event. Never what somebody wrote.
    pub(super) fn what(&self) -> String {
        let text = |place: &str| self.payload.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let first = |places: &[&'static str]| places.iter().map(|place| text(place)).find(|text| !text.is_empty()).unwrap_or_default();
        let (one, other) = match self.kind {
            Kind::SlashCommands => (text("/command"), text("/text").split_whitespace().next().unwrap_or_default()),
            Kind::Interactive => (text("/type"), first(&["/actions/0/action_id", "/view/callback_id", "/callback_id", "/action_id"])),
            Kind::EventsApi => (first(&["/event/type", "/type"]), text("/event/subtype")),
        };
        short(&format!("{one} {other}"))
    }
}

/// What Slack or a person wrote, for a line on a terminal: cut where it is long.
fn short(text: &str) -> String {
    plain(text).chars().take(60).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn envelope(kind: &str, payload: &Value, more: &Value) -> Envelope {
        let mut said = json!({ "envelope_id": "e-1", "type": kind, "payload": payload, "accepts_response_payload": true });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let Ok(Message::Envelope(envelope)) = Message::read(&said.to_string()) else { panic!("no envelope: {said}") };
        envelope
    }

    #[test]
    fn each_becomes_the_request_that_slack_would_have_made() {
        let command =
            envelope("slash_commands", &json!({ "command": "/incident", "text": "create a=b & c", "team_id": null, "n": 1 }), &json!({}));
        let sent = command.request();
        assert_eq!(sent.content_type, "application/x-www-form-urlencoded");
        let mut fields: Vec<(String, String)> = form_urlencoded::parse(sent.body.as_bytes()).into_owned().collect();
        fields.sort();
        let wanted = [("command", "/incident"), ("n", "1"), ("team_id", ""), ("text", "create a=b & c")];
        assert_eq!(fields, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));

        let click = json!({ "type": "block_actions", "actions": [{ "action_id": "ack", "value": "ü+&" }] });
        let sent = envelope("interactive", &click, &json!({})).request();
        let fields: Vec<(String, String)> = form_urlencoded::parse(sent.body.as_bytes()).into_owned().collect();
        assert_eq!(fields[0].0, "payload");
        assert_eq!(serde_json::from_str::<Value>(&fields[0].1).unwrap(), click);

        let event = json!({ "type": "event_callback", "event": { "type": "app_mention" } });
        let first = envelope("events_api", &event, &json!({ "retry_attempt": 0, "retry_reason": "" })).request();
        assert_eq!((first.content_type, first.headers.len()), ("application/json", 0));
        assert_eq!(serde_json::from_str::<Value>(&first.body).unwrap(), event);
        let again = envelope("events_api", &event, &json!({ "retry_attempt": 2, "retry_reason": "timeout" })).request();
        assert_eq!(again.headers, [("X-Slack-Retry-Num", "2".to_owned()), ("X-Slack-Retry-Reason", "timeout".to_owned())]);
    }

    #[test]
    fn the_terminal_shows_what_it_is_and_not_what_somebody_wrote() {
        for (kind, payload, wanted) in [
            ("slash_commands", json!({ "command": "/incident", "text": "create the\u{1b}[31m secret plan" }), "/incident create"),
            ("slash_commands", json!({ "command": "/incident", "text": "\u{1b}[2Jx" }), "/incident [2Jx"),
            ("interactive", json!({ "type": "block_actions", "actions": [{ "action_id": "ack" }] }), "block_actions ack"),
            ("interactive", json!({ "type": "view_submission", "view": { "callback_id": "create" } }), "view_submission create"),
            ("events_api", json!({ "type": "event_callback", "event": { "type": "message", "text": "psst" } }), "message"),
            ("events_api", json!({ "type": "app_rate_limited" }), "app_rate_limited"),
        ] {
            assert_eq!(envelope(kind, &payload, &json!({})).what(), wanted);
        }
    }

    #[test]
    fn what_is_not_known_is_no_mistake_and_what_cannot_be_read_is_not_quoted() {
        assert!(matches!(Message::read(r#"{"type": "news"}"#), Ok(Message::Other(kind)) if kind == "news"));
        assert!(
            matches!(Message::read(r#"{"type": "disconnect", "reason": "warning"}"#), Ok(Message::Disconnect(reason)) if reason == "warning")
        );
        for text in ["s3cret", r#"{"type": "events_api", "envelope_id": "s3cret"}"#, r#"{"type": "hello", "num_connections": "s3cret"}"#] {
            let error = Message::read(text).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
