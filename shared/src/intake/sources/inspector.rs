//! Inspector: vulnerabilities and open ports that it found, its scans, and what it cannot scan. <https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html>
//!
//! - A finding is known by its ARN. Its severity: critical is P1, high P2, medium P3, the rest P4. It is over when it is closed (repaired, or the resource is
//!   gone) or suppressed. <https://docs.aws.amazon.com/inspector/latest/user/findings-understanding-severity.html>
//! - A scan that is complete is told where it found something critical or high; each of its findings has a card of its own.
//! - What cannot be scanned any more is P4, known by the resource, and over when it is scanned again or need not be: it was
//!   stopped, ended or left out. <https://docs.aws.amazon.com/inspector/latest/user/assessing-coverage.html>

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{number, object, objects, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// Why something is not scanned, where nothing is wrong with that.
const BY_DESIGN: &[&str] = &[
    "EC2_INSTANCE_STOPPED",
    "EXCLUDED_BY_TAG",
    "RESOURCE_TERMINATED",
    "SCAN_ELIGIBILITY_EXPIRED",
    "SCAN_FREQUENCY_MANUAL",
    "SCAN_FREQUENCY_SCAN_ON_PUSH",
    "PENDING_DISABLE",
    "PENDING_INITIAL_SCAN",
];

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    match event.detail_type() {
        "Inspector2 Scan" => scanned(event, detail),
        "Inspector2 OnDemand Scan Complete" => on_demand(event, detail),
        "Inspector2 Coverage" => coverage(event, detail),
        "Inspector2 AutoEnable" => auto_enable(event, detail),
        _ => found(event, detail),
    }
}

fn found(event: &Event, finding: &Map<String, Value>) -> Option<Vec<News>> {
    let (arn, title) = (text(finding, "findingArn")?, text(finding, "title")?);
    let at = time_in(finding, "updatedAt").or_else(|| time_in(finding, "lastObservedAt"));
    let over = |why: &str| News::over(Some(why)).known_by(Some(arn.to_owned())).at(at).only();
    match text(finding, "status") {
        Some("CLOSED") => return over("The finding was closed: it is repaired, or what had it is gone."),
        Some("SUPPRESSED") => return over("The finding was suppressed."),
        // Whatever else it is, somebody may have to look.
        _ => {}
    }
    let resource = object(finding, "resources.0");
    let itself = Place {
        region: resource.and_then(|resource| text(resource, "region")).map(str::to_owned),
        account: text(finding, "awsAccountId").map(str::to_owned),
        ..Place::default()
    };
    let place = itself.or(event.place());
    let name = resource.and_then(name);
    let page = format!("inspector/v2/home#/findings/details/{}", encoded(arn));
    News::wrong(
        name.as_ref().filter(|name| !title.contains(name.as_str())).map_or_else(|| title.to_owned(), |name| format!("{title} on {name}")),
    )
    .known_by(Some(arn.to_owned()))
    .at(at)
    .severity(text(finding, "severity").and_then(grade))
    .why(text(finding, "description"))
    .hint(remedy(finding))
    .affects(objects(finding, "resources").filter_map(|resource| text(resource, "id")))
    .detail("Score", plain_in(finding, "inspectorScore"))
    .detail("Packages", packages(finding))
    .detail("Code", code(finding))
    .detail("Ports", ports(finding))
    .detail("Exploit known", text(finding, "exploitAvailable").map(str::to_lowercase))
    .detail("Fix available", text(finding, "fixAvailable").map(str::to_lowercase))
    .page(event.place().or(place.clone()).console(&page))
    .link("Vulnerability", text(finding, "packageVulnerabilityDetails.sourceUrl"))
    .in_place(place)
    .only()
}

fn grade(severity: &str) -> Option<Severity> {
    match severity {
        "CRITICAL" => Some(Severity::P1),
        "HIGH" => Some(Severity::P2),
        "MEDIUM" => Some(Severity::P3),
        "LOW" | "INFORMATIONAL" | "UNTRIAGED" => Some(Severity::P4),
        _ => None,
    }
}

/// What people call the resource.
fn name(resource: &Map<String, Value>) -> Option<String> {
    const NAMES: [&str; 4] = [
        "tags.Name",
        "details.awsLambdaFunction.functionName",
        "details.awsEcrContainerImage.repositoryName",
        "details.codeRepository.projectName",
    ];
    let named = NAMES.into_iter().find_map(|way| text(resource, way));
    let id = || text(resource, "id").filter(|id| !id.contains([':', '/']));
    named.or_else(id).map(str::to_owned)
}

fn remedy(finding: &Map<String, Value>) -> Option<&str> {
    let said = text(finding, "remediation.recommendation.text").filter(|said| *said != "None Provided");
    said.or_else(|| objects(finding, "packageVulnerabilityDetails.vulnerablePackages").find_map(|package| text(package, "remediation")))
}

/// `snapd 2.63, repaired in 2.63.1`.
fn packages(finding: &Map<String, Value>) -> Option<String> {
    let package = |package: &Map<String, Value>| {
        let name = text(package, "name")?;
        let version = text(package, "version").map(|version| format!(" {version}")).unwrap_or_default();
        // It says so where there is none.
        let repaired = text(package, "fixedInVersion").filter(|version| *version != "NotAvailable");
        let repaired = repaired.map(|version| format!(", repaired in {version}")).unwrap_or_default();
        Some(format!("{name}{version}{repaired}"))
    };
    let all: Vec<String> = objects(finding, "packageVulnerabilityDetails.vulnerablePackages").filter_map(package).take(3).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn code(finding: &Map<String, Value>) -> Option<String> {
    let file = text(finding, "codeVulnerabilityDetails.filePath.filePath")?;
    let line = plain_in(finding, "codeVulnerabilityDetails.filePath.startLine").map(|line| format!(", line {line}")).unwrap_or_default();
    Some(format!("{file}{line}"))
}

fn ports(finding: &Map<String, Value>) -> Option<String> {
    let reach = object(finding, "networkReachabilityDetails")?;
    let (begin, end) = (plain_in(reach, "openPortRange.begin")?, plain_in(reach, "openPortRange.end")?);
    let ports = if begin == end { begin } else { format!("{begin} to {end}") };
    Some(text(reach, "protocol").map_or_else(|| ports.clone(), |protocol| format!("{protocol} {ports}")))
}

/// `2 critical, 5 high`, where there are some.
fn serious(counts: &Map<String, Value>) -> Option<String> {
    let count = |label: &str| number(counts, label).filter(|count| *count > 0.0).map(|count| format!("{count} {}", label.to_lowercase()));
    let all: Vec<String> = ["CRITICAL", "HIGH"].into_iter().filter_map(count).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

fn scanned(event: &Event, scan: &Map<String, Value>) -> Option<Vec<News>> {
    let Some(serious) = object(scan, "finding-severity-counts").and_then(serious) else {
        return News::nothing("a first scan found nothing critical or high").only();
    };
    let repository = text(scan, "repository-name").and_then(|name| name.rsplit('/').next());
    let resource = ["instance-id", "machine-image-id"].into_iter().find_map(|way| text(scan, way)).or(repository);
    let resource = resource.or_else(|| event.resources().first()?.rsplit("function:").next())?;
    let tags: Vec<&str> = crate::intake::fields::texts(scan, "image-tags").collect();
    News::notice(format!("The first scan of {resource} found {serious} vulnerabilities"))
        .severity(Some(Severity::P4))
        .detail("Vulnerabilities", plain_in(scan, "finding-severity-counts.TOTAL"))
        .detail("Image", (!tags.is_empty()).then(|| tags.join(", ")))
        .page(event.place().console("inspector/v2/home#/findings/all"))
        .only()
}

fn on_demand(event: &Event, scan: &Map<String, Value>) -> Option<Vec<News>> {
    let resource = text(scan, "resourceId")?;
    let serious = object(scan, "findingSeverityCounts").and_then(serious);
    let (news, severity) = match (text(scan, "scanStatus"), serious) {
        (Some("SUCCESSFUL"), None) => return News::nothing("a scan found nothing critical or high").only(),
        (Some("SUCCESSFUL"), Some(serious)) => {
            (News::notice(format!("The scan of {resource} found {serious} vulnerabilities")), Severity::P4)
        }
        _ => (News::wrong(format!("{resource} could not be scanned")), Severity::P3),
    };
    news.at(time_in(scan, "completedAt"))
        .severity(Some(severity))
        .detail("Vulnerabilities", plain_in(scan, "findingSeverityCounts.TOTAL"))
        .detail("Reason", text(scan, "scanStatusReason"))
        .detail("Scan", text(scan, "scanId"))
        .page(event.place().console("inspector/v2/home#/findings/all"))
        .only()
}

fn coverage(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let resource = event.resources().first()?;
    let scan = text(detail, "scanType").unwrap_or("scan");
    let key = Some(format!("inspector:coverage:{scan}:{resource}"));
    let at = time_in(detail, "eventTimestamp");
    let reason = text(detail, "scanStatus.reason").unwrap_or_default();
    if text(detail, "scanStatus.statusCodeValue") == Some("ACTIVE") {
        return News::over(Some("It is scanned.")).known_by(key).at(at).only();
    }
    if BY_DESIGN.contains(&reason) {
        return News::over(Some("It need not be scanned any more.")).known_by(key).at(at).only();
    }
    let name = last_name(resource);
    News::wrong(format!("Inspector does not scan {name}"))
        .known_by(key)
        .at(at)
        .severity(Some(Severity::P4))
        .detail("Reason", (!reason.is_empty()).then_some(reason))
        .detail("Scan", Some(scan))
        .page(event.place().console("inspector/v2/home#/coverage"))
        .only()
}

fn auto_enable(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let reason = text(detail, "Reason")?;
    News::wrong("Inspector could not be enabled for a member account")
        .known_by(event.place().arn("inspector2", "auto-enable"))
        .severity(Some(Severity::P3))
        .why(Some(reason))
        .detail("Status", text(detail, "AutoEnableStatus"))
        .page(event.place().console("inspector/v2/home#/account-management"))
        .only()
}
