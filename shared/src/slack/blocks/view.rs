//! What is opened for one person: a modal, and Home.

use serde::Serialize;

use super::block::Block;
use super::mrkdwn::{Text, plain};

const MODAL_WORD: usize = 24;
const MODAL_BLOCKS: usize = 100;

/// A modal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    r#type: &'static str,
    callback_id: &'static str,
    title: Text,
    submit: Text,
    close: Text,
    private_metadata: String,
    blocks: Vec<Block>,
}

impl View {
    /// `private_metadata` comes back with the submission. It holds a few ids, so that Slack's limit of 3,000 is far.
    pub fn modal(callback_id: &'static str, title: &str, submit: &'static str, private_metadata: String, mut blocks: Vec<Block>) -> Self {
        blocks.retain(|block| !block.is_blank());
        blocks.truncate(MODAL_BLOCKS);
        let word = |text: &str| plain(text, MODAL_WORD);
        Self { r#type: "modal", callback_id, title: word(title), submit: word(submit), close: word("Cancel"), private_metadata, blocks }
    }
}

/// What somebody sees at Home, and nobody else. <https://docs.slack.dev/surfaces/app-home>
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HomeView {
    r#type: &'static str,
    callback_id: &'static str,
    blocks: Vec<Block>,
}

impl HomeView {
    /// Blank blocks are left out, and those at the end for which there is no room.
    pub fn new(mut blocks: Vec<Block>) -> Self {
        blocks.retain(|block| !block.is_blank());
        blocks.truncate(MODAL_BLOCKS);
        Self { r#type: "home", callback_id: "home", blocks }
    }
}
