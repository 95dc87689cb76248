//! CodePipeline: how far pipelines are, and what waits for an approval. <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>
//!
//! - A pipeline is known by its ARN, so a run that succeeds ends what an earlier one left failed. A run that gave way to a newer one says nothing: the newer
//!   one goes by the same key.
//! - Stages and actions are told by their pipeline, except that they failed: only they know where and why. That goes by the pipeline's key as well.
//! - An approval comes as JSON from the action's own topic or as an event of the action, and is known by pipeline, stage and action until the action ends.
//!   Its token, and a link that holds it, is never shown: whoever knows it may approve.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html>
//! - There is no scale: what failed is P3, what runs, is there or waits for somebody is P4.
//! - What a pipeline asks a function to do (`CodePipeline.job`) holds credentials and is nobody's news.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html>

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::kind::{Deployment, Progress};
use crate::domain::severity::Severity;
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{objects, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded, is_region};

/// The types of its events.
pub(super) const PIPELINE: &str = "CodePipeline Pipeline Execution State Change";
pub(super) const STAGE: &str = "CodePipeline Stage Execution State Change";
pub(super) const ACTION: &str = "CodePipeline Action Execution State Change";

/// The one field of what a pipeline asks a function to do. It has a dot in it, so no way leads there.
const JOB: &str = "CodePipeline.job";

/// Whether a pipeline asks a function to do something.
pub(super) fn is_a_job(event: &Event) -> bool {
    event.bridge.is_none() && event.object().and_then(|object| object.get(JOB)).is_some_and(Value::is_object)
}

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    if is_a_job(event) {
        return News::nothing("it is a job for the function that the pipeline calls").only();
    }
    let detail = event.object()?;
    match event.detail_type() {
        PIPELINE => ran(event, detail),
        STAGE | ACTION if text(detail, "type.category") != Some("Approval") => stepped(event, detail),
        ACTION => approval(event, detail),
        _ => asked(event, detail),
    }
}

fn key(place: &Place, pipeline: &str) -> Option<String> {
    place.arn("codepipeline", pipeline)
}

fn page(place: &Place, pipeline: &str) -> Option<String> {
    place.console(&format!("codesuite/codepipeline/pipelines/{}/view", encoded(pipeline)))
}

/// What is said about a pipeline, whoever says it.
fn about(event: &Event, detail: &Map<String, Value>, pipeline: &str, news: News) -> News {
    let place = event.place();
    let run = text(detail, "execution-id");
    let run_page = run.and_then(|run| {
        place.console(&format!("codesuite/codepipeline/pipelines/{}/executions/{}/timeline", encoded(pipeline), encoded(run)))
    });
    news.known_by(key(&place, pipeline))
        .affects([pipeline])
        .detail("Execution", run)
        .page(page(&place, pipeline))
        .link("Execution", run_page)
}

fn ran(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let pipeline = text(detail, "pipeline")?;
    let stage = text(detail, "additionalAttributes.failedStage");
    let undoes = text(detail, "execution-trigger.trigger-type").is_some_and(|kind| kind.ends_with("Rollback"));
    let (progress, severity, says) = match text(detail, "state")? {
        "STARTED" if undoes => (Progress::Started, Severity::P4, "is rolling back".to_owned()),
        "STARTED" => (Progress::Started, Severity::P4, "is running".to_owned()),
        "RESUMED" => (Progress::Started, Severity::P4, "was resumed".to_owned()),
        "SUCCEEDED" if undoes => (Progress::RolledBack, Severity::P4, "was rolled back".to_owned()),
        "SUCCEEDED" => (Progress::Succeeded, Severity::P4, "succeeded".to_owned()),
        "FAILED" => (Progress::Failed, Severity::P3, stage.map_or_else(|| "failed".to_owned(), |stage| format!("failed at {stage}"))),
        "STOPPED" => return ended(event, pipeline, "The execution was stopped."),
        "CANCELED" => return ended(event, pipeline, "The execution was canceled, because the pipeline was changed."),
        "STOPPING" => return News::nothing("a pipeline that is being stopped says so when it is").only(),
        "SUPERSEDED" => return News::nothing("a newer execution of the pipeline took its place").only(),
        other => {
            let news = News::wrong(format!("Pipeline {pipeline}: {other}")).severity(Some(Severity::P4));
            return about(event, detail, pipeline, news).only();
        }
    };
    let news = News::deployment(format!("Pipeline {pipeline} {says}"), progress).severity(Some(severity)).why(failures(detail));
    let branch = text(detail, "execution-trigger.branch-name");
    about(event, detail, pipeline, news)
        .brings(Deployment {
            commit: text(detail, "execution-trigger.commit-id").map(str::to_owned),
            by: started_by(detail).map(str::to_owned),
            ..Deployment::default()
        })
        .detail("Branch", branch)
        .detail("Commit message", text(detail, "execution-trigger.commit-message").and_then(|message| message.lines().next()))
        .only()
}

fn ended(event: &Event, pipeline: &str, why: &str) -> Option<Vec<News>> {
    News::over(Some(why)).known_by(key(&event.place(), pipeline)).only()
}

/// Who began it: the author of the commit, or the name at the end of an ARN. What a connection or a rule began, began by itself.
fn started_by(detail: &Map<String, Value>) -> Option<&str> {
    let trigger = || {
        let by_hand = text(detail, "execution-trigger.trigger-type") == Some("StartPipelineExecution");
        text(detail, "execution-trigger.trigger-detail").filter(|_| by_hand)?.rsplit('/').next()
    };
    text(detail, "execution-trigger.author-display-name").or_else(trigger)
}

/// What a notification rule found out about the actions that failed.
fn failures(detail: &Map<String, Value>) -> Option<String> {
    let said = |action: &Map<String, Value>| {
        let name = text(action, "action")?;
        Some(text(action, "additionalInformation").map_or_else(|| name.to_owned(), |why| format!("{name}: {why}")))
    };
    let all: Vec<String> = objects(detail, "additionalAttributes.failedActions").filter_map(said).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

/// A stage or an action.
fn stepped(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let pipeline = text(detail, "pipeline")?;
    let action = text(detail, "action");
    match text(detail, "state")? {
        "FAILED" => {}
        "STARTED" | "RESUMED" | "SUCCEEDED" | "STOPPING" | "STOPPED" | "CANCELED" | "ABANDONED" | "SKIPPED" => {
            return News::nothing("the pipeline says how far it is").only();
        }
        other => {
            let step = action.or_else(|| text(detail, "stage"))?;
            return News::notice(format!("{step} of pipeline {pipeline}: {other}")).page(page(&event.place(), pipeline)).only();
        }
    }
    let stage = text(detail, "stage")?;
    let why = text(detail, "execution-result.external-execution-summary")
        .or_else(|| text(detail, "additionalAttributes.additionalInformation"))
        .map(|why| action.map_or_else(|| why.to_owned(), |action| format!("{action}: {why}")));
    let news = News::deployment(format!("Pipeline {pipeline} failed at {stage}"), Progress::Failed)
        .severity(Some(Severity::P3))
        .why(why.or_else(|| failures(detail)))
        .detail("Action", action)
        .detail("Done by", text(detail, "type.provider"))
        .detail("Error", text(detail, "execution-result.error-code"));
    about(event, detail, pipeline, news).link("Action", text(detail, "execution-result.external-execution-url")).only()
}

/// An approval, as its action says it.
fn approval(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let waits = Waits {
        pipeline: text(detail, "pipeline")?,
        stage: text(detail, "stage")?,
        action: text(detail, "action")?,
        token: text(detail, "action-execution-id"),
        about: text(detail, "additionalAttributes.customData"),
        review: text(detail, "additionalAttributes.externalEntityLink"),
        expires: None,
    };
    let place = event.place();
    let over = |why: &str| News::over(Some(why)).known_by(waits.key(&place)).only();
    match text(detail, "state")? {
        "STARTED" => waits.told(place).only(),
        "SUCCEEDED" => over("It was approved."),
        "FAILED" => over("It was rejected, or nobody decided in time."),
        "CANCELED" | "ABANDONED" | "STOPPED" => over("Nobody has to decide any more: the execution was stopped."),
        _ => stepped(event, detail),
    }
}

/// An approval, as its topic says it.
fn asked(event: &Event, message: &Map<String, Value>) -> Option<Vec<News>> {
    let region = text(message, "region").filter(|region| is_region(region)).map(str::to_owned);
    let place = Place { region, ..Place::default() }.or(event.place());
    let waits = Waits {
        pipeline: text(message, "approval.pipelineName")?,
        stage: text(message, "approval.stageName")?,
        action: text(message, "approval.actionName")?,
        token: text(message, "approval.token"),
        about: text(message, "approval.customData"),
        review: text(message, "approval.externalEntityLink"),
        expires: time_in(message, "approval.expires"),
    };
    waits.told(place).only()
}

/// What waits for an approval.
struct Waits<'a> {
    pipeline: &'a str,
    stage: &'a str,
    action: &'a str,
    token: Option<&'a str>,
    about: Option<&'a str>,
    review: Option<&'a str>,
    expires: Option<Timestamp>,
}

impl Waits<'_> {
    fn key(&self, place: &Place) -> Option<String> {
        Some(format!("{}/{}/{}", key(place, self.pipeline)?, self.stage, self.action))
    }

    fn told(&self, place: Place) -> News {
        let keeps_the_token = |said: &&str| self.token.is_none_or(|token| !said.contains(token));
        News::wrong(format!("Pipeline {} waits for an approval: {}", self.pipeline, self.action))
            .known_by(self.key(&place))
            .severity(Some(Severity::P4))
            .why(self.about.filter(keeps_the_token))
            .hint(Some("Approve or reject it on the pipeline's page."))
            .affects([self.pipeline])
            .detail("Stage", Some(self.stage))
            .moment("Expires", self.expires)
            .page(page(&place, self.pipeline))
            .link("Review", self.review.filter(keeps_the_token))
            .in_place(place)
    }
}
