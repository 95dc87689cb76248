//! Dead letters, as an admin looks after them.

use aws_sdk_sqs::types::MessageAttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::cli::{Admin, tocsin};
use tests::dispatcher::counter::Counter;
use tests::ministack::Queue;
use tests::world::World;

/// Waits until so many letters are listed.
async fn listed(world: &World, admin: &Admin<'_>, queue: &str, count: usize) -> Vec<Value> {
    world
        .until(&format!("{count} dead letters of {queue}"), async || {
            let listed = admin.runs(&["dead-letters", "list", queue, "--json"]).await.json();
            let letters = listed[0]["letters"].as_array().cloned().unwrap_or_default();
            if letters.len() == count && listed[0]["standing"] == json!(count) { Ok(letters) } else { Err(listed.to_string()) }
        })
        .await
}

/// Puts a letter there, as if somebody had parked it.
async fn parks(world: &World, queue: Queue, body: &str, group: Option<&str>, attributes: &[(&str, &str)]) {
    let mut send = world.aws.sqs.send_message().queue_url(world.dead_letters_url(queue)).message_body(body);
    for (name, value) in attributes {
        let value = MessageAttributeValue::builder().data_type("String").string_value(*value).build().expect("a text");
        send = send.message_attributes(*name, value);
    }
    if let Some(group) = group {
        send = send.message_group_id(group).message_deduplication_id(fastrand::u64(..).to_string());
    }
    send.send().await.expect("SQS");
}

/// A job that has no effect, of a workspace that nobody knows.
fn job(workspace: &str) -> String {
    let uninstall = json!({ "id": format!("uninstall-{workspace}"), "workspace": workspace, "at": "2026-11-21T00:00:00Z", "reason": "app_uninstalled" });
    json!({ "version": 1, "message": { "uninstall": uninstall } }).to_string()
}

/// Fates as `--json` has them.
fn fates(stdout: &str) -> Vec<String> {
    let told: Vec<Value> = serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    told.iter().map(|one| one["fate"].as_str().unwrap_or_default().to_owned()).collect()
}

/// On FIFO, what stays locks its group. SQS shows the first ten of it, and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_group_all_that_is_meant_goes_back_past_what_stays_and_what_sqs_hides_is_told() {
    let world = World::start().await;
    let admin = world.admin().await;
    for number in 0..5 {
        parks(&world, Queue::Intents, &job(&format!("T0LEFT{number}")), Some("one"), &[]).await;
    }
    for number in 0..10 {
        parks(&world, Queue::Intents, &job(&format!("T0MEANT{number}")), Some("one"), &[]).await;
    }
    let back = admin.runs(&["dead-letters", "redrive", "intents", "--text", "T0MEANT", "--json"]).await;
    assert_eq!((back.code, fates(&back.stdout)), (Some(0), vec!["put_back".to_owned(); 10]), "{}", back.stderr);
    listed(&world, &admin, "intents", 5).await;

    for number in 0..7 {
        parks(&world, Queue::Intents, &job(&format!("T0LAST{number}")), Some("one"), &[]).await;
    }
    let hidden = "2 more letters stand on intents: SQS shows the first ten of a group, so those have to go first";
    let none = admin.runs(&["dead-letters", "redrive", "intents", "--text", "T0LAST6"]).await;
    assert!(none.code == Some(1) && none.stderr.contains(hidden), "{}", none.stderr);
    let planned = admin.runs(&["dead-letters", "redrive", "intents", "--dry-run"]).await;
    assert!(planned.code == Some(0) && planned.stderr.contains(hidden), "{}", planned.stderr);
    let all = admin.runs(&["dead-letters", "redrive", "intents", "--json"]).await;
    assert_eq!((all.code, fates(&all.stdout)), (Some(0), vec!["put_back".to_owned(); 12]), "{}", all.stderr);
    world.settled().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_somebody_else_looks_at_the_letters_nobody_says_that_they_are_back() {
    let world = World::start().await;
    let admin = world.admin().await;
    parks(&world, Queue::Intents, &job("T0HELD"), Some("one"), &[]).await;
    let url = world.dead_letters_url(Queue::Intents);
    let other = world.aws.sqs.receive_message().queue_url(url).visibility_timeout(60).send().await.expect("SQS");
    let held = admin.runs(&["dead-letters", "redrive", "intents", "--json"]).await;
    assert_eq!((held.code, held.stdout.as_str()), (Some(1), "[]"), "{}", held.stderr);
    let told = "1 more letter stands on intents: somebody else may be looking at it, so run it again in a minute";
    assert!(held.stderr.contains(told), "{}", held.stderr);

    let handle = other.messages.unwrap_or_default().remove(0).receipt_handle;
    let release = world.aws.sqs.change_message_visibility().queue_url(url).visibility_timeout(0).set_receipt_handle(handle);
    release.send().await.expect("SQS");
    let back = admin.runs(&["dead-letters", "redrive", "intents"]).await;
    assert!(back.code == Some(0) && back.stderr.contains("1 letter is back on its queue"), "{}", back.stderr);
    world.settled().await;
    world.finish().await;
}

/// SQS fails in the middle: once the first queue is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_back_is_told_beside_what_failed_after_it() {
    let world = World::start().await;
    let counter = Counter::start(&world.aws.endpoint, world.http.clone()).await.expect("a free port");
    let admin = world.admin().await.with("AWS_ENDPOINT_URL", &counter.endpoint);
    parks(&world, Queue::Incidents, r#"{"type":"create","title":"went back","dedup_key":"back-1"}"#, None, &[]).await;
    parks(&world, Queue::Intents, &job("T0LATER"), Some("one"), &[]).await;
    let mut sent = counter.hold("went back");
    let fails = async {
        sent.came().await;
        counter.fail("ReceiveMessage", 400, 99);
        sent.let_go();
    };
    let (ran, ()) = tokio::join!(admin.runs(&["dead-letters", "redrive", "--all", "--json"]), fails);
    assert_eq!((ran.code, fates(&ran.stdout)), (Some(1), vec!["put_back".to_owned(), "unseen".to_owned()]), "{}", ran.stderr);
    for told in ["intents: the dead-letter queue: ", "1 of 2 letters back, the rest stays"] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    world.card("#incidents", "went back").await;
    let admin = world.admin().await;
    assert_eq!(fates(&admin.runs(&["dead-letters", "redrive", "--all", "--json"]).await.stdout), ["put_back"]);
    world.settled().await;
    world.finish().await;
}

/// The clock of this machine may be behind that of AWS.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_was_parked_later_than_this_machine_says_it_is_goes_back() {
    let world = World::start().await;
    let admin = world.admin().await;
    let later = (Timestamp::now() + SignedDuration::from_hours(1)).as_millisecond().to_string();
    parks(&world, Queue::Intents, &job("T0LATER"), Some("one"), &[("ParkedAt", &later), ("SentAt", &later)]).await;
    let back = admin.runs(&["dead-letters", "redrive", "intents", "--json"]).await;
    assert_eq!((back.code, fates(&back.stdout)), (Some(0), vec!["put_back".to_owned()]), "{}", back.stderr);
    world.settled().await;
    world.finish().await;
}

/// Whoever may send a message may write what steers a terminal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_letter_says_does_nothing_to_the_terminal_and_its_attributes_are_shown_without_their_secrets() {
    let world = World::start().await;
    // As on a terminal, where nothing but Tocsin itself takes out what steers it.
    let admin = world.admin().await.with("CLICOLOR_FORCE", "1");
    let body = json!({ "type": "create", "title": "t", "dedup_key": "key\u{1b}]0;owned\u{7}\u{9b}2J" }).to_string();
    let beside = json!({ "source": "token=hunter2 \u{1b}[2J" }).to_string();
    let attributes = [("Reason", "why\u{9b}2J"), ("Attributes", beside.as_str())];
    parks(&world, Queue::Incidents, &body, None, &attributes).await;
    let letter = listed(&world, &admin, "incidents", 1).await.remove(0);
    let id = letter["id"].as_str().expect("an id");
    let shown = admin.runs(&["dead-letters", "show", id, "--json"]).await.json();
    assert_eq!(shown[0]["attributes"], json!({ "source": "token=[masked] \u{1b}[2J" }));
    for arguments in [
        &["dead-letters", "list"][..],
        &["dead-letters", "show", id],
        &["dead-letters", "redrive", "incidents", "--dry-run"],
        &["dead-letters", "delete", "incidents", id, "--yes"],
    ] {
        let ran = admin.runs(arguments).await;
        let said = ran.stdout + &ran.stderr;
        assert!(ran.code == Some(0) && said.contains("owned"), "{said}");
        assert!(!said.contains(['\u{7}', '\u{9b}']) && !said.contains("\u{1b}]") && !said.contains("\u{1b}[2J"), "{said:?}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_shows_a_letter_may_have_read_enough() {
    let world = World::start().await;
    let admin = world.admin().await;
    parks(&world, Queue::Intents, &job("T0READ"), Some("one"), &[]).await;
    let letter = listed(&world, &admin, "intents", 1).await.remove(0);
    let mut command = tocsin(&world.aws.endpoint).await;
    command.args(["dead-letters", "show", letter["id"].as_str().expect("an id")]).env("TOCSIN_STACK", &admin.stack);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let child = command.stdout(writer).stderr(std::process::Stdio::piped()).spawn().expect("the program starts");
    // The command holds an end of the pipe itself.
    drop(command);
    let ended = child.wait_with_output().await.expect("it ends");
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
    world.takes_dead_letter(Queue::Intents).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_is_listed_with_its_reason_and_shown_without_its_secrets() {
    let world = World::start().await;
    world.expects_error("parked");
    let admin = world.admin().await;
    world.drops_text(r#"{"type":"create","title":7,"dedup_key":"disk-7","db_password":"hunter2"}"#).await;
    let letter = listed(&world, &admin, "incidents", 1).await.remove(0);
    let id = letter["id"].as_str().expect("an id");
    let all = admin.runs(&["dead-letters", "list"]).await;
    let lines: Vec<&str> = all.stdout.lines().collect();
    let counts: Vec<(&str, &str)> =
        lines[..5].iter().filter_map(|line| line.split_once(' ')).map(|(name, count)| (name, count.trim())).collect();
    assert_eq!(counts, [("incidents", "1"), ("intents", "0"), ("posts", "0"), ("calls", "0"), ("timeline", "0")]);
    assert!(all.stdout.contains(&id[..8]) && all.stdout.contains("`title` must be text"), "{}", all.stdout);
    assert_eq!(admin.runs(&["dead-letters", "list", "--reason", "not_in_channel", "--json"]).await.json()[0]["letters"], json!([]));

    let shown = admin.runs(&["dead-letters", "show", &id[..3]]).await;
    assert!(shown.stdout.contains(r#""db_password": "[masked]""#) && !shown.stdout.contains("hunter2"), "{}", shown.stdout);
    assert!(shown.stderr.contains("--raw shows the text as it came"), "{}", shown.stderr);
    assert!(admin.runs(&["dead-letters", "show", id, "--raw"]).await.stdout.contains("hunter2"));
    let none = admin.runs(&["dead-letters", "show", "nothing-of-that-id"]).await;
    assert!(none.code == Some(1) && none.stderr.contains("there is no dead letter nothing-of-that-id"), "{}", none.stderr);
    world.takes_dead_letter(Queue::Incidents).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_are_put_back_once_what_stopped_them_is_mended_and_each_fate_is_told() {
    let world = World::start().await;
    world.expects_error("parked");
    let admin = world.admin().await;
    let intake = world.dispatcher().mapping("intake");
    intake.rest().await;
    world.dispatcher().counter("intake").refuse(&["stuck", "intents.fifo"]);
    world.drops(&json!({ "type": "create", "title": "stuck once", "dedup_key": "stuck-1" })).await;
    world.receives_in_vain(Queue::Incidents, 5).await;
    intake.resume();
    listed(&world, &admin, "incidents", 1).await;
    world.drops_text("{ nobody reads this").await;
    listed(&world, &admin, "incidents", 2).await;
    world.dispatcher().counter("intake").forgive();

    let unsaid = admin.runs(&["dead-letters", "redrive"]).await;
    assert!(unsaid.code == Some(1) && unsaid.stderr.contains("say which letters"), "{}", unsaid.stderr);
    let planned = admin.runs(&["dead-letters", "redrive", "--all", "--dry-run"]).await;
    assert!(planned.stdout.contains("would go back") && planned.stdout.contains("would stay"), "{}", planned.stdout);
    assert!(planned.stderr.contains("2 letters are meant; nothing is done"), "{}", planned.stderr);
    let nobody = admin.runs(&["dead-letters", "redrive", "--reason", "not_in_channel"]).await;
    assert_eq!((nobody.code, nobody.stdout.as_str()), (Some(0), ""), "nothing was meant, and nothing is hidden");
    listed(&world, &admin, "incidents", 2).await;

    let back = admin.runs(&["dead-letters", "redrive", "incidents"]).await;
    assert_eq!(back.code, Some(1), "one of them stays");
    assert!(back.stdout.contains("stuck-1) is back") || back.stdout.contains("(stuck-1): is back"), "{}", back.stdout);
    assert!(back.stdout.contains("stays, since it cannot be read; --unreadable puts it back all the same"), "{}", back.stdout);
    assert!(back.stderr.contains("1 of 2 letters back, the rest stays"), "{}", back.stderr);
    world.card("#incidents", "stuck once").await;
    let forced = admin.runs(&["dead-letters", "redrive", "--text", "nobody reads", "--unreadable", "--json"]).await;
    assert_eq!(forced.json()[0]["fate"], json!("put_back"));
    // It comes back, since nobody has learnt to read it.
    world.takes_dead_letter(Queue::Incidents).await;
    world.finish().await;
}

/// What nobody can read cannot be put back: the doctor says so, and once it is deleted there is nothing left to say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_nobody_can_read_is_deleted_as_the_doctor_says_and_no_other() {
    let world = World::start().await;
    world.expects_error("parked");
    let admin = world.admin().await;
    world.drops_text("{ nobody reads this").await;
    let unreadable = listed(&world, &admin, "incidents", 1).await.remove(0);
    let id = unreadable["id"].as_str().expect("an id");
    let doctor = admin.runs(&["doctor"]).await;
    assert!(doctor.stdout.contains(&format!("tocsin dead-letters delete incidents {}", &id[..8])), "{}", doctor.stdout);
    world.drops_text("nor this").await;
    listed(&world, &admin, "incidents", 2).await;

    let missing = admin.runs(&["dead-letters", "delete", "incidents", "0000000000", "--yes"]).await;
    assert!(missing.code == Some(1) && missing.stderr.contains("there is no letter 0000000000 of incidents"), "{}", missing.stderr);
    let unasked = admin.runs(&["dead-letters", "delete", "incidents", &id[..8]]).await;
    assert!(unasked.code == Some(1) && unasked.stderr.contains("say --yes"), "{}", unasked.stderr);
    let deleted = admin.runs(&["dead-letters", "delete", "incidents", &id[..8], "--yes", "--json"]).await;
    assert_eq!((deleted.code, &deleted.json()[0]["id"]), (Some(0), &unreadable["id"]), "{}", deleted.stderr);
    let left = listed(&world, &admin, "incidents", 1).await;
    assert_ne!(left[0]["id"], unreadable["id"]);
    world.takes_dead_letter(Queue::Incidents).await;
    world.finish().await;
}

/// After a rollback, what the newer version wrote waits for it: nobody is told to delete it, and nobody can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_of_a_newer_version_is_kept_for_it() {
    let world = World::start().await;
    let admin = world.admin().await;
    let parked = world.aws.sqs.send_message().queue_url(world.dead_letters_url(Queue::Intents)).message_group_id("T0TOCSIN");
    let parked = parked.message_deduplication_id("newer").message_body(r#"{"version":1000000,"message":{"whatever":1}}"#);
    parked.send().await.expect("SQS");
    let letter = listed(&world, &admin, "intents", 1).await.remove(0);
    let id = letter["id"].as_str().expect("an id");

    let doctor = admin.runs(&["doctor"]).await;
    assert!(
        doctor.stdout.contains("newer version of Tocsin") && doctor.stdout.contains("dead-letters redrive intents"),
        "{}",
        doctor.stdout
    );
    assert!(!doctor.stdout.contains("dead-letters delete"), "{}", doctor.stdout);
    let kept = admin.runs(&["dead-letters", "delete", "intents", id, "--yes"]).await;
    assert!(kept.code == Some(1) && kept.stderr.contains("is of a newer version of Tocsin, which can read it"), "{}", kept.stderr);
    let stays = admin.runs(&["dead-letters", "redrive", "intents", "--yes"]).await;
    assert!(stays.code == Some(1) && stays.stdout.contains("cannot be read"), "{} {}", stays.stdout, stays.stderr);
    world.takes_dead_letter(Queue::Intents).await;
    world.finish().await;
}
