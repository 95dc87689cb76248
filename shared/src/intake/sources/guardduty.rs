//! GuardDuty: threats that it found, what its scans for malware found, and what it cannot watch. <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html>
//!
//! - A finding is known by its ARN. GuardDuty says it again every few hours while it goes on, which counts up; archived, it is over.
//! - Its severity is a number: 9 and more is P1, 7 and more P2, 4 and more P3, the rest P4.
//!   <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html>
//! - A scan of an object counts where it found a threat (P1) or could not be done (P4); known by the object. That its tag could not be set is P4.
//!   <https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html>
//! - A bucket whose plan has an error is not scanned (P3); a warning is P4; active again, it is over. Known by the plan.
//! - A cluster or an instance whose runtime is not watched is P3; healthy again, it is over. Known by its name.
//!   <https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-assessing-coverage.html>

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{get, list, number, objects, plain, plain_in, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// What an object's scan found.
const SCANNED: &str = "GuardDuty Malware Protection Object Scan Result";
/// That a scanned object could not be tagged.
const NOT_TAGGED: &str = "GuardDuty Malware Protection Post Scan Action Failed";
/// How a bucket's plan stands begins so; the documentation's sample says `warning` where its list says `Warning`.
const PLAN: &str = "GuardDuty Malware Protection Resource Status";
/// Whether a runtime is watched begins so.
const COVERAGE: &str = "GuardDuty Runtime Protection";

/// All that it sends.
pub(super) const TYPES: &[&str] = &[
    "GuardDuty Finding",
    SCANNED,
    NOT_TAGGED,
    "GuardDuty Malware Protection Resource Status Active",
    "GuardDuty Malware Protection Resource Status Warning",
    "GuardDuty Malware Protection Resource Status warning",
    "GuardDuty Malware Protection Resource Status Error",
    "GuardDuty Runtime Protection Healthy",
    "GuardDuty Runtime Protection Unhealthy",
];

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    match event.detail_type() {
        SCANNED => scanned(event, detail),
        NOT_TAGGED => not_tagged(event, detail),
        kind if kind.starts_with(PLAN) => plan(event, detail, kind),
        kind if kind.starts_with(COVERAGE) => coverage(event, detail, kind),
        _ => found(event, detail),
    }
}

fn found(event: &Event, finding: &Map<String, Value>) -> Option<Vec<News>> {
    let id = text(finding, "id")?;
    let itself = Place { region: text(finding, "region").map(str::to_owned), account: plain_in(finding, "accountId"), ..Place::default() };
    // An administrator's account is told about its members' findings: theirs is the account that counts.
    let place = Place { account: itself.account.clone(), ..Place::default() }.or(event.place()).or(itself);
    let key = text(finding, "arn").map_or_else(|| format!("guardduty:{id}"), str::to_owned);
    if get(finding, "service.archived").and_then(Value::as_bool) == Some(true) {
        return News::over(Some("The finding was archived.")).known_by(Some(key)).at(time_in(finding, "updatedAt")).only();
    }
    let severity = number(finding, "severity").map(grade);
    News::wrong(text(finding, "title")?.trim_end_matches('.'))
        .known_by(Some(key))
        .at(time_in(finding, "service.eventLastSeen").or_else(|| time_in(finding, "updatedAt")))
        .severity(severity)
        .why(text(finding, "description"))
        .affects(resources(finding))
        .detail("Type", text(finding, "type"))
        .detail("Resource", text(finding, "resource.resourceType"))
        .detail("Remote", remote(finding))
        .detail("Severity", plain_in(finding, "severity"))
        .detail("Seen by GuardDuty", plain_in(finding, "service.count").map(times))
        .moment("First seen", time_in(finding, "service.eventFirstSeen"))
        .page(place.console(&format!("guardduty/home#/findings?macros=current&fId={}", encoded(id))))
        .in_place(place)
        .only()
}

fn times(count: String) -> String {
    if count == "1" { "once".to_owned() } else { count + " times" }
}

/// What it is about, where it says so by name: one resource, or all that a sequence of an attack went through.
fn resources(finding: &Map<String, Value>) -> Vec<&str> {
    const NAMES: [&str; 11] = [
        "resource.instanceDetails.instanceId",
        "resource.s3BucketDetails.0.name",
        "resource.eksClusterDetails.name",
        "resource.kubernetesDetails.kubernetesWorkloadDetails.name",
        "resource.ecsClusterDetails.name",
        "resource.containerDetails.name",
        "resource.lambdaDetails.functionName",
        "resource.rdsDbInstanceDetails.dbInstanceIdentifier",
        "resource.rdsLimitlessDbDetails.dbShardGroupIdentifier",
        "resource.ebsVolumeDetails.scannedVolumeDetails.0.volumeArn",
        "resource.accessKeyDetails.userName",
    ];
    let sequence =
        objects(finding, "service.detection.sequence.resources").filter_map(|part| text(part, "name").or_else(|| text(part, "uid")));
    let mut all: Vec<&str> = NAMES.into_iter().find_map(|name| text(finding, name)).into_iter().collect();
    all.extend(sequence);
    all
}

/// The address or the domain at the other end.
fn remote(finding: &Map<String, Value>) -> Option<String> {
    const ACTIONS: [&str; 5] = [
        "networkConnectionAction",
        "awsApiCallAction",
        "kubernetesApiCallAction",
        "rdsLoginAttemptAction",
        "portProbeAction.portProbeDetails.0",
    ];
    let details = ACTIONS.into_iter().find_map(|action| get(finding, &format!("service.action.{action}.remoteIpDetails"))?.as_object());
    if let Some(details) = details {
        let address = text(details, "ipAddressV4").or_else(|| text(details, "ipAddressV6"))?;
        let country = text(details, "country.countryName").map(|country| format!(" ({country})")).unwrap_or_default();
        return Some(format!("{address}{country}"));
    }
    text(finding, "service.action.dnsRequestAction.domain").map(str::to_owned)
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
    let named = objects(scan, "scanResultDetails.threats").filter_map(|threat| text(threat, "name"));
    let threats: Vec<&str> = threats.into_iter().chain(named).collect();
    let place = event.place();
    News::wrong(title)
        .known_by(Some(format!("guardduty:object:{bucket}/{object}")))
        .severity(Some(severity))
        .affects_only([format!("s3://{bucket}/{object}")])
        .detail("Result", Some(result))
        .detail("Threats", (!threats.is_empty()).then(|| threats.join(", ")))
        .page(object_page(&place, bucket, object))
        .only()
}

fn not_tagged(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (bucket, object) = (text(detail, "s3ObjectDetails.bucketName")?, text(detail, "s3ObjectDetails.objectKey")?);
    let reasons: Vec<&str> = objects(detail, "postScanActions").filter_map(|action| text(action, "failureReason")).collect();
    News::wrong(format!("{object} could not be tagged after its malware scan"))
        .known_by(Some(format!("guardduty:tag:{bucket}/{object}")))
        .at(time_in(detail, "eventTime"))
        .severity(Some(Severity::P4))
        .affects_only([format!("s3://{bucket}/{object}")])
        .detail("Reason", (!reasons.is_empty()).then(|| reasons.join(", ")))
        .page(object_page(&event.place(), bucket, object))
        .only()
}

fn object_page(place: &Place, bucket: &str, object: &str) -> Option<String> {
    place.console(&format!("s3/object/{}?prefix={}", encoded(bucket), encoded(object)))
}

fn plan(event: &Event, detail: &Map<String, Value>, kind: &str) -> Option<Vec<News>> {
    let bucket = text(detail, "s3BucketDetails.bucketName")?;
    let key = event.resources().first().cloned().unwrap_or_else(|| format!("guardduty:plan:{bucket}"));
    let at = time_in(detail, "eventTime");
    let (title, severity) = match text(detail, "resourceStatus").unwrap_or(kind).to_lowercase() {
        status if status.ends_with("active") => {
            return News::over(Some(format!("Objects in {bucket} are scanned."))).known_by(Some(key)).at(at).only();
        }
        status if status.ends_with("warning") => (format!("The malware protection of {bucket} has a warning"), Severity::P4),
        _ => (format!("Objects in {bucket} are not scanned for malware"), Severity::P3),
    };
    let reason = |reason: &Value| plain(reason).or_else(|| text(reason.as_object()?, "code").map(str::to_owned));
    let reasons: Vec<String> = list(detail, "statusReasons").iter().filter_map(reason).collect();
    let place = event.place();
    News::wrong(title)
        .known_by(Some(key))
        .at(at)
        .severity(Some(severity))
        .affects_only([bucket])
        .detail("Reason", (!reasons.is_empty()).then(|| reasons.join(", ")))
        .page(place.console("guardduty/home#/malware-protection/s3"))
        .only()
}

fn coverage(event: &Event, detail: &Map<String, Value>, kind: &str) -> Option<Vec<News>> {
    const NAMES: [&str; 3] = ["eksClusterDetails.clusterName", "ecsClusterDetails.clusterName", "ec2InstanceDetails.instanceId"];
    let name = NAMES.into_iter().find_map(|name| text(detail, &format!("resourceDetails.{name}")))?;
    let resource = text(detail, "resourceDetails.resourceType").unwrap_or("resource");
    let account = text(detail, "resourceAccountId").map(str::to_owned).or_else(|| event.place().account);
    let region = event.place().region.unwrap_or_default();
    let key = format!("guardduty:coverage:{}:{region}:{resource}/{name}", account.as_deref().unwrap_or_default());
    let at = time_in(detail, "lastUpdatedAt");
    if kind.ends_with("Healthy") {
        return News::over(Some(format!("GuardDuty watches {name} again."))).known_by(Some(key)).at(at).only();
    }
    let issues: Vec<&str> = texts(detail, "resourceDetails.ecsClusterDetails.fargateDetails.issues").collect();
    let issue = text(detail, "issue").map(str::to_owned).or_else(|| (!issues.is_empty()).then(|| issues.join("\n")));
    let place = Place { account, ..Place::default() }.or(event.place());
    News::wrong(format!("GuardDuty cannot watch {name}"))
        .known_by(Some(key))
        .at(at)
        .severity(Some(Severity::P3))
        .why(issue)
        .affects([name])
        .detail("Resource", Some(resource))
        .page(place.console("guardduty/home#/runtime-monitoring"))
        .in_place(place)
        .only()
}

fn grade(severity: f64) -> Severity {
    match severity {
        9.0.. => Severity::P1,
        7.0.. => Severity::P2,
        4.0.. => Severity::P3,
        _ => Severity::P4,
    }
}
