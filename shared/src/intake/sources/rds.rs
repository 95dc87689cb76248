//! RDS and Aurora: what happens to databases, clusters, snapshots, proxies and blue/green deployments. The same is said by EventBridge and by SNS, where
//! `Event Source` tells it from DMS. <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-cloud-watch-events.html>,
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html>
//!
//! - All about a database is known by its ARN, and by what it is about: a failover that ended does not give the full disk room.
//! - RDS has no scale. What takes the database away, or soon will, is P2; what costs speed, copies or an upgrade is P3. What is new in RDS is read by its
//!   category and its words.
//! - Restarted, recovered, failed over, grown: it is over. A switchover of a blue/green deployment is a deployment.

mod known;

use jiff::Timestamp;
use serde_json::{Map, Value};

use self::known::{Known, Means, by_number, by_words};
use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event, time_in};
use crate::intake::fields::{first_sentence, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// What RDS calls its things in ARNs and, behind it, in SNS notifications; what people call them; and the console's page.
const THINGS: &[(&str, &str, &str, &str)] = &[
    ("db", "db-instance", "Database", "rds/home#database:id={};is-cluster=false"),
    ("cluster", "db-cluster", "Cluster", "rds/home#database:id={};is-cluster=true"),
    ("snapshot", "db-snapshot", "Snapshot", "rds/home#snapshots-list:"),
    ("cluster-snapshot", "db-cluster-snapshot", "Snapshot", "rds/home#snapshots-list:"),
    ("pg", "db-parameter-group", "Parameter group", "rds/home#parameter-groups:"),
    ("cluster-pg", "db-cluster-parameter-group", "Parameter group", "rds/home#parameter-groups:"),
    ("secgrp", "db-security-group", "Security group", "rds/home#db-security-groups:"),
    ("db-proxy", "db-proxy", "Proxy", "rds/home#proxies:"),
    ("cev", "custom-engine-version", "Engine version", "rds/home#custom-engine-versions:"),
    ("deployment", "blue-green-deployment", "Blue/green deployment", "rds/home#databases:"),
    ("shard-group", "db-shard-group", "Shard group", "rds/home#databases:"),
    ("integration", "zero-etl", "Integration", "rds/home#integrations:"),
];

/// What both ways of saying it have in common.
struct Said<'a> {
    /// As in an ARN: `db`, `cluster`.
    kind: &'a str,
    name: &'a str,
    arn: Option<String>,
    message: &'a str,
    id: Option<&'a str>,
    categories: Vec<&'a str>,
    at: Option<Timestamp>,
    place: Place,
}

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let said = if event.bridge.is_some() { by_bridge(event, detail)? } else { by_sns(event, detail)? };
    let number = said.id.and_then(|id| id.rsplit('-').next()?.trim().parse().ok());
    let known = number.and_then(by_number).unwrap_or_else(|| by_words(&said.categories, said.message));
    news(&said, &known)?.at(said.at).only()
}

fn by_bridge<'a>(event: &Event, detail: &'a Map<String, Value>) -> Option<Said<'a>> {
    let arn = text(detail, "SourceArn")?;
    let (kind, name) = resource(arn)?;
    Some(Said {
        kind,
        name,
        arn: Some(arn.to_owned()),
        message: text(detail, "Message")?,
        id: text(detail, "EventID"),
        categories: texts(detail, "EventCategories").collect(),
        at: time_in(detail, "Date"),
        place: Arn::parse(arn).map(|arn| Place::of(&arn)).unwrap_or_default().or(event.place()),
    })
}

fn by_sns<'a>(event: &Event, detail: &'a Map<String, Value>) -> Option<Said<'a>> {
    let source = text(detail, "Event Source")?;
    let arn = text(detail, "Source ARN");
    let place = arn.and_then(Arn::parse).map(|arn| Place::of(&arn)).unwrap_or_default().or(event.place());
    let in_arn = THINGS.iter().find(|(_, in_sns, ..)| *in_sns == source).map_or(source, |(in_arn, ..)| in_arn);
    let (kind, name) = match arn.and_then(resource) {
        Some(resource) => resource,
        None => (in_arn, text(detail, "Source ID")?),
    };
    Some(Said {
        kind,
        name,
        arn: arn.map(str::to_owned).or_else(|| place.arn("rds", &format!("{kind}:{name}"))),
        message: text(detail, "Event Message")?,
        id: text(detail, "Event ID"),
        categories: Vec::new(),
        at: time_in(detail, "Event Time"),
        place,
    })
}

/// `db` and `checkout` of `arn:aws:rds:eu-west-1:123456789012:db:checkout`.
fn resource(arn: &str) -> Option<(&str, &str)> {
    arn.splitn(6, ':').nth(5)?.split_once(':').filter(|(kind, name)| !kind.is_empty() && !name.is_empty())
}

fn news(said: &Said<'_>, known: &Known) -> Option<News> {
    let key = Some(format!("{}{}", said.arn.clone()?, known.about.suffix()));
    let news = match known.means {
        Means::Nothing => return Some(News::nothing("RDS goes about its business")),
        Means::Over => return Some(News::over(Some(said.message)).known_by(key)),
        Means::Told => News::notice(title(said, known)).severity(Some(Severity::P4)),
        Means::Hurts(severity) => News::wrong(title(said, known)).known_by(key).severity(Some(severity)),
        Means::Goes(progress) => {
            let severity = if progress == Progress::Failed { Severity::P3 } else { Severity::P4 };
            News::deployment(first_sentence(said.message), progress).known_by(key).severity(Some(severity))
        }
    };
    Some(dressed(news, said))
}

fn title(said: &Said<'_>, known: &Known) -> String {
    let thing = THINGS.iter().find(|(in_arn, ..)| *in_arn == said.kind).map_or("RDS", |(_, _, word, _)| word);
    let name = said.name;
    if known.says.is_empty() {
        format!("{thing} {name}: {}", first_sentence(said.message))
    } else {
        format!("{thing} {name} {}", known.says)
    }
}

fn dressed(news: News, said: &Said<'_>) -> News {
    let page = THINGS.iter().find(|(in_arn, ..)| *in_arn == said.kind).map_or("rds/home#databases:", |(.., page)| page);
    let page = page.replace("{}", &encoded(said.name));
    let is_database = matches!(said.kind, "db" | "cluster");
    let logs = is_database.then(|| said.place.console(&format!("{page};tab=logs-and-events"))).flatten();
    // SNS puts the address of a page of the documentation before it.
    let id = said.id.map(|id| id.rsplit('#').next().unwrap_or(id).trim());
    news.why(Some(said.message))
        .affects([said.name])
        .detail("Event", id)
        .detail("Category", (!said.categories.is_empty()).then(|| said.categories.join(", ")))
        .page(said.place.console(&page))
        .link("Logs and events", logs)
        .in_place(said.place.clone())
}
