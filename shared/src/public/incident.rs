//! An incident as it stands.

use jiff::Timestamp;
use serde::Serialize;

use super::{By, Person};
use crate::domain::decision::{Decision, End};
use crate::domain::ids::{Channel, DedupKey, IncidentId, Workspace};
use crate::domain::incident::{self as domain, Dated, DeploymentFacts, State};
use crate::domain::intent::{Detail, Link};
use crate::domain::kind::{self, Change, Comparison, Progress};
use crate::domain::severity::Severity;

/// An incident as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Incident<'a> {
    /// `INC-7K3QPF`
    pub id: &'a IncidentId,
    /// The Slack team or enterprise it belongs to.
    pub workspace: &'a Workspace,
    /// Grows whenever the incident changes: of two forms of it, the one with the larger number is the newer one.
    pub revision: u64,
    /// What its source calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup_key: Option<&'a DedupKey>,
    /// One line.
    pub title: &'a str,
    /// What happened and why, plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// How it stands: `expected` (something about it came before its create, and nobody sees it yet), `triggered`, `acknowledged`, `snoozed`, `resolved`.
    pub state: State,
    /// `P1` to `P4`.
    pub severity: &'static str,
    /// The service that is affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<&'a str>,
    /// What sort of incident it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'a str>,
    /// What is affected.
    pub components: &'a [String],
    /// Who has to look: a name, an address or `U…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<&'a str>,
    /// What to do first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_hint: Option<&'a str>,
    /// Its page at its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<&'a str>,
    /// Runbook, dashboard, logs.
    pub links: &'a [Link],
    /// Further facts, in the order of their source.
    pub details: &'a [Detail],
    /// Who said that it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<By<'a>>,
    /// How often they said so.
    pub count: u32,
    /// When it began; nothing where it is only expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Who has it, or had it when it was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Since<'a>>,
    /// Who put it off; only while it is snoozed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed: Option<Snoozed<'a>>,
    /// How it ended; only while it is resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved<'a>>,
    /// What was measured, and its limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric<'a>>,
    /// What is brought where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment<'a>>,
    /// What is different now: `what`, `where`, `from`, `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<&'a Change>,
    /// What people are asked to decide.
    pub decisions: Vec<Asked<'a>>,
    /// Where it shows, as it was routed: `C…`, `#incidents`, `U…` for somebody's direct messages, `webhook:name`.
    pub channels: &'a [Channel],
}

/// Who, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Since<'a> {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: By<'a>,
}

/// Who put it off, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snoozed<'a> {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: By<'a>,
    /// When it wakes up by itself.
    pub until: Timestamp,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolved<'a> {
    /// When.
    pub at: Timestamp,
    /// Who; nothing where it is over by itself: a notice that was told, a deployment that got to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<By<'a>>,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<&'a str>,
}

/// What was measured, and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metric<'a> {
    /// `latency p99`
    pub name: &'a str,
    /// How much there is.
    pub value: f64,
    /// How much there should be.
    pub limit: f64,
    /// Of what: `s`, `%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'a str>,
    /// On which side of the limit it is wrong: `above`, `below`.
    pub comparison: Comparison,
}

/// What is brought where, and how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Deployment<'a> {
    /// What: `v42`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'a str>,
    /// Where to: `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<&'a str>,
    /// How far: `started`, `succeeded`, `failed`, `rolled_back`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Progress>,
    /// Out of which commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<&'a str>,
    /// By whom: a name, an address or `U…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a str>,
}

/// Something that people are asked to decide. Why they chose what they chose stands in the entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked<'a> {
    /// What it is known by: `approval`, or the name of a button.
    pub name: &'a str,
    /// What can be chosen.
    pub options: Vec<Choice<'a>>,
    /// How it stands: `open`, `decided`, `expired`.
    pub state: Decided,
    /// What was chosen, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<&'a str>,
    /// Who chose that, in order.
    pub voters: Vec<Person<'a>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Something that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Choice<'a> {
    /// What it is known by.
    pub name: &'a str,
    /// What its button says.
    pub label: &'a str,
}

/// How a decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// Nobody has decided yet.
    Open,
    /// Somebody has.
    Decided,
    /// Nobody has in time.
    Expired,
}

/// The incident in a few words, for those who know it: what it is and what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of `Incident`, where they are described")]
pub struct Brief<'a> {
    pub id: &'a IncidentId,
    pub dedup_key: Option<&'a DedupKey>,
    pub title: &'a str,
    pub severity: Severity,
    pub service: Option<&'a str>,
    pub kind: Option<&'a str>,
}

impl<'a> From<&'a domain::Incident> for Brief<'a> {
    fn from(incident: &'a domain::Incident) -> Self {
        let (id, dedup_key, title) = (&incident.id, incident.key.as_ref(), incident.title());
        Self { id, dedup_key, title, severity: incident.severity(), service: incident.service(), kind: incident.kind() }
    }
}

impl<'a> From<&'a domain::Incident> for Incident<'a> {
    fn from(incident: &'a domain::Incident) -> Self {
        let facts = &incident.facts;
        Self {
            id: &incident.id,
            workspace: &incident.workspace,
            revision: incident.version,
            dedup_key: incident.key.as_ref(),
            title: incident.title(),
            description: text(facts.description.as_ref()),
            state: incident.state(),
            severity: incident.severity().as_str(),
            service: incident.service(),
            kind: incident.kind(),
            components: list(facts.components.as_ref()),
            assignee: text(facts.assignee.as_ref()),
            action_hint: text(facts.action_hint.as_ref()),
            url: text(facts.url.as_ref()),
            links: list(facts.links.as_ref()),
            details: list(facts.details.as_ref()),
            reported_by: incident.source.as_ref().map(By::from),
            count: incident.count,
            started_at: incident.fired.map(|fired| fired.first),
            acknowledged: acknowledged(incident),
            snoozed: snoozed(incident),
            resolved: resolved(incident),
            metric: facts.metric.as_ref().map(|metric| Metric::from(&metric.value)),
            deployment: Some(&facts.deployment).filter(|deployment| !deployment.is_unknown()).map(Deployment::from),
            change: facts.change.as_ref().map(|change| &change.value),
            decisions: incident.decisions.iter().map(Asked::from).collect(),
            channels: &incident.channels,
        }
    }
}

/// Since when somebody has it; who had it before it was opened again has it no longer.
fn acknowledged(incident: &domain::Incident) -> Option<Since<'_>> {
    let reopened = incident.reopened.as_ref().map(|mark| mark.at);
    let mark = incident.acknowledged.as_ref().filter(|mark| Some(mark.at) > reopened)?;
    Some(Since { at: mark.at, by: By::from(&mark.by) })
}

fn snoozed(incident: &domain::Incident) -> Option<Snoozed<'_>> {
    let snooze = incident.snoozed.as_ref().filter(|_| incident.state() == State::Snoozed)?;
    Some(Snoozed { at: snooze.at, by: By::from(&snooze.by), until: snooze.until })
}

fn resolved(incident: &domain::Incident) -> Option<Resolved<'_>> {
    let over = incident.over_at().filter(|_| incident.state() == State::Resolved)?;
    // An end that somebody opened again is not how it ended now.
    let reopened = incident.reopened.as_ref().map(|mark| mark.at);
    let end = incident.resolution.as_ref().filter(|end| Some(end.at) > reopened);
    let closing = end.map(|end| &end.closing);
    Some(Resolved {
        at: end.map_or(over, |end| end.at),
        by: end.map(|end| By::from(&end.by)),
        note: closing.and_then(|closing| closing.note.as_deref()),
        root_cause: closing.and_then(|closing| closing.root_cause.as_deref()),
    })
}

impl<'a> From<&'a kind::Metric> for Metric<'a> {
    fn from(metric: &'a kind::Metric) -> Self {
        let (value, limit) = (metric.value.value(), metric.limit.value());
        Self { name: &metric.name, value, limit, unit: metric.unit.as_deref(), comparison: metric.comparison }
    }
}

impl<'a> From<&'a DeploymentFacts> for Deployment<'a> {
    fn from(facts: &'a DeploymentFacts) -> Self {
        Self {
            version: text(facts.version.as_ref()),
            environment: text(facts.environment.as_ref()),
            status: facts.status.as_ref().map(|status| status.value),
            commit: text(facts.commit.as_ref()),
            by: text(facts.by.as_ref()),
        }
    }
}

impl<'a> From<&'a Decision> for Asked<'a> {
    fn from(decision: &'a Decision) -> Self {
        let (state, option, ended_at) = match &decision.end {
            None => (Decided::Open, None, None),
            Some(End::Decided { option, at, .. }) => (Decided::Decided, Some(option.as_str()), Some(*at)),
            Some(End::Expired { at }) => (Decided::Expired, None, Some(*at)),
        };
        let asked = &decision.asked;
        Self {
            name: &asked.name,
            options: asked.options.iter().map(|choice| Choice { name: &choice.name, label: &choice.label }).collect(),
            state,
            option,
            voters: option.into_iter().flat_map(|option| decision.voters(option)).map(|vote| Person::from(&vote.by)).collect(),
            ended_at,
            expires_at: asked.expires_at,
        }
    }
}

fn text(fact: Option<&Dated<String>>) -> Option<&str> {
    fact.map(|fact| fact.value.as_str())
}

fn list<T>(fact: Option<&Dated<Vec<T>>>) -> &[T] {
    fact.map_or(&[], |fact| fact.value.as_slice())
}
