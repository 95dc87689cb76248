//! What is pressed that is about no incident: at Home, and on the message by which the bot says hello.

use super::{Payload, Pressed, Wanted};
use crate::domain::configuration::Switch;
use crate::domain::ids::{Channel, IntentId, Workspace};
use crate::domain::intent::{Job, Person, ReplyTo};
use crate::domain::surfaces::{Setting, SettingWish};
use crate::render::modal::{self, CreateContext};

impl Payload {
    /// What it is, where it is one of these.
    pub(super) fn at_home(&self, pressed: &Pressed, person: &Person) -> Option<Wanted> {
        let value = pressed.value.as_deref().unwrap_or_default();
        let at_home = |change| (self.workspace(), change);
        let (workspace, change) = match pressed.action_id.as_str() {
            "create_incident_form" => return Some(self.open(self.workspace(), modal::create(&CreateContext::default()))),
            "default_channel" => at_home(Setting::DefaultChannel(Channel::new(pressed.selected_conversation.as_ref()?))),
            // The button names its installation: the one who presses may be from another company.
            "route_incidents_here" => {
                let (workspace, channel) = value.split_once('/')?;
                (Some(Workspace::new(workspace)), Setting::DefaultChannel(Channel::new(channel)))
            }
            other => at_home(Setting::Switch(Switch::parse(other.strip_prefix("switch_")?)?, value == "on")),
        };
        let Some(workspace) = workspace else { return Some(Wanted::Ignore("a setting of no workspace".to_owned())) };
        let action_ts = pressed.action_ts.as_deref().unwrap_or_default();
        let id = IntentId::of("click", &[workspace.as_str(), person.id.as_str(), &pressed.action_id, value, action_ts]);
        let reply = self.response_url.clone().map(ReplyTo::ResponseUrl);
        Some(Wanted::Queue(Job::Setting(SettingWish { id, workspace, by: person.clone(), change, reply })))
    }
}
