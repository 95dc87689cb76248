//! The HTTP API, as a program uses it that has a key.

use axum::body::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use shared::secrets::keys::{LENGTH, PREFIX, digest};

use crate::cli;
use crate::dispatcher::hex;
use crate::http::Answer;
use crate::world::World;

/// Somebody who calls the API.
#[derive(Debug, Clone)]
pub struct Caller<'w> {
    world: &'w World,
    /// What is sent as `Authorization`.
    authorization: Option<String>,
}

impl World {
    /// Makes a key of this name, kept with what else is said about it; whoever has it calls the API.
    pub async fn makes_api_key(&self, name: &str, about: Value) -> Caller<'_> {
        let key = format!("{PREFIX}{}", hex(LENGTH - PREFIX.len()));
        self.keeps_secret(&key);
        let mut entry = about;
        entry["sha256"] = json!(digest(&key));
        self.changes_api_keys(|keys| keys[name] = entry).await;
        self.calls_api_with(&key)
    }

    /// Revokes the key of this name, as an admin does.
    pub async fn revokes_api_key(&self, name: &str) {
        self.changes_api_keys(|keys| keys[name]["revoked"] = json!("2026-01-31")).await;
    }

    /// Runs `tocsin keys …` over this world's secret, as an admin does; what it printed and its exit code.
    pub async fn runs_keys(&self, arguments: &[&str]) -> (String, Option<i32>) {
        self.runs_keys_over(&self.aws.endpoint, arguments).await
    }

    /// The same, with AWS at this address.
    pub async fn runs_keys_over(&self, endpoint: &str, arguments: &[&str]) -> (String, Option<i32>) {
        let mut command = cli::tocsin(endpoint).await;
        command.args(["keys", "--secret", &self.resources.api_keys]).args(arguments);
        let cli::Ran { stdout, code, .. } = cli::run(command, "").await;
        (stdout, code)
    }

    async fn changes_api_keys(&self, change: impl FnOnce(&mut Value)) {
        let (secrets, id) = (&self.aws.secrets, &self.resources.api_keys);
        let read = secrets.get_secret_value().secret_id(id).send().await.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
        let mut keys = serde_json::from_str(read.secret_string().unwrap_or_default()).unwrap_or_else(|_| json!({}));
        change(&mut keys);
        let put = secrets.put_secret_value().secret_id(id).secret_string(keys.to_string()).send().await;
        put.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
    }

    /// Whoever presents this key.
    pub fn calls_api_with(&self, key: &str) -> Caller<'_> {
        Caller { world: self, authorization: Some(format!("Bearer {key}")) }
    }

    /// Whoever presents none.
    pub fn calls_api(&self) -> Caller<'_> {
        Caller { world: self, authorization: None }
    }
}

impl Caller<'_> {
    /// What is sent as `Authorization`.
    pub fn authorization(&self) -> &str {
        self.authorization.as_deref().unwrap_or_default()
    }

    /// Sends anything, with headers of its own.
    pub async fn sends(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.world.url("api")));
        let own = self.authorization.as_deref().map(|authorization| ("authorization", authorization));
        for (name, value) in headers.iter().copied().chain(own) {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        self.world.http.send(request).await.unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Asks.
    pub async fn gets(&self, path: &str) -> Answer {
        self.sends("GET", path, &[], Bytes::new()).await
    }

    /// Posts JSON.
    pub async fn posts(&self, path: &str, body: &Value) -> Answer {
        self.sends("POST", path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Changes something.
    pub async fn patches(&self, path: &str, body: &Value) -> Answer {
        self.sends("PATCH", path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Posts what has to be accepted, and waits for what became of it.
    pub async fn wants(&self, path: &str, body: &Value) -> Value {
        let answer = self.posts(path, body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        self.learns(&answer).await
    }

    /// Waits for what became of a request that was accepted.
    pub async fn learns(&self, accepted: &Answer) -> Value {
        let said = accepted.json().expect("JSON");
        let request = said.get("request").and_then(Value::as_str).unwrap_or_else(|| panic!("no request: {said}")).to_owned();
        let location = accepted.headers.get("location").and_then(|location| location.to_str().ok());
        assert_eq!(location, Some(format!("/v1/requests/{request}").as_str()));
        self.world
            .until(&format!("{request} is done"), async || {
                let answer = self.gets(&format!("v1/requests/{request}")).await;
                if answer.status == 200 { Ok(answer.json().expect("JSON")) } else { Err(answer.text()) }
            })
            .await
    }
}
