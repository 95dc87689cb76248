//! Custom notifications for Amazon Q in chat applications (AWS Chatbot).

use crate::intake::event::Event;
use crate::intake::news::News;

pub(super) fn read(_: &Event) -> Option<Vec<News>> {
    None
}
