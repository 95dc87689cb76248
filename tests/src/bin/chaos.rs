//! `worker` and `poster` are killed at random moments while incidents pass: what is lost, and what is there twice?
//!
//! `cargo run -p tests --bin chaos` takes some minutes. What is scaled, so that it does not take an hour: the queues hand out again after 6 s what died
//! (template.yaml: 3 and 6 minutes), the incidents go to several channels (each takes one message a second), and Slack takes 600 `chat.update` a minute.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::inputs::own;
use tests::ministack::Queue;
use tests::world::{Setup, World};

/// What is done, and how often.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// Incidents that pass: each is created, acknowledged and resolved. As long as kills are due after that, notes are added.
    #[arg(long, default_value_t = 200)]
    incidents: usize,
    /// Kills of the worker, and as many of the poster.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Channels that they go to.
    #[arg(long, default_value_t = 10)]
    channels: usize,
    /// Decides the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// When each function was killed.
#[derive(Debug, Default)]
struct Kills {
    worker: Mutex<Vec<i64>>,
    poster: Mutex<Vec<i64>>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let options = Options::parse();
    let started = Instant::now();
    let setup = Setup {
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 6)).collect(),
        instances: 4,
        timeout: Duration::from_secs(5),
        patience: Duration::from_mins(15),
        ..Setup::default()
    };
    let world = World::with(setup).await;
    prepare(&world, &options).await;
    let kills = Kills::default();
    let over = AtomicBool::new(false);
    let killed = AtomicU32::new(0);
    let notes = AtomicU32::new(0);
    let load = async {
        drop_everything(&world, &options, &killed).await;
        add_notes(&world, &options, &killed, &notes).await;
        over.store(true, Ordering::SeqCst);
    };
    let worker = kill_often(&world, "worker", &kills.worker, &options, &over, &killed);
    let poster = kill_often(&world, "poster", &kills.poster, &options, &over, &killed);
    tokio::join!(load, worker, poster);
    println!("the killing is over after {} s; everything settles", started.elapsed().as_secs());
    let parked = settle(&world).await;
    let verdict = Verdict::of(&world, &options, notes.load(Ordering::SeqCst)).await;
    let good = verdict.print(&world, &options, &kills, &parked, started);
    world.finish_unsettled().await;
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn channel(number: usize) -> String {
    format!("C0CHAOS{number:02}")
}

fn key(incident: usize) -> String {
    format!("chaos-{incident:04}")
}

/// Channels, the rules that lead there, and rates.
async fn prepare(world: &World, options: &Options) {
    let mut settings = String::from("[routing]\ndefault = { channel = \"#incidents\" }\n");
    for number in 0..options.channels {
        let id = channel(number);
        world.slack.tell("channels", &json!({ "id": id, "name": id.to_lowercase(), "is_member": true })).await;
        let _ = write!(settings, "[[routing.rules]]\nmatch = {{ service = \"service-{number}\" }}\nto = [{{ channel = \"{id}\" }}]\n");
    }
    world.configures(&settings).await;
    world.slack.tell("rates", &json!({ "methods": { "chat.update": 600 } })).await;
}

/// Creates, acknowledges and resolves, each for all incidents in an order of its own.
async fn drop_everything(world: &World, options: &Options, killed: &AtomicU32) {
    let mut random = fastrand::Rng::with_seed(options.seed);
    let start = Timestamp::now() - SignedDuration::from_mins(10);
    for (step, kind) in ["create", "acknowledge", "resolve"].into_iter().enumerate() {
        let mut order: Vec<usize> = (0..options.incidents).collect();
        random.shuffle(&mut order);
        for (number, incident) in order.into_iter().enumerate() {
            let title = format!("chaos incident {incident:04}");
            let fields = match kind {
                "create" => json!({ "title": title, "service": format!("service-{}", incident % options.channels.max(1)) }),
                _ => json!({}),
            };
            let at = start + SignedDuration::from_secs(i64::try_from(step * 60).unwrap_or_default());
            world.drops(&own(kind, &key(incident), at, &fields)).await;
            if number % 10 == 9 {
                tokio::time::sleep(Duration::from_millis(random.u64(300..1200))).await;
            }
        }
        println!("{kind}: all {} dropped, {} kills so far", options.incidents, killed.load(Ordering::SeqCst));
    }
}

/// Adds notes to incidents at random, as long as there is somebody to kill.
async fn add_notes(world: &World, options: &Options, killed: &AtomicU32, notes: &AtomicU32) {
    let mut random = fastrand::Rng::with_seed(options.seed ^ 0xff);
    while killed.load(Ordering::SeqCst) < 2 * options.kills {
        let incident = random.usize(..options.incidents);
        world.drops(&own("note", &key(incident), Timestamp::now(), &json!({ "note": "still there" }))).await;
        notes.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(random.u64(200..600))).await;
    }
    println!("{} notes added, {} kills", notes.load(Ordering::SeqCst), killed.load(Ordering::SeqCst));
}

/// Kills a copy of a function that is at work, a random while after it began, until it has been done often enough.
async fn kill_often(world: &World, name: &str, when: &Mutex<Vec<i64>>, options: &Options, over: &AtomicBool, killed: &AtomicU32) {
    let mut random = fastrand::Rng::with_seed(options.seed ^ u64::from(name.as_bytes().first().copied().unwrap_or_default()));
    let mut left = options.kills;
    while left > 0 && !over.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(random.u64(200..2200))).await;
        while world.dispatcher().function(name).busy_instance().is_none() && !over.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let Some(instance) = world.dispatcher().function(name).busy_instance() else { continue };
        tokio::time::sleep(Duration::from_millis(random.u64(0..60))).await;
        if world.dispatcher().function(name).is_busy(&instance) {
            instance.kill();
            when.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(Timestamp::now().as_millisecond());
            killed.fetch_add(1, Ordering::SeqCst);
            left -= 1;
        }
    }
}

/// Waits until nothing moves any more, and puts back what was parked, as an operator does: how often each reason was given.
async fn settle(world: &World) -> BTreeMap<String, usize> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        world.settled().await;
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

/// What is there in the end.
#[derive(Debug, Default)]
struct Verdict {
    lost: Vec<String>,
    /// What stands in Slack several times, with when Slack took each.
    twice: BTreeMap<String, Vec<i64>>,
    entries_twice: usize,
    messages: usize,
    expected: usize,
    notes: u32,
}

impl Verdict {
    async fn of(world: &World, options: &Options, notes: u32) -> Self {
        let mut verdict = Self { notes, ..Self::default() };
        let mut remembered = 0;
        let mut posts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for call in world.slack.calls("chat.postMessage").await {
            let post = call.pointer("/arguments/metadata/event_payload/post").and_then(Value::as_str);
            if let (Some(post), Some(true)) = (post, call.get("applied").and_then(Value::as_bool)) {
                posts.entry(post.to_owned()).or_default().push(call.get("at").and_then(Value::as_i64).unwrap_or_default());
                verdict.messages += 1;
            }
        }
        let items = world.scan().await;
        let incidents: BTreeMap<&str, &Value> = items
            .iter()
            .filter(|item| item.get("sk").and_then(Value::as_str) == Some("incident"))
            .filter_map(|item| item.get("data"))
            .filter_map(|data| Some((data.get("key")?.as_str()?, data)))
            .collect();
        let messages = world.slack.messages().await;
        for number in 0..options.incidents {
            let key = key(number);
            let Some(id) = incidents.get(key.as_str()).and_then(|data| data.get("id")?.as_str()) else {
                verdict.lost.push(format!("{key}: no incident"));
                continue;
            };
            let card = messages.iter().find(|message| message.thread().is_none() && message.incident().as_deref() == Some(id));
            let resolved = card.is_some_and(|card| card.reads().contains("*Resolved*"));
            if !resolved {
                verdict.lost.push(format!("{key}: the card of {id} {}", card.map_or("is missing", |_| "does not show its end")));
            }
            verdict.expected += 1;
            if !posts.contains_key(&format!("due#card#{id}")) {
                verdict.lost.push(format!("{key}: no card of {id}"));
            }
            let timeline = world.timeline(id).await;
            for kind in ["triggered", "acknowledged", "resolved"] {
                let entries = timeline.iter().filter(|entry| tests::card::is_what(entry, kind)).count();
                verdict.entries_twice += entries.saturating_sub(1);
                if entries == 0 {
                    verdict.lost.push(format!("{key}: {id} was never {kind}"));
                }
            }
            remembered += timeline.iter().filter(|entry| tests::card::is_what(entry, "noted")).count();
            for entry in timeline.iter().filter(|entry| entry.get("fate").and_then(Value::as_str) == Some("done")) {
                let intent = entry.get("intent").and_then(Value::as_str).unwrap_or_default();
                verdict.expected += 1;
                if !posts.keys().any(|post| post.contains(id) && post.ends_with(intent)) {
                    verdict
                        .lost
                        .push(format!("{key}: nobody was told under the card of {id} about {}", entry.get("what").unwrap_or(&Value::Null)));
                }
            }
        }
        let notes = usize::try_from(notes).unwrap_or_default();
        if remembered < notes {
            verdict.lost.push(format!("{} notes", notes - remembered));
        }
        verdict.entries_twice += remembered.saturating_sub(notes);
        verdict.twice = posts.into_iter().filter(|(_, times)| times.len() > 1).collect();
        verdict
    }

    /// Prints the table; whether it is good.
    fn print(&self, world: &World, options: &Options, kills: &Kills, parked: &BTreeMap<String, usize>, started: Instant) -> bool {
        let lines = world.logs.lines();
        let outcomes = |outcome: &str| lines.iter().filter(|line| line.text.contains(&format!("\"outcome\":\"{outcome}\""))).count();
        let count = |kills: &Mutex<Vec<i64>>| kills.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let (worker, poster) = (count(&kills.worker), count(&kills.poster));
        let starts = |name: &str| world.dispatcher().function(name).starts();
        let invocations = |name: &str| world.dispatcher().function(name).invocations();
        let duplicates: usize = self.twice.values().map(|times| times.len() - 1).sum();
        println!();
        println!("incidents                       {:>6}   over {} channels, seed {}", options.incidents, options.channels, options.seed);
        println!("notes while kills were due      {:>6}", self.notes);
        println!(
            "worker killed (SIGKILL)         {:>6}   of {} invocations, {} starts",
            worker.len(),
            invocations("worker"),
            starts("worker")
        );
        println!(
            "poster killed (SIGKILL)         {:>6}   of {} invocations, {} starts",
            poster.len(),
            invocations("poster"),
            starts("poster")
        );
        println!("messages wanted / in Slack      {:>6} / {}", self.expected, self.messages);
        println!("lost                            {:>6}", self.lost.len());
        println!("duplicates in Slack             {duplicates:>6}");
        println!("duplicates in the timeline      {:>6}", self.entries_twice);
        println!("parked with a reason, put back  {:>6}", parked.values().sum::<usize>());
        println!("found by look-up, not reposted  {:>6}", outcomes("found"));
        println!("overtaken by another poster     {:>6}", outcomes("overtaken"));
        println!("took                            {:>6} s", started.elapsed().as_secs());
        for (reason, count) in parked {
            println!("PARKED {count} times: {reason}");
        }
        for lost in &self.lost {
            println!("LOST {lost}");
        }
        for (post, times) in &self.twice {
            println!("TWICE {post}: {}", explain(times, &poster));
        }
        self.lost.is_empty() && self.twice.is_empty() && self.entries_twice == 0
    }
}

/// Where the kill fell between two posts of the same.
fn explain(times: &[i64], kills: &[i64]) -> String {
    let (Some(first), Some(second)) = (times.first(), times.get(1)) else { return String::new() };
    let kill = kills.iter().find(|kill| (*first..=*second).contains(kill));
    let apart = second - first;
    kill.map_or_else(
        || format!("{apart} ms apart, and no poster was killed between them"),
        |kill| format!("{apart} ms apart; a poster was killed {} ms after Slack took the first", kill - first),
    )
}
