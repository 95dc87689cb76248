//! Rotations that failed.

use crate::intake::event::Event;
use crate::intake::news::News;

pub(super) fn read(_: &Event) -> Option<Vec<News>> {
    None
}
