//! AWS Backup: jobs that back up, copy and restore, over EventBridge as JSON and over SNS as a sentence with attributes beside it; and what happens to vaults,
//! plans and recovery points. <https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html>,
//! <https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-notifications.html>
//!
//! - A job is known by its id, which both ways of saying it share. A vault or a recovery point is known by its ARN.
//! - Backup has no scale. A job that failed, that ran out of time or that is incomplete is P3; a copy with malware in it is P2; vaults that are deleted or
//!   unlocked are P3, because that is what somebody does who wants no backups to be there.
//! - A job that somebody aborted is over. Recovery points come and go with their jobs, so only the broken ones are told.

mod job;

use serde_json::{Map, Value};

use self::job::Job;
use crate::domain::severity::Severity::{P2, P3, P4};
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{plain_in, text};
use crate::intake::news::News;
use crate::intake::place::encoded;

/// Whether this is a sentence of SNS that says by its attributes what it is about.
pub(super) fn is_notification(event: &Event) -> bool {
    let from_backup = event.sns.as_ref().is_some_and(|sns| sns.subject.as_deref() == Some("Notification from AWS Backup"));
    let kind = event.attributes.get("EventType").or_else(|| event.attributes.get("eventType"));
    event.text().is_some() && (from_backup || kind.is_some_and(|kind| job::is_kind(kind)))
}

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    if let Some(sentence) = event.text() {
        return job::from_sentence(event, sentence).only();
    }
    let detail = event.object()?;
    let news = match event.detail_type() {
        "Backup Job State Change" => Job::of(event, detail, "backupJobId").news(event),
        "Copy Job State Change" => Job::of(event, detail, "copyJobId").news(event),
        "Restore Job State Change" => Job::of(event, detail, "restoreJobId").news(event),
        "Scan Job State Change" => scan(event, detail)?,
        "Backup Vault State Change" => vault(event, detail)?,
        "Backup Plan State Change" => plan(event, detail)?,
        "Recovery Point State Change" | "Recovery Point Change" => recovery_point(event, detail)?,
        "Recovery Point Index State Change" => index(event, detail)?,
        _ => News::notice("The settings of Backup were changed").severity(Some(P4)),
    };
    news.only()
}

fn vault_page(event: &Event, vault: &str) -> Option<String> {
    event.place().console(&format!("backup/home#/backupvaults/details/{}", encoded(vault)))
}

fn scan(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (state, arn) = (text(detail, "state")?, text(detail, "resourceArn").or_else(|| text(detail, "recoveryPointArn"))?);
    let point = text(detail, "recoveryPointArn").unwrap_or(arn);
    let what = last_name(arn);
    let (title, severity) = match (state, text(detail, "scanResult.scanResultStatus")) {
        (_, Some("THREATS_FOUND")) => (format!("Malware in a backup of {what}"), P2),
        ("FAILED" | "COMPLETED_WITH_ISSUES", _) => (format!("A backup of {what} could not be scanned for malware"), P4),
        ("CREATED" | "RUNNING" | "COMPLETED" | "CANCELED", _) => return Some(News::nothing("no malware was found in a backup")),
        (other, _) => (format!("Scan of a backup of {what}: {other}"), P4),
    };
    let vault = text(detail, "backupVaultName");
    Some(
        News::wrong(title)
            .known_by(Some(format!("{point}/scan")))
            .severity(Some(severity))
            .why(text(detail, "statusMessage"))
            .affects([what])
            .detail("Scanned by", text(detail, "malwareScanner"))
            .detail("Vault", vault)
            .page(vault.and_then(|vault| vault_page(event, vault))),
    )
}

fn vault(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (vault, state) = (text(detail, "backupVaultName")?, text(detail, "state")?);
    let arn = event.resources().first().cloned().or_else(|| event.place().arn("backup", &format!("backup-vault:{vault}")));
    let locked = plain_in(detail, "isLocked");
    let news = match (state, locked.as_deref()) {
        ("DELETED", _) => News::wrong(format!("Backup vault {vault} was deleted")).known_by(arn).severity(Some(P3)),
        ("MODIFIED", Some("false")) => News::wrong(format!("Backup vault {vault} is not locked any more")).known_by(arn).severity(Some(P3)),
        ("MODIFIED", Some("true")) => return Some(News::over(Some("The vault is locked.")).known_by(arn)),
        ("CREATED", _) => News::notice(format!("Backup vault {vault} was created")).severity(Some(P4)),
        ("MODIFIED", _) => News::notice(format!("Backup vault {vault} was changed")).severity(Some(P4)),
        (other, _) => News::notice(format!("Backup vault {vault}: {other}")).severity(Some(P4)),
    };
    Some(news.affects([vault]).page(vault_page(event, vault)))
}

fn plan(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (plan, state) = (text(detail, "backupPlanId")?, text(detail, "state")?);
    let says = match state {
        "CREATED" => "was created",
        "MODIFIED" => "was changed",
        "DELETED" => "was deleted",
        other => other,
    };
    let page = event.place().console(&format!("backup/home#/backupplan/details/{}", encoded(plan)));
    Some(News::notice(format!("Backup plan {plan} {says}")).severity(Some(P4)).affects([plan]).page(page))
}

fn recovery_point(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let state = text(detail, "status").or_else(|| text(detail, "state"))?;
    let point = event.resources().first()?;
    let what = text(detail, "resourceArn").map_or_else(|| last_name(point), last_name);
    let (title, severity) = match state {
        "PARTIAL" => (format!("A recovery point of {what} is incomplete"), P3),
        "EXPIRED" => (format!("A recovery point of {what} could not be deleted when its time was over"), P4),
        "STOPPED" => (format!("The continuous backup of {what} has stopped"), P3),
        "COMPLETED" | "AVAILABLE" | "CREATING" | "DELETING" | "MODIFIED" => {
            return Some(News::nothing("recovery points come and go with their jobs and plans"));
        }
        other => (format!("Recovery point of {what}: {other}"), P4),
    };
    let vault = text(detail, "backupVaultName");
    Some(
        News::wrong(title)
            .known_by(Some(point.clone()))
            .severity(Some(severity))
            .why(text(detail, "statusMessage"))
            .affects([what])
            .detail("Kind", text(detail, "resourceType"))
            .detail("Vault", vault)
            .page(vault.and_then(|vault| vault_page(event, vault))),
    )
}

fn index(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let (state, point) = (text(detail, "indexStatus")?, text(detail, "recoveryPointArn")?);
    if state != "FAILED" {
        return Some(News::nothing("the index of a recovery point is as it should be"));
    }
    let what = text(detail, "sourceResourceArn").map_or_else(|| last_name(point), last_name);
    Some(
        News::wrong(format!("A backup of {what} could not be indexed"))
            .known_by(Some(format!("{point}/index")))
            .severity(Some(P4))
            .why(text(detail, "indexStatusMessage"))
            .at(time_in(detail, "indexCreationTime"))
            .affects([what])
            .page(event.place().console("backup/home#/backupvaults")),
    )
}
