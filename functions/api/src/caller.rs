//! Who asks, and for which workspace.

use lambda_http::Request;
use lambda_http::http::{StatusCode, header};
use shared::domain::ids::Workspace;
use shared::secrets::keys::Holder;
use shared::store::StoreError;

use crate::problem::Problem;
use crate::{App, Asked};

/// How a workspace is named in an address.
const PARAMETER: &str = "workspace";

impl App {
    /// Whose key the request carries. A key that is missing, wrong or revoked takes the same way to the same answer.
    pub(crate) async fn holder(&self, request: &Request) -> Result<Holder, Problem> {
        match self.keys.holder(presented(request)).await {
            Ok(Some(holder)) => Ok(holder),
            Ok(None) => {
                tracing::warn!(outcome = "unauthorized", "a request was refused");
                Err(Problem::unauthorized())
            }
            Err(error) => {
                tracing::error!(%error, outcome = "unverifiable", "a key could not be checked");
                Err(Problem::unavailable())
            }
        }
    }

    /// The workspace that is asked about: the key's, else the one that the address names, else the only one there is or was.
    pub(crate) async fn workspace(&self, asked: &Asked<'_>) -> Result<Workspace, Problem> {
        if let Some(workspace) = named(asked)?.or_else(|| self.default_workspace.clone()) {
            return Ok(workspace);
        }
        let installations = self.store.installations().await.map_err(|error| unreadable(&error))?;
        match installations.as_slice() {
            [only] => Ok(only.workspace.clone()),
            [] => Err(Problem::not_found("Tocsin is not installed in any workspace yet, so there is nothing to be found.")),
            _ => Err(Problem::bad_request("Tocsin is or was installed in several workspaces: name one, as ?workspace=T…")),
        }
    }
}

/// The key in `Authorization: Bearer …`.
fn presented(request: &Request) -> Option<&str> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (headers.next(), headers.next()) else { return None };
    let (scheme, key) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The workspace that the key is for, or that the address names. A key for another one reaches nothing there.
pub(crate) fn named(asked: &Asked<'_>) -> Result<Option<Workspace>, Problem> {
    let query = asked.request.uri().query().unwrap_or_default();
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == PARAMETER).map(|(_, value)| value);
    let named = match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(
            Workspace::parse(&value).ok_or_else(|| Problem::bad_request("`workspace` must be a Slack team (T…) or enterprise (E…)."))?,
        ),
        (Some(_), Some(_)) => return Err(Problem::bad_request("`workspace` may be named once.")),
    };
    own_or(asked.holder, named)
}

/// The key's workspace, else what is named.
pub(crate) fn own_or(holder: &Holder, named: Option<Workspace>) -> Result<Option<Workspace>, Problem> {
    match (&holder.workspace, named) {
        (Some(own), Some(named)) if *own != named => {
            Err(Problem::new(StatusCode::FORBIDDEN, "This key is for another workspace than the one that is named."))
        }
        (Some(own), _) => Ok(Some(own.clone())),
        (None, named) => Ok(named),
    }
}

/// The table could not be read.
pub(crate) fn unreadable(error: &StoreError) -> Problem {
    tracing::error!(%error, outcome = "failed", "the table could not be read");
    Problem::unavailable()
}
