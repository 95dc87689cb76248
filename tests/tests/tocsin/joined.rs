//! The bot is brought into a channel.

use serde_json::json;
use tests::inputs::Alarm;
use tests::slack::Message;
use tests::world::World;

async fn hellos(world: &World, channel: &str) -> Vec<Message> {
    let mut messages = world.slack.messages().await;
    messages.retain(|message| message.channel() == channel && message.reads().contains("Tocsin is here"));
    messages
}

async fn hello(world: &World, channel: &str) -> Message {
    world.until("the bot says hello", async || hellos(world, channel).await.pop().ok_or_else(String::new)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_says_hello_once_and_an_admin_routes_incidents_there() {
    let world = World::start().await;
    world.slack.tell("invite", &json!({ "channel": "random" })).await;
    let said = hello(&world, "C0RANDOM").await;
    let (jane, lena) = (world.user("jane"), world.user("lena"));
    let refused = jane.clicks_on("Route incidents here", &said, 1).await.answer().await;
    assert!(refused.contains("Only an admin"), "{refused}");
    assert_eq!(world.document().await, "");
    let done = lena.clicks_on("Route incidents here", &said, 1).await.answer().await;
    assert!(done.contains("<#C0RANDOM> from now on"), "{done}");
    world.drops(&Alarm::named("routed-here").fires(jiff::Timestamp::now())).await;
    world.card("#random", "routed-here").await.thread_of(1).await;

    // Taken out, and brought back.
    world.slack.tell("channels", &json!({ "id": "C0RANDOM", "is_member": false })).await;
    world.slack.tell("invite", &json!({ "channel": "random" })).await;
    world.settled().await;
    assert_eq!(hellos(&world, "C0RANDOM").await.len(), 1, "once");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_else_joins_is_not_greeted() {
    let world = World::start().await;
    let joined = json!({ "type": "member_joined_channel", "user": "U0OMAR", "channel": "C0GENERAL", "channel_type": "C", "event_ts": "1700000000.000100" });
    world.slack.tell("event", &json!({ "event": joined })).await;
    world.settled().await;
    assert_eq!(hellos(&world, "C0GENERAL").await.len(), 0);
    world.finish().await;
}
