//! An intent's whole effect, in one transaction: the incident (at the version that was read), the intent's marker (absent until now), the timeline, what the
//! source's key means, and the posts that are due.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::Serialize;

use crate::domain::Refusal;
use crate::domain::flapping::Begun;
use crate::domain::ids::{DedupKey, IncidentId, IntentId, Workspace};
use crate::domain::incident::{Effect, Incident, State, Summary};
use crate::domain::timeline::Entry;
use crate::domain::timer::Timer;

use super::incidents::{Marker, Pointer};
use super::keys::{self, Key};
use super::{Store, StoreError, number, text, write};

/// How long a marker is kept, in days: longer than SQS keeps a message (14), so that a job redriven on its last day is still known.
const MARKER_DAYS: i64 = 30;

/// How long something is remembered about an incident whose create does not come, in days.
const EXPECTED_DAYS: i64 = 14;

/// The order of posts in a channel: new cards by severity (1 to 4), then updates, reports, and replies.
pub(super) const UPDATE_RANK: u8 = 5;
/// What is posted by the calendar keeps no incident waiting.
pub(super) const REPORT_RANK: u8 = 6;
pub(super) const REPLY_RANK: u8 = 9;

/// DynamoDB's limit on the writes of one transaction.
const WRITES_MOST: usize = 100;

/// What is to be written.
#[derive(Debug)]
pub struct Commit<'a> {
    /// The intent whose effect this is.
    pub intent: &'a IntentId,
    /// The effect.
    pub effect: &'a Effect,
    /// Entries that were written earlier and become visible with this one.
    pub revealed: &'a [Entry],
    /// What the source's key meant when it was read, where it has to mean this incident from now on.
    pub repoint: Option<Repoint<'a>>,
    /// Now, for what expires.
    pub now: Timestamp,
}

/// A source's key that gets a new meaning.
#[derive(Debug)]
pub struct Repoint<'a> {
    /// The key.
    pub key: &'a DedupKey,
    /// What it meant when it was read.
    pub from: Option<&'a IncidentId>,
    /// When incidents of this key began, this one included.
    pub begun: Begun,
}

/// What came of it.
#[derive(Debug)]
pub enum Committed {
    /// Written.
    Done,
    /// The intent had been applied before, and this was its outcome.
    Already(Marker),
    /// Somebody was faster: read again and decide anew.
    Conflict,
}

#[derive(Serialize)]
struct Kept<'a, T> {
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

#[derive(Serialize)]
struct KeptIncident<'a> {
    data: &'a Incident,
    version: u64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    listed: Option<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

#[derive(Serialize)]
struct Listed {
    workspace: Workspace,
    listing: String,
    summary: Summary,
}

impl Store {
    /// Writes an effect, or nothing.
    pub async fn commit(&self, commit: &Commit<'_>) -> Result<Committed, StoreError> {
        let Commit { intent, effect, revealed, repoint, now } = commit;
        let incident = &effect.incident;
        let marker = Marker::of(effect);
        let mut writes = vec![self.put_marker(&incident.workspace, intent, &marker, *now)?, self.put_incident(incident, *now)?];
        writes.extend(effect.entry.as_ref().map(|entry| self.put_entry(incident, entry)).transpose()?);
        writes.extend(self.put_ended(incident, *now)?);
        for timer in &effect.timers {
            writes.push(self.put_timer(&incident.workspace, timer)?);
        }
        writes.extend(repoint.as_ref().map(|repoint| self.put_pointer(incident, repoint)).transpose()?);
        let own = effect.entry.iter().filter(|_| effect.tells && incident.state() != State::Expected);
        let told: Vec<_> = own.chain(self::revealed(incident, revealed)).filter(|entry| entry.is_told() && !incident.unthreaded).collect();
        // What does not fit into one transaction is not told in the thread; the timeline has it.
        let room = (WRITES_MOST - writes.len()) / incident.channels.len().max(1);
        let room = room.saturating_sub(1);
        for channel in &incident.channels {
            let added = effect.added.contains(channel);
            if effect.repaint || added {
                let rank = if added { incident.severity().rank() } else { UPDATE_RANK };
                writes.push(self.want(&keys::due_card(&incident.workspace, channel, &incident.id), incident, rank, *now)?);
            }
            // In somebody's direct messages the card stands alone, unless it calls them once more.
            let person = channel.person();
            let here = |entry: &&&Entry| entry.is_news_in(channel) && person.as_ref().is_none_or(|person| !added && entry.calls(person));
            for entry in told.iter().filter(here).take(room) {
                let place = keys::entry_place(entry);
                let key = keys::due_reply(&incident.workspace, channel, &incident.id, &place);
                writes.push(self.want(&key, incident, REPLY_RANK, *now)?);
            }
        }
        self.transact(&incident.workspace, intent, writes).await
    }

    /// Writes down that an intent was refused, so that it stays refused when it is delivered again.
    pub async fn refuse(
        &self,
        workspace: &Workspace,
        intent: &IntentId,
        about: Option<(&Incident, &Entry)>,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        let marker = Marker::refused(about, refusal);
        let mut writes = vec![self.put_marker(workspace, intent, &marker, now)?];
        writes.extend(about.map(|(incident, entry)| self.put_entry(incident, entry)).transpose()?);
        self.transact(workspace, intent, writes).await
    }

    async fn transact(&self, workspace: &Workspace, intent: &IntentId, writes: Vec<TransactWriteItem>) -> Result<Committed, StoreError> {
        let answer = self.db.transact_write_items().set_transact_items(Some(writes)).send().await;
        let Err(error) = answer else { return Ok(Committed::Done) };
        // One in progress may be this very one, whose answer was lost: it comes again, and is not taken for somebody else's.
        if !is_conflict(&error) || is_in_progress(&error) {
            return Err(StoreError::call(&error));
        }
        // Either the intent was here before, or somebody else wrote the incident meanwhile; the marker tells.
        Ok(self.marker(workspace, intent).await?.map_or(Committed::Conflict, Committed::Already))
    }

    fn put_marker(
        &self,
        workspace: &Workspace,
        intent: &IntentId,
        marker: &Marker,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let kept = Kept { data: marker, expires_at: Some(keys::expiry(now, MARKER_DAYS)) };
        self.put_if(&keys::marker(workspace, intent), &kept, "attribute_not_exists(pk)", None)
    }

    fn put_incident(&self, incident: &Incident, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let listed = incident.summary().map(|summary| {
            let state = if summary.state == State::Resolved { "resolved" } else { "open" };
            Listed { workspace: incident.workspace.clone(), listing: format!("{state}#{}", incident.id), summary }
        });
        // What waits for its time is kept until then.
        let waits_until = incident.facts.tell_at.as_ref().map(|tell_at| tell_at.value);
        let expires_at = listed.is_none().then(|| keys::expiry(waits_until.map_or(now, |until| until.max(now)), EXPECTED_DAYS));
        let kept = KeptIncident { data: incident, version: incident.version, listed, expires_at };
        let key = keys::incident(&incident.workspace, &incident.id);
        if incident.version == 1 {
            return self.put_if(&key, &kept, "attribute_not_exists(pk)", None);
        }
        self.put_if(&key, &kept, "version = :read", Some(number(incident.version - 1)))
    }

    fn put_entry(&self, incident: &Incident, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let key = keys::entry(&incident.workspace, &incident.id, &keys::entry_place(entry));
        self.put_if(&key, &Kept { data: entry, expires_at: None }, "attribute_not_exists(pk)", None)
    }

    fn put_pointer(&self, incident: &Incident, repoint: &Repoint<'_>) -> Result<TransactWriteItem, StoreError> {
        let key = keys::dedup(&incident.workspace, repoint.key);
        let pointer = Pointer { incident: incident.id.clone(), begun: repoint.begun.clone() };
        match repoint.from {
            None => self.put_if(&key, &pointer, "attribute_not_exists(pk)", None),
            Some(id) => self.put_if(&key, &pointer, "incident = :read", Some(text(id.as_str()))),
        }
    }

    fn put_timer(&self, workspace: &Workspace, timer: &Timer) -> Result<TransactWriteItem, StoreError> {
        let item = write(&keys::timer(workspace, timer), &Kept { data: timer, expires_at: None })?;
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build();
        Ok(TransactWriteItem::builder().put(put.map_err(|error| StoreError::Form(error.to_string()))?).build())
    }

    fn put_if(
        &self,
        key: &Key,
        value: &impl Serialize,
        condition: &str,
        read: Option<aws_sdk_dynamodb::types::AttributeValue>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut put = Put::builder().table_name(&self.table).set_item(Some(write(key, value)?)).condition_expression(condition);
        if let Some(read) = read {
            put = put.expression_attribute_values(":read", read);
        }
        let put = put.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A post that is due: a newer want over an older one. The mark of an attempt that has no result yet stays: that attempt may have posted.
    /// What Slack refused as it was is tried as it is now; what may have been posted stays parked.
    fn want(&self, key: &Key, incident: &Incident, rank: u8, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .update_expression("SET want = :want, #rank = if_not_exists(#rank, :rank), since = if_not_exists(since, :since) REMOVE refused")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":want", number(incident.version))
            .expression_attribute_values(":rank", number(rank))
            .expression_attribute_values(":since", number(now.as_microsecond()));
        let update = update.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// What came before its create and is told now, the newest first.
fn revealed<'a>(incident: &'a Incident, entries: &'a [Entry]) -> impl Iterator<Item = &'a Entry> {
    entries.iter().rev().filter(|entry| incident.still_tells(entry))
}

/// Whether a condition of a transaction did not hold.
pub(super) fn condition_failed<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else { return false };
    cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}

/// Whether a transaction failed at a condition, or at another transaction over the same items.
pub(super) fn is_conflict<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return is_in_progress(error);
    };
    cancelled.cancellation_reasons().iter().any(|reason| matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict")))
}

/// Whether the same transaction, sent before, is still being written.
fn is_in_progress<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    matches!(error.as_service_error(), Some(TransactWriteItemsError::TransactionInProgressException(_)))
}
