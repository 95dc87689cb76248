//! Macie: sensitive data in objects, and buckets that are open. <https://docs.aws.amazon.com/macie/latest/user/findings-publish-event-schemas.html>
//!
//! - A finding is known by its id. That a bucket is open is said again while it is; each object with sensitive data is a finding of its own. Macie does not
//!   say when one is over, unless it is archived.
//! - Its severity: high is P2, because there is nothing above it that would call for a night's sleep; medium is P3 and low P4. A bucket that all the world can
//!   read is high. <https://docs.aws.amazon.com/macie/latest/user/findings-severity.html>

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{get, number, object, objects, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let finding = event.object()?;
    let (id, title) = (text(finding, "id")?, text(finding, "title")?);
    let key = Some(format!("macie:{id}"));
    let at = time_in(finding, "updatedAt");
    if get(finding, "archived").and_then(Value::as_bool) == Some(true) {
        return News::over(Some("The finding was archived.")).known_by(key).at(at).only();
    }
    let bucket = text(finding, "resourcesAffected.s3Bucket.name");
    let path = text(finding, "resourcesAffected.s3Object.path");
    let itself = Place {
        account: text(finding, "accountId").map(str::to_owned),
        region: text(finding, "region").map(str::to_owned),
        ..Place::default()
    };
    let place = itself.or(event.place());
    let object_page = path.zip(bucket).and_then(|(path, bucket)| path.strip_prefix(bucket)?.strip_prefix('/'));
    let object_page = object_page.zip(bucket).map(|(key, bucket)| format!("s3/object/{}?prefix={}", encoded(bucket), encoded(key)));
    let bucket_page = bucket.map(|bucket| format!("s3/buckets/{}", encoded(bucket)));
    News::wrong(named(title, path, bucket))
        .known_by(key)
        .at(at)
        .severity(grade(finding))
        .why(text(finding, "description"))
        .affects(path.or(bucket).map(|name| format!("s3://{name}")))
        .detail("Type", text(finding, "type"))
        .detail("Found", sensitive(finding))
        .detail("The bucket is", text(finding, "resourcesAffected.s3Bucket.publicAccess.effectivePermission").and_then(openness))
        .detail("Done by", actor(finding))
        .detail("Call", text(finding, "policyDetails.action.apiCallDetails.api"))
        .detail("Seen", plain_in(finding, "count").filter(|count| count != "1").map(|count| format!("{count} times")))
        .page(place.console(&format!("macie/home#findings?itemId={}", encoded(id))))
        .link("Object", object_page.as_deref().and_then(|page| place.console(page)))
        .link("Bucket", bucket_page.as_deref().and_then(|page| place.console(page)))
        .in_place(place)
        .only()
}

/// The title with what it is about, which it does not name: `The S3 object contains personal information: exports/customers.csv`.
fn named(title: &str, path: Option<&str>, bucket: Option<&str>) -> String {
    let object = path.zip(bucket).and_then(|(path, bucket)| path.strip_prefix(bucket)?.strip_prefix('/')).or(path);
    let title = title.trim_end_matches('.');
    object.or(bucket).map_or_else(|| title.to_owned(), |name| format!("{title}: {name}"))
}

fn grade(finding: &Map<String, Value>) -> Option<Severity> {
    let from_number = || {
        number(finding, "severity.score").map(|score| match score {
            3.0.. => Severity::P2,
            2.0.. => Severity::P3,
            _ => Severity::P4,
        })
    };
    match text(finding, "severity.description") {
        Some("High") => Some(Severity::P2),
        Some("Medium") => Some(Severity::P3),
        Some("Low") => Some(Severity::P4),
        _ => from_number(),
    }
}

/// `65 personal information (30 usa social security number, 35 name)`; how much of what, never the data.
fn sensitive(finding: &Map<String, Value>) -> Option<String> {
    let result = object(finding, "classificationDetails.result")?;
    let words = |name: &str| name.replace('_', " ").to_lowercase();
    let detections = |of: &Map<String, Value>| {
        let each = |found: &Map<String, Value>| {
            let what = text(found, "type").map(words).or_else(|| text(found, "name").map(str::to_owned))?;
            Some(format!("{} {what}", plain_in(found, "count")?))
        };
        let all: Vec<String> = objects(of, "detections").filter_map(each).collect();
        if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) }
    };
    let category = |of: &Map<String, Value>| {
        let name = text(of, "category").map(words)?;
        Some(format!("{} {name}{}", plain_in(of, "totalCount")?, detections(of)))
    };
    let mut all: Vec<String> = objects(result, "sensitiveData").filter_map(category).collect();
    let custom = object(result, "customDataIdentifiers").filter(|custom| number(custom, "totalCount").is_some_and(|count| count > 0.0));
    all.extend(custom.and_then(|custom| Some(format!("{} of your own{}", plain_in(custom, "totalCount")?, detections(custom)))));
    (!all.is_empty()).then(|| all.join("; "))
}

fn openness(permission: &str) -> Option<&str> {
    match permission {
        "PUBLIC" => Some("open to all the world"),
        "NOT_PUBLIC" => Some("not public"),
        _ => None,
    }
}

/// Who did what opened it.
fn actor(finding: &Map<String, Value>) -> Option<&str> {
    const NAMES: [&str; 5] = ["assumedRole.arn", "iamUser.userName", "federatedUser.arn", "root.arn", "awsService.invokedBy"];
    let identity = object(finding, "policyDetails.actor.userIdentity")?;
    NAMES.into_iter().find_map(|way| text(identity, way))
}
