//! A storm's digest in a channel: new cards move from what is due onto its pages, and what becomes of them is shown there.
//!
//! An incident moves in one transaction, so it is either still due as a card or on exactly one page: none is lost, none is there twice, and the counts are exact.
//! Pages and the digest are posts that are due like any other; what they want is only counted up, since they are painted from what stands there then.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, DigestId, IncidentId, Workspace};
use crate::domain::incident::{Incident, State};
use crate::domain::severity::Severity;
use crate::domain::storm::{Member, Overview};

use super::incidents::Stored;
use super::keys::{self, Key};
use super::pace::{ChannelPace, Storm};
use super::posts::{Due, Kind};
use super::{Store, StoreError, attribute, number, read, write};

/// A digest stands before everything else that is due in its channel.
const DIGEST_RANK: u8 = 0;
/// A page whose incidents are known already comes after the updates of cards.
const PAGE_RANK: u8 = 6;

/// Where an incident is that came in a storm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnPage {
    /// The storm.
    pub digest: DigestId,
    /// The reply under it.
    pub page: u32,
}

#[derive(Deserialize)]
struct Page {
    members: Vec<Member>,
}

impl Store {
    /// Moves cards that are due onto the current page of the storm that `pace` names, and keeps that pace; `false` when something changed meanwhile, and nothing
    /// was moved.
    pub async fn absorb(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        cards: &[(&Due, &IncidentId)],
        pace: &ChannelPace,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(Storm { digest, page, .. }) = &pace.storm else { return Ok(false) };
        let on_page = OnPage { digest: digest.clone(), page: *page };
        let members: Vec<_> = cards.iter().map(|(due, incident)| expected(due, incident)).collect();
        let worst = cards.iter().map(|(due, _)| due.rank).min().unwrap_or(PAGE_RANK);
        let mut writes = vec![
            self.keep_channel_pace(workspace, channel, pace)?,
            self.begin_digest(workspace, channel, digest, now)?,
            self.want_digest(workspace, channel, digest, now)?,
            self.extend_page(&keys::page(workspace, channel, digest, *page), &members)?,
            self.want_again(&keys::due_page(workspace, channel, digest, *page), worst, true, now)?,
        ];
        for (due, incident) in cards {
            writes.push(self.take_as_read(due)?);
            let item = write(&keys::message(workspace, incident, channel), &on_page)?;
            let put = Put::builder().table_name(&self.table).set_item(Some(item)).condition_expression("attribute_not_exists(pk)").build();
            writes.push(TransactWriteItem::builder().put(put.map_err(|error| StoreError::Form(error.to_string()))?).build());
        }
        self.transact_posts(writes).await
    }

    /// An incident on a page has changed: the page is due instead of its card. `false` when something changed meanwhile.
    pub async fn fold(&self, workspace: &Workspace, channel: &Channel, due: &Due, on: &OnPage, now: Timestamp) -> Result<bool, StoreError> {
        let page = keys::due_page(workspace, channel, &on.digest, on.page);
        self.transact_posts(vec![self.take_as_read(due)?, self.want_again(&page, PAGE_RANK, false, now)?]).await
    }

    /// It is calm again: the digest says so, and the channel's pace knows of no storm any more. `false` when that is not as it was `read`: then somebody else was at work
    /// in the channel, and what they saw counts.
    pub async fn end_storm(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        read: &ChannelPace,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(Storm { digest, .. }) = &read.storm else { return Ok(false) };
        let ended = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::digest(workspace, channel, digest).item()))
            .update_expression("SET ended = :now")
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .build()
            .map_err(|error| StoreError::Form(error.to_string()))?;
        let writes = vec![
            TransactWriteItem::builder().update(ended).build(),
            self.want_digest(workspace, channel, digest, now)?,
            self.keep_calm(workspace, channel, read)?,
        ];
        self.transact_posts(writes).await
    }

    /// What a digest tells: everything on its pages, as it was when each was painted last.
    pub(super) async fn overview(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        digest: &DigestId,
    ) -> Result<Option<Overview>, StoreError> {
        #[derive(Deserialize)]
        struct Digest {
            started: i64,
            #[serde(default)]
            ended: Option<i64>,
        }
        let kept: Option<Digest> = self.get(&keys::digest(workspace, channel, digest)).await?;
        let Some(Digest { started, ended }) = kept else { return Ok(None) };
        let pages: Vec<Page> = self.query(&keys::channel_partition(workspace, channel), Some(&keys::pages(digest)), usize::MAX).await?;
        let moment = |micros| Timestamp::from_microsecond(micros).ok();
        Ok(Some(Overview {
            started: moment(started).unwrap_or_default(),
            ended: ended.and_then(moment),
            members: pages.into_iter().flat_map(|page| page.members).collect(),
        }))
    }

    /// The incidents of a page, in their order, as they stand now.
    pub(super) async fn on_page(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        digest: &DigestId,
        page: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let page: Option<Page> = self.get(&keys::page(workspace, channel, digest, page)).await?;
        let keys: Vec<_> = page.into_iter().flat_map(|page| page.members).map(|member| keys::incident(workspace, &member.id)).collect();
        let mut found = self.get_several(keys.iter()).await?;
        let incidents = keys.iter().filter_map(|key| found.remove(key)).map(read::<Stored<Incident>>);
        incidents.map(|stored| stored.map(|stored| stored.data)).collect()
    }

    /// Takes off a card as it was read: nobody has begun to post it since.
    fn take_as_read(&self, due: &Due) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&self.table).set_key(Some(due.key().item()));
        let delete = match &due.attempt {
            None => delete.condition_expression("attribute_exists(pk) AND attribute_not_exists(attempt)"),
            Some(over) => delete.condition_expression("attempt = :over").expression_attribute_values(":over", attribute(over)?),
        };
        let delete = delete.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn begin_digest(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        digest: &DigestId,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::digest(workspace, channel, digest).item()))
            .update_expression("SET started = if_not_exists(started, :now)")
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .build()
            .map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn extend_page(&self, page: &Key, members: &[Member]) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(page.item()))
            .update_expression("SET members = list_append(if_not_exists(members, :none), :more)")
            .expression_attribute_values(":none", attribute(&[(); 0])?)
            .expression_attribute_values(":more", attribute(&members)?)
            .build()
            .map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The digest has to be painted again: one of its pages was.
    pub(super) fn want_digest(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        digest: &DigestId,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        self.want_again(&keys::due_digest(workspace, channel, digest), DIGEST_RANK, true, now)
    }

    /// Something that is painted from what stands there is due, once more or for the first time; `raise` moves it to this rank.
    fn want_again(&self, due: &Key, rank: u8, raise: bool, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let rank_change = if raise { "#rank = :rank" } else { "#rank = if_not_exists(#rank, :rank)" };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(due.item()))
            .update_expression(format!("SET {rank_change}, since = if_not_exists(since, :now) ADD want :one REMOVE refused"))
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":rank", number(rank))
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .expression_attribute_values(":one", number(1))
            .build()
            .map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// What a due card tells about its incident before anybody has looked at it.
fn expected(due: &Due, incident: &IncidentId) -> Member {
    let severity = Severity::ALL.into_iter().find(|severity| severity.rank() == due.rank).unwrap_or(Severity::P3);
    Member { id: incident.clone(), severity, state: State::Triggered, title: String::new() }
}

/// What the place of a due post says, where it belongs to a storm.
pub(super) fn kind_of(kind: &str, rest: &str) -> Option<Kind> {
    match kind {
        "digest" => Some(Kind::Digest(DigestId::new(rest))),
        "page" => {
            let (digest, page) = rest.split_once('#')?;
            Some(Kind::Page(DigestId::new(digest), page.parse().ok()?))
        }
        _ => None,
    }
}
