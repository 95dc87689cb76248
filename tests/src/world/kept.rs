//! What is kept: the table and the secrets, as they stand and as a test changes them behind the functions' back.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::{Value, json};
use shared::domain::timeline::Entry;
use shared::store::keys::entry_place;

use super::{WORKSPACE, World};

impl World {
    /// Everything in the table.
    pub async fn scan(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let scan = self.aws.dynamodb.scan().table_name(&self.resources.table).consistent_read(true).set_exclusive_start_key(from);
            let answer = scan.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
            items.extend(json_of(answer.items));
            from = answer.last_evaluated_key;
            if from.is_none() {
                return items;
            }
        }
    }

    async fn items(&self, partition: &str, beginning: &str) -> Vec<Value> {
        let query = self
            .aws
            .dynamodb
            .query()
            .table_name(&self.resources.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :beginning)")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":beginning", AttributeValue::S(beginning.to_owned()));
        let answer = query.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
        json_of(answer.items)
    }

    /// An incident as it is kept.
    pub async fn incident(&self, incident: &str) -> Value {
        let items = self.items(&format!("{WORKSPACE}#incident#{incident}"), "incident").await;
        items.first().and_then(|item| item.get("data").cloned()).unwrap_or_else(|| panic!("{incident} is not in the table"))
    }

    /// The timeline of an incident, oldest first, as it is kept.
    pub async fn timeline(&self, incident: &str) -> Vec<Value> {
        let items = self.items(&format!("{WORKSPACE}#incident#{incident}"), "timeline#").await;
        items.iter().filter_map(|item| item.get("data").cloned()).collect()
    }

    /// Writes lines of an incident's timeline behind the functions' back, as a long story would.
    pub async fn writes_entries(&self, incident: &str, entries: &[Entry]) {
        let item = |entry: &Entry| {
            let item = json!({ "pk": format!("{WORKSPACE}#incident#{incident}"), "sk": entry_place(entry), "data": entry });
            let put = PutRequest::builder().set_item(serde_dynamo::to_item(item).ok()).build().expect("an item");
            WriteRequest::builder().put_request(put).build()
        };
        for some in entries.chunks(25) {
            let put = self.aws.dynamodb.batch_write_item().request_items(&self.resources.table, some.iter().map(item).collect());
            put.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
        }
    }

    /// Where every card is and which version it shows, as it is kept.
    pub async fn whereabouts(&self) -> BTreeMap<String, Value> {
        let items = self.scan().await.into_iter().filter_map(|item| {
            let place = format!("{} {}", item.get("pk")?.as_str()?, item.get("sk")?.as_str()?);
            place.contains(" message#").then_some((place, item))
        });
        items.collect()
    }

    /// The posts that are due in any channel and not parked.
    pub async fn unposted(&self) -> Vec<String> {
        let items = self.scan().await;
        let due = items.iter().filter(|item| ["parked", "refused"].iter().all(|aside| item.get(*aside).is_none()));
        due.filter_map(|item| item.get("sk")?.as_str().filter(|place| place.starts_with("due#")).map(str::to_owned)).collect()
    }

    /// Lets a minute pass, as far as the count of a channel's new cards goes: what came in it is not counted any more.
    pub async fn forgets_what_came_lately(&self, channel: &str) {
        self.aws
            .dynamodb
            .update_item()
            .table_name(&self.resources.table)
            .key("pk", AttributeValue::S(format!("{WORKSPACE}#channel#{channel}")))
            .key("sk", AttributeValue::S("pace".to_owned()))
            .update_expression("REMOVE lately")
            .send()
            .await
            .unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
    }

    /// Changes an item of the table behind the functions' back, as time would: `expression` sets `:value`.
    pub async fn changes(&self, pk: &str, sk: &str, expression: &str, value: i64) {
        let update = self
            .aws
            .dynamodb
            .update_item()
            .table_name(&self.resources.table)
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .update_expression(expression)
            .expression_attribute_values(":value", AttributeValue::N(value.to_string()));
        let update = if expression.contains("#until") { update.expression_attribute_names("#until", "until") } else { update };
        update.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
    }

    /// The settings' document as it stands.
    pub async fn document(&self) -> String {
        let items = self.items(&format!("{WORKSPACE}#workspace"), "configuration").await;
        items.first().and_then(|item| item.get("document")?.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Gives the workspace settings of its own, a TOML document.
    pub async fn configures(&self, document: &str) {
        self.configures_for(WORKSPACE, document).await;
    }

    /// Gives one of several workspaces settings of its own.
    pub async fn configures_for(&self, workspace: &str, document: &str) {
        self.aws
            .dynamodb
            .put_item()
            .table_name(&self.resources.table)
            .item("pk", AttributeValue::S(format!("{workspace}#workspace")))
            .item("sk", AttributeValue::S("configuration".to_owned()))
            .item("document", AttributeValue::S(document.to_owned()))
            .send()
            .await
            .unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
    }

    /// An installation as it is kept.
    pub async fn installation(&self, workspace: &str) -> Value {
        let items = self.items("installations", workspace).await;
        items.first().cloned().unwrap_or_default()
    }

    /// The secret of an installation by link, as it stands; `None` where there is none.
    pub async fn installation_secret(&self, workspace: &str) -> Option<Value> {
        let id = format!("{}{workspace}", self.resources.installations);
        let answer = self.aws.secrets.get_secret_value().secret_id(id).send().await;
        serde_json::from_str(answer.ok()?.secret_string()?).ok()
    }

    /// Writes the app's secret anew, in whatever form.
    pub async fn writes_app_secret(&self, secret: &Value) {
        let put = self.aws.secrets.put_secret_value().secret_id(&self.resources.secret).secret_string(secret.to_string());
        put.send().await.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
    }

    /// Writes the secret anew, as an admin does who rotates it.
    pub async fn writes_secret(&self, bot_token: &str, signing_secret: &str) {
        self.keeps_secret(bot_token);
        self.keeps_secret(signing_secret);
        self.writes_app_secret(&json!({ "bot_token": bot_token, "signing_secret": signing_secret })).await;
    }

    /// Gives the workspace's endpoint of this name the secret that its calls are signed with.
    pub async fn signs_calls_with(&self, endpoint: &str, secret: &str) {
        self.canaries.keep(secret);
        let name = format!("{}{WORKSPACE}/{endpoint}", self.resources.call_secrets());
        let made = self.aws.secrets.create_secret().name(name).secret_string(secret).send().await;
        made.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
    }
}

/// Items of the table as JSON, which any item is.
fn json_of(items: Option<Vec<HashMap<String, AttributeValue>>>) -> Vec<Value> {
    serde_dynamo::from_items(items.unwrap_or_default()).expect("any item is JSON")
}
