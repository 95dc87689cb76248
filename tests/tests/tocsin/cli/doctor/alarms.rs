//! What CloudWatch has seen.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use serde_json::json;
use tests::ministack::sdk_config;
use tests::world::World;

use super::looks;

/// Only CloudWatch knows how old the oldest message of a queue is, and has an alarm for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_worked_on_and_hours_behind() {
    let world = World::start().await;
    let admin = world.admin_of(&[("FallbackEmail", "oncall@example.com")]).await;
    let cloudwatch = Client::new(&sdk_config(&world.aws.endpoint));
    // Another stack's is no matter of this one.
    for name in [format!("{}/watch/posts-age", admin.stack), format!("{}-other/watch/posts-age", admin.stack)] {
        let alarm = cloudwatch.put_metric_alarm().alarm_name(&name).alarm_description("Slack is slow, or nobody reads the queue.");
        let alarm = alarm.namespace("AWS/SQS").metric_name("ApproximateAgeOfOldestMessage").statistic(Statistic::Maximum).period(60);
        let alarm = alarm.evaluation_periods(1).threshold(600.0).comparison_operator(ComparisonOperator::GreaterThanThreshold);
        alarm.send().await.expect("CloudWatch");
        let on = cloudwatch.set_alarm_state().alarm_name(&name).state_value(StateValue::Alarm).state_reason("a test");
        on.send().await.expect("CloudWatch");
    }
    let found = looks(&admin).await;
    found.is_well();
    let [alarm] = found.marks("look")[..] else { panic!("{:#}", found.report) };
    assert_eq!((&alarm["check"], &alarm["about"]), (&json!("alarms"), &json!("posts-age")));
    assert!(alarm["seen"].as_str().is_some_and(|seen| seen.starts_with("it is on since 20")), "{alarm:#}");
    assert_eq!(alarm["fix"]["say"], "Slack is slow, or nobody reads the queue.");

    let over = cloudwatch.set_alarm_state().alarm_name(format!("{}/watch/posts-age", admin.stack)).state_value(StateValue::Ok);
    over.state_reason("a test").send().await.expect("CloudWatch");
    assert!(looks(&admin).await.marks("look").is_empty());
    world.finish().await;
}
