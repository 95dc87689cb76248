//! What is due in Slack, channel by channel, and what has been posted.
//!
//! A post that is due says what is wanted (this card, this entry in its thread), never the text, so it is rendered from the incident as it stands. Before the
//! call to Slack it is marked with who tries and when; after it, one transaction takes it off and keeps where the message is. A mark without a result means
//! that a poster died in between, or never learnt: whoever comes next looks the message up before posting again. Every write after the mark is conditional on it, so
//! that a poster which was frozen meanwhile changes nothing any more.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, DigestId, IncidentId, MessageTs, Workspace};
use crate::domain::incident::Incident;
use crate::domain::storm::{Member, Overview};
use crate::domain::timeline::Entry;

use super::commit::{UPDATE_RANK, condition_failed, is_conflict};
use super::digest::{self, OnPage};
use super::incidents::Stored;
use super::keys::{self, Key};
use super::pace::{ChannelPace, MethodPace, method_pace};
use super::{Item, Store, StoreError, attribute, number, read, text};

/// How many due posts are read at a time: more than a poster can post within its time.
const AT_A_TIME: usize = 5000;

/// How long a channel is remembered after its last new incident, in days.
const CHANNEL_DAYS: i64 = 30;

/// How often a transaction that met another one is tried again.
const CONFLICTS_MOST: u32 = 5;

/// A post that is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Due {
    pk: String,
    sk: String,
    /// The version of what is shown that made it due: an incident's.
    pub want: u64,
    /// New cards by severity (1 to 4), then updates (5), then replies (9).
    pub rank: u8,
    /// Since when, in microseconds since 1970.
    pub since: i64,
    /// The attempt that has no result yet.
    #[serde(default)]
    pub attempt: Option<Attempt>,
    /// How many attempts in a row there were whose poster did not live to say what came of them.
    #[serde(default)]
    pub attempts: u32,
    /// How often there were other setbacks.
    #[serde(flatten)]
    pub setbacks: Setbacks,
    /// An operator put it back: where it cannot be looked up it is posted all the same.
    #[serde(default)]
    pub put_back: bool,
}

/// How often a post met with what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Setbacks {
    /// Slack stumbled, or the answer was lost.
    pub failures: u32,
    /// The token was not accepted.
    pub token_failures: u32,
    /// The message that it changes, or stands under, was gone.
    pub gone: u32,
}

/// What stood in the way of a post, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// Slack wants a pause: that is no failure.
    Pause,
    /// Slack stumbled.
    Failure,
    /// The token was not accepted.
    Token,
    /// What it changes, or stands under, was gone.
    Gone,
}

impl Setback {
    fn counter(self) -> Option<&'static str> {
        match self {
            Self::Pause => None,
            Self::Failure => Some("failures"),
            Self::Token => Some("token_failures"),
            Self::Gone => Some("gone"),
        }
    }
}

/// What a due post is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The card of an incident.
    Card(IncidentId),
    /// The entry at this place of an incident's timeline, as a reply under its card.
    Reply(IncidentId, String),
    /// A storm's digest.
    Digest(DigestId),
    /// A reply under it, with some of its incidents.
    Page(DigestId, u32),
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

/// A message of ours in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Posted {
    /// The channel's id, which Slack answered: `chat.update` takes no name.
    pub slack_channel: Channel,
    /// The message.
    pub ts: MessageTs,
    /// The version it shows.
    pub shown: u64,
}

/// What a post is made of, as it stands.
#[derive(Debug)]
pub struct Material {
    /// What it tells; the error says what is not there that should be.
    pub subject: Result<Subject, String>,
    /// Where it was posted before.
    pub posted: Option<Posted>,
    /// What it stands under.
    pub under: Option<Posted>,
    /// The page that shows this incident, which has no card of its own.
    pub on_page: Option<OnPage>,
    /// What stands against a new message.
    pub posting: MethodPace,
}

/// What a post tells.
#[derive(Debug)]
pub enum Subject {
    /// How an incident stands.
    Card(Box<Incident>),
    /// What happened to it.
    Reply(Box<Incident>, Box<Entry>),
    /// What came in a storm.
    Digest(Box<Overview>),
    /// Some of its incidents.
    Page(Vec<Incident>),
}

/// Where an incident, a digest or a page is shown, as it is kept with it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Whereabouts {
    slack_channel: Option<Channel>,
    ts: Option<MessageTs>,
    shown: Option<u64>,
    digest: Option<DigestId>,
    page: Option<u32>,
}

impl Whereabouts {
    fn posted(&self) -> Option<Posted> {
        let (slack_channel, ts, shown) = (self.slack_channel.clone()?, self.ts.clone()?, self.shown?);
        Some(Posted { slack_channel, ts, shown })
    }

    fn on_page(&self) -> Option<OnPage> {
        Some(OnPage { digest: self.digest.clone()?, page: self.page? })
    }
}

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

impl Due {
    /// Its name within the channel.
    pub fn place(&self) -> &str {
        &self.sk
    }

    /// What it is about; `None` for what a later version of this program made due.
    pub fn kind(&self) -> Option<Kind> {
        let (kind, rest) = self.sk.strip_prefix("due#")?.split_once('#')?;
        match kind {
            "card" => Some(Kind::Card(IncidentId::new(rest))),
            "reply" => rest.split_once('#').map(|(incident, place)| Kind::Reply(IncidentId::new(incident), place.to_owned())),
            other => digest::kind_of(other, rest),
        }
    }

    pub(super) fn key(&self) -> Key {
        Key { pk: self.pk.clone(), sk: self.sk.clone() }
    }
}

impl Kind {
    /// Whether a post of this rank is a new message, as far as can be told without looking: an update that has no card any more is one too.
    pub fn is_message_at(&self, rank: u8) -> bool {
        match self {
            Self::Card(_) | Self::Page(..) => rank < UPDATE_RANK,
            Self::Reply(..) => true,
            Self::Digest(_) => false,
        }
    }

    /// The incident that it is about, where it is about one.
    pub fn incident(&self) -> Option<&IncidentId> {
        match self {
            Self::Card(incident) | Self::Reply(incident, _) => Some(incident),
            Self::Digest(_) | Self::Page(..) => None,
        }
    }

    /// Where it is kept what is shown of it; a reply is shown once and for all.
    fn kept_at(&self, workspace: &Workspace, channel: &Channel) -> Option<Key> {
        match self {
            Self::Card(incident) => Some(keys::message(workspace, incident, channel)),
            Self::Reply(..) => None,
            Self::Digest(digest) => Some(keys::digest(workspace, channel, digest)),
            Self::Page(digest, page) => Some(keys::page(workspace, channel, digest, *page)),
        }
    }

    /// What it stands under.
    pub fn under(&self) -> Option<Self> {
        match self {
            Self::Card(_) | Self::Digest(_) => None,
            Self::Reply(incident, _) => Some(Self::Card(incident.clone())),
            Self::Page(digest, _) => Some(Self::Digest(digest.clone())),
        }
    }
}

impl Store {
    /// Remembers that there may be something due in these channels.
    pub async fn know_channels(&self, workspace: &Workspace, channels: &[Channel], now: Timestamp) -> Result<(), StoreError> {
        #[derive(Serialize)]
        struct Known<'a> {
            channel: &'a Channel,
            expires_at: i64,
        }
        for channel in channels {
            let key = Key { pk: keys::channels(workspace), sk: channel.to_string() };
            self.put(&key, &Known { channel, expires_at: keys::expiry(now, CHANNEL_DAYS) }).await?;
        }
        Ok(())
    }

    /// The channels in which there may be something due.
    pub async fn channels(&self, workspace: &Workspace) -> Result<Vec<Channel>, StoreError> {
        #[derive(Deserialize)]
        struct Known {
            channel: Channel,
        }
        let known: Vec<Known> = self.query(&keys::channels(workspace), None, usize::MAX).await?;
        Ok(known.into_iter().map(|known| known.channel).collect())
    }

    /// Since when the oldest post is due in a channel that is not parked.
    pub async fn oldest_due(&self, workspace: &Workspace, channel: &Channel) -> Result<Option<Timestamp>, StoreError> {
        let due = self.due(workspace, channel).await?;
        Ok(due.iter().map(|due| due.since).min().and_then(|since| Timestamp::from_microsecond(since).ok()))
    }

    /// What is due in a channel and not parked, in the order in which it is to be posted.
    pub async fn due(&self, workspace: &Workspace, channel: &Channel) -> Result<Vec<Due>, StoreError> {
        let mut due: Vec<Due> = self.query_unparked(&keys::channel_partition(workspace, channel), AT_A_TIME).await?;
        due.sort_by(|one, other| (one.rank, one.since, &one.sk).cmp(&(other.rank, other.since, &other.sk)));
        Ok(due)
    }

    /// Reads everything that a post is made of. `posting` is the method by which new messages come into the channel.
    pub async fn material(&self, workspace: &Workspace, channel: &Channel, kind: &Kind, posting: &str) -> Result<Material, StoreError> {
        let posting = keys::method_pace(workspace, posting);
        let own = kind.kept_at(workspace, channel);
        let under = kind.under().and_then(|under| under.kept_at(workspace, channel));
        let incident = kind.incident().map(|id| keys::incident(workspace, id));
        let entry = match kind {
            Kind::Reply(id, place) => Some(keys::entry(workspace, id, place)),
            Kind::Card(_) | Kind::Digest(_) | Kind::Page(..) => None,
        };
        let keys = [Some(&posting), own.as_ref(), under.as_ref(), incident.as_ref(), entry.as_ref()];
        let mut found = self.get_several(keys.into_iter().flatten()).await?;
        let mut take = |key: &Option<Key>| key.as_ref().and_then(|key| found.remove(key));
        let whereabouts = |item: Option<Item>| item.map(read::<Whereabouts>).transpose().map(Option::unwrap_or_default);
        let (own, under) = (whereabouts(take(&own))?, whereabouts(take(&under))?);
        let incident = take(&incident).map(read::<Stored<Incident>>).transpose()?.map(|stored| Box::new(stored.data));
        let entry = take(&entry).map(read::<Stored<Entry>>).transpose()?.map(|stored| Box::new(stored.data));
        let missing = |what: &dyn std::fmt::Display| format!("{what} is due and does not exist");
        let subject = match kind {
            Kind::Card(id) => incident.map(Subject::Card).ok_or_else(|| missing(id)),
            Kind::Reply(id, place) => match (incident, entry) {
                (None, _) => Err(missing(id)),
                (Some(_), None) => Err(format!("the timeline of {id} has no entry {place}")),
                (Some(incident), Some(entry)) => Ok(Subject::Reply(incident, entry)),
            },
            Kind::Digest(digest) => {
                self.overview(workspace, channel, digest).await?.map(Box::new).map(Subject::Digest).ok_or_else(|| missing(digest))
            }
            Kind::Page(digest, page) => Ok(Subject::Page(self.on_page(workspace, channel, digest, *page).await?)),
        };
        let posting = method_pace(take(&Some(posting)))?;
        Ok(Material { subject, posted: own.posted(), under: under.posted(), on_page: own.on_page().or(under.on_page()), posting })
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
        held(update.send().await)
    }

    /// Begins an attempt's time anew, after a look-up that took some of it; `false` when it is not ours any more.
    pub async fn renew(&self, due: &Due, owner: &str, at: i64) -> Result<bool, StoreError> {
        let update = self
            .own(due, owner, "SET attempt.#at = :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", number(at));
        held(update.send().await)
    }

    /// Takes the mark off: Slack was not asked, or said that it did nothing.
    pub async fn release(&self, due: &Due, owner: &str, setback: Setback) -> Result<(), StoreError> {
        let update = match setback.counter() {
            None => self.own(due, owner, "REMOVE attempt, attempts"),
            Some(counter) => {
                let change = format!("SET {counter} = if_not_exists({counter}, :none) + :one REMOVE attempt, attempts");
                self.own(due, owner, &change).expression_attribute_values(":none", number(0)).expression_attribute_values(":one", number(1))
            }
        };
        held(update.send().await).map(|_| ())
    }

    /// Whether Slack did it is not known, but whoever tried lived to say so: the mark stays for a look-up, and it counts as no death.
    pub async fn unresolved(&self, due: &Due, owner: &str) -> Result<(), StoreError> {
        let update = self
            .own(due, owner, "SET failures = if_not_exists(failures, :none) + :one REMOVE attempts")
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1));
        held(update.send().await).map(|_| ())
    }

    /// Nobody is to try this post again until somebody puts it back. The mark of an attempt without a result stays, so that it is looked up then too;
    /// where Slack `answered`, it goes.
    pub async fn park(&self, due: &Due, owner: &str, reason: &str, answered: bool) -> Result<(), StoreError> {
        let change = if answered { "SET parked = :reason REMOVE attempt" } else { "SET parked = :reason" };
        let update = self.own(due, owner, change).expression_attribute_values(":reason", text(reason));
        held(update.send().await).map(|_| ())
    }

    /// A change to a post that is ours; it fails its condition once somebody else has it, or it is done.
    fn own(&self, due: &Due, owner: &str, change: &str) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .update_expression(change)
            .condition_expression("attempt.#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner))
    }

    /// A parked post may be tried again, from the beginning.
    pub async fn unpark(&self, workspace: &Workspace, channel: &Channel, place: &str) -> Result<(), StoreError> {
        let key = Key { pk: keys::channel_partition(workspace, channel), sk: place.to_owned() };
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .update_expression("SET put_back = :yes REMOVE parked, attempts, failures, token_failures, gone")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":yes", attribute(&true)?);
        held(update.send().await).map(|_| ())
    }

    /// A post was done: takes it off, unless something newer is wanted by now, and keeps where it is and how fast the channel is. `false` when that
    /// could not be, because another poster was at work meanwhile: then a card may show the past, and is due again.
    pub async fn done(&self, workspace: &Workspace, channel: &Channel, done: &Done<'_>) -> Result<bool, StoreError> {
        let Done { due, owner, posted, pace, members, now } = done;
        let pace = pace.map(|pace| self.keep_channel_pace(workspace, channel, pace)).transpose()?;
        let kind = due.kind();
        let Some((kind, kept_at)) = kind.as_ref().and_then(|kind| Some((kind, kind.kept_at(workspace, channel)?))) else {
            return self.transact_posts([self.take_off(due, owner, Newest::Any)?].into_iter().chain(pace).collect()).await;
        };
        let mut rest: Vec<_> = [self.keep_posted(&kept_at, posted, members)?].into_iter().chain(pace).collect();
        let newest = match kind {
            Kind::Card(_) | Kind::Reply(..) => Newest::Upto(posted.shown),
            Kind::Digest(_) => Newest::Exactly(due.want),
            Kind::Page(digest, _) => {
                rest.push(self.want_digest(workspace, channel, digest, *now)?);
                Newest::Exactly(due.want)
            }
        };
        let whole = [vec![self.take_off(due, owner, newest)?], rest.clone()].concat();
        if self.transact_posts(whole).await? {
            return Ok(true);
        }
        // Something newer is wanted: the post stays due, and from the beginning.
        let stay = Update::builder()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .update_expression("REMOVE attempt, attempts, failures, token_failures, gone")
            .condition_expression("attempt.#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(*owner))
            .build()
            .map_err(|error| StoreError::Form(error.to_string()))?;
        let whole = [vec![TransactWriteItem::builder().update(stay).build()], rest].concat();
        if self.transact_posts(whole).await? {
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
            Kind::Reply(..) => Ok(()),
        }
    }

    /// Takes off a post that nobody needs to see: what it would tell stands on a page.
    pub async fn drop_due(&self, due: &Due) -> Result<(), StoreError> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(due.key().item()));
        delete.send().await.map(|_| ()).map_err(|error| StoreError::call(&error))
    }

    /// What a due post is about has to be painted once more, whoever does it.
    async fn repaint(&self, what: &Key, due: &Due) -> Result<(), StoreError> {
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(what.item()))
            .update_expression("SET want = :want, #rank = if_not_exists(#rank, :rank), since = if_not_exists(since, :since)")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":want", number(due.want))
            .expression_attribute_values(":rank", number(UPDATE_RANK))
            .expression_attribute_values(":since", number(due.since))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::call(&error))
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

/// Whether a change's condition held: `false` when somebody else has the post by now, or it is done, and there is nothing of ours to change.
fn held<T, R: std::fmt::Debug + 'static>(
    answer: Result<T, aws_sdk_dynamodb::error::SdkError<UpdateItemError, R>>,
) -> Result<bool, StoreError> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) => Ok(false),
        Err(error) => Err(StoreError::call(&error)),
    }
}
