//! The Events API: what happens in the workspace, told to the app.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Refused, VERIFICATION_TOKEN, actor, channel_for, report, typed};
use crate::clock;
use crate::messages::Message;
use crate::outbound::{Attempt, deliver, deliver_copies, deliver_event, keep};
use crate::state::{Delivery, Emitted, Payload, Slack, State, Target};
use crate::teams::Bot;
use crate::web_api::unfurl;
use crate::world::{APP_ID, Channel, TEAM};

/// The events that a new message brings about, as far as the app wants to know of them.
pub(crate) fn of_message(state: &State, message: &Message) -> Vec<Value> {
    let Some(channel) = state.world.channel(&message.channel).filter(|_| state.has_listener()) else { return Vec::new() };
    let shape = || {
        let mut shape = message.to_slack(false);
        if message.bot_id.is_none() {
            shape["client_msg_id"] = json!(format!("{}-{}", message.channel.to_lowercase(), message.ts));
        }
        let parent = message.thread_ts.as_ref().and_then(|thread_ts| state.world.messages.get(&message.channel, thread_ts));
        if let Some(parent) = parent {
            shape["parent_user_id"] = json!(parent.user);
        }
        shape
    };
    let mut events: Vec<Value> = about_message(state, channel, shape).into_iter().collect();
    if hears(state, &channel.team_id, "link_shared") {
        events.extend(unfurl::shared(message));
    }
    let mentions_bot = message.bot_id.is_none() && message.text.contains(&format!("<@{}", state.world.bot(&channel.team_id).user_id));
    if mentions_bot && channel.is_member && !channel.is_im && hears(state, &channel.team_id, "app_mention") {
        let mut shape = shape();
        shape["type"] = json!("app_mention");
        shape["channel"] = json!(channel.id);
        shape["event_ts"] = json!(message.ts);
        events.push(shape);
    }
    events
}

/// A `message` event of any subtype, if the app is subscribed to this kind of conversation and the bot is in it.
pub(crate) fn about_message(state: &State, channel: &Channel, event: impl FnOnce() -> Value) -> Option<Value> {
    let (family, kind) = if channel.is_im {
        ("message.im", "im")
    } else if channel.is_private {
        ("message.groups", "group")
    } else {
        ("message.channels", "channel")
    };
    if !channel.is_member || !state.has_listener() || !hears(state, &channel.team_id, family) {
        return None;
    }
    let mut event = event();
    if event["ts"].is_null() {
        event["ts"] = json!(clock::ts(clock::micros()));
        event["hidden"] = json!(true);
    }
    event["type"] = json!("message");
    event["channel"] = json!(channel.id);
    event["channel_type"] = json!(kind);
    event["event_ts"] = event["ts"].clone();
    Some(event)
}

/// The scopes of which an event needs one: <https://docs.slack.dev/reference/events>.
const SCOPES: [(&str, &[&str]); 9] = [
    ("app_mention", &["app_mentions:read"]),
    ("link_shared", &["links:read"]),
    ("member_joined_channel", &["channels:read", "groups:read"]),
    ("message.channels", &["channels:history"]),
    ("message.groups", &["groups:history"]),
    ("message.im", &["im:history"]),
    ("message.mpim", &["mpim:history"]),
    ("reaction_added", &["reactions:read"]),
    ("reaction_removed", &["reactions:read"]),
];

/// The scopes of which this event needs one; none where it needs none.
pub(crate) fn needed_scopes(event: &str) -> &'static [&'static str] {
    SCOPES.iter().find(|(kind, _)| *kind == event).map_or(&[], |(_, scopes)| scopes)
}

/// Whether the app is told of this in a team: it is subscribed to it, and the scope for it was granted there.
pub(super) fn hears(state: &State, team: &str, event: &str) -> bool {
    let granted = state.access.installations.get(&state.world.installation_of(team)).map(|installation| &installation.scopes);
    let needed = needed_scopes(event);
    let has = |scope: &&str| granted.is_some_and(|granted| granted.iter().any(|granted| granted == scope));
    state.has_listener() && subscribed(state, event) && (needed.is_empty() || needed.iter().any(has))
}

pub(crate) fn subscribed(state: &State, event: &str) -> bool {
    state.app.events.iter().any(|subscribed| subscribed == event)
}

/// Delivers what came about inside the Web API.
pub(crate) async fn deliver_in_background(slack: &Arc<Slack>, emitted: Emitted) {
    if slack.lock().has_listener() {
        let payload = envelope(slack, &emitted.team, &emitted.event, &Value::Null, None);
        deliver_event(slack, payload).await;
    }
}

/// The request that carries an event of a team, or of an organisation as a whole.
pub(super) fn envelope(slack: &Slack, of: &str, event: &Value, overrides: &Value, event_id: Option<&str>) -> Payload {
    let (number, enterprise, installation, bot) = {
        let mut state = slack.lock();
        let enterprise = state.world.enterprise(of).or_else(|| state.world.enterprise_of(of)).map(|enterprise| enterprise.id.clone());
        (state.world.number(), enterprise, state.world.installation_of(of), state.world.bot(of))
    };
    let mut event = event.clone();
    if event["event_ts"].is_null() {
        event["event_ts"] = json!(clock::ts(clock::micros()));
    }
    let is_org_wide = enterprise.as_ref() == Some(&installation);
    // What happens to an organisation as a whole happens in no team, and an organisation's authorization is of no team.
    let team = (enterprise.as_deref() != Some(of)).then_some(of);
    let authorized = team.filter(|_| !is_org_wide);
    let mut body = json!({
        "token": VERIFICATION_TOKEN, "team_id": team, "context_team_id": team, "context_enterprise_id": enterprise, "api_app_id": APP_ID,
        "event": event, "type": "event_callback", "event_id": format!("Ev{number:09}"), "event_time": clock::seconds(),
        "authorizations": [{
            "enterprise_id": enterprise, "team_id": authorized, "user_id": bot.user_id, "is_bot": true, "is_enterprise_install": is_org_wide,
        }],
        "is_ext_shared_channel": false, "event_context": format!("4-{number:032}"),
    });
    if let Some(enterprise) = enterprise {
        body["enterprise_id"] = json!(enterprise);
    }
    if let Some(event_id) = event_id {
        body["event_id"] = json!(event_id);
    }
    for (name, value) in overrides.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let payload = request("event", event["type"].as_str().unwrap_or_default(), &body);
    keep(slack, Payload { user: event["user"].as_str().map(str::to_owned), ..payload })
}

fn request(kind: &'static str, type_name: &str, body: &Value) -> Payload {
    Payload {
        id: String::new(),
        kind,
        type_name: type_name.to_owned(),
        user: None,
        channel: None,
        to: Target::Events,
        content_type: "application/json".into(),
        body: body.to_string(),
        signed: true,
    }
}

async fn deliver_all(slack: &Arc<Slack>, team: &str, events: Vec<Value>) -> Vec<Value> {
    let payloads: Vec<Payload> = events.iter().map(|event| envelope(slack, team, event, &Value::Null, None)).collect();
    let deliveries = futures_util::future::join_all(payloads.into_iter().map(|payload| deliver_event(slack, payload))).await;
    deliveries.iter().map(Delivery::to_json).collect()
}

#[derive(Debug, Deserialize)]
pub(crate) struct MessageWish {
    user: String,
    channel: String,
    text: String,
    thread_ts: Option<String>,
    #[serde(default)]
    broadcast: bool,
    #[serde(default)]
    typed: bool,
}

/// A person writes a message.
pub(crate) async fn message(slack: &Arc<Slack>, wish: MessageWish) -> Done {
    let (ts, team, events) = {
        let mut state = slack.lock();
        let user = actor(&state, &wish.user)?;
        let channel = channel_for(&state, &user, &wish.channel)?;
        if channel.is_archived {
            return Err(Refused::bad(format!("#{} is archived", channel.name)));
        }
        let text = if wish.typed { typed(&state, &user, &wish.text, false) } else { wish.text };
        let mut message = Message::by_person(&channel.id, &user.id, &text);
        message.broadcast = wish.broadcast && wish.thread_ts.is_some();
        message.thread_ts = wish.thread_ts;
        let message = state.post(message);
        (message.ts.clone(), channel.team_id, of_message(&state, &message))
    };
    Ok(json!({"ts": ts, "deliveries": deliver_all(slack, &team, events).await}))
}

#[derive(Debug, Deserialize)]
pub(crate) struct EventWish {
    event: Value,
    team: Option<String>,
    #[serde(default)]
    envelope: Value,
    event_id: Option<String>,
    #[serde(default)]
    deliveries: usize,
}

/// Any event at all.
pub(crate) async fn any(slack: &Arc<Slack>, wish: EventWish) -> Done {
    let team = wish.team.unwrap_or_else(|| team_of(&slack.lock(), &wish.event));
    let payload = envelope(slack, &team, &wish.event, &wish.envelope, wish.event_id.as_deref());
    let event_id = serde_json::from_str::<Value>(&payload.body).map(|body| body["event_id"].clone()).unwrap_or_default();
    let deliveries = if wish.deliveries > 1 {
        deliver_copies(slack, &payload, wish.deliveries).await
    } else {
        vec![deliver_event(slack, payload).await]
    };
    let mut report = report(&deliveries);
    report["event_id"] = event_id;
    Ok(report)
}

/// The team in which an event happens: that of its channel, else that of its person.
fn team_of(state: &State, event: &Value) -> String {
    let channel = event["channel"].as_str().and_then(|id| state.world.channel(id)).map(|channel| &channel.team_id);
    let person = || state.world.users.iter().find(|user| event["user"] == user.id).map(|user| &user.team_id);
    let known = channel.or_else(|| person().filter(|team| state.world.team(team).is_some()));
    known.map_or(TEAM, String::as_str).to_owned()
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReactionWish {
    user: String,
    channel: String,
    ts: String,
    name: String,
    #[serde(default)]
    remove: bool,
}

/// A person puts a reaction under a message, or takes it away again.
pub(crate) async fn reaction(slack: &Arc<Slack>, wish: ReactionWish) -> Done {
    let (team, events) = {
        let mut state = slack.lock();
        let user = actor(&state, &wish.user)?;
        let channel = channel_for(&state, &user, &wish.channel)?;
        let mut new = false;
        let changed = state.change(&channel.id, &wish.ts, |message| {
            let known = message.reactions.iter_mut().find(|reaction| reaction["name"] == wish.name);
            let users = known.and_then(|reaction| reaction["users"].as_array_mut());
            new = users.as_ref().is_some_and(|users| users.iter().any(|by| *by == user.id)) == wish.remove;
            match users {
                Some(users) if wish.remove => users.retain(|by| *by != user.id),
                Some(users) if new => users.push(json!(user.id)),
                None if new => message.reactions.push(json!({"name": wish.name, "users": [user.id], "count": 1})),
                Some(_) | None => {}
            }
            message.reactions.retain(|reaction| reaction["users"].as_array().is_some_and(|users| !users.is_empty()));
            for reaction in &mut message.reactions {
                reaction["count"] = json!(reaction["users"].as_array().map_or(0, Vec::len));
            }
        });
        let message = changed.ok_or_else(|| Refused::not_found("there is no such message"))?;
        let kind = if wish.remove { "reaction_removed" } else { "reaction_added" };
        // What somebody has put there already, or never did, is no event; nor is anything where the bot is not.
        let wanted = new && channel.is_member && hears(&state, &channel.team_id, kind);
        let event = json!({
            "type": kind, "user": user.id, "reaction": wish.name, "item_user": message.user,
            "item": {"type": "message", "channel": channel.id, "ts": wish.ts},
        });
        (channel.team_id, if wanted { vec![event] } else { Vec::new() })
    };
    Ok(json!({"deliveries": deliver_all(slack, &team, events).await}))
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct UninstallWish {
    /// The team or the organisation.
    team: Option<String>,
    order: Option<String>,
}

/// A token of this bot does not work any more.
pub(crate) fn tokens_revoked(bot: &Bot) -> Value {
    json!({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot.user_id]}})
}

/// The app was removed.
pub(crate) fn app_uninstalled() -> Value {
    json!({"type": "app_uninstalled"})
}

/// An admin removes the app: its token dies and two events say so, in an order that Slack does not promise.
pub(crate) async fn uninstall(slack: &Arc<Slack>, wish: UninstallWish) -> Done {
    let id = wish.team.unwrap_or_else(|| TEAM.to_owned());
    let bot = {
        let mut state = slack.lock();
        let installation = state.access.installations.get_mut(&id);
        installation.ok_or_else(|| Refused::not_found(format!("the app is not installed in {id}")))?.end();
        state.tell_teams();
        Bot::of(&id)
    };
    let mut events = vec![tokens_revoked(&bot), app_uninstalled()];
    if wish.order.as_deref() == Some("app_first") {
        events.reverse();
    }
    let mut deliveries = Vec::new();
    for event in events {
        deliveries.extend(deliver_all(slack, &id, vec![event]).await);
    }
    Ok(json!({"deliveries": deliveries}))
}

#[derive(Debug, Deserialize)]
pub(crate) struct HomeWish {
    user: String,
    tab: Option<String>,
}

/// A person looks at the app's Home, or at its other tab. Slack tells of it whenever somebody comes.
pub(crate) async fn home(slack: &Arc<Slack>, wish: HomeWish) -> Done {
    let (team, events) = {
        let mut state = slack.lock();
        let user = actor(&state, &wish.user)?;
        let channel = state.direct_message(&user.id, &user.team_id);
        // Without a point, unlike everywhere else: https://docs.slack.dev/reference/events/app_home_opened
        let event_ts = clock::ts(clock::micros()).replace('.', "");
        let tab = wish.tab.unwrap_or_else(|| "home".to_owned());
        let mut event = json!({"type": "app_home_opened", "user": user.id, "channel": channel, "tab": tab, "event_ts": event_ts});
        if let Some(view) = state.world.homes.get(&user.id).filter(|_| tab == "home") {
            event["view"] = view.clone();
        }
        let wanted = hears(&state, &user.team_id, "app_home_opened");
        (user.team_id, if wanted { vec![event] } else { Vec::new() })
    };
    Ok(json!({"deliveries": deliver_all(slack, &team, events).await}))
}

#[derive(Debug, Deserialize)]
pub(crate) struct InviteWish {
    channel: String,
}

/// Somebody invites the bot.
pub(crate) async fn invite(slack: &Arc<Slack>, wish: InviteWish) -> Done {
    let (team, events) = {
        let mut state = slack.lock();
        let known = state.world.channel_by_id_or_name(&wish.channel, None).cloned();
        let known = known.ok_or_else(|| Refused::not_found(format!("there is no channel {}", wish.channel)))?;
        let kind = if known.is_private { "G" } else { "C" };
        let mut new = false;
        let (id, team, bot) = (known.id, known.team_id.clone(), state.world.bot(&known.team_id).user_id);
        if let Some(channel) = state.world.channels.iter_mut().find(|channel| channel.id == id) {
            new = !channel.is_member;
            channel.is_member = true;
            if !channel.members.contains(&bot) {
                channel.members.push(bot.clone());
            }
        }
        state.tell_channels();
        let inviter = state.world.users.iter().find(|user| user.team_id == team && !user.is_bot).map(|user| &user.id);
        let event =
            json!({"type": "member_joined_channel", "user": bot, "channel": id, "channel_type": kind, "team": team, "inviter": inviter});
        let wanted = new && hears(&state, &team, "member_joined_channel");
        (team, if wanted { vec![event] } else { Vec::new() })
    };
    Ok(json!({"deliveries": deliver_all(slack, &team, events).await}))
}

/// Slack checks the events address.
pub(crate) async fn challenge(slack: &Arc<Slack>) -> Done {
    let challenge = slack.lock().secret_text();
    let body = json!({"token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"});
    let payload = keep(slack, request("url_verification", "url_verification", &body));
    let delivery = deliver(slack, &payload, Attempt::default()).await;
    let mut report = delivery.to_json();
    let echoed = delivery.body == challenge || report["json"]["challenge"] == challenge;
    report["ok"] = json!(delivery.succeeded() && echoed);
    Ok(report)
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct SslCheckWish {
    extra: Option<String>,
}

/// Slack checks the certificate of the commands address, without a signature.
pub(crate) async fn ssl_check(slack: &Arc<Slack>, wish: SslCheckWish) -> Done {
    let mut body = format!("token={VERIFICATION_TOKEN}&ssl_check=1");
    if let Some(extra) = wish.extra {
        body.push('&');
        body.push_str(&extra);
    }
    let payload = Payload {
        to: Target::Commands,
        content_type: "application/x-www-form-urlencoded".into(),
        body,
        signed: false,
        ..request("ssl_check", "ssl_check", &Value::Null)
    };
    let payload = keep(slack, payload);
    Ok(deliver(slack, &payload, Attempt::default()).await.to_json())
}

#[derive(Debug, Deserialize)]
pub(crate) struct RawWish {
    to: String,
    body: String,
    content_type: Option<String>,
    signed: Option<bool>,
}

/// Any body, to any of the three addresses.
pub(crate) async fn raw(slack: &Arc<Slack>, wish: RawWish) -> Done {
    let (to, kind, content_type) = match wish.to.as_str() {
        "commands" => (Target::Commands, "command", "application/x-www-form-urlencoded"),
        "interactions" => (Target::Interactions, "block_actions", "application/x-www-form-urlencoded"),
        "events" => (Target::Events, "event", "application/json"),
        _ => return Err(Refused::bad("`to` is commands, interactions or events")),
    };
    let payload = Payload {
        to,
        kind,
        content_type: wish.content_type.unwrap_or_else(|| content_type.into()),
        body: wish.body,
        signed: wish.signed.unwrap_or(true),
        ..request(kind, "raw", &Value::Null)
    };
    let payload = keep(slack, payload);
    Ok(deliver(slack, &payload, Attempt::default()).await.to_json())
}

#[derive(Debug, Deserialize)]
pub(crate) struct RedeliverWish {
    payload: Option<String>,
    delivery: Option<u64>,
    timestamp: Option<u64>,
    retry_num: Option<u32>,
    retry_reason: Option<String>,
}

/// The very same body again, signed anew.
pub(crate) async fn redeliver(slack: &Arc<Slack>, wish: RedeliverWish) -> Done {
    let payload = {
        let state = slack.lock();
        let of_delivery = || {
            let delivery = state.deliveries.iter().find(|delivery| Some(delivery.id) == wish.delivery)?;
            Some(delivery.payload.clone())
        };
        let id = wish.payload.clone().or_else(of_delivery).ok_or_else(|| Refused::bad("name a payload or a delivery"))?;
        state.payloads.get(&id).cloned().ok_or_else(|| Refused::not_found(format!("there is no payload {id}")))?
    };
    let attempt = Attempt { timestamp: wish.timestamp, retry_num: wish.retry_num, retry_reason: wish.retry_reason };
    Ok(deliver(slack, &payload, attempt).await.to_json())
}
