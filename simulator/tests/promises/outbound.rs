//! Requests to the app: signatures, payloads, triggers, modals, events and their repetition.

use std::time::Duration;

use serde_json::{Value, json};

use crate::World;
use crate::app::Reply;

fn modal(blocks: &Value) -> Value {
    json!({
        "type": "modal", "callback_id": "resolve_incident", "private_metadata": "{}", "blocks": blocks,
        "title": {"type": "plain_text", "text": "Resolve"}, "submit": {"type": "plain_text", "text": "Resolve"},
    })
}

fn note(optional: bool) -> Value {
    json!([{"type": "input", "block_id": "note", "optional": optional, "label": {"type": "plain_text", "text": "Note"},
        "element": {"type": "plain_text_input", "action_id": "note", "max_length": 10}}])
}

#[tokio::test]
async fn every_request_is_signed_and_a_copy_is_identical() {
    let world = World::start().await;
    world.sim("token", json!({"signing_secret": "another"})).await;
    let done = world
        .sim("command", json!({"user": "omar", "channel": "payments", "text": "create @jane & co", "typed": true, "deliveries": 3}))
        .await;
    let requests = world.app.requests();
    assert_eq!((requests.len(), done["all"].as_array().unwrap().len()), (3, 3));
    for request in &requests {
        let timestamp = request.header("x-slack-request-timestamp").parse().unwrap();
        assert_eq!(request.header("x-slack-signature"), simulator::sign("another", timestamp, &request.body));
        assert_eq!((&request.body, request.header("x-slack-signature")), (&requests[0].body, requests[0].header("x-slack-signature")));
    }
    assert_eq!(requests[0].field("text"), "create <@U0JANE|jane> &amp; co");
    assert_eq!((requests[0].field("command"), requests[0].field("channel_name")), ("/incident".into(), "payments".into()));
    assert!(requests[0].header("host").starts_with("app.localhost:"));
    world.sim("redeliver", json!({"payload": done["payload"], "timestamp": 1_700_000_000})).await;
    assert_eq!(world.app.last().body, requests[0].body);
    assert_eq!(world.app.last().header("x-slack-request-timestamp"), "1700000000");
}

#[tokio::test]
async fn a_click_carries_what_slack_sends() {
    let world = World::start().await;
    let ts = world.post_button().await;
    let click = world.sim("click", json!({"user": "ext", "channel": "incidents", "ts": ts, "action_id": "acknowledge_incident"})).await;
    assert_eq!(click["status"], 200);
    let payload = world.app.last().payload();
    assert_eq!(payload["type"], "block_actions");
    assert_eq!((&payload["user"]["team_id"], &payload["team"]["id"]), (&json!("T0OTHER"), &json!("T0OTHER")));
    assert_eq!(payload["container"], json!({"type": "message", "message_ts": ts, "channel_id": "C0INCIDENTS", "is_ephemeral": false}));
    assert_eq!(payload["channel"], json!({"id": "C0INCIDENTS", "name": "incidents"}));
    assert_eq!(payload["message"]["ts"], json!(ts));
    assert_eq!((&payload["enterprise"], &payload["is_enterprise_install"]), (&Value::Null, &json!(false)));
    let action = &payload["actions"][0];
    assert_eq!(
        (&action["action_id"], &action["value"], &action["block_id"]),
        (&json!("acknowledge_incident"), &json!("T0TOCSIN/INC-1"), &json!("row"))
    );
    assert_eq!(action["action_ts"], click["action_ts"]);

    let url = format!("{}/sim/click", world.running.base_url);
    let nothing = json!({"user": "jane", "channel": "incidents", "ts": ts, "action_id": "resolve_incident"});
    assert_eq!(world.http.post(url).body(nothing.to_string()).send().await.unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn a_trigger_works_once_and_for_three_seconds() {
    let world = World::start().await;
    world.sim("shortcut", json!({"user": "jane", "callback_id": "create_incident"})).await;
    let payload = world.app.last().payload();
    assert_eq!((&payload["type"], &payload["callback_id"]), (&json!("shortcut"), &json!("create_incident")));
    let open = |view: Value| world.api("views.open", json!({"trigger_id": payload["trigger_id"], "view": view}));
    assert_eq!(open(json!({"type": "modal"})).await.body["error"], "invalid_arguments", "a refused view leaves the trigger");
    let opened = open(modal(&note(true))).await.body;
    assert_eq!(opened["ok"], true, "{opened}");
    assert_eq!(open(modal(&note(true))).await.body["error"], "exchanged_trigger_id");
    let fate = world.look(&format!("triggers/{}", payload["trigger_id"].as_str().unwrap())).await;
    assert_eq!((&fate["used"], &fate["view_id"]), (&json!(true), &opened["view"]["id"]));

    world.sim("timing", json!({"trigger_ms": 0})).await;
    world.sim("shortcut", json!({"user": "jane", "callback_id": "create_incident"})).await;
    let payload = world.app.last().payload();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let late = world.api("views.open", json!({"trigger_id": payload["trigger_id"], "view": modal(&note(true))})).await.body;
    assert_eq!(late["error"], "expired_trigger_id");
    let none = world.api("views.open", json!({"trigger_id": "1.2.x", "view": modal(&note(true))})).await.body;
    assert_eq!(none["error"], "invalid_trigger_id");
}

async fn open_modal(world: &World, blocks: &Value) -> Value {
    world.sim("shortcut", json!({"user": "jane", "callback_id": "create_incident"})).await;
    let trigger = world.app.last().payload()["trigger_id"].clone();
    world.api("views.open", json!({"trigger_id": trigger, "view": modal(blocks)})).await.body["view"].clone()
}

#[tokio::test]
async fn a_modal_is_filled_in_refused_and_closed() {
    let world = World::start().await;
    let view = open_modal(&world, &note(false)).await;
    let sent_before = world.app.requests().len();
    let empty = world.sim("submit", json!({"user": "jane"})).await;
    assert_eq!((&empty["sent"], &empty["closed"]), (&json!(false), &json!(false)));
    assert_eq!(world.app.requests().len(), sent_before, "Slack's client complains by itself");
    let long = world.sim("submit", json!({"user": "jane", "values": {"note": {"note": "much too long"}}})).await;
    assert_eq!(long["sent"], false);

    world.app.next_body(r#"{"response_action": "errors", "errors": {"note": "say more"}}"#);
    let refused = world.sim("submit", json!({"user": "jane", "values": {"note": {"note": "hm"}}})).await;
    assert_eq!((&refused["closed"], &refused["errors"]), (&json!(false), &json!({"note": "say more"})));
    let payload = world.app.last().payload();
    assert_eq!(payload["view"]["state"]["values"]["note"]["note"], json!({"type": "plain_text_input", "value": "hm"}));
    assert_eq!((&payload["view"]["id"], &payload["view"]["callback_id"]), (&view["id"], &json!("resolve_incident")));
    assert_eq!(world.look("state").await["views"][0]["stack"][0]["errors"]["note"], "say more");

    world.app.next(Reply { status: 500, ..Reply::default() });
    let failed = world.sim("submit", json!({"user": "jane", "values": {"note": {"note": "ok"}}})).await;
    assert_eq!((&failed["closed"], failed["errors"]["_"].is_string()), (&json!(false), true));
    let done = world.sim("submit", json!({"user": "jane", "values": {"note": {"note": "ok"}}})).await;
    assert_eq!((&done["closed"], &done["view"]), (&json!(true), &Value::Null));
    assert_eq!(world.look("state").await["views"], json!([]));
}

#[tokio::test]
async fn errors_under_unknown_blocks_are_trouble() {
    let world = World::start().await;
    open_modal(&world, &note(true)).await;
    world.app.next_body(r#"{"response_action": "errors", "errors": {"elsewhere": "x"}}"#);
    let refused = world.sim("submit", json!({"user": "jane"})).await;
    assert_eq!((&refused["closed"], refused["errors"]["_"].is_string()), (&json!(false), true));
}

#[tokio::test]
async fn a_command_shows_its_answer_or_how_it_failed() {
    let world = World::start_with(simulator::Config {
        timing: simulator::config::Timing { answer_ms: 100, ..Default::default() },
        ..Default::default()
    })
    .await;
    world.app.next_body("plain");
    let plain = world.sim("command", json!({"user": "jane", "channel": "incidents", "text": "help"})).await;
    assert_eq!((&plain["messages"][0]["text"], &plain["messages"][0]["ephemeral_for"]), (&json!("plain"), &json!("U0JANE")));
    world.app.next(Reply { delay: Duration::from_secs(30), ..Reply::default() });
    let late = world.sim("command", json!({"user": "jane", "channel": "incidents", "text": "list"})).await;
    assert_eq!((&late["status"], &late["error"]), (&Value::Null, &json!("operation_timeout")));
    world.app.next(Reply { status: 502, ..Reply::default() });
    world.sim("command", json!({"user": "jane", "channel": "incidents", "text": "list"})).await;
    let messages = world.look("messages?channel=incidents&user=jane").await;
    assert_eq!(messages[1]["text"], "/incident failed with the error \"operation_timeout\"");
    assert_eq!(messages[2]["text"], "/incident failed with the error \"dispatch_failed\"");
    assert_eq!(world.look("messages?channel=incidents&user=omar").await, json!([]), "nobody else sees it");
}

#[tokio::test]
async fn events_are_repeated_until_they_are_taken() {
    let world = World::start().await;
    world.sim("timing", json!({"event_retry_ms": [0, 10, 20]})).await;
    for _ in 0..3 {
        world.app.next(Reply { status: 500, ..Reply::default() });
    }
    let first = world.sim("event", json!({"event": {"type": "app_home_opened", "user": "U0JANE"}})).await;
    assert_eq!(first["status"], 500);
    let deliveries = world.deliveries("event", 4).await;
    let retries: Vec<_> = deliveries.iter().map(|delivery| (delivery["retry_num"].as_u64(), delivery["http_status"].as_u64())).collect();
    assert_eq!(retries, [(None, Some(500)), (Some(1), Some(500)), (Some(2), Some(500)), (Some(3), Some(200))]);
    assert_eq!(deliveries[1]["retry_reason"], "http_error");
    let requests = world.app.requests();
    assert_eq!(requests[3].header("x-slack-retry-num"), "3");
    assert!(requests.iter().all(|request| request.json()["event_id"] == first["event_id"]));

    world.app.next(Reply { status: 500, no_retry: true, ..Reply::default() });
    world.sim("event", json!({"event": {"type": "app_home_opened", "user": "U0OMAR"}})).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.deliveries("event", 5).await.len(), 5, "X-Slack-No-Retry is honoured");
}

#[tokio::test]
async fn a_mention_comes_as_two_events_and_own_messages_come_back() {
    let world = World::start().await;
    let said = world.sim("message", json!({"user": "jane", "channel": "incidents", "text": "@tocsin status", "typed": true})).await;
    let types: Vec<_> = world.app.requests().iter().map(|request| request.json()["event"]["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said["deliveries"].as_array().unwrap().len(), 2);
    assert!(types.contains(&"app_mention".to_owned()) && types.contains(&"message".to_owned()), "{types:?}");
    let event = world.app.last().json();
    assert_eq!((&event["event"]["text"], &event["event"]["ts"]), (&json!("<@U0BOT> status"), &said["ts"]));
    assert_eq!((&event["team_id"], &event["authorizations"][0]["is_bot"]), (&json!("T0TOCSIN"), &json!(true)));

    world.post("C0INCIDENTS", "mine").await;
    world.deliveries("event", 3).await;
    let own = world.app.last().json();
    assert_eq!((&own["event"]["bot_id"], &own["event"]["channel_type"]), (&json!("B0TOCSIN"), &json!("channel")));
    world.sim("app", json!({"events": []})).await;
    let silent = world.sim("message", json!({"user": "jane", "channel": "incidents", "text": "hello"})).await;
    assert_eq!(silent["deliveries"], json!([]));
}

#[tokio::test]
async fn uninstalling_kills_the_token() {
    let world = World::start().await;
    world.sim("uninstall", json!({"order": "app_first"})).await;
    let types: Vec<_> = world.app.requests().iter().map(|request| request.json()["event"]["type"].clone()).collect();
    assert_eq!(types, [json!("app_uninstalled"), json!("tokens_revoked")]);
    assert_eq!(world.api("auth.test", json!({})).await.body["error"], "account_inactive");
    world.sim("reset", json!({})).await;
    assert_eq!(world.api("auth.test", json!({})).await.body["ok"], true);
}

#[tokio::test]
async fn checks_of_the_addresses() {
    let world = World::start().await;
    world.sim("ssl-check", json!({"extra": "payload=x"})).await;
    let request = world.app.last();
    assert_eq!((request.header("x-slack-signature"), request.field("ssl_check").as_str()), ("", "1"));
    assert_eq!(world.sim("challenge", json!({})).await["ok"], false, "an empty answer does not echo it");
}
