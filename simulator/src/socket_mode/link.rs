//! One WebSocket.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Link, MOST, Order, goodbye};
use crate::state::{Slack, State};
use crate::world::APP_ID;

/// How long the app has to answer a close.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often Slack looks whether the app is there.
const PING: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    ticket: String,
}

/// `GET /link/?ticket=…`: the address that `apps.connections.open` gave, which is good for one connection.
pub(crate) async fn connect(
    Shared(slack): Shared<Arc<Slack>>,
    Query(Asked { ticket }): Query<Asked>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !slack.lock().socket.tickets.remove(&ticket) {
        return (StatusCode::FORBIDDEN, "no such ticket\n").into_response();
    }
    upgrade.on_upgrade(async move |socket| serve(&slack, socket).await)
}

async fn serve(slack: &Arc<Slack>, mut socket: WebSocket) {
    let (orders, taken) = mpsc::unbounded_channel();
    let begun = begin(&mut slack.lock(), orders);
    match begun {
        Ok((id, hello)) => {
            if socket.send(text(hello.to_string())).await.is_ok() {
                talk(slack, &id, &mut socket, taken).await;
            }
            slack.lock().socket.gone(&id);
        }
        // Whatever becomes of it, the connection ends.
        Err(reason) => {
            let _ = socket.send(text(goodbye(reason).to_string())).await;
            let _ = close(&mut socket).await;
        }
    }
}

/// Takes a connection in, or says why not.
fn begin(state: &mut State, orders: mpsc::UnboundedSender<Order>) -> Result<(String, Value), &'static str> {
    let id = format!("L{}-{}", state.generation, state.world.number());
    let socket = &mut state.socket;
    if !socket.enabled {
        return Err("link_disabled");
    }
    if socket.open() >= MOST {
        return Err("too_many_websockets");
    }
    socket.opened += 1;
    socket.links.push(Link { id: id.clone(), orders, leaving: false, ended: false, sent: 0 });
    let hello = json!({
        "type": "hello", "num_connections": socket.open(), "connection_info": {"app_id": APP_ID},
        "debug_info": {"host": "applink-simulator", "build_number": 54, "approximate_connection_time": 18060},
    });
    Ok((id, hello))
}

/// Does what the connection is told, and hears what the app says, until one of the two ends it.
async fn talk(slack: &Arc<Slack>, id: &str, socket: &mut WebSocket, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut pings = tokio::time::interval(PING);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Say(said)) => if socket.send(text(said)).await.is_err() { return },
                Some(Order::Hush) => {
                    // Whatever comes is left where it is: reading would answer pings.
                    while !matches!(orders.recv().await, None | Some(Order::Cut | Order::Close)) {}
                    return;
                }
                Some(Order::Close) => {
                    for said in close(socket).await {
                        slack.lock().socket.hear(id, &said);
                    }
                    return;
                }
                None | Some(Order::Cut) => return,
            },
            _ = pings.tick() => if socket.send(Message::Ping("applink".into())).await.is_err() { return },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(said))) => slack.lock().socket.hear(id, &said),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        }
    }
}

/// Closes it, and gives what the app still said meanwhile.
async fn close(socket: &mut WebSocket) -> Vec<String> {
    let mut last = Vec::new();
    let closing = async {
        if socket.send(Message::Close(None)).await.is_ok() {
            while let Some(Ok(message)) = socket.recv().await {
                if let Message::Text(said) = message {
                    last.push(said.to_string());
                }
            }
        }
    };
    // An app that does not answer loses the connection all the same.
    let _ = tokio::time::timeout(PATIENCE, closing).await;
    last
}

fn text(said: String) -> Message {
    Message::Text(said.into())
}
