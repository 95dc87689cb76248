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
use crate::world::{Channel, TEAM, User, World, person};

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
    state.tell(|state| json!({"kind": "app", "app": state.app}));
    Ok(Json(json!(state.app)))
}

/// The manifests that were handed over, by the app's id.
pub(super) async fn apps(Shared(slack): Sim) -> Json<Value> {
    Json(json!(slack.lock().apps.manifests))
}

#[derive(Deserialize)]
struct AppsWish {
    error: Option<String>,
}

/// Sets what the app configuration token is answered with; nothing: it works.
pub(super) async fn set_apps(Shared(slack): Sim, body: Bytes) -> Reply {
    let AppsWish { error } = parse(&body)?;
    slack.lock().apps.error.clone_from(&error);
    Ok(Json(json!({"error": error})))
}

/// A number of messages, or `off`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cap {
    PerMinute(u32),
    Word(String),
}

#[derive(Deserialize)]
struct RatesWish {
    off: Option<bool>,
    channel_per_second: Option<f64>,
    burst: Option<u32>,
    workspace_per_minute: Option<Cap>,
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
    match wish.workspace_per_minute {
        None => {}
        Some(Cap::PerMinute(cap)) => rates.workspace_per_minute = Some(cap),
        Some(Cap::Word(word)) if word == "off" => rates.workspace_per_minute = None,
        Some(Cap::Word(_)) => return Err(Refused::bad("`workspace_per_minute` is a number or \"off\"")),
    }
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
    code_ms: Option<u64>,
    token_ms: Option<u64>,
}

pub(super) async fn timing(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: TimingWish = parse(&body)?;
    let mut state = slack.lock();
    let timing = &mut state.timing;
    timing.trigger_ms = wish.trigger_ms.unwrap_or(timing.trigger_ms);
    timing.answer_ms = wish.answer_ms.unwrap_or(timing.answer_ms);
    timing.response_url_ms = wish.response_url_ms.unwrap_or(timing.response_url_ms);
    timing.code_ms = wish.code_ms.unwrap_or(timing.code_ms);
    timing.token_ms = wish.token_ms.unwrap_or(timing.token_ms);
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
    let team = wish["team_id"].as_str().unwrap_or(TEAM);
    if state.world.team(team).is_none() {
        return Err(Refused::not_found(format!("there is no team {team}")));
    }
    let known = state.world.channel(&id).cloned().unwrap_or_else(|| Channel {
        id: id.clone(),
        name: id.to_lowercase(),
        team_id: team.to_owned(),
        is_private: false,
        is_archived: false,
        is_im: false,
        user: None,
        is_member: true,
        members: everybody(&state.world, team),
    });
    let mut channel = overlay(&known, &wish)?;
    // Membership is told in two ways; the flag wins where it is given.
    let bot = state.world.bot(&channel.team_id).user_id;
    let has_bot = channel.members.contains(&bot);
    if wish.get("is_member").is_none() {
        channel.is_member = has_bot;
    } else if channel.is_member && !has_bot {
        channel.members.push(bot);
    } else if !channel.is_member {
        channel.members.retain(|member| *member != bot);
    }
    match state.world.channels.iter_mut().find(|other| other.id == id) {
        Some(place) => *place = channel.clone(),
        None => state.world.channels.push(channel.clone()),
    }
    state.tell_channels();
    Ok(Json(json!(channel)))
}

/// Who is in a new channel of a team: its people with ordinary accounts, and the bot.
fn everybody(world: &World, team: &str) -> Vec<String> {
    let is_ordinary =
        |user: &&User| user.team_id == team && !(user.is_bot || user.deleted || user.is_restricted || user.is_ultra_restricted);
    let people = world.users.iter().filter(is_ordinary).map(|user| user.id.clone());
    people.chain([world.bot(team).user_id]).collect()
}

pub(super) async fn user(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: Value = parse(&body)?;
    let id = wish["id"].as_str().ok_or_else(|| Refused::bad("`id` is missing"))?.to_owned();
    let mut state = slack.lock();
    let known = state.world.users.iter().find(|user| user.id == id).cloned();
    let known = known.unwrap_or_else(|| User { email: None, ..person(&id, &id.to_lowercase(), &id, "Etc/UTC", TEAM) });
    let user = overlay(&known, &wish)?;
    match state.world.users.iter_mut().find(|other| other.id == id) {
        Some(place) => *place = user.clone(),
        None => state.world.users.push(user.clone()),
    }
    state.tell_users();
    Ok(Json(json!(user)))
}
