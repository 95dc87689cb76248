//! Whose event is it, and what does it come to? The [`table`] says by which [`shape`]s each source is known; its own file reads it, and what no row knows is read
//! by [`generic`].

mod accessanalyzer;
mod acm;
mod alerting;
mod alertmanager;
mod amazonq;
mod autoscaling;
mod backup;
mod batch;
mod budgets;
mod cloudformation;
mod cloudtrail;
mod cloudwatch;
mod codebuild;
mod codecommit;
mod codedeploy;
mod codepipeline;
mod config;
mod control;
mod costanomaly;
mod devopsguru;
mod dms;
mod ec2;
mod ecr;
mod ecs;
mod elasticache;
mod elasticbeanstalk;
mod emr;
mod generic;
mod glue;
mod grafana;
mod guardduty;
mod health;
mod inspector;
mod kms;
mod lambda;
mod macie;
mod own;
mod rds;
mod s3;
mod sagemaker;
mod secretsmanager;
mod securityhub;
mod ses;
mod shape;
mod stepfunctions;
mod systemsmanager;
mod table;
mod trustedadvisor;

use super::event::{self, Event};
use super::limits;
use super::news::{News, framed};
use crate::domain::intent::Intent;
use crate::domain::severity::Severity;
use shape::Reader::{Each, Whole};
use shape::Shape::{self, Bridge, Says};
use shape::Source;
use table::SOURCES;

/// What a source makes of one event.
#[derive(Debug)]
pub(super) enum Verdict {
    /// This is wanted.
    Intents(Vec<Intent>),
    /// Nothing is wanted, and why.
    Ignored(String),
    /// It cannot be read, and why.
    Refused(String),
}

/// Of how many things that one event tells something comes: all of them have to get onto the intents queue before the function's time is up. A group of alerts may have hundreds.
const MOST_NEWS: usize = 1_000;

/// What nobody knows, or knows only half.
const OTHER: &str = "other";

/// Reads an event: the word of whose it is, and what it comes to.
pub(super) fn read(event: &Event) -> (&'static str, Verdict) {
    let Some(source) = SOURCES.iter().find(|source| source.knows(event)) else { return (OTHER, generic::read(event)) };
    match source.read {
        Whole(read) => (source.word, read(event)),
        Each(read) => match read(event) {
            Some(news) => {
                let news = limits::first(news, MOST_NEWS, |more| left_out(more, source.name));
                (source.word, verdict(news, event, source))
            }
            None => (OTHER, generic::read(event)),
        },
    }
}

/// That a message was cut to the first of what it tells.
fn left_out(more: usize, who: &str) -> News {
    News::notice(format!("{more} things that {who} told of in one message are left out"))
        .severity(Some(Severity::P3))
        .why(Some(format!("Of one message the first {} are read. Whether the others are new or over is not known here.", MOST_NEWS - 1)))
}

fn verdict(news: Vec<News>, event: &Event, source: &Source) -> Verdict {
    let wanted = framed(news, event, source.name, source.word);
    if wanted.intents.is_empty() { Verdict::Ignored(wanted.ignored.join("; ")) } else { Verdict::Intents(wanted.intents) }
}

/// Whether a source knows this text as its own, so that it need not come in an envelope.
pub(super) fn is_known_text(text: &str) -> bool {
    SOURCES.iter().flat_map(|source| source.shapes).any(|shape| matches!(shape, Says(words) if text.contains(words)))
}

/// The ARN of the CloudWatch alarm that this is about, if it is about one.
pub(super) fn alarm_arn(event: &Event) -> Option<String> {
    cloudwatch::arn(event)
}

/// Whether a row names this very service and this type of its events.
fn is_named(bridge: &event::Bridge) -> bool {
    let fits = |shape: &Shape| matches!(shape, Bridge(service, types) if Shape::is_of(bridge, service, types));
    SOURCES.iter().flat_map(|source| source.shapes).any(fits)
}

/// The name of the source whose event it is; `None` for our own, and for what nobody knows.
pub(super) fn foreign(event: &Event) -> Option<&'static str> {
    SOURCES.iter().find(|source| source.knows(event)).filter(|source| !is_own(source.word)).map(|source| source.name)
}

/// Reads an event as one of our own schema, whatever else it may be.
pub(super) fn own(event: &Event) -> Result<Vec<Intent>, Vec<String>> {
    own::wanted(event, own::Type::Create)
}

/// Whether an event is of Tocsin's own schema.
pub(super) fn is_own(word: &str) -> bool {
    word == "own"
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trap_tests;

#[cfg(test)]
mod connectors;
