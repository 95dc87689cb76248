//! A workspace's token is used for that workspace and for no other; rotated, refreshed or revoked, nothing is lost and nothing is called in vain.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::inputs::{Alarm, own};
use tests::ministack::Queue;
use tests::world::{INSTALL_URL, Setup, WORKSPACE, World};

use crate::signatures::sign;
use crate::watch::{counts, sum};

/// Another workspace, with a channel and somebody in it.
pub(crate) const SECOND: &str = "T0SECOND";

async fn second_workspace(world: &World) {
    world.slack.tell("teams", &json!({ "id": SECOND, "name": "Second" })).await;
    world.slack.tell("users", &json!({ "id": "U0SAM", "name": "sam", "team_id": SECOND })).await;
    let members = ["U0SAM", "U0BOTT0SECOND"];
    let channel = json!({ "id": "C1INCIDENTS", "name": "incidents", "team_id": SECOND, "is_member": true, "members": members });
    world.slack.tell("channels", &channel).await;
}

pub(crate) async fn with_two_workspaces(setup: Setup) -> World {
    let world = World::with(Setup { by_link: true, ..setup }).await;
    second_workspace(&world).await;
    for workspace in [WORKSPACE, SECOND] {
        Browser::new(&world).installs(workspace).await;
    }
    world
}

/// The teams whose tokens were used since the world began, by what they were used for.
async fn calls_with(world: &World, team: &str) -> Vec<String> {
    let calls = world.slack.ask("calls").await;
    let calls = calls.as_array().into_iter().flatten().filter(|call| call.get("team").and_then(Value::as_str) == Some(team));
    calls.filter_map(|call| call.get("method")?.as_str().map(str::to_owned)).collect()
}

fn incident_in(workspace: &str, title: &str) -> Value {
    own("create", title, Timestamp::now(), &json!({ "title": title, "workspace": workspace }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_workspaces_neither_sees_the_other() {
    let world = with_two_workspaces(Setup::default()).await;
    for number in 0..12 {
        for (workspace, place) in [(WORKSPACE, "first"), (SECOND, "second")] {
            // The same key in both: they are two incidents.
            let title = format!("{place} {number:02}");
            let fields = json!({ "title": title, "workspace": workspace });
            world.drops(&own("create", &format!("shared-{number}"), Timestamp::now(), &fields)).await;
        }
    }
    let (jane, sam) = (world.user("jane"), world.person("sam", "U0SAM"));
    let theirs = world.card("#incidents", "first 00").await;
    let told = sam.types_in("C1INCIDENTS", &format!("/incident show {}", theirs.incident)).await.answer().await;
    assert!(told.contains("There is no incident") || told.contains("No incident's id begins"), "{told}");
    let told = sam.types_in("C1INCIDENTS", "/incident list").await.answer().await;
    assert!(!told.contains("first"), "{told}");
    let told = jane.types("/incident list").await.answer().await;
    assert!(!told.contains("second"), "{told}");
    // Forms of both are opened by the same function, each with its own token.
    for (user, channel) in [(&sam, "C1INCIDENTS"), (&jane, "general"), (&sam, "C1INCIDENTS")] {
        user.types_in(channel, "/incident create").await;
        user.modal("create_incident").await;
    }
    let (mine, other) = (world.card("C1INCIDENTS", "second 01").await, world.card("#incidents", "first 01").await);
    sam.clicks("Acknowledge", &mine).await;
    jane.clicks("Resolve", &other).await;
    jane.modal("resolve_incident").await;
    jane.submits(&[("note", "only here")]).await;
    mine.shows("*Acknowledged* by <@U0SAM>").await;
    other.shows("*Resolved* by <@U0JANE>").await;
    world.settled().await;

    let mut by_team: BTreeMap<String, u32> = BTreeMap::new();
    for call in world.slack.ask("calls").await.as_array().into_iter().flatten() {
        let Some(channel) = call.pointer("/arguments/channel").and_then(Value::as_str) else { continue };
        let team = call.get("team").and_then(Value::as_str).unwrap_or_default();
        assert!(
            !["channel_not_found", "invalid_trigger_id", "invalid_auth"].contains(&call["error"].as_str().unwrap_or_default()),
            "{call}"
        );
        if channel.starts_with('C') {
            assert_eq!(team, if channel == "C1INCIDENTS" { SECOND } else { WORKSPACE }, "{call}");
        }
        *by_team.entry(team.to_owned()).or_default() += 1;
    }
    assert!(by_team.len() == 2 && by_team.values().all(|calls| *calls >= 24), "{by_team:?}");
    for (channel, place, stranger) in [("#incidents", "first", "second"), ("C1INCIDENTS", "second", "first")] {
        assert!(world.cards(channel, stranger).await.is_empty(), "{stranger} in {channel}");
        assert!(world.cards(channel, place).await.len() >= 12, "{place} in {channel}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_workspaces_one_has_to_be_named() {
    let world = with_two_workspaces(Setup::default()).await;
    world.expects_error("parked");
    world.drops(&Alarm::named("for-whom").fires(Timestamp::now())).await;
    let letter = world.takes_dead_letter(Queue::Intents).await;
    assert!(letter.reason.contains("installed in 2 workspaces") && letter.reason.contains("DefaultWorkspace"), "{}", letter.reason);
    world.finish().await;

    let world = with_two_workspaces(Setup { default_workspace: SECOND.to_owned(), ..Setup::default() }).await;
    world.drops(&Alarm::named("for-the-default").fires(Timestamp::now())).await;
    world.card("C1INCIDENTS", "for-the-default").await.thread_of(1).await;
    world.drops(&incident_in(WORKSPACE, "named")).await;
    world.card("#incidents", "named").await.thread_of(1).await;
    world.finish().await;
}

/// Somebody pastes the token of another workspace: nothing of the first one's ends up there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pasted_token_of_another_workspace_is_not_used() {
    let world = World::start().await;
    world.alarm_fires("with-the-own-token").await.thread_of(1).await;
    second_workspace(&world).await;
    let foreign = "xoxb-canary-foreign";
    world.slack.tell("token", &json!({ "team": SECOND, "bot_token": foreign })).await;
    world.writes_secret(foreign, &world.signing_secret).await;
    for function in ["worker", "poster"] {
        world.until("they rest", async || if world.dispatcher().in_flight() == 0 { Ok(()) } else { Err(String::new()) }).await;
        world.dispatcher().function(function).cool_down();
    }
    world.expects_error("foreign_token");
    world.expects_error("parked");
    world.drops(&Alarm::named("for-the-first").fires(Timestamp::now())).await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    assert!(
        letter.reason.contains(&format!("holds a bot token of {SECOND}")) && letter.reason.contains("DefaultWorkspace"),
        "{}",
        letter.reason
    );
    let used = calls_with(&world, SECOND).await;
    assert!(used.iter().all(|method| method == "auth.test"), "the foreign token was used: {used:?}");

    world.writes_secret(&world.bot_token, &world.signing_secret).await;
    world.puts_back(Queue::Posts, &letter).await;
    world.card("#incidents", "for-the-first").await.thread_of(1).await;
    assert!(world.cards("C1INCIDENTS", "for-the-first").await.is_empty());
    world.finish().await;
}

/// A token that Slack took away is used once more and then left alone, until another is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_closes_its_installation_until_another_is_there() {
    let world = World::start().await;
    world.alarm_fires("before").await.thread_of(1).await;
    world.slack.tell("token", &json!({ "error": "token_revoked" })).await;
    world.slack.forget("calls").await;
    world.expects_error("token_revoked");
    world.expects_error("parked");
    world.drops(&Alarm::named("while-revoked").fires(Timestamp::now())).await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    assert!(letter.reason.contains("token_revoked") && letter.reason.contains("install it again"), "{}", letter.reason);
    assert!(world.installation(WORKSPACE).await.pointer("/disabled/reason").is_some());
    let calls = world.slack.ask("calls").await.as_array().map_or(0, Vec::len);
    assert_eq!(calls, 1, "one call told that it was revoked");

    world.drops(&Alarm::named("while-closed").fires(Timestamp::now())).await;
    let second = world.takes_dead_letter(Queue::Posts).await;
    assert!(second.reason.contains("token_revoked"), "{}", second.reason);
    assert_eq!(world.slack.ask("calls").await.as_array().map_or(0, Vec::len), calls, "nothing is called while it is closed");

    let token = "xoxb-canary-after-the-revocation";
    world.slack.tell("token", &json!({ "bot_token": token, "error": null })).await;
    world.writes_secret(token, &world.signing_secret).await;
    world.puts_back(Queue::Posts, &letter).await;
    for name in ["while-revoked", "while-closed"] {
        world.card("#incidents", name).await;
    }
    assert!(world.installation(WORKSPACE).await.get("disabled").is_none(), "open again");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_rotated_while_two_channels_wait_loses_nothing() {
    let world = World::start().await;
    world
        .configures(
            r##"
            [routing]
            default = { channel = "#incidents" }

            [[routing.rules]]
            match = { service = "payments" }
            to = [{ channel = "#payments" }]
            "##,
        )
        .await;
    world.alarm_fires("with-the-old-token").await.thread_of(1).await;
    // None is at work any more, which would see that Slack has a new token before the secret has it.
    world.dispatcher().mapping("poster").rest().await;
    for number in 0..4 {
        let service = if number % 2 == 0 { "payments" } else { "other" };
        world.drops(&Alarm::named(&format!("waiting-{number}")).described(&format!("service: {service}")).fires(Timestamp::now())).await;
    }
    world
        .until("the incidents are there", async || {
            let made = world.scan().await.iter().filter(|item| item.get("sk") == Some(&json!("incident"))).count();
            if made == 5 { Ok(()) } else { Err(format!("{made}")) }
        })
        .await;
    let token = "xoxb-canary-rotated";
    world.slack.tell("token", &json!({ "bot_token": token })).await;
    world.writes_secret(token, &world.signing_secret).await;
    world.dispatcher().mapping("poster").resume();
    for number in 0..4 {
        let channel = if number % 2 == 0 { "#payments" } else { "#incidents" };
        world.card(channel, &format!("waiting-{number}")).await.thread_of(1).await;
    }
    let waited: Vec<_> =
        world.logs.lines().iter().filter(|line| line.text.contains("does not accept the token")).map(|line| line.text.clone()).collect();
    assert!(waited.is_empty(), "the new token is taken up at the first refusal: {waited:#?}");
    world.finish().await;
}

pub(crate) async fn help_signed_with(world: &World, secret: &str) -> u16 {
    let body = "command=%2Fincident&text=help&team_id=T0TOCSIN&user_id=U0JANE&channel_id=C0GENERAL";
    let time = Timestamp::now().as_second();
    let (time_text, signature) = (time.to_string(), sign(secret, time, body.as_bytes()));
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-slack-request-timestamp", &*time_text),
        ("x-slack-signature", &*signature),
    ];
    world.http.post(&world.url("commands"), &headers, body).await.unwrap_or_else(|error| panic!("{error:#}")).status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_rotation_both_signing_secrets_count_until_the_overlap_ends() {
    let world = World::with(Setup { instances: 1, ..Setup::default() }).await;
    let (old, new) = (world.signing_secret.clone(), "canary0rotated0signing0secret");
    assert_eq!(help_signed_with(&world, &old).await, 200);
    world.writes_secret(&world.bot_token, new).await;
    for _ in 0..3 {
        assert_eq!(help_signed_with(&world, new).await, 200);
        assert_eq!(help_signed_with(&world, &old).await, 200);
    }
    assert_eq!(help_signed_with(&world, "neither").await, 401);
    // Ended sooner: an admin takes the stage away. A copy that knows the old secret forgets it within a minute; a new one never learns it.
    let secrets = &world.aws.secrets;
    let versions = secrets.list_secret_version_ids().secret_id(&world.resources.secret).send().await.expect("versions");
    let previous = versions.versions().iter().find(|version| version.version_stages().contains(&"AWSPREVIOUS".to_owned()));
    let previous = previous.and_then(|version| version.version_id()).expect("a version before");
    let take = secrets
        .update_secret_version_stage()
        .secret_id(&world.resources.secret)
        .version_stage("AWSPREVIOUS")
        .remove_from_version_id(previous);
    take.send().await.expect("Secrets Manager");
    world.dispatcher().function("commands").cool_down();
    assert_eq!((help_signed_with(&world, &old).await, help_signed_with(&world, new).await), (401, 200));
    world.finish().await;

    // No overlap at all: the old one counts as long as a copy has not read the new one.
    let world = World::with(Setup { instances: 1, signing_overlap_hours: 0, ..Setup::default() }).await;
    let old = world.signing_secret.clone();
    world.writes_secret(&world.bot_token, new).await;
    assert_eq!((help_signed_with(&world, new).await, help_signed_with(&world, &old).await), (200, 401));
    world.finish().await;
}

/// The version before is only read as long as it counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_start_reads_one_secret_and_a_second_version_only_during_an_overlap() {
    for (signing_overlap_hours, reads) in [(0, 1), (24, 2)] {
        let world = World::with(Setup { signing_overlap_hours, ..Setup::default() }).await;
        world.dispatcher().function("commands").warm().await.unwrap_or_else(|error| panic!("{error:?}"));
        let calls = world.dispatcher().counter("commands").calls();
        let read = calls.iter().filter(|call| call.action == "secretsmanager.GetSecretValue").count();
        assert_eq!((read, calls.len()), (reads, reads + 1), "and one call opens the connection to SQS: {calls:?}");
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_bad_signatures_is_no_flood_of_reads() {
    let world = World::with(Setup { instances: 1, ..Setup::default() }).await;
    world.dispatcher().function("commands").warm().await.unwrap_or_else(|error| panic!("{error:?}"));
    world.dispatcher().counter("commands").reset();
    let begun = Timestamp::now();
    let statuses = join_all((0..300).map(|_| help_signed_with(&world, "a guess"))).await;
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    let reads = world.dispatcher().counter("commands").calls();
    let rereads = usize::try_from(Timestamp::now().duration_since(begun).as_secs() / 10 + 1).unwrap_or(1);
    // A re-read is the current version and, as the secret is young, the one before.
    assert!((1..=2 * rereads).contains(&reads.len()), "{} calls in {rereads} times ten seconds: {reads:?}", reads.len());
    assert!(reads.iter().all(|call| call.action == "secretsmanager.GetSecretValue"), "{reads:?}");
    assert_eq!(help_signed_with(&world, &world.signing_secret).await, 200, "Slack is let in all the while");
    world.finish().await;
}

async fn refreshes(world: &World) -> usize {
    let calls = world.slack.calls("oauth.v2.access").await;
    calls.iter().filter(|call| call.pointer("/arguments/grant_type").and_then(Value::as_str) == Some("refresh_token")).count()
}

/// A world with one workspace by link, whose token is about to expire as far as we know.
async fn with_a_token_that_expires() -> World {
    let world = World::with(Setup { by_link: true, tokens_rotate: true, ..Setup::default() }).await;
    Browser::new(&world).installs(WORKSPACE).await;
    world.ticks().await;
    assert_eq!(refreshes(&world).await, 0, "it lives for hours");
    expires_in(&world, SignedDuration::from_mins(110)).await;
    world
}

async fn expires_in(world: &World, time: SignedDuration) {
    let at = (Timestamp::now() + time).as_second();
    world.changes("installations", WORKSPACE, "SET token_expires_at = :value", at).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_clocks_refresh_a_token_once() {
    let world = with_a_token_that_expires().await;
    let before = world.installation_secret(WORKSPACE).await.expect("a secret");
    let kept_before = world.installation(WORKSPACE).await;
    // Slack takes its time, so that all of them are there at once.
    world.slack.fault(&json!({ "kind": "slow", "method": "oauth.v2.access", "times": 1, "delay_ms": 4000 })).await;
    join_all((0..32).map(|_| world.ticks())).await;
    assert_eq!(refreshes(&world).await, 1);
    let (after, kept) = (world.installation_secret(WORKSPACE).await.expect("a secret"), world.installation(WORKSPACE).await);
    for part in ["bot_token", "refresh_token"] {
        assert!(after.get(part).is_some_and(Value::is_string) && after.get(part) != before.get(part), "{part} is new");
    }
    assert_ne!(kept.get("token_digest"), kept_before.get("token_digest"));
    assert!(kept.get("refresh").is_none() && kept.get("token_expires_at") == after.get("expires_at"), "{kept}");
    world.ticks().await;
    assert_eq!(refreshes(&world).await, 1);
    world.alarm_fires("with-the-refreshed-token").await.thread_of(1).await;
    world.finish().await;
}

/// Slack stumbles: the next minute tries again, and the minute that failed is seen to have failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_slack_puts_off_comes_a_minute_later() {
    let world = with_a_token_that_expires().await;
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "oauth.v2.access", "times": 1 })).await;
    world.expects_error("jobs that failed: refresh");
    let failed = world.try_tick().await.expect_err("Lambda hears that a job failed");
    assert!(format!("{failed:?}").contains("refresh"), "{failed:?}");
    let failed = |lines: &[Value]| sum(lines, "Refreshes", Some(("Outcome", "failed"))) == 1;
    counts(&world, "clock", "it failed once", failed).await;
    let kept = world.installation(WORKSPACE).await;
    assert!(kept.get("refresh").is_none(), "it was not done, and Slack said so: {kept}");
    world.ticks().await;
    assert!(world.logs.lines().iter().any(|line| line.text.contains(r#""outcome":"refreshed""#)), "{}", world.logs.tail(10));
    world.finish().await;
}

/// The one thing that cannot be undone: Slack has given the new pair, and nobody is left to keep it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_killed_after_slacks_answer_is_stated_and_alarms_and_is_mended_by_installing_again() {
    let world = with_a_token_that_expires().await;
    world.slack.fault(&json!({ "kind": "slow", "method": "oauth.v2.access", "times": 1, "delay_ms": 5000 })).await;
    let kill = async {
        world.until("Slack has answered", async || if refreshes(&world).await == 1 { Ok(()) } else { Err("not yet".to_owned()) }).await;
        world.dispatcher().function("clock").busy_instance().expect("a clock at work").kill();
    };
    let (killed, ()) = tokio::join!(world.try_tick(), kill);
    assert!(killed.is_err(), "{killed:?}");
    assert!(world.installation(WORKSPACE).await.pointer("/refresh/at").is_some(), "the mark stays");

    // The dead one's lock still counts, and then no more.
    world.ticks().await;
    assert_eq!(refreshes(&world).await, 1);
    world.changes(&format!("{WORKSPACE}#workspace"), "lock", "SET #until = :value", 0).await;
    world.expects_error("refresh_lost");
    world.ticks().await;
    world.ticks().await;
    assert_eq!(refreshes(&world).await, 2, "tried once more, and not again after that");
    let lines = world.logs.lines();
    let lost: Vec<_> = lines.iter().filter(|line| line.text.contains("refresh_lost")).collect();
    assert!(lost.len() == 1 && lost[0].text.contains("/install") && lost[0].text.contains("interrupted"), "{lost:?}");
    let lost = |times: u64| move |lines: &[Value]| sum(lines, "Refreshes", Some(("Outcome", "lost"))) == times;
    counts(&world, "clock", "the alarm lasts as long as the trouble", lost(2)).await;
    let notices = world.until("a notice", async || Some(world.notices().await).filter(|all| !all.is_empty()).ok_or_else(String::new)).await;
    assert!(notices.len() == 1 && notices[0].subject.contains(WORKSPACE) && notices[0].text.contains(INSTALL_URL), "{notices:?}");

    // The old token works until it expires.
    world.alarm_fires("still-with-the-old-token").await.thread_of(1).await;
    expires_in(&world, SignedDuration::from_secs(-1)).await;
    world.expects_error("disabled");
    world.expects_error("parked");
    world.ticks().await;
    world.drops(&Alarm::named("after-the-end").fires(Timestamp::now())).await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    assert!(letter.reason.contains("has expired and cannot be refreshed") && letter.reason.contains("/install"), "{}", letter.reason);
    world.ticks().await;
    counts(&world, "clock", "until it is installed again", lost(4)).await;
    Browser::new(&world).installs(WORKSPACE).await;
    world.puts_back(Queue::Posts, &letter).await;
    world.card("#incidents", "after-the-end").await.thread_of(1).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uninstalled_workspace_is_forgotten_and_can_come_back() {
    let world = with_two_workspaces(Setup::default()).await;
    world.drops(&incident_in(WORKSPACE, "before")).await;
    world.card("#incidents", "before").await.thread_of(1).await;
    // A token that is revoked after its successor has taken over is no uninstall.
    let event = json!({ "type": "tokens_revoked", "tokens": { "oauth": [], "bot": ["U0BOT"] } });
    world.slack.tell("event", &json!({ "event": event, "team": WORKSPACE })).await;
    world.settled().await;
    assert!(world.installation_secret(WORKSPACE).await.is_some(), "the token in force works");

    for order in ["tokens_first", "app_first"] {
        world.slack.tell("uninstall", &json!({ "team": WORKSPACE, "order": order })).await;
        world.settled().await;
        assert!(world.installation_secret(WORKSPACE).await.is_none(), "{order}: its token is gone");
        assert!(world.installation(WORKSPACE).await.get("removed_at").is_some(), "{order}");
    }
    world.slack.forget("calls").await;
    world.expects_error("uninstalled");
    world.drops(&incident_in(WORKSPACE, "while-away")).await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    assert!(letter.reason.contains("uninstalled") && letter.reason.contains("/install"), "{}", letter.reason);
    assert!(calls_with(&world, WORKSPACE).await.is_empty(), "nothing is called for it");
    // The other goes on with its own. What names nobody is not its own, though it is the only one now.
    world.drops(&incident_in(SECOND, "of-the-other")).await;
    world.card("C1INCIDENTS", "of-the-other").await;
    world.expects_error("parked");
    world.drops(&Alarm::named("for-nobody-by-name").fires(Timestamp::now())).await;
    let unnamed = world.takes_dead_letter(Queue::Intents).await;
    assert!(unnamed.reason.contains("DefaultWorkspace"), "{}", unnamed.reason);

    Browser::new(&world).installs(WORKSPACE).await;
    assert!(world.installation(WORKSPACE).await.get("removed_at").is_none());
    world.puts_back(Queue::Posts, &letter).await;
    world.card("#incidents", "while-away").await.thread_of(1).await;
    world.finish().await;
}
