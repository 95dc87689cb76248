//! Calling Slack: the Web API and `response_url`s.
//!
//! Every failure says whether trying again helps; what a code of Slack's means stands in [`super::verdict`].

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::verdict::{self, Verdict};
use crate::domain::ids::Workspace;
use crate::http::{self, Unbuildable};
use crate::secrets::Secret;

/// The HTTP client.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    api: Url,
}

/// Why Slack did not do it.
#[derive(Debug, thiserror::Error)]
pub enum SlackError {
    /// HTTP 429, or `ratelimited`: not before this many seconds.
    #[error("rate limited for {retry_after} s")]
    RateLimited {
        /// What Slack asks to wait, in seconds.
        retry_after: u64,
    },
    /// Trying again helps, and it was not done.
    #[error("Slack cannot at the moment: {0}")]
    Later(String),
    /// The connection broke or timed out after the request was sent, or Slack says itself that it stumbled half-way: it may have been done.
    #[error("it is not known whether Slack did it: {0}")]
    Ambiguous(String),
    /// The token is not accepted: it may have been rotated, or the installation is no more.
    #[error("Slack does not accept the token: {0}")]
    Token(String),
    /// Nothing was called, and nothing will be until an admin mends what this says: there is no token for this workspace, or none that counts.
    #[error("{0}")]
    Closed(String),
    /// Trying again does not help.
    #[error("Slack refuses: {code}{}", needed.as_ref().map(|scope| format!(" (needs the scope {scope})")).unwrap_or_default())]
    Never {
        /// Slack's error code.
        code: String,
        /// The scope that is missing, where that is it.
        needed: Option<String>,
    },
}

impl SlackError {
    /// Whether it is this error code.
    pub fn is(&self, code: &str) -> bool {
        matches!(self, Self::Never { code: own, .. } if own == code)
    }

    /// What the failure means, where Slack named a code.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::RateLimited { .. } => Verdict::RateLimited,
            Self::Later(_) => Verdict::Later,
            Self::Ambiguous(_) => Verdict::Uncertain,
            Self::Closed(_) => Verdict::Disabled,
            Self::Token(code) | Self::Never { code, .. } => verdict::verdict(code),
        }
    }

    /// What to do about it, for whoever looks after Tocsin.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } | Self::Later(_) | Self::Ambiguous(_) => "It is tried again by itself.",
            Self::Closed(_) => "Whoever looks after Tocsin has to mend that first.",
            Self::Token(code) | Self::Never { code, .. } => verdict::advice(code),
        }
    }

    fn from_code(code: &str, needed: Option<&str>, retry_after: u64) -> Self {
        match verdict::verdict(code) {
            Verdict::RateLimited => Self::RateLimited { retry_after },
            Verdict::Later => Self::Later(code.to_owned()),
            Verdict::Uncertain => Self::Ambiguous(code.to_owned()),
            Verdict::Token | Verdict::Disabled => Self::Token(code.to_owned()),
            Verdict::Gone | Verdict::Channel | Verdict::App | Verdict::Post => {
                Self::Never { code: code.to_owned(), needed: needed.map(str::to_owned) }
            }
        }
    }
}

/// The installation that an answer of `auth.test` is about: the enterprise where the whole organisation installed the app, else the team.
pub fn installation_of(answer: &Value) -> Option<Workspace> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|id| !id.is_empty());
    let organisation = answer.get("is_enterprise_install").and_then(Value::as_bool) == Some(true);
    text(if organisation { "enterprise_id" } else { "team_id" }).map(Workspace::new)
}

/// Whose a token is and what it was granted, as `auth.test` says.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The installation: the enterprise where the whole organisation installed the app, else the team.
    pub workspace: Workspace,
    /// What the team is called.
    pub team: String,
    /// What the bot is called.
    pub bot: String,
    /// `U…` of the bot.
    pub bot_user: String,
    /// What was granted: Slack says so beside every answer (<https://docs.slack.dev/authentication/installing-with-oauth>).
    pub scopes: Vec<String>,
}

/// An answer of the Web API, and what stood beside it.
struct Told {
    answer: Value,
    scopes: String,
    retry_after: u64,
}

impl Client {
    /// A client for the Web API at `api` (`SLACK_API_URL`) that waits at most `timeout` for an answer.
    pub fn new(api: Url, timeout: Duration) -> Result<Self, Unbuildable> {
        Ok(Self { http: http::client(timeout)?, api })
    }

    /// Calls a method that takes JSON.
    pub async fn call(&self, token: &Secret, method: &str, arguments: &impl Serialize) -> Result<Value, SlackError> {
        let body = serde_json::to_string(arguments).map_err(|error| SlackError::Later(error.to_string()))?;
        self.send(Some(token), method, "application/json; charset=utf-8", body).await
    }

    /// Calls a method that reads: those take a form, not JSON.
    pub async fn ask(&self, token: &Secret, method: &str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        self.send(Some(token), method, FORM, form(arguments)).await
    }

    /// Whose a token is, and what it was granted.
    pub async fn identity(&self, token: &Secret) -> Result<Identity, SlackError> {
        let (answer, scopes) = self.exchange(Some(token), "auth.test", FORM, String::new()).await?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Identity {
            workspace: installation_of(&answer).ok_or_else(|| SlackError::Later("auth.test named no team".to_owned()))?,
            team: text("team"),
            bot: text("user"),
            bot_user: text("user_id"),
            scopes: scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// Asks `oauth.v2.access` for a token, as the app itself: `arguments` hold the app's id and secret, and a code or a refresh token.
    pub async fn access(&self, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        self.send(None, "oauth.v2.access", FORM, form(arguments)).await
    }

    async fn send(&self, token: Option<&Secret>, method: &str, content_type: &'static str, body: String) -> Result<Value, SlackError> {
        self.exchange(token, method, content_type, body).await.map(|(answer, _)| answer)
    }

    /// What Slack says to this, whether it did it or not: some refusals say more than their code.
    pub async fn told(&self, token: &Secret, method: &str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        self.answered(Some(token), method, FORM, form(arguments)).await.map(|told| told.answer)
    }

    /// The answer, and what it says about the token's scopes.
    async fn exchange(
        &self,
        token: Option<&Secret>,
        method: &str,
        content_type: &'static str,
        body: String,
    ) -> Result<(Value, String), SlackError> {
        let Told { answer, scopes, retry_after } = self.answered(token, method, content_type, body).await?;
        if answer.get("ok").and_then(Value::as_bool) == Some(true) {
            return Ok((answer, scopes));
        }
        let code = answer.get("error").and_then(Value::as_str).unwrap_or_default();
        Err(SlackError::from_code(code, answer.get("needed").and_then(Value::as_str), retry_after))
    }

    /// An answer that says `ok`, or why not.
    async fn answered(&self, token: Option<&Secret>, method: &str, content_type: &'static str, body: String) -> Result<Told, SlackError> {
        let url = self.api.join(method).map_err(|error| SlackError::Later(error.to_string()))?;
        let mut request = self.http.post(url).header(CONTENT_TYPE, content_type).body(body);
        if let Some(token) = token {
            let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose().trim()));
            let mut bearer = bearer.map_err(|_| SlackError::Token("malformed".to_owned()))?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status();
        let retry_after = retry_after(&answer);
        if status.as_u16() == 429 {
            return Err(SlackError::RateLimited { retry_after });
        }
        let scopes = answer.headers().get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok()).unwrap_or_default().to_owned();
        let text = answer.text().await.map_err(broken)?;
        let parsed: Option<Value> = serde_json::from_str(&text).ok();
        let Some(answer) = parsed else {
            // A 5xx from in front of Slack, or a page: it may have been done.
            return Err(SlackError::Ambiguous(format!("HTTP {} without JSON", status.as_u16())));
        };
        let says = answer.get("ok").and_then(Value::as_bool) == Some(true) || answer.get("error").is_some_and(Value::is_string);
        if !says {
            return Err(SlackError::Ambiguous(format!("HTTP {} without an error code", status.as_u16())));
        }
        Ok(Told { answer, scopes, retry_after })
    }

    /// Answers at a `response_url`, which must be on `hooks`, see [`address_on`].
    pub async fn respond(&self, hooks: &Url, response_url: &str, message: &impl Serialize) -> Result<(), SlackError> {
        let answer = self.post_to(hooks, response_url, "response_url", message).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            429 => Err(SlackError::RateLimited { retry_after: retry_after(&answer) }),
            500..=599 => Err(SlackError::Later(format!("HTTP {}", answer.status().as_u16()))),
            // 404 and 410: used up, or older than 30 minutes.
            other => Err(never(&format!("response_url_http_{other}"))),
        }
    }

    /// Posts by an incoming webhook, whose address is a secret and must be on `hooks` as well. Slack answers `ok`, or a code as plain text
    /// (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>); what it posted it does not tell.
    pub async fn webhook(&self, hooks: &Url, address: &Secret, message: &impl Serialize) -> Result<(), SlackError> {
        let answer = self.post_to(hooks, address.expose().trim(), "webhook", message).await?;
        let (status, wait) = (answer.status().as_u16(), retry_after(&answer));
        match status {
            200..=299 => Ok(()),
            429 => Err(SlackError::RateLimited { retry_after: wait }),
            // From in front of Slack perhaps: it may have been done.
            500..=599 => Err(SlackError::Ambiguous(format!("HTTP {status}"))),
            _ => {
                let code = answer.text().await.map_err(broken)?;
                let plain = !code.is_empty() && code.len() < 60 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                Err(never(if plain { &code } else { "webhook_refused" }))
            }
        }
    }

    async fn post_to(&self, hooks: &Url, address: &str, what: &str, message: &impl Serialize) -> Result<Response, SlackError> {
        let url = address_on(hooks, address, what)?;
        let body = serde_json::to_string(message).map_err(|error| SlackError::Later(error.to_string()))?;
        let request = self.http.post(url).header(CONTENT_TYPE, "application/json; charset=utf-8").body(body);
        request.send().await.map_err(broken)
    }
}

fn never(code: &str) -> SlackError {
    SlackError::Never { code: code.to_owned(), needed: None }
}

/// An address, if it is on `hooks` (`SLACK_HOOKS_URL`): any other would let a forged payload make us call whom it likes. `what` it is names the refusal.
pub fn address_on(hooks: &Url, address: &str, what: &str) -> Result<Url, SlackError> {
    let url = Url::parse(address).map_err(|_| never(&format!("{what}_malformed")))?;
    // The origin alone would not do: that of `blob:https://…` is the origin of the address inside.
    let plain = url.scheme() == hooks.scheme() && url.username().is_empty() && url.password().is_none();
    if url.origin() != hooks.origin() || !plain {
        return Err(never(&format!("{what}_foreign")));
    }
    Ok(url)
}

/// How long Slack wants a pause, in seconds; one where it does not say.
fn retry_after(answer: &Response) -> u64 {
    answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok()).unwrap_or(1)
}

const FORM: &str = "application/x-www-form-urlencoded";

fn form(arguments: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(arguments).finish()
}

/// A connection that could not be made did nothing; any other break is ambiguous. The text is without the URL: a `response_url` is a secret.
fn broken(error: reqwest::Error) -> SlackError {
    let nothing_sent = error.is_connect();
    let text = crate::causes(&error.without_url());
    if nothing_sent { SlackError::Later(text) } else { SlackError::Ambiguous(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_scope_is_named() {
        let error = SlackError::from_code("missing_scope", Some("users:read"), 1);
        assert_eq!(error.to_string(), "Slack refuses: missing_scope (needs the scope users:read)");
    }

    #[tokio::test]
    async fn an_answer_goes_to_slack_and_to_nobody_else() {
        let hooks = Url::parse("https://hooks.slack.com/").expect("a URL");
        let client = Client::new(Url::parse("http://127.0.0.1:9/api/").expect("a URL"), Duration::from_millis(50)).expect("a client");
        let hostile = [
            "http://hooks.slack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://hooks.slack.com.evil.example/x",
            "https://evil.example/hooks.slack.com",
            "https://user@hooks.slack.com/x",
            "https://hooks.slack.com@evil.example/x",
            "//hooks.slack.com/x",
            "file:///etc/passwd",
            // Its origin is that of the address inside.
            "blob:https://hooks.slack.com/x",
            "",
        ];
        for url in hostile {
            let refused = client.respond(&hooks, url, &"hello").await.expect_err(url);
            assert!(refused.is("response_url_foreign") || refused.is("response_url_malformed"), "{url}: {refused}");
        }
    }
}
