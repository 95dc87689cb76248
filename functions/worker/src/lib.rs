//! Applies intents: [`apply`] decides and writes, [`settle`] does what follows from that, [`spoken`] sees what a workspace's own words mean, [`remark`] finds out what a reaction or a reply is about, [`home`] paints
//! Home, [`links`] shows how things stand under a link, [`settings`] changes a value of the workspace's [`document`], [`notices`] are told once, [`oncall`] remembers who takes over, [`people`] says who somebody is,
//! [`groups`] to which usergroups they belong, [`sight`] what they see, [`step`] ends the steps of workflows, [`workspace`] which installation is meant, [`answer`] tells
//! the person who asked. What is due in Slack after that is the poster's business; here it is only woken.

mod answer;
mod apply;
mod document;
mod groups;
mod home;
mod links;
mod notices;
mod oncall;
mod people;
mod remark;
mod settings;
mod settle;
mod sight;
mod spoken;
mod step;
mod workspace;

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use shared::aws::{self, Patience};
use shared::config;
use shared::domain::ids::{Channel, Workspace};
use shared::domain::intent::{Job, Question, Uninstall};
use shared::domain::people::may_act;
use shared::http::StartError;
use shared::installation::Installations;
use shared::installation::change::Uninstalled;
use shared::queue::{self, DeadLetters, Delivery, Failure, Inbox, Sender, Try};
use shared::slack::client::Client;
use shared::store::Store;
use url::Url;

/// How long to wait for Slack when somebody's name is looked up or somebody is answered.
const SLACK_TIMEOUT: Duration = Duration::from_secs(4);

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    store: Store,
    intents: Inbox,
    posts: Sender,
    calls: Sender,
    timeline: Sender,
    groups: groups::Groups,
    sights: sight::Sights,
    installations: Installations,
    slack: Client,
    slack_hooks: Url,
    default_channel: Channel,
    /// The channels that this container has written down, with the day on which it did.
    known_channels: Mutex<HashSet<(i64, Workspace, Channel)>>,
}

impl App {
    /// Reads the environment and gets ready.
    pub fn start() -> Result<Self, StartError> {
        let aws = aws::sdk_config(Patience::BACKGROUND)?;
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let dead_letters = DeadLetters::new(sqs.clone(), config::required("DEAD_LETTERS_QUEUE_URL")?);
        let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), config::required("TABLE_NAME")?);
        Ok(Self {
            installations: Installations::start(&aws, store.clone())?,
            store,
            posts: Sender::new(sqs.clone(), config::required("POSTS_QUEUE_URL")?),
            calls: Sender::new(sqs.clone(), config::required("CALLS_QUEUE_URL")?),
            timeline: Sender::new(sqs.clone(), config::required("TIMELINE_QUEUE_URL")?),
            groups: groups::Groups::default(),
            sights: sight::Sights::default(),
            intents: Inbox::new(sqs, config::required("INTENTS_QUEUE_URL")?, dead_letters),
            slack: Client::new(config::base_url("SLACK_API_URL")?, SLACK_TIMEOUT)?,
            slack_hooks: config::base_url("SLACK_HOOKS_URL")?,
            default_channel: Channel::new(config::required("DEFAULT_CHANNEL")?),
            known_channels: Mutex::default(),
        })
    }

    /// One batch of `intents.fifo`. `deadline`, in milliseconds since 1970, is when Lambda ends it.
    pub async fn handle(&self, event: SqsEvent, deadline: u64) -> SqsBatchResponse {
        self.intents.work_through(event, deadline, |delivery| self.open(delivery)).await
    }

    async fn open(&self, delivery: Delivery) -> Result<(), Failure> {
        let job: Job = queue::open(&delivery.body)?;
        self.work(job, Try::from(&delivery)).await
    }

    async fn work(&self, job: Job, tried: Try) -> Result<(), Failure> {
        match job {
            Job::Intent(intent) => Box::pin(self.applied(*intent, tried)).await.map(|_| ()),
            Job::Question(question) => Box::pin(self.tell(&question)).await,
            Job::TakeOver(take_over) => self.take_over(&take_over).await,
            Job::Spoken(spoken) => Box::pin(self.spoken(&spoken, tried)).await,
            Job::Answered(answered) => self.answered(&answered).await,
            Job::Remark(remark) => Box::pin(self.remark(remark, tried)).await,
            Job::FromMessage(wish) => Box::pin(self.create_from(wish, tried)).await,
            Job::Home(opened) => Box::pin(self.open_home(&opened)).await,
            Job::Joined(joined) => Box::pin(self.say_hello(&joined)).await,
            Job::Linked(linked) => Box::pin(self.unfurl(&linked)).await,
            Job::Setting(wish) => Box::pin(self.set(&wish)).await,
            Job::StepRefused(step) => self.step_refused(&step).await,
            Job::Uninstall(uninstall) => self.clean_up(&uninstall).await,
        }
    }

    /// Answers a question, if the person may know.
    async fn tell(&self, question: &Question) -> Result<(), Failure> {
        let workspace = match self.workspace(question.workspace.as_ref()).await? {
            Ok(workspace) => workspace,
            Err(refusal) => return self.refuse(None, &question.reply, &refusal, question.id.as_str()).await,
        };
        let profile = self.profile(&workspace, &question.by).await?;
        let settings = self.store.settings(&workspace).await.map_err(|error| Failure::later(&error))?;
        match may_act(profile.standing, &question.by, &settings.people) {
            Ok(()) => self.answer(&workspace, question).await,
            Err(refusal) => self.refuse(Some(&workspace), &question.reply, &refusal, question.id.as_str()).await,
        }
    }

    /// Slack took Tocsin out: nothing is posted there any more until it is installed again. Twice is once.
    async fn clean_up(&self, uninstall: &Uninstall) -> Result<(), Failure> {
        let Uninstall { id, workspace, at, reason } = uninstall;
        let (workspace_id, reason) = (workspace.as_str(), reason.as_str());
        let came = self.installations.uninstalled(&self.slack, workspace, *at, id.as_str()).await;
        let why = match came.map_err(|error| Failure::later(&error))? {
            Uninstalled::Done => {
                tracing::warn!(workspace = workspace_id, reason, outcome = "uninstalled", "Slack took Tocsin out");
                return Ok(());
            }
            Uninstalled::StillThere => "the token in force still works",
            Uninstalled::Unknown => "it was never installed",
        };
        tracing::info!(workspace = workspace_id, reason, why, outcome = "ignored", "an uninstall");
        Ok(())
    }

    async fn wake(&self, wakes: impl IntoIterator<Item = queue::Wake>) -> Result<(), Failure> {
        for wake in wakes {
            self.posts.send(&wake).await?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which channels' posters to wake, and because of what.
fn wakes<'a>(
    workspace: &'a Workspace,
    channels: &'a [Channel],
    because: &'a shared::domain::ids::IntentId,
) -> impl Iterator<Item = queue::Wake> + 'a {
    channels.iter().map(move |channel| queue::Wake {
        workspace: workspace.clone(),
        channel: channel.clone(),
        because: because.clone(),
        unpark: None,
    })
}
