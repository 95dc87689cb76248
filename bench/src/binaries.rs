//! The binaries that are measured, built as `sam build` builds them: one package at a time, so that no function gets another's features.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Called by Slack, which waits.
pub(crate) const RECEIVERS: [&str; 3] = ["commands", "interactions", "events"];
/// Called by whoever has a key, and by whoever has none.
pub(crate) const API: &str = "api";
/// Called by queues, by a clock, and by a browser once.
pub(crate) const OTHERS: [&str; 7] = ["intake", "worker", "poster", "publisher", "caller", "clock", "oauth"];

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Cargo's target directory, wherever the environment or a configuration file put it.
pub(crate) fn target() -> Result<PathBuf> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version=1", "--locked"]).current_dir(root()).output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    Ok(metadata.get("target_directory").and_then(Value::as_str).context("cargo metadata names no target directory")?.into())
}

/// Builds one function in release and returns its binary.
pub(crate) fn build(package: &str, target: &Path) -> Result<PathBuf> {
    eprintln!("bench: building {package}");
    let folder = if package == "hello" { root().join("bench/hello") } else { root().join("functions").join(package) };
    let mut build = cargo();
    // As Cargo.toml has it, whatever profile this program itself was built with.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PROFILE_")) {
        build.env_remove(name);
    }
    let status = build.args(["build", "--release", "--locked", "--quiet", "--package", package]).current_dir(folder).status()?;
    ensure!(status.success(), "{package} does not build");
    Ok(target.join("release").join(package))
}

/// Where `sam build` has put the same function, if it has. (`make local` builds elsewhere, with a profile that is quicker to build.)
pub(crate) fn bootstrap(package: &str) -> Option<PathBuf> {
    let (first, rest) = package.split_at_checked(1)?;
    let path = root().join(".aws-sam/build").join(format!("{}{rest}Function", first.to_uppercase())).join("bootstrap");
    path.exists().then_some(path)
}
