//! ECR: images that were pushed and scanned, and copies of them that failed. <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html>
//!
//! - A scan is known by its repository, because the image that was scanned last is the one that will run; it is over when a scan finds nothing of weight.
//!   It counts findings by CVSS's words. An image that has a hole is not under attack, so each is a step milder than its word: CRITICAL is P2, HIGH P3,
//!   MEDIUM P4. What is lower alarms nobody. With enhanced scanning Inspector tells the findings.
//! - A copy that failed (replication P3, pull through cache P4) is known by its repository and what failed; one that succeeds ends it.
//! - A push or a deletion is a notice, one that failed P4.

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::Event;
use crate::intake::fields::{list, number, plain_in, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// The types of its events.
pub(super) const TYPES: &[&str] = &[SCAN, IMAGE, REFERRER, CACHE, REPLICATION, SCANNING];
const SCAN: &str = "ECR Image Scan";
const IMAGE: &str = "ECR Image Action";
const REFERRER: &str = "ECR Referrer Action";
const CACHE: &str = "ECR Pull Through Cache Action";
const REPLICATION: &str = "ECR Replication Action";
const SCANNING: &str = "ECR Scan Resource Change";

/// The scale of a scan, the worst first, and what it means here.
const SCALE: [(&str, Option<Severity>); 6] = [
    ("CRITICAL", Some(Severity::P2)),
    ("HIGH", Some(Severity::P3)),
    ("MEDIUM", Some(Severity::P4)),
    ("LOW", None),
    ("INFORMATIONAL", None),
    ("UNDEFINED", None),
];

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    match event.detail_type() {
        SCAN => scanned(event, detail),
        IMAGE => acted(event, detail),
        REPLICATION => copied(event, detail, text(detail, "result")?, "replicated", Severity::P3),
        CACHE => copied(event, detail, text(detail, "sync-status")?, "pulled through the cache", Severity::P4),
        REFERRER => News::nothing("nobody waits for what is kept beside an image").only(),
        SCANNING => scanning(detail),
        _ => None,
    }
}

/// The repository's ARN, with what it is about.
fn key(place: &Place, repository: &str, about: &str) -> Option<String> {
    Some(format!("{}{about}", place.arn("ecr", &format!("repository/{repository}"))?))
}

/// `checkout:v42`, or the beginning of its digest where it has no tag.
fn image(detail: &Map<String, Value>, repository: &str) -> String {
    let tag = text(detail, "image-tag").or_else(|| texts(detail, "image-tags").next());
    let digest = || text(detail, "image-digest")?.get(..19);
    match (tag, digest()) {
        (Some(tag), _) => format!("{repository}:{tag}"),
        (None, Some(digest)) => format!("{repository}@{digest}"),
        (None, None) => repository.to_owned(),
    }
}

/// The page of the image, or of its repository.
fn page(place: &Place, repository: &str, digest: Option<&str>) -> Option<String> {
    let repository = encoded(repository).replace("%2F", "/");
    let account = place.account.as_deref()?;
    let image = digest.map(|digest| format!("/_/image/{digest}/details")).unwrap_or_default();
    place.console(&format!("ecr/repositories/private/{account}/{repository}{image}"))
}

fn scanned(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let repository = text(detail, "repository-name")?;
    let image = image(detail, repository);
    let place = event.place();
    let key = key(&place, repository, "/scan");
    let digest = text(detail, "image-digest");
    match text(detail, "scan-status")? {
        "COMPLETE" | "ACTIVE" => {}
        "IN_PROGRESS" | "PENDING" | "INITIAL_SCAN_COMPLETE" => return News::nothing("the scan is under way").only(),
        status => {
            let notice = News::notice(format!("Image {image} could not be scanned")).affects([repository]).detail("Status", Some(status));
            return notice.page(page(&place, repository, digest)).only();
        }
    }
    let count = |word: &str| number(detail, &format!("finding-severity-counts.{word}")).is_some_and(|count| count > 0.0);
    let Some((worst, severity)) = SCALE.into_iter().find_map(|(word, severity)| Some((word, severity.filter(|_| count(word))?))) else {
        return News::over(Some(format!("The scan of {image} found nothing of weight."))).known_by(key).only();
    };
    let said = |(word, _): (&str, _)| {
        let way = format!("finding-severity-counts.{word}");
        plain_in(detail, &way).filter(|count| count != "0").map(|count| format!("{count} {}", word.to_lowercase()))
    };
    let counts: Vec<String> = SCALE.into_iter().filter_map(said).collect();
    News::wrong(format!("Image {image} has {} vulnerabilities", worst.to_lowercase()))
        .known_by(key)
        .severity(Some(severity))
        .affects([repository])
        .detail("Findings", Some(counts.join(", ")))
        .detail("Digest", digest)
        .page(page(&place, repository, digest))
        .only()
}

fn acted(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let repository = text(detail, "repository-name")?;
    let image = image(detail, repository);
    let action = text(detail, "action-type")?;
    let done = match (action, text(detail, "target-storage-class")) {
        ("PUSH", _) => "pushed",
        ("DELETE", _) => "deleted",
        ("UPDATE_STORAGE_CLASS", Some("ARCHIVE")) => "archived",
        ("UPDATE_STORAGE_CLASS", Some("STANDARD")) => "restored",
        _ => "changed",
    };
    let place = event.place();
    let news = if text(detail, "result").is_none_or(|result| result == "SUCCESS") {
        News::notice(format!("Image {image} was {done}"))
    } else {
        News::wrong(format!("Image {image} could not be {done}")).severity(Some(Severity::P4))
    };
    // A deleted image has no page any more.
    let digest = text(detail, "image-digest").filter(|_| action != "DELETE");
    news.affects([repository]).detail("Digest", text(detail, "image-digest")).page(page(&place, repository, digest)).only()
}

/// An image that was copied from elsewhere, or was not.
fn copied(event: &Event, detail: &Map<String, Value>, result: &str, done: &str, severity: Severity) -> Option<Vec<News>> {
    let repository = text(detail, "repository-name")?;
    let place = event.place();
    let about = if done == "replicated" { "/replication" } else { "/cache" };
    let key = key(&place, repository, about);
    let image = image(detail, repository);
    match result {
        "SUCCESS" => return News::over(Some(format!("{image} was {done}."))).known_by(key).only(),
        "IN_PROGRESS" | "PENDING" => return News::nothing("the copy is under way").only(),
        _ => {}
    }
    News::wrong(format!("Image {image} could not be {done}"))
        .known_by(key)
        .severity(Some(severity))
        .why(text(detail, "failure-reason"))
        .affects([repository])
        .detail("Error", text(detail, "failure-code"))
        .detail("From region", text(detail, "source-region"))
        .detail("From account", text(detail, "source-account"))
        .detail("Upstream", text(detail, "upstream-registry-url"))
        .page(page(&place, repository, None))
        .only()
}

fn scanning(detail: &Map<String, Value>) -> Option<Vec<News>> {
    if text(detail, "action-type")? != "SCAN_FREQUENCY_CHANGE" {
        return News::nothing("what is scanned follows the images that there are").only();
    }
    let changed = list(detail, "repositories").iter().filter_map(Value::as_object);
    let said = |one: &Map<String, Value>| Some(format!("{}: {}", text(one, "repository-name")?, text(one, "scan-frequency")?));
    let all: Vec<String> = changed.filter_map(said).collect();
    News::notice("Repositories are scanned at other times").why((!all.is_empty()).then(|| all.join("\n"))).only()
}
