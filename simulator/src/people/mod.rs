//! What people in the workspace do, and the payloads that Slack makes of it.

pub(crate) mod click;
pub(crate) mod command;
pub(crate) mod events;
pub(crate) mod modal;
pub(crate) mod workflow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::state::{Delivery, State};
use crate::teams::Enterprise;
use crate::world::{Channel, OTHER_TEAM, User};

/// The fixed token of old payloads; nobody should look at it any more.
pub(crate) const VERIFICATION_TOKEN: &str = "simulator-verification-token";

/// Why the control API does not do what it is asked for.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) StatusCode, pub(crate) String);

impl Refused {
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, what.into())
    }

    pub(crate) fn bad(what: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, what.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, axum::Json(json!({"error": self.1}))).into_response()
    }
}

/// The outcome of a control call.
pub(crate) type Done = Result<Value, Refused>;

/// A person who can act, by id or name.
fn actor(state: &State, wanted: &str) -> Result<User, Refused> {
    state.world.user(wanted).cloned().ok_or_else(|| Refused::not_found(format!("there is no user {wanted}")))
}

/// A channel that this person can look into, by id or name.
fn channel_for(state: &State, user: &User, wanted: &str) -> Result<Channel, Refused> {
    let known = state.world.channel_by_id_or_name(wanted, Some(&user.team_id));
    let channel = known.ok_or_else(|| Refused::not_found(format!("there is no channel {wanted}")))?;
    if !state.world.sees(&user.id, channel) {
        return Err(Refused::not_found(format!("{} does not see {wanted}", user.name)));
    }
    Ok(channel.clone())
}

/// The person as interaction payloads name them.
fn user_shape(user: &User) -> Value {
    json!({"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id})
}

/// The workspace and the organisation of a person, who in a shared channel may come from another workspace than the one with the app.
struct Home<'a> {
    team: &'a str,
    domain: &'a str,
    enterprise: Option<&'a Enterprise>,
}

impl<'a> Home<'a> {
    fn of(state: &'a State, user: &'a User) -> Self {
        let domain = match state.world.team(&user.team_id) {
            Some(team) => &team.domain,
            None if user.team_id == OTHER_TEAM => "partner",
            None => "elsewhere",
        };
        Self { team: &user.team_id, domain, enterprise: state.world.enterprise_of(&user.team_id) }
    }

    /// Whether the app is installed in the organisation, and so for all of its workspaces.
    fn is_org_wide(&self) -> bool {
        self.enterprise.is_some_and(|enterprise| enterprise.org_wide)
    }

    /// `team` of interaction payloads: null where the organisation has installed the app.
    fn team_shape(&self) -> Value {
        if self.is_org_wide() {
            return Value::Null;
        }
        let mut shape = json!({"id": self.team, "domain": self.domain});
        if let Some(enterprise) = self.enterprise {
            shape["enterprise_id"] = json!(enterprise.id);
            shape["enterprise_name"] = json!(enterprise.name);
        }
        shape
    }

    /// `enterprise` of interaction payloads.
    fn enterprise_shape(&self) -> Value {
        self.enterprise.map_or(Value::Null, |enterprise| json!({"id": enterprise.id, "name": enterprise.name}))
    }
}

/// Channel names as payloads give them.
fn channel_name(channel: &Channel) -> &str {
    if channel.is_im {
        "directmessage"
    } else if channel.is_private {
        "privategroup"
    } else {
        &channel.name
    }
}

/// What the control API says about one or several copies of a delivery.
fn report(deliveries: &[Delivery]) -> Value {
    let mut report = deliveries.first().map_or(Value::Null, Delivery::to_json);
    if deliveries.len() > 1 {
        let all: Vec<Value> = deliveries.iter().map(Delivery::to_json).collect();
        report["all"] = json!(all);
    }
    report
}

/// What a person reads when the app failed them.
fn complaint(delivery: &Delivery) -> Option<&'static str> {
    match (delivery.succeeded(), delivery.error.as_deref()) {
        (true, _) => None,
        (false, Some("operation_timeout")) => Some("operation_timeout"),
        (false, _) => Some("dispatch_failed"),
    }
}

/// Text as a person typed it, in the form in which Slack hands it on: people and channels as ids, the three special characters escaped.
fn typed(state: &State, by: &User, text: &str, with_names: bool) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut result = String::new();
    let mut rest = escaped.as_str();
    while let Some(at) = rest.find(['@', '#']) {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        let name: String = from.chars().skip(1).take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
        let starts_word = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let found = if from.starts_with('@') {
            let bot = state.world.bot(&by.team_id).user_id;
            let named = || state.world.users.iter().filter(|user| user.name == name.to_lowercase() && (!user.is_bot || user.id == bot));
            let user = named().find(|user| user.team_id == by.team_id).or_else(|| named().next());
            user.map(|user| if with_names { format!("<@{}|{}>", user.id, user.name) } else { format!("<@{}>", user.id) })
        } else {
            let channel = state.world.channel_by_id_or_name(&name, Some(&by.team_id)).filter(|channel| channel.name == name);
            channel.map(|channel| format!("<#{}|{}>", channel.id, channel.name))
        };
        let mark = &from[..1];
        if let Some(reference) = found.filter(|_| starts_word && !name.is_empty()) {
            result.push_str(&reference);
            rest = &from[1 + name.len()..];
        } else {
            result.push_str(mark);
            rest = &from[1..];
        }
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::state::Slack;

    #[test]
    fn what_is_typed_becomes_what_slack_sends() {
        let (slack, _events) = Slack::new(Config::default(), None);
        let state = slack.lock();
        let jane = state.world.user("jane").cloned().unwrap_or_else(|| panic!("no jane"));
        assert_eq!(
            super::typed(&state, &jane, "assign @jane in #payments & <b>", true),
            "assign <@U0JANE|jane> in <#C0PAYMENTS|payments> &amp; &lt;b&gt;"
        );
        assert_eq!(super::typed(&state, &jane, "@tocsin status", false), "<@U0BOT> status");
        assert_eq!(super::typed(&state, &jane, "jane@example.com @nobody #1 @", false), "jane@example.com @nobody #1 @");
    }
}
