//! The functions' programs and the command line, built once at the start so that no test ever runs an old one.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

use crate::paths;

/// The functions, by package, binary and the name in their log lines.
pub const FUNCTIONS: [&str; 11] =
    ["commands", "interactions", "events", "oauth", "api", "intake", "worker", "poster", "publisher", "caller", "clock"];

/// The command line, by package and binary.
pub const CLI: &str = "tocsin";

static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// The folder with the functions' programs. `cargo build` with nothing to do takes a fraction of a second.
pub fn folder() -> PathBuf {
    match BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}"))) {
        Ok(folder) => folder.clone(),
        Err(error) => panic!("the functions do not build: {error}"),
    }
}

fn build() -> Result<PathBuf> {
    let profile = paths::profile()?;
    let target = profile.parent().context("a target folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(paths::repository()).args(["build", "--quiet", "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        command.arg("--release");
    }
    // `cargo test` tells the tests about their own package. Build scripts would see that as a change, and be built again and again.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.to_string_lossy().starts_with(own)) {
            command.env_remove(name);
        }
    }
    for package in FUNCTIONS.into_iter().chain([CLI]) {
        command.args(["-p", package]);
    }
    let output = command.output().context("cargo")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(profile)
}
