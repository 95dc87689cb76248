//! Slash commands.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Home, VERIFICATION_TOKEN, actor, channel_for, channel_name, complaint, report, typed};
use crate::clock;
use crate::fields;
use crate::messages::Message;
use crate::outbound::{deliver_copies, keep};
use crate::response_url;
use crate::state::{Payload, ResponseUrl, Slack, State, Target};
use crate::world::APP_ID;

#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    user: String,
    channel: String,
    #[serde(default)]
    text: String,
    #[serde(default = "incident")]
    command: String,
    #[serde(default)]
    typed: bool,
    #[serde(default)]
    deliveries: usize,
}

fn incident() -> String {
    "/incident".into()
}

/// A person enters a slash command.
pub(crate) async fn run(slack: &Arc<Slack>, wish: Wish) -> Done {
    let (payload, url, response_url, trigger, channel, user) = {
        let mut state = slack.lock();
        let user = actor(&state, &wish.user)?;
        let channel = channel_for(&state, &user, &wish.channel)?;
        let text = if wish.typed { typed(&state, &user, &wish.text, true) } else { wish.text.clone() };
        let trigger = state.new_trigger(&user.id, &channel.team_id);
        let url = ResponseUrl {
            user: user.id.clone(),
            team: channel.team_id.clone(),
            channel: channel.id.clone(),
            original: None,
            thread_ts: None,
            of: "command",
            at: clock::millis(),
            uses: 0,
        };
        let response_url = state.new_response_url(slack.base_url(), url.clone());
        let home = Home::of(&state, &user);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", VERIFICATION_TOKEN).append_pair("team_id", home.team).append_pair("team_domain", home.domain);
        if let Some(enterprise) = home.enterprise {
            form.append_pair("enterprise_id", &enterprise.id).append_pair("enterprise_name", &enterprise.name);
        }
        let body = form
            .append_pair("channel_id", &channel.id)
            .append_pair("channel_name", channel_name(&channel))
            .append_pair("user_id", &user.id)
            .append_pair("user_name", &user.name)
            .append_pair("command", &wish.command)
            .append_pair("text", &text)
            .append_pair("api_app_id", APP_ID)
            .append_pair("is_enterprise_install", if home.is_org_wide() { "true" } else { "false" })
            .append_pair("response_url", &response_url)
            .append_pair("trigger_id", &trigger)
            .finish();
        let payload = Payload {
            id: String::new(),
            kind: "command",
            type_name: wish.command.clone(),
            user: Some(user.id.clone()),
            channel: Some(channel.id.clone()),
            to: Target::Commands,
            content_type: "application/x-www-form-urlencoded".into(),
            body,
            signed: true,
        };
        (payload, url, response_url, trigger, channel, user)
    };
    let payload = keep(slack, payload);
    let deliveries = deliver_copies(slack, &payload, wish.deliveries).await;
    let mut state = slack.lock();
    let mut shown = Vec::new();
    for delivery in &deliveries {
        if let Some(complaint) = complaint(delivery) {
            state.slackbot_says(&user.id, &channel.id, &format!("{} failed with the error \"{complaint}\"", wish.command));
        } else if let Some(answer) = direct_answer(&delivery.body) {
            if answer["response_type"] == "in_channel" {
                state.post(Message::by_person(&channel.id, &user.id, format!("{} {}", wish.command, wish.text).trim_end()));
            }
            shown.extend(show(&mut state, &url, &answer));
        }
    }
    let mut report = report(&deliveries);
    report["trigger"] = state.trigger_fate(&trigger);
    report["response_url"] = json!(response_url);
    report["messages"] = json!(shown);
    Ok(report)
}

/// The answer in the body of the app's 200: JSON, plain text or nothing.
fn direct_answer(body: &str) -> Option<Value> {
    if body.trim().is_empty() {
        return None;
    }
    match serde_json::from_str::<Value>(body) {
        Ok(answer) if answer.is_object() => answer.as_object().is_some_and(|fields| !fields.is_empty()).then_some(answer),
        _ => Some(json!({"text": body})),
    }
}

fn show(state: &mut State, url: &ResponseUrl, answer: &Value) -> Option<Value> {
    match response_url::show(state, url, answer) {
        Ok(ts) => ts.and_then(|ts| state.world.messages.get(&url.channel, &ts)).map(|message| fields::to_value::<Message>(message)),
        Err((_, code)) => {
            state.slackbot_says(&url.user, &url.channel, &format!("the app's answer was refused: {code}"));
            None
        }
    }
}
