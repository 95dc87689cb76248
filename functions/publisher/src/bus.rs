//! The stack's event bus: whoever has a rule on it hears everything.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use shared::domain::timeline::Told;
use shared::public::Event;
use shared::public::event::MOST;
use shared::queue::Failure;

/// What rules know Tocsin by.
const SOURCE: &str = "tocsin";

/// The bus.
#[derive(Debug)]
pub(crate) struct Bus {
    events: Client,
    name: String,
}

impl Bus {
    pub(crate) fn new(events: Client, name: String) -> Self {
        Self { events, name }
    }

    /// Tells that this entry was written.
    pub(crate) async fn put(&self, told: Told<'_>) -> Result<(), Failure> {
        let detail = serde_json::to_string(&Event::of(told)).map_err(|error| Failure::Never(error.to_string()))?;
        if detail.len() > MOST {
            return Err(Failure::Never(format!("the event has {} bytes, and EventBridge takes {MOST}", detail.len())));
        }
        let event = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(told.heading().detail_type())
            .time(DateTime::from_secs(told.entry.at.as_second()))
            .set_resources(Some(Vec::new()))
            .detail(detail)
            .build();
        let answer = self.events.put_events().entries(event).send().await;
        let answer = answer.map_err(|error| Failure::Later(format!("EventBridge: {}", shared::causes(&error))))?;
        // A request that was taken may hold an event that was not.
        if answer.failed_entry_count == 0 {
            return Ok(());
        }
        let failed = answer.entries.unwrap_or_default().into_iter().find(|entry| entry.error_code.is_some());
        let word = |text: Option<String>| text.unwrap_or_else(|| "no word".to_owned());
        let (code, message) = failed.map(|entry| (word(entry.error_code), word(entry.error_message))).unwrap_or_default();
        Err(Failure::Later(format!("EventBridge did not take the event: {code}: {message}")))
    }
}
