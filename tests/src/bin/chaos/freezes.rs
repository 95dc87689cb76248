//! A poster is frozen (SIGSTOP) while it posts, a successor takes over once the lease is past, and then the frozen one goes on (SIGCONT): what it still writes must change nothing.
//!
//! Every other round it is frozen while it writes down what it posted, and DynamoDB hears of that only after the successor; in the others at any moment from its mark on. Half of the
//! rounds are new cards, half are acknowledgements of these, so updates.
//!
//! Scaled: a call to Slack may take 1 s (8 s), so that the lease is 3 s (10 s), and a message that a poster holds is handed out again after 4 s (6 minutes). Slack takes 300 ms to answer, so
//! that there is something to freeze in. Several worlds at once.
//!
//! What can be there twice in spite of all: a poster that was frozen after it had looked at the clock and before its request left. No look-up of the successor's can
//! see a request that has not been made yet. The window is some microseconds long, and on Lambda nothing freezes a function in the middle of an invocation.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tests::inputs::own;
use tests::ministack::Queue;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channel, channels, create, duplicates, finish, outcomes, settle, taken};

const WORLDS: usize = 4;

const CHANNELS: usize = 4;

/// What the write contains by which a poster says where its message is.
const WRITES_DOWN: &str = "SET slack_channel = :channel, ts = :ts, shown = :shown";

/// What one world came to.
#[derive(Debug, Default)]
struct Tally {
    rounds: usize,
    frozen: usize,
    held: usize,
    lost: usize,
    twice: usize,
    found: usize,
    overtaken: usize,
    regressed: usize,
}

pub(crate) async fn run(options: &Options) -> Report {
    let each = options.scaled(100).div_ceil(WORLDS);
    let tallies = join_all((0..WORLDS).map(|number| one(each, options.seed + u64::try_from(number).unwrap_or_default()))).await;
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let mut report = Report::default();
    report.row("rounds", sum(|tally| tally.rounds));
    report.row("posters frozen past their lease", sum(|tally| tally.frozen));
    report.row("  of these with their result on its way to DynamoDB", sum(|tally| tally.held));
    report.must("cards lost, or not up to date", sum(|tally| tally.lost), 0);
    report.row("messages there twice", sum(|tally| tally.twice));
    report.row("found by the successor's look-up", sum(|tally| tally.found));
    report.row("late results that were not written", sum(|tally| tally.overtaken));
    report.must("late writes that changed something", sum(|tally| tally.regressed), 0);
    report
}

/// Two new cards, then the acknowledgement of each.
fn is_new(round: usize) -> bool {
    round % 4 < 2
}

fn key(round: usize) -> String {
    format!("freeze-{round}")
}

fn title(round: usize) -> String {
    format!("freeze {round:03}")
}

async fn one(rounds: usize, seed: u64) -> Tally {
    let setup = Setup {
        instances: 3,
        slack_timeout: 1,
        patience: Duration::from_mins(3),
        timeout: Duration::from_secs(30),
        visibility: [(Queue::Incidents, 8), (Queue::Intents, 8), (Queue::Posts, 4)].into(),
        ..Setup::default()
    };
    let world = World::with(setup).await;
    channels(&world, CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    world.slack.tell("rates", &json!({ "off": true })).await;
    for method in ["chat.postMessage", "chat.update"] {
        world.slack.fault(&json!({ "kind": "slow", "method": method, "delay_ms": 300 })).await;
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut tally = Tally { rounds, ..Tally::default() };
    for round in 0..rounds {
        let counter = world.dispatcher().counter("poster");
        let mark = counter.next("SET attempt = :attempt");
        let mut writes = (round % 2 == 1).then(|| counter.hold(WRITES_DOWN));
        let now = jiff::Timestamp::now();
        if is_new(round) {
            world.drops(&create(&key(round), &title(round), round % CHANNELS, now)).await;
        } else {
            world.drops(&own("acknowledge", &key(round - 2), now, &json!({}))).await;
        }
        if let Some(held) = &mut writes {
            held.came().await;
        } else {
            mark.await;
            // A random moment of the turn: this is what is tried, and nothing is waited for.
            tokio::time::sleep(Duration::from_micros(random.u64(0..450_000))).await;
        }
        let frozen = world.dispatcher().function("poster").busy_instances();
        for instance in &frozen {
            instance.freeze();
        }
        tally.frozen += frozen.len();
        // Whoever takes over has posted, or found it posted, and written that down; or nobody has to, because the frozen one was done.
        world
            .until("somebody takes over", async || world.unposted().await.is_empty().then_some(()).ok_or_else(|| "not yet".to_owned()))
            .await;
        let before = world.whereabouts().await;
        tally.held += usize::from(writes.is_some());
        if let Some(held) = writes {
            held.let_go();
        }
        for instance in &frozen {
            instance.thaw();
        }
        world.settled().await;
        tally.regressed += usize::from(world.whereabouts().await != before);
    }
    settle(&world).await;
    let taken = taken(&world).await;
    let wanted: Vec<_> = (0..rounds).filter(|round| is_new(*round)).collect();
    tally.lost = wanted.len() - taken.len();
    tally.twice = duplicates(&taken);
    tally.found = outcomes(&world, "found");
    tally.overtaken = outcomes(&world, "overtaken");
    for round in wanted {
        let cards = world.cards(&channel(round % CHANNELS), &title(round)).await;
        let shows = if round + 2 < rounds { "*Acknowledged*" } else { "*Triggered*" };
        tally.lost += usize::from(!cards.iter().any(|card| card.reads().contains(shows)));
    }
    finish(world, "freezes").await;
    tally
}
