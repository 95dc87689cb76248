//! `tocsin dev`: what people do comes over the simulator's WebSocket, and goes to the functions as if Slack had called them.

use serde_json::{Value, json};
use tests::slack::incident_in;
use tests::socket_mode::Stub;
use tests::world::World;

use super::NOWHERE;

/// What CloudFormation says of the addresses on this machine nobody resolves; they are reached all the same.
pub(crate) async fn a_deployed_stack_is_reached_where_it_runs(world: &World) {
    let dev = world.admin_of_the_stack().connects(&[]).await;
    let help = world.user("jane").types("/incident help").await.answer().await;
    assert!(help.contains("resolve"), "{help}");
    let mentioned = world.user("jane").says("general", "@tocsin status").await.answer().await;
    assert!(mentioned.contains("All quiet"), "{mentioned}");
    dev.ends().await;
    world.slack.tell("socket", &json!({ "enabled": false })).await;
}

/// Everything that Slack sends goes through, the answers too: one that stands in the answer to a command, one that keeps a form open, and none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_clicks_forms_and_events_come_through_and_are_answered() {
    let world = World::start().await;
    let dev = world.admin().await.connects(&[]).await;
    let jane = world.user("jane");
    let help = jane.types("/incident help").await.answer().await;
    assert!(help.contains("resolve"), "{help}");
    let answer = jane.types("/incident create P1 checkout is down").await.answer().await;
    let card = world.card("#incidents", "checkout is down").await;
    assert_eq!(incident_in(&answer), Some(card.incident.clone()));
    world.user("omar").clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0OMAR>").await;
    let mentioned = jane.says("general", "@tocsin status").await.answer().await;
    assert!(mentioned.contains("1 open incident"), "{mentioned}");
    jane.types("/incident create").await;
    jane.modal("create_incident").await;
    let kept_open = jane.submits(&[("title", " ")]).await.delivery;
    assert_eq!(kept_open["json"]["response_action"], "errors", "{kept_open}");
    for what in
        ["✓ /incident help", "✓ /incident create", "✓ block_actions acknowledge", "✓ app_mention", "✓ view_submission create_incident"]
    {
        dev.says(what).await;
    }
    let ran = dev.ends().await;
    assert!(
        ran.stderr.contains("connected: A0TOCSIN, 1 connection") && ran.stderr.contains("the functions of the stack"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stdout.contains("checkout is down") && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    assert!(ran.stdout.lines().any(|line| line.contains("/incident help") && line.ends_with("200, with an answer")), "{}", ran.stdout);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_read_lines_of_json() {
    let world = World::start().await;
    let dev = world.admin().await.connects(&["--json"]).await;
    world.user("jane").types("/incident help").await;
    dev.says("/incident help").await;
    let ran = dev.ends().await;
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap_or_default()).collect();
    assert_eq!((events, ran.stderr.as_str()), (vec!["begins", "connected", "envelope", "ending"], ""));
    let mut told = lines[2].clone();
    assert!(told["ms"].take().is_u64(), "{told}");
    let wanted = json!({
        "event": "envelope", "envelope": "slash_commands", "what": "/incident help", "ms": null, "status": 200, "answered": true,
        "acknowledged": true,
    });
    assert_eq!(told, wanted);
    world.finish().await;
}

/// What a function is still working on when Slack wants another connection is acknowledged where it came from; the old connection goes when the new one is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_loses_nothing() {
    let world = World::start().await;
    let stub = Stub::start().await;
    let dev = world.admin_of(&[("CommandsUrl", &stub.url)]).await.connects(&[]).await;
    let jane = world.user("jane");
    for (opened, reason) in [(2, "refresh_requested"), (3, "warning")] {
        let asked = stub.requests().len();
        let refresh = async {
            stub.is_asked(&world, asked + 1).await;
            world.slack.tell("socket/disconnect", &json!({ "reason": reason, "close_ms": 0 })).await;
            // The old one is kept open by what it has to acknowledge.
            world
                .until("a second connection", async || {
                    let seen = dev.seen_by_slack().await;
                    if seen["opened"] == opened { Ok(()) } else { Err(seen.to_string()) }
                })
                .await;
            assert_eq!(dev.seen_by_slack().await["connections"].as_array().map(Vec::len), Some(2));
            stub.answers(200, r#"{"text": "old"}"#);
        };
        let (old, ()) = tokio::join!(jane.types("/incident list"), refresh);
        assert_eq!(old.delivery["json"]["text"], "old");
        dev.is_connected_anew(opened).await;
        stub.answers(200, r#"{"text": "new"}"#);
        assert_eq!(jane.types("/incident list").await.delivery["json"]["text"], "new");
        dev.says(&format!("Slack wants a new connection ({reason})")).await;
    }
    let seen = dev.seen_by_slack().await;
    assert_eq!((&seen["opened"], &seen["late"]), (&json!(3), &json!(0)), "{seen}");
    let ran = dev.ends().await;
    assert!(!ran.stderr.contains("not connected") && !ran.stderr.contains("somewhere else"), "{}", ran.stderr);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_broken_connection_there_is_another_as_soon_as_slack_lets_it() {
    let world = World::start().await;
    let dev = world.admin().await.connects(&[]).await;
    world.slack.fault(&json!({ "kind": "server_error", "method": "apps.connections.open", "times": 1 })).await;
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "apps.connections.open", "times": 1, "retry_after": 1 })).await;
    world.slack.tell("socket/break", &json!({})).await;
    dev.is_connected_anew(2).await;
    world.user("jane").types("/incident help").await;
    let waits: Vec<_> = dev.notes().into_iter().filter(|note| note.contains("not connected")).collect();
    assert_eq!(waits.len(), 3, "{waits:?}");
    assert!(waits[2].contains("ratelimited") && waits[2].ends_with("Trying again in 1.0 s"), "{waits:?}");
    let seconds =
        |note: &String| -> f64 { note.rsplit_once("in ").and_then(|(_, wait)| wait.strip_suffix(" s")?.parse().ok()).expect("seconds") };
    assert!((0.5..1.0).contains(&seconds(&waits[0])) && seconds(&waits[1]) >= 1.0, "the waits grow: {waits:?}");
    dev.ends().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_has_fallen_silent_is_left_for_another() {
    let world = World::start().await;
    let stub = Stub::start().await;
    let dev = world.admin_of(&[("InteractionsUrl", &stub.url)]).await.connects(&["--silence", "2"]).await;
    // For three seconds there is nothing to say, and Slack answers pings.
    world.slack.tell("shortcut", &json!({ "user": "jane", "callback_id": "create_incident" })).await;
    dev.says("no answer within the three seconds").await;
    let seen = dev.seen_by_slack().await;
    assert_eq!(seen["opened"], 1, "{seen}");

    world.slack.tell("socket/break", &json!({ "silently": true })).await;
    dev.says("Slack has said nothing for 2 s").await;
    world
        .until("a connection that speaks", async || {
            let seen = dev.seen_by_slack().await;
            let speaks = seen["connections"].as_array().is_some_and(|all| all.iter().any(|one| one["ended"] == false));
            if speaks { Ok(()) } else { Err(seen.to_string()) }
        })
        .await;
    world.user("jane").types("/incident help").await;
    dev.interrupt();
    assert_eq!(dev.over().await.code, Some(0));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_socket_mode_is_turned_off_it_ends_and_says_where_to_turn_it_on() {
    let world = World::start().await;
    let dev = world.admin().await.connects(&[]).await;
    world.slack.tell("socket", &json!({ "enabled": false })).await;
    let told = dev.over().await;
    let token = world.turns_socket_mode_on().await;
    world.slack.tell("socket", &json!({ "enabled": false })).await;
    let from_the_start = world.admin().await.starts_dev(&token, &[]).await.over().await;
    for ran in [told, from_the_start] {
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains("(link_disabled): turn it on under Socket Mode at https://api.slack.com/apps"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("Trying again"), "Slack was asked again: {}", ran.stderr);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_told_by_what_it_is_and_never_repeated() {
    let world = World::start().await;
    let right = world.turns_socket_mode_on().await;
    let another = format!("{}x", &right);
    for (token, says) in [
        (
            world.bot_token.as_str(),
            "SLACK_APP_TOKEN holds a bot token, and no app-level token: generate one with the scope connections:write",
        ),
        (another.as_str(), "does not accept the app-level token (invalid_auth)"),
        // Whoever has a real token and a stack that answers in the simulator has to deploy it otherwise.
        (another.as_str(), "which is not slack.com"),
    ] {
        let refused = world.admin().await.starts_dev(token, &[]).await.over().await;
        assert!(refused.code == Some(1) && refused.stderr.contains(says), "{}", refused.stderr);
    }
    world.slack.fault(&json!({ "kind": "error", "code": "missing_scope", "method": "apps.connections.open" })).await;
    let refused = world.admin().await.starts_dev(&right, &[]).await.over().await;
    assert!(refused.code == Some(1) && refused.stderr.contains("lacks the scope connections:write"), "{}", refused.stderr);
    world.slack.forget("faults").await;

    let admin = world.admin().await;
    let none = admin.runs(&["dev"]).await;
    assert!(none.code == Some(1) && none.stderr.contains("set SLACK_APP_TOKEN"), "{}", none.stderr);
    let typed = admin.runs(&["dev", &right]).await;
    assert!(typed.code == Some(1) && typed.stderr.contains("never arguments") && !typed.stderr.contains(&right), "{}", typed.stderr);
    // A file counts for more than the environment.
    let folder = tests::paths::scratch("dev").expect("a folder");
    let file = folder.join("token");
    std::fs::write(&file, format!("{right}\n")).expect("it is written");
    let dev = admin.starts_dev("xoxb-another-kind", &["--app-token-file", file.to_str().expect("a path")]).await;
    dev.says("connected").await;
    let ran = dev.ends().await;
    assert!(!ran.stderr.contains(&right), "the token");
    world.finish().await;
}

/// Slack tells the person, and sends an event again: an acknowledgement would be the end of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_function_took_is_not_acknowledged() {
    let world = World::start().await;
    let stub = Stub::start().await;
    let admin = world.admin_of(&[("CommandsUrl", NOWHERE), ("InteractionsUrl", &stub.url), ("EventsUrl", &stub.url)]).await;
    let dev = admin.connects(&[]).await;
    world.slack.tell("timing", &json!({ "answer_ms": 4000, "event_retry_ms": [0] })).await;
    stub.answers(500, "");
    stub.answers(200, "");
    world.slack.tell("event", &json!({ "event": { "type": "app_home_opened", "user": "U0JANE" } })).await;
    dev.says("app_home_opened (again, 1)").await;
    dev.says("500 not acknowledged: the function answers 500").await;
    let asked = stub.requests();
    let header = |number: usize, name: &str| asked[number].get(name).map(|value| value.to_str().expect("text").to_owned());
    assert_eq!((header(0, "x-slack-retry-num"), header(0, "x-slack-retry-reason")), (None, None));
    let again = (header(1, "x-slack-retry-num"), header(1, "x-slack-retry-reason"));
    assert_eq!(again, (Some("1".to_owned()), Some("timeout".to_owned())));

    let failed =
        world.slack.tell("command", &json!({ "user": "jane", "channel": "general", "command": "/incident", "text": "list" })).await;
    assert_eq!(failed["error"], "operation_timeout", "{failed}");
    dev.says("not acknowledged: error sending request").await;
    // Nobody ever answers this one.
    let slow = world.slack.tell("shortcut", &json!({ "user": "jane", "callback_id": "create_incident" })).await;
    assert_eq!(slow["error"], "operation_timeout", "{slow}");
    dev.says("no answer within the three seconds that Slack waits").await;
    let ran = dev.ends().await;
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with('✗')).count(), 3, "{}", ran.stdout);
    world.finish().await;
}

/// One function that hangs keeps nobody else waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_at_once_is_handled_at_once() {
    let world = World::start().await;
    let stub = Stub::start().await;
    let dev = world.admin_of(&[("CommandsUrl", &stub.url)]).await.connects(&[]).await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let all_are_asked = async {
        stub.is_asked(&world, 3).await;
        for _ in 0..3 {
            stub.answers(200, "");
        }
    };
    tokio::join!(jane.types("/incident list"), omar.types("/incident list"), jane.types("/incident list"), all_are_asked);
    dev.ends().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_finishes_what_is_under_way_and_takes_nothing_new() {
    let world = World::start().await;
    let stub = Stub::start().await;
    let dev = world.admin_of(&[("CommandsUrl", &stub.url)]).await.connects(&[]).await;
    let jane = world.user("jane");
    let ended = async {
        stub.is_asked(&world, 1).await;
        dev.interrupt();
        dev.says("ending, once 1 under way is done").await;
        world.slack.tell("timing", &json!({ "answer_ms": 100 })).await;
        let new =
            world.slack.tell("command", &json!({ "user": "omar", "channel": "general", "command": "/incident", "text": "list" })).await;
        assert_eq!((&new["error"], stub.requests().len()), (&json!("operation_timeout"), 1), "{new}");
        stub.answers(200, r#"{"text": "done"}"#);
    };
    let (done, ()) = tokio::join!(jane.types("/incident list"), ended);
    assert_eq!(done.delivery["json"]["text"], "done");
    let ran = dev.over().await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);

    let dev = world.admin_of(&[("CommandsUrl", &stub.url)]).await.connects(&[]).await;
    let ended = async {
        stub.is_asked(&world, 2).await;
        dev.interrupt();
        dev.says("ending, once 1 under way is done").await;
        dev.interrupt();
        dev.over().await
    };
    let lost = json!({ "user": "omar", "channel": "general", "command": "/incident", "text": "list" });
    let (_, ran) = tokio::join!(world.slack.tell("command", &lost), ended);
    assert!(ran.code == Some(1) && ran.stderr.contains("ended before everything"), "{}", ran.stderr);
    world.finish().await;
}
