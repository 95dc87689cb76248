//! Whose event is it? The table reads like documentation: each row has the word that a source is routed, counted and configured by, the name that people
//! know it by, and the shapes of its events. No two rows know the same shape, so their order carries no meaning; a test holds that against every sample.

mod accessanalyzer;
mod acm;
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

use super::event::{self, Event};
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
    // Threats that GuardDuty found, malware in objects, and what it cannot watch.
    Source { word: "guardduty", name: "GuardDuty", shapes: &[Bridge("aws.guardduty", guardduty::TYPES)], read: Each(guardduty::read) },
    // Findings of Security Hub's standards and of the products that report to it.
    Source {
        word: "securityhub",
        name: "Security Hub",
        shapes: &[Bridge(
            "aws.securityhub",
            &[
                "Security Hub Findings - Imported",
                "Security Hub Findings - Custom Action",
                "Security Hub Insight Results",
                "Findings Imported V2",
            ],
        )],
        read: Each(securityhub::read),
    },
    // Vulnerabilities and open ports that Inspector found, its scans, and what it cannot scan.
    Source {
        word: "inspector",
        name: "Inspector",
        shapes: &[
            Bridge(
                "aws.inspector2",
                &[
                    "Inspector2 Finding",
                    "Inspector2 Scan",
                    "Inspector2 Coverage",
                    "Inspector2 AutoEnable",
                    "Inspector2 OnDemand Scan Complete",
                ],
            ),
            Bridge("inspector2.ami.ondemand", &["OnDemand AMI Scan Findings"]),
        ],
        read: Each(inspector::read),
    },
    // Sensitive data, and buckets that are open.
    Source { word: "macie", name: "Macie", shapes: &[Bridge("aws.macie", &["Macie Finding"])], read: Each(macie::read) },
    // What others can reach, and what nobody uses.
    Source {
        word: "accessanalyzer",
        name: "Access Analyzer",
        shapes: &[Bridge(
            "aws.access-analyzer",
            &[
                "Access Analyzer Finding",
                "Unused Access Finding for IAM entities",
                "Internal Access Finding",
                "Access Preview State Change",
            ],
        )],
        read: Each(accessanalyzer::read),
    },
    // Rules of Config that are kept or not:
    //   over SNS         {"messageType": "ComplianceChangeNotification", "notificationCreationTime": …, "recordVersion": …}; what is too long is a text
    //   to a rule's own function {"configRuleArn": …, "invokingEvent": …}
    Source {
        word: "config",
        name: "Config",
        shapes: &[
            Bridge(
                "aws.config",
                &[
                    "Config Rules Compliance Change",
                    "Config Rules Re-evaluation Status",
                    "Config Configuration Item Change",
                    "Config Configuration Snapshot Delivery Status",
                    "Config Configuration History Delivery Status",
                ],
            ),
            Fields(&["messageType", "notificationCreationTime", "recordVersion"]),
            Fields(&["configRuleArn", "invokingEvent"]),
            Says("View the Timeline for this Resource in the Console:"),
        ],
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
    //   over EventBridge {"detail-type": "AWS API Call via CloudTrail" and its like, "source": any service of AWS}, unless a row names both
    //   a record         {"eventVersion": …, "eventSource": …, "eventName": …, "userIdentity": {"type": …}, "eventType": "AwsApiCall" or its like}
    //   of Insights      {"eventVersion": …, "insightDetails": {"eventName": …}}
    Source {
        word: "cloudtrail",
        name: "CloudTrail",
        shapes: &[
            Is(cloudtrail::is_its_own),
            Fields(&["eventVersion", "eventSource", "eventName", "userIdentity.type", "eventType=Aws*"]),
            Fields(&["eventVersion", "insightDetails.eventName"]),
        ],
        read: Each(cloudtrail::read),
    },
    // ---- Delivery ------------------------------------------------------------------------------------------------------
    // Pipelines: one card for each while it runs; and what waits for an approval.
    Source {
        word: "codepipeline",
        name: "CodePipeline",
        shapes: &[
            Bridge("aws.codepipeline", &[codepipeline::PIPELINE, codepipeline::STAGE, codepipeline::ACTION]),
            Fields(&["approval.pipelineName", "approval.actionName", "approval.stageName"]),
            Is(codepipeline::is_a_job),
        ],
        read: Each(codepipeline::read),
    },
    // Builds: one card for each.
    Source {
        word: "codebuild",
        name: "CodeBuild",
        shapes: &[Bridge("aws.codebuild", &[codebuild::STATE, codebuild::PHASE])],
        read: Each(codebuild::read),
    },
    // Deployments: one card for each group while it runs.
    Source {
        word: "codedeploy",
        name: "CodeDeploy",
        shapes: &[
            Bridge("aws.codedeploy", &[codedeploy::DEPLOYMENT, codedeploy::INSTANCE]),
            Fields(&["eventTriggerName", "deploymentId"]),
            Fields(&["DeploymentId", "LifecycleEventHookExecutionId"]),
        ],
        read: Each(codedeploy::read),
    },
    // Branches and pull requests.
    Source {
        word: "codecommit",
        name: "CodeCommit",
        shapes: &[Bridge("aws.codecommit", codecommit::TYPES), Fields(&["eventSource=aws:codecommit", "eventSourceARN"])],
        read: Each(codecommit::read),
    },
    // Stacks that are made, changed and deleted.
    Source {
        word: "cloudformation",
        name: "CloudFormation",
        shapes: &[
            Bridge("aws.cloudformation", cloudformation::TYPES),
            // What a stack sends to its topics, and what goes between it and the functions of custom resources.
            Says("StackId='arn:"),
            Fields(&["RequestType", "RequestId", "StackId", "LogicalResourceId"]),
            Fields(&["Status", "RequestId", "StackId", "LogicalResourceId"]),
            Fields(&["PhysicalResourceId", "NoEcho", "Data"]),
        ],
        read: Each(cloudformation::read),
    },
    // Images that were pushed and scanned.
    Source { word: "ecr", name: "ECR", shapes: &[Bridge("aws.ecr", ecr::TYPES)], read: Each(ecr::read) },
    // Rotations that failed.
    Source {
        word: "secretsmanager",
        name: "Secrets Manager",
        shapes: &[
            Bridge("aws.secretsmanager", &[secretsmanager::SERVICE_EVENT, secretsmanager::LABEL]),
            Fields(&["Step", "SecretId", "ClientRequestToken"]),
        ],
        read: Each(secretsmanager::read),
    },
    // Certificates that expire.
    Source { word: "acm", name: "ACM", shapes: &[Bridge("aws.acm", acm::TYPES)], read: Each(acm::read) },
    // Keys that are deleted or expire.
    Source { word: "kms", name: "KMS", shapes: &[Bridge("aws.kms", kms::TYPES)], read: Each(kms::read) },
    // ---- Compute -------------------------------------------------------------------------------------------------------
    // Tasks that stop, services that cannot place theirs, deployments.
    Source {
        word: "ecs",
        name: "ECS",
        shapes: &[Bridge(
            "aws.ecs",
            &[
                "ECS Task State Change",
                "ECS Service Action",
                "ECS Deployment State Change",
                "ECS Container Instance State Change",
                "ECS Container Instance Health Change",
            ],
        )],
        read: Each(ecs::read),
    },
    // Jobs that run and fail, queues that are stuck.
    Source {
        word: "batch",
        name: "Batch",
        shapes: &[Bridge(
            "aws.batch",
            &["Batch Job State Change", "Batch Job Queue Blocked", "Batch Service Job State Change", "Batch Service Job Queue Blocked"],
        )],
        read: Each(batch::read),
    },
    // Instances, their volumes, snapshots and images, and spot capacity that goes.
    Source {
        word: "ec2",
        name: "EC2",
        shapes: &[Bridge(
            "aws.ec2",
            &[
                "EC2 Instance State-change Notification",
                "EC2 Spot Instance Interruption Warning",
                "EC2 Instance Rebalance Recommendation",
                "EC2 Spot Instance Rebalance Recommended",
                "EC2 Spot Instance Request Fulfillment",
                "EBS Volume Notification",
                "EBS Snapshot Notification",
                "EBS Multi-Volume Snapshots Completion Status",
                "EBS Fast Snapshot Restore State-change Notification",
                "EC2 AMI State Change",
                "EC2 Fast Launch State-change Notification",
            ],
        )],
        read: Each(ec2::read),
    },
    // Groups that launch and end instances, or cannot; over SNS too.
    Source {
        word: "autoscaling",
        name: "Auto Scaling",
        shapes: &[
            Bridge(
                "aws.autoscaling",
                &[
                    "EC2 Instance Launch Successful",
                    "EC2 Instance Launch Unsuccessful",
                    "EC2 Instance Terminate Successful",
                    "EC2 Instance Terminate Unsuccessful",
                    "EC2 Instance Detach Successful",
                    "EC2 Instance Detach Unsuccessful",
                    "EC2 Instance-launch Lifecycle Action",
                    "EC2 Instance-terminate Lifecycle Action",
                    "EC2 Auto Scaling Instance Refresh Started",
                    "EC2 Auto Scaling Instance Refresh Checkpoint Reached",
                    "EC2 Auto Scaling Instance Refresh Started Baking",
                    "EC2 Auto Scaling Instance Refresh Succeeded",
                    "EC2 Auto Scaling Instance Refresh Failed",
                    "EC2 Auto Scaling Instance Refresh Cancelled",
                    "EC2 Auto Scaling Instance Refresh Rollback Started",
                    "EC2 Auto Scaling Instance Refresh Rollback Succeeded",
                    "EC2 Auto Scaling Instance Refresh Rollback Failed",
                ],
            ),
            Fields(&["Event=autoscaling:*", "AutoScalingGroupName"]),
            Fields(&["LifecycleTransition=autoscaling:*", "AutoScalingGroupName"]),
        ],
        read: Each(autoscaling::read),
    },
    // Asynchronous invocations that were given up, and batches of streams; EventBridge has them from `lambda`, a bus of its own.
    Source {
        word: "lambda",
        name: "Lambda",
        shapes: &[
            Bridge("lambda", &["Lambda Function Invocation Result - Success", "Lambda Function Invocation Result - Failure"]),
            Fields(&["requestContext.condition", "requestContext.functionArn"]),
        ],
        read: Each(lambda::read),
    },
    // Environments, their health and their deployments; over SNS as lines of text.
    Source {
        word: "elasticbeanstalk",
        name: "Elastic Beanstalk",
        shapes: &[
            Bridge(
                "aws.elasticbeanstalk",
                &[
                    "Health status change",
                    "Elastic Beanstalk resource status change",
                    "Other resource status change",
                    "Managed update status change",
                ],
            ),
            Says("NotificationProcessId: "),
        ],
        read: Each(elasticbeanstalk::read),
    },
    // Executions of state machines.
    Source {
        word: "stepfunctions",
        name: "Step Functions",
        shapes: &[Bridge("aws.states", &["Step Functions Execution Status Change"])],
        read: Each(stepfunctions::read),
    },
    // Clusters and their steps; job runs without a cluster of their own.
    Source {
        word: "emr",
        name: "EMR",
        shapes: &[
            Bridge(
                "aws.emr",
                &[
                    "EMR Cluster State Change",
                    "EMR Step Status Change",
                    "EMR Auto Scaling Policy State Change",
                    "EMR Instance Group State Change",
                    "EMR Instance Fleet State Change",
                    "EMR Instance Group Status Notification",
                    "EMR Instance Fleet Status Notification",
                    "EMR Configuration Error",
                    "EMR Application Health State Change",
                    "EMR Managed Scaling Action",
                    "EMR Instance Group Resize",
                    "EMR Instance Fleet Resize",
                    "EMR Instance Group Cluster Start",
                    "EMR Instance Fleet Cluster Start",
                    "EMR Instance Group Provisioning",
                    "EMR Instance Fleet Provisioning",
                    "EMR Instance Group Termination",
                    "EMR Instance Fleet Termination",
                    "EMR Instance Fleet Update",
                    "EMR Unhealthy Node Replacement",
                ],
            ),
            Bridge(
                "aws.emr-serverless",
                &[
                    "EMR Serverless Application State Change",
                    "EMR Serverless Job Run State Change",
                    "EMR Serverless Job Run Retry",
                    "EMR Serverless Job Resource Utilization Update",
                ],
            ),
            Bridge(
                "aws.emr-containers",
                &["EMR Job Run State Change", "EmrContainers Job Run State Change", "EMR Job Run New Driver Attempt"],
            ),
        ],
        read: Each(emr::read),
    },
    // ---- Data ----------------------------------------------------------------------------------------------------------
    // Databases that fail over, run full or stop:
    //   over SNS {"Event Source": "db-instance", "Event ID": "…#RDS-EVENT-0049", …}
    Source {
        word: "rds",
        name: "RDS",
        shapes: &[
            Bridge(
                "aws.rds",
                &[
                    "RDS DB Instance Event",
                    "RDS DB Cluster Event",
                    "RDS DB Snapshot Event",
                    "RDS DB Cluster Snapshot Event",
                    "RDS DB Parameter Group Event",
                    "RDS DB Security Group Event",
                    "RDS DB Proxy Event",
                    "RDS DB Shard Group Event",
                    "RDS Custom Engine Version Event",
                    "RDS Blue Green Deployment Event",
                    "RDS Zero ETL Event",
                ],
            ),
            Fields(&["Event Source=db-*", "Event ID", "Event Message"]),
            Fields(&["Event Source=custom-engine-version", "Event ID", "Event Message"]),
            Fields(&["Event Source=blue-green-deployment", "Event ID", "Event Message"]),
            Fields(&["Event Source=zero-etl", "Event ID", "Event Message"]),
        ],
        read: Each(rds::read),
    },
    // Caches that fail over or are maintained:
    //   over SNS {"ElastiCache:FailoverComplete": "checkout-sessions"}
    Source {
        word: "elasticache",
        name: "ElastiCache",
        shapes: &[
            Bridge(
                "aws.elasticache",
                &[
                    "Cache Created",
                    "Cache Creation Failed",
                    "Cache Deleted",
                    "Cache Updated",
                    "Cache Update Failed",
                    "Cache Limit Approaching",
                    "Snapshot Created",
                    "Snapshot Creation Failed",
                    "Snapshot Copy Failed",
                    "Snapshot Export Failed",
                ],
            ),
            Is(elasticache::is_notification),
            Fields(&["SourceType=cache-*", "SourceIdentifier", "Message"]),
        ],
        read: Each(elasticache::read),
    },
    // Jobs and crawlers.
    Source {
        word: "glue",
        name: "Glue",
        shapes: &[
            Bridge(
                "aws.glue",
                &[
                    "Glue Job State Change",
                    "Glue Job Run Status",
                    "Glue Crawler State Change",
                    "Glue Scheduled Crawler Invocation Failure",
                    "Glue Crawler Table Change",
                    "Glue Catalog State Change",
                    "Glue Data Catalog Database State Change",
                    "Glue Data Catalog Table State Change",
                    "Glue Statistics Task Started",
                    "Glue Statistics Task Succeeded",
                    "Glue Statistics Task Failed",
                    "Glue Auto Statistics Invocation Failure",
                    "Glue Scheduled Statistics Invocation Failure",
                ],
            ),
            Bridge("aws.glue-dataquality", &["Data Quality Evaluation Results Available"]),
        ],
        read: Each(glue::read),
    },
    // Replication tasks and their instances:
    //   over SNS {"Event Source": "replication-task", "Event ID": "…#DMS-EVENT-0078", …}
    Source {
        word: "dms",
        name: "DMS",
        shapes: &[
            Bridge(
                "aws.dms",
                &[
                    "DMS Replication Task State Change",
                    "DMS Replication State Change",
                    "DMS Replication Endpoint State Change",
                    "DMS Data Migration State Change",
                    "DMS Replication Instance State Change",
                    "DMS Replication Instance Class State Change",
                    "DMS Replication Instance Storage State Change",
                    "DMS Replication Instance Multi-AZ State Change",
                    "DMS Replication Instance Patch State",
                    "DMS Replication Instance Failover State",
                ],
            ),
            Fields(&["Event Source=replication-*", "Event ID", "Event Message"]),
        ],
        read: Each(dms::read),
    },
    // Backups, copies and restores, one card for each; vaults and recovery points. SNS says it in a sentence.
    Source {
        word: "backup",
        name: "Backup",
        shapes: &[
            Bridge(
                "aws.backup",
                &[
                    "Backup Job State Change",
                    "Copy Job State Change",
                    "Restore Job State Change",
                    "Scan Job State Change",
                    "Backup Vault State Change",
                    "Backup Plan State Change",
                    "Recovery Point Change",
                    "Recovery Point State Change",
                    "Recovery Point Index State Change",
                    "Region Setting State Change",
                ],
            ),
            Says("An AWS Backup "),
            Says("An AWS Copy job "),
            Is(backup::is_notification),
        ],
        read: Each(backup::read),
    },
    // Objects that came or went, where somebody asked to be told.
    Source {
        word: "s3",
        name: "S3",
        shapes: &[
            Bridge(
                "aws.s3",
                &[
                    "Object Created",
                    "Object Deleted",
                    "Object Restore Initiated",
                    "Object Restore Completed",
                    "Object Restore Expired",
                    "Object Storage Class Changed",
                    "Object Access Tier Changed",
                    "Object ACL Updated",
                    "Object Tags Added",
                    "Object Tags Deleted",
                ],
            ),
            Fields(&["eventSource=aws:s3", "eventName", "s3.bucket.name"]),
        ],
        read: Each(s3::read),
    },
    // Training jobs, endpoints and pipelines.
    Source {
        word: "sagemaker",
        name: "SageMaker",
        shapes: &[Bridge(
            "aws.sagemaker",
            &[
                "SageMaker Training Job State Change",
                "SageMaker Processing Job State Change",
                "SageMaker Transform Job State Change",
                "SageMaker HyperParameter Tuning Job State Change",
                "SageMaker Ground Truth Labeling Job State Change",
                "SageMaker Endpoint State Change",
                "SageMaker Endpoint Deployment State Change",
                "SageMaker Model Building Pipeline Execution Status Change",
                "SageMaker Model Building Pipeline Execution Step Status Change",
                "SageMaker Model Package State Change",
                "SageMaker Feature Group State Change",
                "SageMaker Image State Change",
                "SageMaker Image Version State Change",
                "SageMaker Notebook Instance State Change",
                "SageMaker Monitoring Schedule State Change",
                "SageMaker HyperPod Cluster State Change",
                "SageMaker HyperPod Cluster Node Health Event",
            ],
        )],
        read: Each(sagemaker::read),
    },
    // Mails that bounced, what people complained about, the sender's reputation, and mails that were received.
    Source {
        word: "ses",
        name: "SES",
        shapes: &[
            Bridge(
                "aws.ses",
                &[
                    "Email Bounced",
                    "Email Complaint Received",
                    "Email Rejected",
                    "Email Rendering Failed",
                    "Email Delivery Delayed",
                    "Email Delivered",
                    "Email Sent",
                    "Email Opened",
                    "Email Clicked",
                    "Email Subscribed",
                    "Advisor Recommendation Status Open",
                    "Advisor Recommendation Status Resolved",
                    "Advisor Recommendation Status Closed",
                    "Sending Status Enabled",
                    "Sending Status Disabled",
                ],
            ),
            Fields(&["notificationType", "mail.messageId"]),
            Fields(&["eventType", "mail.messageId"]),
            Fields(&["notificationType=AmazonSnsSubscriptionSucceeded"]),
            Fields(&["eventSource=aws:ses", "ses.mail"]),
        ],
        read: Each(ses::read),
    },
    // ---- The account ---------------------------------------------------------------------------------------------------
    // What AWS says about its own health, and what it wants from you.
    Source { word: "health", name: "Health", shapes: &[Bridge("aws.health", &["AWS Health Event"])], read: Each(health::read) },
    // Commands, automations and maintenance windows, OpsItems, parameters:
    //   over SNS {"commandId": …, "documentName": …, "status": …}
    Source {
        word: "systemsmanager",
        name: "Systems Manager",
        shapes: &[
            Bridge(
                "aws.ssm",
                &[
                    "EC2 Command Status-change Notification",
                    "EC2 Command Invocation Status-change Notification",
                    "EC2 Automation Execution Status-change Notification",
                    "EC2 Automation Step Status-change Notification",
                    "EC2 State Manager Association State Change",
                    "EC2 State Manager Instance Association State Change",
                    "Maintenance Window State-change Notification",
                    "Maintenance Window Execution State-change Notification",
                    "Maintenance Window Task Execution State-change Notification",
                    "Maintenance Window Task Target Invocation State-change Notification",
                    "Maintenance Window Target Registration Notification",
                    "Maintenance Window Task Registration Notification",
                    "OpsItem Create",
                    "OpsItem Update",
                    "Change Request Status Update",
                    "Calendar State Change",
                    "Configuration Compliance State Change",
                    "Parameter Store Change",
                    "Parameter Store Policy Action",
                ],
            ),
            Fields(&["commandId", "documentName", "status"]),
        ],
        read: Each(systemsmanager::read),
    },
    // Insights.
    Source {
        word: "devopsguru",
        name: "DevOps Guru",
        shapes: &[Bridge("aws.devops-guru", &["DevOps Guru New Insight Open"])],
        read: Each(devopsguru::read),
    },
    // Budgets that are or will be exceeded.
    Source { word: "budgets", name: "Budgets", shapes: &[Says("AWS Budget Notification")], read: Each(budgets::read) },
    // Costs that nobody expected.
    Source { word: "costanomaly", name: "Cost Anomaly", shapes: &[Bridge("aws.ce", &["Anomaly Detected"])], read: Each(costanomaly::read) },
    // ---- Others --------------------------------------------------------------------------------------------------------
    // Custom notifications for Amazon Q in chat applications (AWS Chatbot).
    Source { word: "amazonq", name: "Amazon Q", shapes: &[Fields(&["version", "source=custom", "content"])], read: Each(amazonq::read) },
    // Prometheus' Alertmanager.
    Source {
        word: "alertmanager",
        name: "Alertmanager",
        shapes: &[Fields(&["receiver", "alerts", "groupKey", "truncatedAlerts"])],
        read: Each(alertmanager::read),
    },
    // Grafana's alerting.
    Source { word: "grafana", name: "Grafana", shapes: &[Fields(&["receiver", "alerts", "orgId"])], read: Each(grafana::read) },
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
    /// JSON without EventBridge's envelope in which all of these fields are. `a.b` is a field in a field, `a=x` one that says just that, `a=x*` one that begins so.
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

/// Whether a row names this very service and this type of its events.
fn is_named(bridge: &event::Bridge) -> bool {
    let fits = |shape: &Shape| matches!(shape, Bridge(service, types) if Shape::is_of(bridge, service, types));
    SOURCES.iter().flat_map(|source| source.shapes).any(fits)
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
    fn is_of(bridge: &event::Bridge, service: &str, types: &[&str]) -> bool {
        bridge.source.as_deref().is_none_or(|source| source == service) && types.contains(&bridge.detail_type.as_str())
    }

    fn fits(&self, event: &Event) -> bool {
        match self {
            Self::Bridge(service, types) => event.bridge.as_ref().is_some_and(|bridge| Self::is_of(bridge, service, types)),
            Self::Fields(wanted) => {
                let object = event.object().filter(|_| event.bridge.is_none());
                object.is_some_and(|object| {
                    wanted.iter().all(|field| match field.split_once('=') {
                        None => get(object, field).is_some_and(|value| !value.is_null()),
                        Some((way, words)) => get(object, way).and_then(|value| value.as_str()).is_some_and(|text| begins(text, words)),
                    })
                })
            }
            Self::Says(words) => event.text().is_some_and(|text| text.contains(words)),
            Self::Is(fits) => fits(event),
        }
    }
}

/// `words` itself, or what begins with it where it ends in `*`.
fn begins(text: &str, words: &str) -> bool {
    words.strip_suffix('*').map_or(text == words, |beginning| text.starts_with(beginning))
}

#[cfg(test)]
mod tests;
