//! The Slack secret, as it can be wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use tests::world::{CLIENT_ID, World};

use super::aws::serves;
use super::{Found, healthy, looks, pastes};

/// Writes the secret as it is not to be, lets the doctor look, hands over what it asks for, and lets it look again.
async fn is_found(world: &World, wrong: &str, about: &str, seen: &str) -> Found {
    let admin = healthy(world).await;
    let put = world.aws.secrets.put_secret_value().secret_id(&world.resources.secret).secret_string(wrong);
    put.send().await.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
    let found = looks(&admin).await;
    let set = found.only_broken("secret", about, seen, "tocsin secrets set");
    // What needs the secret is not broken besides.
    assert!(!found.marks("skipped").is_empty(), "{:#}", found.report);
    let right = json!({ "bot_token": world.bot_token, "signing_secret": world.signing_secret });
    pastes(&admin, &set, &right.to_string()).await;
    looks(&admin).await.is_well();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_in_it_yet() {
    let world = World::start().await;
    let found = is_found(&world, " ", "", "nothing is in it yet").await;
    assert_eq!(found.of("token", "")["seen"], "not looked at, because the Slack secret is not complete");
    assert!(found.of("url", "events")["seen"].as_str().expect("a text").contains("it answers, and whether it believes Slack is not known"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_no_json() {
    let world = World::start().await;
    is_found(&world, "bot_token=xoxb-canary-of-no-json", "", "it is not JSON of its form").await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_stands_in_the_place_of_the_signing_secret() {
    let world = World::start().await;
    let wrong = json!({ "bot_token": world.bot_token, "signing_secret": world.bot_token }).to_string();
    let found = is_found(&world, &wrong, "signing_secret", "it is none, but a token").await;
    assert_eq!(found.of("token", "")["state"], "well", "the token is as good as before");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_what_the_link_needs_is_given() {
    let world = World::start().await;
    let wrong = json!({ "client_id": CLIENT_ID, "signing_secret": world.signing_secret }).to_string();
    is_found(&world, &wrong, "client_secret", "a client_id without a client_secret").await;
    world.finish().await;
}

/// The functions believe both for a day; whoever wants the old one out ends it as the doctor says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_rotation_the_secret_before_is_still_believed() {
    let world = World::start().await;
    let admin = healthy(&world).await;
    world.writes_secret(&world.bot_token, "canary-of-the-new-signing-secret").await;
    let found = looks(&admin).await;
    found.is_well();
    let command = found.says(
        "overlap",
        "",
        "look",
        "the one before is believed too until 20",
        &format!("tocsin secrets rotate --end-overlap --stack {}", admin.stack),
    );
    pastes(&admin, &command, "").await;
    let found = looks(&admin).await;
    found.is_well();
    assert!(!found.all().any(|finding| finding["check"] == "overlap"), "{:#}", found.report);
    world.finish().await;
}

/// A webhook that is routed to and not there, and one whose address is somebody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_missing_and_another_leads_elsewhere() {
    let world = World::start().await;
    let admin = healthy(&world).await;
    world.configures("[routing]\ndefault = { channel = \"webhook:management\" }\n").await;
    looks(&admin).await.only_broken("channel", "webhook:management", "has no webhook of this name", "tocsin secrets set");
    let with = |address: &str| json!({ "bot_token": world.bot_token, "signing_secret": world.signing_secret, "webhooks": { "management": address } });
    world.writes_app_secret(&with("https://hooks.example.com/services/T0/B0/canary")).await;
    let found = looks(&admin).await;
    found.only_broken("secret", "webhooks", "management: the address is none on", "tocsin secrets set --from webhooks.json");
    assert!(!found.report.to_string().contains("hooks.example.com"), "an address is a secret");
    let made: Value = world.slack.tell("webhooks", &json!({ "channel": "C0INCIDENTS" })).await;
    world.writes_app_secret(&with(made["url"].as_str().expect("an address"))).await;
    looks(&admin).await.is_well();
    world.finish().await;
}

/// For a workspace without any bot. Its webhooks are looked at as any place is, and what only a bot could post to is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_alone_are_enough() {
    let world = World::start().await;
    let made: Value = world.slack.tell("webhooks", &json!({ "channel": "C0INCIDENTS" })).await;
    world.writes_app_secret(&json!({ "webhooks": { "oncall": made["url"] } })).await;
    let admin = world.admin_of(&[("DefaultChannel", "webhook:oncall")]).await;
    let found = looks(&admin).await;
    found.is_well();
    for (check, about, seen) in [
        ("secret", "", "webhooks alone, for a workspace without any bot: nothing can be pressed"),
        ("url", "interactions", "refuses everything"),
        ("token", "", "webhooks need none"),
        ("channel", "webhook:oncall", "the Slack secret has it"),
    ] {
        assert!(found.of(check, about)["seen"].as_str().expect("a text").contains(seen), "{:#}", found.of(check, about));
    }
    world.configures("[routing]\ndefault = { channel = \"webhook:oncal\" }\n").await;
    looks(&admin).await.only_broken("channel", "webhook:oncal", "has no webhook of this name", "tocsin secrets set");
    world.configures("[routing]\ndefault = { channel = \"#incidents\" }\n").await;
    looks(&admin).await.only_broken("channel", "#incidents", "only a bot can post there", "tocsin secrets set");
    world.finish().await;
}

/// Whoever is throttled does not read that the secret is malformed and to be written anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_read_once_and_then_no_more() {
    let world = World::start().await;
    let admin = healthy(&world).await.with("AWS_ENDPOINT_URL", &throttled(&world).await);
    let found = looks(&admin).await;
    assert_eq!(found.marks("broken").len(), 1, "{:#?}", found.marks("broken"));
    let secret = found.of("secret", "");
    assert!(secret["seen"].as_str().expect("a text").starts_with("the secret cannot be read: "), "{secret:#}");
    assert!(secret["seen"].as_str().expect("a text").contains("ThrottlingException"), "{secret:#}");
    assert_eq!(secret["fix"].get("commands"), None, "nothing is written over: {secret:#}");
    world.finish().await;
}

/// AWS, which tells the Slack secret once.
async fn throttled(world: &World) -> String {
    let (endpoint, secret, http) = (world.aws.endpoint.clone(), world.resources.secret.clone(), world.http.clone());
    let reads = Arc::new(AtomicU32::new(0));
    let passes = async move |request: Request| -> Response {
        let (mut parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let reads_it = parts.headers.get("x-amz-target").is_some_and(|target| target == "secretsmanager.GetSecretValue")
            && String::from_utf8_lossy(&body).contains(&secret);
        if reads_it && reads.fetch_add(1, Ordering::Relaxed) > 0 {
            return (StatusCode::BAD_REQUEST, json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }).to_string())
                .into_response();
        }
        parts.uri = format!("{endpoint}{}", parts.uri).parse().expect("an address");
        let answer = http.send(Request::from_parts(parts, Full::new(body))).await.expect("an answer");
        (StatusCode::from_u16(answer.status).expect("a status"), answer.headers, answer.body).into_response()
    };
    let url = serves(Router::new().fallback(passes)).await;
    url.trim_end_matches('/').to_owned()
}
