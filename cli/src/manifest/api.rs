//! Slack's API for manifests, which wants a token of its own: an app configuration token, of a person in a workspace. It lives twelve hours and is never an argument, since arguments
//! stand in the shell's history. <https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests#config-tokens>

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use shared::secrets::Secret;
use shared::slack::client::Client;

use super::slack_api;
use crate::deployment::Deployment;

/// How long Slack may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Where the token may stand.
const VARIABLE: &str = "SLACK_CONFIG_TOKEN";

/// Slack, for whoever configures apps.
pub(super) struct Api {
    client: Client,
    token: Secret,
}

impl Api {
    /// Slack as this deployment reaches it, with the token of the environment, or that of whoever is asked for it.
    pub(super) fn of(deployment: Option<&Deployment>) -> Result<Self> {
        Ok(Self { client: Client::new(slack_api(deployment)?, TIMEOUT)?, token: token()? })
    }

    /// Calls a method; what Slack finds wrong with a manifest is told with its places.
    pub(super) async fn call(&self, method: &str, manifest: Option<&Value>, app: Option<&str>) -> Result<Value> {
        let manifest = manifest.map(Value::to_string);
        let given = [("manifest", manifest.as_deref()), ("app_id", app)];
        let arguments: Vec<_> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let answer = self.client.told(&self.token, method, &arguments).await.with_context(|| method.to_owned())?;
        if answer.get("ok").and_then(Value::as_bool) == Some(true) {
            return Ok(answer);
        }
        match answer.get("error").and_then(Value::as_str).unwrap_or_default() {
            "invalid_manifest" => bail!("Slack does not take the manifest:{}", mistakes(&answer)),
            code @ ("invalid_auth" | "token_expired" | "token_revoked" | "not_authed" | "not_allowed_token_type" | "account_inactive") => {
                bail!(
                    "Slack does not accept the app configuration token ({code}): it lives twelve hours. Generate another under Your App Configuration Tokens at https://api.slack.com/apps, and hand over its access token, xoxe.xoxp-…"
                )
            }
            code @ ("invalid_app_id" | "app_not_found" | "no_permission" | "access_denied" | "app_not_eligible") => bail!(
                "Slack knows no such app of yours ({code}): its id stands under Basic Information at https://api.slack.com/apps, and you have to be one of its collaborators, in the workspace that the token is of"
            ),
            code => bail!("Slack refuses {method}: {code}. See https://docs.slack.dev/reference/methods/{method}"),
        }
    }
}

/// One line for each mistake: where, and what.
fn mistakes(answer: &Value) -> String {
    let text = |error: &Value, name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let errors = answer.get("errors").and_then(Value::as_array).into_iter().flatten();
    let lines: Vec<_> = errors.map(|error| format!("\n  {}: {}", text(error, "pointer"), text(error, "message"))).collect();
    lines.concat()
}

fn token() -> Result<Secret> {
    let given = match std::env::var(VARIABLE) {
        Ok(token) => token,
        Err(_) if std::io::stdin().is_terminal() => rpassword::prompt_password("app configuration token (xoxe.xoxp-…): ")?,
        Err(_) => bail!(
            "there is no app configuration token: set {VARIABLE}, or be at a terminal and be asked for it. https://api.slack.com/apps generates one"
        ),
    };
    let token = given.trim();
    ensure!(
        token.starts_with("xoxe.xoxp-"),
        "this is no app configuration token, whose access token begins with xoxe.xoxp-. A bot token is another thing, and so is the refresh token, xoxe-…"
    );
    Ok(Secret::new(token))
}
