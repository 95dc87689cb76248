//! Messages that nobody can read: on the dead-letter queue with their reason, and the rest goes on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use tests::inputs::Alarm;
use tests::ministack::Queue;
use tests::world::{Setup, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_goes_to_the_dead_letters_with_its_reason() {
    let world = World::start().await;
    world.expects_error("parked");
    // All in one batch.
    world.dispatcher().mapping("intake").pause();
    let huge = format!("{{\"type\":\"create\",\"title\":\"{}\"", "x".repeat(200_000));
    let poison = ["{ not json", r#"{"type":"create","title":7}"#, r#"{"type":"resolve"}"#, &huge];
    for text in poison {
        world.drops_text(text).await;
    }
    world.drops(&Alarm::named("beside-the-poison").fires(Timestamp::now())).await;
    world.dispatcher().mapping("intake").resume();

    world.card("#incidents", "beside-the-poison").await;
    let mut letters = Vec::new();
    for _ in poison {
        letters.push(world.takes_dead_letter(Queue::Incidents).await);
    }
    for text in poison {
        let letter = letters.iter().find(|letter| letter.body == text);
        let letter = letter.unwrap_or_else(|| panic!("{text:.60} is not among the dead letters"));
        assert!(!letter.reason.is_empty(), "{text:.60} has no reason");
        assert!(!letter.reason.contains("xxxx"), "the reason quotes the body: {:.200}", letter.reason);
    }
    let reason = |body: &str| letters.iter().find(|letter| letter.body == body).map(|letter| letter.reason.clone()).unwrap_or_default();
    assert!(reason(poison[1]).contains("`title` must be text"), "{}", reason(poison[1]));
    assert!(reason(poison[2]).contains("dedup_key"), "{}", reason(poison[2]));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_nobody_reads_any_more_is_parked() {
    let world = World::start().await;
    world.expects_error("parked");
    for (queue, text) in [(Queue::Intents, r#"{"version":0,"message":{}}"#), (Queue::Posts, "nothing of ours")] {
        world.queues_again(queue, text).await;
        let letter = world.takes_dead_letter(queue).await;
        assert_eq!(letter.body, text);
        assert!(letter.reason.contains("version"), "{}", letter.reason);
    }
    world.finish().await;
}

/// While a stack is updated, functions that are new already write for some that are not yet; and after a rollback what they wrote is still there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_a_newer_version_waits_for_the_function_that_reads_it() {
    let visibility =
        BTreeMap::from([(Queue::Intents, 2), (Queue::Posts, 2), (Queue::Incidents, 8), (Queue::Timeline, 2), (Queue::Calls, 2)]);
    let world = World::with(Setup { visibility, ..Setup::default() }).await;
    let newer = r#"{"version":99,"message":{}}"#;
    world.queues_again(Queue::Posts, newer).await;
    let left = "it comes again, since a newer poster may read it";
    world
        .until(left, async || {
            let times = world.logs.lines().iter().filter(|line| line.function == "poster" && line.text.contains("version 99")).count();
            if times >= 7 { Ok(()) } else { Err(format!("{times} times")) }
        })
        .await;
    world.dispatcher().mapping("poster").pause();
    let purged = world.aws.sqs.purge_queue().queue_url(world.queue_url(Queue::Posts)).send().await;
    purged.unwrap_or_else(|error| panic!("SQS: {error:?}"));
    // The others give it as many tries as any job that cannot be done yet: a quarter of an hour, where the template's times count.
    world.expects_error("parked");
    for queue in [Queue::Intents, Queue::Calls, Queue::Timeline] {
        world.queues_again(queue, newer).await;
        let letter = world.takes_dead_letter(queue).await;
        assert!(letter.reason.contains("version 99; this function reads version 1"), "{}", letter.reason);
        assert!(letter.receives >= 6, "{} after {} receives", queue.name(), letter.receives);
    }
    world.finish().await;
}

/// A channel that takes no messages: the post stands on the dead-letter queue and says what to do; another channel goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_without_the_bot_says_what_to_do() {
    let world = World::start().await;
    world.expects_error("parked");
    world
        .configures(
            r##"
            [routing]
            default = { channel = "#incidents" }

            [[routing.rules]]
            match = { service = "lost" }
            to = [{ channel = "#random" }, { channel = "#payments" }]
            "##,
        )
        .await;
    world.drops(&Alarm::named("half-lost").described("service: lost").fires(Timestamp::now())).await;
    world.card("#payments", "half-lost").await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    assert!(letter.reason.contains("not_in_channel") && letter.reason.contains("/invite"), "{}", letter.reason);

    world.slack.tell("invite", &json!({ "channel": "C0RANDOM" })).await;
    world.puts_back(Queue::Posts, &letter).await;
    world.card("#random", "half-lost").await.thread_of(1).await;
    world.finish().await;
}
