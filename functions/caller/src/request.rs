//! What an endpoint is told: the type, when it happened and the facts. <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use serde_json::{Value, json};
use shared::domain::call::{About, Call};
use shared::domain::decision::Vote;
use shared::domain::incident::Incident;
use shared::domain::intent::Person;
use shared::domain::timeline::Told;
use shared::public::Event;
use shared::public::incident::Brief;

/// Somebody decided something about an incident.
pub(crate) fn decided(call: &Call, incident: &Incident, name: &str) -> String {
    let decision = incident.decisions.iter().find(|known| known.asked.name == name);
    let choice = decision.and_then(|decision| decision.decided()).map(|(choice, _)| choice);
    let votes: Vec<&Vote> = decision.zip(choice).into_iter().flat_map(|(decision, choice)| decision.voters(&choice.name)).collect();
    let data = json!({
        "workspace": call.workspace,
        "incident": Brief::from(incident),
        "decision": name,
        "option": choice.map(|choice| &choice.name),
        "label": choice.map(|choice| &choice.label),
        "reason": votes.iter().rev().find_map(|vote| vote.reason.as_deref()),
        "by": call.by.as_ref().map(person),
        "voters": votes.iter().map(|vote| person(&vote.by)).collect::<Vec<_>>(),
    });
    body("incident.decided", call, &data)
}

/// Somebody typed a command of the workspace's own.
pub(crate) fn command(call: &Call) -> String {
    let About::Command { command, text, .. } = &call.about else { return String::new() };
    let data = json!({
        "workspace": call.workspace,
        "command": command,
        "text": text,
        "arguments": text.split_whitespace().collect::<Vec<_>>(),
        "by": call.by.as_ref().map(person),
        "channel": call.by.as_ref().and_then(|by| by.place.as_ref()).map(|place| &place.channel),
    });
    body("command.invoked", call, &data)
}

/// Something happened to an incident that a subscriber wants to hear of.
pub(crate) fn told(call: &Call, told: Told<'_>) -> String {
    body(&told.heading().webhook_type(), call, &json!(Event::of(told)))
}

fn body(kind: &str, call: &Call, data: &Value) -> String {
    json!({ "type": kind, "timestamp": call.at, "data": data }).to_string()
}

fn person(person: &Person) -> Value {
    json!({ "id": person.id, "name": person.name, "email": person.email })
}
