//! What is due in Slack, channel by channel, and what has been posted.
//!
//! A post that is due says what is wanted (this card, this entry in its thread), never the text, so it is rendered from the incident as it stands. Before the
//! call to Slack it is marked with who tries and when; after it, one transaction takes it off and keeps where the message is. A mark without a result means
//! that a poster died in between, or never learnt: whoever comes next looks the message up before posting again.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, IncidentId, MessageTs, Workspace};

use super::commit::{UPDATE_RANK, condition_failed, is_conflict};
use super::keys::{self, Key};
use super::{Store, StoreError, number, text};

/// How many due posts are read at a time: more than a poster can post within its time.
const AT_A_TIME: usize = 5000;

/// How often a transaction that met another one is tried again.
const CONFLICTS_MOST: u32 = 5;

/// A post that is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Due {
    pk: String,
    sk: String,
    /// About which incident.
    pub incident: IncidentId,
    /// The incident's version that made it due.
    pub want: u64,
    /// New cards by severity (1 to 4), then updates (5), then replies (9).
    pub rank: u8,
    /// Since when, in microseconds since 1970.
    pub since: i64,
    /// For a reply: the timeline entry it tells. A card has none.
    #[serde(default)]
    pub entry: Option<String>,
    /// The attempt that has no result yet.
    #[serde(default)]
    pub attempt: Option<Attempt>,
    /// How many attempts there were without any answer.
    #[serde(default)]
    pub attempts: u32,
    /// How often Slack answered that it cannot.
    #[serde(default)]
    pub failures: u32,
    /// Why nobody tries any more, until somebody puts it back from the dead-letter queue.
    #[serde(default)]
    pub parked: Option<String>,
}

/// Who tries to post, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The invocation.
    pub owner: String,
    /// Microseconds since 1970.
    pub at: i64,
    /// When the first attempt began that has no result yet: a look-up goes back that far.
    pub first: i64,
}

/// A card in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Posted {
    /// The channel's id, which Slack answered: `chat.update` takes no name.
    pub slack_channel: Channel,
    /// The message.
    pub ts: MessageTs,
    /// The incident's version it shows.
    pub shown: u64,
}

impl Due {
    /// Its name within the channel.
    pub fn place(&self) -> &str {
        &self.sk
    }

    fn key(&self) -> Key {
        Key { pk: self.pk.clone(), sk: self.sk.clone() }
    }
}

impl Store {
    /// What is due in a channel and not parked, in the order in which it is to be posted.
    pub async fn due(&self, workspace: &Workspace, channel: &Channel) -> Result<Vec<Due>, StoreError> {
        let mut due: Vec<Due> = self.query_unparked(&keys::channel_partition(workspace, channel), AT_A_TIME).await?;
        due.sort_by(|one, other| (one.rank, one.since, &one.sk).cmp(&(other.rank, other.since, &other.sk)));
        Ok(due)
    }

    /// The card of an incident in a channel, if it has been posted.
    pub async fn posted(&self, workspace: &Workspace, incident: &IncidentId, channel: &Channel) -> Result<Option<Posted>, StoreError> {
        self.get(&keys::message(workspace, incident, channel)).await
    }

    /// Marks an attempt; `false` when somebody else has it, or it is done.
    pub async fn attempt(&self, due: &Due, attempt: &Attempt) -> Result<bool, StoreError> {
        let mut update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .update_expression("SET attempt = :attempt, attempts = if_not_exists(attempts, :none) + :one")
            .expression_attribute_values(":attempt", attribute(attempt)?)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1));
        update = match &due.attempt {
            None => update.condition_expression("attribute_exists(pk) AND attribute_not_exists(attempt)"),
            Some(seen) => update.condition_expression("attempt = :seen").expression_attribute_values(":seen", attribute(seen)?),
        };
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) => Ok(false),
            Err(error) => Err(StoreError::call(&error)),
        }
    }

    /// Takes the mark off: Slack was not asked, or said that it did nothing.
    pub async fn release(&self, due: &Due, owner: &str) -> Result<(), StoreError> {
        self.change_own(due, owner, "SET failures = if_not_exists(failures, :none) + :one REMOVE attempt, attempts", None).await
    }

    /// Whether Slack did it is not known, but whoever tried lived to say so: the mark stays for a look-up, and it counts as no death.
    pub async fn unresolved(&self, due: &Due, owner: &str) -> Result<(), StoreError> {
        self.change_own(due, owner, "SET failures = if_not_exists(failures, :none) + :one REMOVE attempts", None).await
    }

    /// Nobody is to try this post again until somebody puts it back. The mark of an attempt without a result stays, so that it is looked up then too;
    /// where Slack `answered`, it goes.
    pub async fn park(&self, due: &Due, owner: &str, reason: &str, answered: bool) -> Result<(), StoreError> {
        let change = if answered { "SET parked = :reason REMOVE attempt" } else { "SET parked = :reason" };
        self.change_own(due, owner, change, Some(reason)).await
    }

    async fn change_own(&self, due: &Due, owner: &str, change: &str, reason: Option<&str>) -> Result<(), StoreError> {
        let mut update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .update_expression(change)
            .condition_expression("attempt.#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner));
        update = match reason {
            Some(reason) => update.expression_attribute_values(":reason", text(reason)),
            None => update.expression_attribute_values(":none", number(0)).expression_attribute_values(":one", number(1)),
        };
        match update.send().await {
            // Somebody else has it by now, or it is done: nothing of ours to change.
            Err(error) if !matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) => {
                Err(StoreError::call(&error))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// A parked post may be tried again.
    pub async fn unpark(&self, workspace: &Workspace, channel: &Channel, place: &str) -> Result<(), StoreError> {
        let key = Key { pk: keys::channel_partition(workspace, channel), sk: place.to_owned() };
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .update_expression("REMOVE parked, attempts, failures")
            .condition_expression("attribute_exists(pk)");
        match update.send().await {
            Err(error) if !matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) => {
                Err(StoreError::call(&error))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// A card was posted or brought up to date, and shows version `posted.shown`: takes the post off, unless something newer is wanted, and keeps where
    /// the card is. `false` when that could not be, because another poster was at work meanwhile: then the card may show the past, and is due again.
    pub async fn card_done(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        due: &Due,
        owner: &str,
        posted: &Posted,
    ) -> Result<bool, StoreError> {
        let keep = self.keep_posted(workspace, &due.incident, channel, posted)?;
        if self.transact_posts(vec![self.take_off(due, owner, Some(posted.shown))?, keep.clone()]).await? {
            return Ok(true);
        }
        // Something newer is wanted: the post stays due without our mark.
        let stay = self.update_own(due, owner, "REMOVE attempt", &[])?;
        if self.transact_posts(vec![stay, keep]).await? {
            return Ok(true);
        }
        self.repaint(&due.key(), due).await?;
        Ok(false)
    }

    /// A reply was posted: takes it off, if it is still ours.
    pub async fn reply_done(&self, due: &Due, owner: &str) -> Result<bool, StoreError> {
        self.transact_posts(vec![self.take_off(due, owner, None)?]).await
    }

    /// The card is gone from Slack: the next post makes a new one.
    pub async fn forget_card(&self, workspace: &Workspace, incident: &IncidentId, channel: &Channel) -> Result<(), StoreError> {
        let key = keys::message(workspace, incident, channel).item();
        self.db.delete_item().table_name(&self.table).set_key(Some(key)).send().await.map(|_| ()).map_err(|error| StoreError::call(&error))
    }

    /// A card that is gone is due again, for the sake of a reply that has nothing to stand under.
    pub async fn want_card(&self, workspace: &Workspace, channel: &Channel, reply: &Due) -> Result<(), StoreError> {
        self.repaint(&keys::due_card(workspace, channel, &reply.incident), reply).await
    }

    /// The card has to be painted once more, whoever does it.
    async fn repaint(&self, card: &Key, due: &Due) -> Result<(), StoreError> {
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(card.item()))
            .update_expression(
                "SET incident = :incident, want = :want, #rank = if_not_exists(#rank, :rank), since = if_not_exists(since, :since)",
            )
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":incident", text(due.incident.as_str()))
            .expression_attribute_values(":want", number(due.want))
            .expression_attribute_values(":rank", number(UPDATE_RANK))
            .expression_attribute_values(":since", number(due.since))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::call(&error))
    }

    fn keep_posted(
        &self,
        workspace: &Workspace,
        incident: &IncidentId,
        channel: &Channel,
        posted: &Posted,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::message(workspace, incident, channel).item()))
            .update_expression("SET slack_channel = :channel, ts = :ts, shown = :shown")
            .condition_expression("attribute_not_exists(shown) OR shown <= :shown")
            .expression_attribute_values(":channel", text(posted.slack_channel.as_str()))
            .expression_attribute_values(":ts", text(posted.ts.as_str()))
            .expression_attribute_values(":shown", number(posted.shown))
            .build()
            .map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn take_off(&self, due: &Due, owner: &str, shown: Option<u64>) -> Result<TransactWriteItem, StoreError> {
        let mut delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .condition_expression("attempt.#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner));
        if let Some(shown) = shown {
            delete = delete
                .condition_expression("attempt.#owner = :owner AND want <= :shown")
                .expression_attribute_values(":shown", number(shown));
        }
        let delete = delete.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn update_own(&self, due: &Due, owner: &str, change: &str, values: &[(&str, &str)]) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .update_expression(change)
            .condition_expression("attempt.#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner));
        for (name, value) in values {
            update = update.expression_attribute_values(*name, text(*value));
        }
        let update = update.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Writes all or nothing; `false` when a condition did not hold.
    async fn transact_posts(&self, writes: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        for _ in 0..CONFLICTS_MOST {
            match self.db.transact_write_items().set_transact_items(Some(writes.clone())).send().await {
                Ok(_) => return Ok(true),
                Err(error) if condition_failed(&error) => return Ok(false),
                // The worker writes a newer want at this very moment: that says nothing about our conditions.
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(StoreError::call(&error)),
            }
        }
        Err(StoreError::Call(format!("{CONFLICTS_MOST} transactions in a row met others")))
    }

    /// Until when a channel, or a method, takes nothing more.
    pub async fn not_before(&self, pace: &Key) -> Result<Option<Timestamp>, StoreError> {
        #[derive(Deserialize)]
        struct Pace {
            not_before: i64,
        }
        let pace: Option<Pace> = self.get(pace).await?;
        Ok(pace.and_then(|pace| Timestamp::from_microsecond(pace.not_before).ok()))
    }

    /// A channel took a message, answered with its id, and takes no other before `until`.
    pub async fn pace_channel(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        slack_channel: &Channel,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let pace = keys::channel_pace(workspace, channel);
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(pace.item()))
            .update_expression("SET not_before = :until, slack_channel = :channel")
            .expression_attribute_values(":until", number(until.as_microsecond()))
            .expression_attribute_values(":channel", text(slack_channel.as_str()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::call(&error))
    }

    /// The channel's id, once a message was posted there.
    pub async fn slack_channel(&self, workspace: &Workspace, channel: &Channel) -> Result<Option<Channel>, StoreError> {
        #[derive(Deserialize)]
        struct Known {
            slack_channel: Option<Channel>,
        }
        let known: Option<Known> = self.get(&keys::channel_pace(workspace, channel)).await?;
        Ok(known.and_then(|known| known.slack_channel))
    }

    /// Nothing more before `until`: only ever later than what stands there.
    pub async fn hold(&self, pace: &Key, until: Timestamp) -> Result<(), StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(pace.item()))
            .update_expression("SET not_before = :until")
            .condition_expression("attribute_not_exists(not_before) OR not_before < :until")
            .expression_attribute_values(":until", number(until.as_microsecond()));
        match update.send().await {
            Err(error) if !matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) => {
                Err(StoreError::call(&error))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn attribute(value: &impl Serialize) -> Result<aws_sdk_dynamodb::types::AttributeValue, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value).map_err(|error| StoreError::form(&error))
}
