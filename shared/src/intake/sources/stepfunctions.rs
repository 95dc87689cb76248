//! Step Functions: executions of standard state machines; express ones tell nobody.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
//!
//! - An execution is known by its ARN, which stays when it is run again from where it failed. Aborted by somebody, it has not failed.
//!   <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html>
//! - There is no scale: failed and timed out are P3.
//! - What went in and came out is never shown; neither is a cause that is the dump of a task, only what it says went wrong.

use serde_json::{Map, Value};

use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::intake::event::{Event, time_in};
use crate::intake::fields::{number, text};
use crate::intake::news::News;
use crate::intake::place::encoded;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let execution = event.object()?;
    let (arn, status) = (text(execution, "executionArn")?, text(execution, "status")?);
    let machine = text(execution, "stateMachineArn").map(machine)?;
    let key = Some(arn.to_owned());
    let error = text(execution, "error");
    let because = error.map(|error| format!(": {error}")).unwrap_or_default();
    let (progress, severity, how) = match status {
        "ABORTED" => {
            return News::over(Some("The execution was aborted.")).known_by(key).at(time_in(execution, "stopDate")).only();
        }
        "SUCCEEDED" => (Progress::Succeeded, Severity::P4, "succeeded".to_owned()),
        "FAILED" => (Progress::Failed, Severity::P3, format!("failed{because}")),
        "TIMED_OUT" => (Progress::Failed, Severity::P3, "took too long".to_owned()),
        "PENDING_REDRIVE" => (Progress::Started, Severity::P4, "waits to be run again".to_owned()),
        "RUNNING" => (Progress::Started, Severity::P4, "is running".to_owned()),
        other => (Progress::Started, Severity::P4, format!("is {}", other.to_lowercase().replace('_', " "))),
    };
    // An execution that is run again began when it was redriven.
    let began = || time_in(execution, "redriveDate").or_else(|| time_in(execution, "startDate"));
    News::workflow(format!("{machine} {how}"), progress)
        .known_by(key)
        .at(time_in(execution, "stopDate").filter(|_| progress != Progress::Started).or_else(began))
        .severity(Some(severity))
        .why(text(execution, "cause").and_then(cause))
        .detail("Execution", text(execution, "name"))
        .detail("Error", error)
        .detail("Runs again", number(execution, "redriveCount").filter(|count| *count > 0.0).map(|count| count.to_string()))
        .page(event.place().console(&format!("states/home#/v2/executions/details/{}", encoded(arn).replace("%3A", ":"))))
        .only()
}

/// The name in a state machine's ARN, without the map that a child of it belongs to.
fn machine(arn: &str) -> &str {
    let name = arn.rsplit(':').next().unwrap_or(arn);
    name.split('/').next().unwrap_or(name)
}

/// What went wrong, of a cause that is text or the JSON of a function's error, a task of ECS or a job.
fn cause(cause: &str) -> Option<String> {
    const NAMES: [&str; 6] = ["errorMessage", "ErrorMessage", "StoppedReason", "StatusReason", "message", "Message"];
    if !cause.trim_start().starts_with('{') {
        return Some(cause.to_owned());
    }
    let parts: Map<String, Value> = serde_json::from_str(cause).ok()?;
    NAMES.iter().find_map(|name| text(&parts, name)).map(str::to_owned)
}
