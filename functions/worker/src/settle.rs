//! What an intent came to is written: wake the posters, tell systems outside, log, answer. All of it may be done again.

use jiff::Timestamp;
use shared::domain::ids::{IncidentId, IntentId, MessageTs, Workspace};
use shared::domain::incident::{Incident, Outcome, State};
use shared::domain::intent::{Actor, Intent};
use shared::domain::timeline::{Entry, Fate, What};
use shared::metrics;
use shared::queue::{Failure, Try, Written};
use shared::store::incidents::Marker;

use crate::{App, wakes};

/// What became of an intent, now or at an earlier delivery.
pub(crate) struct Settled {
    pub(crate) marker: Marker,
    /// The incident as it was written now.
    pub(crate) incident: Option<Box<Incident>>,
    pub(crate) by: Writer,
    /// It may have made an incident be seen that had a timeline before.
    pub(crate) reveals: bool,
}

/// Who has written what stands in the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    This,
    Earlier,
}

impl Settled {
    /// When the entry happened that systems outside are to hear of. Telling is the business of the delivery that wrote it, or of one by which that may come again because
    /// it died before: a source that says the same again under the same id tells nobody.
    fn told(&self, tried: Try) -> Option<Timestamp> {
        self.marker.entry_at.filter(|_| self.by == Writer::This || tried == Try::Again)
    }
}

impl App {
    /// Systems outside hear of what this intent wrote at `at`. What was written before anybody saw the incident, such as a recovery that overtook its alarm, they were told as late;
    /// after what makes it be seen they are told of it for what it is.
    async fn tell_outside(&self, incident: &Incident, intent: &IntentId, at: Timestamp, reveals: bool) -> Result<(), Failure> {
        let (workspace, id) = (&incident.workspace, &incident.id);
        let unseen = incident.state() == State::Expected;
        let written =
            |at, entry: &IntentId| Written { workspace: workspace.clone(), incident: id.clone(), at, entry: entry.clone(), unseen };
        self.timeline.send(&written(at, intent)).await?;
        if unseen || !reveals {
            return Ok(());
        }
        let entries = self.store.timeline(workspace, id).await.map_err(|error| Failure::later(&error))?;
        if entries.iter().any(|entry| entry.intent == *intent && matches!(entry.what, What::Triggered { .. })) {
            let early = |entry: &&Entry| entry.intent != *intent && entry.fate == Fate::Done && incident.still_tells(entry);
            for early in entries.iter().filter(early) {
                self.timeline.send(&written(early.at, &early.intent)).await?;
            }
        }
        Ok(())
    }

    /// It is written, now or by an earlier delivery: wake the posters, log, answer. Doing this again is harmless.
    pub(crate) async fn settle(&self, workspace: &Workspace, intent: &Intent, settled: Settled, tried: Try) -> Result<Marker, Failure> {
        let told = settled.told(tried);
        let Settled { marker, incident, reveals, .. } = settled;
        let incident = match (incident, &marker.incident) {
            (Some(incident), _) => Some(*incident),
            (None, Some(id)) => self.store.incident(workspace, id).await.map_err(|error| Failure::later(&error))?,
            (None, None) => None,
        };
        if let Some(incident) = incident.as_ref().filter(|incident| incident.state() != State::Expected) {
            self.wake(wakes(workspace, &incident.channels, &intent.id)).await?;
        }
        if let Some(call) = incident.as_ref().and_then(|incident| incident.call_of(&intent.id)) {
            self.calls.send(&call).await?;
        }
        if let Some((incident, at)) = incident.as_ref().zip(told) {
            self.tell_outside(incident, &intent.id, at, reveals).await?;
        }
        let waited = match &incident {
            Some(incident) => self.end_waiting(workspace, incident, &intent.id).await,
            None => Ok(()),
        };
        // It comes again, and whoever asked is answered then. What never works keeps nobody from an answer.
        if let Err(Failure::Later(_)) = waited {
            return waited.map(|()| marker);
        }
        audit(workspace, intent, &marker);
        metrics::intent(marker.outcome.name());
        match (&intent.reply, &marker.outcome) {
            (Some(reply), outcome) => self.answer_outcome(workspace, reply, incident.as_ref(), outcome, intent).await?,
            (None, Outcome::Refused(refusal)) => return Err(Failure::Never(refusal.to_string())),
            (None, _) => {}
        }
        waited.map(|()| marker)
    }
}

/// The audit: one line per action, with who, where and what came of it.
fn audit(workspace: &Workspace, intent: &Intent, marker: &Marker) {
    let (user, source, place) = match &intent.by {
        Actor::User(person) => (Some(person.id.as_str()), None, person.place.as_ref()),
        Actor::Source(name) => (None, Some(name.as_str()), None),
    };
    tracing::info!(
        workspace = workspace.as_str(),
        incident = marker.incident.as_ref().map(IncidentId::as_str),
        intent = intent.id.as_str(),
        action = intent.action.name(),
        user,
        source,
        channel = place.map(|place| place.channel.as_str()),
        message = place.and_then(|place| place.message.as_ref()).map(MessageTs::as_str),
        outcome = marker.outcome.name(),
        "intent"
    );
}
