//! One channel: everything that is due there, in order, at Slack's pace.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::{Channel, IncidentId, IntentId, Workspace};
use shared::metrics;
use shared::queue::{Wake, seal};
use shared::slack::client::SlackError;
use shared::slack::verdict::Verdict;
use shared::store::StoreError;
use shared::store::attempts::{Setback, Setbacks};
use shared::store::pace::{ChannelPace, Parked};
use shared::store::posts::{Due, Kind};

use crate::post::{BETWEEN_MESSAGES, Failed, Need};
use crate::voice::Voice;
use crate::{App, Turn};

/// A wait that is shorter than this is waited out in place: putting the channel back would take longer.
const IN_PLACE: Duration = Duration::from_secs(2);

/// How many posts are done before looking whether something more urgent has become due.
const IN_A_ROW: usize = 10;

/// A post over which Slack stumbles for the fourth time waits alone: the channel goes on without it.
const STUMBLES: u32 = 3;

/// A post over which it has stumbled so often, while others went through, is put aside.
const STUMBLES_MOST: u32 = 10;

/// Where all that is due rests, whether something else has become due is looked after so long at most; where that has gone on for some minutes, as in an outage, less
/// often, so that SQS does not give the channel's messages up for being received too often.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);
const LOOK_AGAIN_LATER: SignedDuration = SignedDuration::from_secs(60);

/// A card that is gone this often, as far as one reply under it goes, is not the trouble.
const GONE_MOST: u32 = 3;

/// A token that is not accepted may just be changing: so often it is tried again before the channel is parked.
const TOKEN_FAILURES_MOST: u32 = 3;

/// In between, the secret may be read again.
const TOKEN_WAIT: Duration = Duration::from_secs(11);

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
    stumbled: Option<String>,
    /// No message before this, because one may have been posted of which no more is known.
    unsure_until: Option<Timestamp>,
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

/// What is known of an attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Slack did nothing: the mark goes.
    None,
    /// This attempt did nothing; of an earlier one it is not known.
    Earlier,
    /// It may have posted.
    This,
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

    /// What may have been posted is looked up only once that attempt is over for good.
    fn least_rest(&self, marked: bool) -> Duration {
        if marked { self.turn.lease } else { Duration::ZERO }
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

    /// What a failed post means for the post, for the channel, and for everybody who calls the same method.
    pub(crate) async fn failed(&mut self, due: &Due, need: &Need, failed: Failed) -> Result<Came, Rest> {
        let store = &self.app.store;
        let error = match failed {
            Failed::Slack(error) => error,
            Failed::Store(error) => return Err(error.into()),
            Failed::Unknown(_) => {
                let reason = format!("{failed}. Look into the channel; where it is not there, put this back and it is posted.");
                return self.park_post(due, &reason, false).await.map(|()| Came::Done);
            }
            Failed::LookUp(error) => return self.look_up_failed(due, error).await,
        };
        let why = error.to_string();
        match error.verdict() {
            Verdict::RateLimited => {
                let SlackError::RateLimited { retry_after } = error else { return Ok(Came::Left) };
                let method = if need.is_message() { self.voice.posting(self.channel) } else { need.method() };
                let until = store.hold(self.workspace, method, retry_after).await?;
                self.give_back(due, need, Setback::Pause).await?;
                tracing::info!(method = need.method(), retry_after, outcome = "rate_limited", "Slack wants a pause");
                // What has a mark from before was looked up meanwhile, and is read again.
                let came = if due.attempt.is_none() { Came::Again } else { Came::Left };
                self.pause(until, &why).await.map(|()| came)
            }
            // The mark of a new message stays: the next attempt looks it up. Anything else done twice is done once.
            Verdict::Uncertain if need.is_message() => self.stumbled_over(due, why, Mark::This).await,
            Verdict::Later | Verdict::Uncertain if need.is_uncertain() => self.stumbled_over(due, why, Mark::Earlier).await,
            Verdict::Later | Verdict::Uncertain => self.stumbled_over(due, why, Mark::None).await,
            Verdict::Token if due.setbacks.token_failures < TOKEN_FAILURES_MOST => {
                self.give_back(due, need, Setback::Token).await?;
                Err(Rest::Wait { wait: TOKEN_WAIT, why })
            }
            Verdict::Gone => self.gone(due, need, &error).await,
            Verdict::Post => self.park_post(due, &format!("{why}. {}", error.advice()), true).await.map(|()| Came::Done),
            Verdict::Token | Verdict::Disabled | Verdict::Channel | Verdict::App => {
                self.give_back(due, need, Setback::Pause).await?;
                Err(park(error))
            }
        }
    }

    /// Slack stumbled, or its answer was lost. The channel waits for a while; where it was this post again and again, only the post does, and the channel with it
    /// when another one fails too. What may have been posted is looked up before it is tried again.
    async fn stumbled_over(&mut self, due: &Due, why: String, mark: Mark) -> Result<Came, Rest> {
        let (store, owner) = (&self.app.store, self.turn.owner.as_str());
        let Setbacks { failures, failed_at, passed, .. } = due.setbacks;
        let last_message = self.pace.not_before - i64::try_from(BETWEEN_MESSAGES.as_micros()).unwrap_or_default();
        let passed_now = failures > 0 && last_message > failed_at;
        if passed_now && passed + 1 >= STUMBLES_MOST {
            let reason =
                format!("{why}. Slack failed at it {} times, and others went through. Put it back once Slack takes it.", failures + 1);
            return self.park_post(due, &reason, mark == Mark::None).await.map(|()| Came::Done);
        }
        let at = Timestamp::now();
        let setback = Setback::Failure { at, passed: passed_now };
        match mark {
            Mark::None => store.release(due, owner, setback).await?,
            Mark::Earlier => store.unresolved(due, owner, setback, true).await?,
            Mark::This => {
                self.unsure_until = Some(at + BETWEEN_MESSAGES);
                store.unresolved(due, owner, setback, false).await?;
            }
        }
        let only_this = failures >= STUMBLES && self.stumbled.as_deref().is_none_or(|other| other == due.place());
        self.stumbled = Some(due.place().to_owned());
        if only_this {
            tracing::warn!(
                place = due.place(),
                failures,
                why,
                outcome = "skipped",
                "Slack fails at this one; the channel goes on without it"
            );
            return Ok(Came::Left);
        }
        Err(Rest::Wait { wait: backoff(failures, self.least_rest(mark != Mark::None), at), why })
    }

    /// It could not be found out whether an earlier attempt had posted: its mark stays, whatever stood in the way.
    async fn look_up_failed(&mut self, due: &Due, error: SlackError) -> Result<Came, Rest> {
        let (lease, why) = (self.turn.lease, format!("the look-up: {error}"));
        let (setback, rest) = match error.verdict() {
            Verdict::RateLimited => {
                let wait = if let SlackError::RateLimited { retry_after } = error { retry_after } else { 0 };
                (Setback::Pause, Rest::Wait { wait: Duration::from_secs(wait).max(lease), why })
            }
            Verdict::Token if due.setbacks.token_failures < TOKEN_FAILURES_MOST => {
                (Setback::Token, Rest::Wait { wait: TOKEN_WAIT.max(lease), why })
            }
            Verdict::Token | Verdict::Disabled | Verdict::Channel | Verdict::App => (Setback::Pause, park(error)),
            Verdict::Later | Verdict::Uncertain | Verdict::Gone | Verdict::Post => {
                return self.stumbled_over(due, why, Mark::Earlier).await;
            }
        };
        self.app.store.unresolved(due, &self.turn.owner, setback, true).await?;
        Err(rest)
    }

    /// The message that was to be changed, or to be replied under, is not there any more: a new one comes in its place.
    async fn gone(&self, due: &Due, need: &Need, error: &SlackError) -> Result<Came, Rest> {
        let kind = due.kind().filter(|_| due.setbacks.gone < GONE_MOST);
        let Some((gone, lost)) = kind.and_then(|kind| need.stands_on(&kind)) else {
            return self.park_post(due, &format!("{error}. {}", error.advice()), true).await.map(|()| Came::Done);
        };
        metrics::post(metrics::Post::CardGone);
        tracing::warn!(about = need.about(), %error, outcome = "card_gone", "the message cannot be updated any more; a new one is posted");
        let store = &self.app.store;
        store.forget(self.workspace, self.channel, &lost, due, &gone.ts).await?;
        store.release(due, &self.turn.owner, Setback::Gone).await?;
        Ok(Came::Left)
    }

    /// Puts one post aside so that the channel goes on, with a message on the dead-letter queue that brings it back. `answered`: Slack said what came of it.
    pub(crate) async fn park_post(&self, due: &Due, reason: &str, answered: bool) -> Result<(), Rest> {
        let (workspace, channel, owner) = (self.workspace, self.channel, self.turn.owner.as_str());
        let because = IntentId::of("parked", &[workspace.as_str(), channel.as_str(), due.place(), owner]);
        let wake = Wake { workspace: workspace.clone(), channel: channel.clone(), because, unpark: Some(due.place().to_owned()) };
        let stuck = |error: shared::queue::SendFailed| Rest::Wait { wait: Duration::from_secs(5), why: error.to_string() };
        let body = seal(&wake).map_err(stuck)?;
        let group = shared::queue::Message::group(&wake);
        let letter = shared::queue::Delivery::made(wake.because.as_str(), body, group, due.attempts);
        self.app.park(&letter, reason).await.map_err(stuck)?;
        self.app.store.park(due, owner, &wake.because, reason, answered).await?;
        self.app.tell(workspace, channel, "One message could not be posted there and was put aside", reason).await;
        Ok(())
    }
}

/// Nobody can post there until somebody mends what Slack says.
fn park(error: SlackError) -> Rest {
    let reason = format!("{error}. {}", error.advice());
    Rest::Park(if let SlackError::Closed(reason) = error { reason } else { reason })
}

/// How long to leave alone what failed `at` this moment, after so many failures before: 1, 2, 4 … 60 seconds, and never less than `least`; each up to a quarter longer, so
/// that many do not come at once.
fn backoff(failures: u32, least: Duration, at: Timestamp) -> Duration {
    let base = Duration::from_secs(2_u64.saturating_pow(failures.min(6)).min(60)).max(least);
    let quarter = u64::try_from(base.as_millis() / 4).unwrap_or(u64::MAX).max(1);
    let spread = u64::try_from(at.subsec_microsecond()).unwrap_or_default() % quarter;
    base + Duration::from_millis(spread)
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
            Some(Kind::Card(_) | Kind::Digest(_) | Kind::Page(..)) | None => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_waits_longer_than_the_one_before_and_never_less_than_the_lease() {
        let lease = Duration::from_secs(10);
        for (failures, at_least) in [(0, 10), (3, 10), (4, 16), (5, 32), (6, 60), (40, 60)] {
            let wait = backoff(failures, lease, Timestamp::now()).as_secs_f64();
            let at_least = f64::from(at_least);
            assert!(wait >= at_least && wait < at_least * 1.25, "{failures} failures: {wait} s");
        }
        assert!(backoff(0, Duration::ZERO, Timestamp::now()) < Duration::from_secs(2));
    }
}
