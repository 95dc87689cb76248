//! The page in a browser. Each journey is a script in simulator/page/tests that uses the page alone, as a person does, over a world of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tests::ministack::Queue;
use tests::world::World;
use tests::{paths, watchdog};
use tokio::process::Command;

/// How long one journey may take on a busy machine. Every wait in it has an end of its own, which tells more.
const LIMIT: Duration = Duration::from_mins(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_acknowledged_and_resolved() {
    journey("alarm").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_typed_and_a_form_is_checked() {
    journey("commands").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_to_click_reads_who_has_it() {
    journey("second-click").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_in_reach_on_a_phone() {
    journey("phone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_does_the_other_sees_at_once() {
    journey("live").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_emoji_and_home_do_what_buttons_do() {
    journey("surfaces").await;
}

/// Somebody is on call, is called, and has promised something.
const ON_DUTY: &str = r#"
    [[oncall]]
    name = "checkout"
    start = "2026-01-05T09:00"
    people = ["U0JANE", "U0OMAR"]

    [[escalation]]
    name = "urgent"
    match = { severity = "P1" }
    steps = [{ after = "30m", call = ["rotation:checkout"] }]

    [[endpoints]]
    name = "deploys"
    url = "https://deploys.example.com/tocsin"

    [[commands]]
    name = "/deploy"
    usage = "SERVICE [VERSION]"
    help = "deploys a service"
    call = "deploys"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_card_form_and_answer_is_whole_on_a_desk_and_on_a_phone() {
    let world = World::start().await;
    world.configures(ON_DUTY).await;
    journey_in(world, "gallery").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_is_tried_step_by_step() {
    journey("workflow").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cards_of_aws_and_others_are_whole_on_a_desk_and_on_a_phone() {
    journey("sources").await;
}

/// What cannot be read stands on the dead-letter queue with its reason, and nothing else does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_are_dropped_one_by_one_and_all_at_once() {
    let world = World::start().await;
    world.expects_error("job parked");
    plays(&world, "samples").await;
    let poison = std::fs::read_dir(paths::repository().join("events")).expect("events");
    let poison = poison.flatten().filter(|file| file.file_name().to_string_lossy().starts_with("poison-")).count();
    for _ in 0..poison {
        let letter = world.takes_dead_letter(Queue::Incidents).await;
        assert!(!letter.reason.is_empty(), "{letter:?}");
    }
    world.finish().await;
}

/// What a journey needs besides a world.
struct Stage {
    chrome: PathBuf,
    script: PathBuf,
    pictures: PathBuf,
}

impl Stage {
    /// Finds everything, or says in a line what is missing and how to get it.
    fn set(name: &str) -> Result<Self, String> {
        let chrome = std::env::var_os("CHROME").map(PathBuf::from);
        let chrome = chrome.filter(|chrome| !chrome.as_os_str().is_empty()).ok_or(
            "CHROME is not set: it has to name Chrome or Chromium. `make test` finds one; Debian: `apt-get install chromium`, CHROME=/usr/bin/chromium",
        )?;
        let node = std::process::Command::new("node").arg("--version").stdout(Stdio::null()).status();
        node.map_err(|error| format!("node does not start ({error}): install Node.js 20.19 or newer from https://nodejs.org"))?;
        let page = paths::repository().join("simulator/page");
        let there = |path: PathBuf, remedy: &str| {
            if path.exists() { Ok(path) } else { Err(format!("{} is missing: {remedy}", path.display())) }
        };
        there(chrome.clone(), "CHROME has to be the path of Chrome or Chromium")?;
        there(
            paths::page().join("index.html"),
            "the page is not built. `make test` builds it, or: cd simulator/page && npm ci && npm run build",
        )?;
        there(page.join("node_modules/playwright-core"), "`make test` installs it, or: cd simulator/page && npm ci")?;
        let script = there(page.join(format!("tests/{name}.mjs")), "is the checkout complete?")?;
        let profile = paths::profile().map_err(|error| format!("{error:#}"))?;
        let target = profile.parent().unwrap_or_else(|| Path::new(".")).to_owned();
        Ok(Self { chrome, script, pictures: target.join("page-tests") })
    }

    /// Runs the script; what it printed is the reason where it fails.
    async fn play(&self, base_url: &str) -> Result<(), String> {
        let child = Command::new("node")
            .arg(&self.script)
            .arg(base_url)
            .arg(&self.pictures)
            .env("CHROME", &self.chrome)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        // Chromium hangs on a pipe of node's and ends with it.
        let pid = child.id();
        pid.into_iter().for_each(watchdog::guard);
        let ended = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
        pid.into_iter().for_each(watchdog::release);
        let output = ended.map_err(|_| format!("it did not end within {} s", LIMIT.as_secs()))?.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }
}

async fn journey(name: &str) {
    journey_in(World::start().await, name).await;
}

async fn journey_in(world: World, name: &str) {
    plays(&world, name).await;
    world.finish().await;
}

async fn plays(world: &World, name: &str) {
    let stage = Stage::set(name).unwrap_or_else(|missing| panic!("{missing}"));
    if let Err(reason) = stage.play(&world.slack.base_url).await {
        panic!("the journey {name}: {reason}");
    }
}
