//! `CodeBuild`: builds, one card for each. <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html>
//!
//! - A build is known by its ARN, which is new for each.
//! - There is no scale: a build that failed is P3, one that runs or is done P4.
//! - Each build says its phases as well; they are told by its end.
//! - The variables of its environment are never shown.

use serde_json::{Map, Value};

use crate::domain::kind::{Deployment, Progress};
use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event};
use crate::intake::fields::{objects, plain_in, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// The types of its events.
pub(super) const STATE: &str = "CodeBuild Build State Change";
pub(super) const PHASE: &str = "CodeBuild Build Phase Change";

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    if event.detail_type() == PHASE {
        return News::nothing("the build says how it ended").only();
    }
    let build = event.object()?;
    let (project, id) = (text(build, "project-name")?, text(build, "build-id")?);
    let failed = failure(build);
    let (progress, severity, says) = match text(build, "build-status")? {
        "IN_PROGRESS" => (Progress::Started, Severity::P4, "is running".to_owned()),
        "SUCCEEDED" => (Progress::Succeeded, Severity::P4, "succeeded".to_owned()),
        "TIMED_OUT" => (Progress::Failed, Severity::P3, "ran out of time".to_owned()),
        "FAILED" | "FAULT" | "CLIENT_ERROR" => {
            let phase = failed.as_ref().map(|(phase, _)| format!("failed at {phase}"));
            (Progress::Failed, Severity::P3, phase.unwrap_or_else(|| "failed".to_owned()))
        }
        "STOPPED" => return News::over(Some("The build was stopped.")).known_by(Some(id.to_owned())).only(),
        other => {
            let news = News::wrong(format!("Build of {project}: {other}")).severity(Some(Severity::P4));
            return about(event, build, project, id, news).only();
        }
    };
    let news = News::workflow(format!("Build of {project} {says}"), progress)
        .severity(Some(severity))
        .why(failed.and_then(|(_, why)| why))
        .brings(Deployment { commit: commit(build).map(str::to_owned), ..Deployment::default() });
    about(event, build, project, id, news).only()
}

fn about(event: &Event, build: &Map<String, Value>, project: &str, id: &str, news: News) -> News {
    let place = event.place();
    news.known_by(Some(id.to_owned()))
        .affects([project])
        .detail("Build", plain_in(build, "additional-information.build-number").map(|number| format!("#{number}")))
        .detail("Started by", text(build, "additional-information.initiator"))
        .page(page(&place, project, id))
        .link("Logs", logs(&place, build))
}

fn page(place: &Place, project: &str, id: &str) -> Option<String> {
    let build = Arn::parse(id)?.resource;
    let build = build.strip_prefix("build/").unwrap_or(&build);
    let account = place.account.as_deref()?;
    place.console(&format!("codesuite/codebuild/{account}/projects/{}/build/{}/", encoded(project), encoded(build)))
}

/// The lines of this build where it says so, else all of its project.
fn logs(place: &Place, build: &Map<String, Value>) -> Option<String> {
    let itself = text(build, "additional-information.logs.deep-link").map(str::to_owned);
    itself.or_else(|| place.log_group(text(build, "additional-information.logs.group-name")?))
}

/// The phase that failed, and why.
fn failure(build: &Map<String, Value>) -> Option<(String, Option<String>)> {
    let mut phases = objects(build, "additional-information.phases");
    let phase = phases.find(|phase| text(phase, "phase-status").is_some_and(|status| status != "SUCCEEDED"))?;
    // A phase without a message says ": ".
    let why: Vec<&str> = texts(phase, "phase-context").filter(|said| said.contains(char::is_alphanumeric)).collect();
    Some((text(phase, "phase-type")?.to_owned(), (!why.is_empty()).then(|| why.join("\n"))))
}

/// The commit, where its source is one and no archive.
fn commit(build: &Map<String, Value>) -> Option<&str> {
    let version = text(build, "additional-information.source-version")?;
    // `refs/heads/main^{3e59…}`: a branch, and where it stood.
    let commit = version.rsplit_once("^{").map_or(version, |(_, commit)| commit.trim_end_matches('}'));
    (commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(commit)
}
