//! Events: mentions, the challenge, uninstalling.

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::inputs::Alarm;
use tests::ministack::Queue;
use tests::world::World;

pub(crate) async fn a_mention_asks_how_things_stand(world: &World) {
    let jane = world.user("jane");
    let answer = jane.says("general", "@tocsin status").await.answer().await;
    assert!(answer.contains("All quiet"), "{answer}");
    let card = world.alarm_fires("mentioned-alarm").await;
    let answer = jane.says("general", "@tocsin").await.answer().await;
    assert!(answer.contains("1 open incident") && answer.contains("mentioned-alarm"), "{answer}");
    let answer = jane.says("general", &format!("@tocsin resolve {} it was nothing", card.incident)).await.answer().await;
    assert!(answer.contains("is resolved"), "{answer}");
    card.shows("*Resolved* by <@U0JANE>").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_checks_the_address() {
    let world = World::start().await;
    let answer = world.slack.tell("challenge", &json!({})).await;
    assert_eq!(answer.get("ok"), Some(&json!(true)), "{answer}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_for_us_is_answered_and_ignored() {
    let world = World::start().await;
    let jane = world.user("jane");
    let card = world.alarm_fires("talked-about").await;
    card.thread_of(1).await;
    jane.says("incidents", "who looks at this?").await;
    world.slack.tell("reaction", &json!({ "user": "jane", "channel": "incidents", "ts": card.ts, "name": "tada" })).await;
    let event = json!({ "event": { "type": "a_type_of_next_year", "event_ts": "1700000000.000100" } });
    world.slack.tell("event", &event).await;
    world.settled().await;
    for delivery in world.slack.ask("deliveries?kind=event").await.as_array().into_iter().flatten() {
        assert_eq!(delivery.get("http_status"), Some(&json!(200)), "{delivery}");
    }
    card.thread_of(1).await;
    world.finish().await;
}

/// After an uninstall nothing is posted, and nothing is lost: what was due comes when Tocsin is installed again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uninstalled_app_keeps_what_is_due_until_it_is_installed_again() {
    let world = World::start().await;
    world.alarm_fires("before-the-uninstall").await.thread_of(1).await;
    for order in ["tokens_first", "app_first"] {
        let answer = world.slack.tell("uninstall", &json!({ "order": order })).await;
        for delivery in answer.get("deliveries").and_then(Value::as_array).into_iter().flatten() {
            assert_eq!(delivery.get("status"), Some(&json!(200)), "{answer}");
        }
    }
    world.settled().await;
    let calls = world.slack.calls("chat.postMessage").await.len();

    world.expects_error("uninstalled");
    world.drops(&Alarm::named("while-uninstalled").fires(Timestamp::now())).await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    assert!(letter.reason.contains("install it again"), "{}", letter.reason);
    assert_eq!(world.slack.calls("chat.postMessage").await.len(), calls, "nothing was posted");

    let token = "xoxb-canary-installed-again";
    world.slack.tell("token", &json!({ "bot_token": token, "error": null })).await;
    world.writes_secret(token, &world.signing_secret).await;
    world.puts_back(Queue::Posts, &letter).await;
    world.card("#incidents", "while-uninstalled").await.thread_of(1).await;
    world.finish().await;
}
