//! One post: render the incident as it stands, call Slack, write down what came of it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use shared::domain::ids::{Channel, MessageTs};
use shared::domain::storm::Member;
use shared::domain::timeline::What;
use shared::metrics;
use shared::render::{card, digest, notice, report, thread};
use shared::slack::blocks::Message;
use shared::slack::client::SlackError;
use shared::store::StoreError;
use shared::store::attempts::{Attempt, Setback};
use shared::store::digest::OnPage;
use shared::store::done::Done;
use shared::store::posts::{Due, Kind, Material, Posted, Subject};

use crate::Uncertain;
use crate::channel::{Came, Rest, Work, duration};
use crate::look_up::Found;

/// How long Slack wants between two messages in one channel.
pub(crate) const BETWEEN_MESSAGES: SignedDuration = SignedDuration::from_secs(1);

/// A post that is tried this often without any answer is parked: something about it kills whoever tries.
const ATTEMPTS_MOST: u32 = 30;

/// Why a channel waits when nothing is wrong.
const RATES: &str = "Slack's rates";

/// By which our messages are found again.
const EVENT_TYPE: &str = "tocsin_post";

/// What has to be done for a post that is due.
#[derive(Debug)]
pub(crate) struct Need {
    subject: Subject,
    how: How,
    /// The version that is shown: an incident's own, else the moment at which everything was read.
    version: u64,
    /// Whether an earlier attempt may have posted, and that could not be found out.
    uncertain: bool,
}

/// How it is done.
#[derive(Debug)]
enum How {
    /// As a new message of the channel.
    New,
    /// As a newer face of this message.
    Change(Posted),
    /// As a reply under this message.
    Under(Posted),
}

/// What can be done about a post that is due.
enum Can {
    /// This.
    Do(Need),
    /// Nothing yet: what it stands under is not there.
    NotYet,
    /// Nothing as a message of its own: a page of a digest shows it.
    OnPage(OnPage),
    /// Nothing that anybody needs to see: a webhook changes nothing, and what changes little is not worth a message of its own.
    Nothing,
    /// Nothing ever, and why.
    Never(String),
}

/// Why a post failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Slack(#[from] SlackError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be found out whether an earlier attempt had posted: its mark stays.
    #[error("the look-up: {0}")]
    LookUp(SlackError),
    /// An earlier attempt may have posted, that cannot be looked up, and nothing is to be there twice.
    #[error("it may have been posted, and that cannot be looked up: {0}")]
    Unknown(String),
}

#[derive(Serialize)]
struct Metadata<'a> {
    event_type: &'static str,
    event_payload: EventPayload<'a>,
}

#[derive(Serialize)]
struct EventPayload<'a> {
    about: &'a str,
    post: &'a str,
}

/// A message as Slack's methods take it.
#[derive(Serialize)]
pub(crate) struct Arguments<'a> {
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<&'a MessageTs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a MessageTs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_broadcast: Option<bool>,
    #[serde(flatten)]
    pub(crate) message: &'a Message,
    metadata: Metadata<'a>,
    /// Nothing in the text is made a link or a mention that we did not write as one.
    parse: &'static str,
    unfurl_links: bool,
    unfurl_media: bool,
}

impl Need {
    /// Whether an earlier attempt may have posted, and that could not be found out: its mark stays, whatever comes of this one.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.uncertain
    }

    pub(crate) fn method(&self) -> &'static str {
        match self.how {
            How::Change(_) => "chat.update",
            How::New | How::Under(_) => "chat.postMessage",
        }
    }

    /// Whether it is a new message: those have the channel's pace, and done twice there are two.
    pub(crate) fn is_message(&self) -> bool {
        !matches!(self.how, How::Change(_))
    }

    /// The message that it stands under.
    pub(crate) fn under(&self) -> Option<&Posted> {
        if let How::Under(posted) = &self.how { Some(posted) } else { None }
    }

    /// The message that has to be there for this, and what that shows.
    pub(crate) fn stands_on(&self, kind: &Kind) -> Option<(&Posted, Kind)> {
        match &self.how {
            How::New => None,
            How::Change(posted) => Some((posted, kind.clone())),
            How::Under(posted) => Some((posted, kind.under()?)),
        }
    }

    /// What it is about, for logs and for the message's metadata: an incident's id, or a word.
    pub(crate) fn about(&self) -> &str {
        match &self.subject {
            Subject::Card(incident, _) | Subject::Reply(incident, _) | Subject::Began(incident, _) => incident.id.as_str(),
            Subject::Digest(_) | Subject::Page(_) => "storm",
            Subject::Report(..) => "report",
            Subject::Hello(..) => "hello",
        }
    }

    fn message(&self) -> Message {
        match &self.subject {
            Subject::Card(incident, settings) => card::card(incident, settings),
            Subject::Reply(incident, entry) => thread::reply(incident, entry),
            Subject::Digest(overview) => digest::digest(overview),
            Subject::Page(incidents) => digest::page(incidents),
            Subject::Report(name, tally) => report::report(name, tally),
            Subject::Hello(workspace, channel) => notice::hello(workspace, channel),
            Subject::Began(incident, link) => notice::began(incident, link.as_deref()),
        }
    }

    fn broadcast(&self) -> Option<bool> {
        if let Subject::Reply(_, entry) = &self.subject { Some(entry.broadcast) } else { None }
    }

    fn members(&self) -> Vec<Member> {
        if let Subject::Page(incidents) = &self.subject { incidents.iter().map(Member::of).collect() } else { Vec::new() }
    }

    fn outcome(&self) -> metrics::Post {
        match (&self.subject, &self.how) {
            (Subject::Card(..), How::New | How::Under(_)) => metrics::Post::Card,
            (Subject::Reply(..) | Subject::Hello(..) | Subject::Began(..), _) => metrics::Post::Replied,
            (Subject::Report(..), _) => metrics::Post::Report,
            (Subject::Digest(_) | Subject::Page(_), How::New | How::Under(_)) => metrics::Post::Digest,
            (Subject::Card(..) | Subject::Digest(_) | Subject::Page(_), How::Change(_)) => metrics::Post::Updated,
        }
    }
}

/// What can be done about a post of this kind, of which everything was read at `now`. `only_posts`: by a webhook.
fn can(kind: &Kind, material: Material, now: Timestamp, only_posts: bool) -> Can {
    let Material { subject, posted, under, on_page, .. } = material;
    if let Some(on_page) = on_page {
        return Can::OnPage(on_page);
    }
    let how = if only_posts {
        let again = match &subject {
            Ok(Subject::Reply(_, entry)) => entry.broadcast || matches!(entry.what, What::Reopened),
            // It has no storms.
            Ok(
                Subject::Card(..) | Subject::Digest(_) | Subject::Page(_) | Subject::Report(..) | Subject::Hello(..) | Subject::Began(..),
            )
            | Err(_) => false,
        };
        match (posted.or(under), kind) {
            (None, Kind::Card(_) | Kind::Report(..) | Kind::Notice(_)) => How::New,
            (None, Kind::Reply(..) | Kind::Digest(_) | Kind::Page(..)) => return Can::NotYet,
            (Some(_), _) if again => How::New,
            (Some(_), _) => return Can::Nothing,
        }
    } else {
        match (posted, kind.under(), under) {
            (Some(posted), _, _) => How::Change(posted),
            (None, _, Some(under)) => How::Under(under),
            (None, None, None) => How::New,
            (None, Some(_), None) => return Can::NotYet,
        }
    };
    match subject {
        Ok(subject) => {
            let version = match &subject {
                Subject::Card(incident, _) | Subject::Reply(incident, _) => incident.version,
                Subject::Digest(_) | Subject::Page(_) | Subject::Report(..) | Subject::Hello(..) | Subject::Began(..) => {
                    u64::try_from(now.as_microsecond()).unwrap_or_default()
                }
            };
            Can::Do(Need { subject, how, version, uncertain: false })
        }
        Err(missing) => Can::Never(missing),
    }
}

impl Work<'_> {
    /// One post.
    pub(crate) async fn work_off(&mut self, due: &Due) -> Result<Came, Rest> {
        let (app, turn) = (self.app, self.turn);
        // Made due by a later version of this program, which knows what it is.
        let Some(kind) = due.kind() else { return Ok(Came::Nothing) };
        let now = Timestamp::now();
        if let Some(attempt) = &due.attempt {
            let over = Timestamp::from_microsecond(attempt.at).unwrap_or(now) + turn.lease;
            if now < over {
                let wait = duration(over.duration_since(now));
                return Err(Rest::Wait { wait, why: "somebody else's attempt may still be under way".to_owned() });
            }
        }
        if kind.is_message_at(due.rank) {
            // Waited for before anything is read, so that what is read is young.
            self.pause(self.next_message().unwrap_or(now), RATES).await?;
        }
        let need = loop {
            let now = Timestamp::now();
            let material = app.store.material(self.workspace, self.channel, &kind, self.voice.posting(self.channel)).await?;
            let held = material.posting.held_until();
            match can(&kind, material, now, self.voice.only_posts()) {
                Can::NotYet => return Ok(Came::Nothing),
                Can::Nothing => return app.store.drop_due(due).await.map(|()| Came::Done).map_err(Rest::from),
                Can::OnPage(on_page) => return self.fold(due, &kind, &on_page).await,
                Can::Never(reason) => break Err(reason),
                Can::Do(need) if self.may_call(&need, held).await? => break Ok(need),
                Can::Do(_) => {}
            }
        };
        turn.in_time()?;
        let at = Timestamp::now().as_microsecond();
        let attempt = Attempt { owner: turn.owner.clone(), at, first: due.attempt.as_ref().map_or(at, |earlier| earlier.first) };
        if !app.store.attempt(due, &attempt).await? {
            // Wanted anew, or done, by somebody else just now: read what is due again.
            return Ok(Came::Left);
        }
        let need = match need {
            Ok(_) if due.attempts >= ATTEMPTS_MOST => Err(format!("tried {} times without an outcome", due.attempts)),
            other => other,
        };
        match need {
            Err(reason) => self.park_post(due, &reason, due.attempt.is_none()).await.map(|()| Came::Done),
            Ok(mut need) => match self.post(due, &mut need, at).await {
                Ok(came) => Ok(came),
                Err(failed) => self.failed(due, &need, failed).await,
            },
        }
    }

    /// Waits for the rates; `false` when that took a while, and what was read may be different now.
    async fn may_call(&self, need: &Need, held: Option<Timestamp>) -> Result<bool, Rest> {
        let now = Timestamp::now();
        let until = if need.is_message() {
            self.next_message().max(held)
        } else {
            self.app.store.take_place(self.workspace, need.method(), self.app.updates_per_minute, now).await?
        };
        let Some(until) = until.filter(|until| *until > now) else { return Ok(true) };
        self.pause(until, RATES).await?;
        Ok(false)
    }

    /// Does it. The attempt, begun `at`, is marked.
    async fn post(&mut self, due: &Due, need: &mut Need, mut at: i64) -> Result<Came, Failed> {
        let (store, owner) = (&self.app.store, self.turn.owner.as_str());
        // An attempt without a result may have posted: look before posting again.
        if need.is_message() && due.attempt.is_some() {
            match self.look_up(due, need).await? {
                Found::There(posted) => {
                    let about = need.about();
                    metrics::post(metrics::Post::Found);
                    tracing::info!(about, channel = self.channel.as_str(), outcome = "found", "an earlier attempt had posted");
                    return self.write_down(due, need, posted).await;
                }
                Found::NotThere => {}
                Found::Unknown(why) => {
                    let about = need.about();
                    if self.app.uncertain == Uncertain::Park && !due.put_back {
                        return Err(Failed::Unknown(why));
                    }
                    tracing::warn!(about, why, outcome = "not_looked_up", "it cannot be known whether it was posted; posting again");
                    need.uncertain = true;
                }
            }
            // A look-up takes a while, in which Slack may have wanted a pause.
            let held = store.held_until(self.workspace, self.voice.posting(self.channel)).await?;
            if held.is_some_and(|until| until > Timestamp::now()) {
                self.give_back(due, need, Setback::Pause).await?;
                return Ok(Came::Left);
            }
            at = Timestamp::now().as_microsecond();
            if !store.renew(due, owner, at).await? {
                return Ok(Came::Left);
            }
        }
        let message = need.message();
        // Whoever was frozen since the mark must not call any more: the post is somebody else's by now. And a look-up may have taken the time that the call needs.
        let last = Timestamp::from_microsecond(at).unwrap_or_default() + self.turn.head_start;
        if Timestamp::now() > last || !self.turn.has_time() {
            self.give_back(due, need, Setback::Pause).await?;
            return Ok(Came::Left);
        }
        let arguments = arguments(self.channel, due, need, &message);
        let answer = self.voice.say(self.app, need.method(), &arguments, last).await?;
        let posted = Posted {
            slack_channel: text(&answer, "channel").map_or_else(|| self.channel.clone(), Channel::new),
            ts: MessageTs::new(text(&answer, "ts").unwrap_or_default()),
            shown: need.version,
        };
        self.log(due, need, &posted);
        self.write_down(due, need, posted).await
    }

    /// Takes our mark off, since Slack was not asked, or said that it did nothing; only the mark of an earlier attempt, of which nothing is known, stays.
    pub(crate) async fn give_back(&self, due: &Due, need: &Need, setback: Setback) -> Result<(), StoreError> {
        let (store, owner) = (&self.app.store, self.turn.owner.as_str());
        if need.is_uncertain() { store.unresolved(due, owner, setback, true).await } else { store.release(due, owner, setback).await }
    }

    async fn write_down(&mut self, due: &Due, need: &Need, posted: Posted) -> Result<Came, Failed> {
        let now = Timestamp::now();
        if need.is_message() {
            self.pace.not_before = (now + BETWEEN_MESSAGES).as_microsecond();
            self.pace.slack_channel = Some(posted.slack_channel.clone());
            self.pace.parked = None;
        }
        match due.kind() {
            Some(Kind::Card(_)) if need.is_message() => self.pace.lately.add(1, now),
            Some(Kind::Digest(_)) => self.digest_painted = Some(now),
            Some(Kind::Card(_) | Kind::Reply(..) | Kind::Page(..) | Kind::Notice(_) | Kind::Report(..)) | None => {}
        }
        let pace = need.is_message().then_some(&self.pace);
        let done = Done { due, owner: &self.turn.owner, posted: &posted, pace, members: &need.members(), now };
        if !self.app.store.done(self.workspace, self.channel, &done).await? {
            let about = need.about();
            tracing::warn!(about, channel = self.channel.as_str(), outcome = "overtaken", "another poster was at work meanwhile");
        }
        Ok(Came::Done)
    }

    fn log(&self, due: &Due, need: &Need, posted: &Posted) {
        let outcome = need.outcome();
        metrics::post(outcome);
        metrics::post_age((Timestamp::now().as_microsecond() - due.since) / 1000);
        tracing::info!(
            workspace = self.workspace.as_str(),
            about = need.about(),
            channel = self.channel.as_str(),
            ts = posted.ts.as_str(),
            version = posted.shown,
            outcome = outcome.word(),
            "post"
        );
    }
}

fn arguments<'a>(channel: &'a Channel, due: &'a Due, need: &'a Need, message: &'a Message) -> Arguments<'a> {
    let (channel, ts, thread_ts) = match &need.how {
        How::New => (channel, None, None),
        How::Change(posted) => (&posted.slack_channel, Some(&posted.ts), None),
        How::Under(posted) => (&posted.slack_channel, None, Some(&posted.ts)),
    };
    Arguments {
        channel: channel.as_str(),
        ts,
        thread_ts,
        reply_broadcast: need.broadcast(),
        message,
        metadata: Metadata { event_type: EVENT_TYPE, event_payload: EventPayload { about: need.about(), post: due.place() } },
        parse: "none",
        unfurl_links: false,
        unfurl_media: false,
    }
}

pub(crate) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}
