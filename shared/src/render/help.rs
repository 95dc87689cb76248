//! The answer to `/incident help`, made from the grammar itself.

use crate::mrkdwn;
use crate::slack::blocks::{Block, Message, Mrkdwn};

/// How each word is used (`ack [ID]`) and what it does. Both are words of this program.
pub fn help<'a>(lines: impl IntoIterator<Item = (&'a str, &'a str)>) -> Message {
    let lines = lines.into_iter().map(|(usage, what)| mrkdwn!("`/incident {}`\n{}", usage, what));
    let blocks = vec![
        Block::section(Mrkdwn::join(lines, "\n")),
        Block::context([mrkdwn!("The first characters of an ID are enough: `7k3` for INC-7K3QPF. A mention understands the same words.")]),
    ];
    Message::new(mrkdwn!("What /incident understands"), blocks, Vec::new())
}
