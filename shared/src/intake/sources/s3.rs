//! S3: objects that came, went or changed, where somebody asked to be told. EventBridge sends one event for each, the older notifications come as records.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
//!
//! - Nobody has to do anything about an object that came or went, so these are notices (P4), each one of its own.
//! - An object that S3 lost is P2; one that could not be replicated is P3, known by its name, and over when it was replicated after all.
//! - What S3 does by rule (lifecycle, storage classes) is not told.

use serde_json::{Map, Value};

use crate::domain::severity::Severity::{P2, P3, P4};
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded, is_region};

/// One object.
struct Object<'a> {
    bucket: &'a str,
    key: String,
    /// It has no page of its own any more.
    is_gone: bool,
    place: Place,
}

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    if event.bridge.is_some() { by_bridge(event, detail) } else { by_record(event, detail) }?.only()
}

fn by_bridge(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let is_gone = event.detail_type() == "Object Deleted";
    let object =
        Object { bucket: text(detail, "bucket.name")?, key: text(detail, "object.key")?.to_owned(), is_gone, place: event.place() };
    let by_rule = text(detail, "reason") == Some("Lifecycle Expiration");
    let says = match event.detail_type() {
        "Object Deleted" if by_rule => return Some(News::nothing("S3 deletes by the rules of the bucket's lifecycle")),
        "Object Storage Class Changed" | "Object Access Tier Changed" => {
            return Some(News::nothing("S3 moves objects by the rules of their bucket"));
        }
        "Object Created" => "was put into",
        "Object Deleted" => "was deleted from",
        "Object Restore Initiated" => "is being restored from the archive of",
        "Object Restore Completed" => "was restored from the archive of",
        "Object Restore Expired" => "is in the archive again of",
        "Object Tags Added" => "has other tags in",
        "Object Tags Deleted" => "lost its tags in",
        "Object ACL Updated" => "has other permissions in",
        _ => "was changed in",
    };
    let news = object
        .told(says)
        .detail("Restored until", text(detail, "restore-expiry-time"))
        .detail("Deletion", text(detail, "deletion-type"))
        .detail("Call", text(detail, "reason"))
        .detail("By", text(detail, "requester"))
        .detail("From", text(detail, "source-ip-address"));
    Some(object.dressed(news, detail, "object"))
}

fn by_record(event: &Event, record: &Map<String, Value>) -> Option<News> {
    let region = text(record, "awsRegion").filter(|region| is_region(region)).map(str::to_owned);
    let place = Place { region, ..Place::default() }.or(event.place());
    let name = text(record, "eventName")?.trim_start_matches("s3:");
    let is_gone = name.starts_with("ObjectRemoved") || name.starts_with("ReducedRedundancyLostObject");
    let object = Object { bucket: text(record, "s3.bucket.name")?, key: decoded(text(record, "s3.object.key")?), is_gone, place };
    let key = Some(format!("s3:{}/{}", object.bucket, object.key));
    let (kind, call) = name.split_once(':').unwrap_or((name, ""));
    let news = match (kind, call) {
        ("LifecycleExpiration" | "LifecycleTransition" | "IntelligentTiering", _) => {
            return Some(News::nothing("S3 does this by the rules of the bucket"));
        }
        ("ReducedRedundancyLostObject", _) => News::wrong(object.title("was lost by S3 in")).known_by(key).severity(Some(P2)),
        ("Replication", "OperationFailedReplication") => {
            News::wrong(object.title("could not be replicated from")).known_by(key).severity(Some(P3))
        }
        ("Replication", "OperationMissedThreshold") => {
            News::wrong(object.title("is replicated too slowly from")).known_by(key).severity(Some(P3))
        }
        ("Replication", "OperationReplicatedAfterThreshold") => return Some(News::over(Some("It was replicated, if late.")).known_by(key)),
        ("ObjectCreated", _) => object.told("was put into"),
        ("ObjectRemoved", _) => object.told("was deleted from"),
        ("ObjectRestore", "Post") => object.told("is being restored from the archive of"),
        ("ObjectRestore", "Completed") => object.told("was restored from the archive of"),
        ("ObjectRestore", _) => object.told("is in the archive again of"),
        ("ObjectTagging", _) => object.told("has other tags in"),
        ("ObjectAcl", _) => object.told("has other permissions in"),
        _ => object.told("was changed in").detail("Event", Some(name)),
    };
    let news = news
        .at(time_in(record, "eventTime"))
        .detail("Call", Some(call).filter(|call| !call.is_empty()))
        .detail("By", text(record, "userIdentity.principalId"))
        .detail("From", text(record, "requestParameters.sourceIPAddress"));
    Some(object.dressed(news, record, "s3.object"))
}

impl Object<'_> {
    fn title(&self, says: &str) -> String {
        format!("{} {says} {}", self.key, self.bucket)
    }

    fn told(&self, says: &str) -> News {
        News::notice(self.title(says)).severity(Some(P4))
    }

    fn dressed(&self, news: News, detail: &Map<String, Value>, object: &str) -> News {
        let page = if self.is_gone {
            format!("s3/buckets/{}", encoded(self.bucket))
        } else {
            format!("s3/object/{}?prefix={}", encoded(self.bucket), encoded(&self.key))
        };
        news.affects([format!("s3://{}/{}", self.bucket, self.key)])
            .detail("Size", plain_in(detail, &format!("{object}.size")).map(|size| format!("{size} bytes")))
            .page(self.place.console(&page))
            .in_place(self.place.clone())
    }
}

/// The name of an object as its owner knows it: records write it as browsers write forms, with `+` for a space.
fn decoded(key: &str) -> String {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        let ahead = rest.clone();
        let mut hex = ahead.clone().take(2).filter_map(|digit| char::from(digit).to_digit(16));
        match (byte, hex.next(), hex.next()) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = ahead;
                rest.next();
                rest.next();
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| key.to_owned())
}
