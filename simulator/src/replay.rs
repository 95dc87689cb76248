//! Makes a recorded event happen now: an alarm of last spring, resolved today, would have lasted for months.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How long a moment is written: `2026-03-15T14:05:21`.
const LENGTH: usize = 19;

/// The text with all its moments moved by the same length, so that the newest of them is `now`; what lies between them stays as it was.
pub(crate) fn happening_now(text: &str, now: Timestamp) -> String {
    let found: Vec<(usize, Timestamp)> = (0..text.len()).filter_map(|at| Some((at, moment(text.get(at..at + LENGTH)?)?))).collect();
    let Some(newest) = found.iter().map(|(_, moment)| *moment).max() else { return text.to_owned() };
    let moved_by = SignedDuration::from_secs(now.as_second() - newest.as_second());
    let mut moved = text.to_owned();
    for (at, moment) in found {
        let there = (moment + moved_by).to_zoned(TimeZone::UTC).datetime().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        moved.replace_range(at..at + LENGTH, &there);
    }
    moved
}

fn moment(text: &str) -> Option<Timestamp> {
    let separated = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(10) == Some(&b'T');
    let moment: DateTime = separated.then(|| text.parse().ok())??;
    moment.to_zoned(TimeZone::UTC).ok().map(|moment| moment.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_moment_is_now_and_the_others_keep_their_distance() {
        let text = r#"{"from": "2026-03-15T14:00:21.404+0000", "to": "2026-03-15T14:05:21.470Z", "é": "12 of 2026-03-15"}"#;
        let now = "2026-11-21T02:00:00Z".parse().expect("a moment");
        let moved = r#"{"from": "2026-11-21T01:55:00.404+0000", "to": "2026-11-21T02:00:00.470Z", "é": "12 of 2026-03-15"}"#;
        assert_eq!(happening_now(text, now), moved);
        assert_eq!(happening_now("no moment at all", now), "no moment at all");
    }
}
