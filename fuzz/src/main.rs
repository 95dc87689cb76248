//! Writes what the search of a target begins with into a folder: `fuzz TARGET FOLDER`.

use std::path::PathBuf;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().context("which target?")?;
    let folder = PathBuf::from(arguments.next().context("into which folder?")?);
    std::fs::create_dir_all(&folder)?;
    for (number, seed) in fuzz::seeds::of(&target)?.iter().enumerate() {
        std::fs::write(folder.join(format!("{number:04}")), seed)?;
    }
    Ok(())
}
