//! Slack takes a message and the connection breaks before it answers, a thousand times: nothing is lost; what is there twice depends on whether a message may be looked up.
//!
//! Scaled: a call to Slack may take 1 s (8 s), so that an attempt's lease is 3 s (10 s); `conversations.history` and `chat.update` may be called as often
//! as it takes: what a look-up has found is painted anew.

use std::time::Duration;

use serde_json::json;
use tests::ministack::Queue;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channels, create, drop_at_once, duplicates, finish, outcomes, settle, taken};

const CHANNELS: usize = 50;

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::default();
    one(options, &mut report, "looked up", "again", true).await;
    one(options, &mut report, "no scope, post again", "again", false).await;
    one(options, &mut report, "no scope, park", "park", false).await;
    report
}

async fn one(options: &Options, report: &mut Report, name: &str, uncertain: &'static str, may_look: bool) {
    let resets = options.scaled(1_000);
    let setup = Setup {
        instances: 6,
        posters: Some(CHANNELS),
        slack_timeout: 1,
        uncertain,
        updates_per_minute: 100_000,
        patience: Duration::from_mins(20),
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 30)).collect(),
        counted: false,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    channels(&world, CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    world
        .slack
        .tell(
            "rates",
            &json!({ "workspace_per_minute": 100_000, "default_per_minute": 100_000, "methods": { "chat.postMessage": 100_000, "chat.update": 100_000, "conversations.history": 100_000 } }),
        )
        .await;
    if !may_look {
        world.slack.tell("token", &json!({ "scopes": ["chat:write", "users:read"] })).await;
    }
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": resets, "probability": 0.5, "seed": options.seed })).await;
    let incidents = 2 * resets;
    let now = jiff::Timestamp::now();
    let messages: Vec<_> =
        (0..incidents).map(|number| create(&format!("reset-{number}"), &format!("reset {number:04}"), number % CHANNELS, now)).collect();
    drop_at_once(&world, &messages, CHANNELS).await;
    settle(&world).await;
    let taken = taken(&world).await;
    let twice = duplicates(&taken);
    let hits = world.slack.hits().await;
    report.row(format!("{name}: messages wanted"), incidents);
    report.row(format!("{name}: connections reset after Slack took it"), hits);
    report.must(format!("{name}: lost"), incidents - taken.len(), 0);
    let parked = outcomes(&world, "parked");
    match (may_look, uncertain) {
        (true, _) => {
            report.must(format!("{name}: there twice"), twice, 0);
            report.must(format!("{name}: found by look-up"), outcomes(&world, "found"), hits);
        }
        (false, "park") => {
            report.must(format!("{name}: there twice"), twice, 0);
            report.must(format!("{name}: parked with their reason"), parked, hits);
        }
        (false, _) => report.must(format!("{name}: there twice (as stated: at least once)"), twice, hits),
    }
    finish(world, "resets").await;
}
