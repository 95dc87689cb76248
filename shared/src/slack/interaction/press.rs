//! Buttons and menus: either the wish itself, or a form that asks for the rest of it.

use jiff::Timestamp;

use super::{Payload, Wanted};
use crate::domain;
use crate::domain::ids::{IncidentId, IntentId, Workspace};
use crate::domain::intent::{Action, Actor, Intent, Job, ReplyTo, Target};
use crate::domain::severity::Severity;
use crate::render::modal::{self, IncidentContext, ReasonContext};

/// What a button carries: whose incident, which, and how bad it was when the card was painted. The card says whose it is, since the payload's team may be that of a guest
/// from another company.
struct Address {
    workspace: Workspace,
    incident: IncidentId,
    severity: Severity,
}

impl Address {
    /// `T1/INC-7K3QPF/P2`; cards of an earlier version of this program say nothing of the severity.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (workspace, incident) = (parts.next().filter(|part| !part.is_empty())?, parts.next().filter(|part| !part.is_empty())?);
        let severity = parts.next().and_then(Severity::parse).unwrap_or(Severity::P3);
        Some(Self { workspace: Workspace::new(workspace), incident: IncidentId::new(incident), severity })
    }
}

/// The forms of the menu.
enum Form {
    Resolve,
    SnoozeUntil,
    Assign,
    Escalate,
    Severity,
    Note,
    /// Why a decision is made so.
    Reason {
        decision: String,
        option: String,
    },
}

/// What a press comes to.
enum Press {
    Do(Action),
    Ask(Form),
}

impl Press {
    /// What the action means, and what was chosen in it.
    fn of(action: &str, chosen: &str, now: Timestamp) -> Option<Self> {
        // A decision's button names it and what it chooses: `decide:approval:approve`.
        if let Some((asks, rest)) = action.split_once(':') {
            let (decision, option) = rest.split_once(':').map(|(decision, option)| (decision.to_owned(), option.to_owned()))?;
            return match asks {
                "decide" => Some(Self::Do(Action::Decide { decision, option, reason: None })),
                "decide_why" => Some(Self::Ask(Form::Reason { decision, option })),
                _ => None,
            };
        }
        Some(match (action, chosen) {
            ("acknowledge_incident", _) => Self::Do(Action::Acknowledge),
            ("reopen_incident", _) | ("incident_menu", "reopen") => Self::Do(Action::Reopen),
            ("wake_incident", _) => Self::Do(Action::Wake),
            ("resolve_incident", _) => Self::Ask(Form::Resolve),
            ("snooze_incident", "until") => Self::Ask(Form::SnoozeUntil),
            ("snooze_incident", time) => Self::Do(Action::Snooze { until: now.checked_add(domain::duration(time)?).ok()? }),
            ("incident_menu", "assign") => Self::Ask(Form::Assign),
            ("incident_menu", "escalate") => Self::Ask(Form::Escalate),
            ("incident_menu", "severity") => Self::Ask(Form::Severity),
            ("incident_menu", "note") => Self::Ask(Form::Note),
            _ => return None,
        })
    }
}

impl Payload {
    pub(super) fn pressed(&self, now: Timestamp) -> Wanted {
        let (Some(pressed), Some(person)) = (self.actions.first(), self.person(self.place())) else {
            return Wanted::Ignore("a click without an action or a user".to_owned());
        };
        if let Some(wanted) = self.at_home(pressed, &person).or_else(|| self.more(pressed, now)) {
            return wanted;
        }
        let value = pressed.selected_option.as_ref().map(|option| &option.value).or(pressed.value.as_ref()).map_or("", String::as_str);
        // A menu's line says what it is before the address.
        let (chosen, address) = value.split_once('|').unwrap_or(("", value));
        let action_ts = pressed.action_ts.as_deref().unwrap_or_default();
        let at = super::super::moment(action_ts).unwrap_or(now);
        let Some(press) = Press::of(&pressed.action_id, chosen, at) else {
            return Wanted::Ignore(format!("nothing to do for `{}`", pressed.action_id));
        };
        let Some(Address { workspace, incident, severity }) = Address::parse(address) else {
            return Wanted::Ignore("a button without an incident".to_owned());
        };
        let action = match press {
            Press::Do(action) => action,
            Press::Ask(form) => {
                let (channel, message) = person.place.map(|place| (place.channel, place.message)).unzip();
                let context = IncidentContext { workspace: workspace.clone(), incident, channel, message: message.flatten() };
                let view = match form {
                    Form::Resolve => modal::resolve(&context),
                    Form::SnoozeUntil => modal::snooze(&context, now),
                    Form::Assign => modal::assign(&context),
                    Form::Escalate => modal::escalate(&context),
                    Form::Severity => modal::severity(&context, severity),
                    Form::Note => modal::note(&context),
                    Form::Reason { decision, option } => modal::reason(&ReasonContext { about: context, decision, option }),
                };
                return self.open(Some(workspace), view);
            }
        };
        let parts = [workspace.as_str(), incident.as_str(), person.id.as_str(), &pressed.action_id, chosen, action_ts];
        Wanted::Queue(Job::Intent(Box::new(Intent {
            id: IntentId::of("click", &parts),
            workspace: Some(workspace.clone()),
            at,
            by: Actor::User(person),
            target: Target::Id(incident),
            action,
            reply: self.response_url.clone().map(ReplyTo::ResponseUrl),
        })))
    }
}
