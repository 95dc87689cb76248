//! Incoming webhooks: for those who cannot install a bot, and for channels of others. They can post, and nothing else.

use serde_json::{Value, json};
use tests::inputs::{minutes_ago, own};
use tests::slack::Message;
use tests::world::{Setup, World};

/// A webhook into a channel, which the simulator makes: its address.
async fn webhook(world: &World, channel: &str) -> String {
    let made = world.slack.tell("webhooks", &json!({ "channel": channel })).await;
    let url = made.get("url").and_then(Value::as_str).expect("an address").to_owned();
    world.keeps_secret(url.rsplit('/').next().expect("its secret part"));
    url
}

async fn messages(world: &World, channel: &str, count: usize) -> Vec<Message> {
    let channel = world.slack.channel_id(channel).await;
    let there = async || {
        let messages = world.slack.messages().await.into_iter();
        messages.filter(|message| message.channel() == channel && message.is_ours()).collect::<Vec<_>>()
    };
    world
        .until(&format!("{count} messages"), async || {
            let messages = there().await;
            if messages.len() >= count { Ok(()) } else { Err(tests::card::readable(&messages)) }
        })
        .await;
    world.settled().await;
    let messages = there().await;
    assert_eq!(messages.len(), count, "{}", tests::card::readable(&messages));
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_can_go_to_a_webhook_which_posts_its_beginning_and_its_end() {
    let world = World::start().await;
    let address = webhook(&world, "payments").await;
    world
        .writes_app_secret(
            &json!({ "bot_token": world.bot_token, "signing_secret": world.signing_secret, "webhooks": { "oncall": address } }),
        )
        .await;
    world
        .configures(
            "[routing]\ndefault = { channel = \"#incidents\" }\n[[routing.rules]]\nmatch = { severity = \"P1\" }\nto = [{ channel = \"webhook:oncall\" }, { channel = \"#incidents\" }]\n",
        )
        .await;
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "incoming_webhook", "times": 1, "retry_after": 1 })).await;
    world.drops(&own("create", "by-webhook", minutes_ago(5), &json!({ "title": "checkout is down", "severity": "P1" }))).await;
    let card = world.card("#incidents", "checkout is down").await;
    let posted = messages(&world, "#payments", 1).await.remove(0);
    assert!(posted.reads().contains("checkout is down") && posted.reads().contains("cannot be updated"), "{}", posted.reads());
    assert_eq!(posted.labels(), Vec::<String>::new(), "nothing that is pressed there would arrive");

    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged*").await;
    world.drops(&own("note", "by-webhook", minutes_ago(2), &json!({ "note": "nobody needs a message for this" }))).await;
    world.settled().await;
    messages(&world, "#payments", 1).await;
    world.drops(&own("resolve", "by-webhook", minutes_ago(1), &json!({}))).await;
    let told = messages(&world, "#payments", 2).await.remove(1);
    assert!(told.reads().contains("*Resolved*") && told.labels().is_empty(), "{}", told.reads());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_bot_webhooks_are_enough() {
    let world = World::with(Setup { default_channel: "webhook:oncall".to_owned(), ..Setup::default() }).await;
    let address = webhook(&world, "payments").await;
    world.writes_app_secret(&json!({ "webhooks": { "oncall": address } })).await;
    world.drops(&own("create", "no-bot", minutes_ago(5), &json!({ "title": "nobody installed anything" }))).await;
    let posted = messages(&world, "#payments", 1).await.remove(0);
    assert!(posted.reads().contains("nobody installed anything"), "{}", posted.reads());
    assert!(world.slack.calls("chat.postMessage").await.is_empty(), "no token was needed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_is_not_there_is_told_to_those_who_look_after_tocsin() {
    let world = World::with(Setup { default_channel: "webhook:oncal".to_owned(), ..Setup::default() }).await;
    world.expects_error("holds no webhook of the name oncal");
    world.drops(&own("create", "misspelt", minutes_ago(5), &json!({ "title": "into nowhere" }))).await;
    let letter = world.takes_dead_letter(tests::ministack::Queue::Posts).await;
    assert!(letter.reason.contains("correct the routing"), "{}", letter.reason);
    let notices = world.until("a notice", async || Some(world.notices().await).filter(|all| !all.is_empty()).ok_or_else(String::new)).await;
    assert!(notices[0].text.contains("holds no webhook of the name oncal"), "{}", notices[0].text);

    let address = webhook(&world, "payments").await;
    let webhooks = json!({ "oncal": address });
    world.writes_app_secret(&json!({ "bot_token": world.bot_token, "signing_secret": world.signing_secret, "webhooks": webhooks })).await;
    world.dispatcher().function("poster").cool_down();
    world.puts_back(tests::ministack::Queue::Posts, &letter).await;
    messages(&world, "#payments", 1).await;
    world.finish().await;
}

/// A digest is live because it is changed, which no webhook can do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_has_no_storm_and_posts_each_incident() {
    let world = World::with(Setup { default_channel: "webhook:oncall".to_owned(), ..Setup::default() }).await;
    world.configures("[storm]\nabove = 2\n").await;
    let address = webhook(&world, "payments").await;
    world.writes_app_secret(&json!({ "webhooks": { "oncall": address } })).await;
    world.dispatcher().mapping("poster").rest().await;
    for number in 0..6 {
        let fields = json!({ "title": format!("one of many {number}") });
        world.drops(&own("create", &format!("many-{number}"), minutes_ago(5), &fields)).await;
    }
    world
        .until("six cards are due", async || match world.unposted().await.iter().filter(|place| place.starts_with("due#card")).count() {
            6 => Ok(()),
            count => Err(format!("{count}")),
        })
        .await;
    world.dispatcher().mapping("poster").resume();
    let posted = messages(&world, "#payments", 6).await;
    for number in 0..6 {
        let title = format!("one of many {number}");
        assert!(posted.iter().any(|message| message.reads().contains(&title)), "{}", tests::card::readable(&posted));
    }
    world.finish().await;
}
