//! `conversations.*`: these take ids only, never names.

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, ApiError, fields, require_scope};
use crate::clock;
use crate::state::State;
use crate::world::{Channel, Message};

pub(super) fn history(state: &mut State, args: &Args) -> Answer {
    let channel = readable(state, args, "history")?;
    let in_channel = |message: &&Message| message.thread_ts.is_none() || message.broadcast;
    let newest_first: Vec<&Message> =
        state.world.channel_messages(&channel.id).rev().filter(|message| message.ephemeral_for.is_none()).filter(in_channel).collect();
    page(&newest_first, args, 100)
}

pub(super) fn replies(state: &mut State, args: &Args) -> Answer {
    let channel = readable(state, args, "history")?;
    let ts = args.text("ts").ok_or_else(|| ApiError::missing("ts"))?;
    let asked = state.world.message(&channel.id, &ts).filter(|message| message.ephemeral_for.is_none()).ok_or("thread_not_found")?;
    let root = asked.thread_ts.clone().unwrap_or(ts);
    let thread: Vec<&Message> = state
        .world
        .channel_messages(&channel.id)
        .filter(|message| message.ephemeral_for.is_none())
        .filter(|message| message.ts == root || message.thread_ts.as_deref() == Some(&root))
        .collect();
    page(&thread, args, 1000)
}

pub(super) fn info(state: &mut State, args: &Args) -> Answer {
    let channel = readable(state, args, "read")?;
    Ok(fields(json!({"channel": shape(&channel)})))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every method")]
pub(super) fn list(state: &mut State, args: &Args) -> Answer {
    let types = args.text("types").unwrap_or_else(|| "public_channel".into());
    let skip_archived = args.flag("exclude_archived");
    let listed = |channel: &&Channel| {
        let kind = if channel.is_im {
            "im"
        } else if channel.is_private {
            "private_channel"
        } else {
            "public_channel"
        };
        types.split(',').any(|wanted| wanted.trim() == kind)
            && (channel.is_member || !channel.is_private)
            && !(skip_archived && channel.is_archived)
    };
    let channels: Vec<Value> = state.world.channels.iter().filter(listed).map(shape).collect();
    Ok(fields(json!({"channels": channels, "response_metadata": {"next_cursor": ""}})))
}

pub(super) fn members(state: &mut State, args: &Args) -> Answer {
    let channel = readable(state, args, "read")?;
    Ok(fields(json!({"members": channel.members, "response_metadata": {"next_cursor": ""}})))
}

pub(super) fn open(state: &mut State, args: &Args) -> Answer {
    let wanted = args.text("users").ok_or_else(|| ApiError::missing("users"))?;
    if wanted.contains(',') {
        return Err(ApiError::missing("users: one person; group messages are not simulated"));
    }
    let user = state.world.users.iter().find(|user| user.id == wanted).ok_or("user_not_found")?;
    if user.deleted {
        return Err("user_disabled".into());
    }
    let already_open = state.world.channels.len();
    let id = state.direct_message(&wanted);
    Ok(fields(json!({"channel": {"id": id}, "already_open": already_open == state.world.channels.len()})))
}

/// The conversation that is asked for, if the bot may look into it.
fn readable(state: &State, args: &Args, what: &str) -> Result<Channel, ApiError> {
    let wanted = args.text("channel").ok_or_else(|| ApiError::missing("channel"))?;
    let channel = state.world.channel(&wanted).filter(|channel| channel.is_member || !channel.is_private).ok_or("channel_not_found")?;
    let family = if channel.is_im {
        "im"
    } else if channel.is_private {
        "groups"
    } else {
        "channels"
    };
    require_scope(state, &format!("{family}:{what}"))?;
    if what == "history" && !channel.is_member {
        return Err("not_in_channel".into());
    }
    Ok(channel.clone())
}

/// A page of messages between `oldest` and `latest`, with a cursor to the rest. Cursors are positions.
fn page(messages: &[&Message], args: &Args, default_limit: u64) -> Answer {
    let inclusive = args.flag("inclusive");
    let bound = |name: &str| args.text(name).as_deref().and_then(clock::parse_ts);
    let (oldest, latest) = (bound("oldest"), bound("latest"));
    let within = |message: &&&Message| {
        let at = clock::parse_ts(&message.ts).unwrap_or_default();
        oldest.is_none_or(|oldest| at > oldest || (inclusive && at == oldest))
            && latest.is_none_or(|latest| at < latest || (inclusive && at == latest))
    };
    let matching: Vec<&&Message> = messages.iter().filter(within).collect();
    let limit = usize::try_from(args.number("limit").unwrap_or(default_limit).clamp(1, 1000)).unwrap_or(1000);
    let start = match args.text("cursor") {
        None => 0,
        Some(cursor) => cursor.strip_prefix("next:").and_then(|position| position.parse::<usize>().ok()).ok_or("invalid_cursor")?,
    };
    let with_metadata = args.flag("include_all_metadata");
    let shown: Vec<Value> = matching.iter().skip(start).take(limit).map(|message| message.to_slack(with_metadata)).collect();
    let end = start + shown.len();
    let has_more = end < matching.len();
    let next_cursor = if has_more { format!("next:{end}") } else { String::new() };
    Ok(fields(json!({"messages": shown, "has_more": has_more, "response_metadata": {"next_cursor": next_cursor}})))
}

fn shape(channel: &Channel) -> Value {
    let mut shape = json!({
        "id": channel.id, "name": channel.name, "name_normalized": channel.name, "is_channel": !channel.is_im && !channel.is_private,
        "is_group": channel.is_private && !channel.is_im, "is_im": channel.is_im, "is_mpim": false, "is_private": channel.is_private,
        "is_archived": channel.is_archived, "is_member": channel.is_member, "is_shared": false, "is_ext_shared": false, "created": 1_700_000_000,
    });
    if let Some(user) = &channel.user {
        shape["user"] = json!(user);
    }
    shape
}
