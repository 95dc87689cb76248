//! Nothing twice: the same delivery many times, at once and much later.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::ministack::Queue;
use tests::world::World;

/// What a function was brought so far that contains `text`, once each.
pub(crate) fn brought(world: &World, function: &str, text: &str) -> Vec<Value> {
    let seen = world.dispatcher().mapping(function).seen();
    let mut records: Vec<Value> = seen.into_iter().filter(|record| record.to_string().contains(text)).collect();
    records.dedup_by_key(|record| record.get("messageId").cloned());
    records
}

/// Brings a function one record many times at once, past its queue.
async fn deliver_at_once(world: &World, function: &str, record: &Value, times: usize) {
    let event = json!({ "Records": [record] });
    let function = world.dispatcher().function(function);
    let answers = join_all((0..times).map(|_| function.call(&event))).await;
    for answer in answers {
        let answer = answer.unwrap_or_else(|error| panic!("{} failed: {error:?}", function.name()));
        // A conflict may have to come again; what matters is what becomes of it.
        assert!(answer.get("batchItemFailures").is_some_and(Value::is_array), "{answer}");
    }
}

/// Puts the same job onto its queue again, as if SQS's five minutes of deduplication were over.
pub(crate) async fn deliver_much_later(world: &World, queue: Queue, record: &Value) {
    let body = record.get("body").and_then(Value::as_str).unwrap_or_default();
    world.queues_again(queue, body).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_alarm_delivered_fifty_times_is_one_card() {
    let world = World::start().await;
    let card = world.alarm_fires("delivered-often").await;
    card.thread_of(1).await;

    let [dropped] = <[Value; 1]>::try_from(brought(&world, "intake", "delivered-often")).expect("one message was dropped");
    deliver_at_once(&world, "intake", &dropped, 50).await;
    let intent = brought(&world, "worker", "delivered-often").pop().expect("intake made an intent of it");
    deliver_at_once(&world, "worker", &intent, 50).await;
    let wake = brought(&world, "poster", "incidents").pop().expect("the worker woke a poster");
    deliver_at_once(&world, "poster", &wake, 50).await;
    world.settled().await;

    // Ten minutes later.
    deliver_at_once(&world, "intake", &dropped, 1).await;
    deliver_much_later(&world, Queue::Intents, &intent).await;
    deliver_much_later(&world, Queue::Posts, &wake).await;
    card.thread_of(1).await;
    assert_eq!(world.cards("#incidents", "delivered-often").await.len(), 1);
    assert_eq!(card.timeline().await.len(), 1);
    assert_eq!(world.incident(&card.incident).await.get("count"), Some(&json!(1)));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_click_delivered_fifty_times_is_one_acknowledgement() {
    let world = World::start().await;
    let jane = world.user("jane");
    let card = world.alarm_fires("clicked-often").await;
    card.thread_of(1).await;
    for receiver in 0..2 {
        world.dispatcher().function("interactions").warm().await.unwrap_or_else(|error| panic!("copy {receiver}: {error:?}"));
    }

    jane.clicks_on("Acknowledge", &card.message().await, 50).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    world.settled().await;
    let click = brought(&world, "worker", "\\\"acknowledge\\\"").pop().expect("a click became an intent");
    deliver_at_once(&world, "worker", &click, 50).await;
    deliver_much_later(&world, Queue::Intents, &click).await;

    card.thread_of(2).await;
    assert_eq!(card.times("acknowledged").await, 1);
    assert_eq!(card.timeline().await.len(), 2, "a repeated click leaves no trace: {:?}", card.timeline().await);
    let told = jane.told().await;
    assert!(
        told.iter().all(|message| !message.reads().contains("had")),
        "one click is not its own second: {}",
        tests::card::readable(&told)
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledging_again_after_a_reopen_counts() {
    let world = World::start().await;
    let jane = world.user("jane");
    let card = world.alarm_fires("there-and-back").await;
    jane.clicks("Acknowledge", &card).await;
    card.has_buttons(&["Resolve"]).await;
    jane.types(&format!("/incident reopen {}", card.incident)).await.answer().await;
    card.has_buttons(&["Acknowledge", "Resolve"]).await;
    jane.clicks("Acknowledge", &card).await;
    card.has_buttons(&["Resolve"]).await;
    card.thread_of(4).await;
    assert_eq!(card.times("acknowledged").await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_resolved_card_is_reopened_from_its_thread() {
    let world = World::start().await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let card = world.alarm_fires("over-too-soon").await;
    jane.types(&format!("/incident resolve {}", card.incident)).await.answer().await;
    let thread = card.thread_of(2).await;
    omar.clicks_on("Reopen", &thread[1], 1).await;
    card.shows("reopened by <@U0OMAR>").await;
    card.has_buttons(&["Acknowledge", "Resolve"]).await;
    card.thread_of(3).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_click_stays_refused_after_a_reopen() {
    let world = World::start().await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let card = world.alarm_fires("refused-once").await;
    card.thread_of(1).await;
    // The card keeps its button for Omar while the posters are held.
    world.dispatcher().mapping("poster").pause();
    jane.clicks("Acknowledge", &card).await;
    let refused = omar.clicks("Acknowledge", &card).await;
    let told = refused.answer().await;
    assert!(told.contains("<@U0JANE> had"), "{told}");
    world.dispatcher().mapping("poster").resume();
    jane.types(&format!("/incident reopen {}", card.incident)).await.answer().await;
    card.has_buttons(&["Acknowledge", "Resolve"]).await;

    // Slack sends Omar's click again, and SQS hands out its intent again.
    let payload = refused.delivery.get("payload").cloned().expect("the delivery has a name");
    let again = world.slack.tell("redeliver", &json!({ "payload": payload })).await;
    assert_eq!(again.get("status"), Some(&json!(200)), "{again}");
    let click = brought(&world, "worker", "U0OMAR")
        .into_iter()
        .find(|record| record.to_string().contains("click-"))
        .expect("Omar's click became an intent");
    deliver_much_later(&world, Queue::Intents, &click).await;
    deliver_at_once(&world, "worker", &click, 5).await;
    world.settled().await;
    card.has_buttons(&["Acknowledge", "Resolve"]).await;
    card.thread_of(3).await;
    assert_eq!(card.times("acknowledged").await, 1, "only Jane's");
    world.finish().await;
}

/// Slack sends an event again where the answer did not come, with the same `event_id` or with another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_mention_under_many_event_ids_opens_one_incident() {
    let world = World::start().await;
    let event = json!({
        "type": "app_mention", "user": "U0JANE", "team": "T0TOCSIN", "channel": "C0GENERAL",
        "text": "<@U0BOT> create mentioned often", "ts": "1795200000.000100", "event_ts": "1795200000.000100",
    });
    for delivery in 0..11 {
        world.slack.tell("event", &json!({ "event": event, "event_id": format!("Ev{delivery}") })).await;
    }
    let card = world.card("#incidents", "mentioned often").await;
    card.thread_of(1).await;
    for intent in brought(&world, "worker", "mentioned often") {
        deliver_much_later(&world, Queue::Intents, &intent).await;
    }
    card.thread_of(1).await;
    assert_eq!(world.cards("#incidents", "mentioned often").await.len(), 1);
    world.finish().await;
}
