//! The card of an incident, as people see it in a channel.

use serde_json::Value;

use crate::slack::{Button, Message};
use crate::world::World;

/// One live message.
#[derive(Debug, Clone)]
pub struct Card<'w> {
    pub(crate) world: &'w World,
    /// The channel's id.
    pub channel: String,
    /// The message.
    pub ts: String,
    /// The incident it shows.
    pub incident: String,
}

impl Card<'_> {
    /// The message as it stands now.
    pub async fn message(&self) -> Message {
        let found =
            self.world.slack.messages().await.into_iter().find(|message| message.ts() == self.ts && message.channel() == self.channel);
        found.unwrap_or_else(|| panic!("the card of {} is gone", self.incident))
    }

    /// Waits until `text` can be read on the card.
    pub async fn shows(&self, text: &str) -> Message {
        self.becomes(&format!("the card of {} shows {text:?}", self.incident), |message| message.reads().contains(text)).await
    }

    /// Waits until the card has exactly these buttons that act; links are not counted.
    pub async fn has_buttons(&self, labels: &[&str]) -> Message {
        let what = format!("the card of {} has the buttons {labels:?}", self.incident);
        self.becomes(&what, |message| acting(message).iter().map(|button| button.label.as_str()).eq(labels.iter().copied())).await
    }

    /// Waits until the card is as `holds` wants it.
    pub async fn becomes(&self, what: &str, holds: impl Fn(&Message) -> bool) -> Message {
        self.world
            .until(what, async || {
                let message = self.message().await;
                if holds(&message) { Ok(message) } else { Err(format!("{}\nbuttons: {:?}", message.reads(), message.labels())) }
            })
            .await
    }

    /// The replies in its thread so far, oldest first.
    pub async fn thread(&self) -> Vec<Message> {
        let messages = self.world.slack.messages().await;
        let ours =
            |message: &Message| message.thread() == Some(&self.ts) && message.channel() == self.channel && message.only_for().is_none();
        messages.into_iter().filter(ours).collect()
    }

    /// Waits for a thread of `count` replies, lets everything settle, and checks that there are no more.
    pub async fn thread_of(&self, count: usize) -> Vec<Message> {
        let what = format!("a thread of {count} under the card of {}", self.incident);
        self.world
            .until(&what, async || {
                let thread = self.thread().await;
                if thread.len() >= count { Ok(()) } else { Err(readable(&thread)) }
            })
            .await;
        self.world.settled().await;
        let thread = self.thread().await;
        assert_eq!(thread.len(), count, "{what}, but there is:\n{}", readable(&thread));
        thread
    }

    /// The lines of its timeline, oldest first, as they are kept.
    pub async fn timeline(&self) -> Vec<Value> {
        self.world.timeline(&self.incident).await
    }

    /// How often something of this kind (`acknowledged`, `resolved`, `noted` …) took effect, by its timeline.
    pub async fn times(&self, what: &str) -> usize {
        let timeline = self.timeline().await;
        timeline.iter().filter(|entry| is_what(entry, what) && entry.get("fate").and_then(Value::as_str) == Some("done")).count()
    }
}

/// Whether a line of the timeline is of this kind: a name for what carries nothing, else an object with that name.
pub fn is_what(entry: &Value, what: &str) -> bool {
    let kind = entry.get("what");
    kind.and_then(Value::as_str) == Some(what) || kind.is_some_and(|kind| kind.get(what).is_some())
}

/// The buttons that do something here, unlike links.
pub fn acting(message: &Message) -> Vec<Button> {
    message.buttons().into_iter().filter(|button| button.url.is_none()).collect()
}

/// Messages one after the other, for a failure.
pub fn readable(messages: &[Message]) -> String {
    let lines: Vec<_> = messages.iter().map(|message| format!("- {}", message.reads().replace('\n', " | "))).collect();
    lines.join("\n")
}
