//! How fast Slack is called: per channel, and per workspace and method. What stands here is read before a call, and raised by any answer that says to wait.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, DigestId, Workspace};
use crate::domain::storm::Lately;

use super::attempts::held;
use super::keys;
use super::{Item, Store, StoreError, attribute, number, read, write};

/// How often a place in a method's rate is tried for, when others take one at the same moment.
const TRIES: u32 = 5;

/// For how long a method is left alone at most, in seconds.
const HELD_MOST: i64 = 43_200;

/// A channel's pace, which its poster reads once, keeps in hand, and writes with every message: only one poster at a time works in a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPace {
    /// No message before this, in microseconds since 1970.
    #[serde(default)]
    pub not_before: i64,
    /// The channel's id, which Slack answered to its first message: a history is read by nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_channel: Option<Channel>,
    /// How many new incidents came lately.
    #[serde(default)]
    pub lately: Lately,
    /// The storm that is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<Storm>,
    /// Nothing could be posted there when it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<Parked>,
}

/// Nothing can be posted in a channel until somebody mends something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// When it was tried last.
    pub at: Timestamp,
    /// What has to be mended, as the dead letter says it.
    pub reason: String,
    /// With what it was tried, [`crate::installation::Installations::key_to`]: with something else it may be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A storm that is on in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storm {
    /// What carries its incidents.
    pub digest: DigestId,
    /// The page that takes the next ones.
    pub page: u32,
    /// How many are on it.
    pub filled: usize,
}

/// What stands against the next call of a method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodPace {
    /// No call before this, because Slack said so; in microseconds since 1970.
    #[serde(default)]
    not_before: Option<i64>,
    /// When the next call would be due if calls were spread evenly.
    #[serde(default)]
    next: Option<i64>,
}

impl MethodPace {
    /// Until when Slack wants no call.
    pub fn held_until(&self) -> Option<Timestamp> {
        self.not_before.and_then(|until| Timestamp::from_microsecond(until).ok())
    }

    /// Where a call at `now` stands in a rate of `per_minute` calls: what to write for taking the place, or when there is one.
    ///
    /// Calls are spread evenly over four fifths of the rate, and the last fifth may come at once: so no minute holds more than the rate.
    fn place(&self, per_minute: u32, now: Timestamp) -> Result<i64, Timestamp> {
        let at_once = i64::from(per_minute / 5).max(1);
        let apart = 60_000_000 / (i64::from(per_minute) - at_once).max(1);
        let now_micros = now.as_microsecond();
        let next = self.next.unwrap_or_default().max(now_micros);
        let ahead = next - now_micros;
        let room = apart * (at_once - 1);
        if ahead <= room { Ok(next + apart) } else { Err(now + SignedDuration::from_micros(ahead - room)) }
    }
}

impl Store {
    /// A channel's pace.
    pub async fn channel_pace(&self, workspace: &Workspace, channel: &Channel) -> Result<ChannelPace, StoreError> {
        Ok(self.get(&keys::channel_pace(workspace, channel)).await?.unwrap_or_default())
    }

    /// Keeps that nothing can be posted in a channel, unless somebody else has posted there since its pace was read with this `not_before`.
    pub async fn park_channel(&self, workspace: &Workspace, channel: &Channel, parked: &Parked, not_before: i64) -> Result<(), StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::channel_pace(workspace, channel).item()))
            .update_expression("SET parked = :parked")
            .condition_expression("attribute_not_exists(not_before) OR not_before = :not_before")
            .expression_attribute_values(":not_before", number(not_before))
            .expression_attribute_values(":parked", attribute(parked)?);
        held(update.send().await).map(|_| ())
    }

    /// Nothing stands in the way of a channel any more.
    pub async fn unpark_channel(&self, workspace: &Workspace, channel: &Channel) -> Result<(), StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::channel_pace(workspace, channel).item()))
            .update_expression("REMOVE parked");
        update.send().await.map(|_| ()).map_err(|error| StoreError::call(&error))
    }

    pub(super) fn keep_channel_pace(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        pace: &ChannelPace,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = write(&keys::channel_pace(workspace, channel), pace)?;
        self.put_pace(Put::builder().set_item(Some(item)))
    }

    /// The pace that was `read`, without its storm, if it is still as it was read.
    pub(super) fn keep_calm(&self, workspace: &Workspace, channel: &Channel, read: &ChannelPace) -> Result<TransactWriteItem, StoreError> {
        let item = write(&keys::channel_pace(workspace, channel), &ChannelPace { storm: None, ..read.clone() })?;
        let put = Put::builder()
            .set_item(Some(item))
            .condition_expression("storm = :storm AND not_before = :not_before")
            .expression_attribute_values(":storm", attribute(&read.storm)?)
            .expression_attribute_values(":not_before", number(read.not_before));
        self.put_pace(put)
    }

    fn put_pace(&self, put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
        let put = put.table_name(&self.table).build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Takes a place among the calls of a method that the whole workspace shares; `Some` says when there will be one.
    pub async fn take_place(
        &self,
        workspace: &Workspace,
        method: &str,
        per_minute: u32,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let key = keys::method_pace(workspace, method);
        for _ in 0..TRIES {
            let pace: MethodPace = self.get(&key).await?.unwrap_or_default();
            if let Some(held) = pace.held_until().filter(|until| *until > now) {
                return Ok(Some(held));
            }
            let next = match pace.place(per_minute, now) {
                Ok(next) => next,
                Err(until) => return Ok(Some(until)),
            };
            let mut update = self
                .db
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key.item()))
                .update_expression("SET #next = :next")
                .expression_attribute_names("#next", "next")
                .expression_attribute_values(":next", number(next));
            update = match pace.next {
                None => update.condition_expression("attribute_not_exists(#next)"),
                Some(read) => update.condition_expression("#next = :read").expression_attribute_values(":read", number(read)),
            };
            match update.send().await {
                Ok(_) => return Ok(None),
                Err(error) if matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) => {}
                Err(error) => return Err(StoreError::call(&error)),
            }
        }
        // So many others at once: after a moment there is a place again.
        Ok(Some(now + SignedDuration::from_secs(1)))
    }

    /// Until when Slack wants no call of a method.
    pub async fn held_until(&self, workspace: &Workspace, method: &str) -> Result<Option<Timestamp>, StoreError> {
        let pace: Option<MethodPace> = self.get(&keys::method_pace(workspace, method)).await?;
        Ok(pace.unwrap_or_default().held_until())
    }

    /// No call of a method for `retry_after` seconds, half a day at most whatever Slack says: until when. Only ever later than what stands there.
    pub async fn hold(&self, workspace: &Workspace, method: &str, retry_after: u64) -> Result<Timestamp, StoreError> {
        let until = Timestamp::now() + SignedDuration::from_secs(i64::try_from(retry_after).unwrap_or(i64::MAX).min(HELD_MOST));
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::method_pace(workspace, method).item()))
            .update_expression("SET not_before = :until")
            .condition_expression("attribute_not_exists(not_before) OR not_before < :until")
            .expression_attribute_values(":until", number(until.as_microsecond()));
        held(update.send().await).map(|_| until)
    }
}

pub(super) fn method_pace(item: Option<Item>) -> Result<MethodPace, StoreError> {
    Ok(item.map(read).transpose()?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        let micros = SignedDuration::try_from_secs_f64(seconds).expect("a time").as_micros();
        Timestamp::from_microsecond(1_800_000_000_000_000 + i64::try_from(micros).expect("a time")).expect("a time")
    }

    /// Takes places as soon as there are any, for `seconds`: when each was taken.
    fn taken(per_minute: u32, seconds: f64) -> Vec<Timestamp> {
        let (mut pace, mut now, mut taken) = (MethodPace::default(), at(0.0), Vec::new());
        while now < at(seconds) {
            match pace.place(per_minute, now) {
                Ok(next) => {
                    taken.push(now);
                    pace.next = Some(next);
                }
                Err(until) => {
                    assert!(until > now, "a wait takes time");
                    now = until;
                }
            }
        }
        taken
    }

    #[test]
    fn no_minute_holds_more_calls_than_the_rate_and_a_few_may_come_at_once() {
        for per_minute in [1, 20, 50, 600] {
            let taken = taken(per_minute, 200.0);
            let most =
                taken.iter().map(|from| taken.iter().filter(|at| (*from..*from + SignedDuration::from_mins(1)).contains(at)).count());
            let most = most.max().expect("some calls");
            assert!(most <= usize::try_from(per_minute).expect("a number"), "{most} calls in a minute, {per_minute} allowed");
            assert!(most * 10 >= usize::try_from(per_minute).expect("a number") * 8, "only {most} of {per_minute} calls are made use of");
        }
        assert_eq!(taken(50, 0.1).len(), 10);
    }

    #[test]
    fn what_rested_does_not_save_up() {
        let pace = MethodPace { not_before: None, next: Some(at(0.0).as_microsecond()) };
        assert_eq!(pace.place(50, at(3600.0)), Ok(at(3600.0).as_microsecond() + 1_500_000));
    }
}
