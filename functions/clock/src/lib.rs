//! What falls due with time, looked for every minute. Each job stands in a file of its own and fails by itself: what one could not do, it finds again at the next minute,
//! and the others go on.

mod forgotten;
mod refresh;
mod timers;

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::aws::{self, Patience};
use shared::config::{self, ConfigError};
use shared::installation::Installations;
use shared::queue::Sender;
use shared::slack::client::{Client, Unbuildable};
use shared::store::Store;

/// How long Slack may take.
const SLACK_TIMEOUT: Duration = Duration::from_secs(8);

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    store: Store,
    intents: Sender,
    posts: Sender,
    installations: Installations,
    slack: Client,
}

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is missing.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] Unbuildable),
}

/// One invocation: who it is and how long it may take.
#[derive(Debug)]
pub struct Turn {
    /// The invocation's id: what it locks, it locks in this name.
    pub owner: String,
    /// When Lambda ends it.
    pub deadline: Timestamp,
}

impl Turn {
    /// Whether as much time is left.
    pub fn has(&self, time: SignedDuration) -> bool {
        self.deadline.duration_since(Timestamp::now()) > time
    }
}

/// A job that did not get through: what it has not done, it finds again at the next minute.
#[derive(Debug)]
pub struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(shared::causes(&error))
    }
}

/// A job by the name that its log lines carry.
type Job<'a> = (&'static str, Pin<Box<dyn Future<Output = Result<(), Failed>> + Send + 'a>>);

impl App {
    /// Reads the environment and gets ready.
    pub fn start() -> Result<Self, StartError> {
        let aws = aws::sdk_config(Patience::BACKGROUND)?;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), config::required("TABLE_NAME")?);
        let sqs = aws_sdk_sqs::Client::new(&aws);
        Ok(Self {
            installations: Installations::start(&aws, store.clone())?,
            store,
            intents: Sender::new(sqs.clone(), config::required("INTENTS_QUEUE_URL")?),
            posts: Sender::new(sqs, config::required("POSTS_QUEUE_URL")?),
            slack: Client::new(config::base_url("SLACK_API_URL")?, SLACK_TIMEOUT)?,
        })
    }

    /// One minute. `owner` is the invocation's id, `deadline` in milliseconds since 1970 is when Lambda ends it.
    pub async fn tick(&self, owner: &str, deadline: u64) {
        let deadline = i64::try_from(deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
        let turn = Turn { owner: owner.to_owned(), deadline };
        join_all(self.jobs(&turn).into_iter().map(run)).await;
    }

    /// Everything that is done each minute, all beside each other.
    fn jobs<'a>(&'a self, turn: &'a Turn) -> Vec<Job<'a>> {
        vec![
            ("timers", Box::pin(self.timers(turn))),
            ("forgotten", Box::pin(self.forgotten(turn))),
            ("refresh", Box::pin(self.refresh(turn))),
        ]
    }
}

async fn run((job, work): Job<'_>) {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(())) => {}
        Ok(Err(failed)) => tracing::warn!(job, reason = %failed, outcome = "retried", "a job failed; it is tried again in a minute"),
        Err(_) => tracing::error!(job, outcome = "panicked", "a job made the program panic; the line before this one says where"),
    }
}
