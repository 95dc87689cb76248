//! What a card is about, in a line each: what was deployed, what was measured, what changed.

use crate::domain::incident::{Incident, State};
use crate::domain::kind::{Change, Comparison, Metric};
use crate::mrkdwn;
use crate::render::words::{self, DOT, NAME};
use crate::slack::blocks::{Mrkdwn, one_line};

use super::value;

/// How much of a commit is shown: what people call it by.
const COMMIT: usize = 12;

/// On the card, a line each. How far a deployment is, the card says elsewhere as well, so that it makes no line by itself.
pub(super) fn lines(incident: &Incident) -> Mrkdwn {
    let alone = value(incident.facts.deployment.status.as_ref()).map(|progress| words::progress(*progress));
    let deployed = deployed(incident);
    let deployed = if alone == Some(deployed.as_str()) { Mrkdwn::default() } else { deployed };
    joined(incident, deployed, "\n")
}

/// In a notification, in one.
pub(super) fn in_short(incident: &Incident) -> Mrkdwn {
    joined(incident, deployed(incident), " · ")
}

fn joined(incident: &Incident, deployed: Mrkdwn, between: &'static str) -> Mrkdwn {
    let facts = &incident.facts;
    let over = incident.state() == State::Resolved;
    let metric = value(facts.metric.as_ref()).map(|metric| measured(metric, over)).unwrap_or_default();
    let change = value(facts.change.as_ref()).map(changed).unwrap_or_default();
    Mrkdwn::join([deployed, metric, change], between)
}

fn line(text: &str) -> Mrkdwn {
    Mrkdwn::escape(one_line(text, NAME))
}

/// `*v42* → *production*  ·  started  ·  by jane  ·  abc1234`
fn deployed(incident: &Incident) -> Mrkdwn {
    let facts = &incident.facts.deployment;
    let bold = |text: Option<&String>| text.map(|text| mrkdwn!("*{}*", line(text))).unwrap_or_default();
    let what = Mrkdwn::join([bold(value(facts.version.as_ref())), bold(value(facts.environment.as_ref()))], " → ");
    let by = value(facts.by.as_ref()).map(|by| mrkdwn!("by {}", words::assignee(by)));
    let commit = value(facts.commit.as_ref()).map(|commit| line(&commit.chars().take(COMMIT).collect::<String>()));
    let progress = value(facts.status.as_ref()).map(|progress| Mrkdwn::escape(words::progress(*progress)));
    Mrkdwn::join([what, progress.unwrap_or_default(), by.unwrap_or_default(), commit.unwrap_or_default()], DOT)
}

/// `latency p99: *2.3 s*, limit 1 s  ·  130 % above`. What is over was like this when it was last measured.
fn measured(metric: &Metric, over: bool) -> Mrkdwn {
    let unit = metric.unit.as_deref().map(|unit| format!(" {}", one_line(unit, 20))).unwrap_or_default();
    let amount = |number: f64| format!("{}{unit}", words::number(number));
    let (value, limit) = (amount(metric.value.value()), amount(metric.limit.value()));
    let side = match metric.comparison {
        Comparison::Above => "above",
        Comparison::Below => "below",
    };
    let excess = metric.excess().map(|excess| mrkdwn!("{} % {}", percent(excess), side)).unwrap_or_default();
    let was = if over { "was " } else { "" };
    Mrkdwn::join([mrkdwn!("{}: {}*{}*, limit {}", line(&metric.name), was, value, limit), excess], DOT)
}

/// Whole percents, and parts of one where there is less.
pub(super) fn percent(part: f64) -> String {
    let percent = part * 100.0;
    words::number(if percent >= 1.0 { percent.round() } else { percent })
}

/// `Auto Scaling group web: 2 → 4  ·  eu-west-1`
fn changed(change: &Change) -> Mrkdwn {
    let said = |text: Option<&String>| text.map(|text| line(text)).unwrap_or_default();
    let change_itself = match (&change.from, &change.to) {
        (None, Some(to)) => mrkdwn!("→ {}", line(to)),
        (Some(from), None) => mrkdwn!("{} →", line(from)),
        (from, to) => Mrkdwn::join([said(from.as_ref()), said(to.as_ref())], " → "),
    };
    let what = mrkdwn!("*{}*", line(&change.what));
    let what = if change_itself.as_str().is_empty() { what } else { mrkdwn!("{}: {}", what, change_itself) };
    Mrkdwn::join([what, said(change.place.as_ref())], DOT)
}
