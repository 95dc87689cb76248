//! What AWS sends to try out or to set up a connection, and what Tocsin itself tells on its event bus: nothing has happened, so nothing shows.

use super::Verdict;
use crate::intake::event::Event;
use crate::intake::fields::text;

/// S3's test message, SNS's two confirmations, and Tocsin's own events.
pub(super) fn is_its_own(event: &Event) -> bool {
    kind(event).is_some()
}

fn kind(event: &Event) -> Option<Control> {
    // As an incident it would be told on the bus again, and so on for ever.
    let source = event.bridge.as_ref().and_then(|bridge| bridge.source.as_deref());
    if source == Some("tocsin") && event.detail_type().starts_with("Incident ") {
        return Some(Control::Ours);
    }
    let object = event.object()?;
    if text(object, "Event") == Some("s3:TestEvent") {
        return Some(Control::S3Test);
    }
    text(object, "TopicArn")?;
    match text(object, "Type") {
        Some("SubscriptionConfirmation") => Some(Control::Subscribe),
        Some("UnsubscribeConfirmation") => Some(Control::Unsubscribe),
        _ => None,
    }
}

enum Control {
    Ours,
    S3Test,
    Subscribe,
    Unsubscribe,
}

/// A subscription that waits to be confirmed goes to the dead-letter queue: until somebody opens its link, none of the topic's messages arrives. The link
/// is kept there with it; in a channel it would be a button that anybody who can write to the queue could place.
pub(super) fn read(event: &Event) -> Verdict {
    match kind(event) {
        Some(Control::Subscribe) => Verdict::Refused(
            "an SNS topic asks to confirm its subscription, and sends nothing until then: if you know its TopicArn, open the SubscribeURL in this message".to_owned(),
        ),
        Some(Control::Unsubscribe) => Verdict::Ignored("an SNS topic says that this queue is not subscribed to it any more".to_owned()),
        Some(Control::Ours) => Verdict::Ignored("Tocsin itself tells this on its event bus, of an incident that has a card".to_owned()),
        Some(Control::S3Test) | None => Verdict::Ignored("S3's test message for a new notification".to_owned()),
    }
}
