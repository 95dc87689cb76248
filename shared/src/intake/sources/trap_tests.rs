//! Events that look like somebody else's, come twice or hold what nobody should see.

use serde_json::{Value, json};

use crate::domain::intent::{Action, Changes, Intent, Target};
use crate::domain::severity::Severity;
use crate::intake::tests::message;
use crate::intake::{Read, Reading, read};

fn bridged(source: &str, kind: &str, detail: &Value) -> Value {
    let (account, time, region) = ("123456789012", "2026-03-15T14:05:00Z", "eu-west-1");
    json!({"version": "0", "id": "e-1", "detail-type": kind, "source": source, "account": account, "time": time, "region": region, "resources": [], "detail": detail})
}

fn heard(event: &Value) -> Read {
    read(&message(&event.to_string(), "m-1"))
}

/// The one thing that an event comes to, and whose it is.
fn one(event: &Value) -> (&'static str, Intent) {
    let Read { reading, sources } = heard(event);
    match reading {
        Reading::Intents(mut intents) if intents.len() == 1 => (sources[0], intents.remove(0)),
        other => panic!("{other:?}"),
    }
}

fn card(intent: &Intent) -> &Changes {
    match &intent.action {
        Action::Create(changes) => changes,
        other => panic!("no card: {other:?}"),
    }
}

fn key(intent: &Intent) -> &str {
    match &intent.target {
        Target::Key(key) => key.as_str(),
        other => panic!("no key: {other:?}"),
    }
}

#[test]
fn what_tocsin_tells_on_its_bus_does_not_come_back_as_an_incident() {
    let own =
        bridged("tocsin", "Incident Triggered", &json!({"version": 1, "entry": {"type": "triggered"}, "incident": {"severity": "P1"}}));
    assert!(matches!(heard(&own).reading, Reading::Ignored(_)));
    let somebodys = bridged("shop.tocsin", "Incident Triggered", &json!({"title": "The shop's own"}));
    assert_eq!(one(&somebodys).0, "other");
}

#[test]
fn an_alarm_of_somebodys_own_is_not_cloudwatchs() {
    let detail = json!({"alarmName": "conveyor", "state": {"value": "OK", "timestamp": "2026-03-15T14:05:00Z"}});
    assert_eq!(one(&bridged("shop.factory", "Conveyor", &detail)).0, "other");
    assert_eq!(one(&bridged("aws.cloudwatch", "CloudWatch Alarm State Change", &detail)).0, "cloudwatch");
}

#[test]
fn an_alarm_that_is_deleted_is_over_and_one_that_is_changed_says_nothing() {
    let event = |operation: &str| {
        let state = json!({"value": "ALARM", "timestamp": "2026-03-15T11:00:00Z"});
        let detail = json!({"alarmName": "conveyor", "operation": operation, "state": state});
        bridged("aws.cloudwatch", "CloudWatch Alarm Configuration Change", &detail)
    };
    let (_, gone) = one(&event("delete"));
    assert!(matches!(gone.action, Action::Resolve(_)));
    assert_eq!(gone.at.to_string(), "2026-03-15T14:05:00Z", "after the alarm itself");
    assert!(matches!(heard(&event("update")).reading, Reading::Ignored(_)));
}

#[test]
fn what_somebody_writes_on_their_own_bus_is_their_own_business() {
    assert_eq!(one(&bridged("shop.crm", "Customer", &json!({"type": "update", "customer": 5}))).0, "other");
    let ours = bridged("shop.search", "Incident", &json!({"type": "create", "title": "The index is old"}));
    assert_eq!(one(&ours).0, "own");
}

#[test]
fn a_denied_call_counts_whatever_service_it_was_for() {
    let identity = json!({"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/orders/x", "accountId": "123456789012"});
    let call = json!({
        "eventVersion": "1.10", "eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "errorCode": "AccessDenied", "userIdentity": identity,
        "awsRegion": "eu-west-1", "eventTime": "2026-03-15T14:05:00Z", "recipientAccountId": "123456789012", "eventType": "AwsApiCall",
    });
    let (_, denied) = one(&bridged("aws.kms", "AWS API Call via CloudTrail", &call));
    assert_eq!(card(&denied).severity, Some(Severity::P3));
    assert!(key(&denied).contains("Decrypt"), "{}", key(&denied));
}

#[test]
fn whoever_starts_a_trail_again_ends_that_somebody_stopped_it() {
    let call = |who: &str, action: &str, trail: &str| {
        let identity = json!({"type": "IAMUser", "userName": who, "arn": format!("arn:aws:iam::123456789012:user/{who}"), "accountId": "123456789012"});
        let record = json!({
            "eventVersion": "1.10", "eventSource": "cloudtrail.amazonaws.com", "eventName": action, "userIdentity": identity, "awsRegion": "eu-west-1",
            "eventTime": "2026-03-15T14:05:00Z", "recipientAccountId": "123456789012", "eventType": "AwsApiCall", "requestParameters": {"name": trail},
        });
        one(&bridged("aws.cloudtrail", "AWS API Call via CloudTrail", &record)).1
    };
    let stopped = call("mallory", "StopLogging", "arn:aws:cloudtrail:eu-west-1:123456789012:trail/shop");
    let started = call("jane", "StartLogging", "shop");
    assert_eq!(card(&stopped).severity, Some(Severity::P3));
    assert!(matches!(started.action, Action::Resolve(_)));
    assert_eq!(key(&started), key(&stopped));
    // Nothing undoes a deletion, so that two people who delete something are two incidents.
    assert_ne!(key(&call("mallory", "DeleteTrail", "shop")), key(&call("jane", "DeleteTrail", "shop")));
    assert_ne!(key(&call("mallory", "DeleteTrail", "shop")), key(&call("mallory", "DeleteTrail", "search")));
}

#[test]
fn an_attribute_of_somebodys_own_makes_no_backup() {
    let attributes = json!({"EventType": {"Type": "String", "Value": "S3_UPLOAD_FAILED"}});
    let message = json!({
        "Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:shop", "Message": "An upload failed.",
        "MessageAttributes": attributes,
    });
    assert_eq!(one(&message).0, "other");
}

fn alerts(common: &Value, count: usize) -> Value {
    let alerts = vec![json!({"status": "firing"}); count];
    json!({"version": "4", "groupKey": "g", "receiver": "r", "externalURL": "https://alerts.example.com", "commonLabels": common, "alerts": alerts})
}

#[test]
fn of_more_things_than_can_be_sent_on_in_time_the_first_are_read_and_it_is_told_how_many_are_left_out() {
    let labels = json!({"alertname": "PodDown"});
    let told = |count: usize| match heard(&alerts(&labels, count)).reading {
        Reading::Intents(intents) => intents,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(1_000).len(), 1_000);
    let cut = told(1_203);
    assert_eq!(cut.len(), 1_000);
    assert_eq!(card(&cut[999]).title.as_deref(), Some("204 things that Alertmanager told of in one message are left out"));
    let ids: std::collections::HashSet<_> = cut.iter().map(|intent| &intent.id).collect();
    assert_eq!(ids.len(), cut.len());
}

#[test]
fn labels_that_fill_pages_are_kept_once() {
    let long = json!({"alertname": "PodDown", "severity": "x".repeat(500_000)});
    let Reading::Intents(intents) = heard(&alerts(&long, 300)).reading else { panic!("they are read") };
    let size: usize = intents.iter().map(|intent| serde_json::to_string(intent).unwrap_or_default().len()).sum();
    assert!(size < 300 * 4_000, "{size}");
}

#[test]
fn what_goes_by_the_name_of_a_secret_is_not_shown_nor_linked() {
    let content = json!({"textType": "client-markdown", "title": "Refresh failed", "description": "password=hunter2"});
    let metadata = json!({"additionalContext": {"api_key": "abc123", "stage": "production"}});
    let (_, told) = one(&json!({"version": "1.0", "source": "custom", "content": content, "metadata": metadata}));
    let shown = serde_json::to_string(card(&told)).unwrap_or_default();
    assert!(!shown.contains("abc123") && !shown.contains("hunter2") && shown.contains("production"), "{shown}");

    let annotations = json!({"runbook_url": "https://bucket.s3.amazonaws.com/runbook?X-Amz-Signature=00ff00ff", "summary": "Down"});
    let alert = json!({"status": "firing", "labels": {"alertname": "Down"}, "annotations": annotations, "generatorURL": "https://example.com/?api_key=abc123"});
    let (_, told) = one(&json!({"version": "4", "groupKey": "g", "receiver": "r", "alerts": [alert]}));
    let shown = serde_json::to_string(card(&told)).unwrap_or_default();
    assert!(!shown.contains("00ff00ff") && !shown.contains("abc123"), "{shown}");

    let alarm = json!({"AlarmName": "db", "NewStateValue": "ALARM", "NewStateReason": "login failed: password=hunter2", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:db"});
    assert!(!serde_json::to_string(card(&one(&alarm).1)).unwrap_or_default().contains("hunter2"));
}

#[test]
fn what_is_affected_is_told_by_its_own_name_however_alike_the_names_are() {
    let mut event = bridged(
        "aws.ecs",
        "ECS Service Action",
        &json!({"eventType": "ERROR", "eventName": "SERVICE_TASK_PLACEMENT_FAILURE", "reason": "RESOURCE:CPU"}),
    );
    let service = |name: &str| format!("arn:aws:ecs:eu-west-1:123456789012:service/shop/{name}");
    event["resources"] = json!([service("web"), service("web-api")]);
    let (_, told) = one(&event);
    let affected = card(&told).components.clone().unwrap_or_default().join(" ");
    assert!(affected.contains("web-api") && affected.split(['/', ' ']).any(|part| part == "web"), "{affected}");
}

#[test]
fn a_moment_out_of_all_time_is_none() {
    let event =
        json!({"Records": [{"eventSource": "aws:ses", "ses": {"mail": {"timestamp": i64::MIN, "messageId": "m"}}, "time": i64::MIN}]});
    assert!(!matches!(heard(&event).reading, Reading::Refused(_)));
}
