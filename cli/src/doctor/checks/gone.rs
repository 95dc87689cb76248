//! A queue that somebody has deleted, made anew as template.yaml describes it. CloudFormation knows nothing of that: it would make it anew only where its description changes.

use serde_json::{Value, json};
use shared::queue::dead_letters::Contents;

use super::super::finding::Fix;
use super::queues::{Queue, arn};
use crate::deployment::Deployment;

/// Makes it anew; `takes`: it is the queue itself, else that of its dead letters.
pub(super) fn anew(queue: &Queue, deployment: &Deployment, takes: bool) -> Fix {
    let arn_of = |output| deployment.output(output).map(|url| arn(deployment, url)).unwrap_or_default();
    let (source, dead_letters) = (arn_of(queue.url), arn_of(queue.dead_letters));
    let own = if takes { &source } else { &dead_letters };
    let mut attributes = json!({ "MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": "true" });
    let mut set = |name: &str, value: String| attributes[name] = value.into();
    if let Some(key) = deployment.parameter("KmsKeyArn") {
        set("SqsManagedSseEnabled", "false".to_owned());
        set("KmsMasterKeyId", key.to_owned());
    }
    if queue.contents != Contents::Incidents {
        set("FifoQueue", "true".to_owned());
        set("DeduplicationScope", "messageGroup".to_owned());
        set("FifoThroughputLimit", "perMessageGroupId".to_owned());
    }
    if takes {
        set("VisibilityTimeout", deployment.parameter(queue.visibility).unwrap_or("180").to_owned());
        set("RedrivePolicy", json!({ "deadLetterTargetArn": dead_letters, "maxReceiveCount": queue.receives }).to_string());
    } else {
        set("RedriveAllowPolicy", json!({ "redrivePermission": "byQueue", "sourceQueueArns": [source] }).to_string());
    }
    let senders = takes && queue.contents == Contents::Incidents;
    set("Policy", policy(deployment, own, senders).to_string());
    let say = if takes {
        "Make it anew, a minute after it was deleted at the earliest; where the queue of its dead letters is gone too, that one first."
    } else {
        "Make it anew, a minute after it was deleted at the earliest."
    };
    let name = own.rsplit(':').next().unwrap_or_default();
    Fix::new(say).paste(format!("aws sqs create-queue --queue-name {name} --attributes '{attributes}'"))
}

/// TLS only; and where services may send, those whom the stack names.
fn policy(deployment: &Deployment, own: &str, senders: bool) -> Value {
    let tls = json!({
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": own,
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    let mut statements = vec![tls];
    if senders {
        let sends = |sid: &str, who: Vec<String>| {
            json!({
                "Sid": sid,
                "Effect": "Allow",
                "Principal": { "Service": ["events.amazonaws.com", "sns.amazonaws.com"] },
                "Action": "sqs:SendMessage",
                "Resource": own,
                "Condition": { "ArnLike": { "aws:SourceArn": who } },
            })
        };
        statements.push(sends("Connectors", connectors(deployment, own)));
        if let Some(named) = deployment.parameter("SenderArns") {
            statements.push(sends("NamedSenders", named.split(',').map(str::to_owned).collect()));
        }
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The rules and topics of infra/connect, beside this queue.
fn connectors(deployment: &Deployment, own: &str) -> Vec<String> {
    let parts: Vec<&str> = own.split(':').collect();
    let [_, partition, _, region, account, ..] = parts[..] else { return Vec::new() };
    let arn = |service: &str, before: &str| format!("arn:{partition}:{service}:{region}:{account}:{before}{}-connect-*", deployment.stack);
    vec![arn("events", "rule/"), arn("events", "rule/*/"), arn("sns", "")]
}
