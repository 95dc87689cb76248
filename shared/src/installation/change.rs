//! What changes an installation: it is made, refreshed, taken out. Whoever writes or deletes an installation's secret holds its lock meanwhile, so that a refresh with the
//! old token cannot overwrite a new installation, nor an uninstall delete one.

use jiff::{SignedDuration, Timestamp};

use super::{Installations, later, token_digest, whose};
use crate::domain::ids::Workspace;
use crate::secrets::SecretError;
use crate::slack::client::{Client, SlackError};
use crate::slack::oauth::Grant;
use crate::store::installations::Installation;

/// How long a lock counts: longer than a call to Slack and two to AWS may take together.
pub const LOCK: SignedDuration = SignedDuration::from_secs(30);

/// What came of an uninstall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uninstalled {
    /// Nothing is called for it any more, and its token is gone.
    Done,
    /// It was never installed here.
    Unknown,
    /// The token in force still works: an older one was revoked, or it has been installed again.
    StillThere,
}

impl Installations {
    /// Locks an installation for `owner`; whether nobody else holds it.
    pub async fn lock(&self, workspace: &Workspace, owner: &str) -> Result<bool, SlackError> {
        let now = Timestamp::now();
        let until = now.saturating_add(LOCK).unwrap_or(now);
        Ok(self.store.lock(workspace, owner, now, until).await?)
    }

    /// Gives the lock back. Where that fails it ends by itself.
    pub async fn unlock(&self, workspace: &Workspace, owner: &str) {
        if let Err(error) = self.store.unlock(workspace, owner).await {
            tracing::warn!(workspace = workspace.as_str(), %error, "a lock ends only by itself");
        }
    }

    /// Keeps what Slack granted: first the secret, then the item, which revives an installation that was removed or disabled. The caller holds the lock.
    pub async fn install(&self, grant: Grant, now: Timestamp) -> Result<(), SlackError> {
        let Grant { workspace, name, by, scopes, secret } = grant;
        self.tokens.vault.write(&workspace, &secret).await.map_err(|error| later(&error))?;
        let installation = Installation {
            name,
            by_link: true,
            installed_at: Some(now),
            installed_by: by,
            scopes,
            token_digest: token_digest(&secret.bot_token),
            token_expires_at: secret.expires_at,
            refresh: None,
            removed_at: None,
            disabled: None,
            workspace,
        };
        Ok(self.store.keep_installation(&installation).await?)
    }

    /// Slack says that Tocsin was taken out, or that its token was revoked. Both come, in any order and perhaps several times, and an old token may be revoked after its
    /// successor is in place: so what counts is whether the token in force still works. `owner` names whoever asks, for the lock.
    pub async fn uninstalled(&self, client: &Client, workspace: &Workspace, at: Timestamp, owner: &str) -> Result<Uninstalled, SlackError> {
        if self.store.installation(workspace).await?.is_none() {
            return Ok(Uninstalled::Unknown);
        }
        if !self.lock(workspace, owner).await? {
            return Err(SlackError::Later("somebody else is writing the installation's secret".to_owned()));
        }
        let result = self.uninstall(client, workspace, at).await;
        self.unlock(workspace, owner).await;
        result
    }

    async fn uninstall(&self, client: &Client, workspace: &Workspace, at: Timestamp) -> Result<Uninstalled, SlackError> {
        let Some(item) = self.store.installation(workspace).await? else { return Ok(Uninstalled::Unknown) };
        // As it stands now: one that was read a while ago may be the old one that was revoked.
        let digest = match self.tokens.now(workspace).await {
            Ok(held) => {
                match whose(client, &held.token).await {
                    Ok((owner, _)) if owner == *workspace => return Ok(Uninstalled::StillThere),
                    Ok(_) | Err(SlackError::Token(_) | SlackError::Never { .. }) => {}
                    Err(error) => return Err(error),
                }
                token_digest(&held.token)
            }
            Err(SecretError::Absent) => item.token_digest.clone(),
            Err(error) => return Err(later(&error)),
        };
        let at = item.removed_at.map_or(at, |before| before.max(at));
        if !self.store.remove(workspace, &item.token_digest, &digest, at).await? {
            return Ok(Uninstalled::StillThere);
        }
        if item.by_link {
            self.tokens.vault.delete(workspace).await.map_err(|error| later(&error))?;
        }
        Ok(Uninstalled::Done)
    }
}
