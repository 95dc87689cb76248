//! What a failed post means: for the post, for its channel, and for everybody who calls the same method.

use std::time::Duration;

use jiff::Timestamp;
use shared::domain::ids::IntentId;
use shared::metrics;
use shared::queue::{Wake, seal};
use shared::slack::client::SlackError;
use shared::slack::verdict::Verdict;
use shared::store::attempts::{Setback, Setbacks};
use shared::store::posts::{Due, Kind};

use crate::channel::{Came, Rest, Work};
use crate::post::{BETWEEN_MESSAGES, Failed, Need};

/// A post over which Slack stumbles for the fourth time waits alone: the channel goes on without it.
const STUMBLES: u32 = 3;

/// A post over which it has stumbled so often, while others went through, is put aside.
pub(crate) const STUMBLES_MOST: u32 = 10;

/// A card that is gone this often, as far as one reply under it goes, is not the trouble.
const GONE_MOST: u32 = 3;

/// A token that is not accepted may just be changing: so often it is tried again before the channel is parked.
const TOKEN_FAILURES_MOST: u32 = 3;

/// In between, the secret may be read again.
const TOKEN_WAIT: Duration = Duration::from_secs(11);

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

impl Work<'_> {
    /// What may have been posted is looked up only once that attempt is over for good.
    pub(crate) fn least_rest(&self, marked: bool) -> Duration {
        if marked { self.turn.lease } else { Duration::ZERO }
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
        if let Some(Kind::Notice(_)) = due.kind() {
            // It was somebody else's message, and with it goes what was to be said about it.
            tracing::info!(about = need.about(), %error, outcome = "message_gone", "nothing is left to say something under");
            return self.app.store.drop_due(due).await.map(|()| Came::Done).map_err(Rest::from);
        }
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
pub(crate) fn backoff(failures: u32, least: Duration, at: Timestamp) -> Duration {
    let base = Duration::from_secs(2_u64.saturating_pow(failures.min(6)).min(60)).max(least);
    let quarter = u64::try_from(base.as_millis() / 4).unwrap_or(u64::MAX).max(1);
    let spread = u64::try_from(at.subsec_microsecond()).unwrap_or_default() % quarter;
    base + Duration::from_millis(spread)
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
