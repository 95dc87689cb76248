//! Findings of Security Hub's standards and of the products that report to it.

use crate::intake::event::Event;
use crate::intake::news::News;

pub(super) fn read(_: &Event) -> Option<Vec<News>> {
    None
}
