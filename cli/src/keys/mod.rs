//! `tocsin keys`: the keys of the HTTP API, in the secret that holds their digests.

mod create;
mod list;
mod revoke;

use anyhow::{Context, Result};
use aws_sdk_secretsmanager::Client;
use clap::Subcommand;
use shared::secrets::keys::{self, Entries, May};

use crate::deployment::{Deployment, Stack, sdk_config};
use crate::output::Output;
use crate::secret::{self, CURRENT};

/// Make, list and revoke keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    /// The secret by its ARN or name, instead of the stack's.
    #[arg(long, global = true)]
    secret: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key. It is printed once, on standard output, and kept nowhere.
    Create(create::Arguments),
    /// List the keys by their names.
    List,
    /// Revoke a key: within a minute it counts nowhere any more.
    Revoke(revoke::Arguments),
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { stack, secret, command } = arguments;
    let secret = if let Some(id) = secret {
        Secret(secret::Kept { client: Client::new(&sdk_config().await), id })
    } else {
        let deployment = Deployment::read(&stack).await?;
        Secret(secret::Kept { client: deployment.secrets(), id: deployment.output("ApiKeysSecretArn")?.to_owned() })
    };
    match command {
        Command::Create(arguments) => create::run(&secret, arguments, output).await,
        Command::List => list::run(&secret, output).await,
        Command::Revoke(arguments) => revoke::run(&secret, &arguments, output).await,
    }
}

/// The secret that holds the digests.
struct Secret(secret::Kept);

/// What stands in it, and in which version; none where nothing was written yet.
struct Kept {
    entries: Entries,
    version: Option<String>,
}

/// What is told to whoever came second.
const RACED: &str = "somebody else has changed the keys in the same moment, and one change may have undone the other, a revocation too: \
                     `tocsin keys list` shows what there is; do again what is missing, and revoke a key that was made and not shown";

impl Secret {
    async fn read(&self) -> Result<Kept> {
        let (text, version) = self.0.version(CURRENT).await?.map(|version| (version.text, version.id)).unzip();
        let entries = keys::read(text.unwrap_or_default().expose()).with_context(|| self.0.id.clone())?;
        Ok(Kept { entries, version })
    }

    /// Writes what was made of the version `read`.
    async fn write(&self, entries: &Entries, read: Option<&str>) -> Result<()> {
        self.0.write(&serde_json::to_string(entries)?, read, RACED).await
    }
}

/// What a key may do; one that says nothing may do all of it.
fn words(may: Option<&[May]>) -> Vec<&'static str> {
    may.unwrap_or(&May::ALL).iter().map(|may| may.word()).collect()
}
