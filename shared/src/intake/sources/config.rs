//! Config: rules that are kept or not, and what it records. <https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html>
//!
//! - A rule and a resource together are one thing, known by the rule's ARN and the resource. Not compliant is P3, because Config has no scale; compliant
//!   again, or no longer under the rule, it is over. EventBridge and SNS say the same about it.
//!   <https://docs.aws.amazon.com/config/latest/developerguide/example-config-rule-compliance-notification.html>
//! - A topic of Config gets every change of every resource; that is its record and nothing for people. Where a rule of EventBridge picked a change, it is told.
//! - That a snapshot or a history could not be delivered is P4, and over with the next one that is.
//!   <https://docs.aws.amazon.com/config/latest/developerguide/notifications-for-AWS-Config.html>

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{object, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

type Object = Map<String, Value>;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let notification = notification(event)?;
    let notification = notification.as_ref();
    if text(notification, "invokingEvent").is_some() {
        return News::nothing("Config asks a function to evaluate its rule").only();
    }
    match text(notification, "messageType")? {
        "ComplianceChangeNotification" => compliance(event, notification),
        "ConfigRulesEvaluationStarted" => News::nothing("Config evaluates its rules").only(),
        // That it says where the rest is means that it could be delivered.
        "OversizedConfigurationItemChangeNotification" if event.bridge.is_none() => {
            delivery(event, notification, "OversizedConfigurationItemChangeDeliveryCompleted")
        }
        "ConfigurationItemChangeNotification" | "OversizedConfigurationItemChangeNotification" => changed(event, notification),
        kind => delivery(event, notification, kind),
    }
}

/// What it says: JSON, or where that is too long for SNS a text with a summary in JSON at its end.
fn notification(event: &Event) -> Option<Cow<'_, Object>> {
    if let Some(object) = event.object() {
        return Some(Cow::Borrowed(object));
    }
    let text = event.text()?;
    let json = text.get(text.find('{')?..)?;
    match serde_json::from_str(json.trim()).ok()? {
        Value::Object(object) => Some(Cow::Owned(object)),
        _ => None,
    }
}

fn place(event: &Event, of: &Object) -> Place {
    let itself = Place {
        region: text(of, "awsRegion").map(str::to_owned),
        account: text(of, "awsAccountId").map(str::to_owned),
        ..Place::default()
    };
    itself.or(event.place())
}

fn compliance(event: &Event, change: &Object) -> Option<Vec<News>> {
    let (rule, resource) = (text(change, "configRuleName")?, text(change, "resourceId")?);
    let kind = text(change, "resourceType").unwrap_or("resource");
    let place = place(event, change);
    let key = text(change, "configRuleARN").map(str::to_owned).or_else(|| place.arn("config", &format!("config-rule/{rule}")));
    let key = key.map(|rule| format!("{rule}/{kind}/{resource}"));
    let at = time_in(change, "newEvaluationResult.resultRecordedTime").or_else(|| time_in(change, "notificationCreationTime"));
    let over = |why: String| News::over(Some(why)).known_by(key.clone()).at(at).only();
    let state = match text(change, "newEvaluationResult.complianceType") {
        Some("COMPLIANT") => return over(format!("{resource} complies with {rule}.")),
        None | Some("NOT_APPLICABLE") => return over(format!("{rule} does not apply to {resource} any more.")),
        Some("INSUFFICIENT_DATA") => return News::nothing("a rule has nothing yet to judge by").only(),
        Some("NON_COMPLIANT") => None,
        Some(other) => Some(other),
    };
    let rule_page = format!("config/home#/rules/details?configRuleName={}", encoded(rule));
    News::wrong(format!("{} does not comply with {rule}", called(kind, resource)))
        .known_by(key)
        .at(at)
        .severity(Some(Severity::P3))
        .why(text(change, "newEvaluationResult.annotation"))
        // The account stands on every card.
        .affects(Some(resource).filter(|resource| place.account.as_deref() != Some(resource)))
        .detail("Resource", Some(kind))
        .detail("Result", state)
        .page(place.console(&rule_page))
        .link("Timeline", place.console(&timeline(kind, resource)))
        .in_place(place)
        .only()
}

/// `S3 bucket shop-exports` for `AWS::S3::Bucket`, `Account 123456789012` for `AWS::::Account`.
fn called(kind: &str, resource: &str) -> String {
    let kind: Vec<&str> = kind.split("::").skip(1).filter(|part| !part.is_empty()).collect();
    match kind.as_slice() {
        [] => resource.to_owned(),
        kind => format!("{} {resource}", kind.join(" ")),
    }
}

fn timeline(kind: &str, resource: &str) -> String {
    format!("config/home#/resources/timeline?resourceId={}&resourceType={}", encoded(resource), encoded(kind))
}

fn changed(event: &Event, change: &Object) -> Option<Vec<News>> {
    if event.bridge.is_none() {
        return News::nothing("Config recorded a change of a resource").only();
    }
    let item = object(change, "configurationItem").or_else(|| object(change, "configurationItemSummary"))?;
    let (kind, resource) = (text(item, "resourceType")?, text(item, "resourceName").or_else(|| text(item, "resourceId"))?);
    let id = text(item, "resourceId").unwrap_or(resource);
    let done = match text(change, "configurationItemDiff.changeType").or_else(|| text(item, "changeType")) {
        Some("CREATE") => "was created",
        Some("DELETE") => "was deleted",
        _ => "was changed",
    };
    let place = place(event, item);
    let parts: Vec<&str> =
        object(change, "configurationItemDiff.changedProperties").into_iter().flatten().map(|(name, _)| name.as_str()).take(5).collect();
    News::notice(format!("{} {done}", called(kind, resource)))
        .at(time_in(item, "configurationItemCaptureTime"))
        .severity(Some(Severity::P4))
        .affects([text(item, "ARN").unwrap_or(id)])
        .detail("Changed", (!parts.is_empty()).then(|| parts.join(", ")))
        .page(place.console(&timeline(kind, id)))
        .in_place(place)
        .only()
}

/// How a delivery to the bucket went: `ConfigurationSnapshotDeliveryFailed` and its like.
fn delivery(event: &Event, notification: &Object, kind: &str) -> Option<Vec<News>> {
    let (what, state) = kind.split_once("Delivery")?;
    let what = match what {
        "ConfigurationSnapshot" => "snapshot",
        "ConfigurationHistory" => "history",
        "OversizedConfigurationItemChange" => "record of a change",
        _ => "record",
    };
    let item = object(notification, "configurationItemSummary").unwrap_or(notification);
    let place = place(event, item);
    let key = place.arn("config", &format!("delivery/{what}"));
    let at = time_in(notification, "notificationCreationTime");
    match state {
        "Started" => return News::nothing("Config begins to deliver").only(),
        "Completed" => return News::over(Some(format!("The {what} was delivered."))).known_by(key).at(at).only(),
        _ => {}
    }
    News::wrong(format!("Config could not deliver its {what}"))
        .known_by(key)
        .at(at)
        .severity(Some(Severity::P4))
        .why(text(notification, "s3DeliverySummary.errorMessage").or_else(|| text(notification, "errorMessage")))
        .detail("Bucket", text(notification, "s3Bucket"))
        .detail("Error", text(notification, "s3DeliverySummary.errorCode").or_else(|| text(notification, "errorCode")))
        .detail("Resource", text(item, "resourceId"))
        .page(place.console("config/home#/settings"))
        .in_place(place)
        .only()
}
