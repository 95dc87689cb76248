//! Steps of workflows: told with what was filled in, ended once, with what the manifest declares.

use serde_json::{Value, json};
use simulator::workflows::{Parameter, Step};

use super::*;

fn parameter(name: &str, kind: &str, is_required: bool) -> Parameter {
    Parameter { kind: kind.to_owned(), name: name.to_owned(), title: name.to_owned(), description: String::new(), is_required }
}

async fn world() -> World {
    let step = Step {
        callback_id: "ask".to_owned(),
        title: "Ask".to_owned(),
        description: "Asks somebody".to_owned(),
        input_parameters: vec![parameter("who", "slack#/types/user_id", true)],
        output_parameters: vec![parameter("said", "string", true)],
    };
    World::start_with(Config { steps: vec![step], ..Config::default() }).await
}

async fn executions(world: &World) -> Vec<Value> {
    world.look("state?fields=workflows").await["workflows"]["executions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_step_is_told_with_its_inputs_and_ended_once() {
    let world = world().await;
    let run = world.sim("step", json!({"callback_id": "ask", "inputs": {"who": "U0JANE"}})).await;
    let id = run["execution"].as_str().unwrap();
    let told = world.app.requests().pop().unwrap();
    let event = serde_json::from_str::<Value>(&told.body).unwrap()["event"].clone();
    assert_eq!(
        (&event["type"], &event["inputs"], &event["function_execution_id"]),
        (&json!("function_executed"), &json!({"who": "U0JANE"}), &json!(id))
    );
    assert_eq!(event["function"]["callback_id"], "ask");
    assert!(event["bot_access_token"].as_str().is_some_and(|token| token.starts_with("xwfp-")));

    let ended = |outputs: Value| json!({"function_execution_id": id, "outputs": outputs});
    for wrong in [json!({}), json!({"said": 1}), json!({"said": "yes", "meant": "no"})] {
        let refused = world.api("functions.completeSuccess", ended(wrong)).await.body;
        assert_eq!(refused["error"], "parameter_validation_failed", "{refused}");
    }
    assert_eq!(executions(&world).await[0]["status"], "running");
    assert_eq!(world.api("functions.completeSuccess", ended(json!({"said": "yes"}))).await.body["ok"], true);
    let again = [
        world.api("functions.completeSuccess", ended(json!({"said": "no"}))).await,
        world.api("functions.completeError", json!({"function_execution_id": id, "error": "x"})).await,
    ];
    for again in again {
        assert_eq!(again.body["error"], "execution_not_in_running_state");
    }
    let seen = &executions(&world).await[0];
    assert_eq!((&seen["status"], &seen["outputs"]), (&json!("completed"), &json!({"said": "yes"})));
    assert!(!seen.to_string().contains("xwfp-"), "the token is the app's alone");
}

#[tokio::test]
async fn a_step_that_failed_shows_why() {
    let world = world().await;
    let run = world.sim("step", json!({"callback_id": "ask", "inputs": {"who": "U0JANE"}})).await;
    let why = json!({"function_execution_id": run["execution"], "error": "Nobody is there."});
    assert_eq!(world.api("functions.completeError", why).await.body["ok"], true);
    let seen = &executions(&world).await[0];
    assert_eq!((&seen["status"], &seen["error"]), (&json!("failed"), &json!("Nobody is there.")));
    let unknown = world.api("functions.completeError", json!({"function_execution_id": "Fx0", "error": "x"})).await.body;
    assert_eq!(unknown["error"], "function_execution_not_found");
}

#[tokio::test]
async fn a_workflow_cannot_be_built_with_what_is_not_declared() {
    let world = world().await;
    for (step, inputs, status) in [("tell", json!({}), 404), ("ask", json!({}), 400), ("ask", json!({"who": "nobody"}), 400)] {
        assert_eq!(world.sim_refuses("step", json!({"callback_id": step, "inputs": inputs})).await.0, status);
    }
    world.sim("app", json!({"events": ["app_mention"]})).await;
    assert_eq!(world.sim_refuses("step", json!({"callback_id": "ask", "inputs": {"who": "U0JANE"}})).await.0, 400);
}
