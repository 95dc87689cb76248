//! What an act brings with it: where the incident shows from now on, who is called, and by when it has to be over.

use super::super::escalation::Called;
use super::super::ids::{Channel, is_slack_id};
use super::super::kind::Progress;
use super::super::settings::Settings;
use super::super::sla::{Promise, Sla};
use super::super::timeline::What;
use super::super::timer::{Timer, TimerKind};
use super::{Incident, State};

/// Whether the whole channel is to see the reply: only when it gets worse, or is over.
pub(super) fn is_broadcast(what: &What, settings: &Settings) -> bool {
    match what {
        What::Resolved { .. } => settings.configuration.notify.notice_on_resolve,
        What::Updated { severity: Some((from, to)), .. } => to.worse_than(*from),
        What::Deployed { progress } => *progress == Progress::Failed,
        What::Triggered { .. }
        | What::Updated { severity: None, .. }
        | What::Acknowledged
        | What::Reopened
        | What::Snoozed { .. }
        | What::Woken
        | What::Flapping { .. }
        | What::Assigned { .. }
        | What::Escalated { .. }
        | What::SlaBreached { .. }
        | What::Decided { .. }
        | What::Expired { .. }
        | What::Called { .. }
        | What::Noted { .. } => false,
    }
}

impl Incident {
    /// Decides where it shows: when everybody sees it for the first time, when what decides about it is different now, and when somebody is called. It never leaves a
    /// place: who has seen the card there sees how it ends. The places that are new.
    pub(super) fn place(&mut self, before: &Self, what: Option<&What>, settings: &Settings) -> Vec<Channel> {
        let changed = |before: &Self, after: &Self| {
            (before.severity(), before.service(), before.kind()) != (after.severity(), after.service(), after.kind())
        };
        let reveals = before.state() == State::Expected;
        let mut wanted = Vec::new();
        if reveals || changed(before, self) {
            (wanted, self.mentions) = settings.places(self);
        }
        if reveals {
            self.unthreaded = !settings.configuration.thread;
        }
        if settings.configuration.notify.direct_on_assignment && !self.is_notice() {
            let assigned = assignee(self).filter(|assigned| reveals || assignee(before) != Some(assigned));
            wanted.extend(assigned.filter(|id| is_slack_id(id, &['U', 'W'])).map(Channel::new));
        }
        if let Some(What::Escalated { called, .. }) = what {
            wanted.extend(called.iter().filter_map(|called| match called {
                Called::Person(person) => Some(Channel::direct(person)),
                Called::Channel(channel) => Some(channel.clone()),
                Called::Group(_) | Called::Nobody(_) => None,
            }));
        }
        let asked = self.decisions.iter().skip(if reveals { 0 } else { before.decisions.len() });
        wanted.extend(asked.flat_map(|decision| decision.asked.who.people()).map(|person| Channel::direct(&person)));
        let mut added: Vec<Channel> = Vec::new();
        for channel in wanted {
            if !self.channels.contains(&channel) {
                self.channels.push(channel.clone());
                added.push(channel);
            }
        }
        added
    }

    /// Begins to call while nobody has it, and stops as soon as somebody has. The timer for whoever is next.
    pub(super) fn call(&mut self, before: &Self, settings: &Settings) -> Option<Timer> {
        let calls = |incident: &Self| incident.state() == State::Triggered && incident.needed_since().is_some();
        if !calls(self) {
            self.escalation = None;
            return None;
        }
        let policy = settings.policy_for(self);
        let anew = !calls(before);
        let another = before.severity() != self.severity()
            && policy.map(|policy| policy.name.as_str()) != self.escalation.as_ref().map(|escalation| escalation.policy.as_str());
        if anew || another {
            // From now on, not from its beginning: what is late in coming is no reason to call everybody at once.
            self.escalation = policy.and_then(|policy| policy.begin(settings.now));
        }
        let next = self.escalation.as_ref().filter(|next| before.escalation.as_ref() != Some(next))?;
        Some(Timer { at: next.due, incident: self.id.clone(), kind: TimerKind::Escalate })
    }

    /// Decides by when it has to be over: when everybody sees it for the first time, and when what decides about it is different now. A timer for each promise that is new.
    pub(super) fn promise(&mut self, before: &Self, settings: &Settings) -> Vec<Timer> {
        let by_source = |incident: &Self| incident.facts.sla_breach_at.as_ref().map(|fact| fact.value);
        let decides = |incident: &Self| (incident.severity(), by_source(incident), incident.needed_since());
        if before.state() == State::Expected || decides(before) != decides(self) {
            let target = settings.configuration.sla.of(self.severity());
            let broken = std::mem::take(&mut self.sla.broken);
            let promised = self.needed_since().map(|since| Sla::promised(target, since, by_source(self)));
            self.sla = Sla { broken, ..promised.unwrap_or_default() };
        }
        let comes_back = before.state() == State::Resolved && self.state() != State::Resolved;
        let timers = [(Promise::Acknowledge, TimerKind::SlaAcknowledge), (Promise::Resolve, TimerKind::SlaResolve)];
        let timers = timers.into_iter().filter_map(|(promise, kind)| {
            let at = self.sla.by(promise).filter(|at| before.sla.by(promise) != Some(*at) || comes_back)?;
            let open = !self.sla.broken.contains(&promise) && self.state() != State::Resolved;
            open.then(|| Timer { at, incident: self.id.clone(), kind })
        });
        timers.collect()
    }
}

fn assignee(incident: &Incident) -> Option<&str> {
    incident.facts.assignee.as_ref().map(|fact| fact.value.as_str())
}
