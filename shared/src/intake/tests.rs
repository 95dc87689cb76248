use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;
use crate::domain::ids::Workspace;
use crate::domain::intent::{Action, Actor, Changes, Target};
use crate::domain::kind::Comparison;
use crate::domain::severity::Severity;

/// A file of the repository.
pub(super) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder, in order.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

static NO_ATTRIBUTES: BTreeMap<String, String> = BTreeMap::new();

const SENT: &str = "2026-06-01T12:00:00Z";

pub(super) fn message<'a>(body: &'a str, message_id: &'a str) -> Message<'a> {
    Message { body, message_id, attributes: &NO_ATTRIBUTES, sent_at: moment(SENT), now: moment(SENT), watch: None }
}

fn reading(body: &str) -> Reading {
    read(&message(body, "m-1")).reading
}

fn wanted(body: &str) -> Vec<Intent> {
    match reading(body) {
        Reading::Intents(intents) => intents,
        other => panic!("expected intents, got {other:?}"),
    }
}

/// The only intent of a message.
pub(super) fn one(body: &str) -> Intent {
    match <[Intent; 1]>::try_from(wanted(body)) {
        Ok([intent]) => intent,
        Err(intents) => panic!("expected one intent, got {intents:?}"),
    }
}

fn sample(name: &str) -> Intent {
    one(&text_of(&path("events").join(name)))
}

fn refused(body: &str) -> String {
    match reading(body) {
        Reading::Refused(reason) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn created(intent: &Intent) -> &Changes {
    match &intent.action {
        Action::Create(changes) => changes,
        other => panic!("expected a create, got {other:?}"),
    }
}

fn detail<'a>(intent: &'a Intent, label: &str) -> Option<&'a str> {
    created(intent).details.iter().flatten().find(|detail| detail.label == label).map(|detail| detail.value.as_str())
}

fn key(intent: &Intent) -> &str {
    match &intent.target {
        Target::Key(key) => key.as_str(),
        other => panic!("expected a key, got {other:?}"),
    }
}

fn sns(message: &str, id: &str) -> String {
    let topic = "arn:aws:sns:eu-west-1:123456789012:incidents";
    json!({"Type": "Notification", "MessageId": id, "TopicArn": topic, "Message": message, "Timestamp": "2026-05-01T00:00:00.000Z"})
        .to_string()
}

fn sqs_event(bodies: &[&str]) -> String {
    let record = |(index, body): (usize, &&str)| json!({"messageId": format!("inner-{index}"), "body": body, "eventSource": "aws:sqs"});
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() }).to_string()
}

/// One line a file: what it comes to.
fn outcome(body: &str) -> String {
    let told = |intent: &Intent| match &intent.action {
        Action::Create(changes) | Action::Update(changes) => {
            let severity = changes.severity.map_or("-", Severity::as_str);
            format!("{} {severity} \"{}\"", intent.action.name(), changes.title.as_deref().unwrap_or_default())
        }
        Action::Acknowledge
        | Action::Resolve(_)
        | Action::Reopen
        | Action::Snooze { .. }
        | Action::Wake
        | Action::Settle
        | Action::Assign { .. }
        | Action::Escalate { .. }
        | Action::CallNext
        | Action::Due(_)
        | Action::Decide { .. }
        | Action::Expire
        | Action::Called { .. }
        | Action::Tell
        | Action::Await { .. }
        | Action::Note { .. } => {
            format!("{} {}", intent.action.name(), key(intent))
        }
    };
    match reading(body) {
        Reading::Intents(intents) => intents.iter().map(told).collect::<Vec<_>>().join("; "),
        Reading::Ignored(why) => format!("ignored: {why}"),
        Reading::Refused(reason) => format!("refused: {reason}"),
        Reading::Partly { intents, reason } => format!("{}; refused: {reason}", intents.iter().map(told).collect::<Vec<_>>().join("; ")),
    }
}

/// Compares the outcome of every file in a folder with the table beside it, which is there for people as well.
#[track_caller]
fn outcomes_are_those_of(folder: &str, table: &str) {
    let folder = path(folder);
    let mut found = String::new();
    for file in files(&folder) {
        let name = file.strip_prefix(&folder).unwrap_or(&file).display().to_string();
        if Path::new(&name).extension().is_some_and(|kind| kind == "md") {
            continue;
        }
        let outcome = outcome(&text_of(&file)).replace('|', "\\|");
        writeln!(found, "| {name} | {outcome} |").unwrap_or_default();
    }
    assert!(!found.is_empty());
    let table = path(table);
    let written = text_of(&table);
    let (before, rows) =
        written.split_once("| file | becomes |\n|---|---|\n").unwrap_or_else(|| panic!("{} has no table", table.display()));
    // After a wanted change, as for snapshots: `INSTA_UPDATE=always cargo test -p shared --all-features`.
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let new = format!("{before}| file | becomes |\n|---|---|\n{found}");
        fs::write(&table, new).unwrap_or_else(|error| panic!("{error}"));
        return;
    }
    assert_eq!(rows, found, "the outcomes of {} are:\n{found}", folder.display());
}

#[test]
fn every_sample_from_aws_comes_to_what_its_table_says() {
    outcomes_are_those_of("tests/samples/aws", "tests/samples/aws-outcomes.md");
}

#[test]
fn every_event_of_the_simulator_comes_to_what_its_table_says() {
    outcomes_are_those_of("events", "events/README.md");
}

mod envelopes {
    use super::*;

    #[test]
    fn an_event_is_the_same_in_every_envelope() {
        let alarm = text_of(&path("events/cloudwatch-alarm-eventbridge.json"));
        let bare = one(&alarm);
        let once = sns(&alarm, "n-1");
        let twice = sns(&once, "n-2");
        let lambda = format!(r#"{{"Records":[{{"EventSource":"aws:sns","Sns":{once}}}]}}"#);
        let answer = json!({"Messages": [{"MessageId": "inner", "Body": twice}]}).to_string();
        let in_text = json!(alarm).to_string();
        for wrapped in
            [once.clone(), twice, lambda, sqs_event(&[&once]), answer, format!("[{alarm}]"), in_text, format!("\u{feff} {alarm}\n")]
        {
            assert_eq!(one(&wrapped), bare, "{wrapped}");
        }
    }

    /// What may be around an event, each by itself.
    const AROUND: [fn(&str) -> String; 6] = [
        // SNS, as a queue or as Lambda gets it.
        |inner| sns(inner, "n"),
        |inner| format!(r#"{{"Records":[{{"EventSource":"aws:sns","Sns":{}}}]}}"#, sns(inner, "n")),
        // SQS, as Lambda or a pipe, and as its own answer has it.
        |inner| sqs_event(&[inner]),
        |inner| json!({"Messages": [{"MessageId": "inner", "Body": inner}]}).to_string(),
        // A pipe's list, and a text in a text.
        |inner| format!("[{inner}]"),
        |inner| json!(inner).to_string(),
    ];

    #[test]
    fn an_event_is_the_same_in_every_combination_of_envelopes_four_deep() {
        let bridged = text_of(&path("events/cloudwatch-alarm-eventbridge.json"));
        let bare = one(&bridged);
        let mut bodies = vec![bridged];
        let mut tried = 0;
        for _ in 0..4 {
            bodies = bodies.iter().flat_map(|inner| AROUND.iter().map(move |around| around(inner))).collect();
            for body in &bodies {
                assert_eq!(one(body), bare, "{body}");
            }
            tried += bodies.len();
        }
        assert_eq!(tried, 6 + 36 + 216 + 1296);
    }

    fn with_attributes(body: &str, attributes: &[(&str, &str)]) -> Intent {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        match read(&Message { attributes: &attributes, ..message(body, "m-1") }).reading {
            Reading::Intents(mut intents) if intents.len() == 1 => intents.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_stands_beside_a_message_counts_for_more_than_what_a_source_says() {
        let alarm = text_of(&path("events/cloudwatch-alarm-eventbridge.json"));
        let runbook = "https://wiki.example.com/age";
        let said = [("severity", "P4"), ("service", "warehouse"), ("runbook", runbook), ("workspace", "T0OTHER"), ("colour", "red")];
        let told = with_attributes(&alarm, &said);
        let changes = created(&told);
        assert_eq!((changes.severity, changes.service.as_deref()), (Some(Severity::P4), Some("warehouse")));
        assert_eq!(told.workspace.as_ref().map(Workspace::as_str), Some("T0OTHER"));
        let runbooks: Vec<&str> = changes.links.iter().flatten().map(|link| link.url.as_str()).collect();
        assert_eq!(runbooks, [runbook], "the alarm's own is not shown beside it");
        // Attributes that say none of that are somebody else's.
        let odd = with_attributes(&alarm, &[("severity", "loud"), ("service", " "), ("runbook", "wiki"), ("workspace", "shop")]);
        assert_eq!(odd, one(&alarm));
    }

    #[test]
    fn a_message_of_our_own_schema_says_it_itself() {
        let said = with_attributes(&text_of(&path("events/own-create.json")), &[("severity", "P4"), ("service", "warehouse")]);
        assert_eq!(said, sample("own-create.json"));
        let minimal = with_attributes(&text_of(&path("events/own-create-minimal.json")), &[("severity", "P4"), ("service", "warehouse")]);
        assert_eq!((created(&minimal).severity, created(&minimal).service.as_deref()), (Some(Severity::P4), Some("warehouse")));
    }

    #[test]
    fn attributes_are_read_wherever_an_envelope_has_them_and_the_innermost_counts() {
        let alarm = text_of(&path("events/cloudwatch-alarm-eventbridge.json"));
        let mut notification: Value = serde_json::from_str(&sns(&alarm, "n-1")).unwrap_or_default();
        notification["MessageAttributes"] =
            json!({"severity": {"Type": "String", "Value": "P1"}, "service": {"Type": "Binary", "Value": "AAAA"}});
        let piped = json!([{
            "messageId": "m", "body": notification.to_string(),
            "messageAttributes": {"severity": {"dataType": "String", "stringValue": "P4"}, "service": {"dataType": "String", "stringValue": "orders"}},
        }]);
        let answered = json!({"Messages": [{"MessageId": "m", "Body": alarm, "MessageAttributes": {"severity": {"DataType": "String", "StringValue": "P3"}}}]});
        let of = |body: &Value, beside: &[(&str, &str)]| {
            let intent = with_attributes(&body.to_string(), beside);
            (created(&intent).severity, created(&intent).service.clone())
        };
        assert_eq!(of(&notification, &[("severity", "P3")]), (Some(Severity::P1), None));
        assert_eq!(of(&piped, &[]), (Some(Severity::P1), Some("orders".to_owned())));
        assert_eq!(of(&answered, &[("service", "search")]), (Some(Severity::P3), Some("search".to_owned())));
    }

    #[test]
    fn the_innermost_id_counts_however_often_it_is_sent_on() {
        let event = text_of(&path("events/generic-eventbridge.json"));
        let bare = one(&event).id;
        let first = read(&message(&sns(&event, "n-1"), "m-1")).reading;
        let second = read(&message(&sns(&sns(&event, "n-2"), "n-3"), "m-2")).reading;
        for reading in [first, second] {
            let Reading::Intents(intents) = reading else { panic!("{reading:?}") };
            assert_eq!(intents.iter().map(|intent| &intent.id).collect::<Vec<_>>(), [&bare]);
        }
        assert_eq!(one(&sns("disk full", "n-1")).id, one(&sns(&sns("disk full", "n-1"), "n-9")).id);
        assert_ne!(one(&sns("disk full", "n-1")).id, one(&sns("disk full", "n-2")).id);
    }

    #[test]
    fn without_any_id_every_message_is_its_own() {
        let body = r#"{"alertname": "DiskFull"}"#;
        assert_eq!(read(&message(body, "m-1")), read(&message(body, "m-1")));
        assert_ne!(read(&message(body, "m-1")), read(&message(body, "m-2")));
    }

    #[test]
    fn one_broken_record_does_not_take_the_others_along() {
        let good = text_of(&path("events/own-create.json"));
        match reading(&sqs_event(&[&good, "no JSON", &good])) {
            Reading::Partly { intents, reason } => {
                assert_eq!(intents.len(), 2);
                assert_ne!(intents.first().map(|intent| &intent.id), intents.last().map(|intent| &intent.id));
                assert_eq!(reason, "it is not JSON (line 1, column 2)");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn different_events_with_one_id_are_both_heard_and_the_same_event_twice_once() {
        let notification = |text: &str| json!({"Sns": serde_json::from_str::<Value>(&sns(text, "n-1")).unwrap_or_default()});
        let two = json!({"Records": [notification("backup done"), notification("backup failed"), notification("backup done")]});
        let intents = wanted(&two.to_string());
        assert_eq!(intents.len(), 2);
        assert_ne!(intents.first().map(|intent| &intent.id), intents.last().map(|intent| &intent.id));
    }

    #[test]
    fn too_many_envelopes_or_events_are_refused() {
        let deep = format!("{}{{\"a\":1}}{}", "[".repeat(13), "]".repeat(13));
        assert_eq!(refused(&deep), "more than 12 envelopes are around it");
        let crowd = format!("[{}]", vec![r#"{"a":1}"#; 101].join(","));
        assert_eq!(refused(&crowd), "the message carries more than 100 events");
    }
}

mod poison {
    use super::*;

    #[test]
    fn what_is_no_event_is_refused_with_its_reason() {
        for (body, reason) in [
            ("", "it is empty"),
            ("   \n", "it is empty"),
            ("checkout is down", "it is not JSON (line 1, column 1)"),
            (r#"{"title": "#, "it is not JSON: it breaks off at line 1, column 9"),
            ("42", "it is JSON, but no event: an object is expected"),
            ("null", "it is JSON, but no event: an object is expected"),
            (r#""checkout is down""#, "it is not JSON (line 1, column 1)"),
            ("{}", "it is an empty object"),
            ("[]", "it is an empty list"),
            ("[1, 2]", "it is a list of something else than events; it is a list of something else than events"),
        ] {
            assert_eq!(refused(body), reason, "{body}");
        }
    }

    #[test]
    fn deep_nesting_neither_overflows_nor_panics() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let body = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            assert!(refused(&body).starts_with("it is nested too deeply"));
            // In a notification too: it is JSON, not something that somebody wrote.
            let reading = reading(&sns(&body, "n-1"));
            assert!(matches!(reading, Reading::Refused(_)) || open == "[", "{open}");
        }
    }

    #[test]
    fn a_reason_never_quotes_the_message() {
        for body in
            ["hunter2", r#"{"type":"create","title":7,"severity":"hunter2"}"#, r#"{"type":"hunter2","dedup_key":"k"}"#, r#"{"a": hunter2}"#]
        {
            assert!(!refused(body).contains("hunter2"), "{body}");
        }
    }

    /// A small generator of numbers that are always the same, so that a failure can be repeated.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap_or_default() % sides.max(1)
        }
    }

    fn mutated(value: &Value, dice: &mut Dice) -> Value {
        let odd = [
            json!(null),
            json!([]),
            json!({}),
            json!(""),
            json!(-1),
            json!(1e300),
            json!("\u{0}\u{ffff}\u{1F600}é"),
            json!(true),
            json!([["x"]]),
        ];
        if dice.roll(12) == 0 {
            return odd.get(dice.roll(odd.len())).cloned().unwrap_or_default();
        }
        match value {
            Value::Object(map) => map
                .iter()
                .filter_map(|(name, value)| {
                    let stays = dice.roll(15) > 0;
                    if stays { Some((name.clone(), mutated(value, dice))) } else { None }
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Value::Array(all) => all.iter().map(|value| mutated(value, dice)).collect(),
            // JSON in text: what is inside is mutated as well.
            Value::String(text) => match serde_json::from_str::<Value>(text) {
                Ok(inner) if !text.is_empty() => json!(mutated(&inner, dice).to_string()),
                _ => value.clone(),
            },
            other => other.clone(),
        }
    }

    #[test]
    fn mutilated_events_end_as_a_card_a_refusal_or_ignored_and_their_intents_stay_small() {
        let mut dice = Dice(2);
        let all: Vec<String> = files(&path("events")).iter().chain(&files(&path("tests/samples/aws"))).map(|file| text_of(file)).collect();
        let mut counts = [0_usize; 2];
        for body in &all {
            let value: Value = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
            for _ in 0..15 {
                let body = mutated(&value, &mut dice).to_string();
                // Cut anywhere, too.
                let cut = body.get(..dice.roll(body.len())).unwrap_or(&body);
                for body in [body.as_str(), cut] {
                    match read(&message(body, "m-1")).reading {
                        Reading::Intents(intents) | Reading::Partly { intents, .. } => {
                            assert!(!intents.is_empty());
                            counts[0] += intents.len();
                            for intent in intents {
                                let text = serde_json::to_string(&intent).unwrap_or_default();
                                assert!(text.len() <= limits::INTENT && !text.contains('\u{ffff}'), "{body}");
                            }
                        }
                        Reading::Refused(reason) | Reading::Ignored(reason) => {
                            counts[1] += 1;
                            assert!(!reason.is_empty());
                        }
                    }
                }
            }
        }
        assert!(counts.iter().all(|count| *count > 500), "{counts:?}");
    }
}

fn size(intent: &Intent) -> usize {
    serde_json::to_string(intent).map_or(usize::MAX, |text| text.len())
}

mod sizes {
    use super::*;

    #[test]
    fn an_intent_with_every_field_full_fits() {
        let big = "\"\\\n\u{1F600}é".repeat(2_000);
        let link = format!("https://example.com/{}", "x".repeat(1980));
        let links: Vec<Value> = (0..50).map(|_| json!({"label": big, "url": link})).collect();
        let details: Vec<Value> = (0..50).map(|_| json!({"label": big, "value": big})).collect();
        let body = json!({
            "type": "create", "dedup_key": "\u{1F600}".repeat(256), "id": "x".repeat(256), "workspace": "T0123456789", "by": big, "title": big,
            "description": big, "severity": "P1", "service": big, "kind": big, "components": vec![&big; 50], "assignee": big, "action_hint": big,
            "url": link, "links": links, "details": details, "note": big, "unknown": big,
        });
        let intent = one(&body.to_string());
        assert!((40_000..limits::INTENT).contains(&size(&intent)), "{}", size(&intent));
        let changes = created(&intent);
        assert!(changes.description.as_deref().is_some_and(|text| text.ends_with('…')));
        assert_eq!(changes.links.as_ref().map(Vec::len), Some(8));
        assert_eq!(detail(&intent, "…"), Some("and 33 more"));
        let resolve = json!({"type": "resolve", "dedup_key": "k", "note": big, "root_cause": big}).to_string();
        assert!(size(&one(&resolve)) < limits::INTENT);
        for big_event in [sns(&big, "n-1"), json!({"alertname": big, big.clone(): big, "list": vec![&big; 3]}).to_string()] {
            assert!(size(&one(&big_event)) < limits::INTENT);
        }
    }

    #[test]
    fn a_cut_keeps_letters_whole_and_says_so() {
        assert_eq!(limits::cut("checkout is down", 100), "checkout is down");
        assert_eq!(limits::cut("ééééé", 10), "ééééé");
        assert_eq!(limits::cut("éééééé", 10), "ééé…");
        assert_eq!(limits::cut("a\u{0}b\r\nc", 100), "a b\nc");
        assert_eq!(limits::cut_line(" two\n\tlines ", 100), "two lines");
        // A line break takes two bytes in JSON.
        assert_eq!(limits::cut("\"\"\"", 5), "\"…");
    }

    #[test]
    fn the_work_grows_with_the_message_and_not_with_its_square() {
        // Wide, deep, long and full of what the mask looks for: a megabyte of each takes a fraction of a second even unoptimised.
        let wide: serde_json::Map<String, Value> = (0..40_000).map(|index| (format!("password{index}"), json!("a=b:c \"x\""))).collect();
        let bodies = [
            json!(wide).to_string(),
            json!({ "message": "password=".repeat(100_000) }).to_string(),
            sns(&"-----BEGIN PRIVATE -----BEGIN ".repeat(30_000), "n-1"),
            sns(&"https://a@b:".repeat(80_000), "n-1"),
            json!({"list": vec![json!({"name": "x"}); 60_000]}).to_string(),
            json!({"AlarmName": "P".repeat(300_000), "NewStateValue": "ALARM", "AlarmDescription": "severity: ".repeat(60_000), "NewStateReason": "[".repeat(300_000)}).to_string(),
        ];
        let started = std::time::Instant::now();
        for body in &bodies {
            assert!(matches!(reading(body), Reading::Intents(_)));
        }
        let took = started.elapsed();
        assert!(took.as_secs() < 10, "{took:?}");
    }
}

mod times {
    use super::*;

    fn at(time: &str) -> Timestamp {
        one(&json!({"type": "create", "title": "x", "time": time}).to_string()).at
    }

    #[test]
    fn an_incident_happened_when_its_source_says_so() {
        assert_eq!(at("2026-03-01T10:00:00+02:00"), moment("2026-03-01T08:00:00Z"));
        assert_eq!(sample("cloudwatch-alarm-sns.json").at, moment("2026-03-15T14:05:21.404Z"));
    }

    #[test]
    fn a_clock_may_run_ahead_by_five_minutes_and_no_more() {
        assert_eq!(at("2026-06-01T12:05:00Z"), moment("2026-06-01T12:05:00Z"));
        assert_eq!(at("2026-06-01T12:05:01Z"), moment(SENT));
    }

    #[test]
    fn without_a_time_the_envelopes_time_counts_and_then_that_of_sending() {
        assert_eq!(one(&sns("disk full", "n-1")).at, moment("2026-05-01T00:00:00Z"));
        assert_eq!(one(r#"{"alertname": "DiskFull"}"#).at, moment(SENT));
        // The year 1970 is no time.
        assert_eq!(one(r#"{"alertname": "DiskFull", "time": "1970-01-01T00:00:00Z"}"#).at, moment(SENT));
    }
}

mod cloudwatch_alarms {
    use super::*;

    #[test]
    fn ok_resolves_the_alarm_in_all_three_shapes() {
        for shape in ["sns", "eventbridge", "action"] {
            let alarm = sample(&format!("cloudwatch-alarm-{shape}.json"));
            let ok = sample(&format!("cloudwatch-ok-{shape}.json"));
            assert!(key(&alarm).starts_with("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:"), "{shape}");
            assert_eq!(alarm.target, ok.target, "{shape}");
            assert!(alarm.at < ok.at, "{shape}");
            assert_ne!(alarm.id, ok.id, "{shape}");
            assert!(
                matches!(&ok.action, Action::Resolve(closing) if closing.note.as_deref().is_some_and(|note| note.starts_with("Threshold Crossed")))
            );
            assert_eq!(alarm.by, Actor::Source("CloudWatch".into()));
        }
    }

    #[test]
    fn the_same_change_heard_of_in_two_ways_is_one_intent() {
        let arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu";
        let over_sns =
            json!({"AlarmName": "cpu", "NewStateValue": "ALARM", "AlarmArn": arn, "StateChangeTime": "2026-03-15T14:05:21.404+0000"});
        let data = json!({"alarmName": "cpu", "state": {"value": "ALARM", "timestamp": "2026-03-15T14:05:21.404+0000"}});
        let bridge = json!({"id": "e-1", "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch", "account": "123456789012", "region": "eu-west-1", "resources": [arn], "detail": data});
        let action = json!({"source": "aws.cloudwatch", "alarmArn": arn, "alarmData": data});
        let ids = [over_sns, bridge, action].map(|event| one(&event.to_string()).id);
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn the_card_says_what_broke_which_limit_and_where() {
        let alarm = sample("cloudwatch-alarm-sns.json");
        let card = created(&alarm);
        assert_eq!(card.title.as_deref(), Some("checkout-p99-latency"));
        assert!(
            card.description.as_deref().is_some_and(|text| text.contains("above 2 s") && text.contains("3 out of the last 5 datapoints"))
        );
        assert_eq!(detail(&alarm, "Metric"), Some("AWS/ApplicationELB TargetResponseTime, p99"));
        assert_eq!(detail(&alarm, "Threshold"), Some("> 2 in 3 of 5 periods of 60 s"));
        let metric =
            card.metric.as_ref().map(|metric| (metric.name.as_str(), metric.value.value(), metric.limit.value(), metric.comparison));
        assert_eq!(metric, Some(("TargetResponseTime p99", 2.84, 2.0, Comparison::Above)));
        assert_eq!(detail(&alarm, "Value"), None, "it has a line of its own");
        assert_eq!(detail(&alarm, "Region"), Some("eu-west-1"));
        assert_eq!(detail(&alarm, "Account"), Some("123456789012"));
        assert_eq!(card.service.as_deref(), Some("checkout"));
        assert_eq!(card.severity, Some(Severity::P1));
        assert_eq!(
            card.links.iter().flatten().map(|link| link.url.as_str()).collect::<Vec<_>>(),
            ["https://wiki.example.com/runbooks/checkout-latency"]
        );
    }

    #[test]
    fn metric_math_anomalies_and_composites_are_told_in_their_own_words() {
        let math = sample("cloudwatch-alarm-action.json");
        assert_eq!(detail(&math, "Metric"), Some("Error rate in % = 100 * errors / requests"));
        assert!(
            detail(&math, "Computed from").is_some_and(|text| text.contains("errors = AWS/ApplicationELB HTTPCode_Target_5XX_Count, Sum"))
        );
        let anomaly = sample("cloudwatch-anomaly-alarm-sns.json");
        assert_eq!(detail(&anomaly, "Threshold"), Some("below the expected band in 3 periods of 300 s"));
        assert_eq!(created(&anomaly).service.as_deref(), Some("checkout"));
        let composite = sample("cloudwatch-composite-alarm-sns.json");
        assert_eq!(detail(&composite, "Rule"), Some(r#"ALARM("checkout-p99-latency") AND ALARM("checkout-error-rate")"#));
        assert_eq!(detail(&composite, "Triggered by"), Some("checkout-error-rate"));
        assert_eq!(composite.target, sample("cloudwatch-composite-ok-sns.json").target);
    }

    #[test]
    fn the_console_opens_in_its_own_partition() {
        let url = |arn: &str| {
            let event = json!({"AlarmName": "high/p99 é", "NewStateValue": "ALARM", "AlarmArn": arn});
            created(&one(&event.to_string())).url.clone()
        };
        let tail = "#alarmsV2:alarm/high%2Fp99%20%C3%A9";
        for (arn, site) in [
            ("arn:aws:cloudwatch:eu-west-1:1:alarm:x", "eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"),
            ("arn:aws-cn:cloudwatch:cn-north-1:1:alarm:x", "cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1"),
            (
                "arn:aws-us-gov:cloudwatch:us-gov-west-1:1:alarm:x",
                "us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1",
            ),
        ] {
            assert_eq!(url(arn), Some(format!("https://{site}{tail}")));
        }
        assert_eq!(url("arn:aws:cloudwatch:evil.example/:1:alarm:x"), None);
    }

    #[test]
    fn the_severity_is_what_its_name_or_description_says_else_p2() {
        let severity = |name: &str, description: &str| {
            let event = json!({"AlarmName": name, "AlarmDescription": description, "NewStateValue": "ALARM"});
            created(&one(&event.to_string())).severity
        };
        for (name, description, expected) in [
            ("checkout-latency", "Far too slow", Severity::P2),
            ("P1 checkout-latency", "", Severity::P1),
            ("checkout-p3-latency", "severity: high", Severity::P3),
            ("[P4] disk", "", Severity::P4),
            ("disk", "[sev1] full", Severity::P1),
            ("disk", "severity: low.", Severity::P3),
            ("disk", "Priority=P1, really", Severity::P1),
            ("disk", "Severity: unknown", Severity::P2),
            ("checkout-p99-latency", "p95 and p50 are fine", Severity::P2),
            ("HIGH latency", "", Severity::P2),
        ] {
            assert_eq!(severity(name, description), Some(expected), "{name} / {description}");
        }
    }

    #[test]
    fn missing_data_is_a_note_after_an_alarm_and_nothing_otherwise() {
        let note = sample("cloudwatch-insufficient-data-sns.json");
        assert!(matches!(&note.action, Action::Note { text, .. } if text.starts_with("CloudWatch has no data")));
        assert_eq!(note.target, sample("cloudwatch-alarm-sns.json").target);
        let event = json!({"AlarmName": "cpu", "NewStateValue": "INSUFFICIENT_DATA", "OldStateValue": "OK"});
        assert_eq!(reading(&event.to_string()), Reading::Ignored("the alarm has not enough data, and was not in ALARM before".into()));
    }

    #[test]
    fn an_alarm_without_an_arn_is_known_by_its_topics_region() {
        let event =
            json!({"AlarmName": "cpu", "NewStateValue": "OK", "AWSAccountId": "123456789012", "Region": "EU (Ireland)"}).to_string();
        assert_eq!(key(&one(&sns(&event, "n-1"))), "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu");
        assert_eq!(key(&one(&event)), "cloudwatch:EU (Ireland):123456789012:cpu");
    }

    #[test]
    fn an_alarm_that_names_its_region_only_belongs_to_that_regions_partition() {
        for (region, partition) in [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
            let event = json!({"AlarmName": "cpu", "NewStateValue": "OK", "AWSAccountId": "123456789012", "Region": region}).to_string();
            assert_eq!(key(&one(&event)), format!("arn:{partition}:cloudwatch:{region}:123456789012:alarm:cpu"));
        }
    }

    #[test]
    fn a_half_broken_alarm_still_becomes_a_card() {
        let intent = one(r#"{"AlarmName": "cpu", "NewStateValue": "MELTED", "Region": "EU (Ireland)"}"#);
        assert_eq!(intent.target, Target::New);
        assert_eq!(detail(&intent, "NewStateValue"), Some("MELTED"));
    }
}

mod anything_else {
    use super::*;

    #[test]
    fn an_event_nobody_knows_is_readable() {
        let intent = sample("generic-eventbridge.json");
        let card = created(&intent);
        assert_eq!(card.title.as_deref(), Some("Loyalty Points Reconciliation Failed"));
        assert_eq!(card.description.as_deref(), Some("1,204 accounts do not add up."));
        assert_eq!(card.severity, Some(Severity::P3));
        assert_eq!(card.kind.as_deref(), Some("shop.loyalty"));
        assert_eq!(intent.by, Actor::Source("shop.loyalty".into()));
        assert_eq!(
            (detail(&intent, "Account"), detail(&intent, "Region"), detail(&intent, "state")),
            (Some("123456789012"), Some("eu-west-1"), Some("FAILED"))
        );
        assert_eq!(card.components.as_deref().map(<[String]>::len), Some(1));
        assert_eq!(card.links.iter().flatten().map(|link| link.label.as_str()).collect::<Vec<_>>(), ["report-url"]);
    }

    #[test]
    fn no_secret_reaches_the_card() {
        let everything: Vec<PathBuf> = files(&path("events")).into_iter().chain(files(&path("tests/samples/aws"))).collect();
        for file in everything {
            let shown = match reading(&text_of(&file)) {
                Reading::Intents(intents) | Reading::Partly { intents, .. } => serde_json::to_string(&intents).unwrap_or_default(),
                Reading::Ignored(why) | Reading::Refused(why) => why,
            };
            for secret in [
                "correct-horse",
                "t-1234567890",
                "wJalrXUtnFEMI",
                "MIICiTCC",
                "AKIAIOSFODNN7",
                "aToken",
                "bXlQYXNzd29yZA",
                "sig-values",
                "2336412f37",
                "A continuation token",
            ] {
                assert!(!shown.contains(secret), "{} shows {secret}", file.display());
            }
        }
    }

    #[test]
    fn a_secret_inside_a_harmless_field_is_masked_too() {
        let intent =
            one(&json!({"alertname": "Login", "message": "failed with password=hunter2", "note": "AKIAIOSFODNN7EXAMPLE"}).to_string());
        assert_eq!(created(&intent).description.as_deref(), Some("failed with password=[masked]"));
        assert_eq!(detail(&intent, "note"), Some("[masked]"));
    }

    #[test]
    fn what_somebody_wrote_to_a_topic_is_a_notification() {
        let intent = sample("generic-sns-text.json");
        assert_eq!(created(&intent).title.as_deref(), Some("Backup of shop-orders failed"));
        assert!(
            created(&intent).description.as_deref().is_some_and(|text| text.contains("could not connect (password=[masked] rejected)"))
        );
        assert_eq!(intent.by, Actor::Source("backups".into()));
        for text in ["[prod] disk full", "42", "disk full\non db-3"] {
            let intent = one(&sns(text, "n-1"));
            assert_eq!(created(&intent).title.as_deref(), text.lines().next());
            assert_eq!(created(&intent).description.as_deref(), Some(text));
        }
    }

    #[test]
    fn a_success_is_good_to_know_and_a_number_is_no_grade() {
        let severity = |event: Value| created(&one(&event.to_string())).severity;
        assert_eq!(severity(json!({"job": "backup", "state": "SUCCEEDED"})), Some(Severity::P4));
        assert_eq!(severity(json!({"job": "backup", "state": "FAILED"})), None);
        // A scan completes with whatever it has found.
        assert_eq!(severity(json!({"scan": "images", "state": "COMPLETED"})), None);
        assert_eq!(severity(json!({"finding": "x", "severity": 1})), None);
        assert_eq!(severity(json!({"finding": "x", "severity": "1"})), None);
        assert_eq!(severity(json!({"finding": "x", "severity": {"label": "CRITICAL"}})), Some(Severity::P1));
    }

    #[test]
    fn every_event_is_an_incident_of_its_own() {
        assert_eq!(sample("generic-eventbridge.json").target, Target::New);
    }

    #[test]
    fn connections_being_set_up_show_no_card() {
        let subscription = text_of(&path("events/poison-unconfirmed-subscription.json"));
        assert!(refused(&subscription).contains("SubscribeURL"));
        let gone = subscription.replace("SubscriptionConfirmation", "UnsubscribeConfirmation");
        assert!(matches!(reading(&gone), Reading::Ignored(_)));
        assert!(matches!(reading(&text_of(&path("events/ignored-s3-test.json"))), Reading::Ignored(_)));
    }
}
