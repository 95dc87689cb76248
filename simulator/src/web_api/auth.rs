//! `auth.test`.

use serde_json::json;

use super::args::Args;
use super::{Answer, fields};
use crate::state::State;
use crate::world::{BOT_ID, BOT_USER, TEAM, TEAM_DOMAIN};

#[expect(clippy::unnecessary_wraps, reason = "the shape of every method")]
pub(super) fn test(_: &mut State, _: &Args) -> Answer {
    Ok(fields(json!({
        "url": format!("https://{TEAM_DOMAIN}.slack.com/"), "team": "Tocsin Ltd", "user": "tocsin", "team_id": TEAM,
        "user_id": BOT_USER, "bot_id": BOT_ID, "is_enterprise_install": false,
    })))
}
