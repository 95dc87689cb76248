//! What is told and not worked on: at its time, and with nothing that a person could do about it.

use jiff::Timestamp;

use super::super::Refusal;
use super::super::intent::{Action, Actor, Changes, Intent};
use super::super::timeline::Fate;
use super::super::timer::TimerKind;
use super::Incident;
use super::acts::Step;

impl Incident {
    /// Keeps what is to be told at a later time. Where something was told already, this adds to what is known of it.
    pub(super) fn wait(&mut self, intent: &Intent, changes: &Changes, until: Timestamp) -> Step {
        self.facts.learn(changes.clone(), intent.at);
        if self.fired.is_some() {
            return Step { repaint: true, ..Step::late(None) };
        }
        self.source = Some(intent.by.clone());
        Step { fate: Fate::Done, timer: Some((until, TimerKind::Tell)), ..Step::late(None) }
    }

    /// When something is to be told that is not told yet.
    pub(super) fn waits_until(&self) -> Option<Timestamp> {
        let waits = self.fired.is_none() && self.source.is_some();
        self.facts.tell_at.as_ref().filter(|_| waits).map(|tell_at| tell_at.value)
    }

    /// Tells a notice, unless it was put off further, or taken back.
    pub(super) fn tell(&mut self, intent: &Intent) -> Step {
        let taken_back = self.facts.tell_at.as_ref().is_some_and(|said| self.closed >= Some(said.at));
        let Some(due) = self.waits_until().filter(|due| *due <= intent.at && !taken_back) else { return Step::late(None) };
        let description = self.facts.description.as_ref().map(|description| description.value.clone());
        self.begin(due, description)
    }

    /// A person cannot do anything about a notice but write something under it.
    pub(super) fn refuse_if_notice(&self, intent: &Intent) -> Result<(), Refusal> {
        let works = match &intent.action {
            Action::Acknowledge
            | Action::Resolve(_)
            | Action::Reopen
            | Action::Snooze { .. }
            | Action::Wake
            | Action::Assign { .. }
            | Action::Escalate { .. } => true,
            Action::Create(_)
            | Action::Update(_)
            | Action::Settle
            | Action::CallNext
            | Action::Due(_)
            | Action::Decide { .. }
            | Action::Expire
            | Action::Called { .. }
            | Action::Tell
            | Action::Await { .. }
            | Action::Note { .. } => false,
        };
        if works && matches!(intent.by, Actor::User(_)) && self.is_notice() {
            return Err(Refusal::new(format!("{} is a notice: it only tells something, and there is nothing to do about it.", self.id)));
        }
        Ok(())
    }
}
