use super::{REASON_MAX, ReasonContext, metadata, text, title};
use crate::slack::blocks::{Block, View};

/// The form behind a button that needs a reason.
pub fn reason(context: &ReasonContext) -> View {
    let reason = text("reason", true, REASON_MAX, "The error rate of 1.42 is too high");
    let blocks = vec![Block::input("reason", "Why?", reason, false, Some("Everybody sees it on the card."))];
    View::modal("reason_incident", &title("Decide", &context.about), "Decide", metadata(context), blocks)
}
