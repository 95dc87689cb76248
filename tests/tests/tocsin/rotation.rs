//! A new token or signing secret in Secrets Manager takes over, with no refusal and nothing lost.

use serde_json::json;
use tests::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_bot_token_takes_over_when_slack_refuses_the_old_one() {
    let world = World::start().await;
    let jane = world.user("jane");
    world.alarm_fires("with-the-old-token").await.thread_of(1).await;
    jane.types("/incident list").await.answer().await;

    let token = "xoxb-canary-rotated";
    world.slack.tell("token", &json!({ "bot_token": token })).await;
    world.writes_secret(token, &world.signing_secret).await;
    let card = world.alarm_fires("with-the-new-token").await;
    card.thread_of(1).await;
    jane.clicks("Resolve", &card).await;
    jane.modal("resolve_incident").await;
    jane.submits(&[("note", "with the new token")]).await;
    card.shows("*Resolved* by <@U0JANE>").await;
    // Somebody whom the worker has not met, so that it asks Slack.
    let told = world.user("omar").types("/incident list").await.answer().await;
    assert!(told.contains("with-the-old-token"), "{told}");
    assert!(world.logs.lines().iter().all(|line| !line.text.contains(token)), "a token was printed");
    world.finish().await;
}

/// Slack has taken the old token away, and takes so long to say whose the new one is that this attempt must not post any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_bot_token_that_is_proven_late_parks_nothing() {
    let world = World::start().await;
    world.alarm_fires("with-the-old-token").await.thread_of(1).await;
    world.settled().await;
    let token = "xoxb-canary-proven-late";
    world.slack.tell("token", &json!({ "bot_token": token })).await;
    world.writes_secret(token, &world.signing_secret).await;
    world.slack.fault(&json!({ "kind": "error", "method": "chat.postMessage", "code": "token_revoked", "times": 1 })).await;
    world.slack.fault(&json!({ "kind": "slow", "method": "auth.test", "delay_ms": 1500, "times": 1 })).await;
    world.alarm_fires("with-the-new-token").await.thread_of(1).await;
    assert_eq!(world.slack.hits().await, 2, "the old token was refused, and the new one proven slowly");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_signing_secret_takes_over_at_the_first_request() {
    let world = World::start().await;
    let jane = world.user("jane");
    jane.types("/incident list").await.answer().await;
    let secret = "canary0rotated0signing0secret";
    world.slack.tell("token", &json!({ "signing_secret": secret })).await;
    world.writes_secret(&world.bot_token, secret).await;
    let told = jane.types("/incident list").await.answer().await;
    assert!(told.contains("All quiet"), "{told}");
    assert!(world.logs.lines().iter().all(|line| !line.text.contains(secret)), "a secret was printed");
    world.finish().await;
}
