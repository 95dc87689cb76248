//! `users.info`, `users.list`, `users.lookupByEmail`.

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, fields};
use crate::state::State;
use crate::world::User;

pub(super) fn info(state: &mut State, args: &Args) -> Answer {
    let wanted = args.text("user").unwrap_or_default();
    // By id only: a name is no id.
    let user = state.world.users.iter().find(|user| user.id == wanted).ok_or("user_not_found")?;
    Ok(fields(json!({"user": shape(user, sees_email(state))})))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every method")]
pub(super) fn list(state: &mut State, _: &Args) -> Answer {
    let email = sees_email(state);
    let members: Vec<Value> = state.world.users.iter().map(|user| shape(user, email)).collect();
    Ok(fields(json!({"members": members, "response_metadata": {"next_cursor": ""}})))
}

pub(super) fn lookup_by_email(state: &mut State, args: &Args) -> Answer {
    let wanted = args.text("email").unwrap_or_default();
    let user = state.world.users.iter().find(|user| !user.deleted && user.email.as_deref() == Some(&wanted)).ok_or("users_not_found")?;
    Ok(fields(json!({"user": shape(user, true)})))
}

fn sees_email(state: &State) -> bool {
    state.access.scopes.iter().any(|scope| scope == "users:read.email")
}

fn shape(user: &User, with_email: bool) -> Value {
    let mut profile = json!({
        "real_name": user.real_name, "real_name_normalized": user.real_name, "display_name": user.name,
        "display_name_normalized": user.name, "team": user.team_id, "title": "", "phone": "", "status_text": "",
    });
    if let (true, Some(email)) = (with_email && !user.is_stranger, &user.email) {
        profile["email"] = json!(email);
    }
    let mut shape = json!({
        "id": user.id, "team_id": user.team_id, "name": user.name, "deleted": user.deleted, "profile": profile, "is_bot": user.is_bot, "updated": 1_700_000_000,
    });
    // Slack leaves most fields out for people who are gone.
    if !user.deleted {
        shape["real_name"] = json!(user.real_name);
        shape["tz"] = json!(user.tz);
        for (name, flag) in [
            ("is_restricted", user.is_restricted),
            ("is_ultra_restricted", user.is_ultra_restricted),
            ("is_admin", false),
            ("is_owner", false),
            ("is_app_user", false),
        ] {
            shape[name] = json!(flag);
        }
    }
    if user.is_stranger {
        shape["is_stranger"] = json!(true);
    }
    shape
}
