//! One message of the incidents queue at a time: read it, send on what it wants, park what cannot be read. What a message means is decided in
//! [`shared::intake`].

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use shared::aws::{self, Patience};
use shared::config::{self, ConfigError};
use shared::domain::intent::{Actor, Intent, Job};
use shared::intake::{Message, Read, Reading, read};
use shared::metrics;
use shared::queue::{DeadLetters, Delivery, Failure, Inbox, Sender};
use shared::watch::Watch;

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    incidents: Inbox,
    intents: Sender,
    watch: Watch,
}

impl App {
    /// Reads the environment and gets ready.
    pub fn start() -> Result<Self, ConfigError> {
        let sqs = aws_sdk_sqs::Client::new(&aws::sdk_config(Patience::BACKGROUND)?);
        let queue = |name| config::required(name);
        let watch = Watch::new(config::required(Watch::VARIABLE)?)?;
        Ok(Self::new(sqs, queue("INCIDENTS_QUEUE_URL")?, queue("DEAD_LETTERS_QUEUE_URL")?, queue("INTENTS_QUEUE_URL")?, watch))
    }

    /// With the incidents queue, its dead letters and the intents queue, all by URL.
    pub fn new(sqs: aws_sdk_sqs::Client, incidents: String, dead_letters: String, intents: String, watch: Watch) -> Self {
        let dead_letters = DeadLetters::new(sqs.clone(), dead_letters);
        Self { incidents: Inbox::new(sqs.clone(), incidents, dead_letters), intents: Sender::new(sqs, intents), watch }
    }

    /// One batch of the incidents queue. `deadline`, in milliseconds since 1970, is when Lambda ends it.
    pub async fn handle(&self, event: SqsEvent, deadline: u64) -> SqsBatchResponse {
        self.incidents.work_through(event, deadline, |delivery| self.work(delivery, Timestamp::now())).await
    }

    /// One message. Failing with [`Failure::Never`] parks it.
    async fn work(&self, delivery: Delivery, now: Timestamp) -> Result<(), Failure> {
        // A message without a time of sending is not from SQS, but nothing that carries an incident is turned away for that.
        let sent_at = Timestamp::from_millisecond(delivery.sent_at_ms).ok().filter(|at| *at > Timestamp::UNIX_EPOCH).unwrap_or(now);
        let Delivery { body, first_id, attributes, .. } = &delivery;
        let message = Message { body, message_id: first_id, attributes, sent_at, now, watch: Some(&self.watch) };
        let Read { reading, sources } = read(&message);
        let outcome = self.follow(&delivery, reading).await;
        // What could not be sent on comes again, and is counted then.
        if !matches!(outcome, Err(Failure::Later(_))) {
            sources.into_iter().for_each(metrics::incident);
        }
        outcome
    }

    async fn follow(&self, delivery: &Delivery, reading: Reading) -> Result<(), Failure> {
        match reading {
            Reading::Intents(intents) => self.send(delivery, intents).await,
            Reading::Ignored(why) => {
                tracing::info!(message_id = delivery.message_id, outcome = "ignored", why, "incident message");
                Ok(())
            }
            Reading::Refused(reason) => Err(Failure::Never(reason)),
            Reading::Partly { intents, reason } => {
                self.send(delivery, intents).await?;
                Err(Failure::Never(format!("only some of its events can be read: {reason}")))
            }
        }
    }

    /// Sends in order, because intents of one message may concern one incident. What fails in between is sent again as a whole with the message's next
    /// delivery; the ids say what was there before.
    async fn send(&self, delivery: &Delivery, intents: Vec<Intent>) -> Result<(), Failure> {
        let jobs: Vec<Job> = intents.into_iter().map(|intent| Job::Intent(Box::new(intent))).collect();
        for (job, sent) in jobs.iter().zip(self.intents.send_all(&jobs).await) {
            sent?;
            let Job::Intent(intent) = job else { continue };
            let source = match &intent.by {
                Actor::Source(name) => name.as_str(),
                Actor::User(person) => person.id.as_str(),
            };
            tracing::info!(
                message_id = delivery.message_id,
                intent = intent.id.as_str(),
                action = intent.action.name(),
                source,
                outcome = "queued",
                "incident message"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
