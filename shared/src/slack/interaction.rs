//! Buttons, modals and shortcuts: what Slack sends, and what of it is an intent.
//!
//! Payloads are read tolerantly: what is missing or new is passed over, and a kind, action or view that is not ours is answered and ignored.
//! <https://docs.slack.dev/interactivity/handling-user-interaction>

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::Refusal;
use crate::domain::ids::{Channel, IncidentId, IntentId, MessageTs, UserId, Workspace};
use crate::domain::intent::{Action, Actor, Changes, Closing, Intent, Job, Person, Place, ReplyTo, Target};
use crate::domain::severity::Severity;
use crate::render::modal::{self, CreateContext, ResolveContext};
use crate::slack::blocks::View;

use super::verify::Verified;

/// What Slack sends, as far as it is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Payload {
    #[serde(rename = "type")]
    pub kind: String,
    pub team: Option<Named>,
    pub enterprise: Option<Named>,
    pub is_enterprise_install: Option<bool>,
    pub user: Option<User>,
    pub trigger_id: Option<String>,
    pub response_url: Option<String>,
    pub callback_id: Option<String>,
    pub channel: Option<Named>,
    pub message: Option<Message>,
    pub actions: Vec<Pressed>,
    pub view: Option<Submitted>,
}

/// Something with an id.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Named {
    pub id: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct User {
    pub id: String,
    pub team_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Message {
    pub ts: Option<String>,
}

/// A button that was pressed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Pressed {
    pub action_id: String,
    pub value: Option<String>,
    pub action_ts: Option<String>,
}

/// A view that was submitted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Submitted {
    pub id: String,
    pub app_installed_team_id: Option<String>,
    pub callback_id: String,
    pub private_metadata: String,
    pub state: State,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct State {
    pub values: HashMap<String, HashMap<String, Field>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Field {
    pub value: Option<String>,
    pub selected_option: Option<Chosen>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Chosen {
    pub value: String,
}

/// A payload that is no JSON object of a kind we could read. Its text is not repeated.
#[derive(Debug, thiserror::Error)]
#[error("the payload is missing or no readable JSON{0}")]
pub struct Unreadable(String);

/// What an interaction asks for.
#[derive(Debug)]
pub enum Wanted {
    /// Put on the queue.
    Queue(Job),
    /// Open a modal, in place: the `trigger_id` lives three seconds. `otherwise` tells the person when that fails.
    Open {
        /// In which installation, and so with whose token.
        workspace: Workspace,
        /// Slack's permission to open one view.
        trigger: String,
        /// What to open.
        view: Box<View>,
        /// Where to say that it failed.
        otherwise: Option<String>,
    },
    /// Say what is wrong, at its field.
    Correct(Vec<(&'static str, Refusal)>),
    /// Nothing: this kind of thing is not ours.
    Ignore(String),
}

impl Payload {
    /// Reads the form's `payload`.
    pub fn parse(body: &Verified<'_>) -> Result<Self, Unreadable> {
        let payload = form_urlencoded::parse(body.bytes()).find(|(name, _)| name == "payload").map(|(_, value)| value);
        let payload = payload.ok_or_else(|| Unreadable(": there is no field `payload`".to_owned()))?;
        let place = |error: serde_json::Error| Unreadable(format!(" (line {}, column {})", error.line(), error.column()));
        serde_json::from_str(&payload).map_err(place)
    }

    /// What is wanted.
    pub fn wanted(&self, now: Timestamp) -> Wanted {
        match self.kind.as_str() {
            "block_actions" => self.pressed(now),
            "view_submission" => self.submitted(now),
            "shortcut" => self.shortcut(),
            other => Wanted::Ignore(format!("nothing here sends `{other}`")),
        }
    }

    /// The installation: the organisation where it installed the app, else the team that a view says it was opened for, else the team.
    fn workspace(&self) -> Option<Workspace> {
        let organisation = self.enterprise.as_ref().filter(|_| self.is_enterprise_install == Some(true)).map(|named| &named.id);
        let opened_for = self.view.as_ref().and_then(|view| view.app_installed_team_id.as_ref());
        let id = organisation.or(opened_for).or(self.team.as_ref().map(|named| &named.id));
        id.filter(|id| !id.is_empty()).map(Workspace::new)
    }

    fn person(&self, place: Option<Place>) -> Option<Person> {
        let user = self.user.as_ref().filter(|user| !user.id.is_empty())?;
        let team = user.team_id.as_ref().or(self.team.as_ref().map(|team| &team.id));
        Some(Person {
            id: UserId::new(&user.id),
            name: None,
            email: None,
            team: team.map(Workspace::new),
            enterprise: self.enterprise.as_ref().map(|enterprise| Workspace::new(&enterprise.id)),
            place,
        })
    }

    fn place(&self) -> Option<Place> {
        let message = self.message.as_ref().and_then(|message| message.ts.as_ref()).map(MessageTs::new);
        self.channel.as_ref().map(|channel| Place { channel: Channel::new(&channel.id), message })
    }

    fn pressed(&self, now: Timestamp) -> Wanted {
        let (Some(pressed), Some(person)) = (self.actions.first(), self.person(self.place())) else {
            return Wanted::Ignore("a click without an action or a user".to_owned());
        };
        let action = match pressed.action_id.as_str() {
            "acknowledge_incident" => Some(Action::Acknowledge),
            "reopen_incident" => Some(Action::Reopen),
            "resolve_incident" => None,
            other => return Wanted::Ignore(format!("nothing to do for `{other}`")),
        };
        // The card says whose it is: the payload's team may be that of a guest from another company.
        let value = pressed.value.as_deref().unwrap_or_default();
        let Some((workspace, incident)) =
            value.split_once('/').filter(|(workspace, incident)| !workspace.is_empty() && !incident.is_empty())
        else {
            return Wanted::Ignore("a button without an incident".to_owned());
        };
        let (workspace, incident) = (Workspace::new(workspace), IncidentId::new(incident));
        let Some(action) = action else {
            let place = person.place;
            let context = ResolveContext {
                workspace: workspace.clone(),
                incident,
                channel: place.as_ref().map(|place| place.channel.clone()),
                message: place.and_then(|place| place.message),
            };
            return self.open(Some(workspace), modal::resolve(&context));
        };
        let action_ts = pressed.action_ts.as_deref().unwrap_or_default();
        let parts = [workspace.as_str(), incident.as_str(), person.id.as_str(), &pressed.action_id, action_ts];
        Wanted::Queue(Job::Intent(Box::new(Intent {
            id: IntentId::of("click", &parts),
            workspace: Some(workspace.clone()),
            at: super::moment(action_ts).unwrap_or(now),
            by: Actor::User(person),
            target: Target::Id(incident),
            action,
            reply: self.response_url.clone().map(ReplyTo::ResponseUrl),
        })))
    }

    fn shortcut(&self) -> Wanted {
        match self.callback_id.as_deref() {
            Some("create_incident") => self.open(self.workspace(), modal::create(&CreateContext { channel: None })),
            other => Wanted::Ignore(format!("no shortcut `{}` here", other.unwrap_or_default())),
        }
    }

    fn open(&self, workspace: Option<Workspace>, view: View) -> Wanted {
        match (&self.trigger_id, workspace) {
            (Some(trigger), Some(workspace)) => {
                Wanted::Open { workspace, trigger: trigger.clone(), view: Box::new(view), otherwise: self.response_url.clone() }
            }
            _ => Wanted::Ignore("no trigger or no workspace to open a modal with".to_owned()),
        }
    }

    fn submitted(&self, now: Timestamp) -> Wanted {
        let Some(view) = &self.view else { return Wanted::Ignore("a submission without a view".to_owned()) };
        match view.callback_id.as_str() {
            "resolve_incident" => self.resolve_submitted(view, now),
            "create_incident" => self.create_submitted(view, now),
            other => Wanted::Ignore(format!("no view `{other}` here")),
        }
    }

    fn resolve_submitted(&self, view: &Submitted, now: Timestamp) -> Wanted {
        let context: Option<ResolveContext> = serde_json::from_str(&view.private_metadata).ok();
        let Some(context) = context else { return Wanted::Ignore("a resolve form that is not ours".to_owned()) };
        let (note, root_cause) = (view.text("note"), view.text("root_cause"));
        let mistakes: Vec<_> =
            [too_long("note", note.as_ref(), modal::NOTE_MAX), too_long("root_cause", root_cause.as_ref(), modal::ROOT_CAUSE_MAX)]
                .into_iter()
                .flatten()
                .collect();
        if !mistakes.is_empty() {
            return Wanted::Correct(mistakes);
        }
        let place = context.channel.map(|channel| Place { channel, message: context.message });
        let action = Action::Resolve(Closing { note, root_cause });
        self.queue_submission(view, Some(context.workspace), place, Target::Id(context.incident), action, now)
    }

    fn create_submitted(&self, view: &Submitted, now: Timestamp) -> Wanted {
        let context: CreateContext = serde_json::from_str(&view.private_metadata).unwrap_or_default();
        let (title, description, service) = (view.text("title"), view.text("description"), view.text("service"));
        let mut mistakes: Vec<_> = [
            too_long("title", title.as_ref(), modal::TITLE_MAX),
            too_long("description", description.as_ref(), modal::DESCRIPTION_MAX),
            too_long("service", service.as_ref(), modal::SERVICE_MAX),
        ]
        .into_iter()
        .flatten()
        .collect();
        if title.is_none() {
            mistakes.push(("title", Refusal::new("Say in a few words what is wrong.")));
        }
        if !mistakes.is_empty() {
            return Wanted::Correct(mistakes);
        }
        let severity = view.chosen("severity").as_deref().and_then(Severity::parse);
        let changes = Changes { title, description, severity, service, ..Changes::default() };
        let place = context.channel.map(|channel| Place { channel, message: None });
        self.queue_submission(view, self.workspace(), place, Target::New, Action::Create(changes), now)
    }

    fn queue_submission(
        &self,
        view: &Submitted,
        workspace: Option<Workspace>,
        place: Option<Place>,
        target: Target,
        action: Action,
        now: Timestamp,
    ) -> Wanted {
        let (Some(workspace), Some(person)) = (workspace, self.person(place)) else {
            return Wanted::Ignore("a submission without a workspace or a user".to_owned());
        };
        // A submission brings no response_url: the answer goes to where the form was opened from, or to the person.
        let channel = person.place.as_ref().map_or_else(|| Channel::new(person.id.as_str()), |place| place.channel.clone());
        let reply = ReplyTo::Ephemeral { channel, user: person.id.clone(), thread: None };
        Wanted::Queue(Job::Intent(Box::new(Intent {
            // One form makes one wish, however often its button is pressed.
            id: IntentId::of("form", &[workspace.as_str(), &view.id]),
            workspace: Some(workspace),
            at: now,
            by: Actor::User(person),
            target,
            action,
            reply: Some(reply),
        })))
    }
}

impl Submitted {
    /// What was typed into a block, without the space around it; `None` for nothing.
    fn text(&self, block: &str) -> Option<String> {
        let field = self.state.values.get(block)?.values().next()?;
        field.value.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn chosen(&self, block: &str) -> Option<String> {
        let field = self.state.values.get(block)?.values().next()?;
        field.selected_option.as_ref().map(|chosen| chosen.value.clone())
    }
}

fn too_long(block: &'static str, text: Option<&String>, most: usize) -> Option<(&'static str, Refusal)> {
    let length = text?.chars().count();
    let refusal = || Refusal::new(format!("At most {most} characters, please; these are {length}."));
    (length > most).then(|| (block, refusal()))
}
