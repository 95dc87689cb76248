//! A Slack on one machine: enough of it to develop and test Tocsin without a workspace.
//!
//! In the order in which things happen:
//! - [`config`]: what a simulator starts with
//! - `server`: the listening socket, which can also cut a connection
//! - `web_api`: what the app calls, with Slack's limits (`limits`), scopes, rates and error codes
//! - `oauth`: how the app is installed, and how its tokens change
//! - `response_url`, `webhooks`: answers to one person's action, and messages without a token
//! - `people`: what people do, and the payloads that Slack makes of it
//! - `outbound`: signed requests to the app, its time to answer, repeated attempts; `socket_mode`: the same over a WebSocket that the app opens
//! - `world`, `teams`, `messages`: what stands in the workspaces
//! - [`workflows`]: the steps that the app brings to them, and their runs
//! - `installations`, `calls`, `state`: whose token it is, what was called with it, and everything else that is remembered
//! - [`faults`], `rates`: what goes wrong on demand, and what is too much
//! - `queue`: drops sample incidents onto SQS
//! - `control`: the API under `/sim` for tests and for the page; `page`: the page itself
//!
//! The README beside this crate describes the control API.

mod calls;
mod clock;
pub mod config;
mod control;
pub mod faults;
mod fields;
mod installations;
mod messages;
mod oauth;
mod outbound;
mod page;
mod people;
mod queue;
mod rates;
mod replay;
mod response_url;
mod server;
mod signature;
mod socket_mode;
mod state;
mod teams;
mod web_api;
mod webhooks;
pub mod workflows;
mod world;

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use config::Config;
pub use signature::sign;
use state::Slack;

/// A simulator that is listening. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    /// Where it listens, such as `http://127.0.0.1:4711`, without a slash at the end.
    pub base_url: String,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    events: JoinHandle<()>,
}

impl Running {
    /// Stops listening and drops every connection; returns once that is done.
    pub async fn stop(mut self) {
        self.events.abort();
        // The server cannot be gone yet: only this and the drop below end it.
        let _ = self.stop.send(true);
        let _ = (&mut self.server).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.events.abort();
        let _ = self.stop.send(true);
    }
}

/// Starts a simulator on 127.0.0.1, inside the current tokio runtime.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    let queue = config.incidents_queue_url.clone().map(|url| queue::Queue::new(url, config.sqs.clone())).transpose()?;
    let port = config.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| format!("port {port} cannot be listened on"))?;
    let base_url = format!("http://{}", listener.local_addr()?);

    let page = page::routes(&config.page);
    let (slack, mut outbox) = Slack::new(config, queue);
    slack.listens_at(&base_url);
    let slack = Arc::new(slack);
    let router = Router::new()
        .route("/api/{method}", any(web_api::call))
        .route("/hooks/response/{team}/{time}/{secret}", post(response_url::post))
        .route("/services/{team}/{bot}/{secret}", post(webhooks::post))
        .route("/link/", get(socket_mode::link::connect))
        .route("/oauth/v2/authorize", get(oauth::consent::show).post(oauth::consent::decide))
        .nest("/sim", control::routes())
        .merge(page)
        .layer(DefaultBodyLimit::max(4 * 1024 * 1024))
        .with_state(slack.clone());

    let events = tokio::spawn(async move {
        while let Some(event) = outbox.recv().await {
            let slack = slack.clone();
            tokio::spawn(async move { people::events::deliver_in_background(&slack, event).await });
        }
    });
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(server::serve(listener, router, stopped));
    Ok(Running { base_url, stop, server, events })
}
