//! `CodeDeploy`: deployments, one card for each group while it runs. <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-codedeploy.html>
//!
//! - The same is said by EventBridge and by the triggers of a deployment group, which send JSON to a topic and also say why.
//!   <https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html>
//! - A deployment is known by the ARN of its group, so one that succeeds ends what an earlier one left failed; an instance by itself and its group.
//! - There is no scale: a deployment that failed is P3; a single instance is P4, because the deployment may succeed all the same.
//! - What `CodeDeploy` asks a hook's function to do is nobody's news.
//!   <https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html>

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::kind::{Deployment, Progress};
use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{get, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded, is_region};

/// The types of its events.
pub(super) const DEPLOYMENT: &str = "CodeDeploy Deployment State-change Notification";
pub(super) const INSTANCE: &str = "CodeDeploy Instance State-change Notification";

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let said = event.object()?;
    if text(said, "LifecycleEventHookExecutionId").is_some() {
        return News::nothing("it asks a function to do its part of a deployment").only();
    }
    if event.detail_type() == INSTANCE || text(said, "instanceId").is_some() { instance(event, said) } else { deployment(event, said) }
}

/// Where it is: a trigger says it itself.
fn place(event: &Event, said: &Map<String, Value>) -> Place {
    let owned = |name: &str| text(said, name).map(str::to_owned);
    Place { region: owned("region").filter(|region| is_region(region)), account: owned("accountId"), ..Place::default() }.or(event.place())
}

fn page(place: &Place, deployment: &str) -> Option<String> {
    place.console(&format!("codesuite/codedeploy/deployments/{}", encoded(deployment)))
}

fn deployment(event: &Event, said: &Map<String, Value>) -> Option<Vec<News>> {
    let application = text(said, "application").or_else(|| text(said, "applicationName"))?;
    let group = text(said, "deploymentGroup").or_else(|| text(said, "deploymentGroupName"))?;
    let id = text(said, "deploymentId")?;
    let place = place(event, said);
    let key = place.arn("codedeploy", &format!("deploymentgroup:{application}/{group}"));
    let at = when(said, "completeTime").or_else(|| when(said, "createTime"));
    let undone = inner(said, "rollbackInformation");
    let undoes = undone.as_ref().is_some_and(|undone| text(undone, "RollbackTriggeringDeploymentId").is_some());
    let state = text(said, "state").or_else(|| text(said, "status"))?;
    let (progress, severity, says) = match state.to_ascii_uppercase().as_str() {
        "START" | "CREATED" | "QUEUED" | "INPROGRESS" => (Progress::Started, Severity::P4, "is running"),
        "READY" => (Progress::Started, Severity::P4, "is ready for its traffic"),
        "SUCCESS" | "SUCCEEDED" if undoes => (Progress::RolledBack, Severity::P4, "was rolled back"),
        "SUCCESS" | "SUCCEEDED" => (Progress::Succeeded, Severity::P4, "succeeded"),
        "FAILURE" | "FAILED" => (Progress::Failed, Severity::P3, "failed"),
        "ROLLBACK" => (Progress::Failed, Severity::P3, "failed and is rolled back"),
        "STOP" | "STOPPED" | "ABORTED" => return News::over(Some("The deployment was stopped.")).known_by(key).at(at).only(),
        other => {
            let news = News::wrong(format!("Deployment of {application} to {group}: {other}"));
            return news.known_by(key).at(at).severity(Some(Severity::P4)).page(page(&place, id)).in_place(place).only();
        }
    };
    let error = inner(said, "errorInformation");
    let from_error = |name| error.as_ref().and_then(|error| text(error, name));
    let why = from_error("ErrorMessage").or_else(|| text(undone.as_ref()?, "RollbackMessage"));
    News::deployment(format!("Deployment of {application} to {group} {says}"), progress)
        .known_by(key)
        .at(at)
        .severity(Some(severity))
        .why(why)
        .brings(Deployment { environment: Some(group.to_owned()), ..Deployment::default() })
        .affects([application])
        .detail("Deployment", Some(id))
        .detail("Error", from_error("ErrorCode"))
        .detail("Instances", overview(said))
        .page(page(&place, id))
        .in_place(place)
        .only()
}

fn instance(event: &Event, said: &Map<String, Value>) -> Option<Vec<News>> {
    let (id, instance) = (text(said, "deploymentId")?, text(said, "instanceId")?);
    let name = last_name(instance);
    let place = place(event, said);
    let group = text(said, "application").zip(text(said, "deploymentGroup"));
    // A trigger does not say whose deployment it is.
    let key =
        group.map_or_else(|| format!("codedeploy:{id}/{name}"), |(application, group)| format!("codedeploy:{application}/{group}/{name}"));
    let at = when(said, "lastUpdatedAt");
    let state = text(said, "state").or_else(|| text(said, "instanceStatus"))?;
    let title = match state.to_ascii_uppercase().as_str() {
        "START" | "READY" | "PENDING" | "INPROGRESS" | "SKIPPED" => {
            return News::nothing("the deployment says how far it is").only();
        }
        "SUCCESS" | "SUCCEEDED" => return News::over(Some("The instance was deployed to.")).known_by(Some(key)).at(at).only(),
        "FAILURE" | "FAILED" => "failed".to_owned(),
        other => other.to_owned(),
    };
    let whose = group.map_or_else(|| id.to_owned(), |(application, _)| format!("of {application}"));
    News::wrong(format!("Deployment {whose} on {name}: {title}"))
        .known_by(Some(key))
        .at(at)
        .severity(Some(Severity::P4))
        .affects([Some(name), group.map(|(application, _)| application)].into_iter().flatten())
        .detail("Deployment", Some(id))
        .detail("Group", group.map(|(_, group)| group))
        .detail("Failed at", failed_hook(said))
        .page(page(&place, id))
        .in_place(place)
        .only()
}

/// The step at which an instance failed.
fn failed_hook(said: &Map<String, Value>) -> Option<&str> {
    let failed =
        |step: &&Map<String, Value>| text(step, "LifecycleEventStatus").is_some_and(|status| status.eq_ignore_ascii_case("failed"));
    let steps = said.get("lifecycleEvents")?.as_array()?;
    text(steps.iter().filter_map(Value::as_object).find(failed)?, "LifecycleEvent")
}

/// How many instances there are in which state, where there are any: `10 failed, 2 succeeded`.
fn overview(said: &Map<String, Value>) -> Option<String> {
    let counts = inner(said, "deploymentOverview")?;
    let count = |name: &str| {
        let number = crate::intake::fields::plain_in(&counts, name).filter(|number| number != "0")?;
        Some(format!("{number} {}", if name == "InProgress" { "in progress".to_owned() } else { name.to_lowercase() }))
    };
    let all: Vec<String> = ["Failed", "Pending", "InProgress", "Skipped", "Succeeded"].into_iter().filter_map(count).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// A part of a trigger's message: an object, or one that was written as text.
fn inner(said: &Map<String, Value>, name: &str) -> Option<Map<String, Value>> {
    match get(said, name)? {
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// A trigger's time: a date, or seconds with their parts as text.
fn when(said: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let seconds = || Timestamp::from_second(text(said, name)?.split('.').next()?.parse().ok()?).ok();
    time_in(said, name).or_else(seconds)
}
