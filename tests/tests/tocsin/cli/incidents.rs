//! What is open, and what happened to it, as an admin reads it.

use serde_json::{Value, json};
use tests::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_is_listed_the_worst_first_and_shown_with_all_that_happened() {
    let world = World::start().await;
    let admin = world.admin().await;
    let create = |title: &str, severity: &str, key: &str| json!({ "type": "create", "title": title, "severity": severity, "service": "db", "dedup_key": key, "description": "It will be full by noon." });
    world.drops(&create("Disk slow", "P4", "slow")).await;
    world.drops(&create("Disk full", "P1", "full")).await;
    world.drops(&create("Disk gone", "P2", "gone")).await;
    let (slow, full) = (world.card("#incidents", "Disk slow").await, world.card("#incidents", "Disk full").await);
    world.card("#incidents", "Disk gone").await;
    world.user("jane").clicks("Acknowledge", &full).await;
    full.shows("Acknowledged").await;
    world.drops(&json!({ "type": "resolve", "dedup_key": "gone" })).await;
    world.settled().await;

    let titles = |listed: &Value| listed.as_array().into_iter().flatten().map(|one| one["title"].clone()).collect::<Vec<_>>();
    let open = admin.runs(&["incidents", "list"]).await;
    let lines: Vec<&str> = open.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", open.stdout);
    for (line, parts) in
        [(lines[1], [&*full.incident, "P1", "acknowledged by", "Disk full"]), (lines[2], [&*slow.incident, "P4", "triggered", "Disk slow"])]
    {
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
    assert_eq!(titles(&admin.runs(&["incidents", "list", "--all", "--json"]).await.json()), ["Disk full", "Disk slow", "Disk gone"]);

    // As it was heard on the phone.
    let heard = full.incident.trim_start_matches("INC-").to_lowercase();
    let shown = admin.runs(&["incidents", "show", &heard[..4]]).await;
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    for part in [&*full.incident, "P1", "Disk full", "It will be full by noon.", "shows in", "Triggered by", "Acknowledged by @U"] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let shown = admin.runs(&["incidents", "show", &full.incident, "--json"]).await.json();
    assert_eq!((&shown["state"], &shown["timeline"][1]["type"]), (&json!("acknowledged"), &json!("acknowledged")));
    let several = admin.runs(&["incidents", "show", "INC-"]).await;
    assert_eq!(several.code, Some(1));
    let none = admin.runs(&["incidents", "show", "zzzzzzzzzz"]).await;
    assert!(none.code == Some(1) && none.stderr.contains("there is no incident INC-ZZZZZZZZZZ"), "{}", none.stderr);
    let strangers = admin.runs(&["incidents", "list", "--workspace", "T0OTHER"]).await;
    assert_eq!((strangers.code, strangers.stdout.as_str()), (Some(0), ""));
    assert!(strangers.stderr.contains("nothing is open in T0OTHER"), "{}", strangers.stderr);
    world.finish().await;
}
