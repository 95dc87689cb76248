//! The card: the one live message of an incident. Read on a phone, at night, in this order: what is wrong, what to press, how it stands,
//! and only then the rest, which Slack folds away where it is long.

use jiff::SignedDuration;

use crate::domain::configuration::Configuration;
use crate::domain::incident::{Dated, Incident, State};
use crate::domain::intent::Link;
use crate::domain::severity::Severity;
use crate::mrkdwn;
use crate::slack::blocks::{Attachment, Block, Button, Choice, Element, Href, Message, Mrkdwn, Plain, Style, cut, one_line};

use super::decision;
use super::words::{self, DOT, NAME};

/// More links than this are a web page, not a card.
const LINKS: usize = 10;
/// One section's fields.
const DETAILS: usize = 10;
/// What a header shows of a title; the rest of Slack's 150 is for the signs before it.
const TITLE: usize = 140;

/// The incident as it stands now, in a workspace with these settings.
pub fn card(incident: &Incident, settings: &Configuration) -> Message {
    // Nobody is called to what somebody has.
    let called = if incident.state() == State::Triggered { incident.mentions.as_slice() } else { &[] };
    let calls = Mrkdwn::join(called.iter().filter_map(|id| Mrkdwn::call(id)), " ");
    let standing = Mrkdwn::join([standing(incident), calls], DOT);
    let blocks = vec![
        header(incident),
        Block::actions(actions(incident, settings)),
        Block::section(standing),
        Block::section(decision::lines(incident)),
    ];
    let blocks = blocks.into_iter().chain(decision::buttons(incident)).chain([Block::actions(link_buttons(incident))]).collect();
    Message::new(notification(incident), blocks, vec![Attachment::new(color(incident), body(incident))])
}

/// What a phone shows on its locked screen.
pub(super) fn notification(incident: &Incident) -> Mrkdwn {
    let state = match (incident.state(), words::lasted(incident)) {
        (State::Resolved, Some(lasted)) => format!("resolved after {lasted}"),
        (state, _) => words::state(state).to_owned(),
    };
    let title = mrkdwn!("{} {}", incident.severity(), words::title(incident.title()));
    let service = value(incident.facts.service.as_ref()).map(|service| Mrkdwn::escape(one_line(service, NAME)));
    Mrkdwn::join([title, Mrkdwn::escape(state)].into_iter().chain(service), " · ")
}

/// The severity and the title. What is over is no longer red.
pub(super) fn header(incident: &Incident) -> Block {
    let sign = match incident.state() {
        State::Resolved => "✅",
        State::Snoozed => "💤",
        State::Expected | State::Triggered | State::Acknowledged => words::sign(incident.severity()),
    };
    Block::header(format!("{sign} {}  {}", incident.severity(), one_line(incident.title(), TITLE)))
}

/// How it stands, with the name by which one speaks of it.
pub(super) fn standing(incident: &Incident) -> Mrkdwn {
    mrkdwn!("{}{}{}", incident.id, DOT, words::standing(incident))
}

fn color(incident: &Incident) -> &'static str {
    match (incident.state(), incident.severity()) {
        (State::Resolved, _) => "#2eb67d",
        (_, Severity::P1) => "#e01e5a",
        (_, Severity::P2) => "#f2711c",
        (_, Severity::P3) => "#ecb22e",
        (_, Severity::P4) => "#36c5f0",
    }
}

/// What can be done about it as it stands: what is needed at night as buttons, the rest in menus.
fn actions(incident: &Incident, settings: &Configuration) -> Vec<Element> {
    let value = words::value(incident);
    let button = |action, text, style| Element::from(Button::press(action, text, style, &value));
    let choice = |text: &str, chosen: &str| Choice::new(text, format!("{chosen}|{value}"));
    let acknowledge = button("acknowledge_incident", "Acknowledge", Some(Style::Primary));
    let resolve = button("resolve_incident", "Resolve", None);
    let snooze = || {
        let until = |minutes: &SignedDuration| choice(&words::duration(minutes.as_secs()), &format!("{}s", minutes.as_secs()));
        let choices = settings.snooze.iter().map(until).chain([choice("Until …", "until")]);
        Element::menu("snooze_incident", "Snooze", choices.collect())
    };
    let menu = |first: Option<Choice>| {
        let all = [("Escalate …", "escalate"), ("Assign …", "assign"), ("Change severity …", "severity"), ("Add a note …", "note")];
        Element::overflow("incident_menu", all.map(|(text, chosen)| choice(text, chosen)).into_iter().chain(first).collect())
    };
    match incident.state() {
        // Nobody has to look at it but whoever decides, and for those there are buttons below.
        State::Triggered if incident.is_approval() => vec![menu(Some(choice("Close …", "resolve")))],
        State::Triggered => vec![acknowledge, resolve, snooze(), menu(None)],
        State::Acknowledged => vec![resolve, snooze(), menu(Some(choice("Hand it back", "reopen")))],
        State::Snoozed => vec![button("wake_incident", "Wake up", None), resolve, menu(None)],
        State::Expected | State::Resolved => Vec::new(),
    }
}

/// The incident's page, and the pages that help. An address that Slack would refuse makes no button.
pub(super) fn link_buttons(incident: &Incident) -> Vec<Button> {
    let view = value(incident.facts.url.as_ref()).and_then(|url| Some(Button::open("view_incident", "View", Href::parse(url)?)));
    let links =
        links(incident).take(LINKS).enumerate().map(|(number, (label, href))| Button::open(&format!("link_{number}"), &label, href));
    view.into_iter().chain(links).collect()
}

fn links(incident: &Incident) -> impl Iterator<Item = (String, Href)> {
    let links: &[Link] = incident.facts.links.as_ref().map_or(&[], |links| &links.value);
    links.iter().filter_map(|link| {
        let label = one_line(&link.label, NAME);
        let label = if label.is_empty() { "Link".to_owned() } else { label };
        Some((label, Href::parse(&link.url)?))
    })
}

/// Everything else that is known, the most helpful first. What is not known takes no room.
pub(super) fn body(incident: &Incident) -> Vec<Block> {
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

fn value<T>(fact: Option<&Dated<T>>) -> Option<&T> {
    fact.map(|fact| &fact.value)
}

fn field(label: &'static str, value: impl Into<Option<Mrkdwn>>) -> Option<Mrkdwn> {
    let value = value.into().filter(|value| !value.as_str().is_empty())?;
    Some(mrkdwn!("*{}:* {}", label, value))
}

fn fields(incident: &Incident) -> Vec<Mrkdwn> {
    let facts = &incident.facts;
    let open = incident.state() != State::Resolved;
    let line = |text: &String| Mrkdwn::escape(one_line(text, NAME));
    let components = value(facts.components.as_ref()).map(|components| Mrkdwn::escape(one_line(&components.join(", "), 300)));
    let started = incident.fired.map(|fired| {
        let when = Mrkdwn::when(fired.first);
        if open { mrkdwn!("{} ({})", when, Mrkdwn::ago(fired.first)) } else { when }
    });
    let seen = incident.fired.filter(|_| incident.count > 1);
    let seen = seen.map(|fired| mrkdwn!("{} times, last {}", incident.count, Mrkdwn::ago(fired.last)));
    let flapping = incident.flapping.as_ref().filter(|_| open);
    let flapping = flapping.map(|held| mrkdwn!("since {}, held open until quiet for {} min", Mrkdwn::when(held.since), held.quiet_minutes));
    let from = incident.source.as_ref().map(words::who);
    let fields = [
        field("Service", value(facts.service.as_ref()).map(line)),
        field("Affected", components),
        field("Started", started),
        field("SLA", service_level(incident)),
        field("Seen", seen),
        field("Flapping", flapping),
        field("Assignee", value(facts.assignee.as_ref()).map(|name| words::assignee(name))),
        field("Reported by", from),
    ];
    fields.into_iter().flatten().collect()
}

/// By when it has to be over; once it is, whether it was.
fn service_level(incident: &Incident) -> Option<Mrkdwn> {
    let breach = incident.sla.resolve_by?;
    match incident.closed.filter(|_| incident.state() == State::Resolved) {
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
