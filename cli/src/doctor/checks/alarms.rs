//! Who hears when Slack itself is the problem.

use super::super::finding::{Check, Finding};
use super::changed;
use crate::deployment::Deployment;

pub(in super::super) fn look(deployment: &Deployment) -> Finding {
    let told: Vec<_> = ["FallbackEmail", "AlarmTopicArn"].into_iter().filter(|name| deployment.parameter(name).is_some()).collect();
    if told.is_empty() {
        let advice = "Name an address, and confirm it when SNS asks; or a topic of yours, by AlarmTopicArn.";
        let fix = changed(deployment, advice, "FallbackEmail", "oncall@example.com");
        return Finding::look(
            Check::Alarms,
            "neither FallbackEmail nor AlarmTopicArn is set: alarms notify nobody, and what cannot be said in Slack is not said at all",
            fix,
        );
    }
    Finding::well(Check::Alarms, format!("told by {}", told.join(" and ")))
}
