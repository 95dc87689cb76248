//! Slash commands: verify, read the line, queue what it asks for. `help` and mistakes are answered in place; everything else by `worker`, which also knows the words that a
//! workspace has added.

use jiff::Timestamp;
use lambda_http::Request;
use shared::config::ConfigError;
use shared::domain::Refusal;
use shared::domain::ids::Channel;
use shared::domain::intent::Job;
use shared::render::modal::{self, CreateContext};
use shared::render::{answer, help};
use shared::slack::command::{self, SlashCommand, Wish};
use shared::slack::modals::Modals;
use shared::slack::receive::Receiver;
use shared::slack::reply::{self, Reply};

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    receiver: Receiver,
    modals: Modals,
}

impl App {
    /// Reads the environment and gets ready to answer.
    pub async fn start() -> Result<Self, ConfigError> {
        let receiver = Receiver::start().await?;
        Ok(Self::new(Modals::start(&receiver)?, receiver))
    }

    /// With what it opens forms by, and what it shares with the other receivers.
    pub fn new(modals: Modals, receiver: Receiver) -> Self {
        Self { receiver, modals }
    }

    /// One request.
    pub async fn handle(&self, request: Request) -> Reply {
        let now = Timestamp::now();
        let command = match self.receiver.authenticate(&request, now).await {
            Ok(body) => SlashCommand::parse(&body),
            Err(answer) => return answer,
        };
        if command.command.is_empty() {
            tracing::warn!(outcome = "refused", "a signed request that is no slash command");
            return reply::unreadable();
        }
        // Whether it is `/incident` by another name or something of the workspace's own, its configuration says, which is not read here.
        let wish = if command.command == command::INCIDENT { command::read(&command.text, now) } else { Ok(Wish::Unknown) };
        match wish {
            Ok(Wish::Help) => {
                tracing::info!(outcome = "help", "answered in place");
                reply::only_to_you(&help::help(command::usage()))
            }
            Ok(Wish::CreateForm) => self.open_form(&command).await,
            Err(refusal) => {
                tracing::info!(outcome = "refused", "a line that is not in the grammar");
                reply::only_to_you(&answer::refused(&refusal))
            }
            Ok(Wish::Do(..) | Wish::Tell(_) | Wish::TakeOver(..) | Wish::Unknown) => {
                self.queue(command::job(command.spoken(now), wish)).await
            }
        }
    }

    async fn queue(&self, job: Job) -> Reply {
        match self.receiver.send(&job).await {
            Ok(()) => {
                tracing::info!(intent = job.id().as_str(), outcome = "queued", "slash command");
                reply::done()
            }
            Err(_) => reply::only_to_you(&answer::refused(&Refusal::new(
                "Tocsin cannot reach its queue at the moment, so nothing was done. Please try again.",
            ))),
        }
    }

    async fn open_form(&self, command: &SlashCommand) -> Reply {
        let view = modal::create(&CreateContext { channel: Some(Channel::new(&command.channel_id)), message: None });
        match self.modals.open(&command.workspace(), &command.trigger_id, &view).await {
            Ok(()) => {
                tracing::info!(outcome = "form_opened", "slash command");
                reply::done()
            }
            Err(error) => {
                tracing::error!(workspace = command.workspace().as_str(), %error, outcome = "form_failed", "the form could not be opened");
                let advice =
                    "The form could not be opened. Please try again, or give the title right away: `/incident create checkout is down`.";
                reply::only_to_you(&answer::refused(&Refusal::new(advice)))
            }
        }
    }
}
