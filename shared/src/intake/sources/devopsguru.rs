//! DevOps Guru: insights into what behaves unusually, over EventBridge and, with the same fields, as JSON over SNS.
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-devops-guru.html>
//! <https://docs.aws.amazon.com/devops-guru/latest/APIReference/API_NotificationFilterConfig.html>
//!
//! - An insight is known by its id, from its opening to its closing; what is found out in between brings its card up to date.
//! - Its severity: `high` is P2, `medium` P3, `low` P4. A proactive insight is about what may come, and one grade lower.
//!   <https://docs.aws.amazon.com/devops-guru/latest/userguide/working-with-insights.html#understanding-insights-severities>
//! - Only the opening goes by the time at which it began; all else by when it was said, so that what comes later counts.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{objects, plain_in, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, is_region};

/// How many metrics are told.
const METRICS_SHOWN: usize = 4;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let insight = event.object()?;
    let id = text(insight, "insightId")?;
    let key = Some(format!("devopsguru:{id}"));
    let what = text(insight, "messageType").unwrap_or_else(|| event.detail_type());
    match what {
        "CLOSED_INSIGHT" | "DevOps Guru Insight Closed" => {
            return News::over(Some("DevOps Guru has closed the insight.")).known_by(key).only();
        }
        "CLOSED_ASSOCIATION" => return News::nothing("an anomaly of an insight is over; the insight says its own end").only(),
        _ => {}
    }
    let is_opening = matches!(what, "NEW_INSIGHT" | "DevOps Guru New Insight Open");
    let description = text(insight, "insightDescription").map(unbroken);
    let title = text(insight, "insightName").map(str::to_owned).or_else(|| description.clone())?;
    let metrics = metrics(insight);
    let recommendation = objects(insight, "recommendations").next();
    let why = description.filter(|description| *description != title);
    News::wrong(title)
        .known_by(key)
        .at(begun(insight).filter(|_| is_opening))
        .severity(text(insight, "insightSeverity").and_then(|severity| grade(severity, insight)))
        .why(why)
        .hint(recommendation.and_then(advice))
        .affects(resources(insight))
        .detail("Insight", kind(insight))
        .detail("Metrics", (!metrics.is_empty()).then(|| metrics.join(", ")))
        .page(text(insight, "insightUrl"))
        .link("Recommendation", recommendation.and_then(|recommendation| text(recommendation, "link")))
        .from_place(place(insight))
        .only()
}

/// Descriptions come with line breaks in the middle of a sentence.
fn unbroken(description: &str) -> String {
    description.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn begun(insight: &Map<String, Value>) -> Option<Timestamp> {
    time_in(insight, "startTimeISO").or_else(|| time_in(insight, "startTime"))
}

fn place(insight: &Map<String, Value>) -> Place {
    let region = text(insight, "region").filter(|region| is_region(region)).map(str::to_owned);
    Place { partition: None, region, account: plain_in(insight, "accountId") }
}

fn is_proactive(insight: &Map<String, Value>) -> bool {
    text(insight, "insightType").is_some_and(|kind| kind.eq_ignore_ascii_case("proactive"))
}

fn kind(insight: &Map<String, Value>) -> Option<&'static str> {
    text(insight, "insightType").map(|_| if is_proactive(insight) { "proactive: it may come" } else { "reactive: it happens now" })
}

fn grade(severity: &str, insight: &Map<String, Value>) -> Option<Severity> {
    let is_proactive = is_proactive(insight);
    match severity.to_ascii_lowercase().as_str() {
        "high" if is_proactive => Some(Severity::P3),
        "high" => Some(Severity::P2),
        "medium" if !is_proactive => Some(Severity::P3),
        "medium" | "low" => Some(Severity::P4),
        _ => None,
    }
}

/// `AWS/Lambda Duration`, of its anomalies or of those that a recommendation is about.
fn metrics(insight: &Map<String, Value>) -> Vec<String> {
    let related = objects(insight, "recommendations").flat_map(|one| objects(one, "relatedAnomalies"));
    let sources = objects(insight, "anomalies").chain(related).flat_map(|anomaly| objects(anomaly, "sourceDetails"));
    let mut metrics = Vec::new();
    for source in sources {
        let said = |way: &str| text(source, &format!("dataIdentifiers.{way}")).unwrap_or_default();
        let metric = format!("{} {}", said("namespace"), said("name")).trim().to_owned();
        if !metric.is_empty() && !metrics.contains(&metric) && metrics.len() < METRICS_SHOWN {
            metrics.push(metric);
        }
    }
    metrics
}

/// The stacks, and the resources that its anomalies name.
fn resources(insight: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let stacks = texts(insight, "resourceCollection.cloudFormation.stackNames");
    let named = objects(insight, "anomalies").flat_map(|anomaly| {
        let names = objects(anomaly, "anomalyResources").filter_map(|resource| text(resource, "name"));
        names.chain(texts(anomaly, "associatedResourceArns"))
    });
    stacks.chain(named)
}

/// What it recommends first, and why.
fn advice(recommendation: &Map<String, Value>) -> Option<String> {
    let parts = ["name", "description"].into_iter().filter_map(|way| text(recommendation, way));
    let parts: Vec<&str> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}
