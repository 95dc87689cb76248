//! Who somebody is, and whether they may act.

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::ids::Workspace;
use super::intent::Person;

/// What Slack knows about a person, from `users.info`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What they are called.
    pub name: String,
    /// Their address, where the scope `users:read.email` is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether they may act.
    pub standing: Standing,
}

/// What somebody is to the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A full member.
    Member,
    /// A guest of one or several channels.
    Guest,
    /// From another company, in a shared channel.
    Stranger,
    /// Deactivated.
    Inactive,
    /// Not a person.
    Bot,
    /// Slack does not tell: the app lacks the scope to ask, or its token is not accepted.
    Unknown,
}

/// Whether somebody with this standing may act, and why not.
pub fn may_act(standing: Standing) -> Result<(), Refusal> {
    let why = match standing {
        Standing::Member => return Ok(()),
        Standing::Guest => "Guests cannot act on incidents here. Please ask a member of this workspace.",
        Standing::Stranger => "Only members of the workspace that runs Tocsin can act on its incidents. Please ask one of them.",
        Standing::Inactive => "Your account is deactivated, so it cannot act on incidents.",
        Standing::Bot => "Bots cannot act on incidents through Slack. Let it put a message on the queue instead.",
        Standing::Unknown => {
            "Tocsin cannot find out who you are, so nothing was done. Please tell whoever looks after it: the app needs the scope users:read and a working bot token."
        }
    };
    Err(Refusal::new(why))
}

/// Whether the payload itself already says that the person is from elsewhere; `None` where only Slack can tell.
pub fn stands_outside(person: &Person, workspace: &Workspace) -> Option<Standing> {
    let home = [&person.team, &person.enterprise];
    let known = home.iter().any(|place| place.is_some());
    let ours = home.iter().any(|place| place.as_ref() == Some(workspace));
    (known && !ours).then_some(Standing::Stranger)
}
