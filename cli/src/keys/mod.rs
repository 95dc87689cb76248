//! `tocsin keys`: the keys of the HTTP API, in the secret that holds their digests.

mod create;
mod list;
mod revoke;

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use clap::Subcommand;
use shared::secrets::keys::{self, Entries};

use crate::deployment::{Deployment, Stack, sdk_config};
use crate::output::Output;

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
    let secret = match secret {
        Some(id) => Secret { client: Client::new(&sdk_config().await), id },
        None => {
            let deployment = Deployment::read(&stack).await?;
            Secret { client: deployment.secrets(), id: deployment.output("ApiKeysSecretArn")?.to_owned() }
        }
    };
    match command {
        Command::Create(arguments) => create::run(&secret, arguments, output).await,
        Command::List => list::run(&secret, output).await,
        Command::Revoke(arguments) => revoke::run(&secret, &arguments, output).await,
    }
}

/// The secret that holds the digests.
struct Secret {
    client: Client,
    id: String,
}

/// What stands in it, and in which version; none where nothing was written yet.
struct Kept {
    entries: Entries,
    version: Option<String>,
}

/// The stages of versions, as Secrets Manager calls them: that which counts, and the one before it.
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

impl Secret {
    async fn read(&self) -> Result<Kept> {
        let (text, version) = self.version(CURRENT).await?.unzip();
        let entries = keys::read(&text.unwrap_or_default()).with_context(|| self.id.clone())?;
        Ok(Kept { entries, version })
    }

    /// The text and the id of the version at a stage; `None` where nothing stands there.
    async fn version(&self, stage: &str) -> Result<Option<(String, String)>> {
        match self.client.get_secret_value().secret_id(&self.id).version_stage(stage).send().await {
            Ok(answer) => Ok(Some((answer.secret_string.unwrap_or_default(), answer.version_id.unwrap_or_default()))),
            // A secret that nothing was written into has no version.
            Err(error) if self.is_empty(&error).await => Ok(None),
            Err(error) => Err(anyhow!(shared::causes(&error))).with_context(|| format!("the secret {} cannot be read", self.id)),
        }
    }

    /// Whether the secret is there, and nothing is in it yet.
    async fn is_empty<R>(&self, error: &aws_sdk_secretsmanager::error::SdkError<GetSecretValueError, R>) -> bool {
        let absent = error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception);
        absent && self.client.describe_secret().secret_id(&self.id).send().await.is_ok()
    }

    /// Writes what was made of the version `read`. Secrets Manager knows no condition, so two who change it in the same moment overwrite each other: whether that has happened is
    /// looked at afterwards, and told to whoever came second.
    async fn write(&self, entries: &Entries, read: Option<&str>) -> Result<()> {
        let put = self.client.put_secret_value().secret_id(&self.id).secret_string(serde_json::to_string(entries)?);
        let written = put.send().await.map_err(|error| anyhow!(shared::causes(&error)));
        let written = written.with_context(|| format!("the secret {} cannot be written", self.id))?.version_id;
        let (current, before) = (self.version(CURRENT).await?, self.version(PREVIOUS).await?);
        let id = |version: &Option<(String, String)>| version.as_ref().map(|(_, id)| id.clone());
        let alone = id(&current) == written && id(&before).as_deref() == read;
        ensure!(
            alone,
            "somebody else has changed the keys in the same moment, and one change may have undone the other, a revocation too: \
             `tocsin keys list` shows what there is; do again what is missing, and revoke a key that was made and not shown"
        );
        Ok(())
    }
}
