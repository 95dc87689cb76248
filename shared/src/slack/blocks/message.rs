//! A message, whole.

use serde::Serialize;

use super::block::Block;
use super::mrkdwn::Mrkdwn;
use crate::mrkdwn;

const BLOCKS: usize = 50;
/// Slack says 40,000 and advises 4,000; a notification shows far less.
const NOTIFICATION: usize = 1_000;
/// All text of a message's blocks together. Slack documents no number and answers `msg_blocks_too_long` at about 13,200.
const MESSAGE: usize = 12_500;

/// Blocks behind a coloured bar. Slack folds long ones behind "Show more", so what must be seen stands in the message's own blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    color: &'static str,
    blocks: Vec<Block>,
}

impl Attachment {
    /// `color` as `#rrggbb`.
    pub fn new(color: &'static str, blocks: Vec<Block>) -> Self {
        Self { color, blocks }
    }
}

/// A message, as `chat.postMessage`, `chat.update`, `chat.postEphemeral` and a `response_url` take it. Blocks and attachments are always sent,
/// empty ones too: what an update keeps of those it does not name is documented two ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    text: Mrkdwn,
    blocks: Vec<Block>,
    attachments: Vec<Attachment>,
}

impl Message {
    /// `text` is what notifications and screen readers use. Blank blocks are left out, and so are those at the end for which there is no
    /// room; a line says so.
    pub fn new(text: Mrkdwn, blocks: Vec<Block>, attachments: Vec<Attachment>) -> Self {
        let mut room = Room { blocks: BLOCKS - 1, text: MESSAGE, full: false };
        let mut blocks = room.take(blocks);
        let mut attachments: Vec<Attachment> =
            attachments.into_iter().map(|attachment| Attachment { blocks: room.take(attachment.blocks), ..attachment }).collect();
        attachments.retain(|attachment| !attachment.blocks.is_empty());
        if room.full {
            let rest = Block::context([mrkdwn!("The rest is too long for Slack.")]);
            attachments.last_mut().map_or(&mut blocks, |attachment| &mut attachment.blocks).push(rest);
        }
        Self { text: text.cut(NOTIFICATION), blocks, attachments }
    }

    /// A message of a sentence or two.
    pub fn just(text: Mrkdwn) -> Self {
        Self::new(text.clone(), vec![Block::section(text)], Vec::new())
    }

    /// The same where nothing that is pressed would arrive: without the buttons that act, and with a line that says why.
    #[must_use]
    pub fn without_actions(mut self, why: &'static str) -> Self {
        for blocks in std::iter::once(&mut self.blocks).chain(self.attachments.iter_mut().map(|attachment| &mut attachment.blocks)) {
            blocks.iter_mut().for_each(Block::without_actions);
            blocks.retain(|block| !block.is_blank());
        }
        // `new` has left room for one block.
        self.blocks.push(Block::context([mrkdwn!("{}", why)]));
        self
    }

    /// What a notification says.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }
}

/// What a message still has room for.
struct Room {
    blocks: usize,
    text: usize,
    full: bool,
}

impl Room {
    /// The first of `blocks`, up to the one that does not fit.
    fn take(&mut self, blocks: Vec<Block>) -> Vec<Block> {
        let mut taken = Vec::with_capacity(blocks.len());
        for block in blocks.into_iter().filter(|block| !block.is_blank()) {
            let text = self.text.checked_sub(block.length()).filter(|_| !self.full);
            let (Some(text), Some(count)) = (text, self.blocks.checked_sub(1)) else {
                self.full = true;
                break;
            };
            self.text = text;
            self.blocks = count;
            taken.push(block);
        }
        taken
    }
}
