//! One channel: everything that is due there, in order, at Slack's pace.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::{Channel, IntentId, Workspace};
use shared::metrics;
use shared::queue::{Wake, seal};
use shared::slack::client::SlackError;
use shared::slack::verdict::Verdict;
use shared::store::StoreError;
use shared::store::attempts::Setback;
use shared::store::pace::ChannelPace;
use shared::store::posts::Due;

use crate::post::{Failed, Need};
use crate::voice::Voice;
use crate::{App, Turn};

/// A wait that is shorter than this is waited out in place: putting the channel back would take longer.
const IN_PLACE: Duration = Duration::from_secs(2);

/// How many posts are done before looking whether something more urgent has become due.
const IN_A_ROW: usize = 10;

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
}

impl App {
    /// Works off what is due in a channel, until nothing is left or it has to wait.
    pub(crate) async fn work_channel(&self, turn: &Turn, workspace: &Workspace, channel: &Channel, unpark: &[&str]) -> Rest {
        self.try_channel(turn, workspace, channel, unpark).await.err().unwrap_or(Rest::Nothing)
    }

    async fn try_channel(&self, turn: &Turn, workspace: &Workspace, channel: &Channel, unpark: &[&str]) -> Result<(), Rest> {
        for place in unpark {
            self.store.unpark(workspace, channel, place).await?;
        }
        let voice = self.voice(turn, workspace, channel).await?;
        let mut work = Work { app: self, turn, voice, workspace, channel, pace: ChannelPace::default(), digest_painted: None };
        work.run().await
    }
}

impl Work<'_> {
    async fn run(&mut self) -> Result<(), Rest> {
        let store = &self.app.store;
        self.pace = store.channel_pace(self.workspace, self.channel).await?;
        loop {
            let due = store.due(self.workspace, self.channel).await?;
            if self.weather(&due).await? {
                self.turn.in_time()?;
                continue;
            }
            let mut done = 0;
            let mut later = None;
            for due in due {
                if let Some(until) = self.digest_rests_until(&due) {
                    later = Some(until);
                    continue;
                }
                done += usize::from(self.work_off(&due).await?);
                if done == IN_A_ROW {
                    break;
                }
            }
            match later.filter(|_| done == 0) {
                Some(until) => self.pause(until, "a storm's digest was painted a moment ago").await?,
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

    /// What a failed post means for the post, for the channel, and for everybody who calls the same method.
    pub(crate) async fn failed(&self, due: &Due, need: &Need, failed: Failed) -> Result<bool, Rest> {
        let (store, owner) = (&self.app.store, self.turn.owner.as_str());
        let error = match failed {
            Failed::Slack(error) => error,
            Failed::Store(error) => return Err(error.into()),
            Failed::Unknown(_) => {
                let reason = format!("{failed}. Look into the channel; where it is not there, put this back and it is posted.");
                return self.park_post(due, &reason, false).await.map(|()| true);
            }
            Failed::LookUp(error) => return self.look_up_failed(due, error).await,
        };
        let why = error.to_string();
        match error.verdict() {
            Verdict::RateLimited => {
                let SlackError::RateLimited { retry_after } = error else { return Ok(true) };
                let method = if need.is_message() { self.voice.posting(self.channel) } else { need.method() };
                let until = store.hold(self.workspace, method, retry_after).await?;
                store.release(due, owner, Setback::Pause).await?;
                metrics::rate_limited(need.method());
                tracing::info!(method = need.method(), retry_after, outcome = "rate_limited", "Slack wants a pause");
                self.pause(until, &why).await.map(|()| true)
            }
            // The mark of a new message stays: the next attempt looks it up. Anything else done twice is done once.
            Verdict::Uncertain if need.is_message() => {
                store.unresolved(due, owner, Setback::Failure).await?;
                Err(Rest::Wait { wait: backoff(due.setbacks.failures, self.turn.lease), why })
            }
            Verdict::Later | Verdict::Uncertain => {
                store.release(due, owner, Setback::Failure).await?;
                Err(Rest::Wait { wait: backoff(due.setbacks.failures, Duration::ZERO), why })
            }
            Verdict::Token if due.setbacks.token_failures < TOKEN_FAILURES_MOST => {
                store.release(due, owner, Setback::Token).await?;
                Err(Rest::Wait { wait: TOKEN_WAIT, why })
            }
            Verdict::Gone => self.gone(due, need, &error).await,
            Verdict::Post => self.park_post(due, &format!("{why}. {}", error.advice()), true).await.map(|()| true),
            Verdict::Token | Verdict::Disabled | Verdict::Channel | Verdict::App => {
                store.release(due, owner, Setback::Pause).await?;
                Err(park(error))
            }
        }
    }

    /// It could not be found out whether an earlier attempt had posted: its mark stays, whatever stood in the way.
    async fn look_up_failed(&self, due: &Due, error: SlackError) -> Result<bool, Rest> {
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
                (Setback::Failure, Rest::Wait { wait: backoff(due.setbacks.failures, lease), why })
            }
        };
        self.app.store.unresolved(due, &self.turn.owner, setback).await?;
        Err(rest)
    }

    /// The message that was to be changed, or to be replied under, is not there any more: a new one comes in its place.
    async fn gone(&self, due: &Due, need: &Need, error: &SlackError) -> Result<bool, Rest> {
        let kind = due.kind().filter(|_| due.setbacks.gone < GONE_MOST);
        let Some((gone, lost)) = kind.and_then(|kind| need.stands_on(&kind)) else {
            return self.park_post(due, &format!("{error}. {}", error.advice()), true).await.map(|()| true);
        };
        metrics::post(metrics::Post::CardGone);
        tracing::warn!(about = need.about(), %error, outcome = "card_gone", "the message cannot be updated any more; a new one is posted");
        let store = &self.app.store;
        store.forget(self.workspace, self.channel, &lost, due, &gone.ts).await?;
        store.release(due, &self.turn.owner, Setback::Gone).await?;
        Ok(true)
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
        self.app.store.park(due, owner, reason, answered).await?;
        self.app.tell(workspace, channel, "One message could not be posted there and was put aside", reason).await;
        Ok(())
    }
}

/// Nobody can post there until somebody mends what Slack says.
fn park(error: SlackError) -> Rest {
    let reason = format!("{error}. {}", error.advice());
    Rest::Park(if let SlackError::Closed(reason) = error { reason } else { reason })
}

/// 1, 2, 4 … 60 seconds, and never less than `least`; each up to a quarter longer, so that many do not come at once.
fn backoff(failures: u32, least: Duration) -> Duration {
    let base = Duration::from_secs(2_u64.saturating_pow(failures.min(6)).min(60)).max(least);
    let quarter = u64::try_from(base.as_millis() / 4).unwrap_or(u64::MAX).max(1);
    let spread = u64::try_from(Timestamp::now().subsec_nanosecond()).unwrap_or_default() % quarter;
    base + Duration::from_millis(spread)
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
            let wait = backoff(failures, lease).as_secs_f64();
            let at_least = f64::from(at_least);
            assert!(wait >= at_least && wait < at_least * 1.25, "{failures} failures: {wait} s");
        }
        assert!(backoff(0, Duration::ZERO) < Duration::from_secs(2));
    }
}
