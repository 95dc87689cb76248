//! `tocsin dead-letters list`

use anyhow::Result;
use jiff::Timestamp;
use serde_json::json;
use shared::queue::dead_letters::{Letter, Listing};

use super::{Queue, Told, Which, about, meant, reason, standing, tell_hidden};
use crate::deployment::Deployment;
use crate::output::{FAINT, GOOD, Output, several, show, table};

/// List what stands on the dead-letter queues, and why.
///
/// That takes nothing away.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only of these queues.
    #[arg(value_name = "QUEUE")]
    queues: Vec<Queue>,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn run(deployment: &Deployment, arguments: &Arguments, output: Output) -> Result<()> {
    let found = standing(deployment, meant(&arguments.queues), &arguments.which.filter(), output).await?;
    let one = |(queue, listing): &(Queue, Listing)| {
        let letters: Vec<_> = listing.letters.iter().map(|letter| Told::of(*queue, letter)).collect();
        json!({ "queue": queue, "standing": listing.standing, "letters": letters })
    };
    output.print(&found.iter().map(one).collect::<serde_json::Value>(), || print(&found, arguments.which.is_any()))?;
    tell_hidden(&found);
    Ok(())
}

fn print(found: &[(Queue, Listing)], filtered: bool) {
    for (queue, listing) in found {
        let count = if filtered { format!("{} of {}", listing.letters.len(), listing.standing) } else { listing.standing.to_string() };
        let style = if listing.standing == 0 { GOOD } else { anstyle::Style::new().bold() };
        anstream::println!("{style}{:<10}{style:#} {count}", queue.name());
    }
    if found.iter().all(|(_, listing)| listing.letters.is_empty()) {
        return;
    }
    let now = Timestamp::now();
    let mut table = table(["queue", "id", "age", "came", "about", "reason"]);
    for (queue, letter) in letters(found) {
        let age = shared::render::duration(letter.age(now).as_secs());
        let times = format!("{}×", letter.receives);
        // What cannot be read is about nothing, and the reason says so.
        let about = if letter.said.is_ok() { about(letter) } else { "–".to_owned() };
        table.add_row([queue.name(), letter.short_id(), &age, &times, &about, &reason(letter)]);
    }
    anstream::println!();
    show(table);
    let count = letters(found).count();
    anstream::println!(
        "\n{FAINT}{}: `tocsin dead-letters show ID` has the text, `tocsin dead-letters redrive` puts back{FAINT:#}",
        several(count, "letter", "letters")
    );
}

fn letters(found: &[(Queue, Listing)]) -> impl Iterator<Item = (Queue, &Letter)> {
    found.iter().flat_map(|(queue, listing)| listing.letters.iter().map(|letter| (*queue, letter)))
}
