//! Timers: what an intent wanted to be looked at later becomes an intent of its own.

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::Workspace;
use shared::domain::intent::Job;

use crate::{App, Failed, Troubles, Turn};

/// How many are taken at a time.
const AT_ONCE: i32 = 100;

/// How much time has to be left for going on.
const ENOUGH: SignedDuration = SignedDuration::from_secs(5);

impl App {
    /// Puts the wish of every timer that is due onto the queue. One that is put there and not taken off goes off again, as the same wish.
    pub(crate) async fn timers(&self, turn: &Turn) -> Result<(), Failed> {
        let mut troubles = Troubles::default();
        for installation in self.store.installations().await? {
            let workspace = &installation.workspace;
            troubles.note("timers", workspace, self.timers_of(turn, workspace).await);
        }
        troubles.sum()
    }

    async fn timers_of(&self, turn: &Turn, workspace: &Workspace) -> Result<(), Failed> {
        loop {
            let due = self.store.timers_due(workspace, Timestamp::now(), AT_ONCE).await?;
            for timer in &due {
                let intent = timer.intent(workspace);
                let (id, kind) = (intent.id.clone(), timer.kind.name());
                self.intents.send(&Job::Intent(Box::new(intent))).await?;
                self.store.timer_done(workspace, timer).await?;
                let (workspace, incident) = (workspace.as_str(), timer.incident.as_str());
                tracing::info!(workspace, incident, kind, intent = id.as_str(), outcome = "due", "timer");
            }
            if due.is_empty() || !turn.has(ENOUGH) {
                return Ok(());
            }
        }
    }
}
