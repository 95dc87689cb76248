//! One channel: everything that is due there, in order, at Slack's pace.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::{Channel, IntentId, Workspace};
use shared::installation::Bot;
use shared::queue::{Wake, seal};
use shared::slack::client::SlackError;
use shared::store::StoreError;
use shared::store::keys::{self, Key};
use shared::store::posts::{Attempt, Due};

use crate::post::{LEASE, Need};
use crate::{App, Turn};

/// A wait that is shorter than this is waited out in place: putting the channel back would take longer.
const IN_PLACE: Duration = Duration::from_secs(2);

/// How many posts are done before looking whether something more urgent has become due.
const IN_A_ROW: usize = 10;

/// How long Slack wants between two messages in one channel.
const BETWEEN_MESSAGES: SignedDuration = SignedDuration::from_secs(1);

/// A post that is tried this often without any answer is parked: something about it kills whoever tries.
const ATTEMPTS_MOST: u32 = 30;

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

impl App {
    /// Works off what is due in a channel, until nothing is left or it has to wait.
    pub(crate) async fn work_channel(&self, turn: &Turn, workspace: &Workspace, channel: &Channel, unpark: &[&str]) -> Rest {
        match self.try_channel(turn, workspace, channel, unpark).await {
            Ok(()) => Rest::Nothing,
            Err(rest) => rest,
        }
    }

    async fn try_channel(&self, turn: &Turn, workspace: &Workspace, channel: &Channel, unpark: &[&str]) -> Result<(), Rest> {
        for place in unpark {
            self.store.unpark(workspace, channel, place).await?;
        }
        let bot = self.bot(turn, workspace).await?;
        loop {
            let mut done = 0;
            for due in self.store.due(workspace, channel).await? {
                done += usize::from(self.work_off(turn, &bot, workspace, channel, &due).await?);
                if done == IN_A_ROW {
                    break;
                }
            }
            // What is left then waits for its card, which is parked.
            if done == 0 {
                return Ok(());
            }
        }
    }

    /// What calls Slack for this workspace, for the whole turn. Where nothing may be called, the channel is parked until somebody has mended that.
    async fn bot<'a>(&'a self, turn: &'a Turn, workspace: &Workspace) -> Result<Bot<'a>, Rest> {
        self.installations.bot(&turn.client, workspace).await.map_err(|error| match error {
            SlackError::Closed(reason) => Rest::Park(reason),
            SlackError::Token(_) => Rest::Park(format!("{error}. {}", error.advice())),
            error => Rest::Wait { wait: Duration::from_secs(30), why: error.to_string() },
        })
    }

    /// One post; whether anything was done.
    async fn work_off(&self, turn: &Turn, bot: &Bot<'_>, workspace: &Workspace, channel: &Channel, due: &Due) -> Result<bool, Rest> {
        let now = Timestamp::now();
        if let Some(attempt) = &due.attempt {
            let over = Timestamp::from_microsecond(attempt.at).unwrap_or(now) + LEASE;
            if now < over {
                return Err(Rest::Wait {
                    wait: duration(over.duration_since(now)),
                    why: "somebody else's attempt may still be under way".to_owned(),
                });
            }
        }
        let Some(need) = self.need(workspace, channel, due).await? else { return Ok(false) };
        for pace in paces(workspace, channel, &need) {
            self.wait_for(turn, &pace).await?;
        }
        if !turn.has_time() {
            return Err(Rest::Wait { wait: Duration::ZERO, why: "this invocation's time is over".to_owned() });
        }
        let at = Timestamp::now().as_microsecond();
        let attempt = Attempt { owner: turn.owner.clone(), at, first: due.attempt.as_ref().map_or(at, |earlier| earlier.first) };
        if !self.store.attempt(due, &attempt).await? {
            // Wanted anew, or done, by somebody else just now: read what is due again.
            return Ok(true);
        }
        if due.attempts >= ATTEMPTS_MOST {
            self.park_post(
                turn,
                workspace,
                channel,
                due,
                &format!("tried {} times without an outcome", due.attempts),
                due.attempt.is_none(),
            )
            .await?;
            return Ok(true);
        }
        match self.post(bot, turn, workspace, channel, due, &need).await {
            Ok(slack_channel) => {
                if need.is_message() {
                    self.store.pace_channel(workspace, channel, &slack_channel, Timestamp::now() + BETWEEN_MESSAGES).await?;
                }
                Ok(true)
            }
            Err(error) => self.failed(turn, workspace, channel, due, &need, error).await,
        }
    }

    /// What a failed post means for the post, for the channel, and for everybody who calls the same method.
    async fn failed(
        &self,
        turn: &Turn,
        workspace: &Workspace,
        channel: &Channel,
        due: &Due,
        need: &Need,
        error: crate::post::Failed,
    ) -> Result<bool, Rest> {
        let error = match error {
            crate::post::Failed::Slack(error) => error,
            crate::post::Failed::Store(error) => return Err(error.into()),
            crate::post::Failed::LookUp(error) => {
                let wait =
                    if let SlackError::RateLimited { retry_after } = error { Duration::from_secs(retry_after) } else { duration(LEASE) };
                self.store.unresolved(due, &turn.owner).await?;
                return Err(Rest::Wait { wait: wait.max(duration(LEASE)), why: format!("the look-up: {error}") });
            }
        };
        // After an ambiguous answer to a new message the mark stays: the next attempt looks the message up.
        let ambiguous = matches!(error, SlackError::Ambiguous(_)) && need.is_message();
        if ambiguous {
            self.store.unresolved(due, &turn.owner).await?;
        } else {
            if need.card_is_gone(&error) && due.failures < GONE_MOST {
                tracing::warn!(incident = due.incident.as_str(), %error, outcome = "card_gone", "the card cannot be updated any more; a new one is posted");
                self.store.forget_card(workspace, &due.incident, channel).await?;
                self.store.want_card(workspace, channel, due).await?;
                self.store.release(due, &turn.owner).await?;
                return Ok(true);
            }
            if let SlackError::Never { .. } = &error
                && !concerns_channel(&error)
            {
                self.park_post(turn, workspace, channel, due, &format!("{error}. {}", error.advice()), true).await?;
                return Ok(true);
            }
            self.store.release(due, &turn.owner).await?;
        }
        let why = error.to_string();
        match error {
            SlackError::RateLimited { retry_after } => {
                let wait = Duration::from_secs(retry_after);
                let until = Timestamp::now() + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_mins(1));
                self.store.hold(&keys::method_pace(workspace, need.method()), until).await?;
                Err(Rest::Wait { wait, why })
            }
            SlackError::Ambiguous(_) if ambiguous => Err(Rest::Wait { wait: duration(LEASE), why }),
            SlackError::Later(_) | SlackError::Ambiguous(_) => Err(Rest::Wait { wait: backoff(due), why }),
            SlackError::Token(_) if due.failures < TOKEN_FAILURES_MOST => Err(Rest::Wait { wait: TOKEN_WAIT, why }),
            SlackError::Closed(reason) => Err(Rest::Park(reason)),
            SlackError::Token(_) | SlackError::Never { .. } => Err(Rest::Park(format!("{why}. {}", error.advice()))),
        }
    }

    /// Puts one post aside so that the channel goes on, with a message on the dead-letter queue that brings it back.
    async fn park_post(
        &self,
        turn: &Turn,
        workspace: &Workspace,
        channel: &Channel,
        due: &Due,
        reason: &str,
        answered: bool,
    ) -> Result<(), Rest> {
        let because = IntentId::of("parked", &[workspace.as_str(), channel.as_str(), due.place(), &turn.owner]);
        let wake = Wake { workspace: workspace.clone(), channel: channel.clone(), because, unpark: Some(due.place().to_owned()) };
        let stuck = |error: shared::queue::SendFailed| Rest::Wait { wait: Duration::from_secs(5), why: error.to_string() };
        let body = seal(&wake).map_err(stuck)?;
        let letter = shared::queue::Delivery {
            message_id: wake.because.to_string(),
            receipt_handle: String::new(),
            body,
            sent_at_ms: 0,
            receives: due.attempts,
            group: shared::queue::Message::group(&wake),
        };
        self.park(&letter, reason).await.map_err(stuck)?;
        self.store.park(due, &turn.owner, reason, answered).await?;
        Ok(())
    }

    async fn wait_for(&self, turn: &Turn, pace: &Key) -> Result<(), Rest> {
        let Some(until) = self.store.not_before(pace).await? else { return Ok(()) };
        let wait = duration(until.duration_since(Timestamp::now()));
        if wait.is_zero() {
            return Ok(());
        }
        if wait > IN_PLACE || !turn.has_time() {
            return Err(Rest::Wait { wait, why: "Slack's rates".to_owned() });
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// What has to be waited for: the method's rate, and for a message the channel's.
fn paces(workspace: &Workspace, channel: &Channel, need: &Need) -> Vec<Key> {
    let mut paces = vec![keys::method_pace(workspace, need.method())];
    if need.is_message() {
        paces.push(keys::channel_pace(workspace, channel));
    }
    paces
}

/// Whether every post to this channel, or every call, would fail the same way.
fn concerns_channel(error: &SlackError) -> bool {
    [
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "missing_scope",
        "restricted_action",
        "user_not_found",
        "cannot_dm_bot",
        "access_denied",
    ]
    .iter()
    .any(|code| error.is(code))
}

/// 1, 2, 4 … 60 seconds, each up to a quarter longer, so that many do not come at once.
fn backoff(due: &Due) -> Duration {
    let base = 2_u64.saturating_pow(due.failures.min(6)).min(60) * 1000;
    let spread = u64::try_from(Timestamp::now().subsec_nanosecond()).unwrap_or_default() % (base / 4);
    Duration::from_millis(base + spread)
}

fn duration(signed: SignedDuration) -> Duration {
    Duration::try_from(signed).unwrap_or_default()
}
