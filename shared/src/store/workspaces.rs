//! What is known of a workspace: its settings and its people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::configuration::Configuration;
use crate::domain::ids::{UserId, Workspace};
use crate::domain::people::Profile;

use super::{Store, StoreError, keys};

/// How long a person's profile is believed, in seconds.
const PROFILE_SECONDS: i64 = 60 * 60;

#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) document: String,
}

/// The settings that a document comes to.
pub(super) fn understood(workspace: &Workspace, document: &str) -> Configuration {
    toml::from_str(document).unwrap_or_else(|mistake: toml::de::Error| {
        let line = mistake.span().map(|span| document.get(..span.start).unwrap_or_default().lines().count().max(1));
        let (workspace, mistake) = (workspace.as_str(), mistake.message());
        tracing::error!(workspace, line, mistake, outcome = "defaults", "the configuration cannot be read");
        Configuration::default()
    })
}

#[derive(Serialize, Deserialize)]
struct KeptProfile {
    data: Profile,
    expires_at: i64,
}

impl Store {
    /// The workspace's settings. A document that cannot be read must lose no incident: the defaults are in force meanwhile.
    pub async fn settings(&self, workspace: &Workspace) -> Result<Configuration, StoreError> {
        Ok(self.configuration(workspace).await?.map_or_else(Configuration::default, |document| understood(workspace, &document)))
    }

    /// The workspace's own settings, as it wrote them; `None` where it has none.
    pub async fn configuration(&self, workspace: &Workspace) -> Result<Option<String>, StoreError> {
        let kept: Option<Document> = self.get(&keys::configuration(workspace)).await?;
        Ok(kept.map(|kept| kept.document))
    }

    /// Keeps the workspace's own settings, a TOML document.
    pub async fn keep_configuration(&self, workspace: &Workspace, document: &str) -> Result<(), StoreError> {
        self.put(&keys::configuration(workspace), &Document { document: document.to_owned() }).await
    }

    /// What was learnt about a person less than an hour ago.
    pub async fn profile(&self, workspace: &Workspace, user: &UserId, now: Timestamp) -> Result<Option<Profile>, StoreError> {
        let kept: Option<KeptProfile> = self.get(&keys::profile(workspace, user)).await?;
        // DynamoDB deletes what has expired when it finds the time, so the time is compared.
        Ok(kept.filter(|kept| kept.expires_at > now.as_second()).map(|kept| kept.data))
    }

    /// Keeps what was learnt about a person.
    pub async fn keep_profile(&self, workspace: &Workspace, user: &UserId, profile: &Profile, now: Timestamp) -> Result<(), StoreError> {
        let kept = KeptProfile { data: profile.clone(), expires_at: now.as_second() + PROFILE_SECONDS };
        self.put(&keys::profile(workspace, user), &kept).await
    }
}
