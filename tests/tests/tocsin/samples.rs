//! Real payloads of Slack and of AWS services, each through the function that would receive it: a named outcome, no panic, no 5xx.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hyper::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::dispatcher::url;
use tests::logs::Line;
use tests::ministack::Queue;
use tests::paths;
use tests::world::World;

use crate::signatures::sign;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = paths::repository().join("tests/samples").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn json_of(file: &Path) -> Value {
    serde_json::from_str(&text(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The outcome that a line names.
fn outcome(line: &Line) -> Option<String> {
    let line: Value = serde_json::from_str(&line.text).ok()?;
    line.get("outcome")?.as_str().map(str::to_owned)
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Outcomes with how often they came, for whoever reads the test's output.
fn tally(outcomes: &BTreeMap<String, String>) -> BTreeMap<&str, usize> {
    outcomes.values().fold(BTreeMap::new(), |mut tally, outcome| {
        *tally.entry(outcome.as_str()).or_default() += 1;
        tally
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_of_aws_has_an_outcome() {
    let world = World::start().await;
    // Some ninety cards would take Slack minutes; what is wanted here is what intake and worker make of them.
    world.dispatcher().mapping("poster").pause();
    let files: Vec<_> = files("aws/sources").into_iter().chain(files("aws/queue_envelopes")).collect();
    let mut outcomes = BTreeMap::new();
    for file in &files {
        let record = json!({
            "messageId": name(file),
            "receiptHandle": "none",
            "body": text(file),
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": Timestamp::now().as_millisecond().to_string() },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "awsRegion": "us-east-1",
        });
        let answer = world.dispatcher().function("intake").call(&json!({ "Records": [record] })).await;
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
        assert_eq!(answer.get("batchItemFailures"), Some(&json!([])), "{} would come again", file.display());
        let mine = format!("\"message_id\":\"{}\"", name(file));
        let said = world
            .until(&format!("an outcome of {}", file.display()), async || {
                let lines = world.logs.lines();
                lines.iter().rev().find(|line| line.text.contains(&mine)).and_then(outcome).ok_or_else(|| world.logs.tail(3))
            })
            .await;
        assert!(["queued", "ignored", "parked"].contains(&said.as_str()), "{}: {said}", file.display());
        outcomes.insert(name(file), said);
    }
    println!("{} files: {:?}", outcomes.len(), tally(&outcomes));
    for file in outcomes.iter().filter(|(_, outcome)| *outcome == "parked").map(|(file, _)| file) {
        let letter = world.takes_dead_letter(Queue::Incidents).await;
        assert!(!letter.reason.is_empty(), "{file} and its like have a reason");
    }
    world
        .until("the worker has applied them all", async || match world.aws.depth(world.queue_url(Queue::Intents)).await {
            Ok(0) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    let worked: Vec<_> = world.logs.lines().into_iter().filter(|line| line.function == "worker").collect();
    assert!(worked.iter().all(|line| !line.is_error() && outcome(line).as_deref() != Some("retried")), "{}", world.logs.tail(20));
    world.finish_unsettled().await;
}

/// What Slack would post to a function: the function, the body and its type.
fn request(folder: &str, file: &Path) -> (&'static str, String) {
    let payload = |payload: &Value| format!("payload={}", encode(&payload.to_string()));
    match folder {
        "slack/http_bodies" => ("commands", text(file)),
        "slack/schema_events" => ("events", text(file)),
        "slack/views" => {
            let user = json!({ "id": "U0JANE", "team_id": "T0TOCSIN" });
            let submission = json!({ "type": "view_submission", "team": { "id": "T0TOCSIN" }, "user": user, "view": json_of(file) });
            ("interactions", payload(&submission))
        }
        "slack/schema_interactions" if name(file).starts_with("SlashCommand") => {
            let fields = json_of(file);
            let pair = |(name, value): (&String, &Value)| format!("{name}={}", encode(value.as_str().unwrap_or(&value.to_string())));
            ("commands", fields.as_object().expect("an object").iter().map(pair).collect::<Vec<_>>().join("&"))
        }
        _ => ("interactions", payload(&json_of(file))),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_of_slack_has_an_outcome() {
    let world = World::start().await;
    let mut outcomes = BTreeMap::new();
    for folder in ["slack/http_bodies", "slack/interactions", "slack/schema_interactions", "slack/views", "slack/schema_events"] {
        for file in files(folder) {
            let (function, body) = request(folder, &file);
            let time = Timestamp::now().as_second();
            let kind = if function == "events" { "application/json" } else { "application/x-www-form-urlencoded" };
            let headers = [
                ("content-type", kind),
                ("x-slack-request-timestamp", &*time.to_string()),
                ("x-slack-signature", &*sign(&world.signing_secret, time, body.as_bytes())),
            ];
            let headers = headers.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect();
            let event = url::event(&Method::POST, &"/".parse().expect("a path"), &headers, body.as_bytes(), function != "events");
            let before = world.logs.lines().len();
            let answer = world.dispatcher().function(function).call(&event).await;
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
            let status = answer.get("statusCode").and_then(Value::as_u64).unwrap_or_default();
            assert!(status == 200 || status == 400, "{}: {answer}\n{}", file.display(), world.logs.tail(5));
            let said = world
                .until(&format!("an outcome of {}", file.display()), async || {
                    let lines = world.logs.lines();
                    let new = lines.iter().skip(before).filter(|line| line.function == function);
                    new.filter_map(outcome).next_back().ok_or_else(|| world.logs.tail(3))
                })
                .await;
            outcomes.insert(format!("{folder}/{}", name(&file)), said);
        }
    }
    println!("{} files: {:?}", outcomes.len(), tally(&outcomes));
    let named = ["queued", "ignored", "refused", "help", "ssl_check", "corrected", "form_opened"];
    for (file, outcome) in &outcomes {
        assert!(named.contains(&outcome.as_str()), "{file}: {outcome}");
    }
    // What was queued is of workspaces that are not installed here: the worker says so, and nobody is written to.
    world.settled().await;
    assert!(world.cards("#incidents", "").await.is_empty());
    world.finish().await;
}
