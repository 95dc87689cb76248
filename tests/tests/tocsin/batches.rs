//! Batches: what failed comes again, and only that; what may kill the process takes nobody along, and is tried however many stand beside it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::inputs::Alarm;
use tests::ministack::Queue;
use tests::world::{Setup, World};

/// A message in the form in which Lambda hands it over.
fn record(id: &str, body: &str, receives: u32, group: Option<&str>) -> Value {
    let mut attributes = json!({ "ApproximateReceiveCount": receives.to_string(), "SentTimestamp": "1795200000000" });
    if let Some(group) = group {
        attributes["MessageGroupId"] = json!(group);
    }
    json!({
        "messageId": id, "receiptHandle": format!("handle-{id}"), "body": body, "attributes": attributes, "messageAttributes": {},
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:none", "awsRegion": "us-east-1",
    })
}

fn create(title: &str) -> String {
    json!({ "type": "create", "title": title, "dedup_key": title }).to_string()
}

/// A job that costs the worker one call: nothing was ever installed there.
fn uninstall(workspace: &str) -> String {
    let uninstall = json!({ "id": format!("uninstall-{workspace}"), "workspace": workspace, "at": "2026-11-21T00:00:00Z", "reason": "app_uninstalled" });
    json!({ "version": 1, "message": { "uninstall": uninstall } }).to_string()
}

/// Calls a function with a batch; the ids of what has to come again.
async fn failed_of(world: &World, function: &str, records: &[Value]) -> BTreeSet<String> {
    let answer = world.dispatcher().function(function).call(&json!({ "Records": records })).await;
    let answer = answer.unwrap_or_else(|error| panic!("{function}: {error:?}"));
    let failures = answer.get("batchItemFailures").and_then(Value::as_array).unwrap_or_else(|| panic!("{answer}"));
    let ids: Vec<String> = failures.iter().filter_map(|failure| failure.get("itemIdentifier")?.as_str().map(str::to_owned)).collect();
    let distinct: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), distinct.len(), "each once: {answer}");
    distinct
}

fn members(subset: u32) -> Vec<usize> {
    (0..10).filter(|place| subset & (1 << place) != 0).collect()
}

/// On a standard queue nothing depends on anything else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_every_subset_of_failures_exactly_those_come_again() {
    let world = World::start().await;
    let counter = world.dispatcher().counter("intake");
    // The same ten messages every time, so what was sent on before is not sent on a second time.
    let records: Vec<Value> = (0..10).map(|place| record(&format!("m-{place}"), &create(&format!("subset-{place}")), 1, None)).collect();
    let began = Instant::now();
    for subset in 0..1024 {
        counter.forgive();
        for place in members(subset) {
            counter.refuse(&[&format!("subset-{place}")]);
        }
        let expected: BTreeSet<String> = members(subset).iter().map(|place| format!("m-{place}")).collect();
        assert_eq!(failed_of(&world, "intake", &records).await, expected, "{subset:010b}");
    }
    println!("1024 batches of the standard queue: {} ms", began.elapsed().as_millis());
    for place in 0..10 {
        world.card("#incidents", &format!("subset-{place}")).await.thread_of(1).await;
    }
    world.finish().await;
}

/// On a FIFO queue what stands behind a failure of its group is not touched, and comes again with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_failure_its_whole_group_stays() {
    let world = World::start().await;
    let counter = world.dispatcher().counter("worker");
    // Three groups, mixed as SQS may mix them.
    let groups: [&[usize]; 3] = [&[0, 3, 6, 9], &[1, 4, 7], &[2, 5, 8]];
    let group_of = |place: usize| format!("group-{}", place % 3);
    let records: Vec<Value> =
        (0..10).map(|place| record(&format!("m-{place}"), &uninstall(&format!("T0SUBSET{place}")), 1, Some(&group_of(place)))).collect();
    // What a job costs that is done, and one that fails: by that it shows how many were touched.
    let calls_for = async |subset: u32| {
        counter.forgive();
        for place in members(subset) {
            counter.refuse(&[&format!("T0SUBSET{place}")]);
        }
        counter.reset();
        let failed = failed_of(&world, "worker", &records).await;
        (failed, counter.calls().len())
    };
    calls_for(0).await;
    let (of_done, of_failed) = (calls_for(0).await.1 / 10, calls_for(1023).await.1 / groups.len());
    assert!(of_done > 0 && of_failed > 0);
    let began = Instant::now();
    for subset in 0..1024 {
        let failing = members(subset);
        let (mut expected, mut calls) = (BTreeSet::new(), 0);
        for group in groups {
            let first = group.iter().position(|place| failing.contains(place));
            calls += first.map_or(group.len() * of_done, |first| first * of_done + of_failed);
            expected.extend(group.iter().skip(first.unwrap_or(group.len())).map(|place| format!("m-{place}")));
        }
        assert_eq!(calls_for(subset).await, (expected, calls), "{subset:010b}: what stands behind a failure stays, untouched");
    }
    println!("1024 batches of the FIFO queue: {} ms", began.elapsed().as_millis());
    world.finish().await;
}

/// A suspect is tried after its batch, in which there may always be others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspect_beside_a_steady_crowd_is_tried() {
    let world = World::start().await;
    let mut records: Vec<Value> = (0..9).map(|place| record(&format!("m-{place}"), &create(&format!("crowd-{place}")), 1, None)).collect();
    records.insert(4, record("m-suspect", &create("suspected"), 20, None));
    // What was handed over here never was on the queue, so it cannot be taken off: then the suspect waits, lest it take the others along.
    assert_eq!(failed_of(&world, "intake", &records).await, BTreeSet::from(["m-suspect".to_owned()]));

    world.dispatcher().mapping("intake").rest().await;
    world.drops_text(&create("suspected")).await;
    world.receives_in_vain(Queue::Incidents, 18).await;
    for place in 0..9 {
        world.drops_text(&create(&format!("crowd-{place}"))).await;
    }
    world.dispatcher().mapping("intake").resume();
    world.card("#incidents", "suspected").await.thread_of(1).await;
    let seen = world.dispatcher().mapping("intake").seen();
    assert_eq!(seen.iter().filter(|record| record.to_string().contains("suspected")).count(), 1, "at its first chance");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_kills_its_process_takes_nobody_along() {
    let setup = Setup { instances: 1, timeout: Duration::from_secs(2), ..Setup::default() };
    let world = World::with(Setup { visibility: [(Queue::Incidents, 4)].into(), ..setup }).await;
    let intake = world.dispatcher().mapping("intake");
    intake.rest().await;
    world.dispatcher().counter("intake").stall(&["deadly"]);
    world.drops_text(&create("deadly")).await;
    world.receives_in_vain(Queue::Incidents, 3).await;
    for place in 0..6 {
        world.drops_text(&create(&format!("bystander-{place}"))).await;
    }
    intake.resume();
    for place in 0..6 {
        world.card("#incidents", &format!("bystander-{place}")).await;
    }
    let times = |text: &str| intake.seen().iter().filter(|record| record.to_string().contains(text)).count();
    world
        .until("the deadly one has killed twice", async || if times("deadly") >= 3 { Ok(()) } else { Err(format!("{}", times("deadly"))) })
        .await;
    for place in 0..6 {
        assert_eq!(times(&format!("bystander-{place}")), 1, "done before, and gone from the queue");
    }
    world.dispatcher().counter("intake").forgive();
    world.card("#incidents", "deadly").await.thread_of(1).await;
    world.finish().await;
}

/// Ten that died together are not doomed to die together again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspects_that_came_together_come_again_apart() {
    let world = World::with(Setup { instances: 1, timeout: Duration::from_secs(2), ..Setup::default() }).await;
    let (mapping, function) = (world.dispatcher().mapping("intake"), world.dispatcher().function("intake"));
    mapping.rest().await;
    world.dispatcher().counter("intake").stall(&["together-"]);
    for place in 0..3 {
        world.drops_text(&create(&format!("together-{place}"))).await;
    }
    world.receives_in_vain(Queue::Incidents, 3).await;
    mapping.resume();
    world
        .until("one of them has killed the process", async || {
            if function.invocations() == 1 && function.in_flight() == 0 { Ok(()) } else { Err(String::new()) }
        })
        .await;
    world.dispatcher().counter("intake").forgive();
    for place in 0..3 {
        world.card("#incidents", &format!("together-{place}")).await.thread_of(1).await;
    }
    assert_eq!((mapping.seen().len(), function.invocations()), (6, 4), "first all together, then each by itself");
    world.finish().await;
}

/// Waiting behind somebody else is neither a failure nor a death of one's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_head_of_a_group_is_given_up() {
    let world = World::start().await;
    world.expects_error("parked");
    // Of two that were received too often, one was never tried.
    let mapping = world.dispatcher().mapping("worker");
    mapping.rest().await;
    for workspace in ["T0HEAD", "T0BEHIND"] {
        let send = world.aws.sqs.send_message().queue_url(world.queue_url(Queue::Intents)).message_body(uninstall(workspace));
        send.message_group_id("group").message_deduplication_id(workspace).send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
    }
    world.receives_in_vain(Queue::Intents, 20).await;
    mapping.resume();
    let letter = world.takes_dead_letter(Queue::Intents).await;
    assert!(letter.body.contains("T0HEAD") && letter.reason.contains("21 times"), "{letter:?}");
    world.settled().await;

    // Of two that fail for the sixth time, one failed only once.
    let records =
        [("m-head", "T0HEAD"), ("m-behind", "T0BEHIND")].map(|(id, workspace)| record(id, &uninstall(workspace), 6, Some("group")));
    let worker = world.dispatcher().counter("worker");
    worker.refuse(&["installations"]);
    let failed = failed_of(&world, "worker", &records).await;
    worker.forgive();
    assert!(failed.contains("m-behind"), "it is not given up: {failed:?}");
    let letter = world.takes_dead_letter(Queue::Intents).await;
    assert!(letter.body.contains("T0HEAD") && letter.reason.contains("DynamoDB"), "{letter:?}");
    world.finish().await;
}

/// The real queue, once: what was put off is not lost, and an alarm beside it is not late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_comes_again_and_the_others_do_not() {
    let setup = Setup { visibility: [(Queue::Incidents, 2)].into(), ..Setup::default() };
    let world = World::with(setup).await;
    world.dispatcher().counter("intake").refuse(&["waits-its-turn", "intents.fifo"]);
    world.drops(&Alarm::named("waits-its-turn").fires(Timestamp::now())).await;
    let card = world.alarm_fires("goes-ahead").await;
    world.dispatcher().counter("intake").forgive();
    world.card("#incidents", "waits-its-turn").await.thread_of(1).await;
    card.thread_of(1).await;
    let seen = world.dispatcher().mapping("intake").seen();
    let times = |text: &str| seen.iter().filter(|record| record.to_string().contains(text)).count();
    assert_eq!(times("goes-ahead"), 1);
    assert!(times("waits-its-turn") > 1);
    world.finish().await;
}

/// A message may bring a thousand alerts; one call for each would take its function as many round trips.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_alerts_of_one_message_travel_ten_at_a_time_and_each_becomes_one_card() {
    let world = World::start().await;
    let alert = |number: usize| json!({ "status": "firing", "labels": { "alertname": format!("Alert {number:02}") }, "startsAt": Timestamp::now().to_string(), "fingerprint": format!("f{number}") });
    let alerts: Vec<Value> = (0..12).map(alert).collect();
    let body = json!({ "version": "4", "groupKey": "k", "truncatedAlerts": 0, "status": "firing", "receiver": "tocsin", "alerts": alerts });
    let counter = world.dispatcher().counter("intake");
    // The SDK tries three times; after that the message comes again.
    counter.fail("SendMessageBatch", 500, 3);
    world.drops(&body).await;
    world.settled().await;
    assert_eq!(world.cards("#incidents", "Alert ").await.len(), 12);
    let sends = counter.calls().iter().filter(|call| call.action == "AmazonSQS.SendMessageBatch").count();
    let single = counter.calls().iter().filter(|call| call.action == "AmazonSQS.SendMessage").count();
    assert_eq!((sends, single), (3 + 2, 0), "twelve alerts are two calls, after three that failed");
    world.finish().await;
}
