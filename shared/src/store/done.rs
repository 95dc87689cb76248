//! What comes of a post: one transaction takes it off and keeps where the message is, under the condition that the post is still ours.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};
use jiff::Timestamp;

use crate::domain::ids::{Channel, IncidentId, MessageTs, Workspace};
use crate::domain::storm::Member;

use super::attempts::held;
use super::commit::{UPDATE_RANK, condition_failed, is_conflict};
use super::incidents::Shown;
use super::keys::{self, Key};
use super::pace::ChannelPace;
use super::posts::{Due, Kind, Posted};
use super::{Store, StoreError, attribute, number, text, write};

/// How often a transaction that met another one is tried again.
const CONFLICTS_MOST: u32 = 5;

/// A post that Slack took.
#[derive(Debug)]
pub struct Done<'a> {
    /// Which.
    pub due: &'a Due,
    /// Who did it.
    pub owner: &'a str,
    /// Where it is, and which version it shows.
    pub posted: &'a Posted,
    /// The channel's pace from now on, where it was a message.
    pub pace: Option<&'a ChannelPace>,
    /// Of a page, how each of its incidents was shown.
    pub members: &'a [Member],
    /// Now.
    pub now: Timestamp,
}

/// Up to which want a post is done.
#[derive(Debug, Clone, Copy)]
enum Newest {
    /// Whatever is wanted.
    Any,
    /// A want of this version, or of an older one.
    Upto(u64),
    /// Just this want.
    Exactly(u64),
}

impl Store {
    /// A post was done: takes it off, unless something newer is wanted by now, and keeps where it is and how fast the channel is. `false` when that
    /// could not be, because another poster was at work meanwhile: then a card may show the past, and is due again.
    pub async fn done(&self, workspace: &Workspace, channel: &Channel, done: &Done<'_>) -> Result<bool, StoreError> {
        let Done { due, owner, posted, pace, members, now } = done;
        let pace = pace.map(|pace| self.keep_channel_pace(workspace, channel, pace)).transpose()?;
        let kind = due.kind();
        let Some((kind, kept_at)) = kind.as_ref().and_then(|kind| Some((kind, kind.kept_at(workspace, channel)?))) else {
            return self.transact_posts([self.take_off(due, owner, Newest::Any)?].into_iter().chain(pace).collect()).await;
        };
        let is_message = pace.is_some();
        let mut rest: Vec<_> = pace.into_iter().collect();
        if let Kind::Card(incident) = kind
            && is_message
        {
            rest.extend(self.keep_shown(workspace, channel, incident, posted)?);
        }
        let newest = match kind {
            Kind::Card(_) | Kind::Reply(..) | Kind::Report(..) => Newest::Upto(posted.shown),
            Kind::Notice(_) => Newest::Any,
            Kind::Digest(_) => Newest::Exactly(due.want),
            Kind::Page(digest, _) => {
                rest.push(self.want_digest(workspace, channel, digest, *now)?);
                Newest::Exactly(due.want)
            }
        };
        // What was found shows what stood there when it was posted, which nobody knows: the next update paints it.
        if posted.shown > 0 {
            let whole = [vec![self.take_off(due, owner, newest)?, self.keep_posted(&kept_at, posted, members)?], rest.clone()].concat();
            if self.transact_posts(whole).await? {
                return Ok(true);
            }
        }
        // Something newer is wanted: the post stays due, and from the beginning. A page may have more members by now than were read; the next update keeps them.
        let stay = [vec![self.stay(due, kind, owner)?, self.keep_posted(&kept_at, posted, &[])?], rest].concat();
        if self.transact_posts(stay).await? {
            return Ok(true);
        }
        self.repaint(&due.key(), due).await?;
        Ok(false)
    }

    /// `gone` is gone from Slack, which is what this kind of post shows: the next one makes it new. Only the message that is meant: another may be there by now.
    pub async fn forget(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        lost: &Kind,
        due: &Due,
        gone: &MessageTs,
    ) -> Result<(), StoreError> {
        let Some(kept_at) = lost.kept_at(workspace, channel) else { return Ok(()) };
        let forget = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(kept_at.item()))
            .update_expression("REMOVE slack_channel, ts, shown")
            .condition_expression("ts = :gone")
            .expression_attribute_values(":gone", text(gone.as_str()));
        held(forget.send().await)?;
        match lost {
            Kind::Card(incident) => self.repaint(&keys::due_card(workspace, channel, incident), due).await,
            Kind::Digest(digest) => self.repaint(&keys::due_digest(workspace, channel, digest), due).await,
            Kind::Page(digest, page) => self.repaint(&keys::due_page(workspace, channel, digest, *page), due).await,
            Kind::Reply(..) | Kind::Notice(_) | Kind::Report(..) => Ok(()),
        }
    }

    /// Takes off a post that nobody needs to see: what it would tell stands on a page.
    pub async fn drop_due(&self, due: &Due) -> Result<(), StoreError> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(due.key().item()));
        delete.send().await.map(|_| ()).map_err(|error| StoreError::call(&error))
    }

    /// What a due post is about has to be painted once more, whoever does it. Where that is due already, what is wanted there is newer.
    async fn repaint(&self, what: &Key, due: &Due) -> Result<(), StoreError> {
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(what.item()))
            .update_expression("SET want = if_not_exists(want, :want), #rank = if_not_exists(#rank, :rank), since = if_not_exists(since, :since) REMOVE refused")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":want", number(due.want))
            .expression_attribute_values(":rank", number(UPDATE_RANK))
            .expression_attribute_values(":since", number(due.since))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::call(&error))
    }

    /// Whoever does something at this message means this incident. What a webhook posted has no `ts`, and nothing can be done at it.
    fn keep_shown(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        incident: &IncidentId,
        posted: &Posted,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        if posted.ts.as_str().is_empty() {
            return Ok(None);
        }
        let shown = Shown { incident: incident.clone(), place: channel.clone() };
        let item = write(&keys::shown_at(workspace, &posted.slack_channel, &posted.ts), &shown)?;
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build();
        let put = put.map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(Some(TransactWriteItem::builder().put(put).build()))
    }

    fn keep_posted(&self, place: &Key, posted: &Posted, members: &[Member]) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(place.item()))
            .update_expression("SET slack_channel = :channel, ts = :ts, shown = :shown")
            .condition_expression("attribute_not_exists(shown) OR shown <= :shown")
            .expression_attribute_values(":channel", text(posted.slack_channel.as_str()))
            .expression_attribute_values(":ts", text(posted.ts.as_str()))
            .expression_attribute_values(":shown", number(posted.shown));
        if !members.is_empty() {
            update = update
                .update_expression("SET slack_channel = :channel, ts = :ts, shown = :shown, members = :members")
                .expression_attribute_values(":members", attribute(&members)?);
        }
        let update = update.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The post stays due, and nobody tries it at the moment. A card is an update from now on, and nothing that a storm could move.
    fn stay(&self, due: &Due, kind: &Kind, owner: &str) -> Result<TransactWriteItem, StoreError> {
        const AGAIN: &str = "REMOVE attempt, attempts, failures, failed_at, token_failures, gone";
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .condition_expression("attempt.#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner));
        let update = match kind {
            Kind::Card(_) => update
                .update_expression(format!("SET #rank = :rank {AGAIN}"))
                .expression_attribute_names("#rank", "rank")
                .expression_attribute_values(":rank", number(UPDATE_RANK)),
            Kind::Reply(..) | Kind::Digest(_) | Kind::Page(..) | Kind::Notice(_) | Kind::Report(..) => update.update_expression(AGAIN),
        };
        let update = update.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn take_off(&self, due: &Due, owner: &str, newest: Newest) -> Result<TransactWriteItem, StoreError> {
        const OURS: &str = "attempt.#owner = :owner";
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner));
        let delete = match newest {
            Newest::Any => delete.condition_expression(OURS),
            Newest::Upto(version) => {
                delete.condition_expression(format!("{OURS} AND want <= :want")).expression_attribute_values(":want", number(version))
            }
            Newest::Exactly(want) => {
                delete.condition_expression(format!("{OURS} AND want = :want")).expression_attribute_values(":want", number(want))
            }
        };
        let delete = delete.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Writes all or nothing; `false` when a condition did not hold.
    pub(super) async fn transact_posts(&self, writes: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
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
}
