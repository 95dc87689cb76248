//! Under a link to an open incident's page stands how it stands, where whoever shares it sees the incident; everybody in that conversation reads it there, as they would read the sharer's own words.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::domain::people::may_act;
use shared::domain::surfaces::Linked;
use shared::queue::Failure;
use shared::render::link;
use shared::slack::blocks::Attachment;
use shared::slack::client::SlackError;
use shared::store::StoreError;

use crate::App;
use crate::answer::OPEN_MOST;

/// What `chat.unfurl` takes. <https://docs.slack.dev/reference/methods/chat.unfurl>
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are Slack's, by Slack's names")]
struct Unfurl<'a> {
    unfurl_id: &'a str,
    source: &'a str,
    unfurls: BTreeMap<&'a str, Attachment>,
}

impl App {
    /// Shows how each incident stands whose page was linked. Said twice, it stands there once.
    pub(crate) async fn unfurl(&self, linked: &Linked) -> Result<(), Failure> {
        let later = |error: StoreError| Failure::later(&error);
        let Linked { id, workspace, by, urls, unfurl_id, source } = linked;
        let Ok(workspace) = self.workspace(Some(workspace)).await? else { return Ok(()) };
        let open = self.store.open(&workspace, OPEN_MOST).await.map_err(later)?;
        let mut meant: Vec<_> = open
            .iter()
            .filter_map(|summary| urls.iter().find(|url| is_same(summary.url.as_deref(), url)).map(|url| (url.as_str(), summary)))
            .collect();
        if meant.is_empty() {
            return Ok(());
        }
        let profile = self.profile(&workspace, by).await?;
        let settings = self.store.settings(&workspace).await.map_err(later)?;
        if may_act(profile.standing, by, &settings.people).is_err() {
            return Ok(());
        }
        let Ok(sight) = self.sight(&workspace, by).await? else { return Ok(()) };
        meant.retain(|(_, summary)| sight.sees(summary));
        if meant.is_empty() {
            return Ok(());
        }
        // Of several on one page, the worst.
        meant.sort_by_key(|(_, summary)| std::cmp::Reverse(summary.severity.rank()));
        let unfurls: BTreeMap<_, _> = meant.into_iter().map(|(url, summary)| (url, link::link(summary))).collect();
        let shown = match self.bot(&workspace).await {
            Ok(bot) => bot.call("chat.unfurl", &Unfurl { unfurl_id, source, unfurls }).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let (workspace, user, intent) = (workspace.as_str(), by.id.as_str(), id.as_str());
        match shown {
            Ok(()) => tracing::info!(workspace, user, intent, outcome = "shown", "links"),
            Err(error @ (SlackError::Closed(_) | SlackError::Never { .. } | SlackError::Token(_))) => {
                tracing::warn!(workspace, user, intent, %error, advice = error.advice(), outcome = "not_shown", "links");
            }
            Err(error) => return Err(Failure::Later(format!("chat.unfurl: {error}"))),
        }
        Ok(())
    }
}

/// Whether both are one address. In a message, and in what Slack tells of one, the sign `&` is written as markup writes it.
fn is_same(page: Option<&str>, shared: &str) -> bool {
    page.is_some_and(|page| page == shared || page == shared.replace("&amp;", "&"))
}
