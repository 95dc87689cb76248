//! What the parts have in common: channels, loads, counting what Slack took, and the table.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::ids::{Channel, IntentId, Workspace};
use shared::queue::{Wake, seal};
pub(crate) use tests::channels::{channel, channels, channels_of};
use tests::inputs::own;
use tests::ministack::Queue;
use tests::world::World;

/// What a part came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<(String, String)>,
    problems: Vec<String>,
}

impl Report {
    /// A line of the table.
    pub(crate) fn row(&mut self, name: impl Display, figure: impl Display) {
        self.rows.push((name.to_string(), figure.to_string()));
    }

    /// A line of the table that has to be `wanted`.
    pub(crate) fn must(&mut self, name: impl Display, figure: impl Display, wanted: impl Display) {
        let (figure, wanted) = (figure.to_string(), wanted.to_string());
        if figure != wanted {
            self.problems.push(format!("{name}: {figure}, not {wanted}"));
        }
        self.rows.push((name.to_string(), figure));
    }

    /// Something that must not be.
    pub(crate) fn problem(&mut self, what: impl Display) {
        self.problems.push(what.to_string());
    }

    /// Whether everything is as it has to be.
    pub(crate) fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// The part's table.
    pub(crate) fn print(&self, part: &str, took: Duration) {
        println!("{} {part}  ({} s)", if self.is_good() { "✓" } else { "✗" }, took.as_secs());
        for (name, figure) in &self.rows {
            println!("    {name:<58} {figure:>12}");
        }
        for problem in self.problems.iter().take(20) {
            println!("    NOT GOOD {problem}");
        }
        if self.problems.len() > 20 {
            println!("    and {} more", self.problems.len() - 20);
        }
    }
}

/// The message that creates an incident in the channel of this number.
pub(crate) fn create(key: &str, title: &str, channel: usize, at: Timestamp) -> Value {
    own("create", key, at, &json!({ "title": title, "service": format!("service-{channel}") }))
}

/// What Slack took of new messages: when it took each, by what each post is known as.
pub(crate) async fn taken(world: &World) -> BTreeMap<String, Vec<i64>> {
    let mut taken: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for call in world.slack.calls("chat.postMessage&fields=at,applied,arguments").await {
        let post = call.pointer("/arguments/metadata/event_payload/post").and_then(Value::as_str);
        if let (Some(post), Some(true)) = (post, call.get("applied").and_then(Value::as_bool)) {
            // The same place in another channel is another post.
            let channel = call.pointer("/arguments/channel").and_then(Value::as_str).unwrap_or_default();
            let at = call.get("at").and_then(Value::as_i64).unwrap_or_default();
            taken.entry(format!("{channel} {post}")).or_default().push(at);
        }
    }
    taken
}

/// How many messages are there more than once, and how many too many.
pub(crate) fn duplicates(taken: &BTreeMap<String, Vec<i64>>) -> usize {
    taken.values().map(|times| times.len() - 1).sum()
}

/// Drops messages onto the incidents queue, ten at a time.
pub(crate) async fn drop_all(world: &World, messages: &[Value]) {
    for ten in messages.chunks(10) {
        world.drops_several(ten).await;
    }
}

/// The same for texts of any kind.
pub(crate) async fn drop_all_texts(world: &World, texts: &[String]) {
    for ten in texts.chunks(10) {
        world.drops_several_texts(ten).await;
    }
}

/// Drops messages while no poster is at work, so that all of them are due at once; when the posters began. The last of them, one for each of the `channels`, wake them; the wakes
/// of the others are gone, since the local SQS takes a second for a receive among thousands of locked messages.
pub(crate) async fn drop_at_once(world: &World, messages: &[Value], channels: usize) -> Instant {
    let (most, last) = messages.split_at(messages.len().saturating_sub(channels));
    let poster = world.dispatcher().mapping("poster");
    poster.pause();
    drop_all(world, most).await;
    quiet(world).await;
    world.aws.purge(world.queue_url(Queue::Posts)).await.unwrap_or_else(|error| panic!("SQS: {error:#}"));
    let began = Instant::now();
    poster.resume();
    drop_all(world, last).await;
    began
}

/// Puts one wake for each of these channels in the place of all that wait, once everything else is done.
pub(crate) async fn wake_once(world: &World, places: impl Iterator<Item = (&'static str, Range<usize>)>) {
    quiet(world).await;
    world.aws.purge(world.queue_url(Queue::Posts)).await.unwrap_or_else(|error| panic!("SQS: {error:#}"));
    for (workspace, number) in places.flat_map(|(workspace, numbers)| numbers.map(move |number| (workspace, number))) {
        let channel = Channel::new(self::channel(number));
        let because = IntentId::of("chaos", &[workspace, channel.as_str()]);
        let wake = Wake { workspace: Workspace::new(workspace), channel, because, unpark: None };
        world.queues_again(Queue::Posts, &seal(&wake).unwrap_or_default()).await;
    }
}

/// Until nothing waits to be taken in or applied.
pub(crate) async fn quiet(world: &World) {
    let depth = async |queue| world.aws.depth(world.queue_url(queue)).await.unwrap_or(1);
    world
        .until("all are due", async || {
            let left = depth(Queue::Incidents).await + depth(Queue::Intents).await;
            if left == 0 { Ok(()) } else { Err(format!("{left} are not")) }
        })
        .await;
}

/// How often the functions logged this outcome.
pub(crate) fn outcomes(world: &World, outcome: &str) -> usize {
    let wanted = format!("\"outcome\":\"{outcome}\"");
    world.logs.lines().iter().filter(|line| line.text.contains(&wanted)).count()
}

/// Ends a world, and keeps what its functions said, for whoever wants to know why: `.local/log/chaos-{part}.log`.
pub(crate) async fn finish(world: World, part: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.local/log");
    let lines: Vec<String> = world.logs.lines().iter().map(|line| format!("{} {}\n", line.function, line.text)).collect();
    if let Err(error) =
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join(format!("chaos-{part}.log")), lines.concat()))
    {
        eprintln!("   the logs could not be kept: {error}");
    }
    world.finish_unsettled().await;
}

/// Waits until nothing moves any more, and tells on the way what is left.
pub(crate) async fn settle(world: &World) {
    let told = async {
        loop {
            tokio::time::sleep(Duration::from_secs(20)).await;
            println!("   {}", world.on_its_way().await);
        }
    };
    tokio::select! {
        () = world.settled() => {}
        () = told => {}
    }
}
