//! OAuth v2: somebody allows the app, a code comes back, and tokens are given for it; with rotation, new ones for old ones.

pub(crate) mod consent;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::clock;
use crate::installations::Token;
use crate::people::Refused;
use crate::state::State;
use crate::teams::Bot;
use crate::web_api::ApiError;
use crate::web_api::args::Args;
use crate::world::APP_ID;

/// The method that gives tokens; the only one without a token of its own.
pub(crate) const ACCESS: &str = "oauth.v2.access";

/// The app's credentials, and what was allowed and not yet fetched.
#[derive(Debug)]
pub(crate) struct OAuth {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// Whether access tokens expire.
    pub(crate) rotation: bool,
    codes: HashMap<String, Code>,
}

impl OAuth {
    pub(crate) fn new(client_id: &str, client_secret: &str, rotation: bool) -> Self {
        Self { client_id: client_id.to_owned(), client_secret: client_secret.to_owned(), rotation, codes: HashMap::new() }
    }
}

/// What somebody allowed.
#[derive(Debug, Clone)]
struct Code {
    /// The team, or the organisation.
    installation: String,
    user: String,
    scopes: Vec<String>,
    redirect_uri: String,
    at: u64,
    used: bool,
}

/// What somebody allows.
#[derive(Debug)]
pub(crate) struct Consent<'a> {
    pub(crate) installation: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) scope: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) state: &'a str,
}

/// Somebody allows the app: the code, and the address with it where the browser goes next.
pub(crate) fn allow(state: &mut State, consent: &Consent<'_>) -> Result<(String, String), Refused> {
    let id = consent.installation;
    let teams = state.world.teams_of(id);
    if teams.is_empty() {
        return Err(Refused::not_found(format!("there is no team and no organisation {id}")));
    }
    check_redirect(consent.redirect_uri)?;
    let scopes: Vec<String> = consent.scope.split([',', ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err(Refused::bad("no scopes are asked for"));
    }
    let person = if let Some(wanted) = consent.user {
        state.world.user(wanted).ok_or_else(|| Refused::not_found(format!("there is no user {wanted}")))?.id.clone()
    } else {
        let admin = state.world.users.iter().find(|user| teams.contains(&user.team_id) && !user.is_bot && !user.deleted);
        admin.map_or_else(|| format!("U0ADMIN{id}"), |user| user.id.clone())
    };
    let code = format!("{}.{}.{}", state.world.number(), clock::micros(), state.secret_text());
    let granted = Code {
        installation: id.to_owned(),
        user: person,
        scopes,
        redirect_uri: consent.redirect_uri.to_owned(),
        at: clock::millis(),
        used: false,
    };
    state.oauth.codes.insert(code.clone(), granted);
    let location = with_query(consent.redirect_uri, &[("code", &code), ("state", consent.state)]);
    Ok((code, location))
}

/// Only the web is a place to go back to.
fn check_redirect(uri: &str) -> Result<(), Refused> {
    let is_web = ["http://", "https://"].iter().any(|scheme| uri.starts_with(scheme));
    if is_web { Ok(()) } else { Err(Refused::bad("bad_redirect_uri: it begins with http:// or https://")) }
}

fn with_query(uri: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{uri}{}{query}", if uri.contains('?') { '&' } else { '?' })
}

/// The installation that a call of `oauth.v2.access` is about, if what it brings is known.
pub(crate) fn installation_of(state: &State, args: &Args) -> Option<String> {
    let code = args.secret("code").and_then(|code| state.oauth.codes.get(code)).map(|code| code.installation.clone());
    code.or_else(|| refreshed(state, args))
}

/// The installation whose refresh token this is.
fn refreshed(state: &State, args: &Args) -> Option<String> {
    let token = args.secret("refresh_token")?;
    let fits = state.access.installations.iter().find(|(_, known)| known.error.is_none() && known.refresh_token.as_deref() == Some(token));
    fits.map(|(id, _)| id.clone())
}

/// `oauth.v2.access`.
pub(crate) fn access(state: &mut State, args: &Args) -> Result<Map<String, Value>, ApiError> {
    let (client_id, client_secret) = match &args.basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (args.get("client_id").and_then(Value::as_str), args.secret("client_secret")),
    };
    if client_id != Some(&state.oauth.client_id) {
        return Err("invalid_client_id".into());
    }
    if client_secret != Some(&state.oauth.client_secret) {
        return Err("bad_client_secret".into());
    }
    match args.text("grant_type").as_deref() {
        None | Some("authorization_code") => exchange(state, args),
        Some("refresh_token") => {
            let id = refreshed(state, args).ok_or("invalid_refresh_token")?;
            Ok(tokens(state, &id, None))
        }
        Some(_) => Err("invalid_grant_type".into()),
    }
}

/// Tokens for a code, which is good once and for ten minutes.
fn exchange(state: &mut State, args: &Args) -> Result<Map<String, Value>, ApiError> {
    let lifetime = state.timing.code_ms;
    let code = args.secret("code").and_then(|code| state.oauth.codes.get_mut(code)).ok_or("invalid_code")?;
    if code.used {
        return Err("code_already_used".into());
    }
    if clock::millis() > code.at + lifetime {
        return Err("invalid_code".into());
    }
    if args.text("redirect_uri").as_deref() != Some(&code.redirect_uri) {
        return Err("bad_redirect_uri".into());
    }
    code.used = true;
    let code = code.clone();
    if !state.install(&code.installation) {
        return Err("cannot_install_an_org_installed_app".into());
    }
    let installation = state.access.installation(&code.installation);
    if installation.error.is_some() || installation.tokens.is_empty() {
        // What was there before the app was removed stays dead.
        installation.begin_anew();
        installation.scopes.clear();
    }
    // Scopes add up, from one consent to the next.
    for scope in &code.scopes {
        if !installation.scopes.contains(scope) {
            installation.scopes.push(scope.clone());
        }
    }
    state.tell_teams();
    Ok(tokens(state, &code.installation, Some(&code.user)))
}

/// A token for an installation: with rotation a new pair, else the one that it has.
fn tokens(state: &mut State, id: &str, user: Option<&str>) -> Map<String, Value> {
    let (now, lifetime, secret, further) = (clock::millis(), state.timing.token_ms, state.secret_text(), state.secret_text());
    // A refresh is answered with a pair even if rotation was switched off meanwhile: in Slack it cannot be.
    let rotates = state.oauth.rotation || user.is_none();
    let installation = state.access.installation(id);
    let mut answer = Map::new();
    let mut put = |name: &str, value: Value| {
        answer.insert(name.to_owned(), value);
    };
    let token = if rotates {
        let refresh_token = format!("xoxe-1-{further}");
        put("refresh_token", json!(refresh_token));
        put("expires_in", json!((lifetime / 1000).max(1)));
        installation.refresh_token = Some(refresh_token);
        let text = format!("xoxe.xoxb-1-{secret}");
        installation.add(Token { expires_at: Some(now + lifetime), ..Token::lasting(&text) }, now);
        text
    } else if let Some(known) = installation.tokens.iter().rev().find(|token| token.error_at(now).is_none()) {
        known.text.clone()
    } else {
        let text = format!("xoxb-{secret}");
        installation.add(Token::lasting(&text), now);
        text
    };
    put("access_token", json!(token));
    put("token_type", json!("bot"));
    put("scope", json!(installation.scopes.join(",")));
    put("bot_user_id", json!(Bot::of(id).user_id));
    put("app_id", json!(APP_ID));
    let named = |id: &str, name: &str| json!({"id": id, "name": name});
    let organisation = state.world.enterprise(id);
    let enterprise = organisation.or_else(|| state.world.enterprise_of(id));
    put("team", state.world.team(id).map_or(Value::Null, |team| named(&team.id, &team.name)));
    put("enterprise", enterprise.map_or(Value::Null, |enterprise| named(&enterprise.id, &enterprise.name)));
    put("is_enterprise_install", json!(organisation.is_some()));
    if let Some(user) = user {
        put("authed_user", json!({"id": user}));
    }
    answer
}

/// The answer without what nobody should find in a record.
pub(crate) fn without_secrets(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for secret in ["/access_token", "/refresh_token", "/credentials", "/url"] {
        if let Some(token) = answer.pointer_mut(secret) {
            *token = json!("[redacted]");
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::with_query;

    #[test]
    fn an_address_with_a_query_keeps_it() {
        assert_eq!(with_query("https://app/back", &[("code", "1.2"), ("state", "a b&c")]), "https://app/back?code=1.2&state=a+b%26c");
        assert_eq!(with_query("https://app/back?x=1", &[("error", "access_denied")]), "https://app/back?x=1&error=access_denied");
    }
}
