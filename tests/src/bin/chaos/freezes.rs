//! A poster is frozen (SIGSTOP) while it posts, a successor takes over once the lease is past, and then the frozen one goes on (SIGCONT): what it still writes must change nothing.
//!
//! Every other round it is frozen while it writes down what it posted, and DynamoDB hears of that only after the successor; in the others at any moment from its mark on.
//!
//! Scaled: a call to Slack may take 1 s (8 s), so that the lease is 3 s (10 s), and a message that a poster holds is handed out again after 4 s (6 minutes). Slack takes 300 ms to answer, so
//! that there is something to freeze in. Several worlds at once.
//!
//! What can be there twice in spite of all: a poster that was frozen after it had looked at the clock and before its request left. No look-up of the successor's can
//! see a request that has not been made yet. The window is some microseconds long, and on Lambda nothing freezes a function in the middle of an invocation.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tests::ministack::Queue;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channel, channels, create, duplicates, finish, outcomes, settle, taken};

const WORLDS: usize = 4;

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
    report.must("lost", sum(|tally| tally.lost), 0);
    report.row("messages there twice", sum(|tally| tally.twice));
    report.row("found by the successor's look-up", sum(|tally| tally.found));
    report.row("late results that were not written", sum(|tally| tally.overtaken));
    report.must("late writes that changed something", sum(|tally| tally.regressed), 0);
    report
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
    channels(&world, 4, "thread = false\n[storm]\nabove = 0").await;
    world.slack.tell("rates", &json!({ "off": true })).await;
    world.slack.fault(&json!({ "kind": "slow", "method": "chat.postMessage", "delay_ms": 300 })).await;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut tally = Tally { rounds, ..Tally::default() };
    for round in 0..rounds {
        let title = format!("freeze {round:03}");
        let counter = world.dispatcher().counter("poster");
        let mark = counter.next("SET attempt = :attempt");
        let mut writes = (round % 2 == 1).then(|| counter.hold(WRITES_DOWN));
        world.drops(&create(&format!("freeze-{round}"), &title, round % 4, jiff::Timestamp::now())).await;
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
    tally.lost = rounds - taken.len();
    tally.twice = duplicates(&taken);
    tally.found = outcomes(&world, "found");
    tally.overtaken = outcomes(&world, "overtaken");
    for round in 0..rounds {
        let cards = world.cards(&channel(round % 4), &format!("freeze {round:03}")).await;
        tally.lost += usize::from(cards.is_empty());
    }
    finish(world, "freezes").await;
    tally
}
