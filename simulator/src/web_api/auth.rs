//! `auth.test`.

use serde_json::json;

use super::args::Args;
use super::{Answer, fields};
use crate::installations::Caller;
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
