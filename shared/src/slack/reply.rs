//! What a receiver answers Slack with.

use lambda_http::Body;
use lambda_http::http::{Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use crate::domain::Refusal;

/// An HTTP answer.
pub type Reply = Response<Body>;

fn status(code: StatusCode) -> Reply {
    let mut reply = Response::new(Body::Empty);
    *reply.status_mut() = code;
    reply
}

/// 200 with nothing in it: "got it".
pub fn done() -> Reply {
    status(StatusCode::OK)
}

/// 200 with JSON.
pub fn json(value: &impl Serialize) -> Reply {
    match serde_json::to_string(value) {
        Ok(text) => {
            let mut reply = Response::new(Body::Text(text));
            reply.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=utf-8"));
            reply
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            failed()
        }
    }
}

/// A message that only one person sees, as an answer to a command or at a `response_url`. It never takes the place of the message that was acted on.
#[derive(Debug, Serialize)]
pub struct OnlyToYou<'a, T> {
    response_type: &'static str,
    replace_original: bool,
    #[serde(flatten)]
    message: &'a T,
}

impl<'a, T: Serialize> OnlyToYou<'a, T> {
    /// `message`, for one person.
    pub fn new(message: &'a T) -> Self {
        Self { response_type: "ephemeral", replace_original: false, message }
    }
}

/// A message that everybody in the channel sees, at a `response_url`. It never takes the place of the message that was acted on.
#[derive(Debug, Serialize)]
pub struct ToAll<'a, T> {
    response_type: &'static str,
    replace_original: bool,
    #[serde(flatten)]
    message: &'a T,
}

impl<'a, T: Serialize> ToAll<'a, T> {
    /// `message`, for everybody.
    pub fn new(message: &'a T) -> Self {
        Self { response_type: "in_channel", replace_original: false, message }
    }
}

/// A message that only the person who typed the command sees.
pub fn only_to_you(message: &impl Serialize) -> Reply {
    json(&OnlyToYou::new(message))
}

/// A modal's mistakes, each at its field: the modal stays open with everything typed into it.
pub fn errors(fields: &[(&str, Refusal)]) -> Reply {
    let errors: serde_json::Map<_, _> = fields.iter().map(|(block, refusal)| ((*block).to_owned(), json!(refusal.to_string()))).collect();
    json(&json!({ "response_action": "errors", "errors": errors }))
}

/// The signature did not verify. The answer says no more than that, whatever the reason was.
pub fn unauthorized() -> Reply {
    status(StatusCode::UNAUTHORIZED)
}

/// Slack signed it, and it cannot be read: sending it again does not help.
pub fn unreadable() -> Reply {
    let mut reply = status(StatusCode::BAD_REQUEST);
    reply.headers_mut().insert("x-slack-no-retry", header::HeaderValue::from_static("1"));
    reply
}

/// Our fault: Slack sends events again.
pub fn failed() -> Reply {
    status(StatusCode::INTERNAL_SERVER_ERROR)
}
