//! What a simulator starts with; all of it can be changed later under `/sim`, and `/sim/reset` comes back to it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::workflows::Step;

/// How one simulator starts. [`Config::default`] serves tests: any port, no app behind it, Slack's own limits and delays.
#[derive(Debug, Clone)]
pub struct Config {
    /// TCP port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// What requests to the app are signed with.
    pub signing_secret: String,
    /// The bot token that the Web API accepts.
    pub bot_token: String,
    /// The app-level token that `apps.connections.open` accepts.
    pub app_token: String,
    /// The app configuration token that `apps.manifest.*` accept.
    pub config_token: String,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: String,
    /// Whether tokens that are given for a code expire.
    pub rotation: bool,
    /// Where slash commands go.
    pub commands_url: Option<String>,
    /// Where clicks, modal submissions and shortcuts go.
    pub interactions_url: Option<String>,
    /// Where events go.
    pub events_url: Option<String>,
    /// The queue that sample files are dropped onto.
    pub incidents_queue_url: Option<String>,
    /// How to reach that queue; if none is given, region, credentials and `AWS_ENDPOINT_URL` come from the environment.
    pub sqs: Option<aws_sdk_sqs::Client>,
    /// Folder of sample files.
    pub samples: PathBuf,
    /// Folder of the built page.
    pub page: PathBuf,
    /// Scopes granted to the bot token.
    pub scopes: Vec<String>,
    /// Event types that the app is subscribed to, as its manifest names them (`message.channels` and so on).
    pub events: Vec<String>,
    /// The steps that the app brings to workflows, see [`crate::workflows::declared`].
    pub steps: Vec<Step>,
    /// Rate limits.
    pub rates: Rates,
    /// How long things live and how long Slack waits.
    pub timing: Timing,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            signing_secret: "simulator-signing-secret".into(),
            bot_token: "xoxb-simulator".into(),
            app_token: "xapp-simulator".into(),
            config_token: "xoxe.xoxp-simulator".into(),
            client_id: "4280.4280".into(),
            client_secret: "simulator-client-secret".into(),
            rotation: false,
            commands_url: None,
            interactions_url: None,
            events_url: None,
            incidents_queue_url: None,
            sqs: None,
            samples: "events".into(),
            page: "simulator/page/dist".into(),
            scopes: strings(&[
                "app_mentions:read",
                "usergroups:read",
                "channels:history",
                "channels:read",
                "chat:write",
                "commands",
                "groups:history",
                "groups:read",
                "im:history",
                "im:write",
                "links:read",
                "links:write",
                "mpim:history",
                "reactions:read",
                "users:read",
                "users:read.email",
            ]),
            events: strings(&[
                "app_mention",
                "message.channels",
                "message.groups",
                "message.im",
                "app_uninstalled",
                "tokens_revoked",
                "app_home_opened",
                "reaction_added",
                "member_joined_channel",
                "function_executed",
                "link_shared",
            ]),
            steps: Vec::new(),
            rates: Rates::default(),
            timing: Timing::default(),
        }
    }
}

/// Slack's rates: one message per second and channel with a small burst, so many messages per minute and workspace, and a number of calls per minute for
/// each method of an installation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rates {
    /// No limit at all.
    pub off: bool,
    /// Messages per second in one channel (`chat.postMessage`).
    pub channel_per_second: f64,
    /// How many of them may come at once.
    pub burst: u32,
    /// Messages per minute in all channels of one workspace together (`chat.postMessage`). Slack says "several hundred" and no number.
    pub workspace_per_minute: Option<u32>,
    /// Calls per minute and installation of methods with a limit of their own.
    pub methods: BTreeMap<String, u32>,
    /// Calls per minute of every other method.
    pub default_per_minute: u32,
}

impl Default for Rates {
    fn default() -> Self {
        let methods = [
            ("auth.test", 600),
            ("chat.delete", 50),
            ("chat.getPermalink", 600),
            ("chat.postEphemeral", 100),
            ("chat.postMessage", 600),
            ("chat.update", 50),
            ("conversations.history", 50),
            ("conversations.info", 50),
            ("conversations.replies", 50),
            ("oauth.v2.access", 600),
            ("usergroups.users.list", 20),
            ("users.conversations", 50),
            ("users.info", 100),
            ("users.list", 20),
            ("users.lookupByEmail", 50),
            ("views.open", 100),
            ("views.push", 100),
            ("views.update", 100),
        ];
        Self {
            off: false,
            channel_per_second: 1.0,
            burst: 3,
            workspace_per_minute: Some(300),
            methods: methods.iter().map(|(method, limit)| ((*method).to_owned(), *limit)).collect(),
            default_per_minute: 50,
        }
    }
}

/// Lifetimes and patience, in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Timing {
    /// How long a `trigger_id` may be used.
    pub trigger_ms: u64,
    /// How long the app has to answer a request.
    pub answer_ms: u64,
    /// How long a `response_url` may be used.
    pub response_url_ms: u64,
    /// How long after a failed attempt each further attempt of an event comes.
    pub event_retry_ms: Vec<u64>,
    /// How long a code may be exchanged for tokens.
    pub code_ms: u64,
    /// How long an access token works, where tokens rotate.
    pub token_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            trigger_ms: 3000,
            answer_ms: 3000,
            response_url_ms: 30 * 60 * 1000,
            event_retry_ms: vec![0, 60_000, 300_000],
            code_ms: 10 * 60 * 1000,
            token_ms: 12 * 60 * 60 * 1000,
        }
    }
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}
