//! `apps.connections.open`: the address of one WebSocket, for whoever holds the app-level token. <https://docs.slack.dev/reference/methods/apps.connections.open>

use serde_json::json;

use super::args::Args;
use super::{Answer, fields};
use crate::state::State;
use crate::world::APP_ID;

/// The method's name.
pub(super) const OPEN: &str = "apps.connections.open";

/// An address with a ticket. The token counts in the header only.
pub(super) fn open(state: &mut State, base_url: &str, args: &Args) -> Answer {
    match args.token.as_deref() {
        None => return Err("not_authed".into()),
        Some(_) if !args.token_in_header => return Err("not_authed".into()),
        Some(token) if token == state.socket.app_token => {}
        Some(token) if state.access.owner(token).is_some() || token == state.apps.token => return Err("not_allowed_token_type".into()),
        Some(_) => return Err("invalid_auth".into()),
    }
    if let Some(error) = state.socket.error.as_deref() {
        return Err(error.into());
    }
    let ticket = state.secret_text();
    state.socket.admit(&ticket);
    let base = base_url.replacen("http", "ws", 1);
    Ok(fields(json!({"url": format!("{base}/link/?ticket={ticket}&app_id={APP_ID}")})))
}
