//! Every source there is, and by what its events are known.
//!
//! Each row has the word that a source is routed, counted and configured by, the name that people know it by, and the shapes of its events. No two rows know the same shape, so
//! their order carries no meaning; a test holds that against every sample.

use super::shape::Reader::{Each, Whole};
use super::shape::Shape::{Bridge, Fields, Is, Says};
use super::shape::Source;
use super::{
    accessanalyzer, acm, alertmanager, amazonq, autoscaling, backup, batch, budgets, cloudformation, cloudtrail, cloudwatch, codebuild,
    codecommit, codedeploy, codepipeline, config, control, costanomaly, devopsguru, dms, ec2, ecr, ecs, elasticache, elasticbeanstalk, emr,
    glue, grafana, guardduty, health, inspector, kms, lambda, macie, own, rds, s3, sagemaker, secretsmanager, securityhub, ses,
    stepfunctions, systemsmanager, trustedadvisor,
};

/// The table.
#[rustfmt::skip] // Packed, so that it can be read at a glance.
pub(super) const SOURCES: &[Source] = &[
    // Our own schema: `type` is one of its words, or stands beside `dedup_key` or `incident`.
    Source { word: "own", name: "Tocsin", read: Whole(own::read), shapes: &[Is(own::is_its_own)] },
    // A CloudWatch alarm, with its name and one of the three states:
    //   over SNS         {"AlarmName": …, "NewStateValue": …}
    //   over EventBridge {"detail": {"alarmName": …, "state": {"value": …}}}
    //   as an action     {"alarmData": {"alarmName": …, "state": {"value": …}}}
    Source { word: "cloudwatch", name: "CloudWatch", read: Whole(cloudwatch::read), shapes: &[Is(cloudwatch::is_its_own)] },
    // Connections being set up: S3's {"Event": "s3:TestEvent"}, SNS's {"Type": "SubscriptionConfirmation"}. And what Tocsin tells on its own event bus.
    Source { word: "control", name: "AWS", read: Whole(control::read), shapes: &[Is(control::is_its_own)] },

    // ---- Security ------------------------------------------------------------------------------------------------------
    // Threats that GuardDuty found, malware in objects, and what it cannot watch.
    Source { word: "guardduty", name: "GuardDuty", read: Each(guardduty::read), shapes: &[Bridge("aws.guardduty", guardduty::TYPES)] },
    // Findings of Security Hub's standards and of the products that report to it.
    Source { word: "securityhub", name: "Security Hub", read: Each(securityhub::read), shapes: &[
        Bridge("aws.securityhub", &["Security Hub Findings - Imported", "Security Hub Findings - Custom Action", "Security Hub Insight Results",
            "Findings Imported V2"]),
    ] },
    // Vulnerabilities and open ports that Inspector found, its scans, and what it cannot scan.
    Source { word: "inspector", name: "Inspector", read: Each(inspector::read), shapes: &[
        Bridge("aws.inspector2", &["Inspector2 Finding", "Inspector2 Scan", "Inspector2 Coverage", "Inspector2 AutoEnable",
            "Inspector2 OnDemand Scan Complete"]),
        Bridge("inspector2.ami.ondemand", &["OnDemand AMI Scan Findings"]),
    ] },
    // Sensitive data, and buckets that are open.
    Source { word: "macie", name: "Macie", read: Each(macie::read), shapes: &[Bridge("aws.macie", &["Macie Finding"])] },
    // What others can reach, and what nobody uses.
    Source { word: "accessanalyzer", name: "Access Analyzer", read: Each(accessanalyzer::read), shapes: &[
        Bridge("aws.access-analyzer", &["Access Analyzer Finding", "Unused Access Finding for IAM entities", "Internal Access Finding",
            "Access Preview State Change"]),
    ] },
    // Rules of Config that are kept or not:
    //   over SNS         {"messageType": "ComplianceChangeNotification", "notificationCreationTime": …, "recordVersion": …}; what is too long is a text
    //   to a rule's own function {"configRuleArn": …, "invokingEvent": …}
    Source { word: "config", name: "Config", read: Each(config::read), shapes: &[
        Bridge("aws.config", &["Config Rules Compliance Change", "Config Rules Re-evaluation Status", "Config Configuration Item Change",
            "Config Configuration Snapshot Delivery Status", "Config Configuration History Delivery Status"]),
        Fields(&["messageType", "notificationCreationTime", "recordVersion"]),
        Fields(&["configRuleArn", "invokingEvent"]),
        Says("View the Timeline for this Resource in the Console:"),
    ] },
    // Checks of Trusted Advisor.
    Source { word: "trustedadvisor", name: "Trusted Advisor", read: Each(trustedadvisor::read), shapes: &[
        Bridge("aws.trustedadvisor", &["Trusted Advisor Check Item Refresh Notification"]),
    ] },
    // Somebody did something: calls and sign-ins that a rule picked.
    //   over EventBridge {"detail-type": "AWS API Call via CloudTrail" and its like, "source": any service of AWS}, unless a row names both
    //   a record         {"eventVersion": …, "eventSource": …, "eventName": …, "userIdentity": {"type": …}, "eventType": "AwsApiCall" or its like}
    //   of Insights      {"eventVersion": …, "insightDetails": {"eventName": …}}
    Source { word: "cloudtrail", name: "CloudTrail", read: Each(cloudtrail::read), shapes: &[
        Is(cloudtrail::is_its_own),
        Fields(&["eventVersion", "eventSource", "eventName", "userIdentity.type", "eventType=Aws*"]),
        Fields(&["eventVersion", "insightDetails.eventName"]),
    ] },

    // ---- Delivery ------------------------------------------------------------------------------------------------------
    // Pipelines: one card for each while it runs; and what waits for an approval.
    Source { word: "codepipeline", name: "CodePipeline", read: Each(codepipeline::read), shapes: &[
        Bridge("aws.codepipeline", &[codepipeline::PIPELINE, codepipeline::STAGE, codepipeline::ACTION]),
        Fields(&["approval.pipelineName", "approval.actionName", "approval.stageName"]),
        Is(codepipeline::is_a_job),
    ] },
    // Builds: one card for each.
    Source { word: "codebuild", name: "CodeBuild", read: Each(codebuild::read), shapes: &[Bridge("aws.codebuild", &[codebuild::STATE, codebuild::PHASE])] },
    // Deployments: one card for each group while it runs.
    Source { word: "codedeploy", name: "CodeDeploy", read: Each(codedeploy::read), shapes: &[
        Bridge("aws.codedeploy", &[codedeploy::DEPLOYMENT, codedeploy::INSTANCE]),
        Fields(&["eventTriggerName", "deploymentId"]),
        Fields(&["DeploymentId", "LifecycleEventHookExecutionId"]),
    ] },
    // Branches and pull requests.
    Source { word: "codecommit", name: "CodeCommit", read: Each(codecommit::read), shapes: &[
        Bridge("aws.codecommit", codecommit::TYPES),
        Fields(&["eventSource=aws:codecommit", "eventSourceARN"]),
    ] },
    // Stacks that are made, changed and deleted:
    //   over SNS         lines such as StackId='arn:…'
    //   and what goes between a stack and the functions of its custom resources
    Source { word: "cloudformation", name: "CloudFormation", read: Each(cloudformation::read), shapes: &[
        Bridge("aws.cloudformation", cloudformation::TYPES),
        Says("StackId='arn:"),
        Fields(&["RequestType", "RequestId", "StackId", "LogicalResourceId"]),
        Fields(&["Status", "RequestId", "StackId", "LogicalResourceId"]),
        Fields(&["PhysicalResourceId", "NoEcho", "Data"]),
    ] },
    // Images that were pushed and scanned.
    Source { word: "ecr", name: "ECR", read: Each(ecr::read), shapes: &[Bridge("aws.ecr", ecr::TYPES)] },
    // Rotations that failed.
    Source { word: "secretsmanager", name: "Secrets Manager", read: Each(secretsmanager::read), shapes: &[
        Bridge("aws.secretsmanager", &[secretsmanager::SERVICE_EVENT, secretsmanager::LABEL]),
        Fields(&["Step", "SecretId", "ClientRequestToken"]),
    ] },
    // Certificates that expire.
    Source { word: "acm", name: "ACM", read: Each(acm::read), shapes: &[Bridge("aws.acm", acm::TYPES)] },
    // Keys that are deleted or expire.
    Source { word: "kms", name: "KMS", read: Each(kms::read), shapes: &[Bridge("aws.kms", kms::TYPES)] },

    // ---- Compute -------------------------------------------------------------------------------------------------------
    // Tasks that stop, services that cannot place theirs, deployments.
    Source { word: "ecs", name: "ECS", read: Each(ecs::read), shapes: &[
        Bridge("aws.ecs", &["ECS Task State Change", "ECS Service Action", "ECS Deployment State Change", "ECS Container Instance State Change",
            "ECS Container Instance Health Change"]),
    ] },
    // Jobs that run and fail, queues that are stuck.
    Source { word: "batch", name: "Batch", read: Each(batch::read), shapes: &[
        Bridge("aws.batch", &["Batch Job State Change", "Batch Job Queue Blocked", "Batch Service Job State Change", "Batch Service Job Queue Blocked"]),
    ] },
    // Instances, their volumes, snapshots and images, and spot capacity that goes.
    Source { word: "ec2", name: "EC2", read: Each(ec2::read), shapes: &[
        Bridge("aws.ec2", &["EC2 Instance State-change Notification", "EC2 Spot Instance Interruption Warning", "EC2 Instance Rebalance Recommendation",
            "EC2 Spot Instance Rebalance Recommended", "EC2 Spot Instance Request Fulfillment", "EBS Volume Notification", "EBS Snapshot Notification",
            "EBS Multi-Volume Snapshots Completion Status", "EBS Fast Snapshot Restore State-change Notification", "EC2 AMI State Change",
            "EC2 Fast Launch State-change Notification"]),
    ] },
    // Groups that launch and end instances, or cannot; over SNS too.
    Source { word: "autoscaling", name: "Auto Scaling", read: Each(autoscaling::read), shapes: &[
        Bridge("aws.autoscaling", &["EC2 Instance Launch Successful", "EC2 Instance Launch Unsuccessful", "EC2 Instance Terminate Successful",
            "EC2 Instance Terminate Unsuccessful", "EC2 Instance Detach Successful", "EC2 Instance Detach Unsuccessful",
            "EC2 Instance-launch Lifecycle Action", "EC2 Instance-terminate Lifecycle Action", "EC2 Auto Scaling Instance Refresh Started",
            "EC2 Auto Scaling Instance Refresh Checkpoint Reached", "EC2 Auto Scaling Instance Refresh Started Baking",
            "EC2 Auto Scaling Instance Refresh Succeeded", "EC2 Auto Scaling Instance Refresh Failed", "EC2 Auto Scaling Instance Refresh Cancelled",
            "EC2 Auto Scaling Instance Refresh Rollback Started", "EC2 Auto Scaling Instance Refresh Rollback Succeeded",
            "EC2 Auto Scaling Instance Refresh Rollback Failed"]),
        Fields(&["Event=autoscaling:*", "AutoScalingGroupName"]),
        Fields(&["LifecycleTransition=autoscaling:*", "AutoScalingGroupName"]),
    ] },
    // Asynchronous invocations that were given up, and batches of streams; EventBridge has them from `lambda`, a bus of its own.
    Source { word: "lambda", name: "Lambda", read: Each(lambda::read), shapes: &[
        Bridge("lambda", &["Lambda Function Invocation Result - Success", "Lambda Function Invocation Result - Failure"]),
        Fields(&["requestContext.condition", "requestContext.functionArn"]),
    ] },
    // Environments, their health and their deployments; over SNS as lines of text.
    Source { word: "elasticbeanstalk", name: "Elastic Beanstalk", read: Each(elasticbeanstalk::read), shapes: &[
        Bridge("aws.elasticbeanstalk", &["Health status change", "Elastic Beanstalk resource status change", "Other resource status change",
            "Managed update status change"]),
        Says("NotificationProcessId: "),
    ] },
    // Executions of state machines.
    Source { word: "stepfunctions", name: "Step Functions", read: Each(stepfunctions::read), shapes: &[
        Bridge("aws.states", &["Step Functions Execution Status Change"]),
    ] },
    // Clusters and their steps; job runs without a cluster of their own.
    Source { word: "emr", name: "EMR", read: Each(emr::read), shapes: &[
        Bridge("aws.emr", &["EMR Cluster State Change", "EMR Step Status Change", "EMR Auto Scaling Policy State Change", "EMR Instance Group State Change",
            "EMR Instance Fleet State Change", "EMR Instance Group Status Notification", "EMR Instance Fleet Status Notification", "EMR Configuration Error",
            "EMR Application Health State Change", "EMR Managed Scaling Action", "EMR Instance Group Resize", "EMR Instance Fleet Resize",
            "EMR Instance Group Cluster Start", "EMR Instance Fleet Cluster Start", "EMR Instance Group Provisioning", "EMR Instance Fleet Provisioning",
            "EMR Instance Group Termination", "EMR Instance Fleet Termination", "EMR Instance Fleet Update", "EMR Unhealthy Node Replacement"]),
        Bridge("aws.emr-serverless", &["EMR Serverless Application State Change", "EMR Serverless Job Run State Change", "EMR Serverless Job Run Retry",
            "EMR Serverless Job Resource Utilization Update"]),
        Bridge("aws.emr-containers", &["EMR Job Run State Change", "EmrContainers Job Run State Change", "EMR Job Run New Driver Attempt"]),
    ] },

    // ---- Data ----------------------------------------------------------------------------------------------------------
    // Databases that fail over, run full or stop:
    //   over SNS {"Event Source": "db-instance", "Event ID": "…#RDS-EVENT-0049", …}
    Source { word: "rds", name: "RDS", read: Each(rds::read), shapes: &[
        Bridge("aws.rds", &["RDS DB Instance Event", "RDS DB Cluster Event", "RDS DB Snapshot Event", "RDS DB Cluster Snapshot Event",
            "RDS DB Parameter Group Event", "RDS DB Security Group Event", "RDS DB Proxy Event", "RDS DB Shard Group Event",
            "RDS Custom Engine Version Event", "RDS Blue Green Deployment Event", "RDS Zero ETL Event"]),
        Fields(&["Event Source=db-*", "Event ID", "Event Message"]),
        Fields(&["Event Source=custom-engine-version", "Event ID", "Event Message"]),
        Fields(&["Event Source=blue-green-deployment", "Event ID", "Event Message"]),
        Fields(&["Event Source=zero-etl", "Event ID", "Event Message"]),
    ] },
    // Caches that fail over or are maintained:
    //   over SNS {"ElastiCache:FailoverComplete": "checkout-sessions"}
    Source { word: "elasticache", name: "ElastiCache", read: Each(elasticache::read), shapes: &[
        Bridge("aws.elasticache", &["Cache Created", "Cache Creation Failed", "Cache Deleted", "Cache Updated", "Cache Update Failed",
            "Cache Limit Approaching", "Snapshot Created", "Snapshot Creation Failed", "Snapshot Copy Failed", "Snapshot Export Failed"]),
        Is(elasticache::is_notification),
        Fields(&["SourceType=cache-*", "SourceIdentifier", "Message"]),
    ] },
    // Jobs and crawlers.
    Source { word: "glue", name: "Glue", read: Each(glue::read), shapes: &[
        Bridge("aws.glue", &["Glue Job State Change", "Glue Job Run Status", "Glue Crawler State Change", "Glue Scheduled Crawler Invocation Failure",
            "Glue Crawler Table Change", "Glue Catalog State Change", "Glue Data Catalog Database State Change", "Glue Data Catalog Table State Change",
            "Glue Statistics Task Started", "Glue Statistics Task Succeeded", "Glue Statistics Task Failed", "Glue Auto Statistics Invocation Failure",
            "Glue Scheduled Statistics Invocation Failure"]),
        Bridge("aws.glue-dataquality", &["Data Quality Evaluation Results Available"]),
    ] },
    // Replication tasks and their instances:
    //   over SNS {"Event Source": "replication-task", "Event ID": "…#DMS-EVENT-0078", …}
    Source { word: "dms", name: "DMS", read: Each(dms::read), shapes: &[
        Bridge("aws.dms", &["DMS Replication Task State Change", "DMS Replication State Change", "DMS Replication Endpoint State Change",
            "DMS Data Migration State Change", "DMS Replication Instance State Change", "DMS Replication Instance Class State Change",
            "DMS Replication Instance Storage State Change", "DMS Replication Instance Multi-AZ State Change", "DMS Replication Instance Patch State",
            "DMS Replication Instance Failover State"]),
        Fields(&["Event Source=replication-*", "Event ID", "Event Message"]),
    ] },
    // Backups, copies and restores, one card for each; vaults and recovery points. SNS says it in a sentence.
    Source { word: "backup", name: "Backup", read: Each(backup::read), shapes: &[
        Bridge("aws.backup", &["Backup Job State Change", "Copy Job State Change", "Restore Job State Change", "Scan Job State Change",
            "Backup Vault State Change", "Backup Plan State Change", "Recovery Point Change", "Recovery Point State Change",
            "Recovery Point Index State Change", "Region Setting State Change"]),
        Says("An AWS Backup "),
        Says("An AWS Copy job "),
        Is(backup::is_notification),
    ] },
    // Objects that came or went, where somebody asked to be told.
    Source { word: "s3", name: "S3", read: Each(s3::read), shapes: &[
        Bridge("aws.s3", &["Object Created", "Object Deleted", "Object Restore Initiated", "Object Restore Completed", "Object Restore Expired",
            "Object Storage Class Changed", "Object Access Tier Changed", "Object ACL Updated", "Object Tags Added", "Object Tags Deleted"]),
        Fields(&["eventSource=aws:s3", "eventName", "s3.bucket.name"]),
    ] },
    // Training jobs, endpoints and pipelines.
    Source { word: "sagemaker", name: "SageMaker", read: Each(sagemaker::read), shapes: &[
        Bridge("aws.sagemaker", &["SageMaker Training Job State Change", "SageMaker Processing Job State Change", "SageMaker Transform Job State Change",
            "SageMaker HyperParameter Tuning Job State Change", "SageMaker Ground Truth Labeling Job State Change", "SageMaker Endpoint State Change",
            "SageMaker Endpoint Deployment State Change", "SageMaker Model Building Pipeline Execution Status Change",
            "SageMaker Model Building Pipeline Execution Step Status Change", "SageMaker Model Package State Change", "SageMaker Feature Group State Change",
            "SageMaker Image State Change", "SageMaker Image Version State Change", "SageMaker Notebook Instance State Change",
            "SageMaker Monitoring Schedule State Change", "SageMaker HyperPod Cluster State Change", "SageMaker HyperPod Cluster Node Health Event"]),
    ] },
    // Mails that bounced, what people complained about, the sender's reputation, and mails that were received.
    Source { word: "ses", name: "SES", read: Each(ses::read), shapes: &[
        Bridge("aws.ses", &["Email Bounced", "Email Complaint Received", "Email Rejected", "Email Rendering Failed", "Email Delivery Delayed",
            "Email Delivered", "Email Sent", "Email Opened", "Email Clicked", "Email Subscribed", "Advisor Recommendation Status Open",
            "Advisor Recommendation Status Resolved", "Advisor Recommendation Status Closed", "Sending Status Enabled", "Sending Status Disabled"]),
        Fields(&["notificationType", "mail.messageId"]),
        Fields(&["eventType", "mail.messageId"]),
        Fields(&["notificationType=AmazonSnsSubscriptionSucceeded"]),
        Fields(&["eventSource=aws:ses", "ses.mail"]),
    ] },

    // ---- The account ---------------------------------------------------------------------------------------------------
    // What AWS says about its own health, what it wants from you, and who complains about you.
    Source { word: "health", name: "Health", read: Each(health::read), shapes: &[Bridge("aws.health", &["AWS Health Event", "AWS Health Abuse Event"])] },
    // Commands, automations and maintenance windows, OpsItems, parameters:
    //   over SNS {"commandId": …, "documentName": …, "status": …}
    Source { word: "systemsmanager", name: "Systems Manager", read: Each(systemsmanager::read), shapes: &[
        Bridge("aws.ssm", &["EC2 Command Status-change Notification", "EC2 Command Invocation Status-change Notification",
            "EC2 Automation Execution Status-change Notification", "EC2 Automation Step Status-change Notification",
            "EC2 State Manager Association State Change", "EC2 State Manager Instance Association State Change",
            "Maintenance Window State-change Notification", "Maintenance Window Execution State-change Notification",
            "Maintenance Window Task Execution State-change Notification", "Maintenance Window Task Target Invocation State-change Notification",
            "Maintenance Window Target Registration Notification", "Maintenance Window Task Registration Notification", "OpsItem Create", "OpsItem Update",
            "Change Request Status Update", "Calendar State Change", "Configuration Compliance State Change", "Parameter Store Change",
            "Parameter Store Policy Action"]),
        Fields(&["commandId", "documentName", "status"]),
    ] },
    // Insights, over EventBridge and over SNS: the same fields.
    Source { word: "devopsguru", name: "DevOps Guru", read: Each(devopsguru::read), shapes: &[
        Bridge("aws.devops-guru", &["DevOps Guru New Insight Open", "DevOps Guru Insight Severity Upgraded", "DevOps Guru New Anomaly Association",
            "DevOps Guru New Recommendation Created", "DevOps Guru Insight Closed"]),
        Fields(&["messageType", "insightId", "insightUrl"]),
    ] },
    // Budgets that are or will be exceeded.
    Source { word: "budgets", name: "Budgets", read: Each(budgets::read), shapes: &[Says("AWS Budget Notification")] },
    // Costs that nobody expected, over EventBridge and over SNS.
    Source { word: "costanomaly", name: "Cost Anomaly", read: Each(costanomaly::read), shapes: &[
        Bridge("aws.ce", &["Anomaly Detected"]),
        Fields(&["anomalyId", "monitorArn", "impact"]),
    ] },

    // ---- Others --------------------------------------------------------------------------------------------------------
    // Custom notifications for Amazon Q in chat applications (AWS Chatbot).
    Source { word: "amazonq", name: "Amazon Q", read: Each(amazonq::read), shapes: &[Fields(&["version", "source=custom", "content"])] },
    // Prometheus' Alertmanager.
    Source { word: "alertmanager", name: "Alertmanager", read: Each(alertmanager::read), shapes: &[
        Fields(&["version=4", "groupKey", "receiver", "alerts", "!orgId"]),
    ] },
    // Grafana's alerting, and what its dashboards sent before it.
    Source { word: "grafana", name: "Grafana", read: Each(grafana::read), shapes: &[
        Fields(&["receiver", "alerts", "orgId"]),
        Fields(&["ruleId", "ruleName", "state"]),
    ] },
];
