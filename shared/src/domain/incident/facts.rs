//! What is known about an incident, each fact with the time it became so: the newest wins, whatever comes last.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::intent::{Changes, Detail, Link};
use super::super::kind::{Change, Deployment, Metric, Progress};
use super::super::severity::Severity;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Dated<Metric>>,
    #[serde(skip_serializing_if = "DeploymentFacts::is_unknown")]
    pub deployment: DeploymentFacts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Dated<Change>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tell_at: Option<Dated<Timestamp>>,
}

/// What is known about a deployment, each fact with its time: a message that says how far it is need not say again what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are those of `Deployment`, where they are described")]
pub struct DeploymentFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Dated<Progress>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Dated<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Dated<String>>,
}

impl DeploymentFacts {
    /// Whether there is no deployment at all.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Since when it is like this, where it is.
    pub(super) fn since(&self, holds: impl Fn(Progress) -> bool) -> Option<Timestamp> {
        self.status.as_ref().filter(|status| holds(status.value)).map(|status| status.at)
    }

    fn learn(&mut self, deployment: Deployment, at: Timestamp) -> bool {
        let Deployment { version, environment, status, commit, by } = deployment;
        let learned = [
            learn(&mut self.version, version, at),
            learn(&mut self.environment, environment, at),
            learn(&mut self.status, status, at),
            learn(&mut self.commit, commit, at),
            learn(&mut self.by, by, at),
        ];
        learned.contains(&true)
    }
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
    pub(super) fn learn(&mut self, changes: Changes, at: Timestamp) -> Vec<String> {
        // Some clocks have whole seconds only. Of a beginning and an end in the same one, the end is the later, whichever comes first.
        let begins = changes.deployment.as_ref().is_some_and(|deployment| deployment.status == Some(Progress::Started));
        let ended_then = self.deployment.status.as_ref().is_some_and(|known| known.at == at && known.value != Progress::Started);
        let at = if begins && ended_then { at.checked_sub(SignedDuration::from_micros(1)).unwrap_or(at) } else { at };
        let Changes { title, description, severity, service, kind, components, assignee, action_hint, sla_breach_at, .. } = changes;
        let Changes { url, links, details, metric, deployment, change, tell_at, .. } = changes;
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
            ("metric", learn(&mut self.metric, metric, at)),
            ("deployment", deployment.is_some_and(|deployment| self.deployment.learn(deployment, at))),
            ("change", learn(&mut self.change, change, at)),
            ("time", learn(&mut self.tell_at, tell_at, at)),
        ];
        learned.into_iter().filter(|(_, different)| *different).map(|(name, _)| name.to_owned()).collect()
    }
}
