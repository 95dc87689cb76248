//! What is on the queues: what a test drops there or puts back, and what it takes off where nobody else does, dead letters, notices and events.

use std::sync::Mutex;

use aws_sdk_sqs::types::{MessageSystemAttributeName, SendMessageBatchRequestEntry};
use serde_json::Value;

use super::World;
use crate::dispatcher::{hex, lock};
use crate::ministack::{Queue, QueueUrls};

/// A message that nobody could handle.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// As it was sent.
    pub body: String,
    /// Why it is there; empty where SQS moved it itself.
    pub reason: String,
    /// How often it was received before.
    pub receives: u32,
    /// Its group, where the queue is FIFO.
    pub group: Option<String>,
}

/// What Tocsin said where Slack is not needed.
#[derive(Debug, Clone)]
pub struct Notice {
    /// In a few words.
    pub subject: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl World {
    fn queue(&self, queue: Queue) -> &QueueUrls {
        self.resources.queues.get(&queue).expect("its queues")
    }

    /// The URL of a queue.
    pub fn queue_url(&self, queue: Queue) -> &str {
        &self.queue(queue).url
    }

    /// The URL of a queue's dead-letter queue.
    pub fn dead_letters_url(&self, queue: Queue) -> &str {
        &self.queue(queue).dead_letters
    }

    /// Puts a message on the incidents queue.
    pub async fn drops(&self, message: &Value) {
        self.drops_text(&message.to_string()).await;
    }

    /// Puts any text on the incidents queue.
    pub async fn drops_text(&self, text: &str) {
        self.queues_in(Queue::Incidents, text, None).await;
    }

    /// Puts up to ten messages onto the incidents queue at once.
    pub async fn drops_several(&self, messages: &[Value]) {
        self.drops_several_texts(&messages.iter().map(Value::to_string).collect::<Vec<_>>()).await;
    }

    /// The same for texts of any kind; together they take at most a megabyte.
    pub async fn drops_several_texts(&self, texts: &[String]) {
        let entries = texts.iter().enumerate().map(|(number, text)| {
            let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(text);
            entry.build().expect("an id and a body")
        });
        let send = self.aws.sqs.send_message_batch().queue_url(self.queue_url(Queue::Incidents)).set_entries(Some(entries.collect()));
        let answer = send.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
        assert!(answer.failed().is_empty(), "SQS did not take {:?}", answer.failed());
    }

    /// Puts a dead letter back onto its queue, as a redrive does: in its group, under a new deduplication id.
    pub async fn puts_back(&self, queue: Queue, letter: &DeadLetter) {
        self.queues_in(queue, &letter.body, letter.group.clone()).await;
    }

    /// Puts a job onto its queue as if SQS had never seen it.
    pub async fn queues_again(&self, queue: Queue, body: &str) {
        self.queues_in(queue, body, None).await;
    }

    async fn queues_in(&self, queue: Queue, body: &str, group: Option<String>) {
        let send = self.aws.sqs.send_message().queue_url(self.queue_url(queue)).message_body(body);
        let send = match queue {
            Queue::Incidents => send,
            Queue::Intents | Queue::Posts | Queue::Timeline | Queue::Calls => {
                send.message_group_id(group.unwrap_or_else(|| hex(16))).message_deduplication_id(hex(32))
            }
        };
        send.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
    }

    /// Receives everything that stands on a queue this many times, without doing anything about it: as if whatever handled it had died each time.
    /// Nothing else may receive from it meanwhile.
    pub async fn receives_in_vain(&self, queue: Queue, times: u32) {
        for _ in 0..times {
            let receive = self.aws.sqs.receive_message().queue_url(self.queue_url(queue)).max_number_of_messages(10).visibility_timeout(0);
            receive.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
        }
    }

    /// Waits for a message on a queue's dead-letter queue and takes it off.
    pub async fn takes_dead_letter(&self, queue: Queue) -> DeadLetter {
        let url = self.dead_letters_url(queue);
        let what = format!("a dead letter of {}", queue.name());
        self.until(&what, async || {
            let receive = self
                .aws
                .sqs
                .receive_message()
                .queue_url(url)
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::All);
            let received = receive.send().await.map_err(|error| format!("{error:?}"))?;
            let message = received.messages.and_then(|mut messages| messages.pop()).ok_or("none")?;
            let delete = self.aws.sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle().unwrap_or_default());
            delete.send().await.map_err(|error| format!("{error:?}"))?;
            lock(&self.memory.dead_letters).push(format!("{message:?}"));
            let attribute = |name: &str| message.message_attributes.as_ref().and_then(|all| all.get(name)?.string_value.clone());
            let reason = attribute("Reason").unwrap_or_default();
            let times = attribute("Receives").and_then(|text| text.parse().ok()).unwrap_or_default();
            let group = message.attributes.as_ref().and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId)).cloned();
            Ok(DeadLetter { body: message.body.clone().unwrap_or_default(), reason, receives: times, group })
        })
        .await
    }

    /// What Tocsin has said so far where Slack is not needed, oldest first.
    pub async fn notices(&self) -> Vec<Notice> {
        let Some(notices) = &self.resources.notices else { return Vec::new() };
        let notice = |said: &Value| {
            let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Notice { subject: text("Subject"), text: text("Message") }
        };
        self.takes_all(&notices.queue, &self.memory.notices).await.iter().map(notice).collect()
    }

    /// What has been told on the event bus so far, as it came.
    pub async fn events(&self) -> Vec<Value> {
        self.takes_all(&self.resources.bus.queue, &self.memory.events).await
    }

    /// Takes off a queue whatever is there, and gives it with all that was taken `before`.
    async fn takes_all(&self, queue: &str, before: &Mutex<Vec<Value>>) -> Vec<Value> {
        loop {
            let receive = self.aws.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
            let messages = receive.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}")).messages.unwrap_or_default();
            if messages.is_empty() {
                return lock(before).clone();
            }
            for message in messages {
                lock(before).push(serde_json::from_str(message.body().unwrap_or_default()).unwrap_or_default());
                let delete = self.aws.sqs.delete_message().queue_url(queue).receipt_handle(message.receipt_handle().unwrap_or_default());
                delete.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
            }
        }
    }
}
