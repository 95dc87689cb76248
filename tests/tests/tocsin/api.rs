//! The HTTP API, as programs use it: incidents by a key, what becomes of them, and what is refused.

use serde_json::{Value, json};
use shared::domain::ids::IntentId;
use shared::domain::intent::Actor;
use shared::domain::timeline::{Entry, Fate, What};
use tests::api::Caller;
use tests::dispatcher::counter::Counter;
use tests::dispatcher::url::Encoding;
use tests::http::Answer;
use tests::ministack::Queue;
use tests::world::{Setup, WORKSPACE, World};

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A refusal is a problem of RFC 9457 that says what to do.
fn assert_problem(answer: &Answer, status: u16, says: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(header(answer, "content-type"), "application/problem+json");
    let problem = answer.json().expect("JSON");
    assert_eq!(problem.get("status"), Some(&json!(status)));
    assert!(problem.get("detail").and_then(Value::as_str).is_some_and(|detail| !detail.is_empty()), "{problem}");
    assert!(problem.to_string().contains(says), "{says:?} is not said in {problem}");
}

fn incident_of(became: &Value) -> String {
    became.get("incident").and_then(Value::as_str).unwrap_or_else(|| panic!("no incident: {became}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_posted_and_shows_and_goes_through_its_life() {
    let world = World::start().await;
    let ci = world.makes_api_key("ci", json!({})).await;
    let became = ci.wants("v1/incidents", &json!({ "title": "Disk full on db-1", "severity": "P2", "dedup_key": "disk" })).await;
    assert_eq!(became["outcome"], "created");
    let (id, card) = (incident_of(&became), world.card("#incidents", "Disk full on db-1").await);
    assert_eq!(card.incident, id);

    // By its id, or by its key.
    let path = format!("v1/incidents/{id}");
    let answer = ci.patches(&path, &json!({ "severity": "P1", "note": "It spreads" })).await;
    let note = answer.json().expect("JSON")["note"].as_str().expect("a request of its own").to_owned();
    assert_eq!(ci.learns(&answer).await["outcome"], "updated");
    assert!(note.starts_with("note-"), "{note}");
    assert_eq!(ci.wants(&format!("{path}/notes"), &json!({ "note": "Second look", "by": "Nadia" })).await["outcome"], "noted");
    let acknowledged = ci.sends("POST", &format!("{path}/acknowledge"), &[], "").await;
    assert_eq!(ci.learns(&acknowledged).await["outcome"], "acknowledged");
    card.shows("*Acknowledged* by ci").await;
    let resolved = ci.wants("v1/incidents", &json!({ "type": "resolve", "dedup_key": "disk", "note": "Cleaned up" })).await;
    assert_eq!((&resolved["outcome"], incident_of(&resolved)), (&json!("resolved"), id.clone()));
    card.shows("*Resolved*").await;

    let answer = ci.gets(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = answer.json().expect("JSON");
    assert_eq!((&said["state"], &said["severity"], &said["title"]), (&json!("resolved"), &json!("P1"), &json!("Disk full on db-1")));
    let entries = said["timeline"].as_array().expect("a timeline");
    let happened: Vec<&str> = entries.iter().filter_map(|entry| entry["type"].as_str()).collect();
    assert_eq!(happened.first(), Some(&"triggered"));
    for what in ["updated", "noted", "acknowledged", "resolved"] {
        assert!(happened.contains(&what), "{what} is not among {happened:?}");
    }
    // Whoever is named did it; else the key did.
    let by = |text: &str| entries.iter().find(|entry| entry["text"] == text).map(|entry| entry["by"]["name"].clone());
    assert_eq!((by("Second look"), by("It spreads")), (Some(json!("Nadia")), Some(json!("ci"))));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_sent_again_is_done_once() {
    let world = World::start().await;
    let ci = world.makes_api_key("ci", json!({})).await;
    let body = json!({ "title": "Sent twice", "dedup_key": "twice" });
    let headers = [("content-type", "application/json"), ("idempotency-key", "order-4711")];
    let mut requests = Vec::new();
    for _ in 0..3 {
        let answer = ci.sends("POST", "v1/incidents", &headers, body.to_string()).await;
        assert_eq!(ci.learns(&answer).await["outcome"], "created");
        requests.push(answer.json().expect("JSON")["request"].clone());
    }
    requests.dedup();
    assert_eq!(requests.len(), 1, "{requests:?}");
    // The same name in the body, and the other way round: what the body says is one name for all ways, so it counts first.
    let named = json!({ "title": "Sent twice", "dedup_key": "twice", "id": "order-4711" });
    assert_eq!(ci.wants("v1/incidents", &named).await["outcome"], "counted");
    let again = ci.sends("POST", "v1/incidents", &[headers[0], ("idempotency-key", "another")], named.to_string()).await;
    world.drops(&named).await;
    assert_eq!(ci.learns(&again).await["outcome"], "counted");
    // Without a name, it counts up.
    assert_eq!(ci.wants("v1/incidents", &body).await["outcome"], "counted");
    world.settled().await;
    let became = ci.wants("v1/incidents", &body).await;
    assert_eq!(world.incident(&incident_of(&became)).await["count"], json!(4));
    for wrong in ["", &"x".repeat(257)] {
        let answer =
            ci.sends("POST", "v1/incidents", &[("content-type", "application/json"), ("idempotency-key", wrong)], body.to_string()).await;
        assert_problem(&answer, 400, "Idempotency-Key");
    }
    world.finish().await;
}

/// Whoever counts their requests from 1 does so beside others who do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_in_the_header_is_the_keys_and_the_addresss_own() {
    let world = World::start().await;
    let ci = world.makes_api_key("ci", json!({})).await;
    let deploys = world.makes_api_key("deploys", json!({})).await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "deploy-42")];
    let (body, resolve) = (json!({ "title": "One of two", "dedup_key": "named" }), json!({ "type": "resolve", "dedup_key": "named" }));
    let first = ci.sends("POST", "v1/incidents", &headers, body.to_string()).await;
    let became = ci.learns(&first).await;
    assert_eq!(became["outcome"], "created");
    let other = deploys.sends("POST", "v1/incidents", &headers, body.to_string()).await;
    assert_eq!(deploys.learns(&other).await["outcome"], "counted");
    for (path, body, outcome) in [
        (format!("v1/incidents/{}/acknowledge", incident_of(&became)), json!({}), "acknowledged"),
        (format!("v1/incidents/{}/notes", incident_of(&became)), json!({ "note": "Looked at" }), "noted"),
        ("v1/incidents".to_owned(), resolve, "resolved"),
    ] {
        let answer = ci.sends("POST", &path, &headers, body.to_string()).await;
        assert_eq!(ci.learns(&answer).await["outcome"], outcome, "{path}");
    }
    // A create that says so is one that does not.
    let said = json!({ "type": "create", "title": "One of two", "dedup_key": "named" });
    let again = ci.sends("POST", "v1/incidents", &headers, said.to_string()).await;
    assert_eq!(again.json().expect("JSON")["request"], first.json().expect("JSON")["request"]);
    world.finish().await;
}

/// The newest, as many as fit, and that there are more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_story_is_shown_from_its_end() {
    let world = World::start().await;
    let ci = world.makes_api_key("ci", json!({})).await;
    let id = incident_of(&ci.wants("v1/incidents", &json!({ "title": "A long night" })).await);
    let path = format!("v1/incidents/{id}");
    let shown = async || {
        let answer = ci.gets(&path).await;
        assert_eq!(answer.status, 200);
        let said = answer.json().expect("JSON");
        let texts: Vec<String> =
            said["timeline"].as_array().into_iter().flatten().map(|entry| entry["text"].as_str().unwrap_or_default().into()).collect();
        (answer.text().len(), texts, said["more"].clone())
    };
    assert_eq!((shown().await.1.len(), shown().await.2), (1, json!(false)));
    let begins = jiff::Timestamp::now();
    let note = |number: i64, text: String| Entry {
        intent: IntentId::of("note", &[&number.to_string()]),
        at: begins + jiff::SignedDuration::from_secs(number),
        by: Actor::Source("ci".to_owned()),
        what: What::Noted { text },
        fate: Fate::Done,
        broadcast: false,
        heard_in: None,
    };
    let notes: Vec<Entry> = (1..=200).map(|number| note(number, format!("Note {number}"))).collect();
    world.writes_entries(&id, &notes).await;
    let (_, texts, more) = shown().await;
    assert_eq!((texts.len(), texts.first().map(String::as_str), more), (200, Some("Note 1"), json!(true)));
    assert_eq!(texts.last().map(String::as_str), Some("Note 200"));
    // Each of these is twice as long in JSON as it is in the table.
    let long: Vec<Entry> = (201..=260).map(|number| note(number, format!("{number}{}", "\"".repeat(16_000)))).collect();
    world.writes_entries(&id, &long).await;
    let (length, texts, more) = shown().await;
    assert!((900_000..1_060_000).contains(&length), "{length} bytes");
    assert!(texts.len() > 30 && texts.last().is_some_and(|text| text.starts_with("260")), "{} entries", texts.len());
    assert!(texts.is_sorted() && more == json!(true));
    world.finish().await;
}

/// One answer for all of them, and nothing that was sent is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_missing_wrong_or_revoked_reaches_nothing() {
    let world = World::start().await;
    let revoked = world.makes_api_key("old", json!({ "revoked": "2026-01-31" })).await;
    let good = world.makes_api_key("ci", json!({})).await;
    let wrong = world.calls_api_with("tocsin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB");
    let basic = Caller::clone(&world.calls_api());
    let said = |answer: &Answer| {
        let headers: Vec<_> =
            answer.headers.iter().filter(|(name, _)| *name != "date").map(|(name, value)| (name.to_string(), value.clone())).collect();
        (answer.status, headers, answer.text())
    };
    let reference = wrong.posts("v1/incidents", &json!({ "title": "Nobody reads this" })).await;
    assert_problem(&reference, 401, "known and not revoked");
    assert_eq!(header(&reference, "www-authenticate"), "Bearer");
    for (caller, headers) in [
        (&world.calls_api(), &[][..]),
        (&revoked, &[]),
        (&wrong, &[]),
        (&basic, &[("authorization", "Basic dG9jc2luOg==")]),
        (&basic, &[("authorization", "Bearer ")]),
        (&basic, &[("authorization", good.authorization()), ("authorization", "Bearer x")]),
    ] {
        // What cannot be read, and what could be: nobody looks.
        for body in ["{\"title\": \"Nobody reads this\"}", "{ not json", ""] {
            let answer = caller.sends("POST", "v1/incidents", headers, body).await;
            assert_eq!(said(&answer), said(&reference));
        }
        for path in ["v1/incidents/INC-7K3QPF", "v1/incidents/none", "v1/requests/none"] {
            assert_eq!(said(&caller.sends("GET", path, headers, "").await), said(&reference), "{path}");
        }
    }
    world.settled().await;
    assert!(world.slack.messages().await.is_empty() && world.scan().await.is_empty(), "something was done");
    // And the key stands in no line; its name does.
    good.wants("v1/incidents", &json!({ "title": "Somebody reads this" })).await;
    let named = |line: &tests::logs::Line| line.function == "api" && line.text.contains("\"key\":\"ci\"");
    world
        .until("the key is named in the log", async || if world.logs.lines().iter().any(named) { Ok(()) } else { Err(world.logs.tail(5)) })
        .await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_revoked_counts_no_more_and_a_new_one_at_once() {
    let world = World::start().await;
    let old = world.makes_api_key("old", json!({})).await;
    assert_eq!(old.posts("v1/incidents", &json!({ "title": "With the old key" })).await.status, 202);
    // It is not known yet to the function, which has just read the secret.
    let new = world.makes_api_key("new", json!({})).await;
    assert_eq!(new.posts("v1/incidents", &json!({ "title": "With the new key" })).await.status, 202);
    world.revokes_api_key("old").await;
    // A copy that starts now reads it; one that runs believes for a minute what it has read.
    world.dispatcher().function("api").cool_down();
    assert_problem(&old.posts("v1/incidents", &json!({ "title": "Too late" })).await, 401, "revoked");
    assert_eq!(new.gets("v1/requests/none").await.status, 404);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_made_listed_and_revoked_from_a_shell() {
    let world = World::start().await;
    let (key, code) = world.runs_keys(&["create", "ci", "--workspace", WORKSPACE, "--may", "write,read"]).await;
    assert_eq!((key.len(), code), (50, Some(0)), "the key alone stands on standard output");
    world.keeps_secret(&key);
    let ci = world.calls_api_with(&key);
    assert_eq!(ci.wants("v1/incidents", &json!({ "title": "By a key of the shell's" })).await["outcome"], "created");
    assert_problem(&ci.posts("v1/test", &json!({})).await, 403, "test");
    let (listed, _) = world.runs_keys(&["list", "--json"]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&listed).ok(),
        Some(json!([{ "name": "ci", "workspace": WORKSPACE, "may": ["write", "read"], "revoked": null }]))
    );

    // A name is given once; a key that is not there cannot be revoked; what is not understood is not done.
    for (arguments, code) in [
        (&["create", "ci", "--any-workspace"][..], 1),
        (&["revoke", "cd"], 1),
        (&["create", "cd", "--workspace", "acme"], 2),
        (&["create", "a b", "--any-workspace"], 1),
        // For every workspace only where that is said.
        (&["create", "cd"], 2),
        (&["create", "cd", "--workspace", WORKSPACE, "--any-workspace"], 2),
        (&[], 2),
    ] {
        assert_eq!(world.runs_keys(arguments).await, (String::new(), Some(code)), "{arguments:?}");
    }
    assert_eq!(world.runs_keys(&["revoke", "ci"]).await, (String::new(), Some(0)));
    world.dispatcher().function("api").cool_down();
    assert_problem(&ci.posts("v1/incidents", &json!({ "title": "Too late" })).await, 401, "revoked");
    let (listed, _) = world.runs_keys(&["list"]).await;
    assert!(listed.starts_with(&format!("ci: write read, {WORKSPACE}, revoked 20")), "{listed}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_undoes_anothers_change_of_the_keys_is_told() {
    let world = World::start().await;
    let (key, _) = world.runs_keys(&["create", "old", "--any-workspace"]).await;
    world.keeps_secret(&key);
    let slow = Counter::start(&world.aws.endpoint, world.http.clone()).await.expect("it listens");
    let mut write = slow.hold("SecretString");
    let revoked_meanwhile = async {
        write.came().await;
        assert_eq!(world.runs_keys(&["revoke", "old"]).await.1, Some(0));
        write.let_go();
    };
    let (created, ()) = tokio::join!(world.runs_keys_over(&slow.endpoint, &["create", "new", "--any-workspace"]), revoked_meanwhile);
    assert_eq!(created, (String::new(), Some(1)), "it has read the keys before one was revoked, and written them after");
    // Done again, as it was told, it stands.
    assert_eq!(world.runs_keys(&["revoke", "old"]).await.1, Some(0));
    let (listed, _) = world.runs_keys(&["list"]).await;
    assert!(listed.contains("old: write read test, any workspace, revoked 20"), "{listed}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_one_workspace_reaches_no_other() {
    let world = World::start().await;
    let ours = world.makes_api_key("ours", json!({ "workspace": WORKSPACE })).await;
    let theirs = world.makes_api_key("theirs", json!({ "workspace": "T0OTHER" })).await;
    let everybody = world.makes_api_key("everybody", json!({})).await;
    let accepted = ours.posts("v1/incidents", &json!({ "title": "Ours alone", "workspace": WORKSPACE })).await;
    let id = incident_of(&ours.learns(&accepted).await);
    let request = accepted.json().expect("JSON")["request"].as_str().expect("a request").to_owned();
    for path in [format!("v1/incidents/{id}"), format!("v1/requests/{request}")] {
        assert_eq!(ours.gets(&path).await.status, 200, "{path}");
        assert_eq!(everybody.gets(&path).await.status, 200, "{path}");
        assert_eq!(everybody.gets(&format!("{path}?workspace={WORKSPACE}")).await.status, 200, "{path}");
        // To whom it is not, it does not exist.
        assert_eq!(theirs.gets(&path).await.status, 404, "{path}");
        assert_eq!(everybody.gets(&format!("{path}?workspace=T0OTHER")).await.status, 404, "{path}");
        assert_problem(&theirs.gets(&format!("{path}?workspace={WORKSPACE}")).await, 403, "another workspace");
        assert_problem(&ours.gets(&format!("{path}?workspace=acme")).await, 400, "workspace");
    }
    let foreign = json!({ "title": "Not theirs", "workspace": WORKSPACE });
    assert_problem(&theirs.posts("v1/incidents", &foreign).await, 403, "another workspace");
    assert_problem(&theirs.posts("v1/test", &json!({ "workspace": WORKSPACE })).await, 403, "another workspace");
    // In every address, whatever is asked for.
    let (named, title) = (format!("?workspace={WORKSPACE}"), json!({ "title": "In the address" }));
    assert_problem(&theirs.posts(&format!("v1/incidents{named}"), &title).await, 403, "another workspace");
    assert_problem(&theirs.patches(&format!("v1/incidents/{id}{named}"), &title).await, 403, "another workspace");
    assert_problem(&theirs.posts(&format!("v1/incidents/{id}/resolve{named}"), &json!({})).await, 403, "another workspace");
    assert_problem(&theirs.posts(&format!("v1/test{named}"), &json!({})).await, 403, "another workspace");
    let both = json!({ "title": "Where?", "workspace": WORKSPACE });
    for path in ["v1/incidents".to_owned(), format!("v1/incidents/{id}")] {
        let path = format!("{path}?workspace=T0OTHER");
        let answer = if path.contains(&id) { everybody.patches(&path, &both).await } else { everybody.posts(&path, &both).await };
        assert_problem(&answer, 422, "`workspace`");
    }
    assert_problem(&everybody.posts("v1/test?workspace=T0OTHER", &json!({ "workspace": WORKSPACE })).await, 422, "`workspace`");
    let accepted = everybody.posts(&format!("v1/incidents{named}"), &title).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    assert_eq!(everybody.learns(&accepted).await["outcome"], "created");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_does_only_what_it_may() {
    let world = World::start().await;
    let writes = world.makes_api_key("writes", json!({ "may": ["write"] })).await;
    let reads = world.makes_api_key("reads", json!({ "may": ["read"] })).await;
    let message = json!({ "title": "By whom?" });
    assert_problem(&reads.posts("v1/incidents", &message).await, 403, "write");
    assert_problem(&reads.posts("v1/test", &json!({})).await, 403, "test");
    assert_eq!(writes.posts("v1/incidents", &message).await.status, 202);
    assert_problem(&writes.gets("v1/incidents/INC-7K3QPF").await, 403, "read");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_wrong_names_every_mistake_and_another_sources_event_its_place() {
    let world = World::start().await;
    let ci = world.makes_api_key("ci", json!({})).await;
    let wrong =
        json!({ "severity": "urgent", "url": "ftp://s3cret.example", "links": 3, "actions": [{ "name": "Roll back" }], "time": "noon" });
    let answer = ci.posts("v1/incidents", &wrong).await;
    let errors = answer.json().expect("JSON")["errors"].clone();
    for place in ["`severity`", "`url`", "`links`", "`actions[0].name`", "`actions[0].label`", "`time`", "`title`"] {
        assert_problem(&answer, 422, place);
        assert_eq!(
            errors.as_array().into_iter().flatten().filter(|error| error.to_string().contains(place)).count(),
            1,
            "{place}: {errors}"
        );
    }
    assert!(!answer.text().contains("s3cret"), "{}", answer.text());
    for (body, says) in [
        (json!({ "AlarmName": "cpu", "NewStateValue": "ALARM" }), "CloudWatch"),
        (json!({ "detail-type": "ECS Task State Change", "source": "aws.ecs", "detail": { "a": 1 } }), "incidents queue"),
        (json!({ "Records": [{ "a": 1 }] }), "incidents queue"),
        (json!({ "type": "explode", "title": "x" }), "`type`"),
        (json!({ "type": null, "title": "x" }), "`type`"),
        (json!({ "type": "resolve" }), "`dedup_key`"),
    ] {
        assert_problem(&ci.posts("v1/incidents", &body).await, 422, says);
    }
    let path = "v1/incidents/INC-7K3QPF";
    assert_problem(&ci.patches(path, &json!({})).await, 422, "an update must change something");
    assert_problem(&ci.patches(path, &json!({ "type": "resolve", "title": "x" })).await, 422, "`type`");
    assert_problem(&ci.posts(&format!("{path}/resolve"), &json!({ "incident": "INC-000000" })).await, 422, "`incident`");
    assert_problem(&ci.posts(&format!("{path}/notes"), &json!({ "note": " " })).await, 422, "`note`");
    assert_problem(&ci.sends("POST", &format!("{path}/notes"), &[], "").await, 400, "object is expected");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_of_this_api_is_told_so() {
    let world = World::start().await;
    let ci = world.makes_api_key("ci", json!({})).await;
    let json = [("content-type", "application/json; charset=utf-8")];
    assert_problem(&ci.gets("v1/nothing").await, 404, "openapi.json");
    let answer = ci.sends("DELETE", "v1/incidents", &[], "").await;
    assert_problem(&answer, 405, "POST");
    assert_eq!(header(&answer, "allow"), "POST");
    assert_problem(&ci.sends("POST", "v1/incidents", &[("content-type", "text/plain")], "{}").await, 415, "application/json");
    assert_problem(&ci.sends("POST", "v1/incidents", &json, format!("\"{}\"", "x".repeat(1024 * 1024))).await, 413, "1 MiB");
    for body in ["{ not json", "[1]", "\"text\"", "\u{0}"] {
        assert_problem(&ci.sends("POST", "v1/incidents", &json, body).await, 400, "JSON");
    }
    world.dispatcher().url("api").encode(Encoding::Base64);
    assert_problem(&ci.sends("POST", "v1/incidents", &json, b"{\"title\": \"\xff\"}".as_slice()).await, 400, "JSON");
    world.dispatcher().url("api").encode(Encoding::AsAws);
    assert_problem(&ci.gets("v1/incidents/INC-7K3QPF?workspace=T0TOCSIN").await, 404, "no such incident");
    assert_problem(&ci.gets("v1/incidents/INC-x").await, 404, "INC-7K3QPF");
    let document = world.calls_api().gets("v1/openapi.json").await;
    assert_eq!((document.status, document.json().expect("JSON")["openapi"].clone()), (200, json!("3.1.0")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_to_aws_for_a_request_and_a_queue_that_is_away_is_told() {
    let world = World::start().await;
    let ci = world.makes_api_key("ci", json!({})).await;
    world.dispatcher().function("api").warm().await.expect("it starts");
    let counter = world.dispatcher().counter("api");
    counter.reset();
    let acknowledge = json!({ "type": "acknowledge", "dedup_key": "one-call" });
    let mut with_note = acknowledge.clone();
    with_note["note"] = json!("and a note");
    for body in [acknowledge, with_note] {
        assert_eq!(ci.posts("v1/incidents", &body).await.status, 202);
        let calls: Vec<String> = counter.calls().into_iter().map(|call| call.action).collect();
        assert!(matches!(calls.as_slice(), [one] if one.starts_with("AmazonSQS.SendMessage")), "{calls:?}");
        counter.reset();
    }
    world.expects_error("an intent could not be queued");
    counter.fail("SendMessage", 500, 10);
    assert_problem(&ci.posts("v1/incidents", &json!({ "title": "Nobody hears this" })).await, 503, "Send it again");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_test_says_what_is_in_the_way_and_sends_a_message() {
    let world = World::start().await;
    let ci = world.makes_api_key("ci", json!({})).await;
    let finding = |report: &Value, check: &str| {
        report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|finding| finding["check"] == check)
            .cloned()
            .unwrap_or_else(|| panic!("no {check}: {report}"))
    };
    let report = ci.posts("v1/test", &json!({})).await.json().expect("JSON");
    assert_eq!((&report["ok"], &report["workspace"]), (&json!(true), &json!(WORKSPACE)), "{report}");
    for check in ["token", "scopes", "channel", "queue"] {
        assert_eq!((finding(&report, check)["ok"].clone(), finding(&report, check).get("fix").cloned()), (json!(true), None));
    }
    let card = world.card("#incidents", "Test message").await;
    card.shows("with the key ci").await;

    // A scope less, and channels that the bot is not in.
    world.slack.tell("token", &json!({ "scopes": ["chat:write", "channels:read", "groups:read", "users:read"] })).await;
    for (channel, says) in
        [("#random", "/invite @tocsin"), ("C0RANDOM", "/invite @tocsin"), ("C0OLD", "another channel"), ("C0SECURITY", "/invite @tocsin")]
    {
        let report = ci.posts("v1/test", &json!({ "channel": channel })).await.json().expect("JSON");
        assert_eq!(report["ok"], json!(false));
        let (scopes, place) = (finding(&report, "scopes"), finding(&report, "channel"));
        assert!(
            scopes["detail"].as_str().is_some_and(|detail| detail.contains("reactions:read")
                && !detail.starts_with("Not granted: chat:write")
                && !detail.contains(", chat:write")),
            "{scopes}"
        );
        assert!(scopes["fix"].as_str().is_some_and(|fix| fix.contains("OAuth & Permissions")), "{scopes}");
        assert!(place["fix"].as_str().is_some_and(|fix| fix.contains(says)), "{channel}: {place}");
        world.settled().await;
    }
    // Where incidents go cannot be read, and the test message is sent all the same.
    world.expects_error("the table could not be read");
    world.dispatcher().counter("api").fail("GetItem", 500, 2);
    let answer = ci.posts("v1/test", &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let report = answer.json().expect("JSON");
    let place = finding(&report, "channel");
    assert!(place["ok"] == json!(false) && place["detail"].as_str().is_some_and(|detail| detail.contains("settings")), "{place}");
    let sent = report["request"].as_str().expect("a request").to_owned();
    world
        .until("the test message is there", async || {
            let answer = ci.gets(&format!("v1/requests/{sent}")).await;
            if answer.status == 200 { Ok(()) } else { Err(answer.text()) }
        })
        .await;
    // A token that Slack does not take.
    world.writes_secret("xoxb-canary-taken-away", &world.signing_secret).await;
    let report = ci.posts("v1/test", &json!({ "workspace": WORKSPACE })).await.json().expect("JSON");
    let token = finding(&report, "token");
    assert!(token["ok"] == json!(false) && token["detail"].as_str().is_some_and(|detail| detail.contains("invalid_auth")), "{token}");
    world.writes_secret(&world.bot_token, &world.signing_secret).await;
    assert_problem(&ci.posts("v1/test", &json!({ "channel": "random", "color": "red" })).await, 422, "`channel`");
    world.finish().await;
}

/// Several installed by a link: a key that is for none of them has to say which is meant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_all_workspaces_says_which_it_means() {
    let world = World::with(Setup { by_link: true, ..Setup::default() }).await;
    let everybody = world.makes_api_key("everybody", json!({})).await;
    assert_problem(&everybody.gets("v1/incidents/INC-7K3QPF").await, 404, "not installed");
    tests::browser::Browser::new(&world).installs(WORKSPACE).await;
    let became = everybody.wants("v1/incidents", &json!({ "title": "The only one" })).await;
    assert_eq!(became["outcome"], "created");
    let report = everybody.posts("v1/test", &json!({ "workspace": WORKSPACE })).await.json().expect("JSON");
    assert_eq!(report["ok"], json!(true), "{report}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alertmanager_and_grafana_fire_and_resolve() {
    let world = World::start().await;
    let monitor = world.makes_api_key("monitor", json!({ "workspace": WORKSPACE })).await;
    let now = jiff::Timestamp::now();
    let started = now - jiff::SignedDuration::from_mins(5);
    for source in ["alertmanager", "grafana"] {
        let alert = |number: usize, status: &str| {
            json!({
                "status": status, "fingerprint": format!("{source}{number:02}"), "startsAt": started.to_string(),
                "endsAt": if status == "resolved" { now.to_string() } else { "0001-01-01T00:00:00Z".to_owned() },
                "labels": { "alertname": format!("Latency of {source} {number:02}"), "severity": "warning" },
                "annotations": { "summary": format!("Slow {source} {number:02}") }, "generatorURL": "https://prometheus.example.com/graph",
            })
        };
        let webhook = |status: &str| {
            let alerts: Vec<Value> = (0..12).map(|number| alert(number, status)).collect();
            let mut body = json!({
                "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": status, "receiver": "tocsin", "groupLabels": {}, "commonLabels": {},
                "commonAnnotations": {}, "externalURL": "https://alerts.example.com", "alerts": alerts,
            });
            if source == "grafana" {
                body["orgId"] = json!(1);
                body["title"] = json!("[FIRING:12]");
            }
            body
        };
        let path = format!("v1/webhooks/{source}");
        // Sent twice, as after a lost answer: each alert is there once.
        for _ in 0..2 {
            let answer = monitor.posts(&path, &webhook("firing")).await;
            assert_eq!(
                (answer.status, answer.json().expect("JSON")["requests"].as_array().map(Vec::len)),
                (202, Some(12)),
                "{}",
                answer.text()
            );
        }
        let card = world.card("#incidents", &format!("{source} 07")).await;
        assert_eq!(monitor.posts(&path, &webhook("resolved")).await.status, 202);
        card.shows("*Resolved*").await;
        world.settled().await;
        assert_eq!(world.cards("#incidents", &format!("{source} ")).await.len(), 12);
        // What another sends, and a message of ours, is not taken here.
        for foreign in [json!({ "title": "Ours" }), json!({ "AlarmName": "cpu", "NewStateValue": "ALARM" })] {
            assert_problem(&monitor.posts(&path, &foreign).await, 422, "no webhook");
        }
        assert_problem(&monitor.posts("v1/incidents", &webhook("firing")).await, 422, "/v1/webhooks/");
    }
    // What was not queued is said, so that it comes again.
    world.expects_error("an intent could not be queued");
    world.dispatcher().counter("api").fail("SendMessageBatch", 500, 2);
    let body = json!({
        "version": "4", "groupKey": "k", "truncatedAlerts": 0, "status": "firing", "receiver": "tocsin", "alerts": [
            { "status": "firing", "labels": { "alertname": "One" }, "startsAt": started.to_string(), "fingerprint": "f1" },
            { "status": "firing", "labels": { "alertname": "Two" }, "startsAt": started.to_string(), "fingerprint": "f2" },
        ],
    });
    assert_problem(&monitor.posts("v1/webhooks/alertmanager", &body).await, 503, "2 of 2");
    assert_eq!(monitor.posts("v1/webhooks/alertmanager", &body).await.status, 202);
    assert_eq!(world.aws.depth(world.dead_letters_url(Queue::Incidents)).await.ok(), Some(0));
    world.finish().await;
}
