//! A card of each kind in each of its states, as snapshots.

use insta::assert_json_snapshot;

use super::tests::{Story, at, cloudwatch, jane, omar};
use crate::domain::incident::State;
use crate::domain::intent::{Action, Actor, Changes, Closing};
use crate::domain::kind::{Change, Comparison, Deployment, Metric, Number, Progress};
use crate::domain::severity::Severity;

fn deployer() -> Actor {
    Actor::Source("Deployer".into())
}

fn deployment() -> Story {
    let said = |text: &str| Some(text.to_owned());
    let deployment = Deployment {
        version: said("v42"),
        environment: said("production"),
        status: Some(Progress::Started),
        commit: said("9f1c2ab7d3e4c5b6a7"),
        by: said("U0JANE"),
    };
    let changes = Changes { title: said("Deploy checkout"), service: said("checkout"), deployment: Some(deployment), ..Changes::default() };
    Story::new().then(0, &deployer(), Action::Create(changes.with_kind()))
}

fn gets(story: &Story, minutes: i64, status: Progress) -> Story {
    let deployment = Deployment { status: Some(status), ..Deployment::default() };
    story.clone().then(minutes, &deployer(), Action::Update(Changes { deployment: Some(deployment), ..Changes::default() }))
}

#[test]
fn a_deployment_shows_what_goes_where_and_how_far_it_is() {
    let started = deployment();
    assert_json_snapshot!("card_deployment_started", started.card());
    assert_json_snapshot!("card_deployment_taken", started.clone().then(2, &omar(), Action::Acknowledge).card());
    let succeeded = gets(&started, 12, Progress::Succeeded);
    assert_json_snapshot!("card_deployment_succeeded", succeeded.card());
    assert_json_snapshot!("reply_deployment_succeeded", succeeded.reply());
    let failed = gets(&started, 5, Progress::Failed);
    assert_json_snapshot!("card_deployment_failed", failed.card());
    assert_json_snapshot!("reply_deployment_failed", failed.reply());
    assert_json_snapshot!("card_deployment_failed_taken", failed.clone().then(6, &jane(), Action::Acknowledge).card());
    assert_json_snapshot!("card_deployment_rolled_back", gets(&failed, 8, Progress::RolledBack).card());
    assert_json_snapshot!(
        "card_deployment_failed_resolved",
        failed.then(9, &jane(), Action::Resolve(Closing { note: Some("Known flake.".into()), root_cause: None })).card()
    );
}

fn threshold(comparison: Comparison, value: &str, limit: &str) -> Story {
    let number = |text| Number::parse(text).unwrap();
    let metric = Metric { name: "latency p99".into(), value: number(value), limit: number(limit), unit: Some("s".into()), comparison };
    let changes = Changes {
        title: Some("Checkout answers slowly".into()),
        severity: Some(Severity::P2),
        service: Some("checkout".into()),
        metric: Some(metric),
        ..Changes::default()
    };
    Story::new().then(0, &cloudwatch(), Action::Create(changes.with_kind()))
}

#[test]
fn a_broken_limit_stands_at_the_top_with_how_far_it_is_broken() {
    let broken = threshold(Comparison::Above, "2.3", "1");
    assert_json_snapshot!("card_threshold", broken.card());
    assert_json_snapshot!("card_threshold_resolved", broken.then(9, &cloudwatch(), Action::Resolve(Closing::default())).card());
    let line = |story: &Story| serde_json::to_value(story.card()).unwrap()["blocks"][1]["text"]["text"].as_str().unwrap().to_owned();
    assert_eq!(line(&threshold(Comparison::Below, "20", "100")), "latency p99: *20 s*, limit 100 s  ·  80 % below");
    assert_eq!(line(&threshold(Comparison::Above, "7", "0")), "latency p99: *7 s*, limit 0 s", "nothing has no parts");
    assert_eq!(line(&threshold(Comparison::Above, "1", "1")), "latency p99: *1 s*, limit 1 s");
}

#[test]
fn an_event_shows_what_changed_and_where() {
    let said = |text: &str| Some(text.to_owned());
    let of = |from: Option<&str>, to: Option<&str>| {
        let change = Change {
            what: "Auto Scaling group web".into(),
            place: said("production, eu-west-1"),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        let changes = Changes {
            title: said("The web tier was scaled out"),
            severity: Some(Severity::P4),
            change: Some(change),
            ..Changes::default()
        };
        Story::new().then(0, &Actor::Source("Auto Scaling".into()), Action::Create(changes.with_kind()))
    };
    let event = of(Some("2 instances"), Some("4 instances"));
    assert_json_snapshot!("card_event", event.card());
    assert_json_snapshot!("card_event_acknowledged", event.then(1, &jane(), Action::Acknowledge).card());
    let line = |story: &Story| serde_json::to_value(story.card()).unwrap()["blocks"][1]["text"]["text"].as_str().unwrap().to_owned();
    assert_eq!(line(&of(None, None)), "*Auto Scaling group web*  ·  production, eu-west-1");
    assert_eq!(line(&of(None, Some("4"))), "*Auto Scaling group web*: → 4  ·  production, eu-west-1");
}

#[test]
fn a_notice_has_nothing_to_press() {
    let said = |text: &str| Some(text.to_owned());
    let changes = Changes {
        title: said("The database is upgraded on Sunday"),
        description: said("Reads go on; writes wait for a minute or two."),
        kind: said("notice"),
        service: said("orders-db"),
        assignee: said("U0JANE"),
        sla_breach_at: Some(at(30)),
        ..Changes::default()
    };
    let story = Story::new().then(0, &Actor::Source("Platform team".into()), Action::Create(changes));
    assert_eq!(story.state(), State::Resolved);
    assert_json_snapshot!("card_notice", story.card());
    assert_json_snapshot!("answer_notice_refused", story.then(1, &omar(), Action::Acknowledge).answer());
}
