//! A deployment while a thousand jobs are on their way, and its rollback: the functions of an earlier revision have written what stands on the queues, one function after the other is
//! replaced while they work on it, and nothing is lost or there twice. Then the same the other way round.
//!
//! Scaled: Slack's rates are off; twenty channels. Both revisions are built from this repository, `--before` names the earlier one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::ministack::Queue;
use tests::world::{Setup, World};
use tests::{binaries, paths};

use crate::Options;
use crate::common::{Report, channels, drop_all, finish, quiet, settle};
use crate::orders::{End, check, story};

const CHANNELS: usize = 20;

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::default();
    let Some(revision) = options.before.clone() else {
        report.row("not tried: --before REVISION names what was deployed before", "");
        return report;
    };
    println!("   building the functions of {revision}");
    let programs = tokio::task::spawn_blocking(move || (build(&revision), binaries::folder())).await;
    let (before, after) = programs.unwrap_or_else(|error| panic!("{error}"));
    let before = before.unwrap_or_else(|error| panic!("{error:#}"));
    let setup = Setup {
        instances: 4,
        updates_per_minute: 6_000,
        patience: Duration::from_mins(30),
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 60)).collect(),
        counted: false,
        programs: Some(before.clone()),
        ..Setup::default()
    };
    let world = World::with(setup).await;
    channels(&world, CHANNELS, "[storm]\nabove = 0").await;
    world.slack.tell("rates", &json!({ "off": true })).await;
    let jobs = options.scaled(1_000);
    let mut ends = Vec::new();
    let mut random = fastrand::Rng::with_seed(options.seed);
    for (what, programs) in [("upgrade", &after), ("rollback", &before)] {
        let move_to = Move { world: &world, what, programs, jobs, first: ends.len() };
        ends.extend(move_to.run(&mut random, &mut report).await);
    }
    check(&world, &mut report, &ends).await;
    for queue in Queue::ALL {
        let letters =
            world.aws.depth(world.dead_letters_url(queue)).await.map_or_else(|error| error.to_string(), |depth| depth.to_string());
        report.must(format!("dead letters of {}", queue.name()), letters, 0);
    }
    finish(world, "upgrade").await;
    report
}

/// From one revision to another, with work on its way.
struct Move<'a> {
    world: &'a World,
    what: &'a str,
    programs: &'a Path,
    jobs: usize,
    /// The number of its first incident.
    first: usize,
}

impl Move<'_> {
    async fn run(&self, random: &mut fastrand::Rng, report: &mut Report) -> Vec<End> {
        let (world, what) = (self.world, self.what);
        let start = Timestamp::now() - SignedDuration::from_hours(2);
        let (stories, ends): (Vec<_>, Vec<_>) = (self.first..self.first + self.jobs).map(|number| story(number, CHANNELS, start)).unzip();
        let (begun, later): (Vec<_>, Vec<_>) = stories.iter().filter_map(|story| story.split_first()).unzip();
        // First everything that begins: cards are due, and nobody posts them.
        world.dispatcher().mapping("poster").rest().await;
        drop_all(world, &begun.into_iter().cloned().collect::<Vec<_>>()).await;
        quiet(world).await;
        let due = world.unposted().await.len();
        // Then everything else that happens: intents, and nobody applies them.
        world.dispatcher().mapping("worker").rest().await;
        let later: Vec<Value> = later.into_iter().flatten().cloned().collect();
        drop_all(world, &later).await;
        let depth = async |queue| world.aws.depth(world.queue_url(queue)).await.map_err(|error| error.to_string());
        let sent = async || {
            let (left, queued) = (depth(Queue::Incidents).await?, depth(Queue::Intents).await?);
            if left == 0 && queued as usize == later.len() {
                Ok(queued)
            } else {
                Err(format!("{left} to take in, {queued} of {} queued", later.len()))
            }
        };
        let queued = world.until("all intents are queued", sent).await;
        report.row(format!("{what}: posts due, cards and replies"), due);
        report.row(format!("{what}: intents on the queue"), queued);
        // The old ones begin with it, and one after the other becomes a new one.
        world.dispatcher().mapping("worker").resume();
        world.dispatcher().mapping("poster").resume();
        let mut order = binaries::FUNCTIONS;
        random.shuffle(&mut order);
        for (number, name) in order.into_iter().enumerate() {
            let most = later.len() - later.len() * number / order.len();
            let worked = async || match depth(Queue::Intents).await? {
                left if (left as usize) < most => Ok(left),
                left => Err(format!("{left} are left, not below {most}")),
            };
            let left = world.until("the others have worked off some", worked).await;
            world.dispatcher().function(name).becomes(self.programs.join(name));
            if matches!(name, "worker" | "poster") {
                report.row(format!("{what}: intents left when {name} was replaced"), left);
            }
        }
        settle(world).await;
        ends
    }
}

/// Builds the functions as they were at a revision, in a folder of their own; what did not exist then is there as it is now. The folder.
fn build(revision: &str) -> Result<PathBuf> {
    let now = binaries::folder();
    let target = paths::profile()?.parent().context("a target folder")?.join("before");
    let (checkout, programs) = (target.join("checkout"), target.join("programs"));
    std::fs::create_dir_all(&programs)?;
    if !checkout.is_dir() {
        git(paths::repository(), &["worktree", "add", "--force", "--detach", &checkout.to_string_lossy(), revision])?;
    }
    git(&checkout, &["checkout", "--quiet", "--detach", revision])?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&checkout).args(["build", "--quiet", "--locked", "--target-dir"]).arg(&target);
    let known = |name: &str| checkout.join("functions").join(name).is_dir();
    for name in binaries::FUNCTIONS.into_iter().filter(|name| known(name)) {
        command.args(["-p", name]);
    }
    ensure!(command.status()?.success(), "the functions of {revision} do not build");
    for name in binaries::FUNCTIONS {
        let folder = if known(name) { target.join("debug") } else { now.clone() };
        std::fs::copy(folder.join(name), programs.join(name)).with_context(|| name.to_owned())?;
    }
    Ok(programs)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new("git").current_dir(folder).args(arguments).status().context("git")?;
    ensure!(status.success(), "git {} failed", arguments.join(" "));
    Ok(())
}
