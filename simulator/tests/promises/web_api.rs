//! Slack's Web API: tokens, channels, limits, rates.

use serde_json::{Value, json};

use crate::World;

#[tokio::test]
async fn tokens_and_scopes() {
    let world = World::start().await;
    let url = format!("{}/api/auth.test", world.running.base_url);
    let without = world.http.post(&url).send().await.unwrap().text().await.unwrap();
    assert!(without.contains("not_authed"), "{without}");
    let wrong = world.http.post(&url).bearer_auth("xoxb-other").send().await.unwrap().text().await.unwrap();
    assert!(wrong.contains("invalid_auth"), "{wrong}");
    let right = world.api("auth.test", json!({})).await;
    assert_eq!(right.body["bot_id"], "B0TOCSIN");
    assert!(right.headers["x-oauth-scopes"].to_str().unwrap().contains("chat:write"));

    world.sim("token", json!({"scopes": ["commands"]})).await;
    let refused = world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x"})).await.body;
    assert_eq!(
        (&refused["error"], &refused["needed"], &refused["provided"]),
        (&json!("missing_scope"), &json!("chat:write"), &json!("commands"))
    );
    world.sim("token", json!({"bot_token": "xoxb-new"})).await;
    assert_eq!(world.api("auth.test", json!({})).await.body["error"], "invalid_auth");
    assert_eq!(world.api("chat.explode", json!({})).await.body["error"], "invalid_auth");
    world.sim("token", json!({"bot_token": ["xoxb-new", "xoxb-simulator"], "error": "token_revoked"})).await;
    assert_eq!(world.api("auth.test", json!({})).await.body["error"], "token_revoked");
    world.sim("token", json!({"error": null})).await;
    assert_eq!(world.api("chat.explode", json!({})).await.body["error"], "unknown_method");
}

#[tokio::test]
async fn where_the_bot_may_write() {
    let world = World::start().await;
    for (channel, error) in [
        ("C0NOWHERE", "channel_not_found"),
        ("C0SECURITY", "channel_not_found"),
        ("#random", "not_in_channel"),
        ("old", "is_archived"),
        ("U0GONE", "channel_not_found"),
    ] {
        assert_eq!(world.api("chat.postMessage", json!({"channel": channel, "text": "x"})).await.body["error"], error, "{channel}");
    }
    for (channel, id) in [("#incidents", "C0INCIDENTS"), ("payments", "C0PAYMENTS"), ("C0GENERAL", "C0GENERAL"), ("U0JANE", "D0JANE")] {
        let answer = world.api("chat.postMessage", json!({"channel": channel, "text": "x"})).await.body;
        assert_eq!(answer["channel"], id, "{answer}");
    }
}

#[tokio::test]
async fn a_message_is_posted_changed_found_and_threaded() {
    let world = World::start().await;
    let metadata = json!({"event_type": "incident", "event_payload": {"id": "INC-1"}});
    let posted = world.api("chat.postMessage", json!({"channel": "#incidents", "text": "a < b", "metadata": metadata})).await.body;
    let ts = posted["ts"].as_str().unwrap().to_owned();
    let reply = world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "reply", "thread_ts": ts})).await.body;
    assert_eq!(reply["message"]["thread_ts"], json!(ts));
    let lost = world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x", "thread_ts": "1.000000"})).await.body;
    assert_eq!(lost["error"], "thread_not_found");
    let changed = world
        .api("chat.update", json!({"channel": "C0INCIDENTS", "ts": ts, "text": "changed", "blocks": [], "attachments": []}))
        .await
        .body;
    assert_eq!(changed["text"], "changed");

    let history = world.get_api("conversations.history?channel=C0INCIDENTS&include_all_metadata=true").await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1, "replies are not in the history: {history}");
    assert_eq!(history["messages"][0]["metadata"], metadata);
    assert_eq!(history["messages"][0]["reply_count"], 1);
    assert_eq!(history["messages"][0]["edited"]["user"], "U0BOT");
    let without = world.get_api("conversations.history?channel=C0INCIDENTS").await;
    assert_eq!(without["messages"][0]["metadata"], Value::Null);
    let replies = world.get_api(&format!("conversations.replies?channel=C0INCIDENTS&ts={ts}")).await;
    assert_eq!(replies["messages"].as_array().unwrap().len(), 2);
    let after = world.get_api(&format!("conversations.history?channel=C0INCIDENTS&oldest={ts}")).await;
    assert_eq!(after["messages"], json!([]));
    assert_eq!(world.get_api("conversations.history?channel=incidents").await["error"], "channel_not_found");
}

#[tokio::test]
async fn only_own_messages_that_exist_are_changed() {
    let world = World::start().await;
    let others = world.sim("message", json!({"user": "jane", "channel": "incidents", "text": "hello"})).await;
    let update = |ts: Value| world.api("chat.update", json!({"channel": "C0INCIDENTS", "ts": ts, "text": "x"}));
    assert_eq!(update(others["ts"].clone()).await.body["error"], "cant_update_message");
    assert_eq!(update(json!("1700000000.000100")).await.body["error"], "message_not_found");
    let ephemeral = world.api("chat.postEphemeral", json!({"channel": "C0INCIDENTS", "user": "U0JANE", "text": "psst"})).await.body;
    assert_eq!(update(ephemeral["message_ts"].clone()).await.body["error"], "message_not_found");
    let ts = world.post("C0INCIDENTS", "mine").await;
    let long = world.api("chat.update", json!({"channel": "C0INCIDENTS", "ts": ts, "text": "x".repeat(4001)})).await.body;
    assert_eq!(long["error"], "msg_too_long");
}

#[tokio::test]
async fn limits_answer_with_slacks_codes() {
    let world = World::start().await;
    world.sim("rates", json!({"off": true})).await;
    let section = |length: usize| json!({"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(length)}});
    let post = |blocks: Value| world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x", "blocks": blocks}));
    let refused = post(json!([section(3001)])).await.body;
    assert_eq!(refused["error"], "invalid_blocks");
    assert_eq!(refused["response_metadata"]["messages"][0], "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]");
    assert_eq!(post(json!(vec![section(2700); 5])).await.body["error"], "msg_blocks_too_long");
    assert_eq!(post(json!({"no": "list"})).await.body["error"], "invalid_blocks_format");
    assert_eq!(world.api("chat.postMessage", json!({"channel": "C0INCIDENTS"})).await.body["error"], "no_text");
    let metadata =
        world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x", "metadata": {"event_type": "x"}})).await.body;
    assert_eq!(metadata["error"], "invalid_metadata_schema");
    let state = world.look("state").await;
    assert_eq!(state["messages"], json!([]), "a refused message is not posted");
}

#[tokio::test]
async fn people_as_slack_describes_them() {
    let world = World::start().await;
    assert_eq!(world.get_api("users.info?user=U0JANE").await["user"]["profile"]["email"], "jane@example.com");
    assert_eq!(world.get_api("users.info?user=U0GUEST").await["user"]["is_restricted"], true);
    assert_eq!(world.get_api("users.info?user=U0GONE").await["user"]["deleted"], true);
    let stranger = world.get_api("users.info?user=U0EXT").await;
    assert_eq!((&stranger["user"]["is_stranger"], &stranger["user"]["team_id"]), (&json!(true), &json!("T0OTHER")));
    assert_eq!(world.get_api("users.info?user=U0NOBODY").await["error"], "user_not_found");
    assert_eq!(world.api("users.info", json!({"user": "U0JANE"})).await.body["error"], "user_not_found", "it reads no JSON");
}

#[tokio::test]
async fn more_than_a_burst_in_one_channel_is_429() {
    let world = World::start().await;
    for _ in 0..3 {
        world.post("C0INCIDENTS", "x").await;
    }
    let refused = world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x"})).await;
    assert_eq!((refused.status, refused.body["error"].as_str()), (429, Some("ratelimited")));
    assert_eq!(refused.headers["retry-after"], "1");
    world.post("C0PAYMENTS", "another channel").await;
    world.sim("rates", json!({"methods": {"chat.update": 1}})).await;
    assert_eq!(world.api("chat.update", json!({})).await.status, 200);
    let refused = world.api("chat.update", json!({})).await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 50);
    world.sim("rates", json!({"off": true})).await;
    for _ in 0..10 {
        world.post("C0INCIDENTS", "x").await;
    }
    let calls = world.look("calls?method=chat.postMessage").await;
    let by_status = |status: u16| calls.as_array().unwrap().iter().filter(|call| call["http_status"] == status).count();
    assert_eq!((by_status(200), by_status(429)), (14, 1), "every call is recorded");
}
