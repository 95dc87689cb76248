//! Opening a modal, because a `trigger_id` lives three seconds, or putting another in the place of one that somebody looks at: a receiver makes no other call
//! to Slack in place, and one of these for a request at most.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::blocks::View;
use super::client::{Client, SlackError};
use super::receive::Receiver;
use crate::config::{self, ConfigError};
use crate::domain::ids::Workspace;
use crate::secrets::SecretError;
use crate::secrets::tokens::Tokens;

/// How long Slack may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What opens modals, with the token of the workspace in which somebody asked.
#[derive(Debug)]
pub struct Modals {
    api: Url,
    tokens: Tokens,
}

#[derive(Serialize)]
struct Update<'v> {
    view_id: &'v str,
    hash: &'v str,
    view: &'v View,
}

#[derive(Serialize)]
struct Open<'v> {
    trigger_id: &'v str,
    view: &'v View,
}

impl Modals {
    /// Reads the environment; shares what the receiver holds.
    pub fn start(receiver: &Receiver) -> Result<Self, ConfigError> {
        let prefix = config::required("INSTALLATION_SECRETS_PREFIX")?;
        Ok(Self::new(receiver, config::base_url("SLACK_API_URL")?, prefix))
    }

    /// With Slack's Web API at `api`, and what the names of the installations' secrets begin with; shares what the receiver holds.
    pub fn new(receiver: &Receiver, api: Url, prefix: String) -> Self {
        Self { api, tokens: Tokens { app: Arc::clone(&receiver.secrets), vault: receiver.secrets.vault(prefix) } }
    }

    /// A client for what a receiver calls in place. It is made for each use, since hardly any request needs one.
    pub fn client(&self) -> Result<Client, SlackError> {
        Client::new(self.api.clone(), TIMEOUT).map_err(|error| SlackError::Later(error.to_string()))
    }

    /// Opens a modal. <https://docs.slack.dev/reference/methods/views.open>
    pub async fn open(&self, workspace: &Workspace, trigger: &str, view: &View) -> Result<(), SlackError> {
        self.call(workspace, "views.open", &Open { trigger_id: trigger, view }).await
    }

    /// Puts a modal in the place of one that is shown and has this hash. <https://docs.slack.dev/reference/methods/views.update>
    pub async fn replace(&self, workspace: &Workspace, shown: &str, hash: &str, view: &View) -> Result<(), SlackError> {
        self.call(workspace, "views.update", &Update { view_id: shown, hash, view }).await
    }

    /// A token that Slack does not accept is read again once.
    ///
    /// Whose a pasted token is, only the table could tell, which nobody has time to read here. A token of another workspace opens nothing: a `trigger_id` counts
    /// for the workspace that it was made in.
    async fn call(&self, workspace: &Workspace, method: &'static str, arguments: &(impl Serialize + Sync)) -> Result<(), SlackError> {
        let client = self.client()?;
        let held = self.tokens.fresh(workspace).await.map_err(|error| no_token(&error))?;
        let opened = match client.call(&held.token, method, arguments).await {
            Err(SlackError::Token(code)) => {
                let newer = self.tokens.again(workspace).await.map_err(|error| no_token(&error))?;
                if newer.token == held.token {
                    return Err(SlackError::Token(code));
                }
                client.call(&newer.token, method, arguments).await
            }
            other => other,
        };
        opened.map(|_| ())
    }
}

fn no_token(error: &SecretError) -> SlackError {
    match error {
        SecretError::Absent => SlackError::Closed("there is no bot token for this workspace".to_owned()),
        SecretError::Unavailable(_) | SecretError::Malformed(_) => SlackError::Later(error.to_string()),
    }
}
