//! A secret in Secrets Manager, as somebody looks after it: its versions, and a new one that undoes nobody else's.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use crate::output::note;

/// The stages of versions, as Secrets Manager calls them: that which counts, and the one before it.
pub(crate) const CURRENT: &str = "AWSCURRENT";
/// See [`CURRENT`].
pub(crate) const PREVIOUS: &str = "AWSPREVIOUS";

/// How long what was written may take to be read. Who finds another version there after that has raced with somebody.
const VISIBLE: Duration = Duration::from_secs(5);

/// A secret.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Secrets Manager.
    pub(crate) client: Client,
    /// Its ARN or name.
    pub(crate) id: String,
}

/// One version of it.
#[derive(Debug)]
pub(crate) struct Version {
    /// What stands in it.
    pub(crate) text: shared::secrets::Secret,
    /// Its id.
    pub(crate) id: String,
}

impl Kept {
    /// The version at a stage; `None` where nothing stands there.
    pub(crate) async fn version(&self, stage: &str) -> Result<Option<Version>> {
        let answer = match self.client.get_secret_value().secret_id(&self.id).version_stage(stage).send().await {
            Ok(answer) => answer,
            // A secret that nothing was written into has no version.
            Err(error) if self.is_empty(&error).await => return Ok(None),
            Err(error) => return Err(anyhow!(shared::causes(&error))).with_context(|| format!("the secret {} cannot be read", self.id)),
        };
        let text = shared::secrets::Secret::new(answer.secret_string.unwrap_or_default());
        Ok(Some(Version { text, id: answer.version_id.unwrap_or_default() }))
    }

    /// The ids of the version that counts and of the one before.
    async fn ids(&self) -> Result<(Option<String>, Option<String>)> {
        let id = |version: Option<Version>| version.map(|version| version.id);
        Ok((id(self.version(CURRENT).await?), id(self.version(PREVIOUS).await?)))
    }

    /// Whether the secret is there, and nothing is in it yet.
    async fn is_empty<R>(&self, error: &SdkError<GetSecretValueError, R>) -> bool {
        let absent = error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception);
        absent && self.client.describe_secret().secret_id(&self.id).send().await.is_ok()
    }

    /// Writes what was made of the version `read`. Secrets Manager knows no condition, so two who change it in the same moment overwrite each other: whether that has happened is
    /// looked at afterwards, and told to whoever came second, in the words of `advice`.
    pub(crate) async fn write(&self, text: &str, read: Option<&str>, advice: &'static str) -> Result<()> {
        let put = self.client.put_secret_value().secret_id(&self.id).secret_string(text);
        let written = put.send().await.map_err(|error| anyhow!(shared::causes(&error)));
        let written = written.with_context(|| format!("the secret {} cannot be written", self.id))?.version_id;
        // What was just written may take a moment to be read everywhere.
        let visible = Instant::now() + VISIBLE;
        loop {
            let seen = self.ids().await;
            let late = Instant::now() >= visible;
            match seen {
                Ok((current, previous)) if current == written && previous.as_deref() == read => return Ok(()),
                Ok(_) => ensure!(!late, advice),
                // It is written all the same, and what comes of it has to be told.
                Err(error) if late => {
                    note(format_args!("it is written; whether somebody else changed it in the same moment is not known: {error:#}"));
                    return Ok(());
                }
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
