//! Slack's Web API: `{base}/api/{method}`.
//!
//! `oauth.v2.access` stands aside: it brings credentials and a code instead of a token; and so do `apps.manifest.*` and `apps.connections.open`, with
//! tokens of other kinds.
//! The order of things in one call: whose token → fault → what the token is good for → known method → rate limits → scopes → the method itself → record →
//! answer.

pub(crate) mod args;
mod auth;
mod chat;
mod connections;
mod conversations;
mod functions;
pub(crate) mod limits;
mod manifests;
pub(crate) mod unfurl;
mod usergroups;
mod users;
pub(crate) mod views;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::calls::{Call, Limit, Wait, error_in};
use crate::clock;
use crate::faults::Kind;
use crate::installations::Caller;
use crate::oauth;
use crate::state::{Slack, State};
use crate::world::APP_ID;
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

type Method = fn(&mut State, &Caller, &Args) -> Answer;

/// Every method there is, with the scopes it needs.
fn method(name: &str) -> Option<(Method, &'static [&'static str])> {
    Some(match name {
        "auth.test" => (auth::test, &[]),
        "auth.revoke" => (auth::revoke, &[]),
        "chat.postMessage" => (chat::post_message, &["chat:write"]),
        "chat.postEphemeral" => (chat::post_ephemeral, &["chat:write"]),
        "chat.update" => (chat::update, &["chat:write"]),
        "chat.delete" => (chat::delete, &["chat:write"]),
        "chat.getPermalink" => (chat::permalink, &[]),
        "chat.unfurl" => (unfurl::unfurl, &["links:write"]),
        // Of these four scopes the one that fits the conversation is needed; the method itself looks.
        "conversations.history" => (conversations::history, &[]),
        "conversations.replies" => (conversations::replies, &[]),
        "conversations.info" => (conversations::info, &[]),
        "conversations.list" => (conversations::list, &["channels:read"]),
        "conversations.members" => (conversations::members, &[]),
        "conversations.open" => (conversations::open, &["im:write"]),
        "functions.completeSuccess" => (functions::complete_success, &[]),
        "functions.completeError" => (functions::complete_error, &[]),
        "usergroups.users.list" => (usergroups::users, &["usergroups:read"]),
        "users.conversations" => (conversations::of_user, &["channels:read"]),
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

fn require_scope(caller: &Caller, scope: &str) -> Result<(), ApiError> {
    if caller.has_scope(scope) {
        return Ok(());
    }
    let extra = fields(json!({"needed": scope, "provided": caller.scopes.join(",")}));
    Err(ApiError { extra, ..ApiError::from("missing_scope") })
}

/// What a call came to.
struct Outcome {
    status: u16,
    answer: Value,
    wait: Option<Wait>,
    applied: bool,
}

impl Outcome {
    fn refused(code: &str) -> Self {
        Self { status: 200, answer: json!({"ok": false, "error": code}), wait: None, applied: false }
    }

    fn rate_limited(wait: Wait) -> Self {
        Self { status: 429, wait: Some(wait), ..Self::refused("ratelimited") }
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
    // Written down before anybody has to wait for it.
    let arguments = serde_json::to_string(&args.map).unwrap_or_default();
    let (fault, wait, status, answer, scopes) = {
        let mut state = slack.lock();
        let caller = args.token.as_ref().and_then(|token| Caller::with(token, &state.access, &state.world));
        let is_oauth = name == oauth::ACCESS;
        let gives_secrets = is_oauth || ["apps.manifest.create", connections::OPEN].contains(&name.as_str());
        let team = if is_oauth { oauth::installation_of(&state, &args) } else { caller.as_ref().map(|caller| caller.installation.clone()) };
        let channel = caller.as_ref().and_then(|caller| channel_of(&state, caller, &args));
        let fault = state.faults.strike(&name, channel.as_deref(), team.as_deref());
        if fault.is_some() {
            state.tell_faults();
        }
        let outcome = match &fault {
            Some(fault) if fault.kind == Kind::RateLimited => {
                Outcome::rate_limited(Wait { seconds: fault.retry_after, limit: Limit::Fault, in_channel: fault.channel.is_some() })
            }
            Some(fault) if fault.kind == Kind::ServerError => {
                Outcome { status: fault.status, answer: Value::Null, wait: None, applied: false }
            }
            Some(fault) if fault.kind == Kind::Error => Outcome::refused(&fault.code),
            Some(fault) if fault.kind == Kind::ResetBefore => Outcome::refused("reset"),
            // The address in its answer is this simulator's own.
            _ if name == connections::OPEN => outcome(connections::open(&mut state, slack.base_url(), &args), &args),
            _ => answer(&mut state, caller.as_ref(), &name, &args, channel.as_deref()),
        };
        let kind = fault.as_ref().map(|fault| fault.kind);
        let cut = matches!(kind, Some(Kind::AcceptThenReset | Kind::ResetBefore));
        let delay = fault.as_ref().filter(|fault| fault.kind == Kind::Slow).map_or(0, |fault| fault.delay_ms);
        let text: Arc<str> = outcome.answer.to_string().into();
        // Recorded before anything is waited for: the caller may give up meanwhile, and the record must stay.
        let call = Call {
            id: 0,
            at,
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or_default() + delay,
            team,
            scopes_needed: method(&name).map_or(&[], |(_, scopes)| scopes),
            method: name,
            arguments,
            response_url_for: None,
            webhook: None,
            http_status: (!cut).then_some(outcome.status),
            ok: outcome.answer["ok"] == true,
            error: error_in(&outcome.answer),
            answer: (kind != Some(Kind::ResetBefore))
                .then(|| if gives_secrets { oauth::without_secrets(&outcome.answer).to_string().into() } else { text.clone() }),
            fault: kind,
            applied: outcome.applied,
            wait: outcome.wait,
            early: None,
        };
        state.record_call(call, channel.as_deref());
        let answer = (!outcome.answer.is_null()).then_some(text);
        (fault, outcome.wait, outcome.status, answer, caller.map(|caller| caller.scopes.join(",")).unwrap_or_default())
    };
    if let Some(fault) = &fault
        && let Some(cut) = fault.strikes_the_answer().await
    {
        return cut;
    }
    respond(status, answer.as_deref(), wait, &scopes)
}

/// The call itself, without faults.
fn answer(state: &mut State, caller: Option<&Caller>, name: &str, args: &Args, channel: Option<&str>) -> Outcome {
    if name == oauth::ACCESS {
        // Its rate is the app's, whosever code it brings.
        return match state.used.take(&state.rates, APP_ID, name, None, clock::millis()) {
            Ok(()) => outcome(oauth::access(state, args), args),
            Err(wait) => Outcome::rate_limited(wait),
        };
    }
    if let Some(result) = manifests::answer(state, name, args) {
        return outcome(result, args);
    }
    if args.token.is_none() {
        return Outcome::refused("not_authed");
    }
    let Some(caller) = caller else { return Outcome::refused("invalid_auth") };
    if let Some(error) = &caller.refusal {
        return Outcome::refused(error);
    }
    let Some((method, scopes)) = method(name) else {
        let mut outcome = Outcome::refused("unknown_method");
        outcome.answer["req_method"] = json!(name);
        return outcome;
    };
    if let Err(wait) = state.used.take(&state.rates, &caller.installation, name, channel, clock::millis()) {
        return Outcome::rate_limited(wait);
    }
    let result = if args.unreadable {
        Err(ApiError::from("invalid_json"))
    } else {
        scopes.iter().try_for_each(|scope| require_scope(caller, scope)).and_then(|()| method(state, caller, args))
    };
    outcome(result, args)
}

/// What a method said, as Slack writes it.
fn outcome(result: Answer, args: &Args) -> Outcome {
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
    Outcome { status: 200, answer, wait: None, applied }
}

fn respond(status: u16, answer: Option<&str>, wait: Option<Wait>, scopes: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match answer {
        None => (status, "upstream failure (a fault that is switched on in the simulator)\n").into_response(),
        Some(answer) => {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            (status, [(header::CONTENT_TYPE, json)], answer.to_owned()).into_response()
        }
    };
    if let Ok(scopes) = HeaderValue::from_str(scopes) {
        response.headers_mut().insert(HeaderName::from_static("x-oauth-scopes"), scopes);
    }
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.seconds));
    }
    response
}

/// The id of the channel that a call is about, if the caller has such a channel.
fn channel_of(state: &State, caller: &Caller, args: &Args) -> Option<String> {
    let wanted = args.text("channel")?;
    if let Some(user) = caller.user(&state.world, &wanted) {
        return Some(state.world.direct_message_id(&user.id, caller.team_for(user)));
    }
    caller.channel_by_id_or_name(&state.world, &wanted).map(|channel| channel.id.clone())
}
