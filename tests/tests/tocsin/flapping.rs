//! A source that cannot make up its mind gets one card that stays open, with a note, until it has been quiet.

use tests::inputs::{Alarm, minutes_ago};
use tests::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flapping_alarm_is_held_as_one_incident_until_it_is_quiet() {
    let world = World::start().await;
    let alarm = Alarm::named("restless-disk");
    // It fires every other minute and recovers in between, for sixteen minutes.
    for minute in (44..60).rev().step_by(2) {
        world.drops(&alarm.fires(minutes_ago(minute))).await;
        world.settled().await;
        world.drops(&alarm.recovers(minutes_ago(minute - 1))).await;
        world.settled().await;
    }
    let cards = world.cards("#incidents", "restless-disk").await;
    assert_eq!(cards.len(), 3, "a card each time, until it was the fourth time within ten minutes");
    let held = cards.last().expect("three cards");
    assert!(held.reads().contains("*Triggered*") && held.reads().contains("*Flapping:*"), "{}", held.reads());
    assert!(held.reads().contains("6 times"), "all its returns are counted: {}", held.reads());
    let told: Vec<_> = world.slack.messages().await.into_iter().filter(|message| message.thread() == Some(held.ts())).collect();
    assert_eq!(told.iter().filter(|reply| reply.reads().contains("again and again")).count(), 1, "{}", tests::card::readable(&told));

    // The last recovery was 43 minutes ago, so it has been quiet for more than ten.
    world.ticks().await;
    world.settled().await;
    let cards = world.cards("#incidents", "restless-disk").await;
    let ended = cards.last().expect("three cards");
    assert!(ended.reads().contains("*Resolved* by CloudWatch"), "{}", ended.reads());
    world.ticks().await;
    world.settled().await;
    assert_eq!(world.cards("#incidents", "restless-disk").await, cards, "a second look changes nothing");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_flaps_is_not_over_while_it_comes_back() {
    let world = World::start().await;
    let alarm = Alarm::named("never-quiet");
    for minute in [40, 38, 36, 34] {
        world.drops(&alarm.fires(minutes_ago(minute))).await;
        world.settled().await;
        world.drops(&alarm.recovers(minutes_ago(minute - 1))).await;
        world.settled().await;
    }
    world.drops(&alarm.fires(minutes_ago(26))).await;
    world.settled().await;
    world.ticks().await;
    world.settled().await;
    let cards = world.cards("#incidents", "never-quiet").await;
    let held = cards.last().expect("a card");
    assert!(held.reads().contains("*Triggered*"), "it came back within the ten minutes: {}", held.reads());
    // Somebody who says that it is over is believed.
    let id = held.incident().expect("an id");
    world.user("jane").types(&format!("/incident resolve {id} disk replaced")).await.answer().await;
    world.settled().await;
    let cards = world.cards("#incidents", "never-quiet").await;
    assert!(cards.last().expect("a card").reads().contains("*Resolved* by <@U0JANE>"));
    world.finish().await;
}
