//! What is wrong, in the form of RFC 9457 (`application/problem+json`). Nothing that was sent is quoted.

use std::borrow::Cow;

use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use shared::slack::reply::Reply;

/// What is wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    errors: Vec<String>,
    header: Option<(HeaderName, &'static str)>,
}

#[derive(Serialize)]
struct Wire<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [String],
}

impl Problem {
    /// `detail` says what to do about it.
    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), header: None }
    }

    /// Everything that is wrong with what was sent.
    pub(crate) fn mistakes(errors: Vec<String>) -> Self {
        let detail = "What was sent cannot be read; `errors` says everything that is wrong with it.";
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// What was sent is not of the form that is expected.
    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// There is no such thing.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// Nobody knows the key, whatever the reason.
    pub(crate) fn unauthorized() -> Self {
        let detail = "A key is needed that is known and not revoked: Authorization: Bearer tocsin_…";
        Self { header: Some((header::WWW_AUTHENTICATE, "Bearer")), ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    /// The address is right, and what is wanted of it is not.
    pub(crate) fn not_allowed(allowed: &'static str) -> Self {
        let detail = format!("This address knows only {allowed}.");
        Self { header: Some((header::ALLOW, allowed)), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    /// Our fault, and it passes; the log says why.
    pub(crate) fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Something on our side does not work at the moment. Nothing was done; try it again.")
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let Problem { status, detail, errors, header } = problem;
        let title = status.canonical_reason().unwrap_or_default();
        let wire = Wire { r#type: "about:blank", title, status: status.as_u16(), detail: &detail, errors: &errors };
        let mut reply = json("application/problem+json", status, &wire);
        if let Some((name, value)) = header {
            reply.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        reply
    }
}

/// An answer that nobody keeps.
pub(crate) fn answer(status: StatusCode, value: &impl Serialize) -> Reply {
    json("application/json", status, value)
}

fn json(content_type: &'static str, status: StatusCode, value: &impl Serialize) -> Reply {
    let text = serde_json::to_string(value).unwrap_or_else(|error| {
        // Every answer is made of texts, numbers and lists of them.
        tracing::error!(%error, outcome = "unwritable", "an answer could not be written as JSON");
        "{}".to_owned()
    });
    let mut reply = Response::new(Body::Text(text));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
