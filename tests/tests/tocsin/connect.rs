//! The templates of `infra/connect`: alike, deployable, and each brings what it should and nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::connectors::{Account, Connector};
use tests::http::Http;
use tests::ministack::{Aws, Ministack, Queue};
use tests::paths;
use tests::world::World;

/// What cannot do without being told something, and what it is told here.
const PARAMETERS: &[(&str, &[(&str, &str)])] = &[
    ("bus", &[("EventBusName", "shop")]),
    ("forward", &[("BusArn", "arn:aws:events:us-east-1:000000000000:event-bus/shop"), ("Sources", "elsewhere.orders")]),
    ("lambda", &[("Function", "resize"), ("FunctionRole", "resize-role")]),
    ("pipe", &[("QueueArn", "arn:aws:sqs:us-east-1:000000000000:orders")]),
    ("s3", &[("Bucket", "uploads")]),
    ("topic", &[("TopicArn", "arn:aws:sns:us-east-1:000000000000:on-call")]),
];

/// A function of the user's.
const FUNCTION: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: resize-role
      AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }] }
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: resize
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: { ZipFile: "def handler(event, context): raise ValueError('no')" }
"#;

/// The topics that connectors make.
const TOPICS: [&str; 3] = ["budgets", "elasticache-nodes", "ses"];

fn connectors() -> Vec<Connector> {
    Connector::all().unwrap_or_else(|error| panic!("{error:?}"))
}

fn connector(word: &str) -> Connector {
    connectors().into_iter().find(|connector| connector.word == word).expect("a connector of this name")
}

fn parameters(word: &str) -> &'static [(&'static str, &'static str)] {
    PARAMETERS.iter().find(|(of, _)| *of == word).map_or(&[], |(_, parameters)| *parameters)
}

#[test]
fn the_templates_are_alike() {
    let all = connectors();
    let listed = std::fs::read_to_string(paths::repository().join("infra/connect/README.md")).expect("a README");
    let model = all.iter().find(|connector| connector.word == "guardduty").expect("a model");
    for connector in &all {
        let (word, resources, parameters) = (&connector.word, connector.names("Resources"), connector.names("Parameters"));
        assert!(listed.contains(&format!("[{word}.yaml]({word}.yaml)")), "{word} is not listed");
        assert!(parameters.first() == Some(&"Tocsin") && parameters.last() == Some(&"AlarmTopicArn"), "{word}: {parameters:?}");
        for name in parameters {
            let parameter = &connector.yaml["Parameters"][name];
            let bound = ["AllowedPattern", "AllowedValues"].iter().any(|rule| !parameter[*rule].is_badvalue());
            assert!(parameter["Description"].as_str().is_some_and(|text| text.len() > 10), "{word}: {name} is not described");
            assert!(bound || name == "KeyPrefix", "{word}: {name} takes anything");
            let same = &model.yaml["Parameters"][name];
            assert!(!["Tocsin", "AlarmTopicArn"].contains(&name) || parameter == same, "{word}: {name} is unlike the others");
        }
        // A destination of Lambda has no dead-letter queue, and a pipe leaves what it cannot deliver where it is.
        if word == "lambda" || word == "pipe" {
            continue;
        }
        assert_eq!(connector.yaml["Parameters"]["Name"]["Default"].as_str(), Some(word.as_str()), "{word} is called otherwise");
        let begins = match resources.first() {
            Some(&"Rule") => resources.get(1).is_some_and(|next| ["DeadLetters", "Role"].contains(next)),
            Some(&"Topic") => resources.get(1..3) == Some(&["TopicPolicy", "Subscription"]),
            other => other == Some(&"Subscription"),
        };
        assert!(begins, "{word}: {resources:?}");
        let dead_letters = resources.iter().position(|name| *name == "DeadLetters").unwrap_or_default();
        assert_eq!(resources.get(dead_letters + 1..dead_letters + 3), Some(&["DeadLettersPolicy", "DeadLettersAlarm"][..]), "{word}");
        for name in ["DeadLetters", "DeadLettersAlarm"] {
            assert_eq!(connector.yaml["Resources"][name], model.yaml["Resources"][name], "{word}: {name} is unlike the others");
        }
        assert!(connector.text.contains("  DeadLettersUrl:"), "{word} does not say where its dead letters are");
    }
}

#[test]
fn only_its_own_rule_or_topic_reaches_its_dead_letters() {
    for connector in connectors().iter().filter(|connector| connector.names("Resources").contains(&"DeadLetters")) {
        let policy = &connector.yaml["Resources"]["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"];
        let statements = policy.as_vec().expect("statements");
        assert_eq!(statements.len(), 2, "{}", connector.word);
        assert_eq!(statements[0]["Condition"]["Bool"]["aws:SecureTransport"].as_str(), Some("false"), "{}", connector.word);
        let (principal, from) = match connector.names("Resources").first() {
            Some(&"Rule") => ("events.amazonaws.com", "Rule.Arn"),
            Some(&"Topic") => ("sns.amazonaws.com", "Topic"),
            _ => ("sns.amazonaws.com", "TopicArn"),
        };
        assert_eq!(statements[1]["Principal"]["Service"].as_str(), Some(principal), "{}", connector.word);
        assert_eq!(statements[1]["Condition"]["ArnEquals"]["aws:SourceArn"].as_str(), Some(from), "{}", connector.word);
    }
}

#[test]
fn the_incidents_queue_lets_in_what_connectors_are_called_and_nobody_unnamed() {
    let template = std::fs::read_to_string(paths::repository().join("template.yaml")).expect("template.yaml");
    let policy = template
        .split_once("  IncidentsQueuePolicy:\n")
        .and_then(|(_, rest)| rest.split_once("  IncidentsDeadLettersPolicy:\n"))
        .expect("a policy")
        .0;
    for sender in [
        "events:${AWS::Region}:${AWS::AccountId}:rule/",
        "events:${AWS::Region}:${AWS::AccountId}:rule/*/",
        "sns:${AWS::Region}:${AWS::AccountId}:",
    ] {
        assert!(policy.contains(&format!("- !Sub arn:${{AWS::Partition}}:{sender}${{AWS::StackName}}-connect-*\n")), "{sender}");
    }
    let (allowing, conditions) = (policy.matches("Effect: Allow").count(), policy.matches("aws:SourceArn:").count());
    assert_eq!((allowing, conditions), (2, 2), "who is let in is named");
    for connector in connectors() {
        let names =
            [("Rule", "Name"), ("Topic", "TopicName")].map(|(resource, name)| &connector.yaml["Resources"][resource]["Properties"][name]);
        for name in names.into_iter().filter(|name| !name.is_badvalue()) {
            assert_eq!(name.as_str(), Some("${Tocsin}-connect-${Name}"), "{}", connector.word);
        }
    }
}

/// An account with an incidents queue and every connector deployed to it.
struct Connected {
    aws: Aws,
    http: Http,
    tocsin: String,
    queue: String,
}

impl Connected {
    async fn new(tocsin: &str) -> Self {
        let (aws, http) = (Aws::at(&Ministack::shared().endpoint), Http::default());
        let queue = aws.sqs.create_queue().queue_name(format!("{tocsin}-incidents")).send().await.expect("a queue").queue_url;
        aws.sns.create_topic().name("on-call").send().await.expect("a topic of the user's");
        let connected = Self { aws, http, tocsin: tocsin.to_owned(), queue: queue.expect("a URL") };
        let account = connected.account();
        account.events("CreateEventBus", &json!({ "Name": "shop" })).await.unwrap_or_else(|error| panic!("{error:?}"));
        account.deploys("users-own", FUNCTION, &[]).await.unwrap_or_else(|error| panic!("{error:?}"));
        for connector in connectors() {
            let made = account.connect(&connector, parameters(&connector.word)).await;
            made.unwrap_or_else(|error| panic!("{} does not deploy: {error:?}", connector.word));
        }
        connected
    }

    fn account(&self) -> Account<'_> {
        Account { http: &self.http, endpoint: &self.aws.endpoint, tocsin: &self.tocsin }
    }

    /// Takes what stands on the incidents queue: at least so many messages, and whatever came besides.
    async fn takes(&self, count: usize) -> Vec<Value> {
        let mut taken = Vec::new();
        loop {
            let receive = self.aws.sqs.receive_message().queue_url(&self.queue).max_number_of_messages(10);
            let waiting = if taken.len() < count { 5 } else { 0 };
            let messages = receive.wait_time_seconds(waiting).send().await.expect("SQS").messages.unwrap_or_default();
            if messages.is_empty() {
                return taken;
            }
            for message in messages {
                let receipt = message.receipt_handle.unwrap_or_default();
                self.aws.sqs.delete_message().queue_url(&self.queue).receipt_handle(receipt).send().await.expect("SQS");
                taken.push(serde_json::from_str(&message.body.unwrap_or_default()).expect("JSON"));
            }
        }
    }

    /// Nobody but AWS may put events of its services, here as there. So the rule as it is deployed is asked what it matches; then it is given another source,
    /// and nothing else, and what is put under that comes by the deployed target.
    async fn brings(&self, word: &str, sample: &Value) {
        let (account, rule) = (self.account(), format!("{}-connect-{word}", self.tocsin));
        let described = account.events("DescribeRule", &json!({ "Name": rule })).await.expect("the rule");
        let pattern = described["EventPattern"].as_str().expect("a pattern").to_owned();
        for (kind, expected) in [("picks", true), ("leaves", false)] {
            for (source, detail_type, detail) in events(sample, kind) {
                let event = json!({
                    "id": "1", "account": "000000000000", "time": "2026-03-15T10:00:00Z", "region": "us-east-1", "resources": [],
                    "source": source, "detail-type": detail_type, "detail": detail,
                });
                let asked = json!({ "EventPattern": pattern, "Event": event.to_string() });
                let answer = account.events("TestEventPattern", &asked).await.expect("an answer");
                assert_eq!(answer["Result"], json!(expected), "{word}: {detail_type} {detail}");
            }
        }
        let sources = events(sample, "picks").map(|(source, ..)| source);
        let other = sources.fold(pattern.clone(), |pattern, source| pattern.replace(&format!("\"{source}\""), "\"tests\""));
        account.events("PutRule", &json!({ "Name": rule, "EventPattern": other, "State": "ENABLED" })).await.expect("the rule");
        for kind in ["leaves", "picks"] {
            for (_, detail_type, detail) in events(sample, kind) {
                account.puts("default", "tests", detail_type, detail).await.unwrap_or_else(|error| panic!("{word}: {error:?}"));
            }
        }
        account.events("PutRule", &json!({ "Name": rule, "EventPattern": pattern, "State": "ENABLED" })).await.expect("the rule");
        let picks: Vec<_> = events(sample, "picks").map(|(_, kind, detail)| (kind, detail)).collect();
        let came = self.takes(picks.len()).await;
        let said: Vec<_> = came.iter().map(|event| (event["detail-type"].as_str().unwrap_or_default(), &event["detail"])).collect();
        assert_eq!(sorted(said), sorted(picks), "{word} brings something else");
        assert!(came.iter().all(|event| event["source"] == "tests" && event["resources"] == json!(["arn:of:it"])), "{word}: {came:?}");
    }
}

/// The sources, types and details of the sample events of a kind: a source of its own stands behind its detail.
fn events<'a>(sample: &'a Value, kind: &str) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let text = |value: &'a Value| value.as_str().unwrap_or_default();
    sample[kind]
        .as_array()
        .into_iter()
        .flatten()
        .map(move |event| (event[2].as_str().unwrap_or(text(&sample["source"])), text(&event[0]), &event[1]))
}

fn sorted(events: Vec<(&str, &Value)>) -> Vec<String> {
    let mut events: Vec<_> = events.into_iter().map(|(kind, detail)| format!("{kind} {detail}")).collect();
    events.sort();
    events
}

fn samples() -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(paths::repository().join("tests/samples/connectors.json")).expect("samples");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connector_deploys_and_brings_what_it_should_and_nothing_else() {
    let connected = Connected::new("connected").await;
    let samples = samples();
    for connector in connectors().iter().filter(|connector| connector.names("Resources").first() == Some(&"Rule")) {
        let word = connector.word.as_str();
        if word != "bus" && word != "forward" {
            connected.brings(word, samples.get(word).unwrap_or_else(|| panic!("{word} has no samples"))).await;
        }
    }
    let account = connected.account();
    // From a bus elsewhere to one of ours, and from there.
    account.puts("default", "elsewhere.orders", "Order Stuck", &json!({ "order": 17 })).await.expect("put");
    account.puts("default", "somewhere.else", "Order Stuck", &json!({ "order": 18 })).await.expect("put");
    let came = connected.takes(1).await;
    assert!(came.len() == 1 && came[0]["source"] == "elsewhere.orders" && came[0]["detail"]["order"] == 17, "{came:?}");

    let own = TOPICS.map(|word| format!("{}-connect-{word}", connected.tocsin));
    for topic in own.iter().map(String::as_str).chain(["on-call"]) {
        let arn = format!("arn:aws:sns:us-east-1:000000000000:{topic}");
        connected.aws.sns.publish().topic_arn(&arn).message(format!("from {topic}")).send().await.expect("published");
        let came = connected.takes(1).await;
        assert!(came.len() == 1 && came[0]["Message"] == format!("from {topic}") && came[0]["TopicArn"] == arn, "{topic}: {came:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_on_a_bus_or_published_becomes_a_card() {
    let world = World::start().await;
    // A world's incidents queue is named as a stack's.
    let tocsin = world.queue_url(Queue::Incidents).rsplit('/').next().and_then(|name| name.strip_suffix("-incidents")).expect("a name");
    let account = Account { http: &world.http, endpoint: &world.aws.endpoint, tocsin };
    let (bus, topic) = (format!("{tocsin}-shop"), format!("{tocsin}-on-call"));
    let topic = world.aws.sns.create_topic().name(topic).send().await.expect("a topic").topic_arn.expect("an ARN");
    account.events("CreateEventBus", &json!({ "Name": bus })).await.expect("a bus");
    account.connect(&connector("bus"), &[("EventBusName", &bus)]).await.expect("connected");
    account.connect(&connector("topic"), &[("TopicArn", &topic)]).await.expect("connected");

    let incident = json!({ "type": "create", "dedup_key": "index", "title": "The search index is two hours old", "severity": "P2" });
    account.puts(&bus, "shop.search", "Index Is Late", &incident).await.expect("put");
    world.card("#incidents", "The search index is two hours old").await.thread_of(1).await;

    let alarm = std::fs::read_to_string(paths::repository().join("events/cloudwatch-alarm-sns.json")).expect("a sample");
    let alarm: Value = serde_json::from_str(&alarm).expect("JSON");
    world.aws.sns.publish().topic_arn(&topic).message(alarm["Message"].as_str().expect("a message")).send().await.expect("published");
    world.card("#incidents", "checkout-p99-latency").await.thread_of(1).await;
    world.settled().await;
    world.finish().await;
}
