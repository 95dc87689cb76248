//! Storms: five thousand alarms under one key are one message that counts; five thousand under keys of their own are one digest with exact counts.
//!
//! Scaled: `chat.update` may be called 600 times a minute (50).

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tests::ministack::Queue;
use tests::slack::Message;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channel, channels, create, drop_all, duplicates, finish, settle, taken};

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::default();
    one_key(options, &mut report).await;
    many_keys(options, &mut report).await;
    report
}

async fn world() -> World {
    let setup = Setup {
        instances: 6,
        updates_per_minute: 600,
        patience: Duration::from_mins(30),
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 60)).collect(),
        counted: false,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    channels(&world, 1, "thread = false").await;
    world.slack.tell("rates", &json!({ "methods": { "chat.update": 600 } })).await;
    world
}

async fn one_key(options: &Options, report: &mut Report) {
    let alarms = options.scaled(5_000);
    let world = world().await;
    let start = Timestamp::now();
    let messages: Vec<_> = (0..alarms)
        .map(|number| create("one-key", "one key", 0, start + jiff::SignedDuration::from_millis(i64::try_from(number).unwrap_or_default())))
        .collect();
    let began = Instant::now();
    drop_all(&world, &messages).await;
    report.row("one key: alarms", alarms);
    report.row("one key: dropped within, s", began.elapsed().as_secs());
    settle(&world).await;
    let cards = world.cards(&channel(0), "one key").await;
    report.must("one key: messages in the channel", cards.len(), 1);
    let shown = cards.first().map(Message::reads).unwrap_or_default();
    report.must("one key: the card counts them all", shown.contains(&format!("{alarms} times")), true);
    report.row("one key: updates", world.slack.calls("chat.update&fields=id").await.len());
    report.row("one key: settled after, s", began.elapsed().as_secs());
    finish(world, "storms").await;
}

async fn many_keys(options: &Options, report: &mut Report) {
    let alarms = options.scaled(5_000);
    let world = world().await;
    let now = Timestamp::now();
    let messages: Vec<_> = (0..alarms).map(|number| create(&format!("key-{number}"), &format!("storm {number:05}"), 0, now)).collect();
    let began = Instant::now();
    drop_all(&world, &messages).await;
    report.row("own keys: alarms", alarms);
    report.row("own keys: dropped within, s", began.elapsed().as_secs());
    settle(&world).await;
    report.row("own keys: settled after, s", began.elapsed().as_secs());
    let taken = taken(&world).await;
    let messages = world.slack.messages().await;
    let single = taken.keys().filter(|post| post.contains("due#card#")).count();
    let is_digest = |message: &&Message| message.reads().contains("in this thread");
    let mut places = vec![0_usize; alarms];
    for message in messages.iter().filter(|message| message.is_ours() && !is_digest(message)) {
        let reads = message.reads();
        // A card says its title in its notification too, so what counts is the line with the id.
        for line in reads.split("storm ").skip(1).filter(|line| line.contains("INC-") || message.thread().is_none()) {
            let number: Option<usize> = line.get(..5).and_then(|digits| digits.parse().ok());
            if let Some(place) = number.and_then(|number| places.get_mut(number)) {
                *place |= 1;
            }
        }
    }
    let pages = messages.iter().filter(|message| message.thread().is_some()).count();
    let digests: Vec<_> = messages.iter().filter(is_digest).collect();
    report.must("own keys: digests", digests.len(), 1);
    report.row("own keys: cards of their own before it", single);
    report.row("own keys: replies under the digest", pages);
    report.must("own keys: lost", places.iter().filter(|place| **place == 0).count(), 0);
    report.must("own keys: there twice", duplicates(&taken), 0);
    let counts = digests.first().map(|digest| digest.reads()).unwrap_or_default();
    let (_, exact) = counts.split_once("·  ").unwrap_or_default();
    let told: usize = exact.split(" triggered").next().unwrap_or_default().replace(',', "").trim().parse().unwrap_or_default();
    report.must("own keys: the digest counts", told, alarms - single);
    finish(world, "storms").await;
}
