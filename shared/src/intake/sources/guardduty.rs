//! GuardDuty: threats that it found, and what its scans for malware found. <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html>
//!
//! - A finding is known by its ARN. GuardDuty says it again every few hours while it goes on, which counts up; archived, it is over.
//! - Its severity is a number: 9 and more is P1, 7 and more P2, 4 and more P3, the rest P4.
//!   <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html>
//! - A scan of an object counts where it found a threat (P1) or could not be done (P4).

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{get, number, plain_in, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    if event.detail_type() == "GuardDuty Malware Protection Object Scan Result" { scanned(event, detail) } else { found(event, detail) }
}

fn found(event: &Event, finding: &Map<String, Value>) -> Option<Vec<News>> {
    let id = text(finding, "id")?;
    let place =
        event.place().or(Place { region: text(finding, "region").map(str::to_owned), account: account(finding), ..Place::default() });
    let key = text(finding, "arn").map_or_else(|| format!("guardduty:{id}"), str::to_owned);
    if get(finding, "service.archived").and_then(Value::as_bool) == Some(true) {
        return News::over(Some("The finding was archived.")).known_by(Some(key)).at(time_in(finding, "updatedAt")).only();
    }
    let severity = number(finding, "severity").map(grade);
    News::wrong(text(finding, "title")?)
        .known_by(Some(key))
        .at(time_in(finding, "service.eventLastSeen").or_else(|| time_in(finding, "updatedAt")))
        .severity(severity)
        .why(text(finding, "description"))
        .affects(resource(finding))
        .detail("Type", text(finding, "type"))
        .detail("Resource", text(finding, "resource.resourceType"))
        .detail("Action", text(finding, "service.action.actionType"))
        .detail("Severity", plain_in(finding, "severity"))
        .detail("Seen by GuardDuty", plain_in(finding, "service.count").map(|count| format!("{count} times")))
        .page(place.console(&format!("guardduty/home#/findings?macros=current&fId={}", encoded(id))))
        .from_place(place)
        .only()
}

/// What it is about, where it says so by name.
fn resource(finding: &Map<String, Value>) -> Option<&str> {
    const NAMES: [&str; 7] = [
        "resource.instanceDetails.instanceId",
        "resource.s3BucketDetails.0.name",
        "resource.eksClusterDetails.name",
        "resource.ecsClusterDetails.name",
        "resource.lambdaDetails.functionName",
        "resource.rdsDbInstanceDetails.dbInstanceIdentifier",
        "resource.accessKeyDetails.userName",
    ];
    NAMES.into_iter().find_map(|name| text(finding, name))
}

fn scanned(event: &Event, scan: &Map<String, Value>) -> Option<Vec<News>> {
    let (bucket, object) = (text(scan, "s3ObjectDetails.bucketName")?, text(scan, "s3ObjectDetails.objectKey")?);
    let result = text(scan, "scanResultDetails.scanResultStatus").unwrap_or_default();
    let (title, severity) = match result {
        "NO_THREATS_FOUND" => return News::nothing("the scan of an object found no threat").only(),
        "THREATS_FOUND" => (format!("Malware in {object}"), Severity::P1),
        _ => (format!("{object} could not be scanned for malware"), Severity::P4),
    };
    let threats: Vec<&str> = texts(scan, "scanResultDetails.threats").collect();
    let named = crate::intake::fields::objects(scan, "scanResultDetails.threats").filter_map(|threat| text(threat, "name"));
    let threats: Vec<&str> = threats.into_iter().chain(named).collect();
    let place = event.place();
    News::wrong(title)
        .known_by(Some(format!("guardduty:object:{bucket}/{object}")))
        .severity(Some(severity))
        .affects([format!("s3://{bucket}/{object}")])
        .detail("Result", Some(result))
        .detail("Threats", (!threats.is_empty()).then(|| threats.join(", ")))
        .page(place.console(&format!("s3/object/{}?prefix={}", encoded(bucket), encoded(object))))
        .only()
}

fn account(finding: &Map<String, Value>) -> Option<String> {
    plain_in(finding, "accountId")
}

fn grade(severity: f64) -> Severity {
    match severity {
        9.0.. => Severity::P1,
        7.0.. => Severity::P2,
        4.0.. => Severity::P3,
        _ => Severity::P4,
    }
}
