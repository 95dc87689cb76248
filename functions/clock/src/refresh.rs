//! Tokens that expire: each is exchanged for the next pair well before it does.
//!
//! The refresh token works once, and two who refresh at the same time leave one dead token, so whoever refreshes holds the installation's lock, looks again under it, and marks
//! the attempt before Slack is asked. Killed between Slack's answer and Secrets Manager, the new pair is gone: nothing can undo that. The next round finds the mark without a
//! result and tries once more; when Slack then says that the refresh token is used up, the log says `refresh_lost` with the address to install at, so does a notice, and it is
//! counted every minute, for the alarm. The old token goes on being used until it expires, and then the installation is closed.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::domain::ids::Workspace;
use shared::installation::change::LOCK;
use shared::installation::token_digest;
use shared::metrics;
use shared::secrets::SecretError;
use shared::secrets::app::{Access, AppSecret};
use shared::secrets::vault::InstallationSecret;
use shared::slack::client::SlackError;
use shared::slack::oauth::Grant;
use shared::store::installations::{Installation, Refresh};

use crate::{App, Failed, Troubles, Turn};

/// How long before its end a token is exchanged. Slack's tokens live twelve hours, so there are some hundred rounds to try in.
const EARLY: SignedDuration = SignedDuration::from_hours(2);

/// What one refresh may take. With less time left it waits for the next round.
const TIME: SignedDuration = SignedDuration::from_secs(15);

impl App {
    /// Refreshes every token that expires soon, the next to expire first.
    pub(crate) async fn refresh(&self, turn: &Turn) -> Result<(), Failed> {
        let now = Timestamp::now();
        let mut due: Vec<Installation> = self.store.installations().await?;
        for closed in due.iter().filter(|installation| installation.is_lost() && installation.closed().is_some()) {
            // It is counted until it is installed again, not only as long as the old token works.
            let workspace = closed.workspace.as_str();
            tracing::debug!(workspace, outcome = "refresh_lost", "still to be installed again");
            metrics::refresh(metrics::Refresh::Lost);
        }
        due.retain(|installation| installation.by_link && installation.closed().is_none() && is_due(installation.token_expires_at, now));
        due.sort_by_key(|installation| installation.token_expires_at);
        if due.is_empty() {
            return Ok(());
        }
        let app = self.installations.tokens().app.fresh().await?;
        let mut troubles = Troubles::default();
        for installation in due {
            if !turn.has(TIME) {
                tracing::warn!(outcome = "out_of_time", "not all tokens could be refreshed in this round");
                break;
            }
            let result = self.refresh_one(turn, &app, &installation.workspace).await;
            if result.is_err() {
                metrics::refresh(metrics::Refresh::Failed);
            }
            troubles.note("refresh", &installation.workspace, result);
        }
        troubles.sum()
    }

    async fn refresh_one(&self, turn: &Turn, app: &AppSecret, workspace: &Workspace) -> Result<(), Failed> {
        let locked_until = Timestamp::now() + LOCK;
        if !self.installations.lock(workspace, &turn.owner).await? {
            // Another round is at it, or an installation.
            return Ok(());
        }
        let result = self.refresh_locked(app, workspace, locked_until).await;
        self.installations.unlock(workspace, &turn.owner).await;
        result
    }

    /// Under the lock: what was read before it may be old.
    async fn refresh_locked(&self, app: &AppSecret, workspace: &Workspace, locked_until: Timestamp) -> Result<(), Failed> {
        let now = Timestamp::now();
        let Some(item) = self.store.installation(workspace).await? else { return Ok(()) };
        if item.closed().is_some() || !is_due(item.token_expires_at, now) {
            return Ok(());
        }
        let held = match self.installations.tokens().vault.now(workspace).await {
            Ok(held) => held,
            // An uninstall was faster.
            Err(SecretError::Absent) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let digest = token_digest(&held.bot_token);
        if digest != item.token_digest {
            // Whoever wrote the secret did not come to write the item.
            self.store.refreshed(workspace, &item.token_digest, &digest, held.expires_at).await?;
            tracing::info!(workspace = workspace.as_str(), outcome = "refresh_completed", "a token was found refreshed");
            return Ok(());
        }
        if item.is_lost() {
            metrics::refresh(metrics::Refresh::Lost);
            return self.close_when_expired(&item, now).await;
        }
        let Access::ByLink { client_id, client_secret } = app.access() else { return Ok(()) };
        let Some(refresh_token) = held.refresh_token.as_ref().filter(|token| !token.is_blank()) else {
            return self.lost(&item, &digest, now, "its secret holds no refresh token").await;
        };
        if !self.store.mark_refresh(workspace, &digest, &Refresh { at: now, lost: false }).await? {
            return Ok(());
        }
        let arguments = [
            ("client_id", client_id),
            ("client_secret", client_secret.expose()),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ];
        match self.slack.access(&arguments).await {
            Ok(answer) => self.keep(&item, &held, &answer, locked_until).await,
            Err(error) if used_up(&error) => {
                let interrupted = if item.refresh.is_some() {
                    "an earlier refresh was interrupted before its result was kept"
                } else {
                    "Slack refused it"
                };
                self.lost(&item, &digest, now, &format!("{interrupted} ({error})")).await
            }
            Err(error @ SlackError::Ambiguous(_)) => Err(error.into()),
            Err(error) => {
                // It was not done, so an earlier mark says as much as before.
                match &item.refresh {
                    Some(earlier) => self.store.mark_refresh(workspace, &digest, earlier).await?,
                    None => self.store.unmark_refresh(workspace, &digest).await?,
                };
                Err(error.into())
            }
        }
    }

    /// First the secret, which is where the token is, then the item.
    async fn keep(&self, item: &Installation, before: &InstallationSecret, answer: &Value, locked_until: Timestamp) -> Result<(), Failed> {
        let workspace = &item.workspace;
        let now = Timestamp::now();
        let Some(grant) = Grant::read(answer, now).filter(|grant| grant.workspace == *workspace) else {
            return Err(Failed("Slack refreshed the token, and its answer holds none for this workspace".to_owned()));
        };
        // Slack took longer than the lock lasts: somebody may have installed anew meanwhile, and theirs counts.
        if now >= locked_until && token_digest(&self.installations.tokens().vault.now(workspace).await?.bot_token) != item.token_digest {
            tracing::warn!(workspace = workspace.as_str(), outcome = "overtaken", "a refreshed token came too late");
            return Ok(());
        }
        // Where Slack gives no new refresh token, the old one stays good.
        let secret = InstallationSecret {
            refresh_token: grant.secret.refresh_token.clone().or_else(|| before.refresh_token.clone()),
            ..grant.secret
        };
        self.installations.tokens().vault.write(workspace, &secret).await?;
        let digest = token_digest(&secret.bot_token);
        self.store.refreshed(workspace, &item.token_digest, &digest, secret.expires_at).await?;
        metrics::refresh(metrics::Refresh::Done);
        tracing::info!(workspace = workspace.as_str(), expires_at = secret.expires_at, outcome = "refreshed", "a token was refreshed");
        Ok(())
    }

    /// The refresh token is used up, and nobody has what it was exchanged for. Said once.
    async fn lost(&self, item: &Installation, digest: &str, now: Timestamp, why: &str) -> Result<(), Failed> {
        let workspace = item.workspace.as_str();
        if self.store.mark_refresh(&item.workspace, digest, &Refresh { at: now, lost: true }).await? {
            metrics::refresh(metrics::Refresh::Lost);
            let (until, advice) = (item.token_expires_at, self.installations.install_advice().await);
            tracing::error!(
                workspace,
                until,
                why,
                advice,
                outcome = "refresh_lost",
                "a token cannot be refreshed any more and works only until it expires"
            );
            let until = until
                .and_then(|until| Timestamp::from_second(until).ok())
                .map_or_else(|| "it expires".to_owned(), |until| until.to_string());
            let text = format!(
                "The token of {workspace} cannot be refreshed any more: {why}.\n\nIt works until {until}, and nothing is posted to {workspace} after that. To mend it, {advice}."
            );
            self.fallback.notify(&format!("Tocsin loses its token of {workspace}"), "", &text).await;
        }
        self.close_when_expired(item, now).await
    }

    async fn close_when_expired(&self, item: &Installation, now: Timestamp) -> Result<(), Failed> {
        if item.token_expires_at.is_some_and(|at| at <= now.as_second()) {
            let reason = format!("the token of {} has expired and cannot be refreshed", item.workspace);
            self.installations.disable(&item.workspace, &reason).await?;
        }
        Ok(())
    }
}

fn is_due(expires_at: Option<i64>, now: Timestamp) -> bool {
    expires_at.is_some_and(|at| at <= now.saturating_add(EARLY).unwrap_or(now).as_second())
}

/// Whether Slack says that this refresh token will never work again.
fn used_up(error: &SlackError) -> bool {
    let ended = matches!(error, SlackError::Token(code) if code != "invalid_auth" && code != "not_authed");
    ended || error.is("invalid_refresh_token")
}
