//! `views.*`: modals and the Home tab.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, ApiError, fields, limits};
use crate::clock;
use crate::installations::Caller;
use crate::state::State;
use crate::world::{APP_ID, OpenView};

/// One view and two more on top of it.
const MOST_VIEWS: usize = 3;

pub(super) fn open(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    with_trigger(state, caller, args, false)
}

pub(super) fn push(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    with_trigger(state, caller, args, true)
}

pub(super) fn update(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let wanted = wanted_view(args, "modal")?;
    let (view_id, external_id) = (args.text("view_id"), args.text("external_id"));
    if view_id.is_none() && external_id.is_none() {
        return Err(ApiError::missing("view_id"));
    }
    let found = state.world.views.iter().find_map(|(user, stack)| {
        let is_it = |open: &&OpenView| {
            view_id.as_deref() == Some(open.id()) || (external_id.is_some() && open.view["external_id"].as_str() == external_id.as_deref())
        };
        // A view of another installation is not there.
        let is_own = |open: &&OpenView| open.view["bot_id"] == caller.bot.bot_id;
        stack.iter().filter(is_own).find(is_it).map(|open| (user.clone(), open.view.clone()))
    });
    let Some((user, shown)) = found else { return Err("not_found".into()) };
    if args.text("hash").is_some_and(|hash| shown["hash"] != hash) {
        return Err("hash_conflict".into());
    }
    let team = shown["app_installed_team_id"].as_str().unwrap_or_default().to_owned();
    let view = replace(state, &user, &team, &shown, wanted);
    Ok(fields(json!({"view": view})))
}

pub(super) fn publish(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let wanted = wanted_view(args, "home")?;
    let user = args.text("user_id").ok_or_else(|| ApiError::missing("user_id"))?;
    let person = caller.user(&state.world, &user).ok_or("user_not_found")?;
    let team = caller.team_for(person).to_owned();
    let view = complete(state, &user, &team, wanted, None);
    state.tell(|_| json!({"kind": "home", "user": user, "view": view}));
    state.world.homes.insert(user, view.clone());
    Ok(fields(json!({"view": view})))
}

/// The view, if it is one of this type: Home is published, a modal is opened.
fn wanted_view<'a>(args: &'a Args, of: &str) -> Result<&'a Value, ApiError> {
    if args.broken.iter().any(|name| name == "view") {
        return Err("invalid_arguments".into());
    }
    let view = args.get("view").ok_or_else(|| ApiError::missing("view"))?;
    limits::check_view(view)?;
    if view["type"] != of {
        return Err(ApiError {
            messages: vec![format!("[ERROR] must be of type {of} [json-pointer:/view/type]")],
            ..ApiError::from("invalid_arguments")
        });
    }
    Ok(view)
}

fn with_trigger(state: &mut State, caller: &Caller, args: &Args, on_top: bool) -> Answer {
    let id = args.text("trigger_id").ok_or_else(|| ApiError::missing("trigger_id"))?;
    let lifetime = state.timing.trigger_ms;
    let trigger = state.triggers.get(&id).filter(|trigger| caller.reaches(&trigger.team)).ok_or("invalid_trigger_id")?;
    if trigger.used {
        return Err("exchanged_trigger_id".into());
    }
    if clock::millis() > trigger.at + lifetime {
        return Err("expired_trigger_id".into());
    }
    // A view that Slack refuses leaves the trigger as it was.
    let wanted = wanted_view(args, "modal")?;
    let (user, team) = (trigger.user.clone(), trigger.team.clone());
    let view = show(state, &user, &team, wanted, on_top)?;
    if let Some(trigger) = state.triggers.get_mut(&id) {
        trigger.used = true;
        trigger.view_id = view["id"].as_str().map(str::to_owned);
    }
    Ok(fields(json!({"view": view})))
}

/// Puts a view on a person's screen: over the one that is there, or instead of all.
pub(crate) fn show(state: &mut State, user: &str, team: &str, wanted: &Value, on_top: bool) -> Result<Value, ApiError> {
    let below = state.world.views.get(user).filter(|_| on_top).and_then(|stack| stack.last()).map(|open| open.view.clone());
    if on_top && state.world.views.get(user).is_some_and(|stack| stack.len() >= MOST_VIEWS) {
        return Err("push_limit_reached".into());
    }
    let view = complete(state, user, team, wanted, below.as_ref());
    let stack = state.world.views.entry(user.to_owned()).or_default();
    if !on_top {
        stack.clear();
    }
    stack.push(OpenView { view: view.clone(), errors: BTreeMap::new() });
    state.tell_views(user);
    Ok(view)
}

/// Puts a new view in the place of one that is shown.
pub(crate) fn replace(state: &mut State, user: &str, team: &str, shown: &Value, wanted: &Value) -> Value {
    let mut view = complete(state, user, team, wanted, None);
    for kept in ["id", "root_view_id", "previous_view_id", "team_id", "app_installed_team_id", "bot_id"] {
        view[kept] = shown[kept].clone();
    }
    let place = state.world.views.get_mut(user).and_then(|stack| stack.iter_mut().find(|open| open.view["id"] == shown["id"]));
    if let Some(open) = place {
        *open = OpenView { view: view.clone(), errors: BTreeMap::new() };
    }
    state.tell_views(user);
    view
}

/// Slack's view object of what the app sent to a person, who acts in this team.
fn complete(state: &mut State, user: &str, team: &str, wanted: &Value, below: Option<&Value>) -> Value {
    let id = format!("V0{:07}", state.world.number());
    let hash = format!("{}.{}", clock::seconds(), &state.secret_text()[..8]);
    let mut blocks = wanted["blocks"].as_array().cloned().unwrap_or_default();
    state.world.complete(&mut blocks, &mut []);
    for block in &mut blocks {
        for name in ["element", "accessory"] {
            name_element(state, &mut block[name]);
        }
        if block["element"].is_null()
            && let Some(fields) = block.as_object_mut()
        {
            fields.remove("element");
        }
        if block["accessory"].is_null()
            && let Some(fields) = block.as_object_mut()
        {
            fields.remove("accessory");
        }
    }
    let text = |name: &str| wanted[name].as_str().unwrap_or_default().to_owned();
    let flag = |name: &str| wanted[name].as_bool().unwrap_or_default();
    let own_team = state.world.users.iter().find(|known| known.id == user).map_or(team, |user| &user.team_id);
    let root = below.map_or_else(|| json!(id), |below| below["root_view_id"].clone());
    json!({
        "id": id, "team_id": own_team, "type": wanted["type"], "blocks": blocks, "private_metadata": text("private_metadata"),
        "callback_id": text("callback_id"), "state": {"values": {}}, "hash": hash, "title": wanted["title"], "clear_on_close": flag("clear_on_close"),
        "notify_on_close": flag("notify_on_close"), "close": wanted["close"], "submit": wanted["submit"],
        "previous_view_id": below.map_or(Value::Null, |below| below["id"].clone()), "root_view_id": root, "app_id": APP_ID,
        "external_id": text("external_id"), "app_installed_team_id": state.world.installation_of(team), "bot_id": state.world.bot(team).bot_id,
    })
}

/// An element without an `action_id` gets one.
fn name_element(state: &mut State, element: &mut Value) {
    if element.is_object() && element["action_id"].as_str().is_none_or(str::is_empty) && element["type"] != "image" {
        element["action_id"] = json!(format!("a{:04}", state.world.number()));
    }
}
