//! What is told once in a channel, as a post that is due like any other: the bot's hello, and that an incident began with somebody's message.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, IncidentId, MessageTs, NoticeId, Workspace};

use super::commit::REPLY_RANK;
use super::keys::{self, Key};
use super::posts::Wanted;
use super::{Store, StoreError, write};

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The bot says hello.
    Hello,
    /// An incident began with a message, and this is said in its thread.
    Began {
        /// The message in whose thread.
        thread: MessageTs,
        /// Which incident.
        incident: IncidentId,
        /// The address of its card, where that was there already.
        link: Option<String>,
    },
}

impl Notice {
    /// The message under which it is told.
    pub(super) fn thread(&self) -> Option<&MessageTs> {
        match self {
            Self::Hello => None,
            Self::Began { thread, .. } => Some(thread),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) notice: Notice,
}

impl Store {
    /// Has something told in a channel, unless it was told there before under this name.
    pub async fn tell_once(
        &self,
        workspace: &Workspace,
        channel: &Channel,
        name: &NoticeId,
        notice: Notice,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let due = Wanted::once(REPLY_RANK, now);
        let writes = vec![
            self.put_new(&keys::notice(workspace, channel, name), &Kept { notice })?,
            self.put_new(&keys::due_notice(workspace, channel, name), &due)?,
        ];
        // What was there already is told, or due.
        self.transact_posts(writes).await.map(|_| ())
    }

    fn put_new(&self, key: &Key, value: &impl Serialize) -> Result<TransactWriteItem, StoreError> {
        let put =
            Put::builder().table_name(&self.table).set_item(Some(write(key, value)?)).condition_expression("attribute_not_exists(pk)");
        let put = put.build().map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
