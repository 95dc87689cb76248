//! Server-sent events: a snapshot of everything, then each change as it happens.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{WHOLE, look};
use crate::state::Slack;

/// How many messages of each channel a snapshot holds: more than anybody scrolls through.
const NEWEST: usize = 500;

struct Reader {
    slack: Arc<Slack>,
    changes: Receiver<Arc<str>>,
    needs_snapshot: bool,
}

/// `GET /sim/stream`.
pub(super) async fn stream(Shared(slack): Shared<Arc<Slack>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // Subscribed before the snapshot is taken: a change may come twice, and is never missed.
    let reader = Reader { changes: slack.changes.subscribe(), slack, needs_snapshot: true };
    Sse::new(unfold(reader, |reader| async { next(reader).await })).keep_alive(KeepAlive::default())
}

async fn next(mut reader: Reader) -> Option<(Result<Event, Infallible>, Reader)> {
    if !reader.needs_snapshot {
        match reader.changes.recv().await {
            Ok(change) if &*change == r#"{"kind":"reset"}"# => {}
            Ok(change) => return Some((Ok(Event::default().event("change").data(&*change)), reader)),
            // Too slow: what was missed is in the next snapshot.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
    reader.needs_snapshot = false;
    let snapshot = String::from_utf8(look(&reader.slack, None, &WHOLE, NEWEST)).unwrap_or_default();
    Some((Ok(Event::default().event("snapshot").data(snapshot)), reader))
}
