//! An event source mapping: receives from the real queue, invokes the function with batches, deletes what is done. What failed stays until its
//! visibility timeout ends. Of a FIFO queue, SQS itself hands out no further message of a group that is being worked on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Counted, Function, lock};
use crate::logs::Logs;
use crate::ministack::{REGION, arn};

/// As template.yaml has it.
const BATCH: i32 = 10;

/// What brings a function the messages of its queue.
#[derive(Debug)]
pub struct Mapping {
    running: watch::Sender<bool>,
    seen: Arc<Mutex<Vec<Value>>>,
    busy: Arc<AtomicUsize>,
    pollers: Vec<JoinHandle<()>>,
}

impl Drop for Mapping {
    fn drop(&mut self) {
        for poller in &self.pollers {
            poller.abort();
        }
    }
}

impl Mapping {
    /// As many batches at once as there are `pollers`.
    pub fn start(function: &Arc<Function>, sqs: &Client, url: &str, pollers: usize, logs: &Logs) -> Self {
        let (running, is_running) = watch::channel(true);
        let (seen, busy) = (Arc::default(), Arc::default());
        let poller = || {
            let poller = Poller {
                function: Arc::clone(function),
                sqs: sqs.clone(),
                url: url.to_owned(),
                running: is_running.clone(),
                seen: Arc::clone(&seen),
                busy: Arc::clone(&busy),
                logs: logs.clone(),
            };
            tokio::spawn(poller.run())
        };
        Self { pollers: (0..pollers).map(|_| poller()).collect(), running, seen, busy }
    }

    /// Receives no more from now on; what is being worked on is finished.
    pub fn pause(&self) {
        self.running.send_replace(false);
    }

    /// Receives no more, and waits until what was being received has come and is finished: what is sent from now on stands on its queue.
    pub async fn rest(&self) {
        self.pause();
        while self.busy.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Receives again.
    pub fn resume(&self) {
        self.running.send_replace(true);
    }

    /// Every record that was brought so far, in the form the function got it.
    pub fn seen(&self) -> Vec<Value> {
        lock(&self.seen).clone()
    }
}

struct Poller {
    function: Arc<Function>,
    sqs: Client,
    url: String,
    running: watch::Receiver<bool>,
    seen: Arc<Mutex<Vec<Value>>>,
    busy: Arc<AtomicUsize>,
    logs: Logs,
}

impl Poller {
    async fn run(mut self) {
        loop {
            if self.running.wait_for(|running| *running).await.is_err() {
                return;
            }
            let busy = Arc::clone(&self.busy);
            let _busy = Counted::up(&busy);
            // It may have been paused between the two lines above.
            if !*self.running.borrow() {
                continue;
            }
            if let Err(error) = self.batch().await {
                self.logs.push(self.function.name(), format!("event source mapping: {error}"));
                // ministack was busy; what was received comes again by itself.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }

    async fn batch(&self) -> Result<(), String> {
        let received = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(BATCH)
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| format!("{error:?}"))?;
        let messages = received.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok(());
        }
        let records: Vec<Value> = messages.iter().map(|message| record(message, &self.url)).collect();
        lock(&self.seen).extend(records.iter().cloned());
        // An error of the whole invocation, or the end of its process, leaves every message to come again.
        let Ok(answer) = self.function.call(&json!({ "Records": records })).await else { return Ok(()) };
        let Some(failed) = failures(&answer) else {
            self.logs.push(self.function.name(), format!("event source mapping: not a batch response: {answer}"));
            return Ok(());
        };
        let done = messages.iter().filter(|message| !failed.iter().any(|id| Some(id.as_str()) == message.message_id()));
        let entries: Result<Vec<_>, _> = done
            .enumerate()
            .map(|(number, message)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .build()
            })
            .collect();
        let entries = entries.map_err(|error| error.to_string())?;
        if !entries.is_empty() {
            self.sqs
                .delete_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| format!("{error:?}"))?;
        }
        Ok(())
    }
}

/// The ids that have to come again; `None` where the answer is not of the form that AWS asks for, which leaves the whole batch.
fn failures(answer: &Value) -> Option<Vec<String>> {
    let Some(failures) = answer.get("batchItemFailures") else { return answer.is_null().then(Vec::new) };
    let ids =
        failures.as_array()?.iter().map(|failure| failure.get("itemIdentifier")?.as_str().filter(|id| !id.is_empty()).map(str::to_owned));
    ids.collect()
}

/// A message in the form in which Lambda hands it to a function.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
fn record(message: &Message, url: &str) -> Value {
    let system = message.attributes.iter().flatten().map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect::<Map<_, _>>();
    let own = message.message_attributes.iter().flatten().map(|(name, value)| {
        let value = json!({
            "dataType": value.data_type,
            "stringValue": value.string_value,
            "stringListValues": [],
            "binaryListValues": [],
        });
        (name.clone(), value)
    });
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": system,
        "messageAttributes": own.collect::<Map<_, _>>(),
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn(url),
        "awsRegion": REGION,
    })
}
