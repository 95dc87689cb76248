//! The Events API: the challenge is echoed, mentions and uninstalls are queued, everything else is answered and ignored.

use jiff::Timestamp;
use lambda_http::Request;
use serde_json::json;
use shared::config::ConfigError;
use shared::slack::event::{Delivery, Wanted};
use shared::slack::receive::Receiver;
use shared::slack::reply::{self, Reply};

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    receiver: Receiver,
}

impl App {
    /// Reads the environment and gets ready to answer.
    pub async fn start() -> Result<Self, ConfigError> {
        Ok(Self::new(Receiver::start().await?))
    }

    /// With what it shares with the other receivers.
    pub fn new(receiver: Receiver) -> Self {
        Self { receiver }
    }

    /// One request.
    pub async fn handle(&self, request: Request) -> Reply {
        let now = Timestamp::now();
        let delivery = match self.receiver.authenticate(&request, now).await {
            Ok(body) => Delivery::parse(&body),
            Err(answer) => return answer,
        };
        let delivery = match delivery {
            Ok(delivery) => delivery,
            Err(error) => {
                tracing::warn!(error, outcome = "refused", "a signed request that is no event");
                return reply::unreadable();
            }
        };
        let event_id = delivery.event_id.clone().unwrap_or_default();
        match delivery.wanted(now) {
            Wanted::Echo(challenge) => {
                tracing::info!(outcome = "challenge", "Slack checked the URL");
                reply::json(&json!({ "challenge": challenge }))
            }
            Wanted::Queue(job) => match self.receiver.send(&job).await {
                Ok(()) => {
                    tracing::info!(event_id, intent = job.id().as_str(), outcome = "queued", "event");
                    reply::done()
                }
                // Slack sends it again: at once, after a minute, after five.
                Err(_) => reply::failed(),
            },
            Wanted::Ignore(why) => {
                tracing::info!(event_id, why, outcome = "ignored", "event");
                reply::done()
            }
        }
    }
}
