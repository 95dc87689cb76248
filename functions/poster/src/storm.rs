//! Storms: above a rate, new cards of a channel move onto a live digest, and when it is calm again cards come one by one.

use std::time::Duration;

use jiff::Timestamp;
use shared::domain::ids::DigestId;
use shared::domain::storm::PAGE;
use shared::store::digest::OnPage;
use shared::store::pace::Storm;
use shared::store::posts::{Due, Kind};

use crate::channel::{Came, Rest, Work};

/// How often a digest is painted while there is more to do: often enough to be live, and Slack's rate for updates is for everybody.
const BETWEEN_FACES: Duration = Duration::from_secs(5);

impl Work<'_> {
    /// Looks whether there is a storm, given what is due; `true` when something moved, so that what is due has to be read again.
    pub(crate) async fn weather(&mut self, due: &[Due]) -> Result<bool, Rest> {
        // What a webhook posts cannot be changed, so no digest would be live there.
        if self.voice.only_posts() {
            return Ok(false);
        }
        // A card that somebody may have posted already is looked up as a card.
        let fresh = due.iter().filter(|due| due.attempt.is_none()).filter_map(|due| match due.kind() {
            Some(kind @ Kind::Card(_)) if kind.is_message_at(due.rank) => Some((due, kind)),
            _ => None,
        });
        let fresh: Vec<_> = fresh.collect();
        if fresh.is_empty() && self.pace.storm.is_none() {
            return Ok(false);
        }
        let now = Timestamp::now();
        let rate = self.app.store.settings(self.workspace).await?.storm;
        let lately = self.pace.lately.count(now).saturating_add(u32::try_from(fresh.len()).unwrap_or(u32::MAX));
        if !rate.is_storm(lately, self.pace.storm.is_some()) {
            return self.calm(now).await;
        }
        let cards: Vec<_> = fresh.iter().filter_map(|(due, kind)| Some((*due, kind.incident()?))).collect();
        if cards.is_empty() { Ok(false) } else { self.absorb(&cards, now).await }
    }

    /// Moves as many new cards as fit onto the current page.
    async fn absorb(&mut self, cards: &[(&Due, &shared::domain::ids::IncidentId)], now: Timestamp) -> Result<bool, Rest> {
        let mut pace = self.pace.clone();
        let mut storm = pace.storm.take().unwrap_or_else(|| {
            tracing::warn!(channel = self.channel.as_str(), waiting = cards.len(), outcome = "storm", "a digest carries the new incidents");
            Storm { digest: DigestId::new(now.as_microsecond().to_string()), page: 0, filled: 0 }
        });
        if storm.filled >= PAGE {
            storm = Storm { page: storm.page + 1, filled: 0, ..storm };
        }
        let cards = &cards[..cards.len().min(PAGE - storm.filled)];
        storm.filled += cards.len();
        pace.storm = Some(storm);
        pace.lately.add(cards.len(), now);
        let kept = &self.app.store;
        let moved = kept.absorb(self.workspace, self.channel, cards, &pace, now).await?;
        // Where nothing moved, somebody else was at work here, or one of the cards cannot move: what stands there counts, and single posts go on.
        self.pace = if moved { pace } else { kept.channel_pace(self.workspace, self.channel).await? };
        Ok(moved)
    }

    /// It is calm: where a storm was on, its digest says so.
    async fn calm(&mut self, now: Timestamp) -> Result<bool, Rest> {
        let Some(storm) = &self.pace.storm else { return Ok(false) };
        let kept = &self.app.store;
        let ended = kept.end_storm(self.workspace, self.channel, &self.pace, now).await?;
        if ended {
            tracing::info!(channel = self.channel.as_str(), pages = storm.page + 1, outcome = "calm", "single cards come again");
        }
        self.pace = kept.channel_pace(self.workspace, self.channel).await?;
        Ok(ended)
    }

    /// What is due for an incident on a page is due for the page; what would be told in its thread, the page shows.
    pub(crate) async fn fold(&self, due: &Due, kind: &Kind, on_page: &OnPage) -> Result<Came, Rest> {
        let store = &self.app.store;
        match kind {
            Kind::Card(_) => store.fold(self.workspace, self.channel, due, on_page, Timestamp::now()).await.map(|_| Came::Done),
            Kind::Reply(..) | Kind::Digest(_) | Kind::Page(..) | Kind::Notice(_) | Kind::Report(..) => {
                store.drop_due(due).await.map(|()| Came::Done)
            }
        }
        .map_err(Rest::from)
    }

    /// Until when a digest that is due keeps its face, so that not every page costs an update.
    pub(crate) fn digest_rests_until(&self, due: &Due) -> Option<Timestamp> {
        let Some(Kind::Digest(_)) = due.kind() else { return None };
        let until = self.digest_painted? + BETWEEN_FACES;
        (until > Timestamp::now()).then_some(until)
    }
}
