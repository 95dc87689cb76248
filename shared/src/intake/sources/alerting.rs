//! One alert as Alertmanager writes it, which Grafana writes the same way: labels that say what it is, annotations that say it to people. What both files share.
//! <https://prometheus.io/docs/alerting/latest/notifications/#data>

use serde_json::{Map, Value};

use crate::domain::ids::IntentId;
use crate::domain::severity::Severity;
use crate::domain::sources::RUNBOOK;
use crate::intake::event::time_in;
use crate::intake::fields::{number, object, plain, text};
use crate::intake::news::News;
use crate::intake::place::{Place, is_region};

/// Alerts that always fire, so that one hears when alerting itself is silent, and those that only keep others quiet. Nobody has to see them.
const HEARTBEATS: [&str; 4] = ["Watchdog", "DeadMansSwitch", "DeadMansSnitch", "InfoInhibitor"];

/// Labels that say whose it is, the best first. A job is mostly named after the service that it scrapes.
const SERVICES: [&str; 3] = ["service", "app", "job"];

/// Labels that say what exactly is affected.
const THINGS: [&str; 12] = [
    "instance",
    "pod",
    "deployment",
    "statefulset",
    "daemonset",
    "job_name",
    "node",
    "host",
    "persistentvolumeclaim",
    "device",
    "queue",
    "topic",
];

/// Labels that are facts, by what people call them.
const FACTS: [(&str, &[&str]); 6] = [
    ("Severity", &["severity", "priority"]),
    ("Cluster", &["cluster"]),
    ("Namespace", &["namespace"]),
    ("Folder", &["grafana_folder"]),
    ("Environment", &["environment", "env", "stage"]),
    ("Team", &["team"]),
];

/// The longest key that is made of labels themselves.
const LONGEST: usize = 1_000;

/// One of a message's alerts.
#[derive(Clone, Copy)]
pub(super) struct Alert<'a> {
    object: &'a Map<String, Value>,
    /// The message around it.
    body: &'a Map<String, Value>,
}

impl<'a> Alert<'a> {
    pub(super) fn new(object: &'a Map<String, Value>, body: &'a Map<String, Value>) -> Self {
        Self { object, body }
    }

    /// A text of its own, beside labels and annotations.
    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        text(self.object, name)
    }

    /// Its labels; the ones that all have in common where it brings none.
    pub(super) fn labels(&self) -> Option<&'a Map<String, Value>> {
        object(self.object, "labels").or_else(|| object(self.body, "commonLabels"))
    }

    fn label(&self, names: &[&str]) -> Option<&'a str> {
        let labels = self.labels()?;
        names.iter().find_map(|name| text(labels, name))
    }

    fn annotation(&self, names: &[&str]) -> Option<&'a str> {
        let annotations = object(self.object, "annotations").or_else(|| object(self.body, "commonAnnotations"))?;
        names.iter().find_map(|name| text(annotations, name))
    }

    /// What all that is said about it has in common: a digest of its labels, or they themselves.
    pub(super) fn fingerprint(&self) -> Option<String> {
        let labels = || {
            let mut labels: Vec<String> =
                self.labels()?.iter().filter_map(|(name, value)| Some(format!("{name}={}", plain(value)?))).collect();
            labels.sort_unstable();
            let joined = labels.join(",");
            // Where hundreds have the same long labels in common, each keeps but their digest.
            let short = if joined.len() > LONGEST { IntentId::of("labels", &[&joined]).as_str().to_owned() } else { joined };
            (!labels.is_empty()).then_some(short)
        };
        self.field("fingerprint").map(str::to_owned).or_else(labels)
    }

    fn is_over(&self) -> bool {
        self.field("status").or_else(|| text(self.body, "status")) == Some("resolved")
    }

    /// What it says, known by `key`. `who` is the one who says that it is over. Whoever sends alerts sends them again until they were taken, under no id: so one that says
    /// just the same is the same. Without the moment at which it began, it could be the next one.
    pub(super) fn news(&self, key: Option<String>, who: &str) -> News {
        let news = self.said(key.clone(), who);
        match (key, self.field("startsAt"), serde_json::to_string(self.object)) {
            (Some(key), Some(_), Ok(words)) => news.the_same_as(&[who, &key, &words]),
            _ => news,
        }
    }

    fn said(&self, key: Option<String>, who: &str) -> News {
        let name = self.label(&["alertname"]);
        if name.is_some_and(|name| HEARTBEATS.contains(&name)) {
            return News::nothing("an alert that only shows that alerting works, or keeps others quiet");
        }
        if self.is_over() {
            return News::over(Some(format!("{who} says that it is over."))).known_by(key).at(time_in(self.object, "endsAt"));
        }
        let title = self.title(name);
        let description = self.annotation(&["description", "message"]).filter(|description| *description != title);
        let news = News::wrong(title)
            .known_by(key)
            .at(time_in(self.object, "startsAt"))
            .severity(self.label(&["severity", "priority", "level"]).and_then(grade))
            .service(self.label(&SERVICES))
            .why(description)
            .affects(THINGS.iter().filter_map(|thing| self.label(&[thing])))
            .link(RUNBOOK, self.annotation(&["runbook_url", "runbook"]))
            .link("Dashboard", self.annotation(&["dashboard_url", "dashboard"]))
            .in_place(self.place())
            .detail("Alert", name);
        FACTS.iter().fold(news, |news, (label, names)| news.detail(label, self.label(names)))
    }

    /// What it says to people, else its name and what it is about.
    fn title(&self, name: Option<&str>) -> String {
        let rule = self.label(&["rulename"]);
        match (name, rule) {
            (Some("DatasourceNoData"), Some(rule)) => return format!("{rule}: there is no data"),
            (Some("DatasourceError"), Some(rule)) => return format!("{rule} cannot be evaluated"),
            _ => {}
        }
        let said = self.annotation(&["summary", "title"]).map(str::to_owned);
        said.unwrap_or_else(|| {
            let name = name.or(rule).unwrap_or("An alert without a name");
            match THINGS.iter().find_map(|thing| self.label(&[thing])) {
                Some(thing) => format!("{name}: {thing}"),
                None => name.to_owned(),
            }
        })
    }

    /// Labels say where it is, where somebody saw to that.
    fn place(&self) -> Place {
        let said = |names: &[&str]| self.label(names).map(str::to_owned);
        Place {
            partition: None,
            region: said(&["region", "aws_region"]).filter(|region| is_region(region)),
            account: said(&["account_id", "aws_account_id"]),
        }
    }
}

/// Nobody prescribes the words of the label; these are the ones that people use.
pub(super) fn grade(severity: &str) -> Option<Severity> {
    match severity.trim().to_ascii_lowercase().as_str() {
        "page" | "emergency" | "disaster" | "fatal" => Some(Severity::P1),
        "major" => Some(Severity::P2),
        "warn" | "minor" | "ticket" => Some(Severity::P3),
        "none" | "notice" | "debug" => Some(Severity::P4),
        other => Severity::parse(other),
    }
}

/// That a message was cut: what it left out is told nowhere else, be it new or over.
pub(super) fn left_out(body: &Map<String, Value>, who: &str) -> Option<News> {
    let more = number(body, "truncatedAlerts").filter(|more| *more >= 1.0)?;
    let named: Vec<String> =
        object(body, "groupLabels").into_iter().flatten().filter_map(|(name, value)| Some(format!("{name}={}", plain(value)?))).collect();
    let group = if named.is_empty() { String::new() } else { format!(" of {}", named.join(", ")) };
    let news = News::notice(format!("{who} left {more} alerts{group} out of its message"))
        .severity(Some(Severity::P4))
        .why(Some("What it left out is not known here, be it new or over. Its limit, max_alerts, is too low for this group."))
        .page(text(body, "externalURL"));
    Some(news)
}
