//! Ten thousand incidents over fifty channels of five workspaces, each of which Slack allows three hundred messages a minute, while it answers three calls of ten with 429 for no reason: nothing
//! is lost, nobody calls before `Retry-After`, no channel gets more than a message a second, and it is over in little more than the least time that this takes.
//!
//! Not scaled. The threads are off, so that an incident is one message. All but the last fifty are due before the first is posted; from then on time counts, until everything has settled. The local
//! SQS needs a second for each receive among ten thousand messages of locked groups, so the wakes of those that are due already are thrown away; the last fifty wake their channels, and a wake
//! says no more than that something is due.
//!
//! The least time: a workspace's calls all wait after a 429 (nobody knows whose limit it was), so in a second each of its channels gets at most one message through, with probability 0.7;
//! and beyond the first minute's, its messages come at the workspace's rate.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::inputs::own;
use tests::ministack::Queue;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channels_of, drop_at_once, duplicates, finish, settle, taken};

const WORKSPACES: usize = 5;
const CHANNELS: usize = 10;
const REFUSED: f64 = 0.3;
const A_MINUTE: u32 = 300;

/// For how long after a 429 a call of another channel may still come: it was on its way, which is the second that a call may begin after its mark. In milliseconds.
const ON_THE_WAY: i64 = 1_000;

pub(crate) async fn run(options: &Options) -> Report {
    let incidents = options.scaled(10_000);
    let setup = Setup {
        instances: 8,
        // As Lambda does: as many copies as there are groups of messages.
        posters: Some(WORKSPACES * CHANNELS),
        patience: Duration::from_mins(40),
        timeout: Duration::from_mins(1),
        by_link: true,
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 120)).collect(),
        counted: false,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    for number in 0..WORKSPACES {
        let id = workspace(number);
        world.slack.tell("teams", &json!({ "id": id, "name": id.to_lowercase() })).await;
        Browser::new(&world).installs(&id).await;
        channels_of(&world, &id, number * CHANNELS..(number + 1) * CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    }
    world.slack.tell("rates", &json!({ "workspace_per_minute": A_MINUTE, "methods": { "chat.postMessage": 100_000 } })).await;
    world
        .slack
        .fault(&json!({ "kind": "rate_limited", "method": "chat.postMessage", "probability": REFUSED, "retry_after": 1, "seed": options.seed }))
        .await;
    let now = jiff::Timestamp::now();
    let messages: Vec<_> = (0..incidents)
        .map(|number| {
            let channel = number % (WORKSPACES * CHANNELS);
            let fields = json!({ "title": format!("rate {number:05}"), "service": format!("service-{channel}"), "workspace": workspace(channel / CHANNELS) });
            own("create", &format!("rate-{number}"), now, &fields)
        })
        .collect();
    let dropped = Instant::now();
    let began = drop_at_once(&world, &messages, WORKSPACES * CHANNELS).await;
    println!("   due after {} s", began.duration_since(dropped).as_secs());
    settle(&world).await;

    let took = began.elapsed().as_secs_f64();
    let mut report = Report::default();
    count(&world, &mut report, incidents, took).await;
    finish(world, "rates").await;
    report
}

fn workspace(number: usize) -> String {
    format!("T0RATES{number}")
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
    let least = least_seconds(incidents);
    report.row("incidents, over 50 channels of 5 workspaces", incidents);
    report.row("calls answered with 429", refused);
    report.must("lost", incidents - taken.len(), 0);
    report.must("there twice", duplicates(&taken), 0);
    report.must("calls before Retry-After in the channel that was told to wait", knowing, 0);
    report.row("calls of other channels on their way when one was told", on_their_way.len());
    report.row("  they came after it, ms: median", on_their_way.get(on_their_way.len() / 2).copied().unwrap_or_default());
    report.row("  they came after it, ms: at most", on_their_way.last().copied().unwrap_or_default());
    if on_their_way.last().is_some_and(|after| *after > ON_THE_WAY) {
        report.problem(format!("another channel called more than {ON_THE_WAY} ms after a 429"));
    }
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

/// In how many seconds it could be over.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn least_seconds(incidents: usize) -> f64 {
    let (each, a_minute) = ((incidents / WORKSPACES) as f64, f64::from(A_MINUTE));
    let by_channels = each / (CHANNELS as f64 * (1.0 - REFUSED));
    let by_the_minute = (each / a_minute).ceil() - 1.0;
    // What the last minute holds comes as fast as the channels take it.
    let last = (each - by_the_minute * a_minute) / (CHANNELS as f64 * (1.0 - REFUSED));
    by_channels.max(60.0 * by_the_minute + last)
}
