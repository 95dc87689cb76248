//! `tocsin keys create NAME`

use anyhow::{Result, anyhow, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::ValueEnum;
use serde_json::json;
use shared::domain::ids::Workspace;
use shared::secrets::keys::{Entry, LENGTH, May, PREFIX, digest};

use super::{Kept, Secret, words};
use crate::deployment::workspace;
use crate::output::{Output, note};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What it is called: in the log, and on cards as who says so. Letters, digits, `-`, `_` and `.`.
    name: String,
    #[command(flatten)]
    place: Place,
    /// What it may do; several by commas. Without it, all of it.
    #[arg(long, value_delimiter = ',')]
    may: Vec<Right>,
}

/// Where it counts: that has to be said, so that nobody makes a key for all of them by leaving something out.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// The only workspace that it is for: T… or E….
    #[arg(long, value_name = "T…", value_parser = workspace)]
    workspace: Option<Workspace>,
    /// It is for every workspace, whichever a request names.
    #[arg(long)]
    any_workspace: bool,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Right {
    /// Send incidents, changes and webhooks.
    Write,
    /// Ask how an incident stands, and what became of a request.
    Read,
    /// Test the connection.
    Test,
}

impl From<Right> for May {
    fn from(right: Right) -> Self {
        match right {
            Right::Write => Self::Write,
            Right::Read => Self::Read,
            Right::Test => Self::Test,
        }
    }
}

pub(crate) async fn run(secret: &Secret, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { name, place: Place { workspace, .. }, may } = arguments;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ensure!((1..=64).contains(&name.len()) && name.bytes().all(plain), "a name is 1 to 64 letters, digits, -, _ and .");
    let Kept { mut entries, version } = secret.read().await?;
    ensure!(!entries.contains_key(&name), "there is a key {name} already; a revoked one keeps its name, so that the log stays clear");
    let key = new_key()?;
    let may: Option<Vec<May>> = (!may.is_empty()).then(|| may.into_iter().map(May::from).collect());
    entries.insert(name.clone(), Entry { sha256: digest(&key), workspace: workspace.clone(), revoked: None, may: may.clone() });
    secret.write(&entries, version.as_deref()).await?;
    note(format_args!("{name} is in force. This is the only time that the key is shown:"));
    let told = json!({ "name": name, "key": key, "workspace": workspace, "may": words(may.as_deref()) });
    output.print(&told, || anstream::println!("{key}"))
}

/// 256 random bits, behind the prefix.
fn new_key() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the operating system has no randomness to give: {error}"))?;
    let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    ensure!(key.len() == LENGTH, "a key of {} characters", key.len());
    Ok(key)
}
