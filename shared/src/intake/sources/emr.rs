//! EMR: clusters and their steps, and the job runs of EMR Serverless and of EMR on EKS.
//! <https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-manage-cloudwatch-events.html>
//! <https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/using-eventbridge.html>
//! <https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-jobs-states.html>
//!
//! - A cluster, a step and a job run take their course, each known by its own ARN. What somebody stopped has not failed.
//! - EMR has a scale: CRITICAL is P1, ERROR P3 (a step that failed), WARN and WARNING P4. All clusters that end with errors are CRITICAL to it, also
//!   those that only end because a step failed, which are P3 here. A job run has no severity: one that failed is P3.
//! - Groups and fleets of instances and the policies that scale them count where they are stuck, and are over when they run. Anything else that EMR says
//!   counts by its severity.

use serde_json::{Map, Value};

use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{plain_in, text};
use crate::intake::news::News;
use crate::intake::place::encoded;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    match event.detail_type() {
        "EMR Cluster State Change" => cluster(event, detail),
        "EMR Step Status Change" => step(event, detail),
        "EMR Serverless Application State Change" | "EMR Serverless Job Resource Utilization Update" => {
            News::nothing("an application of EMR Serverless starts and stops as it is used").only()
        }
        "EMR Serverless Job Run State Change" | "EMR Job Run State Change" | "EmrContainers Job Run State Change" => run(detail),
        "EMR Serverless Job Run Retry" | "EMR Job Run New Driver Attempt" => again(detail),
        kind => part(event, detail, kind),
    }
}

/// The grade of what is wrong; `None` where nothing is.
fn grade(detail: &Map<String, Value>) -> Option<Severity> {
    match text(detail, "severity")? {
        "CRITICAL" => Some(Severity::P1),
        "ERROR" => Some(Severity::P3),
        "WARN" | "WARNING" => Some(Severity::P4),
        _ => None,
    }
}

fn page(event: &Event, cluster: &str) -> Option<String> {
    event.place().console(&format!("emr/home#/clusterDetails/{}", encoded(cluster)))
}

/// The key of a cluster or of something in it, which no event has whole.
fn key(event: &Event, cluster: &str, inside: &str) -> Option<String> {
    let name = format!("cluster/{cluster}{inside}");
    event.place().arn("elasticmapreduce", &name).or_else(|| Some(format!("emr:{name}")))
}

/// A part of the reason, which is JSON in a text: `{"code":"STEP_FAILURE","message":"Shut down as step failed"}`.
fn reason(detail: &Map<String, Value>, part: &str) -> Option<String> {
    let reason: Map<String, Value> = serde_json::from_str(text(detail, "stateChangeReason")?).ok()?;
    text(&reason, part).map(str::to_owned)
}

fn cluster(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (id, state) = (text(detail, "clusterId")?, text(detail, "state")?);
    let name = text(detail, "name").unwrap_or(id);
    let code = reason(detail, "code");
    let key = key(event, id, "");
    let (progress, severity, how) = match state {
        "TERMINATING" => return News::nothing("a cluster is being terminated, and how that ends is told").only(),
        "TERMINATED" if code.as_deref() == Some("USER_REQUEST") => {
            return News::over(Some("Somebody terminated the cluster.")).known_by(key).only();
        }
        "TERMINATED" => (Progress::Succeeded, Severity::P4, "is done"),
        // The step that failed is told by itself; that its cluster goes with it is no worse.
        "TERMINATED_WITH_ERRORS" if code.as_deref() == Some("STEP_FAILURE") => (Progress::Failed, Severity::P3, "ended: a step failed"),
        "TERMINATED_WITH_ERRORS" => (Progress::Failed, grade(detail).unwrap_or(Severity::P2), "was terminated with errors"),
        "WAITING" => (Progress::Succeeded, Severity::P4, "is ready and waits for work"),
        "RUNNING" => (Progress::Started, Severity::P4, "is working"),
        _ => (Progress::Started, Severity::P4, "is being set up"),
    };
    News::workflow(format!("Cluster {name} {how}"), progress)
        .known_by(key)
        .severity(Some(severity))
        .why(reason(detail, "message").filter(|_| progress == Progress::Failed))
        .affects([id])
        .detail("Reason", code.filter(|code| !code.is_empty()))
        .page(page(event, id))
        .only()
}

fn step(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (id, step, state) = (text(detail, "clusterId")?, text(detail, "stepId")?, text(detail, "state")?);
    let name = text(detail, "name").unwrap_or(step);
    let key = key(event, id, &format!("/step/{step}"));
    let (progress, severity, how) = match state {
        "PENDING" | "CANCEL_PENDING" => return News::nothing("a step waits").only(),
        "CANCELLED" | "INTERRUPTED" => return News::over(Some("The step was cancelled.")).known_by(key).only(),
        "COMPLETED" => (Progress::Succeeded, Severity::P4, "succeeded"),
        "FAILED" => (Progress::Failed, grade(detail).unwrap_or(Severity::P3), "failed"),
        _ => (Progress::Started, Severity::P4, "is running"),
    };
    let then = match text(detail, "actionOnFailure").filter(|_| progress == Progress::Failed) {
        Some("CONTINUE") => Some("the cluster goes on"),
        Some("CANCEL_AND_WAIT") => Some("the other steps are cancelled"),
        Some("TERMINATE_CLUSTER" | "TERMINATE_JOB_FLOW") => Some("the cluster is terminated"),
        _ => None,
    };
    News::workflow(format!("Step {name} {how}"), progress)
        .known_by(key)
        .severity(Some(severity))
        .why(text(detail, "message").filter(|_| progress == Progress::Failed))
        .detail("Cluster", Some(id))
        .detail("Step", Some(step))
        .detail("Then", then)
        .page(page(event, id))
        .only()
}

/// A group or a fleet of instances, the policy that scales it, and whatever else is said about a cluster.
fn part(event: &Event, detail: &Map<String, Value>, kind: &str) -> Option<Vec<News>> {
    let cluster = text(detail, "clusterId")?;
    let part = ["instanceGroupId", "instanceFleetId", "resourceId"].into_iter().find_map(|name| text(detail, name));
    let policy = kind == "EMR Auto Scaling Policy State Change";
    let inside = format!("/{}{}", if policy { "policy/" } else { "part/" }, part.unwrap_or(kind));
    let key = key(event, cluster, &inside);
    let state = text(detail, "state").unwrap_or_default();
    let severity = match (grade(detail), state) {
        (Some(severity), _) => severity,
        (None, "FAILED" | "ARRESTED" | "SUSPENDED") => Severity::P3,
        (None, "RUNNING" | "WAITING" | "ATTACHED" | "DETACHED" | "TERMINATED") => {
            return News::over(text(detail, "message")).known_by(key).only();
        }
        (None, _) => return News::nothing("a part of a cluster changes as it should").only(),
    };
    let what = part.unwrap_or(cluster);
    let title = match (kind, state) {
        ("EMR Auto Scaling Policy State Change", _) => format!("Scaling policy of {what} failed"),
        ("EMR Configuration Error", _) => format!("Cluster {cluster} is configured wrong"),
        ("EMR Unhealthy Node Replacement", _) => format!("Cluster {cluster} has an unhealthy node"),
        (_, "ARRESTED") => format!("{what} of cluster {cluster} is arrested"),
        (_, "RESIZING") => format!("{what} of cluster {cluster} cannot be resized"),
        (_, "RECONFIGURING") => format!("{what} of cluster {cluster} cannot be configured anew"),
        (_, "CREATING" | "PROVISIONING") => format!("{what} of cluster {cluster} does not get its instances"),
        _ => format!("{what} of cluster {cluster} is in trouble"),
    };
    News::wrong(title)
        .known_by(key)
        .severity(Some(severity))
        .why(text(detail, "message"))
        .detail("State", text(detail, "state"))
        .detail("Type", text(detail, "instanceType"))
        .detail("Running", counts(detail))
        .page(page(event, cluster))
        .only()
}

/// How many instances run, of how many that should.
fn counts(detail: &Map<String, Value>) -> Option<String> {
    Some(format!("{} of {}", plain_in(detail, "runningInstanceCount")?, plain_in(detail, "requestedInstanceCount")?))
}

/// A job run's name, else its id.
fn run_name(detail: &Map<String, Value>) -> Option<&str> {
    ["name", "jobRunName", "jobRunId", "id"].into_iter().find_map(|field| text(detail, field))
}

fn run(detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (name, state) = (run_name(detail)?, text(detail, "state")?);
    let key = text(detail, "arn").or_else(|| text(detail, "jobRunId")).or_else(|| text(detail, "id")).map(str::to_owned);
    let at = time_in(detail, "updatedAt");
    let (progress, severity, how) = match state {
        "SUBMITTED" | "PENDING" | "SCHEDULED" | "QUEUED" | "CANCELLING" | "CANCEL_PENDING" => {
            return News::nothing("a job run waits, or is about to be cancelled").only();
        }
        "CANCELLED" => return News::over(Some("The job run was cancelled.")).known_by(key).at(at).only(),
        "SUCCESS" | "COMPLETED" => (Progress::Succeeded, Severity::P4, "succeeded"),
        "FAILED" => (Progress::Failed, Severity::P3, "failed"),
        _ => (Progress::Started, Severity::P4, "is running"),
    };
    dressed(News::workflow(format!("Job run {name} {how}"), progress), detail).known_by(key).severity(Some(severity)).at(at).only()
}

fn again(detail: &Map<String, Value>) -> Option<Vec<News>> {
    let key = text(detail, "arn").map(str::to_owned);
    let news = News::workflow(format!("Job run {} is tried again", run_name(detail)?), Progress::Started);
    dressed(news, detail)
        .known_by(key)
        .severity(Some(Severity::P4))
        .at(time_in(detail, "newAttemptCreatedAt"))
        .detail("Try", plain_in(detail, "newAttempt"))
        .only()
}

fn dressed(news: News, detail: &Map<String, Value>) -> News {
    news.why(text(detail, "stateDetails"))
        .affects(text(detail, "arn"))
        .detail("Reason", text(detail, "failureReason"))
        .detail("Application", text(detail, "applicationId"))
        .detail("Virtual cluster", text(detail, "virtualClusterId"))
        .detail("Release", text(detail, "releaseLabel"))
}
