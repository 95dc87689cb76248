//! The ack path is thin: what a warm receiver asks of AWS before it answers, counted at the endpoint.

use serde_json::json;
use tests::world::World;

/// Starts a copy of the receiver and forgets what it asked while it started.
async fn warm(world: &World, function: &str) {
    world.dispatcher().function(function).warm().await.unwrap_or_else(|error| panic!("{function}: {error:?}"));
    world.dispatcher().counter(function).reset();
}

/// What the receiver asked of AWS since.
fn asked(world: &World, function: &str) -> Vec<String> {
    let actions = world.dispatcher().counter(function).calls().into_iter().map(|call| call.action).collect();
    world.dispatcher().counter(function).reset();
    actions
}

const SEND: [&str; 1] = ["AmazonSQS.SendMessage"];
const NOTHING: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warm_command_makes_one_call_and_help_none() {
    let world = World::start().await;
    let jane = world.user("jane");
    warm(&world, "commands").await;
    for line in ["/incident list", "/incident create one call only", "/incident status", "/incident acknowlege"] {
        let done = jane.types(line).await;
        assert_eq!(asked(&world, "commands"), SEND, "{line}");
        done.answer().await;
    }
    for line in ["/incident help", "/incident", "/incident create"] {
        jane.types(line).await;
        assert_eq!(asked(&world, "commands"), NOTHING, "{line}");
    }
    world.slack.tell("ssl-check", &json!({})).await;
    assert_eq!(asked(&world, "commands"), NOTHING);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warm_click_makes_one_call_and_a_form_none() {
    let world = World::start().await;
    let jane = world.user("jane");
    warm(&world, "interactions").await;
    let card = world.alarm_fires("counted-clicks").await;
    jane.clicks("Acknowledge", &card).await;
    assert_eq!(asked(&world, "interactions"), SEND);
    card.has_buttons(&["Resolve"]).await;

    let opened = world.slack.calls("views.open").await.len();
    jane.clicks("Resolve", &card).await;
    assert_eq!(asked(&world, "interactions"), NOTHING, "a form is filled from the payload");
    assert_eq!(world.slack.calls("views.open").await.len(), opened + 1, "and opened with one call to Slack");
    jane.modal("resolve_incident").await;
    jane.submits(&[("note", "done")]).await;
    assert_eq!(asked(&world, "interactions"), SEND);
    card.shows("*Resolved*").await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warm_mention_makes_one_call_and_the_challenge_none() {
    let world = World::start().await;
    // A mention comes twice at once, as itself and as a message, and neither is to find a cold copy.
    warm(&world, "events").await;
    warm(&world, "events").await;
    world.slack.tell("challenge", &json!({})).await;
    assert_eq!(asked(&world, "events"), NOTHING);
    let done = world.user("jane").says("general", "@tocsin status").await;
    assert_eq!(asked(&world, "events"), SEND);
    done.answer().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_while_the_queue_is_away_reads_so() {
    let world = World::start().await;
    let jane = world.user("jane");
    warm(&world, "commands").await;
    world.expects_error("an intent could not be queued");
    world.dispatcher().counter("commands").fail("SendMessage", 500, 10);
    let told = jane.types("/incident create nobody hears this").await.answer().await;
    assert!(told.contains("nothing was done"), "{told}");

    warm(&world, "events").await;
    world.dispatcher().counter("events").fail("SendMessage", 500, 2);
    let event = json!({ "type": "app_mention", "user": "U0JANE", "channel": "C0GENERAL", "text": "<@U0BOT> status", "ts": "1795200000.000200", "event_ts": "1795200000.000200" });
    let before = jane.told().await.len();
    world.slack.tell("event", &json!({ "event": event })).await;
    // Slack sends it again by itself.
    world
        .until("the second attempt is answered", async || {
            let told = jane.told().await;
            if told.len() > before { Ok(()) } else { Err(tests::card::readable(&told)) }
        })
        .await;
    world.finish().await;
}
