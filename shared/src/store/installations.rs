//! Who has installed Tocsin: one item for each installation, never with a token in it, and a lock for whoever writes its secret.
//!
//! The items are written by several at once (an installation, an uninstall, a refresh, a token that Slack refuses), so each writes only what it knows, under the
//! condition that it still speaks of the token which is in force.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{UserId, Workspace};

use super::attempts::held;
use super::{Store, StoreError, keys, number, text};

/// An installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Its key.
    pub workspace: Workspace,
    /// What the workspace is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it was installed by the link, so that its token stands in a secret of its own.
    #[serde(default)]
    pub by_link: bool,
    /// Since when, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_at: Option<Timestamp>,
    /// Who followed the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_by: Option<UserId>,
    /// What was granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// A digest of the token that is in force: another token has to be asked about.
    pub token_digest: String,
    /// Until when the token works, in seconds since 1970. Not `expires_at`, which is when DynamoDB deletes an item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_expires_at: Option<i64>,
    /// A refresh that has begun and of which no result is known, or that was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// When Slack said that Tocsin was taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
    /// Since when nothing is called for it any more, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
}

/// A refresh of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// When it was tried.
    pub at: Timestamp,
    /// Whether the refresh token is known to be used up, with nothing to show for it.
    #[serde(default)]
    pub lost: bool,
}

/// Nothing is called for this installation any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why, in words for whoever looks after Tocsin.
    pub reason: String,
}

impl Installation {
    /// Whether its refresh token is used up with nothing to show for it: it has to be installed again.
    pub fn is_lost(&self) -> bool {
        self.removed_at.is_none() && self.refresh.as_ref().is_some_and(|refresh| refresh.lost)
    }

    /// Since when it is closed, and why; `None` where it is open.
    pub fn closed(&self) -> Option<(Timestamp, String)> {
        let removed = self.removed_at.map(|at| (at, format!("Tocsin was uninstalled from {}", self.workspace)));
        let disabled = self.disabled.as_ref().map(|disabled| (disabled.at, disabled.reason.clone()));
        removed.into_iter().chain(disabled).max_by_key(|(at, _)| *at)
    }
}

impl Store {
    /// All installations.
    pub async fn installations(&self) -> Result<Vec<Installation>, StoreError> {
        self.query(keys::INSTALLATIONS, None, usize::MAX).await
    }

    /// One installation.
    pub async fn installation(&self, workspace: &Workspace) -> Result<Option<Installation>, StoreError> {
        self.get(&keys::installation(workspace)).await
    }

    /// Keeps an installation as it was made, over whatever was known of it: a new one is neither removed nor disabled.
    pub async fn keep_installation(&self, installation: &Installation) -> Result<(), StoreError> {
        self.put(&keys::installation(&installation.workspace), installation).await
    }

    /// Slack has just accepted this token for this workspace, so the installation is open.
    pub async fn proven(
        &self,
        workspace: &Workspace,
        name: Option<&str>,
        by_link: bool,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let set = "SET workspace = :workspace, #name = :name, by_link = :by_link, installed_at = if_not_exists(installed_at, :now), token_digest = :digest REMOVE removed_at, disabled";
        let values = [
            (":workspace", text(workspace.as_str())),
            (":name", name.map_or(AttributeValue::Null(true), text)),
            (":by_link", AttributeValue::Bool(by_link)),
            (":now", text(now.to_string())),
            (":digest", text(digest)),
        ];
        self.change(workspace, set, None, values).await.map(|_| ())
    }

    /// Nothing is called with this token any more; whether it still was the one in force.
    pub async fn disable(&self, workspace: &Workspace, digest: &str, disabled: &Disabled) -> Result<bool, StoreError> {
        let disabled: AttributeValue =
            serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(disabled).map_err(|error| StoreError::form(&error))?;
        let values = [(":disabled", disabled), (":digest", text(digest))];
        self.change(workspace, "SET disabled = :disabled", Some("token_digest = :digest"), values).await
    }

    /// Slack took Tocsin out, and the token with this digest went with it; whether what was `read` is still in force.
    pub async fn remove(&self, workspace: &Workspace, read: &str, digest: &str, at: Timestamp) -> Result<bool, StoreError> {
        let values = [(":at", text(at.to_string())), (":read", text(read)), (":digest", text(digest))];
        let set = "SET removed_at = :at, token_digest = :digest REMOVE refresh";
        self.change(workspace, set, Some("token_digest = :read"), values).await
    }

    /// Marks a refresh, before Slack is asked and when it turns out to be lost.
    pub async fn mark_refresh(&self, workspace: &Workspace, digest: &str, refresh: &Refresh) -> Result<bool, StoreError> {
        let refresh: AttributeValue =
            serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(refresh).map_err(|error| StoreError::form(&error))?;
        let values = [(":refresh", refresh), (":digest", text(digest))];
        self.change(workspace, "SET refresh = :refresh", Some("token_digest = :digest"), values).await
    }

    /// Slack did not refresh, and says so: the mark goes.
    pub async fn unmark_refresh(&self, workspace: &Workspace, digest: &str) -> Result<bool, StoreError> {
        self.change(workspace, "REMOVE refresh", Some("token_digest = :digest"), [(":digest", text(digest))]).await
    }

    /// A new token stands in the secret.
    pub async fn refreshed(
        &self,
        workspace: &Workspace,
        before: &str,
        digest: &str,
        token_expires_at: Option<i64>,
    ) -> Result<bool, StoreError> {
        let expires_at = token_expires_at.map_or(AttributeValue::Null(true), number);
        let values = [(":before", text(before)), (":digest", text(digest)), (":expires_at", expires_at)];
        let set = "SET token_digest = :digest, token_expires_at = :expires_at REMOVE refresh";
        self.change(workspace, set, Some("token_digest = :before"), values).await
    }

    /// Changes an installation's item if `condition` holds; whether it did.
    async fn change<const N: usize>(
        &self,
        workspace: &Workspace,
        change: &str,
        condition: Option<&str>,
        values: [(&str, AttributeValue); N],
    ) -> Result<bool, StoreError> {
        let mut update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::installation(workspace).item()))
            .update_expression(change)
            .set_condition_expression(condition.map(str::to_owned));
        if change.contains("#name") {
            update = update.expression_attribute_names("#name", "name");
        }
        for (name, value) in values {
            update = update.expression_attribute_values(name, value);
        }
        held(update.send().await)
    }

    /// Locks the installation's secret for `owner` until a time; whether nobody else holds it. Whoever has it already, keeps it.
    pub async fn lock(&self, workspace: &Workspace, owner: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::lock(workspace).item()))
            .update_expression("SET #owner = :owner, #until = :until")
            .condition_expression("attribute_not_exists(#owner) OR #owner = :owner OR #until < :now")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":until", number(until.as_millisecond()))
            .expression_attribute_values(":now", number(now.as_millisecond()));
        held(update.send().await)
    }

    /// Gives the lock back. One that another has taken meanwhile stays theirs.
    pub async fn unlock(&self, workspace: &Workspace, owner: &str) -> Result<(), StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::lock(workspace).item()))
            .update_expression("REMOVE #owner, #until")
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":owner", text(owner));
        held(update.send().await).map(|_| ())
    }
}
