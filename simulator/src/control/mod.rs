//! The control API under `/sim`: what the page and the tests use to look at the workspace and to act in it.

mod settings;
mod socket;
mod stream;
mod teams;

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::calls::Call;
use crate::fields::{Record, list, put, selected};
use crate::messages::Message;
use crate::people::{Refused, click, command, events, modal, workflow};
use crate::replay;
use crate::state::{Delivery, PARTS, Slack};

type Sim = Shared<Arc<Slack>>;
type Reply = Result<Json<Value>, Refused>;

pub(crate) fn routes() -> Router<Arc<Slack>> {
    Router::new()
        .route("/state", get(state))
        .route("/stream", get(stream::stream))
        .route("/messages", get(messages))
        .route("/calls", get(calls).delete(forget_calls))
        .route("/deliveries", get(deliveries).delete(forget_deliveries))
        .route("/triggers/{id}", get(trigger))
        .route("/app", post(settings::app))
        .route("/apps", get(settings::apps).post(settings::set_apps))
        .route("/teams", post(teams::set))
        .route("/token", post(teams::token))
        .route("/oauth", post(teams::oauth))
        .route("/authorize", post(teams::authorize))
        .route("/webhooks", post(teams::webhook))
        .route("/rates", post(settings::rates))
        .route("/socket", get(socket::look).post(socket::set))
        .route("/socket/disconnect", post(socket::disconnect))
        .route("/socket/break", post(socket::breaks))
        .route("/timing", post(settings::timing))
        .route("/channels", post(settings::channel))
        .route("/users", post(settings::user))
        .route("/reset", post(reset))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/faults/{id}", delete(clear_fault))
        .route("/samples", get(samples))
        .route("/samples/{name}", get(sample))
        .route("/samples/{name}/send", post(send_sample))
        .route("/queue", post(send_raw))
        .merge(doing())
}

/// What people do: each route reads its wish and has it done.
fn doing() -> Router<Arc<Slack>> {
    macro_rules! does {
        ($do:path) => {
            post(|Shared(slack): Sim, body: Bytes| async move {
                let wish = parse(&body)?;
                // A task of its own: what was begun is finished and recorded, even if the caller goes away.
                let done = tokio::spawn(async move { $do(&slack, wish).await }).await;
                done.unwrap_or_else(|error| Err(Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))).map(Json)
            })
        };
    }
    Router::new()
        .route("/command", does!(command::run))
        .route("/click", does!(click::run))
        .route("/shortcut", does!(click::shortcut))
        .route("/submit", does!(modal::submit))
        .route("/close", does!(modal::close))
        .route("/message", does!(events::message))
        .route("/event", does!(events::any))
        .route("/reaction", does!(events::reaction))
        .route("/uninstall", does!(events::uninstall))
        .route("/home", does!(events::home))
        .route("/invite", does!(events::invite))
        .route("/step", does!(workflow::step))
        .route("/ssl-check", does!(events::ssl_check))
        .route("/raw", does!(events::raw))
        .route("/redeliver", does!(events::redeliver))
        .route("/challenge", post(|Shared(slack): Sim| async move { events::challenge(&slack).await.map(Json) }))
}

/// Reads a body whatever its content type says; none at all counts as `{}`.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Refused::bad(format!("the body cannot be read: {error}")))
}

/// JSON that is written already.
fn written(json: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}

fn fields_of<R: Record>(query: Option<&str>) -> Result<Vec<&'static str>, Refused> {
    selected::<R>(query).map_err(|name| Refused::bad(format!("there is no field {name}")))
}

#[derive(Deserialize)]
struct StateQuery {
    user: Option<String>,
    fields: Option<String>,
}

async fn state(Shared(slack): Sim, Query(query): Query<StateQuery>) -> Result<Response, Refused> {
    let parts = match &query.fields {
        None => WHOLE.to_vec(),
        Some(names) => {
            let known = |name: &str| WHOLE.iter().find(|part| **part == name).copied();
            let part = |name: &str| known(name.trim()).ok_or_else(|| Refused::bad(format!("there is no field {name}")));
            names.split(',').map(part).collect::<Result<_, _>>()?
        }
    };
    Ok(written(look(&slack, query.user.as_deref(), &parts, usize::MAX)))
}

/// All that `/sim/state` has.
static WHOLE: LazyLock<Vec<&'static str>> = LazyLock::new(|| PARTS.into_iter().chain(["queue", "samples"]).collect());

/// The world, and what lies outside of it: samples and queue. Of each channel's messages only the newest, so many of them.
fn look(slack: &Slack, user: Option<&str>, parts: &[&'static str], newest: usize) -> Vec<u8> {
    let look = {
        let state = slack.lock();
        let user = user.and_then(|user| state.world.user(user)).map(|user| user.id.clone());
        state.look(user.as_deref(), parts)
    };
    let mut all = look.parts;
    if parts.contains(&"messages") {
        let newest_of = |messages: &Vec<Arc<Message>>| messages[messages.len().saturating_sub(newest)..].to_vec();
        let mut messages: Vec<Arc<Message>> = look.messages.iter().flat_map(newest_of).collect();
        messages.sort_by(|a, b| a.ts.cmp(&b.ts));
        all.push(("messages", list::<Message, _>(messages, Message::FIELDS)));
    }
    if parts.contains(&"queue") {
        all.push(("queue", slack.queue.is_some().to_string().into_bytes()));
    }
    if parts.contains(&"samples") {
        all.push(("samples", json!(sample_names(slack)).to_string().into_bytes()));
    }
    let mut whole = vec![b'{'];
    for (index, (name, json)) in all.iter().enumerate() {
        if index > 0 {
            whole.push(b',');
        }
        put(&mut whole, name);
        whole.push(b':');
        whole.extend_from_slice(json);
    }
    whole.push(b'}');
    whole
}

#[derive(Deserialize)]
struct MessagesQuery {
    channel: Option<String>,
    thread_ts: Option<String>,
    user: Option<String>,
    fields: Option<String>,
}

/// The messages of a channel, or of all.
async fn messages(Shared(slack): Sim, Query(query): Query<MessagesQuery>) -> Result<Response, Refused> {
    let fields = fields_of::<Message>(query.fields.as_deref())?;
    let shown: Vec<Arc<Message>> = {
        let state = slack.lock();
        let messages = &state.world.messages;
        let user = query.user.as_deref().and_then(|user| state.world.user(user));
        let visible = |message: &&Arc<Message>| user.is_none_or(|user| message.visible_to(&user.id));
        let channel = query.channel.as_deref().map(|wanted| {
            let known = state.world.channel_by_id_or_name(wanted, None);
            known.ok_or_else(|| Refused::not_found("there is no such channel"))
        });
        match (channel.transpose()?, &query.thread_ts) {
            (Some(channel), Some(root)) => messages.thread(&channel.id, root).filter(visible).cloned().collect(),
            (Some(channel), None) => messages.of(&channel.id).filter(visible).cloned().collect(),
            (None, Some(_)) => return Err(Refused::bad("a thread is one of a channel: name it")),
            (None, None) => messages.all().filter(visible).cloned().collect(),
        }
    };
    Ok(written(list::<Message, _>(shown, &fields)))
}

#[derive(Deserialize)]
struct CallsQuery {
    method: Option<String>,
    since: Option<u64>,
    limit: Option<usize>,
    fields: Option<String>,
}

async fn calls(Shared(slack): Sim, Query(query): Query<CallsQuery>) -> Result<Response, Refused> {
    let fields = fields_of::<Call>(query.fields.as_deref())?;
    let fits = |call: &&Arc<Call>| query.method.as_ref().is_none_or(|method| call.method == *method);
    let limit = query.limit.unwrap_or(usize::MAX);
    let shown: Vec<Arc<Call>> = slack.lock().calls.since(query.since.unwrap_or(0)).filter(fits).take(limit).cloned().collect();
    Ok(written(list::<Call, _>(shown, &fields)))
}

async fn forget_calls(Shared(slack): Sim) -> Json<Value> {
    slack.lock().calls.forget();
    Json(json!({"ok": true}))
}

#[derive(Deserialize)]
struct DeliveriesQuery {
    kind: Option<String>,
    since: Option<u64>,
}

async fn deliveries(Shared(slack): Sim, Query(query): Query<DeliveriesQuery>) -> Json<Value> {
    let state = slack.lock();
    let fits = |delivery: &&Delivery| {
        query.kind.as_ref().is_none_or(|kind| delivery.kind == kind) && query.since.is_none_or(|since| delivery.id > since)
    };
    Json(json!(state.deliveries.iter().filter(fits).collect::<Vec<_>>()))
}

async fn forget_deliveries(Shared(slack): Sim) -> Json<Value> {
    slack.lock().deliveries.clear();
    Json(json!({"ok": true}))
}

async fn trigger(Shared(slack): Sim, Path(id): Path<String>) -> Reply {
    match slack.lock().trigger_fate(&id) {
        Value::Null => Err(Refused::not_found("there is no such trigger")),
        fate => Ok(Json(fate)),
    }
}

async fn reset(Shared(slack): Sim) -> Json<Value> {
    slack.reset();
    Json(json!({"ok": true}))
}

async fn faults(Shared(slack): Sim) -> Json<Value> {
    Json(json!(slack.lock().faults.list))
}

async fn add_fault(Shared(slack): Sim, body: Bytes) -> Reply {
    let wanted: crate::faults::Wanted = parse(&body)?;
    let mut state = slack.lock();
    let channel = match wanted.channel() {
        None => None,
        Some(name) => {
            let known = state.world.channel_by_id_or_name(name, None).map(|channel| channel.id.clone());
            // A direct message comes into being when it is first used, so it is named by its person.
            let known = known.or_else(|| state.world.user(name).map(|user| state.world.direct_message_id(&user.id, &user.team_id)));
            Some(known.ok_or_else(|| Refused::not_found(format!("there is no channel {name}")))?)
        }
    };
    let fault = state.faults.add(wanted, channel);
    state.tell_faults();
    Ok(Json(json!(fault)))
}

async fn clear_faults(Shared(slack): Sim) -> Json<Value> {
    let mut state = slack.lock();
    state.faults.list.clear();
    state.tell_faults();
    Json(json!({"ok": true}))
}

async fn clear_fault(Shared(slack): Sim, Path(id): Path<u64>) -> Reply {
    let mut state = slack.lock();
    let before = state.faults.list.len();
    state.faults.list.retain(|fault| fault.id != id);
    if state.faults.list.len() == before {
        return Err(Refused::not_found("there is no such fault"));
    }
    state.tell_faults();
    Ok(Json(json!({"ok": true})))
}

/// Files of the samples folder that can be dropped onto the queue, in alphabetical order.
fn sample_names(slack: &Slack) -> Vec<String> {
    // A folder that is not there holds no samples.
    let Ok(entries) = std::fs::read_dir(&slack.config.samples) else { return Vec::new() };
    let files = entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<String> = files
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && std::path::Path::new(name).extension().is_none_or(|extension| extension != "md"))
        .collect();
    names.sort();
    names
}

fn read_sample(slack: &Slack, name: &str) -> Result<String, Refused> {
    // Only names from the list, so that no path leads out of the folder.
    if !sample_names(slack).iter().any(|known| known == name) {
        return Err(Refused::not_found(format!("there is no sample {name}")));
    }
    let bytes = std::fs::read(slack.config.samples.join(name)).map_err(|error| Refused::not_found(format!("{name}: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn samples(Shared(slack): Sim) -> Json<Value> {
    Json(json!(sample_names(&slack)))
}

async fn sample(Shared(slack): Sim, Path(name): Path<String>) -> Response {
    match read_sample(&slack, &name) {
        Ok(text) => text.into_response(),
        Err(refused) => refused.into_response(),
    }
}

#[derive(Default, Deserialize)]
struct SendWish {
    body: Option<Value>,
    times: Option<usize>,
    #[serde(default)]
    now: bool,
}

async fn send_sample(Shared(slack): Sim, Path(name): Path<String>, body: Bytes) -> Reply {
    let wish: SendWish = parse(&body)?;
    let mut text = read_sample(&slack, &name)?;
    if wish.now {
        text = replay::happening_now(&text, Timestamp::now());
    }
    send(&slack, &text, wish.times).await
}

async fn send_raw(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: SendWish = parse(&body)?;
    let text = match wish.body {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => return Err(Refused::bad("`body` is missing")),
    };
    send(&slack, &text, wish.times).await
}

async fn send(slack: &Slack, text: &str, times: Option<usize>) -> Reply {
    let Some(queue) = &slack.queue else {
        return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, "no queue is set: start the simulator with --incidents-queue-url".into()));
    };
    let sends = (0..times.unwrap_or(1).max(1)).map(|_| queue.send(text));
    let ids: Result<Vec<String>, String> = futures_util::future::join_all(sends).await.into_iter().collect();
    let ids = ids.map_err(|error| Refused(StatusCode::BAD_GATEWAY, error))?;
    Ok(Json(json!({"message_id": ids.first(), "message_ids": ids})))
}
