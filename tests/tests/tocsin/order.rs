//! Time orders an incident, whatever order things arrive in.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::inputs::{minutes_ago, own};
use tests::world::World;

pub(crate) async fn a_recovery_that_overtakes_its_alarm_ends_it(world: &World) {
    let (fired, over) = (minutes_ago(10), minutes_ago(4));
    world.drops(&own("resolve", "overtaken", over, &json!({ "note": "came back by itself" }))).await;
    world.settled().await;
    assert!(world.cards("#incidents", "overtaken").await.is_empty(), "nobody sees what has not begun");
    world.drops(&own("create", "overtaken", fired, &json!({ "title": "overtaken by its end" }))).await;
    let card = world.card("#incidents", "overtaken by its end").await;
    card.shows("*Resolved* by checkout-monitor after 6 min").await;
    card.has_buttons(&[]).await;
    let thread = card.thread_of(2).await;
    assert!(thread.iter().any(|reply| reply.reads().contains("came back by itself")), "what was said before the alarm is told after it");
}

pub(crate) async fn an_update_that_overtakes_its_create_counts(world: &World) {
    world.drops(&own("update", "hurried", minutes_ago(2), &json!({ "title": "what it really is", "severity": "P1" }))).await;
    world.settled().await;
    world
        .drops(&own(
            "create",
            "hurried",
            minutes_ago(3),
            &json!({ "title": "what it seemed to be", "severity": "P3", "service": "checkout" }),
        ))
        .await;
    let card = world.card("#incidents", "what it really is").await;
    let message = card.shows("checkout").await;
    assert!(message.reads().contains("P1") && !message.reads().contains("seemed to be"), "{}", message.reads());
    world.settled().await;
    world.drops(&own("resolve", "hurried", minutes_ago(1), &json!({}))).await;
    card.shows("*Resolved*").await;
}

pub(crate) async fn shuffled_updates_end_with_the_newest(world: &World) {
    let start = minutes_ago(60);
    let at = |minute: usize| -> Timestamp { start + SignedDuration::from_mins(i64::try_from(minute).unwrap_or_default()) };
    world.drops(&own("create", "restless", at(0), &json!({ "title": "restless stage 00 of 20" }))).await;
    let card = world.card("#incidents", "restless").await;
    let mut stages: Vec<usize> = (1..=20).collect();
    fastrand::Rng::with_seed(20_261_121).shuffle(&mut stages);
    for stage in stages {
        world.drops(&own("update", "restless", at(stage), &json!({ "title": format!("restless stage {stage:02} of 20") }))).await;
    }
    card.shows("restless stage 20 of 20").await;
    world.settled().await;
    card.shows("restless stage 20 of 20").await;

    // What the card showed, in the order in which Slack took it.
    let mut shown: Vec<(u64, String)> = Vec::new();
    for method in ["chat.postMessage", "chat.update"] {
        for call in world.slack.calls(method).await {
            let is_card = call.pointer("/arguments/thread_ts").is_none_or(Value::is_null);
            let text = call.pointer("/arguments/text").and_then(Value::as_str).unwrap_or_default();
            if let (true, true, Some(id), Some((_, rest))) = (
                is_card,
                call.get("applied") == Some(&json!(true)),
                call.get("id").and_then(Value::as_u64),
                text.split_once("restless stage "),
            ) {
                shown.push((id, rest.chars().take(2).collect()));
            }
        }
    }
    shown.sort();
    let stages: Vec<_> = shown.into_iter().map(|(_, stage)| stage).collect();
    assert!(stages.is_sorted(), "the card went back in time: {stages:?}");
    assert_eq!(stages.last().map(String::as_str), Some("20"));
    world.drops(&own("resolve", "restless", Timestamp::now(), &json!({}))).await;
    card.shows("*Resolved*").await;
}
