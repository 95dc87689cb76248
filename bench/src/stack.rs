//! The whole stack on this machine: the functions as they are deployed, the local AWS and the Slack simulator. How long an incident takes from the queue to its card, how many
//! messages get through in a second, and what an incident takes of AWS, by which its cost is known.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::binaries::FUNCTIONS;
use tests::channels::{channel, channels};
use tests::inputs::own;
use tests::world::{Setup, World};

use crate::cost::{self, Taken};
use crate::{binaries, of_many, report};

/// Incidents that are dropped one after the other, each when the card of the one before is there.
const ONE_BY_ONE: usize = 60;
/// Incidents that are dropped at once, and over how many channels, each of which Slack lets have one message a second.
const AT_ONCE: usize = 1_000;
const CHANNELS: usize = 50;
/// Incidents that live through everything, for what they cost.
const LIVES: usize = 25;

/// Measures, prints, and writes bench/STACK.md, and the tables of the pages that show it.
pub(crate) async fn run(dry: bool) -> Result<()> {
    let target = binaries::target()?;
    for name in FUNCTIONS {
        binaries::build(name, &target)?;
    }
    let programs = target.join("release");
    let (middle, most) = latency(&programs).await?;
    let throughput = throughput(&programs).await?;
    let (taken, tick) = lives(&programs).await?;
    let pace = report::table(
        ["what", "measured"],
        [
            ["an incident, from the queue to its card: median".to_owned(), format!("{middle} ms")],
            [format!("an incident, from the queue to its card: the slowest of {ONE_BY_ONE}"), format!("{most} ms")],
            [format!("messages posted in a second, over {CHANNELS} channels"), format!("{throughput:.0}")],
        ]
        .into_iter(),
    );
    let costs = cost::table(&taken, &tick)?;
    let text = format!(
        "# The whole stack\n\nWritten by `make bench` on {}. The functions as they are deployed, on this machine, with the local AWS, which is a program in Python that does one thing at a time and \
         takes most of the time, and with the Slack simulator. [README.md](README.md) says how it is measured.\n\n## Pace\n\n{pace}\n\
         Slack takes one message a second in each channel, so {CHANNELS} in a second is the most there can be.\n\n## Cost\n\n{costs}\n\
         ## What an incident takes\n\nOf {LIVES} incidents that were created, acknowledged and resolved by a button each, with their threads; for one of them.\n\n{}",
        Timestamp::now().strftime("%Y-%m-%d"),
        taken.table(),
    );
    println!("{text}");
    if !dry {
        report::write("bench/STACK.md", &text)?;
        report::show("docs/benchmarks.md", "pace", &pace)?;
        report::show("docs/deploy.md", "cost", &costs)?;
    }
    Ok(())
}

fn setup(programs: &Path) -> Setup {
    Setup { programs: Some(programs.to_owned()), patience: Duration::from_mins(5), instances: 8, ..Setup::default() }
}

/// From the moment at which the message is sent to SQS until Slack has the card, in milliseconds: the median and the most.
async fn latency(programs: &Path) -> Result<(i64, i64)> {
    eprintln!("bench: one incident after the other");
    let world = World::with(Setup { counted: false, ..setup(programs) }).await;
    // Each in a channel of its own: what is measured is the way, not the wait for the second that a channel has for each message.
    channels(&world, ONE_BY_ONE + 1, "").await;
    let mut took = Vec::new();
    for number in 0..=ONE_BY_ONE {
        let title = format!("one by one {number:02}");
        let message = own("create", &title, Timestamp::now(), &json!({ "title": title, "service": format!("service-{number}") }));
        let dropped = Timestamp::now();
        world.drops(&message).await;
        world.card(&channel(number), &title).await.thread_of(1).await;
        let calls = world.slack.calls("chat.postMessage&fields=at,arguments").await;
        let at = calls.iter().find(|call| is_card(call, &title)).and_then(|call| call.get("at")).and_then(Value::as_i64);
        // The first starts every function.
        if number > 0 {
            took.push(at.context("the call that posted the card")? - dropped.as_millisecond());
        }
    }
    world.finish_unsettled().await;
    took.sort_unstable();
    let middle = took.get(took.len() / 2).context("a median")?;
    Ok((*middle, *took.last().context("a slowest")?))
}

fn is_card(call: &Value, title: &str) -> bool {
    let arguments = call.get("arguments");
    let is_threaded = arguments.and_then(|arguments| arguments.get("thread_ts")).is_some();
    !is_threaded && arguments.is_some_and(|arguments| arguments.to_string().contains(title))
}

/// Messages in a second, from the first that Slack took to the last.
async fn throughput(programs: &Path) -> Result<f64> {
    eprintln!("bench: {AT_ONCE} incidents at once");
    let world = World::with(Setup { counted: false, posters: Some(CHANNELS), ..setup(programs) }).await;
    channels(&world, CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    // A workspace is let as many messages as its channels may have.
    world.slack.tell("rates", &json!({ "workspace_per_minute": 100_000, "methods": { "chat.postMessage": 100_000 } })).await;
    let now = Timestamp::now();
    let messages: Vec<Value> = (0..AT_ONCE)
        .map(|number| {
            let fields = json!({ "title": format!("at once {number:04}"), "service": format!("service-{}", number % CHANNELS) });
            own("create", &format!("at-once-{number}"), now, &fields)
        })
        .collect();
    for ten in messages.chunks(10) {
        world.drops_several(ten).await;
    }
    world.settled().await;
    let calls = world.slack.calls("chat.postMessage&fields=at,applied").await;
    let mut at: Vec<i64> = calls
        .iter()
        .filter(|call| call.get("applied") == Some(&json!(true)))
        .filter_map(|call| call.get("at").and_then(Value::as_i64))
        .collect();
    world.finish_unsettled().await;
    ensure!(at.len() == AT_ONCE, "{} of {AT_ONCE} messages were posted", at.len());
    at.sort_unstable();
    let (first, last) = (at.first().context("a first")?, at.last().context("a last")?);
    #[expect(clippy::cast_precision_loss, reason = "some thousand milliseconds")]
    let seconds = (last - first) as f64 / 1e3;
    Ok(of_many(AT_ONCE) / seconds)
}

/// What one incident takes of AWS that is created, acknowledged and resolved by a button each, and one tick of the clock.
async fn lives(programs: &Path) -> Result<(Taken, Taken)> {
    eprintln!("bench: what {LIVES} incidents take");
    let world = World::with(setup(programs)).await;
    // The clock ticks by the minute, whether there are incidents or not.
    world.configures("").await;
    world.ticks().await;
    let before = Taken::so_far(&world).await?.without_metrics();
    world.ticks().await;
    let tick = Taken::so_far(&world).await?.since(&before);
    // Starts what is started once, and reads what is read once.
    live(&world, "for a start").await;
    world.settled().await;
    let before = Taken::so_far(&world).await?.with_metrics(&tick);
    let began = Instant::now();
    for number in 0..LIVES {
        live(&world, &format!("life {number:02}")).await;
    }
    world.settled().await;
    eprintln!("bench: {} s", began.elapsed().as_secs());
    let taken = Taken::so_far(&world).await?.since(&before).for_each(LIVES);
    world.finish().await;
    ensure!(taken.invocations() > 0.0 && tick.invocations() > 0.0, "no invocations were counted");
    Ok((taken, tick))
}

async fn live(world: &World, title: &str) {
    let jane = world.user("jane");
    world.drops(&own("create", title, Timestamp::now(), &json!({ "title": title, "severity": "P2", "service": "checkout" }))).await;
    let card = world.card("#incidents", title).await;
    jane.clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged*").await;
    jane.clicks("Resolve", &card).await;
    jane.modal("resolve_incident").await;
    jane.submits(&[("note", "done")]).await;
    card.shows("*Resolved*").await;
}
