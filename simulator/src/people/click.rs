//! Buttons, menus and pickers, of messages, of modals and of Home: `block_actions`; and shortcuts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::modal::fill_in;
use super::{Done, Home, Refused, VERIFICATION_TOKEN, actor, channel_for, channel_name, complaint, report, user_shape};
use crate::clock;
use crate::messages::Message;
use crate::outbound::{deliver_copies, keep};
use crate::state::{Payload, ResponseUrl, Slack, State, Target};
use crate::web_api::limits::elements_of;
use crate::world::{APP_ID, Channel, User};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wish {
    user: String,
    channel: Option<String>,
    ts: Option<String>,
    view_id: Option<String>,
    action_id: String,
    block_id: Option<String>,
    value: Option<String>,
    selected: Option<Value>,
    /// What is typed into the modal so far.
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, Value>>,
    #[serde(default)]
    deliveries: usize,
}

/// A person uses an element of a message or of an open modal.
pub(crate) async fn run(slack: &Arc<Slack>, wish: Wish) -> Done {
    let prepared = prepare(slack, &wish)?;
    let payload = keep(slack, prepared.payload);
    let deliveries = deliver_copies(slack, &payload, wish.deliveries).await;
    let mut state = slack.lock();
    if let (Some(complaint), Some(channel), Some(user)) = (deliveries.first().and_then(complaint), &payload.channel, &payload.user) {
        state.slackbot_says(user, channel, &format!("This app did not respond to the click: \"{complaint}\""));
    }
    let mut report = report(&deliveries);
    report["trigger"] = state.trigger_fate(&prepared.trigger);
    report["response_url"] = json!(prepared.response_url);
    report["action_ts"] = json!(prepared.action_ts);
    Ok(report)
}

struct Prepared {
    payload: Payload,
    trigger: String,
    response_url: Option<String>,
    action_ts: String,
}

fn prepare(slack: &Slack, wish: &Wish) -> Result<Prepared, Refused> {
    let mut state = slack.lock();
    let user = actor(&state, &wish.user)?;
    let action_ts = clock::ts(clock::micros());
    let mut body = base(&state, "block_actions", &user);
    let mut response_url = None;
    let mut channel_id = None;
    let mut team = user.team_id.clone();
    let found = if let Some(view_id) = &wish.view_id {
        let open_views = state.world.views.get(&user.id);
        let modal = open_views.and_then(|views| views.iter().find(|open| open.id() == view_id)).map(|open| open.view.clone());
        let view = modal.or_else(|| state.world.homes.get(&user.id).filter(|home| home["id"] == *view_id).cloned());
        let mut view = view.ok_or_else(|| Refused::not_found(format!("{} sees no such view", user.name)))?;
        view["state"] = json!({"values": fill_in(&view, &wish.values).0});
        let found = find(&view["blocks"], None, wish)?;
        body.insert("container".into(), json!({"type": "view", "view_id": view_id}));
        body.insert("view".into(), view);
        found
    } else {
        let (channel, message) = message_of(&state, &user, wish)?;
        let found = find_in_message(&message, wish)?;
        let url = ResponseUrl {
            user: user.id.clone(),
            team: channel.team_id.clone(),
            channel: channel.id.clone(),
            original: Some(message.ts.clone()),
            thread_ts: message.thread_ts.clone(),
            of: "block_actions",
            at: clock::millis(),
            uses: 0,
        };
        let address = state.new_response_url(slack.base_url(), url);
        put_message(&mut body, &channel, &message, found.attachment, &address);
        response_url = Some(address);
        channel_id = Some(channel.id);
        team = channel.team_id;
        found
    };
    let trigger = state.new_trigger(&user.id, &team);
    body.insert("trigger_id".into(), json!(trigger));
    let action = action(&found, wish, &action_ts);
    let mut values = json!({});
    if let Some(chosen) = state_of(&action) {
        values[&found.block_id][&wish.action_id] = chosen;
    }
    body.insert("state".into(), json!({"values": values}));
    body.insert("actions".into(), json!([action]));
    let payload = interaction("block_actions", &wish.action_id, &user, channel_id, &Value::Object(body));
    Ok(Prepared { payload, trigger, response_url, action_ts })
}

/// The fields that all interaction payloads share.
pub(super) fn base(state: &State, kind: &str, user: &User) -> Map<String, Value> {
    let home = Home::of(state, user);
    let mut body = Map::new();
    body.insert("type".into(), json!(kind));
    body.insert("user".into(), user_shape(user));
    body.insert("api_app_id".into(), json!(APP_ID));
    body.insert("token".into(), json!(VERIFICATION_TOKEN));
    body.insert("team".into(), home.team_shape());
    body.insert("enterprise".into(), home.enterprise_shape());
    body.insert("is_enterprise_install".into(), json!(home.is_org_wide()));
    body
}

/// A form with the one field `payload`.
pub(super) fn interaction(kind: &'static str, type_name: &str, user: &User, channel: Option<String>, body: &Value) -> Payload {
    Payload {
        id: String::new(),
        kind,
        type_name: type_name.to_owned(),
        user: Some(user.id.clone()),
        channel,
        to: Target::Interactions,
        content_type: "application/x-www-form-urlencoded".into(),
        body: form_urlencoded::Serializer::new(String::new()).append_pair("payload", &body.to_string()).finish(),
        signed: true,
    }
}

fn message_of(state: &State, user: &User, wish: &Wish) -> Result<(Channel, Arc<Message>), Refused> {
    let (Some(channel), Some(ts)) = (&wish.channel, &wish.ts) else {
        return Err(Refused::bad("name either channel and ts, or view_id"));
    };
    let channel = channel_for(state, user, channel)?;
    let message = state.world.messages.get(&channel.id, ts).filter(|message| message.visible_to(&user.id));
    let message = message.ok_or_else(|| Refused::not_found(format!("{} sees no message {ts} in #{}", user.name, channel.name)))?.clone();
    Ok((channel, message))
}

fn put_message(body: &mut Map<String, Value>, channel: &Channel, message: &Message, attachment: Option<u64>, response_url: &str) {
    let is_ephemeral = message.ephemeral_for.is_some();
    let mut container = json!({
        "type": if attachment.is_some() { "message_attachment" } else { "message" },
        "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": is_ephemeral,
    });
    if let Some(attachment) = attachment {
        container["attachment_id"] = json!(attachment);
        container["is_app_unfurl"] = json!(false);
    }
    if let Some(thread_ts) = &message.thread_ts {
        container["thread_ts"] = json!(thread_ts);
    }
    body.insert("container".into(), container);
    body.insert("channel".into(), json!({"id": channel.id, "name": channel_name(channel)}));
    if !is_ephemeral {
        body.insert("message".into(), message.to_slack(false));
    }
    body.insert("response_url".into(), json!(response_url));
}

/// An element and where it stands.
struct Found {
    element: Value,
    block_id: String,
    /// The number of the attachment that holds its block.
    attachment: Option<u64>,
}

fn find_in_message(message: &Message, wish: &Wish) -> Result<Found, Refused> {
    find(&json!(message.blocks), None, wish).or_else(|error| {
        let in_attachments =
            message.attachments.iter().find_map(|attachment| find(&attachment["blocks"], attachment["id"].as_u64(), wish).ok());
        in_attachments.ok_or(error)
    })
}

fn find(blocks: &Value, attachment: Option<u64>, wish: &Wish) -> Result<Found, Refused> {
    let fits = |block: &Value, element: &Value| {
        element["action_id"] == wish.action_id
            && wish.block_id.as_ref().is_none_or(|block_id| block["block_id"] == *block_id)
            && wish.value.as_ref().is_none_or(|value| element["value"] == *value)
    };
    for block in blocks.as_array().into_iter().flatten() {
        if let Some(element) = elements_of(block).find(|element| fits(block, element)) {
            let block_id = block["block_id"].as_str().unwrap_or_default().to_owned();
            return Ok(Found { element: element.clone(), block_id, attachment });
        }
    }
    Err(Refused::not_found(format!("there is no element {} to click on", wish.action_id)))
}

/// The entry in `actions`.
fn action(found: &Found, wish: &Wish, action_ts: &str) -> Value {
    let element = &found.element;
    let mut action = json!({
        "action_id": element["action_id"], "block_id": found.block_id, "type": element["type"], "action_ts": action_ts,
    });
    for name in ["text", "value", "style", "url"] {
        if element["type"] == "button" && !element[name].is_null() {
            action[name] = element[name].clone();
        }
    }
    if let Some(selected) = &wish.selected
        && let Some(chosen) = super::modal::input_value(element, selected)
    {
        for (name, value) in chosen.as_object().into_iter().flatten() {
            action[name] = value.clone();
        }
    }
    action
}

/// What a stateful element shows after the action; buttons have no state.
fn state_of(action: &Value) -> Option<Value> {
    let mut value = Map::new();
    value.insert("type".into(), action["type"].clone());
    for (name, chosen) in action.as_object()?.iter().filter(|(name, _)| name.starts_with("selected_")) {
        value.insert(name.clone(), chosen.clone());
    }
    (value.len() > 1).then_some(Value::Object(value))
}

#[derive(Debug, Deserialize)]
pub(crate) struct ShortcutWish {
    user: String,
    callback_id: String,
    /// A message shortcut: at which message.
    channel: Option<String>,
    ts: Option<String>,
    #[serde(default)]
    deliveries: usize,
}

/// A person picks a global shortcut, or the shortcut of a message.
pub(crate) async fn shortcut(slack: &Arc<Slack>, wish: ShortcutWish) -> Done {
    let (payload, trigger, user) = {
        let mut state = slack.lock();
        let user = actor(&state, &wish.user)?;
        let at = wish.ts.as_ref().map(|_| {
            let at = Wish { user: wish.user.clone(), channel: wish.channel.clone(), ts: wish.ts.clone(), ..Wish::default() };
            message_of(&state, &user, &at)
        });
        let trigger = state.new_trigger(&user.id, &user.team_id);
        let kind = if at.is_some() { "message_action" } else { "shortcut" };
        let mut body = base(&state, kind, &user);
        // A shortcut does not name the app.
        body.remove("api_app_id");
        if let Some((channel, message)) = at.transpose()? {
            let url = ResponseUrl {
                user: user.id.clone(),
                team: channel.team_id.clone(),
                channel: channel.id.clone(),
                original: None,
                thread_ts: message.thread_ts.clone(),
                of: "message_action",
                at: clock::millis(),
                uses: 0,
            };
            let address = state.new_response_url(slack.base_url(), url);
            body.insert("channel".into(), json!({"id": channel.id, "name": channel_name(&channel)}));
            body.insert("message".into(), message.to_slack(false));
            body.insert("message_ts".into(), json!(message.ts));
            body.insert("response_url".into(), json!(address));
        }
        body.insert("callback_id".into(), json!(wish.callback_id));
        body.insert("trigger_id".into(), json!(trigger));
        body.insert("action_ts".into(), json!(clock::ts(clock::micros())));
        (interaction(kind, &wish.callback_id, &user, None, &Value::Object(body)), trigger, user)
    };
    let payload = keep(slack, payload);
    let deliveries = deliver_copies(slack, &payload, wish.deliveries).await;
    let mut state = slack.lock();
    if let Some(complaint) = deliveries.first().and_then(complaint) {
        let channel = state.direct_message(&user.id, &user.team_id);
        state.slackbot_says(&user.id, &channel, &format!("The shortcut failed: \"{complaint}\""));
    }
    let mut report = report(&deliveries);
    report["trigger"] = state.trigger_fate(&trigger);
    Ok(report)
}
