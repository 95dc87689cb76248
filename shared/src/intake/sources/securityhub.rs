//! Security Hub: findings of its standards and of the products that report to it, in two forms. <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html>
//!
//! - Security Hub CSPM writes ASFF. A finding is known by its id. It is over when it is resolved, suppressed or archived, or when its check is passed.
//!   <https://docs.aws.amazon.com/securityhub/latest/userguide/finding-workflow-status.html>
//! - The newer Security Hub writes OCSF (`Findings Imported V2`); known by `finding_info.uid`, over when it is suppressed or resolved.
//!   <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-v2-cwe-event-formats.html>
//! - Its severity in both: critical is P1, high P2, medium P3, low and informational P4. Older findings have but a number: 90 and more is critical, 70 and
//!   more high, 40 and more medium. <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Severity.html>
//! - A custom action is somebody's wish to see a finding here, so that one is shown however it stands. The results of an insight are told.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{list, number, objects, plain, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// How many of an insight's results are told.
const RESULTS: usize = 5;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    if event.detail_type() == "Security Hub Insight Results" {
        return insight(event, detail);
    }
    let newer = event.detail_type() == "Findings Imported V2";
    // One that cannot be read leaves all of them to be shown as they are.
    let news: Option<Vec<News>> =
        objects(detail, "findings").map(|finding| if newer { ocsf(event, finding) } else { asff(event, detail, finding) }).collect();
    news.filter(|news| !news.is_empty())
}

/// An ASFF finding. <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html>
fn asff(event: &Event, detail: &Map<String, Value>, finding: &Map<String, Value>) -> Option<News> {
    let title = text(finding, "Title")?;
    let action = text(detail, "actionName");
    // Older findings say it here only.
    let id = text(finding, "Id").or_else(|| text(finding, "ProductFields.aws/securityhub/FindingId"));
    let key = id.map(str::to_owned);
    let at = at(event, finding, &["UpdatedAt", "LastObservedAt"]);
    if action.is_none()
        && let Some(why) = ended(finding)
    {
        return Some(News::over(Some(why)).known_by(key).at(at));
    }
    let itself = Place {
        region: text(finding, "Region").map(str::to_owned),
        account: text(finding, "AwsAccountId").map(str::to_owned),
        ..Place::default()
    };
    let place = itself.or(event.place());
    let resources: Vec<&str> = objects(finding, "Resources").filter_map(|resource| text(resource, "Id")).collect();
    let control = text(finding, "Compliance.SecurityControlId").or_else(|| text(finding, "ProductFields.ControlId"));
    let remedy = text(finding, "Remediation.Recommendation.Url");
    let news = News::wrong(titled(title, control, &resources))
        .known_by(key)
        .at(at)
        .severity(asff_grade(finding))
        .why(text(finding, "Description"))
        // With a link, the text says no more than to follow it.
        .hint(text(finding, "Remediation.Recommendation.Text").filter(|_| remedy.is_none()))
        .affects_only(resources)
        .detail("Found by", product(finding).filter(|product| *product != "Security Hub"))
        .detail("Control", control)
        .detail("Check", text(finding, "Compliance.Status").map(words))
        .detail("Type", texts(finding, "Types").next().filter(|_| control.is_none()))
        .moment("First seen", time_in(finding, "FirstObservedAt"))
        .detail("Sent by", action.map(|action| format!("the custom action {action}")))
        // The console seeks a finding in its own region, which for a gathered one is the region that gathers them.
        .page(id.and_then(|id| event.place().or(place.clone()).console(&page(id))))
        .link("Remediation", remedy)
        .in_place(place);
    Some(news)
}

/// When it came to be so. A finding keeps the time of its last update when somebody resolves it, so EventBridge's time orders what is said about it.
fn at(event: &Event, finding: &Map<String, Value>, ways: &[&str]) -> Option<Timestamp> {
    event.bridge.as_ref().and_then(|bridge| bridge.time).or_else(|| ways.iter().find_map(|way| time_in(finding, way)))
}

/// A control says what should be; the resource says where it is not.
fn titled(title: &str, control: Option<&str>, resources: &[&str]) -> String {
    let title = title.trim_end_matches('.');
    let resource = control.and(resources.first()).map(|arn| last_name(arn));
    resource.map_or_else(|| title.to_owned(), |name| format!("{title}: {name}"))
}

/// The console's list of findings with one in it; its filter is encoded twice.
fn page(id: &str) -> String {
    format!("securityhub/home#/findings?search=Id%3D%255Coperator%255C%253AEQUALS%255C%253A{}", encoded(&encoded(id)))
}

/// Why nobody has to look at it any more.
fn ended(finding: &Map<String, Value>) -> Option<&'static str> {
    let workflow = text(finding, "Workflow.Status").or_else(|| text(finding, "WorkflowState"));
    match (text(finding, "Compliance.Status"), workflow, text(finding, "RecordState")) {
        (Some("PASSED"), ..) => Some("The check is passed."),
        (_, Some("RESOLVED"), _) => Some("The finding was resolved."),
        (_, Some("SUPPRESSED"), _) => Some("The finding was suppressed."),
        (.., Some("ARCHIVED")) => Some("The finding was archived."),
        _ => None,
    }
}

fn asff_grade(finding: &Map<String, Value>) -> Option<Severity> {
    let from_number = || {
        number(finding, "Severity.Normalized").map(|normalized| match normalized {
            90.0.. => Severity::P1,
            70.0.. => Severity::P2,
            40.0.. => Severity::P3,
            _ => Severity::P4,
        })
    };
    text(finding, "Severity.Label").and_then(grade).or_else(from_number)
}

fn grade(label: &str) -> Option<Severity> {
    match label.to_ascii_uppercase().as_str() {
        "CRITICAL" | "FATAL" => Some(Severity::P1),
        "HIGH" => Some(Severity::P2),
        "MEDIUM" => Some(Severity::P3),
        "LOW" | "INFORMATIONAL" => Some(Severity::P4),
        _ => None,
    }
}

/// The product that found it.
fn product(finding: &Map<String, Value>) -> Option<&str> {
    text(finding, "ProductName").or_else(|| text(finding, "ProductFields.aws/securityhub/ProductName"))
}

/// `not available` for `NOT_AVAILABLE`.
fn words(state: &str) -> String {
    state.replace('_', " ").to_lowercase()
}

/// An OCSF finding. <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-ocsf.html>
fn ocsf(event: &Event, finding: &Map<String, Value>) -> Option<News> {
    let title = text(finding, "finding_info.title")?;
    let id = text(finding, "finding_info.uid").or_else(|| text(finding, "metadata.uid"))?;
    let at = at(event, finding, &["finding_info.modified_time_dt", "time_dt", "time"]);
    let status = text(finding, "status").map(str::to_owned).or_else(|| status(number(finding, "status_id")?));
    let passed = text(finding, "compliance.status") == Some("Pass");
    let why = match status.as_deref() {
        _ if passed => Some("The check is passed."),
        Some("Suppressed") => Some("The finding was suppressed."),
        Some("Resolved") => Some("The finding was resolved."),
        Some("Archived" | "Deleted") => Some("The finding was archived."),
        _ => None,
    };
    if let Some(why) = why {
        return Some(News::over(Some(why)).known_by(Some(id.to_owned())).at(at));
    }
    let itself = Place {
        region: text(finding, "cloud.region").map(str::to_owned),
        account: text(finding, "cloud.account.uid").map(str::to_owned),
        ..Place::default()
    };
    let place = itself.or(event.place());
    let resource = |resource| text(resource, "uid_alt").or_else(|| text(resource, "uid")).or_else(|| text(resource, "name"));
    let search =
        format!("securityhub/v2/home#/findings?search=finding_info.uid%3D%255Coperator%255C%253AEQUALS%255C%253A{}", encoded(&encoded(id)));
    let resources: Vec<&str> = objects(finding, "resources").filter_map(resource).collect();
    let control = text(finding, "compliance.control");
    let news = News::wrong(titled(title, control, &resources))
        .known_by(Some(id.to_owned()))
        .at(at)
        .severity(ocsf_grade(finding))
        .why(text(finding, "finding_info.desc"))
        .hint(text(finding, "remediation.desc"))
        .affects_only(resources)
        .detail("Found by", text(finding, "metadata.product.name").filter(|product| *product != "Security Hub"))
        .detail("Control", control)
        .detail("Type", texts(finding, "finding_info.types").next().filter(|_| control.is_none()))
        .moment("First seen", time_in(finding, "finding_info.first_seen_time_dt"))
        .detail("Status", status.filter(|status| status != "New"))
        .page(event.place().or(place.clone()).console(&search))
        .link("Remediation", texts(finding, "remediation.references").next())
        .in_place(place);
    Some(news)
}

/// OCSF's numbers for its states.
fn status(id: f64) -> Option<String> {
    let word = match id {
        1.0 => "New",
        2.0 => "In Progress",
        3.0 => "Suppressed",
        4.0 => "Resolved",
        5.0 => "Archived",
        6.0 => "Deleted",
        _ => return None,
    };
    Some(word.to_owned())
}

fn ocsf_grade(finding: &Map<String, Value>) -> Option<Severity> {
    let from_number = || {
        number(finding, "severity_id").and_then(|id| match id {
            5.0.. => Some(Severity::P1),
            4.0 => Some(Severity::P2),
            3.0 => Some(Severity::P3),
            1.0 | 2.0 => Some(Severity::P4),
            _ => None,
        })
    };
    text(finding, "severity").and_then(grade).or_else(from_number)
}

/// What an insight came to, which somebody sent here.
fn insight(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let name = text(detail, "insightName")?;
    let results = list(detail, "insightResults");
    let told = results.iter().filter_map(Value::as_object).flatten().take(RESULTS);
    let told: Vec<String> = told.filter_map(|(what, count)| Some(format!("{what}: {}", plain(count)?))).collect();
    News::notice(format!("{name}: {} results", results.len()))
        .severity(Some(Severity::P4))
        .why((!told.is_empty()).then(|| told.join("\n")))
        .affects_only(None::<String>)
        .detail("Results are", text(detail, "resultType"))
        .detail("Sent by", text(detail, "actionName").map(|action| format!("the custom action {action}")))
        .page(event.place().console("securityhub/home#/insights"))
        .only()
}
