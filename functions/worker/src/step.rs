//! Ending the steps of workflows: with what came of them, or with why not. Twice is once, since Slack takes only the first word about a step.

use serde_json::{Value, json};
use shared::domain::ids::{ExecutionId, IntentId, Workspace};
use shared::domain::incident::{Incident, Outcome};
use shared::domain::intent::{Action, Intent, ReplyTo};
use shared::domain::step::StepRefused;
use shared::queue::Failure;
use shared::slack::client::SlackError;
use shared::slack::step::{OUTDATED, Outputs};

use crate::App;

/// What Slack says of a step that has ended, or of one whose workflow somebody has stopped.
const OVER: [&str; 2] = ["execution_not_in_running_state", "function_execution_not_found"];

impl App {
    /// Nothing can be done: says so.
    pub(crate) async fn step_refused(&self, step: &StepRefused) -> Result<(), Failure> {
        let StepRefused { id, workspace, execution, why } = step;
        let reply = ReplyTo::Step(execution.clone());
        match self.workspace(Some(workspace)).await? {
            Ok(workspace) => self.refuse(Some(&workspace), &reply, why, id.as_str()).await,
            Err(refusal) => self.refuse(None, &reply, &refusal, id.as_str()).await,
        }
    }

    /// Ends the step that wanted this, unless it waits now.
    pub(crate) async fn end_step(
        &self,
        workspace: &Workspace,
        execution: &ExecutionId,
        (incident, outcome): (&Incident, &Outcome),
        intent: &Intent,
    ) -> Result<(), Failure> {
        if *outcome == Outcome::Awaited {
            return Ok(());
        }
        let card = self.card_link(workspace, &incident.id).await?;
        let outputs =
            if let Action::Await { .. } = intent.action { Outputs::ended(incident, card) } else { Outputs::standing(incident, card) };
        self.complete(workspace, execution, &outputs, &intent.id).await
    }

    /// Ends the steps that waited for what this intent has brought about.
    pub(crate) async fn end_waiting(&self, workspace: &Workspace, incident: &Incident, intent: &IntentId) -> Result<(), Failure> {
        let mut waited = incident.steps_ended_by(intent).peekable();
        if waited.peek().is_none() {
            return Ok(());
        }
        let outputs = Outputs::ended(incident, self.card_link(workspace, &incident.id).await?);
        let mut came = Ok(());
        for execution in waited {
            match self.complete(workspace, execution, &outputs, intent).await {
                // One that never can end keeps none of the others waiting.
                Err(never @ Failure::Never(_)) => came = Err(never),
                other => other?,
            }
        }
        came
    }

    /// <https://docs.slack.dev/reference/methods/functions.completeSuccess>
    async fn complete(&self, workspace: &Workspace, execution: &ExecutionId, outputs: &Outputs, intent: &IntentId) -> Result<(), Failure> {
        let arguments = json!({ "function_execution_id": execution, "outputs": outputs });
        let came = self.tell_again(workspace, "functions.completeSuccess", &arguments).await;
        match came {
            // Nobody waits for a manifest to be updated, so the workflow is told at once; what the step wanted is done.
            Err(error) if error.is("parameter_validation_failed") => {
                let (workspace_id, execution_id) = (workspace.as_str(), execution.as_str());
                tracing::error!(workspace = workspace_id, execution = execution_id, %error, advice = error.advice(), "a workflow's step");
                self.fail_step(workspace, execution, OUTDATED, intent.as_str()).await
            }
            came => ended(workspace, execution, came, intent.as_str()),
        }
    }

    /// <https://docs.slack.dev/reference/methods/functions.completeError>
    pub(crate) async fn fail_step(&self, workspace: &Workspace, execution: &ExecutionId, why: &str, intent: &str) -> Result<(), Failure> {
        let arguments = json!({ "function_execution_id": execution, "error": why });
        let came = self.tell_again(workspace, "functions.completeError", &arguments).await;
        ended(workspace, execution, came, intent)
    }
}

/// What it means for the job whether Slack took it. Until it has, the workflow stands still, so the job comes again.
fn ended(workspace: &Workspace, execution: &ExecutionId, came: Result<Value, SlackError>, intent: &str) -> Result<(), Failure> {
    let (workspace, execution) = (workspace.as_str(), execution.as_str());
    match came {
        Ok(_) => tracing::info!(workspace, execution, intent, outcome = "ended", "a workflow's step"),
        Err(error) if OVER.iter().any(|code| error.is(code)) => {
            tracing::info!(workspace, execution, intent, %error, outcome = "over", "a workflow's step");
        }
        Err(error @ (SlackError::RateLimited { .. } | SlackError::Later(_) | SlackError::Ambiguous(_) | SlackError::Token(_))) => {
            return Err(Failure::Later(format!("the workflow's step: {error}")));
        }
        Err(error @ (SlackError::Closed(_) | SlackError::Never { .. })) => {
            return Err(Failure::Never(format!("the workflow's step {execution} could not be ended: {error}. {}", error.advice())));
        }
    }
    Ok(())
}
