//! The addresses at which one person's action can be answered: five times within half an hour.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::calls::{Call, Limit, Wait};
use crate::clock;
use crate::faults::Kind;
use crate::messages::Message;
use crate::state::{ResponseUrl, Slack, State};
use crate::web_api::limits;

const MOST_USES: u32 = 5;

/// An HTTP status and a Slack error code.
type Refused = (u16, String);

/// `POST /hooks/response/{team}/{time}/{secret}`.
pub(crate) async fn post(
    Shared(slack): Shared<Arc<Slack>>,
    Path((_team, time, secret)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (started, at, key) = (Instant::now(), clock::millis(), format!("{time}/{secret}"));
    let arguments = payload(&headers, &body);
    let written = arguments.as_ref().map_or_else(|| "null".to_owned(), Value::to_string);
    let (fault, status, error, wait) = {
        let mut state = slack.lock();
        let url = state.response_urls.get(&key);
        let (channel, of) = (url.map(|url| url.channel.clone()), url.map(|url| url.of));
        let team = url.map(|url| state.world.installation_of(&url.team));
        let fault = state.faults.strike("response_url", channel.as_deref(), team.as_deref());
        let kind = fault.as_ref().map(|fault| fault.kind);
        let mut wait = None;
        let result = match (&fault, kind) {
            (Some(fault), Some(Kind::RateLimited)) => {
                wait = Some(Wait { seconds: fault.retry_after, limit: Limit::Fault, in_channel: fault.channel.is_some() });
                Err((429, "ratelimited".to_owned()))
            }
            (Some(fault), Some(Kind::ServerError)) => Err((fault.status, "server_error".to_owned())),
            (Some(fault), Some(Kind::Error)) => Err((404, fault.code.clone())),
            (_, Some(Kind::ResetBefore)) => Err((0, "reset".to_owned())),
            _ => use_url(&mut state, &key, arguments.as_ref()),
        };
        let applied = result.is_ok();
        let (status, error) = result.err().map_or((200, None), |(status, error)| (status, Some(error)));
        let cut = matches!(kind, Some(Kind::AcceptThenReset | Kind::ResetBefore));
        let call = Call {
            id: 0,
            at,
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or_default(),
            team,
            method: "response_url".into(),
            arguments: written,
            response_url_for: of,
            webhook: None,
            http_status: (!cut).then_some(status),
            ok: applied,
            error: error.clone(),
            answer: None,
            fault: kind,
            applied,
            scopes_needed: &[],
            wait,
            early: None,
        };
        state.record_call(call, channel.as_deref());
        (fault, status, error, wait)
    };
    if let Some(fault) = &fault
        && let Some(cut) = fault.strikes_the_answer().await
    {
        return cut;
    }
    let Some(error) = error else { return "ok".into_response() };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    let mut response = (status, [(header::CONTENT_TYPE, json)], json!({"ok": false, "error": error}).to_string()).into_response();
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.seconds));
    }
    response
}

/// JSON, or a form whose `payload` is JSON.
pub(crate) fn payload(headers: &HeaderMap, body: &[u8]) -> Option<Value> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let payload = form_urlencoded::parse(body).find(|(name, _)| name == "payload")?.1;
        return serde_json::from_str(&payload).ok();
    }
    serde_json::from_slice(body).ok()
}

fn use_url(state: &mut State, key: &str, body: Option<&Value>) -> Result<(), Refused> {
    let lifetime = state.timing.response_url_ms;
    let url = state.response_urls.get(key).ok_or((404, "no_service".to_owned()))?.clone();
    if clock::millis() > url.at + lifetime {
        return Err((404, "expired_url".into()));
    }
    if url.uses >= MOST_USES {
        return Err((404, "used_url".into()));
    }
    let body = body.filter(|body| body.is_object()).ok_or((400, "invalid_payload".to_owned()))?;
    let touched = show(state, &url, body)?;
    if let Some(url) = state.response_urls.get_mut(key) {
        url.uses += 1;
        if touched.is_some() {
            url.original = touched;
        }
    }
    Ok(())
}

/// Shows an answer to an action: in the place of the original, or as a new message. Returns the `ts` of what can be replaced later.
pub(crate) fn show(state: &mut State, url: &ResponseUrl, body: &Value) -> Result<Option<String>, Refused> {
    let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    let (text, blocks, attachments) = (body["text"].as_str().unwrap_or_default(), list("blocks"), list("attachments"));
    let original = url.original.as_ref().filter(|ts| state.world.messages.get(&url.channel, ts).is_some()).cloned();
    if body["delete_original"] == true {
        let original = original.ok_or((404, "message_not_found".to_owned()))?;
        state.remove(&url.channel, &original);
        return Ok(None);
    }
    if text.is_empty() && blocks.is_empty() && attachments.is_empty() {
        return Err((400, "no_text".into()));
    }
    limits::check_message(&blocks, &attachments).map_err(|wrong| (400, wrong.code.to_owned()))?;
    if body["replace_original"] == true
        && let Some(original) = original
    {
        state.change(&url.channel, &original, |message| {
            text.clone_into(&mut message.text);
            message.blocks = blocks;
            message.attachments = attachments;
        });
        return Ok(Some(original));
    }
    let in_channel = body["response_type"] == "in_channel";
    let mut message = Message { blocks, attachments, ..Message::by_bot(&url.channel, &state.world.bot(&url.team), text) };
    message.ephemeral_for = (!in_channel).then(|| url.user.clone());
    message.thread_ts = body["thread_ts"].as_str().map(str::to_owned).or_else(|| url.thread_ts.clone());
    let message = state.post(message);
    // A click's original stays the message that was clicked on.
    Ok((url.of == "command").then(|| message.ts.clone()))
}
