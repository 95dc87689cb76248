//! Socket Mode: tickets, envelopes, acknowledgements, and connections that end.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::World;

/// The app's end of a WebSocket.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(world: &World) -> Self {
        let url = address(world).await;
        Self(connect_async(url).await.unwrap().0)
    }

    /// Opened, and greeted.
    async fn greeted(world: &World) -> Self {
        let mut socket = Self::open(world).await;
        assert_eq!(socket.hears().await["type"], "hello");
        socket
    }

    /// The next thing that is said; null where it is the end.
    async fn hears(&mut self) -> Value {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return Value::Null,
            }
        }
    }

    async fn says(&mut self, said: &Value) {
        self.0.send(Message::text(said.to_string())).await.unwrap();
    }
}

async fn address(world: &World) -> String {
    let opened = world.api_as("xapp-simulator", "apps.connections.open", json!({})).await.body;
    opened["url"].as_str().unwrap_or_else(|| panic!("{opened}")).to_owned()
}

async fn in_socket_mode() -> World {
    let world = World::start().await;
    world.sim("socket", json!({"enabled": true})).await;
    world
}

#[tokio::test]
async fn only_the_app_level_token_opens_and_a_ticket_is_good_once() {
    let world = in_socket_mode().await;
    for (token, error) in [("xoxb-simulator", "not_allowed_token_type"), ("xapp-other", "invalid_auth")] {
        assert_eq!(world.api_as(token, "apps.connections.open", json!({})).await.body["error"], error);
    }
    assert_eq!(world.get_api_as("", "apps.connections.open?token=xapp-simulator").await["error"], "not_authed");
    let url = address(&world).await;
    let mut socket = Socket(connect_async(&url).await.unwrap().0);
    let hello = socket.hears().await;
    assert_eq!(
        (&hello["type"], &hello["num_connections"], &hello["connection_info"]["app_id"]),
        (&json!("hello"), &json!(1), &json!("A0TOCSIN"))
    );
    assert!(connect_async(&url).await.is_err(), "a ticket is good once");
    assert!(connect_async(url.replace("ticket=", "ticket=1")).await.is_err(), "no such ticket");
    let calls = world.look("calls?method=apps.connections.open").await.to_string();
    assert!(!calls.contains("ticket"), "{calls}");
}

#[tokio::test]
async fn what_people_do_comes_as_envelopes_and_nothing_as_requests() {
    let world = in_socket_mode().await;
    let mut socket = Socket::greeted(&world).await;
    let (done, ()) = tokio::join!(world.sim("command", json!({"user": "omar", "channel": "payments", "text": "list"})), async {
        let envelope = socket.hears().await;
        assert_eq!((&envelope["type"], &envelope["accepts_response_payload"]), (&json!("slash_commands"), &json!(true)));
        assert_eq!((&envelope["payload"]["command"], &envelope["payload"]["text"]), (&json!("/incident"), &json!("list")));
        socket.says(&json!({"envelope_id": envelope["envelope_id"], "payload": {"text": "nothing"}})).await;
    });
    assert_eq!((&done["status"], &done["messages"][0]["text"]), (&json!(200), &json!("nothing")));
    let ts = world.post_button().await;
    let click = json!({"user": "jane", "channel": "incidents", "ts": ts, "action_id": "acknowledge_incident"});
    let (done, ()) = tokio::join!(world.sim("click", click), async {
        // The message of the bot itself comes back as an event.
        for kind in ["events_api", "interactive"] {
            let envelope = socket.hears().await;
            assert_eq!(envelope["type"], kind);
            socket.says(&json!({"envelope_id": envelope["envelope_id"]})).await;
        }
    });
    assert_eq!(done["status"], 200);
    assert_eq!(world.app.requests().len(), 0);
    let state = world.look("socket").await;
    assert_eq!((&state["acknowledged"], &state["mistakes"]), (&json!(3), &json!([])), "{state}");
    assert!(world.sim("challenge", json!({})).await["error"].as_str().unwrap().contains("no url_verification"));
}

#[tokio::test]
async fn an_event_that_is_not_acknowledged_comes_again_and_says_so() {
    let world = in_socket_mode().await;
    world.sim("timing", json!({"answer_ms": 50, "event_retry_ms": [0, 0]})).await;
    let mut socket = Socket::greeted(&world).await;
    let said = json!({"user": "jane", "channel": "general", "text": "@tocsin status", "typed": true});
    world.sim("app", json!({"events": ["app_mention"]})).await;
    let ((), _) = tokio::join!(
        async {
            for attempt in 0..3 {
                let envelope = socket.hears().await;
                assert_eq!(envelope["retry_attempt"], attempt);
                assert_eq!(envelope["retry_reason"], if attempt == 0 { "" } else { "timeout" });
                if attempt == 2 {
                    socket.says(&json!({"envelope_id": envelope["envelope_id"]})).await;
                }
            }
        },
        world.sim("message", said)
    );
    assert_eq!(world.deliveries("event", 3).await[2]["http_status"], 200);
}

#[tokio::test]
async fn what_is_acknowledged_wrongly_is_not_acknowledged() {
    let world = in_socket_mode().await;
    world.sim("timing", json!({"answer_ms": 300, "event_retry_ms": []})).await;
    let mut socket = Socket::greeted(&world).await;
    let event = json!({"event": {"type": "app_home_opened", "user": "U0JANE"}});
    let (done, ()) = tokio::join!(world.sim("event", event), async {
        let id = socket.hears().await["envelope_id"].clone();
        for said in [
            json!({"envelope_id": "another"}),
            json!({"envelope_id": id, "payload": {"text": "no"}}),
            json!({"envelope_id": id, "answer": {}}),
            json!({"acknowledged": true}),
        ] {
            socket.says(&said).await;
        }
    });
    assert_eq!(done["error"], "operation_timeout");
    let state = world.look("socket").await;
    assert_eq!(state["mistakes"].as_array().unwrap().len(), 4, "{state}");
}

#[tokio::test]
async fn connections_share_the_work_and_end_as_they_are_told() {
    let world = in_socket_mode().await;
    let (mut first, mut second) = (Socket::greeted(&world).await, Socket::greeted(&world).await);
    let ids = world.look("socket").await["connections"].clone();
    world.sim("socket/disconnect", json!({"reason": "refresh_requested", "connection": ids[0]["id"], "close_ms": 0})).await;
    let goodbye = first.hears().await;
    assert_eq!((&goodbye["type"], &goodbye["reason"]), (&json!("disconnect"), &json!("refresh_requested")));
    assert_eq!(first.hears().await, Value::Null, "it is closed");
    for _ in 0..3 {
        let (done, ()) = tokio::join!(world.sim("command", json!({"user": "omar", "channel": "payments"})), async {
            let envelope = second.hears().await;
            second.says(&json!({"envelope_id": envelope["envelope_id"]})).await;
        });
        assert_eq!(done["status"], 200);
    }
    world.sim("socket", json!({"enabled": false})).await;
    assert_eq!(second.hears().await["reason"], "link_disabled");
    assert_eq!(second.hears().await, Value::Null);
    assert_eq!(Socket::open(&world).await.hears().await["reason"], "link_disabled");
    world.sim("socket", json!({"enabled": true})).await;
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(Socket::greeted(&world).await);
    }
    assert_eq!(Socket::open(&world).await.hears().await["reason"], "too_many_websockets");
}

#[tokio::test]
async fn a_connection_breaks_or_falls_silent() {
    let world = in_socket_mode().await;
    let mut silent = Socket::greeted(&world).await;
    world.sim("socket/break", json!({"silently": true})).await;
    silent.0.send(Message::Ping("there?".into())).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_millis(100), silent.hears()).await;
    assert!(heard.is_err(), "nothing is said any more");
    let mut cut = Socket::greeted(&world).await;
    world.sim("socket/break", json!({})).await;
    assert_eq!(cut.hears().await, Value::Null);
    let done = world.sim("command", json!({"user": "omar", "channel": "payments"})).await;
    assert!(done["error"].as_str().unwrap().starts_with("connection"), "{done}");
}
