//! The replies under the card: one for each thing that was done. Who, what, when.

use crate::domain::incident::{Incident, State};
use crate::domain::intent::Actor;
use crate::domain::sla::Promise;
use crate::domain::timeline::{Entry, What};
use crate::mrkdwn;
use crate::slack::blocks::{Block, Button, Message, Mrkdwn, Plain, one_line};

use super::words::{self, DOT, NAME};

/// One line of the timeline, told under the card.
pub fn reply(incident: &Incident, entry: &Entry) -> Message {
    let what = headline(entry);
    let mut blocks = vec![Block::section(mrkdwn!("{}{}{}", what, DOT, Mrkdwn::when(entry.at)))];
    blocks.extend(more(entry));
    let ends = matches!(entry.what, What::Resolved { .. });
    if ends && incident.state() == State::Resolved {
        let value = words::value(incident);
        blocks.push(Block::actions(vec![Button::press("reopen_incident", "Reopen", None, &value)]));
    }
    Message::new(notification(incident, entry), blocks, Vec::new())
}

/// A notification has no card above it, so it names the incident.
fn notification(incident: &Incident, entry: &Entry) -> Mrkdwn {
    let said = entry.what.said().map(|said| mrkdwn!(": {}", one_line(said, 300))).unwrap_or_default();
    let named = mrkdwn!("{} {}", incident.severity(), words::title(incident.title()));
    mrkdwn!("{}{} · {}", headline(entry), said, named)
}

/// Who did what, in a line.
pub fn headline(entry: &Entry) -> Mrkdwn {
    let who = words::who(&entry.by);
    match &entry.what {
        What::Triggered { .. } => mrkdwn!("🚨 *Triggered* by {}", who),
        What::Acknowledged => mrkdwn!("👀 *Acknowledged* by {}", who),
        What::Updated { fields, severity } => {
            let others = Mrkdwn::join(fields.iter().filter(|field| *field != "severity").map(Mrkdwn::escape), ", ");
            let others = if others.as_str().is_empty() { others } else { mrkdwn!(": {}", others) };
            let Some((from, to)) = severity else { return mrkdwn!("✏️ *Updated* by {}{}", who, others) };
            let sign = if to.worse_than(*from) { "🔺" } else { "🔻" };
            mrkdwn!("{} *Severity {} → {}* by {}{}", sign, from, to, who, others)
        }
        What::Resolved { after_seconds, .. } => {
            let after = after_seconds.map(|seconds| mrkdwn!(" after {}", words::duration(seconds))).unwrap_or_default();
            mrkdwn!("✅ *Resolved* by {}{}", who, after)
        }
        What::Reopened => mrkdwn!("🔁 *Reopened* by {}", who),
        What::Snoozed { until } => mrkdwn!("💤 *Snoozed* by {} until {}", who, Mrkdwn::when(*until)),
        What::Woken => match &entry.by {
            Actor::User(_) => mrkdwn!("⏰ *Woken up* by {}", who),
            Actor::Source(_) => mrkdwn!("⏰ *Woke up*: the time for which it was snoozed is over"),
        },
        What::Flapping { quiet_minutes } => {
            mrkdwn!("〰️ *Flapping*: {} reports it again and again. It is held open until it has been quiet for {} min", who, quiet_minutes)
        }
        What::Assigned { to } => mrkdwn!("👤 *Assigned to* {} by {}", Mrkdwn::user(to), who),
        What::Escalated { step, called, .. } => {
            let step = step.map(|step| mrkdwn!(" (step {})", step)).unwrap_or_default();
            let by = if matches!(entry.by, Actor::User(_)) { mrkdwn!(" by {}", who) } else { Mrkdwn::default() };
            mrkdwn!("📣 *Escalated*{}{}: {}", by, step, Mrkdwn::join(called.iter().map(words::called), ", "))
        }
        What::SlaBreached { promise, by } => {
            let promised = match promise {
                Promise::Acknowledge => "acknowledged",
                Promise::Resolve => "resolved",
            };
            mrkdwn!("⌛ *SLA breached*: it should have been {} by {}", promised, Mrkdwn::when(*by))
        }
        What::Decided { label, missing: 0, .. } => mrkdwn!("⚖️ *{}* by {}", one_line(label, NAME), who),
        What::Decided { label, missing, .. } => mrkdwn!("⚖️ *{}* by {}, {} more needed", one_line(label, NAME), who, missing),
        What::Expired { labels } => {
            let labels = labels.iter().map(|label| Mrkdwn::escape(one_line(label, NAME)));
            mrkdwn!("⌛ *Nobody decided in time*: {}", Mrkdwn::join(labels, " / "))
        }
        What::Called { label, outcome } if outcome.ok => {
            mrkdwn!("📬 *{}*: {} says {}", one_line(label, NAME), who, one_line(&outcome.said, 300))
        }
        What::Called { label, outcome } => mrkdwn!("⚠️ *{}* failed: {}: {}", one_line(label, NAME), who, one_line(&outcome.said, 300)),
        What::Deployed { progress } => {
            mrkdwn!("{} *Deployment {}*, says {}", words::progress_sign(*progress), words::progress(*progress), who)
        }
        What::Noted { .. } => mrkdwn!("📝 *Note* by {}", who),
    }
}

/// What was said, as it was said.
fn more(entry: &Entry) -> Vec<Block> {
    let said = Block::section(Plain::new(entry.what.said().unwrap_or_default()));
    match &entry.what {
        What::Triggered { title, description } => {
            let description = description.as_deref().unwrap_or_default();
            vec![Block::section(Plain::new(format!("{}\n{description}", one_line(title, 600))))]
        }
        What::Resolved { closing, .. } => {
            let cause = closing.root_cause.as_deref().map(str::trim).filter(|cause| !cause.is_empty());
            let cause = cause.map(|cause| format!("Root cause: {cause}")).unwrap_or_default();
            vec![said, Block::section(Plain::new(cause))]
        }
        What::Updated { .. }
        | What::Assigned { .. }
        | What::SlaBreached { .. }
        | What::Acknowledged
        | What::Reopened
        | What::Snoozed { .. }
        | What::Woken
        | What::Flapping { .. }
        | What::Escalated { .. }
        | What::Decided { .. }
        | What::Expired { .. }
        | What::Called { .. }
        | What::Deployed { .. }
        | What::Noted { .. } => vec![said],
    }
}
