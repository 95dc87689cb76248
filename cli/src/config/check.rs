//! `tocsin config check FILE`

use anyhow::{Result, bail};
use serde_json::{Value, json};
use shared::domain::configuration::{self, Mistake};

use super::File;
use crate::output::{GOOD, Output};

/// Tell every mistake in a document, with its place and what is allowed there. Needs no AWS.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 it has no mistakes; 1 it has some, or cannot be read; 2 the command was not understood.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: File,
}

pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<()> {
    let document = arguments.file.read()?;
    let mistakes = configuration::read(&document.text).err().unwrap_or_default();
    let one = |Mistake { line, column, key, what }: &Mistake| json!({ "file": document.name, "line": line, "column": column, "key": key, "what": what });
    output.print(&mistakes.iter().map(one).collect::<Value>(), || {
        if mistakes.is_empty() {
            anstream::println!("{GOOD}{} has no mistakes{GOOD:#}", document.name);
        } else {
            anstream::print!("{}", document.told(&mistakes));
        }
    })?;
    if mistakes.is_empty() { Ok(()) } else { bail!("{}", document.sum(&mistakes)) }
}
