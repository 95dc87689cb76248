//! What stands under a link to an incident's page.

use crate::domain::incident::Summary;
use crate::slack::blocks::{Attachment, Block};

use super::answer;

/// How it stands, in two lines.
pub fn link(summary: &Summary) -> Attachment {
    Attachment::new(super::card::color_of(summary.severity), vec![Block::section(answer::line(summary))])
}
