//! `ElastiCache`: serverless caches speak over EventBridge, clusters of nodes over SNS, as JSON of which one field has the event for its name and the cluster
//! for its value. <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-elasticache.html>,
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ElastiCacheSNS.html>
//!
//! - A cache is known by its ARN, and by what it is about: a node, its size, its snapshots, its limits. What completes ends what failed before.
//! - `ElastiCache` has no scale. A node that is lost is P2; what could not be made, scaled or saved, and a limit that is near, is P3.
//! - A failover is told when it is done, so there is nothing left to do but to look.

use serde_json::{Map, Value};

use crate::domain::severity::Severity::{self, P2, P3, P4};
use crate::intake::event::{Arn, Event, last_name, time_in};
use crate::intake::fields::{first_sentence, text};
use crate::intake::news::News;
use crate::intake::place::Place;

/// What every field begins with that names an event of SNS.
const EVENT: &str = "ElastiCache:";

/// What an event of SNS means: its name, and what stands behind `Cache NAME` in the title.
const EVENTS: &[(&str, Means, &str, &str)] = &[
    ("CacheNodeReplaceStarted", Means::Hurts(P2), "/node", "lost a node, which is being replaced"),
    ("CacheNodeReplaceComplete", Means::Over, "/node", "The node is replaced."),
    ("AddCacheNodeFailed", Means::Hurts(P3), "/size", "could not get another node"),
    ("AddCacheNodeComplete", Means::Over, "/size", "The node is there."),
    ("CacheClusterScalingFailed", Means::Hurts(P3), "/size", "could not be scaled"),
    ("CacheClusterScalingComplete", Means::Over, "/size", "It is scaled."),
    ("ReplicationGroupScalingFailed", Means::Hurts(P3), "/size", "could not be scaled"),
    ("ReplicationGroupScalingComplete", Means::Over, "/size", "It is scaled."),
    ("CacheClusterProvisioningFailed", Means::Hurts(P3), "", "could not be created"),
    ("CacheClusterProvisioningComplete", Means::Over, "", "It is created."),
    ("SnapshotFailed", Means::Hurts(P3), "/snapshot", "could not be saved to a snapshot"),
    ("SnapshotComplete", Means::Over, "/snapshot", "A snapshot was made."),
    ("FailoverComplete", Means::Told, "", "failed over to a replica"),
    ("CacheNodesRebooted", Means::Told, "", "was rebooted"),
    ("NodeReplacementScheduled", Means::Told, "", "gets a new node in its maintenance window"),
    ("NodeReplacementRescheduled", Means::Told, "", "gets a new node in another maintenance window"),
    ("NodeReplacementCanceled", Means::Told, "", "keeps the node that was to be replaced"),
    ("ServiceUpdateAvailableForNode", Means::Told, "", "can be updated"),
    ("DeleteCacheClusterComplete", Means::Told, "", "was deleted"),
    ("CreateReplicationGroupComplete", Means::Told, "", "was created"),
    ("CacheClusterParametersChanged", Means::Told, "", "has other parameters"),
    ("CacheClusterSecurityGroupModified", Means::Told, "", "has other security groups"),
    ("RemoveCacheNodeComplete", Means::Told, "", "has a node less"),
    ("CertificateRenewalComplete", Means::Nothing, "", ""),
    ("ReplicationGroupIncreaseReplicaCountStarted", Means::Nothing, "", ""),
    ("ReplicationGroupIncreaseReplicaCountFinished", Means::Nothing, "", ""),
];

#[derive(Clone, Copy)]
enum Means {
    Hurts(Severity),
    Over,
    Told,
    Nothing,
}

/// Whether this is a notification of SNS.
pub(super) fn is_notification(event: &Event) -> bool {
    event.bridge.is_none() && event.object().is_some_and(|object| named(object).is_some())
}

/// The name of the event, without what may stand behind it, and the cluster.
fn named(object: &Map<String, Value>) -> Option<(&str, &str)> {
    object.iter().find_map(|(name, value)| {
        let name = name.strip_prefix(EVENT)?.split_whitespace().next()?;
        Some((name, value.as_str().filter(|cluster| !cluster.trim().is_empty())?))
    })
}

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    if event.bridge.is_some() {
        return serverless(event, detail);
    }
    match named(detail) {
        Some((name, cluster)) => cluster_of_nodes(event, detail, name, cluster).only(),
        None => described(event, detail),
    }
}

fn cluster_of_nodes(event: &Event, detail: &Map<String, Value>, name: &str, cluster: &str) -> News {
    let place = event.place();
    let sentence = spoken(name);
    let unknown = if name.contains("Fail") { Means::Hurts(P3) } else { Means::Told };
    let known = EVENTS.iter().find(|(known, ..)| *known == name);
    let (means, about, says) = known.map_or((unknown, "", sentence.as_str()), |(_, means, about, says)| (*means, *about, *says));
    let arn = place.arn("elasticache", &format!("cluster:{cluster}")).unwrap_or_else(|| format!("elasticache:{cluster}"));
    let key = Some(format!("{arn}{about}"));
    let title = format!("Cache {cluster} {says}");
    let news = match means {
        Means::Nothing => return News::nothing("ElastiCache goes about its business"),
        Means::Over => return News::over(Some(says)).known_by(key),
        Means::Told => News::notice(title).severity(Some(P4)),
        Means::Hurts(severity) => News::wrong(title).known_by(key).severity(Some(severity)),
    };
    // Some events say more beside their own field: from when until when, which node.
    let beside = detail.iter().filter(|(field, _)| !field.starts_with(EVENT)).take(4);
    let news = beside.fold(news, |news, (field, value)| news.detail(field, value.as_str()));
    news.affects([cluster]).detail("Event", Some(name)).page(place.console("elasticache/home#/redis"))
}

/// `TestFailoverAPICalled` as `test failover API called`.
fn spoken(name: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.push(if before == ' ' || before.is_lowercase() { letter.to_ascii_lowercase() } else { letter });
        before = letter;
    }
    words
}

/// What the older notifications of Memcached clusters say.
fn described(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (cluster, message) = (text(detail, "SourceIdentifier")?, text(detail, "Message")?);
    let place = event.place();
    let title = format!("Cache {cluster}: {}", first_sentence(message));
    let arn = place.arn("elasticache", &format!("cluster:{cluster}")).unwrap_or_else(|| format!("elasticache:{cluster}"));
    let news = if message.to_ascii_lowercase().contains("fail") {
        News::wrong(title).known_by(Some(arn)).severity(Some(P3))
    } else {
        News::notice(title).severity(Some(P4))
    };
    news.at(time_in(detail, "Date")).why(Some(message)).affects([cluster]).page(place.console("elasticache/home#/redis")).only()
}

fn serverless(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let message = text(detail, "Message")?;
    let arn = text(detail, "SourceArn").or_else(|| event.resources().first().map(String::as_str))?;
    let name = text(detail, "SourceIdentifier").unwrap_or_else(|| last_name(arn));
    let key = |about: &str| Some(format!("{arn}{about}"));
    let wrong = |says: &str, about: &str| News::wrong(format!("Cache {name} {says}")).known_by(key(about)).severity(Some(P3));
    let snapshot = |says: &str, about: &str| News::wrong(format!("Snapshot {name} {says}")).known_by(key(about)).severity(Some(P3));
    // The next snapshot has another name: its cache has the same.
    let cache = event.resources().iter().find(|resource| resource.contains(":serverlesscache:")).map_or(arn, String::as_str);
    let saved = format!("{cache}/snapshot");
    let told = |says: &str| News::notice(format!("Cache {name} {says}")).severity(Some(P4));
    let news = match event.detail_type() {
        "Cache Creation Failed" => wrong("could not be created", ""),
        "Cache Update Failed" => wrong("could not be changed", "/update"),
        "Cache Limit Approaching" => wrong("is close to its limit", "/limit"),
        "Cache Updated" if message.contains("imits") => return News::over(Some(message)).known_by(key("/limit")).only(),
        "Cache Updated" => told("was changed"),
        "Cache Created" => told("was created"),
        "Cache Deleted" => told("was deleted"),
        "Snapshot Creation Failed" => snapshot("could not be made", "").known_by(Some(saved)),
        "Snapshot Created" => return News::over(Some(message)).known_by(Some(saved)).only(),
        "Snapshot Copy Failed" => snapshot("could not be copied", "/copy"),
        "Snapshot Export Failed" => snapshot("could not be exported", "/export"),
        _ => told(&first_sentence(message).to_lowercase()),
    };
    let place = Arn::parse(arn).map(|arn| Place::of(&arn)).unwrap_or_default().or(event.place());
    news.why(Some(message))
        .affects([name])
        .at(time_in(detail, "Date"))
        .page(place.console("elasticache/home#/redis"))
        .in_place(place)
        .only()
}
