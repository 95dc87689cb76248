//! Posts that nobody was woken for. A poster is woken whenever something becomes due, so this finds what a bug or an outage left behind; and it wakes a channel whose storm is
//! over and in which nothing happens, so that its digest says so. How long the oldest has waited is counted: when Slack is down nothing is shown late, but nothing is shown
//! at all, and a queue does not tell the age of what was received several times.

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::{Channel, IntentId, Workspace};
use shared::metrics;
use shared::queue::Wake;

use crate::{App, Failed, Troubles};

/// What has been due for so long is forgotten: a channel that works or waits gets to everything sooner.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(10);

/// What has been due for so long, somebody is told of where Slack is not needed.
const TOLD: SignedDuration = SignedDuration::from_mins(15);

/// For so long after that it is news. Longer than a minute, so that a round may fail; what is told twice meanwhile, the fallback holds back.
const NEWS: SignedDuration = SignedDuration::from_secs(150);

/// A channel in which nothing can be posted has a dead letter that says what to mend. Whoever mended it and did not put the letter back waits so long at most;
/// a new incident does not, and neither does a new token.
const PARKED: SignedDuration = SignedDuration::from_hours(24);

/// What has been due the longest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Oldest {
    since: Timestamp,
    workspace: Workspace,
    channel: Channel,
}

impl App {
    /// Wakes the posters of channels in which something is left.
    pub(crate) async fn forgotten(&self) -> Result<(), Failed> {
        let now = Timestamp::now();
        let (mut oldest, mut troubles) = (None, Troubles::default());
        for installation in self.store.installations().await? {
            let workspace = &installation.workspace;
            // Nothing may be posted there; what is due is found again once it is open, which another token does: for one that was taken out, the link brings it, or somebody pastes it.
            let gone = installation.by_link && installation.removed_at.is_some();
            if gone || (installation.closed().is_some() && self.installations.bot(&self.slack, workspace).await.is_err()) {
                continue;
            }
            troubles.note("forgotten", workspace, self.forgotten_of(workspace, now, &mut oldest).await);
        }
        self.watch(oldest, now).await;
        troubles.sum()
    }

    async fn forgotten_of(&self, workspace: &Workspace, now: Timestamp, oldest: &mut Option<Oldest>) -> Result<(), Failed> {
        for channel in self.store.channels(workspace).await? {
            let pace = self.store.channel_pace(workspace, &channel).await?;
            // It has its dead letter, which is alarmed for as long as it stands.
            if let Some(parked) = pace.parked.filter(|parked| now.duration_since(parked.at) < PARKED)
                && parked.key == self.installations.key_to(workspace, &channel).await
            {
                continue;
            }
            let since = self.store.oldest_due(workspace, &channel).await?;
            let this = since.map(|since| Oldest { since, workspace: workspace.clone(), channel: channel.clone() });
            *oldest = oldest.take().into_iter().chain(this).min();
            let forgotten = since.is_some_and(|since| now.duration_since(since) > FORGOTTEN);
            let calm = pace.storm.is_some() && pace.lately.count(now) == 0;
            if forgotten || calm {
                self.wake(workspace, &channel, now).await?;
                let (workspace, channel) = (workspace.as_str(), channel.as_str());
                tracing::info!(workspace, channel, forgotten, calm, outcome = "woken", "a channel in which nobody was at work");
            }
        }
        Ok(())
    }

    /// Counts how long the oldest has waited, and tells it once where that is long.
    async fn watch(&self, oldest: Option<Oldest>, now: Timestamp) {
        let waited = oldest.as_ref().map_or(SignedDuration::ZERO, |oldest| now.duration_since(oldest.since));
        metrics::oldest_due(waited);
        let Some(Oldest { since, workspace, channel }) = oldest.filter(|_| waited >= TOLD && waited < TOLD + NEWS) else { return };
        let text = format!(
            "What is due in channel {channel} of workspace {workspace} since {since} is not in Slack yet, and nothing has waited longer.\n\nEither Slack is down \
             (https://slack-status.com) or slow, or the log of poster says for what it waits, or what it stands under was put on the dead-letter queue of the posts queue. Nothing is \
             lost: all of it is posted when Slack takes it. This is not told again for what becomes late meanwhile."
        );
        self.fallback.notify("Posts have waited for Slack for 15 minutes", "", &text).await;
    }

    async fn wake(&self, workspace: &Workspace, channel: &Channel, now: Timestamp) -> Result<(), Failed> {
        let minute = (now.as_second() / 60).to_string();
        let because = IntentId::of("clock", &[workspace.as_str(), channel.as_str(), &minute]);
        let wake = Wake { workspace: workspace.clone(), channel: channel.clone(), because, unpark: None };
        Ok(self.posts.send(&wake).await?)
    }
}
