//! Settings that are kept where code is kept: checked, compared, put in force.

use serde_json::json;
use tests::cli::{run, tocsin};
use tests::dispatcher::counter::Counter;
use tests::paths::scratch;
use tests::world::{WORKSPACE, World};

use super::NOWHERE;

const QUIET: &str = "# ours, see the runbook\n[notify]\nacknowledged = false   # too loud\n";

/// A file for the command line.
fn file(name: &str, text: &str) -> String {
    let path = scratch("config").expect("a folder").join(name);
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_is_told_with_its_place_and_no_aws_is_needed() {
    let path = file("mistakes.toml", "thread = true\n[notify]\nacknowleged = true\nleast = \"P9\"\n");
    let check = async |path: &str, more: &[&str]| {
        let mut command = tocsin(NOWHERE).await;
        command.args(["config", "check", path]).args(more);
        run(command, "").await
    };
    let wrong = check(&path, &[]).await;
    assert_eq!(wrong.code, Some(1));
    let told = format!("{path}:3:1: `notify.acknowleged`: there is no such setting. Did you mean `acknowledged`? Allowed here: ");
    assert!(wrong.stdout.starts_with(&told), "{}", wrong.stdout);
    assert!(wrong.stdout.contains(&format!("{path}:4:10: `notify.least`: `P9` is no severity")), "{}", wrong.stdout);
    assert!(wrong.stdout.contains("    4 | least = \"P9\"\n      |          ^"), "{}", wrong.stdout);
    assert_eq!(wrong.stderr, format!("tocsin: {path} has 2 mistakes"));
    let found: serde_json::Value = serde_json::from_str(&check(&path, &["--json"]).await.stdout).expect("JSON");
    assert_eq!((&found[0]["line"], &found[1]["column"], &found[1]["key"]), (&json!(3), &json!(10), &json!("notify.least")));
    let well = check(&file("well.toml", QUIET), &["--json"]).await;
    assert_eq!(well.json(), json!([]));
}

/// Before the first incident nobody but Slack knows which workspace the deployment is for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_is_compared_put_in_force_and_printed_as_it_was_written() {
    let world = World::start().await;
    let admin = world.admin().await;
    let none = admin.runs(&["config", "show"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
    assert!(none.stderr.contains(&format!("{WORKSPACE} has no settings of its own: the defaults count")), "{}", none.stderr);

    let path = file("quiet.toml", QUIET);
    let different = admin.runs(&["config", "diff", &path]).await;
    assert_eq!(different.code, Some(0), "a difference is no failure");
    assert!(different.stdout.contains("\n+[notify]\n+acknowledged = false   # too loud"), "{}", different.stdout);
    assert_eq!(admin.runs(&["config", "diff", &path, "--exit-code"]).await.code, Some(3), "unless one asks for that");
    let applied = admin.runs(&["config", "apply", &path, "--json"]).await;
    assert_eq!(applied.json(), json!({ "workspace": WORKSPACE, "changed": true }));
    assert_eq!(world.document().await, QUIET);
    assert_eq!(admin.runs(&["config", "show"]).await.stdout, QUIET.trim_end());
    let same = admin.runs(&["config", "diff", &path, "--exit-code"]).await;
    assert_eq!((same.code, same.stdout.as_str()), (Some(0), ""));
    assert_eq!(admin.runs(&["config", "apply", &path, "--json"]).await.json()["changed"], json!(false));

    // Written otherwise, it means the same.
    let respelt = file("respelt.toml", "notify = { acknowledged = false }\n");
    let respelt = admin.runs(&["config", "diff", &respelt]).await;
    assert!(respelt.stderr.contains("only how they are written is different"), "{}", respelt.stderr);
    assert!(
        respelt.stdout.contains("-acknowledged = false   # too loud\n") && respelt.stdout.contains("\n+notify = {"),
        "{}",
        respelt.stdout
    );

    // It is in force: nobody is told under the card.
    let card = world.alarm_fires("quiet").await;
    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("Acknowledged").await;
    world.settled().await;
    assert_eq!(card.thread_of(1).await.len(), 1, "that it began, and nothing more");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_with_a_mistake_is_never_put_in_force() {
    let world = World::start().await;
    world.configures(QUIET).await;
    let admin = world.admin().await;
    let path = file("wrong.toml", "[notify]\nleast = \"P9\"\n");
    for command in ["apply", "diff"] {
        let wrong = admin.runs(&["config", command, &path]).await;
        assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(1), ""));
        assert!(wrong.stderr.contains(&format!("{path}:2:10: `notify.least`")), "{}", wrong.stderr);
        assert!(wrong.stderr.contains("has 1 mistake: nothing is changed"), "{}", wrong.stderr);
    }
    assert_eq!(world.document().await, QUIET);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_admin_changes_at_home_in_the_same_moment_is_told_and_not_overwritten() {
    let world = World::start().await;
    world.configures(QUIET).await;
    let counter = Counter::start(&world.aws.endpoint, world.http.clone()).await.expect("a free port");
    let admin = world.admin().await.with("AWS_ENDPOINT_URL", &counter.endpoint);
    let mut write = counter.hold("SET #document");
    let path = file("mine.toml", "thread = false\n");
    let apply = ["config", "apply", &path];
    let ((), applied) = tokio::join!(
        async {
            write.came().await;
            world.configures("[notify]\nnoted = false\n").await;
            write.let_go();
        },
        admin.runs(&apply)
    );
    assert_eq!(applied.code, Some(1));
    assert!(applied.stderr.contains("somebody else has just changed the settings"), "{}", applied.stderr);
    assert_eq!(world.document().await, "[notify]\nnoted = false\n");
    world.finish().await;
}
