//! What the clock does for one workspace, it does whatever is the matter with another; and what waits for long, somebody hears of.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::inputs::{Alarm, minutes_ago};
use tests::ministack::Queue;
use tests::world::{Setup, WORKSPACE, World};

use crate::tokens::{SECOND, with_two_workspaces};
use crate::watch::{counts, largest};

/// Drops an alarm while no poster is at work, and makes its card due since so long ago.
async fn has_waited(world: &World, name: &str, time: SignedDuration) {
    world.drops(&Alarm::named(name).fires(Timestamp::now())).await;
    due_since(world, time).await;
}

/// Makes the one card that is due so since so long ago.
async fn due_since(world: &World, time: SignedDuration) {
    let (pk, sk) = world
        .until("its card is due", async || {
            let text = |item: &Value, part: &str| item.get(part).and_then(Value::as_str).map(str::to_owned);
            let items = world.scan().await;
            let mut due =
                items.iter().filter_map(|item| Some((text(item, "pk")?, text(item, "sk").filter(|sk| sk.starts_with("due#card#"))?)));
            due.next().ok_or_else(|| "nothing is due".to_owned())
        })
        .await;
    world.changes(&pk, &sk, "SET since = :value", (Timestamp::now() - time).as_microsecond()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_workspaces_trouble_does_not_stop_the_clock_for_the_others() {
    let world = with_two_workspaces(Setup { default_workspace: WORKSPACE.to_owned(), ..Setup::default() }).await;
    assert!(SECOND < WORKSPACE, "the one in trouble is looked at first");
    let restless = Alarm::named("restless");
    for minute in [40, 38, 36, 34] {
        world.drops(&restless.fires(minutes_ago(minute))).await;
        world.settled().await;
        world.drops(&restless.recovers(minutes_ago(minute - 1))).await;
        world.settled().await;
    }
    let held = world.cards("#incidents", "restless").await;
    assert!(held.last().is_some_and(|card| card.reads().contains("*Flapping:*")), "{}", tests::card::readable(&held));
    world.dispatcher().mapping("poster").rest().await;
    has_waited(&world, "forgotten", SignedDuration::from_mins(11)).await;

    world.dispatcher().counter("clock").refuse(&[&format!("{SECOND}#")]);
    world.expects_error("jobs that failed: timers, forgotten");
    let failed = world.try_tick().await.expect_err("a job that failed for one workspace has failed");
    assert!(format!("{failed:?}").contains("timers, forgotten"), "{failed:?}");
    world.dispatcher().counter("clock").forgive();
    world
        .until("the other's channel is woken", async || {
            let lines = world.logs.lines();
            let woken = lines.iter().filter(|line| line.function == "clock" && line.text.contains(r#""outcome":"woken""#)).count();
            if woken == 1 { Ok(()) } else { Err(world.logs.tail(10)) }
        })
        .await;
    world.dispatcher().mapping("poster").resume();
    world
        .until("the other's timer goes off", async || {
            let cards = world.cards("#incidents", "restless").await;
            // The ones before ended with their recoveries; the last is held until its timer goes off.
            if cards.last().is_some_and(|card| card.reads().contains("*Resolved* by CloudWatch")) {
                Ok(())
            } else {
                Err(tests::card::readable(&cards))
            }
        })
        .await;
    world.card("#incidents", "forgotten").await.thread_of(1).await;
    world.ticks().await;
    world.finish().await;
}

/// What has been due for long is there once another token is pasted and a minute has passed.
async fn a_new_token_brings(world: &World, title: &str) {
    due_since(world, SignedDuration::from_mins(11)).await;
    let token = "xoxb-canary-of-another-time";
    world.slack.tell("token", &json!({ "bot_token": token, "error": null })).await;
    world.writes_secret(token, &world.signing_secret).await;
    world.ticks().await;
    world.card("#incidents", title).await.thread_of(1).await;
}

/// Slack took the token away; an administrator pastes another, and does nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_workspace_opens_when_its_new_token_is_there() {
    let world = World::start().await;
    world.alarm_fires("before").await.thread_of(1).await;
    world.settled().await;
    world.slack.tell("token", &json!({ "error": "token_revoked" })).await;
    world.expects_error("token_revoked");
    world.expects_error("parked");
    world.drops(&Alarm::named("while-revoked").fires(Timestamp::now())).await;
    world.takes_dead_letter(Queue::Posts).await;
    a_new_token_brings(&world, "while-revoked").await;
    world.finish().await;
}

/// Somebody took Tocsin out, and puts it back with a new token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uninstalled_workspace_opens_when_its_new_token_is_there() {
    let world = World::start().await;
    world.alarm_fires("before").await.thread_of(1).await;
    world.settled().await;
    world.slack.tell("token", &json!({ "error": "account_inactive" })).await;
    world.expects_error("parked");
    let uninstall = json!({ "id": "uninstall-1", "workspace": WORKSPACE, "at": Timestamp::now(), "reason": "app_uninstalled" });
    world.queues_again(Queue::Intents, &json!({ "version": 1, "message": { "uninstall": uninstall } }).to_string()).await;
    let removed = async || if world.installation(WORKSPACE).await.get("removed_at").is_some() { Ok(()) } else { Err(String::new()) };
    world.until("it is removed", removed).await;
    world.drops(&Alarm::named("while-uninstalled").fires(Timestamp::now())).await;
    world.takes_dead_letter(Queue::Posts).await;
    a_new_token_brings(&world, "while-uninstalled").await;
    world.finish().await;
}

/// Nothing could be posted in a channel; with another token that may be different.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_channel_is_tried_again_with_a_new_token() {
    let world = World::start().await;
    world.slack.fault(&json!({ "kind": "error", "method": "chat.postMessage", "code": "not_in_channel", "times": 1 })).await;
    world.expects_error("not_in_channel");
    world.drops(&Alarm::named("parked").fires(Timestamp::now())).await;
    world.takes_dead_letter(Queue::Posts).await;
    a_new_token_brings(&world, "parked").await;
    world.finish().await;
}

/// Slack is down: no post is late, since none is shown. All the same it is seen how long they wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_slack_is_counted_and_told_once() {
    let world = World::start().await;
    world.alarm_fires("in-time").await.thread_of(1).await;
    world.settled().await;
    world.ticks().await;
    counts(&world, "clock", "nothing waits", |lines| largest(lines, "OldestDue") == Some(0)).await;

    world.dispatcher().mapping("poster").rest().await;
    has_waited(&world, "late", SignedDuration::from_mins(14)).await;
    world.ticks().await;
    let minutes = 14 * 60_000..15 * 60_000;
    counts(&world, "clock", "it has waited", |lines| largest(lines, "OldestDue").is_some_and(|waited| minutes.contains(&waited))).await;
    assert!(world.notices().await.is_empty(), "the alarm says enough so far");

    due_since(&world, SignedDuration::from_mins(15)).await;
    world.ticks().await;
    world.ticks().await;
    let notices = world.until("a notice", async || Some(world.notices().await).filter(|all| !all.is_empty()).ok_or_else(String::new)).await;
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].subject.contains("15 minutes") && notices[0].text.contains(WORKSPACE), "{notices:?}");
    due_since(&world, SignedDuration::from_mins(60)).await;
    world.dispatcher().function("clock").cool_down();
    world.ticks().await;
    assert_eq!(world.notices().await.len(), 1, "an hour later it is no news, whichever copy looks");

    world.dispatcher().mapping("poster").resume();
    world.card("#incidents", "late").await.thread_of(1).await;
    world.finish().await;
}
