//! Which installation is meant, and with which token Slack is called for it.
//!
//! A token is used for the workspace that it belongs to and for no other. Whose it is, Slack's `auth.test` says once per token; the answer is kept with a digest of the
//! token, so that Slack's outages do not matter. What Slack refuses for good closes the installation: nothing is called for it any more until another token, or a newer
//! version of the secret, is there and Slack accepts it.

mod bot;
pub mod change;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_types::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use bot::Bot;

use crate::config::{self, ConfigError};
use crate::domain::Refusal;
use crate::domain::ids::{Channel, Workspace};
use crate::secrets::app::Secrets;
use crate::secrets::tokens::{Held, Tokens};
use crate::secrets::{Secret, SecretError};
use crate::slack::client::{Client, SlackError, installation_of};
use crate::slack::verdict::{Verdict, verdict};
use crate::store::installations::{Disabled, Installation};
use crate::store::{Store, StoreError};

/// The method that says whose a token is.
const WHOSE: &str = "auth.test";

/// How long to wait before asking Slack once more who a token belongs to: the queue would only bring the job back after minutes, and somebody waits for it.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];

/// The installations and their tokens.
#[derive(Debug)]
pub struct Installations {
    tokens: Tokens,
    store: Store,
    default: Option<Workspace>,
    install_url: Option<String>,
    /// In pasted mode: whose the token with this digest is. That never changes, so it is asked once.
    owner: Mutex<Option<(String, Workspace)>>,
    /// In pasted mode: the token that was found to be the served workspace's own.
    own: Mutex<Option<(String, Workspace)>>,
}

impl From<StoreError> for SlackError {
    fn from(error: StoreError) -> Self {
        Self::Later(error.to_string())
    }
}

fn later(error: &SecretError) -> SlackError {
    SlackError::Later(error.to_string())
}

/// A digest that tells one token from another.
pub fn token_digest(token: &Secret) -> String {
    token.digest("token")
}

impl Installations {
    /// Reads the environment; nothing is asked yet.
    pub fn start(aws: &SdkConfig, store: Store) -> Result<Self, ConfigError> {
        let client = aws_sdk_secretsmanager::Client::new(aws);
        // Whoever asks for tokens verifies no signatures, and so needs no version before.
        let app = Secrets::new(client, config::required("SLACK_SECRET_ARN")?, SignedDuration::ZERO);
        let vault = app.vault(config::required("INSTALLATION_SECRETS_PREFIX")?).encrypted_with(config::optional("KMS_KEY_ARN"));
        Ok(Self {
            tokens: Tokens { app: Arc::new(app), vault },
            store,
            default: config::optional("DEFAULT_WORKSPACE").map(|id| Workspace::new(id.trim())),
            install_url: config::optional("INSTALL_URL"),
            owner: Mutex::new(None),
            own: Mutex::new(None),
        })
    }

    /// Where the tokens are.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// How to install it, or install it anew.
    pub async fn install_advice(&self) -> String {
        match &self.install_url {
            Some(url) if self.tokens.by_link().await.unwrap_or_default() => format!("install it at {url}"),
            _ => "install it again and put its bot token into the Slack secret".to_owned(),
        }
    }

    /// The installation that is meant: the named one if it is installed here; where none is named, the only one, else the one that `DEFAULT_WORKSPACE` names.
    pub async fn meant(&self, client: &Client, named: Option<&Workspace>) -> Result<Result<Workspace, Refusal>, SlackError> {
        let own = match self.tokens.pasted().await {
            Ok(Some(held)) => self.own(client, &held).await?,
            Ok(None) => return self.meant_by_link(named).await,
            Err(SecretError::Absent) => match self.of_webhooks().await? {
                Some(team) => team,
                None => self.only_known(&SlackError::Closed("the Slack secret holds no bot token yet".to_owned())).await?,
            },
            Err(error) => return Err(later(&error)),
        };
        Ok(if named.is_none_or(|named| *named == own) { Ok(own) } else { Err(not_here(named)) })
    }

    /// The workspace whose webhooks the Slack secret holds, for those who cannot install a bot: a webhook's address names its team.
    async fn of_webhooks(&self) -> Result<Option<Workspace>, SlackError> {
        let secret = self.tokens.app.fresh().await.map_err(|error| later(&error))?;
        let Some(team) = secret.webhooks.values().find_map(team_of) else { return Ok(None) };
        if self.store.installation(&team).await?.is_none() {
            self.store.proven(&team, None, false, &token_digest(&Secret::new("")), Timestamp::now()).await?;
        }
        Ok(Some(team))
    }

    async fn meant_by_link(&self, named: Option<&Workspace>) -> Result<Result<Workspace, Refusal>, SlackError> {
        if let Some(workspace) = named.or(self.default.as_ref()) {
            let known = self.store.installation(workspace).await?;
            return Ok(if known.is_some_and(|known| known.by_link) { Ok(workspace.clone()) } else { Err(not_here(Some(workspace))) });
        }
        // One that was removed counts like any other: what is its own must not go to whoever is left, who may be another company.
        let mut all = self.store.installations().await?;
        all.retain(|installation| installation.by_link);
        Ok(match all.as_slice() {
            [only] => Ok(only.workspace.clone()),
            [] => Err(Refusal::new(format!("Tocsin is not installed in any workspace yet: {}.", self.install_advice().await))),
            several => Err(Refusal::new(format!(
                "Tocsin is or was installed in {} workspaces: name one, as `\"workspace\": \"T…\"` in the message, or set the parameter DefaultWorkspace.",
                several.len()
            ))),
        })
    }

    /// In pasted mode: the workspace that this deployment serves. It is the token's, except where another was served before and is still installed: then that one stays,
    /// and nothing is called with the foreign token. `DEFAULT_WORKSPACE` decides where it is set.
    async fn own(&self, client: &Client, held: &Held) -> Result<Workspace, SlackError> {
        let digest = token_digest(&held.token);
        if let Some(own) = remembered(&self.own, &digest) {
            return Ok(own);
        }
        let installed = self.store.installations().await?;
        let known = installed.iter().find(|installation| installation.token_digest == digest).map(|known| known.workspace.clone());
        let (owner, name) = match known.clone() {
            Some(owner) => (owner, None),
            // A token that Slack does not accept, or Slack's outage, is no reason to lose an incident: the only workspace there was is still the one.
            None => match self.owner(client, &held.token, &digest).await {
                Ok(found) => found,
                Err(error) => return self.only_known(&error).await,
            },
        };
        let before = || installed.into_iter().find(|other| other.workspace != owner && !other.by_link && other.removed_at.is_none());
        let served = self.default.clone().or_else(|| before().filter(|_| known.is_none()).map(|before| before.workspace));
        if let Some(served) = served.filter(|served| *served != owner) {
            tracing::error!(
                workspace = served.as_str(),
                token_of = owner.as_str(),
                outcome = "foreign_token",
                "{}",
                foreign(&served, &owner)
            );
            return Ok(served);
        }
        if known.is_none() {
            self.store.proven(&owner, name.as_deref(), false, &digest, Timestamp::now()).await?;
            tracing::info!(workspace = owner.as_str(), outcome = "installed", "learnt which workspace the bot token belongs to");
        }
        remember(&self.own, &digest, &owner);
        Ok(owner)
    }

    /// Whose a token is, asked once per token.
    async fn owner(&self, client: &Client, token: &Secret, digest: &str) -> Result<(Workspace, Option<String>), SlackError> {
        if let Some(owner) = remembered(&self.owner, digest) {
            return Ok((owner, None));
        }
        let (owner, name) = whose(client, token).await?;
        remember(&self.owner, digest, &owner);
        Ok((owner, name))
    }

    async fn only_known(&self, error: &SlackError) -> Result<Workspace, SlackError> {
        let known = self.store.installations().await?;
        let mut known = known.into_iter().filter(|installation| !installation.by_link);
        match (known.next(), known.next()) {
            (Some(only), None) => {
                let workspace = only.workspace.as_str();
                tracing::warn!(%error, workspace, "Slack did not say whose the bot token is; the known workspace is used");
                Ok(only.workspace)
            }
            _ => Err(SlackError::Later(format!("which workspace is this? {error}. {}", error.advice()))),
        }
    }

    /// What calls Slack for this workspace, for as long as one invocation. [`SlackError::Closed`] says why nothing may be called.
    pub async fn bot<'a>(&'a self, client: &'a Client, workspace: &Workspace) -> Result<Bot<'a>, SlackError> {
        let item = self.store.installation(workspace).await?;
        let mut held = match self.tokens.fresh(workspace).await {
            Ok(held) => held,
            Err(error) => return Err(self.unavailable(workspace, item.as_ref(), &error).await),
        };
        if !in_force(item.as_ref(), &held) {
            // Either it is newer than what the table knows, or another has been written a moment ago that is not in this container's cache yet.
            held = match self.tokens.now(workspace).await {
                Ok(held) => held,
                Err(error) => return Err(self.unavailable(workspace, item.as_ref(), &error).await),
            };
            if let Some(closed) = closed_to(item.as_ref(), &held) {
                return Err(self.closed(&closed).await);
            }
        }
        self.prove(client, workspace, item.as_ref(), &held).await?;
        Ok(Bot { installations: self, client, workspace: workspace.clone(), held: Mutex::new(held) })
    }

    /// What tells apart with what a channel is spoken to: the workspace's token or the address of a webhook, and when it was written. `None` where there is none, or it cannot
    /// be read.
    pub async fn key_to(&self, workspace: &Workspace, channel: &Channel) -> Option<String> {
        let (key, written_at) = if let Some(name) = channel.webhook() {
            let secret = self.tokens.app.fresh().await.ok()?;
            (secret.webhooks.get(name)?.clone(), secret.written_at)
        } else {
            let held = self.tokens.fresh(workspace).await.ok()?;
            (held.token, held.written_at)
        };
        Some(format!("{} {}", token_digest(&key), written_at.unwrap_or_default()))
    }

    async fn closed(&self, reason: &str) -> SlackError {
        SlackError::Closed(format!("{reason}: {}, then put this back", self.install_advice().await))
    }

    async fn unavailable(&self, workspace: &Workspace, item: Option<&Installation>, error: &SecretError) -> SlackError {
        if !matches!(error, SecretError::Absent) {
            return later(error);
        }
        let reason = item.and_then(Installation::closed).map(|(_, reason)| reason);
        self.closed(&reason.unwrap_or_else(|| format!("there is no bot token for {workspace}"))).await
    }

    /// Makes sure that the token belongs to this workspace. Slack is asked where it is not known to.
    async fn prove(&self, client: &Client, workspace: &Workspace, item: Option<&Installation>, held: &Held) -> Result<(), SlackError> {
        if in_force(item, held) {
            return Ok(());
        }
        let digest = token_digest(&held.token);
        // What is known already is that a foreign token is foreign; that a closed one works again, only Slack can tell.
        let foreigner = remembered(&self.owner, &digest).filter(|owner| owner != workspace);
        let (owner, name) = match foreigner {
            Some(owner) => (owner, None),
            None => match self.unless_held(workspace, &[WHOSE], Box::pin(whose(client, &held.token))).await {
                Ok(found) => found,
                Err(SlackError::Token(code)) => return Err(self.refused(workspace, held, code).await),
                Err(error) => return Err(error),
            },
        };
        remember(&self.owner, &digest, &owner);
        if owner != *workspace {
            let reason = foreign(workspace, &owner);
            tracing::error!(workspace = workspace.as_str(), token_of = owner.as_str(), outcome = "foreign_token", "{reason}");
            return Err(SlackError::Closed(reason));
        }
        let by_link = self.tokens.by_link().await.map_err(|error| later(&error))?;
        self.store.proven(workspace, name.as_deref(), by_link, &digest, Timestamp::now()).await?;
        Ok(())
    }

    /// Calls where Slack wants no pause with any of these, methods or conversations; where it does now, the last of them is held for the whole workspace. The futures of a
    /// call are large, so `call` comes in a box.
    async fn unless_held<T>(
        &self,
        workspace: &Workspace,
        held: &[&str],
        call: Pin<Box<impl Future<Output = Result<T, SlackError>>>>,
    ) -> Result<T, SlackError> {
        for of in held {
            let now = Timestamp::now();
            if let Some(until) = self.store.held_until(workspace, of).await?.filter(|until| *until > now) {
                return Err(SlackError::RateLimited { retry_after: until.duration_since(now).as_secs().unsigned_abs() + 1 });
            }
        }
        let answer = call.await;
        if let (Err(SlackError::RateLimited { retry_after }), Some(of)) = (&answer, held.last()) {
            self.store.hold(workspace, of, *retry_after).await?;
        }
        answer
    }

    /// What a token means that Slack did not accept, read again or not.
    async fn refused(&self, workspace: &Workspace, held: &Held, code: String) -> SlackError {
        // A token for a whole organisation may lack one of its workspaces; the others go on.
        let one_of_many = code == "team_access_not_granted" && workspace.is_enterprise();
        if verdict(&code) != Verdict::Disabled || one_of_many {
            return SlackError::Token(code);
        }
        let reason = format!("Slack has taken the token of {workspace} away ({code})");
        match self.close(workspace, &token_digest(&held.token), &reason).await {
            Ok(()) => self.closed(&reason).await,
            Err(error) => error.into(),
        }
    }

    /// Closes an installation: nothing is called for it until a token that is newer, or another one, is there and Slack accepts it. `reason` is for whoever looks after
    /// Tocsin.
    pub async fn disable(&self, workspace: &Workspace, reason: &str) -> Result<(), StoreError> {
        match self.store.installation(workspace).await? {
            Some(installation) => self.close(workspace, &installation.token_digest, reason).await,
            None => Ok(()),
        }
    }

    async fn close(&self, workspace: &Workspace, digest: &str, reason: &str) -> Result<(), StoreError> {
        let disabled = Disabled { at: Timestamp::now(), reason: reason.to_owned() };
        if self.store.disable(workspace, digest, &disabled).await? {
            tracing::error!(
                workspace = workspace.as_str(),
                reason,
                outcome = "disabled",
                "nothing is called for this installation any more"
            );
        }
        Ok(())
    }
}

fn remembered(memory: &Mutex<Option<(String, Workspace)>>, digest: &str) -> Option<Workspace> {
    let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    memory.as_ref().filter(|(known, _)| known == digest).map(|(_, workspace)| workspace.clone())
}

fn remember(memory: &Mutex<Option<(String, Workspace)>>, digest: &str, workspace: &Workspace) {
    *memory.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest.to_owned(), workspace.clone()));
}

/// The team of a webhook: `https://hooks.slack.com/services/T…/B…/…`.
fn team_of(address: &Secret) -> Option<Workspace> {
    let team = address.expose().split_once("/services/")?.1.split('/').next()?;
    team.starts_with('T').then(|| Workspace::new(team))
}

/// A workspace that is not installed here. Which one is, is nobody's business who is not in it.
fn not_here(named: Option<&Workspace>) -> Refusal {
    let named = named.map(|named| format!(" for the workspace {named}")).unwrap_or_default();
    Refusal::new(format!(
        "Tocsin is not installed here{named}. Name a workspace where it is, or leave the workspace out to mean the only one."
    ))
}

fn foreign(served: &Workspace, owner: &Workspace) -> String {
    format!(
        "the Slack secret holds a bot token of {owner}, and this deployment serves {served}: nothing is called with it. Put the token of {served} back; or, to move \
         to {owner} for good, set the parameter DefaultWorkspace to it"
    )
}

/// Whether this is the token that the table knows to be this installation's, and the installation is open.
fn in_force(item: Option<&Installation>, held: &Held) -> bool {
    item.is_some_and(|item| item.closed().is_none() && item.token_digest == token_digest(&held.token))
}

/// Why the installation is closed to this token; `None` where it is open, or where the token came after it was closed.
fn closed_to(item: Option<&Installation>, held: &Held) -> Option<String> {
    let item = item?;
    let (at, reason) = item.closed()?;
    let newer = item.token_digest != token_digest(&held.token) || held.written_at.is_some_and(|written_at| written_at > at);
    (!newer).then_some(reason)
}

/// Whose a token is, and what they are called.
pub async fn whose(client: &Client, token: &Secret) -> Result<(Workspace, Option<String>), SlackError> {
    let mut answer = client.ask(token, WHOSE, &[]).await;
    for pause in PAUSES {
        if matches!(answer, Err(SlackError::Later(_) | SlackError::Ambiguous(_))) {
            tokio::time::sleep(pause).await;
            answer = client.ask(token, WHOSE, &[]).await;
        }
    }
    let answer = answer?;
    let owner = installation_of(&answer).ok_or_else(|| SlackError::Later("auth.test named no team".to_owned()))?;
    Ok((owner, answer.get("team").and_then(Value::as_str).map(str::to_owned)))
}
