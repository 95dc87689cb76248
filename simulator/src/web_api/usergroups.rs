//! `usergroups.users.list`. <https://docs.slack.dev/reference/methods/usergroups.users.list>

use serde_json::json;

use super::args::Args;
use super::{Answer, fields};
use crate::installations::Caller;
use crate::state::State;
use crate::world::usergroup;

pub(super) fn users(_: &mut State, caller: &Caller, args: &Args) -> Answer {
    caller.listed_team(args.text("team_id"))?;
    let wanted = args.text("usergroup").unwrap_or_default();
    let members = usergroup(&wanted).ok_or("no_such_subteam")?;
    Ok(fields(json!({"users": members})))
}
