//! `functions.*`: the app ends a step of a workflow, once.

use serde_json::{Map, Value, json};

use super::args::Args;
use super::{Answer, ApiError};
use crate::installations::Caller;
use crate::state::State;
use crate::workflows::{Status, mistakes};

/// <https://docs.slack.dev/reference/methods/functions.completeSuccess>
pub(super) fn complete_success(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let index = running(state, caller, args)?;
    if args.broken.iter().any(|name| name == "outputs") {
        return Err("invalid_arguments".into());
    }
    let outputs = args.get("outputs").ok_or_else(|| ApiError::missing("outputs"))?;
    let outputs = outputs.as_object().ok_or("invalid_arguments")?;
    let declared = state.workflows.step(&state.workflows.executions[index].callback_id);
    let declared = declared.map_or(&[][..], |step| &step.output_parameters);
    let wrong = mistakes(declared, outputs, |user| state.world.users.iter().any(|known| known.id == user));
    if !wrong.is_empty() {
        return Err(ApiError { messages: wrong, ..ApiError::from("parameter_validation_failed") });
    }
    end(state, index, Ok(outputs.clone()));
    Ok(Map::new())
}

/// <https://docs.slack.dev/reference/methods/functions.completeError>
pub(super) fn complete_error(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let index = running(state, caller, args)?;
    let error = args.text("error").ok_or_else(|| ApiError::missing("error"))?;
    end(state, index, Err(error));
    Ok(Map::new())
}

/// The step that is meant, if it is the caller's and has not ended.
fn running(state: &State, caller: &Caller, args: &Args) -> Result<usize, ApiError> {
    let id = args.text("function_execution_id").ok_or_else(|| ApiError::missing("function_execution_id"))?;
    let executions = &state.workflows.executions;
    let known = executions.iter().position(|execution| execution.id == id && caller.reaches(&execution.team));
    let index = known.ok_or("function_execution_not_found")?;
    if executions[index].status != Status::Running {
        return Err("execution_not_in_running_state".into());
    }
    Ok(index)
}

fn end(state: &mut State, index: usize, came: Result<Map<String, Value>, String>) {
    let execution = &mut state.workflows.executions[index];
    execution.end(came);
    let execution = execution.clone();
    state.tell(|_| json!({"kind": "execution", "execution": execution}));
}
