//! An incident in one line.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::ids::{Channel, IncidentId, UserId, is_slack_id};
use super::super::intent::Actor;
use super::super::severity::Severity;
use super::{Incident, State};

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
    /// Where its cards are, which decides who sees it; `None` in lines that an earlier version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<Channel>>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who has it, while somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// When somebody had it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Timestamp>,
    /// When it was over, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Timestamp>,
    /// How often its source said so.
    #[serde(default)]
    pub count: u32,
    /// Nobody had to look: it is only told, or goes as it should.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Whom it is assigned to, where that is a person in Slack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserId>,
    /// Its page at its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Summary {
    /// Whether this person has it, or is to look at it.
    pub fn is_of(&self, person: &UserId) -> bool {
        let holds = matches!(&self.holder, Some(Holder::User(holder)) if holder == person);
        holds || self.assignee.as_ref() == Some(person)
    }
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
        let assignee = self.facts.assignee.as_ref().filter(|fact| is_slack_id(&fact.value, &['U', 'W']));
        Some(Summary {
            id: self.id.clone(),
            severity: self.severity(),
            title: self.title().to_owned(),
            state,
            started,
            channels: Some(self.channels.clone()),
            service: self.facts.service.as_ref().map(|service| service.value.clone()),
            holder,
            acknowledged: self.acknowledged.as_ref().map(|mark| mark.at),
            over: self.over_at().filter(|_| state == State::Resolved),
            count: self.count,
            quiet: self.needed_since().is_none(),
            assignee: assignee.map(|fact| UserId::new(&fact.value)),
            url: self.facts.url.as_ref().map(|url| url.value.clone()),
        })
    }
}
