//! What is counted: lines of CloudWatch's embedded metric format between the lines of the log, from which CloudWatch makes metrics without being called.
//!
//! Every metric has the dimension `Function`, and at most one more, whose values are words of this file or names of Slack's methods: a dimension is a metric of its
//! own, which is paid for, so no id and no text is ever one. Receivers link nothing of this; what is worth counting there, Lambda counts by itself, see template.yaml.

use std::future::Future;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use ::metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use jiff::SignedDuration;
use metrics_cloudwatch_embedded::{Builder, Collector};

use crate::config;

/// Where CloudWatch keeps them.
const NAMESPACE: &str = "Tocsin";

/// The format takes a hundred values of one metric at once; well before that they are written.
const VALUES_AT_ONCE: u32 = 50;

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();
static VALUES: AtomicU32 = AtomicU32::new(0);

/// What became of a post, or of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Post {
    /// A new card.
    Card,
    /// A card brought up to date.
    Updated,
    /// A reply in a card's thread.
    Replied,
    /// Found in Slack after an answer had been lost.
    Found,
    /// The card cannot be updated any more, and comes anew.
    CardGone,
    /// A storm's digest, or a page of it.
    Digest,
    /// A report.
    Report,
    /// Put back until Slack takes it.
    Waiting,
    /// On the dead-letter queue with its reason.
    Parked,
}

impl Post {
    /// The word, in logs too.
    pub fn word(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Updated => "updated",
            Self::Replied => "replied",
            Self::Found => "found",
            Self::CardGone => "card_gone",
            Self::Digest => "digest",
            Self::Report => "report",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
        }
    }
}

/// What became of a token that expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// Exchanged for the next one.
    Done,
    /// Not yet; it is tried again in a minute.
    Failed,
    /// Nothing but installing again helps. Counted every minute until then.
    Lost,
}

impl Refresh {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

/// Gets ready to count. Before that, and in tests, counting does nothing.
pub fn start() {
    let function = config::optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "unknown".to_owned());
    match Builder::new().cloudwatch_namespace(NAMESPACE).with_dimension("Function", function).init() {
        Ok(collector) => {
            // Twice is once.
            let _ = COLLECTOR.set(collector);
        }
        Err(error) => tracing::warn!(%error, "nothing is counted"),
    }
    for (name, what) in [
        ("Incidents", "messages of the incidents queue, by source"),
        ("Intents", "intents, by what came of them"),
        ("Posts", "posts and channels, by what came of them"),
        ("RateLimited", "calls that Slack answered with 429, by method"),
        ("Retries", "jobs that failed and come again"),
        ("Parked", "jobs that were put on a dead-letter queue"),
        ("Refreshes", "tokens that expire soon, by what came of exchanging them"),
    ] {
        describe_counter!(name, Unit::Count, what);
    }
    describe_histogram!("PostAge", Unit::Milliseconds, "from a post's being due to its being seen in Slack");
    describe_histogram!("OldestDue", Unit::Milliseconds, "since when the oldest post is due that is not in Slack yet");
}

/// Writes what was counted meanwhile, and begins anew.
pub fn flush() {
    VALUES.store(0, Ordering::Relaxed);
    if let Some(collector) = COLLECTOR.get()
        && let Err(error) = collector.flush(io::stdout().lock())
    {
        tracing::warn!(%error, "what was counted could not be written");
    }
}

/// One invocation: what it counts is written at its end.
pub async fn measured<T>(invocation: impl Future<Output = T>) -> T {
    let result = invocation.await;
    flush();
    result
}

/// A message of the incidents queue, by whose it was: a word of [`crate::intake`].
pub fn incident(source: &'static str) {
    counter!("Incidents", "Source" => source).increment(1);
}

/// An intent, by what came of it: a word of [`crate::domain::incident::Outcome`].
pub fn intent(outcome: &'static str) {
    counter!("Intents", "Outcome" => outcome).increment(1);
}

/// A post, or a channel that waits.
pub fn post(outcome: Post) {
    counter!("Posts", "Outcome" => outcome.word()).increment(1);
}

/// Slack answered 429 to a call of this method.
pub fn rate_limited(method: &'static str) {
    counter!("RateLimited", "Method" => method).increment(1);
}

/// A job failed and comes again.
pub fn retried() {
    counter!("Retries").increment(1);
}

/// A job was put on a dead-letter queue.
pub fn parked() {
    counter!("Parked").increment(1);
}

/// A token was to be exchanged.
pub fn refresh(outcome: Refresh) {
    counter!("Refreshes", "Outcome" => outcome.word()).increment(1);
}

/// The oldest post that is not in Slack yet is due for so long; nothing, where none is due.
pub fn oldest_due(waited: SignedDuration) {
    histogram!("OldestDue").record((waited.as_secs_f64() * 1000.0).max(0.0).trunc());
}

/// A post was seen in Slack this many milliseconds after it had become due.
pub fn post_age(milliseconds: i64) {
    #[expect(clippy::cast_precision_loss, reason = "f64 is exact up to 285,000 years of milliseconds")]
    histogram!("PostAge").record(milliseconds.max(0) as f64);
    if VALUES.fetch_add(1, Ordering::Relaxed) + 1 >= VALUES_AT_ONCE {
        flush();
    }
}
