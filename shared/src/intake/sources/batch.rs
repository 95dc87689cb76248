//! Batch: jobs that run and fail, and queues that are stuck. <https://docs.aws.amazon.com/batch/latest/userguide/batch_cwe_events.html>
//!
//! - A job is known by its ARN, from when it runs; what waits in a queue is told to nobody. One that was cancelled or terminated has not failed.
//!   A job of an array is told by its array. <https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html>
//! - A queue is known by its ARN while the job at its head cannot start; it is free again when one of its jobs starts.
//!   <https://docs.aws.amazon.com/batch/latest/userguide/batch-job-queue-blocked-events.html>
//! - Service jobs, which another service of AWS does, are the same without logs.
//!   <https://docs.aws.amazon.com/batch/latest/userguide/batch-service-job-events.html>
//! - There is no scale: a job that failed is P3, a queue that stands still P2.

use serde_json::{Map, Value};

use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{get, list, number, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// Where Batch logs, unless a job says otherwise.
const LOG_GROUP: &str = "/aws/batch/job";

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let job = event.object()?;
    if event.detail_type().ends_with("Queue Blocked") { blocked(event, job) } else { changed(event, job) }
}

fn blocked(event: &Event, job: &Map<String, Value>) -> Option<Vec<News>> {
    let queue = text(job, "jobQueue")?;
    News::wrong(format!("Job queue {} is stuck: its first job cannot start", last_name(queue)))
        .known_by(Some(queue.to_owned()))
        .severity(Some(Severity::P2))
        .why(text(job, "statusReason"))
        .detail("Job", text(job, "jobName"))
        .detail("Job ID", text(job, "jobId"))
        .page(event.place().console(&format!("batch/home#queues/detail/{}", encoded(queue))))
        .only()
}

fn changed(event: &Event, job: &Map<String, Value>) -> Option<Vec<News>> {
    let (arn, job_name, status) = (text(job, "jobArn")?, text(job, "jobName")?, text(job, "status")?);
    let key = Some(arn.to_owned());
    let queue = text(job, "jobQueue");
    if get(job, "arrayProperties.index").is_some() {
        return News::nothing("a job of an array: the array tells of all of them").only();
    }
    if ["isCancelled", "isTerminated"].iter().any(|field| get(job, field).and_then(Value::as_bool) == Some(true)) && status == "FAILED" {
        return News::over(Some(stopped(job))).known_by(key).at(time_in(job, "stoppedAt")).only();
    }
    let (progress, severity, how) = match status {
        "SUBMITTED" | "PENDING" | "RUNNABLE" | "SCHEDULED" => return News::nothing("the job waits for its turn").only(),
        "STARTING" => return News::over(Some(format!("{job_name} starts."))).known_by(queue.map(str::to_owned)).only(),
        "SUCCEEDED" => (Progress::Succeeded, Severity::P4, "succeeded".to_owned()),
        "FAILED" => (Progress::Failed, Severity::P3, format!("failed{}", cause(job))),
        _ => (Progress::Started, Severity::P4, "is running".to_owned()),
    };
    let place = event.place();
    let tries = list(job, "attempts").len();
    News::workflow(format!("Batch job {job_name} {how}"), progress)
        .known_by(key)
        .at(time_in(job, if progress == Progress::Started { "startedAt" } else { "stoppedAt" }))
        .severity(Some(severity))
        .why(why(job).filter(|_| progress == Progress::Failed))
        .detail("Queue", queue.map(last_name))
        .detail("Definition", text(job, "jobDefinition").map(|arn| arn.rsplit('/').next().unwrap_or(arn)))
        .detail("Exit code", exit_code(job).map(|code| code.to_string()))
        .detail("Tries", (tries > 1).then(|| tries.to_string()))
        .page(page(&place, job))
        .link("Logs", logs(&place, job))
        .only()
}

fn page(place: &Place, job: &Map<String, Value>) -> Option<String> {
    let kind = if text(job, "serviceJobType").is_some() { "service-jobs" } else { "jobs" };
    place.console(&format!("batch/home#{kind}/detail/{}", encoded(text(job, "jobId")?)))
}

fn stopped(job: &Map<String, Value>) -> String {
    text(job, "statusReason").map_or_else(|| "The job was stopped.".to_owned(), |why| format!("The job was stopped: {why}"))
}

/// The container that did the work: the job's own, or that of the task it consists of.
fn container(job: &Map<String, Value>) -> &Map<String, Value> {
    ["container", "ecsProperties.taskProperties.0.containers.0", "eksProperties.podProperties.containers.0"]
        .into_iter()
        .find_map(|way| get(job, way)?.as_object())
        .unwrap_or(job)
}

/// What Batch says about the job, or what its container says where that is only that it ended.
fn why(job: &Map<String, Value>) -> Option<&str> {
    let (reason, said) = (text(job, "statusReason"), text(container(job), "reason"));
    if reason == Some("Essential container in task exited") { said.or(reason) } else { reason.or(said) }
}

fn exit_code(job: &Map<String, Value>) -> Option<f64> {
    number(container(job), "exitCode").filter(|code| *code != 0.0)
}

fn cause(job: &Map<String, Value>) -> String {
    let said = text(container(job), "reason").unwrap_or_default();
    let why = text(job, "statusReason").unwrap_or_default();
    if said.contains("OutOfMemory") {
        ": out of memory".to_owned()
    } else if said.starts_with("CannotPull") || why.starts_with("CannotPull") {
        ": its image cannot be pulled".to_owned()
    } else if why.contains("exceeded timeout") {
        ": it took too long".to_owned()
    } else if why.starts_with("Host EC2") {
        ": its instance is gone".to_owned()
    } else {
        exit_code(job).map(|code| format!(": exit code {code}")).unwrap_or_default()
    }
}

/// The job's own stream in its log group. The console encodes twice, and writes `%` as `$`.
fn logs(place: &Place, job: &Map<String, Value>) -> Option<String> {
    let container = container(job);
    let stream = text(container, "logStreamName")?;
    let group = text(container, "logConfiguration.options.awslogs-group").unwrap_or(LOG_GROUP);
    Some(format!("{}/log-events/{}", place.log_group(group)?, encoded(&encoded(stream)).replace('%', "$")))
}
