//! What is known of a workspace: its settings and its people.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::configuration::{self, Configuration, Mistake};
use crate::domain::ids::{UserId, Workspace};
use crate::domain::oncall::Override;
use crate::domain::people::Profile;

use super::attempts::held;
use super::keys::{self, Key};
use super::{Item, Store, StoreError, number, read, text, write};

/// How long a person's profile is believed, in seconds.
const PROFILE_SECONDS: i64 = 60 * 60;

#[derive(Serialize, Deserialize)]
struct Document {
    document: String,
}

/// The settings that a document comes to. One that cannot be read must lose no incident: the defaults are in force meanwhile.
fn understood(workspace: &Workspace, document: &str) -> Configuration {
    configuration::read(document).unwrap_or_else(|mistakes| {
        let (workspace, mistake, others) = (workspace.as_str(), mistakes.first(), mistakes.len().saturating_sub(1));
        tracing::error!(
            workspace,
            mistake = mistake.map(tracing::field::display),
            others,
            outcome = "defaults",
            "the configuration cannot be read"
        );
        Configuration::default()
    })
}

/// What became of a document that was to be stored.
#[derive(Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is in force.
    Done,
    /// What was read is not what stands there any more: read again.
    Raced,
    /// It is wrong, and the one before stays in force.
    Wrong(Vec<Mistake>),
}

/// What a workspace wants: its configuration, and who takes over in its rotations.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    /// The configuration.
    pub configuration: Configuration,
    /// Who takes over, by the name of the rotation.
    pub taken_over: Vec<(String, Override)>,
}

impl Wants {
    /// Where it stands.
    pub(super) fn keys(workspace: &Workspace) -> [Key; 2] {
        [keys::configuration(workspace), keys::oncall(workspace)]
    }

    /// Takes it out of what was read.
    pub(super) fn take(workspace: &Workspace, keys: &[Key; 2], found: &mut HashMap<Key, Item>) -> Result<Self, StoreError> {
        let [settings, oncall] = keys;
        let taken: Option<TakenOver> = found.remove(oncall).map(read).transpose()?;
        Ok(Self { configuration: configuration(workspace, found.remove(settings))?, taken_over: taken.unwrap_or_default().taken })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct TakenOver {
    taken: Vec<(String, Override)>,
    version: u64,
}

/// The settings in an item; none are the defaults.
pub(super) fn configuration(workspace: &Workspace, item: Option<Item>) -> Result<Configuration, StoreError> {
    let kept: Option<Document> = item.map(read).transpose()?;
    Ok(kept.map_or_else(Configuration::default, |kept| understood(workspace, &kept.document)))
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

    /// The workspace's settings, or why they cannot be read: for whoever must not take the defaults for what somebody wished.
    pub async fn readable(&self, workspace: &Workspace) -> Result<Result<Configuration, String>, StoreError> {
        let document = self.configuration(workspace).await?;
        let read = document.as_deref().map_or_else(|| Ok(Configuration::default()), configuration::read);
        Ok(read.map_err(|mistakes| {
            let mistake = mistakes.first().map(ToString::to_string).unwrap_or_default();
            format!("the workspace's configuration cannot be read: {mistake}")
        }))
    }

    /// What the workspace wants.
    pub async fn wants(&self, workspace: &Workspace) -> Result<Wants, StoreError> {
        let keys = Wants::keys(workspace);
        let mut found = self.get_several(keys.iter()).await?;
        Wants::take(workspace, &keys, &mut found)
    }

    /// Remembers that somebody takes over in a rotation; what is over at `now` is forgotten. `false` when somebody else said something in the meantime: try again.
    pub async fn take_over(&self, workspace: &Workspace, rotation: &str, taken: &Override, now: Timestamp) -> Result<bool, StoreError> {
        let key = keys::oncall(workspace);
        let mut known: TakenOver = self.get(&key).await?.unwrap_or_default();
        let said = (rotation.to_owned(), taken.clone());
        if known.taken.contains(&said) {
            return Ok(true);
        }
        known.taken.retain(|(_, other)| other.until > now);
        known.taken.push(said);
        let read = known.version;
        known.version += 1;
        let put = self.db.put_item().table_name(&self.table).set_item(Some(write(&key, &known)?));
        let put =
            put.condition_expression("attribute_not_exists(pk) OR version = :read").expression_attribute_values(":read", number(read));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_))) => Ok(false),
            Err(error) => Err(StoreError::call(&error)),
        }
    }

    /// The workspace's own settings, as it wrote them; `None` where it has none.
    pub async fn configuration(&self, workspace: &Workspace) -> Result<Option<String>, StoreError> {
        let kept: Option<Document> = self.get(&keys::configuration(workspace)).await?;
        Ok(kept.map(|kept| kept.document))
    }

    /// Puts another document in the place of the one that was read. One with a mistake in it is not stored.
    pub async fn replace_configuration(&self, workspace: &Workspace, read: Option<&str>, document: &str) -> Result<Stored, StoreError> {
        if let Err(mistakes) = configuration::read(document) {
            return Ok(Stored::Wrong(mistakes));
        }
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::configuration(workspace).item()))
            .update_expression("SET #document = :new")
            .expression_attribute_names("#document", "document")
            .expression_attribute_values(":new", text(document));
        let update = match read {
            None => update.condition_expression("attribute_not_exists(#document)"),
            Some(read) => update.condition_expression("#document = :read").expression_attribute_values(":read", text(read)),
        };
        Ok(if held(update.send().await)? { Stored::Done } else { Stored::Raced })
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
