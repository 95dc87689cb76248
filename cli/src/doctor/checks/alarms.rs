//! Which alarms are on, and who hears of them when Slack itself is the problem. How old the oldest message of a queue is, nobody but CloudWatch knows: an alarm is told of that.

use aws_sdk_cloudwatch::types::{MetricAlarm, StateValue};
use jiff::Timestamp;

use super::super::finding::{Check, Finding, Fix};
use super::changed;
use crate::deployment::Deployment;
use crate::output::{ago, moment};

pub(in super::super) async fn look(deployment: &Deployment) -> Vec<Finding> {
    let mut findings = vec![told(deployment)];
    match on(deployment).await {
        Ok(alarms) => findings.extend(alarms.iter().map(|alarm| finding(deployment, alarm))),
        Err(error) => findings.push(Finding::skipped(Check::Alarms, &format!("CloudWatch does not say which are on: {error}"))),
    }
    findings
}

fn told(deployment: &Deployment) -> Finding {
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

/// Those that are on.
async fn on(deployment: &Deployment) -> Result<Vec<MetricAlarm>, String> {
    let describe = deployment.cloudwatch().describe_alarms().alarm_name_prefix(deployment.alarms()).state_value(StateValue::Alarm);
    let mut pages = describe.into_paginator().send();
    let mut alarms = Vec::new();
    while let Some(page) = pages.next().await {
        alarms.extend(page.map_err(|error| shared::causes(&error))?.metric_alarms.unwrap_or_default());
    }
    Ok(alarms)
}

/// What it is about and what to do stands in its description.
fn finding(deployment: &Deployment, alarm: &MetricAlarm) -> Finding {
    let name = alarm.alarm_name().unwrap_or_default();
    // The other time moves with the evaluation, too.
    let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
    let since = since.and_then(|since| Timestamp::from_millisecond(since.to_millis().ok()?).ok());
    let since = since.map(|since| format!(" since {}, {}", moment(since), ago(since, Timestamp::now()))).unwrap_or_default();
    let fix = Fix::new(alarm.alarm_description().unwrap_or_default());
    Finding::look(Check::Alarms, format!("it is on{since}"), fix).about(name.strip_prefix(&deployment.alarms()).unwrap_or(name))
}
