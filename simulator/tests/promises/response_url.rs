//! `response_url`: five uses within half an hour.

use serde_json::{Value, json};

use crate::World;

async fn answer_at(world: &World, url: &Value, body: Value) -> (u16, String) {
    let response =
        world.http.post(url.as_str().unwrap()).header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn five_uses_and_no_more() {
    let world = World::start().await;
    let done = world.sim("command", json!({"user": "jane", "channel": "incidents", "text": "list"})).await;
    let url = &done["response_url"];
    assert!(url.as_str().unwrap().starts_with(&format!("{}/", world.running.base_url)));
    for _ in 0..5 {
        assert_eq!(answer_at(&world, url, json!({"text": "x"})).await, (200, "ok".to_owned()));
    }
    let (status, body) = answer_at(&world, url, json!({"text": "x"})).await;
    assert_eq!(status, 404);
    assert!(body.contains("used_url"), "{body}");
    let messages = world.look("messages?channel=incidents").await;
    assert_eq!(messages.as_array().unwrap().len(), 5);
    assert!(messages.as_array().unwrap().iter().all(|message| message["ephemeral_for"] == "U0JANE"));
    let calls = world.look("calls?method=response_url").await;
    assert_eq!((calls.as_array().unwrap().len(), &calls[0]["response_url_for"]), (6, &json!("command")));
}

#[tokio::test]
async fn it_expires_and_refuses_what_cannot_be_shown() {
    let world = World::start().await;
    let done = world.sim("command", json!({"user": "jane", "channel": "incidents"})).await;
    let url = &done["response_url"];
    let (status, body) = answer_at(&world, url, json!({})).await;
    assert!(status == 400 && body.contains("no_text"), "{status} {body}");
    world.sim("timing", json!({"response_url_ms": 0})).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let (status, body) = answer_at(&world, url, json!({"text": "late"})).await;
    assert!(status == 404 && body.contains("expired_url"), "{status} {body}");
}

#[tokio::test]
async fn a_click_can_replace_and_delete_what_was_clicked_on() {
    let world = World::start().await;
    let ts = world.post_button().await;
    let click = world.sim("click", json!({"user": "jane", "channel": "incidents", "ts": ts, "action_id": "acknowledge_incident"})).await;
    let url = &click["response_url"];
    answer_at(&world, url, json!({"text": "only you"})).await;
    answer_at(&world, url, json!({"text": "for all", "response_type": "in_channel"})).await;
    answer_at(&world, url, json!({"text": "replaced", "replace_original": true})).await;
    let messages = world.look("messages?channel=incidents").await;
    let texts: Vec<_> =
        messages.as_array().unwrap().iter().map(|message| (message["text"].as_str().unwrap(), message["ephemeral_for"].as_str())).collect();
    assert_eq!(texts, [("replaced", None), ("only you", Some("U0JANE")), ("for all", None)]);
    answer_at(&world, url, json!({"delete_original": true})).await;
    assert_eq!(world.look("messages?channel=incidents").await.as_array().unwrap().len(), 2);
}
