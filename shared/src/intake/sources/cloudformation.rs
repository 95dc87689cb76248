//! `CloudFormation`: stacks that are made, changed and deleted, and their drift. <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/events-detail-reference.html>
//!
//! - A stack is known by its id, an ARN: one card says how far it is. A resource that failed is told on the card of its stack, because it knows why; all
//!   others are told by their stack. A stack's topic gets the same as lines of text.
//!   <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-listing-event-history.html>
//! - There is no scale: what failed or is rolled back is P3, what cannot even be rolled back P2, because nothing can be deployed there any more. Drift is P4.
//! - A stack set is known by its ARN, an instance of it by its stack, drift by the stack and `/drift`; in sync, it is over.
//! - What `CloudFormation` asks the function of a custom resource, and what that answers, is theirs; only an answer that it failed is told, on the stack's card.
//!   <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event, time};
use crate::intake::fields::{number, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// The types of its events.
pub(super) const TYPES: &[&str] = &[STACK, RESOURCE, DRIFT, SET, INSTANCE, OPERATION];
const STACK: &str = "CloudFormation Stack Status Change";
const RESOURCE: &str = "CloudFormation Resource Status Change";
const DRIFT: &str = "CloudFormation Drift Detection Status Change";
const SET: &str = "CloudFormation StackSet Status Change";
const INSTANCE: &str = "CloudFormation StackSet StackInstance Status Change";
const OPERATION: &str = "CloudFormation StackSet Operation Status Change";

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    if let Some(lines) = event.text() {
        return Lines(lines).told()?.news();
    }
    let detail = event.object()?;
    let status = || text(detail, "status-details.status");
    let reason = text(detail, "status-details.status-reason");
    match event.detail_type() {
        STACK => Told { stack: text(detail, "stack-id")?, status: status()?, reason, resource: None, at: None }.news(),
        RESOURCE => {
            let resource = Some((text(detail, "logical-resource-id")?, text(detail, "resource-type")));
            Told { stack: text(detail, "stack-id")?, status: status()?, reason, resource, at: None }.news()
        }
        DRIFT => drifted(detail),
        SET => News::nothing("what is done with a stack set says how it ended").only(),
        INSTANCE => instance(event, detail, reason),
        OPERATION => operation(event, detail),
        _ => custom_resource(detail),
    }
}

/// The name in a stack's id, and where the stack is.
fn stack(id: &str) -> Option<(String, Place)> {
    let arn = Arn::parse(id)?;
    let name = arn.resource.split('/').nth(1)?.to_owned();
    Some((name, Place::of(&arn)))
}

fn page(place: &Place, tab: &str, id: &str) -> Option<String> {
    place.console(&format!("cloudformation/home#/stacks/{tab}?stackId={}", encoded(id)))
}

/// What is said about a stack or one of its resources.
struct Told<'a> {
    stack: &'a str,
    status: &'a str,
    reason: Option<&'a str>,
    /// Its name in the template, and what it is.
    resource: Option<(&'a str, Option<&'a str>)>,
    at: Option<Timestamp>,
}

impl Told<'_> {
    fn news(&self) -> Option<Vec<News>> {
        let (name, place) = stack(self.stack)?;
        let (title, progress, severity) = match self.resource {
            Some((resource, _)) => {
                if self.is_for_its_stack() {
                    return News::nothing("the stack says how far it is").only();
                }
                (format!("Stack {name}: {resource} {}", failure(self.status)), Progress::Failed, Severity::P3)
            }
            None => match course(self.status) {
                Course::Tells(why) => return News::nothing(why).only(),
                Course::Is(progress, severity, says) => (format!("Stack {name} {says}"), progress, severity),
                Course::Unknown => {
                    let news = News::wrong(format!("Stack {name}: {}", self.status)).severity(Some(Severity::P4)).why(self.reason);
                    return news.known_by(Some(self.stack.to_owned())).at(self.at).page(page(&place, "events", self.stack)).only();
                }
            },
        };
        let matters = matches!(progress, Progress::Failed | Progress::RolledBack);
        News::deployment(title, progress)
            .known_by(Some(self.stack.to_owned()))
            .at(self.at)
            .severity(Some(severity))
            // A resource knows why; its stack but repeats which ones failed, and must not write over that.
            .why(self.reason.filter(|_| self.resource.is_some()))
            .affects([name])
            .detail("Reason", self.reason.filter(|_| matters && self.resource.is_none()))
            .detail("Status", Some(self.status).filter(|_| matters))
            .detail("Resource", self.resource.and_then(|(_, kind)| kind))
            .page(page(&place, "events", self.stack))
            .in_place(place)
            .only()
    }

    /// Whether a resource says what its stack says as well: that it is on its way, or that it was given up because another one failed.
    fn is_for_its_stack(&self) -> bool {
        let given_up = self.reason.is_some_and(|reason| reason.to_ascii_lowercase().ends_with("cancelled"));
        !self.status.ends_with("FAILED") || given_up
    }
}

/// What a status says about a resource that failed.
fn failure(status: &str) -> &'static str {
    match status {
        "CREATE_FAILED" => "could not be created",
        "UPDATE_FAILED" => "could not be updated",
        "DELETE_FAILED" => "could not be deleted",
        "IMPORT_FAILED" => "could not be imported",
        _ => "failed",
    }
}

/// What a status says about its stack.
enum Course {
    Is(Progress, Severity, &'static str),
    /// Nothing, because something else tells it.
    Tells(&'static str),
    Unknown,
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>
fn course(status: &str) -> Course {
    use Progress::{Failed, RolledBack, Started, Succeeded};
    use Severity::{P2, P3, P4};
    let (progress, severity, says) = match status {
        "CREATE_IN_PROGRESS" => (Started, P4, "is being created"),
        "UPDATE_IN_PROGRESS" => (Started, P4, "is being updated"),
        "DELETE_IN_PROGRESS" => (Started, P4, "is being deleted"),
        "IMPORT_IN_PROGRESS" => (Started, P4, "is taking resources in"),
        "CREATE_COMPLETE" => (Succeeded, P4, "was created"),
        "UPDATE_COMPLETE" => (Succeeded, P4, "was updated"),
        "DELETE_COMPLETE" => (Succeeded, P4, "was deleted"),
        "IMPORT_COMPLETE" => (Succeeded, P4, "took its resources in"),
        "ROLLBACK_IN_PROGRESS" => (Failed, P3, "could not be created and is rolled back"),
        "UPDATE_ROLLBACK_IN_PROGRESS" => (Failed, P3, "could not be updated and is rolled back"),
        "IMPORT_ROLLBACK_IN_PROGRESS" => (Failed, P3, "could not take resources in and is rolled back"),
        "ROLLBACK_COMPLETE" => (RolledBack, P4, "could not be created and was rolled back"),
        "UPDATE_ROLLBACK_COMPLETE" => (RolledBack, P4, "could not be updated and was rolled back"),
        "IMPORT_ROLLBACK_COMPLETE" => (RolledBack, P4, "could not take resources in and was rolled back"),
        "CREATE_FAILED" => (Failed, P3, "could not be created"),
        "UPDATE_FAILED" => (Failed, P3, "could not be updated"),
        "DELETE_FAILED" => (Failed, P3, "could not be deleted"),
        "ROLLBACK_FAILED" | "UPDATE_ROLLBACK_FAILED" | "IMPORT_ROLLBACK_FAILED" => (Failed, P2, "is stuck: it could not be rolled back"),
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
            return Course::Tells("the stack says when it is done");
        }
        "REVIEW_IN_PROGRESS" => return Course::Tells("a change set of a new stack waits until somebody wants it"),
        _ => return Course::Unknown,
    };
    Course::Is(progress, severity, says)
}

/// What a stack sends to its topics: `StackId='arn:…'`, and so on, each in its line.
struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn value(&self, name: &str) -> Option<&'a str> {
        let quoted = |line: &'a str| line.trim().strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\'');
        self.0.lines().find_map(quoted).filter(|value| !value.trim().is_empty())
    }

    fn told(&self) -> Option<Told<'a>> {
        let stack = self.value("StackId")?;
        // A stack is its own resource; one in another is a resource like others.
        let itself = self.value("PhysicalResourceId") == Some(stack);
        let resource = if itself { None } else { Some((self.value("LogicalResourceId")?, self.value("ResourceType"))) };
        let (status, reason) = (self.value("ResourceStatus")?, self.value("ResourceStatusReason"));
        Some(Told { stack, status, reason, resource, at: self.value("Timestamp").and_then(time) })
    }
}

fn drifted(detail: &Map<String, Value>) -> Option<Vec<News>> {
    let id = text(detail, "stack-id")?;
    let (name, place) = stack(id)?;
    let key = Some(format!("{id}/drift"));
    let detection = text(detail, "status-details.detection-status");
    if detection == Some("DETECTION_IN_PROGRESS") {
        return News::nothing("drift is being looked for").only();
    }
    let title = match text(detail, "status-details.stack-drift-status") {
        Some("IN_SYNC") => return News::over(Some("The stack is as its template says.")).known_by(key).only(),
        Some("DRIFTED") => format!("Stack {name} has drifted from its template"),
        _ => format!("Stack {name} could not be checked for drift"),
    };
    let count = number(detail, "drift-detection-details.drifted-stack-resource-count").filter(|count| *count >= 0.0);
    News::wrong(title)
        .known_by(key)
        .severity(Some(Severity::P4))
        .affects([name])
        .detail("Drifted resources", count.and_then(|_| plain_in(detail, "drift-detection-details.drifted-stack-resource-count")))
        .page(page(&place, "drifts", id))
        .in_place(place)
        .only()
}

/// The name in a stack set's ARN: `stackset/checkout:e5f5…`.
fn set_name(arn: &str) -> Option<String> {
    let resource = Arn::parse(arn)?.resource;
    Some(resource.rsplit('/').next()?.split(':').next()?.to_owned())
}

fn operation(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let arn = text(detail, "stack-set-arn")?;
    let name = set_name(arn)?;
    let (progress, severity, says) = match text(detail, "status-details.status")? {
        "RUNNING" | "QUEUED" => (Progress::Started, Severity::P4, "is being changed".to_owned()),
        "SUCCEEDED" => (Progress::Succeeded, Severity::P4, "was changed".to_owned()),
        "FAILED" => (Progress::Failed, Severity::P3, "could not be changed".to_owned()),
        "STOPPING" => return News::nothing("a change that is being stopped says so when it is").only(),
        "STOPPED" => return News::over(Some("The change was stopped.")).known_by(Some(arn.to_owned())).only(),
        other => (Progress::Started, Severity::P4, format!("is {other}")),
    };
    News::deployment(format!("Stack set {name} {says}"), progress)
        .known_by(Some(arn.to_owned()))
        .severity(Some(severity))
        .affects([name])
        .detail("Action", text(detail, "action"))
        .detail("Operation", text(detail, "stack-set-operation-id"))
        .page(event.place().console(&format!("cloudformation/home#/stacksets/{}/operations", encoded(set_id(arn)))))
        .only()
}

/// What the console knows a stack set by: `checkout:e5f5…`.
fn set_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn instance(event: &Event, detail: &Map<String, Value>, reason: Option<&str>) -> Option<Vec<News>> {
    let (set, id) = (text(detail, "stack-set-arn")?, text(detail, "stack-id")?);
    let name = set_name(set)?;
    let key = Some(id.to_owned());
    let severity = match (text(detail, "status-details.status")?, text(detail, "status-details.detailed-status")) {
        ("CURRENT", _) => return News::over(Some("The instance is as its stack set says.")).known_by(key).only(),
        ("INOPERABLE", _) => Severity::P3,
        (_, Some("FAILED" | "FAILED_IMPORT")) => Severity::P4,
        _ => return News::nothing("the stack set says how far it is").only(),
    };
    let whose = stack(id).map(|(_, place)| place).unwrap_or_default();
    let title = if severity == Severity::P3 { "cannot be changed any more" } else { "could not be changed" };
    News::wrong(format!("An instance of stack set {name} {title}"))
        .known_by(key)
        .severity(Some(severity))
        .why(reason)
        .affects([name])
        .detail("In account", whose.account)
        .detail("In region", whose.region)
        .page(event.place().console(&format!("cloudformation/home#/stacksets/{}/stacks", encoded(set_id(set)))))
        .only()
}

/// A request to a custom resource's function, or its answer. Its data may be secret, so only the reason of a failure is shown.
fn custom_resource(said: &Map<String, Value>) -> Option<Vec<News>> {
    let status = text(said, "Status").filter(|status| *status == "FAILED");
    let (Some(_), None) = (status, text(said, "RequestType")) else {
        return News::nothing("it is for a custom resource of a stack, which says how far it is").only();
    };
    let resource = Some((text(said, "LogicalResourceId")?, Some("Custom resource")));
    Told { stack: text(said, "StackId")?, status: "FAILED", reason: text(said, "Reason"), resource, at: None }.news()
}
