//! Buttons, modals and shortcuts: verify, read, queue what is wanted. A form is checked and a modal is opened in place.

use jiff::Timestamp;
use lambda_http::Request;
use shared::config::{self, ConfigError};
use shared::domain::Refusal;
use shared::domain::ids::Workspace;
use shared::render::{answer, modal};
use shared::slack::blocks::View;
use shared::slack::client::SlackError;
use shared::slack::interaction::{Payload, Wanted};
use shared::slack::modals::Modals;
use shared::slack::receive::Receiver;
use shared::slack::reply::{self, OnlyToYou, Reply};
use url::Url;

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    receiver: Receiver,
    modals: Modals,
    slack_hooks: Url,
}

impl App {
    /// Reads the environment and gets ready to answer.
    pub async fn start() -> Result<Self, ConfigError> {
        let slack_hooks = config::base_url("SLACK_HOOKS_URL")?;
        let receiver = Receiver::start().await?;
        Ok(Self::new(Modals::start(&receiver)?, receiver, slack_hooks))
    }

    /// With what it opens forms by, what it shares with the other receivers, and where Slack's `response_url`s live.
    pub fn new(modals: Modals, receiver: Receiver, slack_hooks: Url) -> Self {
        Self { receiver, modals, slack_hooks }
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
            Wanted::Open { workspace, trigger, view, otherwise } => self.open(&workspace, &trigger, &view, otherwise.as_deref()).await,
            Wanted::Replace { workspace, shown, hash, view } => match self.modals.replace(&workspace, &shown, &hash, &view).await {
                Ok(()) => {
                    tracing::info!(outcome = "form_grown", "interaction");
                    reply::done()
                }
                // Slack shows a warning sign at the button, and the form stays as it is.
                Err(error) => {
                    tracing::error!(workspace = workspace.as_str(), %error, outcome = "form_failed", "the form could not be replaced");
                    reply::failed()
                }
            },
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

    async fn open(&self, workspace: &Workspace, trigger: &str, view: &View, otherwise: Option<&str>) -> Reply {
        let Err(error) = self.modals.open(workspace, trigger, view).await else {
            tracing::info!(outcome = "form_opened", "interaction");
            return reply::done();
        };
        tracing::error!(workspace = workspace.as_str(), %error, outcome = "form_failed", "the form could not be opened");
        let Some(address) = otherwise else { return reply::done() };
        let advice = answer::refused(&Refusal::new(form_advice(&error)));
        let told = match self.modals.client() {
            Ok(client) => client.respond(&self.slack_hooks, address, &OnlyToYou::new(&advice)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::warn!(%error, outcome = "not_told", "the person could not be told");
        }
        reply::done()
    }
}

fn form_advice(error: &SlackError) -> String {
    match error {
        SlackError::Token(_) | SlackError::Closed(_) | SlackError::Never { .. }
            if !error.is("expired_trigger_id") && !error.is("trigger_expired") =>
        {
            format!("The form could not be opened. {}", error.advice())
        }
        _ => "The form could not be opened in time. Please press the button again.".to_owned(),
    }
}

/// The queue did not take it. A form stays open with everything typed into it; after a click, Slack shows a warning sign at the button.
fn not_queued(payload: &Payload) -> Reply {
    let first_block = modal::first_field(payload.view.as_ref().map_or("", |view| view.callback_id.as_str()));
    match payload.kind.as_str() {
        "view_submission" => reply::errors(&[(
            first_block,
            Refusal::new("Tocsin cannot reach its queue at the moment, so nothing was done. Please submit again."),
        )]),
        _ => reply::failed(),
    }
}
