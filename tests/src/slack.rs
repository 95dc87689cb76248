//! The simulator, which is Slack in these tests: its control API, and the messages that people see.

use anyhow::Result;
use hyper::Method;
use serde_json::{Value, json};

use crate::http::Http;
use crate::paths;

/// A running simulator.
pub struct Slack {
    /// `http://127.0.0.1:PORT`
    pub base_url: String,
    http: Http,
    _running: simulator::Running,
}

impl std::fmt::Debug for Slack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slack").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Slack {
    /// Starts one; it ends when this is dropped. Sample files are dropped onto `incidents`, if there is a queue yet.
    pub async fn start(
        bot_token: &str,
        signing_secret: &str,
        incidents: Option<(aws_sdk_sqs::Client, String)>,
        http: Http,
    ) -> Result<Self> {
        let (sqs, incidents_queue_url) = incidents.unzip();
        let config = simulator::Config {
            bot_token: bot_token.to_owned(),
            signing_secret: signing_secret.to_owned(),
            incidents_queue_url,
            sqs,
            samples: paths::repository().join("events"),
            page: paths::page(),
            steps: simulator::workflows::declared(&paths::repository().join("infra/app-manifest.yaml"))?,
            ..simulator::Config::default()
        };
        let running = simulator::start(config).await?;
        Ok(Self { base_url: running.base_url.clone(), http, _running: running })
    }

    /// Base of the Web API.
    pub fn api_url(&self) -> String {
        format!("{}/api/", self.base_url)
    }

    /// Base of the `response_url`s.
    pub fn hooks_url(&self) -> String {
        format!("{}/", self.base_url)
    }

    /// Where people are asked whether they want to install an app.
    pub fn authorize_url(&self) -> String {
        format!("{}/oauth/v2/authorize", self.base_url)
    }

    /// Calls the control API: `POST /sim/{path}`.
    pub async fn tell(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/sim/{path}", self.base_url);
        self.http.call(Method::POST, &url, Some(body)).await.unwrap_or_else(|error| panic!("the simulator: {error:#}"))
    }

    /// Asks the control API: `GET /sim/{path}`.
    pub async fn ask(&self, path: &str) -> Value {
        let url = format!("{}/sim/{path}", self.base_url);
        self.http.call(Method::GET, &url, None).await.unwrap_or_else(|error| panic!("the simulator: {error:#}"))
    }

    /// `DELETE /sim/{path}`.
    pub async fn forget(&self, path: &str) {
        let url = format!("{}/sim/{path}", self.base_url);
        self.http.call(Method::DELETE, &url, None).await.unwrap_or_else(|error| panic!("the simulator: {error:#}"));
    }

    /// Everything there is to see, for everybody.
    pub async fn state(&self) -> Value {
        self.ask("state").await
    }

    /// Every message of every channel, oldest first: replies and ephemeral ones too.
    pub async fn messages(&self) -> Vec<Message> {
        let state = self.state().await;
        let messages = state.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
        messages.into_iter().map(Message).collect()
    }

    /// The id of a channel, `#incidents` or `C0INCIDENTS`.
    pub async fn channel_id(&self, channel: &str) -> String {
        let state = self.state().await;
        let name = channel.trim_start_matches('#');
        let channels = state.get("channels").and_then(Value::as_array).cloned().unwrap_or_default();
        let found = channels.iter().find(|known| known.get("name") == Some(&json!(name)) || known.get("id") == Some(&json!(name)));
        let id = found.and_then(|channel| channel.get("id")?.as_str().map(str::to_owned));
        id.unwrap_or_else(|| panic!("the simulator has no channel {channel}"))
    }

    /// What Tocsin called, by method (`chat.postMessage`, `response_url`).
    pub async fn calls(&self, method: &str) -> Vec<Value> {
        self.ask(&format!("calls?method={method}")).await.as_array().cloned().unwrap_or_default()
    }

    /// From now on something goes wrong: see `/sim/faults`.
    pub async fn fault(&self, fault: &Value) {
        self.tell("faults", fault).await;
    }

    /// How often each fault has hit so far, all together.
    pub async fn hits(&self) -> u64 {
        let faults = self.ask("faults").await;
        faults.as_array().into_iter().flatten().filter_map(|fault| fault.get("hits")?.as_u64()).sum()
    }
}

/// A message as Slack keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message(pub Value);

/// A button on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it is called.
    pub action_id: String,
    /// What it carries.
    pub value: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
}

impl Message {
    fn string(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Its `ts`.
    pub fn ts(&self) -> &str {
        self.string("ts").unwrap_or_default()
    }

    /// Its channel's id.
    pub fn channel(&self) -> &str {
        self.string("channel").unwrap_or_default()
    }

    /// The card whose thread it is in; `None` for a message of the channel itself.
    pub fn thread(&self) -> Option<&str> {
        self.string("thread_ts").filter(|thread| *thread != self.ts())
    }

    /// Whether a reply also stands in the channel.
    pub fn is_broadcast(&self) -> bool {
        self.0.get("broadcast").and_then(Value::as_bool).unwrap_or_default()
    }

    /// The only person who sees it.
    pub fn only_for(&self) -> Option<&str> {
        self.string("ephemeral_for")
    }

    /// Whether Tocsin wrote it, not a person and not Slack itself.
    pub fn is_ours(&self) -> bool {
        self.string("bot_id").is_some()
    }

    /// Everything that can be read on it: text, blocks, attachments, labels of buttons.
    pub fn reads(&self) -> String {
        let mut read = Vec::new();
        for part in ["text", "blocks", "attachments"] {
            collect(self.0.get(part).unwrap_or(&Value::Null), part == "text", &mut read);
        }
        read.join("\n")
    }

    /// Its buttons, in order.
    pub fn buttons(&self) -> Vec<Button> {
        let mut found = Vec::new();
        for part in ["blocks", "attachments"] {
            buttons(self.0.get(part).unwrap_or(&Value::Null), &mut found);
        }
        found
    }

    /// The menu that has this line, and what choosing it sends.
    pub fn menu_line(&self, line: &str) -> Option<(String, String)> {
        let blocks = self.0.get("blocks").and_then(Value::as_array);
        let elements = blocks.into_iter().flatten().filter_map(|block| block.get("elements")?.as_array()).flatten();
        elements.into_iter().find_map(|element| {
            let options = element.get("options")?.as_array()?;
            let chosen = options.iter().find(|option| option.pointer("/text/text").and_then(Value::as_str) == Some(line))?;
            let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
            Some((text(element, "action_id")?, text(chosen, "value")?))
        })
    }

    /// The labels of its buttons.
    pub fn labels(&self) -> Vec<String> {
        self.buttons().into_iter().map(|button| button.label).collect()
    }

    /// The id of the incident it is about: what the buttons carry, else what can be read on it.
    pub fn incident(&self) -> Option<String> {
        let carried = self.buttons().into_iter().find_map(|button| button.value?.split('/').nth(1).map(str::to_owned));
        carried.or_else(|| incident_in(&self.reads()))
    }
}

/// The first incident's id in a text.
pub fn incident_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("INC-")?;
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
    Some(format!("INC-{}", rest.get(..end)?))
}

fn collect(value: &Value, is_text: bool, read: &mut Vec<String>) {
    match value {
        Value::String(text) if is_text => read.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_text, read)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| collect(field, name == "text" || name == "title", read)),
        _ => {}
    }
}

fn buttons(value: &Value, found: &mut Vec<Button>) {
    let string = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    if string("type").as_deref() == Some("button") {
        let label = value.pointer("/text/text").and_then(Value::as_str).unwrap_or_default().to_owned();
        found.push(Button { label, action_id: string("action_id").unwrap_or_default(), value: string("value"), url: string("url") });
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| buttons(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| buttons(field, found)),
        _ => {}
    }
}
