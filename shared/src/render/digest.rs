//! A storm's digest: one message that tells how many came and how they stand, and under it the incidents themselves, some forty to a reply, each with its button.

use crate::domain::incident::{Incident, State};
use crate::domain::severity::Severity;
use crate::domain::storm::{Member, Overview};
use crate::mrkdwn;
use crate::slack::blocks::{Block, Button, Message, Mrkdwn, Style, one_line};

use super::words::{self, DOT, NAME};

/// How many of the worst the digest names.
const WORST: usize = 10;
/// How long a line about an incident may be, as it is sent: forty of each have to fit into one message.
const TITLE: usize = 140;
const STANDING: usize = 120;

/// The digest as it stands now.
pub fn digest(overview: &Overview) -> Message {
    let all = words::count(overview.members.len());
    let (sign, what) = match overview.ended {
        None => ("🌩️", mrkdwn!("{} new incidents", all)),
        Some(_) => ("🌤️", mrkdwn!("{} incidents in a storm that is over", all)),
    };
    let when = match overview.ended {
        None => mrkdwn!("*Storm* since {}", Mrkdwn::when(overview.started)),
        Some(ended) => mrkdwn!("*Storm* from {} to {}", Mrkdwn::when(overview.started), Mrkdwn::when(ended)),
    };
    let standing = Mrkdwn::join([when, states(overview)], DOT);
    let worst = overview.worst(WORST);
    let heading = if worst.is_empty() { Mrkdwn::default() } else { mrkdwn!("*Nobody has these yet, the worst first:*\n") };
    let worst = mrkdwn!("{}{}", heading, Mrkdwn::join(worst.into_iter().map(line), "\n"));
    let calm = if overview.ended.is_none() { "Single cards come again when it is calm." } else { "" };
    let hint = mrkdwn!("Each of them is in this thread, with its button. {}", calm);
    let text = mrkdwn!("{} {}: {}", sign, what, severities(overview));
    let blocks = vec![
        Block::header(format!("{sign} {}", what.as_str())),
        Block::section(severities(overview)),
        Block::section(standing),
        Block::section(worst),
        Block::context([hint]),
    ];
    Message::new(text, blocks, Vec::new())
}

/// Some of its incidents, as they stand now.
pub fn page(incidents: &[Incident]) -> Message {
    let blocks = incidents.iter().map(|incident| {
        let first = mrkdwn!("{} *{}*  {}", sign(incident.severity(), incident.state()), incident.severity(), title(incident.title()));
        let service = incident.facts.service.as_ref().map(|service| Mrkdwn::escape(one_line(&service.value, NAME)));
        let second = Mrkdwn::join([mrkdwn!("{}", incident.id), standing(incident)].into_iter().chain(service), " · ");
        Block::section_with(mrkdwn!("{}\n{}", first, second.cut(STANDING)), button(incident))
    });
    let open = incidents.iter().filter(|incident| incident.state() != State::Resolved).count();
    Message::new(mrkdwn!("{} incidents of a storm, {} of them open", incidents.len(), open), blocks.collect(), Vec::new())
}

/// The one thing to do next with an incident.
fn button(incident: &Incident) -> Option<Button> {
    let value = words::value(incident);
    match incident.state() {
        State::Triggered => Some(Button::press("acknowledge_incident", "Acknowledge", Some(Style::Primary), &value)),
        State::Acknowledged => Some(Button::press("resolve_incident", "Resolve", None, &value)),
        State::Snoozed => Some(Button::press("wake_incident", "Wake up", None, &value)),
        State::Expected | State::Resolved => None,
    }
}

fn sign(severity: Severity, state: State) -> &'static str {
    if state == State::Resolved { "✅" } else { words::sign(severity) }
}

fn title(text: &str) -> Mrkdwn {
    Mrkdwn::escape(one_line(text, TITLE)).cut(TITLE)
}

/// How it stands, in a word or two.
fn standing(incident: &Incident) -> Mrkdwn {
    let holder = incident.acknowledged.as_ref().filter(|_| incident.state() == State::Acknowledged);
    holder.map_or_else(|| Mrkdwn::escape(words::state(incident.state())), |mark| mrkdwn!("{} has it", words::who(&mark.by)))
}

fn line(member: &Member) -> Mrkdwn {
    mrkdwn!("{} *{}*  {}  ·  {}", words::sign(member.severity), member.severity, title(&member.title), member.id)
}

/// How many of each severity: `🔴 1 P1 · 🟡 2,000 P3`.
fn severities(overview: &Overview) -> Mrkdwn {
    let of = |severity: Severity| match overview.count(|member| member.severity == severity) {
        0 => Mrkdwn::default(),
        count => mrkdwn!("{} {} {}", words::sign(severity), words::count(count), severity),
    };
    Mrkdwn::join(Severity::ALL.map(of), DOT)
}

/// How many stand how: `4,990 triggered · 10 acknowledged`.
fn states(overview: &Overview) -> Mrkdwn {
    let of = |state: State| match overview.count(|member| member.state == state) {
        0 => Mrkdwn::default(),
        count => mrkdwn!("{} {}", words::count(count), words::state(state)),
    };
    Mrkdwn::join([State::Triggered, State::Acknowledged, State::Snoozed, State::Resolved].map(of), DOT)
}
