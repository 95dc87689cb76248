//! AWS as far as a receiver needs it: Secrets Manager and SQS behind one endpoint that speaks TLS, because TLS is part of what is measured.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use md5::{Digest, Md5};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::binaries;
use crate::requests::{SIGNING_SECRET, api_keys};

/// The secret that holds the keys of `api`; every other one is Slack's.
pub(crate) const API_KEYS: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tocsin/api-keys-AbCdEf";

/// The root that the functions have to trust, as a PEM file for `AWS_CA_BUNDLE`.
pub(crate) fn bundle() -> PathBuf {
    binaries::root().join("bench/certificates/root.pem")
}

/// TLS as AWS's endpoints speak it: a chain of RSA 2048 certificates, root, intermediate and leaf. A start pays for checking it, so the kind matters.
pub(crate) fn tls() -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_slice_iter(include_bytes!("../certificates/chain.pem")).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../certificates/leaf-key.pem"))?;
    let mut provider = rustls::crypto::ring::default_provider();
    // AWS's servers choose, and choose AES-128; rustls by itself would take the client's first, which is AES-256 with SHA-384.
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    let mut tls = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.ignore_client_order = true;
    // A ticket of the first connection would shorten the second where it comes in time. On AWS the two lead to two hosts, of which neither knows the other's tickets.
    tls.send_tls13_tickets = 0;
    Ok(Arc::new(tls))
}

/// How many calls a function makes before it asks for its first invocation: for the secret, and for the connection to SQS.
pub(crate) const INIT: usize = 2;

/// Listens until it is dropped.
pub(crate) struct Endpoint {
    /// The value of `AWS_ENDPOINT_URL`.
    pub(crate) url: String,
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    calls: Mutex<Vec<String>>,
    connections: AtomicUsize,
    /// Where the calls of init wait for each other, and how many they are. On AWS they go to two hosts, over a connection each; here they go to one, and whichever call were
    /// answered first could lend its connection to the other.
    init: (usize, Barrier),
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Endpoint {
    /// Speaks TLS for `localhost`; the first `init` calls wait for each other.
    pub(crate) async fn start(tls: &Arc<ServerConfig>, init: usize) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://localhost:{}", listener.local_addr()?.port());
        let state = Arc::new(State { calls: Mutex::default(), connections: AtomicUsize::new(0), init: (init, Barrier::new(init)) });
        let (acceptor, shared) = (TlsAcceptor::from(Arc::clone(tls)), Arc::clone(&state));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    // Answers leave at once, as from a server of AWS; whatever breaks here shows as a call that is missing.
                    let _ = stream.set_nodelay(true);
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| answer(Arc::clone(&state), request));
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { url, state, server })
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// What was called, in order, as `AmazonSQS.SendMessage`.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.state.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default().to_owned();
    let content_type = request.headers().get("content-type").cloned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (status, text) = match reply(&target, &body) {
        Ok(value) => (StatusCode::OK, value.to_string()),
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "__type": "ValidationException", "message": error.to_string() }).to_string()),
    };
    let is_init = {
        let mut calls = state.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(target);
        calls.len() <= state.init.0
    };
    if is_init {
        state.init.1.wait().await;
    }
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert("content-type", content_type);
    }
    if let Ok(id) = "5b7d5b3f-1c52-5b6e-9b1f-0c4f5f3d7a21".parse() {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    Ok(response)
}

fn secret(asked: &Value) -> Value {
    if asked.get("SecretId").and_then(Value::as_str) == Some(API_KEYS) {
        return api_keys();
    }
    json!({ "bot_token": "xoxb-bench", "signing_secret": SIGNING_SECRET })
}

fn reply(target: &str, body: &[u8]) -> Result<Value> {
    let body: Value = serde_json::from_slice(body).context("no JSON")?;
    match target {
        "secretsmanager.GetSecretValue" => Ok(json!({
            "ARN": body.get("SecretId"),
            // As it mostly is: written long ago, so that no version before counts any more.
            "CreatedDate": Timestamp::now().as_second() - 30 * 24 * 60 * 60,
            "Name": "tocsin/slack",
            "SecretString": secret(&body).to_string(),
            "VersionId": "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE",
            "VersionStages": ["AWSCURRENT"]
        })),
        "AmazonSQS.SendMessage" => taken(&body),
        "AmazonSQS.SendMessageBatch" => {
            let entries = body.get("Entries").and_then(Value::as_array).context("no entries")?;
            let took = entries.iter().map(|entry| {
                let mut taken = taken(entry)?;
                taken["Id"] = json!(entry.get("Id"));
                Ok(taken)
            });
            Ok(json!({ "Successful": took.collect::<Result<Vec<_>>>()?, "Failed": [] }))
        }
        other => anyhow::bail!("nobody here knows {other}"),
    }
}

/// A message of a FIFO queue, as SQS takes it; also the one without a group that opens the connection during init, which it does not take.
fn taken(message: &Value) -> Result<Value> {
    anyhow::ensure!(message.get("MessageGroupId").is_some(), "The request must contain the parameter MessageGroupId.");
    let text = message.get("MessageBody").and_then(Value::as_str).context("a message without a body")?;
    Ok(json!({
        "MD5OfMessageBody": crate::hex(&Md5::digest(text.as_bytes())),
        "MessageId": "219f8380-5770-4cc2-8c3e-5c715e145f5e",
        "SequenceNumber": "18849496460467696128"
    }))
}
