//! `kill -9` of functions at random moments while sources and people are at work: what is lost, and what is there twice?
//!
//! Scaled: the queues hand out again after 6 s what died (template.yaml: 3 and 6 minutes), Slack takes 600 `chat.update` a minute, and repeats an event that was not answered after 1 and
//! 3 s (1 and 5 minutes). A command that was not answered is sent again as it was, as nobody but a person would.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::inputs::own;
use tests::ministack::Queue;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channels, duplicates, finish, outcomes, settle, taken};

const CHANNELS: usize = 10;
const KILLED: [&str; 8] = ["commands", "interactions", "events", "intake", "worker", "poster", "publisher", "clock"];

/// What people and a source do while functions are killed, each with the function that it needs: notes by command and by mention, incidents by the form and by a source.
const DEEDS: [&str; 4] = ["commands", "events", "interactions", "intake"];

/// What has been done so far.
#[derive(Debug, Default)]
struct Deeds {
    kills: Mutex<BTreeMap<&'static str, usize>>,
    notes: Mutex<Vec<usize>>,
    created: Mutex<Vec<usize>>,
    over: AtomicBool,
}

pub(crate) async fn run(options: &Options) -> Report {
    let (incidents, kills) = (options.scaled(200), options.scaled(200).div_ceil(KILLED.len()));
    let setup = Setup {
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 6)).collect(),
        instances: 4,
        timeout: Duration::from_secs(5),
        patience: Duration::from_mins(15),
        updates_per_minute: 600,
        counted: false,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    channels(&world, CHANNELS, "[storm]\nabove = 0").await;
    world
        .slack
        .tell("rates", &json!({ "workspace_per_minute": 100_000, "methods": { "chat.postMessage": 100_000, "chat.update": 600, "views.open": 100_000, "chat.postEphemeral": 100_000 } }))
        .await;
    world.slack.tell("timing", &json!({ "event_retry_ms": [0, 1_000, 3_000] })).await;
    let deeds = Deeds::default();
    let load = async {
        sources(&world, incidents, options.seed).await;
        people(&world, incidents, kills, &deeds).await;
        deeds.over.store(true, Ordering::SeqCst);
    };
    let killing = join_all(KILLED.map(|name| kill_often(&world, name, kills, options.seed, &deeds)));
    let minutes = async {
        while !deeds.over.load(Ordering::SeqCst) {
            // A clock that was killed meanwhile comes again at the next minute.
            let _ = world.try_tick().await;
            // In place of a minute.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::join!(load, killing, minutes);
    println!("   the killing is over");
    let parked = settle_and_put_back(&world).await;
    let mut report = Report::default();
    for (name, kills) in lock(&deeds.kills).iter() {
        report.row(format!("{name} killed, of {} invocations", world.dispatcher().function(name).invocations()), kills);
    }
    check(&world, &mut report, incidents, &deeds).await;
    for (reason, count) in &parked {
        println!("   parked {count}: {reason}");
    }
    report.row("parked with a reason, put back", parked.values().sum::<usize>());
    report.row("found by look-up, not posted again", outcomes(&world, "found"));
    finish(world, "kills").await;
    report
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn key(incident: usize) -> String {
    format!("chaos-{incident:04}")
}

/// Creates, acknowledges and resolves, each for all incidents in an order of its own.
async fn sources(world: &World, incidents: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let start = Timestamp::now() - SignedDuration::from_mins(10);
    for (step, kind) in ["create", "acknowledge", "resolve"].into_iter().enumerate() {
        let mut order: Vec<usize> = (0..incidents).collect();
        random.shuffle(&mut order);
        for (number, incident) in order.into_iter().enumerate() {
            let fields = match kind {
                "create" => {
                    json!({ "title": format!("chaos incident {incident:04}"), "service": format!("service-{}", incident % CHANNELS) })
                }
                _ => json!({}),
            };
            let at = start + SignedDuration::from_secs(i64::try_from(step * 60).unwrap_or_default());
            world.drops(&own(kind, &key(incident), at, &fields)).await;
            if number % 10 == 9 {
                tokio::time::sleep(Duration::from_millis(random.u64(200..800))).await;
            }
        }
        println!("   {kind}: all {incidents} dropped");
    }
}

/// People add notes, by command and by mention, and create incidents by the form, and a source creates others, as long as there is somebody to kill.
async fn people(world: &World, incidents: usize, kills: usize, deeds: &Deeds) {
    world.until("an incident", async || (!ids(world).await.is_empty()).then_some(()).ok_or_else(String::new)).await;
    let ids = ids(world).await;
    let (mut number, mut random) = (0, fastrand::Rng::new());
    while lock(&deeds.kills).values().sum::<usize>() < kills * KILLED.len() {
        number += 1;
        let function = DEEDS[number % DEEDS.len()];
        // What has been killed often enough rests, so that Slack's pace for a channel does not make the end take long; by command something always goes on.
        let rests = lock(&deeds.kills).get(function).is_some_and(|done| *done >= kills);
        if rests && function != "commands" {
            continue;
        }
        // The load: people and sources do a dozen things a second.
        tokio::time::sleep(Duration::from_millis(random.u64(20..120))).await;
        let line = format!("note {} note {number:05}.", ids[number % ids.len().min(incidents)]);
        let of = if matches!(function, "commands" | "events") { &deeds.notes } else { &deeds.created };
        lock(of).push(number);
        match function {
            "commands" => types(world, &line).await,
            "events" => {
                let body = json!({ "user": "U0OMAR", "channel": "general", "text": format!("@tocsin {line}"), "typed": true });
                world.slack.tell("message", &body).await;
            }
            "interactions" => fill_in(world, number).await,
            _ => {
                let fields = json!({ "title": late(number), "service": format!("service-{}", number % CHANNELS) });
                world.drops(&own("create", &late(number), Timestamp::now(), &fields)).await;
            }
        }
    }
    println!("   {} notes, {} incidents meanwhile", lock(&deeds.notes).len(), lock(&deeds.created).len());
}

/// Somebody types a command, and sends it again as it was until it is answered.
async fn types(world: &World, line: &str) {
    let body = json!({ "user": "U0JANE", "channel": "general", "command": "/incident", "text": line });
    let mut answer = world.slack.tell("command", &body).await;
    while !is_ok(&answer) {
        let payload = answer.get("payload").cloned().unwrap_or_default();
        answer = world.slack.tell("redeliver", &json!({ "payload": payload })).await;
    }
}

/// The title of an incident that somebody creates by the form, or a source.
fn late(number: usize) -> String {
    format!("late incident {number:05}")
}

fn is_ok(answer: &Value) -> bool {
    answer.get("status").and_then(Value::as_u64) == Some(200)
}

/// Somebody opens the form and submits it, again and again until it closes.
async fn fill_in(world: &World, number: usize) {
    let lena = world.user("lena");
    while lena.open_views().await.is_empty() {
        world.slack.tell("shortcut", &json!({ "user": lena.id, "callback_id": "create_incident" })).await;
    }
    while !lena.open_views().await.is_empty() {
        lena.submits(&[("title", &late(number)), ("service", &format!("service-{}", number % CHANNELS))]).await;
    }
}

async fn ids(world: &World) -> Vec<String> {
    let incidents = world.scan().await.into_iter().filter(|item| item.get("sk").and_then(Value::as_str) == Some("incident"));
    incidents.filter_map(|item| item.pointer("/data/id")?.as_str().map(str::to_owned)).collect()
}

/// Kills a copy of a function that is at work, a random while after it began, until it has been done often enough.
async fn kill_often(world: &World, name: &'static str, kills: usize, seed: u64, deeds: &Deeds) {
    let first = name.bytes().map(u64::from).sum::<u64>();
    let mut random = fastrand::Rng::with_seed(seed ^ first);
    let function = world.dispatcher().function(name);
    let mut left = kills;
    while left > 0 && !deeds.over.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(random.u64(200..1_800))).await;
        while function.busy_instance().is_none() && !deeds.over.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let Some(instance) = function.busy_instance() else { continue };
        // A receiver is done within a few milliseconds, and so is a clock that finds nothing to do.
        let while_at_work = match name {
            "commands" | "events" | "interactions" => 4_000,
            "clock" | "intake" => 10_000,
            _ => 60_000,
        };
        tokio::time::sleep(Duration::from_micros(random.u64(0..while_at_work))).await;
        if function.is_busy(&instance) {
            instance.kill();
            *lock(&deeds.kills).entry(name).or_default() += 1;
            left -= 1;
            if left == 0 {
                println!("   {name}: all {kills} kills");
            }
        }
    }
}

/// Waits until nothing moves any more, and puts back what was parked, as an operator does: how often each reason was given.
async fn settle_and_put_back(world: &World) -> BTreeMap<String, usize> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        settle(world).await;
        let mut letters = Vec::new();
        for queue in Queue::ALL {
            let urls = &world.resources.queues.get(&queue).map(|urls| urls.dead_letters.clone()).unwrap_or_default();
            for _ in 0..world.aws.depth(urls).await.unwrap_or_default() {
                letters.push((queue, world.takes_dead_letter(queue).await));
            }
        }
        if letters.is_empty() {
            return reasons;
        }
        for (queue, letter) in letters {
            *reasons.entry(format!("{}: {}", queue.name(), letter.reason)).or_default() += 1;
            world.puts_back(queue, &letter).await;
        }
    }
}

async fn check(world: &World, report: &mut Report, incidents: usize, deeds: &Deeds) {
    let taken = taken(world).await;
    let items = world.scan().await;
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kept: BTreeMap<String, &Value> = items
        .iter()
        .filter(|item| text(item, "sk") == "incident")
        .filter_map(|item| Some((item.pointer("/data/key")?.as_str()?.to_owned(), item.get("data")?)))
        .collect();
    let mut entries: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for item in items.iter().filter(|item| text(item, "sk").starts_with("timeline#")) {
        let incident = text(item, "pk").rsplit('#').next().unwrap_or_default().to_owned();
        entries.entry(incident).or_default().extend(item.get("data"));
    }
    let messages = world.slack.messages().await;
    let is_card = |message: &&tests::slack::Message| message.is_ours() && message.only_for().is_none() && message.thread().is_none();
    let (mut lost, mut twice, mut wanted) = (Vec::new(), 0, 0);
    for number in 0..incidents {
        let key = key(number);
        let Some(id) = kept.get(&key).map(|data| text(data, "id")) else {
            lost.push(format!("{key}: no incident"));
            continue;
        };
        let card = messages.iter().filter(is_card).find(|message| message.incident().as_deref() == Some(&id));
        if !card.is_some_and(|card| card.reads().contains("*Resolved*")) {
            lost.push(format!(
                "{key}: the card of {id} {}",
                card.map_or("is missing".to_owned(), |card| format!("does not show its end: {}", card.reads().replace('\n', " ")))
            ));
        }
        wanted += 1;
        let own = entries.get(&id).cloned().unwrap_or_default();
        for kind in ["triggered", "acknowledged", "resolved"] {
            let there = own.iter().filter(|entry| tests::card::is_what(entry, kind)).count();
            twice += there.saturating_sub(1);
            if there == 0 {
                lost.push(format!("{key}: {id} was never {kind}"));
            }
        }
        for entry in own.iter().filter(|entry| entry.get("fate").and_then(Value::as_str) == Some("done")) {
            let intent = text(entry, "intent");
            wanted += 1;
            if !taken.keys().any(|post| post.contains(&id) && post.ends_with(&intent)) {
                lost.push(format!("{key}: nobody was told under the card of {id} about {}", entry.get("what").unwrap_or(&Value::Null)));
            }
        }
    }
    let said: Vec<String> =
        entries.values().flatten().filter_map(|entry| entry.pointer("/what/noted/text")?.as_str().map(str::to_owned)).collect();
    let titles: Vec<String> =
        items.iter().filter_map(|item| item.pointer("/data/facts/title/value")?.as_str().map(str::to_owned)).collect();
    let (notes, created) = (lock(&deeds.notes).clone(), lock(&deeds.created).clone());
    for &number in &created {
        let there = titles.iter().filter(|title| **title == late(number)).count();
        twice += there.saturating_sub(1);
        if there == 0 {
            lost.push(late(number));
        }
        let is_shown = messages.iter().filter(is_card).any(|card| card.reads().contains(&late(number)));
        if !is_shown {
            lost.push(format!("the card of {}", late(number)));
        }
    }
    for &number in &notes {
        let there = said.iter().filter(|text| text.contains(&format!("note {number:05}."))).count();
        twice += there.saturating_sub(1);
        if there == 0 {
            lost.push(format!("note {number}"));
        }
    }
    let told: Vec<String> =
        world.events().await.iter().filter_map(|event| event.pointer("/detail/entry/id")?.as_str().map(str::to_owned)).collect();
    for entry in entries.values().flatten().filter(|entry| !told.contains(&text(entry, "intent"))) {
        lost.push(format!("nobody outside was told of {}", text(entry, "intent")));
    }
    report.row("entries, each told outside", entries.values().flatten().count());
    report.row("told outside again, under the same id", told.len() - told.iter().collect::<std::collections::BTreeSet<_>>().len());
    report.row("incidents, over ten channels", incidents);
    report.row("notes by command and by mention meanwhile", notes.len());
    report.row("incidents by the form and by a source meanwhile", created.len());
    report.row("messages wanted", wanted);
    report.row("messages in Slack", taken.values().map(Vec::len).sum::<usize>());
    report.must("lost", lost.len(), 0);
    report.must("there twice in Slack", duplicates(&taken), 0);
    report.must("there twice in the timeline", twice, 0);
    for lost in lost {
        report.problem(format!("lost {lost}"));
    }
}
