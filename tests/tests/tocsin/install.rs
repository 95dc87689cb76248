//! Installing by a link, through Slack's OAuth: what a browser goes through, and what it is refused.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::dispatcher::url::HOST;
use tests::http::Answer;
use tests::inputs::Alarm;
use tests::ministack::Queue;
use tests::world::{CLIENT_ID, Setup, WORKSPACE, World};

async fn by_link() -> World {
    World::with(Setup { by_link: true, ..Setup::default() }).await
}

/// What the table remembers of links that are being followed.
async fn states(world: &World) -> Vec<Value> {
    let items = world.scan().await;
    items.into_iter().filter(|item| item.get("sk").and_then(Value::as_str) == Some("state")).collect()
}

/// A refusal is a page that says what to do, and changes nothing.
async fn assert_refused(world: &World, answer: &Answer, why: &str) {
    assert!([400, 403].contains(&answer.status), "{}: {}", answer.status, answer.text());
    assert!(answer.text().contains(why) && answer.text().contains("href=\"install\""), "{}", answer.text());
    assert_eq!(world.slack.calls("oauth.v2.access").await.len(), 0, "Slack was asked");
    assert!(
        world.installation(WORKSPACE).await.is_null() && world.installation_secret(WORKSPACE).await.is_none(),
        "something was installed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_installs_by_the_link_and_is_served() {
    let world = by_link().await;
    world.expects_error("parked");
    world.drops(&Alarm::named("too-early").fires(Timestamp::now())).await;
    let letter = world.takes_dead_letter(Queue::Intents).await;
    assert!(letter.reason.contains("not installed in any workspace") && letter.reason.contains("/install"), "{}", letter.reason);

    let browser = Browser::new(&world);
    let asked = browser.begins().await;
    assert!(asked.location.starts_with(&world.slack.authorize_url()), "{}", asked.location);
    assert_eq!(asked.parameter("client_id"), CLIENT_ID);
    assert_eq!(asked.parameter("redirect_uri"), format!("https://{HOST}/callback"));
    assert!(asked.parameter("scope").contains("chat:write,users:read"), "{}", asked.location);
    assert_eq!(asked.parameter("state").len(), 64);
    let [state] = states(&world).await.try_into().expect("one link is followed");
    let (digest, state_of_browser) = (state.to_string(), asked.parameter("state"));
    assert!(!digest.contains(&state_of_browser) && !digest.contains(&browser.cookies()[22..]), "only digests are kept: {digest}");

    let back = browser.allows(&asked, WORKSPACE).await;
    let answer = browser.opens(&back).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("Tocsin is installed in") && answer.text().contains("/invite @Tocsin"), "{}", answer.text());
    for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
        assert_eq!(answer.headers.get(name).and_then(|value| value.to_str().ok()), Some(value));
    }
    assert!(answer.headers.get("content-security-policy").is_some());
    assert_eq!(browser.cookies(), "", "the cookie is over");
    assert!(states(&world).await.is_empty(), "and so is the state");

    let secret = world.installation_secret(WORKSPACE).await.expect("a secret of its own");
    assert_eq!(secret.get("bot_token"), Some(&json!(world.bot_token)));
    let kept = world.installation(WORKSPACE).await;
    assert!(!kept.to_string().contains("xox"), "never a token: {kept}");
    assert_eq!(kept.get("by_link"), Some(&json!(true)));
    assert!(kept.get("scopes").is_some_and(|scopes| scopes.to_string().contains("chat:write")), "{kept}");

    world.puts_back(Queue::Intents, &letter).await;
    let card = world.card("#incidents", "too-early").await;
    card.thread_of(1).await;
    // Its people act, a form opens with its token, and an answer reaches them.
    let jane = world.user("jane");
    jane.clicks("Resolve", &card).await;
    jane.modal("resolve_incident").await;
    jane.submits(&[("note", "by link")]).await;
    card.shows("*Resolved* by <@U0JANE>").await;
    let told = jane.types("/incident list").await.answer().await;
    assert!(told.contains("All quiet"), "{told}");
    let said = world.logs.lines().iter().any(|line| line.text.contains(&state_of_browser));
    assert!(!said, "a state was printed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_counts_once_in_time_and_in_its_own_browser() {
    let world = World::with(Setup { by_link: true, instances: 8, ..Setup::default() }).await;
    // Without a state, with one that was never given out, and without the cookie.
    let (mine, theirs) = (Browser::new(&world), Browser::new(&world));
    let asked = mine.begins().await;
    let back = mine.allows(&asked, WORKSPACE).await;
    assert_refused(&world, &Browser::new(&world).opens("/callback").await, "in the browser in which it was begun").await;
    assert_refused(&world, &Browser::new(&world).opens(&back).await, "in the browser in which it was begun").await;
    theirs.begins().await;
    let invented = format!("/callback?code=1.2.3&state={}", "0".repeat(64));
    assert_refused(&world, &theirs.opens(&invented).await, "never given out").await;
    // Another's browser, which has a cookie of its own; the state stays its owner's.
    theirs.begins().await;
    assert_refused(&world, &theirs.opens(&back).await, "in the browser in which it was begun").await;
    // Ten minutes later.
    let late = Browser::new(&world);
    let asked_late = late.begins().await;
    let late_back = late.allows(&asked_late, WORKSPACE).await;
    age_states(&world, SignedDuration::from_mins(10)).await;
    assert_refused(&world, &late.opens(&late_back).await, "longer than ten minutes").await;

    // Used, and then opened again: nothing is exchanged a second time.
    let again = Browser::new(&world);
    let asked = again.begins().await;
    let back = again.allows(&asked, WORKSPACE).await;
    let cookies = again.cookies();
    let oauth = world.dispatcher().function("oauth");
    for copy in 0..8 {
        oauth.warm().await.unwrap_or_else(|error| panic!("copy {copy}: {error:?}"));
    }
    let answers = join_all((0..8).map(|_| again.opens(&back))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "one of them counts");
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert!(refused.status == 403 && refused.text().contains("used already"), "{}", refused.text());
    }
    let third = again.opens(&back).await;
    assert_eq!(third.status, 403, "{}", third.text());
    assert_eq!(world.slack.calls("oauth.v2.access").await.len(), 1);
    assert!(
        !world.logs.lines().iter().any(|line| line.text.contains(cookies.trim_start_matches("__Host-tocsin-install="))),
        "a cookie was printed"
    );
    world.finish().await;
}

/// Makes every state that is remembered so much older.
async fn age_states(world: &World, by: SignedDuration) {
    for state in states(world).await {
        let expires_at = state.get("expires_at").and_then(Value::as_i64).unwrap_or_default() - by.as_secs();
        let pk = state.get("pk").and_then(Value::as_str).unwrap_or_default();
        world.changes(pk, "state", "SET expires_at = :value", expires_at).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_want_to_reads_that_nothing_was_changed() {
    let world = by_link().await;
    let browser = Browser::new(&world);
    let asked = browser.begins().await;
    let answer = browser.opens(&format!("/callback?error=access_denied&state={}", asked.parameter("state"))).await;
    assert_refused(&world, &answer, "not allowed").await;
    assert!(states(&world).await.is_empty());
    // Slack does not take the code: it says so, and the state is used up all the same.
    let asked = browser.begins().await;
    let answer = browser.opens(&format!("/callback?code=1.2.3&state={}", asked.parameter("state"))).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    world.expects_error("invalid_code");
    assert!(states(&world).await.is_empty());
    // And what is no address of ours, or no way to ask.
    assert_eq!(browser.opens("/").await.status, 404);
    assert_eq!(world.http.post(&format!("{}install", world.url("oauth")), &[], "").await.map(|answer| answer.status).ok(), Some(405));
    world.finish().await;
}

/// Nobody can have a code sent to a host of theirs: where Slack sends the browser is decided here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_back_is_not_the_callers_to_choose() {
    let world = by_link().await;
    let headers = [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example"), ("referer", "https://evil.example/")];
    let mut request = hyper::Request::builder()
        .uri(format!("{}install?redirect_uri=https://evil.example/&team=T1%26redirect_uri=evil", world.url("oauth")));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = world.http.send(request.body(http_body_util::Full::default()).expect("a request")).await.expect("an answer");
    let location = answer.headers.get("location").and_then(|location| location.to_str().ok()).unwrap_or_default();
    assert!(location.starts_with(&world.slack.authorize_url()) && !location.contains("evil"), "{location}");
    let cookie = answer.headers.get("set-cookie").and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
    for attribute in ["__Host-", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/;", "; Max-Age=600"] {
        assert!(cookie.contains(attribute), "{attribute} is missing in {cookie}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_with_a_pasted_token_has_no_link() {
    let world = World::start().await;
    let answer = Browser::new(&world).opens("/install").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("cannot be installed by a link"), "{}", answer.text());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_organisation_installs_once() {
    let world = by_link().await;
    for team in ["T0EAST", "T0WEST"] {
        world
            .slack
            .tell("teams", &json!({ "id": team, "name": team.to_lowercase(), "enterprise_id": "E0CORP", "enterprise_name": "Corp" }))
            .await;
    }
    world.slack.tell("users", &json!({ "id": "U0EVA", "name": "eva", "team_id": "T0EAST" })).await;
    world.slack.tell("channels", &json!({ "id": "C0EAST", "name": "incidents", "team_id": "T0EAST", "is_member": true })).await;
    let page = Browser::new(&world).installs("E0CORP").await;
    assert!(page.contains("Corp"), "{page}");
    assert_eq!(world.installation("E0CORP").await.get("workspace"), Some(&json!("E0CORP")));

    let eva = world.person("eva", "U0EVA");
    let told = eva.types_in("C0EAST", "/incident create in the east").await.answer().await;
    assert!(told.contains("is open"), "{told}");
    let told = eva.says("C0EAST", "@tocsin status").await.answer().await;
    assert!(told.contains("1 open"), "{told}");
    let card = world.card("C0EAST", "in the east").await;
    eva.clicks("Resolve", &card).await;
    eva.modal("resolve_incident").await;
    eva.submits(&[("note", "for all of them")]).await;
    card.shows("*Resolved* by <@U0EVA>").await;
    world.settled().await;
    let incident = world.scan().await.into_iter().find(|item| item.get("sk") == Some(&json!("incident"))).expect("an incident");
    assert!(incident.get("pk").is_some_and(|pk| pk.as_str().is_some_and(|pk| pk.starts_with("E0CORP#"))), "{incident}");
    world.finish().await;
}
