//! Workflows that people have built in Slack, and the steps of Tocsin's that they come to.

use serde_json::{Value, json};

use crate::world::World;

/// A step that a workflow has come to.
#[derive(Debug)]
pub struct Step<'w> {
    world: &'w World,
    /// `Fx…`
    pub execution: String,
}

impl World {
    /// A workflow comes to this step.
    pub async fn workflow_runs(&self, step: &str, inputs: Value) -> Step<'_> {
        self.workflow_runs_and_is_told(step, inputs, 1).await
    }

    /// The same; Slack tells of it so many times.
    pub async fn workflow_runs_and_is_told(&self, step: &str, inputs: Value, times: usize) -> Step<'_> {
        let run = self.slack.tell("step", &json!({ "callback_id": step, "inputs": inputs, "deliveries": times })).await;
        assert_eq!(run.get("status"), Some(&json!(200)), "{run}\n{}", self.logs.tail(20));
        let execution = run.get("execution").and_then(Value::as_str).unwrap_or_default().to_owned();
        Step { world: self, execution }
    }
}

impl Step<'_> {
    /// As Slack shows it.
    pub async fn now(&self) -> Value {
        let state = self.world.slack.ask("state?fields=workflows").await;
        let executions = state.pointer("/workflows/executions").and_then(Value::as_array).cloned().unwrap_or_default();
        let own = executions.into_iter().find(|known| known.get("id").and_then(Value::as_str) == Some(&self.execution));
        own.unwrap_or_else(|| panic!("Slack knows nothing of the step {}", self.execution))
    }

    async fn ends(&self, status: &str, with: &str) -> Value {
        let what = format!("the step {} is {status}", self.execution);
        let ended = self
            .world
            .until(&what, async || {
                let now = self.now().await;
                if now.get("status") == Some(&json!("running")) { Err(now.to_string()) } else { Ok(now) }
            })
            .await;
        assert_eq!(ended.get("status"), Some(&json!(status)), "{ended}");
        ended.get(with).cloned().unwrap_or_default()
    }

    /// Waits until the workflow goes on, and gives what it goes on with.
    pub async fn completes(&self) -> Value {
        self.ends("completed", "outputs").await
    }

    /// Waits until the workflow is told why it cannot go on.
    pub async fn fails(&self) -> String {
        self.ends("failed", "error").await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until this incident knows that the step waits for its end.
    pub async fn waits_for(&self, incident: &str) {
        let what = format!("the step {} waits for {incident}", self.execution);
        self.world
            .until(&what, async || {
                let kept = self.world.incident(incident).await.to_string();
                if kept.contains(&self.execution) { Ok(()) } else { Err(kept) }
            })
            .await;
        assert_eq!(self.now().await.get("status"), Some(&json!("running")));
    }

    /// How often Slack was told that it has ended, and took it.
    pub async fn was_ended(&self) -> usize {
        let mut calls = self.world.slack.calls("functions.completeSuccess").await;
        calls.extend(self.world.slack.calls("functions.completeError").await);
        let own = |call: &&Value| call.pointer("/arguments/function_execution_id").and_then(Value::as_str) == Some(&self.execution);
        calls.iter().filter(own).filter(|call| call.get("ok") == Some(&json!(true))).count()
    }
}
