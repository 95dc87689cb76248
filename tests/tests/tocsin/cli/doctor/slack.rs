//! What Slack says: tokens, scopes, channels; and what the configuration asks of it.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::ids::Workspace;
use shared::store::Store;
use shared::store::installations::Disabled;
use tests::browser::Browser;
use tests::world::{Setup, WORKSPACE, World};

use super::{healthy, looks, looks_with, pastes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_revoked() {
    let world = World::start().await;
    let admin = healthy(&world).await;
    world.slack.tell("token", &json!({ "error": "token_revoked" })).await;
    let rotate = looks(&admin).await.only_broken("token", "", "Slack does not accept it: token_revoked", "tocsin secrets rotate bot");
    let new = "xoxb-canary-installed-again";
    world.slack.tell("token", &json!({ "bot_token": new, "error": null })).await;
    pastes(&admin, &rotate, new).await;
    looks(&admin).await.is_well();
    world.finish().await;
}

/// Slack refused its token once and for all, and nobody has handed over another: not even one that Slack accepts again counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_is_closed() {
    let world = World::start().await;
    world.alarm_fires("disk-full").await;
    world.settled().await;
    let admin = healthy(&world).await;
    let store = Store::new(world.aws.dynamodb.clone(), world.resources.table.clone());
    let disabled = Disabled { at: Timestamp::now(), reason: "Slack said token_revoked".to_owned() };
    let known = world.installation(WORKSPACE).await;
    let digest = known["token_digest"].as_str().expect("a digest");
    assert!(store.disable(&Workspace::new(WORKSPACE), digest, &disabled).await.expect("the table is there"));
    let rotate = looks(&admin).await.only_broken("installation", WORKSPACE, ": Slack said token_revoked", "tocsin secrets rotate bot");
    let new = "xoxb-canary-installed-again";
    world.slack.tell("token", &json!({ "bot_token": new })).await;
    pastes(&admin, &rotate, new).await;
    looks(&admin).await.is_well();
    world.alarm_fires("disk-full-again").await;
    world.settled().await;
    assert!(world.installation(WORKSPACE).await.get("disabled").is_none(), "it is open for the functions as well");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_of_another_workspace() {
    let world = World::start().await;
    world.alarm_fires("disk-full").await;
    world.settled().await;
    let admin = healthy(&world).await;
    let foreign = "xoxb-canary-of-another-workspace";
    world.slack.tell("teams", &json!({ "id": "T0SOMEWHERE", "name": "Somewhere" })).await;
    world.slack.tell("token", &json!({ "team": "T0SOMEWHERE", "bot_token": foreign })).await;
    world.writes_secret(foreign, &world.signing_secret).await;
    let found = looks(&admin).await;
    found.only_broken("token", "", "it is of Somewhere (T0SOMEWHERE), and this deployment serves T0TOCSIN", "tocsin secrets rotate");
    found.says("token", "", "broken", "nothing is called with it", "DefaultWorkspace=T0SOMEWHERE");
    world.writes_secret(&world.bot_token, &world.signing_secret).await;
    looks(&admin).await.is_well();
    world.finish().await;
}

/// What a scope costs is said. Whoever does without a feature on purpose says so and hears no more of it; else the manifest brings it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_is_missing() {
    let world = World::start().await;
    let admin = healthy(&world).await.with("SLACK_CONFIG_TOKEN", "xoxe.xoxp-simulator");
    let granted: Value = world.slack.tell("token", &json!({})).await;
    let all: Vec<&str> = granted["scopes"].as_array().expect("scopes").iter().filter_map(Value::as_str).collect();
    let without = |left_out: &[&str]| all.iter().copied().filter(|scope| !left_out.contains(scope)).collect::<Vec<_>>();
    world.slack.tell("token", &json!({ "scopes": without(&["reactions:read"]) })).await;
    let found = looks(&admin).await;
    found.is_well();
    found.says(
        "scopes",
        "reactions",
        "look",
        "reactions:read not granted: emoji under a card neither acknowledge nor resolve",
        "tocsin manifest apply",
    );
    assert!(looks_with(&admin, &["--without", "reactions"]).await.of("scopes", "")["seen"] == "all 11 granted");

    world.slack.tell("token", &json!({ "scopes": without(&["chat:write"]) })).await;
    let command = looks(&admin).await.only_broken("scopes", "", "chat:write not granted: there is no /incident", "tocsin manifest apply");
    let command = command.replace("A…", "A0TOCSIN");
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    let applied = admin.runs(&arguments).await;
    assert!(applied.code == Some(0) && applied.stderr.contains("once it is installed again"), "{}", applied.stderr);
    // Installed again, the app has what its manifest asks for.
    let manifests = world.slack.ask("apps").await;
    world.slack.tell("token", &json!({ "scopes": manifests["A0TOCSIN"]["oauth_config"]["scopes"]["bot"] })).await;
    let found = looks(&admin).await;
    found.is_well();
    assert_eq!(found.of("scopes", "")["state"], "well");
    world.finish().await;
}

/// An incident goes where the bot is not: the doctor finds the channel, and the dead letter that came of it. Both fixes done, the incident shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_is_not_in_a_channel_and_what_was_for_it_stands_on_the_dead_letters() {
    let world = World::start().await;
    let admin = healthy(&world).await;
    world.configures("[routing]\ndefault = { channel = \"C0INCIDENTS\" }\n[[routing.rules]]\nmatch = { severity = \"P1\" }\nto = [{ channel = \"C0RANDOM\" }]\n").await;
    world.expects_error("not_in_channel");
    let found = looks(&admin).await;
    assert_eq!(found.only_broken("channel", "C0RANDOM", "The bot is not in C0RANDOM", "/invite"), "/invite @tocsin");
    world.drops(&json!({ "type": "create", "title": "Disk full", "severity": "P1", "dedup_key": "disk" })).await;
    let found = world
        .until("the letter is found", async || {
            let found = looks(&admin).await;
            let letters = found.of("dead_letters", "posts");
            if letters["state"] == "broken" { Ok(found) } else { Err(format!("{letters}")) }
        })
        .await;
    let redrive =
        found.says("dead_letters", "posts", "broken", "1 message that nobody could handle: ", "tocsin dead-letters redrive posts");
    assert!(found.of("dead_letters", "posts")["seen"].as_str().expect("a text").contains("not_in_channel"), "{:#}", found.report);
    assert_eq!(redrive, format!("tocsin dead-letters redrive posts --stack {}", admin.stack));
    assert_eq!(found.marks("broken").len(), 2, "{:#?}", found.marks("broken"));
    world.slack.tell("channels", &json!({ "id": "C0RANDOM", "is_member": true })).await;
    looks(&admin).await.only_broken("dead_letters", "posts", "not_in_channel", "redrive posts");
    pastes(&admin, &redrive, "").await;
    world.card("#random", "Disk full").await;
    world.settled().await;
    looks(&admin).await.is_well();
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_does_not_exist_and_another_is_archived() {
    let world = World::start().await;
    let admin = world.admin_of(&[("DefaultChannel", "#typo")]).await;
    looks(&admin).await.only_broken("channel", "#typo", "or there is no such channel", "/invite @tocsin");
    let admin = world.admin_of(&[("DefaultChannel", "C0NOWHERE00")]).await;
    looks(&admin).await.only_broken("channel", "C0NOWHERE00", "does not exist, or is private", "/invite @tocsin");
    world.configures("[routing]\ndefault = { channel = \"C0OLD\" }\n").await;
    let found = looks(&admin).await;
    let archived = found.of("channel", "C0OLD");
    assert_eq!((&archived["state"], &archived["seen"]), (&json!("broken"), &json!("C0OLD is archived")));
    assert_eq!(archived["fix"]["say"], "Bring it back in Slack, or choose another channel.");
    world.configures("[routing]\ndefault = { channel = \"C0INCIDENTS\" }\n").await;
    looks(&admin).await.is_well();
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_was_broken_by_hand() {
    let world = World::start().await;
    let admin = healthy(&world).await;
    world.configures("thread = \"perhaps\"\n[notify]\nleast = \"P9\"\n").await;
    let found = looks(&admin).await;
    found.only_broken(
        "configuration",
        "",
        "line 1, column ",
        &format!("tocsin config apply tocsin.toml --workspace {WORKSPACE} --stack {}", admin.stack),
    );
    found.says("configuration", "", "broken", "`notify.least`", "tocsin config show");
    assert_eq!(found.of("channel", "#incidents")["state"], "well", "the defaults are in force, so that is where incidents go");
    world.configures("thread = true\n[notify]\nleast = \"P4\"\n").await;
    looks(&admin).await.is_well();
    world.finish().await;
}

/// By link: nobody has installed it yet; then a workspace has, and its token is lost; then it is not refreshed in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workspaces_that_install_by_link_each_have_a_token() {
    let world = World::with(Setup { by_link: true, tokens_rotate: true, ..Setup::default() }).await;
    let admin = world.admin().await;
    let link = format!("tocsin install-link --stack {}", admin.stack);
    looks(&admin).await.only_broken("installation", "", "no workspace has installed it yet", &link);
    Browser::new(&world).installs(WORKSPACE).await;
    let found = looks(&admin).await;
    found.is_well();
    assert!(found.of("installation", WORKSPACE)["seen"].as_str().expect("a text").contains("its token is refreshed before"));
    let soon = Timestamp::now().as_second() + 600;
    world.changes("installations", WORKSPACE, "SET token_expires_at = :value", soon).await;
    looks(&admin).await.says("installation", WORKSPACE, "look", "should have been refreshed by now", "--name ClockFunction");
    let id = format!("{}{WORKSPACE}", world.resources.installations);
    let gone = world.aws.secrets.delete_secret().secret_id(id).force_delete_without_recovery(true).send().await;
    gone.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
    looks(&admin).await.only_broken("token", WORKSPACE, "nothing can be posted", &link);
    Browser::new(&world).installs(WORKSPACE).await;
    looks(&admin).await.is_well();
    world.finish().await;
}
