//! Tells systems outside what happened to incidents: [`bus`] puts it onto the stack's event bus, and each subscriber of the workspace's configuration gets a call of its own,
//! which `caller` makes.
//!
//! A job only says that an entry was written; entry, incident and subscribers are read when it is told. It is told at least once, under one id: a job that did not come to its end
//! comes again.

mod bus;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use shared::aws::{self, Patience};
use shared::config::{self, ConfigError};
use shared::domain::call::Call;
use shared::domain::timeline::Told;
use shared::queue::{self, DeadLetters, Delivery, Failure, Inbox, Sender, Written};
use shared::store::Store;

use bus::Bus;

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    store: Store,
    timeline: Inbox,
    calls: Sender,
    bus: Bus,
}

impl App {
    /// Reads the environment and gets ready.
    pub fn start() -> Result<Self, ConfigError> {
        let aws = aws::sdk_config(Patience::BACKGROUND)?;
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let dead_letters = DeadLetters::new(sqs.clone(), config::required("DEAD_LETTERS_QUEUE_URL")?);
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&aws), config::required("TABLE_NAME")?),
            timeline: Inbox::new(sqs.clone(), config::required("TIMELINE_QUEUE_URL")?, dead_letters),
            calls: Sender::new(sqs, config::required("CALLS_QUEUE_URL")?),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), config::required("EVENT_BUS_NAME")?),
        })
    }

    /// One batch of `timeline.fifo`. `deadline`, in milliseconds since 1970, is when Lambda ends it.
    pub async fn handle(&self, event: SqsEvent, deadline: u64) -> SqsBatchResponse {
        self.timeline.work_through(event, deadline, |delivery| self.work(delivery)).await
    }

    async fn work(&self, delivery: Delivery) -> Result<(), Failure> {
        let written: Written = queue::open(&delivery.body)?;
        let Written { workspace, incident, at, entry, unseen } = &written;
        let found = self.store.written(workspace, incident, *at, entry).await.map_err(|error| Failure::later(&error))?;
        let Some((incident, entry)) = found else { return Err(Failure::Never(format!("{incident} has no entry {entry}"))) };
        let told = Told { incident: &incident, entry: &entry, unseen: *unseen };
        // First, so that what has to wait for a configuration that can be read is not put on the bus at each try.
        let calls = self.calls(told).await?;
        self.bus.put(told).await?;
        for call in &calls {
            self.calls.send(call).await?;
        }
        tracing::info!(
            workspace = workspace.as_str(),
            incident = incident.id.as_str(),
            intent = entry.intent.as_str(),
            event = told.heading().word(),
            subscribers = calls.len(),
            outcome = "published",
            "timeline"
        );
        Ok(())
    }

    /// A call for each subscriber that wants to hear of it. One endpoint is told once, whatever sections name it.
    async fn calls(&self, told: Told<'_>) -> Result<Vec<Call>, Failure> {
        let readable = self.store.readable(&told.incident.workspace).await.map_err(|error| Failure::later(&error))?;
        let configuration = readable.map_err(Failure::Later)?;
        let wanting = configuration.subscribers.iter().filter(|subscriber| subscriber.wants(told));
        let mut calls: Vec<_> = wanting.map(|subscriber| subscriber.call(told)).collect();
        calls.sort_by(|one, other| one.to.cmp(&other.to));
        calls.dedup_by(|one, other| one.to == other.to);
        Ok(calls)
    }
}
