//! The simulator's own promises, asked for over HTTP by a real client, with a small app behind it.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as expected")]

mod app;
mod control;
mod faults;
mod load;
mod manifests;
mod oauth;
mod outbound;
mod rates;
mod response_url;
mod socket_mode;
mod web_api;
mod webhooks;
mod workflows;
mod workspaces;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Config, Running};

/// A simulator, a client, and the app that the simulator talks to.
struct World {
    running: Running,
    http: reqwest::Client,
    app: Arc<app::App>,
}

/// What came back from the Web API or a `response_url`.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl World {
    async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    async fn start_with(config: Config) -> Self {
        // The second test of this process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let app = app::App::start().await;
        let running = simulator::start(config).await.unwrap();
        let world = Self { running, http: reqwest::Client::new(), app };
        let url = &world.app.url;
        world.sim("app", json!({"commands_url": url, "interactions_url": url, "events_url": url})).await;
        world
    }

    /// Calls a Web API method with the valid token.
    async fn api(&self, method: &str, arguments: Value) -> Answer {
        self.try_api(method, arguments).await.unwrap()
    }

    async fn try_api(&self, method: &str, arguments: Value) -> Result<Answer, reqwest::Error> {
        self.try_api_as("xoxb-simulator", method, arguments).await
    }

    /// Calls a Web API method with any token.
    async fn api_as(&self, token: &str, method: &str, arguments: Value) -> Answer {
        self.try_api_as(token, method, arguments).await.unwrap()
    }

    async fn try_api_as(&self, token: &str, method: &str, arguments: Value) -> Result<Answer, reqwest::Error> {
        let response = self
            .http
            .post(format!("{}/api/{method}", self.running.base_url))
            .bearer_auth(token)
            .header("content-type", "application/json; charset=utf-8")
            .body(arguments.to_string())
            .send()
            .await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_str(&response.text().await?).unwrap_or_default();
        Ok(Answer { status, headers, body })
    }

    /// Calls a method that reads queries only.
    async fn get_api(&self, method_and_query: &str) -> Value {
        self.get_api_as("xoxb-simulator", method_and_query).await
    }

    async fn get_api_as(&self, token: &str, method_and_query: &str) -> Value {
        let url = format!("{}/api/{method_and_query}", self.running.base_url);
        let text = self.http.get(url).bearer_auth(token).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Does something through the control API.
    async fn sim(&self, path: &str, body: Value) -> Value {
        let response = self.http.post(format!("{}/sim/{path}", self.running.base_url)).body(body.to_string()).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "/sim/{path} of {body}");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// What the control API answers when it does not do what it is asked for.
    async fn sim_refuses(&self, path: &str, body: Value) -> (u16, String) {
        let response = self.http.post(format!("{}/sim/{path}", self.running.base_url)).body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Looks at something through the control API.
    async fn look(&self, path: &str) -> Value {
        let text = self.http.get(format!("{}/sim/{path}", self.running.base_url)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Posts a plain message as the bot and returns its `ts`.
    async fn post(&self, channel: &str, text: &str) -> String {
        let answer = self.api("chat.postMessage", json!({"channel": channel, "text": text})).await;
        answer.body["ts"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
    }

    /// Posts a message with one button and returns its `ts`.
    async fn post_button(&self) -> String {
        let blocks = json!([{"type": "actions", "block_id": "row", "elements": [
            {"type": "button", "action_id": "acknowledge_incident", "value": "T0TOCSIN/INC-1", "text": {"type": "plain_text", "text": "Acknowledge"}}]}]);
        let answer = self.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "card", "blocks": blocks})).await;
        answer.body["ts"].as_str().unwrap().to_owned()
    }

    /// Waits until there are so many deliveries of a kind.
    async fn deliveries(&self, kind: &str, at_least: usize) -> Vec<Value> {
        for _ in 0..500 {
            let deliveries = self.look(&format!("deliveries?kind={kind}")).await.as_array().unwrap().clone();
            if deliveries.len() >= at_least {
                return deliveries;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there were never {at_least} deliveries of {kind}");
    }
}
