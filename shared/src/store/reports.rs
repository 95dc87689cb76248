//! What is posted by the calendar: what was due last of each report, and what a report is counted from.
//!
//! What is open stands in the index. What has ended does too, for good, so there it would have to be read whole; therefore it is written down once more by the day on which it ended,
//! in the transaction that ends it, and a report reads the days since the one before.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::domain::ids::Workspace;
use crate::domain::incident::{Incident, State, Summary};
use crate::domain::report::{Period, Report, Tally};

use super::commit::REPORT_RANK;
use super::keys::{self, Key};
use super::posts::{Kind, Wanted};
use super::{Store, StoreError, number, text, write};

/// How long it is kept what ended on a day: longer than the longest time between two reports.
const ENDED_DAYS: i64 = 400;

/// More open incidents than this are counted as this many.
const OPEN_MOST: usize = 100_000;

/// What was due of a report when it was posted last, and the calendar by which that was: with another one it begins anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    schedule: String,
    /// Microseconds since 1970.
    posted_until: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    summary: Summary,
    #[serde(default)]
    expires_at: i64,
}

impl Store {
    /// When a report was due that was posted last. One that is new, or due at other times than before, begins now: what was due before is nobody's.
    pub async fn last_report(&self, workspace: &Workspace, report: &Report, now: Timestamp) -> Result<Timestamp, StoreError> {
        let key = keys::report(workspace, &report.name);
        let schedule = calendar(report);
        let known: Option<Last> = self.get(&key).await?;
        if let Some(known) = known.filter(|known| known.schedule == schedule) {
            return Ok(Timestamp::from_microsecond(known.posted_until).unwrap_or(now));
        }
        self.put(&key, &Last { schedule, posted_until: now.as_microsecond() }).await?;
        Ok(now)
    }

    /// Makes a report due in its channel. `false` where somebody else has done so, or the report is another by now.
    pub async fn want_report(&self, workspace: &Workspace, report: &Report, period: Period, now: Timestamp) -> Result<bool, StoreError> {
        let form = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Form(error.to_string());
        let begun = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::report(workspace, &report.name).item()))
            .update_expression("SET posted_until = :until")
            .condition_expression("posted_until = :from AND schedule = :schedule")
            .expression_attribute_values(":until", number(period.until.as_microsecond()))
            .expression_attribute_values(":from", number(period.from.as_microsecond()))
            .expression_attribute_values(":schedule", text(calendar(report)))
            .build()
            .map_err(form)?;
        let wanted = Wanted::once(REPORT_RANK, now);
        let due = write(&keys::due_report(workspace, &report.channel, period, &report.name), &wanted)?;
        let due = Put::builder().table_name(&self.table).set_item(Some(due)).build().map_err(form)?;
        let writes = vec![TransactWriteItem::builder().update(begun).build(), TransactWriteItem::builder().put(due).build()];
        self.transact_posts(writes).await
    }

    /// What a report says about a period: what is open as it stands now, what ended by when it ended.
    pub(super) async fn tally(&self, workspace: &Workspace, period: Period, now: Timestamp) -> Result<Tally, StoreError> {
        let open = self.open(workspace, OPEN_MOST).await?;
        let mut ended: Vec<Summary> = Vec::new();
        let mut day = day(period.from);
        while day <= self::day(now) {
            let of_day: Vec<Ended> = self.query(&keys::ended(workspace, day), None, usize::MAX).await?;
            for Ended { summary, .. } in of_day {
                // What ended twice is told by its last end.
                match ended.iter_mut().find(|other| other.id == summary.id) {
                    Some(other) if other.over < summary.over => *other = summary,
                    Some(_) => {}
                    None => ended.push(summary),
                }
            }
            let Ok(next) = day.checked_add(1.day()) else { break };
            day = next;
        }
        Ok(Tally::of(period, &open, &ended))
    }

    /// Writes down that an incident has ended, for the reports.
    pub(super) fn put_ended(&self, incident: &Incident, now: Timestamp) -> Result<Option<TransactWriteItem>, StoreError> {
        let summary = incident.summary().filter(|summary| summary.state == State::Resolved && !summary.quiet);
        let Some((summary, over)) = summary.and_then(|summary| summary.over.map(|over| (summary, over))) else { return Ok(None) };
        let day = keys::ended(&incident.workspace, day(over));
        let key = Key { pk: day, sk: incident.id.to_string() };
        let item = write(&key, &Ended { summary, expires_at: keys::expiry(now, ENDED_DAYS) })?;
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build();
        let put = put.map_err(|error| StoreError::Form(error.to_string()))?;
        Ok(Some(TransactWriteItem::builder().put(put).build()))
    }
}

/// By which a report is due.
fn calendar(report: &Report) -> String {
    format!("{} {}", report.schedule.as_str(), report.zone.iana_name().unwrap_or("UTC"))
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// What the place of a due report says.
pub(super) fn kind_of(rest: &str) -> Option<Kind> {
    let mut parts = rest.splitn(3, '#');
    let moment = |text: &str| Timestamp::from_microsecond(text.parse().ok()?).ok();
    let (until, from, name) = (moment(parts.next()?)?, moment(parts.next()?)?, parts.next()?);
    Some(Kind::Report(name.to_owned(), Period { from, until }))
}
