//! Who hears when Slack itself is the problem.

use super::super::finding::{Check, Finding, Fix};
use crate::deployment::Deployment;

pub(in super::super) fn look(deployment: &Deployment) -> Finding {
    let told: Vec<_> = ["FallbackEmail", "AlarmTopicArn"].into_iter().filter(|name| deployment.parameter(name).is_some()).collect();
    if told.is_empty() {
        let fix = Fix::new("Name an address, and confirm it when SNS asks; or a topic of yours, by AlarmTopicArn.")
            .paste(format!("sam deploy --stack-name {} --parameter-overrides FallbackEmail=oncall@example.com", deployment.stack));
        return Finding::look(
            Check::Alarms,
            "neither FallbackEmail nor AlarmTopicArn is set: alarms notify nobody, and what cannot be said in Slack is not said at all",
            fix,
        );
    }
    Finding::well(Check::Alarms, format!("told by {}", told.join(" and ")))
}
