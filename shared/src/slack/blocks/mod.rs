//! What is sent to Slack, as types that cannot break Slack's limits and cannot notify anybody by accident.
//!
//! Everything is made by constructors, and they cut to Slack's limits, here and nowhere else: one character too many, and Slack refuses the whole
//! message, which at night would be a card that nobody sees. The numbers are those of Slack's reference; where they are
//! undocumented, a comment says so.

mod block;
mod control;
mod message;
mod mrkdwn;
#[cfg(test)]
mod tests;
mod view;

pub use self::block::Block;
pub use self::control::{Button, Choice, Element, Field, Href, Style};
pub use self::message::{Attachment, Message};
pub use self::mrkdwn::{AnyText, Mrkdwn, Part, Plain, cut, holes, one_line};
pub use self::view::{HomeView, View};
pub use crate::mrkdwn;
