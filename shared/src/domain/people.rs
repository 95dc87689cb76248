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
    /// Whether they look after the workspace: an admin or an owner of it.
    #[serde(default)]
    pub admin: bool,
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

/// Whether somebody may change what the whole workspace gets, and why not.
pub fn may_set(profile: &Profile) -> Result<(), Refusal> {
    may_act(profile.standing)?;
    if profile.admin {
        Ok(())
    } else {
        Err(Refusal::new("Only an admin or an owner of this workspace can change its settings. Please ask one of them."))
    }
}

/// Whether the payload itself already says that the person is from elsewhere; `None` where only Slack can tell.
pub fn stands_outside(person: &Person, workspace: &Workspace) -> Option<Standing> {
    // Which teams belong to an organisation, the payload does not say.
    if workspace.is_enterprise() && person.enterprise.is_none() {
        return None;
    }
    let home = [&person.team, &person.enterprise];
    let known = home.iter().any(|place| place.is_some());
    let ours = home.iter().any(|place| place.as_ref() == Some(workspace));
    (known && !ours).then_some(Standing::Stranger)
}

#[cfg(test)]
mod tests {
    use super::super::ids::UserId;
    use super::*;

    fn outside(team: Option<&str>, enterprise: Option<&str>, workspace: &str) -> bool {
        let (team, enterprise) = (team.map(Workspace::new), enterprise.map(Workspace::new));
        let person = Person { id: UserId::new("U1"), name: None, email: None, team, enterprise, place: None };
        stands_outside(&person, &Workspace::new(workspace)) == Some(Standing::Stranger)
    }

    #[test]
    fn who_is_from_elsewhere_is_told_by_team_or_organisation() {
        assert!(outside(Some("T2"), None, "T1"));
        assert!(outside(Some("T2"), Some("E1"), "T1"));
        assert!(outside(Some("T2"), Some("E2"), "E1"));
        for (team, enterprise, workspace) in
            [(Some("T1"), None, "T1"), (Some("T2"), Some("E1"), "E1"), (Some("T1"), Some("E1"), "T1"), (None, None, "T1")]
        {
            assert!(!outside(team, enterprise, workspace), "{team:?} {enterprise:?} {workspace}");
        }
        assert!(!outside(Some("T2"), None, "E1"), "only Slack can tell whether this team is the organisation's");
    }
}
