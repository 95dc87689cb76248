//! Every error code of Slack's has a verdict, and an unknown one too: tried on a new card, and on a card that is to be updated.

use std::fmt::Write;
use std::time::Duration;

use serde_json::json;
use tests::inputs::own;
use tests::ministack::Queue;
use tests::world::{Setup, WORKSPACE, World};

/// What becomes of a card that Slack answers once with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Becomes {
    /// It is there a little later, once.
    Posted,
    /// It is put aside with a reason, and posted when somebody puts it back.
    PutAside,
}

/// What an administrator reads about, by code.
const ADVICE: [(&str, &str); 6] = [
    ("not_in_channel", "/invite"),
    ("is_archived", "archived"),
    ("restricted_action", "posting permissions"),
    ("missing_scope", "Add the scope"),
    ("channel_not_found", "correct the routing"),
    ("a_code_of_tomorrow", "https://docs.slack.dev/"),
];

fn new_cards() -> Vec<(&'static str, Becomes)> {
    let posted = ["service_unavailable", "team_added_to_org", "internal_error", "fatal_error", "request_timeout", "ratelimited"];
    let put_aside = [
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "cannot_dm_bot",
        "missing_scope",
        "access_denied",
        "ekm_access_denied",
        "msg_too_long",
        "msg_blocks_too_long",
        "invalid_blocks",
        "no_text",
        "a_code_of_tomorrow",
    ];
    let posted = posted.map(|code| (code, Becomes::Posted));
    posted.into_iter().chain(put_aside.map(|code| (code, Becomes::PutAside))).collect()
}

fn channel(code: &str) -> String {
    format!("C0{}", code.to_uppercase().replace('_', ""))
}

async fn prepare<'c>(world: &World, codes: impl Iterator<Item = &'c str>, method: &str) {
    let mut document = "thread = false\n[routing]\ndefault = { channel = \"#incidents\" }\n".to_owned();
    for code in codes {
        let id = channel(code);
        world.slack.tell("channels", &json!({ "id": id, "name": id.to_lowercase(), "is_member": true })).await;
        let _ = write!(document, "[[routing.rules]]\nmatch = {{ service = \"{code}\" }}\nto = [{{ channel = \"{id}\" }}]\n");
        world.slack.fault(&json!({ "kind": "error", "method": method, "channel": id, "code": code, "times": 1 })).await;
    }
    world.configures(&document).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_has_its_verdict_on_a_new_card() {
    let world = World::with(Setup { slack_timeout: 1, ..Setup::default() }).await;
    let codes = new_cards();
    prepare(&world, codes.iter().map(|(code, _)| *code), "chat.postMessage").await;
    for (code, _) in &codes {
        world.drops(&own("create", code, jiff::Timestamp::now(), &json!({ "title": format!("card of {code}"), "service": code }))).await;
    }
    for (code, _) in codes.iter().filter(|(_, becomes)| *becomes == Becomes::Posted) {
        world.card(&channel(code), &format!("card of {code}")).await;
    }
    let put_aside: Vec<_> = codes.iter().filter(|(_, becomes)| *becomes == Becomes::PutAside).map(|(code, _)| *code).collect();
    let mut letters = Vec::new();
    for _ in &put_aside {
        letters.push(world.takes_dead_letter(Queue::Posts).await);
    }
    for code in put_aside {
        let letter = letters
            .iter()
            .find(|letter| letter.reason.contains(&format!(" {code}")))
            .unwrap_or_else(|| panic!("no dead letter names {code}: {letters:?}"));
        for (_, advice) in ADVICE.iter().filter(|(of, _)| *of == code) {
            assert!(letter.reason.contains(advice), "{code}: {}", letter.reason);
        }
        assert!(world.cards(&channel(code), &format!("card of {code}")).await.is_empty(), "{code} is no success");
        world.expects_error(code);
        world.puts_back(Queue::Posts, letter).await;
        world.card(&channel(code), &format!("card of {code}")).await;
    }
    let notices = world.notices().await;
    assert_eq!(notices.len(), 13, "somebody hears of everything that was put aside");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_slack_does_not_let_us_change_comes_anew() {
    let world = World::with(Setup { slack_timeout: 1, ..Setup::default() }).await;
    let gone = ["message_not_found", "cant_update_message", "edit_window_closed"];
    let changed = ["internal_error", "service_unavailable"];
    prepare(&world, gone.into_iter().chain(changed), "chat.update").await;
    for code in gone.into_iter().chain(changed) {
        let fields = json!({ "title": format!("card of {code}"), "service": code });
        world.drops(&own("create", code, jiff::Timestamp::now(), &fields)).await;
        world.card(&channel(code), &format!("card of {code}")).await;
        world.drops(&own("acknowledge", code, jiff::Timestamp::now(), &json!({}))).await;
    }
    for (code, count) in gone.map(|code| (code, 2)).into_iter().chain(changed.map(|code| (code, 1))) {
        let cards = world
            .until(&format!("the card of {code} shows that somebody has it"), async || {
                let cards = world.cards(&channel(code), &format!("card of {code}")).await;
                let shown = cards.last().is_some_and(|card| card.reads().contains("*Acknowledged*"));
                if shown { Ok(cards) } else { Err(tests::card::readable(&cards)) }
            })
            .await;
        assert_eq!(cards.len(), count, "{code}: {}", tests::card::readable(&cards));
    }
    world.finish().await;
}

/// Slack wants a pause with a method that is called for one person: nobody else's job calls it meanwhile either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_with_any_method_is_kept_by_everybody_in_the_workspace() {
    let world = World::with(Setup { patience: Duration::from_mins(2), ..Setup::default() }).await;
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "users.info", "times": 1, "retry_after": 12 })).await;
    let types = async |user: &str, title: &str| {
        let command = json!({ "user": user, "channel": "general", "text": format!("create {title}") });
        world.slack.tell("command", &command).await
    };
    types("jane", "Jane waits").await;
    world
        .until("Slack wants a pause", async || {
            let calls = world.slack.calls("users.info&fields=http_status").await;
            if calls.iter().any(|call| call.get("http_status") == Some(&json!(429))) { Ok(()) } else { Err(format!("{calls:?}")) }
        })
        .await;
    types("omar", "Omar waits as well").await;
    world.card("#incidents", "Jane waits").await.thread_of(1).await;
    world.card("#incidents", "Omar waits as well").await.thread_of(1).await;
    let calls = world.slack.calls("users.info&fields=http_status,early_ms").await;
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert!(calls.iter().all(|call| call.get("early_ms").is_none_or(serde_json::Value::is_null)), "{calls:?}");
    world.finish().await;
}

/// What Slack refused as it was says nothing about what the card shows later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_whose_update_was_refused_shows_what_comes_later() {
    let world = World::start().await;
    let card = world.alarm_fires("refused-once").await;
    card.thread_of(1).await;
    world.expects_error("msg_too_long");
    world.slack.fault(&json!({ "kind": "error", "method": "chat.update", "code": "msg_too_long", "times": 1 })).await;
    let jane = world.user("jane");
    jane.clicks("Acknowledge", &card).await;
    world.takes_dead_letter(Queue::Posts).await;
    world.settled().await;
    jane.types(&format!("/incident resolve {} rolled back", card.incident)).await.answer().await;
    card.shows("*Resolved*").await;
    world.finish().await;
}

/// Whoever puts a message back that may have been posted allows one more, and no more than that, however often its channel has to wait meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_back_once_is_posted_once_more() {
    let world = World::with(Setup { slack_timeout: 1, uncertain: "park", ..Setup::default() }).await;
    world.expects_error("it may have been posted");
    world.slack.fault(&json!({ "kind": "error", "method": "conversations.history", "code": "missing_scope" })).await;
    world.slack.fault(&json!({ "kind": "error", "method": "conversations.list", "code": "missing_scope" })).await;
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": 2 })).await;
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "chat.postMessage", "times": 1, "retry_after": 4 })).await;
    world.drops(&own("create", "twice-lost", jiff::Timestamp::now(), &json!({ "title": "its answer is lost twice" }))).await;
    let first = world.takes_dead_letter(Queue::Posts).await;
    let poster = world.dispatcher().mapping("poster");
    poster.rest().await;
    world.puts_back(Queue::Posts, &first).await;
    world.drops(&own("create", "behind", jiff::Timestamp::now(), &json!({ "title": "behind it" }))).await;
    world
        .until("the other is due", async || match world.unposted().await.iter().filter(|place| place.starts_with("due#card")).count() {
            1 => Ok(()),
            count => Err(format!("{count}")),
        })
        .await;
    poster.resume();
    let second = world.takes_dead_letter(Queue::Posts).await;
    // The channel has waited for Slack meanwhile, and what was put back came again with it.
    world.card("#incidents", "behind it").await;
    assert_eq!(world.cards("#incidents", "its answer is lost twice").await.len(), 2, "{second:?}");
    world.puts_back(Queue::Posts, &second).await;
    world.settled().await;
    assert_eq!(world.cards("#incidents", "its answer is lost twice").await.len(), 3, "once for each time that somebody asked for it");
    world.finish().await;
}

/// Slack did nothing the second time, so what was allowed is still allowed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_uses_up_no_leave_to_post_again() {
    let world = World::with(Setup { slack_timeout: 1, uncertain: "park", ..Setup::default() }).await;
    world.expects_error("it may have been posted");
    for method in ["conversations.history", "conversations.list"] {
        world.slack.fault(&json!({ "kind": "error", "method": method, "code": "missing_scope" })).await;
    }
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": 1 })).await;
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "chat.postMessage", "times": 1, "retry_after": 1 })).await;
    world.drops(&own("create", "allowed", jiff::Timestamp::now(), &json!({ "title": "its answer is lost" }))).await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    world.puts_back(Queue::Posts, &letter).await;
    world.settled().await;
    assert_eq!(world.cards("#incidents", "its answer is lost").await.len(), 2, "once more, without asking again");
    world.finish().await;
}

/// Slack wants a short pause just before a reply, or stumbles over it for the fourth time: the one after it does not get ahead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_is_told_in_order_whatever_slack_says_to_one_reply() {
    for fault in [json!({ "kind": "rate_limited", "retry_after": 1 }), json!({ "kind": "error", "code": "internal_error" })] {
        let world = World::start().await;
        let card = world.alarm_fires("in-order").await;
        card.thread_of(1).await;
        let poster = world.dispatcher().mapping("poster");
        poster.rest().await;
        let jane = world.user("jane");
        let replies = async || {
            let mut due = world.unposted().await;
            due.retain(|place| place.starts_with("due#reply"));
            due
        };
        for (number, note) in ["comes first", "comes second"].into_iter().enumerate() {
            jane.types(&format!("/incident note {} {note}", card.incident)).await.answer().await;
            let due = async || if replies().await.len() > number { Ok(()) } else { Err(String::new()) };
            world.until("the note is due", due).await;
            if number == 0 {
                let first = replies().await.pop().expect("it is due");
                world.changes(&format!("{WORKSPACE}#channel##incidents"), &first, "SET failures = :value", 3).await;
            }
        }
        let mut fault = fault;
        fault
            .as_object_mut()
            .expect("an object")
            .extend([("method".to_owned(), json!("chat.postMessage")), ("times".to_owned(), json!(1))]);
        world.slack.fault(&fault).await;
        poster.resume();
        let thread = card.thread_of(3).await;
        let reads = (thread[1].reads(), thread[2].reads());
        assert!(reads.0.contains("comes first") && reads.1.contains("comes second"), "{fault}: {reads:?}");
        world.finish().await;
    }
}

/// Slack fails at one post, again and again, for reasons that it does not tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_at_which_slack_always_fails_keeps_nobody_else_waiting() {
    // What has failed so often rests for up to a minute before it is tried again.
    let world = World::with(Setup { patience: Duration::from_mins(2), ..Setup::default() }).await;
    let card = world.alarm_fires("never-updated").await;
    card.thread_of(1).await;
    world.slack.fault(&json!({ "kind": "error", "method": "chat.update", "code": "internal_error" })).await;
    let jane = world.user("jane");
    jane.clicks("Acknowledge", &card).await;
    let told = async |what: &'static str| {
        let told = async || card.thread().await.iter().any(|reply| reply.reads().contains(what)).then_some(()).ok_or_else(String::new);
        world.until(what, told).await;
    };
    // This comes after the update.
    told("*Acknowledged*").await;

    // However often it has failed while nothing went through, it stays due.
    let place = world.unposted().await.into_iter().find(|place| place.starts_with("due#card")).expect("its update is due");
    let counts = async |counts: &[(&str, i64)]| {
        for (change, value) in counts {
            world.changes(&format!("{WORKSPACE}#channel##incidents"), &place, change, *value).await;
        }
    };
    counts(&[("SET failures = :value", 20), ("SET failed_at = :value", 1)]).await;
    jane.types(&format!("/incident note {} looking", card.incident)).await.answer().await;
    told("looking").await;
    assert!(world.unposted().await.contains(&place), "one failure after an outage put it aside");

    // When it has failed often enough although others went through, it is put aside.
    counts(&[("SET failures = :value", 10), ("SET passed = :value", 9), ("SET failed_at = :value", 1)]).await;
    world.expects_error("Slack failed at it 11 times");
    jane.types(&format!("/incident note {} on my way", card.incident)).await.answer().await;
    let letter = world.takes_dead_letter(Queue::Posts).await;
    assert!(letter.reason.contains("internal_error") && letter.reason.contains("Put it back"), "{}", letter.reason);
    told("on my way").await;
    world.slack.forget("faults").await;
    world.puts_back(Queue::Posts, &letter).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    world.finish().await;
}

/// Slack has enough of the messages to one person: no card waits for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_in_a_conversation_with_a_person_holds_no_channel() {
    let world = World::start().await;
    let pause = json!({ "kind": "rate_limited", "method": "chat.postMessage", "channel": "U0LENA", "times": 1, "retry_after": 10 });
    world.slack.fault(&pause).await;
    let lena = world.user("lena");
    lena.picks_shortcut("create_incident").await;
    lena.modal("create_incident").await;
    lena.submits(&[("title", "Mails are late")]).await;
    world
        .until("Slack wants a pause", async || {
            let hits = world.slack.hits().await;
            if hits == 1 { Ok(()) } else { Err(hits.to_string()) }
        })
        .await;
    world.alarm_fires("while-one-person-waits").await;
    let told = async || world.slack.messages().await.into_iter().find(|message| message.channel() == "D0LENA");
    assert!(told().await.is_none(), "the card was there before the pause was over");
    world.until("Lena is told", async || told().await.map(|_| ()).ok_or_else(String::new)).await;
    let calls = world.slack.calls("chat.postMessage&fields=http_status,early_ms").await;
    assert!(calls.iter().all(|call| call.get("early_ms").is_none_or(serde_json::Value::is_null)), "{calls:?}");
    world.finish().await;
}
