//! HTTP for those who have no SQS: incidents and what becomes of them, webhooks of Alertmanager and Grafana, and a test of the connection. What a request wants is put
//! on the intents queue with one call to AWS, like everything else; [`openapi`] is the whole of it as a document.
//!
//! In the order in which a request meets it: [`route`] says what is asked for, [`caller`] who asks, [`body`] reads what was sent, and [`messages`], [`webhooks`], [`look`] and
//! [`connection`] do it. What is wrong is a [`problem`].

mod body;
mod caller;
mod connection;
mod look;
mod messages;
pub mod openapi;
mod problem;
mod route;
mod webhooks;

use std::sync::Arc;

use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use lambda_http::{Request, RequestExt};
use shared::aws::{self, Patience};
use shared::config::{self, ConfigError};
use shared::domain::ids::{Channel, Workspace};
use shared::domain::intent::{Actor, Intent, Job};
use shared::queue::Sender;
use shared::secrets::app::Secrets;
use shared::secrets::keys::{Holder, Keys};
use shared::secrets::tokens::Tokens;
use shared::slack::reply::Reply;
use shared::store::Store;
use url::Url;

use problem::Problem;
use route::Route;

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    keys: Keys,
    intents: Sender,
    store: Store,
    tokens: Tokens,
    slack: Url,
    default_channel: Channel,
    default_workspace: Option<Workspace>,
}

/// One request, and who makes it.
struct Asked<'r> {
    request: &'r Request,
    holder: &'r Holder,
    now: Timestamp,
}

impl Asked<'_> {
    /// Lambda's id of the request: what it wants is known by that where it does not name itself.
    fn id(&self) -> String {
        self.request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default()
    }
}

impl App {
    /// Reads the environment, fetches the keys and opens the connection to SQS, both at once. Keys that cannot be read do not stop the start; requests are refused until they
    /// can.
    pub async fn start() -> Result<Self, ConfigError> {
        let aws = aws::sdk_config(Patience::RECEIVER)?;
        let secrets = aws_sdk_secretsmanager::Client::new(&aws);
        let keys = Keys::new(secrets.clone(), config::required("API_KEYS_SECRET_ARN")?);
        let intents = Sender::new(aws_sdk_sqs::Client::new(&aws), config::required("INTENTS_QUEUE_URL")?);
        let app = Secrets::new(secrets, config::required("SLACK_SECRET_ARN")?, SignedDuration::ZERO);
        let vault = app.vault(config::required("INSTALLATION_SECRETS_PREFIX")?);
        let started = Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&aws), config::required("TABLE_NAME")?),
            tokens: Tokens { app: Arc::new(app), vault },
            slack: config::base_url("SLACK_API_URL")?,
            default_channel: Channel::new(config::required("DEFAULT_CHANNEL")?),
            default_workspace: config::optional("DEFAULT_WORKSPACE").map(|id| Workspace::new(id.trim())),
            keys,
            intents,
        };
        let (read, ()) = join(started.keys.warm(), started.intents.warm()).await;
        if let Err(error) = read {
            tracing::warn!(%error, "no key can be checked yet");
        }
        Ok(started)
    }

    /// One request.
    pub async fn handle(&self, request: Request) -> Reply {
        let route = match route::find(request.method(), request.uri().path()) {
            Ok(Route::Document) => return openapi::reply(),
            Ok(route) => route,
            Err(problem) => return problem.into(),
        };
        let holder = match self.holder(&request).await {
            Ok(holder) => holder,
            Err(problem) => return problem.into(),
        };
        let asked = Asked { request: &request, holder: &holder, now: Timestamp::now() };
        let reply = match self.answer(&asked, &route).await {
            Ok(reply) => reply,
            Err(problem) => problem.into(),
        };
        tracing::info!(key = holder.name, route = route.name(), status = reply.status().as_u16(), outcome = "answered", "API request");
        reply
    }

    async fn answer(&self, asked: &Asked<'_>, route: &Route<'_>) -> Result<Reply, Problem> {
        let needed = route.needs();
        if !asked.holder.may(needed) {
            let detail = format!("This key may not do that: it would have to be allowed to {}.", needed.word());
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        match route {
            Route::Document => Ok(openapi::reply()),
            Route::Create => self.create(asked).await,
            Route::Act { verb, incident } => self.act(asked, *verb, incident).await,
            Route::Incident(id) => self.incident(asked, id).await,
            Route::Request(id) => self.request(asked, id).await,
            Route::Webhook(source) => self.webhook(asked, *source).await,
            Route::Test => self.test(asked).await,
        }
    }

    /// Puts intents on the queue, ten with one call. What was not queued is said, and does no harm when it is sent again.
    async fn queue(&self, asked: &Asked<'_>, intents: Vec<Intent>) -> Result<(), Problem> {
        let jobs: Vec<Job> = intents.into_iter().map(|intent| Job::Intent(Box::new(intent))).collect();
        let mut failed = 0_usize;
        for (job, result) in jobs.iter().zip(self.intents.send_all(&jobs).await) {
            failed += usize::from(result.is_err());
            tell(job, asked.holder, result);
        }
        if failed == 0 {
            return Ok(());
        }
        let detail = format!("{failed} of {} could not be queued. Send it again: what was queued is not done twice.", jobs.len());
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
    }
}

fn tell(job: &Job, holder: &Holder, result: Result<(), shared::queue::SendFailed>) {
    let (Job::Intent(intent), key) = (job, &holder.name) else { return };
    let (id, action) = (intent.id.as_str(), intent.action.name());
    let source = match &intent.by {
        Actor::Source(name) => name.as_str(),
        Actor::User(person) => person.id.as_str(),
    };
    match result {
        Ok(()) => tracing::info!(key, intent = id, action, source, outcome = "queued", "API message"),
        Err(error) => tracing::error!(key, %error, intent = id, outcome = "not_queued", "an intent could not be queued"),
    }
}
