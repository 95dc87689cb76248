//! Trying a post that is due.
//!
//! Before the call to Slack a post is marked with who tries and when. A mark without a result means that a poster died in between, or never learnt: whoever comes next looks the
//! message up before posting again. Every change after the mark is conditional on it, so that a poster which was frozen meanwhile changes nothing any more.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Channel, IntentId, Workspace};

use super::keys::{self, Key};
use super::posts::Due;
use super::{Store, StoreError, attribute, number, text};

/// Who tries to post, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The invocation.
    pub owner: String,
    /// Microseconds since 1970.
    pub at: i64,
    /// When the first attempt began that has no result yet: a look-up goes back that far.
    pub first: i64,
}

/// How often a post met with what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Setbacks {
    /// Slack stumbled, or the answer was lost.
    pub failures: u32,
    /// When that was last, in microseconds since 1970.
    pub failed_at: i64,
    /// How often it failed again although others had gone through since it failed last.
    pub passed: u32,
    /// The token was not accepted.
    pub token_failures: u32,
    /// The message that it changes, or stands under, was gone.
    pub gone: u32,
}

/// What stood in the way of a post, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// Slack wants a pause: that is no failure.
    Pause,
    /// Slack stumbled.
    Failure {
        /// At this moment.
        at: Timestamp,
        /// Although others had gone through since it stumbled over this one last.
        passed: bool,
    },
    /// The token was not accepted.
    Token,
    /// What it changes, or stands under, was gone.
    Gone,
}

impl Setback {
    fn counter(self) -> Option<&'static str> {
        match self {
            Self::Pause => None,
            Self::Failure { .. } => Some("failures"),
            Self::Token => Some("token_failures"),
            Self::Gone => Some("gone"),
        }
    }
}

/// What is counted about a post, and begins anew once it was put aside.
const COUNTERS: &str = "attempts, failures, failed_at, passed, token_failures, gone";

/// Marks one more attempt.
const MARK: &str = "SET attempt = :attempt, attempts = if_not_exists(attempts, :none) + :one";

impl Store {
    /// Marks an attempt; `false` when somebody else has it, or it is done.
    pub async fn attempt(&self, due: &Due, attempt: &Attempt) -> Result<bool, StoreError> {
        let mut update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .expression_attribute_values(":attempt", attribute(attempt)?)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1));
        update = match &due.attempt {
            // Nothing has to be looked up first, so this is the attempt that whoever put it back allowed.
            None => update
                .update_expression(format!("{MARK} REMOVE put_back"))
                .condition_expression("attribute_exists(pk) AND attribute_not_exists(attempt)"),
            Some(seen) => update
                .update_expression(MARK)
                .condition_expression("attempt = :seen")
                .expression_attribute_values(":seen", attribute(seen)?),
        };
        held(update.send().await)
    }

    /// Begins an attempt's time anew, after a look-up that took some of it; `false` when it is not ours any more. Whoever put the post back allowed just this attempt.
    pub async fn renew(&self, due: &Due, owner: &str, at: i64) -> Result<bool, StoreError> {
        let update = self
            .own(due, owner, "SET attempt.#at = :at REMOVE put_back")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", number(at));
        held(update.send().await)
    }

    /// Takes the mark off: Slack was not asked, or said that it did nothing.
    pub async fn release(&self, due: &Due, owner: &str, setback: Setback) -> Result<(), StoreError> {
        self.count(due, owner, setback, "attempt, attempts").await
    }

    /// Whether Slack did it is not known, but whoever tried lived to say so: the mark stays for a look-up, and it counts as no death. `untouched`: it is known that this
    /// attempt did nothing, so what somebody allowed by putting the post back is still allowed.
    pub async fn unresolved(&self, due: &Due, owner: &str, setback: Setback, untouched: bool) -> Result<(), StoreError> {
        if untouched && due.put_back {
            let update = self.own(due, owner, "SET put_back = :yes").expression_attribute_values(":yes", attribute(&true)?);
            held(update.send().await)?;
        }
        self.count(due, owner, setback, "attempts").await
    }

    async fn count(&self, due: &Due, owner: &str, setback: Setback, over: &str) -> Result<(), StoreError> {
        let Some(counter) = setback.counter() else {
            return held(self.own(due, owner, &format!("REMOVE {over}")).send().await).map(|_| ());
        };
        let count = format!("SET {counter} = if_not_exists({counter}, :none) + :one");
        let update = match setback {
            Setback::Failure { at, passed } => self
                .own(due, owner, &format!("{count}, failed_at = :at, passed = if_not_exists(passed, :none) + :passed REMOVE {over}"))
                .expression_attribute_values(":passed", number(i32::from(passed)))
                .expression_attribute_values(":at", number(at.as_microsecond())),
            Setback::Pause | Setback::Token | Setback::Gone => self.own(due, owner, &format!("{count} REMOVE {over}")),
        };
        let update = update.expression_attribute_values(":none", number(0)).expression_attribute_values(":one", number(1));
        held(update.send().await).map(|_| ())
    }

    /// Nobody is to try this post again until somebody puts its `letter` back. The mark of an attempt without a result stays, so that it is looked up then too;
    /// where Slack `answered`, it goes, and the post is only refused as it is: a newer want is tried.
    pub async fn park(&self, due: &Due, owner: &str, letter: &IntentId, reason: &str, answered: bool) -> Result<(), StoreError> {
        let change = if answered {
            format!("SET refused = :reason, letter = :letter REMOVE attempt, {COUNTERS}")
        } else {
            format!("SET parked = :reason, letter = :letter REMOVE {COUNTERS}")
        };
        let update = self
            .own(due, owner, &change)
            .expression_attribute_values(":reason", text(reason))
            .expression_attribute_values(":letter", text(letter.as_str()));
        held(update.send().await).map(|_| ())
    }

    /// A change to a post that is ours; it fails its condition once somebody else has it, or it is done.
    fn own(&self, due: &Due, owner: &str, change: &str) -> UpdateItemFluentBuilder {
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(due.key().item()))
            .update_expression(change)
            .condition_expression("attempt.#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner))
    }

    /// A parked post may be tried again, from the beginning, because its `letter` was put back. The message that says so comes again with every wait of the channel,
    /// by when the post may have been parked anew, with another letter: that one stays.
    pub async fn unpark(&self, workspace: &Workspace, channel: &Channel, place: &str, letter: &IntentId) -> Result<(), StoreError> {
        let key = Key { pk: keys::channel_partition(workspace, channel), sk: place.to_owned() };
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .update_expression(format!("SET put_back = :yes REMOVE parked, refused, letter, {COUNTERS}"))
            // An earlier version of this program named no letter.
            .condition_expression(
                "(attribute_not_exists(letter) OR letter = :letter) AND (attribute_exists(parked) OR attribute_exists(refused))",
            )
            .expression_attribute_values(":letter", text(letter.as_str()))
            .expression_attribute_values(":yes", attribute(&true)?);
        held(update.send().await).map(|_| ())
    }
}

/// Whether a change's condition held: `false` when somebody else has the post by now, or it is done, and there is nothing of ours to change.
pub(super) fn held<T, R: std::fmt::Debug + 'static>(answer: Result<T, SdkError<UpdateItemError, R>>) -> Result<bool, StoreError> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) => Ok(false),
        Err(error) => Err(StoreError::call(&error)),
    }
}
