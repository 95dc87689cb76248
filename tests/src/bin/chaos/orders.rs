//! Ten thousand incidents, each told by several events, all shuffled, some twice and some late: each ends as it has to, with one card that never goes back in time.
//!
//! Scaled: Slack's rates are off, and the posters update as many cards as they can; fifty channels.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::inputs::own;
use tests::ministack::Queue;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channels, drop_all, duplicates, finish, settle, taken};

const CHANNELS: usize = 50;

/// How an incident has to end, by what happened to it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Triggered,
    Acknowledged,
    Resolved,
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

pub(crate) async fn run(options: &Options) -> Report {
    let incidents = options.scaled(10_000);
    let setup = Setup {
        instances: 8,
        updates_per_minute: 6_000,
        patience: Duration::from_hours(1),
        timeout: Duration::from_mins(1),
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 120)).collect(),
        counted: false,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    channels(&world, CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    world.slack.tell("rates", &json!({ "off": true })).await;
    let (events, ends) = events(incidents, options.seed);
    let began = Instant::now();
    drop_all(&world, &events).await;
    println!("   {} events dropped after {} s", events.len(), began.elapsed().as_secs());
    settle(&world).await;
    let mut report = Report::default();
    report.row("incidents", incidents);
    report.row("events, shuffled, a quarter of them twice", events.len());
    report.row("settled after, s", began.elapsed().as_secs());
    check(&world, &mut report, &ends).await;
    finish(world, "orders").await;
    report
}

/// What happens to the incident of this number, its beginning first; and how it ends.
pub(crate) fn story(number: usize, channels: usize, start: Timestamp) -> (Vec<Value>, End) {
    let key = format!("order-{number:05}");
    let at = |minute: i64| start + SignedDuration::from_mins(minute);
    let title = format!("order {number:05}");
    let end = [End::Triggered, End::Acknowledged, End::Resolved][number % 3];
    let mut events = vec![
        own("create", &key, at(0), &json!({ "title": title, "service": format!("service-{}", number % channels) })),
        own("update", &key, at(5), &json!({ "title": format!("{title} seen") })),
    ];
    if end != End::Triggered {
        events.push(own("acknowledge", &key, at(10), &json!({})));
    }
    if end == End::Resolved {
        events.push(own("resolve", &key, at(20), &json!({})));
    }
    (events, end)
}

/// What happens to each incident, in an order that has nothing to do with when it happened; and how each ends.
fn events(incidents: usize, seed: u64) -> (Vec<Value>, Vec<End>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let start = Timestamp::now() - SignedDuration::from_hours(2);
    let mut events = Vec::new();
    let mut ends = Vec::new();
    for number in 0..incidents {
        let (own_events, end) = story(number, CHANNELS, start);
        ends.push(end);
        for event in own_events {
            if random.u8(0..4) == 0 {
                events.push(event.clone());
            }
            events.push(event);
        }
    }
    random.shuffle(&mut events);
    (events, ends)
}

/// Whether each incident, by its number, has one card, and that shows how it ended.
pub(crate) async fn check(world: &World, report: &mut Report, ends: &[End]) {
    let taken = taken(world).await;
    let messages = world.slack.messages().await;
    let mut cards: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for card in messages.iter().filter(|message| message.is_ours() && message.thread().is_none()) {
        let reads = card.reads();
        let key = reads.split("order ").nth(1).and_then(|rest| rest.get(..5)).unwrap_or_default().to_owned();
        cards.entry(key).or_default().push(reads);
    }
    let (mut wrong, mut several, mut missing) = (0, 0, 0);
    for (number, end) in ends.iter().enumerate() {
        match cards.get(&format!("{number:05}")).map(Vec::as_slice) {
            None | Some([]) => missing += 1,
            Some([card]) => wrong += usize::from(!card.contains(end.word()) || !card.contains(" seen")),
            Some(_) => several += 1,
        }
    }
    report.must("incidents without a card", missing, 0);
    report.must("incidents with several cards", several, 0);
    report.must("cards that do not show the end", wrong, 0);
    report.must("messages there twice", duplicates(&taken), 0);
    report.must("cards that went back in time", went_back(world).await, 0);
}

/// How often a card was painted with an older state over a newer one, in the order in which Slack took it.
async fn went_back(world: &World) -> usize {
    let rank = |text: &str| ["triggered", "acknowledged", "resolved"].iter().position(|state| text.contains(state)).unwrap_or_default();
    let mut painted: Vec<(u64, String, usize)> = Vec::new();
    for method in ["chat.postMessage", "chat.update"] {
        for call in world.slack.calls(&format!("{method}&fields=id,arguments")).await {
            // A reply stands below a card and is none.
            if call.pointer("/arguments/thread_ts").is_some_and(|thread| !thread.is_null()) {
                continue;
            }
            let text = call.pointer("/arguments/text").and_then(Value::as_str).unwrap_or_default();
            let key = text.split("order ").nth(1).and_then(|rest| rest.get(..5)).unwrap_or_default().to_owned();
            painted.push((call.get("id").and_then(Value::as_u64).unwrap_or_default(), key, rank(text)));
        }
    }
    painted.sort();
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    painted.into_iter().filter(|(_, key, rank)| shown.insert(key.clone(), *rank).is_some_and(|before| before > *rank)).count()
}
