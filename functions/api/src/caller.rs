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
        if let Some(workspace) = wanted(asked, None)?.or_else(|| self.default_workspace.clone()) {
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

/// The workspace that is meant: the key's, the one that the address names, or the one that the `body` names. A key for one reaches no other, and those that are named have
/// to be the same.
pub(crate) fn wanted(asked: &Asked<'_>, body: Option<Workspace>) -> Result<Option<Workspace>, Problem> {
    let address = in_the_address(asked)?;
    if let Some(own) = &asked.holder.workspace {
        if [&address, &body].into_iter().flatten().any(|named| named != own) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "This key is for another workspace than the one that is named."));
        }
        return Ok(Some(own.clone()));
    }
    if address.is_some() && body.is_some() && address != body {
        return Err(Problem::mistakes(vec!["`workspace` says something else than the address".to_owned()]));
    }
    Ok(address.or(body))
}

/// `?workspace=T…`
fn in_the_address(asked: &Asked<'_>) -> Result<Option<Workspace>, Problem> {
    let query = asked.request.uri().query().unwrap_or_default();
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == PARAMETER).map(|(_, value)| value);
    let wrong = || Problem::bad_request("`workspace` must be a Slack team (T…) or enterprise (E…).");
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Workspace::parse(&value).map(Some).ok_or_else(wrong),
        (Some(_), Some(_)) => Err(Problem::bad_request("`workspace` may be named once.")),
    }
}

/// The table could not be read.
pub(crate) fn unreadable(error: &StoreError) -> Problem {
    tracing::error!(%error, outcome = "failed", "the table could not be read");
    Problem::unavailable()
}
