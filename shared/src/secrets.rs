//! The one secret of an installation, from Secrets Manager: cached, re-read after a minute and when it turns out to be wrong.
//!
//! A rotation needs no redeploy: what admins write into Secrets Manager is in force everywhere within [`FRESH`], and at once where the old one fails.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use jiff::Timestamp;
use serde::Deserialize;

/// How long a secret is believed without asking again.
pub const FRESH: Duration = Duration::from_mins(1);

/// How long to wait after a re-read that a failure caused before the next one: a flood of bad signatures must not become a flood of reads.
pub const REREAD: Duration = Duration::from_secs(10);

/// Text that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a Slack app needs, as admins paste it: `{"bot_token": "xoxb-…", "signing_secret": "…"}`.
#[derive(Debug, Clone, Deserialize)]
pub struct SlackSecret {
    /// For calling Slack.
    #[serde(default = "Secret::empty")]
    pub bot_token: Secret,
    /// For knowing that Slack calls.
    #[serde(default = "Secret::empty")]
    pub signing_secret: Secret,
    /// When this version was written: an uninstall that happened before it is over.
    #[serde(skip)]
    pub written_at: Option<Timestamp>,
}

impl Secret {
    fn empty() -> Self {
        Self(String::new())
    }
}

/// Why there is no secret. Never contains it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not answer with it.
    #[error("Secrets Manager did not give the Slack secret: {0}")]
    Unavailable(String),
    /// It is not what it should be.
    #[error("the Slack secret is not JSON of the form {{\"bot_token\": …, \"signing_secret\": …}}")]
    Malformed,
}

struct Cached {
    secret: Arc<SlackSecret>,
    read_at: Instant,
}

/// The secret of this installation, cached.
pub struct Secrets {
    client: Client,
    id: String,
    cached: Mutex<Option<Cached>>,
    reread_at: Mutex<Option<Instant>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Secrets {
    /// The secret with this ARN or name; nothing is read yet.
    pub fn new(client: Client, id: String) -> Self {
        Self { client, id, cached: Mutex::new(None), reread_at: Mutex::new(None) }
    }

    /// What is cached, however old; read where there is nothing yet.
    pub async fn at_hand(&self) -> Result<Arc<SlackSecret>, SecretError> {
        let cached = self.lock().as_ref().map(|cached| Arc::clone(&cached.secret));
        match cached {
            Some(secret) => Ok(secret),
            None => self.read().await,
        }
    }

    /// What is cached and younger than [`FRESH`], else read anew. When that fails, the old one goes on being used: an outage of Secrets Manager is
    /// no outage of Tocsin.
    pub async fn fresh(&self) -> Result<Arc<SlackSecret>, SecretError> {
        if !self.is_stale() {
            return self.at_hand().await;
        }
        match self.read().await {
            Ok(secret) => Ok(secret),
            Err(error) => {
                tracing::warn!(%error, "the Slack secret could not be read again; the cached one is used");
                self.at_hand().await
            }
        }
    }

    /// Whether what is cached is older than [`FRESH`], or nothing is.
    pub fn is_stale(&self) -> bool {
        self.lock().as_ref().is_none_or(|cached| cached.read_at.elapsed() >= FRESH)
    }

    /// Reads anew because the cached one failed; `None` where that was done less than [`REREAD`] ago.
    pub async fn reread(&self) -> Option<Result<Arc<SlackSecret>, SecretError>> {
        {
            let mut last = self.reread_at.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|at| at.elapsed() < REREAD) {
                return None;
            }
            *last = Some(Instant::now());
        }
        Some(self.read().await)
    }

    async fn read(&self) -> Result<Arc<SlackSecret>, SecretError> {
        let answer = self.client.get_secret_value().secret_id(&self.id).send().await;
        let answer = answer.map_err(|error| SecretError::Unavailable(crate::causes(&error)))?;
        // The error of a parse may quote the text, so it is dropped.
        let mut secret: SlackSecret =
            answer.secret_string().and_then(|text| serde_json::from_str(text).ok()).ok_or(SecretError::Malformed)?;
        secret.written_at = answer.created_date().and_then(|date| Timestamp::from_second(date.secs()).ok());
        let secret = Arc::new(secret);
        *self.lock() = Some(Cached { secret: Arc::clone(&secret), read_at: Instant::now() });
        Ok(secret)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
