//! `tocsin dead-letters delete`

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use shared::queue::dead_letters::{Filter, Letter};

use super::{Queue, Told, named, reason, standing, tell_hidden};
use crate::deployment::Deployment;
use crate::output::{Output, ask, is_attended, note, several};

/// Delete letters for good: what nobody can read, or nobody needs any more.
///
/// `tocsin dead-letters show` has the text, for whoever has to send it again in a form that can be read.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 the letters are gone; 1 one of them is not there, or they are not gone; 2 the command was not understood."
)]
pub(crate) struct Arguments {
    /// Where they stand.
    #[arg(value_name = "QUEUE")]
    queue: Queue,
    /// Their ids, or the beginning of each, as far as it is no other's.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Do not ask. Without a terminal it has to be said.
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(deployment: &Deployment, arguments: &Arguments, output: Output) -> Result<()> {
    let Arguments { queue, ids, yes } = arguments;
    ensure!(*yes || is_attended(), "what is deleted does not come back: without a terminal to ask at, say --yes");
    let found = standing(deployment, &[*queue], &Filter::default(), output).await?;
    let letters: Vec<&Letter> = found.iter().flat_map(|(_, listing)| &listing.letters).collect();
    let mut meant: BTreeSet<String> = BTreeSet::new();
    for id in ids {
        let called: Vec<&&Letter> = letters.iter().filter(|letter| letter.is_called(id)).collect();
        if called.is_empty() {
            tell_hidden(&found);
        }
        ensure!(
            !called.is_empty(),
            "there is no letter {id} of {}; `tocsin dead-letters list {}` shows all there are",
            queue.name(),
            queue.name()
        );
        ensure!(called.len() == 1, "{id} is the beginning of {} letters; give more of it", called.len());
        let newer = called.iter().find(|letter| letter.is_newer);
        ensure!(
            newer.is_none(),
            "{id} is of a newer version of Tocsin, which can read it: deploy that one, install its `tocsin`, and put it back by `tocsin dead-letters redrive`"
        );
        meant.extend(called.iter().map(|letter| letter.id.clone()));
    }
    for letter in letters.iter().filter(|letter| meant.contains(&letter.id)) {
        note(format_args!("{}{}", named(*queue, letter), reason(letter)));
    }
    ask(&format!("Delete {} of {} for good?", several(meant.len(), "letter", "letters"), queue.name()), *yes)?;
    let fates = queue.letters(deployment)?.delete(&meant).await.with_context(|| queue.name())?;
    let deleted: Vec<&Letter> = fates.iter().filter(|(_, fate)| fate.is_ok()).map(|(letter, _)| letter).collect();
    let told: Vec<Told> = deleted.iter().map(|letter| Told::of(*queue, letter)).collect();
    output.print(&told, || {
        for letter in &deleted {
            anstream::println!("{}deleted", named(*queue, letter));
        }
    })?;
    for (letter, error) in fates.iter().filter_map(|(letter, fate)| Some((letter, fate.as_ref().err()?))) {
        note(format_args!("{} stays: {error}", letter.short_id()));
    }
    let left = meant.len() - deleted.len();
    ensure!(left == 0, "{} not deleted; in a minute it can be tried again", several(left, "letter is", "letters are"));
    Ok(())
}
