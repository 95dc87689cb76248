//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// The folder that cargo built this program into, `target/debug`: the functions are built into the same.
pub fn profile() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.ancestors().find(|folder| folder.parent().is_some_and(|parent| parent.join("CACHEDIR.TAG").is_file()));
    folder.map(Path::to_owned).with_context(|| format!("{} is not in cargo's target folder", program.display()))
}

/// The folder of the simulator's built page: `TOCSIN_PAGE`, else where it is built.
pub fn page() -> PathBuf {
    std::env::var_os("TOCSIN_PAGE").map_or_else(|| repository().join("simulator/page/dist"), PathBuf::from)
}

/// A folder for files of this process, below `target/tmp`.
pub fn scratch(name: &str) -> Result<PathBuf> {
    let target = profile()?.parent().map(Path::to_owned).context("a target folder")?;
    let folder = target.join("tmp").join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
