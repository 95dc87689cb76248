//! Reports that are due. That one is, and that it was posted, is one transaction, keyed by what was due last: so two rounds at once make one report, and a round that dies before it
//! has made none. Of what was missed while nobody looked, the latest is posted, once, and tells of all of it.

use jiff::Timestamp;
use shared::domain::ids::{IntentId, Workspace};
use shared::queue::Wake;

use crate::{App, Failed, Troubles};

impl App {
    /// Makes every report due whose time has come.
    pub(crate) async fn reports(&self) -> Result<(), Failed> {
        let mut troubles = Troubles::default();
        for installation in self.store.installations().await? {
            let workspace = &installation.workspace;
            // Once it is open again, the latest is posted.
            if installation.closed().is_none() {
                troubles.note("reports", workspace, self.reports_of(workspace, Timestamp::now()).await);
            }
        }
        troubles.sum()
    }

    async fn reports_of(&self, workspace: &Workspace, now: Timestamp) -> Result<(), Failed> {
        for report in self.store.settings(workspace).await?.reports {
            let last = self.store.last_report(workspace, &report, now).await?;
            let Some(period) = report.missed(last, now) else { continue };
            self.store.know_channels(workspace, std::slice::from_ref(&report.channel), now).await?;
            if !self.store.want_report(workspace, &report, period, now).await? {
                continue;
            }
            let because = IntentId::of("report", &[workspace.as_str(), &report.name, &period.until.as_microsecond().to_string()]);
            let wake = Wake { workspace: workspace.clone(), channel: report.channel.clone(), because, unpark: None };
            let (workspace, name, due) = (workspace.as_str(), report.name.as_str(), period.until.to_string());
            tracing::info!(workspace, name, due, outcome = "due", "report");
            self.posts.send(&wake).await?;
        }
        Ok(())
    }
}
