//! Dead letters: what stands there and why, and how it gets back to the queue it came from.
//!
//! Putting back is safe to kill at any instant: a letter is taken off only after SQS has the message. Killed in between, it is put back a second time; within five
//! minutes SQS itself drops the second message, and after that its job finds its marker. A job keeps its body, its group, and what it was known by: so its intent's id.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message as SqsMessage, MessageAttributeValue, MessageSystemAttributeName,
};
use jiff::{SignedDuration, Timestamp};

use super::delivery::{FIRST_ID, FIRST_SENT_AT};
use super::message::{SendFailed, Wake, Written, is_newer, open};
use super::parking::{ATTRIBUTES, FUNCTION, MESSAGE_ID, ORIGIN, PARKED_AT, REASON, RECEIVES, SENT_AT};
use crate::domain::call::{About, Call};
use crate::domain::ids::IntentId;
use crate::domain::intent::{Ask, Intent, Job, Target};
use crate::intake::{self, Reading};

/// For how long what is being looked at is hidden from others, in seconds: then it is there again, even if whoever looked was killed.
const LOOK: i32 = 60;

/// How much of a letter's id tells it from the others: SQS's ids are random.
pub const SHORT_ID: usize = 8;

/// SQS did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the dead-letter queue: {0}")]
pub struct QueueError(String);

impl QueueError {
    fn from_sdk<E: std::error::Error>(error: &E) -> Self {
        Self(crate::causes(error))
    }
}

/// What stands on a queue, which says how a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// What services dropped: the incidents queue.
    Incidents,
    /// [`Job`]s: `intents.fifo`.
    Intents,
    /// [`Wake`]s: `posts.fifo`.
    Posts,
    /// [`Call`]s: `calls.fifo`.
    Calls,
    /// [`Written`]: `timeline.fifo`.
    Timeline,
}

/// A dead-letter queue, and the queue that its letters came from.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    sqs: Client,
    contents: Contents,
    url: String,
    origin: String,
}

/// What a body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The ids of the intents or questions in it.
    pub intents: Vec<IntentId>,
    /// Which incident or channel it is about: an incident's id, or what its source calls it.
    pub about: Vec<String>,
}

/// One message that nobody could handle.
#[derive(Debug, Clone)]
pub struct Letter {
    /// SQS's id of the letter.
    pub id: String,
    /// SQS's id of the message when it was first sent.
    pub message_id: String,
    /// The text, as it came.
    pub body: String,
    /// What its sender had written beside it, as far as it counts.
    pub attributes: BTreeMap<String, String>,
    /// Why it is here; nothing where SQS moved it by itself, because whatever handled it died or ran out of time too often.
    pub reason: Option<String>,
    /// The ARN of the queue it came from, where somebody wrote that down.
    pub origin: Option<String>,
    /// The function that parked it.
    pub function: Option<String>,
    /// How often it was received: before it was parked, or, where SQS moved it, up to now.
    pub receives: u32,
    /// When it was first sent.
    pub sent_at: Timestamp,
    /// When it was parked; nothing where SQS moved it.
    pub parked_at: Option<Timestamp>,
    /// Its FIFO group.
    pub group: Option<String>,
    /// What the body says, or why nobody can read it.
    pub said: Result<Said, String>,
    /// A newer version wrote it, which can read it.
    pub is_newer: bool,
    receipt_handle: String,
}

impl Letter {
    /// The beginning of its id, by which people call it.
    pub fn short_id(&self) -> &str {
        self.id.get(..SHORT_ID).unwrap_or(&self.id)
    }

    /// Whether its id is this or begins with this.
    pub fn is_called(&self, name: &str) -> bool {
        !name.is_empty() && self.id.starts_with(name)
    }

    /// How old it is: since it was first sent.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.sent_at)
    }
}

/// Which letters are meant; everything that is asked has to hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The reason contains this, in capitals or small letters.
    pub reason: Option<String>,
    /// The body contains this, in capitals or small letters.
    pub text: Option<String>,
    /// The letter's id or the beginning of it, the message's id, an intent's, an incident's, or a source's key.
    pub id: Option<String>,
    /// At least this old.
    pub older_than: Option<SignedDuration>,
    /// At most this old.
    pub younger_than: Option<SignedDuration>,
}

impl Filter {
    /// Whether this letter is meant.
    pub fn takes(&self, letter: &Letter, now: Timestamp) -> bool {
        let contains =
            |text: &str, part: &Option<String>| part.as_ref().is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()));
        let is_named = |name: &String| {
            let said = letter.said.as_ref().ok();
            let mut names =
                said.into_iter().flat_map(|said| said.intents.iter().map(IntentId::as_str).chain(said.about.iter().map(String::as_str)));
            letter.is_called(name) || *name == letter.message_id || names.any(|known| known == name)
        };
        let age = letter.age(now);
        contains(letter.reason.as_deref().unwrap_or_default(), &self.reason)
            && contains(&letter.body, &self.text)
            && self.id.as_ref().is_none_or(is_named)
            && self.older_than.is_none_or(|least| age >= least)
            && self.younger_than.is_none_or(|most| age <= most)
    }
}

/// What stands there.
#[derive(Debug)]
pub struct Listing {
    /// Those that are meant, within a group in their order.
    pub letters: Vec<Letter>,
    /// How many SQS showed, of which the filter took some.
    pub seen: usize,
    /// How many there are, as far as SQS can count. Of a FIFO group it shows no more than ten at a time, so this may be more than was seen.
    pub standing: usize,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is back on its queue and no longer here.
    PutBack,
    /// It is back on its queue, and for this reason still here as well: putting it back again does no harm.
    StillHere(String),
    /// Nobody can read it, and that was not asked for explicitly: why.
    Unreadable(String),
    /// It came from another queue.
    Foreign,
    /// SQS did not take it, so it stays: why.
    Failed(String),
    /// One before it in its group stays, so it stays too.
    Behind,
}

/// A letter that was meant, and what became of it.
#[derive(Debug)]
pub struct Redriven {
    /// Which.
    pub letter: Letter,
    /// What became of it.
    pub fate: Fate,
}

impl DeadLetterQueue {
    /// The dead-letter queue at `url` of the queue at `origin`.
    pub fn new(sqs: Client, contents: Contents, url: String, origin: String) -> Self {
        Self { sqs, contents, url, origin }
    }

    /// Shows what stands there, and takes nothing away. Others do not see it meanwhile, for a minute at most.
    pub async fn list(&self, filter: &Filter) -> Result<Listing, QueueError> {
        let now = Timestamp::now();
        let mut letters = self.hold().await?;
        self.release(&letters).await;
        let seen = letters.len();
        letters.retain(|letter| filter.takes(letter, now));
        Ok(Listing { letters, seen, standing: self.standing().await?.max(seen) })
    }

    /// Deletes the letters with these ids, for good, and says of each that is there whether it is gone; the others are left alone.
    pub async fn delete(&self, ids: &BTreeSet<String>) -> Result<Vec<(Letter, Result<(), QueueError>)>, QueueError> {
        let (meant, mut left): (Vec<Letter>, Vec<Letter>) = self.hold().await?.into_iter().partition(|letter| ids.contains(&letter.id));
        let mut fates = Vec::new();
        for letter in meant {
            let delete = self.sqs.delete_message().queue_url(&self.url).receipt_handle(&letter.receipt_handle);
            let fate = delete.send().await.map(|_| ()).map_err(|error| QueueError::from_sdk(&error));
            if fate.is_err() {
                left.push(letter.clone());
            }
            fates.push((letter, fate));
        }
        self.release(&left).await;
        Ok(fates)
    }

    /// Receives all that SQS shows. Others do not see it until it is released, for a minute at most.
    async fn hold(&self) -> Result<Vec<Letter>, QueueError> {
        let mut letters: Vec<Letter> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        loop {
            let more = match self.receive().await {
                Ok(more) => more,
                Err(error) => {
                    self.release(&letters).await;
                    return Err(error);
                }
            };
            let known = letters.len();
            for letter in more {
                // What comes a second time says that the minute is over; only its newest handle deletes it.
                if let Some(before) = places.get(&letter.id).and_then(|place| letters.get_mut(*place)) {
                    *before = letter;
                } else {
                    places.insert(letter.id.clone(), letters.len());
                    letters.push(letter);
                }
            }
            if letters.len() == known {
                return Ok(letters);
            }
        }
    }

    /// Puts back what the filter takes, in order, and says what became of each: `tell` hears it at once. `unreadable`: also what nobody can read, since somebody has seen to that.
    ///
    /// What comes back here meanwhile, because it failed again, is left alone.
    pub async fn redrive(&self, filter: &Filter, unreadable: bool, mut tell: impl FnMut(&Redriven)) -> Result<Vec<Redriven>, QueueError> {
        let began = Timestamp::now();
        let mut told: Vec<Redriven> = Vec::new();
        let mut left: Vec<Letter> = Vec::new();
        let mut put_back: BTreeSet<String> = BTreeSet::new();
        let mut stuck: BTreeSet<String> = BTreeSet::new();
        let mut again = 0;
        let ended = loop {
            let letters = match self.receive().await {
                Ok(letters) => letters,
                Err(error) => break Err(error),
            };
            let received = letters.len();
            let known: BTreeSet<&str> = told.iter().map(|one| &one.letter).chain(&left).map(|letter| letter.id.as_str()).collect();
            let new: Vec<Letter> = letters.into_iter().filter(|letter| !known.contains(letter.id.as_str())).collect();
            // What is left alone is there again after a minute. Once as much came again as there is of it, nothing else is left.
            let standing = left.len() + told.iter().filter(|one| one.fate != Fate::PutBack).count();
            again = if new.is_empty() { again + received } else { 0 };
            if received == 0 || again > standing {
                break Ok(());
            }
            for letter in new {
                let failed_again = put_back.contains(&letter.message_id) || letter.parked_at.unwrap_or(letter.sent_at) > began;
                if failed_again || !filter.takes(&letter, began) {
                    left.push(letter);
                    continue;
                }
                let fate = match (&letter.said, &letter.group) {
                    (Err(why), _) if !unreadable => Fate::Unreadable(why.clone()),
                    (_, Some(group)) if stuck.contains(group) => Fate::Behind,
                    _ if letter.origin.as_ref().is_some_and(|arn| !names(arn, &self.origin)) => Fate::Foreign,
                    _ => self.put_back(&letter).await,
                };
                match &fate {
                    Fate::PutBack | Fate::StillHere(_) => {
                        put_back.insert(letter.message_id.clone());
                    }
                    Fate::Failed(_) => stuck.extend(letter.group.clone()),
                    Fate::Unreadable(_) | Fate::Foreign | Fate::Behind => {}
                }
                let one = Redriven { letter, fate };
                tell(&one);
                told.push(one);
            }
        };
        left.extend(told.iter().filter(|one| one.fate != Fate::PutBack).map(|one| one.letter.clone()));
        self.release(&left).await;
        // What is done is told even where SQS fails in the middle.
        if told.is_empty() { ended.map(|()| told) } else { Ok(told) }
    }

    /// First onto its queue, then off this one.
    async fn put_back(&self, letter: &Letter) -> Fate {
        if let Err(error) = self.send(letter).await {
            return Fate::Failed(error.to_string());
        }
        match self.sqs.delete_message().queue_url(&self.url).receipt_handle(&letter.receipt_handle).send().await {
            Ok(_) => Fate::PutBack,
            Err(error) => Fate::StillHere(crate::causes(&error)),
        }
    }

    async fn send(&self, letter: &Letter) -> Result<(), SendFailed> {
        let text = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(|error| SendFailed::from_sdk(&error))
        };
        let mut send = self
            .sqs
            .send_message()
            .queue_url(&self.origin)
            .message_body(&letter.body)
            .message_attributes(FIRST_ID, text(&letter.message_id)?)
            .message_attributes(FIRST_SENT_AT, text(&letter.sent_at.as_millisecond().to_string())?);
        for (name, value) in letter.attributes.iter().filter(|(_, value)| !value.is_empty()) {
            send = send.message_attributes(name, text(value)?);
        }
        let send = match self.contents {
            Contents::Incidents => send,
            // A new deduplication id, since SQS remembers the old one for five minutes and would drop the message without a word; the same for the same letter.
            Contents::Intents | Contents::Posts | Contents::Calls | Contents::Timeline => send
                .message_group_id(letter.group.as_deref().unwrap_or("redriven"))
                .message_deduplication_id(IntentId::of("redriven", &[&letter.id]).as_str()),
        };
        send.send().await.map(|_| ()).map_err(|error| SendFailed::from_sdk(&error))
    }

    async fn receive(&self) -> Result<Vec<Letter>, QueueError> {
        let receive = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(LOOK)
            // Long polling asks all of SQS's servers.
            .wait_time_seconds(1)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All);
        let received = receive.send().await.map_err(|error| QueueError::from_sdk(&error))?;
        Ok(received.messages.unwrap_or_default().into_iter().map(|message| self.letter(message)).collect())
    }

    /// Lets others see letters again. Where that fails they are there again within a minute.
    async fn release(&self, letters: &[Letter]) {
        for some in letters.chunks(10) {
            let entries = some.iter().enumerate().filter_map(|(index, letter)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&letter.receipt_handle)
                    .visibility_timeout(0)
                    .build()
                    .ok()
            });
            let change = self.sqs.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
            if let Err(error) = change.send().await {
                let error = crate::causes(&error);
                tracing::debug!(error, "letters are seen again only after a minute");
            }
        }
    }

    async fn standing(&self) -> Result<usize, QueueError> {
        use aws_sdk_sqs::types::QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible};
        let names = vec![ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible];
        let answer = self.sqs.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names)).send().await;
        let attributes = answer.map_err(|error| QueueError::from_sdk(&error))?.attributes.unwrap_or_default();
        Ok(attributes.values().filter_map(|count| count.parse::<usize>().ok()).sum())
    }

    fn letter(&self, message: SqsMessage) -> Letter {
        let own = message.message_attributes.unwrap_or_default();
        let own = |name: &str| own.get(name).and_then(|value| value.string_value.clone()).filter(|value| value != "unknown");
        let system: HashMap<_, _> = message.attributes.unwrap_or_default();
        let system = |name: MessageSystemAttributeName| system.get(&name).cloned();
        let time = |ms: String| Timestamp::from_millisecond(ms.parse().ok()?).ok();
        let id = message.message_id.unwrap_or_default();
        let reason = own(REASON);
        // Parked by a function; else moved by SQS, as it came, perhaps after having been put back before.
        let message_id = own(MESSAGE_ID).or_else(|| own(FIRST_ID)).unwrap_or_else(|| id.clone());
        let sent_at =
            own(SENT_AT).or_else(|| own(FIRST_SENT_AT)).or_else(|| system(MessageSystemAttributeName::SentTimestamp)).and_then(time);
        let sent_at = sent_at.unwrap_or_else(Timestamp::now);
        let receives = own(RECEIVES).or_else(|| system(MessageSystemAttributeName::ApproximateReceiveCount));
        let body = message.body.unwrap_or_default();
        let parked = own(ATTRIBUTES).and_then(|json| serde_json::from_str(&json).ok());
        let as_it_came = || intake::ATTRIBUTES.into_iter().filter_map(|name| Some((name.to_owned(), own(name)?))).collect();
        let attributes: BTreeMap<String, String> = parked.unwrap_or_else(as_it_came);
        Letter {
            said: self.contents.said(&body, &message_id, &attributes, sent_at),
            is_newer: self.contents != Contents::Incidents && is_newer(&body),
            attributes,
            message_id,
            reason,
            origin: own(ORIGIN).or_else(|| system(MessageSystemAttributeName::DeadLetterQueueSourceArn)),
            function: own(FUNCTION),
            receives: receives.and_then(|count| count.parse().ok()).unwrap_or_default(),
            sent_at,
            parked_at: own(PARKED_AT).and_then(time),
            group: system(MessageSystemAttributeName::MessageGroupId),
            receipt_handle: message.receipt_handle.unwrap_or_default(),
            id,
            body,
        }
    }
}

impl Contents {
    /// Reads a body as its function would, as far as can be told without applying it.
    fn said(self, body: &str, message_id: &str, attributes: &BTreeMap<String, String>, sent_at: Timestamp) -> Result<Said, String> {
        match self {
            Self::Incidents => {
                let message = intake::Message { body, message_id, attributes, sent_at, now: Timestamp::now(), watch: None };
                match intake::read(&message).reading {
                    Reading::Intents(intents) => Ok(intents.iter().map(Said::from).fold(Said::default(), Said::and)),
                    Reading::Ignored(_) => Ok(Said::default()),
                    Reading::Refused(reason) | Reading::Partly { reason, .. } => Err(reason),
                }
            }
            Self::Intents => open::<Job>(body).map(|job| Said::from(&job)).map_err(|unreadable| unreadable.to_string()),
            Self::Posts => open::<Wake>(body).map(|wake| Said::from(&wake)).map_err(|unreadable| unreadable.to_string()),
            Self::Calls => open::<Call>(body).map(|call| Said::from(&call)).map_err(|unreadable| unreadable.to_string()),
            Self::Timeline => open::<Written>(body).map(|written| Said::from(&written)).map_err(|unreadable| unreadable.to_string()),
        }
    }
}

impl Said {
    fn and(mut self, other: Self) -> Self {
        self.intents.extend(other.intents);
        for about in other.about {
            if !self.about.contains(&about) {
                self.about.push(about);
            }
        }
        self
    }
}

fn about(target: &Target) -> Vec<String> {
    match target {
        Target::Id(id) => vec![id.to_string()],
        Target::Prefix(prefix) => vec![prefix.clone()],
        Target::Key(key) => vec![key.to_string()],
        Target::New | Target::Only => Vec::new(),
    }
}

impl From<&Intent> for Said {
    fn from(intent: &Intent) -> Self {
        Self { intents: vec![intent.id.clone()], about: about(&intent.target) }
    }
}

impl From<&Job> for Said {
    fn from(job: &Job) -> Self {
        match job {
            Job::Intent(intent) => Self::from(&**intent),
            Job::Question(question) => {
                let about = match &question.ask {
                    Ask::Show(target) => about(target),
                    Ask::List | Ask::Status | Ask::OnCall | Ask::Help | Ask::Commands | Ask::Nothing(_) => Vec::new(),
                };
                Self { intents: vec![question.id.clone()], about }
            }
            Job::TakeOver(take_over) => {
                let rotation = take_over.rotation.iter().cloned();
                Self { intents: vec![take_over.id.clone()], about: rotation.chain([take_over.taken.person.to_string()]).collect() }
            }
            Job::Spoken(spoken) => Self { intents: vec![spoken.id.clone()], about: spoken.command.iter().cloned().collect() },
            Job::Answered(answered) => Self { intents: vec![answered.id.clone()], about: vec![answered.command.clone()] },
            Job::Remark(remark) => Self { intents: vec![remark.id.clone()], about: vec![remark.by.id.to_string()] },
            Job::FromMessage(wish) => Self::from(&*wish.intent),
            Job::Home(opened) => Self { intents: vec![opened.id.clone()], about: vec![opened.by.id.to_string()] },
            Job::Joined(joined) => Self { intents: vec![joined.id.clone()], about: vec![joined.channel.to_string()] },
            Job::Linked(linked) => Self { intents: vec![linked.id.clone()], about: vec![linked.by.id.to_string()] },
            Job::Setting(wish) => Self { intents: vec![wish.id.clone()], about: vec![wish.by.id.to_string()] },
            Job::StepRefused(step) => Self { intents: vec![step.id.clone()], about: vec![step.execution.to_string()] },
            Job::Uninstall(uninstall) => Self { intents: vec![uninstall.id.clone()], about: vec![uninstall.workspace.to_string()] },
        }
    }
}

impl From<&Wake> for Said {
    fn from(wake: &Wake) -> Self {
        // A post's place names its incident: `card#INC-…`, `reply#INC-…#…`.
        let incident = wake.unpark.as_deref().and_then(|place| place.split('#').find(|part| part.starts_with("INC-")));
        let about = incident.into_iter().chain([wake.channel.as_str()]).map(str::to_owned).collect();
        Self { intents: vec![wake.because.clone()], about }
    }
}

impl From<&Call> for Said {
    fn from(call: &Call) -> Self {
        let what = match &call.about {
            About::Decision { incident, .. } | About::Entry { incident, .. } => incident.to_string(),
            About::Command { command, .. } => command.clone(),
        };
        Self { intents: vec![call.id.clone()], about: vec![what, call.to.clone()] }
    }
}

impl From<&Written> for Said {
    fn from(written: &Written) -> Self {
        Self { intents: vec![written.entry.clone()], about: vec![written.incident.to_string()] }
    }
}

/// Whether an ARN and a URL name the same queue: both end in the account and the name.
fn names(arn: &str, url: &str) -> bool {
    let of_arn: Vec<&str> = arn.rsplitn(3, ':').take(2).collect();
    let of_url: Vec<&str> = url.rsplitn(3, '/').take(2).collect();
    of_arn == of_url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Channel, Workspace};
    use crate::queue::seal;

    fn letter(contents: Contents, body: &str, reason: Option<&str>) -> Letter {
        let sent_at = Timestamp::now() - SignedDuration::from_hours(2);
        Letter {
            is_newer: false,
            id: "letter-1-of-2".to_owned(),
            message_id: "first".to_owned(),
            body: body.to_owned(),
            reason: reason.map(str::to_owned),
            origin: None,
            function: None,
            receives: 1,
            sent_at,
            parked_at: None,
            group: None,
            said: contents.said(body, "first", &BTreeMap::new(), sent_at),
            attributes: BTreeMap::new(),
            receipt_handle: String::new(),
        }
    }

    #[test]
    fn a_filter_takes_what_meets_all_that_is_asked() {
        let body = r#"{"type":"create","title":"Disk full","dedup_key":"disk-7"}"#;
        let letter = letter(Contents::Incidents, body, Some("Slack: not_in_channel"));
        let now = Timestamp::now();
        let text = |text: &str| Some(text.to_owned());
        let hours = |hours| Some(SignedDuration::from_hours(hours));
        let any = Filter::default;
        for filter in [
            any(),
            Filter { reason: text("NOT_IN"), text: text("disk full"), ..any() },
            Filter { id: text("disk-7"), older_than: hours(1), younger_than: hours(3), ..any() },
            Filter { id: text("first"), ..any() },
            Filter { id: text("letter-1-of-2"), ..any() },
            Filter { id: text("letter-1"), ..any() },
        ] {
            assert!(filter.takes(&letter, now), "{filter:?}");
        }
        for filter in [
            Filter { reason: text("archived"), ..any() },
            Filter { reason: text("not_in"), text: text("memory"), ..any() },
            Filter { id: text("disk"), ..any() },
            Filter { id: text("letter"), ..any() },
            Filter { id: text("letter-2"), ..any() },
            Filter { older_than: hours(3), ..any() },
            Filter { younger_than: hours(1), ..any() },
        ] {
            assert!(!filter.takes(&letter, now), "{filter:?}");
        }
    }

    #[test]
    fn a_body_says_what_it_is_about() {
        let wake = Wake {
            workspace: Workspace::new("T1"),
            channel: Channel::new("C1"),
            because: IntentId::of("test", &[]),
            unpark: Some("reply#INC-7K3QPF#timeline#1".to_owned()),
        };
        let said = Contents::Posts.said(&seal(&wake).expect("a text"), "m", &BTreeMap::new(), Timestamp::now());
        assert_eq!(said, Ok(Said { intents: vec![wake.because], about: vec!["INC-7K3QPF".to_owned(), "C1".to_owned()] }));
        assert!(Contents::Intents.said("{}", "m", &BTreeMap::new(), Timestamp::now()).is_err());
        assert!(Contents::Incidents.said("{", "m", &BTreeMap::new(), Timestamp::now()).is_err());
    }

    #[test]
    fn an_arn_and_a_url_name_the_same_queue() {
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/tocsin-intents.fifo";
        assert!(names("arn:aws:sqs:eu-west-1:123456789012:tocsin-intents.fifo", url));
        assert!(!names("arn:aws:sqs:eu-west-1:123456789012:tocsin-posts.fifo", url));
        assert!(!names("arn:aws:sqs:eu-west-1:210987654321:tocsin-intents.fifo", url));
    }
}
