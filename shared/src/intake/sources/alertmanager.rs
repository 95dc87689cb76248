//! Prometheus' Alertmanager: the webhook of version 4, which brings a group of alerts. Each is told by itself.
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>
//!
//! - An alert is known by its fingerprint, which is a digest of its labels; old versions send none, and then by its labels. The Alertmanager itself is
//!   not part of that: those of one cluster may go by different addresses.
//! - It says every few hours that an alert still fires, with the time at which that began; `resolved` ends it.
//! - Its severity is whatever the label `severity` says: `critical` and `page` are P1, `error` P2, `warning` P3, `info` and `none` P4.
//! - The Watchdog always fires and is not told. What Alertmanager left out of its message is.

use serde_json::{Map, Value};

use super::alerting::{Alert, left_out};
use crate::intake::event::Event;
use crate::intake::fields::{objects, plain, text};
use crate::intake::limits::LINK;
use crate::intake::news::News;
use crate::intake::place::encoded;

const WHO: &str = "Alertmanager";

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let body = event.object()?;
    let site = text(body, "externalURL").map(|url| url.trim_end_matches('/'));
    let alerts = objects(body, "alerts").map(|object| {
        let alert = Alert::new(object, body);
        let key = alert.fingerprint().map(|fingerprint| format!("alertmanager:{fingerprint}"));
        let silence = site.zip(alert.labels()).and_then(|(site, labels)| silence(site, labels));
        alert.news(key, WHO).page(alert.field("generatorURL").or(site)).link("Silence", silence)
    });
    let all: Vec<News> = alerts.chain(left_out(body, WHO)).collect();
    (!all.is_empty()).then_some(all)
}

/// Where one silences just this alert. Labels that fill pages make no link.
fn silence(site: &str, labels: &Map<String, Value>) -> Option<String> {
    let length: usize = labels.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    if length > LINK {
        return None;
    }
    let quoted = |value: &Value| plain(value).unwrap_or_default().replace('\\', "\\\\").replace('"', "\\\"");
    let matchers: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
    Some(format!("{site}/#/silences/new?filter={}", encoded(&format!("{{{}}}", matchers.join(",")))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use crate::domain::ids::IntentId;
    use crate::intake::tests::message;
    use crate::intake::{Reading, read};

    fn ids(alert: &Value, message_id: &str) -> Vec<IntentId> {
        let body = json!({"version": "4", "groupKey": "{}", "receiver": "tocsin", "status": "firing", "alerts": [alert]}).to_string();
        let Reading::Intents(intents) = read(&message(&body, message_id)).reading else { panic!("it is read") };
        intents.into_iter().map(|intent| intent.id).collect()
    }

    #[test]
    fn an_alert_that_is_sent_again_in_the_same_words_happens_once() {
        let alert = |value: &str, began: &str| json!({"status": "firing", "labels": {"alertname": "PodDown"}, "annotations": {"value": value}, "startsAt": began});
        let first = alert("3", "2026-03-15T14:00:00Z");
        assert_eq!(ids(&first, "m-1"), ids(&first, "m-2"));
        assert_ne!(ids(&first, "m-1"), ids(&alert("4", "2026-03-15T14:00:00Z"), "m-2"), "it says something else now");
        assert_ne!(ids(&first, "m-1"), ids(&alert("3", "2026-03-15T15:00:00Z"), "m-2"), "it is the next one");
        let undated = json!({"status": "firing", "labels": {"alertname": "PodDown"}});
        assert_ne!(ids(&undated, "m-1"), ids(&undated, "m-2"), "it may be the next one");
    }

    #[test]
    fn three_hundred_alerts_of_one_message_are_three_hundred_incidents() {
        let alerts: Vec<_> = (0..300)
            .map(|number| json!({"status": "firing", "labels": {"alertname": "PodDown", "pod": format!("checkout-{number}")}}))
            .collect();
        let body = json!({"version": "4", "groupKey": "{}", "receiver": "tocsin", "status": "firing", "alerts": alerts}).to_string();
        let Reading::Intents(intents) = read(&message(&body, "m-1")).reading else { panic!("it is read") };
        let ids: BTreeSet<&str> = intents.iter().map(|intent| intent.id.as_str()).collect();
        let keys: BTreeSet<String> = intents.iter().map(|intent| format!("{:?}", intent.target)).collect();
        assert_eq!((intents.len(), ids.len(), keys.len()), (300, 300, 300));
    }
}
