//! Slack's rates, and the record of who did not wait.

use serde_json::{Value, json};

use crate::World;

async fn second_workspace(world: &World) {
    world.sim("teams", json!({"id": "T0ACME"})).await;
    world.sim("token", json!({"team": "T0ACME", "bot_token": "xoxb-acme"})).await;
    world.sim("channels", json!({"id": "C0ACME", "team_id": "T0ACME"})).await;
}

#[tokio::test]
async fn each_installation_has_rates_of_its_own() {
    let world = World::start().await;
    second_workspace(&world).await;
    world.sim("rates", json!({"methods": {"chat.update": 1}})).await;
    assert_eq!(world.api("chat.update", json!({})).await.status, 200);
    assert_eq!(world.api("chat.update", json!({})).await.status, 429);
    assert_eq!(world.api_as("xoxb-acme", "chat.update", json!({})).await.status, 200);
    assert_eq!(world.api_as("xoxb-acme", "chat.update", json!({})).await.status, 429);
}

#[tokio::test]
async fn a_workspace_has_a_cap_on_messages() {
    let world = World::start().await;
    second_workspace(&world).await;
    assert_eq!(world.look("state?fields=rates").await["rates"]["workspace_per_minute"], 300);
    world.sim("rates", json!({"workspace_per_minute": 2})).await;
    let post =
        |token: &'static str, channel: &'static str| world.api_as(token, "chat.postMessage", json!({"channel": channel, "text": "x"}));
    assert_eq!(post("xoxb-simulator", "C0INCIDENTS").await.status, 200);
    assert_eq!(post("xoxb-simulator", "C0PAYMENTS").await.status, 200);
    let refused = post("xoxb-simulator", "C0GENERAL").await;
    assert_eq!((refused.status, refused.body["error"].as_str()), (429, Some("ratelimited")));
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 50);
    assert_eq!(post("xoxb-acme", "C0ACME").await.status, 200, "another workspace");
    assert_eq!(world.api("chat.postEphemeral", json!({"channel": "C0GENERAL", "user": "U0JANE", "text": "x"})).await.status, 200);
    let limits = world.look("calls?fields=limit").await;
    assert_eq!(limits[2], json!({"limit": "workspace"}));
    world.sim("rates", json!({"workspace_per_minute": "off"})).await;
    assert_eq!(post("xoxb-simulator", "C0GENERAL").await.status, 200);
}

#[tokio::test]
async fn a_call_before_the_end_of_a_wait_is_marked() {
    let world = World::start().await;
    second_workspace(&world).await;
    world.sim("faults", json!({"kind": "rate_limited", "method": "chat.postMessage", "times": 1, "retry_after": 30})).await;
    assert_eq!(world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x"})).await.status, 429);
    world.post("C0PAYMENTS", "too early").await;
    world.api("chat.postEphemeral", json!({"channel": "C0INCIDENTS", "user": "U0JANE", "text": "another method"})).await;
    world.api_as("xoxb-acme", "chat.postMessage", json!({"channel": "C0ACME", "text": "another workspace"})).await;
    let calls = world.look("calls").await;
    assert_eq!((&calls[0]["limit"], &calls[0]["retry_after"]), (&json!("fault"), &json!(30)));
    let early = calls[1]["early_ms"].as_u64().unwrap();
    assert!(early > 25_000 && early <= 30_000, "{early}");
    assert_eq!(calls[1]["early_after"], calls[0]["id"]);
    for call in [&calls[0], &calls[2], &calls[3]] {
        assert_eq!(call.get("early_ms"), None, "{call}");
    }
}

#[tokio::test]
async fn a_channels_wait_concerns_this_channel() {
    let world = World::start().await;
    for _ in 0..3 {
        world.post("C0INCIDENTS", "x").await;
    }
    let again = || world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x"}));
    assert_eq!(again().await.status, 429);
    world.post("C0PAYMENTS", "has its own rate").await;
    assert_eq!(again().await.status, 429);
    let early: Vec<Value> = world.look("calls?fields=limit,early_ms").await.as_array().unwrap().clone();
    assert_eq!((&early[3], &early[4]), (&json!({"limit": "channel"}), &json!({})));
    assert!(early[5]["early_ms"].as_u64().is_some_and(|early| early <= 1000), "{early:?}");
}
