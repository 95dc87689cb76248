//! `apps.manifest.*`: apps are described by whoever holds an app configuration token, which is no bot token. <https://docs.slack.dev/reference/app-manifest>
//!
//! What is checked is what an app of Tocsin's kind can get wrong; Slack checks more.

use serde_json::{Map, Value, json};

use super::args::Args;
use super::{Answer, ApiError, fields};
use crate::people::events::needed_scopes;
use crate::state::State;
use crate::workflows::Step;
use crate::world::APP_ID;

/// The answer, if the method is one of these.
pub(super) fn answer(state: &mut State, name: &str, args: &Args) -> Option<Answer> {
    let method = match name {
        "apps.manifest.validate" => validate,
        "apps.manifest.update" => update,
        "apps.manifest.create" => create,
        "apps.manifest.export" => export,
        _ => return None,
    };
    Some(let_in(state, args).and_then(|()| method(state, args)))
}

/// Only an app configuration token counts here.
fn let_in(state: &State, args: &Args) -> Result<(), ApiError> {
    match args.token.as_deref() {
        None => Err("not_authed".into()),
        Some(token) if token == state.apps.token => state.apps.error.as_deref().map_or(Ok(()), |error| Err(error.into())),
        Some(token) if state.access.owner(token).is_some() => Err("not_allowed_token_type".into()),
        Some(_) => Err("invalid_auth".into()),
    }
}

fn validate(state: &mut State, args: &Args) -> Answer {
    if let Some(app) = args.text("app_id") {
        known(state, &app)?;
    }
    read(args).map(|_| Map::new())
}

/// The manifest takes the place of the one before; scopes count only once the app is installed again.
fn update(state: &mut State, args: &Args) -> Answer {
    let app = args.text("app_id").ok_or_else(|| ApiError::missing("app_id"))?;
    known(state, &app)?;
    let manifest = read(args)?;
    let scopes = |manifest: &Value| manifest.pointer("/oauth_config/scopes").cloned();
    let permissions_updated = state.apps.manifests.get(&app).is_none_or(|before| scopes(before) != scopes(&manifest));
    if app == APP_ID {
        configure(state, &manifest);
    }
    state.apps.manifests.insert(app.clone(), manifest);
    Ok(fields(json!({"app_id": app, "permissions_updated": permissions_updated})))
}

fn create(state: &mut State, args: &Args) -> Answer {
    let manifest = read(args)?;
    let app = format!("A{:010}", state.world.number());
    let credentials = json!({
        "client_id": format!("4280.{}", state.world.number()), "client_secret": state.secret_text(),
        "verification_token": state.secret_text(), "signing_secret": state.secret_text(),
    });
    state.apps.manifests.insert(app.clone(), manifest);
    Ok(fields(json!({"app_id": app, "credentials": credentials, "oauth_authorize_url": "https://slack.com/oauth/v2/authorize"})))
}

/// <https://docs.slack.dev/reference/methods/apps.manifest.export>
fn export(state: &mut State, args: &Args) -> Answer {
    let app = args.text("app_id").ok_or_else(|| ApiError::missing("app_id"))?;
    known(state, &app)?;
    let manifest = state.apps.manifests.get(&app).cloned();
    Ok(fields(json!({"manifest": manifest.unwrap_or_else(|| json!({"display_information": {"name": "Tocsin"}}))})))
}

fn known(state: &State, app: &str) -> Result<(), ApiError> {
    if app == APP_ID || state.apps.manifests.contains_key(app) { Ok(()) } else { Err("invalid_app_id".into()) }
}

/// The app behind this simulator is what its manifest says.
fn configure(state: &mut State, manifest: &Value) {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    state.app.commands_url = text("/features/slash_commands/0/url");
    state.app.interactions_url = text("/settings/interactivity/request_url");
    state.app.events_url = text("/settings/event_subscriptions/request_url");
    state.app.events = list(manifest, "/settings/event_subscriptions/bot_events").into_iter().map(str::to_owned).collect();
    let steps = manifest.get("functions").and_then(Value::as_object).into_iter().flatten();
    state.workflows.steps = steps.filter_map(|(callback_id, step)| Step::described(callback_id, step)).collect();
    state.tell(|state| json!({"kind": "app", "app": state.app}));
}

fn list<'m>(manifest: &'m Value, pointer: &str) -> Vec<&'m str> {
    manifest.pointer(pointer).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn read(args: &Args) -> Result<Value, ApiError> {
    let text = args.text("manifest").ok_or_else(|| ApiError::missing("manifest"))?;
    let manifest: Value = serde_json::from_str(&text).map_err(|_| ApiError::from("invalid_manifest"))?;
    let errors: Vec<Value> =
        mistakes(&manifest).into_iter().map(|(pointer, message)| json!({"pointer": pointer, "message": message})).collect();
    if errors.is_empty() {
        return Ok(manifest);
    }
    Err(ApiError { extra: fields(json!({"errors": errors})), ..ApiError::from("invalid_manifest") })
}

/// What is wrong, each with its place.
fn mistakes(manifest: &Value) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut say = |pointer: &str, message: &str| found.push((pointer.to_owned(), message.to_owned()));
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str);
    let socket = manifest.pointer("/settings/socket_mode_enabled") == Some(&json!(true));
    match text("/display_information/name") {
        Some(name) if (1..=35).contains(&name.chars().count()) => {}
        _ => say("/display_information/name", "A name of 1 to 35 characters is required"),
    }
    if text("/display_information/description").is_some_and(|description| description.chars().count() > 140) {
        say("/display_information/description", "Must be at most 140 characters");
    }
    let interactive = manifest.pointer("/settings/interactivity/is_enabled") == Some(&json!(true));
    if interactive && !socket && text("/settings/interactivity/request_url").is_none_or(|url| !is_web(url)) {
        say("/settings/interactivity", "Interactivity requires a Request URL");
    }
    let events = list(manifest, "/settings/event_subscriptions/bot_events");
    if !events.is_empty() && !socket && text("/settings/event_subscriptions/request_url").is_none_or(|url| !is_web(url)) {
        say("/settings/event_subscriptions", "Event Subscription requires either Request URL or Socket Mode Enabled");
    }
    let scopes = list(manifest, "/oauth_config/scopes/bot");
    for event in &events {
        let needed = needed_scopes(event);
        if !needed.is_empty() && !needed.iter().any(|scope| scopes.contains(scope)) {
            say("/settings/event_subscriptions/bot_events", &format!("{event} requires one of these scopes: {}", needed.join(", ")));
        }
    }
    let commands = manifest.pointer("/features/slash_commands").and_then(Value::as_array).into_iter().flatten();
    for (number, command) in commands.enumerate() {
        let part = |name: &str| command.get(name).and_then(Value::as_str);
        if !part("command").is_some_and(|word| word.starts_with('/')) || part("description").is_none() {
            say(&format!("/features/slash_commands/{number}"), "A command begins with / and has a description");
        }
        if !socket && part("url").is_none_or(|url| !is_web(url)) {
            say(&format!("/features/slash_commands/{number}/url"), "Slash commands require a Request URL or Socket Mode enabled");
        }
    }
    if manifest.pointer("/features/unfurl_domains").and_then(Value::as_array).is_some_and(|domains| domains.len() > 5) {
        say("/features/unfurl_domains", "Must have at most 5 items");
    }
    if manifest.get("functions").is_some() && manifest.pointer("/settings/org_deploy_enabled") != Some(&json!(true)) {
        say("/settings/org_deploy_enabled", "Functions require org_deploy_enabled");
    }
    found
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://127.0.0.1")
}
