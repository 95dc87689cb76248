//! What an incident is and what may happen to it. Pure: time and ids come in as parameters, effects go out as values.
//!
//! Reading order: [`ids`], [`intent`] (what is wanted), [`incident`] (what becomes of it), [`timeline`] (what was done), [`timer`] (what falls due), [`flapping`],
//! [`routing`] (where it shows), [`storm`] (when there are too many), [`people`] (who may).

pub mod configuration;
pub mod flapping;
pub mod ids;
pub mod incident;
pub mod intent;
pub mod people;
pub mod routing;
pub mod severity;
pub mod storm;
pub mod timeline;
pub mod timer;

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why somebody does not get what they asked for, in words for them. Never an operator's error, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Refusal(String);

impl Refusal {
    /// A refusal with this text, which says what to do about it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
