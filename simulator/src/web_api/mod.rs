//! Slack's Web API: `{base}/api/{method}`.
//!
//! The order of things in one call: fault → token → known method → scopes → rate limits → the method itself → record → answer.

mod args;
mod auth;
mod chat;
mod conversations;
pub(crate) mod limits;
mod users;
pub(crate) mod views;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::clock;
use crate::faults::{Fault, Kind};
use crate::server::Cut;
use crate::state::{Call, Slack, State};
use args::Args;
use limits::Wrong;

/// Why a call was refused: Slack's code, and what goes with it in the answer.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: String,
    messages: Vec<String>,
    extra: Map<String, Value>,
}

impl From<&str> for ApiError {
    fn from(code: &str) -> Self {
        Self { code: code.to_owned(), messages: Vec::new(), extra: Map::new() }
    }
}

impl From<Wrong> for ApiError {
    fn from(wrong: Wrong) -> Self {
        Self { code: wrong.code.to_owned(), messages: wrong.messages, extra: Map::new() }
    }
}

impl ApiError {
    fn missing(argument: &str) -> Self {
        Self { messages: vec![format!("[ERROR] missing required field: {argument}")], ..Self::from("invalid_arguments") }
    }
}

/// What a method answers beside `ok`.
type Answer = Result<Map<String, Value>, ApiError>;

/// The fields of an object.
fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

type Method = fn(&mut State, &Args) -> Answer;

/// Every method there is, with the scopes it needs.
fn method(name: &str) -> Option<(Method, &'static [&'static str])> {
    Some(match name {
        "auth.test" => (auth::test, &[]),
        "chat.postMessage" => (chat::post_message, &["chat:write"]),
        "chat.postEphemeral" => (chat::post_ephemeral, &["chat:write"]),
        "chat.update" => (chat::update, &["chat:write"]),
        "chat.delete" => (chat::delete, &["chat:write"]),
        "chat.getPermalink" => (chat::permalink, &[]),
        // Of these four scopes the one that fits the conversation is needed; the method itself looks.
        "conversations.history" => (conversations::history, &[]),
        "conversations.replies" => (conversations::replies, &[]),
        "conversations.info" => (conversations::info, &[]),
        "conversations.list" => (conversations::list, &["channels:read"]),
        "conversations.members" => (conversations::members, &[]),
        "conversations.open" => (conversations::open, &["im:write"]),
        "users.info" => (users::info, &["users:read"]),
        "users.list" => (users::list, &["users:read"]),
        "users.lookupByEmail" => (users::lookup_by_email, &["users:read.email"]),
        "views.open" => (views::open, &[]),
        "views.push" => (views::push, &[]),
        "views.update" => (views::update, &[]),
        "views.publish" => (views::publish, &[]),
        _ => return None,
    })
}

fn require_scope(state: &State, scope: &str) -> Result<(), ApiError> {
    if state.access.scopes.iter().any(|granted| granted == scope) {
        return Ok(());
    }
    let extra = fields(json!({"needed": scope, "provided": state.access.scopes.join(",")}));
    Err(ApiError { extra, ..ApiError::from("missing_scope") })
}

/// What a call came to.
struct Outcome {
    status: u16,
    answer: Value,
    retry_after: Option<u64>,
    applied: bool,
}

impl Outcome {
    fn refused(code: &str) -> Self {
        Self { status: 200, answer: json!({"ok": false, "error": code}), retry_after: None, applied: false }
    }

    fn rate_limited(retry_after: u64) -> Self {
        Self { status: 429, retry_after: Some(retry_after), ..Self::refused("ratelimited") }
    }
}

/// `POST` or `GET /api/{method}`.
pub(crate) async fn call(
    Shared(slack): Shared<Arc<Slack>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (started, at) = (Instant::now(), clock::millis());
    let args = Args::read(&name, &headers, query.as_deref(), &body);
    let (fault, outcome, scopes) = {
        let mut state = slack.lock();
        let channel = channel_of(&state, &args);
        let fault = state.faults.strike(&name, channel.as_deref());
        if fault.is_some() {
            let faults = json!({"kind": "faults", "faults": state.faults.list});
            state.tell(&faults);
        }
        let outcome = match &fault {
            Some(fault) if fault.kind == Kind::RateLimited => Outcome::rate_limited(fault.retry_after),
            Some(fault) if fault.kind == Kind::ServerError => {
                Outcome { status: fault.status, answer: Value::Null, retry_after: None, applied: false }
            }
            Some(fault) if fault.kind == Kind::Error => Outcome::refused(&fault.code),
            Some(fault) if fault.kind == Kind::ResetBefore => Outcome::refused("reset"),
            _ => answer(&mut state, &name, &args, channel.as_deref()),
        };
        record(&mut state, &name, &args, fault.as_ref(), &outcome, at, started);
        (fault, outcome, state.access.scopes.join(","))
    };
    respond(fault, outcome, &scopes).await
}

/// The call itself, without faults.
fn answer(state: &mut State, name: &str, args: &Args, channel: Option<&str>) -> Outcome {
    let Some(token) = &args.token else { return Outcome::refused("not_authed") };
    if !state.access.bot_tokens.contains(token) {
        return Outcome::refused("invalid_auth");
    }
    if let Some(error) = &state.access.error {
        return Outcome::refused(error);
    }
    let Some((method, scopes)) = method(name) else {
        let mut outcome = Outcome::refused("unknown_method");
        outcome.answer["req_method"] = json!(name);
        return outcome;
    };
    let bucket = channel.filter(|_| name == "chat.postMessage");
    if let Err(retry_after) = state.used.take(&state.rates, name, bucket, clock::millis()) {
        return Outcome::rate_limited(retry_after);
    }
    let result = if args.unreadable {
        Err(ApiError::from("invalid_json"))
    } else {
        scopes.iter().try_for_each(|scope| require_scope(state, scope)).and_then(|()| method(state, args))
    };
    let (mut answer, applied) = match result {
        Ok(mut answer) => {
            answer.insert("ok".into(), json!(true));
            (Value::Object(answer), true)
        }
        Err(error) => {
            let mut answer = error.extra;
            answer.insert("ok".into(), json!(false));
            answer.insert("error".into(), json!(error.code));
            if !error.messages.is_empty() {
                answer.insert("response_metadata".into(), json!({"messages": error.messages}));
            }
            (Value::Object(answer), false)
        }
    };
    if !args.warnings.is_empty() {
        answer["warning"] = json!(args.warnings.join(","));
        answer["response_metadata"]["warnings"] = json!(args.warnings);
    }
    Outcome { status: 200, answer, retry_after: None, applied }
}

/// Recorded before anything is waited for: the caller may give up meanwhile, and the record must stay.
fn record(state: &mut State, name: &str, args: &Args, fault: Option<&Fault>, outcome: &Outcome, at: u64, started: Instant) {
    let kind = fault.map(|fault| fault.kind);
    let cut = matches!(kind, Some(Kind::AcceptThenReset | Kind::ResetBefore));
    let delay = fault.filter(|fault| fault.kind == Kind::Slow).map_or(0, |fault| fault.delay_ms);
    state.record_call(Call {
        id: 0,
        at,
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or_default() + delay,
        method: name.to_owned(),
        arguments: Value::Object(args.map.clone()),
        response_url_for: None,
        http_status: (!cut).then_some(outcome.status),
        ok: outcome.answer["ok"] == true,
        error: outcome.answer["error"].as_str().map(str::to_owned),
        answer: (kind != Some(Kind::ResetBefore)).then(|| outcome.answer.clone()),
        fault: kind,
        applied: outcome.applied,
        scopes_needed: method(name).map(|(_, scopes)| scopes.iter().map(|scope| (*scope).to_owned()).collect()).unwrap_or_default(),
    });
}

async fn respond(fault: Option<Fault>, outcome: Outcome, scopes: &str) -> Response {
    match fault.as_ref().map(|fault| fault.kind) {
        Some(Kind::AcceptThenReset | Kind::ResetBefore) => return Cut::response(),
        Some(Kind::Slow) => tokio::time::sleep(Duration::from_millis(fault.map_or(0, |fault| fault.delay_ms))).await,
        _ => {}
    }
    let status = StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if outcome.answer.is_null() {
        (status, "upstream failure (a fault that is switched on in the simulator)\n").into_response()
    } else {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        (status, [(header::CONTENT_TYPE, json)], outcome.answer.to_string()).into_response()
    };
    if let Ok(scopes) = HeaderValue::from_str(scopes) {
        response.headers_mut().insert(HeaderName::from_static("x-oauth-scopes"), scopes);
    }
    if let Some(seconds) = outcome.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The id of the channel that a call is about, if there is such a channel.
fn channel_of(state: &State, args: &Args) -> Option<String> {
    let wanted = args.text("channel")?;
    if let Some(user) = state.world.users.iter().find(|user| user.id == wanted) {
        return Some(format!("D{}", user.id.trim_start_matches(['U', 'W'])));
    }
    state.world.channel_by_id_or_name(&wanted).map(|channel| channel.id.clone())
}
