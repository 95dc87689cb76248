//! The Slack app's secrets: handed over, checked, rotated, never seen.

use serde_json::{Value, json};
use tests::cli::Ran;
use tests::world::{Setup, World};

use crate::tokens::help_signed_with;

/// A signing secret of the form that Slack's have.
fn signing_secret(world: &World) -> String {
    let secret = format!("{:032x}", fastrand::u128(..));
    world.keeps_secret(&secret);
    secret
}

async fn kept(world: &World) -> Value {
    let read = world.aws.secrets.get_secret_value().secret_id(&world.resources.secret).send().await.expect("Secrets Manager");
    serde_json::from_str(read.secret_string().unwrap_or_default()).expect("JSON")
}

#[track_caller]
fn says_nothing_of(ran: &Ran, secrets: &[&str]) {
    for secret in secrets {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "a secret is printed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_handed_over_on_standard_input_and_the_rest_of_the_secret_stays() {
    let world = World::with(Setup { instances: 1, ..Setup::default() }).await;
    let admin = world.admin().await;
    world.writes_app_secret(&json!({ "webhooks": { "ops": "https://hooks.slack.com/services/T1/B1/x" } })).await;
    let signing = signing_secret(&world);
    let handed = json!({ "signing_secret": signing, "bot_token": world.bot_token }).to_string();
    let set = admin.runs_with(&["secrets", "set"], &handed).await;
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    says_nothing_of(&set, &[&signing, &world.bot_token]);
    assert!(set.stdout.contains("bot_token, signing_secret written to") && set.stdout.contains("(T0TOCSIN)"), "{}", set.stdout);
    let now = kept(&world).await;
    assert_eq!((&now["signing_secret"], &now["webhooks"]["ops"]), (&json!(signing), &json!("https://hooks.slack.com/services/T1/B1/x")));
    assert_eq!(world.slack.calls("auth.test").await.len(), 1, "Slack was asked first");
    assert_eq!(help_signed_with(&world, &signing).await, 200);

    let taken = admin.runs_with(&["secrets", "set"], r#"{"webhooks": {"ops": null}}"#).await;
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
    assert_eq!(kept(&world).await["webhooks"], json!({}));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_not_work_is_not_written_and_no_error_quotes_it() {
    let world = World::start().await;
    let admin = world.admin().await;
    let before = kept(&world).await;
    let signing = signing_secret(&world);
    let foreign = format!("xoxb-{:032x}", fastrand::u128(..));
    for (handed, why) in [
        (json!({ "signing_secret": &signing[1..] }), "a signing secret is 32 hexadecimal digits (this has 31 characters)"),
        (json!({ "signing_secret": foreign }), "this is a token"),
        (json!({ "bot_token": signing }), "a bot token is xoxb-"),
        (json!({ "bot_token": foreign }), "Slack does not take the bot token"),
        (json!({ "client_id": "4280.4280", "client_secret": signing }), "the secret holds bot_token, and either of the two ways counts"),
        (json!({ (signing.as_str()): "x" }), "there is a field that Tocsin does not know"),
        (json!({ "webhooks": { "ops": format!("https://hooks.example.com/{signing}") } }), "webhooks.ops: the address is none on"),
    ] {
        let refused = admin.runs_with(&["secrets", "set"], &handed.to_string()).await;
        assert_eq!(refused.code, Some(1), "{handed}");
        assert!(refused.stderr.contains(why), "{why}: {}", refused.stderr);
        says_nothing_of(&refused, &[&signing[1..], &foreign]);
    }
    let nothing = admin.runs(&["secrets", "rotate", "bot"]).await;
    assert!(nothing.stderr.contains("is empty: it has to be the new bot_token alone, as it is"), "{}", nothing.stderr);
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "auth.test" })).await;
    let unasked = admin.runs_with(&["secrets", "rotate", "bot"], &foreign).await;
    assert!(unasked.code == Some(1) && unasked.stderr.contains("Slack cannot be asked"), "{}", unasked.stderr);
    assert!(unasked.stderr.contains("Try again; --force writes it unasked"), "{}", unasked.stderr);
    for arguments in [["secrets", "set", &foreign], ["secrets", "rotate", &foreign]] {
        let refused = admin.runs(&arguments).await;
        assert!(refused.code == Some(1) && refused.stderr.contains("secrets are never arguments"), "{}", refused.stderr);
        says_nothing_of(&refused, &[&foreign]);
    }
    assert_eq!(kept(&world).await, before);
    world.finish().await;
}

/// What is not of its form is not believed by anybody, so nothing of it is kept under what is handed over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_not_of_its_form_is_written_anew() {
    let world = World::with(Setup { instances: 1, ..Setup::default() }).await;
    let admin = world.admin().await;
    let handed = json!({ "signing_secret": world.signing_secret, "bot_token": world.bot_token });
    for broken in [json!({ "client_id": 4280.4280, "client_secret": "x" }), json!({ "webhooks": ["https://hooks.slack.com/x"] })] {
        world.writes_app_secret(&broken).await;
        let kept_as_it_is = admin.runs_with(&["secrets", "set"], &handed.to_string()).await;
        assert_eq!(kept_as_it_is.code, Some(1));
        assert!(kept_as_it_is.stderr.contains("`tocsin secrets set --replace` writes it anew"), "{}", kept_as_it_is.stderr);
        let anew = admin.runs_with(&["secrets", "set", "--replace"], &handed.to_string()).await;
        assert_eq!(anew.code, Some(0), "{}", anew.stderr);
        assert_eq!(kept(&world).await, handed);
    }
    assert_eq!(help_signed_with(&world, &world.signing_secret).await, 200);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_token_of_another_workspace_is_told_before_it_is_written() {
    let world = World::start().await;
    let admin = world.admin_of(&[("DefaultWorkspace", "T0ELSEWHERE")]).await;
    let handed = json!({ "bot_token": world.bot_token }).to_string();
    for (arguments, handed) in [(&["secrets", "rotate", "bot"][..], &world.bot_token), (&["secrets", "set"], &handed)] {
        let refused = admin.runs_with(arguments, handed).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains("is of T0TOCSIN") && refused.stderr.contains("for T0ELSEWHERE"), "{}", refused.stderr);
        says_nothing_of(&refused, &[&world.bot_token]);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_rotation_the_old_signing_secret_counts_until_somebody_ends_that() {
    let world = World::with(Setup { instances: 1, ..Setup::default() }).await;
    let admin = world.admin().await;
    let (old, new) = (world.signing_secret.clone(), signing_secret(&world));
    assert_eq!(help_signed_with(&world, &old).await, 200);
    let rotated = admin.runs_with(&["secrets", "rotate", "signing"], &new).await;
    assert_eq!(rotated.code, Some(0), "{}", rotated.stderr);
    says_nothing_of(&rotated, &[&old, &new]);
    assert!(rotated.stderr.contains("the old one counts until") && rotated.stderr.contains("UTC"), "{}", rotated.stderr);
    assert_eq!((help_signed_with(&world, &new).await, help_signed_with(&world, &old).await), (200, 200));
    assert_eq!(kept(&world).await["bot_token"], json!(world.bot_token), "the rest stays");

    // Another version would push the old one out.
    let made: Value = world.slack.tell("webhooks", &json!({ "channel": "C0INCIDENTS" })).await;
    let token = json!({ "signing_secret": new, "bot_token": world.bot_token, "webhooks": { "ops": made["url"] } });
    let too_soon = admin.runs_with(&["secrets", "set"], &token.to_string()).await;
    assert_eq!(too_soon.code, Some(1));
    assert!(too_soon.stderr.contains("the signing secret before this one still counts, until"), "{}", too_soon.stderr);

    let ended = admin.runs(&["secrets", "rotate", "--end-overlap", "--json"]).await;
    assert_eq!(ended.json(), json!({ "ended": true }));
    world.dispatcher().function("commands").cool_down();
    assert_eq!((help_signed_with(&world, &new).await, help_signed_with(&world, &old).await), (200, 401));
    assert_eq!(admin.runs(&["secrets", "rotate", "--end-overlap", "--json"]).await.json(), json!({ "ended": false }));
    world.finish().await;
}
