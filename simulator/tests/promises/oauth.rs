//! Installing by link: a code for a consent, tokens for a code, new tokens for old ones.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::World;

const BACK: &str = "http://app.localhost/callback";
const ID: &str = "4280.4280";
const SECRET: &str = "simulator-client-secret";

/// Calls `oauth.v2.access` with a form that holds the credentials too.
async fn access(world: &World, form: &[(&str, &str)]) -> Value {
    let pairs: Vec<(&str, &str)> = form.iter().copied().chain([("client_id", ID), ("client_secret", SECRET)]).collect();
    access_with(world, &pairs, None).await
}

async fn access_with(world: &World, form: &[(&str, &str)], basic: Option<&str>) -> Value {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = world.http.post(format!("{}/api/oauth.v2.access", world.running.base_url));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = match basic {
        Some(basic) => request.header("authorization", format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(basic))),
        None => request,
    };
    serde_json::from_str(&request.body(body).send().await.unwrap().text().await.unwrap()).unwrap()
}

async fn code_for(world: &World, team: &str) -> String {
    let wish = json!({"team": team, "state": "s", "redirect_uri": BACK, "scope": "chat:write,commands"});
    world.sim("authorize", wish).await["code"].as_str().unwrap().to_owned()
}

async fn install(world: &World, team: &str) -> Value {
    let code = code_for(world, team).await;
    let answer = access(world, &[("code", &code), ("redirect_uri", BACK)]).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer
}

async fn auth_test(world: &World, token: &Value) -> Value {
    world.api_as(token.as_str().unwrap(), "auth.test", json!({})).await.body
}

fn refresh_token(answer: &Value) -> [(&'static str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", answer["refresh_token"].as_str().unwrap())]
}

#[tokio::test]
async fn a_code_is_good_for_a_token_of_its_workspace() {
    let world = World::start().await;
    world.sim("teams", json!({"id": "T0ACME", "name": "Acme"})).await;
    world.sim("users", json!({"id": "U0ANNA", "name": "anna", "team_id": "T0ACME"})).await;
    let allowed =
        world.sim("authorize", json!({"team": "T0ACME", "state": "a b", "redirect_uri": BACK, "scope": "chat:write,commands"})).await;
    let code = allowed["code"].as_str().unwrap();
    assert_eq!(allowed["location"], format!("{BACK}?code={code}&state=a+b"));
    assert_eq!(world.look("state?fields=teams").await["teams"][1]["installation"], Value::Null, "only the token makes it an installation");
    let mut answer = access(&world, &[("code", code), ("redirect_uri", BACK)]).await;
    let token = answer["access_token"].take();
    assert!(token.as_str().unwrap().starts_with("xoxb-"));
    let bot = auth_test(&world, &token).await["user_id"].clone();
    assert_eq!(
        answer,
        json!({
            "ok": true, "app_id": "A0TOCSIN", "authed_user": {"id": "U0ANNA"}, "scope": "chat:write,commands", "token_type": "bot", "access_token": null,
            "bot_user_id": bot, "team": {"id": "T0ACME", "name": "Acme"}, "enterprise": null, "is_enterprise_install": false,
        })
    );
    assert_eq!(auth_test(&world, &token).await["team_id"], "T0ACME");
    assert_eq!(world.get_api_as(token.as_str().unwrap(), "users.info?user=U0ANNA").await["error"], "missing_scope");
    assert_eq!(install(&world, "T0ACME").await["access_token"], token, "without rotation there is one token");
}

#[tokio::test]
async fn a_code_works_once_for_ten_minutes_and_for_whoever_asked() {
    let world = World::start().await;
    let code = code_for(&world, "T0TOCSIN").await;
    let good = [("code", code.as_str()), ("redirect_uri", BACK)];
    let with = |more: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> { good.iter().copied().chain(more.iter().copied()).collect() };
    for (form, error) in [
        (with(&[("client_id", "1.2"), ("client_secret", SECRET)]), "invalid_client_id"),
        (with(&[]), "invalid_client_id"),
        (with(&[("client_id", ID), ("client_secret", "guessed")]), "bad_client_secret"),
        (with(&[("client_id", ID), ("client_secret", SECRET), ("grant_type", "password")]), "invalid_grant_type"),
        (vec![("client_id", ID), ("client_secret", SECRET), ("code", "1.2.3"), ("redirect_uri", BACK)], "invalid_code"),
        (vec![("client_id", ID), ("client_secret", SECRET), ("code", &code)], "bad_redirect_uri"),
        (vec![("client_id", ID), ("client_secret", SECRET), ("code", &code), ("redirect_uri", "http://elsewhere/")], "bad_redirect_uri"),
    ] {
        assert_eq!(access_with(&world, &form, None).await["error"], error, "{form:?}");
    }
    assert_eq!(access_with(&world, &good, Some(&format!("{ID}:{SECRET}"))).await["ok"], true, "credentials may come as HTTP Basic");
    assert_eq!(access(&world, &good).await["error"], "code_already_used");
    world.sim("timing", json!({"code_ms": 0})).await;
    let late = code_for(&world, "T0TOCSIN").await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(access(&world, &[("code", &late), ("redirect_uri", BACK)]).await["error"], "invalid_code");
    world.sim("oauth", json!({"client_id": "9.9", "client_secret": "new"})).await;
    assert_eq!(access(&world, &good).await["error"], "invalid_client_id");
}

#[tokio::test]
async fn an_organisation_installs_it_as_a_whole() {
    let world = World::start().await;
    world.sim("teams", json!({"id": "T0BRIDGE", "name": "Bridge", "enterprise_id": "E0STAR", "enterprise_name": "Starship"})).await;
    let one = install(&world, "T0BRIDGE").await;
    assert_eq!((&one["team"]["id"], &one["enterprise"]["name"]), (&json!("T0BRIDGE"), &json!("Starship")));
    assert_eq!(one["is_enterprise_install"], false);
    let all = install(&world, "E0STAR").await;
    assert_eq!((&all["team"], &all["enterprise"]), (&Value::Null, &json!({"id": "E0STAR", "name": "Starship"})));
    assert_eq!(all["is_enterprise_install"], true);
    assert_eq!(auth_test(&world, &all["access_token"]).await["team_id"], "E0STAR");
    let code = code_for(&world, "T0BRIDGE").await;
    assert_eq!(access(&world, &[("code", &code), ("redirect_uri", BACK)]).await["error"], "cannot_install_an_org_installed_app");
}

#[tokio::test]
async fn tokens_rotate_and_a_refresh_token_works_once() {
    let world = World::start().await;
    world.sim("teams", json!({"id": "T0ACME"})).await;
    world.sim("oauth", json!({"rotation": true})).await;
    let first = install(&world, "T0ACME").await;
    assert_eq!(first["expires_in"], 43_200);
    assert!(first["access_token"].as_str().unwrap().starts_with("xoxe.xoxb-1-"), "{first}");
    let second = access(&world, &refresh_token(&first)).await;
    assert_eq!((&second["ok"], &second["expires_in"], &second["team"]["id"]), (&json!(true), &json!(43_200), &json!("T0ACME")));
    assert_eq!(access(&world, &refresh_token(&first)).await["error"], "invalid_refresh_token");
    assert_eq!(auth_test(&world, &first["access_token"]).await["ok"], true, "the old one lives until it expires");
    let third = access(&world, &refresh_token(&second)).await;
    assert_eq!(auth_test(&world, &first["access_token"]).await["error"], "token_revoked", "two are alive, not three");
    assert_eq!(auth_test(&world, &second["access_token"]).await["ok"], true);
    world.sim("timing", json!({"token_ms": 0})).await;
    let short = access(&world, &refresh_token(&third)).await;
    assert_eq!(auth_test(&world, &short["access_token"]).await["error"], "token_expired");
    assert_eq!(auth_test(&world, &third["access_token"]).await["ok"], true, "it was given for twelve hours");
}

#[tokio::test]
async fn what_was_given_before_the_app_was_removed_stays_dead() {
    let world = World::start().await;
    world.sim("teams", json!({"id": "T0ACME"})).await;
    world.sim("oauth", json!({"rotation": true})).await;
    let before = install(&world, "T0ACME").await;
    world.sim("uninstall", json!({"team": "T0ACME"})).await;
    assert_eq!(auth_test(&world, &before["access_token"]).await["error"], "account_inactive");
    assert_eq!(access(&world, &refresh_token(&before)).await["error"], "invalid_refresh_token");
    let after = install(&world, "T0ACME").await;
    assert_eq!(auth_test(&world, &after["access_token"]).await["ok"], true);
    assert_eq!(auth_test(&world, &before["access_token"]).await["error"], "account_inactive");
    assert_eq!(access(&world, &refresh_token(&before)).await["error"], "invalid_refresh_token");
}

#[tokio::test]
async fn a_token_can_be_revoked_and_the_last_one_takes_the_app_along() {
    let world = World::start().await;
    let token = json!("xoxb-simulator");
    let kept = world.get_api("auth.revoke?test=true").await;
    assert_eq!((&kept["ok"], &kept["revoked"]), (&json!(true), &json!(false)));
    assert_eq!(auth_test(&world, &token).await["ok"], true);
    assert_eq!(world.get_api("auth.revoke").await["revoked"], true);
    assert_eq!(auth_test(&world, &token).await["error"], "account_inactive");
    let events = world.deliveries("event", 2).await;
    let mut types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["app_uninstalled", "tokens_revoked"]);
}

#[tokio::test]
async fn no_record_holds_a_secret() {
    let world = World::start().await;
    world.sim("oauth", json!({"rotation": true})).await;
    let first = install(&world, "T0TOCSIN").await;
    let second = access(&world, &refresh_token(&first)).await;
    let calls = world.look("calls?method=oauth.v2.access").await;
    assert_eq!((&calls[0]["team"], &calls[1]["team"], &calls[1]["ok"]), (&json!("T0TOCSIN"), &json!("T0TOCSIN"), &json!(true)));
    assert_eq!(calls[1]["arguments"], json!({"grant_type": "refresh_token", "client_id": ID}));
    let text = calls.to_string();
    for secret in [&first["access_token"], &first["refresh_token"], &second["access_token"], &second["refresh_token"], &json!(SECRET)] {
        assert!(!text.contains(secret.as_str().unwrap()), "{secret} is in {text}");
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[tokio::test]
async fn the_consent_page_shows_workspaces_and_sends_back() {
    let world = World::start().await;
    world.sim("teams", json!({"id": "T0ACME", "name": "Acme & <Co>", "enterprise_id": "E0STAR", "enterprise_name": "Starship"})).await;
    let asked = [("client_id", ID), ("scope", "chat:write commands"), ("state", "\"x\""), ("redirect_uri", BACK)];
    let url = format!("{}/oauth/v2/authorize", world.running.base_url);
    let get = async |pairs: &[(&str, &str)]| {
        let response = world.http.get(format!("{url}?{}", query(pairs))).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, page) = get(&[&asked[..], &[("team", "E0STAR")]].concat()).await;
    assert_eq!(status, 200);
    for part in
        ["Acme &amp; &lt;Co&gt;", "Tocsin Ltd", "Starship", "<li>chat:write</li>", "value=\"&quot;x&quot;\"", "value=\"E0STAR\" checked"]
    {
        assert!(page.contains(part), "no {part} in {page}");
    }
    for (wrong, name) in [("client_id", "1.2"), ("scope", ""), ("redirect_uri", "javascript:alert(1)")] {
        let pairs: Vec<(&str, &str)> = asked.iter().map(|(key, value)| (*key, if *key == wrong { name } else { *value })).collect();
        let (status, page) = get(&pairs).await;
        assert!(status == 400 && page.contains("went wrong"), "{wrong}: {status}");
    }
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let decide = async |decision: &str| {
        let form = query(&[&asked[..], &[("team", "T0ACME"), ("decision", decision)]].concat());
        let request = browser.post(&url).header("content-type", "application/x-www-form-urlencoded").body(form);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 302);
        response.headers()["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(decide("cancel").await, format!("{BACK}?error=access_denied&state=%22x%22"));
    let location = decide("allow").await;
    let code = location.strip_prefix(&format!("{BACK}?code=")).unwrap().strip_suffix("&state=%22x%22").unwrap().to_owned();
    assert_eq!(access(&world, &[("code", &code), ("redirect_uri", BACK)]).await["team"]["name"], "Acme & <Co>");
}
