//! `users.info`, `users.list`, `users.lookupByEmail`.

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, fields};
use crate::installations::Caller;
use crate::state::State;
use crate::world::{User, World};

pub(super) fn info(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let wanted = args.text("user").unwrap_or_default();
    // By id only: a name is no id.
    let user = caller.user(&state.world, &wanted).ok_or("user_not_found")?;
    Ok(fields(json!({"user": shape(&state.world, user, caller.has_scope("users:read.email"))})))
}

pub(super) fn list(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let team = caller.listed_team(args.text("team_id"))?;
    let email = caller.has_scope("users:read.email");
    let seen = state.world.users.iter().filter(|user| caller.sees(&state.world, user));
    // An organisation's installation names one of its teams; a team's sees everybody whom it meets.
    let listed = seen.filter(|user| team.as_ref().is_none_or(|team| user.team_id == *team));
    let members: Vec<Value> = listed.map(|user| shape(&state.world, user, email)).collect();
    Ok(fields(json!({"members": members, "response_metadata": {"next_cursor": ""}})))
}

pub(super) fn lookup_by_email(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let wanted = args.text("email").unwrap_or_default();
    let known = state.world.users.iter().filter(|user| !user.deleted && user.email.as_deref() == Some(&wanted));
    let user = known.into_iter().find(|user| caller.sees(&state.world, user)).ok_or("users_not_found")?;
    Ok(fields(json!({"user": shape(&state.world, user, true)})))
}

fn shape(world: &World, user: &User, with_email: bool) -> Value {
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
            ("is_admin", user.is_admin),
            ("is_owner", user.is_owner),
            ("is_app_user", false),
        ] {
            shape[name] = json!(flag);
        }
    }
    if user.is_stranger {
        shape["is_stranger"] = json!(true);
    }
    if let Some(enterprise) = world.enterprise_of(&user.team_id) {
        shape["enterprise_user"] = json!({
            "id": user.id, "enterprise_id": enterprise.id, "enterprise_name": enterprise.name, "is_admin": false, "is_owner": false, "teams": [user.team_id],
        });
    }
    shape
}
