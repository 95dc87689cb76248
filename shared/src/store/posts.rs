//! What is due in Slack, channel by channel.
//!
//! A post that is due says what is wanted (this card, this entry in its thread), never the text, so it is rendered from what stands there when it is posted. Trying it is
//! [`super::attempts`], and what comes of that [`super::done`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::configuration::Configuration;
use crate::domain::ids::{Channel, DigestId, IncidentId, MessageTs, NoticeId, Workspace};
use crate::domain::incident::Incident;
use crate::domain::report::{Period, Tally};
use crate::domain::storm::Overview;
use crate::domain::timeline::Entry;

use super::attempts::{Attempt, Setbacks};
use super::commit::UPDATE_RANK;
use super::digest::{self, OnPage};
use super::incidents::Stored;
use super::keys::{self, Key};
use super::notices::{Kept, Notice};
use super::pace::{MethodPace, method_pace};
use super::reports;
use super::workspaces::configuration;
use super::{Item, Store, StoreError, read};

/// How many due posts are read at a time: more than a poster can post within its time.
const AT_A_TIME: usize = 5000;

/// How long a channel is remembered after its last new incident, in days.
const CHANNEL_DAYS: i64 = 30;

/// A post that is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Due {
    pk: String,
    sk: String,
    /// The version of what is shown that made it due: an incident's.
    pub want: u64,
    /// New cards by severity (1 to 4), then updates (5), reports (6), and replies (9).
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

/// How a [`Due`] post begins that is never wanted anew.
#[derive(Debug, Serialize)]
pub(super) struct Wanted {
    want: u64,
    rank: u8,
    since: i64,
}

impl Wanted {
    /// Due from this moment on.
    pub(super) fn once(rank: u8, now: Timestamp) -> Self {
        Self { want: 1, rank, since: now.as_microsecond() }
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
    /// The report of this name, about this period.
    Report(String, Period),
    /// What is told once.
    Notice(NoticeId),
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
    /// How an incident stands, and what its workspace wants to be shown.
    Card(Box<Incident>, Box<Configuration>),
    /// What happened to it.
    Reply(Box<Incident>, Box<Entry>),
    /// What came in a storm.
    Digest(Box<Overview>),
    /// Some of its incidents.
    Page(Vec<Incident>),
    /// What is posted by the calendar: its name, and what there is to say.
    Report(String, Box<Tally>),
    /// That the bot is in a channel now.
    Hello(Workspace, Channel),
    /// That an incident began with a message, and where its card is.
    Began(Box<Incident>, Option<String>),
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
            "report" => reports::kind_of(rest),
            "notice" => Some(Kind::Notice(NoticeId::new(rest))),
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
            Self::Reply(..) | Self::Notice(_) | Self::Report(..) => true,
            Self::Digest(_) => false,
        }
    }

    /// The incident that it is about, where it is about one.
    pub fn incident(&self) -> Option<&IncidentId> {
        match self {
            Self::Card(incident) | Self::Reply(incident, _) => Some(incident),
            Self::Digest(_) | Self::Page(..) | Self::Notice(_) | Self::Report(..) => None,
        }
    }

    /// Where it is kept what is shown of it; replies and reports are shown once and for all.
    pub(super) fn kept_at(&self, workspace: &Workspace, channel: &Channel) -> Option<Key> {
        match self {
            Self::Card(incident) => Some(keys::message(workspace, incident, channel)),
            Self::Reply(..) | Self::Report(..) => None,
            Self::Digest(digest) => Some(keys::digest(workspace, channel, digest)),
            Self::Page(digest, page) => Some(keys::page(workspace, channel, digest, *page)),
            Self::Notice(name) => Some(keys::notice(workspace, channel, name)),
        }
    }

    /// What it stands under.
    pub fn under(&self) -> Option<Self> {
        match self {
            // What a notice stands under, where it stands under anything, is no message of ours.
            Self::Card(_) | Self::Digest(_) | Self::Notice(_) | Self::Report(..) => None,
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

    /// Where an incident's card is in a channel; `None` where there is none yet.
    pub async fn posted(&self, workspace: &Workspace, incident: &IncidentId, channel: &Channel) -> Result<Option<Posted>, StoreError> {
        let kept: Option<Whereabouts> = self.get(&keys::message(workspace, incident, channel)).await?;
        Ok(kept.and_then(|kept| kept.posted()))
    }

    /// Reads everything that a post is made of. `posting` is the method by which new messages come into the channel.
    pub async fn material(&self, workspace: &Workspace, channel: &Channel, kind: &Kind, posting: &str) -> Result<Material, StoreError> {
        let posting = keys::method_pace(workspace, posting);
        let own = kind.kept_at(workspace, channel);
        let under = kind.under().and_then(|under| under.kept_at(workspace, channel));
        let incident = kind.incident().map(|id| keys::incident(workspace, id));
        let entry = match kind {
            Kind::Reply(id, place) => Some(keys::entry(workspace, id, place)),
            Kind::Card(_) | Kind::Digest(_) | Kind::Page(..) | Kind::Notice(_) | Kind::Report(..) => None,
        };
        let settings = matches!(kind, Kind::Card(_)).then(|| keys::configuration(workspace));
        let keys = [Some(&posting), own.as_ref(), under.as_ref(), incident.as_ref(), entry.as_ref(), settings.as_ref()];
        let mut found = self.get_several(keys.into_iter().flatten()).await?;
        let mut take = |key: &Option<Key>| key.as_ref().and_then(|key| found.remove(key));
        let own_item = take(&own);
        let notice: Option<Kept> = own_item.clone().filter(|_| matches!(kind, Kind::Notice(_))).map(read).transpose()?;
        let whereabouts = |item: Option<Item>| item.map(read::<Whereabouts>).transpose().map(Option::unwrap_or_default);
        let (own, under) = (whereabouts(own_item)?, whereabouts(take(&under))?);
        let incident = take(&incident).map(read::<Stored<Incident>>).transpose()?.map(|stored| Box::new(stored.data));
        let entry = take(&entry).map(read::<Stored<Entry>>).transpose()?.map(|stored| Box::new(stored.data));
        let missing = |what: &dyn std::fmt::Display| format!("{what} is due and does not exist");
        let subject = match kind {
            Kind::Card(id) => match incident {
                Some(incident) => Ok(Subject::Card(incident, Box::new(configuration(workspace, take(&settings))?))),
                None => Err(missing(id)),
            },
            Kind::Reply(id, place) => match (incident, entry) {
                (None, _) => Err(missing(id)),
                (Some(_), None) => Err(format!("the timeline of {id} has no entry {place}")),
                (Some(incident), Some(entry)) => Ok(Subject::Reply(incident, entry)),
            },
            Kind::Digest(digest) => {
                self.overview(workspace, channel, digest).await?.map(Box::new).map(Subject::Digest).ok_or_else(|| missing(digest))
            }
            Kind::Report(name, period) => {
                Ok(Subject::Report(name.clone(), Box::new(self.tally(workspace, *period, Timestamp::now()).await?)))
            }
            Kind::Page(digest, page) => Ok(Subject::Page(self.on_page(workspace, channel, digest, *page).await?)),
            Kind::Notice(name) => match notice.as_ref().map(|kept| &kept.notice) {
                None => Err(missing(name)),
                Some(Notice::Hello) => Ok(Subject::Hello(workspace.clone(), channel.clone())),
                Some(Notice::Began { incident: id, link, .. }) => {
                    let incident = self.incident(workspace, id).await?;
                    incident.map(|incident| Subject::Began(Box::new(incident), link.clone())).ok_or_else(|| missing(id))
                }
            },
        };
        let thread = notice.as_ref().and_then(|kept| kept.notice.thread());
        let thread = thread.map(|ts| Posted { slack_channel: channel.clone(), ts: ts.clone(), shown: 0 });
        let posting = method_pace(take(&Some(posting)))?;
        Ok(Material {
            subject,
            posted: own.posted(),
            under: under.posted().or(thread),
            on_page: own.on_page().or(under.on_page()),
            posting,
        })
    }
}
