//! Systems Manager: commands, automations, maintenance windows, associations, `OpsItems`, parameters and calendars over EventBridge, and commands over SNS too.
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-examples.html>. Incident Manager sends calls of CloudTrail only.
//!
//! - A command and an automation are known by their own id, on an instance with the instance's name behind it; a maintenance window and an association by
//!   theirs, so that the next run that succeeds ends the last failure. An `OpsItem` is known by its ARN, and over when somebody resolved it.
//! - There is no scale but the grade of a patch. What failed or timed out is P3, what is good to know P4. What somebody cancelled is over.
//! - What goes well on one instance, or in one step, is told by the command, automation or window that it is a part of.

mod runs;

use serde_json::{Map, Value};

use crate::domain::severity::Severity::{P3, P4};
use crate::intake::event::{Arn, Event, last_name, time_in};
use crate::intake::fields::text;
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let news = match event.detail_type() {
        "EC2 Automation Execution Status-change Notification" => runs::automation(event, detail)?,
        "EC2 Automation Step Status-change Notification" => runs::step(event, detail)?,
        "Maintenance Window Execution State-change Notification" => runs::window(event, detail)?,
        "Maintenance Window Task Execution State-change Notification"
        | "Maintenance Window Task Target Invocation State-change Notification" => runs::window_task(event, detail)?,
        "EC2 State Manager Association State Change" | "EC2 State Manager Instance Association State Change" => {
            runs::association(event, detail)?
        }
        "Maintenance Window State-change Notification" => window_state(event, detail)?,
        "Maintenance Window Target Registration Notification" | "Maintenance Window Task Registration Notification" => {
            News::nothing("somebody sets up a maintenance window")
        }
        "OpsItem Create" | "OpsItem Update" => ops_item(event, detail)?,
        "Parameter Store Change" => parameter(event, detail)?,
        "Parameter Store Policy Action" => policy(event, detail)?,
        "Configuration Compliance State Change" => compliance(event, detail)?,
        "Calendar State Change" => calendar(event, detail)?,
        "Change Request Status Update" => change_request(event, detail)?,
        _ => runs::command(event, detail)?,
    };
    news.only()
}

fn window_state(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (window, state) = (text(detail, "window-id")?, text(detail, "status")?);
    let title = match state {
        "ENABLED" => format!("Maintenance window {window} was switched on"),
        "DISABLED" => format!("Maintenance window {window} was switched off"),
        other => format!("Maintenance window {window}: {other}"),
    };
    Some(News::notice(title).severity(Some(P4)).affects([window]).page(runs::window_page(event, window)))
}

fn ops_item(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (id, title, status) = (text(detail, "ops-item-id")?, text(detail, "title")?, text(detail, "status")?);
    let arn = event.resources().iter().find(|arn| arn.contains(":opsitem/"));
    let key = Some(arn.cloned().unwrap_or_else(|| format!("ssm:opsitem:{id}")));
    // The OpsItem may be in another region than the event.
    let place = arn.and_then(|arn| Arn::parse(arn)).map(|arn| Place::of(&arn)).unwrap_or_default().or(event.place());
    let page = place.console(&format!("systems-manager/opsitems/{}", encoded(id)));
    let is_change = text(detail, "ops-item-type") == Some("/aws/changerequest");
    let news = match status {
        "Resolved" | "Closed" => return Some(News::over(Some(format!("The OpsItem is {status}."))).known_by(key)),
        _ if is_change => News::notice(format!("Change request {title}: {status}")).severity(Some(P4)),
        _ => News::wrong(title).known_by(key).severity(Some(P3)),
    };
    Some(
        news.why(text(detail, "description"))
            .at(time_in(detail, "modified-time").or_else(|| time_in(detail, "created-time")))
            .detail("OpsItem", Some(id))
            .detail("Status", Some(status))
            .detail("Opened by", text(detail, "created-by").map(last_name))
            .page(page)
            .in_place(place),
    )
}

fn parameter_page(event: &Event, name: &str) -> Option<String> {
    event.place().console(&format!("systems-manager/parameters/{}/description", encoded(name)))
}

fn parameter(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (name, operation) = (text(detail, "name")?, text(detail, "operation")?);
    let says = match operation {
        "Create" => "was created",
        "Update" => "was changed",
        "Delete" => "was deleted",
        "LabelParameterVersion" => "has other labels",
        other => other,
    };
    Some(
        News::notice(format!("Parameter {name} {says}"))
            .severity(Some(P4))
            .why(text(detail, "description"))
            .detail("Kind", text(detail, "type"))
            .page(parameter_page(event, name)),
    )
}

/// A parameter ends, or nobody has changed it for longer than its owner wants.
fn policy(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (name, policy) = (text(detail, "parameter-name")?, text(detail, "policy-type")?);
    let (says, severity) = match policy {
        "Expiration" => ("has expired and is deleted", P3),
        "ExpirationNotification" => ("expires soon", P3),
        "NoChangeNotification" => ("was not changed for too long", P4),
        other => (other, P4),
    };
    let key = event.resources().first().map(|arn| format!("{arn}/policy"));
    Some(
        News::wrong(format!("Parameter {name} {says}"))
            .known_by(key)
            .severity(Some(severity))
            .why(text(detail, "action-reason"))
            .detail("Kind", text(detail, "parameter-type"))
            .page(parameter_page(event, name)),
    )
}

fn compliance(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (resource, status, kind) = (text(detail, "resource-id")?, text(detail, "compliance-status")?, text(detail, "compliance-type")?);
    if status == "compliant" {
        return Some(News::nothing("it complies"));
    }
    let title = match kind {
        "Patch" => format!("{resource} lacks patches"),
        "Association" => format!("{resource} is not as its association wants it"),
        other => format!("{resource} does not comply ({other})"),
    };
    Some(
        News::notice(title)
            .severity(Some(if text(detail, "severity") == Some("critical") { P3 } else { P4 }))
            .affects([resource])
            .detail("Severity", text(detail, "severity"))
            .detail("Patch baseline", text(detail, "patch-baseline-id"))
            .page(event.place().console("systems-manager/compliance")),
    )
}

fn calendar(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (state, arn) = (text(detail, "state")?, event.resources().first()?);
    let name = last_name(arn);
    let title = match state {
        "OPEN" => format!("Calendar {name} is open for changes"),
        "CLOSED" => format!("Calendar {name} is closed for changes"),
        other => format!("Calendar {name}: {other}"),
    };
    Some(
        News::notice(title)
            .severity(Some(P4))
            .at(time_in(detail, "atTime"))
            .affects([name])
            .detail("Until", text(detail, "nextTransitionTime"))
            .page(event.place().console("systems-manager/change-calendar")),
    )
}

fn change_request(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (title, status) = (text(detail, "change-request-title")?, text(detail, "ops-item-status")?);
    Some(
        News::notice(format!("Change request {title}: {status}"))
            .severity(Some(P4))
            .at(time_in(detail, "ops-item-modified-time"))
            .detail("By", text(detail, "ops-item-modified-by").map(last_name))
            .detail("Runbook", text(detail, "runbook-document-arn").map(last_name))
            .page(event.place().console("systems-manager/change-manager")),
    )
}
