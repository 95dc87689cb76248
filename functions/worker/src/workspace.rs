//! Which installation is meant.
//!
//! One secret holds one bot token, so there is one installation: the one that Slack's `auth.test` names for this token. Its answer is kept in the table with a digest
//! of the token, so that Slack is asked once per token and its outages do not matter.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::domain::Refusal;
use shared::domain::ids::Workspace;
use shared::domain::intent::Person;
use shared::domain::people::{Profile, Standing, stands_outside};
use shared::queue::Failure;
use shared::secrets::Secret;
use shared::slack::client::SlackError;
use shared::store::workspaces::Installation;

use crate::App;

impl App {
    /// The installation that is meant: the named one if it is installed here, else the only one. A name that is not installed is refused.
    pub(crate) async fn workspace(&self, named: Option<&Workspace>) -> Result<Result<Workspace, Refusal>, Failure> {
        let own = self.own_installation().await?;
        // Which workspace this is, is nobody's business who is not in it.
        let refusal = |named| {
            Refusal::new(format!("Tocsin is not installed here for the workspace {named}. Leave the workspace out to mean the only one."))
        };
        Ok(match named {
            Some(named) if *named != own.workspace => Err(refusal(named)),
            Some(_) | None => Ok(own.workspace),
        })
    }

    async fn own_installation(&self) -> Result<Installation, Failure> {
        let secret = self.secrets.fresh().await.map_err(|error| Failure::later(&error))?;
        let digest = token_digest(&secret.bot_token);
        let asked = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(own) = asked.filter(|own| own.token_digest == digest) {
            return Ok(own);
        }
        let own = self.learn_installation(&digest).await?;
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(own.clone());
        Ok(own)
    }

    /// Whether Slack still accepts the token for this workspace: an old token that was revoked after its successor had been put in place is no uninstall.
    pub(crate) async fn is_installed(&self, workspace: &Workspace) -> Result<bool, Failure> {
        if let Some(Err(error)) = self.secrets.reread().await {
            return Err(Failure::later(&error));
        }
        match self.ask("auth.test", &[]).await {
            Ok(answer) => Ok(installation_key(&answer).as_ref() == Some(workspace)),
            Err(SlackError::Token(_) | SlackError::Never { .. }) => Ok(false),
            Err(error) => Err(Failure::Later(format!("auth.test: {error}"))),
        }
    }

    async fn learn_installation(&self, digest: &str) -> Result<Installation, Failure> {
        let known = self.store.installations().await.map_err(|error| Failure::later(&error))?;
        if let Some(installation) = known.iter().find(|installation| installation.token_digest == digest) {
            return Ok(installation.clone());
        }
        match self.ask("auth.test", &[]).await {
            Ok(answer) => {
                // `auth.test` may have read the secret again.
                let secret = self.secrets.at_hand().await.map_err(|error| Failure::later(&error))?;
                let workspace = installation_key(&answer).ok_or_else(|| Failure::Later("auth.test named no team".to_owned()))?;
                let removed_at = known.iter().find(|old| old.workspace == workspace).and_then(|old| old.removed_at);
                let installation = Installation { workspace, token_digest: token_digest(&secret.bot_token), removed_at };
                self.store.keep_installation(&installation).await.map_err(|error| Failure::later(&error))?;
                tracing::info!(
                    workspace = installation.workspace.as_str(),
                    outcome = "installed",
                    "learnt which workspace the bot token belongs to"
                );
                Ok(installation)
            }
            // A token that Slack does not accept, or Slack's outage, is no reason to lose an incident: the only workspace there was is still the one.
            Err(error) => match known.as_slice() {
                [only] => {
                    tracing::warn!(%error, workspace = only.workspace.as_str(), "Slack did not say whose the bot token is; the known workspace is used");
                    Ok(only.clone())
                }
                _ => Err(Failure::Later(format!("which workspace is this? auth.test: {error}. {}", error.advice()))),
            },
        }
    }

    /// Asks Slack something that changes nothing, and once or twice more when Slack stumbles: the queue would only bring the job back after minutes, and somebody
    /// waits for it.
    async fn ask(&self, method: &str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        for pause in [Duration::from_millis(300), Duration::from_secs(1)] {
            match self.bot().ask(method, arguments).await {
                Err(SlackError::Later(_) | SlackError::Ambiguous(_)) => tokio::time::sleep(pause).await,
                other => return other,
            }
        }
        self.bot().ask(method, arguments).await
    }

    /// Who somebody is: from the payload where that already tells, else from Slack, kept for an hour.
    pub(crate) async fn profile(&self, workspace: &Workspace, person: &Person) -> Result<Profile, Failure> {
        if let Some(standing) = stands_outside(person, workspace) {
            return Ok(Profile { name: person.id.to_string(), email: None, standing });
        }
        let now = Timestamp::now();
        if let Some(profile) = self.store.profile(workspace, &person.id, now).await.map_err(|error| Failure::later(&error))? {
            return Ok(profile);
        }
        let profile = match self.ask("users.info", &[("user", person.id.as_str())]).await {
            Ok(answer) => crate::people::profile(&answer, workspace),
            Err(error @ SlackError::Never { .. }) if error.is("user_not_found") || error.is("user_not_visible") => {
                Profile { name: person.id.to_string(), email: None, standing: Standing::Stranger }
            }
            Err(error @ (SlackError::Token(_) | SlackError::Never { .. })) => {
                // Said to the person now, rather than to nobody for as long as it takes to mend; and asked again the next time.
                tracing::error!(user = person.id.as_str(), %error, advice = error.advice(), outcome = "unknown_user", "users.info failed");
                return Ok(Profile { name: person.id.to_string(), email: None, standing: Standing::Unknown });
            }
            Err(error) => return Err(Failure::Later(format!("users.info: {error}. {}", error.advice()))),
        };
        self.store.keep_profile(workspace, &person.id, &profile, now).await.map_err(|error| Failure::later(&error))?;
        Ok(profile)
    }
}

/// The installation key of `auth.test`'s answer: the enterprise where the whole organisation installed the app, else the team.
fn installation_key(answer: &Value) -> Option<Workspace> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let organisation = answer.get("is_enterprise_install").and_then(Value::as_bool) == Some(true);
    text(if organisation { "enterprise_id" } else { "team_id" }).map(Workspace::new)
}

/// Tells one token from another without being one.
fn token_digest(token: &Secret) -> String {
    shared::domain::ids::IntentId::of("token", &[token.expose().trim()]).to_string()
}
