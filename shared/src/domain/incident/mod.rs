//! The incident and its state machine.
//!
//! What is known is kept with the time it became so, and the state is read off those times. Therefore the end is the same in
//! whatever order things arrive: a recovery that overtakes its alarm is remembered until the alarm comes, an older update
//! does not undo a newer one, and a repeat never takes an acknowledgement away.

mod acts;
mod deciding;
mod facts;
mod follow_up;
mod notice;
mod summary;
mod waiting;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Refusal;
use super::decision::Decision;
use super::escalation::Escalation;
use super::flapping::{Flapping, FlappingRate};
use super::ids::{Channel, DedupKey, IncidentId, Workspace};
use super::intent::{Action, Actor, Closing, Intent};
use super::kind::{self, Progress};
use super::settings::Settings;
use super::severity::Severity;
use super::sla::Sla;
use super::step::Waiting;
use super::timeline::{Entry, Fate, What};
use super::timer::Timer;

pub use acts::LONGEST_SNOOZE;
use acts::Step;
pub use deciding::{APPROVAL, Verdict};
pub use facts::{Dated, DeploymentFacts, Facts};
pub use summary::{Holder, Summary};

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The installation it belongs to.
    pub workspace: Workspace,
    /// Its short name.
    pub id: IncidentId,
    /// Grows by one with every write; a write names the version it has read.
    pub version: u64,
    /// What its source calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<DedupKey>,
    /// Where its cards are: decided when it is created, and more of them when it gets worse or somebody is called.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// Usergroups and people whom the card calls: `S…`, `U…`.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// Its thread is turned off: the card alone shows what happens.
    #[serde(default)]
    pub unthreaded: bool,
    /// Who said that it is wrong; `None` until somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Actor>,
    /// How often the source said so.
    pub count: u32,
    /// What is known about it.
    pub facts: Facts,
    /// The earliest and the latest moment at which it was said to be wrong; `None` for an incident that is only expected: something
    /// about it came before its create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired: Option<Fired>,
    /// Who had it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Mark>,
    /// Who ended it last, and what they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// The latest moment at which anybody said it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// Who opened it again last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Reopening>,
    /// Who said last that nobody has to look at it for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed: Option<Snooze>,
    /// Who or what said last that it has to be looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub woken: Option<Mark>,
    /// How far its escalation policy has got; `None`: nobody is called any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
    /// By when something has to be done.
    #[serde(default)]
    pub sla: Sla,
    /// What people are asked to decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// Its source cannot make up its mind, so it is held open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping: Option<Flapping>,
    /// Which workflows wait for its end, and which have waited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited: Vec<Waiting>,
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
}

/// Who put it off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// When it wakes up by itself.
    pub until: Timestamp,
}

/// Who opened it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// When it counts: after whatever had closed it, even by a source whose clock is fast.
    pub at: Timestamp,
    /// When it was done: what people did before was not about the new round.
    pub done_at: Timestamp,
    /// Who.
    pub by: Actor,
}

/// How an incident ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// Who ended it.
    pub by: Actor,
    /// What they said.
    pub closing: Closing,
}

/// When it was said to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// At first: the card's "started".
    pub first: Timestamp,
    /// At last.
    pub last: Timestamp,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Something about it came before its create: nobody sees it yet.
    Expected,
    /// Nobody has it.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// Nobody has to look at it for a while.
    Snoozed,
    /// It is over.
    Resolved,
}

/// What an intent comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The incident afterwards, its version one higher.
    pub incident: Incident,
    /// The line in the timeline, if it makes one.
    pub entry: Option<Entry>,
    /// What to tell.
    pub outcome: Outcome,
    /// The card has to be brought up to date.
    pub repaint: bool,
    /// Everybody sees it from now on: the card is due, and the thread with all that came before.
    pub reveals: bool,
    /// Whether the line is told under the card.
    pub tells: bool,
    /// Where a card has to be that has none yet.
    pub added: Vec<Channel>,
    /// What has to be looked at later.
    pub timers: Vec<Timer>,
}

/// What became of an intent, kept with its marker so that a second delivery gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new incident.
    Created,
    /// One more of the same.
    Counted,
    /// Something is said differently.
    Updated,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// It is open again.
    Reopened,
    /// It sleeps for a while.
    Snoozed,
    /// It is to be looked at again.
    Woken,
    /// Somebody has to look at it.
    Assigned,
    /// More people were called.
    Escalated,
    /// What was promised was not kept.
    Breached,
    /// It is decided, or one voice nearer to it.
    Decided,
    /// Nobody decided in time.
    Expired,
    /// What was called has answered, or never will.
    Called,
    /// A note was taken.
    Noted,
    /// A workflow waits for its end.
    Awaited,
    /// Kept until its create comes.
    Expected,
    /// Over, as its source says, and held open because that does not last.
    Held,
    /// Something newer, or the same, was known already.
    Late,
    /// Not done; the person reads why.
    Refused(Refusal),
}

impl Outcome {
    /// The word for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Counted => "counted",
            Self::Updated => "updated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Snoozed => "snoozed",
            Self::Woken => "woken",
            Self::Assigned => "assigned",
            Self::Escalated => "escalated",
            Self::Breached => "breached",
            Self::Decided => "decided",
            Self::Expired => "expired",
            Self::Called => "called",
            Self::Noted => "noted",
            Self::Awaited => "awaited",
            Self::Expected => "expected",
            Self::Held => "held",
            Self::Late => "late",
            Self::Refused(_) => "refused",
        }
    }
}

impl Incident {
    /// An incident about which nothing is known yet.
    pub fn expected(workspace: Workspace, id: IncidentId, key: Option<DedupKey>) -> Self {
        Self {
            workspace,
            id,
            version: 0,
            key,
            channels: Vec::new(),
            mentions: Vec::new(),
            unthreaded: false,
            source: None,
            count: 0,
            facts: Facts::default(),
            fired: None,
            acknowledged: None,
            resolution: None,
            closed: None,
            reopened: None,
            snoozed: None,
            woken: None,
            escalation: None,
            sla: Sla::default(),
            decisions: Vec::new(),
            flapping: None,
            awaited: Vec::new(),
        }
    }

    /// The same, held open from the moment on at which it comes back once too often.
    #[must_use]
    pub fn held(self, rate: FlappingRate, since: Timestamp) -> Self {
        Self { flapping: Some(rate.hold(since)), ..self }
    }

    /// Whether what was written before anybody saw the incident is told once it is seen: a recovery only where it still stands. One that an alarm came after is history.
    pub fn still_tells(&self, entry: &Entry) -> bool {
        self.state() == State::Resolved || !matches!(entry.what, What::Resolved { .. })
    }

    /// How it stands.
    pub fn state(&self) -> State {
        let Some(fired) = self.fired else { return State::Expected };
        let reopened = self.reopened.as_ref().map(|mark| mark.at);
        let open_since = Some(fired.last).max(reopened).max(self.failed_at());
        let over = self.over_at();
        if over >= open_since {
            return State::Resolved;
        }
        let acknowledged = self.acknowledged.as_ref().map(|mark| mark.at);
        let woken = self.woken.as_ref().map(|mark| mark.at);
        if self.snoozed.as_ref().map(|snooze| snooze.at) > over.max(reopened).max(acknowledged).max(woken) {
            return State::Snoozed;
        }
        if acknowledged > over.max(reopened) { State::Acknowledged } else { State::Triggered }
    }

    /// Its title, which every incident has once it is shown.
    pub fn title(&self) -> &str {
        self.facts.title.as_ref().map_or("Untitled incident", |title| &title.value)
    }

    /// How bad it is; P3 where nobody said.
    pub fn severity(&self) -> Severity {
        self.facts.severity.as_ref().map_or(Severity::P3, |severity| severity.value)
    }

    /// What it is about; routes it first.
    pub fn service(&self) -> Option<&str> {
        self.facts.service.as_ref().map(|fact| fact.value.as_str())
    }

    /// What kind of thing it is about.
    pub fn kind(&self) -> Option<&str> {
        self.facts.kind.as_ref().map(|fact| fact.value.as_str())
    }

    /// Whether an alarm of this time is not about this incident any more, but begins a new one.
    pub fn is_over_before(&self, at: Timestamp) -> bool {
        self.state() == State::Resolved && self.over_at().is_some_and(|over| over < at)
    }

    /// The latest moment at which anything said that it is over: somebody, a deployment that got to its end, or that it is nothing to be worked on.
    pub fn over_at(&self) -> Option<Timestamp> {
        let told = self.fired.filter(|_| self.is_notice()).map(|fired| fired.last);
        self.closed.max(told).max(self.facts.deployment.since(Progress::is_over))
    }

    /// Whether it is only told, and nobody has to do anything about it.
    pub fn is_notice(&self) -> bool {
        self.kind().is_some_and(kind::is_notice)
    }

    /// Since when somebody has to look; `None`: nobody has to, at a notice, or at a deployment that goes as it should.
    pub fn needed_since(&self) -> Option<Timestamp> {
        let fired = self.fired?;
        if self.is_notice() {
            return None;
        }
        if self.facts.deployment.status.is_some() { self.failed_at() } else { Some(fired.first) }
    }

    /// Since when its deployment stands as failed.
    fn failed_at(&self) -> Option<Timestamp> {
        self.facts.deployment.since(|progress| progress == Progress::Failed)
    }

    /// What `intent` comes to in a workspace with these settings. A refusal changes nothing, and is kept with the intent's marker all the same.
    pub fn apply(&self, intent: &Intent, settings: &Settings) -> Result<Effect, Refusal> {
        self.refuse_if_notice(intent)?;
        let mut next = self.clone();
        next.version += 1;
        let step = match &intent.action {
            Action::Create(changes) => next.create(intent, &settings.configuration.sources.heeded(&intent.by, changes), settings.now),
            Action::Update(changes) => next.update(intent, &settings.configuration.sources.heeded(&intent.by, changes)),
            Action::Acknowledge => next.acknowledge(intent)?,
            Action::Resolve(closing) => next.resolve(intent, closing)?,
            Action::Reopen => next.reopen(intent)?,
            Action::Snooze { until } => next.snooze(intent, *until)?,
            Action::Wake => next.wake(intent)?,
            Action::Settle => next.settle(intent),
            Action::Assign { to } => next.assign(intent, to)?,
            Action::Escalate { to, note } => next.escalate(to.as_ref(), note.as_ref(), settings)?,
            Action::CallNext => next.call_next(intent, settings),
            Action::Due(promise) => next.due(intent, *promise),
            Action::Decide { decision, option, reason } => next.decide(intent, (decision, option), reason.as_ref(), settings)?,
            Action::Expire => next.expire(intent),
            Action::Called { decision, outcome } => next.called(intent, decision, outcome)?,
            Action::Tell => next.tell(intent),
            Action::Await { execution } => next.wait_for_end(execution)?,
            Action::Note { text, .. } => Step { repaint: false, ..Step::done(What::Noted { text: text.clone() }, Outcome::Noted) },
        };
        Ok(next.effect(self, intent, step, settings))
    }

    /// The act with everything that it brings with it: where the incident shows, who is called, by when it has to be over.
    fn effect(mut self, before: &Self, intent: &Intent, step: Step, settings: &Settings) -> Effect {
        let Step { what, fate, outcome, repaint, timer } = step;
        let visible = self.state() != State::Expected;
        let reveals = visible && before.state() == State::Expected;
        let own = timer.map(|(at, kind)| Timer { at, incident: self.id.clone(), kind });
        let (mut added, mut timers) = (Vec::new(), Vec::from_iter(own));
        timers.extend(self.ask(before, intent, settings));
        if visible {
            added = self.place(before, what.as_ref().filter(|_| fate == Fate::Done), settings);
            timers.extend(self.call(before, settings));
            timers.extend(self.promise(before, settings));
        }
        self.end_waiting(before, intent);
        // What is only told is told by its card.
        let told_by_card = self.is_notice() && matches!(what, Some(What::Triggered { .. }));
        let tells = fate == Fate::Done && !told_by_card && what.as_ref().is_some_and(|what| settings.configuration.notify.tells(what));
        let entry = what.map(|what| Entry {
            intent: intent.id.clone(),
            at: intent.at,
            by: intent.by.clone(),
            broadcast: follow_up::is_broadcast(&what, settings),
            heard_in: if let Action::Note { heard_in, .. } = &intent.action { heard_in.clone() } else { None },
            what,
            fate,
        });
        let outcome = if visible { outcome } else { Outcome::Expected };
        Effect { incident: self, entry, outcome, repaint: visible && repaint, reveals, tells, added, timers }
    }
}

#[cfg(test)]
mod calling_tests;
#[cfg(test)]
mod deciding_tests;
#[cfg(test)]
mod kind_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod waiting_tests;
