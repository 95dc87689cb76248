//! One channel: everything that is due there, in order, at Slack's pace.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::{Channel, IncidentId, IntentId, Workspace};
use shared::store::StoreError;
use shared::store::attempts::Setbacks;
use shared::store::pace::{ChannelPace, Parked};
use shared::store::posts::{Due, Kind};

use crate::setback::{STUMBLES_MOST, backoff};
use crate::voice::Voice;
use crate::{App, Turn};

/// A wait that is shorter than this is waited out in place: putting the channel back would take longer.
const IN_PLACE: Duration = Duration::from_secs(2);

/// How many posts are done before looking whether something more urgent has become due.
const IN_A_ROW: usize = 10;

/// Where all that is due rests, whether something else has become due is looked after so long at most; where that has gone on for some minutes, as in an outage, less
/// often, so that SQS does not give the channel's messages up for being received too often.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);
const LOOK_AGAIN_LATER: SignedDuration = SignedDuration::from_secs(60);

/// What is left to do in a channel.
#[derive(Debug)]
pub(crate) enum Rest {
    /// Nothing.
    Nothing,
    /// Something, not sooner than after this while.
    Wait { wait: Duration, why: String },
    /// Something that nobody can do until somebody mends what the reason says.
    Park(String),
}

impl From<StoreError> for Rest {
    fn from(error: StoreError) -> Self {
        Self::Wait { wait: Duration::from_secs(5), why: error.to_string() }
    }
}

/// One channel in one turn.
pub(crate) struct Work<'a> {
    pub(crate) app: &'a App,
    pub(crate) turn: &'a Turn,
    pub(crate) voice: Voice<'a>,
    pub(crate) workspace: &'a Workspace,
    pub(crate) channel: &'a Channel,
    /// How fast the channel is; nobody else changes it meanwhile.
    pub(crate) pace: ChannelPace,
    /// When a storm's digest was painted last in this turn.
    pub(crate) digest_painted: Option<Timestamp>,
    /// Over which post Slack stumbled last in this turn: over another one too means that it is not the post.
    pub(crate) stumbled: Option<String>,
    /// No message before this, because one may have been posted of which no more is known.
    pub(crate) unsure_until: Option<Timestamp>,
}

/// What came of one post that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Nothing can be done about it yet.
    Nothing,
    /// It is done, or put aside.
    Done,
    /// Slack wanted a pause, which is over: it stands as it was, and is tried again.
    Again,
    /// It is due still, and what comes after it must not come before it.
    Left,
}

impl App {
    /// Works off what is due in a channel, until nothing is left or it has to wait.
    pub(crate) async fn work_channel(&self, turn: &Turn, workspace: &Workspace, channel: &Channel, unpark: &[(&str, &IntentId)]) -> Rest {
        self.try_channel(turn, workspace, channel, unpark).await.err().unwrap_or(Rest::Nothing)
    }

    async fn try_channel(&self, turn: &Turn, workspace: &Workspace, channel: &Channel, unpark: &[(&str, &IntentId)]) -> Result<(), Rest> {
        for (place, letter) in unpark {
            self.store.unpark(workspace, channel, place, letter).await?;
        }
        // Read before the token that is used: one that comes in between is then a new one to the clock, which tries it, and not one that was tried in vain.
        let key = self.installations.key_to(workspace, channel).await;
        let pace = self.store.channel_pace(workspace, channel).await?;
        let mut not_before = pace.not_before;
        let result = match self.voice(turn, workspace, channel).await {
            Err(rest) => Err(rest),
            Ok(voice) => {
                let (digest_painted, stumbled, unsure_until) = (None, None, None);
                let mut work = Work { app: self, turn, voice, workspace, channel, pace, digest_painted, stumbled, unsure_until };
                let result = work.run().await;
                not_before = work.pace.not_before;
                result
            }
        };
        if let Err(Rest::Park(reason)) = &result {
            let parked = Parked { at: Timestamp::now(), reason: reason.clone(), key };
            self.keep_parked(workspace, channel, &parked, not_before).await?;
        }
        result
    }

    /// Keeps that nothing can be posted in a channel, so that the clock does not wake it every minute for one more dead letter. Where the whole installation is
    /// closed the clock wakes none of its channels, and all of them as soon as it is open.
    async fn keep_parked(&self, workspace: &Workspace, channel: &Channel, parked: &Parked, not_before: i64) -> Result<(), StoreError> {
        let installation = self.store.installation(workspace).await?;
        if installation.is_some_and(|installation| installation.closed().is_some()) {
            return Ok(());
        }
        self.store.park_channel(workspace, channel, parked, not_before).await
    }
}

impl Work<'_> {
    async fn run(&mut self) -> Result<(), Rest> {
        let store = &self.app.store;
        loop {
            let due = store.due(self.workspace, self.channel).await?;
            if self.weather(&due).await? {
                self.turn.in_time()?;
                continue;
            }
            let mut done = 0;
            let mut resting = Resting::default();
            for due in due {
                if resting.is(&due, self.rests_until(&due)) {
                    continue;
                }
                let mut came = self.work_off(&due).await?;
                while came == Came::Again {
                    self.turn.in_time()?;
                    came = self.work_off(&due).await?;
                }
                done += usize::from(came != Came::Nothing);
                if came == Came::Left || done == IN_A_ROW {
                    break;
                }
            }
            match resting.until.filter(|_| done == 0) {
                // Not for as long as it rests: what comes meanwhile waits behind this.
                Some(until) => self.pause(until.min(Timestamp::now() + resting.look_again()), "what is left rests").await?,
                // What is left then waits for its card, which is parked.
                None if done == 0 => {
                    if self.pace.parked.is_some() {
                        store.unpark_channel(self.workspace, self.channel).await?;
                    }
                    return Ok(());
                }
                None => self.turn.in_time()?,
            }
        }
    }

    /// Until when a post that is due is left alone: a digest that was painted a moment ago, or what Slack stumbled over.
    fn rests_until(&self, due: &Due) -> Option<Timestamp> {
        let Setbacks { failures, failed_at, .. } = due.setbacks;
        let stumbled = failures.checked_sub(1).zip(Timestamp::from_microsecond(failed_at).ok());
        let until = stumbled.map(|(before, at)| at + backoff(before, self.least_rest(due.attempt.is_some()), at));
        until.max(self.digest_rests_until(due)).filter(|until| *until > Timestamp::now())
    }

    /// Waits until `until`: in place where that is soon, else by putting the channel back.
    pub(crate) async fn pause(&self, until: Timestamp, why: &str) -> Result<(), Rest> {
        let wait = duration(until.duration_since(Timestamp::now()));
        if wait.is_zero() {
            return Ok(());
        }
        if wait > IN_PLACE || !self.turn.has_time() {
            return Err(Rest::Wait { wait, why: why.to_owned() });
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// When the channel takes the next message.
    pub(crate) fn next_message(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.pace.not_before).ok().max(self.unsure_until)
    }
}

/// What is left alone at the moment.
#[derive(Debug, Default)]
struct Resting {
    /// When the first of it may be tried again.
    until: Option<Timestamp>,
    /// Whether Slack has not stumbled often yet over one of them.
    young: bool,
    /// Incidents of whose thread an entry rests: those after it wait, or they would stand in the wrong order.
    threads: HashSet<IncidentId>,
}

impl Resting {
    /// Whether a post is left alone, given until when it rests by itself.
    fn is(&mut self, due: &Due, until: Option<Timestamp>) -> bool {
        let thread = match due.kind() {
            Some(Kind::Reply(incident, _)) => Some(incident),
            Some(Kind::Card(_) | Kind::Digest(_) | Kind::Page(..) | Kind::Notice(_) | Kind::Report(..)) | None => None,
        };
        if until.is_some() {
            self.until = self.until.into_iter().chain(until).min();
            self.young |= due.setbacks.failures < STUMBLES_MOST;
            self.threads.extend(thread);
            return true;
        }
        thread.is_some_and(|thread| self.threads.contains(&thread))
    }

    /// After how long it is looked at most whether something else is due.
    fn look_again(&self) -> SignedDuration {
        if self.young { LOOK_AGAIN } else { LOOK_AGAIN_LATER }
    }
}

pub(crate) fn duration(signed: SignedDuration) -> Duration {
    Duration::try_from(signed).unwrap_or_default()
}
