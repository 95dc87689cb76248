//! Events as nobody should send them: fields that are gone or of another type, nested out of all reason, of a megabyte, with keys that stand there twice, cut off. Each ends as
//! intents, as a letter with its reason, or as nothing with a word on why; and of those that go all the way, each incident ends as a card.
//!
//! Scaled: most are taken in only, since the local DynamoDB writes some hundred incidents a second; a part of them goes all the way into Slack.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tests::ministack::Queue;
use tests::paths;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, drop_all_texts, finish, settle};

/// How many are handed over before it is counted.
const CHUNK: usize = 5_000;
/// As many as Lambda brings at a time.
const BATCH: usize = 10;
/// Copies of intake at work.
const COPIES: usize = 4;
/// What is above this is one of few, so that the whole stays below some gigabytes.
const LARGE: [usize; 2] = [256_000, 1_000_000];

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::default();
    let mut mutants = Mutants::new(options.seed);
    taken_in(options, &mut mutants, &mut report).await;
    over_http(options, &mut mutants, &mut report).await;
    all_the_way(options, &mut mutants, &mut report).await;
    report
}

/// Everything through the function intake, by itself: what each message came to is in its log, and what it sent stands on the queues.
async fn taken_in(options: &Options, mutants: &mut Mutants, report: &mut Report) {
    let all = options.scaled(100_000);
    let world = World::with(Setup { instances: COPIES, counted: false, patience: Duration::from_mins(10), ..Setup::default() }).await;
    world.dispatcher().mapping("worker").pause();
    let began = Instant::now();
    let (mut done, mut bytes, mut seen) = (0, 0, 0);
    let (mut outcomes, mut kinds) = (BTreeMap::<String, usize>::new(), BTreeMap::<&str, usize>::new());
    let (mut silent, mut on_queue, mut letters, mut failed) = (0, 0, 0, 0);
    while done < all {
        let count = CHUNK.min(all - done);
        // What SQS does not take, it does not bring.
        let bodies: Vec<(&'static str, String)> =
            std::iter::repeat_with(|| mutants.next()).filter(|(_, body)| sqs_takes(body)).take(count).collect();
        bytes += bodies.iter().map(|(_, body)| body.len()).sum::<usize>();
        for (kind, _) in &bodies {
            *kinds.entry(kind).or_default() += 1;
        }
        failed += hand_over(&world, done, &bodies).await;
        let lines = world.logs.lines();
        let mut heard: BTreeSet<usize> = BTreeSet::new();
        for line in lines.iter().skip(seen) {
            if let Some((number, outcome)) = said(&line.text) {
                heard.insert(number);
                *outcomes.entry(outcome).or_default() += 1;
            }
        }
        seen = lines.len();
        silent += (done..done + count).filter(|number| !heard.contains(number)).count();
        on_queue += emptied(&world, world.queue_url(Queue::Intents)).await;
        letters += emptied(&world, world.dead_letters_url(Queue::Incidents)).await;
        done += count;
        println!("   {done} taken in, {} s", began.elapsed().as_secs());
    }
    let lines = world.logs.lines();
    report.row("mutated events", done);
    for (kind, count) in &kinds {
        report.row(format!("  of them {kind}"), count);
    }
    report.row("  megabytes", bytes / 1_000_000);
    for (outcome, count) in &outcomes {
        report.row(format!("came to: {outcome}"), count);
    }
    report.row("intents on the queue (the same twice is one)", on_queue);
    report.must("letters with a reason", letters, outcomes.get("parked").copied().unwrap_or_default());
    report.must("messages of which nothing was heard", silent, 0);
    report.must("messages that came again", failed, 0);
    report.must("panics", lines.iter().filter(|line| line.text.contains("panicked at")).count(), 0);
    report.must("processes that died", world.dispatcher().function("intake").starts() as usize > COPIES, false);
    report.row("taken in within, s", began.elapsed().as_secs());
    world.expects_error("job parked");
    finish(world, "mutations").await;
}

/// Hands a chunk over in batches; how many messages were not taken.
async fn hand_over(world: &World, first: usize, bodies: &[(&'static str, String)]) -> usize {
    let intake = world.dispatcher().function("intake");
    let mut failed = 0;
    let batches: Vec<Value> = bodies.chunks(BATCH).enumerate().map(|(index, some)| batch(first + index * BATCH, some)).collect();
    for some in batches.chunks(COPIES) {
        for answer in join_all(some.iter().map(|event| intake.call(event))).await {
            failed += match answer {
                Ok(answer) => answer.get("batchItemFailures").and_then(Value::as_array).map_or(BATCH, Vec::len),
                Err(_) => BATCH,
            };
        }
    }
    failed
}

fn batch(first: usize, bodies: &[(&'static str, String)]) -> Value {
    let now = jiff::Timestamp::now().as_millisecond();
    let record = |(index, (_, body)): (usize, &(&'static str, String))| {
        json!({
            "messageId": format!("mutant-{}", first + index), "receiptHandle": "of-no-queue", "body": body,
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": now.to_string() }, "messageAttributes": {},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:incidents",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// Of which message a line of the log tells the outcome.
fn said(line: &str) -> Option<(usize, String)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let field = |name: &str| line.get(name).or_else(|| line.get("fields")?.get(name)).and_then(Value::as_str);
    Some((field("message_id")?.strip_prefix("mutant-")?.parse().ok()?, field("outcome")?.to_owned()))
}

/// How many stood on a queue, which is empty then.
async fn emptied(world: &World, url: &str) -> usize {
    let depth = world.aws.depth(url).await.unwrap_or_else(|error| panic!("SQS: {error:#}"));
    world.aws.purge(url).await.unwrap_or_else(|error| panic!("SQS: {error:#}"));
    depth as usize
}

/// A part of them over HTTP, with bytes that are no text as well: whatever is sent is taken or refused, and nothing breaks.
async fn over_http(options: &Options, mutants: &mut Mutants, report: &mut Report) {
    let all = options.scaled(10_000);
    let world = World::with(Setup { instances: COPIES, counted: false, patience: Duration::from_mins(10), ..Setup::default() }).await;
    world.dispatcher().mapping("worker").pause();
    let key = world.makes_api_key("mutants", json!({})).await;
    let began = Instant::now();
    let mut statuses = BTreeMap::<u16, usize>::new();
    for first in (0..all).step_by(COPIES) {
        let bodies: Vec<Vec<u8>> = (first..all.min(first + COPIES)).map(|_| mutants.bytes()).collect();
        let paths = ["v1/incidents", "v1/webhooks/alertmanager", "v1/webhooks/grafana", "v1/incidents"];
        let posts =
            bodies.into_iter().zip(paths).map(|(body, path)| key.sends("POST", path, &[("content-type", "application/json")], body));
        for answer in join_all(posts).await {
            *statuses.entry(answer.status).or_default() += 1;
        }
    }
    report.row("over HTTP: requests", all);
    for (status, count) in &statuses {
        report.row(format!("over HTTP: answered {status}"), count);
    }
    let broken: usize = statuses.iter().filter(|(status, _)| **status >= 500).map(|(_, count)| count).sum();
    report.must("over HTTP: answered 5xx", broken, 0);
    let panics = world.logs.lines().iter().filter(|line| line.text.contains("panicked at")).count();
    report.must("over HTTP: panics", panics, 0);
    report.row("over HTTP: within, s", began.elapsed().as_secs());
    finish(world, "mutations").await;
}

/// A part of them through everything, by the queue.
async fn all_the_way(options: &Options, mutants: &mut Mutants, report: &mut Report) {
    let all = options.scaled(5_000);
    let setup = Setup {
        instances: 6,
        updates_per_minute: 6_000,
        patience: Duration::from_mins(40),
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 60)).collect(),
        counted: false,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    world.configures("thread = false").await;
    world
        .slack
        .tell("rates", &json!({ "workspace_per_minute": 100_000, "methods": { "chat.update": 6_000, "chat.postMessage": 6_000 } }))
        .await;
    let began = Instant::now();
    // SQS takes a message of at most a megabyte, and ten of them together of no more.
    let bodies: Vec<String> =
        std::iter::repeat_with(|| mutants.next().1).filter(|body| body.len() < 60_000 && sqs_takes(body)).take(all).collect();
    drop_all_texts(&world, &bodies).await;
    settle(&world).await;
    let items = world.scan().await;
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let shown: BTreeSet<String> =
        items.iter().filter(|item| text(item, "sk").starts_with("message#")).map(|item| text(item, "pk")).collect();
    let incidents: Vec<&Value> = items.iter().filter(|item| text(item, "sk") == "incident").collect();
    let has_begun = |item: &&&Value| item.pointer("/data/fired").is_some_and(|fired| !fired.is_null());
    let without = incidents.iter().filter(has_begun).filter(|item| !shown.contains(&text(item, "pk"))).count();
    let letters: u32 = {
        let mut sum = 0;
        for queue in [Queue::Incidents, Queue::Intents, Queue::Posts, Queue::Calls] {
            sum += world.aws.depth(world.dead_letters_url(queue)).await.unwrap_or_default();
        }
        sum
    };
    report.row("all the way: events", all);
    report.row("all the way: incidents", incidents.len());
    report.row("all the way: of them expected, since only their end came", incidents.len() - incidents.iter().filter(has_begun).count());
    report.must("all the way: begun and without a card", without, 0);
    report.row("all the way: letters", letters);
    let panics = world.logs.lines().iter().filter(|line| line.text.contains("panicked at")).count();
    report.must("all the way: panics", panics, 0);
    let invocations_failed = world.logs.lines().iter().filter(|line| line.text.contains("invocation failed")).count();
    report.must("all the way: invocations that failed", invocations_failed, 0);
    report.row("all the way: settled after, s", began.elapsed().as_secs());
    finish(world, "mutations").await;
}

/// What SQS takes as a text.
fn sqs_takes(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| (!letter.is_control() || matches!(letter, '\t' | '\n' | '\r')) && !matches!(letter, '\u{fffe}' | '\u{ffff}'))
}

/// Makes them, always the same for the same seed.
pub(crate) struct Mutants {
    dice: Rng,
    samples: Vec<String>,
    made: usize,
}

impl Mutants {
    pub(crate) fn new(seed: u64) -> Self {
        let mut files = Vec::new();
        for folder in ["events", "tests/samples/aws/sources", "tests/samples/aws/queue_envelopes"] {
            files.extend(files_of(&paths::repository().join(folder)));
        }
        files.sort();
        let samples = files.iter().map(|file| fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
        Self { dice: Rng::with_seed(seed), samples: samples.collect(), made: 0 }
    }

    /// The next one as bytes, some of which are no text.
    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = self.next().1.into_bytes();
        if self.dice.usize(..4) == 0 {
            let at = self.dice.usize(..=bytes.len());
            bytes.splice(at..at, [0xff, 0xc3, 0x28]);
        }
        bytes
    }

    /// The next one, and what was done to it.
    pub(crate) fn next(&mut self) -> (&'static str, String) {
        self.made += 1;
        let sample = self.samples[self.made % self.samples.len()].clone();
        let Ok(value) = serde_json::from_str::<Value>(&sample) else { return ("cut off", cut(&mut self.dice, &sample)) };
        match self.dice.usize(..200) {
            0 => ("of 256 KB or 1 MB", self.large(value)),
            1..=9 => ("nested", self.nested(value)),
            10..=29 => ("with a key twice", self.twice(&value)),
            30..=49 => ("cut off", cut(&mut self.dice, &value.to_string())),
            50..=69 => ("with odd letters", self.littered(&value.to_string())),
            70..=99 => ("in envelopes", self.wrapped(&value)),
            100..=109 => ("as it is", value.to_string()),
            _ => ("without fields, or with others in their place", self.mutated(&value).to_string()),
        }
    }

    /// Fields go, or become something else; in JSON within text too.
    fn mutated(&mut self, value: &Value) -> Value {
        if self.dice.usize(..14) == 0 {
            return self.odd();
        }
        match value {
            Value::Object(map) => {
                let mut kept = Map::new();
                for (name, value) in map {
                    if self.dice.usize(..12) > 0 {
                        kept.insert(name.clone(), self.mutated(value));
                    }
                }
                kept.into()
            }
            Value::Array(all) => all.iter().map(|value| self.mutated(value)).collect(),
            Value::String(text) => match serde_json::from_str::<Value>(text) {
                Ok(inner @ (Value::Object(_) | Value::Array(_))) => self.mutated(&inner).to_string().into(),
                _ => value.clone(),
            },
            other => other.clone(),
        }
    }

    fn odd(&mut self) -> Value {
        let odd = [
            json!(null),
            json!([]),
            json!({}),
            json!(""),
            json!(-1),
            json!(1e300),
            json!(18_446_744_073_709_551_615_u64),
            json!("\u{0}\u{ffff}\u{1F600}é<!channel>"),
            json!("9999-99-99T99:99:99Z"),
            json!(true),
            json!([["x"]]),
            json!({"": {"": null}}),
        ];
        odd[self.dice.usize(..odd.len())].clone()
    }

    /// A value somewhere is put into many lists or objects.
    fn nested(&mut self, mut value: Value) -> String {
        let depth = [20, 100, 126, 1_000, 50_000][self.dice.usize(..5)];
        let (open, close) = if self.dice.bool() { ("[", "]") } else { (r#"{"a":"#, "}") };
        let Some(map) = value.as_object_mut().filter(|map| !map.is_empty()) else {
            return format!("{}1{}", open.repeat(depth), close.repeat(depth));
        };
        let name = map.keys().nth(self.dice.usize(..map.len())).cloned().unwrap_or_default();
        map.insert(name, json!("@@nested@@"));
        value.to_string().replace("\"@@nested@@\"", &format!("{}1{}", open.repeat(depth), close.repeat(depth)))
    }

    /// One of its keys stands there twice, with another value at first.
    fn twice(&mut self, value: &Value) -> String {
        let text = value.to_string();
        let Some(map) = value.as_object().filter(|map| !map.is_empty()) else { return text };
        let name = map.keys().nth(self.dice.usize(..map.len())).cloned().unwrap_or_default();
        let before = json!({ name: self.odd() }).to_string();
        format!("{},{}", before.trim_end_matches('}'), text.trim_start_matches('{'))
    }

    fn large(&mut self, mut value: Value) -> String {
        let size = LARGE[self.dice.usize(..2)];
        if let Some(map) = value.as_object_mut() {
            if self.dice.bool() {
                let name = map.keys().nth(self.dice.usize(..map.len().max(1))).cloned().unwrap_or_default();
                map.insert(name, json!("\u{1F600}é\" ".repeat(size / 10)));
            } else {
                map.extend((0..size / 30).map(|number| (format!("field{number}"), json!({ "state": number }))));
            }
        }
        value.to_string()
    }

    /// Letters stand where none should.
    fn littered(&mut self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        for _ in 0..=self.dice.usize(..4) {
            let at = self.dice.usize(..=letters.len());
            letters.insert(at, ['\u{0}', '\u{7f}', '\u{fffd}', '\u{ffff}', '"', '\\', '}', '\u{202e}'][self.dice.usize(..8)]);
        }
        letters.into_iter().collect()
    }

    fn wrapped(&mut self, value: &Value) -> String {
        let mut body = self.mutated(value).to_string();
        for _ in 0..=self.dice.usize(..4) {
            body = match self.dice.usize(..4) {
                0 => json!({ "Type": "Notification", "MessageId": format!("n-{}", self.made), "TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Message": body }).to_string(),
                1 => json!({ "Records": [{ "messageId": format!("r-{}", self.made), "body": body, "eventSource": "aws:sqs" }] }).to_string(),
                2 => format!("[{body}]"),
                _ => json!(body).to_string(),
            };
        }
        body
    }
}

fn cut(dice: &mut Rng, text: &str) -> String {
    let at = dice.usize(..=text.len());
    text.get(..at).unwrap_or(text).to_owned()
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    files.filter(|path| path.extension().is_none_or(|kind| kind != "md")).collect()
}
