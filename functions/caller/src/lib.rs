//! Calls internal APIs: [`hosts`] says which may be called, [`request`] what is said to them and how it is signed, [`endpoint`] calls and tells what the answer means.
//!
//! A call is made at least once, and each of its attempts carries the same id, so whoever is called does it once. What came of it goes back to `worker` as an intent of its own; a
//! call whose outcome is known is not made again. A subscriber is called likewise; nothing comes of that but a letter among the dead ones where it does not take it.

mod endpoint;
mod hosts;
mod request;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use shared::aws::{self, Patience};
use shared::config;
use shared::domain::call::{About, Answered, Call, Endpoint};
use shared::domain::configuration::Configuration;
use shared::domain::decision::Called;
use shared::domain::ids::IntentId;
use shared::domain::incident::Incident;
use shared::domain::intent::{Action, Actor, Intent, Job, Target};
use shared::domain::timeline::Told;
use shared::http::StartError;
use shared::queue::{self, DeadLetters, Delivery, Failure, Inbox, Sender};
use shared::secrets::calls::CallSecrets;
use shared::store::Store;

use endpoint::{Answer, Caller};
use hosts::Hosts;

/// At this receive a decision's call is given up: it has been tried for some twenty minutes.
const LAST_RECEIVE: u32 = 5;

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    store: Store,
    calls: Inbox,
    intents: Sender,
    secrets: CallSecrets,
    hosts: Hosts,
    caller: Caller,
}

impl App {
    /// Reads the environment and gets ready.
    pub fn start() -> Result<Self, StartError> {
        let aws = aws::sdk_config(Patience::BACKGROUND)?;
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let dead_letters = DeadLetters::new(sqs.clone(), config::required("DEAD_LETTERS_QUEUE_URL")?);
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&aws), config::required("TABLE_NAME")?),
            calls: Inbox::new(sqs.clone(), config::required("CALLS_QUEUE_URL")?, dead_letters),
            intents: Sender::new(sqs, config::required("INTENTS_QUEUE_URL")?),
            secrets: CallSecrets::new(aws_sdk_secretsmanager::Client::new(&aws), config::required("CALL_SECRETS_PREFIX")?),
            hosts: Hosts::parse(&config::optional("CALL_HOSTS").unwrap_or_default()),
            caller: Caller::new()?,
        })
    }

    /// One batch of `calls.fifo`. `deadline`, in milliseconds since 1970, is when Lambda ends it.
    pub async fn handle(&self, event: SqsEvent, deadline: u64) -> SqsBatchResponse {
        self.calls.work_through(event, deadline, |delivery| self.work(delivery)).await
    }

    async fn work(&self, delivery: Delivery) -> Result<(), Failure> {
        let call: Call = queue::open(&delivery.body)?;
        match &call.about {
            About::Decision { incident, decision } => {
                let found = self.store.incident(&call.workspace, incident).await.map_err(|error| Failure::later(&error))?;
                let Some(incident) = found else { return Err(Failure::Never(format!("there is no incident {incident}"))) };
                self.decided(&call, &incident, decision, delivery.receives).await
            }
            About::Command { .. } => self.command(&call).await,
            About::Entry { incident, at, entry, unseen } => {
                let found = self.store.written(&call.workspace, incident, *at, entry).await.map_err(|error| Failure::later(&error))?;
                let Some((incident, entry)) = found else { return Err(Failure::Never(format!("{incident} has no entry {entry}"))) };
                self.subscriber(&call, Told { incident: &incident, entry: &entry, unseen: *unseen }).await
            }
        }
    }

    /// Tells a subscriber what happened. That it was told is no part of the incident's story: a subscriber that hears of everything would hear of that, too.
    /// The queue says when it was tried often enough: nobody waits for it but what stands behind it. Who was taken out of the configuration meanwhile is told nothing more.
    async fn subscriber(&self, call: &Call, told: Told<'_>) -> Result<(), Failure> {
        let configuration = self.configuration(call).await?.map_err(Failure::Later)?;
        let subscribes = configuration.subscribers.iter().any(|subscriber| subscriber.endpoint == call.to);
        let answer = match endpoint(&configuration, call).filter(|_| subscribes) {
            Some(endpoint) => Some(self.call(endpoint, call, &request::told(call, told)).await),
            None => None,
        };
        tracing::info!(
            workspace = call.workspace.as_str(),
            incident = told.incident.id.as_str(),
            intent = told.entry.intent.as_str(),
            call = call.id.as_str(),
            endpoint = call.to,
            event = told.heading().word(),
            outcome = match answer {
                Some(Answer::Took(_)) => "took",
                Some(Answer::Refused(_) | Answer::Later(_)) => "failed",
                None => "unsubscribed",
            },
            "call"
        );
        match answer {
            Some(Answer::Took(_)) | None => Ok(()),
            Some(Answer::Refused(said)) => Err(Failure::Never(said)),
            Some(Answer::Later(said)) => Err(Failure::Later(said)),
        }
    }

    /// Tells an endpoint what was decided, and the incident what came of it.
    async fn decided(&self, call: &Call, incident: &Incident, decision: &str, receives: u32) -> Result<(), Failure> {
        let known = incident.decisions.iter().find(|known| known.asked.name == decision);
        if known.and_then(|known| known.decided()).is_some_and(|(_, outcome)| outcome.is_some_and(|called| called.ok)) {
            tracing::info!(intent = call.id.as_str(), outcome = "done_before", "call");
            return Ok(());
        }
        match self.call_configured(call, &request::decided(call, incident, decision)).await? {
            Answer::Took(said) => self.tell(call, incident, decision, Called { ok: true, said }).await,
            Answer::Refused(said) => {
                self.tell(call, incident, decision, Called { ok: false, said: said.clone() }).await?;
                Err(Failure::Never(said))
            }
            Answer::Later(said) if receives < LAST_RECEIVE => Err(Failure::Later(said)),
            Answer::Later(said) => {
                let said = format!("{said}; given up after many tries");
                self.tell(call, incident, decision, Called { ok: false, said: said.clone() }).await?;
                Err(Failure::Never(said))
            }
        }
    }

    async fn tell(&self, call: &Call, incident: &Incident, decision: &str, outcome: Called) -> Result<(), Failure> {
        let came = if outcome.ok { "took" } else { "failed" };
        tracing::info!(
            workspace = call.workspace.as_str(),
            incident = incident.id.as_str(),
            intent = call.id.as_str(),
            endpoint = call.to,
            outcome = came,
            "call"
        );
        let job = Job::Intent(Box::new(Intent {
            id: IntentId::of("called", &[call.workspace.as_str(), call.id.as_str(), came]),
            workspace: Some(call.workspace.clone()),
            at: Timestamp::now(),
            by: Actor::Source(call.to.clone()),
            target: Target::Id(incident.id.clone()),
            action: Action::Called { decision: decision.to_owned(), outcome },
            reply: None,
        }));
        Ok(self.intents.send(&job).await?)
    }

    /// Asks an endpoint for what somebody typed. Somebody waits, so it is not tried for long.
    async fn command(&self, call: &Call) -> Result<(), Failure> {
        let (About::Command { command, reply, in_channel, .. }, Some(by)) = (&call.about, &call.by) else {
            return Err(Failure::Never("nobody has typed this command".to_owned()));
        };
        let (ok, text) = match self.call_configured(call, &request::command(call)).await? {
            Answer::Took(said) => (true, said),
            Answer::Refused(said) | Answer::Later(said) => (false, format!("It was not done: {said}.")),
        };
        tracing::info!(
            workspace = call.workspace.as_str(),
            intent = call.id.as_str(),
            endpoint = call.to,
            command,
            outcome = if ok { "took" } else { "failed" },
            "call"
        );
        let answered = Answered {
            id: IntentId::of("answered", &[call.workspace.as_str(), call.id.as_str()]),
            workspace: call.workspace.clone(),
            by: by.clone(),
            command: command.clone(),
            ok,
            text,
            reply: reply.clone(),
            in_channel: *in_channel,
        };
        Ok(self.intents.send(&Job::Answered(answered)).await?)
    }

    /// Calls the endpoint as it is configured now.
    async fn call_configured(&self, call: &Call, body: &str) -> Result<Answer, Failure> {
        let configuration = match self.configuration(call).await? {
            Ok(configuration) => configuration,
            Err(unreadable) => return Ok(Answer::Later(unreadable)),
        };
        match endpoint(&configuration, call) {
            Some(endpoint) => Ok(self.call(endpoint, call, body).await),
            None => Ok(Answer::Refused(format!("no endpoint `{}` is configured", call.to))),
        }
    }

    /// The workspace's settings. Of a document that cannot be read nobody knows whom it names.
    async fn configuration(&self, call: &Call) -> Result<Result<Configuration, String>, Failure> {
        self.store.readable(&call.workspace).await.map_err(|error| Failure::later(&error))
    }

    async fn call(&self, endpoint: &Endpoint, call: &Call, body: &str) -> Answer {
        let url = match self.hosts.allowed(&endpoint.url) {
            Ok(url) => url,
            Err(why) => return Answer::Refused(why),
        };
        let secret = self.secrets.read(&call.workspace, &endpoint.name).await;
        match secret.and_then(|secret| endpoint::webhook(&secret)) {
            Ok(webhook) => self.caller.call(&url, endpoint.timeout, &webhook, call.id.as_str(), body).await,
            Err(error) => Answer::unsigned(&error, &endpoint.name),
        }
    }
}

/// The endpoint that a call is for, where it is still configured.
fn endpoint<'a>(configuration: &'a Configuration, call: &Call) -> Option<&'a Endpoint> {
    configuration.endpoints.iter().find(|endpoint| endpoint.name == call.to)
}
