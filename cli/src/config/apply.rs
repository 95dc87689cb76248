//! `tocsin config apply FILE`

use anyhow::{Context, Result, bail};
use serde_json::json;
use shared::store::workspaces::Stored;

use super::diff::Difference;
use super::{File, Settings, Whose};
use crate::deployment::Deployment;
use crate::output::{Output, ask, note};

/// Put a document in force.
///
/// It is checked first, and what changes is shown; what somebody else changed in the meantime, at Home in Slack for one, is never overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 it is in force; 1 it is not, and what was stays; 2 the command was not understood.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    whose: Whose,
    /// Do not ask. It is only asked at a terminal.
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(deployment: &Deployment, arguments: &Arguments, output: Output) -> Result<()> {
    let document = arguments.file.read()?;
    let wanted = document.settings()?;
    let settings = Settings::read(deployment, &arguments.whose).await?;
    let difference = Difference::between(&settings, &document);
    if !output.json {
        difference.print();
    }
    difference.remark(&wanted);
    if !difference.is_any() {
        return output.print(&json!({ "workspace": settings.workspace, "changed": false }), || {});
    }
    ask(&format!("Put that in force for {}?", settings.workspace), arguments.yes)?;
    let store = deployment.store()?;
    let replaced = store.replace_configuration(&settings.workspace, settings.document.as_deref(), &document.text).await;
    match replaced.context("the table cannot be written")? {
        Stored::Done => {}
        Stored::Raced => bail!(
            "somebody else has just changed the settings, at Home in Slack perhaps, so nothing is written: `tocsin config show` has what is in force now; take it over into {} and apply that",
            document.name
        ),
        Stored::Wrong(mistakes) => bail!("{}", document.sum(&mistakes)),
    }
    note(format_args!("{} is in force for {}", document.name, settings.workspace));
    output.print(&json!({ "workspace": settings.workspace, "changed": true }), || {})
}
