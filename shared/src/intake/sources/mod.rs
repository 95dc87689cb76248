//! Whose event is it? The table reads like documentation: each row has the word that a source is routed, counted and configured by, the name that people
//! know it by, and the shapes of its events. No two rows know the same shape, so their order carries no meaning; a test holds that against every sample.

mod accessanalyzer;
mod acm;
mod alerting;
mod alertmanager;
mod amazonq;
mod autoscaling;
mod backup;
mod batch;
mod budgets;
mod cloudformation;
mod cloudtrail;
mod cloudwatch;
mod codebuild;
mod codecommit;
mod codedeploy;
mod codepipeline;
mod config;
mod control;
mod costanomaly;
mod devopsguru;
mod dms;
mod ec2;
mod ecr;
mod ecs;
mod elasticache;
mod elasticbeanstalk;
mod emr;
mod generic;
mod glue;
mod grafana;
mod guardduty;
mod health;
mod inspector;
mod kms;
mod lambda;
mod macie;
mod own;
mod rds;
mod s3;
mod sagemaker;
mod secretsmanager;
mod securityhub;
mod ses;
mod stepfunctions;
mod systemsmanager;
mod trustedadvisor;

use serde_json::{Map, Value};

use super::event::Event;
use super::fields::get;
use super::news::{News, framed};
use crate::domain::intent::Intent;
use Reader::{Each, Whole};
use Shape::{Bridge, Fields, Is, Says};

/// Every source there is.
const SOURCES: &[Source] = &[
    // Our own schema: `type` is one of its words, or stands beside `dedup_key` or `incident`.
    Source { word: "own", name: "Tocsin", shapes: &[Is(own::is_its_own)], read: Whole(own::read) },
    // A CloudWatch alarm, with its name and one of the three states:
    //   over SNS         {"AlarmName": …, "NewStateValue": …}
    //   over EventBridge {"detail": {"alarmName": …, "state": {"value": …}}}
    //   as an action     {"alarmData": {"alarmName": …, "state": {"value": …}}}
    Source { word: "cloudwatch", name: "CloudWatch", shapes: &[Is(cloudwatch::is_its_own)], read: Whole(cloudwatch::read) },
    // Connections being set up: S3's {"Event": "s3:TestEvent"}, SNS's {"Type": "SubscriptionConfirmation"}.
    Source { word: "control", name: "AWS", shapes: &[Is(control::is_its_own)], read: Whole(control::read) },
    // ---- Security ------------------------------------------------------------------------------------------------------
    // Threats that GuardDuty found, and malware in objects.
    Source {
        word: "guardduty",
        name: "GuardDuty",
        shapes: &[Bridge("aws.guardduty", &["GuardDuty Finding", "GuardDuty Malware Protection Object Scan Result"])],
        read: Each(guardduty::read),
    },
    // Findings of Security Hub's standards and of the products that report to it.
    Source {
        word: "securityhub",
        name: "Security Hub",
        shapes: &[Bridge("aws.securityhub", &["Security Hub Findings - Imported", "Security Hub Findings - Custom Action"])],
        read: Each(securityhub::read),
    },
    // Vulnerabilities and open ports that Inspector found, and its scans.
    Source {
        word: "inspector",
        name: "Inspector",
        shapes: &[Bridge("aws.inspector2", &["Inspector2 Finding", "Inspector2 Scan"])],
        read: Each(inspector::read),
    },
    // Sensitive data, and buckets that are open.
    Source { word: "macie", name: "Macie", shapes: &[Bridge("aws.macie", &["Macie Finding"])], read: Each(macie::read) },
    // What others can reach, and what nobody uses.
    Source {
        word: "accessanalyzer",
        name: "Access Analyzer",
        shapes: &[Bridge("aws.access-analyzer", &["Access Analyzer Finding"])],
        read: Each(accessanalyzer::read),
    },
    // Rules of Config that are kept or not.
    Source {
        word: "config",
        name: "Config",
        shapes: &[Bridge("aws.config", &["Config Rules Compliance Change"])],
        read: Each(config::read),
    },
    // Checks of Trusted Advisor.
    Source {
        word: "trustedadvisor",
        name: "Trusted Advisor",
        shapes: &[Bridge("aws.trustedadvisor", &["Trusted Advisor Check Item Refresh Notification"])],
        read: Each(trustedadvisor::read),
    },
    // Somebody did something: calls and sign-ins that a rule picked.
    Source {
        word: "cloudtrail",
        name: "CloudTrail",
        shapes: &[Fields(&["eventVersion", "eventSource", "eventName", "userIdentity"])],
        read: Each(cloudtrail::read),
    },
    // ---- Delivery ------------------------------------------------------------------------------------------------------
    // Pipelines: one card for each while it runs; and what waits for an approval.
    Source {
        word: "codepipeline",
        name: "CodePipeline",
        shapes: &[Bridge("aws.codepipeline", &["CodePipeline Pipeline Execution State Change"])],
        read: Each(codepipeline::read),
    },
    // Builds: one card for each.
    Source {
        word: "codebuild",
        name: "CodeBuild",
        shapes: &[Bridge("aws.codebuild", &["CodeBuild Build State Change"])],
        read: Each(codebuild::read),
    },
    // Deployments: one card for each group while it runs.
    Source {
        word: "codedeploy",
        name: "CodeDeploy",
        shapes: &[Bridge("aws.codedeploy", &["CodeDeploy Deployment State-change Notification"])],
        read: Each(codedeploy::read),
    },
    // Branches and pull requests.
    Source {
        word: "codecommit",
        name: "CodeCommit",
        shapes: &[Bridge("aws.codecommit", &["CodeCommit Repository State Change"])],
        read: Each(codecommit::read),
    },
    // Stacks that are made, changed and deleted.
    Source {
        word: "cloudformation",
        name: "CloudFormation",
        shapes: &[Bridge("aws.cloudformation", &["CloudFormation Stack Status Change"])],
        read: Each(cloudformation::read),
    },
    // Images that were pushed and scanned.
    Source { word: "ecr", name: "ECR", shapes: &[Bridge("aws.ecr", &["ECR Image Scan"])], read: Each(ecr::read) },
    // Rotations that failed.
    Source {
        word: "secretsmanager",
        name: "Secrets Manager",
        shapes: &[Bridge("aws.secretsmanager", &["AWS Service Event via CloudTrail"])],
        read: Each(secretsmanager::read),
    },
    // Certificates that expire.
    Source { word: "acm", name: "ACM", shapes: &[Bridge("aws.acm", &["ACM Certificate Approaching Expiration"])], read: Each(acm::read) },
    // Keys that are deleted or expire.
    Source { word: "kms", name: "KMS", shapes: &[Bridge("aws.kms", &["KMS CMK Deletion"])], read: Each(kms::read) },
    // ---- Compute -------------------------------------------------------------------------------------------------------
    // Tasks that stop, services that cannot place theirs, deployments.
    Source { word: "ecs", name: "ECS", shapes: &[Bridge("aws.ecs", &["ECS Task State Change"])], read: Each(ecs::read) },
    // Jobs that failed.
    Source { word: "batch", name: "Batch", shapes: &[Bridge("aws.batch", &["Batch Job State Change"])], read: Each(batch::read) },
    // Instances, their volumes, and spot capacity that goes.
    Source { word: "ec2", name: "EC2", shapes: &[Bridge("aws.ec2", &["EC2 Instance State-change Notification"])], read: Each(ec2::read) },
    // Groups that launch and end instances, or cannot.
    Source {
        word: "autoscaling",
        name: "Auto Scaling",
        shapes: &[Bridge("aws.autoscaling", &["EC2 Instance Launch Unsuccessful"])],
        read: Each(autoscaling::read),
    },
    // Asynchronous invocations that were given up.
    Source { word: "lambda", name: "Lambda", shapes: &[Fields(&["requestContext.condition", "requestPayload"])], read: Each(lambda::read) },
    // Environments, their health and their deployments.
    Source {
        word: "elasticbeanstalk",
        name: "Elastic Beanstalk",
        shapes: &[Bridge("aws.elasticbeanstalk", &["Health status change"])],
        read: Each(elasticbeanstalk::read),
    },
    // Executions of state machines.
    Source {
        word: "stepfunctions",
        name: "Step Functions",
        shapes: &[Bridge("aws.states", &["Step Functions Execution Status Change"])],
        read: Each(stepfunctions::read),
    },
    // Clusters and their steps.
    Source { word: "emr", name: "EMR", shapes: &[Bridge("aws.emr", &["EMR Cluster State Change"])], read: Each(emr::read) },
    // ---- Data ----------------------------------------------------------------------------------------------------------
    // Databases that fail over, run full or stop.
    Source { word: "rds", name: "RDS", shapes: &[Bridge("aws.rds", &["RDS DB Instance Event"])], read: Each(rds::read) },
    // Caches that fail over or are maintained.
    Source {
        word: "elasticache",
        name: "ElastiCache",
        shapes: &[Bridge("aws.elasticache", &["ElastiCache Cluster Event"])],
        read: Each(elasticache::read),
    },
    // Jobs and crawlers.
    Source { word: "glue", name: "Glue", shapes: &[Bridge("aws.glue", &["Glue Job State Change"])], read: Each(glue::read) },
    // Replication tasks and their instances.
    Source { word: "dms", name: "DMS", shapes: &[Bridge("aws.dms", &["DMS Replication Task State Change"])], read: Each(dms::read) },
    // Backups, copies and restores: one card for each.
    Source { word: "backup", name: "Backup", shapes: &[Bridge("aws.backup", &["Backup Job State Change"])], read: Each(backup::read) },
    // Objects that came or went, where somebody asked to be told.
    Source { word: "s3", name: "S3", shapes: &[Bridge("aws.s3", &["Object Created"])], read: Each(s3::read) },
    // Training jobs, endpoints and pipelines.
    Source {
        word: "sagemaker",
        name: "SageMaker",
        shapes: &[Bridge("aws.sagemaker", &["SageMaker Training Job State Change"])],
        read: Each(sagemaker::read),
    },
    // Mails that bounced, and what people complained about.
    Source { word: "ses", name: "SES", shapes: &[Fields(&["notificationType", "mail"])], read: Each(ses::read) },
    // ---- The account ---------------------------------------------------------------------------------------------------
    // What AWS says about its own health, what it wants from you, and who complains about you.
    Source {
        word: "health",
        name: "Health",
        shapes: &[Bridge("aws.health", &["AWS Health Event", "AWS Health Abuse Event"])],
        read: Each(health::read),
    },
    // Commands, automations and maintenance windows.
    Source {
        word: "systemsmanager",
        name: "Systems Manager",
        shapes: &[Bridge("aws.ssm", &["EC2 Command Status-change Notification"])],
        read: Each(systemsmanager::read),
    },
    // Insights, over EventBridge and over SNS: the same fields.
    Source {
        word: "devopsguru",
        name: "DevOps Guru",
        shapes: &[
            Bridge(
                "aws.devops-guru",
                &[
                    "DevOps Guru New Insight Open",
                    "DevOps Guru Insight Severity Upgraded",
                    "DevOps Guru New Anomaly Association",
                    "DevOps Guru New Recommendation Created",
                    "DevOps Guru Insight Closed",
                ],
            ),
            Fields(&["messageType", "insightId", "insightUrl"]),
        ],
        read: Each(devopsguru::read),
    },
    // Budgets that are or will be exceeded.
    Source { word: "budgets", name: "Budgets", shapes: &[Says("AWS Budget Notification")], read: Each(budgets::read) },
    // Costs that nobody expected, over EventBridge and over SNS.
    Source {
        word: "costanomaly",
        name: "Cost Anomaly",
        shapes: &[Bridge("aws.ce", &["Anomaly Detected"]), Fields(&["anomalyId", "monitorArn", "impact"])],
        read: Each(costanomaly::read),
    },
    // ---- Others --------------------------------------------------------------------------------------------------------
    // Custom notifications for Amazon Q in chat applications (AWS Chatbot).
    Source { word: "amazonq", name: "Amazon Q", shapes: &[Fields(&["version", "source=custom", "content"])], read: Each(amazonq::read) },
    // Prometheus' Alertmanager.
    Source {
        word: "alertmanager",
        name: "Alertmanager",
        shapes: &[Fields(&["version=4", "groupKey", "receiver", "alerts", "!orgId"])],
        read: Each(alertmanager::read),
    },
    // Grafana's alerting, and what its dashboards sent before it.
    Source {
        word: "grafana",
        name: "Grafana",
        shapes: &[Fields(&["receiver", "alerts", "orgId"]), Fields(&["ruleId", "ruleName", "state"])],
        read: Each(grafana::read),
    },
];

/// One row of [`SOURCES`].
struct Source {
    /// Small letters and digits: it is routed, counted and configured by this.
    word: &'static str,
    /// Stands on the card.
    name: &'static str,
    /// One of these is enough.
    shapes: &'static [Shape],
    read: Reader,
}

/// By what a source's event is known.
enum Shape {
    /// An event of EventBridge from this service and of one of these types. Who cuts the service off leaves its types, which are no less its own.
    Bridge(&'static str, &'static [&'static str]),
    /// JSON without EventBridge's envelope in which all of these fields are. `a.b` is a field in a field, `a=x` one that says just that, `a=x*` one that begins so,
    /// `!a` one that is not there.
    Fields(&'static [&'static str]),
    /// No JSON but a text, in which this stands.
    Says(&'static str),
    /// What only its own file can tell.
    Is(fn(&Event) -> bool),
}

/// How a source reads its events.
enum Reader {
    /// It says what the matter is, and the frame around it is put there by [`framed`]. `None`: half of the event is missing, so it is read as any other.
    Each(fn(&Event) -> Option<Vec<News>>),
    /// It knows better.
    Whole(fn(&Event) -> Verdict),
}

/// What a source makes of one event.
#[derive(Debug)]
pub(super) enum Verdict {
    /// This is wanted.
    Intents(Vec<Intent>),
    /// Nothing is wanted, and why.
    Ignored(String),
    /// It cannot be read, and why.
    Refused(String),
}

/// What nobody knows, or knows only half.
const OTHER: &str = "other";

/// Reads an event: the word of whose it is, and what it comes to.
pub(super) fn read(event: &Event) -> (&'static str, Verdict) {
    let Some(source) = SOURCES.iter().find(|source| source.knows(event)) else { return (OTHER, generic::read(event)) };
    match source.read {
        Whole(read) => (source.word, read(event)),
        Each(read) => match read(event) {
            Some(news) => (source.word, verdict(news, event, source)),
            None => (OTHER, generic::read(event)),
        },
    }
}

fn verdict(news: Vec<News>, event: &Event, source: &Source) -> Verdict {
    let wanted = framed(news, event, source.name, source.word);
    if wanted.intents.is_empty() { Verdict::Ignored(wanted.ignored.join("; ")) } else { Verdict::Intents(wanted.intents) }
}

/// Whether a source knows this text as its own, so that it need not come in an envelope.
pub(super) fn is_known_text(text: &str) -> bool {
    SOURCES.iter().flat_map(|source| source.shapes).any(|shape| matches!(shape, Says(words) if text.contains(words)))
}

/// The ARN of the CloudWatch alarm that this is about, if it is about one.
pub(super) fn alarm_arn(event: &Event) -> Option<String> {
    cloudwatch::arn(event)
}

/// The name of the source whose event it is; `None` for our own, and for what nobody knows.
pub(super) fn foreign(event: &Event) -> Option<&'static str> {
    SOURCES.iter().find(|source| source.knows(event)).filter(|source| !is_own(source.word)).map(|source| source.name)
}

/// Reads an event as one of our own schema, whatever else it may be.
pub(super) fn own(event: &Event) -> Result<Vec<Intent>, Vec<String>> {
    own::wanted(event, own::Type::Create)
}

/// Whether an event is of Tocsin's own schema.
pub(super) fn is_own(word: &str) -> bool {
    word == "own"
}

impl Source {
    fn knows(&self, event: &Event) -> bool {
        self.shapes.iter().any(|shape| shape.fits(event))
    }
}

impl Shape {
    fn fits(&self, event: &Event) -> bool {
        match self {
            Self::Bridge(service, types) => event.bridge.as_ref().is_some_and(|bridge| {
                bridge.source.as_deref().is_none_or(|source| source == *service) && types.contains(&bridge.detail_type.as_str())
            }),
            Self::Fields(wanted) => {
                let object = event.object().filter(|_| event.bridge.is_none());
                object.is_some_and(|object| wanted.iter().all(|field| holds(object, field)))
            }
            Self::Says(words) => event.text().is_some_and(|text| text.contains(words)),
            Self::Is(fits) => fits(event),
        }
    }
}

/// Whether the object has the field as a shape wants it.
fn holds(object: &Map<String, Value>, field: &str) -> bool {
    let is_there = |way| get(object, way).is_some_and(|value| !value.is_null());
    if let Some(way) = field.strip_prefix('!') {
        return !is_there(way);
    }
    match field.split_once('=') {
        None => is_there(field),
        Some((way, words)) => get(object, way).and_then(Value::as_str).is_some_and(|text| begins(text, words)),
    }
}

/// `words` itself, or what begins with it where it ends in `*`.
fn begins(text: &str, words: &str) -> bool {
    words.strip_suffix('*').map_or(text == words, |beginning| text.starts_with(beginning))
}

#[cfg(test)]
mod tests;
