//! What only the person who asked sees.

use crate::domain::Refusal;
use crate::domain::call::{Answered, Command};
use crate::domain::incident::{Holder, Incident, Outcome, State, Summary};
use crate::domain::oncall::Rotation;
use crate::domain::settings::Settings;
use crate::domain::severity::Severity;
use crate::domain::surfaces::Setting;
use crate::domain::timeline::{Entry, Fate};
use crate::mrkdwn;
use crate::slack::blocks::{Block, Message, Mrkdwn, Plain, one_line};

use super::words::{self, DOT, NAME};
use super::{card, thread};

/// How many incidents a list shows: a phone's few screens.
const LISTED: usize = 20;
/// How many lines of the timeline are shown, the newest.
const ENTRIES: usize = 25;
/// How much text goes into one section, of Slack's 3,000.
const SECTION: usize = 2_900;

/// What became of what somebody asked for.
pub fn done(incident: &Incident, outcome: &Outcome) -> Message {
    let id = mrkdwn!("*{}*", incident.id);
    let title = words::title(incident.title());
    let text = match outcome {
        Outcome::Created => {
            let channels = Mrkdwn::join(incident.channels.iter().map(Mrkdwn::channel), ", ");
            let place = if channels.as_str().is_empty() { Mrkdwn::default() } else { mrkdwn!("\nIts card is in {}.", channels) };
            mrkdwn!("{} {} is open: {} {}{}", words::sign(incident.severity()), id, incident.severity(), title, place)
        }
        Outcome::Counted => mrkdwn!("{} is open already and has been seen {} times now: {}", id, incident.count, title),
        Outcome::Updated => mrkdwn!("{} is updated: {} {}", id, incident.severity(), title),
        Outcome::Acknowledged => mrkdwn!("👀 You have {} now: {}", id, title),
        Outcome::Resolved => {
            let after = words::lasted(incident).map(|lasted| mrkdwn!(" after {}", lasted)).unwrap_or_default();
            mrkdwn!("✅ {} is resolved{}: {}", id, after, title)
        }
        Outcome::Reopened => mrkdwn!("🔁 {} is open again, and nobody has it yet: {}", id, title),
        Outcome::Snoozed => {
            let until = incident.snoozed.as_ref().map(|snooze| mrkdwn!(" until {}", Mrkdwn::when(snooze.until))).unwrap_or_default();
            mrkdwn!("💤 {} sleeps{}, and wakes up by itself: {}", id, until, title)
        }
        Outcome::Woken => mrkdwn!("⏰ {} is awake again: {}", id, title),
        Outcome::Assigned => {
            let assignee = incident.facts.assignee.as_ref().map(|fact| words::assignee(&fact.value)).unwrap_or_default();
            mrkdwn!("👤 {} is assigned to {}: {}", id, assignee, title)
        }
        Outcome::Escalated => mrkdwn!("📣 More people are called to {}: {}", id, title),
        Outcome::Breached => mrkdwn!("⌛ {} is late: {}", id, title),
        Outcome::Decided => mrkdwn!("⚖️ Your word on {} counts: {}", id, title),
        Outcome::Expired => mrkdwn!("⌛ Nobody decided {} in time: {}", id, title),
        Outcome::Called => mrkdwn!("📬 {} has an answer: {}", id, title),
        Outcome::Noted => mrkdwn!("📝 Your note is on {}: {}", id, title),
        Outcome::Awaited => mrkdwn!("⏳ A workflow goes on when {} is over: {}", id, title),
        Outcome::Expected => mrkdwn!("{} has not been reported by its source yet. This is kept, and counts as soon as it is.", id),
        Outcome::Held => mrkdwn!("{} is flapping: it stays open until it has been quiet for a while.", id),
        Outcome::Late => mrkdwn!("This changed nothing: something newer is known about {}.\n{}", id, words::standing(incident)),
        Outcome::Refused(refusal) => return refused(refusal),
    };
    Message::just(text)
}

/// Why not.
pub fn refused(refusal: &Refusal) -> Message {
    Message::just(Mrkdwn::with_people(&refusal.to_string()))
}

/// What is open, the worst first; of the same severity first those that nobody has, and of these the oldest.
/// `elsewhere`: how many more are open that this person does not see.
pub fn list(summaries: &[Summary], elsewhere: usize) -> Message {
    let open = open(summaries);
    if open.is_empty() {
        return all_quiet(elsewhere);
    }
    let lines = open.iter().take(LISTED).map(|summary| line(summary));
    let more = match open.len().saturating_sub(LISTED) {
        0 => Mrkdwn::default(),
        more => mrkdwn!("and {} more", more),
    };
    let mut blocks = vec![Block::section(mrkdwn!("*{}*{}{}", incidents(open.len()), DOT, counts(&open)))];
    blocks.extend(sections(lines, "\n\n"));
    blocks.push(Block::context([more]));
    blocks.push(Block::context([unseen(elsewhere)]));
    Message::new(mrkdwn!("{}: {}", incidents(open.len()), counts(&open)), blocks, Vec::new())
}

/// How things stand, in a line or two. `elsewhere`: how many more are open that this person does not see.
pub fn status(summaries: &[Summary], elsewhere: usize) -> Message {
    let open = open(summaries);
    if open.is_empty() {
        return all_quiet(elsewhere);
    }
    let waiting = open.iter().filter(|summary| summary.state == State::Triggered);
    let oldest = waiting.clone().min_by_key(|summary| summary.started);
    let second = match oldest {
        None => mrkdwn!("Somebody has each of them."),
        Some(oldest) => mrkdwn!("Nobody has {} of them. Waiting longest:\n{}", waiting.count(), line(oldest)),
    };
    let first = mrkdwn!("*{}*{}{}", incidents(open.len()), DOT, counts(&open));
    let text = mrkdwn!("{}: {}", incidents(open.len()), counts(&open));
    Message::new(text, vec![Block::section(first), Block::section(second), Block::context([unseen(elsewhere)])], Vec::new())
}

/// Who is on call in each rotation, until when, and who comes after that.
pub fn on_call(settings: &Settings) -> Message {
    let turns = turns(settings);
    if turns.is_empty() {
        return Message::just(mrkdwn!("No rotation is configured here, so nobody is on call."));
    }
    Message::new(mrkdwn!("Who is on call"), sections(turns.into_iter(), "\n"), Vec::new())
}

/// A line for each rotation.
pub(super) fn turns(settings: &Settings) -> Vec<Mrkdwn> {
    let line = |rotation: &Rotation| {
        let name = one_line(&rotation.name, NAME);
        let Some(turn) = settings.on_call(&rotation.name) else { return mrkdwn!("*{}*: nobody", name) };
        let next = settings.on_call_at(&rotation.name, turn.until).filter(|next| next.person != turn.person);
        let next = next.map(|next| mrkdwn!(", then {}", Mrkdwn::user(&next.person))).unwrap_or_default();
        mrkdwn!("*{}*: {} until {}{}", name, Mrkdwn::user(&turn.person), Mrkdwn::when(turn.until), next)
    };
    settings.configuration.rotations.iter().map(line).collect()
}

/// A setting is as somebody wanted it.
pub fn set(change: &Setting, settings: &Settings) -> Message {
    Message::just(match change {
        Setting::DefaultChannel(channel) => {
            let rules = settings.configuration.routing.as_ref().map_or(0, |routing| routing.rules.len());
            let except = if rules == 0 { Mrkdwn::default() } else { mrkdwn!(" that no rule routes elsewhere") };
            mrkdwn!("✅ Every new incident{} shows in {} from now on.", except, Mrkdwn::channel(channel))
        }
        Setting::Switch(switch, on) => mrkdwn!("✅ `{}` is {} now.", switch.key(), if *on { "on" } else { "off" }),
    })
}

/// What a workspace's own command came to.
pub fn answered(answered: &Answered) -> Message {
    let sign = if answered.ok { "💬" } else { "⚠️" };
    let who = Mrkdwn::user(&answered.by.id);
    let first = mrkdwn!("{} *{}* by {}", sign, one_line(&answered.command, NAME), who);
    let said = Plain::new(&answered.text);
    Message::new(mrkdwn!("{}: {}", first, one_line(&answered.text, 300)), vec![Block::section(first), Block::section(said)], Vec::new())
}

/// Which commands a workspace has of its own.
pub fn commands(settings: &Settings) -> Message {
    let commands = &settings.configuration.commands;
    if commands.is_empty() {
        return Message::just(mrkdwn!("No commands of its own are configured in this workspace. `/incident help` lists Tocsin's."));
    }
    let line = |command: &Command| {
        let usage = command.usage.as_deref().map(|usage| format!(" {}", one_line(usage, NAME))).unwrap_or_default();
        let help = command.help.as_deref().map(|help| mrkdwn!("  {}", one_line(help, 300))).unwrap_or_default();
        mrkdwn!("`{}{}`{}", command.name.as_str(), usage, help)
    };
    Message::new(mrkdwn!("This workspace's own commands"), sections(commands.iter().map(line), "\n"), Vec::new())
}

/// One incident with its timeline.
pub fn show(incident: &Incident, entries: &[Entry]) -> Message {
    let mut blocks = vec![card::header(incident), Block::section(card::standing(incident)), Block::actions(card::link_buttons(incident))];
    blocks.extend(card::body(incident));
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|entry| entry.at);
    let earlier = entries.len().saturating_sub(ENTRIES);
    if earlier > 0 {
        blocks.push(Block::context([mrkdwn!("{} earlier entries are not shown.", earlier)]));
    }
    blocks.push(Block::divider());
    blocks.extend(sections(entries.into_iter().skip(earlier).map(history), "\n"));
    Message::new(card::notification(incident), blocks, Vec::new())
}

/// One line of the timeline.
fn history(entry: &Entry) -> Mrkdwn {
    let said = entry.what.said().map(|text| mrkdwn!(": {}", one_line(text, 200))).unwrap_or_default();
    let fate = match entry.fate {
        Fate::Done => "",
        Fate::Late => " (too late, changed nothing)",
        Fate::Refused(_) => " (refused)",
    };
    mrkdwn!("{}  {}{}{}", Mrkdwn::when(entry.at), thread::headline(entry), said, fate)
}

fn all_quiet(elsewhere: usize) -> Message {
    let quiet = if elsewhere == 0 {
        mrkdwn!("✅ All quiet: no incident is open.")
    } else {
        mrkdwn!("Nothing is open in your channels. {}", unseen(elsewhere))
    };
    Message::just(quiet)
}

/// That there is more than one sees; only the number.
pub(super) fn unseen(elsewhere: usize) -> Mrkdwn {
    if elsewhere == 0 {
        return Mrkdwn::default();
    }
    mrkdwn!("{} only in channels that you are not in.", incidents(elsewhere))
}

/// Those that are open, in the order in which one would look at them.
pub fn open(summaries: &[Summary]) -> Vec<&Summary> {
    let is_open = |state| match state {
        State::Triggered | State::Acknowledged | State::Snoozed => true,
        State::Expected | State::Resolved => false,
    };
    let mut open: Vec<_> = summaries.iter().filter(|summary| is_open(summary.state)).collect();
    let rests = |summary: &Summary| match summary.state {
        State::Acknowledged => 1,
        State::Snoozed => 2,
        State::Expected | State::Triggered | State::Resolved => 0,
    };
    open.sort_by_key(|summary| (summary.severity.rank(), rests(summary), summary.started));
    open
}

pub(super) fn incidents(count: usize) -> String {
    match count {
        1 => "1 open incident".to_owned(),
        _ => format!("{count} open incidents"),
    }
}

/// How many of each severity: `🔴 1 P1 · 🟡 2 P3`.
pub(super) fn counts(open: &[&Summary]) -> Mrkdwn {
    let count = |severity: Severity| match open.iter().filter(|summary| summary.severity == severity).count() {
        0 => Mrkdwn::default(),
        count => mrkdwn!("{} {} {}", words::sign(severity), count, severity),
    };
    Mrkdwn::join(Severity::ALL.map(count), " · ")
}

/// An incident in a list: what is wrong on the first line, how it stands on the second.
pub(super) fn line(summary: &Summary) -> Mrkdwn {
    let state = match (&summary.state, &summary.holder) {
        (State::Acknowledged, Some(Holder::User(user))) => mrkdwn!("{} has it", Mrkdwn::user(user)),
        (State::Acknowledged, Some(Holder::Source(name))) => mrkdwn!("{} has it", words::source(name)),
        (state, _) => Mrkdwn::escape(words::state(*state)),
    };
    let service = summary.service.as_deref().map(|service| Mrkdwn::escape(one_line(service, NAME)));
    let age = mrkdwn!("{}", Mrkdwn::ago(summary.started));
    let second = Mrkdwn::join([mrkdwn!("{}", summary.id), state, age].into_iter().chain(service), " · ");
    mrkdwn!("{} *{}*  {}\n{}", words::sign(summary.severity), summary.severity, words::title(&summary.title), second)
}

/// Lines in as few sections as they fit into.
pub(super) fn sections(lines: impl Iterator<Item = Mrkdwn>, separator: &'static str) -> Vec<Block> {
    let mut sections: Vec<Vec<Mrkdwn>> = Vec::new();
    let mut room = 0;
    for line in lines {
        let length = line.as_str().len() + separator.len();
        if length > room {
            room = SECTION;
            sections.push(Vec::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push(line);
        }
        room = room.saturating_sub(length);
    }
    sections.into_iter().map(|lines| Block::section(Mrkdwn::join(lines, separator))).collect()
}
