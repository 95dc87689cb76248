//! `tocsin manifest`, over a stack that CloudFormation knows and Slack's API for manifests.

use serde_json::{Value, json};
use tests::world::{Setup, World};
use yaml_rust2::YamlLoader;

/// The app configuration token that the simulator takes.
const TOKEN: &str = "xoxe.xoxp-simulator";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manifest_has_the_stacks_addresses_and_the_chosen_features() {
    let world = World::start().await;
    let admin = world.admin().await;
    let printed = admin.runs(&["manifest", "print", "--json", "--without", "reactions,workflows", "--command", "/page"]).await.json();
    assert_eq!(printed["features"]["slash_commands"][0]["url"], world.url("commands"));
    assert_eq!(printed["features"]["slash_commands"][0]["command"], "/page");
    assert_eq!(printed["settings"]["event_subscriptions"]["request_url"], world.url("events"));
    assert!(!printed.to_string().contains("reaction") && printed.get("functions").is_none(), "{printed}");
    let yaml = admin.runs(&["manifest", "print"]).await;
    assert!(yaml.stdout.contains(&format!("# The Slack app of the stack {}", admin.stack)), "{}", yaml.stdout);
    assert!(yaml.stdout.contains("      # reactions: without it, emoji under a card"), "{}", yaml.stdout);
    // The link carries the same.
    let link = admin.runs(&["manifest", "link"]).await;
    let (_, query) = link.stdout.split_once('?').expect("a query");
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!(pairs.first(), Some(&("new_app".to_owned(), "1".to_owned())));
    assert_eq!(pairs[1].0, "manifest_yaml");
    let carried = &YamlLoader::load_from_str(&pairs[1].1).expect("YAML")[0];
    let (url, steps) = (carried["features"]["slash_commands"][0]["url"].as_str(), carried["functions"].as_hash());
    assert_eq!(url, Some(&*world.url("commands")));
    assert!(steps.is_some_and(|steps| steps.len() == 3), "the steps come along");
    assert!(link.stdout.len() < 8000, "{} characters are more than a browser or a server may take", link.stdout.len());
    assert!(!query.contains('+'), "a plus is read in two ways: {query}");
    // Where there is no stack yet, there is the file; and of a stack of an older version it is said what it lacks.
    let blank = admin.runs(&["manifest", "print", "--placeholders", "--stack", "elsewhere"]).await;
    assert!(blank.stdout.contains("url: <CommandsUrl>"), "{}", blank.stdout);
    for (arguments, says) in [
        (&["manifest", "print", "--without", "core"][..], "core"),
        (&["manifest", "print", "--with", "links"], "--domain grafana.example.com"),
        (&["manifest", "print", "--domain", "a.example.com"], "--with links"),
        (&["manifest", "print", "--command", "incident"], "a slash command is /"),
        (&["manifest", "link", "--stack", "elsewhere"], "the stack elsewhere"),
    ] {
        let refused = admin.runs(arguments).await;
        assert!(refused.code != Some(0) && refused.stderr.contains(says), "{arguments:?}: {}", refused.stderr);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_takes_it_and_the_app_is_what_it_says() {
    let world = World::start().await;
    let admin = world.admin().await.with("SLACK_CONFIG_TOKEN", TOKEN);
    assert_eq!(admin.runs(&["manifest", "validate", "--json"]).await.json(), json!({ "valid": true }));
    world.slack.tell("app", &json!({ "commands_url": "", "events_url": "", "events": [] })).await;
    let applied = admin.runs(&["manifest", "apply", "--app-id", "A0TOCSIN", "--json"]).await;
    assert_eq!(applied.json(), json!({ "app_id": "A0TOCSIN", "install_again": true, "lost": [] }));
    assert!(applied.stderr.contains("once it is installed again"), "{}", applied.stderr);
    let app = world.slack.state().await["app"].clone();
    assert_eq!((app["commands_url"].as_str(), app["events_url"].as_str()), (Some(&*world.url("commands")), Some(&*world.url("events"))));
    // The app that the manifest makes works: a command, a card, a reaction under it.
    let card = world.alarm_fires("disk-full").await;
    world.user("jane").types("/incident list").await;
    card.shows("disk-full").await;
    assert_eq!(
        admin.runs(&["manifest", "apply", "--app-id", "A0TOCSIN"]).await.stderr,
        "",
        "nothing is different, so nothing has to be installed"
    );
    // An app of another name that does without something would lose its name, and is not asked for where nobody can answer.
    let own =
        ["manifest", "apply", "--app-id", "A0TOCSIN", "--name", "Bell", "--command", "/page", "--without", "shortcuts,email", "--json"];
    let lost = admin.runs(&own).await.json()["lost"].to_string();
    for part in ["the name Tocsin", "the slash command /incident", "the shortcut ", "the scope users:read.email"] {
        assert!(lost.contains(part), "{part} is not in {lost}");
    }
    let back = admin.runs(&["manifest", "apply", "--app-id", "A0TOCSIN"]).await;
    assert!(back.stderr.contains("then has no more: the name Bell, the slash command /page. What it is to keep"), "{}", back.stderr);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_slack_does_not_take_is_told_with_its_place() {
    let world = World::start().await;
    let admin = world.admin_of(&[("EventsUrl", "ftp://events.example.com/")]).await;
    let without = admin.runs(&["manifest", "validate"]).await;
    assert!(without.code == Some(1) && without.stderr.contains("set SLACK_CONFIG_TOKEN"), "{}", without.stderr);
    let admin = admin.with("SLACK_CONFIG_TOKEN", "xoxb-canary-of-the-wrong-kind");
    let wrong = admin.runs(&["manifest", "validate"]).await;
    assert!(wrong.stderr.contains("begins with xoxe.xoxp-") && !wrong.stderr.contains("canary"), "{}", wrong.stderr);
    let admin = admin.with("SLACK_CONFIG_TOKEN", TOKEN);
    let refused = admin.runs(&["manifest", "validate"]).await;
    assert!(refused.stderr.contains("/settings/event_subscriptions: Event Subscription requires"), "{}", refused.stderr);
    assert_eq!(admin.runs(&["manifest", "validate", "--socket-mode"]).await.code, Some(0), "in Socket Mode there are no addresses");
    let unknown = admin.runs(&["manifest", "apply", "--app-id", "A0NOBODY"]).await;
    assert!(unknown.stderr.contains("no such app of yours (invalid_app_id)"), "{}", unknown.stderr);
    world.slack.tell("apps", &json!({ "error": "token_expired" })).await;
    let expired = admin.runs(&["manifest", "validate"]).await;
    assert!(expired.stderr.contains("(token_expired): it lives twelve hours"), "{}", expired.stderr);
    world.finish().await;
}

/// From nothing to an installed app without anything copied: the app is created, its credentials go into the secret, and its link installs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_apps_credentials_go_where_they_belong_and_are_not_seen() {
    let world = World::with(Setup { by_link: true, ..Setup::default() }).await;
    let admin = world.admin().await.with("SLACK_CONFIG_TOKEN", TOKEN);
    let taken = admin.runs(&["manifest", "create", "--hand-over"]).await;
    assert!(taken.code == Some(1) && taken.stderr.contains("of an app already"), "{}", taken.stderr);
    assert_eq!(world.slack.ask("apps").await, json!({}), "nobody would get the credentials of an app that was made all the same");
    let before =
        json!({ "client_id": tests::world::CLIENT_ID, "client_secret": world.client_secret, "signing_secret": world.signing_secret });
    let webhooks = json!({ "ops": "https://hooks.slack.com/services/T0TOCSIN/B0OPS/canary-of-a-webhook" });
    world.writes_app_secret(&json!({ "webhooks": webhooks })).await;
    let created = admin.runs(&["manifest", "create", "--hand-over", "--json"]).await;
    assert_eq!(created.json()["handed_over"], json!(true));
    let secret = world.aws.secrets.get_secret_value().secret_id(&world.resources.secret).send().await.expect("a secret");
    let secret: Value = serde_json::from_str(secret.secret_string().expect("a text")).expect("JSON");
    assert_eq!(secret["webhooks"], webhooks, "what stood there besides");
    for name in ["client_id", "client_secret", "signing_secret"] {
        let credential = secret[name].as_str().expect(name);
        assert!(!created.stdout.contains(credential) && !created.stderr.contains(credential), "{name} is seen");
    }
    world.writes_app_secret(&before).await;
    world.finish().await;
}
