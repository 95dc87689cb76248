//! KMS: keys that are deleted, expire or are rotated. <https://docs.aws.amazon.com/kms/latest/developerguide/kms-events.html>
//!
//! - A key is known by its ARN. What people do with it comes through CloudTrail: that it is to be deleted is over when the deletion is canceled, that it is
//!   disabled (`/disabled` behind its ARN) when it is enabled again. <https://docs.aws.amazon.com/kms/latest/developerguide/ct-schedule-key-deletion.html>
//! - There is no scale. What was encrypted with a key that is gone or has expired cannot be read any more: P2. What somebody can still take back is P3.
//! - A rotation changes nothing for anybody, and is a notice; so is any other call.

use serde_json::{Map, Value};

use super::cloudtrail;
use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event, last_name, time_in};
use crate::intake::fields::{plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// The types of its events.
pub(super) const TYPES: &[&str] = &[DELETION, ROTATION, EXPIRATION, CALL];
const DELETION: &str = "KMS CMK Deletion";
const ROTATION: &str = "KMS CMK Rotation";
const EXPIRATION: &str = "KMS Imported Key Material Expiration";
const CALL: &str = "AWS API Call via CloudTrail";

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    if event.detail_type() == CALL {
        return called(event, detail);
    }
    let id = text(detail, "key-id")?;
    let place = event.place();
    let key = event.resources().first().cloned().or_else(|| place.arn("kms", &format!("key/{id}")));
    let news = match event.detail_type() {
        DELETION => News::wrong(format!("KMS key {} was deleted", short(id))).severity(Some(Severity::P2)).why(Some(GONE)),
        EXPIRATION => News::wrong(format!("The imported material of KMS key {} has expired", short(id)))
            .severity(Some(Severity::P2))
            .why(Some(GONE))
            .hint(Some("Import the same key material again.")),
        ROTATION => return News::notice(format!("KMS key {} was rotated", short(id))).affects([id]).page(page(&place, id)).only(),
        _ => return None,
    };
    news.known_by(key).affects([id]).page(page(&place, id)).only()
}

/// Why a key that is gone matters.
const GONE: &str = "What was encrypted with this key cannot be decrypted any more.";

/// The beginning of a key's id, by which a person knows it again.
fn short(id: &str) -> String {
    id.get(..8).filter(|_| id.len() > 12).map_or_else(|| id.to_owned(), |beginning| format!("{beginning}…"))
}

fn page(place: &Place, id: &str) -> Option<String> {
    place.console(&format!("kms/home#/kms/keys/{}", encoded(id)))
}

fn called(event: &Event, call: &Map<String, Value>) -> Option<Vec<News>> {
    // What was denied or failed is the call's story, not the key's.
    if text(call, "errorCode").is_some() {
        return cloudtrail::read(event);
    }
    let action = text(call, "eventName")?;
    let who = text(call, "userIdentity.arn").map(last_name);
    let at = time_in(call, "eventTime");
    let Some(named) = KEYS.into_iter().find_map(|way| text(call, way)) else {
        let title = format!("{} called {action} of KMS", who.unwrap_or("Somebody"));
        return News::notice(title).at(at).only();
    };
    let place = Arn::parse(named).map(|arn| Place::of(&arn)).unwrap_or_default().or(event.place());
    let id = last_name(named);
    let key = place.arn("kms", &format!("key/{id}"));
    let disabled = key.as_ref().map(|key| format!("{key}/disabled"));
    let over = |why: &str, key| News::over(Some(why)).known_by(key).at(at).only();
    let wrong = |says: &str, hint: &str, key| {
        News::wrong(format!("KMS key {} {says}", short(id))).severity(Some(Severity::P3)).hint(Some(hint)).known_by(key)
    };
    let news = match action {
        "CancelKeyDeletion" => return over("The key is not deleted after all.", key),
        "EnableKey" => return over("The key is enabled again.", disabled),
        "ScheduleKeyDeletion" => {
            wrong("is to be deleted", "Cancel the deletion if anything still needs the key: nothing brings it back.", key)
        }
        "DisableKey" => wrong("was disabled", "Enable it if anything still needs it: nothing encrypted with it can be read.", disabled),
        other => News::notice(format!("{} called {other} for KMS key {}", who.unwrap_or("Somebody"), short(id))),
    };
    news.at(at)
        .affects([id])
        .detail("By", who)
        .detail("Deleted on", plain_in(call, "responseElements.deletionDate"))
        .detail("Days until then", plain_in(call, "requestParameters.pendingWindowInDays"))
        .page(page(&place, id))
        .in_place(place)
        .only()
}

/// Where a call names its key, the best first: an ARN says where it is.
const KEYS: [&str; 3] = ["responseElements.keyId", "resources.0.ARN", "requestParameters.keyId"];
