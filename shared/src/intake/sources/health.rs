//! Health: what AWS says about its own services, what it is going to change, and who complains about what runs here.
//! <https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html>
//!
//! - An event is known by its ARN, which stays the same from `upcoming` over `open` to `closed`. What concerns single accounts has one ARN for all of them, so
//!   there the account belongs to the key. Its time is that of its last update, because a start may lie days ahead.
//! - There is no scale. An issue hurts now: P2, and so does a complaint about abuse. An investigation and a planned change are P3. Everything else is told (P4)
//!   unless it demands something (P3).
//! - A long list of resources comes in pages that say the same otherwise; the first one tells it.
//!   <https://docs.aws.amazon.com/health/latest/ug/pagnation-of-health-events.html>

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event, last_name, time_in};
use crate::intake::fields::{number, object, objects, plain, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded, is_region};

/// Words that are no words.
const ABBREVIATIONS: [&str; 14] = ["API", "AZ", "CPU", "DB", "DNS", "DOS", "EBS", "IAM", "IP", "SSH", "SSL", "TLS", "VPC", "VPN"];

/// Entities that name no resource.
const NOBODY: [&str; 3] = ["AWS_ACCOUNT", "UNKNOWN", "NONE"];

/// How much of what else AWS says about an event is shown.
const METADATA_SHOWN: usize = 3;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let (arn, code) = (text(detail, "eventArn")?, text(detail, "eventTypeCode")?);
    if number(detail, "page").is_some_and(|page| page > 1.0) {
        return News::nothing("a further page of a Health event, which its first page tells").only();
    }
    let place = place(event, detail);
    let key = key(arn, detail, &place);
    let changed = time_in(detail, "lastUpdatedTime");
    // What a backup region sends as well, under another id of EventBridge's, is the same communication.
    let once = |news: News| match text(detail, "communicationId") {
        Some(communication) => news.the_same_as(&["health", &key, communication, text(detail, "statusCode").unwrap_or_default()]),
        None => news,
    };
    if text(detail, "statusCode") == Some("closed") {
        let over = News::over(Some(description(detail).unwrap_or("AWS has closed the event.")));
        return once(over).known_by(Some(key.clone())).at(changed).only();
    }
    let entities: Vec<&str> = objects(detail, "affectedEntities")
        .filter_map(|entity| text(entity, "entityValue"))
        .filter(|entity| !NOBODY.contains(entity))
        .collect();
    let is_abuse = event.detail_type() == "AWS Health Abuse Event";
    let title = title(detail, code, &entities, is_abuse);
    let demands = text(detail, "actionability") == Some("ACTION_REQUIRED");
    let (news, severity) = match text(detail, "eventTypeCategory").unwrap_or_default() {
        _ if is_abuse => (News::wrong(title), Severity::P2),
        "issue" => (News::wrong(title), Severity::P2),
        "accountNotification" if !demands => (News::notice(title), Severity::P4),
        _ => (News::wrong(title), Severity::P3),
    };
    once(dated(news, detail))
        .known_by(Some(key.clone()))
        .at(changed)
        .severity(Some(severity))
        .why(description(detail))
        .affects(entities)
        .page(dashboard(arn, &place))
        .in_place(place)
        .only()
}

/// One card tells of what concerns everybody, whichever accounts say so; what concerns an account is that account's own.
fn key(arn: &str, detail: &Map<String, Value>, place: &Place) -> String {
    match (text(detail, "eventScopeCode"), &place.account) {
        (Some("ACCOUNT_SPECIFIC"), Some(account)) => format!("{arn}/{account}"),
        _ => arn.to_owned(),
    }
}

/// The event knows better than its envelope, which says where it was delivered to.
fn place(event: &Event, detail: &Map<String, Value>) -> Place {
    let region = text(detail, "eventRegion").filter(|region| is_region(region)).map(str::to_owned);
    Place { partition: None, region, account: plain_in(detail, "affectedAccount") }.or(event.place())
}

/// `EC2 in eu-west-1: instance retirement scheduled (i-0c1d)`.
fn title(detail: &Map<String, Value>, code: &str, entities: &[&str], is_abuse: bool) -> String {
    let service = text(detail, "service").unwrap_or("AWS");
    let words = code.strip_prefix("AWS_").unwrap_or(code);
    let words = words.strip_prefix(service).and_then(|rest| rest.strip_prefix('_')).unwrap_or(words);
    let words: Vec<String> =
        words.split('_').map(|word| if ABBREVIATIONS.contains(&word) { word.to_owned() } else { word.to_lowercase() }).collect();
    let words = words.join(" ");
    let what = match entities {
        [] => String::new(),
        [entity] => format!(" ({})", name(entity)),
        several => format!(" ({} resources)", several.len()),
    };
    if is_abuse {
        return format!("Abuse is reported to AWS: {words}{what}");
    }
    let region = text(detail, "eventRegion").filter(|region| is_region(region)).map(|region| format!(" in {region}"));
    format!("{service}{}: {words}{what}", region.unwrap_or_default())
}

/// What stands last in an ARN, or the whole name.
fn name(entity: &str) -> &str {
    if entity.starts_with("arn:") { last_name(entity) } else { entity }
}

fn description(detail: &Map<String, Value>) -> Option<&str> {
    text(detail, "eventDescription.0.latestDescription").or_else(|| text(detail, "eventDescription.latestDescription"))
}

/// When it began or is planned, whom it concerns, and what AWS says besides.
fn dated(news: News, detail: &Map<String, Value>) -> News {
    let (began, ended) = match text(detail, "eventTypeCategory") {
        Some("scheduledChange" | "plannedChange") => ("Planned for", "Until"),
        Some("accountNotification") => ("From", "Until"),
        _ => ("Began", "Ended"),
    };
    let (start, end) = (time_in(detail, "startTime"), time_in(detail, "endTime"));
    let end = end.filter(|end| start != Some(*end));
    let whom = (text(detail, "eventScopeCode") == Some("PUBLIC")).then_some("everybody in the region");
    let needed = match text(detail, "actionability") {
        Some("ACTION_REQUIRED") => Some("yes"),
        Some("ACTION_MAY_BE_REQUIRED") => Some("maybe"),
        _ => None,
    };
    let news = news.moment(began, start).moment(ended, end).detail("Concerns", whom).detail("Action needed", needed).detail(
        "Lists of resources",
        number(detail, "totalPages").filter(|pages| *pages > 1.0).map(|pages| format!("the first of {pages}")),
    );
    let metadata = object(detail, "eventMetadata").into_iter().flatten().take(METADATA_SHOWN);
    metadata.fold(news, |news, (label, value)| news.detail(&label.replace('_', " "), plain(value)))
}

/// Its page in the Health Dashboard, which has one address for all regions of the partition `aws`.
fn dashboard(arn: &str, place: &Place) -> Option<String> {
    let page = format!("health/home#/account/event-log?eventID={}&eventTab=details", encoded(arn));
    let partition = Arn::parse(arn).map(|arn| arn.partition);
    match partition.as_deref() {
        Some("aws") => Some(format!("https://health.console.aws.amazon.com/{page}")),
        _ => Place { partition, ..place.clone() }.console(&page),
    }
}
