//! DynamoDB: one table, every key beginning with the installation. [`keys`] says what stands where; [`incidents`] reads, [`commit`] writes an intent's
//! whole effect in one transaction, [`posts`] is what is due in Slack, [`attempts`] who tries it, [`done`] what came of it, [`digest`] what came in a storm, [`notices`] what is told once, [`pace`] how fast Slack is called, [`reports`] what is posted by the calendar, [`timers`] what falls due with
//! time, [`workspaces`] what is known of a workspace and its people, [`installations`] who has installed Tocsin, [`states`] who is about to.

pub mod attempts;
pub mod commit;
pub mod digest;
pub mod done;
pub mod incidents;
pub mod installations;
pub mod keys;
pub mod notices;
pub mod pace;
pub mod posts;
pub mod reports;
pub mod states;
pub mod timers;
pub mod workspaces;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use serde::Serialize;
use serde::de::DeserializeOwned;

use keys::Key;

/// An item as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Debug, Clone)]
pub struct Store {
    db: Client,
    table: String,
}

/// DynamoDB did not do it. The message names no values.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The call failed; trying again may help.
    #[error("DynamoDB: {0}")]
    Call(String),
    /// An item cannot be read or written in the form it should have.
    #[error("an item of the table is not of its form: {0}")]
    Form(String),
}

impl StoreError {
    fn call<E: std::error::Error + 'static, R: std::fmt::Debug + 'static>(error: &SdkError<E, R>) -> Self {
        Self::Call(crate::causes(error))
    }

    fn form(error: &serde_dynamo::Error) -> Self {
        Self::Form(error.to_string())
    }
}

impl Store {
    /// The table of this name.
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// Reads one item as it stands now.
    async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        let answer = self.db.get_item().table_name(&self.table).set_key(Some(key.item())).consistent_read(true).send().await;
        answer.map_err(|error| StoreError::call(&error))?.item.map(read).transpose()
    }

    /// Reads several items as they stand now, at once; what is not there is left out. At most 100.
    async fn get_several<'k>(&self, keys: impl Iterator<Item = &'k Key>) -> Result<HashMap<Key, Item>, StoreError> {
        let form = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Form(error.to_string());
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.map(Key::item).collect())).consistent_read(true);
        let mut wanted = Some(HashMap::from([(self.table.clone(), wanted.build().map_err(form)?)]));
        let mut found = HashMap::new();
        while let Some(keys) = wanted.take() {
            let answer = self.db.batch_get_item().set_request_items(Some(keys)).send().await.map_err(|error| StoreError::call(&error))?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                found.insert(Key::of(&item)?, item);
            }
            // DynamoDB answers at most 16 MB at a time, and less where it is busy.
            wanted = answer.unprocessed_keys.filter(|rest| !rest.is_empty());
        }
        Ok(found)
    }

    /// Reads all items of a partition whose sort keys begin with `prefix`, in their order; all of the partition where there is no prefix.
    async fn query<T: DeserializeOwned>(&self, pk: &str, prefix: Option<&str>, limit: usize) -> Result<Vec<T>, StoreError> {
        self.select(pk, prefix, None, limit).await
    }

    /// Reads what is due in a partition and not parked.
    async fn query_unparked<T: DeserializeOwned>(&self, pk: &str, limit: usize) -> Result<Vec<T>, StoreError> {
        self.select(pk, Some("due#"), Some("attribute_not_exists(parked) AND attribute_not_exists(refused)"), limit).await
    }

    async fn select<T: DeserializeOwned>(
        &self,
        pk: &str,
        prefix: Option<&str>,
        filter: Option<&str>,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        let condition = if prefix.is_some() { "pk = :pk AND begins_with(sk, :prefix)" } else { "pk = :pk" };
        let query = self.db.query().table_name(&self.table).key_condition_expression(condition).consistent_read(true);
        let mut query = query.expression_attribute_values(":pk", text(pk)).set_filter_expression(filter.map(str::to_owned));
        if let Some(prefix) = prefix {
            query = query.expression_attribute_values(":prefix", text(prefix));
        }
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let answer = query.clone().set_exclusive_start_key(from).send().await.map_err(|error| StoreError::call(&error))?;
            for item in answer.items.unwrap_or_default() {
                items.push(read(item)?);
            }
            from = answer.last_evaluated_key;
            if from.is_none() || items.len() >= limit {
                items.truncate(limit);
                return Ok(items);
            }
        }
    }

    /// Writes an item over whatever stands there.
    async fn put(&self, key: &Key, value: &impl Serialize) -> Result<(), StoreError> {
        let item = write(key, value)?;
        self.db.put_item().table_name(&self.table).set_item(Some(item)).send().await.map(|_| ()).map_err(|error| StoreError::call(&error))
    }
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value).map_err(|error| StoreError::form(&error))
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|error| StoreError::form(&error))
}

fn write(key: &Key, value: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(value).map_err(|error| StoreError::form(&error))?;
    item.extend(key.item());
    Ok(item)
}
