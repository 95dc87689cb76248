//! Dead letters, as an admin looks after them.

use serde_json::{Value, json};
use tests::cli::Admin;
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
    assert_eq!((nobody.code, nobody.stdout.as_str()), (Some(0), ""));
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
