//! Webhooks of others, read by their sources' own files in the intake.

use std::collections::BTreeMap;

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use shared::domain::ids::IntentId;
use shared::intake::{Message, Reading, read};
use shared::slack::reply::Reply;

use crate::caller::wanted;
use crate::problem::{Problem, answer};
use crate::route::Source;
use crate::{App, Asked, body};

/// What was accepted: one request for each alert.
#[derive(Serialize)]
struct Accepted {
    requests: Vec<IntentId>,
}

impl App {
    /// `POST /v1/webhooks/{source}`. Unless everything is queued, the sender is told to send it again. An id comes from its alert and when that began, so that this does no
    /// harm; what says no beginning, and the notice that alerts were left out, has an id of this delivery alone and may count once more.
    pub(crate) async fn webhook(&self, asked: &Asked<'_>, source: Source) -> Result<Reply, Problem> {
        let workspace = wanted(asked, None)?;
        let object = body::needed(asked.request)?;
        // What is in a list of alerts and is none would be passed over, and its sender is here to hear of it.
        if object.get("alerts").and_then(Value::as_array).is_some_and(|alerts| !alerts.iter().all(Value::is_object)) {
            return Err(Problem::mistakes(vec!["`alerts` must be a list of objects".to_owned()]));
        }
        let text = Value::Object(object).to_string();
        let id = format!("api-{}", asked.id());
        let message =
            Message { body: &text, message_id: &id, attributes: &BTreeMap::new(), sent_at: asked.now, now: asked.now, watch: None };
        let shared::intake::Read { reading, sources } = read(&message);
        if sources != [source.word()] {
            let detail = format!("This is no webhook of {}; GET /v1/openapi.json says what one holds.", source.word());
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
        let mut intents = match reading {
            Reading::Intents(intents) => intents,
            Reading::Ignored(_) => Vec::new(),
            Reading::Refused(reason) | Reading::Partly { reason, .. } => return Err(Problem::mistakes(vec![reason])),
        };
        for intent in &mut intents {
            intent.workspace.clone_from(&workspace);
        }
        let requests = intents.iter().map(|intent| intent.id.clone()).collect();
        self.queue(asked, intents).await?;
        Ok(answer(StatusCode::ACCEPTED, &Accepted { requests }))
    }
}
