//! Reports come by the calendar: each once, and the latest of what was missed.

use jiff::{SignedDuration, Timestamp};
use tests::inputs::Alarm;
use tests::slack::Message;
use tests::world::{WORKSPACE, World};

const NAME: &str = "Every minute";

/// The reports that are in the channel.
async fn reports(world: &World) -> Vec<Message> {
    world.slack.messages().await.into_iter().filter(|message| message.reads().contains(NAME)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_was_missed_is_posted_once_with_what_happened_since() {
    let world = World::start().await;
    world
        .configures(&format!("[[reports]]\nname = \"{NAME}\"\nchannel = \"#incidents\"\nzone = \"Europe/Berlin\"\ncron = \"* * * * *\"\n"))
        .await;
    let card = world.alarm_fires("checkout-slow").await;
    world.settled().await;
    world.drops(&Alarm::named("checkout-slow").recovers(Timestamp::now())).await;
    card.shows("*Resolved*").await;
    world.alarm_fires("still-open").await;
    world.settled().await;
    world.ticks().await;
    assert!(reports(&world).await.is_empty(), "what was due before anybody wanted it is nobody's");

    // The clock has slept for an hour.
    let hour_ago = (Timestamp::now() - SignedDuration::from_hours(1)).as_microsecond();
    let slept = async || world.changes(&format!("{WORKSPACE}#reports"), NAME, "SET posted_until = :value", hour_ago).await;
    slept().await;
    world.ticks().await;
    world.settled().await;
    let posted = reports(&world).await;
    assert_eq!(posted.len(), 1, "{}", tests::card::readable(&posted));
    assert!(posted[0].reads().contains("*1 open now*"), "{}", posted[0].reads());
    world.finish().await;
}
