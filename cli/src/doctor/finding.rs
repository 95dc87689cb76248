//! What was looked at, what was seen, and what to do about it.

use std::fmt;

use anstyle::Style;
use serde::Serialize;

use crate::output::{BAD, FAINT, GOOD, WARN};

/// What is looked at, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    /// CloudFormation knows the stack.
    Stack,
    /// It has the outputs that this program needs.
    Outputs,
    /// What the Slack app needs.
    Secret,
    /// The signing secret before, which is still believed.
    Overlap,
    /// A URL that Slack or others call.
    Url,
    /// A bot token.
    Token,
    /// What it was granted.
    Scopes,
    /// A workspace that installed Tocsin.
    Installation,
    /// A workspace's settings.
    Configuration,
    /// A place that incidents go to.
    Channel,
    /// A queue.
    Queue,
    /// What nobody could handle.
    DeadLetters,
    /// The digests of the HTTP API's keys.
    ApiKeys,
    /// What time it is, here and there.
    Clock,
    /// Who hears when Slack itself is the problem.
    Alarms,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stack => "stack",
            Self::Outputs => "outputs",
            Self::Secret => "Slack secret",
            Self::Overlap => "rotation",
            Self::Url => "URL",
            Self::Token => "token",
            Self::Scopes => "scopes",
            Self::Installation => "installation",
            Self::Configuration => "configuration",
            Self::Channel => "channel",
            Self::Queue => "queue",
            Self::DeadLetters => "dead letters",
            Self::ApiKeys => "API keys",
            Self::Clock => "clock",
            Self::Alarms => "alarms",
        })
    }
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It is well.
    Well,
    /// It works, and somebody should look at it.
    Look,
    /// It does not work.
    Broken,
    /// It could not be looked at because something else is broken, which is told where it is.
    Skipped,
}

impl State {
    pub(super) fn mark(self) -> (&'static str, Style) {
        match self {
            Self::Well => ("✓", GOOD),
            Self::Look => ("!", WARN),
            Self::Broken => ("✗", BAD),
            Self::Skipped => ("·", FAINT),
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Fix {
    /// In words.
    pub(super) say: String,
    /// What can be pasted, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) commands: Vec<String>,
}

impl Fix {
    pub(super) fn new(say: impl Into<String>) -> Self {
        Self { say: say.into(), commands: Vec::new() }
    }

    /// With a command that can be pasted.
    #[must_use]
    pub(super) fn paste(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What.
    pub(super) check: Check,
    /// Which of several: a queue, a channel, a workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<String>,
    /// How it stands.
    pub(super) state: State,
    /// What was seen.
    pub(super) seen: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<Fix>,
}

impl Finding {
    pub(super) fn well(check: Check, seen: impl Into<String>) -> Self {
        Self { check, about: None, state: State::Well, seen: seen.into(), fix: None }
    }

    pub(super) fn look(check: Check, seen: impl Into<String>, fix: Fix) -> Self {
        Self { state: State::Look, fix: Some(fix), ..Self::well(check, seen) }
    }

    pub(super) fn broken(check: Check, seen: impl Into<String>, fix: Fix) -> Self {
        Self { state: State::Broken, ..Self::look(check, seen, fix) }
    }

    /// Not looked at, because of `why`.
    pub(super) fn skipped(check: Check, why: &str) -> Self {
        Self { state: State::Skipped, ..Self::well(check, format!("not looked at, because {why}")) }
    }

    /// Which of several it is about.
    #[must_use]
    pub(super) fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    /// Whether it is about the same as another, which may have seen something else.
    pub(super) fn is_about(&self, other: &Self) -> bool {
        (self.check, &self.about) == (other.check, &other.about)
    }
}
