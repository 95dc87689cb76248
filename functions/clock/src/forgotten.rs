//! Posts that nobody was woken for. A poster is woken whenever something becomes due, so this finds what a bug or an outage left behind; and it wakes a channel whose storm is
//! over and in which nothing happens, so that its digest says so.

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::{Channel, IntentId, Workspace};
use shared::queue::Wake;

use crate::{App, Failed, Turn};

/// What has been due for so long is forgotten: a channel that works or waits gets to everything sooner.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(10);

/// A channel in which nothing can be posted has a dead letter that says what to mend. Whoever mended it and did not put the letter back waits so long at most;
/// a new incident does not.
const PARKED: SignedDuration = SignedDuration::from_hours(24);

impl App {
    /// Wakes the posters of channels in which something is left.
    pub(crate) async fn forgotten(&self, _turn: &Turn) -> Result<(), Failed> {
        let now = Timestamp::now();
        for installation in self.store.installations().await? {
            // Nothing may be posted there; what is due is found again once it is open.
            if installation.closed().is_some() {
                continue;
            }
            let workspace = &installation.workspace;
            for channel in self.store.channels(workspace).await? {
                let pace = self.store.channel_pace(workspace, &channel).await?;
                if pace.parked.as_ref().is_some_and(|parked| now.duration_since(parked.at) < PARKED) {
                    continue;
                }
                let oldest = self.store.oldest_due(workspace, &channel).await?;
                let forgotten = oldest.is_some_and(|since| now.duration_since(since) > FORGOTTEN);
                let calm = pace.storm.is_some() && pace.lately.count(now) == 0;
                if forgotten || calm {
                    self.wake(workspace, &channel, now).await?;
                    let (workspace, channel) = (workspace.as_str(), channel.as_str());
                    tracing::info!(workspace, channel, forgotten, calm, outcome = "woken", "a channel in which nobody was at work");
                }
            }
        }
        Ok(())
    }

    async fn wake(&self, workspace: &Workspace, channel: &Channel, now: Timestamp) -> Result<(), Failed> {
        let minute = (now.as_second() / 60).to_string();
        let because = IntentId::of("clock", &[workspace.as_str(), channel.as_str(), &minute]);
        let wake = Wake { workspace: workspace.clone(), channel: channel.clone(), because, unpark: None };
        Ok(self.posts.send(&wake).await?)
    }
}
