//! The stack and its outputs.

use super::super::finding::{Check, Finding, Fix};
use crate::deployment::{Deployment, Stack};

/// What this program and whoever reads the README count on.
const OUTPUTS: [&str; 21] = [
    "ApiKeysSecretArn",
    "ApiUrl",
    "CallsDeadLettersUrl",
    "CallsQueueUrl",
    "CommandsUrl",
    "EventBusName",
    "EventsUrl",
    "IncidentsDeadLettersUrl",
    "IncidentsQueueUrl",
    "InstallUrl",
    "InstallationSecretsPrefix",
    "IntentsDeadLettersUrl",
    "IntentsQueueUrl",
    "InteractionsUrl",
    "PostsDeadLettersUrl",
    "PostsQueueUrl",
    "RedirectUrl",
    "SlackSecretArn",
    "TableName",
    "TimelineDeadLettersUrl",
    "TimelineQueueUrl",
];

/// There is no such stack, as far as whoever runs this can see.
pub(in super::super) fn unknown(stack: &Stack, error: &anyhow::Error) -> Finding {
    let fix = Fix::new("Name the stack that it is (--stack, TOCSIN_STACK) and where (AWS_PROFILE, AWS_REGION), or deploy it. These are the stacks there are:")
        .paste("aws cloudformation describe-stacks --query 'Stacks[].[StackName,StackStatus]' --output text");
    Finding::broken(Check::Stack, format!("{error:#}. Nothing else can be looked at"), fix).about(&stack.stack)
}

pub(in super::super) fn look(deployment: &Deployment) -> Vec<Finding> {
    let (name, status) = (&deployment.stack, &deployment.status);
    let events = Fix::new("What went wrong stands in its events; mend that and deploy again.")
        .paste(format!("aws cloudformation describe-stack-events --stack-name {name} --query 'StackEvents[?ends_with(ResourceStatus, `FAILED`)].[LogicalResourceId,ResourceStatusReason]' --output text"));
    let stack = if status.ends_with("_IN_PROGRESS") {
        Finding::look(Check::Stack, format!("CloudFormation is at work on it: {status}"), Fix::new("Wait for it, then look again."))
    } else if status.ends_with("_FAILED") || status == "ROLLBACK_COMPLETE" {
        Finding::broken(Check::Stack, format!("CloudFormation could not do what it was to do: {status}"), events)
    } else if status.contains("ROLLBACK") {
        Finding::look(Check::Stack, format!("the last deployment was undone: {status}"), events)
    } else {
        Finding::well(Check::Stack, status.clone())
    };
    vec![stack.about(name), outputs(deployment)]
}

fn outputs(deployment: &Deployment) -> Finding {
    let missing: Vec<_> = OUTPUTS.into_iter().filter(|output| deployment.output(output).is_err()).collect();
    if missing.is_empty() {
        return Finding::well(Check::Outputs, "all there");
    }
    let fix = Fix::new(
        "The stack is of another version than this program, or of another template. Deploy this version; nothing is lost meanwhile.",
    )
    .paste(format!("sam build && sam deploy --stack-name {}", deployment.stack));
    Finding::broken(Check::Outputs, format!("the stack has no {}", missing.join(", ")), fix)
}
