//! Glue: jobs and crawlers that end, jobs that take too long, and data that breaks its rules.
//! <https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html>,
//! <https://docs.aws.amazon.com/glue/latest/dg/data-quality-alerts.html>
//!
//! - A job is known by its name, not by its run, so that the next run that succeeds ends what the last one broke; crawlers and rules for data likewise.
//! - `severity` only says `ERROR` or `INFO`. What failed, timed out or is late is P3, and so is data that breaks its rules.
//! - What somebody stopped is no failure. Changes of the catalog are the daily work of crawlers and jobs, and are told only where a table goes.

use serde_json::{Map, Value};

use crate::domain::kind::Progress;
use crate::domain::severity::Severity::{P3, P4};
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{plain_in, text, texts};
use crate::intake::news::News;
use crate::intake::place::encoded;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let news = match event.detail_type() {
        "Glue Job State Change" => job(event, detail)?,
        "Glue Job Run Status" => late(event, detail)?,
        "Glue Crawler State Change" => crawler(event, detail)?,
        "Glue Scheduled Crawler Invocation Failure" => not_started(event, detail)?,
        "Data Quality Evaluation Results Available" => quality(event, detail)?,
        "Glue Statistics Task Failed" | "Glue Auto Statistics Invocation Failure" | "Glue Scheduled Statistics Invocation Failure" => {
            statistics(event, detail)?
        }
        "Glue Statistics Task Started" | "Glue Statistics Task Succeeded" => News::nothing("statistics are the daily work of Glue"),
        _ => catalog(detail),
    };
    news.only()
}

/// An ARN for what Glue names without one.
fn key(event: &Event, what: &str) -> String {
    event.place().arn("glue", what).unwrap_or_else(|| format!("glue:{what}"))
}

fn job(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (name, state) = (text(detail, "jobName")?, text(detail, "state")?);
    let key = Some(key(event, &format!("job/{name}")));
    let (progress, title) = match state {
        "SUCCEEDED" => (Progress::Succeeded, format!("Job {name} succeeded")),
        "FAILED" => (Progress::Failed, format!("Job {name} failed")),
        "TIMEOUT" => (Progress::Failed, format!("Job {name} ran out of time")),
        "STOPPED" => return Some(News::over(Some("The job was stopped.")).known_by(key)),
        "STARTING" | "RUNNING" | "STOPPING" | "WAITING" => (Progress::Started, format!("Job {name} is running")),
        other => (Progress::Failed, format!("Job {name}: {other}")),
    };
    let severity = if progress == Progress::Failed { P3 } else { P4 };
    let news = News::workflow(title, progress).known_by(key).severity(Some(severity)).why(text(detail, "message"));
    Some(run(news, event, detail, name))
}

/// A job runs for longer than its owner asked to be told after.
fn late(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let name = text(detail, "jobName")?;
    let minutes = plain_in(detail, "notificationCondition.NotifyDelayAfter");
    let title = match &minutes {
        Some(minutes) => format!("Job {name} takes longer than {minutes} minutes"),
        None => format!("Job {name} takes longer than it should"),
    };
    let news = News::wrong(title).known_by(Some(key(event, &format!("job/{name}")))).severity(Some(P3)).why(text(detail, "message"));
    Some(run(news, event, detail, name).moment("Running since", time_in(detail, "startedOn")))
}

/// What is said of every run of a job.
fn run(news: News, event: &Event, detail: &Map<String, Value>, name: &str) -> News {
    let place = event.place();
    let run = text(detail, "jobRunId");
    let page = match run {
        Some(run) => format!("gluestudio/home#/job/{}/run/{}", encoded(name), encoded(run)),
        None => format!("gluestudio/home#/editor/job/{}/runs", encoded(name)),
    };
    news.affects([name])
        .detail("State", text(detail, "state"))
        .detail("Run", run)
        .page(place.console(&page))
        .link("Logs", place.log_group("/aws-glue/jobs/error"))
}

fn crawler(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (name, state) = (text(detail, "crawlerName")?, text(detail, "state")?);
    let (progress, says) = match state {
        "Started" | "Running" => (Progress::Started, "is running".to_owned()),
        "Succeeded" => (Progress::Succeeded, "succeeded".to_owned()),
        "Failed" => (Progress::Failed, "failed".to_owned()),
        other => (Progress::Failed, format!("is {other}")),
    };
    let severity = if progress == Progress::Failed { P3 } else { P4 };
    let place = event.place();
    // `N/A` is no warning, and a count of nothing no news.
    let warning = text(detail, "warningMessage").filter(|warning| *warning != "N/A");
    let count = |field: &str| plain_in(detail, field).filter(|count| count != "0");
    Some(
        News::workflow(format!("Crawler {name} {says}"), progress)
            .known_by(Some(key(event, &format!("crawler/{name}"))))
            .severity(Some(severity))
            .why(text(detail, "errorMessage").or(warning).or_else(|| text(detail, "message")))
            .affects([name])
            .detail("Tables created", count("tablesCreated"))
            .detail("Tables updated", count("tablesUpdated"))
            .detail("Tables deleted", count("tablesDeleted"))
            .detail("Took", plain_in(detail, "runningTime (sec)").map(|seconds| format!("{seconds} s")))
            .page(place.console(&format!("glue/home#/v2/data-catalog/crawlers/view/{}", encoded(name))))
            .link("Logs", place.log_group("/aws-glue/crawlers")),
    )
}

fn not_started(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let name = text(detail, "crawlerName")?;
    Some(
        News::workflow(format!("Crawler {name} could not be started"), Progress::Failed)
            .known_by(Some(key(event, &format!("crawler/{name}"))))
            .severity(Some(P3))
            .why(text(detail, "errorMessage").or_else(|| text(detail, "message")))
            .affects([name])
            .page(event.place().console(&format!("glue/home#/v2/data-catalog/crawlers/view/{}", encoded(name)))),
    )
}

/// Rules that data kept or broke: `state` is about the data, not about the run. The documentation and the service differ in the names of the numbers.
fn quality(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let state = text(detail, "state")?;
    let rules: Vec<&str> = texts(detail, "rulesetNames").collect();
    let table =
        Some(text(detail, "context.databaseName").zip(text(detail, "context.tableName")).map(|(base, table)| format!("{base}.{table}")));
    let job = || text(detail, "context.jobName").map(str::to_owned);
    let what = table.flatten().or_else(job)?;
    let key = Some(key(event, &format!("dataQuality/{what}/{}", rules.join(","))));
    if state == "SUCCEEDED" {
        return Some(News::over(Some("The data keeps all rules again.")).known_by(key));
    }
    let either = |ours: &str, theirs: &str| plain_in(detail, ours).or_else(|| plain_in(detail, theirs));
    Some(
        News::wrong(format!("Data of {what} breaks its rules"))
            .known_by(key)
            .severity(Some(P3))
            .affects([what.as_str()])
            .detail("Rules", (!rules.is_empty()).then(|| rules.join(", ")))
            .detail("Failed", either("numRulesFailed", "rulesFailed"))
            .detail("Succeeded", either("numRulesSucceeded", "rulesSucceeded"))
            .detail("Score", plain_in(detail, "score"))
            .detail("State", (state != "FAILED").then_some(state))
            .page(event.place().console("glue/home#/v2/data-quality")),
    )
}

fn statistics(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (base, table) = (text(detail, "databaseName")?, text(detail, "tableName")?);
    let title = format!("Statistics of {base}.{table} could not be made");
    let key = Some(key(event, &format!("statistics/{base}/{table}")));
    Some(News::wrong(title).known_by(key).severity(Some(P4)).why(text(detail, "message").or_else(|| text(detail, "errorMessage"))))
}

fn catalog(detail: &Map<String, Value>) -> News {
    let base = text(detail, "databaseName").unwrap_or("the catalog");
    let changed: Vec<&str> = texts(detail, "changedTables").chain(text(detail, "tableName")).collect();
    match text(detail, "typeOfChange") {
        Some("DeleteTable" | "BatchDeleteTable") => {
            News::notice(format!("Tables were deleted from {base}")).severity(Some(P4)).affects(changed)
        }
        Some("DeleteDatabase") => News::notice(format!("Database {base} was deleted from the catalog")).severity(Some(P4)),
        _ => News::nothing("changes of the catalog are the daily work of crawlers and jobs"),
    }
}
