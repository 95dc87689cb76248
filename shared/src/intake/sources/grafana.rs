//! Grafana: the webhook of its alerting, which brings alerts as Alertmanager does and says which organisation they are of; and the one that dashboards sent
//! before it (legacy alerting), with one rule and its state.
//! <https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/>
//! <https://grafana.com/docs/grafana/v7.5/alerting/notifications/#webhook>
//!
//! - An alert is known by its fingerprint, at this Grafana: a test system has the same rules. A rule of old is known by its id there.
//! - `resolved`, and of old `ok` and `paused`, end it.
//! - Its severity is whatever its label (of old: its tag) `severity` says, as with Alertmanager.

use serde_json::{Map, Value};

use super::alerting::{Alert, grade, left_out};
use crate::intake::event::Event;
use crate::intake::fields::{get, object, objects, plain, plain_in, text};
use crate::intake::news::News;

const WHO: &str = "Grafana";

/// How many values are told.
const VALUES_SHOWN: usize = 6;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let body = event.object()?;
    if text(body, "ruleName").is_some() {
        return of_old(body);
    }
    let home = format!("{}:{}", site(text(body, "externalURL")), plain_in(body, "orgId").unwrap_or_default());
    let alerts = objects(body, "alerts").map(|object| {
        let alert = Alert::new(object, body);
        let key = alert.fingerprint().map(|fingerprint| format!("grafana:{home}:{fingerprint}"));
        alert
            .news(key, WHO)
            .page(alert.field("generatorURL"))
            .link("Panel", alert.field("panelURL"))
            .link("Dashboard", alert.field("dashboardURL"))
            .link("Silence", alert.field("silenceURL"))
            .detail("Values", values(object))
    });
    let all: Vec<News> = alerts.chain(left_out(body, WHO)).collect();
    (!all.is_empty()).then_some(all)
}

/// `B=44.2, C=1`: what its queries came to. Versions before 10 only have it as one text.
fn values(alert: &Map<String, Value>) -> Option<String> {
    let named = object(alert, "values").into_iter().flatten();
    let named: Vec<String> = named.filter_map(|(name, value)| Some(format!("{name}={}", plain(value)?))).take(VALUES_SHOWN).collect();
    if named.is_empty() { text(alert, "valueString").map(str::to_owned) } else { Some(named.join(", ")) }
}

/// One rule of a dashboard.
fn of_old(body: &Map<String, Value>) -> Option<Vec<News>> {
    let (rule, id, state) = (text(body, "ruleName")?, plain_in(body, "ruleId")?, text(body, "state")?);
    let url = text(body, "ruleUrl");
    let org = plain_in(body, "orgId").unwrap_or_default();
    let key = Some(format!("grafana:{}:{org}:rule:{id}", site(url)));
    let title = match state {
        "ok" => return News::over(Some("Grafana says that it is over.")).known_by(key).only(),
        "paused" => return News::over(Some("The rule was paused.")).known_by(key).only(),
        "pending" => return News::nothing("a rule that is about to fire, and may not").only(),
        "no_data" => format!("{rule}: there is no data"),
        _ => rule.to_owned(),
    };
    let tag = |name: &str| text(object(body, "tags")?, name);
    let matches: Vec<String> = objects(body, "evalMatches").filter_map(matched).take(VALUES_SHOWN).collect();
    News::wrong(title)
        .known_by(key)
        .severity(tag("severity").and_then(grade))
        .service(tag("service"))
        .why(text(body, "message"))
        .detail("Values", (!matches.is_empty()).then(|| matches.join(", ")))
        .page(url)
        .only()
}

/// `p99 = 2.4`.
fn matched(series: &Map<String, Value>) -> Option<String> {
    let value = get(series, "value").and_then(plain)?;
    Some(text(series, "metric").map_or_else(|| value.clone(), |metric| format!("{metric} = {value}")))
}

/// The host of an address: by it one Grafana is told from another.
fn site(url: Option<&str>) -> &str {
    let host = url.and_then(|url| url.split("//").nth(1));
    host.and_then(|host| host.split(['/', '?', '#']).next()).unwrap_or_default()
}
