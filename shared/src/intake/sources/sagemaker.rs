//! `SageMaker`: jobs, endpoints, pipelines and what they make. <https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html>
//!
//! - A job is known by its own ARN; an endpoint and a pipeline by theirs, so that the next success ends the last failure. `SageMaker` may say the same several times.
//! - `SageMaker` has no scale. An endpoint that does not serve is P2, what failed otherwise P3; that a model waits for somebody is a notice.
//! - What somebody stopped is over. Steps of pipelines count only where they fail: they know why.
//! - Parameters and environments of jobs may hold anything, so they are never shown.

use serde_json::{Map, Value};

use crate::domain::kind::Progress;
use crate::domain::severity::Severity::{self, P2, P3, P4};
use crate::intake::event::{Event, last_name};
use crate::intake::fields::{objects, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::encoded;

/// Jobs: their type of event, what their fields begin with, what people call them, their page, and their log group.
const JOBS: &[(&str, &str, &str, &str, &str)] = &[
    ("SageMaker Training Job State Change", "TrainingJob", "Training job", "jobs", "/aws/sagemaker/TrainingJobs"),
    ("SageMaker Processing Job State Change", "ProcessingJob", "Processing job", "processing-jobs", "/aws/sagemaker/ProcessingJobs"),
    ("SageMaker Transform Job State Change", "TransformJob", "Transform job", "transform-jobs", "/aws/sagemaker/TransformJobs"),
    (
        "SageMaker HyperParameter Tuning Job State Change",
        "HyperParameterTuningJob",
        "Tuning job",
        "hyper-tuning-jobs",
        "/aws/sagemaker/TrainingJobs",
    ),
    ("SageMaker Ground Truth Labeling Job State Change", "LabelingJob", "Labeling job", "labeling-jobs", "/aws/sagemaker/LabelingJobs"),
];

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let news = match event.detail_type() {
        "SageMaker Endpoint State Change" | "SageMaker Endpoint Deployment State Change" => endpoint(event, detail)?,
        "SageMaker Model Building Pipeline Execution Status Change" => pipeline(event, detail)?,
        "SageMaker Model Building Pipeline Execution Step Status Change" => step(event, detail)?,
        "SageMaker Model Package State Change" => package(event, detail)?,
        "SageMaker HyperPod Cluster Node Health Event" => node(event, detail)?,
        _ if JOBS.iter().any(|(kind, ..)| *kind == event.detail_type()) => job(event, detail)?,
        _ => other(event, detail)?,
    };
    news.only()
}

/// `INSERVICE` of `InService` and of `IN_SERVICE`: the service writes both.
fn plain_state(state: &str) -> String {
    state.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

fn grade(progress: Progress, failed: Severity) -> Severity {
    if progress == Progress::Failed { failed } else { P4 }
}

fn job(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (_, field, word, page, logs) = JOBS.iter().find(|(kind, ..)| *kind == event.detail_type())?;
    let (name, arn) = (text(detail, &format!("{field}Name"))?, text(detail, &format!("{field}Arn"))?);
    let state = text(detail, &format!("{field}Status"))?;
    let key = Some(arn.to_owned());
    let (progress, says) = match state {
        "InProgress" | "Initializing" | "Stopping" => (Progress::Started, "is running".to_owned()),
        "Completed" => (Progress::Succeeded, "is done".to_owned()),
        "Failed" => (Progress::Failed, "failed".to_owned()),
        "Stopped" => return Some(News::over(Some("The job was stopped.")).known_by(key)),
        other => (Progress::Started, format!("is {other}")),
    };
    let place = event.place();
    let failed = |way: &str| plain_in(detail, way).filter(|count| count != "0");
    Some(
        News::workflow(format!("{word} {name} {says}"), progress)
            .known_by(key)
            .severity(Some(grade(progress, P3)))
            .why(text(detail, "FailureReason"))
            .affects([name])
            .detail("State", text(detail, "SecondaryStatus").filter(|more| *more != state))
            .detail("Model", text(detail, "ModelName"))
            .detail("Trainings that failed", failed("TrainingJobStatusCounters.NonRetryableError"))
            .page(place.console(&format!("sagemaker/home#/{page}/{}", encoded(name))))
            .link("Logs", place.log_group(logs)),
    )
}

fn endpoint(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (name, arn) = (text(detail, "EndpointName")?, text(detail, "EndpointArn")?);
    let key = Some(arn.to_owned());
    let (progress, says) = match plain_state(text(detail, "EndpointStatus")?).as_str() {
        "CREATING" => (Progress::Started, "is being created".to_owned()),
        "UPDATING" | "SYSTEMUPDATING" => (Progress::Started, "is being updated".to_owned()),
        "INSERVICE" => (Progress::Succeeded, "is in service".to_owned()),
        "ROLLINGBACK" => (Progress::Failed, "could not be updated and is rolled back".to_owned()),
        "UPDATEROLLBACKFAILED" => (Progress::Failed, "could neither be updated nor rolled back".to_owned()),
        "FAILED" => (Progress::Failed, "failed".to_owned()),
        "OUTOFSERVICE" => (Progress::Failed, "is out of service".to_owned()),
        "DELETING" => return Some(News::over(Some("The endpoint is being deleted.")).known_by(key)),
        other => (Progress::Started, format!("is {other}")),
    };
    let variants = || objects(detail, "PendingDeploymentSummary.ProductionVariants").chain(objects(detail, "ProductionVariants"));
    let at_work = variants().find_map(|variant| text(variant, "VariantStatus.0.StatusMessage"));
    let severity = if says.ends_with("rolled back") && says.starts_with("could not") { P3 } else { P2 };
    let place = event.place();
    Some(
        News::deployment(format!("Endpoint {name} {says}"), progress)
            .known_by(key)
            .severity(Some(grade(progress, severity)))
            .why(text(detail, "FailureReason").or(at_work))
            .affects([name])
            .detail(
                "Configuration",
                text(detail, "PendingDeploymentSummary.EndpointConfigName").or_else(|| text(detail, "EndpointConfigName")),
            )
            .page(place.console(&format!("sagemaker/home#/endpoints/{}", encoded(name))))
            .link("Logs", place.log_group(&format!("/aws/sagemaker/Endpoints/{name}"))),
    )
}

fn pipeline(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let arn = text(detail, "pipelineArn")?;
    let name = last_name(arn);
    let (progress, says) = match text(detail, "currentPipelineExecutionStatus")? {
        "Executing" => (Progress::Started, "is running".to_owned()),
        "Succeeded" => (Progress::Succeeded, "succeeded".to_owned()),
        "Failed" => (Progress::Failed, "failed".to_owned()),
        "Stopping" => return Some(News::nothing("a pipeline is being stopped")),
        "Stopped" => return Some(News::over(Some("The pipeline was stopped.")).known_by(Some(arn.to_owned()))),
        other => (Progress::Started, format!("is {other}")),
    };
    let execution = text(detail, "pipelineExecutionDisplayName").or_else(|| text(detail, "pipelineExecutionArn").map(last_name));
    Some(
        News::workflow(format!("Pipeline {name} {says}"), progress)
            .known_by(Some(arn.to_owned()))
            .severity(Some(grade(progress, P3)))
            .affects([name])
            .detail("Execution", execution)
            .page(event.place().console("sagemaker/home#/dashboard")),
    )
}

/// A step that failed says why, which its pipeline does not: they share a card.
fn step(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (arn, step) = (text(detail, "pipelineArn")?, text(detail, "stepName")?);
    if text(detail, "currentStepStatus")? != "Failed" {
        return Some(News::nothing("the pipeline tells how far it is"));
    }
    let name = last_name(arn);
    Some(
        News::workflow(format!("Pipeline {name} failed at {step}"), Progress::Failed)
            .known_by(Some(arn.to_owned()))
            .severity(Some(P3))
            .why(text(detail, "failureReason"))
            .affects([name])
            .detail("Failed step", Some(step))
            .detail("Kind of step", text(detail, "stepType"))
            .page(event.place().console("sagemaker/home#/dashboard")),
    )
}

fn package(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let arn = text(detail, "ModelPackageArn")?;
    let group = text(detail, "ModelPackageGroupName").or_else(|| text(detail, "ModelPackageName")).unwrap_or_else(|| last_name(arn));
    let name = plain_in(detail, "ModelPackageVersion").map_or_else(|| group.to_owned(), |version| format!("{group} version {version}"));
    let news = match (text(detail, "ModelPackageStatus"), text(detail, "ModelApprovalStatus")) {
        (Some("Failed"), _) => News::wrong(format!("Model {name} could not be packaged")).known_by(Some(arn.to_owned())).severity(Some(P3)),
        (Some("Pending" | "InProgress" | "Deleting"), _) => return Some(News::nothing("a model is being packaged")),
        (_, Some("PendingManualApproval")) => News::notice(format!("Model {name} waits for approval")).severity(Some(P4)),
        (_, Some("Approved")) => News::notice(format!("Model {name} was approved")).severity(Some(P4)),
        (_, Some("Rejected")) => News::notice(format!("Model {name} was rejected")).severity(Some(P4)),
        _ => News::notice(format!("Model {name} was changed")).severity(Some(P4)),
    };
    let stage = text(detail, "ModelLifeCycle.Stage").zip(text(detail, "ModelLifeCycle.StageStatus"));
    Some(
        news.why(text(detail, "ApprovalDescription"))
            .affects([group])
            .detail("Stage", stage.map(|(stage, status)| format!("{stage}: {status}")))
            .page(event.place().console("sagemaker/home#/model-packages/my-resources")),
    )
}

fn node(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (cluster, arn, node) = (text(detail, "ClusterName")?, text(detail, "ClusterArn")?, text(detail, "InstanceId")?);
    let (health, why) = (text(detail, "HealthSummary.HealthStatus")?, text(detail, "HealthSummary.HealthStatusReason"));
    let key = Some(format!("{arn}/{node}"));
    if health == "Healthy" {
        return Some(News::over(Some(why.unwrap_or("The node is healthy."))).known_by(key));
    }
    Some(
        News::wrong(format!("Node {node} of {cluster} is unhealthy"))
            .known_by(key)
            .severity(Some(P3))
            .why(why)
            .hint(text(detail, "HealthSummary.Recommendation"))
            .affects([cluster, node])
            .detail("Repair", text(detail, "HealthSummary.RepairAction"))
            .page(event.place().console(&format!("sagemaker/home#/cluster-management/{}", encoded(cluster)))),
    )
}

/// Feature groups, images, clusters, schedules …: each has a status under a name of its own, and counts where that is a failure.
fn other(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let word = event.detail_type().strip_prefix("SageMaker ")?.trim_end_matches(" State Change");
    let field =
        |end: &str| detail.iter().find(|(name, value)| name.ends_with(end) && value.is_string()).and_then(|(_, value)| value.as_str());
    let arn = event.resources().first().map(String::as_str).or_else(|| field("Arn"))?;
    let name = field("Name").unwrap_or_else(|| last_name(arn));
    let state = plain_state(field("Status").unwrap_or_default());
    let key = Some(arn.to_owned());
    if state.ends_with("FAILED") {
        let why = text(detail, "FailureReason").or_else(|| text(detail, "FailureMessage"));
        let page = event.place().console("sagemaker/home#/dashboard");
        return Some(News::wrong(format!("{word} {name} failed")).known_by(key).severity(Some(P3)).why(why).affects([name]).page(page));
    }
    if matches!(state.as_str(), "INSERVICE" | "CREATED" | "ACTIVE" | "COMPLETED" | "SCHEDULED") {
        return Some(News::over(Some(format!("{word} {name} is as it should be."))).known_by(key));
    }
    Some(News::nothing("something of SageMaker is on its way"))
}
