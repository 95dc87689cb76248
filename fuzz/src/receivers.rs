//! The receivers' own handlers, from the event that a function URL hands over to the answer that Slack gets, with AWS and Slack at the other end of a wire: whatever
//! arrives, no answer is a 5xx.
//!
//! The first byte says how the others arrive, see [`Way`]; what they are is what [`crate::ingress`] takes for a command, an interaction, an event or headers.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lambda_http::{Body, Request};
use serde_json::{Value, json};
use shared::domain::intent::Job;
use shared::queue::message::open;
use shared::slack::reply::Reply;

use crate::ingress::{Sort, in_form, signature, typed};
use crate::wire::{SlackSays, Wire};

/// How a request arrives.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// What Slack answers to what is called in place.
    says: SlackSays,
    /// Whether Slack signed it.
    signed: bool,
}

impl Way {
    fn of(byte: u8) -> Self {
        Self { says: SlackSays::ALL[usize::from(byte) % SlackSays::ALL.len()], signed: byte & 0x80 == 0 }
    }
}

/// An input of [`crate::ingress`], however Slack answers, and unsigned.
pub(crate) fn inputs(input: &[u8]) -> Vec<Vec<u8>> {
    let ways = (0..SlackSays::ALL.len()).filter_map(|way| u8::try_from(way).ok()).chain([0x80]);
    ways.map(|way| [&[way], input].concat()).collect()
}

static WIRE: LazyLock<Wire> = LazyLock::new(|| Wire::start().expect("AWS and Slack at the other end"));

/// One request.
pub fn check(input: &[u8]) {
    let (Some((way, input)), wire) = (input.split_first(), &*WIRE) else { return };
    let (way, Some((sort, rest))) = (Way::of(*way), input.split_first()) else { return };
    let sort = Sort::of(*sort);
    let body = match sort {
        Sort::Line | Sort::Address => typed(rest),
        Sort::Interaction => in_form(rest),
        Sort::Command | Sort::Form | Sort::Event | Sort::Headers => rest.to_vec(),
    };
    let Some(request) = request(sort, way, &body) else { return };
    wire.slack_says(way.says);
    let answer = wire.run(async {
        match sort {
            Sort::Command | Sort::Line | Sort::Address => wire.commands.handle(request).await,
            Sort::Interaction | Sort::Form => wire.interactions.handle(request).await,
            Sort::Event | Sort::Headers => wire.events.handle(request).await,
        }
    });
    let (status, is_check) = (answer.status().as_u16(), shared::slack::verify::is_ssl_check(&body));
    let expected: &[u16] = match (way.signed, is_check) {
        (true, _) => &[200, 400],
        (false, true) => &[200],
        (false, false) => &[401],
    };
    assert!(expected.contains(&status), "{status} to {sort:?}, signed: {}", way.signed);
    for job in wire.queued() {
        open::<Job>(&job).expect("what was queued can be read");
        assert!(way.signed && status == 200, "a job of a request that was refused");
    }
    can_be_read(&answer);
}

/// The event of a function URL, payload format 2.0, through the reader that Lambda's runtime has. `None` for what is no event: AWS makes those, nobody else.
fn request(sort: Sort, way: Way, body: &[u8]) -> Option<Request> {
    let seconds = Timestamp::now().as_second().to_string();
    let signature = if way.signed { signature(&seconds, body) } else { format!("v0={}", "0".repeat(64)) };
    let is_text = matches!(sort, Sort::Event | Sort::Headers);
    let content_type = if is_text { "application/json" } else { "application/x-www-form-urlencoded" };
    // A function URL hands text over as it is, and everything else, forms too, in base64.
    let text = std::str::from_utf8(body).ok().filter(|_| is_text);
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": { "content-type": content_type, "x-slack-request-timestamp": seconds, "x-slack-signature": signature },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "k2hvq6g5",
            "domainName": "k2hvq6g5.lambda-url.eu-west-1.on.aws",
            "domainPrefix": "k2hvq6g5",
            "http": { "method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "Slackbot 1.0" },
            "requestId": "8f7c1a9e-5f5c-4a0e-9d0b-2f6d1c3b4a59",
            "routeKey": "$default",
            "stage": "$default",
            "time": "15/Jan/2026:03:02:00 +0000",
            "timeEpoch": 1_768_446_120_000_i64
        },
        "body": text.map_or_else(|| STANDARD.encode(body), str::to_owned),
        "isBase64Encoded": text.is_none()
    });
    lambda_http::request::from_str(&event.to_string()).ok()
}

/// An answer is empty or JSON, and a message in it is one that Slack takes.
fn can_be_read(answer: &Reply) {
    let Body::Text(text) = answer.body() else { return };
    let said: Value = serde_json::from_str(text).expect("an answer is JSON");
    if said.get("blocks").is_some() {
        crate::fits("an answer", &said);
    }
}
