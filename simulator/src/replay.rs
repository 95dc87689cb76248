//! Makes a recorded event happen now: an alarm of last spring, resolved today, would have lasted for months.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How moments are written, and how long they are then: `2026-03-15T14:05:21`, with a space, and as in mails, `Sun, 15 Mar 2026 14:05:21`.
const FORMS: [(&str, usize); 3] = [("%Y-%m-%dT%H:%M:%S", 19), ("%Y-%m-%d %H:%M:%S", 19), ("%a, %d %b %Y %H:%M:%S", 25)];

/// The text with all its moments moved by the same length, so that the newest of them is `now`; what lies between them stays as it was.
pub(crate) fn happening_now(text: &str, now: Timestamp) -> String {
    let found: Vec<(usize, &str, usize, Timestamp)> = (0..text.len())
        .flat_map(|at| FORMS.map(|(form, length)| (at, form, length)))
        .filter_map(|(at, form, length)| Some((at, form, length, moment(text.get(at..at + length)?, form)?)))
        .collect();
    let Some(newest) = found.iter().map(|(.., moment)| *moment).max() else { return text.to_owned() };
    let moved_by = SignedDuration::from_secs(now.as_second() - newest.as_second());
    let mut moved = text.to_owned();
    for (at, form, length, moment) in found {
        let there = (moment + moved_by).to_zoned(TimeZone::UTC).datetime().strftime(form).to_string();
        moved.replace_range(at..at + length, &there);
    }
    moved
}

fn moment(text: &str, form: &str) -> Option<Timestamp> {
    // Where a mark stands tells most texts apart, which is quicker than trying to read them.
    let bytes = text.as_bytes();
    let marked = match form.as_bytes() {
        [b'%', b'Y', .., between, b'%', _, b':', b'%', _, b':', b'%', _] => bytes.get(4) == Some(&b'-') && bytes.get(10) == Some(between),
        _ => bytes.get(3) == Some(&b','),
    };
    let moment = marked.then(|| DateTime::strptime(form, text).ok())??;
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
        let mail = r#"{"startTime": "Sun, 15 Mar 2026 14:00:00 GMT", "time": "2026-03-15T14:05:00Z"}"#;
        let moved = r#"{"startTime": "Sat, 21 Nov 2026 01:55:00 GMT", "time": "2026-11-21T02:00:00Z"}"#;
        assert_eq!(happening_now(mail, now), moved);
        let spaced = r#"{"eventFirstSeen": "2026-03-15 14:00:00.000000000", "time": "2026-03-15T14:05:00Z"}"#;
        let moved = r#"{"eventFirstSeen": "2026-11-21 01:55:00.000000000", "time": "2026-11-21T02:00:00Z"}"#;
        assert_eq!(happening_now(spaced, now), moved);
        assert_eq!(happening_now("no moment at all", now), "no moment at all");
    }
}
