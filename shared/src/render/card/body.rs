//! Everything that is known besides what has to be seen at once, the most helpful first. What is not known takes no room.

use crate::domain::incident::{Incident, State};
use crate::mrkdwn;
use crate::slack::blocks::{Block, Mrkdwn, Plain, cut, one_line};

use super::{LINKS, TITLE, links, value};
use crate::render::words::{self, DOT, NAME};

/// One section's fields.
const DETAILS: usize = 10;

/// The blocks behind the coloured bar.
pub(crate) fn body(incident: &Incident) -> Vec<Block> {
    let facts = &incident.facts;
    let title = incident.title();
    let (short, whole) = (one_line(title, TITLE), one_line(title, 600));
    let whole_title = if short == whole { String::new() } else { whole };
    // What is over needs no advice.
    let hint = value(facts.action_hint.as_ref()).filter(|_| incident.state() != State::Resolved);
    let hint = hint.map(|hint| mrkdwn!("*Do first:* {}", cut(hint, 500))).unwrap_or_default();
    let description = value(facts.description.as_ref()).map_or("", String::as_str);
    vec![
        Block::section(Plain::new(whole_title)),
        Block::section(hint),
        Block::section(Plain::new(cut(description, 1_000))),
        Block::fields(fields(incident)),
        Block::fields(details(incident)),
        Block::context([left_out(incident)]),
    ]
}

fn field(label: &'static str, value: impl Into<Option<Mrkdwn>>) -> Option<Mrkdwn> {
    let value = value.into().filter(|value| !value.as_str().is_empty())?;
    Some(mrkdwn!("*{}:* {}", label, value))
}

fn fields(incident: &Incident) -> Vec<Mrkdwn> {
    let facts = &incident.facts;
    let open = incident.state() != State::Resolved;
    let worked_on = !incident.is_notice();
    let line = |text: &String| Mrkdwn::escape(one_line(text, NAME));
    let components = value(facts.components.as_ref()).map(|components| Mrkdwn::escape(one_line(&components.join(", "), 300)));
    let started = incident.fired.map(|fired| {
        let when = Mrkdwn::when(fired.first);
        if open { mrkdwn!("{} ({})", when, Mrkdwn::ago(fired.first)) } else { when }
    });
    // A deployment is heard of at each of its steps.
    let seen = incident.fired.filter(|_| incident.count > 1 && incident.facts.deployment.is_unknown());
    let seen = seen.map(|fired| mrkdwn!("{} times, last {}", incident.count, Mrkdwn::ago(fired.last)));
    let flapping = incident.flapping.as_ref().filter(|_| open);
    let flapping = flapping.map(|held| mrkdwn!("since {}, held open until quiet for {} min", Mrkdwn::when(held.since), held.quiet_minutes));
    let from = incident.source.as_ref().map(words::who);
    let fields = [
        field("Service", value(facts.service.as_ref()).map(line)),
        field("Affected", components),
        field("Started", started.filter(|_| worked_on)),
        field("SLA", service_level(incident)),
        field("Seen", seen),
        field("Flapping", flapping),
        field("Assignee", value(facts.assignee.as_ref()).filter(|_| worked_on).map(|name| words::assignee(name))),
        field("Reported by", from.filter(|_| worked_on)),
    ];
    fields.into_iter().flatten().collect()
}

/// By when it has to be over; once it is, whether it was.
fn service_level(incident: &Incident) -> Option<Mrkdwn> {
    let breach = incident.sla.resolve_by?;
    match incident.over_at().filter(|_| incident.state() == State::Resolved) {
        None => Some(mrkdwn!("{} ({})", Mrkdwn::when(breach), Mrkdwn::ago(breach))),
        Some(closed) if closed <= breach => Some(mrkdwn!("kept")),
        Some(closed) => Some(mrkdwn!("breached by {}", words::duration(words::seconds_between(breach, closed)))),
    }
}

fn details(incident: &Incident) -> Vec<Mrkdwn> {
    let details = value(incident.facts.details.as_ref()).into_iter().flatten().take(DETAILS);
    details
        .filter_map(|detail| {
            let (label, value) = (one_line(&detail.label, 60), cut(detail.value.trim(), 300));
            (!value.is_empty()).then(|| if label.is_empty() { Mrkdwn::escape(value) } else { mrkdwn!("*{}:* {}", label, value) })
        })
        .collect()
}

/// What the card does not show, so that nobody takes it for all there is.
fn left_out(incident: &Incident) -> Mrkdwn {
    let count = |all: usize, shown: usize, what: &'static str| match all.saturating_sub(shown) {
        0 => Mrkdwn::default(),
        more => mrkdwn!("{} more {}", more, what),
    };
    let all_details = value(incident.facts.details.as_ref()).map_or(0, Vec::len);
    Mrkdwn::join([count(all_details, DETAILS, "details"), count(links(incident).count(), LINKS, "links")], DOT)
}
