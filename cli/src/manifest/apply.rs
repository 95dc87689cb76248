//! `tocsin manifest apply`. <https://docs.slack.dev/reference/methods/apps.manifest.update>

use anyhow::Result;
use serde_json::{Value, json};

use super::Wish;
use super::api::Api;
use crate::deployment::Stack;
use crate::output::{Output, ask, note, plain};

/// What a person sees of an app, by its place in the manifest, with what its parts are called: where it is a list, and where each of them has a name of its own.
const SEEN: [(&str, &str, &str); 8] = [
    ("/display_information/name", "the name", ""),
    ("/features/slash_commands", "the slash command", "/command"),
    ("/features/shortcuts", "the shortcut", "/name"),
    ("/features/unfurl_domains", "the domain", ""),
    ("/oauth_config/scopes/bot", "the scope", ""),
    ("/oauth_config/scopes/user", "the person's scope", ""),
    ("/oauth_config/redirect_urls", "the redirect URL", ""),
    ("/settings/event_subscriptions/bot_events", "the event", ""),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The app: A…, under Basic Information at `https://api.slack.com/apps`.
    #[arg(long, value_name = "A…")]
    app_id: String,
    /// Do not ask. It is only asked at a terminal, and where the app loses something.
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(stack: &Stack, wish: &Wish, Arguments { app_id, yes }: &Arguments, output: Output) -> Result<()> {
    let deployment = wish.deployment(stack, output).await?;
    let manifest = wish.document(deployment.as_ref())?.json()?;
    let api = Api::of(deployment.as_ref())?;
    let waiting = output.waiting("asking Slack for the manifest that the app has");
    let before = api.call("apps.manifest.export", None, Some(app_id)).await?;
    drop(waiting);
    let lost = lost(before.get("manifest").unwrap_or(&Value::Null), &manifest);
    if !lost.is_empty() {
        note(format_args!(
            "the app has, and then has no more: {}. What it is to keep has to be said again, as when it was made",
            lost.join(", ")
        ));
        ask("Give it this manifest?", *yes)?;
    }
    let waiting = output.waiting("handing the manifest to Slack");
    let answer = api.call("apps.manifest.update", Some(&manifest), Some(app_id)).await?;
    drop(waiting);
    let again = answer.get("permissions_updated").and_then(Value::as_bool) == Some(true);
    output
        .print(&json!({ "app_id": app_id, "install_again": again, "lost": lost }), || anstream::println!("{app_id} has this manifest"))?;
    if again {
        note("its scopes are different: they count once it is installed again, under Install App or by `tocsin install-link`");
    }
    Ok(())
}

/// What the manifest of before has and the one of now has not.
fn lost(before: &Value, now: &Value) -> Vec<String> {
    let mut lost = Vec::new();
    for (place, called, name) in SEEN {
        let parts = |manifest: &Value| -> Vec<String> {
            let parts = match manifest.pointer(place) {
                Some(Value::Array(parts)) => parts.iter().collect(),
                other => other.into_iter().collect::<Vec<_>>(),
            };
            parts.into_iter().filter_map(|part| part.pointer(name)?.as_str().map(plain)).collect()
        };
        let kept = parts(now);
        lost.extend(parts(before).into_iter().filter(|part| !kept.contains(part)).map(|part| format!("{called} {part}")));
    }
    let steps = |manifest: &Value| manifest.get("functions").and_then(Value::as_object).cloned().unwrap_or_default();
    let kept = steps(now);
    lost.extend(steps(before).keys().filter(|step| !kept.contains_key(*step)).map(|step| format!("the step {}", plain(step))));
    let by_socket = |manifest: &Value| manifest.pointer("/settings/socket_mode_enabled") == Some(&Value::Bool(true));
    if by_socket(before) && !by_socket(now) {
        lost.push("Socket Mode".to_owned());
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_app_loses_is_named() {
        let before = json!({
            "display_information": { "name": "Bell" },
            "features": { "slash_commands": [{ "command": "/page" }, { "command": "/incident" }] },
            "oauth_config": { "scopes": { "bot": ["commands", "links:read"] } },
            "functions": { "open": {}, "own": {} },
            "settings": { "socket_mode_enabled": true },
        });
        let now = json!({
            "display_information": { "name": "Tocsin" },
            "features": { "slash_commands": [{ "command": "/incident" }] },
            "oauth_config": { "scopes": { "bot": ["commands", "chat:write"] } },
            "functions": { "open": {} },
        });
        let all = ["the name Bell", "the slash command /page", "the scope links:read", "the step own", "Socket Mode"];
        assert_eq!(lost(&before, &now), all);
        assert_eq!(lost(&now, &now), Vec::<String>::new());
        assert_eq!(lost(&Value::Null, &now), Vec::<String>::new());
    }
}
