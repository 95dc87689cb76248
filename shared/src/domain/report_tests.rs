use jiff::SignedDuration;
use jiff::civil::Weekday;

use super::*;
use crate::domain::ids::IncidentId;

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

fn report(zone: &str, schedule: impl Fn(&TimeZone) -> Result<Schedule, String>) -> Report {
    let zone = TimeZone::get(zone).expect("a zone");
    Report { name: "r".into(), channel: Channel::new("#incidents"), schedule: schedule(&zone).expect("a schedule"), zone }
}

/// What is posted over a year, by a clock that looks every minute on the days around a change of the clocks and every hour otherwise, and at times not at all.
fn posted(report: &Report, sleeps: impl Fn(Timestamp) -> bool) -> Vec<Period> {
    let (mut now, end) = (at("2026-01-01T00:00:30Z"), at("2027-01-01T00:00:30Z"));
    let (mut last, mut all) = (now, Vec::new());
    while now < end {
        if let Some(period) = report.missed(last, now).filter(|_| !sleeps(now)) {
            last = period.until;
            all.push(period);
        }
        let there = |days: i64| {
            now.to_zoned(report.zone.clone()).offset()
                != (now + SignedDuration::from_hours(24 * days)).to_zoned(report.zone.clone()).offset()
        };
        now += SignedDuration::from_mins(if there(1) || there(-1) { 1 } else { 60 });
    }
    all
}

#[test]
fn each_report_of_a_year_comes_at_its_time_and_none_twice() {
    for (zone, hour) in [("Europe/Berlin", 9), ("America/New_York", 9)] {
        let daily = report(zone, |zone| Schedule::every("daily 09:00", zone));
        let all = posted(&daily, |_| false);
        assert_eq!(all.len(), 365, "{zone}");
        for (one, next) in all.iter().zip(&all[1..]) {
            assert_eq!(one.until, next.from, "{zone}: nothing is told twice, or by nobody");
        }
        let there = |period: &Period| period.until.to_zoned(daily.zone.clone());
        assert!(all.iter().all(|period| (there(period).hour(), there(period).minute()) == (hour, 0)), "{zone}");
    }
}

#[test]
fn an_hour_that_is_left_out_or_comes_twice_is_one_report() {
    let night = report("Europe/Berlin", |zone| Schedule::every("daily 02:30", zone));
    let all = posted(&night, |_| false);
    assert_eq!(all.len(), 365);
    let on = |day: &str| all.iter().map(|period| period.until.to_string()).filter(|time| time.starts_with(day)).collect::<Vec<_>>();
    // The clocks go from two to three: the moment after the gap. They go back from three to two: the first half past two.
    assert_eq!(on("2026-03-29"), ["2026-03-29T01:00:00Z"]);
    assert_eq!(on("2026-10-25"), ["2026-10-25T00:30:00Z"]);
}

#[test]
fn a_report_every_week_and_one_on_working_days() {
    let weekly = report("Europe/Berlin", |zone| Schedule::every("Weekly Monday 09:00", zone));
    let all = posted(&weekly, |_| false);
    assert_eq!(all.len(), 52);
    assert!(all.iter().all(|period| period.until.to_zoned(weekly.zone.clone()).weekday() == Weekday::Monday));
    let days = posted(&report("Europe/Berlin", |zone| Schedule::cron("0 9 * * 1-5", zone)), |_| false);
    assert_eq!(days.len(), 261);
}

#[test]
fn of_what_was_missed_the_latest_is_posted_once() {
    let daily = report("Europe/Berlin", |zone| Schedule::every("daily 09:00", zone));
    let asleep = |now: Timestamp| at("2026-03-27T00:00:00Z") <= now && now < at("2026-03-30T12:00:00Z");
    let all = posted(&daily, asleep);
    let missed = all.iter().find(|period| period.until == at("2026-03-30T07:00:00Z")).expect("the latest");
    assert_eq!(missed.from, at("2026-03-26T08:00:00Z"), "it tells of all that was missed");
    assert_eq!(all.len(), 365 - 3);
}

#[test]
fn what_is_no_schedule_is_refused() {
    let every = |text| Schedule::every(text, &TimeZone::UTC);
    for text in ["", "daily", "daily 9:00", "daily 24:00", "weekly 09:00", "weekly someday 09:00", "monthly 1 09:00", "daily 09:60"] {
        assert!(every(text).is_err_and(|why| why.contains("weekly monday 09:00")), "{text}");
    }
    for text in ["", "0 9 * *", "0 0 9 * * 1", "60 9 * * *", "0 9 30 2 *", "x x x x x"] {
        assert!(Schedule::cron(text, &TimeZone::UTC).is_err_and(|why| why.contains("0 9 * * 1-5")), "{text}");
    }
}

fn summary(id: &str, severity: Severity, started: &str, service: &str) -> Summary {
    Summary {
        id: IncidentId::new(id),
        severity,
        title: "t".into(),
        state: State::Triggered,
        started: at(started),
        channels: None,
        service: Some(service.into()),
        holder: None,
        acknowledged: None,
        over: None,
        count: 1,
        quiet: false,
        assignee: None,
        url: None,
    }
}

#[test]
fn a_tally_counts_what_began_and_ended_in_the_period() {
    let period = Period { from: at("2026-03-01T09:00:00Z"), until: at("2026-03-02T09:00:00Z") };
    let ended = |summary: Summary, acknowledged: Option<&str>, over: &str| Summary {
        state: State::Resolved,
        acknowledged: acknowledged.map(at),
        over: Some(at(over)),
        ..summary
    };
    let open = [
        summary("INC-1", Severity::P1, "2026-03-02T08:00:00Z", "checkout"),
        summary("INC-2", Severity::P3, "2026-02-01T08:00:00Z", "search"),
        Summary { quiet: true, ..summary("INC-3", Severity::P3, "2026-03-02T08:00:00Z", "a deployment") },
        summary("INC-4", Severity::P3, "2026-03-02T09:30:00Z", "too late for this one"),
    ];
    let over = [
        ended(summary("INC-5", Severity::P2, "2026-03-01T10:00:00Z", "Checkout"), Some("2026-03-01T10:05:00Z"), "2026-03-01T11:00:00Z"),
        ended(summary("INC-6", Severity::P2, "2026-02-28T10:00:00Z", "search"), None, "2026-03-01T12:00:00Z"),
        ended(summary("INC-7", Severity::P2, "2026-02-28T10:00:00Z", "search"), None, "2026-03-01T08:00:00Z"),
        ended(summary("INC-8", Severity::P2, "2026-03-01T10:00:00Z", "search"), None, "2026-03-02T09:10:00Z"),
        // It was opened again.
        ended(summary("INC-1", Severity::P1, "2026-03-02T08:00:00Z", "checkout"), None, "2026-03-02T08:30:00Z"),
    ];
    let tally = Tally::of(period, &open, &over);
    assert_eq!((tally.open, tally.untaken), ([1, 0, 2, 0], 3));
    assert_eq!((tally.new, tally.resolved), (3, 2));
    assert_eq!((tally.until_acknowledged, tally.until_resolved), (Some(300), Some(3_600)));
    assert_eq!(tally.noisiest, [("checkout".to_owned(), 2, 2), ("search".to_owned(), 1, 1)]);
    let nothing = Tally::of(period, &[], &[]);
    assert_eq!((nothing.new, nothing.until_resolved, nothing.noisiest.len()), (0, None, 0));
}
