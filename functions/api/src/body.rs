//! What was sent: JSON, and an object.

use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Request};
use serde_json::{Map, Value};
use shared::intake::why_unreadable;

use crate::problem::Problem;

/// As much as a message on the queue may have.
const MOST: usize = 1024 * 1024;

/// The object that was sent; `None` where nothing was.
pub(crate) fn object(request: &Request) -> Result<Option<Map<String, Value>>, Problem> {
    let bytes: &[u8] = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() > MOST {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "At most 1 MiB is taken."));
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !is_json(content_type) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "What is sent has to be JSON: Content-Type: application/json"));
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(_) => Err(Problem::bad_request("It is JSON, but an object is expected.")),
        Err(error) => Err(Problem::bad_request(format!("It cannot be read: {}.", why_unreadable(&error)))),
    }
}

/// The object that has to be sent.
pub(crate) fn needed(request: &Request) -> Result<Map<String, Value>, Problem> {
    object(request)?.ok_or_else(|| Problem::bad_request("Nothing was sent; a JSON object is expected."))
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
