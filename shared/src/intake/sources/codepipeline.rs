//! Pipelines: one card for each while it runs; and what waits for an approval.

use crate::intake::event::Event;
use crate::intake::news::News;

pub(super) fn read(_: &Event) -> Option<Vec<News>> {
    None
}
