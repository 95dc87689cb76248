//! A message of Tocsin's own schema, made of what was given on the command line.

use anyhow::{Result, ensure};
use serde_json::{Map, Value};
use shared::domain::ids::Workspace;

use crate::deployment::workspace;

/// What an incident says that is made here.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "An incident that is made here")]
pub(super) struct Made {
    /// What is wrong, in a line: opens an incident.
    #[arg(long, conflicts_with_all = ["files", "resolve"])]
    title: Option<String>,
    /// End the incident of this --dedup-key instead.
    #[arg(long, requires = "dedup_key", conflicts_with = "files")]
    resolve: bool,
    /// What its source calls it: the same again counts up, --resolve ends it.
    #[arg(long, value_name = "KEY", conflicts_with = "files")]
    dedup_key: Option<String>,
    /// P1 to P4, or HIGH, MEDIUM, LOW.
    #[arg(long, requires = "title")]
    severity: Option<String>,
    /// What it is about.
    #[arg(long, requires = "title")]
    service: Option<String>,
    /// What happened and why.
    #[arg(long, value_name = "TEXT", requires = "title")]
    description: Option<String>,
    /// Its page, https://….
    #[arg(long, requires = "title")]
    url: Option<String>,
    /// What was done, with --resolve.
    #[arg(long, value_name = "TEXT", requires = "resolve")]
    note: Option<String>,
    /// The workspace that it is for, T… or E…; without it, the one that the deployment is for.
    #[arg(long, value_name = "T…", value_parser = workspace, conflicts_with = "files")]
    workspace: Option<Workspace>,
}

impl Made {
    /// The message; `None` where none was asked for.
    pub(super) fn message(&self) -> Result<Option<String>> {
        let kind = match (&self.title, self.resolve) {
            (None, false) => {
                ensure!(self.dedup_key.is_none() && self.workspace.is_none(), "--title says what is wrong, --resolve that it is over");
                return Ok(None);
            }
            (_, true) => "resolve",
            (Some(_), false) => "create",
        };
        let mut message = Map::new();
        let mut put = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                message.insert(name.to_owned(), Value::from(value));
            }
        };
        put("type", Some(kind));
        put("dedup_key", self.dedup_key.as_deref());
        put("title", self.title.as_deref());
        put("severity", self.severity.as_deref());
        put("service", self.service.as_deref());
        put("description", self.description.as_deref());
        put("url", self.url.as_deref());
        put("note", self.note.as_deref());
        put("workspace", self.workspace.as_ref().map(Workspace::as_str));
        Ok(Some(Value::Object(message).to_string()))
    }
}
