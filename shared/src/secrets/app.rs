//! The secret of the Slack app, as admins paste it.
//!
//! `{"signing_secret": "…"}` and either `"bot_token"`, for one workspace, or `"client_id"` and `"client_secret"`, for any number of workspaces that install the app by a
//! link. In both modes there may be `"webhooks": {"name": "https://hooks.slack.com/services/…"}`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::vault::Vault;
use super::{Cache, Secret, SecretError, version};

const FORM: &str = r#"{"signing_secret": …, "bot_token": …} or {"signing_secret": …, "client_id": …, "client_secret": …}"#;

/// How long the version before may keep a reader waiting who has the current one already.
const PREVIOUS_PATIENCE: Duration = Duration::from_secs(1);

/// What the Slack app needs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AppSecret {
    signing_secret: Secret,
    bot_token: Secret,
    client_id: String,
    client_secret: Secret,
    /// Incoming webhooks that incidents can be routed to, by the name that routing knows them by.
    pub webhooks: BTreeMap<String, Secret>,
    /// When this version was written.
    #[serde(skip)]
    pub written_at: Option<Timestamp>,
    #[serde(skip)]
    previous: Option<Previous>,
}

/// The signing secret of the version before, while Slack may still sign with it.
#[derive(Debug, Clone)]
struct Previous {
    signing_secret: Secret,
    until: Timestamp,
}

/// How the app gets at its tokens.
#[derive(Debug, Clone, Copy)]
pub enum Access<'a> {
    /// One workspace, whose token was pasted.
    Pasted(&'a Secret),
    /// Any number of workspaces, each with a token of its own, which these fetch.
    ByLink {
        /// The app's public name in OAuth.
        client_id: &'a str,
        /// What proves that it is the app who asks.
        client_secret: &'a Secret,
    },
    /// Neither was pasted yet.
    None,
}

impl AppSecret {
    /// What Slack may have signed with at this time: the current signing secret, and after a rotation the one before until the overlap ends. A blank secret is no rotation:
    /// whoever writes one wants nobody in.
    pub fn signing_secrets(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        let previous = self.previous.as_ref().filter(|previous| now < previous.until && !self.signing_secret.is_blank());
        std::iter::once(&self.signing_secret).chain(previous.map(|previous| &previous.signing_secret))
    }

    /// Whether workspaces install the app by a link.
    pub fn is_by_link(&self) -> bool {
        matches!(self.access(), Access::ByLink { .. })
    }

    /// How the app gets at its tokens. A `bot_token` beside `client_id` and `client_secret` is not used.
    pub fn access(&self) -> Access<'_> {
        if !self.client_id.trim().is_empty() && !self.client_secret.is_blank() {
            return Access::ByLink { client_id: self.client_id.trim(), client_secret: &self.client_secret };
        }
        if self.bot_token.is_blank() { Access::None } else { Access::Pasted(&self.bot_token) }
    }
}

/// The app's secret, cached.
pub struct Secrets {
    client: Client,
    id: String,
    overlap: SignedDuration,
    cache: Cache<AppSecret>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Secrets {
    /// The secret with this ARN or name; nothing is read yet. Whoever verifies signatures gives the `overlap`: for so long after a rotation the version before is read as
    /// well. Zero for everybody else, who has no use for it.
    pub fn new(client: Client, id: String, overlap: SignedDuration) -> Self {
        Self { client, id, overlap, cache: Cache::default() }
    }

    /// The installations' secrets beside it, whose names begin with `prefix`.
    pub fn vault(&self, prefix: String) -> Vault {
        Vault::new(self.client.clone(), prefix)
    }

    /// What is cached, however old; read where there is nothing yet.
    pub async fn at_hand(&self) -> Result<Arc<AppSecret>, SecretError> {
        self.cache.at_hand(self.read()).await
    }

    /// What signatures are checked by: what is cached, read anew where that is older than [`super::BELIEVED`].
    pub async fn believed(&self) -> Result<Arc<AppSecret>, SecretError> {
        self.cache.believed(super::BELIEVED, self.read()).await
    }

    /// What is cached and younger than [`super::FRESH`], else read anew. When that fails, the old one goes on being used.
    pub async fn fresh(&self) -> Result<Arc<AppSecret>, SecretError> {
        self.cache.within(super::FRESH, self.read()).await
    }

    /// Whether what is cached is older than [`super::FRESH`], or nothing is.
    pub fn is_stale(&self) -> bool {
        self.cache.is_stale()
    }

    /// Reads anew because the cached one failed; `None` where that was done less than `least` ago: [`super::REREAD`] or [`super::REREAD_TOKEN`].
    pub async fn reread(&self, least: Duration) -> Option<Result<Arc<AppSecret>, SecretError>> {
        self.cache.reread(least, self.read()).await
    }

    /// Reads, whatever is cached.
    pub async fn now(&self) -> Result<Arc<AppSecret>, SecretError> {
        self.cache.now(self.read()).await
    }

    async fn read(&self) -> Result<AppSecret, SecretError> {
        let current = version(&self.client, &self.id, None).await?;
        // The error of a parse may quote the text, so it is dropped.
        let mut secret: AppSecret = serde_json::from_str(&current.text).map_err(|_| SecretError::Malformed(FORM))?;
        secret.written_at = current.written_at;
        let is_news = self.cache.value().is_none_or(|known| known.written_at != secret.written_at);
        if is_news && !secret.bot_token.is_blank() && matches!(secret.access(), Access::ByLink { .. }) {
            tracing::warn!("the Slack secret holds a bot_token beside client_id and client_secret; it is not used");
        }
        secret.previous = self.previous(&secret).await;
        Ok(secret)
    }

    /// The version before, as long as the overlap lasts. An admin ends it sooner by taking the stage `AWSPREVIOUS` away.
    async fn previous(&self, current: &AppSecret) -> Option<Previous> {
        let until = current.written_at?.saturating_add(self.overlap).ok()?;
        if Timestamp::now() >= until {
            return None;
        }
        let read = version(&self.client, &self.id, Some("AWSPREVIOUS"));
        let text = match tokio::time::timeout(PREVIOUS_PATIENCE, read).await {
            Ok(Ok(version)) => version.text,
            Ok(Err(SecretError::Absent)) => return None,
            failed => {
                let error = failed
                    .map_or_else(|_| "no answer in time".to_owned(), |read| read.err().map(|error| error.to_string()).unwrap_or_default());
                tracing::warn!(error, "the Slack secret's version before could not be read; what is known of it counts");
                return self.cache.value().and_then(|known| known.previous.clone());
            }
        };
        let AppSecret { signing_secret, .. } = serde_json::from_str(&text).ok()?;
        let differs = !signing_secret.is_blank() && signing_secret != current.signing_secret;
        differs.then_some(Previous { signing_secret, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(json: &str) -> AppSecret {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_secret_before_counts_until_the_overlap_ends() {
        let now = Timestamp::from_second(1_800_000_000).unwrap_or_default();
        let mut secret = secret(r#"{"signing_secret": "new"}"#);
        let all = |secret: &AppSecret, now| secret.signing_secrets(now).map(|one| one.expose().to_owned()).collect::<Vec<_>>();
        assert_eq!(all(&secret, now), ["new"]);
        secret.previous = Some(Previous { signing_secret: Secret::new("old"), until: now });
        assert_eq!(all(&secret, now - SignedDuration::from_secs(1)), ["new", "old"]);
        assert_eq!(all(&secret, now), ["new"]);
        secret.signing_secret = Secret::new(" ");
        assert_eq!(all(&secret, now - SignedDuration::from_secs(1)), [" "]);
    }

    #[test]
    fn either_a_pasted_token_or_the_means_to_fetch_one() {
        assert!(matches!(secret("{}").access(), Access::None));
        assert!(matches!(secret(r#"{"bot_token": " "}"#).access(), Access::None));
        assert!(matches!(secret(r#"{"bot_token": "xoxb-1"}"#).access(), Access::Pasted(token) if token.expose() == "xoxb-1"));
        assert!(matches!(secret(r#"{"bot_token": "xoxb-1", "client_id": "1.2"}"#).access(), Access::Pasted(_)));
        let both = secret(r#"{"bot_token": "xoxb-1", "client_id": "1.2", "client_secret": "s"}"#);
        assert!(matches!(both.access(), Access::ByLink { client_id: "1.2", .. }));
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let secret =
            secret(r#"{"signing_secret": "s3cret", "client_secret": "s3cret", "webhooks": {"ops": "https://hooks.slack.com/s3cret"}}"#);
        assert!(!format!("{secret:?}").contains("s3cret"));
    }
}
