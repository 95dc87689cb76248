//! `tocsin config show`

use anyhow::Result;
use serde_json::json;
use shared::domain::configuration;

use super::{Settings, Whose};
use crate::deployment::Deployment;
use crate::output::{Output, note};

/// Print the document that is in force, as it was written.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    whose: Whose,
}

pub(crate) async fn run(deployment: &Deployment, arguments: &Arguments, output: Output) -> Result<()> {
    let settings = Settings::read(deployment, &arguments.whose).await?;
    let Settings { workspace, document } = &settings;
    let mistakes = configuration::read(settings.text()).err().unwrap_or_default();
    output.print(&json!({ "workspace": workspace, "document": document, "in_force": mistakes.is_empty() }), || {
        anstream::print!("{}", settings.text());
    })?;
    if document.is_none() {
        note(format_args!("{workspace} has no settings of its own: the defaults count, and `tocsin config apply FILE` gives it some"));
    }
    if let Some(first) = mistakes.first() {
        note(format_args!("this document has a mistake, so it does not count, and the defaults do: {first}"));
    }
    Ok(())
}
