//! What would be a request is an envelope.

use serde_json::{Map, Value, json};

use crate::outbound::Attempt;
use crate::state::{Payload, Target};

/// The envelope for a payload. A form becomes an object; retries are told beside it, as the headers of a request tell them.
pub(super) fn of(payload: &Payload, id: &str, attempt: &Attempt) -> Result<Value, String> {
    let never = ["url_verification", "ssl_check"];
    if never.contains(&payload.kind) {
        return Err(format!("no URL is there in Socket Mode, so that there is no {}", payload.kind));
    }
    let broken = || "no URL, but an envelope: this body cannot be put into one".to_owned();
    let fields = || form_urlencoded::parse(payload.body.as_bytes());
    let (kind, content, accepts) = match payload.to {
        Target::Commands => {
            let form: Map<String, Value> = fields().map(|(name, value)| (name.into_owned(), json!(value))).collect();
            ("slash_commands", Value::Object(form), true)
        }
        Target::Interactions => {
            let text = fields().find(|(name, _)| name == "payload").map(|(_, value)| value.into_owned()).ok_or_else(broken)?;
            ("interactive", serde_json::from_str(&text).map_err(|_| broken())?, true)
        }
        Target::Events => ("events_api", serde_json::from_str(&payload.body).map_err(|_| broken())?, false),
    };
    let mut envelope = json!({"envelope_id": id, "type": kind, "accepts_response_payload": accepts, "payload": content});
    if kind == "events_api" {
        envelope["retry_attempt"] = json!(attempt.retry_num.unwrap_or(0));
        envelope["retry_reason"] = json!(attempt.retry_reason.as_deref().unwrap_or_default());
    }
    Ok(envelope)
}
