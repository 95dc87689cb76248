//! Somebody's internal API, as a platform team has one: it checks the signature as the Standard Webhooks convention says, and does a thing once, however often it is asked under the
//! same id.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

use crate::dispatcher::{hex, lock};
use crate::world::World;

/// How it answers a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// With this status and these words, and without doing anything unless the status says that it did.
    Says(u16, &'static str),
    /// It does it, and its answer comes too late.
    DoesAndIsSlow(Duration),
}

/// What was asked of it, and what it did.
#[derive(Debug, Default)]
struct Seen {
    /// How it answers next, in order; then it does everything.
    next: VecDeque<Behaviour>,
    requests: Vec<Value>,
    unsigned: usize,
    /// What it did, by id.
    effects: BTreeMap<String, Value>,
}

struct Api {
    webhook: Webhook,
    seen: Mutex<Seen>,
}

/// The API while it runs; it ends when this is dropped.
pub struct InternalApi {
    /// `http://127.0.0.1:PORT/`
    pub url: String,
    api: Arc<Api>,
    running: tokio::task::JoinHandle<()>,
}

impl std::fmt::Debug for InternalApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InternalApi").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for InternalApi {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl InternalApi {
    /// Starts one that the world's functions know under this name, with a secret of its own.
    pub async fn start(world: &World, name: &str) -> Self {
        Self::try_start(world, name).await.unwrap_or_else(|error| panic!("the internal API does not start: {error:?}"))
    }

    async fn try_start(world: &World, name: &str) -> Result<Self> {
        let secret = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(hex(32)));
        world.signs_calls_with(name, &secret).await;
        let api = Arc::new(Api { webhook: Webhook::new(&secret)?, seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let router = Router::new().route("/", post(asked)).with_state(Arc::clone(&api));
        let running = tokio::spawn(async move {
            // It ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, api, running })
    }

    /// How it answers the next requests.
    pub fn answers(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        lock(&self.api.seen).next.extend(behaviours);
    }

    /// What it was asked, whatever it answered.
    pub fn requests(&self) -> Vec<Value> {
        lock(&self.api.seen).requests.clone()
    }

    /// What it has done, each once.
    pub fn effects(&self) -> Vec<Value> {
        let seen = lock(&self.api.seen);
        assert_eq!(seen.unsigned, 0, "requests came that nobody had signed");
        seen.effects.values().cloned().collect()
    }
}

async fn asked(State(api): State<Arc<Api>>, headers: HeaderMap, body: Bytes) -> (StatusCode, axum::Json<Value>) {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let same = headers.get("idempotency-key").is_some_and(|key| key.as_bytes() == id.as_bytes());
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let behaviour = {
        let mut seen = lock(&api.seen);
        if api.webhook.verify(&body, &headers).is_err() || !same {
            seen.unsigned += 1;
            return (StatusCode::UNAUTHORIZED, axum::Json(json!({"message": "who are you?"})));
        }
        seen.requests.push(request.clone());
        let behaviour = seen.next.pop_front().unwrap_or(Behaviour::Says(202, "triggered"));
        if matches!(behaviour, Behaviour::Says(200..=299, _) | Behaviour::DoesAndIsSlow(_)) {
            seen.effects.entry(id).or_insert(request);
        }
        behaviour
    };
    match behaviour {
        Behaviour::Says(status, words) => {
            (StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT), axum::Json(json!({"message": words})))
        }
        Behaviour::DoesAndIsSlow(time) => {
            tokio::time::sleep(time).await;
            (StatusCode::OK, axum::Json(json!({"message": "done long ago"})))
        }
    }
}
