//! What is posted by the calendar: how things stand, and what happened since the last time. Due at the same hour of a zone's clock, summer and winter.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ids::Channel;
use super::incident::{State, Summary};
use super::severity::Severity;

/// How many services a report names.
const NOISIEST: usize = 5;

/// A report that a workspace wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it is called. What was posted last is remembered under this name.
    pub name: String,
    /// Where it is posted.
    pub channel: Channel,
    /// Where its clock hangs.
    pub zone: TimeZone,
    /// When it is due.
    pub schedule: Schedule,
}

/// Five fields of cron: minute, hour, day of the month, month, day of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(String);

impl Schedule {
    /// The fields.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a report tells about: from one due time, not included, to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// When the one before was due.
    pub from: Timestamp,
    /// When this one is.
    pub until: Timestamp,
}

#[cfg(feature = "configuration")]
mod calendar {
    use croner::Cron;
    use croner::parser::{CronParser, Seconds, Year};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::{Period, Report, Schedule};

    const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

    fn parse(fields: &str) -> Result<Cron, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        parser.parse(fields).map_err(|error| error.to_string())
    }

    impl Schedule {
        /// Reads five fields of cron. One that never comes is refused.
        pub fn cron(fields: &str, zone: &TimeZone) -> Result<Self, String> {
            let wanted =
                "it has to be five fields of cron, minute, hour, day of the month, month and day of the week, such as `0 9 * * 1-5`";
            let cron = parse(fields).map_err(|why| format!("`{fields}` is no schedule ({why}); {wanted}"))?;
            let sometime = Timestamp::UNIX_EPOCH.to_zoned(zone.clone());
            cron.find_next_occurrence(&sometime, false).map_err(|_| format!("`{fields}` never comes; {wanted}"))?;
            Ok(Self(fields.split_whitespace().collect::<Vec<_>>().join(" ")))
        }

        /// Reads `daily 09:00` and `weekly monday 09:00`.
        pub fn every(text: &str, zone: &TimeZone) -> Result<Self, String> {
            let wrong =
                || format!("`{text}` is no schedule; it has to be `daily 09:00` or `weekly monday 09:00`; for others there is `cron`");
            let words: Vec<String> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (day, clock) = match words.as_slice() {
                ["daily", clock] => ("*".to_owned(), *clock),
                ["weekly", day, clock] => {
                    let number = DAYS.iter().position(|known| known == day).ok_or_else(wrong)?;
                    (number.to_string(), *clock)
                }
                _ => return Err(wrong()),
            };
            let (hour, minute) = clock.split_once(':').ok_or_else(wrong)?;
            let number = |text: &str, most: u8| text.parse().ok().filter(|number: &u8| *number <= most && text.len() == 2);
            let (hour, minute) = number(hour, 23).zip(number(minute, 59)).ok_or_else(wrong)?;
            Self::cron(&format!("{minute} {hour} * * {day}"), zone)
        }
    }

    impl Report {
        /// When it was due last by this moment. An hour that the clocks leave out is the moment after it; one that comes twice is the first.
        pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
            let now = now.to_zoned(self.zone.clone());
            parse(self.schedule.as_str()).ok()?.find_previous_occurrence(&now, true).ok().map(|due| due.timestamp())
        }

        /// What is to be posted now, if `last` is what was due when something was posted last: the latest that was missed, once, with everything since.
        pub fn missed(&self, last: Timestamp, now: Timestamp) -> Option<Period> {
            self.due(now).filter(|due| *due > last).map(|until| Period { from: last, until })
        }
    }
}

/// What a report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// About when.
    pub period: Period,
    /// What is open now, by severity, the worst first.
    pub open: [usize; 4],
    /// Of these, what nobody has.
    pub untaken: usize,
    /// What began in the period.
    pub new: usize,
    /// What ended in it.
    pub resolved: usize,
    /// The median of how long it took until somebody had it, in seconds, of what began or ended in the period.
    pub until_acknowledged: Option<i64>,
    /// The median of how long it took until it was over, in seconds, of what ended in the period.
    pub until_resolved: Option<i64>,
    /// The services in which most began: how many, and how often that was reported.
    pub noisiest: Vec<(String, usize, u64)>,
}

impl Tally {
    /// Counts, of what is open now and of what has ended since the period began. What nobody had to look at is left out.
    pub fn of(period: Period, open: &[Summary], ended: &[Summary]) -> Self {
        let within = |at: Timestamp| period.from < at && at <= period.until;
        let open: Vec<&Summary> = open.iter().filter(|summary| !summary.quiet).collect();
        // What was opened again is open, whatever was written down when it ended before.
        let again = |summary: &&Summary| open.iter().all(|other| other.id != summary.id);
        let ended: Vec<&Summary> = ended.iter().filter(|summary| !summary.quiet).filter(again).collect();
        let begun: Vec<&Summary> = open.iter().chain(&ended).copied().filter(|summary| within(summary.started)).collect();
        let over: Vec<&Summary> = ended.iter().copied().filter(|summary| summary.over.is_some_and(within)).collect();
        let took = |summary: &Summary, until: Option<Timestamp>| until.map(|until| until.duration_since(summary.started).as_secs().max(0));
        let later = over.iter().copied().filter(|summary| !within(summary.started));
        Self {
            period,
            open: Severity::ALL.map(|severity| open.iter().filter(|summary| summary.severity == severity).count()),
            untaken: open.iter().filter(|summary| summary.state == State::Triggered).count(),
            new: begun.len(),
            resolved: over.len(),
            until_acknowledged: median(
                begun.iter().copied().chain(later).filter_map(|summary| took(summary, summary.acknowledged)).collect(),
            ),
            until_resolved: median(over.iter().filter_map(|summary| took(summary, summary.over)).collect()),
            noisiest: noisiest(&begun),
        }
    }
}

/// The one in the middle; of two in the middle, the smaller.
fn median(mut all: Vec<i64>) -> Option<i64> {
    all.sort_unstable();
    all.get(all.len().checked_sub(1)? / 2).copied()
}

fn noisiest(begun: &[&Summary]) -> Vec<(String, usize, u64)> {
    let mut services: Vec<(String, usize, u64)> = Vec::new();
    for summary in begun {
        let Some(name) = &summary.service else { continue };
        let times = u64::from(summary.count.max(1));
        match services.iter_mut().find(|(known, ..)| known.eq_ignore_ascii_case(name)) {
            Some((_, incidents, all)) => (*incidents, *all) = (*incidents + 1, *all + times),
            None => services.push((name.clone(), 1, times)),
        }
    }
    services.sort_by(|one, other| (other.1, other.2, &one.0).cmp(&(one.1, one.2, &other.0)));
    services.truncate(NOISIEST);
    services
}

#[cfg(test)]
#[cfg(feature = "configuration")]
#[path = "report_tests.rs"]
mod tests;
