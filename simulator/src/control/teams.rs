//! Workspaces, organisations, and the tokens with which the app calls for them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, Sim, parse};
use crate::oauth::{self, Consent};
use crate::people::Refused;
use crate::teams::{Enterprise, Team};
use crate::webhooks;
use crate::world::TEAM;

#[derive(Deserialize)]
struct TeamWish {
    id: String,
    name: Option<String>,
    domain: Option<String>,
    enterprise_id: Option<String>,
    enterprise_name: Option<String>,
}

/// Creates or changes a workspace, and the organisation that it belongs to.
pub(super) async fn set(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: TeamWish = parse(&body)?;
    if !wish.id.starts_with('T') || wish.enterprise_id.as_ref().is_some_and(|id| !id.starts_with('E')) {
        return Err(Refused::bad("a team's id begins with T, an organisation's with E"));
    }
    let mut state = slack.lock();
    let world = &mut state.world;
    if let Some(id) = &wish.enterprise_id {
        if let Some(known) = world.enterprises.iter_mut().find(|enterprise| enterprise.id == *id) {
            known.name = wish.enterprise_name.unwrap_or_else(|| known.name.clone());
        } else {
            let name = wish.enterprise_name.unwrap_or_else(|| id.clone());
            world.enterprises.push(Enterprise { id: id.clone(), name, org_wide: false });
        }
    }
    let short = wish.id.trim_start_matches('T').trim_start_matches('0');
    let known = world.team(&wish.id).cloned().unwrap_or_else(|| Team {
        id: wish.id.clone(),
        name: short.to_owned(),
        domain: short.to_lowercase(),
        enterprise_id: None,
    });
    let team = Team {
        name: wish.name.unwrap_or(known.name),
        domain: wish.domain.unwrap_or(known.domain),
        enterprise_id: wish.enterprise_id.or(known.enterprise_id),
        id: known.id,
    };
    match world.teams.iter_mut().find(|other| other.id == team.id) {
        Some(place) => *place = team,
        None => world.teams.push(team),
    }
    let installation = world.installation_of(&wish.id);
    world.settle_bot(&installation);
    state.tell_users();
    state.tell_teams();
    let shape = state.teams().into_iter().find(|team| team["id"] == wish.id);
    Ok(Json(json!(shape)))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Tokens {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct TokenWish {
    /// A team, or an organisation.
    team: Option<String>,
    bot_token: Option<Tokens>,
    signing_secret: Option<String>,
    scopes: Option<Vec<String>>,
    error: Option<Value>,
}

/// Sets an installation's tokens, its scopes and what it is answered with.
pub(super) async fn token(Shared(slack): Sim, body: Bytes) -> Reply {
    // `error: null` means something else than no `error`, which serde's Option does not tell apart.
    let clears_error = parse::<Value>(&body)?.get("error").is_some_and(Value::is_null);
    let wish: TokenWish = parse(&body)?;
    let mut state = slack.lock();
    let id = wish.team.unwrap_or_else(|| TEAM.to_owned());
    if wish.bot_token.is_some() {
        if state.world.teams_of(&id).is_empty() {
            return Err(Refused::not_found(format!("there is no team and no organisation {id}")));
        }
        if !state.install(&id) {
            return Err(Refused::bad(format!(
                "cannot_install_an_org_installed_app: the organisation has it for all of its workspaces, and so for {id}"
            )));
        }
    }
    match wish.bot_token {
        Some(Tokens::One(token)) => state.access.set_tokens(&id, &[token]),
        Some(Tokens::Several(tokens)) => state.access.set_tokens(&id, &tokens),
        None => {}
    }
    if let Some(secret) = wish.signing_secret {
        state.access.signing_secret = secret;
    }
    let known = state.access.installations.get_mut(&id);
    let installation = known.ok_or_else(|| Refused::not_found(format!("the app is not installed in {id}")))?;
    if let Some(scopes) = wish.scopes {
        installation.scopes = scopes;
    }
    if clears_error {
        installation.error = None;
    } else if let Some(error) = wish.error {
        installation.error = error.as_str().map(str::to_owned);
    }
    let answer = json!({"ok": true, "team": id, "scopes": installation.scopes, "error": installation.error});
    state.tell_teams();
    Ok(Json(answer))
}

#[derive(Deserialize)]
struct OAuthWish {
    client_id: Option<String>,
    client_secret: Option<String>,
    rotation: Option<bool>,
}

/// Sets the app's credentials, and whether its tokens expire.
pub(super) async fn oauth(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: OAuthWish = parse(&body)?;
    let mut state = slack.lock();
    let oauth = &mut state.oauth;
    oauth.client_id = wish.client_id.unwrap_or_else(|| oauth.client_id.clone());
    oauth.client_secret = wish.client_secret.unwrap_or_else(|| oauth.client_secret.clone());
    oauth.rotation = wish.rotation.unwrap_or(oauth.rotation);
    Ok(Json(json!({"client_id": oauth.client_id, "rotation": oauth.rotation})))
}

#[derive(Deserialize)]
struct AuthorizeWish {
    /// A team, or an organisation.
    team: String,
    #[serde(default)]
    state: String,
    redirect_uri: String,
    scope: String,
    user: Option<String>,
}

/// Somebody allows the app, without a browser.
pub(super) async fn authorize(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: AuthorizeWish = parse(&body)?;
    let consent = Consent {
        installation: &wish.team,
        user: wish.user.as_deref(),
        scope: &wish.scope,
        redirect_uri: &wish.redirect_uri,
        state: &wish.state,
    };
    let (code, location) = oauth::allow(&mut slack.lock(), &consent)?;
    Ok(Json(json!({"code": code, "location": location})))
}

#[derive(Deserialize)]
struct WebhookWish {
    team: Option<String>,
    channel: String,
}

/// Makes an incoming webhook for a channel.
pub(super) async fn webhook(Shared(slack): Sim, body: Bytes) -> Reply {
    let wish: WebhookWish = parse(&body)?;
    let mut state = slack.lock();
    let known = state.world.channel_by_id_or_name(&wish.channel, Some(wish.team.as_deref().unwrap_or(TEAM)));
    let known = known.filter(|channel| wish.team.as_ref().is_none_or(|team| channel.team_id == *team)).cloned();
    let channel = known.ok_or_else(|| Refused::not_found(format!("there is no channel {}", wish.channel)))?;
    let (webhook, path) = webhooks::create(&mut state, &channel.team_id, &channel.id);
    let url = format!("{}{path}", slack.base_url());
    Ok(Json(json!({"url": url, "team": webhook.team, "channel": webhook.channel, "bot_id": webhook.bot_id})))
}
