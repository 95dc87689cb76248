//! Workflows that people build in Slack: steps that open an incident, change it, and wait for its end.

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::inputs::Alarm;
use tests::world::{Setup, World};

const CREATE: &str = "create_incident_step";
const UPDATE: &str = "update_incident_step";
const WAIT: &str = "wait_until_resolved_step";

fn said<'a>(outputs: &'a Value, name: &str) -> &'a str {
    outputs.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) async fn a_workflow_opens_an_incident_changes_it_and_waits_for_its_end(world: &World) {
    let title = "Checkout is down, says a form";
    let inputs = json!({ "title": title, "description": "since nine", "severity": "P3", "service": "checkout" });
    let opened = world.workflow_runs(CREATE, inputs).await.completes().await;
    let card = world.card("#incidents", title).await;
    let incident = said(&opened, "incident_id");
    assert_eq!((incident, said(&opened, "title"), said(&opened, "severity")), (card.incident.as_str(), title, "P3"));
    assert_eq!(said(&opened, "state"), "triggered");
    card.shows("since nine").await;

    let updated =
        world.workflow_runs(UPDATE, json!({ "incident_id": incident, "severity": "P1", "user": "U0OMAR" })).await.completes().await;
    assert_eq!((said(&updated, "severity"), said(&updated, "title")), ("P1", title));
    let link = said(&updated, "card");
    assert!(link.contains(&format!("/archives/{}/p{}", card.channel, card.ts.replace('.', ""))), "{link}");
    card.shows("P1").await;
    let thread = card.thread_of(2).await;
    assert!(thread[1].reads().contains("<@U0OMAR>"), "{}", thread[1].reads());

    let waiting = world.workflow_runs(WAIT, json!({ "incident_id": incident })).await;
    waiting.waits_for(incident).await;
    let jane = world.user("jane");
    jane.clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    jane.clicks("Resolve", &card).await;
    jane.modal("resolve_incident").await;
    jane.submits(&[("note", "rolled back"), ("root_cause", "v42")]).await;
    let ended = waiting.completes().await;
    assert_eq!((said(&ended, "state"), said(&ended, "resolved_by")), ("resolved", "U0JANE"));
    assert_eq!((said(&ended, "note"), said(&ended, "root_cause")), ("rolled back", "v42"));
    card.shows("*Resolved* by <@U0JANE>").await;
    card.thread_of(4).await;
    assert_eq!(waiting.was_ended().await, 1);
}

/// Slack tells of the same step several times, and each is one wish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_runs_once_however_often_slack_tells_of_it() {
    let world = World::start().await;
    let create = world.workflow_runs_and_is_told(CREATE, json!({ "title": "Told three times" }), 3).await;
    let opened = create.completes().await;
    let card = world.card("#incidents", "Told three times").await;
    let wait = world.workflow_runs_and_is_told(WAIT, json!({ "incident_id": said(&opened, "incident_id") }), 3).await;
    wait.waits_for(&card.incident).await;
    world.user("jane").types(&format!("/incident resolve {}", card.incident)).await.answer().await;
    wait.completes().await;
    card.thread_of(2).await;
    world.settled().await;
    assert_eq!(world.cards("#incidents", "Told three times").await.len(), 1);
    assert_eq!((create.was_ended().await, wait.was_ended().await), (1, 1));
    world.finish().await;
}

/// The step is told until Slack has heard it, and what ended the incident has happened once all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_goes_on_as_soon_as_slack_hears_it() {
    let world = World::start().await;
    let card = world.alarm_fires("waited-for").await;
    let waits = [
        world.workflow_runs(WAIT, json!({ "incident_id": card.incident })).await,
        world.workflow_runs(WAIT, json!({ "incident_id": card.incident.to_lowercase() })).await,
    ];
    for wait in &waits {
        wait.waits_for(&card.incident).await;
    }
    // More often than the function tries by itself, so that the queue brings the job back; and one answer gets lost.
    world.slack.fault(&json!({ "kind": "server_error", "method": "functions.completeSuccess", "times": 4 })).await;
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "functions.completeSuccess", "times": 1 })).await;
    world.drops(&Alarm::named("waited-for").recovers(Timestamp::now())).await;
    for wait in &waits {
        let ended = wait.completes().await;
        assert_eq!((said(&ended, "state"), ended.get("resolved_by")), ("resolved", None), "no person ended it");
    }
    assert_eq!(world.slack.hits().await, 5);
    card.thread_of(2).await;
    world.settled().await;
    assert_eq!(card.times("resolved").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_step_is_said_and_nothing_is_done() {
    let world = World::start().await;
    let wrong = [
        (CREATE, json!({ "title": " " }), "Say in its *Title*"),
        (CREATE, json!({ "title": "slow", "severity": "urgent" }), "`urgent` is no severity. Use P1, the worst, P2, P3 or P4."),
        (CREATE, json!({ "title": "slow", "severity": "&lt;!channel&gt;" }), "`‹!channel>` is no severity"),
        (CREATE, json!({ "title": "slow", "user": "U0GUEST" }), "Guests cannot act on incidents"),
        (UPDATE, json!({ "incident_id": "INC-7K3QPF" }), "changes nothing"),
        (UPDATE, json!({ "incident_id": "INC-7K3QPF", "severity": "P1" }), "There is no incident INC-7K3QPF."),
        (UPDATE, json!({ "incident_id": "P1", "title": "slow" }), "`P1` is no incident's id"),
        (WAIT, json!({ "incident_id": "the checkout" }), "`the checkout` is no incident's id"),
        (WAIT, json!({ "incident_id": "INC-7K3QPF" }), "There is no incident INC-7K3QPF."),
    ];
    for (step, inputs, says) in wrong {
        let why = world.workflow_runs(step, inputs).await.fails().await;
        assert!(why.contains(says), "{why}");
    }
    world.settled().await;
    let incidents = world.scan().await.iter().filter(|item| said(item, "pk").contains("#incident#")).count();
    assert_eq!((incidents, world.slack.calls("chat.postMessage").await.len()), (0, 0));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_is_not_waited_for_and_what_went_on_does_not_wait_again() {
    let world = World::start().await;
    let jane = world.user("jane");
    let card = world.alarm_fires("over-already").await;
    let before = world.workflow_runs(WAIT, json!({ "incident_id": card.incident })).await;
    before.waits_for(&card.incident).await;
    jane.types(&format!("/incident resolve {} it was nothing", card.incident)).await.answer().await;
    before.completes().await;
    let after = world.workflow_runs(WAIT, json!({ "incident_id": card.incident })).await.completes().await;
    assert_eq!((said(&after, "resolved_by"), said(&after, "note")), ("U0JANE", "it was nothing"));

    jane.types(&format!("/incident reopen {}", card.incident)).await.answer().await;
    let again = world.workflow_runs(WAIT, json!({ "incident_id": card.incident })).await;
    again.waits_for(&card.incident).await;
    jane.types(&format!("/incident resolve {}", card.incident)).await.answer().await;
    again.completes().await;
    card.thread_of(4).await;
    world.settled().await;
    assert_eq!((before.was_ended().await, again.was_ended().await), (1, 1));
    let told = world.slack.calls("functions.completeSuccess").await.len();
    assert_eq!(told, 3, "what had gone on was not told again");
    world.finish().await;
}

/// Somebody stops the workflow while it waits: that keeps nobody from ending the incident.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_is_no_more_is_not_waited_upon() {
    let world = World::start().await;
    let card = world.alarm_fires("stopped-workflow").await;
    let wait = world.workflow_runs(WAIT, json!({ "incident_id": card.incident })).await;
    wait.waits_for(&card.incident).await;
    let code = "function_execution_not_found";
    world.slack.fault(&json!({ "kind": "error", "method": "functions.completeSuccess", "code": code })).await;
    let answer = world.user("jane").types(&format!("/incident resolve {}", card.incident)).await.answer().await;
    assert!(answer.contains("is resolved"), "{answer}");
    card.thread_of(2).await;
    world.settled().await;
    assert_eq!(world.slack.hits().await, 1, "it was told once");
    world.finish().await;
}

/// The manifest is of another version: the workflow is told, and stands still for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_whose_outputs_slack_does_not_take_says_what_to_do() {
    let world = World::start().await;
    let code = "parameter_validation_failed";
    world.slack.fault(&json!({ "kind": "error", "method": "functions.completeSuccess", "code": code })).await;
    world.expects_error("`tocsin manifest apply` gives the app its manifest");
    let create = world.workflow_runs(CREATE, json!({ "title": "An older manifest" })).await;
    let why = create.fails().await;
    assert!(why.contains("update the app's manifest"), "{why}");
    world.card("#incidents", "An older manifest").await.thread_of(1).await;
    world.settled().await;
    assert_eq!((world.slack.hits().await, create.was_ended().await), (1, 1));
    world.finish().await;
}

/// The event brings a token that ends the step in anybody's hands. The world looks for such tokens in every log, job, dead letter and item at its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_in_the_event_is_seen_nowhere() {
    let world = World::with(Setup { log_level: "DEBUG".to_owned(), ..Setup::default() }).await;
    world.workflow_runs(CREATE, json!({ "title": "Nobody's token" })).await.completes().await;
    world.workflow_runs(CREATE, json!({ "title": "x", "severity": "urgent" })).await.fails().await;
    world.card("#incidents", "Nobody's token").await.thread_of(1).await;
    world.finish().await;
}
