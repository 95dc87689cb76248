//! Several workspaces: a token is good for its own and for no other.

use serde_json::{Value, json};

use crate::World;

const ACME: &str = "xoxb-acme";
const ORG: &str = "xoxb-org";

/// A second workspace with the app installed, a channel and a person.
async fn acme(world: &World) {
    world.sim("teams", json!({"id": "T0ACME", "name": "Acme", "domain": "acme"})).await;
    world.sim("token", json!({"team": "T0ACME", "bot_token": ACME})).await;
    world.sim("users", json!({"id": "U0ANNA", "name": "anna", "team_id": "T0ACME"})).await;
    world.sim("channels", json!({"id": "C0ACME", "name": "incidents", "team_id": "T0ACME"})).await;
}

/// An organisation of two workspaces that has installed the app for both.
async fn organisation(world: &World) {
    let of = |id: &str| json!({"id": id, "enterprise_id": "E0STAR", "enterprise_name": "Starship"});
    world.sim("teams", of("T0BRIDGE")).await;
    world.sim("teams", of("T0ENGINE")).await;
    world.sim("token", json!({"team": "E0STAR", "bot_token": ORG})).await;
    world.sim("users", json!({"id": "U0KIRK", "name": "kirk", "team_id": "T0BRIDGE"})).await;
    world.sim("channels", json!({"id": "C0BRIDGE", "name": "bridge", "team_id": "T0BRIDGE"})).await;
    world.sim("channels", json!({"id": "C0ENGINE", "name": "engine", "team_id": "T0ENGINE"})).await;
    for (id, team) in [("C0HALL1", "T0BRIDGE"), ("C0HALL2", "T0ENGINE")] {
        world.sim("channels", json!({"id": id, "name": "hall", "team_id": team})).await;
    }
}

#[tokio::test]
async fn nothing_of_one_workspace_is_there_for_the_token_of_another() {
    let world = World::start().await;
    acme(&world).await;
    for (channel, error) in [("C0ACME", "channel_not_found"), ("U0ANNA", "channel_not_found"), ("C0NOWHERE", "channel_not_found")] {
        assert_eq!(world.api("chat.postMessage", json!({"channel": channel, "text": "x"})).await.body["error"], error, "{channel}");
    }
    for channel in ["C0INCIDENTS", "#payments", "U0JANE", "D0JANE"] {
        let refused = world.api_as(ACME, "chat.postMessage", json!({"channel": channel, "text": "x"})).await.body;
        assert_eq!(refused["error"], "channel_not_found", "{channel}");
    }
    let ts = world.post("C0INCIDENTS", "ours").await;
    let change = json!({"channel": "C0INCIDENTS", "ts": ts, "text": "theirs"});
    assert_eq!(world.api_as(ACME, "chat.update", change).await.body["error"], "channel_not_found");
    let link = world.get_api_as(ACME, &format!("chat.getPermalink?channel=C0INCIDENTS&message_ts={ts}")).await;
    assert_eq!(link["error"], "channel_not_found");
    assert_eq!(world.get_api_as(ACME, "conversations.history?channel=C0INCIDENTS").await["error"], "channel_not_found");
    assert_eq!(world.get_api_as(ACME, "users.info?user=U0JANE").await["error"], "user_not_found");
    assert_eq!(world.get_api_as(ACME, "users.lookupByEmail?email=jane@example.com").await["error"], "users_not_found");
    assert_eq!(world.get_api("users.info?user=U0ANNA").await["error"], "user_not_found");
    let home = json!({"user_id": "U0JANE", "view": {"type": "home", "blocks": []}});
    assert_eq!(world.api_as(ACME, "views.publish", home).await.body["error"], "user_not_found");
    let channels = world.get_api_as(ACME, "conversations.list").await;
    assert_eq!(channels["channels"].as_array().unwrap().len(), 1, "{channels}");
}

#[tokio::test]
async fn a_name_is_looked_up_in_the_workspace_of_the_token_and_the_record_says_whose_it_was() {
    let world = World::start().await;
    acme(&world).await;
    let theirs = world.api_as(ACME, "chat.postMessage", json!({"channel": "#incidents", "text": "x"})).await.body;
    let ours = world.api("chat.postMessage", json!({"channel": "#incidents", "text": "x"})).await.body;
    assert_eq!((&theirs["channel"], &ours["channel"]), (&json!("C0ACME"), &json!("C0INCIDENTS")));
    assert_eq!((&theirs["message"]["team"], &ours["message"]["team"]), (&json!("T0ACME"), &json!("T0TOCSIN")));
    assert_ne!(theirs["message"]["bot_id"], ours["message"]["bot_id"], "each workspace has a bot of its own");
    world.api_as("xoxb-stranger", "auth.test", json!({})).await;
    let teams: Vec<Value> = world.look("calls").await.as_array().unwrap().iter().map(|call| call["team"].clone()).collect();
    assert_eq!(teams, [json!("T0ACME"), json!("T0TOCSIN"), Value::Null]);
}

#[tokio::test]
async fn scopes_and_errors_belong_to_one_installation() {
    let world = World::start().await;
    acme(&world).await;
    world.sim("token", json!({"team": "T0ACME", "scopes": ["commands"]})).await;
    assert_eq!(world.api_as(ACME, "chat.postMessage", json!({"channel": "C0ACME", "text": "x"})).await.body["error"], "missing_scope");
    world.post("C0INCIDENTS", "the others have their own").await;
    world.sim("token", json!({"team": "T0ACME", "error": "token_revoked"})).await;
    assert_eq!(world.api_as(ACME, "auth.test", json!({})).await.body["error"], "token_revoked");
    assert_eq!(world.api("auth.test", json!({})).await.body["ok"], true);
    let (status, error) = world.sim_refuses("token", json!({"team": "T0NOBODY", "bot_token": "xoxb-x"})).await;
    assert_eq!(status, 404, "{error}");
    world.sim("token", json!({"bot_token": ["xoxb-simulator", ACME]})).await;
    assert_eq!(world.api_as(ACME, "auth.test", json!({})).await.body["team_id"], "T0TOCSIN", "a token belongs to one installation");
}

#[tokio::test]
async fn auth_test_says_whose_token_it_is() {
    let world = World::start().await;
    acme(&world).await;
    organisation(&world).await;
    let acme = world.api_as(ACME, "auth.test", json!({})).await.body;
    assert_eq!((&acme["team_id"], &acme["url"]), (&json!("T0ACME"), &json!("https://acme.slack.com/")));
    assert_eq!((&acme["is_enterprise_install"], &acme["enterprise_id"]), (&json!(false), &Value::Null));
    let org = world.api_as(ORG, "auth.test", json!({})).await.body;
    assert_eq!((&org["team_id"], &org["enterprise_id"], &org["team"]), (&json!("E0STAR"), &json!("E0STAR"), &json!("Starship")));
    assert_eq!(org["is_enterprise_install"], true);
}

#[tokio::test]
async fn an_organisations_token_works_for_all_of_its_workspaces_and_no_other() {
    let world = World::start().await;
    organisation(&world).await;
    let post = |channel: &str| world.api_as(ORG, "chat.postMessage", json!({"channel": channel, "text": "x"}));
    for (channel, id) in [("C0BRIDGE", "C0BRIDGE"), ("#engine", "C0ENGINE"), ("U0KIRK", "D0KIRK"), ("C0HALL2", "C0HALL2")] {
        assert_eq!(post(channel).await.body["channel"], id);
    }
    assert_eq!(post("#hall").await.body["error"], "channel_not_found", "two workspaces have one of that name");
    assert_eq!(post("C0INCIDENTS").await.body["error"], "channel_not_found");
    assert_eq!(world.get_api_as(ORG, "conversations.list").await["error"], "missing_argument");
    let listed = world.get_api_as(ORG, "conversations.list?team_id=T0ENGINE").await;
    assert_eq!(listed["channels"].as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(world.get_api_as(ORG, "users.list?team_id=T0TOCSIN").await["error"], "team_access_not_granted");
    let calls = world.look("calls?method=chat.postMessage&fields=team").await;
    assert!(calls.as_array().unwrap().iter().all(|call| *call == json!({"team": "E0STAR"})), "{calls}");
    let (status, error) = world.sim_refuses("token", json!({"team": "T0BRIDGE", "bot_token": "xoxb-bridge"})).await;
    assert!(status == 400 && error.contains("cannot_install_an_org_installed_app"), "{error}");
}

#[tokio::test]
async fn payloads_carry_the_workspace_of_the_person() {
    let world = World::start().await;
    acme(&world).await;
    world.sim("command", json!({"user": "anna", "channel": "incidents", "text": "list"})).await;
    let command = world.app.last();
    assert_eq!((command.field("team_id").as_str(), command.field("team_domain").as_str()), ("T0ACME", "acme"));
    assert_eq!((command.field("channel_id").as_str(), command.field("is_enterprise_install").as_str()), ("C0ACME", "false"));
    assert!(command.field("response_url").contains("/hooks/response/T0ACME/"));
    world.sim("shortcut", json!({"user": "anna", "callback_id": "create_incident"})).await;
    let shortcut = world.app.last().payload();
    assert_eq!((&shortcut["team"], &shortcut["enterprise"]), (&json!({"id": "T0ACME", "domain": "acme"}), &Value::Null));
    let view = json!({"trigger_id": shortcut["trigger_id"], "view": {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}});
    assert_eq!(world.api("views.open", view.clone()).await.body["error"], "invalid_trigger_id", "it is another workspace's");
    let opened = world.api_as(ACME, "views.open", view).await.body;
    assert_eq!((&opened["view"]["team_id"], &opened["view"]["app_installed_team_id"]), (&json!("T0ACME"), &json!("T0ACME")));
    let change =
        json!({"view_id": opened["view"]["id"], "view": {"type": "modal", "title": {"type": "plain_text", "text": "y"}, "blocks": []}});
    assert_eq!(world.api("views.update", change.clone()).await.body["error"], "not_found");
    assert_eq!(world.api_as(ACME, "views.update", change).await.body["ok"], true);
    world.sim("message", json!({"user": "anna", "channel": "incidents", "text": "@tocsin status", "typed": true})).await;
    let event = world.app.last().json();
    let bot = world.api_as(ACME, "auth.test", json!({})).await.body["user_id"].clone();
    assert_eq!((&event["team_id"], &event["enterprise_id"]), (&json!("T0ACME"), &Value::Null));
    assert_eq!(event["event"]["text"], format!("<@{}> status", bot.as_str().unwrap()));
    assert_eq!((&event["authorizations"][0]["team_id"], &event["authorizations"][0]["user_id"]), (&json!("T0ACME"), &bot));
}

#[tokio::test]
async fn where_the_organisation_installed_it_payloads_say_so() {
    let world = World::start().await;
    organisation(&world).await;
    world.sim("command", json!({"user": "kirk", "channel": "bridge", "text": "list"})).await;
    let command = world.app.last();
    let field = |name| command.field(name);
    assert_eq!(
        (field("team_id"), field("enterprise_id"), field("enterprise_name")),
        ("T0BRIDGE".into(), "E0STAR".into(), "Starship".into())
    );
    assert_eq!(field("is_enterprise_install"), "true");
    world.sim("shortcut", json!({"user": "kirk", "callback_id": "create_incident"})).await;
    let shortcut = world.app.last().payload();
    assert_eq!((&shortcut["team"], &shortcut["enterprise"]), (&Value::Null, &json!({"id": "E0STAR", "name": "Starship"})));
    assert_eq!((&shortcut["is_enterprise_install"], &shortcut["user"]["team_id"]), (&json!(true), &json!("T0BRIDGE")));
    let view = json!({"trigger_id": shortcut["trigger_id"], "view": {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}});
    let opened = world.api_as(ORG, "views.open", view).await.body;
    assert_eq!((&opened["view"]["team_id"], &opened["view"]["app_installed_team_id"]), (&json!("T0BRIDGE"), &json!("E0STAR")));
    world.sim("submit", json!({"user": "kirk", "force": true})).await;
    assert_eq!(world.app.last().payload()["team"], Value::Null);
    world.sim("message", json!({"user": "kirk", "channel": "bridge", "text": "hello"})).await;
    let event = world.app.last().json();
    assert_eq!((&event["team_id"], &event["enterprise_id"]), (&json!("T0BRIDGE"), &json!("E0STAR")));
    let authorization = &event["authorizations"][0];
    assert_eq!((&authorization["enterprise_id"], &authorization["team_id"]), (&json!("E0STAR"), &Value::Null));
    assert_eq!(authorization["is_enterprise_install"], true);
}

#[tokio::test]
async fn uninstalling_ends_one_installation_and_says_whose() {
    let world = World::start().await;
    acme(&world).await;
    organisation(&world).await;
    world.sim("uninstall", json!({"team": "T0ACME"})).await;
    let events: Vec<Value> = world.app.requests().iter().map(|request| request.json()).collect();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["team_id"] == "T0ACME"), "{events:?}");
    assert_eq!(world.api_as(ACME, "auth.test", json!({})).await.body["error"], "account_inactive");
    assert_eq!(world.api_as(ORG, "auth.test", json!({})).await.body["ok"], true);
    world.sim("uninstall", json!({"team": "E0STAR"})).await;
    let event = world.app.last().json();
    assert_eq!((&event["team_id"], &event["enterprise_id"]), (&Value::Null, &json!("E0STAR")));
    assert_eq!(event["authorizations"][0]["is_enterprise_install"], true);
    assert_eq!(world.api_as(ORG, "auth.test", json!({})).await.body["error"], "account_inactive");
    assert_eq!(world.api("auth.test", json!({})).await.body["ok"], true);
    world.sim("token", json!({"team": "T0BRIDGE", "bot_token": "xoxb-bridge"})).await;
    assert_eq!(
        world.api_as("xoxb-bridge", "auth.test", json!({})).await.body["team_id"],
        "T0BRIDGE",
        "a workspace may install it for itself then"
    );
    let teams = world.look("state?fields=teams").await;
    let installations: Vec<Value> = teams["teams"].as_array().unwrap().iter().map(|team| team["installation"].clone()).collect();
    assert_eq!(installations, [json!("T0TOCSIN"), Value::Null, json!("T0BRIDGE"), Value::Null]);
}

#[tokio::test]
async fn at_the_start_there_is_one_workspace() {
    let world = World::start().await;
    let state = world.look("state").await;
    assert_eq!(state["teams"].as_array().unwrap().len(), 1);
    assert_eq!((&state["team"]["id"], &state["team"]["name"]), (&json!("T0TOCSIN"), &json!("Tocsin Ltd")));
    assert_eq!(state["bot"], json!({"user_id": "U0BOT", "bot_id": "B0TOCSIN", "app_id": "A0TOCSIN", "name": "tocsin"}));
}
