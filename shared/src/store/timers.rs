//! What falls due with time. A timer is set in the transaction of the intent that needs it, and taken off after its wish is on the queue.

use jiff::Timestamp;

use crate::domain::ids::Workspace;
use crate::domain::timer::Timer;

use super::incidents::Stored;
use super::{Store, StoreError, keys, read, text};

impl Store {
    /// What is due by `now`, the oldest first; at most `limit`.
    pub async fn timers_due(&self, workspace: &Workspace, now: Timestamp, limit: i32) -> Result<Vec<Timer>, StoreError> {
        let query = self
            .db
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk < :now")
            .expression_attribute_values(":pk", text(keys::timers(workspace)))
            // Everything of this very microsecond is due as well.
            .expression_attribute_values(":now", text(format!("{}~", keys::micros(now))))
            .consistent_read(true)
            .limit(limit);
        let answer = query.send().await.map_err(|error| StoreError::call(&error))?;
        let timers = answer.items.unwrap_or_default().into_iter().map(read::<Stored<Timer>>);
        timers.map(|stored| stored.map(|stored| stored.data)).collect()
    }

    /// A timer went off.
    pub async fn timer_done(&self, workspace: &Workspace, timer: &Timer) -> Result<(), StoreError> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(keys::timer(workspace, timer).item()));
        delete.send().await.map(|_| ()).map_err(|error| StoreError::call(&error))
    }
}
