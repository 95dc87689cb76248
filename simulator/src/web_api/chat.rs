//! `chat.*`: posting, changing and deleting messages.

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, ApiError, fields, limits};
use crate::clock;
use crate::installations::Caller;
use crate::messages::Message;
use crate::people::events;
use crate::state::State;
use crate::teams::Bot;
use crate::world::Channel;

/// Longer text is cut by Slack when a message is posted …
const TEXT_CUT: usize = 40_000;
/// … and refused when one is changed.
const UPDATE_TEXT: usize = 4000;
/// Size of a message's metadata.
const METADATA_BYTES: usize = 16 * 1024;

pub(super) fn post_message(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let content = Content::read(args)?;
    let channel = writable(state, caller, args, true)?;
    let mut message = content.into_message(&channel.id, &caller.bot);
    message.metadata = metadata(args)?;
    message.thread_ts = thread(state, &channel, args)?;
    message.broadcast = message.thread_ts.is_some() && args.flag("reply_broadcast");
    let message = state.post(message);
    for event in events::of_message(state, &message) {
        state.emit(&channel.team_id, event);
    }
    Ok(fields(json!({"channel": channel.id, "ts": message.ts, "message": message.to_slack(true)})))
}

pub(super) fn post_ephemeral(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let content = Content::read(args)?;
    let channel = writable(state, caller, args, false)?;
    let wanted = args.text("user").ok_or_else(|| ApiError::missing("user"))?;
    let user = caller.user(&state.world, &wanted).filter(|user| !user.deleted).ok_or("user_not_found")?;
    if !channel.members.contains(&user.id) {
        return Err("user_not_in_channel".into());
    }
    let mut message = content.into_message(&channel.id, &caller.bot);
    message.ephemeral_for = Some(wanted);
    message.thread_ts = args.text("thread_ts");
    let message = state.post(message);
    Ok(fields(json!({"message_ts": message.ts})))
}

pub(super) fn update(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let given = Content::parse(args)?;
    if given.is_empty() && args.get("blocks").is_none() && args.get("attachments").is_none() {
        return Err("no_text".into());
    }
    if given.text.chars().count() > UPDATE_TEXT {
        return Err("msg_too_long".into());
    }
    let new_metadata = metadata(args)?;
    let (channel, ts) = own_message(state, caller, args, "cant_update_message")?;
    let edited_ts = clock::ts(clock::micros());
    let before = state.world.messages.get(&channel.id, &ts).cloned();
    let message = state
        .change(&channel.id, &ts, |message| {
            if args.get("text").is_some() {
                message.text = given.text;
            }
            // What is left out stays as it is; an empty list removes.
            if args.get("blocks").is_some() {
                message.blocks = given.blocks;
            }
            if args.get("attachments").is_some() {
                message.attachments = given.attachments;
            }
            if new_metadata.is_some() {
                message.metadata = new_metadata;
            }
            message.edited = Some(json!({"user": caller.bot.user_id, "ts": edited_ts}));
        })
        .ok_or("message_not_found")?;
    let change = || {
        let before = before.map(|message| message.to_slack(false));
        json!({"subtype": "message_changed", "message": message.to_slack(false), "previous_message": before})
    };
    if let Some(event) = events::about_message(state, &channel, change) {
        state.emit(&channel.team_id, event);
    }
    Ok(fields(json!({"channel": channel.id, "ts": ts, "text": message.text, "message": message.to_slack(true)})))
}

pub(super) fn delete(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let (channel, ts) = own_message(state, caller, args, "cant_delete_message")?;
    let before = state.world.messages.get(&channel.id, &ts).cloned();
    state.remove(&channel.id, &ts);
    let change = || {
        let before = before.map(|message| message.to_slack(false));
        json!({"subtype": "message_deleted", "deleted_ts": ts, "previous_message": before})
    };
    if let Some(event) = events::about_message(state, &channel, change) {
        state.emit(&channel.team_id, event);
    }
    Ok(fields(json!({"channel": channel.id, "ts": ts})))
}

pub(super) fn permalink(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let wanted = args.text("channel").ok_or_else(|| ApiError::missing("channel"))?;
    let ts = args.text("message_ts").ok_or_else(|| ApiError::missing("message_ts"))?;
    let channel =
        caller.channel(&state.world, &wanted).filter(|channel| channel.is_member || !channel.is_private).ok_or("channel_not_found")?;
    let message =
        state.world.messages.get(&channel.id, &ts).filter(|message| message.ephemeral_for.is_none()).ok_or("message_not_found")?;
    let thread = message.thread_ts.as_ref().map(|thread_ts| format!("?thread_ts={thread_ts}&cid={}", channel.id)).unwrap_or_default();
    let domain = state.world.team(&channel.team_id).map_or("", |team| &team.domain);
    let link = format!("https://{domain}.slack.com/archives/{}/p{}{thread}", channel.id, ts.replace('.', ""));
    Ok(fields(json!({"channel": channel.id, "permalink": link})))
}

/// What a message shows.
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
}

impl Content {
    /// Reads and checks; nothing at all is an error.
    fn read(args: &Args) -> Result<Self, ApiError> {
        let content = Self::parse(args)?;
        if content.is_empty() { Err("no_text".into()) } else { Ok(content) }
    }

    fn parse(args: &Args) -> Result<Self, ApiError> {
        for name in ["blocks", "attachments"] {
            let is_list = args.get(name).is_none_or(Value::is_array);
            if !is_list || args.broken.iter().any(|broken| broken == name) {
                return Err(format!("invalid_{name}_format").as_str().into());
            }
        }
        let list = |name: &str| args.list(name).cloned().unwrap_or_default();
        let content = Self {
            text: args.get("text").and_then(Value::as_str).unwrap_or_default().chars().take(TEXT_CUT).collect(),
            blocks: list("blocks"),
            attachments: list("attachments"),
        };
        limits::check_message(&content.blocks, &content.attachments)?;
        Ok(content)
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.blocks.is_empty() && self.attachments.is_empty()
    }

    fn into_message(self, channel: &str, bot: &Bot) -> Message {
        Message { blocks: self.blocks, attachments: self.attachments, ..Message::by_bot(channel, bot, &self.text) }
    }
}

fn metadata(args: &Args) -> Result<Option<Value>, ApiError> {
    if args.broken.iter().any(|name| name == "metadata") {
        return Err("invalid_metadata_format".into());
    }
    let Some(metadata) = args.get("metadata") else { return Ok(None) };
    let has_type = metadata["event_type"].as_str().is_some_and(|kind| !kind.is_empty());
    if !has_type || !metadata["event_payload"].is_object() {
        return Err("invalid_metadata_schema".into());
    }
    if metadata.to_string().len() > METADATA_BYTES {
        return Err("metadata_too_large".into());
    }
    Ok(Some(metadata.clone()))
}

/// The channel to write into. Only new messages may name a person instead, whose direct message is opened then.
fn writable(state: &mut State, caller: &Caller, args: &Args, person_allowed: bool) -> Result<Channel, ApiError> {
    let wanted = args.text("channel").ok_or("channel_not_found")?;
    if let Some(user) = caller.user(&state.world, &wanted) {
        if !person_allowed || user.deleted || user.is_bot {
            return Err("channel_not_found".into());
        }
        let team = caller.team_for(user).to_owned();
        let id = state.direct_message(&wanted, &team);
        return state.world.channel(&id).cloned().ok_or_else(|| "channel_not_found".into());
    }
    let channel = caller.channel_by_id_or_name(&state.world, &wanted).ok_or("channel_not_found")?;
    if channel.is_private && !channel.is_member {
        // Slack does not say that a private channel exists.
        Err("channel_not_found".into())
    } else if channel.is_archived {
        Err("is_archived".into())
    } else if !channel.is_member && !caller.has_scope("chat:write.public") {
        Err("not_in_channel".into())
    } else {
        Ok(channel.clone())
    }
}

/// The thread to reply in: its first message, even when a reply was named.
fn thread(state: &State, channel: &Channel, args: &Args) -> Result<Option<String>, ApiError> {
    let Some(wanted) = args.text("thread_ts") else { return Ok(None) };
    let parent =
        state.world.messages.get(&channel.id, &wanted).filter(|message| message.ephemeral_for.is_none()).ok_or("thread_not_found")?;
    Ok(Some(parent.thread_ts.clone().unwrap_or(wanted)))
}

/// The message that is to be changed, which must be the bot's own.
fn own_message(state: &mut State, caller: &Caller, args: &Args, refusal: &str) -> Result<(Channel, String), ApiError> {
    let channel = writable(state, caller, args, false)?;
    let ts = args.text("ts").ok_or_else(|| ApiError::missing("ts"))?;
    let message =
        state.world.messages.get(&channel.id, &ts).filter(|message| message.ephemeral_for.is_none()).ok_or("message_not_found")?;
    if message.bot_id.as_deref() != Some(caller.bot.bot_id.as_str()) {
        return Err(refusal.into());
    }
    Ok((channel, ts))
}
