//! Dead letters: shown with their reason, put back, done once.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::queue::dead_letters::{Contents, DeadLetterQueue, Fate, Filter, Hidden, Letter, Outcome, Redriven};
use tests::dispatcher::counter::Counter;
use tests::inputs::Alarm;
use tests::ministack::{Queue, arn, sdk_config};
use tests::world::{WORKSPACE, World};

fn contents(queue: Queue) -> Contents {
    match queue {
        Queue::Incidents => Contents::Incidents,
        Queue::Intents => Contents::Intents,
        Queue::Posts => Contents::Posts,
        Queue::Calls => Contents::Calls,
        Queue::Timeline => Contents::Timeline,
    }
}

/// The dead letters of a queue, as a person has them who looks after them.
fn letters_of(world: &World, queue: Queue) -> DeadLetterQueue {
    through(world, queue, world.aws.sqs.clone())
}

fn through(world: &World, queue: Queue, sqs: aws_sdk_sqs::Client) -> DeadLetterQueue {
    DeadLetterQueue::new(sqs, contents(queue), world.dead_letters_url(queue).to_owned(), world.queue_url(queue).to_owned())
}

/// Waits until this many letters stand there.
async fn standing(world: &World, queue: Queue, count: usize) -> Vec<Letter> {
    world
        .until(&format!("{count} dead letters of {}", queue.name()), async || {
            let listing = letters_of(world, queue).list(&Filter::default()).await.map_err(|error| error.to_string())?;
            if listing.letters.len() == count && listing.standing == count { Ok(listing.letters) } else { Err(format!("{listing:?}")) }
        })
        .await
}

async fn redrive(world: &World, queue: Queue, filter: &Filter, unreadable: bool) -> Vec<Redriven> {
    redrive_at(&letters_of(world, queue), filter, unreadable).await.told
}

async fn redrive_at(letters: &DeadLetterQueue, filter: &Filter, unreadable: bool) -> Outcome {
    let listing = letters.list(filter).await.unwrap_or_else(|error| panic!("{error}"));
    let outcome = letters.redrive(&listing, filter, unreadable, |_| {}).await;
    assert!(outcome.failed.is_none(), "{outcome:?}");
    outcome
}

fn fates(told: &[Redriven]) -> Vec<&Fate> {
    told.iter().map(|one| &one.fate).collect()
}

/// Puts a message onto a dead-letter queue as SQS does that moves it: with nothing but its body.
async fn moved(world: &World, queue: Queue, body: &str, group: &str) {
    let send = world.aws.sqs.send_message().queue_url(world.dead_letters_url(queue)).message_body(body);
    let send = match queue {
        Queue::Incidents => send,
        Queue::Intents | Queue::Posts | Queue::Timeline | Queue::Calls => {
            send.message_group_id(group).message_deduplication_id(fastrand::u64(..).to_string())
        }
    };
    send.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
}

fn uninstall(workspace: &str) -> String {
    let uninstall = json!({ "id": format!("uninstall-{workspace}"), "workspace": workspace, "at": "2026-11-21T00:00:00Z", "reason": "app_uninstalled" });
    json!({ "version": 1, "message": { "uninstall": uninstall } }).to_string()
}

/// An incident that names no id of its own is known by its message, also after it was put back, and even if it was put back twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_incident_is_put_back_and_makes_its_card_once() {
    let world = World::start().await;
    world.expects_error("parked");
    let intake = world.dispatcher().mapping("intake");
    intake.rest().await;
    world.dispatcher().counter("intake").refuse(&["stuck once", "intents.fifo"]);
    let before = Timestamp::now() - SignedDuration::from_secs(1);
    world.drops(&json!({ "type": "create", "title": "stuck once", "dedup_key": "stuck-1" })).await;
    world.receives_in_vain(Queue::Incidents, 5).await;
    intake.resume();

    let letter = standing(&world, Queue::Incidents, 1).await.remove(0);
    let reason = letter.reason.clone().unwrap_or_default();
    assert!(reason.contains("SQS did not take the message"), "{reason}");
    assert_eq!(letter.origin, Some(arn(world.queue_url(Queue::Incidents))));
    assert_eq!((letter.function.as_deref(), letter.receives), (Some("intake"), 6));
    assert!(letter.sent_at >= before && letter.parked_at.is_some_and(|at| at >= letter.sent_at), "{letter:?}");
    let said = letter.said.clone().expect("it can be read");
    assert!(said.about.iter().any(|about| about.contains("stuck-1")), "{said:?}");
    // Looking takes nothing away, and hides nothing from the next who looks.
    assert_eq!(standing(&world, Queue::Incidents, 1).await.remove(0).id, letter.id);
    assert_ne!(intake.seen()[0]["messageId"], json!(letter.id), "the letter is a message of its own");
    assert_eq!(intake.seen()[0]["messageId"], json!(letter.message_id), "which knows what the message was");

    // Killed between putting it back and taking it off: here SQS does not take it off.
    world.dispatcher().counter("intake").forgive();
    let counter = Counter::start(&world.aws.endpoint, world.http.clone()).await.expect("a free port");
    counter.fail("DeleteMessage", 400, 1);
    let sqs = aws_sdk_sqs::Client::new(&sdk_config(&counter.endpoint));
    let told = redrive_at(&through(&world, Queue::Incidents, sqs), &Filter::default(), false).await.told;
    assert!(matches!(fates(&told)[..], [Fate::StillHere(_)]), "{told:?}");
    let card = world.card("#incidents", "stuck once").await;
    card.thread_of(1).await;
    let told = redrive(&world, Queue::Incidents, &Filter::default(), false).await;
    assert_eq!(fates(&told), [&Fate::PutBack], "{told:?}");
    assert_eq!(told[0].letter.id, letter.id);
    world.settled().await;
    assert_eq!(intake.seen().iter().filter(|record| record["messageId"] != json!(letter.message_id)).count(), 2, "it did come twice");

    assert_eq!(world.cards("#incidents", "stuck once").await.len(), 1);
    card.thread_of(1).await;
    let incident = world.incident(&card.incident).await;
    assert_eq!(incident.get("count"), Some(&json!(1)), "{incident}");
    world.finish().await;
}

/// SQS drops what comes again under the same deduplication id within five minutes, without a word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intent_is_put_back_at_once_and_is_not_swallowed() {
    let world = World::start().await;
    world.expects_error("parked");
    let worker = world.dispatcher().mapping("worker");
    worker.rest().await;
    world.dispatcher().counter("worker").refuse(&["intent-parked", "TableName"]);
    world.drops(&Alarm::named("intent-parked").fires(Timestamp::now())).await;
    world
        .until("the intent waits", async || match world.aws.depth(world.queue_url(Queue::Intents)).await {
            Ok(1) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    world.receives_in_vain(Queue::Intents, 5).await;
    worker.resume();
    let letter = standing(&world, Queue::Intents, 1).await.remove(0);
    assert_eq!((letter.function.as_deref(), &letter.origin), (Some("worker"), &Some(arn(world.queue_url(Queue::Intents)))));
    let said = letter.said.clone().expect("it can be read");

    world.dispatcher().counter("worker").forgive();
    let by_id = Filter { id: Some(said.intents[0].to_string()), ..Filter::default() };
    assert_eq!(fates(&redrive(&world, Queue::Intents, &by_id, false).await), [&Fate::PutBack]);
    world.card("#incidents", "intent-parked").await.thread_of(1).await;
    let seen = worker.seen();
    let of = |record: &serde_json::Value, name: &str| record["attributes"][name].clone();
    let (first, again) = (&seen[0], &seen[seen.len() - 1]);
    assert_eq!(first["body"], again["body"]);
    assert_eq!(of(first, "MessageGroupId"), of(again, "MessageGroupId"));
    assert_ne!(of(first, "MessageDeduplicationId"), of(again, "MessageDeduplicationId"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_put_back_in_its_order_whatever_fails_in_between() {
    let world = World::start().await;
    let worker = world.dispatcher().mapping("worker");
    worker.rest().await;
    for number in 0..15 {
        moved(&world, Queue::Intents, &uninstall(&format!("T0ORDER{number:02}")), "one").await;
        moved(&world, Queue::Intents, &uninstall(&format!("T0OTHER{number:02}")), "other").await;
    }
    // Of one group SQS shows ten at a time, and says that there are more.
    let listing = letters_of(&world, Queue::Intents).list(&Filter::default()).await.expect("SQS answers");
    assert_eq!((listing.standing, listing.seen), (30, 20), "{listing:?}");

    let counter = Counter::start(&world.aws.endpoint, world.http.clone()).await.expect("a free port");
    let sqs = aws_sdk_sqs::Client::new(&sdk_config(&counter.endpoint));
    counter.refuse(&["T0ORDER03"]);
    let Outcome { told, hidden, .. } = redrive_at(&through(&world, Queue::Intents, sqs), &Filter::default(), false).await;
    let fate = |workspace: &str| told.iter().find(|one| one.letter.body.contains(workspace)).map(|one| one.fate.clone());
    assert_eq!(fate("T0ORDER02"), Some(Fate::PutBack));
    assert!(matches!(fate("T0ORDER03"), Some(Fate::Failed(_))), "{told:?}");
    assert_eq!(fate("T0ORDER04"), Some(Fate::Behind));
    assert_eq!(fate("T0OTHER14"), Some(Fate::PutBack));
    assert_eq!(hidden, Hidden { count: 2, is_behind: true }, "those behind the ten of the group that stay");
    let told = redrive(&world, Queue::Intents, &Filter::default(), false).await;
    assert!(fates(&told).iter().all(|fate| **fate == Fate::PutBack) && told.len() == 12, "{told:?}");

    worker.resume();
    world.settled().await;
    let bodies: Vec<String> = worker.seen().iter().map(|record| record["body"].as_str().unwrap_or_default().to_owned()).collect();
    for group in ["T0ORDER", "T0OTHER"] {
        let came: Vec<&String> = bodies.iter().filter(|body| body.contains(group)).collect();
        assert!(came.len() == 15 && came.is_sorted(), "{came:?}");
    }
    world.finish().await;
}

/// Between the list and the answer of whoever is asked, somebody else may come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_letter_that_somebody_else_holds_is_told_as_not_back_and_what_came_since_is_left_alone() {
    let world = World::start().await;
    world.dispatcher().mapping("worker").rest().await;
    moved(&world, Queue::Intents, &uninstall("T0HELD"), "held").await;
    moved(&world, Queue::Intents, &uninstall("T0FREE"), "free").await;
    let letters = letters_of(&world, Queue::Intents);
    let listing = letters.list(&Filter::default()).await.expect("SQS answers");
    moved(&world, Queue::Intents, &uninstall("T0SINCE"), "since").await;
    let other = world.aws.sqs.receive_message().queue_url(world.dead_letters_url(Queue::Intents)).visibility_timeout(60);
    let other = other.send().await.expect("SQS answers").messages.unwrap_or_default().remove(0);
    assert!(other.body.as_ref().is_some_and(|body| body.contains("T0HELD")), "{other:?}");

    let outcome = letters.redrive(&listing, &Filter::default(), false, |_| {}).await;
    let fate = |workspace: &str| outcome.told.iter().find(|one| one.letter.body.contains(workspace)).map(|one| one.fate.clone());
    assert_eq!((fate("T0HELD"), fate("T0FREE"), fate("T0SINCE")), (Some(Fate::Unseen), Some(Fate::PutBack), None), "{outcome:?}");
    assert_eq!(outcome.hidden, Hidden { count: 0, is_behind: false }, "what came since is another matter");

    let release = world.aws.sqs.change_message_visibility().queue_url(world.dead_letters_url(Queue::Intents)).visibility_timeout(0);
    release.set_receipt_handle(other.receipt_handle).send().await.expect("SQS answers");
    assert_eq!(fates(&redrive(&world, Queue::Intents, &Filter::default(), false).await), [&Fate::PutBack; 2]);
    world.dispatcher().mapping("worker").resume();
    world.settled().await;
    world.finish().await;
}

/// What its process died of has no reason, but all the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sqs_moved_by_itself_is_put_back_as_well() {
    let world = World::start().await;
    let intake = world.dispatcher().mapping("intake");
    intake.rest().await;
    world.drops(&Alarm::named("died-of").fires(Timestamp::now())).await;
    world.receives_in_vain(Queue::Incidents, 31).await;
    let letter = standing(&world, Queue::Incidents, 1).await.remove(0);
    assert_eq!((letter.reason.as_deref(), letter.parked_at, letter.function.as_deref()), (None, None, None));
    assert_eq!(letter.origin, Some(arn(world.queue_url(Queue::Incidents))));
    assert!(letter.receives >= 30, "{letter:?}");
    intake.resume();
    assert_eq!(fates(&redrive(&world, Queue::Incidents, &Filter::default(), false).await), [&Fate::PutBack]);
    world.card("#incidents", "died-of").await.thread_of(1).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_read_is_put_back_only_when_asked_for() {
    let world = World::start().await;
    world.expects_error("parked");
    world.drops_text("{ not json").await;
    let first = standing(&world, Queue::Incidents, 1).await.remove(0);
    assert!(first.said.is_err(), "{first:?}");
    let told = redrive(&world, Queue::Incidents, &Filter::default(), false).await;
    assert!(matches!(fates(&told)[..], [Fate::Unreadable(_)]), "{told:?}");
    assert_eq!(standing(&world, Queue::Incidents, 1).await[0].id, first.id, "it stays where it is");

    // It fails again, and is not put back a second time by the same command.
    let told = redrive(&world, Queue::Incidents, &Filter::default(), true).await;
    assert_eq!(fates(&told), [&Fate::PutBack]);
    let again = standing(&world, Queue::Incidents, 1).await.remove(0);
    assert_ne!(again.id, first.id);
    assert_eq!((again.message_id, again.sent_at), (first.message_id, first.sent_at), "it is still the same message");
    world.takes_dead_letter(Queue::Incidents).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_chosen_is_put_back_and_only_where_it_came_from() {
    let world = World::start().await;
    world.expects_error("parked");
    // A channel without the bot: the reason says so, and what to do.
    world.configures("[routing]\ndefault = { channel = \"#random\" }").await;
    world.drops(&Alarm::named("chosen").fires(Timestamp::now())).await;
    let letter = standing(&world, Queue::Posts, 1).await.remove(0);
    assert!(letter.reason.as_ref().is_some_and(|reason| reason.contains("/invite")), "{letter:?}");
    moved(&world, Queue::Posts, "nothing of ours", "another").await;
    let by_reason = |reason: &str| Filter { reason: Some(reason.to_owned()), ..Filter::default() };
    assert!(redrive(&world, Queue::Posts, &by_reason("archived"), false).await.is_empty());
    // With the queues mixed up, nothing is sent where it does not belong.
    let mixed_up = DeadLetterQueue::new(
        world.aws.sqs.clone(),
        Contents::Posts,
        world.dead_letters_url(Queue::Posts).to_owned(),
        world.queue_url(Queue::Intents).to_owned(),
    );
    let told = redrive_at(&mixed_up, &by_reason("not_in_channel"), false).await.told;
    assert_eq!(fates(&told), [&Fate::Foreign]);

    world.slack.tell("invite", &json!({ "channel": "C0RANDOM" })).await;
    assert_eq!(fates(&redrive(&world, Queue::Posts, &by_reason("not_in_channel"), false).await), [&Fate::PutBack]);
    world.card("#random", "chosen").await.thread_of(1).await;
    let left = world.takes_dead_letter(Queue::Posts).await;
    assert_eq!(left.body, "nothing of ours");
    world.finish().await;
}

/// How often the clock has woken a channel.
fn woken(world: &World) -> usize {
    world.logs.lines().iter().filter(|line| line.function == "clock" && line.text.contains("\"woken\"")).count()
}

/// What cannot be posted stands on the dead-letter queue once, not once more in every minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_cannot_be_posted_to_has_one_letter_until_something_new_comes() {
    let world = World::start().await;
    world.alarm_fires("before").await.thread_of(1).await;
    world.settled().await;
    world.expects_error("not_in_channel");
    world.slack.fault(&json!({ "kind": "error", "method": "chat.postMessage", "code": "not_in_channel" })).await;
    let fires = async |name: &str| world.drops(&Alarm::named(name).fires(Timestamp::now())).await;
    fires("nobody invited it").await;
    let first = standing(&world, Queue::Posts, 1).await;
    let rests = async || {
        world.dispatcher().mapping("poster").rest().await;
        world.dispatcher().mapping("poster").resume();
    };
    rests().await;

    // Eleven minutes later nobody was at work in the channel.
    let old = (Timestamp::now() - SignedDuration::from_mins(11)).as_microsecond();
    for place in world.unposted().await {
        world.changes(&format!("{WORKSPACE}#channel##incidents"), &place, "SET since = :value", old).await;
    }
    world.ticks().await;
    assert_eq!(woken(&world), 0, "nobody has mended anything");
    fires("nobody invited it yet").await;
    let both = standing(&world, Queue::Posts, 2).await;
    assert!(both.iter().any(|letter| letter.id == first[0].id), "{both:?}");
    rests().await;
    world.ticks().await;
    assert_eq!(woken(&world), 0, "nobody has mended anything");

    world.slack.forget("faults").await;
    redrive(&world, Queue::Posts, &Filter::default(), false).await;
    for name in ["before", "nobody invited it", "nobody invited it yet"] {
        world.until(name, async || if world.cards("#incidents", name).await.is_empty() { Err(String::new()) } else { Ok(()) }).await;
    }
    world.settled().await;
    let pace = world.scan().await.into_iter().find(|item| item.get("not_before").is_some() && item.get("lately").is_some());
    assert!(pace.is_some_and(|pace| pace.get("parked").is_none()), "the channel is none of those that wait for somebody");
    world.finish().await;
}
