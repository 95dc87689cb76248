use aws_lambda_events::sqs::SqsMessage;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use shared::queue;

use super::*;

/// SQS as far as this function calls it: takes every message, or, for queues that are down, none.
struct Sqs {
    app: App,
    sent: UnboundedReceiver<Value>,
}

const INTENTS: &str = "http://sqs/1/intents.fifo";
const INCIDENTS: &str = "http://sqs/1/incidents";
const DOWN: &str = "http://sqs/1/down.fifo";
const DEAD_LETTERS: &str = "http://sqs/1/dead-letters";

impl Sqs {
    async fn start(intents: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        let (tell, sent) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tell.clone()));
            }
        });
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
            .endpoint_url(format!("http://{address}"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let watch = Watch::new("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tocsin/watch/".to_owned())
            .unwrap_or_else(|error| panic!("{error}"));
        let app =
            App::new(aws_sdk_sqs::Client::from_conf(config), INCIDENTS.to_owned(), DEAD_LETTERS.to_owned(), intents.to_owned(), watch);
        Self { app, sent }
    }

    /// Hands a batch over; the ids of what has to come again.
    async fn deliver(&self, bodies: &[&str]) -> Vec<String> {
        let record = |(index, body): (usize, &&str)| {
            let mut record = SqsMessage::default();
            record.message_id = Some(format!("m-{index}"));
            record.body = Some((*body).to_owned());
            record.attributes.insert("SentTimestamp".to_owned(), "1773583200000".to_owned());
            record.attributes.insert("ApproximateReceiveCount".to_owned(), "1".to_owned());
            record
        };
        let mut event = SqsEvent::default();
        event.records = bodies.iter().enumerate().map(record).collect();
        self.app.handle(event, 0).await.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// What was sent so far: the queue's URL and the call.
    fn sent(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.sent.try_recv().ok()).collect()
    }
}

async fn serve(mut stream: TcpStream, tell: UnboundedSender<Value>) {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 8 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        bytes.extend(chunk.iter().take(read));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0_usize);
        if body.len() < length {
            continue;
        }
        let call: Value = serde_json::from_str(body).unwrap_or_default();
        let down = call.get("QueueUrl").and_then(Value::as_str) == Some(DOWN);
        let (status, answer) = if down { ("503 Down", "{}") } else { ("200 OK", r#"{"MessageId":"sent"}"#) };
        if !down && tell.send(call).is_err() {
            return;
        }
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        bytes.clear();
    }
}

fn text<'a>(call: &'a Value, field: &str) -> &'a str {
    call.pointer(field).and_then(Value::as_str).unwrap_or_default()
}

fn event(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test]
async fn an_alarm_becomes_one_intent_in_its_incidents_group() {
    let mut sqs = Sqs::start(INTENTS).await;
    let (alarm, ok) = (event("cloudwatch-alarm-sns.json"), event("cloudwatch-ok-sns.json"));
    assert!(sqs.deliver(&[&alarm, &ok]).await.is_empty());
    let sent = sqs.sent();
    let [first, second] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(text(first, "/QueueUrl"), INTENTS);
    assert!(text(first, "/MessageDeduplicationId").starts_with("alarm-"));
    assert_ne!(text(first, "/MessageDeduplicationId"), text(second, "/MessageDeduplicationId"));
    assert_eq!(text(first, "/MessageGroupId"), text(second, "/MessageGroupId"));
    assert!(queue::open::<Job>(text(first, "/MessageBody")).is_ok());
}

#[tokio::test]
async fn poison_is_parked_with_its_reason_and_the_rest_of_the_batch_goes_on() {
    let mut sqs = Sqs::start(INTENTS).await;
    let (good, poison) = (event("own-create.json"), event("poison-not-json.txt"));
    assert!(sqs.deliver(&[&poison, &good, &event("ignored-s3-test.json")]).await.is_empty());
    let sent = sqs.sent();
    let parked: Vec<&Value> = sent.iter().filter(|call| text(call, "/QueueUrl") == DEAD_LETTERS).collect();
    let [parked] = parked.as_slice() else { panic!("{sent:?}") };
    assert_eq!(text(parked, "/MessageBody"), poison);
    assert_eq!(text(parked, "/MessageAttributes/Reason/StringValue"), "it is not JSON (line 1, column 1)");
    assert_eq!(sent.iter().filter(|call| text(call, "/QueueUrl") == INTENTS).count(), 1);
}

#[tokio::test]
async fn of_a_message_with_one_broken_event_the_others_count_and_the_whole_is_parked() {
    let mut sqs = Sqs::start(INTENTS).await;
    let batch = json!([serde_json::from_str::<Value>(&event("own-create.json")).unwrap_or_default(), 7]).to_string();
    assert!(sqs.deliver(&[&batch]).await.is_empty());
    let queues: Vec<String> = sqs.sent().iter().map(|call| text(call, "/QueueUrl").to_owned()).collect();
    assert_eq!(queues, [INTENTS, DEAD_LETTERS]);
}

#[tokio::test]
async fn what_cannot_be_sent_on_comes_again() {
    let mut sqs = Sqs::start(DOWN).await;
    assert_eq!(sqs.deliver(&[&event("own-create.json"), &event("ignored-s3-test.json")]).await, ["m-0"]);
    assert!(sqs.sent().is_empty());
}

#[tokio::test]
async fn a_second_delivery_sends_the_same_intent() {
    let mut sqs = Sqs::start(INTENTS).await;
    let create = event("own-create-minimal.json");
    sqs.deliver(&[&create]).await;
    sqs.deliver(&[&create]).await;
    let sent = sqs.sent();
    let [first, second] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(first, second);
}
