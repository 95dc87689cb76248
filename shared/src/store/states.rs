//! Install links that somebody follows: each state is good for one installation, in the browser it was made for, within ten minutes. The table holds digests only.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, keys, text};

/// How long a link may be followed.
pub const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// A state that waits for its browser to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// A digest of what the browser was given to keep.
    pub browser: String,
    /// Seconds since 1970. DynamoDB deletes what has expired when it finds the time, so it is compared as well.
    pub expires_at: i64,
}

impl Store {
    /// Remembers a state by its digest.
    pub async fn expect_install(&self, digest: &str, browser: String, now: Timestamp) -> Result<(), StoreError> {
        let expires_at = now.saturating_add(LIFE).unwrap_or(now).as_second();
        self.put(&keys::install_state(digest), &State { browser, expires_at }).await
    }

    /// What is remembered of a state.
    pub async fn expected_install(&self, digest: &str) -> Result<Option<State>, StoreError> {
        self.get(&keys::install_state(digest)).await
    }

    /// Takes a state away for good; whether it was still there, of this browser. Of two who try, one does.
    pub async fn take_install(&self, digest: &str, browser: &str) -> Result<bool, StoreError> {
        let taken = self
            .db
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::install_state(digest).item()))
            .condition_expression("browser = :browser")
            .expression_attribute_values(":browser", text(browser))
            .send()
            .await;
        match taken {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) => Ok(false),
            Err(error) => Err(StoreError::call(&error)),
        }
    }
}
