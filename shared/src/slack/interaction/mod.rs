//! Buttons, modals and shortcuts: what Slack sends, and what of it is an intent.
//!
//! [`press`] reads buttons and menus, [`home`] what is pressed that is about no incident, [`form`] what was filled in. Payloads are read tolerantly: what is missing or new is passed over, and a kind, action or view that is not ours is answered and ignored.
//! <https://docs.slack.dev/interactivity/handling-user-interaction>

mod form;
mod home;
mod press;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::Refusal;
use crate::domain::ids::{Channel, MessageTs, UserId, Workspace};
use crate::domain::intent::{Job, Person, Place};
use crate::domain::surfaces::Quoted;
use crate::render::modal::{self, CreateContext};
use crate::slack::blocks::View;

use super::text;
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
    pub thread_ts: Option<String>,
    pub text: Option<String>,
}

/// A button that was pressed, or a line of a menu that was chosen.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Pressed {
    pub action_id: String,
    pub value: Option<String>,
    pub selected_option: Option<Chosen>,
    pub selected_conversation: Option<String>,
    pub action_ts: Option<String>,
}

/// A view that was submitted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Submitted {
    pub id: String,
    pub hash: String,
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
    pub selected_user: Option<String>,
    pub selected_date_time: Option<i64>,
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
    /// Put a modal in the place of the one that is open, in place: what was typed into that one is in this payload and nowhere else.
    Replace {
        /// In which installation, and so with whose token.
        workspace: Workspace,
        /// Which modal.
        shown: String,
        /// What it was when the button was pressed, so that nothing newer is replaced.
        hash: String,
        /// By what.
        view: Box<View>,
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
            "message_action" => self.message_shortcut(),
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

    fn shortcut(&self) -> Wanted {
        match self.callback_id.as_deref() {
            Some("create_incident") => self.open(self.workspace(), modal::create(&CreateContext::default())),
            other => Wanted::Ignore(format!("no shortcut `{}` here", other.unwrap_or_default())),
        }
    }

    /// Somebody makes an incident of a message: the form quotes it. <https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload>
    fn message_shortcut(&self) -> Wanted {
        let callback_id = self.callback_id.as_deref().unwrap_or_default();
        let message = self.message.as_ref().filter(|_| callback_id == "create_incident_from_message");
        let place = message.and_then(|message| Some((message, message.ts.as_ref()?, self.channel.as_ref()?)));
        let Some((message, ts, channel)) = place else { return Wanted::Ignore(format!("no message shortcut `{callback_id}` here")) };
        let (channel, ts) = (Channel::new(&channel.id), MessageTs::new(ts));
        let thread = message.thread_ts.as_ref().map(MessageTs::new).filter(|thread| *thread != ts);
        let context = CreateContext { channel: Some(channel.clone()), message: Some(Quoted { channel, ts, thread }) };
        self.open(self.workspace(), modal::create_quoting(&context, &text::plain(message.text.as_deref().unwrap_or_default())))
    }

    fn open(&self, workspace: Option<Workspace>, view: View) -> Wanted {
        match (&self.trigger_id, workspace) {
            (Some(trigger), Some(workspace)) => {
                Wanted::Open { workspace, trigger: trigger.clone(), view: Box::new(view), otherwise: self.response_url.clone() }
            }
            _ => Wanted::Ignore("no trigger or no workspace to open a modal with".to_owned()),
        }
    }
}
