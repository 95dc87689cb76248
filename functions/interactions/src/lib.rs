//! Buttons, modals and shortcuts: verify, read, queue what is wanted. A form is checked and a modal is opened in place.

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::Request;
use shared::config::{self, ConfigError};
use shared::domain::Refusal;
use shared::render::answer;
use shared::slack::blocks::View;
use shared::slack::client::{Bot, Client, SlackError};
use shared::slack::interaction::{Payload, Wanted};
use shared::slack::receive::Receiver;
use shared::slack::reply::{self, OnlyToYou, Reply};
use url::Url;

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    receiver: Receiver,
    slack_api: Url,
    slack_hooks: Url,
}

impl App {
    /// Reads the environment and gets ready to answer.
    pub async fn start() -> Result<Self, ConfigError> {
        let (slack_api, slack_hooks) = (config::base_url("SLACK_API_URL")?, config::base_url("SLACK_HOOKS_URL")?);
        Ok(Self { receiver: Receiver::start().await?, slack_api, slack_hooks })
    }

    /// One request.
    pub async fn handle(&self, request: Request) -> Reply {
        let now = Timestamp::now();
        let payload = match self.receiver.authenticate(&request, now).await {
            Ok(body) => Payload::parse(&body),
            Err(answer) => return answer,
        };
        let payload = match payload {
            Ok(payload) => payload,
            Err(error) => {
                tracing::warn!(%error, outcome = "refused", "a signed request that is no interaction");
                return reply::unreadable();
            }
        };
        match payload.wanted(now) {
            Wanted::Queue(job) => match self.receiver.send(&job).await {
                Ok(()) => {
                    tracing::info!(intent = job.id().as_str(), kind = payload.kind, outcome = "queued", "interaction");
                    reply::done()
                }
                Err(_) => not_queued(&payload),
            },
            Wanted::Open { trigger, view, otherwise } => self.open(&trigger, &view, otherwise.as_deref()).await,
            Wanted::Correct(mistakes) => {
                tracing::info!(outcome = "corrected", mistakes = mistakes.len(), "a form was not complete");
                reply::errors(&mistakes)
            }
            Wanted::Ignore(why) => {
                tracing::info!(why, outcome = "ignored", "interaction");
                reply::done()
            }
        }
    }

    async fn open(&self, trigger: &str, view: &View, otherwise: Option<&str>) -> Reply {
        let client = match Client::new(self.slack_api.clone(), Duration::from_secs(2)) {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, outcome = "form_failed", "the form could not be opened");
                return reply::failed();
            }
        };
        let Err(error) = (Bot { client: &client, secrets: &self.receiver.secrets }).open(trigger, view).await else {
            tracing::info!(outcome = "form_opened", "interaction");
            return reply::done();
        };
        tracing::error!(%error, outcome = "form_failed", "the form could not be opened");
        let Some(address) = otherwise else { return reply::done() };
        let advice = answer::refused(&Refusal::new(form_advice(&error)));
        if let Err(error) = client.respond(&self.slack_hooks, address, &OnlyToYou::new(&advice)).await {
            tracing::warn!(%error, outcome = "not_told", "the person could not be told");
        }
        reply::done()
    }
}

fn form_advice(error: &SlackError) -> String {
    match error {
        SlackError::Token(_) | SlackError::Never { .. } if !error.is("expired_trigger_id") && !error.is("trigger_expired") => {
            format!("The form could not be opened. {}", error.advice())
        }
        _ => "The form could not be opened in time. Please press the button again.".to_owned(),
    }
}

/// The queue did not take it. A form stays open with everything typed into it; after a click, Slack shows a warning sign at the button.
fn not_queued(payload: &Payload) -> Reply {
    let first_block = if payload.view.as_ref().is_some_and(|view| view.callback_id == "create_incident") { "title" } else { "note" };
    match payload.kind.as_str() {
        "view_submission" => reply::errors(&[(
            first_block,
            Refusal::new("Tocsin cannot reach its queue at the moment, so nothing was done. Please submit again."),
        )]),
        _ => reply::failed(),
    }
}
