//! `tocsin keys revoke NAME`

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::json;

use super::{Kept, Secret};
use crate::output::{Output, note};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What it is called.
    name: String,
}

pub(crate) async fn run(secret: &Secret, arguments: &Arguments, output: Output) -> Result<()> {
    let name = &arguments.name;
    let Kept { mut entries, version } = secret.read().await?;
    let entry = entries.get_mut(name).with_context(|| format!("there is no key {name}; `tocsin keys list` shows all there are"))?;
    // Revoked twice, it is revoked since the first time.
    let since = entry.revoked.get_or_insert_with(|| Timestamp::now().to_string()).clone();
    secret.write(&entries, version.as_deref()).await?;
    note(format_args!("{name} is revoked; within a minute it counts nowhere any more"));
    output.print(&json!({ "name": name, "revoked": since }), || {})
}
