//! What stands in the simulated workspace: people, channels, messages, open modals.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock;

/// The workspace that the app is installed in.
pub(crate) const TEAM: &str = "T0TOCSIN";
/// Its name in web addresses.
pub(crate) const TEAM_DOMAIN: &str = "tocsin";
/// A workspace that shares a channel with it (Slack Connect).
pub(crate) const OTHER_TEAM: &str = "T0OTHER";
pub(crate) const BOT_USER: &str = "U0BOT";
pub(crate) const BOT_ID: &str = "B0TOCSIN";
pub(crate) const APP_ID: &str = "A0TOCSIN";
/// Slack's own voice: it tells a person that the app did not answer.
pub(crate) const SLACKBOT: &str = "USLACKBOT";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are Slack's own flags of a user")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) real_name: String,
    pub(crate) email: Option<String>,
    pub(crate) team_id: String,
    pub(crate) deleted: bool,
    pub(crate) is_restricted: bool,
    pub(crate) is_ultra_restricted: bool,
    pub(crate) is_stranger: bool,
    pub(crate) is_bot: bool,
    pub(crate) tz: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are Slack's own flags of a conversation")]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_private: bool,
    pub(crate) is_archived: bool,
    pub(crate) is_im: bool,
    /// The person on the other side of a direct message with the bot.
    pub(crate) user: Option<String>,
    /// Whether the bot is in it.
    pub(crate) is_member: bool,
    pub(crate) members: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) channel: String,
    pub(crate) ts: String,
    pub(crate) user: String,
    pub(crate) bot_id: Option<String>,
    pub(crate) app_id: Option<String>,
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
    /// A message by a person or, with `user` being the bot's, by the app.
    pub(crate) fn new(channel: &str, user: &str, text: &str) -> Self {
        let by_bot = user == BOT_USER;
        Self {
            channel: channel.to_owned(),
            ts: String::new(),
            user: user.to_owned(),
            bot_id: by_bot.then(|| BOT_ID.to_owned()),
            app_id: by_bot.then(|| APP_ID.to_owned()),
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

    /// The message as the Web API and payloads to the app show it.
    pub(crate) fn to_slack(&self, with_metadata: bool) -> Value {
        let mut shape = json!({
            "type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": TEAM,
        });
        let mut put = |name: &str, value: Value| {
            shape[name] = value;
        };
        if let Some(bot_id) = &self.bot_id {
            put("bot_id", json!(bot_id));
            put("app_id", json!(self.app_id));
        }
        if !self.blocks.is_empty() {
            put("blocks", json!(self.blocks));
        }
        if !self.attachments.is_empty() {
            put("attachments", json!(self.attachments));
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
        }
        if let Some(edited) = &self.edited {
            put("edited", edited.clone());
        }
        if !self.reactions.is_empty() {
            put("reactions", json!(self.reactions));
        }
        if let (true, Some(metadata)) = (with_metadata, &self.metadata) {
            put("metadata", metadata.clone());
        }
        shape
    }

    /// Whether this person sees it, given that they see the channel.
    pub(crate) fn visible_to(&self, user: &str) -> bool {
        self.ephemeral_for.as_deref().is_none_or(|only| only == user)
    }
}

/// A modal on somebody's screen.
#[derive(Debug, Clone)]
pub(crate) struct OpenView {
    /// Slack's view object.
    pub(crate) view: Value,
    /// What the last submission was refused for, by block; `_` stands for the whole modal.
    pub(crate) errors: BTreeMap<String, String>,
}

impl OpenView {
    pub(crate) fn id(&self) -> &str {
        self.view["id"].as_str().unwrap_or_default()
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut view = self.view.clone();
        view["errors"] = json!(self.errors);
        view
    }
}

/// The workspace as it stands.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) users: Vec<User>,
    pub(crate) channels: Vec<Channel>,
    /// By channel and `ts`.
    pub(crate) messages: BTreeMap<(String, String), Message>,
    pub(crate) views: BTreeMap<String, Vec<OpenView>>,
    pub(crate) homes: BTreeMap<String, Value>,
    last_ts: HashMap<String, u64>,
    counter: u64,
}

impl World {
    /// The workspace as it starts: see the README of this folder.
    pub(crate) fn start() -> Self {
        let mut world = Self {
            users: start_users(),
            channels: Vec::new(),
            messages: BTreeMap::new(),
            views: BTreeMap::new(),
            homes: BTreeMap::new(),
            last_ts: HashMap::new(),
            counter: 0,
        };
        let everybody = ["U0JANE", "U0OMAR", "U0LENA"];
        let with_bot =
            |more: &[&str]| -> Vec<String> { everybody.iter().chain(more).chain(&[BOT_USER]).map(|id| (*id).to_owned()).collect() };
        let channel = |id: &str, name: &str, members: Vec<String>| Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            is_private: false,
            is_archived: false,
            is_im: false,
            user: None,
            is_member: members.iter().any(|member| member == BOT_USER),
            members,
        };
        let without_bot: Vec<String> = everybody.iter().map(|id| (*id).to_owned()).collect();
        world.channels = vec![
            channel("C0INCIDENTS", "incidents", with_bot(&["U0GUEST", "U0EXT"])),
            channel("C0PAYMENTS", "payments", with_bot(&[])),
            channel("C0GENERAL", "general", with_bot(&["U0GUEST"])),
            channel("C0RANDOM", "random", without_bot.clone()),
            Channel { is_private: true, ..channel("C0SECURITY", "security", without_bot) },
            Channel { is_archived: true, ..channel("C0OLD", "old", with_bot(&[])) },
        ];
        world
    }

    /// A number never given before in this world.
    pub(crate) fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The next `ts` of a channel: the real time, and always later than the one before.
    pub(crate) fn next_ts(&mut self, channel: &str) -> String {
        let last = self.last_ts.entry(channel.to_owned()).or_default();
        let now = clock::micros() / 100 * 100;
        *last = now.max(*last + 100);
        clock::ts(*last)
    }

    pub(crate) fn user(&self, id_or_name: &str) -> Option<&User> {
        let name = id_or_name.trim_start_matches('@');
        self.users.iter().find(|user| user.id == id_or_name).or_else(|| self.users.iter().find(|user| user.name == name))
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    /// A channel by its id, or by its name with or without `#`.
    pub(crate) fn channel_by_id_or_name(&self, wanted: &str) -> Option<&Channel> {
        let name = wanted.trim_start_matches('#');
        self.channel(wanted).or_else(|| self.channels.iter().find(|channel| !channel.is_im && channel.name == name))
    }

    /// The direct message between the bot and a person; it comes into being when first asked for.
    pub(crate) fn direct_message(&mut self, user: &str) -> Channel {
        let id = format!("D{}", user.trim_start_matches(['U', 'W']));
        if let Some(channel) = self.channel(&id) {
            return channel.clone();
        }
        let channel = Channel {
            id,
            name: user.to_owned(),
            is_private: true,
            is_archived: false,
            is_im: true,
            user: Some(user.to_owned()),
            is_member: true,
            members: vec![user.to_owned(), BOT_USER.to_owned()],
        };
        self.channels.push(channel.clone());
        channel
    }

    pub(crate) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.get(&(channel.to_owned(), ts.to_owned()))
    }

    pub(crate) fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.messages.get_mut(&(channel.to_owned(), ts.to_owned()))
    }

    /// The messages of one channel, oldest first.
    pub(crate) fn channel_messages<'a>(&'a self, channel: &'a str) -> impl DoubleEndedIterator<Item = &'a Message> {
        let first = (channel.to_owned(), String::new());
        self.messages
            .range(first..)
            .take_while(move |((of, _), _)| of == channel)
            .map(|(_, message)| message)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Whether a person may look into a channel.
    pub(crate) fn sees(&self, user: &str, channel: &Channel) -> bool {
        let Some(user) = self.user(user) else { return false };
        let open_to_all = !channel.is_private && !user.is_restricted && !user.is_ultra_restricted && user.team_id == TEAM;
        open_to_all || channel.members.contains(&user.id)
    }

    /// Gives ids to what Slack gives ids to: blocks, attachments and the blocks within them.
    pub(crate) fn complete(&mut self, blocks: &mut [Value], attachments: &mut [Value]) {
        for block in blocks {
            self.complete_block(block);
        }
        for (index, attachment) in attachments.iter_mut().enumerate() {
            if let Some(inner) = attachment["blocks"].as_array_mut() {
                for block in inner {
                    self.complete_block(block);
                }
            }
            attachment["id"] = json!(index + 1);
            if attachment.get("fallback").is_none_or(Value::is_null) {
                attachment["fallback"] = json!("[no preview available]");
            }
            if let Some(colour) = attachment["color"].as_str().and_then(|colour| colour.strip_prefix('#')) {
                attachment["color"] = json!(colour);
            } else if attachment["color"].is_null()
                && let Some(fields) = attachment.as_object_mut()
            {
                fields.remove("color");
            }
        }
    }

    fn complete_block(&mut self, block: &mut Value) {
        let is_missing = block["block_id"].as_str().is_none_or(str::is_empty);
        if is_missing && block.is_object() {
            block["block_id"] = json!(format!("b{:04}", self.number()));
        }
    }
}

fn start_users() -> Vec<User> {
    let person = |id: &str, name: &str, real_name: &str, tz: &str| User {
        id: id.to_owned(),
        name: name.to_owned(),
        real_name: real_name.to_owned(),
        email: Some(format!("{name}@example.com")),
        team_id: TEAM.to_owned(),
        deleted: false,
        is_restricted: false,
        is_ultra_restricted: false,
        is_stranger: false,
        is_bot: false,
        tz: tz.to_owned(),
    };
    vec![
        person("U0JANE", "jane", "Jane Doe", "Europe/London"),
        person("U0OMAR", "omar", "Omar Haddad", "Africa/Cairo"),
        person("U0LENA", "lena", "Lena Fischer", "Europe/Berlin"),
        User { is_restricted: true, ..person("U0GUEST", "guest", "Gus Guest", "Europe/London") },
        User { deleted: true, ..person("U0GONE", "gone", "Gina Gone", "Europe/London") },
        User {
            is_stranger: true,
            team_id: OTHER_TEAM.to_owned(),
            email: None,
            ..person("U0EXT", "ext", "Eve External", "America/New_York")
        },
        User { is_bot: true, email: None, ..person(BOT_USER, "tocsin", "Tocsin", "Etc/UTC") },
        User { is_bot: true, email: None, ..person(SLACKBOT, "slackbot", "Slackbot", "Etc/UTC") },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ts_is_unique_in_its_channel_and_rises() {
        let mut world = World::start();
        let mut last = String::new();
        for _ in 0..1000 {
            let ts = world.next_ts("C0INCIDENTS");
            assert!(ts > last, "{ts} after {last}");
            last = ts;
        }
    }

    #[test]
    fn private_channels_are_seen_by_members_only_and_guests_see_only_theirs() {
        let world = World::start();
        let channel = |name| world.channel_by_id_or_name(name).cloned().unwrap_or_else(|| panic!("no {name}"));
        assert!(world.sees("U0JANE", &channel("security")));
        assert!(!world.sees("U0GUEST", &channel("#payments")));
        assert!(world.sees("U0EXT", &channel("incidents")));
        assert!(!world.sees("U0EXT", &channel("general")));
    }
}
