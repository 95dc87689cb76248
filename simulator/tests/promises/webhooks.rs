//! Incoming webhooks: plain answers, no `ts`.

use serde_json::{Value, json};

use crate::World;

/// Status, Retry-After and body of a post.
async fn post(world: &World, url: &str, body: &str) -> (u16, String, String) {
    let response = world.http.post(url).header("content-type", "application/json").body(body.to_owned()).send().await.unwrap();
    let wait = response.headers().get("retry-after").map_or("", |wait| wait.to_str().unwrap()).to_owned();
    (response.status().as_u16(), wait, response.text().await.unwrap())
}

async fn webhook(world: &World, channel: &str) -> String {
    world.sim("webhooks", json!({"channel": channel})).await["url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_message_appears_and_nothing_can_be_done_to_it() {
    let world = World::start().await;
    let url = webhook(&world, "#payments").await;
    assert_eq!(post(&world, &url, r#"{"text": "paid"}"#).await, (200, String::new(), "ok".to_owned()));
    let message = world.look("messages?channel=payments").await[0].clone();
    assert_eq!((&message["text"], message["bot_id"].is_string()), (&json!("paid"), true));
    let change = json!({"channel": "C0PAYMENTS", "ts": message["ts"], "text": "unpaid"});
    assert_eq!(world.api("chat.update", change).await.body["error"], "cant_update_message");
    let history = world.get_api("conversations.history?channel=C0PAYMENTS").await;
    assert_eq!(history["messages"][0]["subtype"], "bot_message");
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("payload", r#"{"text": "as a form"}"#).finish();
    let response = world.http.post(&url).header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
}

#[tokio::test]
async fn refusals_are_words_with_a_status() {
    let world = World::start().await;
    world.sim("rates", json!({"off": true})).await;
    let url = webhook(&world, "C0PAYMENTS").await;
    let (address, secret) = url.rsplit_once('/').unwrap();
    let (service, bot) = address.rsplit_once('/').unwrap();
    let elsewhere = service.replace("T0TOCSIN", "T0NOWHERE");
    let old = webhook(&world, "C0OLD").await;
    let good = r#"{"text": "x"}"#;
    let long = json!({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3001)}}]}).to_string();
    for (url, body, status, word) in [
        (url.clone(), "{", 400, "invalid_payload"),
        (url.clone(), "[]", 400, "invalid_payload"),
        (url.clone(), "{}", 400, "no_text"),
        (url.clone(), &long, 400, "invalid_blocks"),
        (format!("{address}/guessed"), good, 403, "invalid_token"),
        (format!("{service}/B0NOBODY/{secret}"), good, 404, "no_service"),
        (format!("{elsewhere}/{bot}/{secret}"), good, 404, "no_team"),
        (old, good, 410, "channel_is_archived"),
    ] {
        assert_eq!(post(&world, &url, body).await, (status, String::new(), word.to_owned()), "{url} {body}");
    }
    world.sim("uninstall", json!({})).await;
    assert_eq!(post(&world, &url, good).await.2, "no_service");
    assert_eq!(world.look("messages").await, json!([]));
}

#[tokio::test]
async fn one_a_second_and_the_record_has_no_secret() {
    let world = World::start().await;
    let (url, other) = (webhook(&world, "C0PAYMENTS").await, webhook(&world, "C0PAYMENTS").await);
    for _ in 0..3 {
        assert_eq!(post(&world, &url, r#"{"text": "x"}"#).await.0, 200);
    }
    let (status, wait, body) = post(&world, &url, r#"{"text": "x"}"#).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, wait.as_str(), body), (429, "1", json!({"retry_after": 1, "ok": false, "error": "rate_limited"})));
    assert_eq!(post(&world, &other, r#"{"text": "x"}"#).await.0, 200, "each has a rate of its own");
    assert_eq!(post(&world, &url, r#"{"text": "x"}"#).await.0, 429);
    let calls = world.look("calls?method=incoming_webhook").await;
    assert_eq!((&calls[0]["team"], &calls[0]["arguments"]), (&json!("T0TOCSIN"), &json!({"text": "x"})));
    assert_eq!((calls[3]["early_ms"].as_u64(), calls[4]["early_ms"].as_u64(), calls[5]["early_ms"].is_u64()), (None, None, true));
    let path = calls[0]["webhook"].as_str().unwrap();
    assert!(url.contains(&format!("/services/{path}/")), "{path}");
    assert!(!calls.to_string().contains(url.rsplit_once('/').unwrap().1), "{calls}");
}

#[tokio::test]
async fn faults_strike_webhooks_too() {
    let world = World::start().await;
    let url = webhook(&world, "C0PAYMENTS").await;
    let good = r#"{"text": "x"}"#;
    world.sim("faults", json!({"kind": "rate_limited", "method": "incoming_webhook", "times": 1, "retry_after": 9})).await;
    world.sim("faults", json!({"kind": "error", "method": "incoming_webhook", "code": "action_prohibited", "times": 1})).await;
    world.sim("faults", json!({"kind": "accept_then_reset", "method": "incoming_webhook", "times": 1})).await;
    let (status, wait, _) = post(&world, &url, good).await;
    assert_eq!((status, wait.as_str()), (429, "9"));
    assert_eq!(post(&world, &url, good).await.0, 403);
    assert!(world.http.post(&url).body(good).send().await.is_err());
    assert_eq!(world.look("messages?channel=payments").await.as_array().unwrap().len(), 1, "it was accepted");
    assert_eq!(post(&world, &url, good).await.0, 200);
}

#[tokio::test]
async fn faults_can_be_limited_to_one_installation() {
    let world = World::start().await;
    world.sim("teams", json!({"id": "T0ACME"})).await;
    world.sim("token", json!({"team": "T0ACME", "bot_token": "xoxb-acme"})).await;
    world.sim("channels", json!({"id": "C0ACME", "team_id": "T0ACME"})).await;
    world.sim("faults", json!({"kind": "accept_then_reset", "team": "T0ACME", "method": "chat.postMessage", "times": 1})).await;
    world.sim("faults", json!({"kind": "rate_limited", "team": "T0ACME", "probability": 1.0})).await;
    world.post("C0INCIDENTS", "nothing of theirs").await;
    assert!(world.try_api_as("xoxb-acme", "chat.postMessage", json!({"channel": "C0ACME", "text": "x"})).await.is_err());
    assert_eq!(world.api_as("xoxb-acme", "chat.postMessage", json!({"channel": "C0ACME", "text": "x"})).await.status, 429);
    assert_eq!(world.look("messages?channel=C0ACME").await.as_array().unwrap().len(), 1);
    assert_eq!(world.api("auth.test", json!({})).await.status, 200);
    let hook = world.sim("webhooks", json!({"team": "T0ACME", "channel": "C0ACME"})).await["url"].as_str().unwrap().to_owned();
    assert_eq!(post(&world, &hook, r#"{"text": "x"}"#).await.0, 429);
}
