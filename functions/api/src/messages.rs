//! Messages of our own schema, read by what reads the queue.

use std::collections::BTreeMap;

use lambda_http::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::domain::ids::{IncidentId, IntentId, Workspace};
use shared::domain::intent::Intent;
use shared::intake::{Message, Own, read_own};
use shared::slack::reply::Reply;

use crate::caller::wanted;
use crate::problem::{Problem, answer};
use crate::route::Verb;
use crate::{App, Asked, body};

/// Names a request, where `id` in its body does not.
const IDEMPOTENCY: &str = "idempotency-key";

/// A name has at most so many characters, as in the schema.
const NAME: usize = 256;

/// What was accepted.
#[derive(Serialize)]
struct Accepted<'i> {
    /// `GET /v1/requests/{request}` says what became of it.
    request: &'i str,
    /// The note that came with it is a request of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'i str>,
}

impl App {
    /// `POST /v1/incidents`
    pub(crate) async fn create(&self, asked: &Asked<'_>) -> Result<Reply, Problem> {
        self.message(asked, body::needed(asked.request)?).await
    }

    /// The same for an incident whose id one knows.
    pub(crate) async fn act(&self, asked: &Asked<'_>, verb: Verb, incident: &str) -> Result<Reply, Problem> {
        let id = whole(incident)?;
        let mut object = match body::object(asked.request)? {
            None if !verb.needs_no_body() => body::needed(asked.request)?,
            sent => sent.unwrap_or_default(),
        };
        for (name, value) in [("type", verb.word()), ("incident", id.as_str())] {
            let said = object.insert(name.to_owned(), json!(value));
            if said.is_some_and(|said| said != *value) {
                return Err(Problem::mistakes(vec![format!("`{name}` says something else than the address")]));
            }
        }
        self.message(asked, object).await
    }

    async fn message(&self, asked: &Asked<'_>, mut object: Map<String, Value>) -> Result<Reply, Problem> {
        let sent_as = idempotency_key(asked)?;
        into_its_workspace(asked, &mut object)?;
        let unsaid = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        if object.get("by").is_none_or(unsaid) {
            object.insert("by".to_owned(), json!(asked.holder.name));
        }
        let id = sent_as.map_or_else(|| format!("api-{}", asked.id()), |name| id_by_header(asked, &object, name));
        let text = Value::Object(object).to_string();
        let message =
            Message { body: &text, message_id: &id, attributes: &BTreeMap::new(), sent_at: asked.now, now: asked.now, watch: None };
        let intents = match read_own(&message) {
            Own::Intents(intents) => intents,
            Own::Refused(mistakes) => return Err(Problem::mistakes(mistakes)),
            Own::Foreign(source) => return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, elsewhere(source))),
        };
        let reply = accepted(&intents)?;
        self.queue(asked, intents).await?;
        Ok(reply)
    }
}

fn accepted(intents: &[Intent]) -> Result<Reply, Problem> {
    let mut ids = intents.iter().map(|intent| intent.id.as_str());
    let request = ids.next().ok_or_else(|| Problem::mistakes(vec!["nothing is wanted".to_owned()]))?;
    let mut reply = answer(StatusCode::ACCEPTED, &Accepted { request, note: ids.next() });
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/requests/{request}")) {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    Ok(reply)
}

/// An incident's whole id, as Slack shows it.
pub(crate) fn whole(id: &str) -> Result<IncidentId, Problem> {
    IncidentId::parse(id).ok_or_else(|| Problem::not_found("There is no such incident. An id is written like INC-7K3QPF."))
}

/// What names a request, so that it may be sent again. Several of these are joined by a comma, which is a name like any other.
fn idempotency_key<'a>(asked: &'a Asked<'_>) -> Result<Option<&'a str>, Problem> {
    let Some(value) = asked.request.headers().get(IDEMPOTENCY) else { return Ok(None) };
    let fits = |text: &&str| (1..=NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let text = value.to_str().ok().map(str::trim).filter(fits);
    let wrong = "Idempotency-Key must be 1 to 256 visible ASCII characters.";
    text.map(Some).ok_or_else(|| Problem::bad_request(wrong))
}

/// What stands for a message's id on the queue, where the header names the request: the same name means another request with another key, at another address, of another type or
/// in another workspace. (`id` in a body is the same here as on the queue, for whoever sends both ways.)
fn id_by_header(asked: &Asked<'_>, object: &Map<String, Value>, name: &str) -> String {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let verb = Some(text("type")).filter(|verb| !verb.is_empty()).unwrap_or("create");
    let parts = [&asked.holder.name, asked.request.uri().path(), verb, text("workspace"), name];
    IntentId::of("api", &parts).to_string()
}

/// Says in the message for which workspace it is, where that is known.
fn into_its_workspace(asked: &Asked<'_>, object: &mut Map<String, Value>) -> Result<(), Problem> {
    let said = object.get("workspace").filter(|value| !value.is_null());
    let parsed = said.and_then(Value::as_str).and_then(Workspace::parse);
    // What cannot be a workspace is one of the mistakes that are told together.
    let readable = said.is_none() || parsed.is_some();
    if let Some(workspace) = wanted(asked, parsed)?.filter(|_| readable) {
        object.insert("workspace".to_owned(), json!(workspace));
    }
    Ok(())
}

/// Where another source's event belongs.
fn elsewhere(source: &str) -> String {
    let place = match source {
        "Alertmanager" => "POST /v1/webhooks/alertmanager takes it",
        "Grafana" => "POST /v1/webhooks/grafana takes it",
        _ => "it belongs on the incidents queue, as it is",
    };
    format!("This is an event of {source}, not a message of Tocsin's own schema: {place}.")
}
