//! A deployment, a broken limit, a notice: what each shows, and what each asks of people.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tests::inputs::{minutes_ago, own};
use tests::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_shows_its_progress_and_ends_by_itself() {
    let world = World::start().await;
    let deployment = json!({ "status": "started", "version": "v42", "environment": "production", "by": "jane" });
    world.drops(&own("create", "deploy", minutes_ago(9), &json!({ "title": "Deploy checkout", "deployment": deployment }))).await;
    let card = world.card("#incidents", "Deploy checkout").await;
    card.shows("*v42* → *production*").await;
    card.shows("*Started*").await;
    world.drops(&own("update", "deploy", minutes_ago(2), &json!({ "deployment": { "status": "failed" } }))).await;
    card.shows("*Failed* after 7 min").await;
    world.drops(&own("update", "deploy", minutes_ago(1), &json!({ "deployment": { "status": "succeeded" } }))).await;
    let shown = card.shows("*Succeeded* after 8 min").await;
    assert!(tests::card::acting(&shown).is_empty(), "nothing to do about it: {}", shown.reads());
    // What is late does not take it back.
    world.drops(&own("update", "deploy", minutes_ago(3), &json!({ "deployment": { "status": "rolled_back" } }))).await;
    world.settled().await;
    card.shows("*Succeeded* after 8 min").await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_limit_stands_at_the_top() {
    let world = World::start().await;
    let metric = json!({ "name": "latency p99", "value": 2.3, "limit": 1, "unit": "s" });
    world.drops(&own("create", "latency", minutes_ago(1), &json!({ "title": "Checkout is slow", "metric": metric }))).await;
    let card = world.card("#incidents", "Checkout is slow").await;
    card.shows("latency p99: *2.3 s*, limit 1 s  ·  130 % above").await;
    world.settled().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_for_later_is_told_at_its_time_once_and_over() {
    let world = World::start().await;
    let at = Timestamp::now() + SignedDuration::from_secs(4);
    let notice = json!({ "title": "The database is upgraded", "kind": "notice", "at": at.to_string() });
    world.drops(&own("create", "upgrade", minutes_ago(1), &notice)).await;
    world.settled().await;
    world.ticks().await;
    assert!(world.cards("#incidents", "The database is upgraded").await.is_empty(), "it is not its time");
    world
        .until("it is told", async || {
            world.ticks().await;
            let cards = world.cards("#incidents", "The database is upgraded").await;
            if cards.len() == 1 { Ok(()) } else { Err(format!("{} cards", cards.len())) }
        })
        .await;
    world.ticks().await;
    world.settled().await;
    let cards = world.cards("#incidents", "The database is upgraded").await;
    assert!(
        cards.len() == 1 && cards[0].reads().contains("*Notice*") && cards[0].buttons().is_empty(),
        "{}",
        tests::card::readable(&cards)
    );
    world.finish().await;
}
