//! Incidents from a shell: as files, and made on the spot.

use serde_json::json;
use tests::cli::{run, tocsin};
use tests::ministack::Queue;
use tests::paths::repository;
use tests::world::{WORKSPACE, World};

use super::NOWHERE;

fn sample(name: &str) -> String {
    repository().join("events").join(name).display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_are_sent_as_they_are_and_whoever_waits_reads_how_they_stand() {
    let world = World::start().await;
    let admin = world.admin().await;
    let (own, alarm) = (sample("own-create.json"), sample("cloudwatch-alarm-sns.json"));
    let sent = admin.runs(&["send", &own, &alarm, "--wait", "--timeout", "2m"]).await;
    assert_eq!(sent.code, Some(0), "{}", sent.stderr);
    let does = format!(
        "{own}: opens an incident P1 \"Card payments are declined\" of checkout, or counts up on the one that is open as shop/checkout/payments-declined"
    );
    assert!(sent.stdout.contains(&does), "{}", sent.stdout);
    assert!(sent.stderr.contains("2 messages are on the queue"), "{}", sent.stderr);
    let card = world.card("#incidents", "Card payments are declined").await;
    let stands = format!("{own}: {} created: P1, triggered, \"Card payments are declined\"", card.incident);
    assert!(sent.stdout.contains(&stands), "{}", sent.stdout);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_made_and_ended_on_the_command_line() {
    let world = World::start().await;
    let admin = world.admin().await;
    let made = ["send", "--title", "Disk full", "--severity", "P2", "--service", "db", "--dedup-key", "disk-7", "--workspace", WORKSPACE];
    let made = admin.runs(&[&made[..], &["--wait", "--timeout", "2m", "--json"]].concat()).await.json();
    let became = &made[0]["became"][0];
    assert_eq!((&became["outcome"], &became["incident"]["severity"]), (&json!("created"), &json!("P2")), "{made}");
    let card = world.card("#incidents", "Disk full").await;
    assert_eq!(became["incident"]["id"], json!(card.incident));
    let ended = admin.runs(&["send", "--resolve", "--dedup-key", "disk-7", "--note", "grew it", "--wait", "--timeout", "2m"]).await;
    assert!(ended.stdout.contains("resolves the incident disk-7"), "{}", ended.stdout);
    assert!(ended.stdout.contains(&format!("{} resolved: P2, resolved, \"Disk full\"", card.incident)), "{}", ended.stdout);

    // A workspace that is not served has no marker, and its wish stands on the dead letters.
    let nobody = ["send", "--title", "Disk full", "--workspace", "T0NOPE", "--wait", "--timeout", "2m"];
    world.expects_error("parked");
    let nobody = admin.runs(&nobody).await;
    assert_eq!(nobody.code, Some(1));
    let letter = world.takes_dead_letter(Queue::Intents).await;
    assert!(nobody.stdout.contains(&format!("refused: {}", letter.reason)) && !letter.reason.is_empty(), "{}", nobody.stdout);

    // What makes no sense to the domain is told to whoever waits; its letter says so as well.
    world.expects_error("parked");
    let refused = world
        .admin()
        .await
        .runs_with(&["send", "-", "--wait", "--timeout", "2m"], r#"{"type":"acknowledge","incident":"INC-000000"}"#)
        .await;
    assert_eq!(refused.code, Some(1));
    world.takes_dead_letter(Queue::Intents).await;
    assert!(refused.stdout.contains("refused: ") && refused.stderr.contains("1 wish was refused"), "{} {}", refused.stdout, refused.stderr);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_go_to_the_dead_letters_is_only_sent_by_force() {
    let world = World::start().await;
    world.expects_error("parked");
    let admin = world.admin().await;
    let poison = r#"{"type":"create","title":7}"#;
    let kept = admin.runs_with(&["send", "-"], poison).await;
    assert_eq!(kept.code, Some(1));
    assert!(kept.stdout.contains("goes to the dead letters: ") && kept.stdout.contains("`title` must be text"), "{}", kept.stdout);
    assert!(kept.stderr.contains("nothing is sent; --force sends it all the same"), "{}", kept.stderr);
    world.settled().await;
    assert_eq!(admin.runs_with(&["send", "-", "--force"], poison).await.code, Some(0));
    assert_eq!(world.takes_dead_letter(Queue::Incidents).await.body, poison);

    // Whoever waits reads where it stands.
    let waited = admin.runs_with(&["send", "-", "--force", "--wait", "--timeout", "2m"], poison).await;
    assert!(waited.code == Some(1) && waited.stderr.contains("1 message stands on the dead letters"), "{}", waited.stderr);
    let shows = waited.stdout.split('`').find_map(|part| part.strip_prefix("tocsin dead-letters show ")).expect("how it is shown").trim();
    assert!(admin.runs(&["dead-letters", "show", shows]).await.stdout.contains("`title` must be text"));
    world.takes_dead_letter(Queue::Incidents).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_message_would_come_to_is_said_without_aws() {
    let says = async |arguments: &[&str], stdin: &str| {
        let mut command = tocsin(NOWHERE).await;
        command.args(["send", "--dry-run"]).args(arguments);
        run(command, stdin).await
    };
    let fine = says(&["--title", "Disk full"], "").await;
    assert_eq!((fine.code, fine.stdout.as_str()), (Some(0), "opens an incident \"Disk full\""));
    assert_eq!(says(&["-"], "{").await.code, Some(1));
    let unknown = says(&["--title", "Disk full", "--severity", "P9"], "").await;
    assert!(unknown.code == Some(1) && unknown.stdout.contains("severity"), "{}", unknown.stdout);
    assert_eq!(says(&["--resolve"], "").await.code, Some(2), "which one?");
    let nothing = says(&[], "").await;
    assert!(nothing.stderr.contains("there is nothing to send"), "{}", nothing.stderr);
}
