//! Workflows that wait for the end of an incident.

use super::super::Refusal;
use super::super::ids::{ExecutionId, IntentId};
use super::super::intent::Intent;
use super::super::step::{MOST_ENDED, MOST_WAITING, Waiting};
use super::super::timeline::Fate;
use super::acts::Step;
use super::{Incident, Outcome, State};

impl Incident {
    /// Lets a workflow wait until it is over; where it is over already there is nothing to wait for.
    pub(super) fn wait_for_end(&mut self, execution: &ExecutionId) -> Result<Step, Refusal> {
        match self.state() {
            State::Expected => return Err(self.not_yet()),
            State::Resolved => return Ok(Step::late(None)),
            State::Triggered | State::Acknowledged | State::Snoozed => {}
        }
        let waiting = self.awaited.iter().filter(|known| known.ended_by.is_none()).count();
        if waiting >= MOST_WAITING {
            return Err(Refusal::new(format!(
                "{MOST_WAITING} workflows wait for the end of {} already, and there can be no more. Let one of them do what this one was to do.",
                self.id
            )));
        }
        self.awaited.push(Waiting { execution: execution.clone(), ended_by: None });
        Ok(Step { fate: Fate::Done, outcome: Outcome::Awaited, ..Step::late(None) })
    }

    /// Where this intent has ended it, it has ended the waiting as well. A workflow that has gone on does not wait again when the incident is opened again.
    pub(super) fn end_waiting(&mut self, before: &Self, intent: &Intent) {
        let ends = before.state() != State::Resolved && self.state() == State::Resolved;
        if !ends {
            return;
        }
        for waiting in self.awaited.iter_mut().filter(|waiting| waiting.ended_by.is_none()) {
            waiting.ended_by = Some(intent.id.clone());
        }
        // The oldest come first.
        self.awaited.drain(..self.awaited.len().saturating_sub(MOST_ENDED));
    }

    /// The steps that waited for what this intent has brought about.
    pub fn steps_ended_by<'a>(&'a self, intent: &'a IntentId) -> impl Iterator<Item = &'a ExecutionId> {
        self.awaited.iter().filter(move |waiting| waiting.ended_by.as_ref() == Some(intent)).map(|waiting| &waiting.execution)
    }
}
