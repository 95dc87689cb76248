//! Is it Slack that calls? The vectors over HTTP, at the real function.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use tests::dispatcher::url::{self, Encoding};
use tests::http::Answer;
use tests::world::World;

/// The body of Slack's documentation, and its secret.
const DOCUMENTED: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const DOCUMENTED_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const DOCUMENTED_TIME: i64 = 1_531_420_618;
const DOCUMENTED_SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

/// Asks for help: a request whose answer shows that it was believed, and that does nothing.
const HELP: &str = "command=%2Fincident&text=help&team_id=T0TOCSIN&user_id=U0JANE&channel_id=C0GENERAL";

pub(crate) fn sign(secret: &str, time: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(format!("v0:{time}:").as_bytes());
    mac.update(body);
    let mut signature = "v0=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(signature, "{byte:02x}");
    }
    signature
}

/// Posts a form with these headers to the commands' address.
async fn post(world: &World, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let headers: Vec<_> = std::iter::once(form).chain(headers.iter().copied()).collect();
    let answer = world.http.post(&world.url("commands"), &headers, body.to_vec()).await;
    answer.unwrap_or_else(|error| panic!("{error:#}"))
}

async fn post_signed(world: &World, secret: &str, time: i64, body: &[u8]) -> Answer {
    let signature = sign(secret, time, body);
    post(world, &[("X-Slack-Request-Timestamp", &time.to_string()), ("X-Slack-Signature", &signature)], body).await
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Posts with a time that is `off` seconds away. Counts only if no second has passed meanwhile: at the edge of five minutes one decides.
async fn status_off_by(world: &World, off: i64) -> u16 {
    loop {
        let then = now();
        let answer = post_signed(world, &world.signing_secret, then + off, HELP.as_bytes()).await;
        if now() == then {
            return answer.status;
        }
    }
}

fn assert_believed(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("/incident"), "help was asked for: {}", answer.text());
}

fn assert_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.text().as_str()), (401, ""), "refused, and told nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_counts_for_its_body_secret_and_time() {
    let world = World::start().await;
    let secret = world.signing_secret.clone();
    assert_believed(&post_signed(&world, &secret, now(), HELP.as_bytes()).await);

    let signature = sign(&secret, now(), HELP.as_bytes());
    let altered = HELP.replace("U0JANE", "U0OMAR");
    let headers = [("X-Slack-Request-Timestamp", &*now().to_string()), ("X-Slack-Signature", &*signature)];
    assert_refused(&post(&world, &headers, altered.as_bytes()).await);
    assert_refused(&post_signed(&world, "another secret", now(), HELP.as_bytes()).await);
    assert_refused(&post_signed(&world, "", now(), HELP.as_bytes()).await);

    for off in [300, -300] {
        assert_eq!(status_off_by(&world, off).await, 200, "{off} s off");
    }
    for off in [301, -301] {
        assert_eq!(status_off_by(&world, off).await, 401, "{off} s off");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vector_of_slacks_documentation() {
    assert_eq!(sign(DOCUMENTED_SECRET, DOCUMENTED_TIME, DOCUMENTED.as_bytes()), DOCUMENTED_SIGNATURE);
    let world = World::start().await;
    world.writes_secret(&world.bot_token, DOCUMENTED_SECRET).await;
    // Its signature is right and its time is years ago.
    let headers = [("X-Slack-Request-Timestamp", &*DOCUMENTED_TIME.to_string()), ("X-Slack-Signature", DOCUMENTED_SIGNATURE)];
    assert_refused(&post(&world, &headers, DOCUMENTED.as_bytes()).await);
    // The same body, signed with its secret now: whether that command means anything, the worker finds out.
    assert_eq!(post_signed(&world, DOCUMENTED_SECRET, now(), DOCUMENTED.as_bytes()).await.status, 200);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_are_missing_malformed_or_there_twice() {
    let world = World::start().await;
    let time = now().to_string();
    let signature = sign(&world.signing_secret, now(), HELP.as_bytes());
    let (at, by) = (("X-Slack-Request-Timestamp", &*time), ("X-Slack-Signature", &*signature));
    let refused: [&[(&str, &str)]; 10] = [
        &[],
        &[at],
        &[by],
        &[at, ("X-Slack-Signature", "")],
        &[at, ("X-Slack-Signature", signature.trim_start_matches("v0="))],
        &[at, ("X-Slack-Signature", "v0=zz")],
        &[("X-Slack-Request-Timestamp", "soon"), by],
        &[("X-Slack-Request-Timestamp", ""), by],
        &[at, by, by],
        &[at, at, by],
    ];
    for headers in refused {
        assert_refused(&post(&world, headers, HELP.as_bytes()).await);
    }
    world.finish().await;
}

/// Lambda lowers the names of headers; a test event or another front end may not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn header_names_count_in_any_case() {
    let world = World::start().await;
    let time = now().to_string();
    let signature = sign(&world.signing_secret, now(), HELP.as_bytes());
    let mut event = url::event(&"POST".parse().expect("a method"), &"/".parse().expect("a path"), &headers(&[]), HELP.as_bytes(), true);
    for (name, value) in [
        ("X-Slack-Request-Timestamp", &time),
        ("X-SLACK-signature", &signature),
        ("Content-Type", &"application/x-www-form-urlencoded".to_owned()),
    ] {
        event["headers"][name] = json!(value);
    }
    let answer = world.dispatcher().function("commands").call(&event).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(answer.get("statusCode"), Some(&json!(200)), "{answer}");
    world.finish().await;
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair =
        |(name, value): &(&str, &str)| (HeaderName::try_from(*name).expect("a name"), HeaderValue::from_str(value).expect("a value"));
    pairs.iter().map(pair).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_counts_as_bytes_whichever_way_it_comes() {
    let world = World::start().await;
    let secret = world.signing_secret.clone();
    // UTF-8 beyond ASCII, unescaped, and bytes that are no text at all.
    let utf8 = format!("{HELP}&user_name=J\u{e4}n\u{e9} \u{1f525}");
    let mut raw = HELP.as_bytes().to_vec();
    raw.extend_from_slice(b"&user_name=\xff\xfe\x00");
    for encoding in [Encoding::AsAws, Encoding::Base64, Encoding::Text] {
        world.dispatcher().url("commands").encode(encoding);
        for body in [HELP.as_bytes(), utf8.as_bytes(), &raw] {
            assert_believed(&post_signed(&world, &secret, now(), body).await);
            let mut altered = body.to_vec();
            altered.push(b' ');
            let signature = sign(&secret, now(), body);
            let headers = [("X-Slack-Request-Timestamp", &*now().to_string()), ("X-Slack-Signature", &*signature)];
            assert_refused(&post(&world, &headers, &altered).await);
        }
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_check_is_answered_and_nothing_else_unsigned() {
    let world = World::start().await;
    for body in ["ssl_check=1", "ssl_check=1&token=abc", "token=abc&ssl_check=1"] {
        let answer = post(&world, &[], body.as_bytes()).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{body}");
    }
    let smuggled =
        ["ssl_check=1&payload=%7B%7D", "ssl_check=1&command=%2Fincident&text=create+x", "ssl_check=1&ssl_check=1", "ssl_check=2", ""];
    for body in smuggled {
        assert_refused(&post(&world, &[], body.as_bytes()).await);
    }
    world.settled().await;
    assert!(world.scan().await.is_empty(), "nothing was done");
    let whole = world.slack.tell("ssl-check", &json!({ "extra": "payload=%7B%7D" })).await;
    assert_eq!(whole.get("status"), Some(&json!(401)), "{whole}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blank_secret_lets_nobody_in() {
    for blank in ["", "   "] {
        let world = World::start().await;
        world.writes_secret(&world.bot_token, blank).await;
        for tried in [blank, blank.trim(), &world.signing_secret] {
            assert_refused(&post_signed(&world, tried, now(), HELP.as_bytes()).await);
        }
        let said = world.logs.lines().iter().any(|line| line.text.contains("signing secret is missing or blank"));
        assert!(said, "the operator reads why:\n{}", world.logs.tail(10));
        world.finish().await;
    }
}

/// The three receivers are equally strict.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_unsigned_is_parsed_anywhere() {
    let world = World::start().await;
    for (to, body, content_type) in [
        ("commands", "command=/incident&text=create x", "application/x-www-form-urlencoded"),
        ("interactions", "payload={\"type\":\"block_actions\"}", "application/x-www-form-urlencoded"),
        ("events", "{\"type\":\"url_verification\",\"challenge\":\"abc\"}", "application/json"),
    ] {
        let sent = json!({ "to": to, "body": body, "content_type": content_type, "signed": false });
        let answer = world.slack.tell("raw", &sent).await;
        assert_eq!(answer.get("status"), Some(&json!(401)), "{to}: {answer}");
        assert_eq!(answer.get("body").and_then(Value::as_str), Some(""), "{to}: {answer}");
    }
    world.finish().await;
}
