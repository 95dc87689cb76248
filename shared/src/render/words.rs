//! What several messages say in the same way: who, how bad, how long.

use jiff::Timestamp;

use crate::domain::escalation::Called;
use crate::domain::ids::UserId;
use crate::domain::incident::{Incident, State};
use crate::domain::intent::Actor;
use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::mrkdwn;
use crate::slack::blocks::{Mrkdwn, one_line};

use super::decision;

/// Between two things on one line.
pub(super) const DOT: &str = "  ·  ";

/// How long a name of a service, a person or a system may be.
pub(super) const NAME: usize = 100;

/// How long a title may be within a line of text.
pub(super) const TITLE: usize = 150;

/// The colour of the severity as a sign; the words beside it say the same to those who do not see it.
pub(super) fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::P1 => "🔴",
        Severity::P2 => "🟠",
        Severity::P3 => "🟡",
        Severity::P4 => "🔵",
    }
}

/// Who: Slack shows a person's name, and their profile on a tap.
pub(super) fn who(actor: &Actor) -> Mrkdwn {
    match actor {
        Actor::User(person) => Mrkdwn::user(&person.id),
        Actor::Source(name) => source(name),
    }
}

/// Who, where no markup is read.
#[cfg(feature = "configuration")]
pub(super) fn name(actor: &Actor) -> &str {
    match actor {
        Actor::User(person) => person.name.as_deref().unwrap_or(person.id.as_str()),
        Actor::Source(name) => name,
    }
}

/// A system's name.
pub(super) fn source(name: &str) -> Mrkdwn {
    Mrkdwn::escape(one_line(name, NAME))
}

/// What a source calls the person who has to look: Slack's id is shown as the name, anything else as it is.
pub(super) fn assignee(name: &str) -> Mrkdwn {
    Mrkdwn::user(&UserId::new(one_line(name, NAME)))
}

/// Somebody who was called: Slack tells them.
pub(super) fn called(called: &Called) -> Mrkdwn {
    match called {
        Called::Person(person) => Mrkdwn::user(person),
        Called::Group(group) => Mrkdwn::call(group).unwrap_or_else(|| Mrkdwn::escape(group)),
        Called::Channel(channel) => Mrkdwn::channel(channel),
        Called::Nobody(rotation) => mrkdwn!("nobody, since nobody is on call for {}", one_line(rotation, NAME)),
    }
}

/// A title within a line of text.
pub(super) fn title(title: &str) -> String {
    one_line(title, TITLE)
}

/// The state in a word.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Expected => "expected",
        State::Triggered => "triggered",
        State::Acknowledged => "acknowledged",
        State::Snoozed => "snoozed",
        State::Resolved => "resolved",
    }
}

/// How far a deployment is, as a sign.
pub(super) fn progress_sign(progress: Progress) -> &'static str {
    match progress {
        Progress::Started => "🚀",
        Progress::Succeeded => "✅",
        Progress::Failed => "❌",
        Progress::RolledBack => "↩️",
    }
}

/// How far a deployment is, in a word.
pub(super) fn progress(progress: Progress) -> &'static str {
    match progress {
        Progress::Started => "started",
        Progress::Succeeded => "succeeded",
        Progress::Failed => "failed",
        Progress::RolledBack => "rolled back",
    }
}

/// A measured number as one reads it: four digits that say something, large ones in groups of three.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e15).contains(&size) {
        return format!("{value:.2e}");
    }
    let whole = [1.0, 10.0, 100.0, 1_000.0].into_iter().filter(|step| size >= *step).count();
    let leading = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5].into_iter().filter(|step| size != 0.0 && size < *step).count();
    let places = if whole == 0 { 4 + leading } else { 4 - whole };
    let digits = format!("{value:.places$}");
    let digits = if places > 0 { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    let (sign, digits) = digits.split_at(usize::from(digits.starts_with('-')));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let grouped = whole.parse().map_or_else(|_| whole.to_owned(), count);
    let part = part.map(|part| format!(".{part}")).unwrap_or_default();
    format!("{sign}{grouped}{part}")
}

/// A length of time in its two largest units, as one says it: `12 min`, `3 h 20 min`, `2 d 4 h`.
pub fn duration(seconds: i64) -> String {
    let two = |large: i64, unit: &str, small: i64, part: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {part}"),
    };
    match seconds.max(0) {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ ..3_600 => format!("{} min", seconds / 60),
        seconds @ ..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        seconds => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A number as one reads it: `5,000`.
pub(super) fn count(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// From the beginning to the end, where it has ended.
pub(super) fn lasted(incident: &Incident) -> Option<String> {
    let (fired, closed) = (incident.fired?, incident.over_at()?);
    Some(duration(seconds_between(fired.first, closed)))
}

/// From one moment to a later one.
pub(super) fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

/// What a button sends: whose incident it is, which, and how bad.
pub(super) fn value(incident: &Incident) -> String {
    format!("{}/{}/{}", incident.workspace, incident.id, incident.severity())
}

/// How it stands and since when, in one line.
pub(super) fn standing(incident: &Incident) -> Mrkdwn {
    let by = |actor: Option<&Actor>| actor.map(|actor| mrkdwn!(" by {}", who(actor))).unwrap_or_default();
    let since = |at: Option<Timestamp>| at.map(|at| mrkdwn!("{}{}", DOT, Mrkdwn::when(at))).unwrap_or_default();
    if let Some(told) = told(incident).or_else(|| decision::standing(incident)) {
        return told;
    }
    match incident.state() {
        State::Expected => mrkdwn!("Not reported by its source yet"),
        State::Triggered => {
            let reopened = incident.reopened.as_ref().filter(|mark| incident.over_at() < Some(mark.at));
            let reopened = reopened.map(|mark| mrkdwn!(", reopened{}{}", by(Some(&mark.by)), since(Some(mark.done_at))));
            mrkdwn!("*Triggered*{}", reopened.unwrap_or_default())
        }
        State::Acknowledged => {
            let mark = incident.acknowledged.as_ref();
            mrkdwn!("*Acknowledged*{}{}", by(mark.map(|mark| &mark.by)), since(mark.map(|mark| mark.at)))
        }
        State::Snoozed => {
            let snooze = incident.snoozed.as_ref();
            let until = snooze.map(|snooze| mrkdwn!(" until {}", Mrkdwn::when(snooze.until))).unwrap_or_default();
            mrkdwn!("*Snoozed*{}{}", until, by(snooze.map(|snooze| &snooze.by)))
        }
        State::Resolved => {
            let resolution = incident.resolution.as_ref();
            let after = lasted(incident).map(|lasted| mrkdwn!(" after {}", lasted)).unwrap_or_default();
            let (by, since) = (by(resolution.map(|end| &end.by)), since(resolution.map(|end| end.at)));
            mrkdwn!("*Resolved*{}{}{}", by, after, since)
        }
    }
}

/// How it stands where nobody made it so: a notice, or a deployment that nobody has taken or ended.
fn told(incident: &Incident) -> Option<Mrkdwn> {
    let fired = incident.fired?;
    let by = incident.source.as_ref().map(|source| mrkdwn!(" by {}", who(source))).unwrap_or_default();
    if incident.is_notice() {
        return Some(mrkdwn!("*Notice*{}{}{}", by, DOT, Mrkdwn::when(fired.last)));
    }
    let status = incident.facts.deployment.status.as_ref()?;
    let word = match status.value {
        Progress::Started => mrkdwn!("*Started*"),
        Progress::Succeeded => mrkdwn!("*Succeeded*"),
        Progress::Failed => mrkdwn!("*Failed*"),
        Progress::RolledBack => mrkdwn!("*Rolled back*"),
    };
    let after = match status.value {
        Progress::Started => Mrkdwn::default(),
        Progress::Succeeded | Progress::Failed | Progress::RolledBack => match seconds_between(fired.first, status.at) {
            ..=0 => Mrkdwn::default(),
            seconds => mrkdwn!(" after {}", duration(seconds)),
        },
    };
    let by_itself = match incident.state() {
        State::Triggered => incident.reopened.is_none(),
        State::Resolved => incident.over_at() == Some(status.at) && status.value.is_over(),
        State::Expected | State::Acknowledged | State::Snoozed => false,
    };
    by_itself.then(|| mrkdwn!("{}{}{}{}", word, after, DOT, Mrkdwn::when(status.at)))
}

#[cfg(test)]
mod tests {
    use super::{count, duration, number};

    #[test]
    fn a_measured_number_says_what_it_needs_to() {
        let said = [
            (0.0, "0"),
            (2.3, "2.3"),
            (1.0, "1"),
            (2.466_666_666_7, "2.467"),
            (99.5, "99.5"),
            (1_234.6, "1,235"),
            (1_234_567.0, "1,234,567"),
            (-42.126, "-42.13"),
            (0.004_56, "0.00456"),
            (0.000_012_34, "0.00001234"),
            (1e-9, "1.00e-9"),
            (1.5e20, "1.50e20"),
        ];
        for (number_of, words) in said {
            assert_eq!(number(number_of), words);
        }
    }

    #[test]
    fn a_large_number_is_read_in_groups() {
        let said = [(0, "0"), (999, "999"), (1_000, "1,000"), (5_000, "5,000"), (1_234_567, "1,234,567")];
        for (number, words) in said {
            assert_eq!(count(number), words);
        }
    }

    #[test]
    fn a_duration_is_said_in_its_two_largest_units() {
        let said = [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (12_000, "3 h 20 min"),
            (86_400, "1 d"),
            (187_300, "2 d 4 h"),
        ];
        for (seconds, words) in said {
            assert_eq!(duration(seconds), words);
        }
    }
}
