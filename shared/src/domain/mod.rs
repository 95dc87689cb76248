//! What an incident is and what may happen to it. Pure: time and ids come in as parameters, effects go out as values.
//!
//! Reading order: [`ids`], [`intent`] (what is wanted), [`surfaces`] (what people do in Slack besides), [`step`] (what workflows do there), [`kind`] (what it can be about), [`incident`] (what becomes of it), [`timeline`] (what was done), [`timer`] (what falls due), [`decision`] (what people are asked) and [`call`] (whom Tocsin calls because of it), [`settings`] (what
//! a workspace wants, from its [`configuration`]): [`routing`] (where it shows), [`oncall`] and [`escalation`] (who is called), [`sla`] (by when), [`flapping`], [`storm`] (when
//! there are too many), [`sources`] (what it says about them), [`reactions`] (what an emoji means), [`template`] (what a card says instead), [`report`] (what is posted by the calendar); [`people`] (who may).

pub mod call;
pub mod configuration;
pub mod decision;
pub mod escalation;
pub mod flapping;
pub mod ids;
pub mod incident;
pub mod intent;
pub mod kind;
pub mod oncall;
pub mod people;
pub mod reactions;
pub mod report;
pub mod routing;
pub mod settings;
pub mod severity;
pub mod sla;
pub mod sources;
pub mod step;
pub mod storm;
pub mod surfaces;
pub mod template;
pub mod timeline;
pub mod timer;

#[cfg(test)]
mod year_tests;

use std::fmt;

use jiff::{SignedDuration, Span, SpanRelativeTo};
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

/// A length of time as people write it: `90s`, `15m`, `1h 30m`, `7d`; a day is 24 hours. `None` for anything else, nothing and what is past among it.
pub fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.trim().parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok().filter(|duration| !duration.is_negative())
}
