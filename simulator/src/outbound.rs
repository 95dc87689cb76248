//! Slack → app: signed requests, the time the app has to answer, and the repeated attempts of events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::clock;
use crate::signature::sign;
use crate::socket_mode;
use crate::state::{Delivery, Payload, Slack, Target};

/// How one attempt differs from the plain first one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempt {
    /// Sign for this second instead of now.
    pub(crate) timestamp: Option<u64>,
    pub(crate) retry_num: Option<u32>,
    pub(crate) retry_reason: Option<String>,
}

/// Answers of the app that are kept for those who ask `/sim/deliveries`.
const HEADERS_KEPT: [&str; 2] = ["content-type", "x-slack-no-retry"];

impl Delivery {
    pub(crate) fn succeeded(&self) -> bool {
        self.http_status.is_some_and(|status| (200..300).contains(&status))
    }

    /// What the control API answers about a delivery.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "delivery": self.id, "payload": self.payload, "status": self.http_status, "error": self.error, "ms": self.ms, "body": self.body,
            "json": serde_json::from_str::<Value>(&self.body).ok(),
        })
    }
}

/// Remembers a payload under a new id, so that it can be delivered again.
pub(crate) fn keep(slack: &Slack, mut payload: Payload) -> Payload {
    let mut state = slack.lock();
    payload.id = format!("P{}", state.world.number());
    state.payloads.insert(payload.id.clone(), payload.clone());
    payload
}

/// Delivers the identical payload so many times at once; the deliveries come in the order of the attempts.
pub(crate) async fn deliver_copies(slack: &Arc<Slack>, payload: &Payload, copies: usize) -> Vec<Delivery> {
    // One timestamp for all: identical to the byte, signature included.
    let attempt = Attempt { timestamp: Some(clock::seconds()), ..Attempt::default() };
    futures_util::future::join_all((0..copies.max(1)).map(|_| deliver(slack, payload, attempt.clone()))).await
}

/// One attempt, recorded whatever comes of it.
pub(crate) async fn deliver(slack: &Arc<Slack>, payload: &Payload, attempt: Attempt) -> Delivery {
    let (url, secret, patience, over_socket) = {
        let state = slack.lock();
        let url = match payload.to {
            Target::Commands => &state.app.commands_url,
            Target::Interactions => &state.app.interactions_url,
            Target::Events => &state.app.events_url,
        };
        (url.clone(), state.access.signing_secret.clone(), Duration::from_millis(state.timing.answer_ms), state.socket.enabled)
    };
    let (started, at) = (Instant::now(), clock::millis());
    let sent = async {
        match url {
            _ if over_socket => socket_mode::deliver(slack, payload, &attempt).await,
            None => Err("no URL is set for it".to_owned()),
            Some(url) => send(&url, payload, &secret, &attempt).await,
        }
    };
    let result = tokio::time::timeout(patience, sent).await.unwrap_or_else(|_| Err("operation_timeout".to_owned()));
    let mut delivery = Delivery {
        id: 0,
        payload: payload.id.clone(),
        at,
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or_default(),
        kind: payload.kind,
        type_name: payload.type_name.clone(),
        user: payload.user.clone(),
        http_status: None,
        error: None,
        body: String::new(),
        headers: BTreeMap::new(),
        retry_num: attempt.retry_num,
        retry_reason: attempt.retry_reason,
    };
    match result {
        Ok((status, headers, body)) => {
            delivery.http_status = Some(status);
            delivery.headers = headers;
            delivery.body = body;
        }
        Err(error) => delivery.error = Some(error),
    }
    slack.lock().record_delivery(delivery)
}

/// The status, the headers that are kept, and the body.
pub(crate) type Answer = (u16, BTreeMap<String, String>, String);

async fn send(url: &str, payload: &Payload, secret: &str, attempt: &Attempt) -> Result<Answer, String> {
    let uri: hyper::Uri = url.parse().map_err(|_| "the URL cannot be read".to_owned())?;
    if uri.scheme_str() != Some("http") {
        return Err("only http URLs are called".to_owned());
    }
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(80));
    let broken = |error: &dyn std::fmt::Display| format!("connection: {error}");
    // Function URLs have a host name of their own below `localhost`, which not every resolver knows.
    let address = if host == "localhost" || host.ends_with(".localhost") { "127.0.0.1" } else { host };
    let stream = TcpStream::connect((address, port)).await.map_err(|error| broken(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let driver = tokio::spawn(connection);

    let timestamp = attempt.timestamp.unwrap_or_else(clock::seconds);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    let mut request = Request::post(path)
        .header(header::HOST, authority)
        .header(header::CONTENT_TYPE, &payload.content_type)
        .header(header::ACCEPT, "application/json,*/*")
        .header(header::USER_AGENT, "Slackbot 1.0 (+https://api.slack.com/robots)")
        .header("X-Slack-Request-Timestamp", timestamp);
    if payload.signed {
        request = request.header("X-Slack-Signature", sign(secret, timestamp, &payload.body));
    }
    if let Some(number) = attempt.retry_num {
        request = request.header("X-Slack-Retry-Num", number);
    }
    if let Some(reason) = &attempt.retry_reason {
        request = request.header("X-Slack-Retry-Reason", reason);
    }
    let request = request.body(Full::new(Bytes::from(payload.body.clone()))).map_err(|error| broken(&error))?;
    let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
    let status = response.status().as_u16();
    let headers = HEADERS_KEPT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), response.headers().get(*name)?.to_str().ok()?.to_owned())))
        .collect();
    let body = response.into_body().collect().await.map_err(|error| broken(&error))?.to_bytes();
    driver.abort();
    Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
}

/// Delivers an event; when the first attempt fails, the further ones follow in the background.
pub(crate) async fn deliver_event(slack: &Arc<Slack>, payload: Payload) -> Delivery {
    let first = deliver(slack, &payload, Attempt::default()).await;
    if wants_retry(&first) {
        let (slack, last) = (slack.clone(), first.clone());
        tokio::spawn(async move { retry_event(&slack, &payload, last).await });
    }
    first
}

async fn retry_event(slack: &Arc<Slack>, payload: &Payload, mut last: Delivery) {
    let (delays, generation) = {
        let state = slack.lock();
        (state.timing.event_retry_ms.clone(), state.generation)
    };
    for (number, delay) in (1..).zip(delays) {
        tokio::time::sleep(Duration::from_millis(delay)).await;
        if slack.lock().generation != generation {
            return;
        }
        let over_socket = slack.lock().socket.enabled;
        let reason = match (&last.http_status, last.error.as_deref()) {
            // The one reason that is seen there: https://github.com/slackapi/bolt-js/issues/2487
            _ if over_socket => "timeout",
            (Some(_), _) => "http_error",
            (None, Some("operation_timeout")) => "http_timeout",
            _ => "connection_failed",
        };
        last = deliver(slack, payload, Attempt { retry_num: Some(number), retry_reason: Some(reason.into()), ..Attempt::default() }).await;
        if !wants_retry(&last) {
            return;
        }
    }
}

/// `X-Slack-No-Retry: 1` counts only on an answer that is not a success; with no URL there is nobody to try again.
fn wants_retry(delivery: &Delivery) -> bool {
    let told_not_to = delivery.headers.get("x-slack-no-retry").is_some_and(|value| value == "1");
    let nobody_there = delivery.error.as_deref().is_some_and(|error| error.starts_with("no URL"));
    !delivery.succeeded() && !told_not_to && !nobody_there
}
