//! `tocsin dead-letters`: what nobody could handle, on any of the five queues.

mod delete;
mod list;
mod redrive;
mod show;

use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::queue::dead_letters::{Contents, DeadLetterQueue, Filter, Hidden, Letter, Listing};

use crate::deployment::{Deployment, Stack};
use crate::output::{FAINT, Output, note, plain, several};

/// List what nobody could handle, show it, put it back, and delete it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Arguments),
    Show(show::Arguments),
    Redrive(redrive::Arguments),
    Delete(delete::Arguments),
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { stack, command } = arguments;
    let deployment = Deployment::read(&stack).await?;
    match command {
        Command::List(arguments) => list::run(&deployment, &arguments, output).await,
        Command::Show(arguments) => show::run(&deployment, &arguments, output).await,
        Command::Redrive(arguments) => redrive::run(&deployment, &arguments, output).await,
        Command::Delete(arguments) => delete::run(&deployment, &arguments, output).await,
    }
}

/// A queue that has dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Queue {
    /// What services dropped, and intake could not read.
    Incidents,
    /// What somebody or something wanted, and worker could not do.
    Intents,
    /// What poster could not show.
    Posts,
    /// What an internal API or a subscriber did not take.
    Calls,
    /// What could not be told outside.
    Timeline,
}

impl Queue {
    fn name(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Intents => "intents",
            Self::Posts => "posts",
            Self::Calls => "calls",
            Self::Timeline => "timeline",
        }
    }

    /// Its name in the stack's outputs, and how its letters are read.
    fn known_as(self) -> (&'static str, Contents) {
        match self {
            Self::Incidents => ("Incidents", Contents::Incidents),
            Self::Intents => ("Intents", Contents::Intents),
            Self::Posts => ("Posts", Contents::Posts),
            Self::Calls => ("Calls", Contents::Calls),
            Self::Timeline => ("Timeline", Contents::Timeline),
        }
    }

    pub(crate) fn letters(self, deployment: &Deployment) -> Result<DeadLetterQueue> {
        let (name, contents) = self.known_as();
        let url = |what: &str| deployment.output(&format!("{name}{what}")).map(str::to_owned);
        Ok(DeadLetterQueue::new(deployment.sqs(), contents, url("DeadLettersUrl")?, url("QueueUrl")?))
    }
}

/// Those that are named; none named are all of them.
fn meant(named: &[Queue]) -> &[Queue] {
    if named.is_empty() { Queue::value_variants() } else { named }
}

/// What stands on each of these queues. They are looked at together, since each takes a second or two to be sure.
async fn standing(deployment: &Deployment, queues: &[Queue], filter: &Filter, output: Output) -> Result<Vec<(Queue, Listing)>> {
    let waiting = output.waiting("looking at the dead letters");
    let one = async |queue: Queue| {
        let listing = queue.letters(deployment)?.list(filter).await.with_context(|| queue.name())?;
        anyhow::Ok((queue, listing))
    };
    let found = try_join_all(queues.iter().map(|queue| one(*queue))).await;
    drop(waiting);
    found
}

/// Which letters.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which letters")]
struct Which {
    /// Whose reason contains this.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Whose text contains this.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Of this id: its own or the beginning of it, an intent's, an incident's, or what a source calls it.
    #[arg(long)]
    id: Option<String>,
    /// First sent at least so long ago: `15m`, `2h`, `7d`.
    #[arg(long, value_name = "TIME", value_parser = length)]
    older_than: Option<SignedDuration>,
    /// First sent at most so long ago.
    #[arg(long, value_name = "TIME", value_parser = length)]
    younger_than: Option<SignedDuration>,
}

fn length(text: &str) -> Result<SignedDuration, &'static str> {
    shared::domain::duration(text).ok_or("a length of time is like 90s, 15m, 2h or 7d")
}

impl Which {
    fn filter(&self) -> Filter {
        let Self { reason, text, id, older_than, younger_than } = self;
        Filter { reason: reason.clone(), text: text.clone(), id: id.clone(), older_than: *older_than, younger_than: *younger_than }
    }

    fn is_any(&self) -> bool {
        let Self { reason, text, id, older_than, younger_than } = self;
        reason.is_some() || text.is_some() || id.is_some() || older_than.is_some() || younger_than.is_some()
    }
}

/// What SQS moves there by itself has no reason.
pub(crate) const DIED: &str = "whatever handled it died or ran out of time, each time";

fn reason(letter: &Letter) -> String {
    plain(letter.reason.as_deref().unwrap_or(DIED))
}

/// What it is about, in a few words.
fn about(letter: &Letter) -> String {
    letter.said.as_ref().map_or_else(|_| "cannot be read".to_owned(), |said| plain(&said.about.join(", ")))
}

/// Where it stands, what people call it, and what it is about: the beginning of a line about it.
fn named(queue: Queue, letter: &Letter) -> String {
    let about = if letter.said.is_ok() { about(letter) } else { String::new() };
    let about = if about.is_empty() { about } else { format!(" {FAINT}({about}){FAINT:#}") };
    format!("{:<10} {}{about}: ", queue.name(), letter.short_id())
}

/// Says of each queue what stands there and SQS does not show.
fn tell_hidden(found: &[(Queue, Listing)]) {
    for (queue, listing) in found {
        tell(*queue, listing.hidden());
    }
}

fn tell(queue: Queue, hidden: Hidden) {
    let Hidden { count, is_behind } = hidden;
    let what = if is_behind {
        "SQS shows the first ten of a group, so those have to go first"
    } else {
        "somebody else may be looking at it, so run it again in a minute"
    };
    if count > 0 {
        let name = queue.name();
        note(format_args!("{} on {name}: {what}", several(count, "more letter stands", "more letters stand")));
    }
}

/// A letter, for programs.
#[derive(Debug, Serialize)]
struct Told {
    queue: Queue,
    id: String,
    message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    about: Vec<String>,
    intents: Vec<String>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    receives: u32,
    sent_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    parked_at: Option<Timestamp>,
}

impl Told {
    fn of(queue: Queue, letter: &Letter) -> Self {
        let (said, unreadable) = match &letter.said {
            Ok(said) => (said.clone(), None),
            Err(why) => (shared::queue::dead_letters::Said::default(), Some(why.clone())),
        };
        Self {
            queue,
            id: letter.id.clone(),
            message_id: letter.message_id.clone(),
            reason: letter.reason.clone(),
            about: said.about,
            intents: said.intents.iter().map(ToString::to_string).collect(),
            unreadable,
            function: letter.function.clone(),
            group: letter.group.clone(),
            receives: letter.receives,
            sent_at: letter.sent_at,
            parked_at: letter.parked_at,
        }
    }
}
