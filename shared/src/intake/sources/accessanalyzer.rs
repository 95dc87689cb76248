//! Access Analyzer: what others can reach, and what nobody uses. <https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-eventbridge.html>
//!
//! - A finding is known by its id. It is over when it is resolved, archived or deleted.
//! - There is no scale: what all the world can reach is P2, what another account can reach P3; access within the organization, what nobody uses, and what
//!   could not be analyzed is P4.
//! - A preview of access is somebody's own question; only that it failed is told.

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{get, object, plain, plain_in, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// How many actions are told: the rest is more of the same.
const ACTIONS: usize = 5;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let finding = event.object()?;
    if event.detail_type() == "Access Preview State Change" {
        return preview(event, finding);
    }
    let id = text(finding, "id").or_else(|| text(finding, "findingId"))?;
    let key = Some(format!("accessanalyzer:{id}"));
    let at = time_in(finding, "updatedAt");
    let over = |why: &str| News::over(Some(why)).known_by(key.clone()).at(at).only();
    if get(finding, "isDeleted").and_then(Value::as_bool) == Some(true) {
        // Deleting it leaves the time of its last update as it was.
        return News::over(Some("The finding was deleted.")).known_by(key).only();
    }
    match text(finding, "status") {
        Some("RESOLVED") => return over("The access is gone."),
        Some("ARCHIVED") => return over("The finding was archived: the access is meant to be."),
        // Whatever else it is, somebody may have to look.
        _ => {}
    }
    let resource = text(finding, "resource")?;
    let place = Place { account: text(finding, "accountId").map(str::to_owned), ..Place::default() }.or(event.place());
    let (title, severity) = matter(event, finding, last_name(resource));
    News::wrong(title)
        .known_by(key)
        .at(at)
        .severity(Some(severity))
        .affects_only([resource])
        .detail("Resource", text(finding, "resourceType"))
        .detail("Who", who(finding))
        .detail("May", actions(finding))
        .detail("If", conditions(finding))
        .detail("Unused", unused(finding))
        .detail("Error", text(finding, "error"))
        .page(event.place().console(&format!("access-analyzer/home#/findings/details/{}", encoded(id))))
        .in_place(place)
        .only()
}

/// What it is, and how bad.
fn matter(event: &Event, finding: &Map<String, Value>, name: &str) -> (String, Severity) {
    let public = get(finding, "isPublic").and_then(Value::as_bool) == Some(true);
    match (event.detail_type(), text(finding, "findingType").unwrap_or_default()) {
        _ if text(finding, "error").is_some() => (format!("Access to {name} could not be analyzed"), Severity::P4),
        ("Internal Access Finding", _) | (_, "InternalAccess") => (format!("{} can reach {name}", inside(finding)), Severity::P4),
        (_, "UnusedIAMRole") => (format!("Nobody uses the role {name}"), Severity::P4),
        (_, "UnusedIAMUserAccessKey") => (format!("Nobody uses an access key of {name}"), Severity::P4),
        (_, "UnusedIAMUserPassword") => (format!("Nobody uses the password of {name}"), Severity::P4),
        (_, "UnusedPermission") => (format!("{name} has permissions that it does not use"), Severity::P4),
        ("Unused Access Finding for IAM entities", _) => (format!("{name} has access that it does not use"), Severity::P4),
        _ if public => (format!("All the world can reach {name}"), Severity::P2),
        _ => (format!("Another account can reach {name}"), Severity::P3),
    }
}

/// Who can reach it from inside.
fn inside(finding: &Map<String, Value>) -> &str {
    text(finding, "principal.AWS").map_or("Somebody inside", last_name)
}

/// `account 999988887777`, `Service sns.amazonaws.com`.
fn who(finding: &Map<String, Value>) -> Option<String> {
    let principal = object(finding, "principal")?;
    let all: Vec<String> = match text(principal, "AWS") {
        Some("*") => vec!["anybody".to_owned()],
        Some(account) if account.bytes().all(|byte| byte.is_ascii_digit()) => vec![format!("account {account}")],
        Some(arn) => vec![arn.to_owned()],
        None => pairs(principal, " "),
    };
    (!all.is_empty()).then(|| all.join(", "))
}

fn conditions(finding: &Map<String, Value>) -> Option<String> {
    let all = pairs(object(finding, "condition")?, " is ");
    (!all.is_empty()).then(|| all.join(" and "))
}

fn pairs(object: &Map<String, Value>, joint: &str) -> Vec<String> {
    object.iter().filter_map(|(name, value)| Some(format!("{name}{joint}{}", plain(value)?))).collect()
}

fn actions(finding: &Map<String, Value>) -> Option<String> {
    let all: Vec<&str> = texts(finding, "action").collect();
    let told = all.get(..ACTIONS.min(all.len()))?.join(", ");
    match all.len() {
        0 => None,
        count if count > ACTIONS => Some(format!("{told} and {} more", count - ACTIONS)),
        _ => Some(told),
    }
}

fn unused(finding: &Map<String, Value>) -> Option<String> {
    let count = |way: &str, what: &str| Some(format!("{} {what}", plain_in(finding, way).filter(|count| count != "0")?));
    let all: Vec<String> =
        [count("numberOfUnusedServices", "services"), count("numberOfUnusedActions", "actions")].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn preview(event: &Event, preview: &Map<String, Value>) -> Option<Vec<News>> {
    let id = text(preview, "accessPreviewId")?;
    if let Some("CREATING" | "COMPLETED") = text(preview, "status") {
        return News::nothing("a preview of access takes its course").only();
    }
    let resource = texts(preview, "configuredResources").next();
    News::notice(format!("No preview of the access to {}", resource.map_or("a resource", last_name)))
        .severity(Some(Severity::P4))
        .affects_only(resource)
        .detail("Status", text(preview, "status"))
        .detail("Reason", text(preview, "statusReason.code"))
        .detail("Preview", Some(id))
        .page(event.place().console("access-analyzer/home"))
        .only()
}
