//! Modals: filling in, submitting and closing them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::click::{base, interaction};
use super::{Done, Refused, actor, report};
use crate::outbound::{deliver_copies, keep};
use crate::state::{Delivery, Slack, State};
use crate::web_api::{limits, views};
use crate::world::User;

#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    user: String,
    view_id: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, Value>>,
    #[serde(default)]
    force: bool,
    #[serde(default)]
    deliveries: usize,
}

/// What a person reads when a submission got lost.
const TROUBLE: &str = "We had some trouble connecting. Try again?";

/// A person presses a modal's submit button.
pub(crate) async fn submit(slack: &Arc<Slack>, wish: Wish) -> Done {
    let (user, view, payload) = {
        let mut state = slack.lock();
        let user = actor(&state, &wish.user)?;
        let mut view = shown(&state, &user, wish.view_id.as_deref())?;
        let (values, missing) = fill_in(&view, &wish.values);
        if !missing.is_empty() && !wish.force {
            set_errors(&mut state, &user.id, &view, missing.clone());
            return Ok(json!({"closed": false, "sent": false, "errors": missing, "view": view}));
        }
        view["state"] = json!({"values": values});
        set_state(&mut state, &user.id, &view);
        let team = team_of(&view, &user);
        let trigger = state.new_trigger(&user.id, &team);
        let mut body = base(&state, "view_submission", &user);
        body.insert("trigger_id".into(), json!(trigger));
        body.insert("view".into(), view.clone());
        body.insert("response_urls".into(), json!([]));
        let callback_id = view["callback_id"].as_str().unwrap_or_default().to_owned();
        (user.clone(), view, interaction("view_submission", &callback_id, &user, None, &Value::Object(body)))
    };
    let payload = keep(slack, payload);
    let deliveries = deliver_copies(slack, &payload, wish.deliveries).await;
    let mut state = slack.lock();
    // The first answer decides what the screen shows; a copy's answer finds the modal gone already.
    let errors = deliveries.first().map(|first| follow(&mut state, &user, &view, first)).unwrap_or_default();
    let top = state.stack(&user.id).pop();
    let still_open = state.stack(&user.id).iter().any(|open| open["id"] == view["id"] && open["hash"] == view["hash"]);
    let mut report = report(&deliveries);
    report["sent"] = json!(true);
    report["closed"] = json!(!still_open);
    report["errors"] = json!(errors);
    report["view"] = json!(top);
    Ok(report)
}

/// Does what the app's answer to a submission says.
fn follow(state: &mut State, person: &User, view: &Value, delivery: &Delivery) -> BTreeMap<String, String> {
    let (user, team) = (person.id.as_str(), team_of(view, person));
    let trouble = || BTreeMap::from([("_".to_owned(), TROUBLE.to_owned())]);
    let answer: Value = match (delivery.succeeded(), delivery.body.trim()) {
        (false, _) => return set_errors(state, user, view, trouble()),
        (true, "") => json!({}),
        (true, body) => serde_json::from_str(body).unwrap_or_else(|_| json!({"response_action": "unreadable"})),
    };
    match answer["response_action"].as_str() {
        None => {
            pop(state, user, view);
            BTreeMap::new()
        }
        Some("clear") => {
            state.world.views.remove(user);
            state.tell_views(user);
            BTreeMap::new()
        }
        Some("errors") => {
            let blocks = view["blocks"].as_array().cloned().unwrap_or_default();
            let known = |id: &str| blocks.iter().any(|block| block["block_id"] == id && block["type"] == "input");
            let errors: BTreeMap<String, String> = answer["errors"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(id, text)| (id.clone(), text.as_str().unwrap_or_default().to_owned()))
                .collect();
            // Slack shows errors under input blocks only, and refuses an answer that names any other.
            let usable = !errors.is_empty() && errors.keys().all(|id| known(id));
            set_errors(state, user, view, if usable { errors } else { trouble() })
        }
        Some(action @ ("update" | "push")) => {
            let wanted = &answer["view"];
            if limits::check_view(wanted).is_err() {
                return set_errors(state, user, view, trouble());
            }
            if action == "update" {
                views::replace(state, user, &team, view, wanted);
            } else if views::show(state, user, &team, wanted, true).is_err() {
                return set_errors(state, user, view, trouble());
            }
            BTreeMap::new()
        }
        Some(_) => set_errors(state, user, view, trouble()),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct CloseWish {
    user: String,
    view_id: Option<String>,
}

/// A person closes a modal without submitting it.
pub(crate) async fn close(slack: &Arc<Slack>, wish: CloseWish) -> Done {
    let payload = {
        let mut state = slack.lock();
        let user = actor(&state, &wish.user)?;
        let view = shown(&state, &user, wish.view_id.as_deref())?;
        pop(&mut state, &user.id, &view);
        if view["notify_on_close"] != true {
            return Ok(json!({"closed": true, "sent": false}));
        }
        let mut body = base(&state, "view_closed", &user);
        body.insert("view".into(), view.clone());
        body.insert("is_cleared".into(), json!(false));
        interaction("view_closed", view["callback_id"].as_str().unwrap_or_default(), &user, None, &Value::Object(body))
    };
    let payload = keep(slack, payload);
    let mut report = report(&deliver_copies(slack, &payload, 1).await);
    report["closed"] = json!(true);
    report["sent"] = json!(true);
    Ok(report)
}

/// The team in which a modal was opened; an organisation's installation is the same in all of its teams.
fn team_of(view: &Value, user: &User) -> String {
    let installed = view["app_installed_team_id"].as_str().filter(|id| id.starts_with('T'));
    installed.unwrap_or(&user.team_id).to_owned()
}

fn shown(state: &State, user: &User, view_id: Option<&str>) -> Result<Value, Refused> {
    let stack = state.world.views.get(&user.id);
    let found = stack.and_then(|stack| match view_id {
        Some(id) => stack.iter().find(|open| open.id() == id),
        None => stack.last(),
    });
    found.map(|open| open.view.clone()).ok_or_else(|| Refused::not_found(format!("{} has no such modal open", user.name)))
}

fn pop(state: &mut State, user: &str, view: &Value) {
    if let Some(stack) = state.world.views.get_mut(user) {
        stack.retain(|open| open.view["id"] != view["id"]);
        if stack.is_empty() {
            state.world.views.remove(user);
        }
    }
    state.tell_views(user);
}

fn set_errors(state: &mut State, user: &str, view: &Value, errors: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let stack = state.world.views.get_mut(user);
    if let Some(open) = stack.and_then(|stack| stack.iter_mut().find(|open| open.view["id"] == view["id"])) {
        open.errors.clone_from(&errors);
    }
    state.tell_views(user);
    errors
}

fn set_state(state: &mut State, user: &str, view: &Value) {
    let stack = state.world.views.get_mut(user);
    if let Some(open) = stack.and_then(|stack| stack.iter_mut().find(|open| open.view["id"] == view["id"])) {
        open.view["state"] = view["state"].clone();
        open.errors.clear();
    }
}

/// `state.values` of a modal, and what Slack's own client would complain about before it sends anything.
pub(super) fn fill_in(view: &Value, given: &BTreeMap<String, BTreeMap<String, Value>>) -> (Value, BTreeMap<String, String>) {
    let mut values = json!({});
    let mut complaints = BTreeMap::new();
    for block in view["blocks"].as_array().into_iter().flatten() {
        let block_id = block["block_id"].as_str().unwrap_or_default();
        for element in limits::elements_of(block).filter(|element| element["type"] != "button") {
            let action_id = element["action_id"].as_str().unwrap_or_default();
            let value = given.get(block_id).and_then(|actions| actions.get(action_id));
            let shape = value.and_then(|value| input_value(element, value)).unwrap_or_else(|| initial_value(element));
            if block["type"] == "input" {
                let complaint = complaint(element, &shape, block["optional"] == true);
                complaints.extend(complaint.map(|complaint| (block_id.to_owned(), complaint)));
            }
            values[block_id][action_id] = shape;
        }
    }
    (values, complaints)
}

fn complaint(element: &Value, value: &Value, optional: bool) -> Option<String> {
    let is_empty = value.as_object().is_some_and(|fields| {
        fields.iter().filter(|(name, _)| *name != "type").all(|(_, value)| value.is_null() || *value == json!([]) || *value == json!(""))
    });
    if is_empty {
        return (!optional).then(|| "Please complete this required field.".to_owned());
    }
    let length = u64::try_from(value["value"].as_str()?.chars().count()).unwrap_or(u64::MAX);
    let (least, most) = (element["min_length"].as_u64().unwrap_or(0), element["max_length"].as_u64().unwrap_or(3000));
    if length < least {
        Some(format!("Please enter at least {least} characters."))
    } else if length > most {
        Some(format!("Please enter no more than {most} characters."))
    } else {
        None
    }
}

/// What an element holds once a person has entered or chosen something; `None` if it cannot hold that.
pub(super) fn input_value(element: &Value, given: &Value) -> Option<Value> {
    let kind = element["type"].as_str()?;
    let all_options = || {
        let groups = element["option_groups"].as_array().into_iter().flatten().map(|group| &group["options"]);
        groups.chain(std::iter::once(&element["options"])).filter_map(Value::as_array).flatten()
    };
    // By value, or as the option itself.
    let option = |wanted: &Value| all_options().find(|option| option["value"] == *wanted || *option == wanted).cloned();
    let listed = || given.as_array().cloned().unwrap_or_else(|| vec![given.clone()]);
    let (name, value) = match kind {
        "static_select" | "radio_buttons" | "overflow" => ("selected_option", if given.is_null() { Value::Null } else { option(given)? }),
        "multi_static_select" | "checkboxes" => {
            ("selected_options", Value::Array(listed().iter().filter(|wanted| !wanted.is_null()).map(option).collect::<Option<_>>()?))
        }
        "users_select" => ("selected_user", given.clone()),
        "multi_users_select" => ("selected_users", Value::Array(listed())),
        "channels_select" => ("selected_channel", given.clone()),
        "conversations_select" => ("selected_conversation", given.clone()),
        "multi_channels_select" => ("selected_channels", Value::Array(listed())),
        "multi_conversations_select" => ("selected_conversations", Value::Array(listed())),
        "datepicker" => ("selected_date", given.clone()),
        "timepicker" => ("selected_time", given.clone()),
        // Slack sends a number.
        "datetimepicker" => {
            ("selected_date_time", given.as_str().and_then(|text| text.parse::<i64>().ok()).map_or_else(|| given.clone(), Value::from))
        }
        _ => ("value", if *given == json!("") { Value::Null } else { given.clone() }),
    };
    Some(json!({"type": kind, name: value}))
}

/// What an untouched element holds.
fn initial_value(element: &Value) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    let (name, initial) = match kind {
        "static_select" | "radio_buttons" => ("selected_option", "initial_option"),
        "multi_static_select" | "checkboxes" => ("selected_options", "initial_options"),
        "users_select" => ("selected_user", "initial_user"),
        "multi_users_select" => ("selected_users", "initial_users"),
        "channels_select" => ("selected_channel", "initial_channel"),
        "conversations_select" => ("selected_conversation", "initial_conversation"),
        "multi_channels_select" => ("selected_channels", "initial_channels"),
        "multi_conversations_select" => ("selected_conversations", "initial_conversations"),
        "datepicker" => ("selected_date", "initial_date"),
        "timepicker" => ("selected_time", "initial_time"),
        "datetimepicker" => ("selected_date_time", "initial_date_time"),
        _ => ("value", "initial_value"),
    };
    let is_list = name.ends_with('s');
    let value = match &element[initial] {
        Value::Null if is_list => json!([]),
        value => value.clone(),
    };
    json!({"type": kind, name: value})
}
