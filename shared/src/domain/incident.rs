//! The incident and its state machine.
//!
//! What is known is kept with the time it became so, and the state is read off those times. Therefore the end is the same in
//! whatever order things arrive: a recovery that overtakes its alarm is remembered until the alarm comes, an older update
//! does not undo a newer one, and a repeat never takes an acknowledgement away.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Refusal;
use super::flapping::{Flapping, FlappingRate};
use super::ids::{Channel, DedupKey, IncidentId, UserId, Workspace};
use super::intent::{Action, Actor, Changes, Closing, Detail, Intent, Link};
use super::severity::Severity;
use super::timeline::{Entry, Fate, What};
use super::timer::{Timer, TimerKind};

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
    /// Where its cards are; decided when it is created.
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
    /// Its source cannot make up its mind, so it is held open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping: Option<Flapping>,
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
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

/// A value and when it became so: the newest wins, whatever comes last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// What.
    pub value: T,
    /// Since when.
    pub at: Timestamp,
}

/// What is known about an incident, each fact with its time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are those of `Changes`, where they are described")]
pub struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Dated<Severity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Dated<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_hint: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla_breach_at: Option<Dated<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Dated<Vec<Link>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Dated<Vec<Detail>>>,
}

/// Takes `new` where it is newer than what is known, and says whether anything is different now.
fn learn<T: PartialEq>(known: &mut Option<Dated<T>>, new: Option<T>, at: Timestamp) -> bool {
    let Some(value) = new else { return false };
    if known.as_ref().is_some_and(|known| known.at > at) {
        return false;
    }
    let different = known.as_ref().is_none_or(|known| known.value != value);
    *known = Some(Dated { value, at });
    different
}

impl Facts {
    /// Takes what is newer; the names of what is different now.
    fn learn(&mut self, changes: Changes, at: Timestamp) -> Vec<String> {
        let Changes { title, description, severity, service, kind, components, assignee, action_hint, sla_breach_at, url, links, details } =
            changes;
        let learned = [
            ("title", learn(&mut self.title, title, at)),
            ("description", learn(&mut self.description, description, at)),
            ("severity", learn(&mut self.severity, severity, at)),
            ("service", learn(&mut self.service, service, at)),
            ("kind", learn(&mut self.kind, kind, at)),
            ("components", learn(&mut self.components, components, at)),
            ("assignee", learn(&mut self.assignee, assignee, at)),
            ("action hint", learn(&mut self.action_hint, action_hint, at)),
            ("SLA", learn(&mut self.sla_breach_at, sla_breach_at, at)),
            ("link", learn(&mut self.url, url, at)),
            ("links", learn(&mut self.links, links, at)),
            ("details", learn(&mut self.details, details, at)),
        ];
        learned.into_iter().filter(|(_, different)| *different).map(|(name, _)| name.to_owned()).collect()
    }
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
    /// What has to be looked at later.
    pub timer: Option<Timer>,
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
    /// A note was taken.
    Noted,
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
            Self::Noted => "noted",
            Self::Expected => "expected",
            Self::Held => "held",
            Self::Late => "late",
            Self::Refused(_) => "refused",
        }
    }
}

/// The moment after this one: an event that answers another comes after it, whatever the clocks say.
fn after(at: Timestamp) -> Timestamp {
    at.checked_add(jiff::SignedDuration::from_micros(1)).unwrap_or(at)
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
            flapping: None,
        }
    }

    /// The same, held open from the moment on at which it comes back once too often.
    #[must_use]
    pub fn held(self, rate: FlappingRate, since: Timestamp) -> Self {
        Self { flapping: Some(rate.hold(since)), ..self }
    }

    /// How it stands.
    pub fn state(&self) -> State {
        let Some(fired) = self.fired else { return State::Expected };
        let reopened = self.reopened.as_ref().map(|mark| mark.at);
        let open_since = Some(fired.last).max(reopened);
        if self.closed >= open_since {
            return State::Resolved;
        }
        let acknowledged = self.acknowledged.as_ref().map(|mark| mark.at);
        if acknowledged > self.closed.max(reopened) { State::Acknowledged } else { State::Triggered }
    }

    /// Its title, which every incident has once it is shown.
    pub fn title(&self) -> &str {
        self.facts.title.as_ref().map_or("Untitled incident", |title| &title.value)
    }

    /// How bad it is; P3 where nobody said.
    pub fn severity(&self) -> Severity {
        self.facts.severity.as_ref().map_or(Severity::P3, |severity| severity.value)
    }

    /// Whether an alarm of this time is not about this incident any more, but begins a new one.
    pub fn is_over_before(&self, at: Timestamp) -> bool {
        self.state() == State::Resolved && self.closed.is_some_and(|closed| closed < at)
    }

    /// What `intent` comes to. A refusal changes nothing, and is kept with the intent's marker all the same.
    pub fn apply(&self, intent: &Intent) -> Result<Effect, Refusal> {
        let mut next = self.clone();
        next.version += 1;
        let Step { what, fate, outcome, repaint, timer } = match &intent.action {
            Action::Create(changes) => next.create(intent, changes),
            Action::Update(changes) => next.update(intent, changes),
            Action::Acknowledge => next.acknowledge(intent)?,
            Action::Resolve(closing) => next.resolve(intent, closing)?,
            Action::Reopen => next.reopen(intent)?,
            Action::Settle => next.settle(intent),
            Action::Note { text } => Step { repaint: false, ..Step::done(What::Noted { text: text.clone() }, Outcome::Noted) },
        };
        let visible = next.state() != State::Expected;
        let entry = what.map(|what| Entry { intent: intent.id.clone(), at: intent.at, by: intent.by.clone(), what, fate });
        let outcome = if visible { outcome } else { Outcome::Expected };
        let reveals = visible && self.state() == State::Expected;
        let timer = timer.map(|(at, kind)| Timer { at, incident: next.id.clone(), kind });
        Ok(Effect { incident: next, entry, outcome, repaint: visible && repaint, reveals, timer })
    }

    fn create(&mut self, intent: &Intent, changes: &Changes) -> Step {
        let at = intent.at;
        let Some(fired) = self.fired else {
            self.facts.learn(changes.clone(), at);
            self.fired = Some(Fired { first: at, last: at });
            self.source = Some(intent.by.clone());
            self.count = 1;
            let what = What::Triggered { title: self.title().to_owned(), description: changes.description.clone() };
            return Step::done(what, Outcome::Created);
        };
        let comes_back = self.flapping.as_ref().filter(|held| held.since == at).map(|held| held.quiet_minutes);
        // What begins a new incident never comes here, see `is_over_before`: this was said before the end, and counts as if it had come in time.
        let is_over = self.state() == State::Resolved && comes_back.is_none();
        let severity = self.severity();
        self.facts.learn(changes.clone(), at);
        self.fired = Some(Fired { first: fired.first.min(at), last: fired.last.max(at) });
        self.count = self.count.saturating_add(1);
        if is_over {
            return Step { repaint: true, ..Step::late(None) };
        }
        if let Some(quiet_minutes) = comes_back {
            return Step::done(What::Flapping { quiet_minutes }, Outcome::Reopened);
        }
        let what =
            self.changed_severity(severity).map(|change| What::Updated { fields: vec!["severity".to_owned()], severity: Some(change) });
        Step { what, fate: Fate::Done, outcome: Outcome::Counted, repaint: true, timer: None }
    }

    fn update(&mut self, intent: &Intent, changes: &Changes) -> Step {
        let severity = self.severity();
        let fields = self.facts.learn(changes.clone(), intent.at);
        let what = What::Updated { severity: self.changed_severity(severity), fields };
        let nothing_new = matches!(&what, What::Updated { fields, .. } if fields.is_empty());
        if nothing_new { Step::late(Some(what)) } else { Step::done(what, Outcome::Updated) }
    }

    fn changed_severity(&self, before: Severity) -> Option<(Severity, Severity)> {
        (self.severity() != before).then(|| (before, self.severity()))
    }

    fn acknowledge(&mut self, intent: &Intent) -> Result<Step, Refusal> {
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
        if self.state() == state && state == State::Triggered {
            return Ok(Step::late(Some(What::Acknowledged)));
        }
        Ok(Step::done(What::Acknowledged, Outcome::Acknowledged))
    }

    fn resolve(&mut self, intent: &Intent, closing: &Closing) -> Result<Step, Refusal> {
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
        self.closed = self.closed.max(Some(at));
        // Of several recoveries before the alarm, the first is the one that is told; the latest counts for the order all the same.
        let first_of_expected = state == State::Expected && self.resolution.is_none();
        let ends = first_of_expected || (state != State::Resolved && self.state() == State::Resolved);
        if !ends {
            return Ok(Step::late(Some(what(self))));
        }
        self.resolution = Some(Resolution { at, by: intent.by.clone(), closing: closing.clone() });
        Ok(Step::done(what(self), Outcome::Resolved))
    }

    /// Ends what was held open, if it has been quiet for long enough; if not, a later timer looks again.
    fn settle(&mut self, intent: &Intent) -> Step {
        let fired = self.fired.map_or(intent.at, |fired| fired.last);
        let Some(over) = self.flapping.as_ref().and_then(|held| held.settled(fired, intent.at)) else { return Step::late(None) };
        self.flapping = None;
        self.closed = self.closed.max(Some(over));
        let by = self.source.clone().unwrap_or_else(|| intent.by.clone());
        self.resolution = Some(Resolution { at: over, by, closing: Closing::default() });
        let after_seconds = self.fired.map(|fired| over.duration_since(fired.first).as_secs().max(0));
        Step::done(What::Resolved { closing: Closing::default(), after_seconds }, Outcome::Resolved)
    }

    fn reopen(&mut self, intent: &Intent) -> Result<Step, Refusal> {
        match self.state() {
            State::Triggered => Err(Refusal::new(format!("{} is open, and nobody has it: there is nothing to reopen.", self.id))),
            State::Expected => Err(Refusal::new(format!("{} has not been created yet.", self.id))),
            State::Acknowledged | State::Resolved => {
                let acknowledged = self.acknowledged.as_ref().map(|mark| mark.at);
                let before = self.closed.max(acknowledged).map_or(intent.at, after);
                self.reopened = Some(Reopening { at: intent.at.max(before), done_at: intent.at, by: intent.by.clone() });
                Ok(Step::done(What::Reopened, Outcome::Reopened))
            }
        }
    }

    fn refuse_if_resolved(&self, state: State) -> Result<(), Refusal> {
        let (State::Resolved, Some(resolution)) = (state, &self.resolution) else { return Ok(()) };
        let reopen = format!("If it is back, `/incident reopen {}`.", self.id);
        Err(Refusal::new(format!("{} was resolved by {} already. {reopen}", self.id, named(&resolution.by))))
    }

    /// When a person's act counts. A person answers what the card showed them, so it comes after the alarm, however wrong the source's clock is; but
    /// what they did before somebody opened the incident again does not end the new round.
    fn as_seen(&self, at: Timestamp) -> Result<Timestamp, Refusal> {
        if let Some(reopened) = self.reopened.as_ref().filter(|reopened| at < reopened.done_at) {
            let who = named(&reopened.by);
            return Err(Refusal::new(format!("{} was reopened by {who} in the meantime. Please look again.", self.id)));
        }
        let fired = self.fired.map_or(at, |fired| fired.last);
        let closed = self.closed.map_or(at, after);
        let reopened = self.reopened.as_ref().map_or(at, |reopened| after(reopened.at));
        Ok(at.max(fired).max(closed).max(reopened))
    }
}

/// Who, in a refusal: Slack turns `<@U…>` into the name. A source that calls itself so is nobody.
fn named(actor: &Actor) -> String {
    match actor {
        Actor::User(person) => format!("<@{}>", person.id.as_str().replace('<', "")),
        Actor::Source(name) => name.replace('<', ""),
    }
}

/// What one kind of intent did to the incident in hand.
struct Step {
    what: Option<What>,
    fate: Fate,
    outcome: Outcome,
    repaint: bool,
    timer: Option<(Timestamp, TimerKind)>,
}

impl Step {
    fn done(what: What, outcome: Outcome) -> Self {
        Self { what: Some(what), fate: Fate::Done, outcome, repaint: true, timer: None }
    }

    fn late(what: Option<What>) -> Self {
        Self { what, fate: Fate::Late, outcome: Outcome::Late, repaint: false, timer: None }
    }
}

/// An incident in one line, as lists show it. Kept beside the incident, so that a list reads nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Its short name.
    pub id: IncidentId,
    /// How bad it is.
    pub severity: Severity,
    /// Its title.
    pub title: String,
    /// How it stands.
    pub state: State,
    /// When it began.
    pub started: Timestamp,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who has it, while somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
}

/// Who has an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A person in Slack.
    User(UserId),
    /// A system, by its name.
    Source(String),
}

impl Incident {
    /// Its line in a list; `None` for one that is only expected, which no list shows.
    pub fn summary(&self) -> Option<Summary> {
        let started = self.fired?.first;
        let state = self.state();
        let holder = self.acknowledged.as_ref().filter(|_| state == State::Acknowledged).map(|mark| match &mark.by {
            Actor::User(person) => Holder::User(person.id.clone()),
            Actor::Source(name) => Holder::Source(name.clone()),
        });
        Some(Summary {
            id: self.id.clone(),
            severity: self.severity(),
            title: self.title().to_owned(),
            state,
            started,
            service: self.facts.service.as_ref().map(|service| service.value.clone()),
            holder,
        })
    }
}

#[cfg(test)]
#[path = "incident_tests.rs"]
mod tests;
