//! What people are asked, and how it ends.

use super::super::Refusal;
use super::super::call::{About, Call};
use super::super::decision::{Called, Choice, Decision, End, MOST, Vote};
use super::super::ids::IntentId;
use super::super::intent::{Action, Actor, Closing, Intent};
use super::super::people::mention;
use super::super::settings::Settings;
use super::super::timeline::What;
use super::super::timer::{Timer, TimerKind};
use super::acts::{Step, named};
use super::{Incident, Outcome, Resolution, State};

/// The kind of an incident that is over once it is decided.
pub const APPROVAL: &str = "approval";

/// What became of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Somebody has to decide.
    Open,
    /// This was chosen, and this came of the call, if there is one and it has come to an end.
    Decided(&'a Choice, Option<&'a Called>),
    /// Nobody decided in time.
    Expired,
    /// It was closed undecided.
    Closed,
}

impl Incident {
    /// Takes what is newly asked, with what the workspace says about it where nobody else does. The timers for what does not wait for ever.
    pub(super) fn ask(&mut self, before: &Self, intent: &Intent, settings: &Settings) -> Vec<Timer> {
        let (Action::Create(changes) | Action::Update(changes)) = &intent.action else { return Vec::new() };
        let defaults = &settings.configuration.approvals;
        for asked in changes.decisions.iter().flatten() {
            if self.decisions.len() >= MOST || self.decisions.iter().any(|known| known.asked.name == asked.name) {
                continue;
            }
            let mut asked = asked.clone();
            if asked.who.is_anybody() {
                asked.who.clone_from(&defaults.who);
            }
            // A button that is offered beside an incident stays as long as the incident does.
            if asked.options.len() > 1 {
                asked.expires_at = asked.expires_at.or_else(|| settings.now.checked_add(defaults.expires_after?).ok());
            }
            // One says no for everybody, and a button of an incident's own is pressed by one.
            let several = asked.options.len() > 1;
            if let Some(first) = asked.options.first_mut().filter(|_| several) {
                first.quorum = first.quorum.or(Some(defaults.quorum));
            }
            self.decisions.push(Decision::new(asked));
        }
        let new = self.decisions.iter().skip(before.decisions.len());
        let mut due: Vec<_> = new.filter_map(|decision| decision.asked.expires_at).collect();
        due.sort_unstable();
        due.dedup();
        due.into_iter().map(|at| Timer { at, incident: self.id.clone(), kind: TimerKind::Expire }).collect()
    }

    /// One person's voice.
    pub(super) fn decide(
        &mut self,
        intent: &Intent,
        (decision, option): (&str, &str),
        reason: Option<&String>,
        settings: &Settings,
    ) -> Result<Step, Refusal> {
        let Actor::User(person) = &intent.by else { return Err(Refusal::new("Only a person can decide.")) };
        let over = self.refuse_unless_open();
        // Of an approval that is over, one reads how it was decided.
        if self.state() == State::Resolved && !self.is_approval() {
            over.clone()?;
        }
        let id = self.id.clone();
        let gone = || Refusal::new(format!("{id} does not ask this any more. Please look at its card again."));
        let open = self.decisions.iter_mut().find(|known| known.asked.name == decision).ok_or_else(gone)?;
        let choice = open.choice(option).cloned().ok_or_else(gone)?;
        refuse_unless_undecided(&id, open)?;
        over?;
        if open.asked.expires_at.is_some_and(|expires| expires <= intent.at.min(settings.now)) {
            return Err(Refusal::new(format!("It is too late: {id} had to be decided before.")));
        }
        if !open.asked.who.includes(&person.id, &settings.member_of) {
            let who: Vec<_> = open.asked.who.ids().map(mention).collect();
            return Err(Refusal::new(format!("You may not decide this. These may: {}.", who.join(", "))));
        }
        if choice.reason && reason.is_none() {
            return Err(Refusal::new(format!("Please say why: *{}* needs a reason.", plain(&choice.label))));
        }
        let quorum = usize::from(choice.quorum.unwrap_or(1).max(1));
        if open.voters(option).any(|vote| vote.by.id == person.id) {
            let missing = quorum.saturating_sub(open.voters(option).count());
            return Err(Refusal::new(format!("You chose *{}* already; it needs {missing} more.", plain(&choice.label))));
        }
        // Whoever changes their mind has one voice all the same.
        open.votes.retain(|vote| vote.by.id != person.id);
        open.votes.push(Vote { option: option.to_owned(), by: person.clone(), at: intent.at, reason: reason.cloned() });
        let missing = quorum.saturating_sub(open.voters(option).count());
        if missing == 0 {
            open.end = Some(End::Decided { option: option.to_owned(), intent: intent.id.clone(), at: intent.at, outcome: None });
            if choice.call.is_none() {
                self.end_approval(intent);
            }
        }
        let missing = u16::try_from(missing).unwrap_or(u16::MAX);
        Ok(Step::done(What::Decided { label: choice.label, reason: reason.cloned(), missing }, Outcome::Decided))
    }

    /// Ends what nobody has decided in time.
    pub(super) fn expire(&mut self, intent: &Intent) -> Step {
        let late = |decision: &&mut Decision| decision.is_open() && decision.asked.expires_at.is_some_and(|expires| expires <= intent.at);
        let mut labels = Vec::new();
        for decision in self.decisions.iter_mut().filter(late) {
            decision.end = Some(End::Expired { at: intent.at });
            labels.extend(decision.asked.options.iter().map(|choice| choice.label.clone()));
        }
        if labels.is_empty() || self.state() == State::Resolved {
            return Step { repaint: !labels.is_empty(), ..Step::late(None) };
        }
        self.end_approval(intent);
        Step::done(What::Expired { labels }, Outcome::Expired)
    }

    /// Takes what came of a call. What failed may still come right, when somebody has it called again; what came right stays so.
    pub(super) fn called(&mut self, intent: &Intent, decision: &str, outcome: &Called) -> Result<Step, Refusal> {
        let nothing = || Refusal::new(format!("Nothing was called for `{decision}`."));
        let known = self.decisions.iter_mut().find(|known| known.asked.name == decision).ok_or_else(nothing)?;
        let label = known.decided().map(|(choice, _)| choice.label.clone()).ok_or_else(nothing)?;
        let Some(End::Decided { outcome: came, .. }) = &mut known.end else { return Err(nothing()) };
        if came.as_ref().is_some_and(|came| came.ok || came == outcome) {
            return Ok(Step::late(None));
        }
        *came = Some(outcome.clone());
        if outcome.ok {
            self.end_approval(intent);
        }
        Ok(Step::done(What::Called { label, outcome: outcome.clone() }, Outcome::Called))
    }

    /// The call that this intent has decided upon, as long as nothing has come of it.
    pub fn call_of(&self, intent: &IntentId) -> Option<Call> {
        self.decisions.iter().find_map(|decision| match &decision.end {
            Some(End::Decided { option, intent: by, at, outcome: None }) if by == intent => {
                let to = decision.choice(option)?.call.clone()?;
                let by = Some(decision.voters(option).last()?.by.clone());
                let about = About::Decision { incident: self.id.clone(), decision: decision.asked.name.clone() };
                Some(Call { id: intent.clone(), workspace: self.workspace.clone(), at: *at, by, to, about })
            }
            Some(End::Decided { .. } | End::Expired { .. }) | None => None,
        })
    }

    /// Whether it is over as soon as it is decided.
    pub fn is_approval(&self) -> bool {
        self.kind() == Some(APPROVAL)
    }

    /// What became of an approval; `None`: this is none.
    pub fn verdict(&self) -> Option<Verdict<'_>> {
        let decision = self.asked().next().filter(|_| self.is_approval() && self.fired.is_some())?;
        Some(match (&decision.end, decision.decided()) {
            (_, Some((choice, called))) => Verdict::Decided(choice, called),
            (Some(_), None) => Verdict::Expired,
            (None, None) if self.state() == State::Resolved => Verdict::Closed,
            (None, None) => Verdict::Open,
        })
    }

    /// What makes it an approval; the buttons beside that are nobody's duty to press.
    fn asked(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|decision| decision.is_approval())
    }

    /// An approval is over once it is decided, and whoever is to be told of that has taken it.
    fn end_approval(&mut self, intent: &Intent) {
        let settled = self.asked().next().is_some() && self.asked().all(Decision::is_settled);
        if !self.is_approval() || !settled || self.state() == State::Resolved {
            return;
        }
        let at = self.fired.map_or(intent.at, |fired| intent.at.max(fired.last)).max(self.closed.unwrap_or(intent.at));
        self.closed = Some(at);
        self.resolution = Some(Resolution { at, by: intent.by.clone(), closing: Closing::default() });
    }
}

fn refuse_unless_undecided(id: &super::IncidentId, decision: &Decision) -> Result<(), Refusal> {
    match &decision.end {
        None => Ok(()),
        Some(End::Expired { .. }) => Err(Refusal::new(format!("It is too late: nobody decided {id} in time."))),
        Some(End::Decided { option, .. }) => {
            let label = decision.choice(option).map_or(option.as_str(), |choice| choice.label.as_str());
            let first = decision.voters(option).last().map(|vote| named(&Actor::User(vote.by.clone()))).unwrap_or_default();
            Err(Refusal::new(format!("{first} chose *{}* for {id} already.", plain(label))))
        }
    }
}

/// A label inside a sentence of ours.
fn plain(label: &str) -> String {
    label.replace(['<', '>', '*'], "")
}
