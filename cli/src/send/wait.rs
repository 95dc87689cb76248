//! Waits until what was sent is in the table, or on the dead letters.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::SignedDuration;
use serde::Serialize;
use shared::domain::ids::{IncidentId, Workspace};
use shared::domain::incident::{Outcome, State};
use shared::domain::intent::Intent;
use shared::domain::severity::Severity;
use shared::queue::dead_letters::{Filter, Letter};
use shared::store::Store;
use shared::store::incidents::Marker;

use crate::dead_letters::{DIED, Queue};
use crate::deployment::Deployment;

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// When the dead letters are looked at first.
const FIRST_LOOK: Duration = Duration::from_secs(3);

/// What was sent longer ago than this was sent by somebody else. The clocks of this machine and of SQS need not agree.
const LATELY: SignedDuration = SignedDuration::from_mins(2);

/// What became of a wish.
#[derive(Debug, Serialize)]
pub(super) struct Became {
    /// In one word.
    pub(super) outcome: &'static str,
    /// Why it was not done, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
    /// The incident that it was about, as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) incident: Option<Stands>,
}

/// An incident as it stands.
#[derive(Debug, Serialize)]
pub(super) struct Stands {
    pub(super) id: IncidentId,
    pub(super) state: State,
    pub(super) severity: Severity,
    pub(super) title: String,
}

/// Looks again and again until a wish has been worked off.
pub(super) async fn until_done(deployment: &Deployment, intent: &Intent, until: Instant) -> Result<Became> {
    let store = deployment.store()?;
    let letters = Queue::Intents.letters(deployment)?;
    let began = Instant::now();
    let mut next_look = began + FIRST_LOOK;
    loop {
        // A workspace that nobody has heard of yet is known once its first incident is in the table.
        let workspace = deployment.workspace(intent.workspace.as_ref()).await;
        if let Ok(workspace) = &workspace
            && let Some(marker) = store.marker(workspace, &intent.id).await.context("the table cannot be read")?
        {
            return became(&store, workspace, marker).await;
        }
        // What nobody could do has no marker. Looking hides the letters from others meanwhile, so it is done ever more seldom.
        if Instant::now() >= next_look {
            next_look += began.elapsed();
            // One from before is not of this wish, though the wish may have the same id.
            let younger_than = SignedDuration::try_from(began.elapsed()).ok().map(|waited| waited + LATELY);
            let of = Filter { id: Some(intent.id.to_string()), younger_than, ..Filter::default() };
            // Whoever may not look there waits for the table alone.
            let found = letters.list(&of).await.ok().and_then(|mut listing| listing.letters.pop());
            if let Some(letter) = found {
                let refusal = Some(letter.reason.unwrap_or_else(|| DIED.to_owned()));
                return Ok(Became { outcome: "parked", refusal, incident: None });
            }
        }
        if Instant::now() >= until {
            workspace?;
            bail!(
                "it is on the queue, and not in the table yet: `tocsin dead-letters list` shows whether it could not be handled, and the log of intake and worker what they do"
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks again and again until a message has become a dead letter.
pub(super) async fn until_parked(deployment: &Deployment, message_id: &str, until: Instant) -> Result<Letter> {
    let letters = Queue::Incidents.letters(deployment)?;
    let of = Filter { id: Some(message_id.to_owned()), ..Filter::default() };
    loop {
        if let Some(letter) = letters.list(&of).await?.letters.pop() {
            return Ok(letter);
        }
        ensure!(Instant::now() < until, "it is on the queue, and not on the dead letters yet: the log of intake says what it does");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn became(store: &Store, workspace: &Workspace, marker: Marker) -> Result<Became> {
    let incident = match &marker.incident {
        Some(id) => store.incident(workspace, id).await.context("the table cannot be read")?,
        None => None,
    };
    let incident = incident.map(|incident| Stands {
        state: incident.state(),
        severity: incident.severity(),
        title: incident.title().to_owned(),
        id: incident.id,
    });
    let refusal = if let Outcome::Refused(refusal) = &marker.outcome { Some(refusal.to_string()) } else { None };
    Ok(Became { outcome: marker.outcome.name(), refusal, incident })
}
