//! Settings that can be changed while the simulator runs.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, Sim, parse};
use crate::config::Rates;
use crate::people::Refused;
use crate::rates::Used;
use crate::world::{BOT_USER, Channel, TEAM, User};

/// Changes an address that is given; null and an empty text clear it.
fn set_url(url: &mut Option<String>, body: &Value, name: &str) {
    if let Some(given) = body.get(name) {
        *url = given.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    }
}

pub(super) async fn app(Shared(slack): Sim, body: Bytes) -> Reply {
    let body: Value = parse(&body)?;
    let mut state = slack.lock();
    set_url(&mut state.app.commands_url, &body, "commands_url");
    set_url(&mut state.app.interactions_url, &body, "interactions_url");
    set_url(&mut state.app.events_url, &body, "events_url");
    if let Some(events) = body.get("events") {
        state.app.events = serde_json::from_value(events.clone()).map_err(|_| Refused::bad("`events` is a list of names"))?;
    }
    let app = json!(state.app);
    state.tell(&json!({"kind": "app", "app": app}));
    Ok(Json(app))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Tokens {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct TokenWish {
    bot_token: Option<Tokens>,
    signing_secret: Option<String>,
    scopes: Option<Vec<String>>,
    error: Option<Value>,
}

pub(super) async fn token(Shared(slack): Sim, body: Bytes) -> Reply {
    // `error: null` means something else than no `error`, which serde's Option does not tell apart.
    let clears_error = parse::<Value>(&body)?.get("error").is_some_and(Value::is_null);
    let wish: TokenWish = parse(&body)?;
    let mut state = slack.lock();
    match wish.bot_token {
        Some(Tokens::One(token)) => state.access.bot_tokens = vec![token],
        Some(Tokens::Several(tokens)) => state.access.bot_tokens = tokens,
        None => {}
    }
    if let Some(secret) = wish.signing_secret {
        state.access.signing_secret = secret;
    }
    if let Some(scopes) = wish.scopes {
        state.access.scopes = scopes;
    }
    if clears_error {
        state.access.error = None;
    } else if let Some(error) = wish.error {
        state.access.error = error.as_str().map(str::to_owned);
    }
    Ok(Json(json!({"ok": true, "scopes": state.access.scopes, "error": state.access.error})))
}

#[derive(Deserialize)]
struct RatesWish {
    off: Option<bool>,
    channel_per_second: Option<f64>,
    burst: Option<u32>,
    methods: Option<BTreeMap<String, u32>>,
    default_per_minute: Option<u32>,
}

pub(super) async fn rates(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: RatesWish = parse(&body)?;
    let mut state = slack.lock();
    if let Some(off) = wish.off {
        state.rates = Rates { off, ..Rates::default() };
    }
    let rates = &mut state.rates;
    rates.channel_per_second = wish.channel_per_second.unwrap_or(rates.channel_per_second);
    rates.burst = wish.burst.unwrap_or(rates.burst);
    rates.default_per_minute = wish.default_per_minute.unwrap_or(rates.default_per_minute);
    rates.methods.extend(wish.methods.unwrap_or_default());
    // What was used under the old limits says nothing about the new ones.
    state.used = Used::default();
    Ok(Json(json!(state.rates)))
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the name in JSON")]
struct TimingWish {
    trigger_ms: Option<u64>,
    answer_ms: Option<u64>,
    response_url_ms: Option<u64>,
    event_retry_ms: Option<Vec<u64>>,
}

pub(super) async fn timing(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: TimingWish = parse(&body)?;
    let mut state = slack.lock();
    let timing = &mut state.timing;
    timing.trigger_ms = wish.trigger_ms.unwrap_or(timing.trigger_ms);
    timing.answer_ms = wish.answer_ms.unwrap_or(timing.answer_ms);
    timing.response_url_ms = wish.response_url_ms.unwrap_or(timing.response_url_ms);
    if let Some(delays) = wish.event_retry_ms {
        timing.event_retry_ms = delays;
    }
    Ok(Json(json!(state.timing)))
}

/// Lays the given fields over what is there.
fn overlay<T: serde::Serialize + serde::de::DeserializeOwned>(known: &T, changes: &Value) -> Result<T, Refused> {
    let mut shape = json!(known);
    for (name, value) in changes.as_object().into_iter().flatten() {
        shape[name] = value.clone();
    }
    serde_json::from_value(shape).map_err(|error| Refused::bad(format!("the body cannot be read: {error}")))
}

pub(super) async fn channel(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: Value = parse(&body)?;
    let id = wish["id"].as_str().ok_or_else(|| Refused::bad("`id` is missing"))?.to_owned();
    let mut state = slack.lock();
    let known = state.world.channel(&id).cloned().unwrap_or_else(|| Channel {
        id: id.clone(),
        name: id.to_lowercase(),
        is_private: false,
        is_archived: false,
        is_im: false,
        user: None,
        is_member: true,
        members: ["U0JANE", "U0OMAR", "U0LENA", BOT_USER].map(str::to_owned).to_vec(),
    });
    let mut channel = overlay(&known, &wish)?;
    // Membership is told in two ways; the flag wins where it is given.
    let has_bot = channel.members.iter().any(|member| member == BOT_USER);
    if wish.get("is_member").is_none() {
        channel.is_member = has_bot;
    } else if channel.is_member && !has_bot {
        channel.members.push(BOT_USER.to_owned());
    } else if !channel.is_member {
        channel.members.retain(|member| member != BOT_USER);
    }
    state.world.channels.retain(|other| other.id != id);
    state.world.channels.push(channel.clone());
    state.tell_channels();
    Ok(Json(json!(channel)))
}

pub(super) async fn user(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: Value = parse(&body)?;
    let id = wish["id"].as_str().ok_or_else(|| Refused::bad("`id` is missing"))?.to_owned();
    let mut state = slack.lock();
    let known = state.world.users.iter().find(|user| user.id == id).cloned().unwrap_or_else(|| User {
        id: id.clone(),
        name: id.to_lowercase(),
        real_name: id.clone(),
        email: None,
        team_id: TEAM.to_owned(),
        deleted: false,
        is_restricted: false,
        is_ultra_restricted: false,
        is_stranger: false,
        is_bot: false,
        tz: "Etc/UTC".to_owned(),
    });
    let user = overlay(&known, &wish)?;
    match state.world.users.iter_mut().find(|other| other.id == id) {
        Some(place) => *place = user.clone(),
        None => state.world.users.push(user.clone()),
    }
    let users = json!({"kind": "users", "users": state.world.users});
    state.tell(&users);
    Ok(Json(json!(user)))
}
