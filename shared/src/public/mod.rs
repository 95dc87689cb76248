//! How an incident and what happened to it look from outside: in events, in webhooks and in answers of an API. [`incident`] as it stands, [`entry`] by entry.
//!
//! These names are a promise to other people's systems. Nothing here is renamed or taken away; what is added is optional. So the forms are written out here, and the domain may call things
//! otherwise and keep them otherwise. What is not known is left out. Times are RFC 3339 in UTC.

pub mod entry;
pub mod incident;

use serde::Serialize;

pub use entry::Entry;
pub use incident::Incident;

use crate::domain::ids::UserId;
use crate::domain::intent::{self, Actor};

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum By<'a> {
    /// A person in Slack.
    User(Person<'a>),
    /// A system; `Workflow` is one that somebody built in Slack, `Tocsin` is Tocsin itself.
    Source {
        /// What people call it: `CloudWatch`.
        name: &'a str,
    },
}

/// A person in Slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Person<'a> {
    /// `U…` or `W…`
    pub id: &'a UserId,
    /// What Slack calls them; nothing where Slack did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Their address, where the app may know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
}

impl<'a> From<&'a Actor> for By<'a> {
    fn from(actor: &'a Actor) -> Self {
        match actor {
            Actor::User(person) => Self::User(Person::from(person)),
            Actor::Source(name) => Self::Source { name },
        }
    }
}

impl<'a> From<&'a intent::Person> for Person<'a> {
    fn from(person: &'a intent::Person) -> Self {
        Self { id: &person.id, name: person.name.as_deref(), email: person.email.as_deref() }
    }
}

#[cfg(test)]
mod tests;
