//! What a card can be about besides words: something measured, a deployment, something that changed. What is known decides what the card shows; the kind is a name by
//! which things are routed, and has a meaning of its own in one case only: a [`NOTICE`] is told, and nobody has to do anything about it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::intent::Changes;

/// The kind of what is told and not worked on: no buttons, nobody has it, nothing is promised, nobody is called, and it is over as soon as it is told.
pub const NOTICE: &str = "notice";

/// A finite number in the digits of its source, so that what was measured is kept as it was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

impl Number {
    /// The longest that is read.
    pub const LONGEST: usize = 40;

    /// Reads `2.3`, `-1`, `1e9`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let finite = text.len() <= Self::LONGEST && text.parse::<f64>().is_ok_and(f64::is_finite);
        finite.then(|| Self(text.to_owned()))
    }

    /// For comparing.
    pub fn value(&self) -> f64 {
        // It was read as one when it was made.
        self.0.parse().unwrap_or_default()
    }
}

impl TryFrom<String> for Number {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no number"))
    }
}

impl From<Number> for String {
    fn from(Number(text): Number) -> Self {
        text
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something measured, and the limit that it should keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// What: `latency p99`.
    pub name: String,
    /// How much there is.
    pub value: Number,
    /// How much there should be at most, or at least.
    pub limit: Number,
    /// Of what: `s`, `%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// On which side of the limit it is wrong.
    #[serde(default)]
    pub comparison: Comparison,
}

/// On which side of its limit something is wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// There is too much of it.
    #[default]
    Above,
    /// There is too little.
    Below,
}

impl Metric {
    /// How far it is beyond its limit, as a part of the limit: 1.3 for 130 %. `None` where it keeps its limit, and where the limit is nothing.
    pub fn excess(&self) -> Option<f64> {
        let (value, limit) = (self.value.value(), self.limit.value());
        let beyond = match self.comparison {
            Comparison::Above => value - limit,
            Comparison::Below => limit - value,
        };
        Some(beyond / limit.abs()).filter(|excess| excess.is_finite() && *excess > 0.0)
    }
}

/// Something is brought to where it runs. What a message does not say stays as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deployment {
    /// What is brought: `v42`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where to: `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Progress>,
    /// Out of which commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// By whom: a name, an e-mail address or `U…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It is under way: nobody has to do anything.
    Started,
    /// It is there.
    Succeeded,
    /// It is not, and somebody has to look.
    Failed,
    /// What was there before is there again.
    RolledBack,
}

impl Progress {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 4] = [Self::Started, Self::Succeeded, Self::Failed, Self::RolledBack];

    /// The word in messages of the queue.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
        }
    }

    /// Whether nothing more comes, and nobody has to look.
    pub fn is_over(self) -> bool {
        match self {
            Self::Succeeded | Self::RolledBack => true,
            Self::Started | Self::Failed => false,
        }
    }
}

/// Something is different now: a workflow took a step, a part of the infrastructure was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What: `Auto Scaling group web`.
    pub what: String,
    /// Where: `production, eu-west-1`.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Changes {
    /// Whether this begins something that is only told.
    pub fn is_notice(&self) -> bool {
        self.kind.as_deref().is_some_and(is_notice)
    }

    /// Whether what comes again and again is one thing that cannot make up its mind. Notices and deployments are not: each of them is one of its own.
    pub fn may_flap(&self) -> bool {
        !self.is_notice() && self.deployment.is_none()
    }

    /// When this is to be told, if that is still to come. Only what is told and not worked on may wait.
    pub fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.tell_at.filter(|at| *at > now && self.is_notice())
    }

    /// The kind that it is routed by, where its source names none.
    #[must_use]
    pub fn with_kind(mut self) -> Self {
        let known = [("deployment", self.deployment.is_some()), ("threshold", self.metric.is_some()), ("event", self.change.is_some())];
        let known = || known.into_iter().find(|(_, there)| *there).map(|(kind, _)| kind.to_owned());
        self.kind = self.kind.take().or_else(known);
        self
    }
}

/// Whether this kind is the one that is only told.
pub fn is_notice(kind: &str) -> bool {
    kind.trim().eq_ignore_ascii_case(NOTICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(value: &str, limit: &str, comparison: Comparison) -> Metric {
        let number = |text| Number::parse(text).expect("a number");
        Metric { name: "latency".into(), value: number(value), limit: number(limit), unit: None, comparison }
    }

    #[test]
    fn how_far_beyond_is_said_of_the_limit() {
        let excess = |value, limit, comparison| metric(value, limit, comparison).excess().map(|excess| (excess * 100.0).round());
        assert_eq!(excess("2.3", "1", Comparison::Above), Some(130.0));
        assert_eq!(excess("60", "100", Comparison::Below), Some(40.0));
        assert_eq!(excess("-5", "-10", Comparison::Above), Some(50.0));
        assert_eq!(excess("1", "1", Comparison::Above), None, "it keeps its limit");
        assert_eq!(excess("5", "100", Comparison::Above), None);
        assert_eq!(excess("5", "0", Comparison::Above), None, "nothing has no parts");
        assert_eq!(excess("1e308", "-1e-300", Comparison::Above), None);
    }

    #[test]
    fn what_is_no_number_is_not_read() {
        for text in ["", "x", "NaN", "inf", "1e999", &"1".repeat(41)] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert_eq!(Number::parse(" 2.50 ").map(|number| number.to_string()), Some("2.50".into()));
    }
}
