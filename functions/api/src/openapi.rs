//! The API as a document of `OpenAPI`: what stands in openapi.json beside this file, with the schemas of messages, which are infra/incident.schema.json itself. The whole of it is
//! published as infra/openapi.json.

use lambda_http::http::StatusCode;
use serde_json::{Map, Value, json};
use shared::slack::reply::Reply;

use crate::problem::{Problem, answer};

const FRAME: &str = include_str!("openapi.json");
const MESSAGE: &str = include_str!("../../../infra/incident.schema.json");

/// The types of messages, and what each is called where the address names the incident.
const TYPES: [(&str, &str); 5] =
    [("create", ""), ("update", "Update"), ("acknowledge", "Acknowledge"), ("resolve", "Resolve"), ("note", "Note")];

/// What names the incident.
const NAMED: [&str; 2] = ["incident", "dedup_key"];

/// Where a message stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// By itself, as on the queue.
    Message,
    /// Below an incident's address.
    Incident,
}

/// What a message says about itself.
const ITSELF: [&str; 5] = ["id", "workspace", "time", "by", "note"];

/// The document, for everybody.
pub(crate) fn reply() -> Reply {
    match document() {
        Ok(document) => answer(StatusCode::OK, &document),
        Err(error) => {
            tracing::error!(%error, outcome = "failed", "the OpenAPI document cannot be read");
            Problem::unavailable().into()
        }
    }
}

/// The whole document.
pub fn document() -> Result<Value, serde_json::Error> {
    // What the schema calls its parts stands among those of the document.
    let mut message: Map<String, Value> = serde_json::from_str(&MESSAGE.replace("#/$defs/", "#/components/schemas/"))?;
    let parts = message.remove("$defs");
    for name in ["$schema", "$id", "required"] {
        // Without a type it is a create.
        message.remove(name);
    }
    let everything: Vec<&str> =
        message.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str).collect();
    let fields = |word: &str| match word {
        "create" | "update" => everything.clone(),
        "resolve" => NAMED.into_iter().chain(ITSELF).chain(["root_cause"]).collect(),
        _ => NAMED.into_iter().chain(ITSELF).collect(),
    };
    let whole: Vec<Value> = TYPES.iter().map(|(word, _)| of_type(&message, word, &fields(word), Place::Message)).collect();
    let below = TYPES.iter().filter(|(word, _)| *word != "create").map(|(word, name)| {
        let fields: Vec<&str> = fields(word).into_iter().filter(|field| !NAMED.contains(field)).collect();
        ((*name).to_owned(), of_type(&message, word, &fields, Place::Incident))
    });
    let below: Vec<(String, Value)> = below.collect();

    let mut document: Value = serde_json::from_str(FRAME)?;
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.extend(below);
        schemas.extend(parts.and_then(|parts| if let Value::Object(parts) = parts { Some(parts) } else { None }).into_iter().flatten());
        schemas.insert("Message".to_owned(), json!({ "description": message.get("description"), "oneOf": whole }));
    }
    Ok(document)
}

/// A message of one type: its fields, and what the schema's rules ("if the type is this, then …, else …") demand of it.
fn of_type(message: &Map<String, Value>, word: &str, fields: &[&str], place: Place) -> Value {
    let of = |name: &str| message.get("properties").and_then(|all| all.get(name)).cloned();
    let mut properties: Map<String, Value> = fields.iter().filter_map(|name| Some(((*name).to_owned(), of(name)?))).collect();
    properties.insert("type".to_owned(), json!({ "const": word }));
    let rules = message.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let demanded: Vec<Value> = rules.filter_map(|rule| demanded(rule, word, place)).collect();
    let mut schema = json!({ "title": word, "type": "object", "properties": properties });
    // What says no type is a create, and below an incident's address the address says it.
    if place == Place::Message && word != "create" {
        schema["required"] = json!(["type"]);
    }
    if !demanded.is_empty() {
        schema["allOf"] = json!(demanded);
    }
    schema
}

/// What a rule demands of messages of this type.
fn demanded(rule: &Value, word: &str, place: Place) -> Option<Value> {
    let own = rule.pointer("/if/properties/type/const").and_then(Value::as_str) == Some(word);
    // What else than a create demands is that an incident is named, which the address does.
    let demanded = if own { rule.get("then") } else { rule.get("else").filter(|_| place == Place::Message) }?.clone();
    let with_a_time = own && rule.pointer("/if/properties/at").is_some();
    Some(if with_a_time { json!({ "anyOf": [{ "properties": { "at": { "type": "null" } } }, demanded] }) } else { demanded })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_OPENAPI=1 cargo test -p api` writes it anew.
    #[test]
    fn what_is_published_is_what_is_served() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/openapi.json");
        let mut text = serde_json::to_string_pretty(&document().expect("a document")).expect("JSON");
        text.push('\n');
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&path, &text).expect("it can be written");
        }
        assert_eq!(std::fs::read_to_string(path).expect("it is there"), text);
    }

    /// Every reference leads somewhere, and no part of the schema has the name of one of the document's.
    #[test]
    fn every_reference_leads_somewhere() {
        let document = document().expect("a document");
        let text = document.to_string();
        let mut references = 0;
        for way in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(way).is_some(), "{way} leads nowhere");
            references += 1;
        }
        assert!(references > 100, "{references}");
        let frame: Value = serde_json::from_str(FRAME).expect("JSON");
        let schema: Value = serde_json::from_str(MESSAGE).expect("JSON");
        let names = |value: &Value, way: &str| {
            value.pointer(way).and_then(Value::as_object).map(|all| all.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        };
        let doubled: Vec<String> =
            names(&frame, "/components/schemas").into_iter().filter(|name| names(&schema, "/$defs").contains(name)).collect();
        assert!(doubled.is_empty(), "{doubled:?}");
    }
}
