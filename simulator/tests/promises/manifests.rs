//! Apps are described by a manifest, by whoever holds an app configuration token.

use super::*;

const TOKEN: &str = "xoxe.xoxp-simulator";

fn manifest() -> Value {
    json!({
        "display_information": {"name": "Tocsin"},
        "features": {"slash_commands": [{"command": "/incident", "description": "Incidents", "url": "https://app.example.com/commands"}]},
        "oauth_config": {"scopes": {"bot": ["commands", "reactions:read"]}},
        "settings": {
            "event_subscriptions": {"request_url": "https://app.example.com/events", "bot_events": ["reaction_added"]},
            "interactivity": {"is_enabled": true, "request_url": "https://app.example.com/interactions"},
            "org_deploy_enabled": true,
        },
    })
}

async fn call(world: &World, method: &str, manifest: &Value, more: Value) -> Value {
    let mut arguments = json!({"manifest": manifest.to_string()});
    arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    world.api_as(TOKEN, method, arguments).await.body
}

#[tokio::test]
async fn a_manifest_becomes_what_the_app_is() {
    let world = World::start().await;
    assert_eq!(call(&world, "apps.manifest.validate", &manifest(), json!({})).await, json!({"ok": true}));
    let updated = call(&world, "apps.manifest.update", &manifest(), json!({"app_id": "A0TOCSIN"})).await;
    assert_eq!(updated, json!({"ok": true, "app_id": "A0TOCSIN", "permissions_updated": true}));
    let again = call(&world, "apps.manifest.update", &manifest(), json!({"app_id": "A0TOCSIN"})).await;
    assert_eq!(again["permissions_updated"], false);
    let app = world.look("state?fields=app").await["app"].clone();
    assert_eq!((&app["commands_url"], &app["events"]), (&json!("https://app.example.com/commands"), &json!(["reaction_added"])));
    let created = call(&world, "apps.manifest.create", &manifest(), json!({})).await;
    let (id, secret) = (created["app_id"].as_str().unwrap(), created["credentials"]["signing_secret"].as_str().unwrap());
    assert_eq!(world.look("apps").await[id], manifest());
    assert!(!world.look("calls?method=apps.manifest.create").await.to_string().contains(secret), "a record holds no secret");
    assert_eq!(call(&world, "apps.manifest.update", &manifest(), json!({"app_id": "A0NOBODY"})).await["error"], "invalid_app_id");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place_and_only_to_who_may_ask() {
    let world = World::start().await;
    let mut wrong = manifest();
    wrong["settings"]["interactivity"]["request_url"] = Value::Null;
    wrong["settings"]["event_subscriptions"]["bot_events"] = json!(["app_mention"]);
    wrong["features"]["slash_commands"][0]["url"] = json!("<CommandsUrl>");
    wrong["functions"] = json!({});
    wrong["settings"]["org_deploy_enabled"] = json!(false);
    let refused = call(&world, "apps.manifest.validate", &wrong, json!({})).await;
    let pointers: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    let places = [
        "/settings/interactivity",
        "/settings/event_subscriptions/bot_events",
        "/features/slash_commands/0/url",
        "/settings/org_deploy_enabled",
    ];
    assert_eq!((refused["error"].as_str(), pointers), (Some("invalid_manifest"), places.to_vec()));
    // In Socket Mode there are no addresses.
    let mut socket = manifest();
    socket["settings"]["socket_mode_enabled"] = json!(true);
    socket["settings"]["interactivity"] = json!({"is_enabled": true});
    socket["settings"]["event_subscriptions"]["request_url"] = Value::Null;
    socket["features"]["slash_commands"][0]["url"] = Value::Null;
    assert_eq!(call(&world, "apps.manifest.validate", &socket, json!({})).await["ok"], true);
    for (token, error) in [("xoxb-simulator", "not_allowed_token_type"), ("xoxe.xoxp-another", "invalid_auth")] {
        let refused = world.api_as(token, "apps.manifest.validate", json!({"manifest": "{}"})).await.body;
        assert_eq!(refused["error"], error);
    }
    world.sim("apps", json!({"error": "token_expired"})).await;
    assert_eq!(call(&world, "apps.manifest.validate", &manifest(), json!({})).await["error"], "token_expired");
}
