//! ECS: tasks that stopped, what its services say, deployments, and the health of the instances below.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html>
//!
//! - A task counts when it stopped against its will: its code says why, its containers say how.
//!   <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html> What is stopped by people, by scaling or by a deployment
//!   is nobody's matter. All tasks of a service are one matter, known by the service's ARN, and it is over when the service says that it is steady; a task
//!   without a service is known by its own ARN.
//! - A service says how much it means it: an error is P2, a warning P3. What keeps it from starting its tasks is P2 whatever it says.
//! - A deployment is known by its service, so the next one takes the card of the last one that failed. It failed at P3: the tasks before it still run.
//! - An instance is known by its ARN: impaired, it is P3. That an agent comes and goes is its usual way and shows nowhere.
//!   <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_container_instance_health_events.html>

use serde_json::{Map, Value};

use crate::domain::kind::{Deployment, Progress};
use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{number, objects, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::encoded;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    match event.detail_type() {
        "ECS Task State Change" => task(event, detail),
        "ECS Service Action" => service(event, detail),
        "ECS Deployment State Change" => deployment(event, detail),
        "ECS Container Instance Health Change" => health(event, detail),
        _ => instance(event, detail),
    }
}

/// A service's ARN in the form that has its cluster in it, which not every event writes.
fn service_key(cluster: &str, service: &str) -> String {
    format!("{}/{service}", cluster.replacen(":cluster/", ":service/", 1))
}

/// How a task ended.
enum End {
    /// As somebody wanted it, or as it does.
    Wanted(&'static str),
    /// Good to know.
    Told(String),
    /// Against its will.
    Wrong(String),
}

fn task(event: &Event, task: &Map<String, Value>) -> Option<Vec<News>> {
    if text(task, "lastStatus")? != "STOPPED" {
        return News::nothing("the task has not stopped").only();
    }
    let (arn, cluster) = (text(task, "taskArn")?, text(task, "clusterArn")?);
    let group = text(task, "group").unwrap_or_default();
    let service = group.strip_prefix("service:");
    let definition = text(task, "taskDefinitionArn").and_then(|arn| arn.rsplit('/').next());
    let family = definition.and_then(|definition| definition.split(':').next());
    let what = service.or_else(|| group.strip_prefix("family:")).or(family).unwrap_or_else(|| last_name(arn));
    let failed = failed(task);
    let (title, severity) = match end(task, failed, service.is_some()) {
        End::Wanted(why) => return News::nothing(why).only(),
        End::Told(how) => (format!("Task of {what} {how}"), None),
        End::Wrong(how) => (format!("Task of {what} {how}"), Some(if service.is_some() { Severity::P2 } else { Severity::P3 })),
    };
    let place = event.place();
    let page =
        |tab: &str| place.console(&format!("ecs/v2/clusters/{}/tasks/{}/{tab}", encoded(last_name(cluster)), encoded(last_name(arn))));
    let news = match severity {
        None => News::notice(title),
        Some(_) => News::wrong(title).known_by(Some(service.map_or_else(|| arn.to_owned(), |service| service_key(cluster, service)))),
    };
    news.at(time_in(task, "stoppedAt").or_else(|| time_in(task, "updatedAt")))
        .severity(severity)
        .service(service)
        .why(why(task, failed))
        .detail("Container", failed.and_then(|container| text(container, "name")))
        .detail("Exit code", failed.and_then(|container| plain_in(container, "exitCode")))
        .detail("Cluster", Some(last_name(cluster)))
        .detail("Task definition", definition)
        .page(page("configuration"))
        .link("Logs", page("logs"))
        .only()
}

/// What ECS says about the task, or what the container says where that is only that it ended.
fn why<'a>(task: &'a Map<String, Value>, failed: Option<&'a Map<String, Value>>) -> Option<&'a str> {
    let reason = text(task, "stoppedReason");
    let container = failed.and_then(|container| text(container, "reason"));
    if reason == Some("Essential container in task exited") { container.or(reason) } else { reason.or(container) }
}

/// The container that brought the task down: one that says why, else one that did not end well. When the one that matters ends, the others are told to
/// (143), which is no failure.
fn failed(task: &Map<String, Value>) -> Option<&Map<String, Value>> {
    const TOLD: f64 = 143.0;
    let code = |container: &Map<String, Value>| number(container, "exitCode");
    let ended_well = objects(task, "containers").any(|container| code(container) == Some(0.0));
    let bad = |container: &Map<String, Value>| code(container).is_some_and(|code| code != 0.0 && !(ended_well && code == TOLD));
    let says_why = objects(task, "containers").find(|container| text(container, "reason").is_some());
    says_why.or_else(|| objects(task, "containers").find(|container| bad(container)))
}

fn end(task: &Map<String, Value>, failed: Option<&Map<String, Value>>, of_service: bool) -> End {
    let reason = text(task, "stoppedReason").unwrap_or_default();
    // The scheduler stops what fails its health checks as it stops what is too much.
    if reason.contains("health check") {
        return End::Wrong("stopped: it failed its health checks".to_owned());
    }
    match text(task, "stopCode").unwrap_or_default() {
        "UserInitiated" => End::Wanted("somebody stopped the task"),
        "ServiceSchedulerInitiated" => End::Wanted("the service stopped the task: scaling or a deployment"),
        "SpotInterruption" | "TerminationNotice" => End::Told("stopped: its capacity was taken back".to_owned()),
        "TaskFailedToStart" => End::Wrong(format!("could not start{}", cause(reason, failed))),
        "InfrastructureHealth" => End::Wrong("stopped: what it ran on is unhealthy".to_owned()),
        "EssentialContainerExited" if failed.is_none() && of_service => End::Told("ended by itself".to_owned()),
        "EssentialContainerExited" if failed.is_none() => End::Wanted("the task did its work and ended"),
        _ => End::Wrong(format!("stopped{}", cause(reason, failed))),
    }
}

/// What is behind it in a few words: the errors of ECS begin with their names.
fn cause(reason: &str, failed: Option<&Map<String, Value>>) -> String {
    let said = failed.and_then(|container| text(container, "reason")).unwrap_or_default();
    let known = KNOWN.iter().find(|(error, _)| said.contains(error) || reason.contains(error)).map(|(_, words)| (*words).to_owned());
    let code = || failed.and_then(|container| number(container, "exitCode")).map(|code| format!("exit code {code}"));
    known.or_else(code).map(|words| format!(": {words}")).unwrap_or_default()
}

const KNOWN: &[(&str, &str)] = &[
    ("OutOfMemoryError", "out of memory"),
    ("OutOfMemory", "out of memory"),
    ("CannotPull", "its image cannot be pulled"),
    ("CannotStartContainerError", "its container cannot start"),
    ("CannotCreateVolumeError", "its volume cannot be mounted"),
    ("ResourceInitializationError", "its secrets, logs or network cannot be set up"),
    ("ContainerRuntimeTimeoutError", "the container runtime does not answer"),
    ("Host EC2", "its instance is gone"),
];

/// What a service says: the word, how bad it is, and what that means.
const ACTIONS: &[(&str, Severity, &str)] = &[
    ("SERVICE_TASK_START_IMPAIRED", Severity::P2, "cannot keep its tasks running"),
    ("SERVICE_TASK_PLACEMENT_FAILURE", Severity::P2, "cannot place its tasks"),
    ("SERVICE_TASK_CONFIGURATION_FAILURE", Severity::P2, "cannot start its tasks: wrong configuration"),
    ("SERVICE_DAEMON_PLACEMENT_CONSTRAINT_VIOLATED", Severity::P2, "has a task where it must not run"),
    ("SERVICE_DISCOVERY_INSTANCE_UNHEALTHY", Severity::P3, "has an unhealthy task"),
    ("VPC_LATTICE_TARGET_UNHEALTHY", Severity::P3, "has an unhealthy target"),
    ("ECS_OPERATION_THROTTLED", Severity::P2, "is throttled by ECS"),
    ("SERVICE_DISCOVERY_OPERATION_THROTTLED", Severity::P2, "is throttled by Cloud Map"),
];

fn service(event: &Event, action: &Map<String, Value>) -> Option<Vec<News>> {
    let (word, cluster) = (text(action, "eventName")?, text(action, "clusterArn")?);
    let service = last_name(event.resources().first()?);
    let key = Some(service_key(cluster, service));
    let at = time_in(action, "createdAt");
    if matches!(word, "SERVICE_STEADY_STATE" | "TASKSET_STEADY_STATE") {
        return News::over(Some("The service is steady: all its tasks run.")).known_by(key).at(at).only();
    }
    let known = ACTIONS.iter().find(|(known, ..)| *known == word);
    let (severity, does) = match (known, text(action, "eventType")) {
        (Some((_, severity, does)), _) => (*severity, (*does).to_owned()),
        (None, Some("INFO")) => return News::nothing("a service says what it does, and all is well").only(),
        (None, Some("WARN")) => (Severity::P3, format!("says: {}", word.to_lowercase().replace('_', " "))),
        (None, _) => (Severity::P2, format!("says: {}", word.to_lowercase().replace('_', " "))),
    };
    let reason = text(action, "reason");
    News::wrong(format!("{service} {does}{}", reason.and_then(lacks).unwrap_or_default()))
        .known_by(key)
        .at(at)
        .severity(Some(severity))
        .service(Some(service))
        .detail("Reason", reason)
        .detail("Cluster", Some(last_name(cluster)))
        .detail("Capacity provider", text(action, "capacityProviderArns.0").map(last_name))
        .page(service_page(event, cluster, service))
        .only()
}

/// What is missing where a task would run.
fn lacks(reason: &str) -> Option<&'static str> {
    match reason {
        "RESOURCE:FARGATE" => Some(": no Fargate capacity"),
        "RESOURCE:CPU" => Some(": not enough CPU"),
        "RESOURCE:MEMORY" => Some(": not enough memory"),
        "RESOURCE:GPU" => Some(": not enough GPUs"),
        "RESOURCE:ENI" => Some(": not enough network interfaces"),
        "AGENT" => Some(": the agent is not connected"),
        "EMPTY CAPACITY PROVIDER" => Some(": no instances"),
        _ => None,
    }
}

fn service_page(event: &Event, cluster: &str, service: &str) -> Option<String> {
    event.place().console(&format!("ecs/v2/clusters/{}/services/{}/health", encoded(last_name(cluster)), encoded(service)))
}

fn deployment(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let arn = event.resources().first()?;
    let service = last_name(arn);
    // The older form of the name, `service/checkout`, has no cluster in it.
    let cluster = arn.rsplit('/').nth(1).filter(|part| !part.contains(':'));
    let reason = text(detail, "reason").unwrap_or_default();
    let (progress, severity, how) = match text(detail, "eventName")? {
        // It is said only when the rollback begins; that it ended looks like the end of any other.
        "SERVICE_DEPLOYMENT_IN_PROGRESS" if reason.contains("rolling back") => (Progress::RolledBack, Severity::P3, "is rolled back"),
        "SERVICE_DEPLOYMENT_IN_PROGRESS" => (Progress::Started, Severity::P4, "is under way"),
        "SERVICE_DEPLOYMENT_COMPLETED" => (Progress::Succeeded, Severity::P4, "is done"),
        "SERVICE_DEPLOYMENT_FAILED" => (Progress::Failed, Severity::P3, "failed"),
        _ if text(detail, "eventType") == Some("ERROR") => (Progress::Failed, Severity::P3, "failed"),
        _ => (Progress::Started, Severity::P4, "is under way"),
    };
    News::deployment(format!("Deployment of {service} {how}"), progress)
        .brings(Deployment { environment: cluster.map(str::to_owned), ..Deployment::default() })
        .known_by(Some(format!("{arn}#deployment")))
        .at(time_in(detail, "updatedAt"))
        .severity(Some(severity))
        .service(Some(service))
        .why((!reason.is_empty()).then_some(reason))
        .detail("Deployment", text(detail, "deploymentId"))
        .page(cluster.and_then(|cluster| service_page(event, cluster, service)))
        .only()
}

fn health(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (arn, status) = (text(detail, "containerInstanceArn")?, text(detail, "overallStatus")?);
    let instance = text(detail, "ec2InstanceId").unwrap_or_else(|| last_name(arn));
    let bad = objects(detail, "healthChecks").find(|check| text(check, "status") != Some("OK"));
    let severity = match status {
        "OK" => return News::over(Some("The instance is healthy again.")).known_by(Some(arn.to_owned())).only(),
        "INITIALIZING" => return News::nothing("a container instance is set up").only(),
        "INSUFFICIENT_DATA" => Severity::P4,
        _ => Severity::P3,
    };
    let how = if status == "IMPAIRED" { "is impaired".to_owned() } else { format!("is {}", status.to_lowercase().replace('_', " ")) };
    impaired(event, detail, format!("Container instance {instance} {how}"), severity)?
        .why(bad.and_then(|check| text(check, "statusReason")))
        .detail("Check", bad.and_then(|check| text(check, "type")))
        .only()
}

fn instance(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    match text(detail, "status")? {
        "REGISTRATION_FAILED" => {
            let instance = text(detail, "ec2InstanceId").unwrap_or_default();
            let title = format!("Container instance {instance} could not join its cluster");
            impaired(event, detail, title, Severity::P3)?.why(text(detail, "statusReason")).only()
        }
        _ => News::nothing("a container instance changed as tasks, agents and people come and go").only(),
    }
}

fn impaired(event: &Event, detail: &Map<String, Value>, title: String, severity: Severity) -> Option<News> {
    let arn = text(detail, "containerInstanceArn")?;
    let cluster = last_name(text(detail, "clusterArn")?);
    let page = format!("ecs/v2/clusters/{}/infrastructure/container-instances/{}", encoded(cluster), encoded(last_name(arn)));
    let news = News::wrong(title)
        .known_by(Some(arn.to_owned()))
        .at(time_in(detail, "updatedAt"))
        .severity(Some(severity))
        .detail("Cluster", Some(cluster))
        .detail("Capacity provider", text(detail, "capacityProviderName"))
        .page(event.place().console(&page));
    Some(news)
}
