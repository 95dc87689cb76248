//! Cost Anomaly Detection: costs that nobody expected, over EventBridge and, with the same fields, as JSON over SNS.
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ce.html>
//! <https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Anomaly.html>
//!
//! - An anomaly is known by its id: it is said again as it grows. Nothing says that it is over, so a person ends it.
//! - There is no scale: money is lost and nothing stands still, so it is P3. What somebody has assessed as planned or as no anomaly is P4.

use serde_json::{Map, Value};

use crate::domain::kind::{Comparison, Metric, Number};
use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event};
use crate::intake::fields::{number, object, objects, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::Place;

/// How many causes are told.
const CAUSES_SHOWN: usize = 3;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let anomaly = event.object()?;
    let id = text(anomaly, "anomalyId")?;
    let impact = object(anomaly, "impact")?;
    let currency = currency(anomaly);
    let whose = text(anomaly, "dimensionValue").or_else(|| text(anomaly, "dimensionalValue"));
    let (severity, assessed) = match text(anomaly, "feedback") {
        Some("PLANNED_ACTIVITY") => (Severity::P4, Some("planned")),
        Some("NO") => (Severity::P4, Some("no anomaly")),
        Some("YES") => (Severity::P3, Some("an anomaly")),
        _ => (Severity::P3, None),
    };
    News::wrong(title(impact, whose, currency))
        .known_by(Some(format!("costanomaly:{id}")))
        .severity(Some(severity))
        .metric(metric(impact, currency))
        .why(causes(anomaly, currency))
        .detail("Since", day(anomaly, "anomalyStartDate"))
        .detail("Until", day(anomaly, "anomalyEndDate"))
        .detail("Monitor", text(anomaly, "monitorName"))
        .detail("Subscription", text(anomaly, "subscriptionName"))
        .detail("Assessed as", assessed)
        .detail("Account's name", text(anomaly, "accountName"))
        .page(text(anomaly, "anomalyDetailsLink"))
        .from_place(Place { account: plain_in(anomaly, "accountId"), ..Place::default() })
        .only()
}

/// `AWS Lambda: 48 USD more spent than expected`, rounded: the card says the rest.
fn title(impact: &Map<String, Value>, whose: Option<&str>, currency: &str) -> String {
    let whose = whose.map(|whose| format!("{whose}: ")).unwrap_or_default();
    match number(impact, "totalImpact").or_else(|| number(impact, "maxImpact")) {
        Some(more) => format!("{whose}{more:.0} {currency} more spent than expected"),
        None => format!("{whose}more spent than expected"),
    }
}

/// The accounts of China pay in their own currency.
fn currency(anomaly: &Map<String, Value>) -> &'static str {
    match text(anomaly, "monitorArn").and_then(Arn::parse) {
        Some(arn) if arn.partition == "aws-cn" => "CNY",
        _ => "USD",
    }
}

/// What was spent, and what was expected.
fn metric(impact: &Map<String, Value>, currency: &str) -> Option<Metric> {
    let amount = |way| Number::parse(&plain_in(impact, way)?);
    Some(Metric {
        name: "spent".to_owned(),
        value: amount("totalActualSpend")?,
        limit: amount("totalExpectedSpend")?,
        unit: Some(currency.to_owned()),
        comparison: Comparison::Above,
    })
}

/// What drove it, the largest part first, a line each.
fn causes(anomaly: &Map<String, Value>, currency: &str) -> Option<String> {
    let part = |cause: &Map<String, Value>| number(cause, "impact.contribution").unwrap_or_default();
    let mut all: Vec<&Map<String, Value>> = objects(anomaly, "rootCauses").collect();
    all.sort_by(|one, other| part(other).total_cmp(&part(one)));
    let lines: Vec<String> = all.into_iter().take(CAUSES_SHOWN).filter_map(|cause| told(cause, currency)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// `Amazon EC2 in eu-west-1, EU-BoxUsage:m7g.4xlarge, account shop-production (210987654321): 601 USD`.
fn told(cause: &Map<String, Value>, currency: &str) -> Option<String> {
    let service = text(cause, "service").or_else(|| text(cause, "usageType"))?;
    let region = text(cause, "region").map(|region| format!(" in {region}")).unwrap_or_default();
    let usage = text(cause, "usageType").filter(|usage| *usage != service).map(|usage| format!(", {usage}")).unwrap_or_default();
    let account = match (text(cause, "linkedAccountName"), plain_in(cause, "linkedAccount")) {
        (Some(name), Some(id)) => format!(", account {name} ({id})"),
        (Some(name), None) => format!(", account {name}"),
        (None, Some(id)) => format!(", account {id}"),
        (None, None) => String::new(),
    };
    let part = number(cause, "impact.contribution").map(|part| format!(": {part:.0} {currency}")).unwrap_or_default();
    Some(format!("{service}{region}{usage}{account}{part}"))
}

/// `2026-03-14` of `2026-03-14T00:00:00Z`: an anomaly is counted in days.
fn day<'a>(anomaly: &'a Map<String, Value>, way: &str) -> Option<&'a str> {
    text(anomaly, way)?.split('T').next()
}
