//! Where the app is installed, and who calls with which token.

use std::collections::BTreeMap;

use crate::teams::Bot;
use crate::world::{Channel, SLACKBOT, TEAM, User, World};

/// What one workspace, or one organisation for all of its workspaces, has granted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Installation {
    pub(crate) tokens: Vec<String>,
    pub(crate) scopes: Vec<String>,
    /// What its tokens are answered with, once they were revoked or the app uninstalled.
    pub(crate) error: Option<String>,
}

/// What the Web API lets in.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) signing_secret: String,
    /// Scopes of a new installation that names none.
    scopes: Vec<String>,
    /// By the id of the team or the organisation.
    pub(crate) installations: BTreeMap<String, Installation>,
}

impl Access {
    pub(crate) fn start(signing_secret: &str, bot_token: &str, scopes: &[String]) -> Self {
        let first = Installation { tokens: vec![bot_token.to_owned()], scopes: scopes.to_vec(), error: None };
        Self {
            signing_secret: signing_secret.to_owned(),
            scopes: scopes.to_vec(),
            installations: BTreeMap::from([(TEAM.to_owned(), first)]),
        }
    }

    /// The installation of a team or an organisation, which begins with no token.
    pub(crate) fn installation(&mut self, id: &str) -> &mut Installation {
        let scopes = &self.scopes;
        self.installations.entry(id.to_owned()).or_insert_with(|| Installation { scopes: scopes.clone(), ..Installation::default() })
    }

    /// Makes these the tokens of one installation, and of no other.
    pub(crate) fn set_tokens(&mut self, id: &str, tokens: Vec<String>) {
        for other in self.installations.values_mut() {
            other.tokens.retain(|token| !tokens.contains(token));
        }
        self.installation(id).tokens = tokens;
    }

    /// Whose a token is.
    pub(crate) fn owner(&self, token: &str) -> Option<(&String, &Installation)> {
        self.installations.iter().find(|(_, installation)| installation.tokens.iter().any(|known| known == token))
    }
}

/// Who calls: an installation, and what it may see.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The team, or the organisation.
    pub(crate) installation: String,
    pub(crate) bot: Bot,
    pub(crate) scopes: Vec<String>,
    /// The organisation's id for an organisation-wide installation.
    pub(crate) enterprise: Option<String>,
    teams: Vec<String>,
}

impl Caller {
    pub(crate) fn new(world: &World, installation: &str, scopes: &[String]) -> Self {
        Self {
            installation: installation.to_owned(),
            bot: Bot::of(installation),
            scopes: scopes.to_vec(),
            enterprise: world.enterprise(installation).map(|enterprise| enterprise.id.clone()),
            teams: world.teams_of(installation),
        }
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// Whether this team is one that the installation is for.
    pub(crate) fn reaches(&self, team: &str) -> bool {
        self.teams.iter().any(|reached| reached == team)
    }

    /// The team to act in where nothing else says it.
    pub(crate) fn home(&self) -> &str {
        self.teams.first().map_or(self.installation.as_str(), String::as_str)
    }

    /// The team in which this person is spoken to: their own, or for somebody of another workspace the one that shares a channel.
    pub(crate) fn team_for<'a>(&'a self, user: &'a User) -> &'a str {
        if self.reaches(&user.team_id) { &user.team_id } else { self.home() }
    }

    /// The one team that a list is about: an organisation's installation has to name it, a team's has only its own and names none here.
    pub(crate) fn listed_team(&self, wanted: Option<String>) -> Result<Option<String>, &'static str> {
        match (&self.enterprise, wanted) {
            (None, _) => Ok(None),
            (Some(_), None) => Err("missing_argument"),
            (Some(_), Some(team)) if self.reaches(&team) => Ok(Some(team)),
            (Some(_), Some(_)) => Err("team_access_not_granted"),
        }
    }

    /// A channel by its id. What belongs to another installation is not there.
    pub(crate) fn channel<'w>(&self, world: &'w World, id: &str) -> Option<&'w Channel> {
        world.channel(id).filter(|channel| self.reaches(&channel.team_id))
    }

    /// A channel by its id or its name. A name that two workspaces of an organisation use names none.
    pub(crate) fn channel_by_id_or_name<'w>(&self, world: &'w World, wanted: &str) -> Option<&'w Channel> {
        let name = wanted.trim_start_matches('#');
        self.channel(world, wanted).or_else(|| {
            let mut named =
                world.channels.iter().filter(|channel| !channel.is_im && channel.name == name && self.reaches(&channel.team_id));
            named.next().filter(|_| named.next().is_none())
        })
    }

    /// A person by id: somebody of its teams, or somebody from elsewhere who shares a channel with them.
    pub(crate) fn user<'w>(&self, world: &'w World, id: &str) -> Option<&'w User> {
        world.users.iter().find(|user| user.id == id).filter(|user| self.sees(world, user))
    }

    pub(crate) fn sees(&self, world: &World, user: &User) -> bool {
        let shares = |channel: &Channel| self.reaches(&channel.team_id) && channel.members.contains(&user.id);
        self.reaches(&user.team_id) || user.id == SLACKBOT || world.channels.iter().any(shares)
    }
}
