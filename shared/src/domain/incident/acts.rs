//! What each kind of intent does to an incident.

use jiff::{SignedDuration, Timestamp};

use super::super::Refusal;
use super::super::escalation::Called;
use super::super::ids::UserId;
use super::super::intent::{Actor, Changes, Closing, Intent};
use super::super::kind::Progress;
use super::super::people::mention;
use super::super::settings::Settings;
use super::super::severity::Severity;
use super::super::sla::Promise;
use super::super::timeline::{Fate, What};
use super::super::timer::TimerKind;
use super::{Fired, Incident, Mark, Outcome, Reopening, Resolution, Snooze, State};

/// What is to sleep for longer is forgotten by everybody.
pub const LONGEST_SNOOZE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The moment after this one: an event that answers another comes after it, whatever the clocks say.
fn after(at: Timestamp) -> Timestamp {
    at.checked_add(SignedDuration::from_micros(1)).unwrap_or(at)
}

impl Incident {
    pub(super) fn create(&mut self, intent: &Intent, changes: &Changes, now: Timestamp) -> Step {
        let at = intent.at;
        if let Some(until) = changes.waits_until(now) {
            return self.wait(intent, changes, until);
        }
        let Some(fired) = self.fired else {
            self.facts.learn(changes.clone(), at);
            self.source = Some(intent.by.clone());
            return self.begin(at, changes.description.clone());
        };
        let comes_back = self.flapping.as_ref().filter(|held| held.since == at).map(|held| held.quiet_minutes);
        // What begins a new incident never comes here, see `is_over_before`: this was said before the end, and counts as if it had come in time.
        let is_over = self.state() == State::Resolved && comes_back.is_none();
        let (severity, progress) = (self.severity(), self.progress());
        self.facts.learn(changes.clone(), at);
        self.fired = Some(Fired { first: fired.first.min(at), last: fired.last.max(at) });
        self.count = self.count.saturating_add(1);
        if is_over {
            return Step { repaint: true, ..Step::late(None) };
        }
        if let Some(quiet_minutes) = comes_back {
            return Step::done(What::Flapping { quiet_minutes }, Outcome::Reopened);
        }
        self.wake_if_worse(severity, intent);
        let severity = self.changed_severity(severity);
        let severity = severity.map(|change| What::Updated { fields: vec!["severity".to_owned()], severity: Some(change) });
        let what = self.deployed(progress).or(severity);
        Step { what, fate: Fate::Done, outcome: Outcome::Counted, repaint: true, timer: None }
    }

    /// It begins, with what was said about it then.
    pub(super) fn begin(&mut self, at: Timestamp, description: Option<String>) -> Step {
        self.fired = Some(Fired { first: at, last: at });
        self.count = 1;
        let what = What::Triggered { title: self.title().to_owned(), description };
        Step::done(what, Outcome::Created)
    }

    pub(super) fn update(&mut self, intent: &Intent, changes: &Changes) -> Step {
        let (severity, progress, waited) = (self.severity(), self.progress(), self.waits_until());
        let fields = self.facts.learn(changes.clone(), intent.at);
        let nothing_new = fields.is_empty();
        let what = What::Updated { severity: self.changed_severity(severity), fields };
        self.wake_if_worse(severity, intent);
        if nothing_new {
            return Step::late(Some(what));
        }
        let moved = self.waits_until().filter(|until| Some(*until) != waited);
        let timer = moved.map(|until| (until, TimerKind::Tell));
        Step { timer, ..Step::done(self.deployed(progress).unwrap_or(what), Outcome::Updated) }
    }

    fn progress(&self) -> Option<Progress> {
        self.facts.deployment.status.as_ref().map(|status| status.value)
    }

    /// What is told where its deployment got further.
    fn deployed(&self, before: Option<Progress>) -> Option<What> {
        self.progress().filter(|progress| Some(*progress) != before).map(|progress| What::Deployed { progress })
    }

    /// What gets worse is looked at again.
    fn wake_if_worse(&mut self, before: Severity, intent: &Intent) {
        if let Some(snooze) = self.snoozed.as_ref().filter(|_| self.severity().worse_than(before) && self.state() == State::Snoozed) {
            self.woken = Some(Mark { at: intent.at.max(after(snooze.at)), by: intent.by.clone() });
        }
    }

    fn changed_severity(&self, before: Severity) -> Option<(Severity, Severity)> {
        (self.severity() != before).then(|| (before, self.severity()))
    }

    pub(super) fn acknowledge(&mut self, intent: &Intent) -> Result<Step, Refusal> {
        let state = self.state();
        let at = match &intent.by {
            Actor::Source(_) => intent.at,
            Actor::User(person) => {
                if let (State::Acknowledged, Some(mark)) = (state, &self.acknowledged) {
                    let again = matches!(&mark.by, Actor::User(other) if other.id == person.id);
                    let who = if again { "You have".to_owned() } else { format!("{} had", named(&mark.by)) };
                    return Err(Refusal::new(format!("{who} {} already.", self.id)));
                }
                self.refuse_if_resolved(state)?;
                self.as_seen(intent.at)?
            }
        };
        let nobody_newer = self.acknowledged.as_ref().is_none_or(|mark| mark.at < at);
        let counts = nobody_newer && state != State::Acknowledged && state != State::Resolved;
        if !counts {
            return Ok(Step::late(Some(What::Acknowledged)));
        }
        self.acknowledged = Some(Mark { at, by: intent.by.clone() });
        if self.state() != State::Acknowledged {
            return Ok(Step::late(Some(What::Acknowledged)));
        }
        Ok(Step::done(What::Acknowledged, Outcome::Acknowledged))
    }

    pub(super) fn resolve(&mut self, intent: &Intent, closing: &Closing) -> Result<Step, Refusal> {
        let state = self.state();
        let at = match &intent.by {
            Actor::Source(_) => intent.at,
            Actor::User(_) => {
                self.refuse_if_resolved(state)?;
                // Whoever says that it is over knows better than its source.
                self.flapping = None;
                self.as_seen(intent.at)?
            }
        };
        if let Some(held) = self.flapping.as_mut().filter(|_| state != State::Resolved) {
            let look_at = held.recover(at);
            return Ok(Step { outcome: Outcome::Held, timer: Some((look_at, TimerKind::Settle)), ..Step::late(None) });
        }
        let what = |incident: &Self| What::Resolved {
            closing: closing.clone(),
            after_seconds: incident.fired.map(|fired| at.duration_since(fired.first).as_secs().max(0)),
        };
        // A source that says again and again that it is over is heard, and leaves no trace: some never stop.
        let knew = state == State::Resolved || (state == State::Expected && self.resolution.is_some());
        let repeats = knew && matches!(intent.by, Actor::Source(_)) && self.closed.is_some_and(|closed| at >= closed);
        self.closed = self.closed.max(Some(at));
        if repeats {
            return Ok(Step::late(None));
        }
        // Of several recoveries before the alarm, the first is the one that is told; the latest counts for the order all the same.
        let first_of_expected = state == State::Expected && self.resolution.is_none();
        let ends = first_of_expected || (state != State::Resolved && self.state() == State::Resolved);
        if !ends {
            return Ok(Step::late(Some(what(self))));
        }
        self.resolution = Some(Resolution { at, by: intent.by.clone(), closing: closing.clone() });
        Ok(Step::done(what(self), Outcome::Resolved))
    }

    pub(super) fn snooze(&mut self, intent: &Intent, until: Timestamp) -> Result<Step, Refusal> {
        let state = self.state();
        if state == State::Expected {
            return Err(self.not_yet());
        }
        self.refuse_if_resolved(state)?;
        if until <= intent.at {
            return Err(Refusal::new("That moment is over already. Choose one that is still to come."));
        }
        if until.duration_since(intent.at) > LONGEST_SNOOZE {
            return Err(Refusal::new(format!("At most {} days, please: what sleeps longer is forgotten.", LONGEST_SNOOZE.as_hours() / 24)));
        }
        let at = self.as_seen(intent.at)?;
        self.snoozed = Some(Snooze { at, by: intent.by.clone(), until });
        Ok(Step { timer: Some((until, TimerKind::Wake)), ..Step::done(What::Snoozed { until }, Outcome::Snoozed) })
    }

    /// A person may wake it at any time; a timer that was set for a shorter sleep than it has now wakes nobody.
    pub(super) fn wake(&mut self, intent: &Intent) -> Result<Step, Refusal> {
        let sleeps = self.snoozed.clone().filter(|_| self.state() == State::Snoozed);
        let at = match (&intent.by, &sleeps) {
            (Actor::User(_), None) => return Err(Refusal::new(format!("{} does not sleep.", self.id))),
            (Actor::User(_), Some(_)) => self.as_seen(intent.at)?,
            (Actor::Source(_), Some(snooze)) if snooze.until <= intent.at => intent.at.max(after(snooze.at)),
            (Actor::Source(_), _) => return Ok(Step::late(None)),
        };
        self.woken = Some(Mark { at, by: intent.by.clone() });
        Ok(Step::done(What::Woken, Outcome::Woken))
    }

    /// Ends what was held open, if it has been quiet for long enough; if not, a later timer looks again.
    pub(super) fn settle(&mut self, intent: &Intent) -> Step {
        let fired = self.fired.map_or(intent.at, |fired| fired.last);
        let Some(over) = self.flapping.as_ref().and_then(|held| held.settled(fired, intent.at)) else { return Step::late(None) };
        self.flapping = None;
        self.closed = self.closed.max(Some(over));
        let by = self.source.clone().unwrap_or_else(|| intent.by.clone());
        self.resolution = Some(Resolution { at: over, by, closing: Closing::default() });
        let after_seconds = self.fired.map(|fired| over.duration_since(fired.first).as_secs().max(0));
        Step::done(What::Resolved { closing: Closing::default(), after_seconds }, Outcome::Resolved)
    }

    pub(super) fn reopen(&mut self, intent: &Intent) -> Result<Step, Refusal> {
        match self.state() {
            State::Triggered => Err(Refusal::new(format!("{} is open, and nobody has it: there is nothing to reopen.", self.id))),
            State::Expected => Err(self.not_yet()),
            State::Acknowledged | State::Snoozed | State::Resolved => {
                let acknowledged = self.acknowledged.as_ref().map(|mark| mark.at);
                let before = self.over_at().max(acknowledged).map_or(intent.at, after);
                self.reopened = Some(Reopening { at: intent.at.max(before), done_at: intent.at, by: intent.by.clone() });
                Ok(Step::done(What::Reopened, Outcome::Reopened))
            }
        }
    }

    pub(super) fn assign(&mut self, intent: &Intent, to: &UserId) -> Result<Step, Refusal> {
        self.refuse_unless_open()?;
        let already = self.facts.assignee.as_ref().is_some_and(|assignee| assignee.value == to.as_str());
        if already {
            return Err(Refusal::new(format!("{} is assigned to {} already.", self.id, mention(to.as_str()))));
        }
        let changes = Changes { assignee: Some(to.to_string()), ..Changes::default() };
        // A person says so now, whatever a source with a fast clock has said.
        let at = self.facts.assignee.as_ref().map_or(intent.at, |known| intent.at.max(after(known.at)));
        self.facts.learn(changes, at);
        Ok(Step::done(What::Assigned { to: to.clone() }, Outcome::Assigned))
    }

    /// Calls more people now, whoever has it.
    pub(super) fn escalate(&mut self, to: Option<&UserId>, note: Option<&String>, settings: &Settings) -> Result<Step, Refusal> {
        self.refuse_unless_open()?;
        let note = note.cloned();
        if let Some(person) = to {
            let called = vec![Called::Person(person.clone())];
            return Ok(Step::done(What::Escalated { step: None, called, note }, Outcome::Escalated));
        }
        let Some(policy) = settings.policy_for(self) else {
            let say = format!("Choose somebody: `/incident escalate {} @name`.", self.id);
            return Err(Refusal::new(format!("No escalation policy is configured for {}. {say}", self.id)));
        };
        let ours = self.escalation.take().filter(|escalation| escalation.policy == policy.name);
        // After its last step it begins again: whoever asks for help gets somebody.
        let Some(now) = ours.or_else(|| policy.begin(settings.now)) else {
            return Err(Refusal::new(format!("The escalation policy `{}` has no steps.", policy.name)));
        };
        let called = policy.steps.get(now.step).map_or_else(Vec::new, |step| settings.called(&step.call));
        self.escalation = policy.next(&now, settings.now);
        Ok(Step::done(What::Escalated { step: Some(now.step + 1), called, note }, Outcome::Escalated))
    }

    /// Calls whoever is next, if nobody has it yet; a timer that was set for an earlier round calls nobody.
    pub(super) fn call_next(&mut self, intent: &Intent, settings: &Settings) -> Step {
        let due = self.escalation.clone().filter(|next| self.state() == State::Triggered && next.due <= intent.at);
        let Some(now) = due else { return Step::late(None) };
        let policy = settings.policy(&now.policy);
        let Some((policy, step)) = policy.and_then(|policy| Some((policy, policy.steps.get(now.step)?))) else {
            // The policy was taken away meanwhile.
            self.escalation = None;
            return Step::late(None);
        };
        let called = settings.called(&step.call);
        self.escalation = policy.next(&now, settings.now);
        Step::done(What::Escalated { step: Some(now.step + 1), called, note: None }, Outcome::Escalated)
    }

    /// Says that a promise was not kept, if it was not.
    pub(super) fn due(&mut self, intent: &Intent, promise: Promise) -> Step {
        let Some(by) = self.sla.by(promise).filter(|by| *by <= intent.at) else { return Step::late(None) };
        let kept = match (promise, self.state()) {
            // Who put it off has looked at it.
            (_, State::Expected | State::Resolved) | (Promise::Acknowledge, State::Acknowledged | State::Snoozed) => true,
            (Promise::Acknowledge, State::Triggered) | (Promise::Resolve, State::Triggered | State::Acknowledged | State::Snoozed) => false,
        };
        if kept || self.sla.broken.contains(&promise) {
            return Step::late(None);
        }
        self.sla.broken.push(promise);
        Step::done(What::SlaBreached { promise, by }, Outcome::Breached)
    }

    pub(super) fn refuse_unless_open(&self) -> Result<(), Refusal> {
        match self.state() {
            State::Expected => Err(self.not_yet()),
            state @ (State::Triggered | State::Acknowledged | State::Snoozed | State::Resolved) => self.refuse_if_resolved(state),
        }
    }

    pub(super) fn not_yet(&self) -> Refusal {
        Refusal::new(format!("{} has not been created yet.", self.id))
    }

    fn refuse_if_resolved(&self, state: State) -> Result<(), Refusal> {
        if state != State::Resolved {
            return Ok(());
        }
        let reopen = format!("If it is back, `/incident reopen {}`.", self.id);
        let by = self.resolution.as_ref().map(|resolution| format!("was resolved by {}", named(&resolution.by)));
        Err(Refusal::new(format!("{} {} already. {reopen}", self.id, by.as_deref().unwrap_or("is over"))))
    }

    /// When a person's act counts. A person answers what the card showed them, so it comes after the alarm, however wrong the source's clock is; but
    /// what they did before somebody opened the incident again does not end the new round.
    fn as_seen(&self, at: Timestamp) -> Result<Timestamp, Refusal> {
        if let Some(reopened) = self.reopened.as_ref().filter(|reopened| at < reopened.done_at) {
            let who = named(&reopened.by);
            return Err(Refusal::new(format!("{} was reopened by {who} in the meantime. Please look again.", self.id)));
        }
        let fired = self.fired.map_or(at, |fired| fired.last);
        let closed = self.over_at().map_or(at, after);
        let reopened = self.reopened.as_ref().map_or(at, |reopened| after(reopened.at));
        let slept = self.snoozed.as_ref().map_or(at, |snooze| after(snooze.at));
        let woken = self.woken.as_ref().map_or(at, |woken| after(woken.at));
        Ok(at.max(fired).max(closed).max(reopened).max(slept).max(woken))
    }
}

/// Who, in a refusal: Slack turns `<@U…>` into the name.
pub(super) fn named(actor: &Actor) -> String {
    match actor {
        Actor::User(person) => mention(person.id.as_str()),
        Actor::Source(name) => name.replace('<', ""),
    }
}

/// What one kind of intent did to the incident in hand.
pub(super) struct Step {
    pub(super) what: Option<What>,
    pub(super) fate: Fate,
    pub(super) outcome: Outcome,
    pub(super) repaint: bool,
    pub(super) timer: Option<(Timestamp, TimerKind)>,
}

impl Step {
    pub(super) fn done(what: What, outcome: Outcome) -> Self {
        Self { what: Some(what), fate: Fate::Done, outcome, repaint: true, timer: None }
    }

    pub(super) fn late(what: Option<What>) -> Self {
        Self { what, fate: Fate::Late, outcome: Outcome::Late, repaint: false, timer: None }
    }
}
