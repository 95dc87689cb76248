//! The same signed request a hundred times, Slack's retries, and everything once more when SQS has forgotten it: one effect each.
//!
//! Slack's schedule of retries is kept as it is: at once, after a minute, after five, when SQS has forgotten the first; only with `--tenth` in a hundredth of the time. What SQS itself
//! would drop within its five minutes is put on the queue again as if it had never been there, a hundred times as well, so that it is the markers that are tried. Answers are not counted: a
//! person may be told twice. Slack waits a minute for its answer (3 s), since a hundred requests come at once.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::ministack::Queue;
use tests::world::{Setup, World};
use tokio::time::{Instant, sleep_until};

use crate::Options;
use crate::common::{Report, duplicates, finish, settle, taken};

/// How often everything is sent.
const TIMES: usize = 100;

/// When Slack sends an event that was not answered, in seconds after the first time; the last one a second later, when SQS has surely forgotten it.
const RETRIES: [u64; 3] = [1, 60, 301];

/// How long SQS keeps a job, and a dead letter before it is put back, in days: longer than Slack's last retry, which comes after five minutes, or after a day where delayed events are on.
const KEPT_BY_SQS: i64 = 14;

pub(crate) async fn run(options: &Options) -> Report {
    let rounds = options.scaled(10);
    let setup = Setup { instances: 8, patience: Duration::from_mins(10), updates_per_minute: 6_000, counted: false, ..Setup::default() };
    let world = World::with(setup).await;
    world.configures("[routing]\ndefault = { channel = \"#incidents\" }\n[storm]\nabove = 0").await;
    world.slack.tell("rates", &json!({ "off": true })).await;
    world.slack.tell("timing", &json!({ "answer_ms": 60_000, "trigger_ms": 60_000 })).await;
    let mut unanswered = 0;
    let (retried, ()) = tokio::join!(retries(&world, rounds, options.tenth), async {
        for round in 0..rounds {
            unanswered += replays(&world, round).await;
        }
        settle(&world).await;
        println!("   replayed");
    });
    settle(&world).await;
    let again = once_more(&world).await;
    settle(&world).await;
    let mut report = Report::default();
    report.row("requests of each kind (command, click, event, form)", rounds);
    report.row("each of them sent at once", TIMES);
    report.must("deliveries without a 200", unanswered, 0);
    report.row("events retried on Slack's schedule, half under new event_ids", 2 * rounds);
    report.row("deliveries of these", retried);
    report.row("intents put on the queue again", again);
    check(&world, &mut report, rounds).await;
    finish(world, "replays").await;
    report
}

/// How many of the deliveries that an answer of the simulator tells of got no 200.
fn without_200(answer: &Value) -> usize {
    let all = answer.get("all").and_then(Value::as_array).map_or_else(|| std::slice::from_ref(answer), Vec::as_slice);
    let answered = all.iter().filter(|one| one.get("status").and_then(Value::as_u64) == Some(200)).count();
    TIMES - answered
}

/// A command, an event, a click and a form, each a hundred times at once: how many deliveries got no 200.
async fn replays(world: &World, round: usize) -> usize {
    let (typed, said) = (format!("typed {round:02}"), format!("said {round:02}"));
    let command = json!({ "user": "jane", "channel": "general", "text": format!("create {typed}"), "deliveries": TIMES });
    let event = json!({ "event": mention(&said, round), "deliveries": TIMES });
    let (command, event) = tokio::join!(world.slack.tell("command", &command), world.slack.tell("event", &event));
    let card = world.card("#incidents", &typed).await;
    let message = card.message().await;
    let press = |label: &str, times: usize| {
        let button = message.buttons().into_iter().find(|button| button.label == label);
        let action = button.map(|button| button.action_id).unwrap_or_default();
        json!({ "user": "jane", "channel": message.channel(), "ts": message.ts(), "action_id": action, "deliveries": times })
    };
    let click = world.slack.tell("click", &press("Acknowledge", TIMES)).await;
    card.has_buttons(&["Resolve"]).await;
    world.slack.tell("click", &press("Resolve", 1)).await;
    world.user("jane").modal("resolve_incident").await;
    let form = world.slack.tell("submit", &json!({ "user": "jane", "values": { "note": { "note": "over" } }, "deliveries": TIMES })).await;
    card.shows("*Resolved* by <@U0JANE>").await;
    [command, event, click, form].iter().map(without_200).sum()
}

/// Somebody asks the bot for an incident; what names the event is its place and time.
fn mention(title: &str, number: usize) -> Value {
    let ts = format!("{}.{number:06}", Timestamp::now().as_second());
    json!({
        "type": "app_mention", "user": "U0OMAR", "team": "T0TOCSIN", "channel": "C0GENERAL", "text": format!("<@U0BOT> create {title}"), "ts": ts, "event_ts": ts,
    })
}

/// Events that Slack believes not to have been answered, with the same `event_id` and with another: how many deliveries there were.
async fn retries(world: &World, rounds: usize, is_quick: bool) -> usize {
    let began = Instant::now();
    let mut events = Vec::new();
    for round in 0..rounds {
        for kind in ["same", "new"] {
            let event = mention(&format!("{kind} {round:02}"), 500_000 + events.len());
            let first = world.slack.tell("event", &json!({ "event": event, "event_id": format!("Ev{kind}{round:02}") })).await;
            events.push((kind, event, first.get("payload").cloned().unwrap_or_default()));
        }
    }
    let mut delivered = events.len();
    for (number, seconds) in RETRIES.into_iter().enumerate() {
        let after = Duration::from_secs(seconds);
        sleep_until(began + if is_quick { after / 100 } else { after }).await;
        let again = events.iter().map(async |(kind, event, payload)| {
            if *kind == "same" {
                let retry = json!({ "payload": payload, "retry_num": number + 1, "retry_reason": "http_timeout" });
                world.slack.tell("redeliver", &retry).await
            } else {
                let id = format!("Ev{number}{}", event.get("ts").and_then(Value::as_str).unwrap_or_default());
                world.slack.tell("event", &json!({ "event": event, "event_id": id })).await
            }
        });
        delivered += join_all(again).await.len();
        println!("   Slack's retry after {seconds} s");
    }
    delivered
}

/// Puts every intent that there was on its queue again, a hundred times, as if SQS had never seen it: how many.
async fn once_more(world: &World) -> usize {
    let seen = world.dispatcher().mapping("worker").seen();
    let bodies: BTreeSet<&str> = seen.iter().filter_map(|record| record.get("body")?.as_str()).collect();
    println!("   {} intents, once more", bodies.len());
    for body in &bodies {
        join_all((0..TIMES).map(|_| world.queues_again(Queue::Intents, body))).await;
    }
    bodies.len() * TIMES
}

async fn check(world: &World, report: &mut Report, rounds: usize) {
    let items = world.scan().await;
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (mut missing, mut several) = (Vec::new(), Vec::new());
    let mut one = |what: String, count: usize| match count {
        0 => missing.push(what),
        1 => {}
        _ => several.push(what),
    };
    let messages = world.slack.messages().await;
    for title in (0..rounds).flat_map(|round| ["typed", "said", "same", "new"].map(|kind| format!("{kind} {round:02}"))) {
        let is_it = |item: &&Value| text(item, "sk") == "incident" && item.to_string().contains(&format!("\"{title}\""));
        let incidents: Vec<_> = items.iter().filter(is_it).map(|item| text(item, "pk")).collect();
        one(format!("incident {title}"), incidents.len());
        let is_card = |message: &&tests::slack::Message| {
            message.is_ours() && message.thread().is_none() && message.only_for().is_none() && message.reads().contains(&title)
        };
        one(format!("card {title}"), messages.iter().filter(is_card).count());
        let entries = |what: &str| {
            let entries = items.iter().filter(|item| incidents.contains(&text(item, "pk")) && text(item, "sk").starts_with("timeline#"));
            entries.filter_map(|item| item.get("data")).filter(|entry| tests::card::is_what(entry, what)).count()
        };
        one(format!("begin of {title}"), entries("triggered"));
        if title.starts_with("typed") {
            one(format!("acknowledgement of {title}"), entries("acknowledged"));
            one(format!("end of {title}"), entries("resolved"));
        }
    }
    let now = Timestamp::now().as_second();
    let markers = items.iter().filter(|item| text(item, "sk") == "intent");
    let lives: Vec<i64> = markers.map(|marker| marker.get("expires_at").and_then(Value::as_i64).unwrap_or_default() - now).collect();
    let shortest = lives.iter().min().copied().unwrap_or_default() / (24 * 60 * 60);
    report.must("effects missing", missing.len(), 0);
    report.must("effects there several times", several.len(), 0);
    report.must("messages there twice", duplicates(&taken(world).await), 0);
    report.row("markers", lives.len());
    report.row("days that every marker is kept from now on, at least", shortest);
    report.row("days by which it outlives SQS's memory; Slack's last retry is within a day", shortest - KEPT_BY_SQS);
    if shortest <= KEPT_BY_SQS {
        report.problem("a marker is gone before the last delivery can come");
    }
    for what in missing.into_iter().chain(several) {
        report.problem(what);
    }
}
