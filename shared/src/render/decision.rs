//! What people are asked on a card: the buttons, and how it stands or ended.

use crate::domain::decision::{Choice, Decision, End, Tone, Vote};
use crate::domain::ids::UserId;
use crate::domain::incident::{Incident, State, Verdict};
use crate::mrkdwn;
use crate::slack::blocks::{Block, Button, Mrkdwn, Style, one_line};

use super::words::{self, DOT, NAME};

/// How long a question is.
const QUESTION: usize = 150;
/// How much text all decisions together take, of what fits into a message.
const LINES: usize = 800;

/// A row of buttons for each approval, and one for the buttons that stand for themselves.
pub(super) fn buttons(incident: &Incident) -> Vec<Block> {
    if incident.state() == State::Resolved {
        return Vec::new();
    }
    let row = |decision: &Decision| decision.asked.options.iter().map(|choice| button(incident, decision, choice)).collect::<Vec<_>>();
    let open = || incident.decisions.iter().filter(|decision| decision.is_open());
    let approvals = open().filter(|decision| decision.is_approval()).map(|decision| Block::actions(row(decision)));
    let single = open().filter(|decision| !decision.is_approval()).flat_map(row);
    approvals.chain([Block::actions(single)]).collect()
}

fn button(incident: &Incident, decision: &Decision, choice: &crate::domain::decision::Choice) -> Button {
    // What needs a reason opens a form for it, and the receiver knows only what the button says.
    let asks = if choice.reason { "decide_why" } else { "decide" };
    let style = match choice.tone {
        Tone::Plain => None,
        Tone::Primary => Some(Style::Primary),
        Tone::Danger => Some(Style::Danger),
    };
    let action = format!("{asks}:{}:{}", decision.asked.name, choice.name);
    // Who writes a reason has thought about it.
    let confirm =
        choice.confirm.as_deref().map(|question| one_line(question, QUESTION)).filter(|question| !choice.reason && !question.is_empty());
    let label = label(choice);
    Button::choice(&action, &label, style, &words::value(incident), confirm.as_deref())
}

/// What an option is called, whatever a source calls it.
fn label(choice: &Choice) -> String {
    Some(one_line(&choice.label, NAME)).filter(|label| !label.is_empty()).unwrap_or_else(|| choice.name.clone())
}

/// What became of an approval that nobody has taken, and that does not sleep.
pub(super) fn verdict(incident: &Incident) -> Option<Verdict<'_>> {
    incident.verdict().filter(|_| matches!(incident.state(), State::Triggered | State::Resolved))
}

/// What became of an approval, as a sign.
pub(super) fn sign(verdict: Verdict<'_>) -> &'static str {
    match verdict {
        Verdict::Open => "⚖️",
        Verdict::Decided(_, Some(called)) if !called.ok => "⚠️",
        Verdict::Decided(Choice { tone: Tone::Danger, .. }, _) => "🚫",
        Verdict::Decided(..) => "✅",
        Verdict::Expired => "⌛",
        Verdict::Closed => "⚪",
    }
}

/// What became of an approval, for a notification.
pub(super) fn in_short(verdict: Verdict<'_>) -> String {
    match verdict {
        Verdict::Open => "to be decided".to_owned(),
        Verdict::Decided(choice, Some(called)) if !called.ok => format!("{}, failed", label(choice)),
        Verdict::Decided(choice, _) => label(choice),
        Verdict::Expired => "not decided in time".to_owned(),
        Verdict::Closed => "closed undecided".to_owned(),
    }
}

/// How an approval stands that nobody has taken; what was chosen, and by whom, says a line of its own.
pub(super) fn standing(incident: &Incident) -> Option<Mrkdwn> {
    let verdict = verdict(incident)?;
    let after = || words::lasted(incident).map(|lasted| mrkdwn!(" after {}", lasted)).unwrap_or_default();
    let by = || incident.resolution.as_ref().map(|end| mrkdwn!(" by {}", words::who(&end.by))).unwrap_or_default();
    Some(match verdict {
        Verdict::Open => mrkdwn!("*To be decided*"),
        Verdict::Decided(..) => mrkdwn!("*Decided*{}", after()),
        Verdict::Expired => mrkdwn!("*Not decided in time*"),
        Verdict::Closed => mrkdwn!("*Closed undecided*{}", by()),
    })
}

/// How each decision stands or ended, a line for each; nothing for a button that nobody has pressed.
pub(super) fn lines(incident: &Incident) -> Mrkdwn {
    let over = incident.state() == State::Resolved;
    let lines = incident.decisions.iter().map(|decision| match &decision.end {
        None if over => Mrkdwn::default(),
        None => open(decision),
        Some(End::Expired { at }) => mrkdwn!("⌛ *Nobody decided in time*: {}{}{}", labels(decision), DOT, Mrkdwn::when(*at)),
        Some(End::Decided { at, option, .. }) => {
            let reason = decision.voters(option).filter_map(|vote| vote.reason.as_deref()).last();
            let reason = reason.map(|reason| mrkdwn!(": {}", one_line(reason, 200))).unwrap_or_default();
            let label = decision.choice(option).map_or(option.as_str(), |choice| choice.label.as_str());
            let by = people(decision.voters(option));
            mrkdwn!("⚖️ *{}* by {}{}{}{}{}", one_line(label, NAME), by, reason, DOT, Mrkdwn::when(*at), outcome(decision))
        }
    });
    Mrkdwn::join(lines, "\n").cut(LINES)
}

/// Whose word is waited for, until when, and who has spoken.
fn open(decision: &Decision) -> Mrkdwn {
    if !decision.is_approval() && decision.votes.is_empty() {
        return Mrkdwn::default();
    }
    let who = decision.asked.who.ids().take(10).map(|who| Mrkdwn::call(who).unwrap_or_else(|| Mrkdwn::user(&UserId::new(who))));
    let who = Mrkdwn::join(who, ", ");
    let until = decision.asked.expires_at.map(|until| mrkdwn!("until {}", Mrkdwn::when(until))).unwrap_or_default();
    let votes = decision.asked.options.iter().filter(|choice| decision.voters(&choice.name).next().is_some()).map(|choice| {
        let (count, quorum) = (decision.voters(&choice.name).count(), choice.quorum.unwrap_or(1));
        mrkdwn!("{} of {} for *{}*: {}", count, quorum, one_line(&choice.label, NAME), people(decision.voters(&choice.name)))
    });
    let first = mrkdwn!("⚖️ *{}?*", labels(decision));
    Mrkdwn::join([first, who, until].into_iter().chain(votes), DOT)
}

fn labels(decision: &Decision) -> Mrkdwn {
    Mrkdwn::join(decision.asked.options.iter().map(|choice| Mrkdwn::escape(one_line(&choice.label, NAME))), " / ")
}

fn people<'a>(votes: impl Iterator<Item = &'a Vote>) -> Mrkdwn {
    Mrkdwn::join(votes.map(|vote| Mrkdwn::user(&vote.by.id)), ", ")
}

/// What came of the call.
fn outcome(decision: &Decision) -> Mrkdwn {
    let Some((choice, outcome)) = decision.decided() else { return Mrkdwn::default() };
    let Some(endpoint) = &choice.call else { return Mrkdwn::default() };
    let endpoint = one_line(endpoint, NAME);
    match outcome {
        None => mrkdwn!("\n⏳ calling {} …", endpoint),
        Some(called) if called.ok => mrkdwn!("\n✅ {}: {}", endpoint, one_line(&called.said, 300)),
        Some(called) => mrkdwn!("\n⚠️ *failed*, {}: {}", endpoint, one_line(&called.said, 300)),
    }
}
