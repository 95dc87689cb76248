//! The command line, over a stack that CloudFormation knows.

mod doctor;
mod manifest;

use tests::world::World;

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
