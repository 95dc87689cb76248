//! What stands where in the table.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `T1#incident#INC-7K3QPF` | `incident` | the incident; also in the index `by_workspace` under `open#…` or `resolved#…` |
//! | | `timeline#{µs}#{intent}` | a line of its timeline |
//! | | `message#{channel}` | its card in a channel: where, and which version it shows; in a storm, the page of the digest it is on |
//! | `T1#message#{channel}#{ts}` | `message` | the incident whose card this message of Slack's is |
//! | `T1#key#{digest}` | `key` | the incident that a source's key means now |
//! | `T1#intent#{id}` | `intent` | the marker of an applied intent, with its outcome |
//! | `T1#channel#{channel}` | `due#card#{incident}`, `due#reply#{incident}#{entry}` | a post that is due |
//! | | `due#digest#{digest}`, `due#page#{digest}#{page}` | the same, for a storm's digest and for a reply under it |
//! | | `due#report#{µs}#{µs}#{name}` | a report that is due: until when, from when |
//! | | `digest#{digest}` | a storm's digest: when it began and ended, where it is |
//! | | `digest#{digest}#page#{page}` | a reply under it: the incidents it shows, where it is |
//! | | `notice#{name}`, `due#notice#{name}` | what is told there once: what it is and where it stands; that it is due |
//! | | `pace` | not before when the channel takes another message; how many cards it had lately; its storm; why nothing can be posted there |
//! | `T1#method#{method}` | `pace` | not before when Slack takes another call |
//! | `T1#user#{id}` | `profile` | what Slack says about a person, for an hour |
//! | `T1#timers` | `{µs}#{kind}#{incident}` | what falls due with time |
//! | `T1#reports` | `{name}` | what was due of a report when it was posted last |
//! | `T1#ended#2026-03-01` | `{incident}` | an incident that ended on that day, for the reports |
//! | `T1#channels` | `{channel}` | a channel that had an incident within the last month |
//! | `T1#workspace` | `configuration` | the workspace's settings |
//! | | `oncall` | who takes over in its rotations for a while |
//! | | `lock` | who writes the installation's secret at the moment |
//! | `installations` | `T1` | an installation: the list of them belongs to nobody |
//! | `install#{digest}` | `state` | an install link that somebody follows, for ten minutes: not yet anybody's |

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::ids::{Channel, DedupKey, DigestId, IncidentId, IntentId, MessageTs, NoticeId, UserId, Workspace};
use crate::domain::report::Period;
use crate::domain::timeline::Entry;
use crate::domain::timer::Timer;

use super::{Item, StoreError, text};

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition.
    pub pk: String,
    /// The place in it.
    pub sk: String,
}

impl Key {
    /// The key of an item.
    pub(super) fn of(item: &Item) -> Result<Self, StoreError> {
        let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let key = part("pk").zip(part("sk")).map(|(pk, sk)| Self { pk, sk });
        key.ok_or_else(|| StoreError::Form("it has no key".to_owned()))
    }

    pub(super) fn item(&self) -> Item {
        Item::from([("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))])
    }
}

/// The partition of an incident.
pub fn incident_partition(workspace: &Workspace, id: &IncidentId) -> String {
    format!("{workspace}#incident#{id}")
}

/// The incident itself.
pub fn incident(workspace: &Workspace, id: &IncidentId) -> Key {
    Key { pk: incident_partition(workspace, id), sk: "incident".to_owned() }
}

/// The place of an entry in its incident's timeline: by time, then by intent.
pub fn entry_place(entry: &Entry) -> String {
    place_in_timeline(entry.at, &entry.intent)
}

/// The place of the entry that this intent has written, which happened at this moment.
pub fn place_in_timeline(at: Timestamp, intent: &IntentId) -> String {
    format!("timeline#{}#{intent}", micros(at))
}

/// A line of the timeline.
pub fn entry(workspace: &Workspace, id: &IncidentId, place: &str) -> Key {
    Key { pk: incident_partition(workspace, id), sk: place.to_owned() }
}

/// The card in a channel.
pub fn message(workspace: &Workspace, id: &IncidentId, channel: &Channel) -> Key {
    Key { pk: incident_partition(workspace, id), sk: format!("message#{channel}") }
}

/// Whose card a message is, by the message: the other way round.
pub fn shown_at(workspace: &Workspace, channel: &Channel, ts: &MessageTs) -> Key {
    Key { pk: format!("{workspace}#message#{channel}#{ts}"), sk: "message".to_owned() }
}

/// What a source's key means. Keys can be longer than DynamoDB's, so their digest stands for them.
pub fn dedup(workspace: &Workspace, key: &DedupKey) -> Key {
    Key { pk: format!("{workspace}#key#{}", IntentId::of("key", &[key.as_str()])), sk: "key".to_owned() }
}

/// The marker of an intent.
pub fn marker(workspace: &Workspace, intent: &IntentId) -> Key {
    Key { pk: format!("{workspace}#intent#{intent}"), sk: "intent".to_owned() }
}

/// The partition of what is due in a channel.
pub fn channel_partition(workspace: &Workspace, channel: &Channel) -> String {
    format!("{workspace}#channel#{channel}")
}

/// The card that is due.
pub fn due_card(workspace: &Workspace, channel: &Channel, id: &IncidentId) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: format!("due#card#{id}") }
}

/// The reply that is due for the entry at `place`.
pub fn due_reply(workspace: &Workspace, channel: &Channel, id: &IncidentId, place: &str) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: format!("due#reply#{id}#{place}") }
}

/// A storm's digest.
pub fn digest(workspace: &Workspace, channel: &Channel, digest: &DigestId) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: format!("digest#{digest}") }
}

/// What the places of a digest's pages begin with.
pub fn pages(digest: &DigestId) -> String {
    format!("digest#{digest}#page#")
}

/// A reply under a digest.
pub fn page(workspace: &Workspace, channel: &Channel, digest: &DigestId, page: u32) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: format!("{}{page:06}", pages(digest)) }
}

/// The digest that is due.
pub fn due_digest(workspace: &Workspace, channel: &Channel, digest: &DigestId) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: format!("due#digest#{digest}") }
}

/// The reply under a digest that is due.
pub fn due_page(workspace: &Workspace, channel: &Channel, digest: &DigestId, page: u32) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: format!("due#page#{digest}#{page:06}") }
}

/// A report that is due.
pub fn due_report(workspace: &Workspace, channel: &Channel, period: Period, name: &str) -> Key {
    let (until, from) = (micros(period.until), micros(period.from));
    Key { pk: channel_partition(workspace, channel), sk: format!("due#report#{until}#{from}#{name}") }
}

/// What was due of a report when it was posted last.
pub fn report(workspace: &Workspace, name: &str) -> Key {
    Key { pk: format!("{workspace}#reports"), sk: name.to_owned() }
}

/// The partition of the incidents that ended on a day.
pub fn ended(workspace: &Workspace, day: Date) -> String {
    format!("{workspace}#ended#{day}")
}

/// What is told once in a channel.
pub fn notice(workspace: &Workspace, channel: &Channel, notice: &NoticeId) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: format!("notice#{notice}") }
}

/// The notice that is due.
pub fn due_notice(workspace: &Workspace, channel: &Channel, notice: &NoticeId) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: format!("due#notice#{notice}") }
}

/// When the channel takes another message.
pub fn channel_pace(workspace: &Workspace, channel: &Channel) -> Key {
    Key { pk: channel_partition(workspace, channel), sk: "pace".to_owned() }
}

/// When Slack takes another call of a method.
pub fn method_pace(workspace: &Workspace, method: &str) -> Key {
    Key { pk: format!("{workspace}#method#{method}"), sk: "pace".to_owned() }
}

/// The partition of the channels in which there may be something due.
pub fn channels(workspace: &Workspace) -> String {
    format!("{workspace}#channels")
}

/// The partition of what falls due with time.
pub fn timers(workspace: &Workspace) -> String {
    format!("{workspace}#timers")
}

/// A timer, by when it falls due.
pub fn timer(workspace: &Workspace, timer: &Timer) -> Key {
    Key { pk: timers(workspace), sk: format!("{}#{}#{}", micros(timer.at), timer.kind.name(), timer.incident) }
}

/// A moment as a text that sorts as the moments do.
pub(super) fn micros(at: Timestamp) -> String {
    format!("{:020}", at.as_microsecond().max(0))
}

/// A person.
pub fn profile(workspace: &Workspace, user: &UserId) -> Key {
    Key { pk: format!("{workspace}#user#{user}"), sk: "profile".to_owned() }
}

/// The workspace's settings.
pub fn configuration(workspace: &Workspace) -> Key {
    Key { pk: format!("{workspace}#workspace"), sk: "configuration".to_owned() }
}

/// Who takes over in its rotations.
pub fn oncall(workspace: &Workspace) -> Key {
    Key { pk: format!("{workspace}#workspace"), sk: "oncall".to_owned() }
}

/// Who writes the installation's secret.
pub fn lock(workspace: &Workspace) -> Key {
    Key { pk: format!("{workspace}#workspace"), sk: "lock".to_owned() }
}

/// An install link that somebody follows, by the digest of its state.
pub fn install_state(digest: &str) -> Key {
    Key { pk: format!("install#{digest}"), sk: "state".to_owned() }
}

/// The partition of the installations.
pub const INSTALLATIONS: &str = "installations";

/// An installation.
pub fn installation(workspace: &Workspace) -> Key {
    Key { pk: INSTALLATIONS.to_owned(), sk: workspace.to_string() }
}

/// `expires_at` of what is kept for `days` after `now`: seconds since 1970, as DynamoDB's time-to-live wants it.
pub fn expiry(now: Timestamp, days: i64) -> i64 {
    now.as_second() + days * 24 * 60 * 60
}
