//! Opening a connection. <https://docs.slack.dev/reference/methods/apps.connections.open>

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow};
use futures_util::StreamExt;
use serde_json::Value;
use shared::secrets::Secret;
use shared::slack::client::{Client, SlackError};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message as Frame};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use url::Url;

use super::message::{Hello, Message};
use super::token::WHERE;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where Socket Mode is turned on.
const TURN_ON: &str =
    "turn it on under Socket Mode at https://api.slack.com/apps, or by the manifest: `tocsin manifest apply --socket-mode --app-id A…`";

/// A WebSocket.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The Slack that connections are opened to.
pub(super) struct Slack {
    /// Where its Web API is.
    pub(super) api: Url,
    /// After how long without a word a connection counts as broken.
    pub(super) silence: Duration,
    client: Client,
    token: Secret,
    tls: Connector,
}

/// A connection that Slack has greeted.
pub(super) struct Link {
    pub(super) socket: Socket,
    pub(super) hello: Hello,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another try would fail as well.
    Final(Error),
    /// Another try may succeed, after so long where Slack says how long.
    Passing { why: String, wait: Option<Duration> },
}

impl Slack {
    pub(super) fn new(api: Url, token: Secret, silence: Duration) -> Result<Self> {
        Ok(Self {
            client: Client::new(api.clone(), PATIENCE)?,
            api,
            silence,
            token,
            tls: Connector::Rustls(Arc::new(shared::http::tls()?)),
        })
    }

    /// Opens a connection, and waits until Slack says that it is in use.
    pub(super) async fn open(&self) -> Result<Link, Failure> {
        let answer = self.client.ask(&self.token, "apps.connections.open", &[]).await.map_err(|error| self.refused(&error))?;
        let address = self.address(&answer).map_err(Failure::Final)?;
        let connecting = connect_async_tls_with_config(address.as_str(), None, false, Some(self.tls.clone()));
        let connected = timeout(PATIENCE, connecting).await.map_err(|_| passing("the WebSocket does not open in time"))?;
        let (mut socket, _) = connected.map_err(|error| passing(format!("the WebSocket does not open: {error}")))?;
        let greeted = timeout(PATIENCE, greeting(&mut socket)).await.map_err(|_| passing("Slack does not say hello in time"))?;
        greeted.map(|hello| Link { socket, hello })
    }

    /// The address of one connection, which is as good as the token: it is shown to nobody, and goes over TLS where the token did.
    fn address(&self, answer: &Value) -> Result<Url> {
        let url = answer.get("url").and_then(Value::as_str).context("Slack names no address for the WebSocket")?;
        let url = Url::parse(url).map_err(|_| anyhow!("Slack's address for the WebSocket is none"))?;
        let right = url.scheme() == "wss" || (url.scheme() == "ws" && self.api.scheme() == "http");
        right.then_some(url).context("Slack's address for the WebSocket is not encrypted, so it is not used")
    }

    /// What a refusal means, and what to do about it.
    fn refused(&self, error: &SlackError) -> Failure {
        let code = match error {
            SlackError::RateLimited { retry_after } => {
                let wait = Some(Duration::from_secs(*retry_after));
                return Failure::Passing { why: "Slack lets no more connections be opened for a while (ratelimited)".to_owned(), wait };
            }
            SlackError::Later(_) | SlackError::Ambiguous(_) | SlackError::Closed(_) => return passing(error.to_string()),
            SlackError::Token(code) | SlackError::Never { code, .. } => code.as_str(),
        };
        let api = &self.api;
        let elsewhere = if is_slacks(api) {
            String::new()
        } else {
            format!(
                ". The functions of this stack answer through {api} (the parameter SlackApiUrl), which is not slack.com, and the token has to be of the same Slack: for a real workspace, deploy the stack without \
                 SlackApiUrl; `make local` does so where SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET are set"
            )
        };
        Failure::Final(match code {
            "missing_scope" | "no_permission" => anyhow!("the app-level token lacks the scope connections:write ({code}): {WHERE}"),
            "not_allowed_token_type" => anyhow!("Slack wants an app-level token here ({code}): {WHERE}"),
            _ if matches!(error, SlackError::Token(_)) => anyhow!("Slack does not accept the app-level token ({code}): {WHERE}{elsewhere}"),
            _ => anyhow!("Slack opens no connection ({code}): see https://docs.slack.dev/reference/methods/apps.connections.open"),
        })
    }
}

/// Slack's own hosts, those of `GovSlack` too.
fn is_slacks(api: &Url) -> bool {
    let host = api.host_str().unwrap_or_default();
    ["slack.com", "slack-gov.com"].iter().any(|own| host == *own || host.ends_with(&format!(".{own}")))
}

fn passing(why: impl Into<String>) -> Failure {
    Failure::Passing { why: why.into(), wait: None }
}

/// Why there will be no more connections.
pub(super) fn disabled() -> Error {
    anyhow!("Socket Mode is turned off for this app (link_disabled): {TURN_ON}")
}

/// Waits for Slack's hello; whatever comes instead is the end of this connection.
async fn greeting(socket: &mut Socket) -> Result<Hello, Failure> {
    loop {
        let text = match socket.next().await {
            Some(Ok(Frame::Text(text))) => text,
            Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Binary(_) | Frame::Frame(_))) => continue,
            Some(Ok(Frame::Close(_))) | None => return Err(passing("Slack closes the connection at once")),
            Some(Err(error)) => return Err(passing(broken(&error))),
        };
        return match Message::read(&text).map_err(passing)? {
            Message::Hello(hello) => Ok(hello),
            Message::Disconnect(reason) if reason == "link_disabled" => Err(Failure::Final(disabled())),
            Message::Disconnect(reason) if reason == "too_many_websockets" => {
                Err(passing("the app has as many connections as Slack allows (too_many_websockets): end another one of them"))
            }
            Message::Disconnect(reason) => Err(passing(format!("Slack ends the connection at once ({reason})"))),
            Message::Envelope(_) | Message::Other(_) => continue,
        };
    }
}

/// How a connection broke.
pub(super) fn broken(error: &tungstenite::Error) -> String {
    format!("the connection is broken: {error}")
}
