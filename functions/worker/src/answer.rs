//! Telling the person who asked. Answers are at-least-once: a second delivery answers again.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::Refusal;
use shared::domain::ids::{Channel, IncidentId, MessageTs, UserId, Workspace};
use shared::domain::incident::{Incident, Outcome, Summary};
use shared::domain::intent::{Ask, Intent, Person, Question, ReplyTo, Target};
use shared::queue::Failure;
use shared::render::{answer, help};
use shared::slack::blocks::Message;
use shared::slack::client::SlackError;
use shared::slack::command;
use shared::slack::reply::{OnlyToYou, ToAll};
use shared::slack::step;

use crate::App;

/// How many open incidents are read for a list: far more than anybody reads.
pub(crate) const OPEN_MOST: usize = 1000;

#[derive(Serialize)]
struct ToPerson<'a> {
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a MessageTs>,
    #[serde(flatten)]
    message: &'a Message,
}

/// Why somebody reads nothing about an incident.
pub(crate) fn hidden(id: &IncidentId) -> Refusal {
    Refusal::new(format!("{id} shows only in channels that you are not in."))
}

impl App {
    /// Answers a question.
    pub(crate) async fn answer(&self, workspace: &Workspace, question: &Question) -> Result<(), Failure> {
        let message = match &question.ask {
            Ask::List => self.of_the_open(workspace, question, answer::list).await?,
            Ask::Status => self.of_the_open(workspace, question, answer::status).await?,
            Ask::OnCall => {
                let wants = self.store.wants(workspace).await.map_err(|error| Failure::later(&error))?;
                answer::on_call(&self.settings(wants, Timestamp::now()))
            }
            Ask::Help => help::help(command::usage()),
            Ask::Commands => {
                let wants = self.store.wants(workspace).await.map_err(|error| Failure::later(&error))?;
                answer::commands(&self.settings(wants, Timestamp::now()))
            }
            Ask::Nothing(refusal) => answer::refused(refusal),
            Ask::Show(target) => match self.seen(workspace, &question.by, target).await? {
                Ok(incident) => {
                    let timeline = self.store.timeline(workspace, &incident.id).await.map_err(|error| Failure::later(&error))?;
                    answer::show(&incident, &timeline)
                }
                Err(refusal) => answer::refused(&refusal),
            },
        };
        tracing::info!(
            workspace = workspace.as_str(),
            intent = question.id.as_str(),
            user = question.by.id.as_str(),
            outcome = "answered",
            "question"
        );
        self.say(workspace, &question.reply, &message, question.id.as_str()).await
    }

    /// What there is to say of the open incidents that the person sees.
    async fn of_the_open(
        &self,
        workspace: &Workspace,
        question: &Question,
        say: fn(&[Summary], usize) -> Message,
    ) -> Result<Message, Failure> {
        let sight = match self.sight(workspace, &question.by).await? {
            Ok(sight) => sight,
            Err(refusal) => return Ok(answer::refused(&refusal)),
        };
        let open = self.store.open(workspace, OPEN_MOST).await.map_err(|error| Failure::later(&error))?;
        let (open, elsewhere) = sight.of(open);
        Ok(say(&open, elsewhere))
    }

    /// The incident that somebody asks about, if they see it.
    async fn seen(&self, workspace: &Workspace, person: &Person, target: &Target) -> Result<Result<Incident, Refusal>, Failure> {
        let incident = match self.asked_about(workspace, target, person).await? {
            Ok(incident) => incident,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(match self.sight(workspace, person).await? {
            Err(refusal) => Err(refusal),
            Ok(sight) if incident.summary().is_none_or(|summary| sight.sees(&summary)) => Ok(incident),
            Ok(_) => Err(hidden(&incident.id)),
        })
    }

    /// Tells what became of an intent. What was done at a card is not answered as well: the card moves under the finger.
    pub(crate) async fn answer_outcome(
        &self,
        workspace: &Workspace,
        reply: &ReplyTo,
        incident: Option<&Incident>,
        outcome: &Outcome,
        intent: &Intent,
    ) -> Result<(), Failure> {
        if let (ReplyTo::Step(execution), false, Some(incident)) = (reply, matches!(outcome, Outcome::Refused(_)), incident) {
            return self.end_step(workspace, execution, (incident, outcome), intent).await;
        }
        let at_its_card = matches!(intent.target, Target::Id(_));
        let message = match (outcome, incident) {
            (Outcome::Refused(refusal), _) => answer::refused(refusal),
            (outcome, Some(incident)) if !at_its_card => answer::done(incident, outcome),
            (_, Some(_) | None) => return Ok(()),
        };
        self.say(workspace, reply, &message, intent.id.as_str()).await
    }

    /// Tells a person why not. Without a workspace that Tocsin is installed in, only a `response_url` reaches them.
    pub(crate) async fn refuse(
        &self,
        workspace: Option<&Workspace>,
        reply: &ReplyTo,
        refusal: &Refusal,
        intent: &str,
    ) -> Result<(), Failure> {
        tracing::info!(intent, outcome = "refused", "told why");
        match (workspace, reply) {
            (Some(workspace), _) => self.say(workspace, reply, &answer::refused(refusal), intent).await,
            (None, ReplyTo::ResponseUrl(url)) => {
                let said = self.slack.respond(&self.slack_hooks, url, &OnlyToYou::new(&answer::refused(refusal))).await;
                told(said, intent)
            }
            (None, ReplyTo::Ephemeral { .. } | ReplyTo::Step(_)) => {
                tracing::warn!(intent, reason = %refusal, outcome = "not_told", "the person could not be told");
                Ok(())
            }
        }
    }

    pub(crate) async fn say(&self, workspace: &Workspace, reply: &ReplyTo, message: &Message, intent: &str) -> Result<(), Failure> {
        let said = match reply {
            ReplyTo::ResponseUrl(url) => self.slack.respond(&self.slack_hooks, url, &OnlyToYou::new(message)).await,
            ReplyTo::Ephemeral { channel, user, thread } => self.say_in(workspace, channel, user, thread.as_ref(), message).await,
            // What a workflow is told in words is why it does not go on.
            ReplyTo::Step(execution) => {
                return self.fail_step(workspace, execution, &step::why(message), intent).await;
            }
        };
        told(said, intent)
    }

    /// Says it where everybody in the channel sees it.
    pub(crate) async fn say_to_all(&self, response_url: &str, message: &Message, intent: &str) -> Result<(), Failure> {
        told(self.slack.respond(&self.slack_hooks, response_url, &ToAll::new(message)).await, intent)
    }

    /// Says it where only this person sees it; where the bot is not in that channel, in a direct message.
    async fn say_in(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        user: &UserId,
        thread: Option<&MessageTs>,
        message: &Message,
    ) -> Result<(), SlackError> {
        let bot = self.bot(workspace).await?;
        if channel.as_str() != user.as_str() {
            let there = ToPerson { channel: channel.as_str(), user: Some(user), thread_ts: thread, message };
            match bot.call("chat.postEphemeral", &there).await {
                Err(error)
                    if ["not_in_channel", "channel_not_found", "user_not_in_channel", "is_archived"].iter().any(|code| error.is(code)) => {}
                other => return other.map(|_| ()),
            }
        }
        let directly = ToPerson { channel: user.as_str(), user: None, thread_ts: None, message };
        bot.tell(user, &directly).await.map(|_| ())
    }
}

/// What it means for the job whether the person was told.
fn told(said: Result<(), SlackError>, intent: &str) -> Result<(), Failure> {
    match said {
        Ok(()) => Ok(()),
        // What was asked is done; only the answer is late, perhaps because the token is just changing. The job comes again and finds its marker.
        Err(error @ (SlackError::RateLimited { .. } | SlackError::Later(_) | SlackError::Ambiguous(_) | SlackError::Token(_))) => {
            Err(Failure::Later(format!("the answer: {error}")))
        }
        Err(error @ (SlackError::Closed(_) | SlackError::Never { .. })) => {
            tracing::warn!(intent, %error, advice = error.advice(), outcome = "not_told", "the person could not be told");
            Ok(())
        }
    }
}
