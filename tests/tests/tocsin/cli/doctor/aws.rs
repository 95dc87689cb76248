//! What the stack has in AWS: outputs, URLs, queues, keys; and what time it is there.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tests::ministack::Queue;
use tests::world::World;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{creates_queue, flag, healthy, looks, looks_with, moves_stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_such_stack() {
    let world = World::start().await;
    let admin = world.admin().await.with("TOCSIN_STACK", "elsewhere");
    let found = looks(&admin).await;
    found.only_broken("stack", "elsewhere", "Nothing else can be looked at", "aws cloudformation describe-stacks");
    assert_eq!(found.all().count(), 1, "one thing is broken, and it is told once");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stack_is_of_an_older_version() {
    let world = World::start().await;
    let admin = world.admin_without(&["CallsQueueUrl", "CallsDeadLettersUrl", "EventsUrl"], &[]).await;
    let found = looks(&admin).await;
    found.only_broken(
        "outputs",
        "",
        "no CallsDeadLettersUrl, CallsQueueUrl, EventsUrl",
        &format!("sam build && sam deploy --stack-name {}", admin.stack),
    );
    assert_eq!(found.of("url", "events")["seen"], "not looked at, because the stack has no output EventsUrl");
    assert_eq!(found.of("queue", "calls")["state"], "skipped");
    looks(&world.admin().await).await.is_well();
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_is_dead_and_another_is_somebody_elses() {
    let world = World::start().await;
    let admin = world.admin_of(&[("EventsUrl", "http://127.0.0.1:9/")]).await;
    let found = looks(&admin).await;
    let entrance = |entrance: &str| format!("sam deploy --stack-name {} --parameter-overrides Entrance={entrance}", admin.stack);
    found.only_broken("url", "events", "nobody answers: ", &entrance("HttpApi"));
    let fix = &found.of("url", "events")["fix"];
    let apply = format!("tocsin manifest apply --app-id A… --stack {}", admin.stack);
    let asks = format!("aws lambda get-function-url-config --function-name {}-events", admin.stack);
    let commands = json!([asks, entrance("HttpApi"), entrance("FunctionUrl"), apply]);
    assert_eq!(fix["commands"], commands, "whether it is there at all; there and back, and what changes by it");
    assert!(fix["say"].as_str().expect("a text").contains("--name, --command"), "{fix}");
    let asked = ["--with", "links", "--without", "reactions,email"];
    let command = looks_with(&admin, &asked).await.only_broken("url", "events", "", "tocsin manifest apply");
    assert_eq!(command, format!("{apply} --with links --without reactions,email --domain DOMAIN"));
    let command =
        looks_with(&admin.with("TOCSIN_DOMAIN", "grafana.example.com"), &asked).await.only_broken("url", "events", "", "manifest");
    assert_eq!(command, format!("{apply} --with links --without reactions,email"), "the variable says it in the command, too");
    let admin = world.admin_of(&[("CommandsUrl", &impostor(404).await)]).await;
    looks(&admin).await.only_broken("url", "commands", "(404)", "Entrance=HttpApi");
    looks(&world.admin().await).await.is_well();
    world.finish().await;
}

/// Answers everybody with this status.
pub(super) async fn impostor(status: u16) -> String {
    let status = StatusCode::from_u16(status).expect("a status");
    serves(Router::new().fallback(async move || (status, "/incident"))).await
}

/// Answers Slack's look at the certificate, and believes nothing that is signed: the secret that it reads is another one.
async fn distrusting() -> String {
    let answer =
        async move |headers: HeaderMap| if headers.contains_key("x-slack-signature") { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    serves(Router::new().fallback(answer)).await
}

/// Answers as the function `commands` does, whose clock is so many seconds ahead.
async fn ahead(seconds: i64) -> String {
    let answer = async move |headers: HeaderMap| {
        let forged = headers.get("x-slack-signature").is_some_and(|signature| signature.as_bytes().ends_with(b"000000"));
        let now = Timestamp::now() + SignedDuration::from_secs(seconds);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).expect("a date");
        (if forged { StatusCode::UNAUTHORIZED } else { StatusCode::OK }, [("date", date)], "/incident")
    };
    serves(Router::new().fallback(answer)).await
}

pub(super) async fn serves(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_believes_everybody_or_is_not_public_or_throttled_or_fails() {
    let world = World::start().await;
    for (status, seen, paste) in [
        (200, "believes a request that nobody signed", "sam build && sam deploy"),
        (403, "AWS refuses it (403)", "aws lambda add-permission"),
        (429, "AWS lets no more of them run", "aws lambda get-account-settings"),
        (502, "the function fails (502)", "--name InteractionsFunction"),
    ] {
        let admin = world.admin_of(&[("InteractionsUrl", &impostor(status).await)]).await;
        looks(&admin).await.only_broken("url", "interactions", seen, paste);
    }
    let admin = world.admin_of(&[("EventsUrl", &distrusting().await)]).await;
    looks(&admin).await.only_broken("url", "events", "refuses what is signed with the signing secret", "--name EventsFunction");
    looks(&world.admin().await).await.is_well();
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_are_apart() {
    let world = World::start().await;
    let found = looks(&world.admin_of(&[("CommandsUrl", &ahead(100).await)]).await).await;
    found.is_well();
    assert!(found.of("clock", "")["seen"].as_str().expect("a text").starts_with("AWS and Slack are "), "{:#}", found.report);
    assert_eq!(found.of("clock", "")["state"], "look");
    let found = looks(&world.admin_of(&[("CommandsUrl", &ahead(-290).await)]).await).await;
    assert_eq!((found.code, &found.of("clock", "")["state"]), (Some(1), &json!("broken")));
    world.finish().await;
}

/// A queue that somebody has deleted is made anew by what the doctor says, and all goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_gone() {
    let world = World::start().await;
    let admin = healthy(&world).await;
    let url = world.queue_url(Queue::Timeline).to_owned();
    world.dispatcher().mapping("publisher").rest().await;
    world.aws.sqs.delete_queue().queue_url(&url).send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
    let command = looks(&admin).await.only_broken(
        "queue",
        "timeline",
        "is gone: what would be put on it is refused",
        "aws sqs create-queue --queue-name ",
    );
    creates_queue(&world, &command).await;
    world.dispatcher().mapping("publisher").resume();
    looks(&admin).await.is_well();
    world.alarm_fires("disk-full").await;
    world.settled().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_stuck_because_a_trigger_is_off() {
    let world = World::start().await;
    let admin = healthy(&world).await;
    world.dispatcher().mapping("intake").rest().await;
    world.drops(&json!({ "type": "create", "title": "Nobody takes it", "dedup_key": "stuck" })).await;
    let found = looks(&admin).await;
    found.is_well();
    let command =
        found.says("queue", "incidents", "look", "1 message waiting and nobody works on them", "aws lambda list-event-source-mappings");
    assert!(flag(&command, "--event-source-arn").starts_with("arn:aws:sqs:") && command.contains("-incidents "), "{command}");
    found.says("queue", "incidents", "look", "only CloudWatch knows", "--name IntakeFunction");
    world.dispatcher().mapping("intake").resume();
    world.card("#incidents", "Nobody takes it").await;
    world.settled().await;
    let found = looks(&admin).await;
    assert_eq!(found.of("queue", "incidents")["seen"], "nothing waits");
    world.finish().await;
}

/// The version before brings every key back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_keys_were_written_by_hand() {
    let world = World::start().await;
    let admin = world.admin().await;
    let made = admin.runs(&["keys", "create", "ci", "--any-workspace", "--json"]).await.json();
    world.keeps_secret(made["key"].as_str().expect("a key"));
    let found = looks(&admin).await;
    found.is_well();
    assert_eq!(found.of("api_keys", "")["seen"], "1 in force");
    let put =
        world.aws.secrets.put_secret_value().secret_id(&world.resources.api_keys).secret_string(r#"{"ci": "canary-of-a-key-in-clear"}"#);
    put.send().await.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
    let found = looks(&admin).await;
    let command = found.only_broken("api_keys", "", "the HTTP API lets nobody in", "--version-stage AWSCURRENT --move-to-version-id");
    assert!(!found.report.to_string().contains("canary"), "{:#}", found.report);
    moves_stage(&world, &command).await;
    looks(&admin).await.is_well();
    assert_eq!(admin.runs(&["keys", "list"]).await.stdout, "ci: write read test, any workspace");
    world.finish().await;
}

/// It goes on looking, and tells only what is different.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_watches_and_tells_what_is_different() {
    let world = World::start().await;
    let admin = healthy(&world).await;
    let mut command = tests::cli::tocsin(&world.aws.endpoint).await;
    command.args(["doctor", "--watch", "5"]).env("TOCSIN_STACK", &admin.stack).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut until = async |text: &str| {
        let mut seen = Vec::new();
        let wait = async {
            while let Some(line) = lines.next_line().await.expect("a line") {
                let is_it = line.contains(text);
                seen.push(line);
                if is_it {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), wait).await.unwrap_or_else(|_| panic!("no {text:?}"));
        seen
    };
    until("well").await;
    world.slack.tell("token", &json!({ "error": "token_revoked" })).await;
    let broken = until("✗ token: Slack does not accept it: token_revoked").await;
    assert!(!broken.iter().any(|line| line.contains("queue")), "{broken:?}");
    world.slack.tell("token", &json!({ "error": null })).await;
    let again = until("✓ token: tocsin of").await;
    assert!(again.iter().any(|line| line.ends_with(" UTC")) && !again.iter().any(|line| line.contains("queue")), "{again:?}");
    child.kill().await.expect("it ends");
    world.finish().await;
}
