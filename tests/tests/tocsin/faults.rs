//! Slack at its worst: waits, outages, answers that get lost. One card all the same.

use std::time::Duration;

use serde_json::{Value, json};
use tests::inputs::{Alarm, own};
use tests::ministack::Queue;
use tests::world::{Setup, World};

fn number(call: &Value, name: &str) -> u64 {
    call.get(name).and_then(Value::as_u64).unwrap_or_default()
}

pub(crate) async fn slack_says_wait_and_is_not_asked_before(world: &World) {
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "chat.postMessage", "times": 2, "retry_after": 2 })).await;
    let card = world.alarm_fires("rate-limited").await;
    card.thread_of(1).await;
    let calls = world.slack.calls("chat.postMessage").await;
    let limited: Vec<_> = calls.iter().filter(|call| number(call, "http_status") == 429).collect();
    assert_eq!(limited.len(), 2, "{calls:?}");
    for refused in limited {
        let next = calls.iter().find(|call| number(call, "id") > number(refused, "id")).expect("it was tried again");
        // A second's tolerance would hide the mistake; the simulator's clock counts both.
        assert!(number(next, "at") >= number(refused, "at") + 2_000, "called before Retry-After: {refused} then {next}");
    }
    assert_eq!(world.cards("#incidents", "rate-limited").await.len(), 1);
}

pub(crate) async fn slack_is_broken_for_a_while(world: &World) {
    world.slack.fault(&json!({ "kind": "server_error", "method": "chat.postMessage", "times": 1, "status": 503 })).await;
    world.slack.fault(&json!({ "kind": "error", "method": "chat.postMessage", "times": 1, "code": "internal_error" })).await;
    world.slack.fault(&json!({ "kind": "reset_before", "method": "chat.update", "times": 1 })).await;
    let card = world.alarm_fires("broken-slack").await;
    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    card.thread_of(2).await;
    assert_eq!(world.cards("#incidents", "broken-slack").await.len(), 1);
    assert!(world.slack.hits().await >= 3, "all three faults have hit");
}

/// Slack took the message and the connection broke: looked up by its metadata, not posted again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_gets_lost_makes_no_second_card() {
    let world = World::start().await;
    let settle = world.alarm_fires("first-of-all").await;
    settle.thread_of(1).await;
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": 2 })).await;
    let card = world.alarm_fires("answer-lost").await;
    card.thread_of(1).await;
    assert_eq!(world.cards("#incidents", "answer-lost").await.len(), 1);
    assert_eq!(world.slack.hits().await, 2, "card and reply were hit");
    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged*").await;
    world.finish().await;
}

/// The same for the very first message to a channel that is known by its name only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_card_of_all_is_not_posted_twice_either() {
    let world = World::start().await;
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": 1 })).await;
    let card = world.alarm_fires("lost-at-first").await;
    card.thread_of(1).await;
    assert_eq!(world.cards("#incidents", "lost-at-first").await.len(), 1);
    world.finish().await;
}

/// A card that somebody deleted comes anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_cannot_be_updated_any_more_comes_anew() {
    let world = World::start().await;
    let card = world.alarm_fires("card-gone").await;
    card.thread_of(1).await;
    world.slack.fault(&json!({ "kind": "error", "method": "chat.update", "times": 1, "code": "message_not_found" })).await;
    world.user("jane").clicks("Acknowledge", &card).await;
    let cards = world
        .until("a new card", async || {
            let cards = world.cards("#incidents", "card-gone").await;
            if cards.len() == 2 { Ok(cards) } else { Err(tests::card::readable(&cards)) }
        })
        .await;
    assert!(cards[1].reads().contains("*Acknowledged* by <@U0JANE>"), "{}", cards[1].reads());
    world.finish().await;
}

/// The person who asked hears late, not never.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_when_slack_takes_it() {
    let world = World::start().await;
    world.slack.fault(&json!({ "kind": "server_error", "method": "response_url", "times": 1, "status": 502 })).await;
    let told = world.user("jane").types("/incident create told late").await.answer().await;
    assert!(told.contains("is open"), "{told}");
    world.card("#incidents", "told late").await.thread_of(1).await;
    assert_eq!(world.cards("#incidents", "told late").await.len(), 1, "answered twice perhaps, created once");
    world.finish().await;
}

/// A look-up whose token is refused ends where a post with a refused token ends, and what was posted is still found then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_whose_token_is_refused_parks_the_channel() {
    let world = World::with(Setup { slack_timeout: 1, patience: Duration::from_mins(2), ..Setup::default() }).await;
    world.expects_error("invalid_auth");
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": 1 })).await;
    for method in ["conversations.list", "conversations.history"] {
        world.slack.fault(&json!({ "kind": "error", "method": method, "code": "invalid_auth" })).await;
    }
    world.drops(&Alarm::named("not-looked-up").fires(jiff::Timestamp::now())).await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    assert!(letter.reason.contains("invalid_auth"), "{}", letter.reason);
    world.slack.forget("faults").await;
    world.puts_back(Queue::Posts, &letter).await;
    world.card("#incidents", "not-looked-up").await.thread_of(1).await;
    assert_eq!(world.cards("#incidents", "not-looked-up").await.len(), 1);
    world.finish().await;
}

/// The answer was lost, then the bot was removed from the channel, and could neither look nor post; then it was invited again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_been_posted_is_still_looked_up_when_posting_it_again_was_refused() {
    let world = World::with(Setup { slack_timeout: 1, ..Setup::default() }).await;
    world.expects_error("not_in_channel");
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": 1 })).await;
    for method in ["conversations.list", "conversations.history", "chat.postMessage"] {
        world.slack.fault(&json!({ "kind": "error", "method": method, "code": "not_in_channel" })).await;
    }
    world.drops(&Alarm::named("removed-and-invited").fires(jiff::Timestamp::now())).await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    world.slack.forget("faults").await;
    world.puts_back(Queue::Posts, &letter).await;
    world.card("#incidents", "removed-and-invited").await.thread_of(1).await;
    assert_eq!(world.cards("#incidents", "removed-and-invited").await.len(), 1);
    world.finish().await;
}

/// A look-up takes a while, and in the meantime another channel hears that Slack wants a pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_begins_during_a_look_up_is_kept_after_it() {
    const PAUSE: u64 = 8;
    let world = World::with(Setup { slack_timeout: 4, ..Setup::default() }).await;
    world.configures("thread = false\n[routing]\ndefault = { channel = \"#incidents\" }\n[[routing.rules]]\nmatch = { service = \"other\" }\nto = [{ channel = \"C0PAYMENTS\" }]\n").await;
    world.alarm_fires("before").await;
    world.slack.fault(&json!({ "kind": "reset_before", "method": "chat.postMessage", "channel": "#incidents", "times": 1 })).await;
    world.slack.fault(&json!({ "kind": "slow", "method": "conversations.history", "times": 1, "delay_ms": 3000 })).await;
    world
        .slack
        .fault(&json!({ "kind": "rate_limited", "method": "chat.postMessage", "channel": "C0PAYMENTS", "times": 1, "retry_after": PAUSE }))
        .await;
    world.drops(&Alarm::named("looked-up").fires(jiff::Timestamp::now())).await;
    world
        .until("it is looked up", async || match world.slack.hits().await {
            2.. => Ok(()),
            hits => Err(format!("{hits}")),
        })
        .await;
    world.drops(&own("create", "other", jiff::Timestamp::now(), &json!({ "title": "in the other channel", "service": "other" }))).await;
    world.card("#incidents", "looked-up").await;
    world.card("C0PAYMENTS", "in the other channel").await;
    let calls = world.slack.calls("chat.postMessage").await;
    let refused = calls.iter().find(|call| number(call, "http_status") == 429).expect("Slack wanted a pause");
    let after: Vec<_> = calls.iter().filter(|call| number(call, "at") > number(refused, "at")).collect();
    assert_eq!(after.len(), 2, "{calls:?}");
    assert!(after.iter().all(|call| number(call, "at") >= number(refused, "at") + PAUSE * 1000), "{calls:?}");
    world.finish().await;
}
