//! Jobs that back up, copy and restore, as EventBridge's JSON and as SNS's sentence say how far they are.

use serde_json::{Map, Value};

use super::vault_page;
use crate::domain::kind::Progress;
use crate::domain::severity::Severity::{P3, P4};
use crate::intake::event::{Event, last_name};
use crate::intake::fields::{first_sentence, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::encoded;

/// What jobs there are: how SNS calls them, how their id is called, what people call them, and their page.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("BACKUP_JOB", "backupJobId", "Backup", "backup"),
    ("COPY_JOB", "copyJobId", "Copy", "copy"),
    ("RESTORE_JOB", "restoreJobId", "Restore", "restore"),
];

/// Whether an attribute of SNS names something of Backup.
pub(super) fn is_kind(kind: &str) -> bool {
    const OBJECTS: [&str; 6] = ["RECOVERY_POINT_", "CONTINUOUS_BACKUP_", "S3_BACKUP_", "S3_RESTORE_", "EKS_BACKUP_", "EKS_RESTORE_"];
    KINDS.iter().any(|(in_sns, ..)| *in_sns == kind) || OBJECTS.iter().any(|beginning| kind.starts_with(beginning))
}

/// What is known about a job.
pub(super) struct Job {
    /// `Backup`, `Copy`, `Restore`.
    kind: &'static str,
    /// As the console has it in its address.
    page: &'static str,
    id: Option<String>,
    state: String,
    /// What it backs up, copies or brings back.
    what: Option<String>,
    why: Option<String>,
    vault: Option<String>,
    details: Vec<(&'static str, Option<String>)>,
}

impl Job {
    /// The job of an event of EventBridge, whose id stands under this name.
    pub(super) fn of(event: &Event, detail: &Map<String, Value>, id: &str) -> Self {
        let owned = |way: &str| text(detail, way).map(str::to_owned);
        let (_, _, kind, page) = KINDS.iter().find(|(_, known, ..)| *known == id).copied().unwrap_or(("", "", "Job", "backup"));
        let what = ["resourceName", "resourceArn", "sourceResourceArn", "createdResourceArn"].into_iter().find_map(|way| text(detail, way));
        let vault = |way: &str| text(detail, way).map(|arn| last_name(arn).to_owned());
        Self {
            kind,
            page,
            id: owned(id),
            state: owned("state").or_else(|| owned("status")).unwrap_or_default(),
            // A restore that made nothing yet names only what it is made from, beside the event.
            what: what.or_else(|| event.resources().first().map(String::as_str)).map(|arn| last_name(arn).to_owned()),
            // The service puts its message into quotes of its own.
            why: text(detail, "statusMessage").map(|message| message.trim_matches('"').to_owned()),
            vault: owned("backupVaultName").or_else(|| vault("sourceBackupVaultArn")),
            details: vec![
                ("Kind", owned("resourceType")),
                ("To", vault("destinationBackupVaultArn")),
                ("New resource", owned("createdResourceArn").map(|arn| last_name(&arn).to_owned())),
                ("Done", plain_in(detail, "percentDone").filter(|done| done != "0").map(|done| format!("{done} %"))),
            ],
        }
    }

    pub(super) fn news(self, event: &Event) -> News {
        // What was just created does not yet say of what it is a backup, and a copy not even its id.
        let Some(id) = self.id.filter(|_| self.state != "CREATED") else { return News::nothing("the job says more when it runs") };
        let what = match &self.what {
            Some(what) => format!("{} of {what}", self.kind),
            None => format!("{} job {}", self.kind, short(&id)),
        };
        let key = Some(format!("backup:{}:{id}", self.page));
        let (progress, says) = match self.state.as_str() {
            "PENDING" | "RUNNING" | "STARTED" | "CREATED" => (Progress::Started, "is running".to_owned()),
            "COMPLETED" if self.why.is_some() && self.kind == "Backup" => (Progress::Succeeded, "is done, with issues".to_owned()),
            "COMPLETED" => (Progress::Succeeded, "is done".to_owned()),
            "PARTIAL" => (Progress::Failed, "is incomplete".to_owned()),
            "FAILED" => (Progress::Failed, "failed".to_owned()),
            "EXPIRED" => (Progress::Failed, "did not start or finish in time".to_owned()),
            "ABORTING" | "ABORTED" => return News::over(Some(self.why.unwrap_or_else(|| "The job was stopped.".to_owned()))).known_by(key),
            "" => (Progress::Failed, "says nothing about how far it is".to_owned()),
            other => (Progress::Started, format!("is {other}")),
        };
        let severity = if progress == Progress::Failed { P3 } else { P4 };
        let place = event.place();
        let news = News::workflow(format!("{what} {says}"), progress).known_by(key).severity(Some(severity)).why(self.why);
        let news = self.details.into_iter().fold(news, |news, (label, value)| news.detail(label, value));
        let vault = self.vault;
        news.affects(self.what)
            .detail("Vault", vault.clone())
            .page(place.console(&format!("backup/home#/jobs/{}/details/{}", self.page, encoded(&id))))
            .link("Vault", vault.and_then(|vault| vault_page(event, &vault)))
    }
}

/// The beginning of an id, by which a person tells it from others.
fn short(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// What a sentence of SNS says. Its attributes say the same for machines, unless they got lost on the way.
pub(super) fn from_sentence(event: &Event, sentence: &str) -> News {
    let attribute = |names: &[&str]| names.iter().find_map(|name| event.attributes.get(*name)).map(String::as_str);
    let told = sentence.to_ascii_lowercase();
    let kind = attribute(&["EventType", "eventType"]).unwrap_or(match () {
        () if told.contains("copy job") => "COPY_JOB",
        () if told.contains("restore job") => "RESTORE_JOB",
        () => "BACKUP_JOB",
    });
    let Some((_, _, kind, page)) = KINDS.iter().find(|(in_sns, ..)| *in_sns == kind).copied() else {
        return object(kind, sentence, attribute(&["reason"]));
    };
    let state = attribute(&["State"]).unwrap_or(match () {
        () if told.contains("in time") => "EXPIRED",
        () if told.contains("fail") || told.contains("abort") => "FAILED",
        () if told.contains("success") => "COMPLETED",
        () => "RUNNING",
    });
    let id = attribute(&["Id"]).or_else(|| behind(sentence, "Job ID").or_else(|| behind(sentence, "Job Id")));
    let what = behind(sentence, "Resource ARN").map(|arn| last_name(arn).to_owned());
    // What went well needs no reason, and one with it would mean "with issues".
    let why = (state != "COMPLETED").then(|| first_sentence(sentence).to_owned());
    let details = vec![("Recovery point", behind(sentence, "Recovery point ARN").map(|arn| last_name(arn).to_owned()))];
    let job = Job { kind, page, id: id.map(str::to_owned), state: state.to_owned(), what, why, vault: None, details };
    job.news(event)
}

/// What stands behind `label :` in a sentence, up to the next space or the full stop.
fn behind<'a>(sentence: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = sentence.split_once(label)?;
    let value = rest.trim_start_matches([' ', ':']).split_whitespace().next()?;
    Some(value.trim_end_matches('.')).filter(|value| !value.is_empty())
}

/// One object that could not be saved or brought back, or something about a recovery point.
fn object(kind: &str, sentence: &str, reason: Option<&str>) -> News {
    let title = first_sentence(sentence);
    if kind.contains("FAILED") || kind.contains("INTERRUPTED") {
        News::wrong(title).severity(Some(P3)).why(Some(reason.unwrap_or(sentence)))
    } else {
        News::notice(title).severity(Some(P4)).why(Some(reason.unwrap_or(sentence)))
    }
}
