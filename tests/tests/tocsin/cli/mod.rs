//! The command line, over a stack that CloudFormation knows.

mod config;
mod dead_letters;
pub(crate) mod dev;
mod doctor;
mod incidents;
mod manifest;
mod secrets;
mod send;

use tests::cli::{run, tocsin};
use tests::world::{Setup, World};

/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shell_gets_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let mut command = tocsin(NOWHERE).await;
        command.args(["completions", shell]);
        let ran = run(command, "").await;
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stdout.contains("dead-letters") && ran.stdout.contains("redrive"), "{shell}: {}", ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_credentials_reads_where_they_come_from() {
    let mut command = tocsin(NOWHERE).await;
    command.args(["incidents", "list"]).env_remove("AWS_ACCESS_KEY_ID").env("HOME", "/nonexistent");
    let ran = run(command, "").await;
    assert!(ran.code == Some(1) && ran.stderr.contains("nothing gives credentials for AWS: AWS_PROFILE names"), "{}", ran.stderr);
}

/// The link would lead nowhere as long as the app's id and secret are not there, and whoever passes it on should know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_install_link_is_printed_and_whether_it_works_is_told() {
    let world = World::start().await;
    let admin = world.admin().await;
    let link = admin.runs(&["install-link"]).await;
    assert_eq!((link.code, link.stdout), (Some(0), format!("{}install", world.url("oauth"))));
    assert!(
        link.stderr.contains("nobody can install the app by this link yet") && link.stderr.contains("`tocsin secrets set --replace`"),
        "{}",
        link.stderr
    );
    world.finish().await;

    let world = World::with(Setup { by_link: true, ..Setup::default() }).await;
    let link = world.admin().await.runs(&["install-link", "--json"]).await;
    assert_eq!(link.json()["hindrance"], serde_json::Value::Null);
    assert!(link.stderr.contains("callback"), "{}", link.stderr);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stack_says_where_the_keys_are() {
    let world = World::start().await;
    let admin = world.admin().await;
    let made = admin.runs(&["keys", "create", "ci", "--any-workspace", "--json"]).await.json();
    world.keeps_secret(made["key"].as_str().expect("a key"));
    assert_eq!(admin.runs(&["keys", "list"]).await.stdout, "ci: write read test, any workspace");
    let nowhere = admin.runs(&["keys", "list", "--stack", "elsewhere"]).await;
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.stderr.contains("the stack elsewhere; --stack or TOCSIN_STACK names another"), "{}", nowhere.stderr);
    world.finish().await;
}
