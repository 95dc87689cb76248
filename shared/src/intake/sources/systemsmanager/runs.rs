//! What Systems Manager runs: commands, automations, maintenance windows and associations.

use serde_json::{Map, Value};

use crate::domain::kind::Progress;
use crate::domain::severity::Severity::{self, P3, P4};
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{plain_in, text};
use crate::intake::news::News;
use crate::intake::place::encoded;

/// How far something is, whoever says it.
enum State {
    Goes(Progress, &'static str),
    /// Somebody did not want it any more.
    Stopped,
    /// It does not say more than that it is on its way to be stopped, or that it waits.
    Between,
    Unknown,
}

/// `TimedOut`, `TIMED_OUT` and `Timed Out` are one. <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>
fn state(status: &str) -> State {
    let plain: String = status.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect();
    match plain.as_str() {
        "success" | "completedwithsuccess" => State::Goes(Progress::Succeeded, "succeeded"),
        "failed" | "completedwithfailure" => State::Goes(Progress::Failed, "failed"),
        "timedout" | "executiontimedout" => State::Goes(Progress::Failed, "ran out of time"),
        "deliverytimedout" | "undeliverable" => State::Goes(Progress::Failed, "could not be delivered"),
        "terminated" | "limitexceeded" => State::Goes(Progress::Failed, "was given up after too many errors"),
        "accessdenied" => State::Goes(Progress::Failed, "is not allowed"),
        "invalidplatform" => State::Goes(Progress::Failed, "does not fit the platform"),
        "incomplete" => State::Goes(Progress::Failed, "is incomplete"),
        "rejected" => State::Goes(Progress::Failed, "was rejected"),
        "pendingapproval" | "waiting" => State::Goes(Progress::Started, "waits for somebody"),
        "pending" | "inprogress" | "delayed" | "scheduled" | "runbookinprogress" | "approved" => {
            State::Goes(Progress::Started, "is running")
        }
        "cancelled" | "canceled" => State::Stopped,
        "cancelling" | "canceling" | "changecalendaroverrideapproved" | "changecalendaroverriderejected" => State::Between,
        _ => State::Unknown,
    }
}

/// The card of something that runs, with its grade.
fn run(what: &str, status: &str, key: Option<String>) -> News {
    match state(status) {
        State::Goes(progress, says) => News::workflow(format!("{what} {says}"), progress).severity(Some(grade(progress))).known_by(key),
        State::Stopped => News::over(Some("It was cancelled.")).known_by(key),
        State::Between => News::nothing("it is being cancelled"),
        State::Unknown => News::workflow(format!("{what}: {status}"), Progress::Started).severity(Some(P4)).known_by(key),
    }
}

fn grade(progress: Progress) -> Severity {
    if progress == Progress::Failed { P3 } else { P4 }
}

/// A field, as EventBridge or as SNS names it.
fn either<'a>(detail: &'a Map<String, Value>, bridge: &str, sns: &str) -> Option<&'a str> {
    text(detail, bridge).or_else(|| text(detail, sns))
}

/// Run Command: the command as a whole, or what it does on one instance.
pub(super) fn command(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let id = either(detail, "command-id", "commandId")?;
    let document = either(detail, "document-name", "documentName")?;
    let instance = either(detail, "instance-id", "instanceId");
    let status = text(detail, "detailedStatus").or_else(|| text(detail, "status"))?;
    let place = event.place();
    let (what, key) = match instance {
        Some(instance) => (format!("Command {document} on {instance}"), format!("ssm:command:{id}:{instance}")),
        None => (format!("Command {document}"), format!("ssm:command:{id}")),
    };
    let news = match (instance, state(status)) {
        (Some(_), State::Goes(Progress::Started, _)) => return Some(News::nothing("the command tells how far it is on its instances")),
        (Some(_), State::Goes(Progress::Succeeded, _)) => News::over(Some("It succeeded.")).known_by(Some(key)),
        _ => run(&what, status, Some(key)),
    };
    let page = match instance {
        Some(instance) => format!("systems-manager/run-command/{}/{}", encoded(id), encoded(instance)),
        None => format!("systems-manager/run-command/{}", encoded(id)),
    };
    // `parameters` holds the commands themselves, and what they were given.
    Some(
        news.at(time_in(detail, "eventTime"))
            .affects(instance)
            .detail("Command", Some(id))
            .detail("Status", Some(status))
            .detail("Output in", text(detail, "outputS3BucketName"))
            .page(place.console(&page)),
    )
}

fn automation_page(event: &Event, id: &str) -> Option<String> {
    event.place().console(&format!("systems-manager/automation/execution/{}", encoded(id)))
}

pub(super) fn automation(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (id, name, status) = (text(detail, "ExecutionId")?, text(detail, "Definition")?, text(detail, "Status")?);
    Some(
        run(&format!("Automation {name}"), status, Some(format!("ssm:automation:{id}")))
            .why(text(detail, "FailureMessage"))
            .affects([name])
            .detail("Execution", Some(id))
            .detail("By", text(detail, "ExecutedBy").map(last_name))
            .page(automation_page(event, id)),
    )
}

/// A step counts where it failed or waits: its automation does not say which it was.
pub(super) fn step(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (id, name, step) = (text(detail, "ExecutionId")?, text(detail, "Definition")?, text(detail, "StepName")?);
    let key = Some(format!("ssm:automation:{id}"));
    let news = match state(text(detail, "Status")?) {
        State::Goes(Progress::Failed, _) => {
            News::workflow(format!("Automation {name} failed at {step}"), Progress::Failed).severity(Some(P3))
        }
        State::Goes(Progress::Started, "waits for somebody") => {
            News::workflow(format!("Automation {name} waits for somebody at {step}"), Progress::Started).severity(Some(P4))
        }
        _ => return Some(News::nothing("the automation tells how far it is")),
    };
    Some(
        news.known_by(key)
            .why(text(detail, "FailureMessage"))
            .affects([name])
            .detail("Step", Some(step))
            .detail("Action", text(detail, "Action"))
            .page(automation_page(event, id)),
    )
}

pub(super) fn window_page(event: &Event, window: &str) -> Option<String> {
    event.place().console(&format!("systems-manager/maintenance-windows/{}/history", encoded(window)))
}

/// By what all that happens in a maintenance window is known.
fn window_key(event: &Event, window: &str) -> String {
    event.place().arn("ssm", &format!("maintenancewindow/{window}")).unwrap_or_else(|| format!("ssm:window:{window}"))
}

pub(super) fn window(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (window, status) = (text(detail, "window-id")?, text(detail, "status")?);
    let news = if status == "SKIPPED_OVERLAPPING" {
        News::notice(format!("Maintenance window {window} was left out: the last one was still running")).severity(Some(P4))
    } else {
        run(&format!("Maintenance window {window}"), status, Some(window_key(event, window)))
    };
    Some(
        news.at(time_in(detail, "end-time").or_else(|| time_in(detail, "start-time")))
            .affects([window])
            .detail("Status", Some(status))
            .detail("Began", text(detail, "start-time"))
            .page(window_page(event, window)),
    )
}

/// A task of a window, on all of its targets or on one: what fails is told on the window's card.
pub(super) fn window_task(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (window, status) = (text(detail, "window-id")?, text(detail, "status")?);
    let State::Goes(Progress::Failed, says) = state(status) else {
        return Some(News::nothing("the maintenance window tells how far it is"));
    };
    Some(
        News::workflow(format!("Maintenance window {window}: a task {says}"), Progress::Failed)
            .known_by(Some(window_key(event, window)))
            .severity(Some(P3))
            .affects([window])
            .detail("Task", text(detail, "task-execution-id"))
            .detail("Target", text(detail, "window-target-id"))
            .detail("Owner", text(detail, "owner-information"))
            .page(window_page(event, window)),
    )
}

/// State Manager keeps an instance as it should be, again and again: what matters is whether it can.
pub(super) fn association(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (id, document, status) = (text(detail, "association-id")?, text(detail, "document-name")?, text(detail, "status")?);
    let instance = text(detail, "instance-id");
    let (what, key) = match instance {
        Some(instance) => (format!("Association {document} on {instance}"), format!("ssm:association:{id}:{instance}")),
        None => (format!("Association {document}"), format!("ssm:association:{id}")),
    };
    let key = Some(key);
    let news = match state(status) {
        State::Goes(Progress::Failed, says) => News::wrong(format!("{what} {says}")).known_by(key).severity(Some(P3)),
        State::Goes(Progress::Succeeded, _) => News::over(Some("It succeeded.")).known_by(key),
        State::Unknown => News::wrong(format!("{what}: {status}")).known_by(key).severity(Some(P4)),
        State::Goes(..) | State::Stopped | State::Between => return Some(News::nothing("an association is being applied")),
    };
    let counts = plain_in(detail, "association-status-aggregated-count").map(|counts| counts.replace(['{', '}', '"'], ""));
    Some(
        news.why(text(detail, "execution-summary"))
            .at(time_in(detail, "last-execution-date"))
            .affects(instance)
            .detail("Error", text(detail, "error-code"))
            .detail("Instances", counts)
            .page(event.place().console(&format!("systems-manager/state-manager/{}/description", encoded(id)))),
    )
}
