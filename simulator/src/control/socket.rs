//! Socket Mode, and what goes wrong with its connections.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, Sim, parse};
use crate::people::Refused;
use crate::socket_mode::close_after;

pub(super) async fn look(Shared(slack): Sim) -> Json<Value> {
    Json(slack.lock().socket.look())
}

#[derive(Deserialize)]
struct Wish {
    enabled: Option<bool>,
    app_token: Option<String>,
    /// Null: the token works.
    #[serde(default)]
    error: Option<String>,
}

/// Switches Socket Mode on or off, changes the app-level token, or what it is answered with.
pub(super) async fn set(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: Wish = parse(&body)?;
    let mut state = slack.lock();
    let socket = &mut state.socket;
    match wish.enabled {
        Some(true) => socket.enabled = true,
        Some(false) => socket.switch_off(),
        None => {}
    }
    if let Some(token) = wish.app_token {
        socket.app_token = token;
    }
    socket.error = wish.error;
    Ok(Json(socket.look()))
}

#[derive(Deserialize)]
struct DisconnectWish {
    reason: String,
    connection: Option<String>,
    #[serde(default = "ten_seconds")]
    close_ms: u64,
}

fn ten_seconds() -> u64 {
    10_000
}

/// Tells connections that they end, and ends them.
pub(super) async fn disconnect(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: DisconnectWish = parse(&body)?;
    if wish.reason == "link_disabled" {
        slack.lock().socket.switch_off();
        return Ok(Json(json!({"connections": []})));
    }
    if !["warning", "refresh_requested"].contains(&wish.reason.as_str()) {
        return Err(Refused::bad("`reason` is warning, refresh_requested or link_disabled"));
    }
    let told = slack.lock().socket.disconnect(&wish.reason, wish.connection.as_deref());
    for link in told.clone() {
        let slack = slack.clone();
        tokio::spawn(async move { close_after(&slack, &link, Duration::from_millis(wish.close_ms)).await });
    }
    Ok(Json(json!({"connections": told})))
}

#[derive(Deserialize)]
struct BreakWish {
    connection: Option<String>,
    #[serde(default)]
    silently: bool,
}

/// Drops connections, or leaves them open and dead.
pub(super) async fn breaks(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: BreakWish = parse(&body)?;
    let broken = slack.lock().socket.breaks(wish.silently, wish.connection.as_deref());
    Ok(Json(json!({"connections": broken})))
}
