//! Secrets Manager: secrets that are rotated, and versions that are deleted. <https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html>
//!
//! - Rotations come through CloudTrail as events of the service itself. One is known by the ARN of its secret, so one that succeeds ends what an earlier one
//!   left failed.
//! - There is no scale: a rotation that failed is P3, because the old version still works; one that runs or is done P4.
//! - A label that moved to another version is a notice. <https://docs.aws.amazon.com/secretsmanager/latest/userguide/secret-event-notifications.html>
//! - What a rotation asks its function to do is nobody's news, and holds a token.
//!   <https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html>

use serde_json::{Map, Value};

use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event, time_in};
use crate::intake::fields::text;
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// The type of the events that CloudTrail brings.
pub(super) const SERVICE_EVENT: &str = "AWS Service Event via CloudTrail";
pub(super) const LABEL: &str = "Secret Label Updated";

/// How many letters Secrets Manager puts behind a secret's name, with the hyphen.
const SUFFIX: usize = 7;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    match event.detail_type() {
        SERVICE_EVENT => service_event(event, detail),
        LABEL => labelled(event, detail),
        _ => News::nothing("it asks a function to do its part of a rotation").only(),
    }
}

/// The name in a secret's ARN: `secret:checkout/db-AbCdEf`.
fn name(arn: &Arn) -> &str {
    let full = arn.resource.strip_prefix("secret:").unwrap_or(&arn.resource);
    let end = full.len().saturating_sub(SUFFIX);
    full.get(end..).filter(|suffix| suffix.starts_with('-')).and_then(|_| full.get(..end)).unwrap_or(full)
}

fn page(place: &Place, name: &str) -> Option<String> {
    place.console(&format!("secretsmanager/secret?name={}", encoded(name)))
}

fn service_event(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let id = text(detail, "additionalEventData.SecretId").or_else(|| event.resources().first().map(String::as_str))?;
    let arn = Arn::parse(id)?;
    let secret = name(&arn);
    let place = Place::of(&arn).or(event.place());
    let key = Some(id.to_owned());
    let at = time_in(detail, "eventTime");
    let notice = |title: String| {
        let page = page(&place, secret);
        News::notice(title).at(at).affects_only([secret]).page(page).in_place(place.clone()).only()
    };
    let (progress, severity, says) = match text(detail, "eventName")? {
        "RotationStarted" => (Progress::Started, Severity::P4, "is being rotated"),
        "RotationSucceeded" => (Progress::Succeeded, Severity::P4, "was rotated"),
        "RotationFailed" => (Progress::Failed, Severity::P3, "could not be rotated"),
        "RotationAbandoned" => {
            return News::over(Some("The rotation was given up for another version of the secret.")).known_by(key).at(at).only();
        }
        "TestRotationStarted" | "TestRotationSucceeded" => return News::nothing("somebody tries out a rotation").only(),
        "TestRotationFailed" => return notice(format!("Secret {secret}: trying out its rotation failed")),
        "StartSecretVersionDelete" => return notice(format!("A version of secret {secret} is to be deleted")),
        "CancelSecretVersionDelete" => return notice(format!("A version of secret {secret} is not deleted after all")),
        "EndSecretVersionDelete" => return notice(format!("A version of secret {secret} was deleted")),
        other => return notice(format!("Secret {secret}: {other}")),
    };
    News::workflow(format!("Secret {secret} {says}"), progress)
        .known_by(key)
        .at(at)
        .severity(Some(severity))
        .why(text(detail, "errorMessage"))
        .affects_only([secret])
        .detail("Error", text(detail, "errorCode"))
        .page(page(&place, secret))
        .link("Logs", logs(&place, detail))
        .in_place(place)
        .only()
}

/// The logs of the function that an error names.
fn logs(place: &Place, detail: &Map<String, Value>) -> Option<String> {
    let named = text(detail, "errorMessage")?.split_whitespace().find(|word| word.starts_with("arn:") && word.contains(":lambda:"))?;
    let function = Arn::parse(named)?.resource;
    let function = function.strip_prefix("function:")?.split(':').next()?;
    place.log_group(&format!("/aws/lambda/{function}"))
}

fn labelled(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (secret, label) = (text(detail, "name")?, text(detail, "labelUpdated")?);
    let says = if label == "AWSCURRENT" { "has a new value".to_owned() } else { format!("has another version as {label}") };
    News::notice(format!("Secret {secret} {says}"))
        .affects_only([secret])
        .detail("Version", text(detail, "versionId"))
        .page(page(&event.place(), secret))
        .only()
}
