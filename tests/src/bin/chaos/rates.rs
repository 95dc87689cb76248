//! Ten thousand incidents over fifty channels of five workspaces while Slack answers three calls of ten with 429: nothing is lost, nobody calls before `Retry-After`, no channel
//! gets more than a message a second, and it is over in little more than the least time that this takes.
//!
//! Not scaled: a message a second and channel. The threads are off, so that an incident is one message.
//!
//! The least time: an installation's calls all wait after a 429 (nobody knows whose limit it was), so in a second each channel gets at most one message through with probability 0.7.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::ministack::Queue;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channels, create, drop_all, duplicates, settle, taken};

const CHANNELS: usize = 50;
const REFUSED: f64 = 0.3;

pub(crate) async fn run(options: &Options) -> Report {
    let incidents = options.scaled(10_000);
    let setup = Setup {
        instances: 8,
        patience: Duration::from_mins(40),
        timeout: Duration::from_mins(1),
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 120)).collect(),
        counted: false,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    channels(&world, CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    world.slack.tell("rates", &json!({ "workspace_per_minute": 100_000, "methods": { "chat.postMessage": 100_000 } })).await;
    world
        .slack
        .fault(&json!({ "kind": "rate_limited", "method": "chat.postMessage", "probability": REFUSED, "retry_after": 1, "seed": options.seed }))
        .await;
    let now = jiff::Timestamp::now();
    let messages: Vec<_> =
        (0..incidents).map(|number| create(&format!("rate-{number}"), &format!("rate {number:05}"), number % CHANNELS, now)).collect();
    let began = Instant::now();
    drop_all(&world, &messages).await;
    println!("   dropped after {} s", began.elapsed().as_secs());
    settle(&world).await;
    let took = began.elapsed().as_secs_f64();
    let mut report = Report::default();
    count(&world, &mut report, incidents, took).await;
    world.finish_unsettled().await;
    report
}

async fn count(world: &World, report: &mut Report, incidents: usize, took: f64) {
    let taken = taken(world).await;
    let calls = world.slack.calls("chat.postMessage&fields=id,at,http_status,early_after,arguments").await;
    let refused = calls.iter().filter(|call| call.get("http_status") == Some(&json!(429))).count();
    let number = |call: &Value, name: &str| call.get(name).and_then(Value::as_i64);
    let in_channel = |call: &Value| call.pointer("/arguments/channel").and_then(Value::as_str).unwrap_or_default().to_owned();
    let known: BTreeMap<i64, (String, i64)> =
        calls.iter().filter_map(|call| Some((number(call, "id")?, (in_channel(call), number(call, "at")?)))).collect();
    // By the channel that got the 429 itself, which knows; and by others, which may have been on their way, with how long after it they came.
    let (mut knowing, mut on_their_way) = (0, Vec::new());
    for call in &calls {
        if let Some((channel, at)) = number(call, "early_after").and_then(|id| known.get(&id)) {
            let after = number(call, "at").unwrap_or_default() - at;
            if *channel == in_channel(call) { knowing += 1 } else { on_their_way.push(after) }
        }
    }
    on_their_way.sort_unstable();
    let mut by_channel: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.get("http_status") == Some(&json!(200))) {
        let channel = call.pointer("/arguments/channel").and_then(Value::as_str).unwrap_or_default();
        by_channel.entry(channel).or_default().push(call.get("at").and_then(Value::as_i64).unwrap_or_default());
    }
    let closest = by_channel.values().flat_map(|times| times.windows(2).map(|two| two[1] - two[0])).min().unwrap_or_default();
    let most = by_channel.values().map(Vec::len).max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let least = most as f64 / (1.0 - REFUSED);
    report.row("incidents", incidents);
    report.row("calls answered with 429", refused);
    report.must("lost", incidents - taken.len(), 0);
    report.must("there twice", duplicates(&taken), 0);
    report.must("calls before Retry-After in the channel that was told to wait", knowing, 0);
    report.row("calls of other channels on their way when one was told", on_their_way.len());
    report.row("  they came after it, ms: median", on_their_way.get(on_their_way.len() / 2).copied().unwrap_or_default());
    report.row("  they came after it, ms: at most", on_their_way.last().copied().unwrap_or_default());
    report.row("closest two messages of a channel, ms", closest);
    if closest < 1_000 {
        report.problem(format!("two messages of a channel were {closest} ms apart"));
    }
    report.row("least time, s", format!("{least:.0}"));
    report.row("took, s", format!("{took:.0}"));
    report.row("ratio", format!("{:.2}", took / least));
    if took > 1.2 * least {
        report.problem("it took more than 1.2 × the least time");
    }
}
