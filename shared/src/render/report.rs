//! A report: how things stand now, and what happened since the last one. Read over coffee, so the numbers come first and take a line each.

use crate::domain::report::Tally;
use crate::domain::severity::Severity;
use crate::mrkdwn;
use crate::slack::blocks::{Block, Message, Mrkdwn, one_line};

use super::words::{self, DOT, NAME};

/// The report of this name.
pub fn report(name: &str, tally: &Tally) -> Message {
    let name = one_line(name, NAME);
    let open: usize = tally.open.iter().sum();
    let severities = Severity::ALL.into_iter().zip(tally.open).filter(|(_, count)| *count > 0);
    let severities = severities.map(|(severity, count)| mrkdwn!("{} {} {}", words::sign(severity), words::count(count), severity));
    let untaken = if tally.untaken == 0 { Mrkdwn::default() } else { mrkdwn!("{} of them nobody has", words::count(tally.untaken)) };
    let now = match open {
        0 => mrkdwn!("*Nothing is open.*"),
        open => Mrkdwn::join([mrkdwn!("*{} open now*", words::count(open))].into_iter().chain(severities).chain([untaken]), DOT),
    };
    let since = mrkdwn!("*{} new, {} resolved*", words::count(tally.new), words::count(tally.resolved));
    let took = |what: &'static str, seconds: Option<i64>| seconds.map(|seconds| mrkdwn!("{} after {}", what, words::duration(seconds)));
    let times = [took("Acknowledged", tally.until_acknowledged), took("Resolved", tally.until_resolved)];
    let times = Mrkdwn::join(times.into_iter().flatten(), DOT);
    let times = if times.as_str().is_empty() { times } else { mrkdwn!("{}{}(median)", times, DOT) };
    let noisiest = tally.noisiest.iter().map(|(service, incidents, reports)| {
        let word = if *incidents == 1 { "incident" } else { "incidents" };
        let reports = usize::try_from(*reports).unwrap_or(usize::MAX);
        let often = if reports > *incidents { mrkdwn!(", reported {} times", words::count(reports)) } else { Mrkdwn::default() };
        mrkdwn!("• {}: {} {}{}", one_line(service, NAME), words::count(*incidents), word, often)
    });
    let noisiest = Mrkdwn::join(noisiest, "\n");
    let noisiest = if noisiest.as_str().is_empty() { noisiest } else { mrkdwn!("*Most came from*\n{}", noisiest) };
    let period = mrkdwn!("From {} to {}", Mrkdwn::when(tally.period.from), Mrkdwn::when(tally.period.until));
    let text =
        mrkdwn!("📊 {}: {} open, {} new, {} resolved", name, words::count(open), words::count(tally.new), words::count(tally.resolved));
    let blocks = vec![
        Block::header(format!("📊 {name}")),
        Block::section(now),
        Block::section(Mrkdwn::join([since, times], DOT)),
        Block::section(noisiest),
        Block::context([period]),
    ];
    Message::new(text, blocks, Vec::new())
}
