//! DMS: tasks, instances and serverless replications that bring data from one database to another. The same is said by EventBridge and by SNS.
//! <https://docs.aws.amazon.com/dms/latest/userguide/CHAP_EventBridge.html>, <https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Events.html>
//!
//! - A task or instance is known by its ARN, which SNS does not say: there it is made from its name. Storage is a matter of its own.
//! - DMS has no scale. Data that does not arrive any more is P2, what only halts or is about to is P3. A task that stopped is P4, because a full load
//!   ends like this; that it has finished is said in the reason.
//! - Started, resumed, failed over: it is over.

use serde_json::{Map, Value};

use crate::domain::severity::Severity::{self, P2, P3, P4};
use crate::intake::event::{Arn, Event, time_in};
use crate::intake::fields::{first_sentence, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

#[derive(Clone, Copy)]
enum Means {
    Hurts(Severity),
    Over,
    Told,
    Nothing,
}

use Means::{Hurts, Nothing, Over, Told};

/// What an event means by its number, what it is about, and what stands behind the task's or instance's name in the title.
const EVENTS: &[(u16, Means, &str, &str)] = &[
    (78, Hurts(P2), "", "failed"),
    (91, Hurts(P3), "", "has stopped reading: its swap files are full"),
    (92, Hurts(P3), "", "has stopped reading: its disk is full"),
    (69, Over, "", ""),
    (93, Over, "", ""),
    (73, Over, "", ""),
    (81, Told, "", "loads tables again"),
    (80, Told, "", "was modified"),
    (74, Told, "", "was created"),
    (82, Hurts(P4), "/cleanup", "was deleted, and some of its data was not"),
    (13, Hurts(P2), "", "is failing over"),
    (50, Hurts(P2), "", "is being activated"),
    (31, Hurts(P2), "", "lost its storage"),
    (36, Hurts(P2), "", "does not fit its network"),
    (37, Hurts(P2), "", "cannot use its encryption key"),
    (26, Hurts(P3), "", "is down for maintenance"),
    (15, Over, "", ""),
    (27, Over, "", ""),
    (49, Over, "", ""),
    (51, Over, "", ""),
    (7, Hurts(P3), "/storage", "is running out of storage"),
    (17, Over, "/storage", ""),
    (68, Hurts(P4), "/upgrade", "cannot be upgraded"),
    (47, Told, "", "was updated"),
    (14, Told, "", "has another class"),
    (25, Told, "", "runs in several zones"),
    (29, Told, "", "runs in a single zone"),
    (5, Told, "", "was created"),
    (3, Told, "", "was deleted"),
    (12, Nothing, "", ""),
    (18, Nothing, "", ""),
    (24, Nothing, "", ""),
    (30, Nothing, "", ""),
    (34, Nothing, "", ""),
    (66, Nothing, "", ""),
    (67, Nothing, "", ""),
];

/// The number of an event that means many things: a load that is done, an error, or somebody's wish.
const STOPPED: u16 = 79;

struct Said<'a> {
    word: &'static str,
    name: &'a str,
    key: String,
    id: Option<&'a str>,
    kind: &'a str,
    message: &'a str,
    place: Place,
}

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let said = if event.bridge.is_some() { by_bridge(event, detail)? } else { by_sns(event, detail)? };
    let number = said.id.and_then(|id| id.rsplit('-').next()?.trim().parse().ok());
    let known = EVENTS.iter().find(|(known, ..)| Some(*known) == number);
    let (means, about, says) = match (number, known) {
        (_, Some((_, means, about, says))) => (*means, *about, *says),
        (Some(STOPPED), None) => stopped(said.message),
        _ => by_words(said.kind, said.message),
    };
    let key = Some(format!("{}{about}", said.key));
    let title = || match says {
        "" => format!("{} {}: {}", said.word, said.name, first_sentence(said.message)),
        says => format!("{} {} {says}", said.word, said.name),
    };
    let news = match means {
        Nothing => return News::nothing("DMS goes about its business").only(),
        Over => return News::over(Some(said.message)).known_by(key).at(time_in(detail, "Event Time")).only(),
        Told => News::notice(title()).severity(Some(P4)),
        Hurts(severity) => News::wrong(title()).known_by(key).severity(Some(severity)),
    };
    dressed(news, &said).at(time_in(detail, "Event Time")).only()
}

fn dressed(news: News, said: &Said<'_>) -> News {
    let page = match said.word {
        "Replication task" => format!("dms/v2/home#taskDetails/{}", encoded(said.name)),
        "Replication instance" => format!("dms/v2/home#replicationInstanceDetails/{}", encoded(said.name)),
        "Replication" => "dms/v2/home#serverlessReplications".to_owned(),
        _ => "dms/v2/home#dashboard".to_owned(),
    };
    let id = said.id.map(|id| id.rsplit('#').next().unwrap_or(id).trim());
    news.why(Some(said.message)).affects([said.name]).detail("Event", id).page(said.place.console(&page)).in_place(said.place.clone())
}

fn by_bridge<'a>(event: &'a Event, detail: &'a Map<String, Value>) -> Option<Said<'a>> {
    let arn = event.resources().first()?;
    let link = text(detail, "resourceLink").and_then(|link| link.rsplit(['/', '=']).next()).filter(|name| !name.is_empty());
    let kind = text(detail, "eventType").unwrap_or_default();
    let word = match event.detail_type() {
        "DMS Replication Task State Change" => "Replication task",
        "DMS Replication State Change" => "Replication",
        "DMS Replication Endpoint State Change" => "Endpoint",
        "DMS Data Migration State Change" => "Data migration",
        _ => "Replication instance",
    };
    Some(Said {
        word,
        name: link.or_else(|| arn.rsplit(':').next())?,
        key: arn.clone(),
        // The documentation's example and the service itself name it differently.
        id: text(detail, "eventId").or_else(|| text(detail, "eventName")),
        kind,
        message: text(detail, "detailMessage").or(Some(kind)).filter(|message| !message.is_empty())?,
        place: Arn::parse(arn).map(|arn| Place::of(&arn)).unwrap_or_default().or(event.place()),
    })
}

fn by_sns<'a>(event: &Event, detail: &'a Map<String, Value>) -> Option<Said<'a>> {
    let (source, name) = (text(detail, "Event Source")?, text(detail, "SourceId").or_else(|| text(detail, "Source ID"))?);
    let (word, kind) = if source == "replication-instance" { ("Replication instance", "rep") } else { ("Replication task", "task") };
    let place = event.place();
    Some(Said {
        word,
        name,
        key: place.arn("dms", &format!("{kind}:{name}")).unwrap_or_else(|| format!("dms:{kind}:{name}")),
        id: text(detail, "Event ID"),
        kind: "",
        message: text(detail, "Event Message")?,
        place,
    })
}

fn stopped(message: &str) -> (Means, &'static str, &'static str) {
    let reason = message.to_ascii_uppercase();
    if reason.contains("FATAL_ERROR") || reason.contains("RECOVERABLE_ERROR") {
        (Hurts(P2), "", "stopped because of an error")
    } else if reason.contains("_FINISHED") {
        (Over, "", "")
    } else {
        (Hurts(P4), "", "stopped")
    }
}

/// What has no number: serverless replications and data migrations have words like `REPLICATION_FAILED`.
fn by_words(kind: &str, message: &str) -> (Means, &'static str, &'static str) {
    const ON_THE_WAY: [&str; 9] =
        ["INITIALIZING", "PREPARING", "PROVISIONING", "FETCHING", "CALCULATING", "STARTING", "STOPPING", "TESTING", "CREATING"];
    let says = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    match () {
        () if says(&["FAILED", "ERROR"]) => (Hurts(P2), "", "failed"),
        () if kind.is_empty() && message.to_ascii_lowercase().contains("fail") => (Hurts(P2), "", ""),
        () if says(&["DEPROVISIONED"]) => (Hurts(P4), "", "lost its capacity after it had stopped"),
        () if says(&["STOPPED"]) => (Hurts(P4), "", "stopped"),
        () if says(&["RUNNING", "STARTED", "RESUMED"]) => (Over, "", ""),
        () if says(&ON_THE_WAY) => (Nothing, "", ""),
        () => (Told, "", ""),
    }
}
