//! Messages: one of them as Slack shows it, and all of them by channel, time and thread.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::fields::{Record, put};
use crate::teams::Bot;
use crate::world::APP_ID;

/// A message of a channel or of a thread, or one that only one person sees.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) channel: String,
    pub(crate) ts: String,
    /// The workspace of its channel.
    pub(crate) team: String,
    pub(crate) user: String,
    pub(crate) bot_id: Option<String>,
    pub(crate) app_id: Option<String>,
    /// How Slack tells it from an ordinary one, beside what its other fields say.
    pub(crate) subtype: Option<&'static str>,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
    /// Only on replies: the `ts` of the message they stand under.
    pub(crate) thread_ts: Option<String>,
    /// A reply that is shown in the channel as well.
    pub(crate) broadcast: bool,
    pub(crate) metadata: Option<Value>,
    pub(crate) edited: Option<Value>,
    /// The only person who sees it.
    pub(crate) ephemeral_for: Option<String>,
    pub(crate) reply_count: usize,
    pub(crate) latest_reply: Option<String>,
    pub(crate) reactions: Vec<Value>,
}

impl Message {
    /// A message by a person; `ts` and `team` are given when it is posted.
    pub(crate) fn by_person(channel: &str, user: &str, text: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            ts: String::new(),
            team: String::new(),
            user: user.to_owned(),
            bot_id: None,
            app_id: None,
            subtype: None,
            text: text.to_owned(),
            blocks: Vec::new(),
            attachments: Vec::new(),
            thread_ts: None,
            broadcast: false,
            metadata: None,
            edited: None,
            ephemeral_for: None,
            reply_count: 0,
            latest_reply: None,
            reactions: Vec::new(),
        }
    }

    /// A message by the app.
    pub(crate) fn by_bot(channel: &str, bot: &Bot, text: &str) -> Self {
        Self { bot_id: Some(bot.bot_id.clone()), app_id: Some(APP_ID.to_owned()), ..Self::by_person(channel, &bot.user_id, text) }
    }

    /// The message as the Web API and payloads to the app show it.
    pub(crate) fn to_slack(&self, with_metadata: bool) -> Value {
        let mut shape = Map::new();
        let mut put = |name: &str, value: Value| {
            shape.insert(name.to_owned(), value);
        };
        put("type", json!("message"));
        put("user", json!(self.user));
        put("ts", json!(self.ts));
        put("text", json!(self.text));
        put("team", json!(self.team));
        if let Some(bot_id) = &self.bot_id {
            put("bot_id", json!(bot_id));
            put("app_id", json!(self.app_id));
        }
        // Cloned rather than serialized anew: on a card this is most of the work.
        if !self.blocks.is_empty() {
            put("blocks", Value::Array(self.blocks.clone()));
        }
        if !self.attachments.is_empty() {
            put("attachments", Value::Array(self.attachments.clone()));
        }
        if let Some(thread_ts) = &self.thread_ts {
            put("thread_ts", json!(thread_ts));
        } else if self.reply_count > 0 {
            put("thread_ts", json!(self.ts));
            put("reply_count", json!(self.reply_count));
            put("latest_reply", json!(self.latest_reply));
        }
        if self.broadcast {
            put("subtype", json!("thread_broadcast"));
        } else if let Some(subtype) = self.subtype {
            put("subtype", json!(subtype));
        }
        if let Some(edited) = &self.edited {
            put("edited", edited.clone());
        }
        if !self.reactions.is_empty() {
            put("reactions", Value::Array(self.reactions.clone()));
        }
        if let (true, Some(metadata)) = (with_metadata, &self.metadata) {
            put("metadata", metadata.clone());
        }
        Value::Object(shape)
    }

    /// Whether this person sees it, given that they see the channel.
    pub(crate) fn visible_to(&self, user: &str) -> bool {
        self.ephemeral_for.as_deref().is_none_or(|only| only == user)
    }
}

impl Record for Message {
    const FIELDS: &'static [&'static str] = &[
        "channel",
        "ts",
        "team",
        "user",
        "bot_id",
        "app_id",
        "text",
        "blocks",
        "attachments",
        "thread_ts",
        "broadcast",
        "metadata",
        "edited",
        "ephemeral_for",
        "reply_count",
        "latest_reply",
        "reactions",
    ];

    fn write(&self, field: &str, json: &mut Vec<u8>) -> bool {
        match field {
            "channel" => put(json, &self.channel),
            "ts" => put(json, &self.ts),
            "team" => put(json, &self.team),
            "user" => put(json, &self.user),
            "bot_id" => put(json, &self.bot_id),
            "app_id" => put(json, &self.app_id),
            "text" => put(json, &self.text),
            "blocks" => put(json, &self.blocks),
            "attachments" => put(json, &self.attachments),
            "thread_ts" => put(json, &self.thread_ts),
            "broadcast" => put(json, &self.broadcast),
            "metadata" => put(json, &self.metadata),
            "edited" => put(json, &self.edited),
            "ephemeral_for" => put(json, &self.ephemeral_for),
            "reply_count" => put(json, &self.reply_count),
            "latest_reply" => put(json, &self.latest_reply),
            "reactions" => put(json, &self.reactions),
            _ => false,
        }
    }
}

/// All messages. Whoever reads many of them takes them along, so that nothing is written down while everybody else waits.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    channels: BTreeMap<String, InChannel>,
}

#[derive(Debug, Default)]
struct InChannel {
    by_ts: BTreeMap<String, Arc<Message>>,
    /// The replies under each message, by its `ts`.
    threads: HashMap<String, BTreeSet<String>>,
}

impl Messages {
    pub(crate) fn get(&self, channel: &str, ts: &str) -> Option<&Arc<Message>> {
        self.channels.get(channel)?.by_ts.get(ts)
    }

    /// Puts a message in its place, which its channel and `ts` name.
    pub(crate) fn insert(&mut self, message: Arc<Message>) {
        let channel = self.channels.entry(message.channel.clone()).or_default();
        if let Some(root) = &message.thread_ts {
            channel.threads.entry(root.clone()).or_default().insert(message.ts.clone());
        }
        channel.by_ts.insert(message.ts.clone(), message);
    }

    /// Changes a message in place, but not its channel, `ts` or thread. A reader who took it along keeps it as it was.
    pub(crate) fn change(&mut self, channel: &str, ts: &str, change: impl FnOnce(&mut Message)) -> Option<Arc<Message>> {
        let message = self.channels.get_mut(channel)?.by_ts.get_mut(ts)?;
        change(Arc::make_mut(message));
        Some(message.clone())
    }

    pub(crate) fn remove(&mut self, channel: &str, ts: &str) -> Option<Arc<Message>> {
        let channel = self.channels.get_mut(channel)?;
        let gone = channel.by_ts.remove(ts)?;
        if let Some(replies) = gone.thread_ts.as_ref().and_then(|root| channel.threads.get_mut(root)) {
            replies.remove(ts);
        }
        Some(gone)
    }

    /// The messages of one channel after and before a `ts`, oldest first.
    pub(crate) fn between(
        &self,
        channel: &str,
        from: Bound<&str>,
        to: Bound<&str>,
    ) -> impl DoubleEndedIterator<Item = &Arc<Message>> + use<'_> {
        let inside = self.channels.get(channel).filter(|_| is_range(from, to));
        let range = inside.map(|channel| channel.by_ts.range::<str, _>((from, to)));
        range.into_iter().flatten().map(|(_, message)| message)
    }

    /// The messages of one channel, oldest first.
    pub(crate) fn of(&self, channel: &str) -> impl DoubleEndedIterator<Item = &Arc<Message>> + use<'_> {
        self.between(channel, Bound::Unbounded, Bound::Unbounded)
    }

    /// A message and the replies under it, oldest first.
    pub(crate) fn thread(&self, channel: &str, root: &str) -> impl Iterator<Item = &Arc<Message>> + use<'_> {
        let channel = self.channels.get(channel);
        let first = channel.and_then(|channel| channel.by_ts.get(root));
        let replies = channel.and_then(|channel| Some((channel, channel.threads.get(root)?)));
        let replies = replies.into_iter().flat_map(|(channel, replies)| replies.iter().filter_map(|ts| channel.by_ts.get(ts)));
        first.into_iter().chain(replies)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.channels.values().flat_map(|channel| channel.by_ts.values())
    }
}

/// Whether a `ts` lies after one bound and before the other.
pub(crate) fn is_within(ts: &str, from: Bound<&str>, to: Bound<&str>) -> bool {
    let after = match from {
        Bound::Unbounded => true,
        Bound::Included(from) => ts >= from,
        Bound::Excluded(from) => ts > from,
    };
    let before = match to {
        Bound::Unbounded => true,
        Bound::Included(to) => ts <= to,
        Bound::Excluded(to) => ts < to,
    };
    after && before
}

/// A `BTreeMap` panics at a range that ends before it begins.
fn is_range(from: Bound<&str>, to: Bound<&str>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Excluded(from), Bound::Excluded(to)) => from < to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from <= to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(of: &[(&str, Option<&str>)]) -> Messages {
        let mut messages = Messages::default();
        for (ts, thread_ts) in of {
            let message =
                Message { ts: (*ts).to_owned(), thread_ts: thread_ts.map(str::to_owned), ..Message::by_person("C1", "U1", "text") };
            messages.insert(Arc::new(message));
        }
        messages
    }

    fn times<'a>(messages: impl Iterator<Item = &'a Arc<Message>>) -> Vec<&'a str> {
        messages.map(|message| message.ts.as_str()).collect()
    }

    #[test]
    fn a_range_that_is_none_is_empty() {
        let messages = messages(&[("1.0", None), ("2.0", None), ("3.0", None)]);
        let between = |from, to| times(messages.between("C1", from, to));
        assert_eq!(between(Bound::Excluded("1.0"), Bound::Included("3.0")), ["2.0", "3.0"]);
        assert!(between(Bound::Excluded("3.0"), Bound::Excluded("1.0")).is_empty());
        assert!(between(Bound::Excluded("1.0"), Bound::Excluded("1.0")).is_empty());
        assert!(times(messages.of("C2")).is_empty());
    }

    #[test]
    fn a_thread_is_its_first_message_and_what_stands_under_it() {
        let mut messages = messages(&[("1.0", None), ("2.0", None), ("3.0", Some("1.0")), ("4.0", Some("2.0")), ("5.0", Some("1.0"))]);
        assert_eq!(times(messages.thread("C1", "1.0")), ["1.0", "3.0", "5.0"]);
        messages.remove("C1", "3.0");
        assert_eq!(times(messages.thread("C1", "1.0")), ["1.0", "5.0"]);
    }
}
