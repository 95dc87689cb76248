//! An app that answers what it is told to answer, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;

/// One answer; the default is an empty 200.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) delay: Duration,
    pub(crate) no_retry: bool,
}

impl Default for Reply {
    fn default() -> Self {
        Self { status: 200, body: String::new(), delay: Duration::ZERO, no_retry: false }
    }
}

pub(crate) struct Request {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A field of a form.
    pub(crate) fn field(&self, name: &str) -> String {
        form_urlencoded::parse(self.body.as_bytes())
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    }

    /// The JSON of an interaction.
    pub(crate) fn payload(&self) -> Value {
        serde_json::from_str(&self.field("payload")).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) struct App {
    pub(crate) url: String,
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<Arc<Request>>>,
}

impl App {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://app.localhost:{}/slack", listener.local_addr().unwrap().port());
        let app = Arc::new(Self { url, replies: Mutex::default(), requests: Mutex::default() });
        let router = axum::Router::new().route("/slack", post(answer)).with_state(app.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        app
    }

    /// Answers the next request like this; those after it with an empty 200.
    pub(crate) fn next(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    pub(crate) fn next_body(&self, body: &str) {
        self.next(Reply { body: body.to_owned(), ..Reply::default() });
    }

    pub(crate) fn requests(&self) -> Vec<Arc<Request>> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Arc<Request> {
        self.requests().last().unwrap().clone()
    }
}

async fn answer(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let reply = app.replies.lock().unwrap().pop_front().unwrap_or_default();
    app.requests.lock().unwrap().push(Arc::new(Request { headers, body: String::from_utf8(body.to_vec()).unwrap() }));
    tokio::time::sleep(reply.delay).await;
    let mut response = (StatusCode::from_u16(reply.status).unwrap(), reply.body).into_response();
    if reply.no_retry {
        response.headers_mut().insert(HeaderName::from_static("x-slack-no-retry"), HeaderValue::from_static("1"));
    }
    response
}
