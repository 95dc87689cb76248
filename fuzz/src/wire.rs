//! AWS and Slack as far as a receiver calls them, on this machine's loopback, and the receivers that call them: the same SDK and the same HTTP client as ever.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_types::SdkConfig;
use aws_types::region::Region;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use shared::queue::Sender;
use shared::secrets::app::Secrets;
use shared::slack::modals::Modals;
use shared::slack::receive::Receiver;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use url::Url;

use crate::ingress::{SIGNING_SECRET, hex};

/// What Slack answers to what a receiver calls in place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SlackSays {
    /// Done.
    Yes,
    /// It came too late.
    Expired,
    /// The token does not count.
    BadToken,
    /// Too many.
    Slower,
    /// It is broken.
    Broken,
}

impl SlackSays {
    pub(crate) const ALL: [Self; 5] = [Self::Yes, Self::Expired, Self::BadToken, Self::Slower, Self::Broken];

    fn answer(self) -> (StatusCode, String) {
        let refused = |code: &str| (StatusCode::OK, json!({ "ok": false, "error": code }).to_string());
        match self {
            Self::Yes => (StatusCode::OK, json!({ "ok": true }).to_string()),
            Self::Expired => refused("expired_trigger_id"),
            Self::BadToken => refused("invalid_auth"),
            Self::Slower => (StatusCode::TOO_MANY_REQUESTS, String::new()),
            Self::Broken => (StatusCode::BAD_GATEWAY, "<html>".to_owned()),
        }
    }
}

/// The receivers, and what is at the other end.
pub(crate) struct Wire {
    runtime: Runtime,
    other_end: Arc<OtherEnd>,
    pub(crate) commands: commands::App,
    pub(crate) interactions: interactions::App,
    pub(crate) events: events::App,
}

#[derive(Default)]
struct OtherEnd {
    says: AtomicUsize,
    queued: Mutex<Vec<String>>,
}

impl Wire {
    /// Everything in one thread, so that an input is over when its answer is there.
    pub(crate) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let other_end = Arc::new(OtherEnd::default());
        let port = runtime.block_on(listen(Arc::clone(&other_end)))?;
        let endpoint = format!("http://127.0.0.1:{port}");
        let aws = sdk_config(&endpoint);
        let receiver = || {
            let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&aws), "tocsin/slack".to_owned(), SignedDuration::ZERO);
            Receiver::new(secrets, Sender::new(aws_sdk_sqs::Client::new(&aws), format!("{endpoint}/123456789012/intents.fifo")))
        };
        let (slack_api, slack_hooks) = (Url::parse(&format!("{endpoint}/api/"))?, Url::parse(&format!("{endpoint}/"))?);
        let modals = |receiver: &Receiver| Modals::new(receiver, slack_api.clone(), "tocsin/installations/".to_owned());
        let (of_commands, of_interactions, of_events) = (receiver(), receiver(), receiver());
        Ok(Self {
            commands: commands::App::new(modals(&of_commands), of_commands),
            interactions: interactions::App::new(modals(&of_interactions), of_interactions, slack_hooks),
            events: events::App::new(of_events),
            runtime,
            other_end,
        })
    }

    /// What Slack answers from now on.
    pub(crate) fn slack_says(&self, says: SlackSays) {
        self.other_end.says.store(says as usize, Ordering::Relaxed);
    }

    /// What was put on the queue since this was asked last.
    pub(crate) fn queued(&self) -> Vec<String> {
        std::mem::take(&mut *self.other_end.queued.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for one answer.
    pub(crate) fn run<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }
}

fn sdk_config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "fuzzing")))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .endpoint_url(endpoint)
        .build()
}

async fn listen(other_end: Arc<OtherEnd>) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, say; that passes.
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            };
            let other_end = Arc::clone(&other_end);
            tokio::spawn(async move {
                let _ = stream.set_nodelay(true);
                let service = service_fn(move |request| answer(Arc::clone(&other_end), request));
                // Whatever breaks here shows as a call that failed.
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Ok(port)
}

async fn answer(other_end: Arc<OtherEnd>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default().to_owned();
    let content_type = request.headers().get("content-type").cloned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (status, text) = match target.as_str() {
        "" => SlackSays::ALL[other_end.says.load(Ordering::Relaxed) % SlackSays::ALL.len()].answer(),
        target => match aws(&other_end, target, &body) {
            Ok(value) => (StatusCode::OK, value.to_string()),
            Err(error) => (StatusCode::BAD_REQUEST, json!({ "__type": "ValidationException", "message": error.to_string() }).to_string()),
        },
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert("content-type", content_type);
    }
    Ok(response)
}

fn aws(other_end: &OtherEnd, target: &str, body: &[u8]) -> Result<Value> {
    let body: Value = serde_json::from_slice(body).context("no JSON")?;
    match target {
        "secretsmanager.GetSecretValue" => Ok(json!({
            "ARN": body.get("SecretId"),
            "CreatedDate": Timestamp::now().as_second() - 30 * 24 * 60 * 60,
            "Name": "tocsin/slack",
            "SecretString": json!({ "bot_token": "xoxb-fuzzing", "signing_secret": SIGNING_SECRET }).to_string(),
            "VersionId": "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE",
            "VersionStages": ["AWSCURRENT"]
        })),
        "AmazonSQS.SendMessage" => {
            let text = body.get("MessageBody").and_then(Value::as_str).context("a message without a body")?;
            other_end.queued.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
            Ok(
                json!({ "MD5OfMessageBody": hex(&Md5::digest(text.as_bytes())), "MessageId": "219f8380-5770-4cc2-8c3e-5c715e145f5e", "SequenceNumber": "18849496460467696128" }),
            )
        }
        other => anyhow::bail!("nobody here knows {other}"),
    }
}
