//! What happens to incidents is told outside: on the event bus, and to subscribers by signed webhooks. Nothing is lost, and each of it goes by one id, however often it comes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use jsonschema::Validator;
use serde_json::{Value, json};
use tests::card::Card;
use tests::inputs::{Alarm, minutes_ago, own};
use tests::internal_api::{Behaviour, InternalApi};
use tests::ministack::Queue;
use tests::world::{Setup, World};

use crate::once::{brought, deliver_much_later};

/// What is published about the events.
fn schema() -> Validator {
    let schema = serde_json::from_str(include_str!("../../../infra/timeline-event.schema.json")).expect("JSON");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

/// What was told on the bus about an incident, in the order in which it came.
async fn told_about(world: &World, incident: &str) -> Vec<Value> {
    let events = world.events().await;
    let about = |event: &&Value| event.pointer("/detail/incident/id").and_then(Value::as_str) == Some(incident);
    events.iter().filter(about).cloned().collect()
}

/// Waits until so much was told on the bus about an incident.
async fn hears(world: &World, incident: &str, count: usize) -> Vec<Value> {
    let what = format!("{count} events about {incident}");
    world
        .until(&what, async || {
            let told = told_about(world, incident).await;
            if told.len() >= count { Ok(told) } else { Err(format!("{told:#?}")) }
        })
        .await
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| text(event, "/detail-type")).collect()
}

fn ids(events: &[Value]) -> BTreeSet<&str> {
    events.iter().map(|event| text(event, "/detail/id")).collect()
}

/// A configuration with these endpoints, each with what its subscriber says besides.
async fn subscribes(world: &World, subscribers: &[(&str, &InternalApi, &str)]) {
    let mut document = String::new();
    for (name, api, rest) in subscribers {
        let _ = writeln!(document, "[[endpoints]]\nname = \"{name}\"\nurl = \"{}\"\ntimeout = \"1s\"", api.url);
        let _ = writeln!(document, "[[subscribers]]\nendpoint = \"{name}\"\n{rest}");
    }
    world.configures(&document).await;
}

/// How many messages the worker has sent since its counter was reset.
fn sends(world: &World) -> usize {
    world.dispatcher().counter("worker").calls().iter().filter(|call| call.action == "AmazonSQS.SendMessage").count()
}

/// The body of an intent's message, as if it were sent now by a source that names no time.
fn said_later(record: &Value) -> String {
    let mut body: Value = serde_json::from_str(text(record, "/body")).expect("JSON");
    *body.pointer_mut("/message/intent/at").expect("a time") = json!(minutes_ago(-1).to_string());
    body.to_string()
}

/// Acknowledged and resolved by Jane.
async fn is_done_with(world: &World, card: &Card<'_>) {
    let jane = world.user("jane");
    jane.clicks("Acknowledge", card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    jane.types(&format!("/incident resolve {} rolled back", card.incident)).await.answer().await;
    card.shows("*Resolved* by <@U0JANE>").await;
}

pub(crate) async fn every_act_at_a_card_is_told_on_the_bus_once_and_in_order(world: &World) {
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let card = world.alarm_fires("told-outside").await;
    jane.clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    let refused = omar.types(&format!("/incident ack {}", card.incident)).await.answer().await;
    assert!(refused.contains("had"), "{refused}");
    jane.types(&format!("/incident note {} looking at it", card.incident)).await.answer().await;
    jane.types(&format!("/incident resolve {} rolled back", card.incident)).await.answer().await;
    card.shows("*Resolved* by <@U0JANE>").await;
    world.drops(&Alarm::named("told-outside").recovers(minutes_ago(1))).await;
    world.settled().await;

    let events = hears(world, &card.incident, 6).await;
    let wanted =
        ["Incident Triggered", "Incident Acknowledged", "Incident Refused", "Incident Noted", "Incident Resolved", "Incident Late"];
    assert_eq!(kinds(&events), wanted, "{events:#?}");
    assert_eq!(ids(&events).len(), events.len(), "each has an id of its own");
    let entries: Vec<_> = events.iter().map(|event| (text(event, "/detail/entry/type"), text(event, "/detail/entry/outcome"))).collect();
    let wanted = [
        ("triggered", "done"),
        ("acknowledged", "done"),
        ("acknowledged", "refused"),
        ("noted", "done"),
        ("resolved", "done"),
        ("resolved", "late"),
    ];
    assert_eq!(entries, wanted);
    assert_eq!(text(&events[1], "/detail/entry/by/id"), "U0JANE");
    assert!(text(&events[2], "/detail/entry/refusal").contains("<@U0JANE> had"), "{}", events[2]);
    assert_eq!(text(&events[4], "/detail/entry/note"), "rolled back");
    let schema = schema();
    for event in &events {
        assert_eq!((text(event, "/source"), text(event, "/detail/workspace")), ("tocsin", "T0TOCSIN"));
        let detail = event.get("detail").expect("a detail");
        assert!(schema.is_valid(detail), "{:#?}", schema.iter_errors(detail).map(|error| error.to_string()).collect::<Vec<_>>());
    }
    let in_table: BTreeSet<String> = card.timeline().await.iter().map(|entry| text(entry, "/intent").to_owned()).collect();
    let told: BTreeSet<String> = events.iter().map(|event| text(event, "/detail/entry/id").to_owned()).collect();
    assert_eq!(told, in_table, "everything that the timeline has, and nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_again_is_told_under_the_id_that_it_had_and_costs_one_call() {
    let world = World::start().await;
    let card = world.alarm_fires("told-again").await;
    card.thread_of(1).await;
    world.settled().await;
    assert_eq!(hears(&world, &card.incident, 1).await.len(), 1);
    let intent = brought(&world, "worker", "told-again").pop().expect("intake made an intent of it");
    let written = brought(&world, "publisher", &card.incident).pop().expect("the worker said that it was written");
    // Within SQS's five minutes the worker's second word about the same entry is none.
    deliver_much_later(&world, Queue::Intents, &intent).await;
    world.settled().await;
    assert_eq!(told_about(&world, &card.incident).await.len(), 1);
    // After them it is told again, under the same id.
    deliver_much_later(&world, Queue::Timeline, &written).await;
    world.settled().await;
    let events = hears(&world, &card.incident, 2).await;
    assert_eq!((events.len(), ids(&events).len()), (2, 1), "{events:#?}");

    // What changes nothing but a counter writes no entry, and nothing is told.
    world.dispatcher().counter("worker").reset();
    world.drops(&Alarm::named("told-again").fires(minutes_ago(0))).await;
    world.settled().await;
    assert_eq!(sends(&world), 1, "the poster is woken");
    world.dispatcher().counter("worker").reset();
    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged*").await;
    world.settled().await;
    assert_eq!(sends(&world), 2, "one more for the entry");
    assert_eq!(told_about(&world, &card.incident).await.len(), 3);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_gets_what_it_wants_signed_and_under_one_id_however_often() {
    let world = World::start().await;
    let audit = InternalApi::start(&world, "audit").await;
    let everything = InternalApi::start(&world, "everything").await;
    let checkout = InternalApi::start(&world, "checkout").await;
    let of_checkout = "match = { service = \"checkout\" }";
    subscribes(
        &world,
        &[("audit", &audit, "events = [\"resolved\", \"refused\"]"), ("everything", &everything, ""), ("checkout", &checkout, of_checkout)],
    )
    .await;
    // It has it, and its answer gets lost; then it stumbles.
    audit.answers([Behaviour::DoesAndIsSlow(Duration::from_secs(3)), Behaviour::Says(503, "sorry")]);
    let fields = json!({ "title": "subscribed", "service": "search" });
    world.drops(&own("create", "subscribed", minutes_ago(5), &fields)).await;
    let card = world.card("#incidents", "subscribed").await;
    is_done_with(&world, &card).await;
    world.settled().await;

    let effects = audit.effects();
    let [told] = effects.as_slice() else { panic!("{effects:#?}") };
    assert_eq!(audit.requests().len(), 3, "twice more under the id that it knows");
    assert_eq!((text(told, "/type"), text(told, "/data/entry/note")), ("incident.resolved", "rolled back"));
    assert_eq!(text(told, "/data/incident/state"), "resolved");
    let schema = schema();
    let types: Vec<_> = everything.requests().iter().map(|told| text(told, "/type").to_owned()).collect();
    assert_eq!(types, ["incident.triggered", "incident.acknowledged", "incident.resolved"], "in order");
    for told in everything.effects().iter().chain(&effects) {
        let data = told.get("data").expect("data");
        assert!(schema.is_valid(data), "{:#?}", schema.iter_errors(data).map(|error| error.to_string()).collect::<Vec<_>>());
    }
    assert_eq!(checkout.requests(), [] as [Value; 0], "that was about another service");
    let on_the_bus = hears(&world, &card.incident, 3).await;
    assert_eq!(text(&on_the_bus[2], "/detail/id"), text(told, "/data/id"), "the same event by both ways");
    assert_eq!(card.timeline().await.len(), 3, "that somebody was told is no part of the story");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_never_takes_it_holds_nobody_up() {
    // It is tried for most of a minute, so that the other one has heard everything by then on a busy machine, too.
    let visibility = BTreeMap::from([(Queue::Calls, 10)]);
    let world = World::with(Setup { visibility, patience: Duration::from_mins(2), ..Setup::default() }).await;
    let broken = InternalApi::start(&world, "broken").await;
    let audit = InternalApi::start(&world, "audit").await;
    subscribes(&world, &[("broken", &broken, "events = [\"triggered\"]"), ("audit", &audit, "")]).await;
    // Three tries at each of six receives.
    broken.answers(std::iter::repeat_n(Behaviour::Says(500, "not today"), 18));
    world.expects_error("not today");
    let card = world.alarm_fires("held-by-nobody").await;
    is_done_with(&world, &card).await;
    world
        .until("the other one has heard everything", async || {
            let effects = audit.effects();
            if effects.len() == 3 { Ok(()) } else { Err(format!("{effects:#?}")) }
        })
        .await;
    assert_eq!(world.aws.depth(world.dead_letters_url(Queue::Calls)).await.ok(), Some(0), "while the broken one is still tried");
    let letter = world.takes_dead_letter(Queue::Calls).await;
    assert_eq!(letter.reason, "HTTP 500: not today");
    assert_eq!((broken.requests().len(), broken.effects().len()), (18, 0));
    assert_eq!(card.timeline().await.len(), 3, "nothing is told to the incident");
    // Somebody mends it and puts the letter back.
    world.puts_back(Queue::Calls, &letter).await;
    world.settled().await;
    assert_eq!((broken.effects().len(), audit.effects().len()), (1, 3));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_before_it_has_said_so_loses_nothing() {
    let world = World::start().await;
    let card = world.alarm_fires("worker-dies").await;
    card.thread_of(1).await;
    world.settled().await;
    let (worker, counter) = (world.dispatcher().function("worker"), world.dispatcher().counter("worker"));
    counter.stall(&["timeline.fifo"]);
    world.user("jane").clicks("Acknowledge", &card).await;
    world
        .until("the entry is written and nobody knows", async || {
            let stalled = counter.calls().iter().any(|call| call.status == 0);
            if stalled && card.timeline().await.len() == 2 { Ok(()) } else { Err(format!("{:?}", counter.calls())) }
        })
        .await;
    worker.busy_instance().expect("a worker at work").kill();
    counter.forgive();
    let events = hears(&world, &card.incident, 2).await;
    assert_eq!(kinds(&events), ["Incident Triggered", "Incident Acknowledged"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_dies_in_between_loses_nothing() {
    let world = World::start().await;
    let audit = InternalApi::start(&world, "audit").await;
    subscribes(&world, &[("audit", &audit, "")]).await;
    let (publisher, counter) = (world.dispatcher().function("publisher"), world.dispatcher().counter("publisher"));
    // What it dies at, and how often the bus hears of it.
    for (title, dies_at, times) in [("dies-before-the-bus", "Incident Triggered", 1), ("dies-before-subscribers", "calls.fifo", 2)] {
        counter.reset();
        counter.stall(&[dies_at]);
        let card = world.alarm_fires(title).await;
        world
            .until("the publisher stands still", async || {
                if counter.calls().iter().any(|call| call.status == 0) { Ok(()) } else { Err(format!("{:?}", counter.calls())) }
            })
            .await;
        publisher.busy_instance().expect("a publisher at work").kill();
        counter.forgive();
        let events = hears(&world, &card.incident, times).await;
        world.settled().await;
        assert_eq!((told_about(&world, &card.incident).await.len(), ids(&events).len()), (times, 1), "{title}");
        let heard = audit.effects().iter().filter(|told| text(told, "/data/incident/id") == card.incident).count();
        assert_eq!(heard, 1, "{title}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_bus_does_not_take_stands_on_the_dead_letter_queue_and_is_put_back() {
    let world = World::with(Setup { visibility: BTreeMap::from([(Queue::Timeline, 1)]), ..Setup::default() }).await;
    world.expects_error("EventBridge");
    let counter = world.dispatcher().counter("publisher");
    counter.refuse(&["Incident Acknowledged"]);
    let card = world.alarm_fires("bus-down").await;
    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged*").await;
    let letter = world.takes_dead_letter(Queue::Timeline).await;
    assert!(letter.reason.contains("a fault of the test"), "{}", letter.reason);
    assert_eq!(kinds(&hears(&world, &card.incident, 1).await), ["Incident Triggered"]);
    counter.forgive();
    world.puts_back(Queue::Timeline, &letter).await;
    assert_eq!(kinds(&hears(&world, &card.incident, 2).await), ["Incident Triggered", "Incident Acknowledged"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_says_the_same_much_later_tells_nobody_again() {
    let world = World::start().await;
    let card = world.alarm_fires("said-again").await;
    world.settled().await;
    let intent = brought(&world, "worker", "said-again").pop().expect("intake made an intent of it");
    for body in [text(&intent, "/body").to_owned(), said_later(&intent)] {
        world.dispatcher().counter("worker").reset();
        world.queues_again(Queue::Intents, &body).await;
        world.settled().await;
        assert_eq!(sends(&world), 1, "the poster is woken, and nobody told");
    }
    assert_eq!(told_about(&world, &card.incident).await.len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_told_yet_is_told_as_it_was_written_whatever_time_it_names_by_then() {
    let world = World::start().await;
    let counter = world.dispatcher().counter("worker");
    counter.refuse(&["timeline.fifo"]);
    let card = world.alarm_fires("told-late").await;
    world.dispatcher().mapping("worker").rest().await;
    let mut again = brought(&world, "worker", "told-late").pop().expect("intake made an intent of it");
    again["body"] = json!(said_later(&again));
    again["attributes"]["ApproximateReceiveCount"] = json!("2");
    counter.forgive();
    let answer = world.dispatcher().function("worker").call(&json!({ "Records": [again] })).await.expect("an answer");
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(kinds(&hears(&world, &card.incident, 1).await), ["Incident Triggered"]);
    world.dispatcher().mapping("worker").resume();
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recovery_of_what_was_never_wrong_ends_nothing_outside() {
    let world = World::start().await;
    let (resolved, late) = (InternalApi::start(&world, "resolved").await, InternalApi::start(&world, "late").await);
    subscribes(&world, &[("resolved", &resolved, "events = [\"resolved\"]"), ("late", &late, "events = [\"late\"]")]).await;
    for minutes in [5, 4, 3] {
        world.drops(&Alarm::named("never-wrong").recovers(minutes_ago(minutes))).await;
        world.settled().await;
    }
    let events = world.events().await;
    assert_eq!(kinds(&events), ["Incident Late"], "{events:#?}");
    assert_eq!(text(&events[0], "/detail/incident/state"), "expected");
    let types: Vec<_> = late.requests().iter().map(|told| text(told, "/type").to_owned()).collect();
    assert_eq!((types, resolved.requests()), (vec!["incident.late".to_owned()], Vec::new()));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_subscribes_no_more_is_told_nothing_more() {
    let world = World::start().await;
    let (gone, kept) = (InternalApi::start(&world, "gone").await, InternalApi::start(&world, "kept").await);
    subscribes(&world, &[("gone", &gone, ""), ("kept", &kept, "")]).await;
    world.dispatcher().mapping("caller").rest().await;
    let card = world.alarm_fires("unsubscribed").await;
    world
        .until("both calls are queued", async || {
            let depth = world.aws.depth(world.queue_url(Queue::Calls)).await;
            if depth.as_ref().ok() == Some(&2) { Ok(()) } else { Err(format!("{depth:?}")) }
        })
        .await;
    // One endpoint is still there, for decisions and commands.
    world.configures(&format!("[[endpoints]]\nname = \"kept\"\nurl = \"{}\"\n", kept.url)).await;
    world.dispatcher().mapping("caller").resume();
    world.settled().await;
    assert_eq!((gone.requests(), kept.requests()), (Vec::new(), Vec::new()));
    assert_eq!(told_about(&world, &card.incident).await.len(), 1);
    world.finish().await;
}

/// While nobody saw the incident, its end was told as late; whoever hears of its beginning hears of its end then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_that_overtook_its_alarm_is_told_after_it() {
    let world = World::start().await;
    let audit = InternalApi::start(&world, "audit").await;
    subscribes(&world, &[("audit", &audit, "events = [\"triggered\", \"resolved\"]")]).await;
    world.drops(&own("resolve", "ends-first", minutes_ago(2), &json!({ "note": "by itself" }))).await;
    world.settled().await;
    world.drops(&own("create", "ends-first", minutes_ago(5), &json!({ "title": "ends first" }))).await;
    let card = world.card("#incidents", "ends first").await;
    world.settled().await;
    let events = hears(&world, &card.incident, 3).await;
    assert_eq!(kinds(&events), ["Incident Late", "Incident Triggered", "Incident Resolved"], "{events:#?}");
    assert_eq!(ids(&events).len(), 3, "each has an id of its own");
    assert_eq!(text(&events[2], "/detail/entry/note"), "by itself");
    let types: Vec<_> = audit.requests().iter().map(|told| text(told, "/type").to_owned()).collect();
    assert_eq!(types, ["incident.triggered", "incident.resolved"]);

    // An alarm that came after such a recovery is not over.
    world.drops(&own("resolve", "fires-again", minutes_ago(5), &json!({}))).await;
    world.settled().await;
    world.drops(&own("create", "fires-again", minutes_ago(2), &json!({ "title": "fires again" }))).await;
    let open = world.card("#incidents", "fires again").await;
    world.settled().await;
    assert_eq!(kinds(&hears(&world, &open.incident, 2).await), ["Incident Late", "Incident Triggered"]);
    assert_eq!(audit.requests().len(), 3);
    world.finish().await;
}

/// Only a document that can be read takes somebody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_cannot_be_read_unsubscribes_nobody() {
    let visibility = BTreeMap::from([(Queue::Calls, 1), (Queue::Timeline, 1)]);
    let world = World::with(Setup { visibility, ..Setup::default() }).await;
    let audit = InternalApi::start(&world, "audit").await;
    let subscribe = async || subscribes(&world, &[("audit", &audit, "")]).await;
    subscribe().await;
    let card = world.alarm_fires("unreadable-meanwhile").await;
    card.thread_of(1).await;
    world.settled().await;
    assert_eq!(audit.requests().len(), 1);
    let call = brought(&world, "caller", &card.incident).pop().expect("the publisher had it called");
    world.expects_error("the configuration cannot be read");
    world.configures("nobody = [understands").await;
    let counters = ["caller", "publisher"].map(|function| world.dispatcher().counter(function));
    for counter in &counters {
        counter.reset();
    }
    deliver_much_later(&world, Queue::Calls, &call).await;
    world.user("jane").clicks("Acknowledge", &card).await;
    let asked =
        || counters.each_ref().map(|counter| counter.calls().iter().filter(|call| call.action == "DynamoDB_20120810.GetItem").count());
    world
        .until(
            "both have come again",
            async || if asked().iter().all(|asked| *asked >= 2) { Ok(()) } else { Err(format!("{:?}", asked())) },
        )
        .await;
    assert_eq!(audit.requests().len(), 1);
    subscribe().await;
    world.until("both are told", async || if audit.requests().len() == 3 { Ok(()) } else { Err(format!("{:#?}", audit.requests())) }).await;
    world.settled().await;
    world.finish().await;
}
