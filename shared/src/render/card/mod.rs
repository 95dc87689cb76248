//! The card: the one live message of an incident. Read on a phone, at night, in this order: what is wrong, what to press, how it stands,
//! and only then the rest, which Slack folds away where it is long.
//!
//! There is one card for everything: what was measured, deployed or changed is a line of its own at the top ([`matter`]), and [`body`] is the rest.

mod body;
mod matter;
#[cfg(feature = "configuration")]
mod template;

use jiff::SignedDuration;

use crate::domain::configuration::Configuration;
use crate::domain::incident::{Dated, Incident, State};
use crate::domain::intent::Link;
use crate::domain::kind::Progress;
use crate::domain::severity::Severity;
use crate::mrkdwn;
use crate::slack::blocks::{Attachment, Block, Button, Choice, Element, Href, Message, Mrkdwn, Style, one_line};

use super::decision;
use super::words::{self, DOT, NAME};

pub(super) use body::body;

/// More links than this are a web page, not a card.
const LINKS: usize = 10;
/// What a header shows of a title; the rest of Slack's 150 is for the signs before it.
const TITLE: usize = 140;

/// The incident as it stands now, in a workspace with these settings.
pub fn card(incident: &Incident, settings: &Configuration) -> Message {
    // Nobody is called to what somebody has.
    let calling = incident.state() == State::Triggered && incident.needed_since().is_some();
    let called = if calling { incident.mentions.as_slice() } else { &[] };
    let calls = Mrkdwn::join(called.iter().filter_map(|id| Mrkdwn::call(id)), " ");
    let standing = Mrkdwn::join([standing(incident), calls], DOT);
    let blocks = vec![
        header(incident),
        Block::section(matter::lines(incident)),
        Block::actions(actions(incident, settings)),
        Block::section(standing),
        Block::section(decision::lines(incident)),
    ];
    let blocks = blocks.into_iter().chain(decision::buttons(incident)).chain([Block::actions(link_buttons(incident))]).collect();
    let (text, body) = own(incident, settings).unwrap_or_else(|| (notification(incident), body(incident)));
    Message::new(text, blocks, vec![Attachment::new(color(incident), body)])
}

/// What the workspace's own template says instead. Where it cannot be filled, Tocsin's own words stand there, and why.
#[cfg(feature = "configuration")]
fn own(incident: &Incident, settings: &Configuration) -> Option<(Mrkdwn, Vec<Block>)> {
    let own = crate::domain::template::Template::of(&settings.templates, incident)?;
    let filled = template::body(own, incident).and_then(|blocks| {
        let text = template::notification(own, incident).unwrap_or_else(|| Ok(notification(incident)))?;
        let blank = text.as_str().trim().is_empty();
        Ok((if blank { notification(incident) } else { text }, blocks))
    });
    Some(filled.unwrap_or_else(|why| {
        let why = Block::context([mrkdwn!("This card has a template that does not work: {}", crate::slack::blocks::cut(&why, 300))]);
        (notification(incident), body(incident).into_iter().chain([why]).collect())
    }))
}

/// Without the settings being read there are no templates.
#[cfg(not(feature = "configuration"))]
fn own(_: &Incident, _: &Configuration) -> Option<(Mrkdwn, Vec<Block>)> {
    None
}

/// What a phone shows on its locked screen.
pub(super) fn notification(incident: &Incident) -> Mrkdwn {
    let progress = value(incident.facts.deployment.status.as_ref());
    let state = match (incident.state(), words::lasted(incident), progress) {
        _ if incident.is_notice() => String::new(),
        _ if let Some(verdict) = decision::verdict(incident) => decision::in_short(verdict),
        // The line about the deployment says how far it is.
        (State::Triggered, _, Some(_)) | (State::Resolved, None, Some(_)) => String::new(),
        (State::Resolved, Some(lasted), Some(progress)) if progress.is_over() => format!("after {lasted}"),
        (State::Resolved, Some(lasted), _) => format!("resolved after {lasted}"),
        (state, ..) => words::state(state).to_owned(),
    };
    let title = mrkdwn!("{}{}", grade(incident).unwrap_or_default(), words::title(incident.title()));
    let service = value(incident.facts.service.as_ref()).map(|service| Mrkdwn::escape(one_line(service, NAME)));
    Mrkdwn::join([title, matter::in_short(incident), Mrkdwn::escape(state)].into_iter().chain(service), " · ")
}

/// How bad it is, where that matters: not of what is only told, and not of a deployment that goes as it should.
fn grade(incident: &Incident) -> Option<String> {
    let matters = incident.fired.is_none() || incident.needed_since().is_some();
    matters.then(|| format!("{} ", incident.severity()))
}

/// The severity and the title. What is over is no longer red.
pub(super) fn header(incident: &Incident) -> Block {
    let progress = value(incident.facts.deployment.status.as_ref()).copied();
    let sign = match (incident.state(), progress) {
        _ if let Some(verdict) = decision::verdict(incident) => decision::sign(verdict),
        _ if incident.is_notice() => "ℹ️",
        (State::Snoozed, _) => "💤",
        (State::Triggered | State::Acknowledged, Some(progress @ (Progress::Started | Progress::Failed)))
        | (State::Resolved, Some(progress @ Progress::RolledBack)) => words::progress_sign(progress),
        (State::Resolved, _) => "✅",
        (State::Expected | State::Triggered | State::Acknowledged, _) => words::sign(incident.severity()),
    };
    let grade = grade(incident).map(|grade| format!("{grade} ")).unwrap_or_default();
    Block::header(format!("{sign} {grade}{}", one_line(incident.title(), TITLE)))
}

/// How it stands, with the name by which one speaks of it.
pub(super) fn standing(incident: &Incident) -> Mrkdwn {
    mrkdwn!("{}{}{}", incident.id, DOT, words::standing(incident))
}

fn color(incident: &Incident) -> &'static str {
    let told =
        incident.is_notice() || (incident.state() != State::Resolved && incident.fired.is_some() && incident.needed_since().is_none());
    match incident.state() {
        _ if told => "#868e96",
        State::Resolved => "#2eb67d",
        State::Expected | State::Triggered | State::Acknowledged | State::Snoozed => color_of(incident.severity()),
    }
}

/// The colour of what is open.
pub(super) fn color_of(severity: Severity) -> &'static str {
    match severity {
        Severity::P1 => "#e01e5a",
        Severity::P2 => "#f2711c",
        Severity::P3 => "#ecb22e",
        Severity::P4 => "#36c5f0",
    }
}

/// What can be done about it as it stands: what is needed at night as buttons, the rest in menus.
fn actions(incident: &Incident, settings: &Configuration) -> Vec<Element> {
    let value = words::value(incident);
    let button = |action, text, style| Element::from(Button::press(action, text, style, &value));
    let choice = |text: &str, chosen: &str| Choice::new(text, format!("{chosen}|{value}"));
    // A deployment that goes as it should may be taken by somebody, and asks nobody to.
    let asks = incident.needed_since().map(|_| Style::Primary);
    let acknowledge = button("acknowledge_incident", "Acknowledge", asks);
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

fn value<T>(fact: Option<&Dated<T>>) -> Option<&T> {
    fact.map(|fact| &fact.value)
}
