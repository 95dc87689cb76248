//! `tocsin dead-letters redrive`

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use shared::queue::dead_letters::{Fate, Letter, Listing, Redriven};

use super::{Queue, Told, Which, meant, named, standing, tell, tell_hidden};
use crate::deployment::Deployment;
use crate::output::{BAD, GOOD, Output, WARN, ask, note, plain, several};

/// Put letters back onto the queues they came from.
///
/// It is safe to stop at any moment and to do again: what was done before is not done twice.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 all that was meant is back, or nothing was meant; 1 some of it is not, or more stands there than SQS shows; 2 the command was not understood."
)]
pub(crate) struct Arguments {
    /// Only of these queues.
    #[arg(value_name = "QUEUE")]
    queues: Vec<Queue>,
    /// Every letter of every queue: that has to be said.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    which: Which,
}

/// How they are put back.
#[derive(Debug, clap::Args)]
struct How {
    /// Also what cannot be read, since whoever reads it has been mended.
    #[arg(long)]
    unreadable: bool,
    /// Only show which letters are meant.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask. It is only asked at a terminal.
    #[arg(long, short)]
    yes: bool,
}

/// A letter and its fate, for programs.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    letter: Told,
    fate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub(crate) async fn run(deployment: &Deployment, arguments: &Arguments, output: Output) -> Result<()> {
    let Arguments { queues, which, all, how } = arguments;
    ensure!(
        *all || !queues.is_empty() || which.is_any(),
        "say which letters: a queue, such as `posts`, what they have in common, such as --reason, or --all"
    );
    let found = standing(deployment, meant(queues), &which.filter(), output).await?;
    let count: usize = found.iter().map(|(_, listing)| listing.letters.len()).sum();
    if how.dry_run {
        return plan(&found, how.unreadable, output);
    }
    if count == 0 {
        output.print(&[(); 0], || {})?;
        return nothing(&found);
    }
    ask(&question(&found, count), how.yes)?;
    let mut done = Vec::new();
    let mut is_whole = true;
    let waiting = output.waiting("putting back");
    for (queue, listing) in found.iter().filter(|(_, listing)| !listing.letters.is_empty() || listing.hidden().count > 0) {
        let letters = queue.letters(deployment)?;
        let say_one = |one: &Redriven| {
            done.push(Done::of(*queue, one));
            waiting.set_message(format!("putting back {} of {count}, {}", done.len(), queue.name()));
            if !output.json {
                waiting.suspend(|| say(*queue, &one.letter, &one.fate));
            }
        };
        let outcome = letters.redrive(listing, &which.filter(), how.unreadable, say_one).await;
        waiting.suspend(|| {
            if let Some(error) = &outcome.failed {
                note(format_args!("{}: {error}", queue.name()));
            }
            tell(*queue, outcome.hidden);
        });
        is_whole &= outcome.failed.is_none() && outcome.hidden.count == 0;
    }
    drop(waiting);
    output.print(&done, || {})?;
    conclude(&done, is_whole)
}

/// Where no letter is meant, as far as SQS shows them.
fn nothing(found: &[(Queue, Listing)]) -> Result<()> {
    tell_hidden(found);
    ensure!(found.iter().all(|(_, listing)| listing.hidden().count == 0), "of the letters that SQS shows none is meant by that");
    note("no letter is meant by that; `tocsin dead-letters list` shows all there are");
    Ok(())
}

fn question(found: &[(Queue, Listing)], count: usize) -> String {
    let of = found.iter().filter(|(_, listing)| !listing.letters.is_empty());
    let queues: Vec<_> = of.map(|(queue, listing)| format!("{} {}", listing.letters.len(), queue.name())).collect();
    let hidden: usize = found.iter().map(|(_, listing)| listing.hidden().count).sum();
    let hidden = if hidden == 0 { String::new() } else { format!(", and what is meant of {hidden} more that SQS does not show yet") };
    format!("Put {} back ({}){hidden}?", several(count, "letter", "letters"), queues.join(", "))
}

/// Says which letters are meant.
fn plan(found: &[(Queue, Listing)], unreadable: bool, output: Output) -> Result<()> {
    let letters = || found.iter().flat_map(|(queue, listing)| listing.letters.iter().map(|letter| (*queue, letter)));
    let told: Vec<Told> = letters().map(|(queue, letter)| Told::of(queue, letter)).collect();
    output.print(&told, || {
        for (queue, letter) in letters() {
            let fate = match &letter.said {
                Err(why) if !unreadable => format!("{WARN}would stay{WARN:#}, it cannot be read: {}", plain(why)),
                _ => "would go back".to_owned(),
            };
            anstream::println!("{}{fate}", named(queue, letter));
        }
    })?;
    tell_hidden(found);
    note(format_args!("{} meant; nothing is done", several(told.len(), "letter is", "letters are")));
    Ok(())
}

fn say(queue: Queue, letter: &Letter, fate: &Fate) {
    let style = match fate {
        Fate::PutBack => GOOD,
        Fate::StillHere(_) | Fate::Behind | Fate::Unseen => WARN,
        Fate::Unreadable(_) | Fate::Foreign | Fate::Failed(_) => BAD,
    };
    let (words, why) = words(fate);
    let why = why.map(|why| format!(": {}", plain(why))).unwrap_or_default();
    anstream::println!("{}{style}{words}{style:#}{why}", named(queue, letter));
}

/// What became of it, in words, and why.
fn words(fate: &Fate) -> (&'static str, Option<&str>) {
    match fate {
        Fate::PutBack => ("is back", None),
        Fate::StillHere(why) => ("is back, and still here too, which does no harm", Some(why)),
        Fate::Unreadable(why) => ("stays, since it cannot be read; --unreadable puts it back all the same", Some(why)),
        Fate::Foreign => ("stays, since it came from another queue", None),
        Fate::Failed(why) => ("stays, since SQS does not take it", Some(why)),
        Fate::Behind => ("stays behind one of its group that stays", None),
        Fate::Unseen => ("is not back, since SQS did not show it again", None),
    }
}

impl Done {
    fn of(queue: Queue, one: &Redriven) -> Self {
        let fate = match one.fate {
            Fate::PutBack => "put_back",
            Fate::StillHere(_) => "still_here",
            Fate::Unreadable(_) => "unreadable",
            Fate::Foreign => "foreign",
            Fate::Failed(_) => "failed",
            Fate::Behind => "behind",
            Fate::Unseen => "unseen",
        };
        Self { letter: Told::of(queue, &one.letter), fate, why: words(&one.fate).1.map(str::to_owned) }
    }

    fn is_back(&self) -> bool {
        matches!(self.fate, "put_back" | "still_here")
    }
}

/// `is_whole`: nothing was in the way, and SQS showed all that stands there.
fn conclude(done: &[Done], is_whole: bool) -> Result<()> {
    let back = done.iter().filter(|done| done.is_back()).count();
    ensure!(back == done.len(), "{} of {} back, the rest stays", back, several(done.len(), "letter", "letters"));
    let told = format!("{} back on {}", several(back, "letter is", "letters are"), if back == 1 { "its queue" } else { "their queues" });
    if !is_whole {
        bail!("{told}, but perhaps not all that was meant");
    }
    note(told);
    Ok(())
}
