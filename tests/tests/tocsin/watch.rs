//! What Tocsin says about itself, and what is counted.

use serde_json::Value;
use shared::fallback::Fallback;
use shared::watch::Watch;
use tests::paths;
use tests::world::{OWN_ALARMS, World};

/// The three shapes in which CloudWatch sends an alarm, as this alarm.
fn shapes(name: &str, account: &str) -> [String; 3] {
    let samples = [
        ("cloudwatch-alarm-sns.json", "checkout-p99-latency"),
        ("cloudwatch-alarm-eventbridge.json", "orders-queue-age"),
        ("cloudwatch-alarm-action.json", "checkout-error-rate"),
    ];
    samples.map(|(file, sample)| {
        let text = std::fs::read_to_string(paths::repository().join("events").join(file)).expect("a sample");
        // Its own ids, so that none of them is a repetition of another.
        text.replace(sample, name).replace("123456789012", account).replace("eu-west-1", "us-east-1").replace("1a001", account)
    })
}

/// Somebody routes all alarms of the account to the queue: an alarm about Tocsin does not become Tocsin's business.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tocsins_own_alarms_do_not_come_back_as_incidents() {
    let world = World::start().await;
    for own in shapes("world/watch/posts-dead-letters", "000000000000") {
        world.drops_text(&own).await;
    }
    // Others may have such names: in another account, of another stack, or nearly the same.
    for (name, account) in [
        ("world/watch/posts-dead-letters", "210987654321"),
        ("world2/watch/posts-dead-letters", "000000000000"),
        ("the-world/watch/posts-dead-letters", "000000000000"),
        ("world/watchdog", "000000000000"),
    ] {
        for foreign in shapes(name, account) {
            world.drops_text(&foreign).await;
        }
    }
    world
        .until("the foreign alarms have one card each", async || {
            let count = world.cards("#incidents", "/watch").await.len();
            if count == 4 { Ok(()) } else { Err(format!("{count} cards")) }
        })
        .await;
    world.settled().await;
    let cards = world.cards("#incidents", "/watch").await;
    assert_eq!(cards.len(), 4, "{}", tests::card::readable(&cards));
    let dropped = world
        .logs
        .lines()
        .into_iter()
        .filter(|line| line.function == "intake" && line.text.contains("Tocsin says this about itself"))
        .count();
    assert_eq!(dropped, 3, "one line for each");
    world.finish().await;
}

/// When Slack itself is the problem, an e-mail goes out, and does not come back as an incident even where the topic is routed to the queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_reaches_the_topic_once_and_is_nobodys_incident() {
    let world = World::start().await;
    let topic = world.resources.notices.as_ref().expect("a topic").topic.clone();
    let queue = tests::ministack::arn(world.queue_url(tests::ministack::Queue::Incidents));
    world.aws.sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(queue).send().await.expect("SNS answers");
    let watch = Watch::new(OWN_ALARMS.to_owned()).expect("it is one");
    let fallback = Fallback::new(world.aws.sns.clone(), Some(topic.clone()), watch);
    for _ in 0..3 {
        fallback.notify("Slack does not answer", "", "Every call has failed for five minutes. Look at https://slack-status.com.").await;
    }
    let notices = world
        .until("the notice", async || {
            let notices = world.notices().await;
            if notices.is_empty() { Err("none".to_owned()) } else { Ok(notices) }
        })
        .await;
    assert_eq!(notices[0].subject, "world/watch/Slack does not answer");
    assert!(notices[0].text.contains("slack-status.com"), "{notices:?}");

    // Somebody else's notification over the same topic is an incident.
    world.aws.sns.publish().topic_arn(&topic).subject("Disk full").message("on db-1").send().await.expect("SNS answers");
    world.card("#incidents", "Disk full").await.thread_of(1).await;
    world.settled().await;
    assert_eq!(world.notices().await.len(), 2, "one of ours, and the other");
    let cards = world.cards("#incidents", "").await;
    assert_eq!(cards.len(), 1, "{}", tests::card::readable(&cards));
    world.finish().await;
}

/// The net under all other tests: a secret that somebody lets slip is found wherever it comes to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_found_wherever_it_is_seen() {
    let world = World::start().await;
    world.expects_error("parked");
    let secret = world.signing_secret.clone();
    world.drops_text(&serde_json::json!({ "type": "create", "title": format!("somebody wrote {secret}") }).to_string()).await;
    world.card("#incidents", "somebody wrote").await.thread_of(1).await;
    world.drops_text(&format!("{{ {secret}")).await;
    world.takes_dead_letter(tests::ministack::Queue::Incidents).await;
    let topic = &world.resources.notices.as_ref().expect("a topic").topic;
    world.aws.sns.publish().topic_arn(topic).subject("slipped").message(&secret).send().await.expect("SNS answers");
    world.user("jane").types(&format!("/incident create {secret}")).await.answer().await;
    world.logs.push("intake", format!("{{\"level\":\"INFO\",\"message\":\"{secret}\"}}"));
    world.settled().await;
    let leaks = world.leaks().await;
    for place in ["Slack", "a dead letter", "a message for intake", "a message for worker", "a notice", "the log of intake", "the table"] {
        assert!(leaks.iter().any(|leak| leak == place), "{place} is not among {leaks:?}");
    }
    assert!(!leaks.iter().any(|leak| leak == "the log of worker" || leak == "the log of poster"), "{leaks:?}");
    world.finish().await;
}

/// A function's metrics, line by line: what CloudWatch reads off it.
pub(crate) fn counted(world: &World, function: &str) -> Vec<Value> {
    let lines = world.logs.lines();
    let own = lines.iter().filter(|line| line.function == function && line.text.contains("_aws"));
    own.map(|line| serde_json::from_str(&line.text).unwrap_or_else(|error| panic!("{error}: {}", line.text))).collect()
}

/// Waits until what a function counted is as `holds` wants it: its log is read beside its answer, not before.
pub(crate) async fn counts(world: &World, function: &str, what: &str, holds: impl Fn(&[Value]) -> bool) {
    world
        .until(what, async || {
            let lines = counted(world, function);
            if holds(&lines) { Ok(()) } else { Err(format!("{lines:?}")) }
        })
        .await;
}

/// All values of a metric that has this dimension, added up.
pub(crate) fn sum(lines: &[Value], metric: &str, dimension: Option<(&str, &str)>) -> u64 {
    let of = lines.iter().filter(|line| dimension.is_none_or(|(name, value)| line.get(name).and_then(Value::as_str) == Some(value)));
    of.filter_map(|line| line.get(metric).and_then(Value::as_u64)).sum()
}

/// The largest value of a metric of which each is kept.
pub(crate) fn largest(lines: &[Value], metric: &str) -> Option<i64> {
    let numbers = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        Value::Object(counted) => counted.get("Values").and_then(Value::as_array).cloned().unwrap_or_default(),
        one => vec![one.clone()],
    };
    let values = lines.iter().filter_map(|line| line.get(metric)).flat_map(numbers);
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a test")]
    values.filter_map(|value| value.as_f64()).map(|value| value as i64).max()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_counted_and_no_dimension_is_an_id() {
    let world = World::start().await;
    world.expects_error("parked");
    let card = world.alarm_fires("counted-alarm").await;
    card.thread_of(1).await;
    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    world.drops_text("{ not json").await;
    world.takes_dead_letter(tests::ministack::Queue::Incidents).await;
    world.settled().await;

    let (intake, worker) = (counted(&world, "intake"), counted(&world, "worker"));
    assert_eq!(sum(&intake, "Incidents", Some(("Source", "cloudwatch"))), 1, "{intake:?}");
    assert_eq!(sum(&intake, "Incidents", Some(("Source", "unreadable"))), 1, "{intake:?}");
    assert_eq!(sum(&intake, "Parked", None), 1, "{intake:?}");
    assert_eq!(sum(&worker, "Intents", Some(("Outcome", "created"))), 1, "{worker:?}");
    assert_eq!(sum(&worker, "Intents", Some(("Outcome", "acknowledged"))), 1, "{worker:?}");
    for line in intake.iter().chain(&worker) {
        let about = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(about["Namespace"], "Tocsin", "{line}");
        let dimensions: Vec<&str> = about["Dimensions"][0].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert!(dimensions.len() <= 2 && dimensions[0] == "Function", "{line}");
        for dimension in dimensions {
            let value = line[dimension].as_str().unwrap_or_default();
            assert!(value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{dimension} is {value:?}, which is no word");
        }
    }
    world.finish().await;
}

/// Whoever is woken by an alarm finds it on the dashboard, and in the book what to do.
#[test]
fn every_alarm_stands_on_the_dashboard_and_in_the_book() {
    let read = |file| std::fs::read_to_string(paths::repository().join(file)).expect("a file of the repository");
    let (template, page) = (read("template.yaml"), read("docs/operations.md"));
    let mut alarms = Vec::new();
    let mut resource = "";
    for line in template.lines() {
        if let Some(name) = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':')).filter(|name| !name.starts_with(' ')) {
            resource = name;
        }
        alarms.extend(line.trim().strip_prefix("AlarmName: !Sub ${AWS::StackName}/watch/").map(|name| (resource, name)));
    }
    assert!(alarms.len() > 30, "the template was read wrongly: {alarms:?}");
    for (resource, name) in alarms {
        assert!(template.contains(&format!("\"${{{resource}.Arn}}\"")), "{name} is not on the dashboard");
        let (whose, what) = name.split_once('-').expect("whose it is, and what");
        // Alike for several functions, or for several queues, it stands there once.
        let receiver = ["commands", "interactions", "events"].contains(&whose) && page.contains(&format!("| `{{receiver}}-{what}` |"));
        let function = tests::binaries::FUNCTIONS.contains(&whose) && page.contains(&format!("| `{{function}}-{what}` |"));
        let queue = page.contains(&format!("`{whose}-`, ")) && page.contains(&format!(", `posts-{what}` |"));
        assert!(receiver || function || queue || page.contains(&format!("`{name}` |")), "{name} is not in docs/operations.md");
    }
}
