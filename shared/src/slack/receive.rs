//! What the three receivers have in common: what they hold, who is believed, and what an answer costs when something breaks.

use std::future::{Future, ready};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use lambda_http::{Body, IntoResponse, Request, service_fn};

use super::reply::{self, Reply};
use super::verify::{self, Unverified, Verified};
use crate::aws::{self, Patience};
use crate::config::{self, ConfigError};
use crate::domain::intent::Job;
use crate::queue::{SendFailed, Sender};
use crate::secrets::app::{AppSecret, Secrets};
use crate::secrets::{REREAD, SecretError};

/// What a receiver holds while it is warm.
#[derive(Debug)]
pub struct Receiver {
    /// The app's secret.
    pub secrets: Arc<Secrets>,
    intents: Sender,
}

impl Receiver {
    /// With the app's secret and the intents queue; nothing is read yet.
    pub fn new(secrets: Secrets, intents: Sender) -> Self {
        Self { secrets: Arc::new(secrets), intents }
    }

    /// Reads the environment, fetches the secret and opens the connection to SQS, both at once: Lambda gives a function a whole CPU during init, and
    /// nobody waits yet. A secret that cannot be read does not stop the start; requests are refused until it can.
    pub async fn start() -> Result<Self, ConfigError> {
        let aws = aws::sdk_config(Patience::RECEIVER)?;
        let overlap = SignedDuration::from_hours(config::number::<u32>("SIGNING_OVERLAP_HOURS")?.into());
        let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&aws), config::required("SLACK_SECRET_ARN")?, overlap);
        let intents = Sender::new(aws_sdk_sqs::Client::new(&aws), config::required("INTENTS_QUEUE_URL")?);
        let (secret, ()) = join(secrets.at_hand(), intents.warm()).await;
        if let Err(error) = secret {
            tracing::error!(%error, "no request can be verified yet");
        }
        Ok(Self::new(secrets, intents))
    }

    /// The body of a request, if Slack signed it; else the answer to whoever sent it.
    ///
    /// A signature that fails may be made with a secret that was rotated a moment ago, so the secret is read again, at most once in 10 seconds.
    pub async fn authenticate<'r>(&self, request: &'r Request, now: Timestamp) -> Result<Verified<'r>, Reply> {
        let body: &[u8] = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        let secret = self.secrets.believed().await;
        let verify = |secret: &AppSecret| verify::verify(secret.signing_secrets(now), request.headers(), body, now);
        let verified = secret.as_ref().map(|secret| verify(secret));
        if !matches!(verified, Ok(Ok(_))) && verify::is_ssl_check(body) {
            tracing::info!(outcome = "ssl_check", "answered Slack's certificate check");
            return Err(reply::done());
        }
        let unverified = match verified {
            Ok(Ok(verified)) => return Ok(verified),
            Ok(Err(unverified)) => unverified,
            Err(error) => return Err(unavailable(error)),
        };
        if matches!(unverified, Unverified::Signature | Unverified::NoSecret) {
            match self.secrets.reread(REREAD).await {
                Some(Ok(secret)) => {
                    if let Ok(verified) = verify(&secret) {
                        return Ok(verified);
                    }
                }
                Some(Err(error)) => return Err(unavailable(&error)),
                None => {}
            }
        }
        tracing::warn!(reason = %unverified, outcome = "unauthorized", "a request was refused");
        Err(reply::unauthorized())
    }

    /// Puts a job on `intents.fifo`: the one call to AWS of the ack path. Once a minute a second one runs beside it, which keeps the cached
    /// secret young.
    pub async fn send(&self, job: &Job) -> Result<(), SendFailed> {
        let refresh = async {
            if self.secrets.is_stale() {
                // A failure is logged there, and the old secret goes on being used.
                let _ = self.secrets.fresh().await;
            }
        };
        let (sent, ()) = join(self.intents.send(job), refresh).await;
        if let Err(error) = &sent {
            tracing::error!(%error, intent = job.id().as_str(), outcome = "not_queued", "an intent could not be queued");
        }
        sent
    }
}

fn unavailable(error: &SecretError) -> Reply {
    tracing::error!(%error, outcome = "unverifiable", "a request could not be verified");
    reply::failed()
}

/// A reply whose body is text already. `lambda_http` would look at its content type, bring tables of every charset along for that, and copy it once more.
struct AsItIs(Reply);

impl IntoResponse for AsItIs {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        Box::pin(ready(self.0))
    }
}

/// Runs a receiver until Lambda ends it. A handler that panics answers 500 and stays warm.
pub async fn serve<H, F>(handler: H) -> Result<(), lambda_http::Error>
where
    H: Fn(Request) -> F + Sync,
    F: Future<Output = Reply> + Send,
{
    let handler = &handler;
    lambda_http::run(service_fn(move |request| async move {
        let reply = AssertUnwindSafe(handler(request)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(outcome = "panicked", "a request made the receiver panic; the line before this one says where");
            reply::failed()
        });
        Ok::<_, lambda_http::Error>(AsItIs(reply))
    }))
    .await
}
