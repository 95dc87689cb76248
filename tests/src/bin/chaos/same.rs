//! The same job delivered to 64 copies of a function at once: one effect, one post.
//!
//! Nothing is scaled; the queues are left out, so that the deliveries really come at once.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::domain::ids::{Channel, IntentId, Workspace};
use shared::queue::{Wake, seal};
use tests::world::{Setup, WORKSPACE, World};

use crate::Options;
use crate::common::{Report, channel, channels, create, duplicates, finish, settle, taken};

const COPIES: usize = 64;
const CHANNELS: usize = 50;

pub(crate) async fn run(options: &Options) -> Report {
    let rounds = options.scaled(500);
    let setup = Setup { instances: COPIES, patience: Duration::from_mins(10), counted: false, ..Setup::default() };
    let world = World::with(setup).await;
    channels(&world, CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    world.slack.tell("rates", &json!({ "workspace_per_minute": 100_000, "methods": { "chat.postMessage": 100_000 } })).await;
    world.dispatcher().mapping("poster").pause();
    for round in 0..rounds {
        let key = format!("same-{round}");
        let seen = world.dispatcher().mapping("worker").seen().len();
        world.drops(&create(&key, &format!("same {round:03}"), round % CHANNELS, jiff::Timestamp::now())).await;
        let intent = world
            .until("the intent", async || world.dispatcher().mapping("worker").seen().get(seen).cloned().ok_or_else(String::new))
            .await;
        at_once(&world, "worker", &intent).await;
        at_once(&world, "poster", &wake(round)).await;
        if round % 50 == 49 {
            println!("   {} rounds", round + 1);
        }
    }
    world.dispatcher().mapping("poster").resume();
    settle(&world).await;
    let taken = taken(&world).await;
    let incidents = world.scan().await.iter().filter(|item| item.get("sk").and_then(Value::as_str) == Some("incident")).count();
    let mut report = Report::default();
    report.row("rounds of 64 deliveries of an intent, and of a wake", rounds);
    report.must("incidents", incidents, rounds);
    report.must("messages in Slack", taken.len(), rounds);
    report.must("there twice", duplicates(&taken), 0);
    finish(world, "same").await;
    report
}

async fn at_once(world: &World, function: &str, record: &Value) {
    let event = json!({ "Records": [record] });
    let function = world.dispatcher().function(function);
    join_all((0..COPIES).map(|_| function.call(&event))).await;
}

/// The queue's message that wakes the poster of a channel.
fn wake(round: usize) -> Value {
    let channel = Channel::new(channel(round % CHANNELS));
    let wake = Wake { workspace: Workspace::new(WORKSPACE), channel, because: IntentId::of("same", &[&round.to_string()]), unpark: None };
    json!({
        "messageId": format!("same-{round}"),
        "receiptHandle": "of-no-queue",
        "body": seal(&wake).unwrap_or_default(),
        "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "0", "MessageGroupId": format!("same-{round}") },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    })
}
