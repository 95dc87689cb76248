//! Workflows that people have built run, and come to a step of the app's: `function_executed`.
//! <https://docs.slack.dev/reference/events/function_executed>

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::events::{envelope, hears};
use super::{Done, Refused, report};
use crate::clock;
use crate::outbound::{deliver_copies, deliver_event};
use crate::state::{Slack, State};
use crate::workflows::{Execution, Status, mistakes};
use crate::world::{APP_ID, TEAM};

#[derive(Debug, Deserialize)]
pub(crate) struct StepWish {
    callback_id: String,
    #[serde(default)]
    inputs: Map<String, Value>,
    team: Option<String>,
    #[serde(default)]
    deliveries: usize,
}

/// A workflow comes to a step.
pub(crate) async fn step(slack: &Arc<Slack>, wish: StepWish) -> Done {
    let copies = wish.deliveries;
    let (execution, event) = begin(&mut slack.lock(), wish)?;
    let payload = envelope(slack, &execution.team, &event, &Value::Null, None);
    let deliveries = if copies > 1 { deliver_copies(slack, &payload, copies).await } else { vec![deliver_event(slack, payload).await] };
    let mut report = report(&deliveries);
    report["execution"] = json!(execution.id);
    Ok(report)
}

fn begin(state: &mut State, wish: StepWish) -> Result<(Execution, Value), Refused> {
    let StepWish { callback_id, inputs, team, .. } = wish;
    let team = team.unwrap_or_else(|| TEAM.to_owned());
    let step = state.workflows.step(&callback_id).cloned();
    let step = step.ok_or_else(|| Refused::not_found(format!("the manifest declares no step {callback_id}")))?;
    if !hears(state, &team, "function_executed") {
        return Err(Refused::bad("the app is not told of steps: it is not installed, or not subscribed to function_executed"));
    }
    // Whoever builds a workflow cannot leave out what has to be there, nor fill in anything else.
    let wrong = mistakes(&step.input_parameters, &inputs, |user| state.world.users.iter().any(|known| known.id == user));
    if !wrong.is_empty() {
        return Err(Refused::bad(wrong.join(". ")));
    }
    let number = state.world.number();
    let execution = Execution {
        id: format!("Fx{number:09}"),
        at: clock::millis(),
        callback_id,
        team,
        inputs,
        status: Status::Running,
        outputs: None,
        error: None,
        ended_at: None,
    };
    let event = json!({
        "type": "function_executed",
        "function": {
            "id": format!("Fn{}", step.callback_id.to_uppercase()), "callback_id": step.callback_id, "title": step.title,
            "description": step.description, "type": "app", "input_parameters": step.input_parameters,
            "output_parameters": step.output_parameters, "app_id": APP_ID, "date_created": 1_694_727_597, "date_updated": 1_698_947_481,
            "date_deleted": 0, "form_enabled": false,
        },
        "inputs": execution.inputs, "function_execution_id": execution.id, "workflow_execution_id": format!("Wx{number:09}"),
        "event_ts": clock::ts(clock::micros()), "bot_access_token": format!("xwfp-{}", state.secret_text()),
    });
    state.workflows.executions.push(execution.clone());
    state.tell(|_| json!({"kind": "execution", "execution": execution}));
    Ok((execution, event))
}
