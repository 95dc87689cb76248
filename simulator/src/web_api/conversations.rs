//! `conversations.*`: these take ids only, never names.

use std::ops::Bound;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::args::Args;
use super::{Answer, ApiError, fields, require_scope};
use crate::clock;
use crate::installations::Caller;
use crate::messages::{Message, is_within};
use crate::state::State;
use crate::world::Channel;

pub(super) fn history(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let channel = readable(state, caller, args, "history")?;
    let span = Span::read(args)?;
    // The newest page first; a cursor goes on before the last message of the page.
    let to = span.cursor.map_or(span.to, Bound::Excluded);
    let in_channel = |message: &&Arc<Message>| message.thread_ts.is_none() || message.broadcast;
    let newest_first = state.world.messages.between(&channel.id, text(&span.from), text(&to)).rev();
    Ok(page(newest_first.filter(|message| message.ephemeral_for.is_none()).filter(in_channel), args, 100))
}

pub(super) fn replies(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let channel = readable(state, caller, args, "history")?;
    let ts = args.text("ts").ok_or_else(|| ApiError::missing("ts"))?;
    let asked = state.world.messages.get(&channel.id, &ts).filter(|message| message.ephemeral_for.is_none()).ok_or("thread_not_found")?;
    let root = asked.thread_ts.clone().unwrap_or(ts);
    let span = Span::read(args)?;
    let from = span.cursor.map_or(span.from, Bound::Excluded);
    let within = |message: &&Arc<Message>| is_within(&message.ts, text(&from), text(&span.to));
    let thread = state.world.messages.thread(&channel.id, &root).filter(|message| message.ephemeral_for.is_none());
    Ok(page(thread.filter(within), args, 1000))
}

pub(super) fn info(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let channel = readable(state, caller, args, "read")?;
    Ok(fields(json!({"channel": shape(&channel)})))
}

pub(super) fn list(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let team = caller.listed_team(args.text("team_id"))?;
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
        caller.reaches(&channel.team_id)
            && team.as_ref().is_none_or(|team| channel.team_id == *team)
            && types.split(',').any(|wanted| wanted.trim() == kind)
            && (channel.is_member || !channel.is_private)
            && !(skip_archived && channel.is_archived)
    };
    let channels: Vec<Value> = state.world.channels.iter().filter(listed).map(shape).collect();
    Ok(fields(json!({"channels": channels, "response_metadata": {"next_cursor": ""}})))
}

/// `users.conversations`: of the channels that a person is in, those that are public or that the bot is in as well.
pub(super) fn of_user(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let wanted = args.text("user").ok_or_else(|| ApiError::missing("user: whose own channels a bot is in is not simulated"))?;
    let user = caller.user(&state.world, &wanted).ok_or("user_not_found")?;
    let team = caller.listed_team(args.text("team_id"))?;
    let types = args.text("types").unwrap_or_else(|| "public_channel".into());
    let kind = |channel: &Channel| if channel.is_private { "private_channel" } else { "public_channel" };
    let listed = |channel: &&Channel| {
        caller.reaches(&channel.team_id)
            && team.as_ref().is_none_or(|team| channel.team_id == *team)
            && !channel.is_im
            && types.split(',').any(|wanted| wanted.trim() == kind(channel))
            && channel.members.contains(&user.id)
            && (channel.is_member || !channel.is_private)
    };
    let channels: Vec<Value> = state.world.channels.iter().filter(listed).map(shape).collect();
    Ok(fields(json!({"channels": channels, "response_metadata": {"next_cursor": ""}})))
}

pub(super) fn members(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let channel = readable(state, caller, args, "read")?;
    Ok(fields(json!({"members": channel.members, "response_metadata": {"next_cursor": ""}})))
}

pub(super) fn open(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let wanted = args.text("users").ok_or_else(|| ApiError::missing("users"))?;
    if wanted.contains(',') {
        return Err(ApiError::missing("users: one person; group messages are not simulated"));
    }
    let user = caller.user(&state.world, &wanted).ok_or("user_not_found")?;
    if user.deleted {
        return Err("user_disabled".into());
    }
    let team = caller.team_for(user).to_owned();
    let already_open = state.world.channels.len();
    let id = state.direct_message(&wanted, &team);
    Ok(fields(json!({"channel": {"id": id}, "already_open": already_open == state.world.channels.len()})))
}

/// The conversation that is asked for, if the bot may look into it.
fn readable(state: &State, caller: &Caller, args: &Args, what: &str) -> Result<Channel, ApiError> {
    let wanted = args.text("channel").ok_or_else(|| ApiError::missing("channel"))?;
    let channel =
        caller.channel(&state.world, &wanted).filter(|channel| channel.is_member || !channel.is_private).ok_or("channel_not_found")?;
    let family = if channel.is_im {
        "im"
    } else if channel.is_private {
        "groups"
    } else {
        "channels"
    };
    require_scope(caller, &format!("{family}:{what}"))?;
    if what == "history" && !channel.is_member {
        return Err("not_in_channel".into());
    }
    Ok(channel.clone())
}

/// The part of a conversation that is asked for.
struct Span {
    from: Bound<String>,
    to: Bound<String>,
    /// The last message of the page before.
    cursor: Option<String>,
}

impl Span {
    fn read(args: &Args) -> Result<Self, ApiError> {
        let inclusive = args.flag("inclusive");
        let bound = |name: &str| match args.text(name).as_deref().and_then(clock::parse_ts).map(clock::ts) {
            None => Bound::Unbounded,
            Some(ts) if inclusive => Bound::Included(ts),
            Some(ts) => Bound::Excluded(ts),
        };
        let cursor =
            args.text("cursor").map(|cursor| cursor.strip_prefix("next:").map(str::to_owned).ok_or("invalid_cursor")).transpose()?;
        Ok(Self { from: bound("oldest"), to: bound("latest"), cursor })
    }
}

fn text(bound: &Bound<String>) -> Bound<&str> {
    bound.as_ref().map(String::as_str)
}

/// As many messages as were asked for, with a cursor to the rest.
fn page<'a>(mut messages: impl Iterator<Item = &'a Arc<Message>>, args: &Args, default_limit: u64) -> Map<String, Value> {
    let limit = usize::try_from(args.number("limit").unwrap_or(default_limit).clamp(1, 1000)).unwrap_or(1000);
    let with_metadata = args.flag("include_all_metadata");
    let shown: Vec<&Arc<Message>> = messages.by_ref().take(limit).collect();
    let has_more = messages.next().is_some();
    let next_cursor = shown.last().filter(|_| has_more).map(|last| format!("next:{}", last.ts)).unwrap_or_default();
    let shown: Vec<Value> = shown.into_iter().map(|message| message.to_slack(with_metadata)).collect();
    fields(json!({"messages": shown, "has_more": has_more, "response_metadata": {"next_cursor": next_cursor}}))
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
