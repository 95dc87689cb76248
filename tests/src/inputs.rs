//! What is dropped on the incidents queue: CloudWatch alarms as EventBridge brings them, and incidents in Tocsin's own schema.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::dispatcher::hex;

/// A CloudWatch alarm, in the account and region of AWS's own examples.
#[derive(Debug, Clone)]
pub struct Alarm {
    name: String,
    description: String,
}

impl Alarm {
    /// An alarm of this name.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), description: "CPU of the checkout hosts".to_owned() }
    }

    /// Says more, for example `service: checkout`, by which it is routed.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// The event when it fires.
    pub fn fires(&self, at: Timestamp) -> Value {
        self.event("ALARM", "OK", at)
    }

    /// The event when it has recovered.
    pub fn recovers(&self, at: Timestamp) -> Value {
        self.event("OK", "ALARM", at)
    }

    fn event(&self, state: &str, before: &str, at: Timestamp) -> Value {
        let stamp = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string();
        json!({
            "version": "0",
            "id": format!("{}-{}-4{}-8{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12)),
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "account": "123456789012",
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": "us-east-1",
            "resources": [format!("arn:aws:cloudwatch:us-east-1:123456789012:alarm:{}", self.name)],
            "detail": {
                "alarmName": self.name,
                "configuration": {
                    "description": self.description,
                    "metrics": [{
                        "id": "m1",
                        "metricStat": {
                            "metric": { "namespace": "AWS/EC2", "name": "CPUUtilization", "dimensions": { "InstanceId": "i-12345678901234567" } },
                            "period": 300,
                            "stat": "Average",
                        },
                        "returnData": true,
                    }],
                },
                "previousState": { "value": before, "timestamp": stamp(at - SignedDuration::from_mins(5)) },
                "state": {
                    "value": state,
                    "reason": "Threshold Crossed: 1 datapoint [99.5 (20/11/26 12:00:00)] was greater than the threshold (80.0).",
                    "reasonData": "{\"version\":\"1.0\",\"threshold\":80.0,\"recentDatapoints\":[99.5]}",
                    "timestamp": stamp(at),
                },
            },
        })
    }
}

/// A message in Tocsin's own schema: `create`, `update`, `acknowledge`, `resolve` or `note` about what the sender calls `key`.
pub fn own(kind: &str, key: &str, at: Timestamp, fields: &Value) -> Value {
    let mut message = json!({ "type": kind, "dedup_key": key, "time": at.to_string(), "by": "checkout-monitor" });
    if let (Some(message), Some(fields)) = (message.as_object_mut(), fields.as_object()) {
        message.extend(fields.clone());
    }
    message
}

/// Now, and moments around it, so that a test reads in minutes.
pub fn minutes_ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}
