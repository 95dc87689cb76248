//! Lambda: records of asynchronous invocations, which a function's destinations get.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
//!
//! - They come as they are over SQS and SNS, and over EventBridge from `lambda`, which has no `aws.` before it. The same record without a payload is what
//!   becomes of a batch out of a stream. <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>
//! - A function is known by its ARN, whatever the version: what was given up again and again counts up. One that works is no proof that what was lost is
//!   there again, so a person closes it.
//! - There is no scale: an event that is lost is P3.
//! - What went in is somebody's data and is never shown; of what came out, only the error.

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event, time_in};
use crate::intake::fields::{object, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let record = event.object()?;
    let condition = text(record, "requestContext.condition")?;
    if condition == "Success" {
        return News::nothing("an invocation succeeded").only();
    }
    let arn = unqualified(text(record, "requestContext.functionArn")?)?;
    let name = arn.rsplit(':').next()?;
    let tries = plain_in(record, "requestContext.approximateInvokeCount");
    let message = text(record, "responsePayload.errorMessage");
    let error = text(record, "responsePayload.errorType");
    let place = Arn::parse(&arn).map(|arn| Place::of(&arn)).unwrap_or_default();
    let stream = stream(record);
    News::wrong(title(name, condition, stream.is_some(), error.or_else(|| message.and_then(known))))
        .known_by(Some(arn.clone()))
        .at(time_in(record, "timestamp"))
        .severity(Some(Severity::P3))
        .why(message)
        .affects([arn.as_str()])
        .detail("Error", error)
        .detail("Tries", tries)
        .detail("Given up because", Some(because(condition)))
        .detail("Stream", stream.and_then(|batch| text(batch, "streamArn")))
        .detail("Request", text(record, "requestContext.requestId"))
        .page(place.console(&format!("lambda/home#/functions/{}?tab=monitoring", encoded(name))))
        .link("Logs", place.log_group(&format!("/aws/lambda/{name}")))
        .in_place(place)
        .only()
}

/// A function's ARN without its version or alias.
fn unqualified(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.split(':').take(7).collect();
    (parts.len() == 7).then(|| parts.join(":"))
}

/// The part of a stream that could not be worked off.
fn stream(record: &Map<String, Value>) -> Option<&Map<String, Value>> {
    ["KinesisBatchInfo", "DDBStreamBatchInfo"].into_iter().find_map(|name| object(record, name))
}

fn title(function: &str, condition: &str, of_stream: bool, error: Option<&str>) -> String {
    let what = if of_stream { "a batch" } else { "an event" };
    match (condition, error) {
        ("EventAgeExceeded", _) => format!("{function} dropped {what}: it waited too long"),
        ("ZeroReservedConcurrency", _) => format!("{function} dropped {what}: it may not run"),
        (_, None) => format!("{function} gave up on {what}"),
        (_, Some(error)) => format!("{function} gave up on {what}: {error}"),
    }
}

/// What the runtime itself says, which has no type of its own.
fn known(message: &str) -> Option<&'static str> {
    if message.contains("Task timed out") {
        Some("it took too long")
    } else if message.contains("Process exited before completing") || message.contains("Runtime exited") {
        Some("it crashed")
    } else {
        None
    }
}

/// Why Lambda gave up, in plain words where they are known.
fn because(condition: &str) -> &str {
    match condition {
        "RetriesExhausted" | "RetryAttemptsExhausted" => "it failed every time",
        "EventAgeExceeded" => "it was too old",
        "ZeroReservedConcurrency" => "the function's concurrency is set to 0",
        other => other,
    }
}
