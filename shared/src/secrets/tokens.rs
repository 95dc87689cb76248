//! The token of a workspace, in either mode: the pasted one, or the one of the workspace's own secret.

use std::sync::Arc;

use jiff::Timestamp;

use super::app::{Access, AppSecret, Secrets};
use super::vault::{InstallationSecret, Vault};
use super::{Secret, SecretError};
use crate::domain::ids::Workspace;

/// A token, and when the version it stands in was written.
#[derive(Debug, Clone)]
pub struct Held {
    /// For calling Slack.
    pub token: Secret,
    /// When an admin, an installation or a refresh wrote it.
    pub written_at: Option<Timestamp>,
}

/// Where tokens come from.
#[derive(Debug)]
pub struct Tokens {
    /// The app's secret, which says in which mode it is.
    pub app: Arc<Secrets>,
    /// The installations' secrets.
    pub vault: Vault,
}

impl Tokens {
    /// Whether workspaces install the app by a link.
    pub async fn by_link(&self) -> Result<bool, SecretError> {
        Ok(matches!(self.app.fresh().await?.access(), Access::ByLink { .. }))
    }

    /// The pasted token, at most a minute old; `None` where workspaces install by a link.
    pub async fn pasted(&self) -> Result<Option<Held>, SecretError> {
        pasted(&*self.app.fresh().await?).transpose()
    }

    /// The workspace's token, at most a minute old. In pasted mode there is one token, whosesoever it is.
    pub async fn fresh(&self, workspace: &Workspace) -> Result<Held, SecretError> {
        match pasted(&*self.app.fresh().await?) {
            Some(held) => held,
            None => self.vault.fresh(workspace).await.map(|secret| own(&secret)),
        }
    }

    /// The token as it stands in Secrets Manager at this moment.
    pub async fn now(&self, workspace: &Workspace) -> Result<Held, SecretError> {
        match pasted(&*self.app.now().await?) {
            Some(held) => held,
            None => self.vault.now(workspace).await.map(|secret| own(&secret)),
        }
    }

    /// Reads again because Slack did not accept the token, or its installation is closed; what is at hand where that was done a moment ago.
    pub async fn again(&self, workspace: &Workspace) -> Result<Held, SecretError> {
        let app = match self.app.reread(super::REREAD_TOKEN).await {
            Some(read) => read?,
            None => self.app.at_hand().await?,
        };
        if let Some(held) = pasted(&app) {
            return held;
        }
        match self.vault.reread(workspace).await {
            Some(read) => Ok(own(&*read?)),
            None => self.vault.at_hand(workspace).map(|secret| own(&secret)).ok_or(SecretError::Absent),
        }
    }
}

/// The pasted token; `None` where workspaces install by a link.
fn pasted(secret: &AppSecret) -> Option<Result<Held, SecretError>> {
    match secret.access() {
        Access::Pasted(token) => Some(Ok(Held { token: token.clone(), written_at: secret.written_at })),
        Access::ByLink { .. } => None,
        // A secret without any token is one that nobody has filled in yet.
        Access::None => Some(Err(SecretError::Absent)),
    }
}

fn own(secret: &InstallationSecret) -> Held {
    Held { token: secret.bot_token.clone(), written_at: secret.written_at }
}
