//! Incoming webhooks: addresses that put messages into one channel, and answer in plain text with no `ts`.

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
use crate::people::events;
use crate::response_url::payload;
use crate::state::{Slack, State};
use crate::teams::Bot;
use crate::web_api::limits;

/// What the records call it.
const METHOD: &str = "incoming_webhook";
/// Longer text is cut.
const TEXT_CUT: usize = 40_000;

/// An address of one channel.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) team: String,
    pub(crate) channel: String,
    /// The second part of the address, and the author of its messages.
    pub(crate) bot_id: String,
    secret: String,
}

/// Makes an address for a channel.
pub(crate) fn create(state: &mut State, team: &str, channel: &str) -> (Webhook, String) {
    let webhook = Webhook {
        team: team.to_owned(),
        channel: channel.to_owned(),
        bot_id: format!("B0HOOK{}", state.world.number()),
        secret: state.secret_text(),
    };
    let path = format!("/services/{team}/{}/{}", webhook.bot_id, webhook.secret);
    state.webhooks.push(webhook.clone());
    (webhook, path)
}

/// What a post came to.
enum Outcome {
    Posted,
    /// An HTTP status and a word.
    Refused(u16, String),
    TooMuch(Wait),
}

/// `POST /services/{team}/{bot}/{secret}`.
pub(crate) async fn post(
    Shared(slack): Shared<Arc<Slack>>,
    Path((team, bot_id, secret)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (started, at) = (Instant::now(), clock::millis());
    let body = payload(&headers, &body);
    let arguments = body.as_ref().map_or_else(|| "null".to_owned(), Value::to_string);
    let (fault, outcome) = {
        let mut state = slack.lock();
        let installation = state.world.team(&team).map(|team| state.world.installation_of(&team.id));
        let channel = state.webhooks.iter().find(|known| known.bot_id == bot_id).map(|known| known.channel.clone());
        let fault = state.faults.strike(METHOD, channel.as_deref(), installation.as_deref());
        if fault.is_some() {
            state.tell_faults();
        }
        let kind = fault.as_ref().map(|fault| fault.kind);
        let outcome = match &fault {
            Some(fault) if fault.kind == Kind::RateLimited => {
                Outcome::TooMuch(Wait { seconds: fault.retry_after, limit: Limit::Fault, in_channel: fault.channel.is_some() })
            }
            Some(fault) if fault.kind == Kind::ServerError => Outcome::Refused(fault.status, "server_error".to_owned()),
            Some(fault) if fault.kind == Kind::Error => Outcome::Refused(status_of(&fault.code), fault.code.clone()),
            Some(fault) if fault.kind == Kind::ResetBefore => Outcome::Refused(0, "reset".to_owned()),
            _ => take(&mut state, &team, &bot_id, &secret, body.as_ref()),
        };
        let (status, error, wait) = match &outcome {
            Outcome::Posted => (200, None, None),
            Outcome::Refused(status, error) => (*status, Some(error.clone()), None),
            Outcome::TooMuch(wait) => (429, Some("rate_limited".to_owned()), Some(*wait)),
        };
        let cut = matches!(kind, Some(Kind::AcceptThenReset | Kind::ResetBefore));
        let call = Call {
            id: 0,
            at,
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or_default(),
            team: installation,
            method: METHOD.to_owned(),
            arguments,
            response_url_for: None,
            webhook: Some(format!("{team}/{bot_id}")),
            http_status: (!cut).then_some(status),
            ok: error.is_none(),
            applied: error.is_none(),
            error,
            answer: None,
            fault: kind,
            scopes_needed: &[],
            wait,
            early: None,
        };
        // Each address has a rate of its own.
        state.record_call(call, Some(&bot_id));
        (fault, outcome)
    };
    if let Some(fault) = &fault
        && let Some(cut) = fault.strikes_the_answer().await
    {
        return cut;
    }
    match outcome {
        Outcome::Posted => "ok".into_response(),
        Outcome::Refused(status, error) => {
            (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error).into_response()
        }
        Outcome::TooMuch(wait) => {
            let body = json!({"retry_after": wait.seconds, "ok": false, "error": "rate_limited"}).to_string();
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            let headers = [(header::CONTENT_TYPE, json), (header::RETRY_AFTER, HeaderValue::from(wait.seconds))];
            (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
        }
    }
}

/// The HTTP status that goes with a word.
fn status_of(code: &str) -> u16 {
    match code {
        "action_prohibited" | "invalid_token" | "posting_to_general_channel_denied" | "team_disabled" => 403,
        "channel_not_found" | "no_active_hooks" | "no_service" | "no_team" => 404,
        "channel_is_archived" => 410,
        "internal_error" | "rollup_error" => 500,
        _ => 400,
    }
}

fn take(state: &mut State, team: &str, bot_id: &str, secret: &str, body: Option<&Value>) -> Outcome {
    let refused = |code: &str| Outcome::Refused(status_of(code), code.to_owned());
    if state.world.team(team).is_none() {
        return refused("no_team");
    }
    let is_installed = state.access.installations.get(&state.world.installation_of(team)).is_some_and(|known| known.error.is_none());
    let webhook = state.webhooks.iter().find(|known| known.team == team && known.bot_id == bot_id && is_installed);
    let Some(webhook) = webhook.cloned() else { return refused("no_service") };
    if webhook.secret != secret {
        return refused("invalid_token");
    }
    if let Err(wait) = state.used.take_webhook(&state.rates, bot_id, clock::millis()) {
        return Outcome::TooMuch(wait);
    }
    let Some(body) = body.filter(|body| body.is_object()) else { return refused("invalid_payload") };
    let Some(channel) = state.world.channel(&webhook.channel) else { return refused("channel_not_found") };
    if channel.is_archived {
        return refused("channel_is_archived");
    }
    let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    let (blocks, attachments) = (list("blocks"), list("attachments"));
    let text: String = body["text"].as_str().unwrap_or_default().chars().take(TEXT_CUT).collect();
    if text.is_empty() && blocks.is_empty() && attachments.is_empty() {
        return refused("no_text");
    }
    if let Err(wrong) = limits::check_message(&blocks, &attachments) {
        return refused(wrong.code);
    }
    let bot = Bot { bot_id: webhook.bot_id, ..state.world.bot(team) };
    let message = Message { blocks, attachments, subtype: Some("bot_message"), ..Message::by_bot(&webhook.channel, &bot, &text) };
    let message = state.post(message);
    for event in events::of_message(state, &message) {
        state.emit(team, event);
    }
    Outcome::Posted
}
