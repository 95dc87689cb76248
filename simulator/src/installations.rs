//! Where the app is installed, and who calls with which token.

use std::collections::BTreeMap;

use crate::clock;
use crate::teams::Bot;
use crate::world::{Channel, SLACKBOT, TEAM, User, World};

/// How many access tokens of one installation may be alive, that is neither revoked nor expired.
const MOST_ALIVE: usize = 2;

/// An access token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Milliseconds since 1970; none: it does not expire.
    pub(crate) expires_at: Option<u64>,
    /// What it is answered with for good.
    pub(crate) error: Option<&'static str>,
}

impl Token {
    /// A token that works until it is revoked.
    pub(crate) fn lasting(text: &str) -> Self {
        Self { text: text.to_owned(), expires_at: None, error: None }
    }

    /// What it is answered with at this time; none: it works.
    pub(crate) fn error_at(&self, now: u64) -> Option<&'static str> {
        let is_expired = self.expires_at.is_some_and(|at| at <= now);
        self.error.or_else(|| is_expired.then_some("token_expired"))
    }
}

/// What one workspace, or one organisation for all of its workspaces, has granted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Installation {
    /// The oldest first; dead ones stay known.
    pub(crate) tokens: Vec<Token>,
    /// What the next pair of tokens is given for, once.
    pub(crate) refresh_token: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// What all its tokens are answered with, once they were revoked or the app uninstalled.
    pub(crate) error: Option<String>,
}

impl Installation {
    /// Adds a token. One too many revokes the oldest that is alive.
    pub(crate) fn add(&mut self, token: Token, now: u64) {
        self.tokens.push(token);
        let alive = |token: &Token| token.error_at(now).is_none();
        if self.tokens.iter().filter(|token| alive(token)).count() > MOST_ALIVE
            && let Some(oldest) = self.tokens.iter_mut().find(|token| alive(token))
        {
            oldest.error = Some("token_revoked");
        }
    }

    /// The app is removed.
    pub(crate) fn end(&mut self) {
        self.error = Some("account_inactive".to_owned());
        self.refresh_token = None;
    }

    /// The app is installed again after it was removed: what was given before stays dead.
    pub(crate) fn begin_anew(&mut self) {
        self.error = None;
        self.refresh_token = None;
        for token in &mut self.tokens {
            token.error = token.error.or(Some("account_inactive"));
        }
    }
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
        let first = Installation { tokens: vec![Token::lasting(bot_token)], scopes: scopes.to_vec(), ..Installation::default() };
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
    pub(crate) fn set_tokens(&mut self, id: &str, tokens: &[String]) {
        for other in self.installations.values_mut() {
            other.tokens.retain(|token| !tokens.contains(&token.text));
        }
        self.installation(id).tokens = tokens.iter().map(|text| Token::lasting(text)).collect();
    }

    /// Whose a token is.
    pub(crate) fn owner(&self, token: &str) -> Option<(&String, &Installation)> {
        self.installations.iter().find(|(_, installation)| installation.tokens.iter().any(|known| known.text == token))
    }
}

/// Who calls: an installation, and what it may see.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The team, or the organisation.
    pub(crate) installation: String,
    pub(crate) bot: Bot,
    pub(crate) scopes: Vec<String>,
    /// What the token is answered with, if it does not work any more.
    pub(crate) refusal: Option<String>,
    /// The organisation's id for an organisation-wide installation.
    pub(crate) enterprise: Option<String>,
    teams: Vec<String>,
}

impl Caller {
    /// Whoever has this token, if anybody.
    pub(crate) fn with(token: &str, access: &Access, world: &World) -> Option<Self> {
        let (id, installation) = access.owner(token)?;
        let dead = installation.tokens.iter().find(|known| known.text == token).and_then(|token| token.error_at(clock::millis()));
        Some(Self {
            installation: id.clone(),
            bot: Bot::of(id),
            scopes: installation.scopes.clone(),
            refusal: installation.error.clone().or_else(|| dead.map(str::to_owned)),
            enterprise: world.enterprise(id).map(|enterprise| enterprise.id.clone()),
            teams: world.teams_of(id),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tokens_are_alive_and_a_third_ends_the_oldest() {
        let mut installation = Installation::default();
        let short = |text: &str, expires_at| Token { expires_at: Some(expires_at), ..Token::lasting(text) };
        installation.add(short("expired", 100), 0);
        for text in ["first", "second", "third"] {
            installation.add(short(text, 1000), 200);
        }
        let errors: Vec<_> = installation.tokens.iter().map(|token| token.error_at(500)).collect();
        assert_eq!(errors, [Some("token_expired"), Some("token_revoked"), None, None]);
        installation.end();
        installation.begin_anew();
        assert!(installation.tokens.iter().all(|token| token.error_at(200).is_some()));
    }
}
