//! What falls due with time, looked for every minute. Each job stands in a file of its own and fails by itself: what one could not do, it finds again at the next minute,
//! and the others go on; so does the rest of a job where one workspace is in trouble. A minute in which anything failed is a failed invocation, which an alarm counts.

mod forgotten;
mod refresh;
mod reports;
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
use shared::config;
use shared::domain::ids::Workspace;
use shared::fallback::Fallback;
use shared::http::StartError;
use shared::installation::Installations;
use shared::queue::Sender;
use shared::slack::client::Client;
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
    fallback: Fallback,
    slack: Client,
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

/// What went wrong in a job workspace by workspace: one's trouble is not another's.
#[derive(Debug, Default)]
struct Troubles(Vec<String>);

impl Troubles {
    /// What came of one workspace's turn.
    fn note(&mut self, job: &'static str, workspace: &Workspace, result: Result<(), Failed>) {
        if let Err(failed) = result {
            let workspace = workspace.as_str();
            tracing::warn!(job, workspace, reason = %failed, outcome = "retried", "a job failed for a workspace; it is tried again in a minute");
            self.0.push(workspace.to_owned());
        }
    }

    /// The job failed if it failed for anybody.
    fn sum(self) -> Result<(), Failed> {
        if self.0.is_empty() { Ok(()) } else { Err(Failed(format!("it failed for {}", self.0.join(", ")))) }
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
            fallback: Fallback::start(&aws)?,
            store,
            intents: Sender::new(sqs.clone(), config::required("INTENTS_QUEUE_URL")?),
            posts: Sender::new(sqs, config::required("POSTS_QUEUE_URL")?),
            slack: Client::new(config::base_url("SLACK_API_URL")?, SLACK_TIMEOUT)?,
        })
    }

    /// One minute. `owner` is the invocation's id, `deadline` in milliseconds since 1970 is when Lambda ends it. The error names the jobs that failed, after all have been
    /// tried.
    pub async fn tick(&self, owner: &str, deadline: u64) -> Result<(), Failed> {
        let deadline = i64::try_from(deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
        let turn = Turn { owner: owner.to_owned(), deadline };
        let failed: Vec<_> = join_all(self.jobs(&turn).into_iter().map(run)).await.into_iter().flatten().collect();
        if failed.is_empty() {
            Ok(())
        } else {
            Err(Failed(format!("jobs that failed: {}; the lines before this one say why", failed.join(", "))))
        }
    }

    /// Everything that is done each minute, all beside each other.
    fn jobs<'a>(&'a self, turn: &'a Turn) -> Vec<Job<'a>> {
        vec![
            ("timers", Box::pin(self.timers(turn))),
            ("forgotten", Box::pin(self.forgotten())),
            ("refresh", Box::pin(self.refresh(turn))),
            ("reports", Box::pin(self.reports())),
        ]
    }
}

/// Does a job; its name where it failed.
async fn run((job, work): Job<'_>) -> Option<&'static str> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(())) => return None,
        Ok(Err(failed)) => tracing::warn!(job, reason = %failed, outcome = "retried", "a job failed; it is tried again in a minute"),
        Err(_) => tracing::error!(job, outcome = "panicked", "a job made the program panic; the line before this one says where"),
    }
    Some(job)
}
