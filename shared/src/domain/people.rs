//! Who somebody is, and whether they may act.

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::ids::{Channel, UserId, Workspace, is_slack_id};
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

/// Whom something is left to: people `U…` and usergroups `S…`. Nobody named: everybody who may act.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Who(Vec<String>);

impl Who {
    /// These people and usergroups, by their ids.
    pub fn new(ids: Vec<String>) -> Self {
        Self(ids)
    }

    /// Nobody in particular is named.
    pub fn is_anybody(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is left to this person, who is a member of these usergroups.
    pub fn includes(&self, person: &UserId, member_of: &[String]) -> bool {
        self.is_anybody() || self.0.iter().any(|id| id == person.as_str() || member_of.contains(id))
    }

    /// The people and usergroups, in the order in which they are named.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The usergroups.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.ids().filter(|id| id.starts_with('S'))
    }

    /// The people who are named themselves.
    pub fn people(&self) -> impl Iterator<Item = UserId> {
        self.ids().filter(|id| !id.starts_with('S')).map(UserId::new)
    }
}

/// A person or a usergroup, as a [`Refusal`] names them. What is no id of Slack's calls nobody.
pub fn mention(id: &str) -> String {
    match id {
        group if is_slack_id(group, &['S']) => format!("the usergroup {group}"),
        person if is_slack_id(person, &['U', 'W']) => format!("<@{person}>"),
        other => other.replace('<', ""),
    }
}

/// Who besides members may act, as the workspace's configuration says: in which channels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// Guests.
    pub guests: Vec<Channel>,
    /// People of other companies, in channels that are shared with them.
    pub strangers: Vec<Channel>,
}

/// Whether a person with this standing may act where they are, and why not.
pub fn may_act(standing: Standing, person: &Person, others: &Others) -> Result<(), Refusal> {
    let place = person.place.as_ref().map(|place| &place.channel);
    let is_open = |channels: &[Channel]| place.is_some_and(|place| channels.contains(place));
    match standing {
        Standing::Guest if is_open(&others.guests) => Ok(()),
        Standing::Stranger if is_open(&others.strangers) => Ok(()),
        Standing::Member | Standing::Guest | Standing::Stranger | Standing::Inactive | Standing::Bot | Standing::Unknown => {
            may_anywhere(standing)
        }
    }
}

/// Whether a person with this standing may act wherever they are, and why not.
pub fn may_anywhere(standing: Standing) -> Result<(), Refusal> {
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
    may_anywhere(profile.standing)?;
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
    use super::super::intent::Place;
    use super::*;

    fn outside(team: Option<&str>, enterprise: Option<&str>, workspace: &str) -> bool {
        let (team, enterprise) = (team.map(Workspace::new), enterprise.map(Workspace::new));
        let person = Person { id: UserId::new("U1"), name: None, email: None, team, enterprise, place: None };
        stands_outside(&person, &Workspace::new(workspace)) == Some(Standing::Stranger)
    }

    #[test]
    fn guests_and_strangers_act_where_the_configuration_says() {
        let (partners, shared) = (Channel::new("C1PARTNERS"), Channel::new("C1SHARED"));
        let others = Others { guests: vec![partners.clone()], strangers: vec![shared.clone()] };
        let at = |place: Option<&Channel>| {
            let place = place.map(|channel| Place { channel: channel.clone(), message: None });
            Person { id: UserId::new("U1"), name: None, email: None, team: None, enterprise: None, place }
        };
        let may = |standing, place: &Channel| may_act(standing, &at(Some(place)), &others).is_ok();
        assert!(may(Standing::Guest, &partners) && !may(Standing::Guest, &shared));
        assert!(may(Standing::Stranger, &shared) && !may(Standing::Stranger, &partners));
        for nobody in [Standing::Inactive, Standing::Bot, Standing::Unknown] {
            assert!(!may(nobody, &partners) && !may(nobody, &shared));
        }
        assert!(may_act(Standing::Guest, &at(None), &others).is_err(), "not from just anywhere");
        assert!(may_act(Standing::Member, &at(None), &others).is_ok());
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
