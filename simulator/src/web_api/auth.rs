//! `auth.*`: whose token it is, and the end of it.

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, fields};
use crate::clock;
use crate::installations::Caller;
use crate::people::events;
use crate::state::State;

pub(super) fn test(state: &mut State, caller: &Caller, _: &Args) -> Answer {
    let mut answer = json!({"user": "tocsin", "user_id": caller.bot.user_id, "bot_id": caller.bot.bot_id});
    if let Some(enterprise) = caller.enterprise.as_deref().and_then(|id| state.world.enterprise(id)) {
        // An organisation stands where else a team stands.
        answer["url"] = json!(format!("https://{}.enterprise.slack.com/", enterprise.id.to_lowercase()));
        answer["team"] = json!(enterprise.name);
        answer["team_id"] = json!(enterprise.id);
        answer["enterprise_id"] = json!(enterprise.id);
        answer["is_enterprise_install"] = json!(true);
        return Ok(fields(answer));
    }
    let team = state.world.team(&caller.installation).ok_or("fatal_error")?;
    answer["url"] = json!(format!("https://{}.slack.com/", team.domain));
    answer["team"] = json!(team.name);
    answer["team_id"] = json!(team.id);
    answer["is_enterprise_install"] = json!(false);
    if let Some(enterprise) = &team.enterprise_id {
        answer["enterprise_id"] = json!(enterprise);
    }
    Ok(fields(answer))
}

/// The token dies; with its last token, the installation.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every method")]
pub(super) fn revoke(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    if args.flag("test") {
        return Ok(fields(json!({"revoked": false})));
    }
    let installation = state.access.installation(&caller.installation);
    if let Some(token) = installation.tokens.iter_mut().find(|token| Some(&token.text) == args.token.as_ref()) {
        token.error = Some("token_revoked");
    }
    let mut events = vec![events::tokens_revoked(&caller.bot)];
    if installation.tokens.iter().all(|token| token.error_at(clock::millis()).is_some()) {
        installation.end();
        events.push(events::app_uninstalled());
        state.tell_teams();
    }
    let wanted = |event: &Value| state.has_listener() && event["type"].as_str().is_some_and(|kind| events::subscribed(state, kind));
    for event in events.into_iter().filter(wanted) {
        state.emit(&caller.installation, event);
    }
    Ok(fields(json!({"revoked": true})))
}
