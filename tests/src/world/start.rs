//! Starts a world: the functions by the dispatcher with the environment that template.yaml gives them, or template.yaml itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::{Memory, Stack, World};
use crate::binaries;
use crate::canaries::Canaries;
use crate::deployed::Deployed;
use crate::dispatcher::counter::Counter;
use crate::dispatcher::mapping::Mapping;
use crate::dispatcher::url::FunctionUrl;
use crate::dispatcher::{Dispatcher, Function, Launch};
use crate::http::Http;
use crate::logs::Logs;
use crate::ministack::{Aws, CREDENTIALS, Ministack, Queue, REGION, Resources};
use crate::slack::Slack;

/// Where the functions believe that Tocsin is installed.
pub const INSTALL_URL: &str = "https://tests.lambda-url.us-east-1.on.aws/install";

/// The app's public name in OAuth.
pub const CLIENT_ID: &str = "4280.4280";

/// The beginning of the ARNs of a world's own alarms.
pub const OWN_ALARMS: &str = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:world/watch/";

/// How a world differs from the usual one.
#[derive(Debug, Clone)]
pub struct Setup {
    /// After how many seconds a job comes again whose function died or failed.
    pub visibility: BTreeMap<Queue, u32>,
    /// How many copies of each function there may be, and how many batches are received at once.
    pub instances: usize,
    /// The same for the posters, where there have to be more of them.
    pub posters: Option<usize>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Where incidents go that no rule routes.
    pub default_channel: String,
    /// How long one call to Slack may take, in seconds; a lost answer is looked up two seconds after that.
    pub slack_timeout: u32,
    /// What happens to a message that may have been posted and cannot be looked up: `again` or `park`.
    pub uncertain: &'static str,
    /// How many cards are updated in a minute.
    pub updates_per_minute: u32,
    /// Whether the functions' calls to AWS pass by a proxy that counts them; for large loads they do not.
    pub counted: bool,
    /// Which workspace is meant where none is named; empty for the only one.
    pub default_workspace: String,
    /// Whether workspaces install the app by a link, rather than by a pasted token; nobody has yet.
    pub by_link: bool,
    /// By link: whether tokens expire and have to be refreshed.
    pub tokens_rotate: bool,
    /// For how many hours after a rotation the signing secret before verifies as well. One that was written just now is always within them.
    pub signing_overlap_hours: u32,
    /// Where `response_url`s and webhooks are believed to be; the simulator's where none is named.
    pub hooks_url: Option<String>,
    /// The least severe line that functions log.
    pub log_level: String,
    /// The folder with the functions' programs, where they are not those of this checkout.
    pub programs: Option<PathBuf>,
    /// How long a test waits for what it expects. Never the time that something takes: a machine may be busy with a dozen worlds.
    pub patience: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            // Longer than a poster works on a channel, as in template.yaml: else two would be at work in it.
            visibility: BTreeMap::from([
                (Queue::Incidents, 8),
                (Queue::Intents, 8),
                (Queue::Posts, 24),
                (Queue::Timeline, 8),
                (Queue::Calls, 8),
            ]),
            instances: 2,
            posters: None,
            timeout: Duration::from_secs(20),
            default_channel: "#incidents".to_owned(),
            slack_timeout: 8,
            uncertain: "again",
            updates_per_minute: 50,
            counted: true,
            default_workspace: String::new(),
            by_link: false,
            tokens_rotate: false,
            signing_overlap_hours: 24,
            hooks_url: None,
            log_level: "INFO".to_owned(),
            programs: None,
            patience: Duration::from_mins(1),
        }
    }
}

impl World {
    /// The usual world.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A world that differs in something.
    pub async fn with(setup: Setup) -> Self {
        Self::try_start(&setup).await.unwrap_or_else(|error| panic!("the world does not start: {error:?}"))
    }

    async fn try_start(setup: &Setup) -> Result<Self> {
        let programs = match &setup.programs {
            Some(folder) => folder.clone(),
            None => tokio::task::spawn_blocking(binaries::folder).await?,
        };
        let ministack = tokio::task::spawn_blocking(Ministack::shared).await?;
        let canaries = Canaries::default();
        let (bot_token, signing_secret, client_secret) = (canaries.token(), canaries.signing_secret(), canaries.signing_secret());
        let http = Http::default();
        let aws = Aws::at(&ministack.endpoint);
        let secret = if setup.by_link {
            json!({ "client_id": CLIENT_ID, "client_secret": client_secret, "signing_secret": signing_secret })
        } else {
            json!({ "bot_token": bot_token, "signing_secret": signing_secret })
        };
        let resources = aws.create(&setup.visibility, &secret.to_string()).await?;
        let incidents = resources.queues.get(&Queue::Incidents).context("its queues")?.url.clone();
        let slack = Slack::start(&bot_token, &signing_secret, Some((aws.sqs.clone(), incidents)), http.clone()).await?;
        let logs = Logs::default();

        let around = Around { setup, programs: &programs, slack: &slack, aws: &aws, resources: &resources, http: &http, logs: &logs };
        let dispatcher = around.dispatcher().await?;
        let urls = json!({
            "commands_url": dispatcher.url("commands").url,
            "interactions_url": dispatcher.url("interactions").url,
            "events_url": dispatcher.url("events").url,
        });
        slack.tell("app", &urls).await;
        slack.tell("oauth", &json!({ "client_id": CLIENT_ID, "client_secret": client_secret, "rotation": setup.tokens_rotate })).await;
        Ok(Self {
            slack,
            aws,
            resources,
            http,
            logs,
            signing_secret,
            bot_token,
            client_secret,
            patience: setup.patience,
            runs: Stack::Dispatched(Box::new(dispatcher)),
            canaries,
            memory: Memory::default(),
        })
    }

    /// template.yaml, deployed to a ministack of its own, with this `Entrance`.
    pub async fn deployed(entrance: &'static str) -> Self {
        Self::try_deploy(entrance).await.unwrap_or_else(|error| panic!("the stack does not deploy: {error:?}"))
    }

    async fn try_deploy(entrance: &'static str) -> Result<Self> {
        let canaries = Canaries::default();
        let (bot_token, signing_secret) = (canaries.token(), canaries.signing_secret());
        let http = Http::default();
        // The stack has to know where Slack is, so Slack is there before the queue.
        let slack = Slack::start(&bot_token, &signing_secret, None, http.clone()).await?;
        let (api, hooks) = (slack.api_url(), slack.hooks_url());
        let (token, secret) = (bot_token.clone(), signing_secret.clone());
        let deployed = tokio::task::spawn_blocking(move || Deployed::start(&api, &hooks, &token, &secret, entrance)).await??;
        slack.tell("app", &deployed.app_urls()?).await;
        let aws = Aws::at(&deployed.endpoint);
        let bus = aws.listen(&deployed.bus()?).await?;
        Ok(Self {
            slack,
            aws,
            resources: deployed.resources(bus)?,
            http,
            logs: Logs::default(),
            signing_secret,
            bot_token,
            client_secret: String::new(),
            patience: Setup::default().patience,
            runs: Stack::Deployed(Box::new(deployed)),
            canaries,
            memory: Memory::default(),
        })
    }
}

/// What brings a function its work.
enum Caller {
    /// A function URL.
    Http,
    /// A queue.
    Queue(Queue),
    /// The test itself: in a test, a minute passes when the test says so.
    Test,
}

fn called_by(function: &str) -> Caller {
    match function {
        "intake" => Caller::Queue(Queue::Incidents),
        "worker" => Caller::Queue(Queue::Intents),
        "poster" => Caller::Queue(Queue::Posts),
        "publisher" => Caller::Queue(Queue::Timeline),
        "caller" => Caller::Queue(Queue::Calls),
        "clock" => Caller::Test,
        _ => Caller::Http,
    }
}

/// What stands around the functions when they start.
struct Around<'w> {
    setup: &'w Setup,
    programs: &'w Path,
    slack: &'w Slack,
    aws: &'w Aws,
    resources: &'w Resources,
    http: &'w Http,
    logs: &'w Logs,
}

impl Around<'_> {
    /// All functions, each with what brings it its work.
    async fn dispatcher(&self) -> Result<Dispatcher> {
        let mut dispatcher = Dispatcher::default();
        for name in binaries::FUNCTIONS {
            let instances = if name == "poster" { self.setup.posters.unwrap_or(self.setup.instances) } else { self.setup.instances };
            let counter = Counter::start(&self.aws.endpoint, self.http.clone()).await?;
            let endpoint = if self.setup.counted { &counter.endpoint } else { &self.aws.endpoint };
            let launch = Launch {
                name,
                binary: self.programs.join(name),
                environment: self.environment(name, endpoint),
                // As many as a test wants at once: nothing but the test calls it.
                instances: if matches!(called_by(name), Caller::Test) { 32 } else { instances },
                timeout: self.setup.timeout,
            };
            let function = Arc::new(Function::new(launch, self.logs.clone()));
            match called_by(name) {
                Caller::Http => {
                    dispatcher.urls.insert(name, FunctionUrl::start(Arc::clone(&function)).await?);
                }
                Caller::Queue(queue) => {
                    let url = &self.resources.queues.get(&queue).context("its queues")?.url;
                    dispatcher.mappings.insert(name, Mapping::start(&function, &self.aws.sqs, url, instances, self.logs));
                }
                Caller::Test => {}
            }
            dispatcher.counters.insert(name, counter);
            dispatcher.functions.insert(name, function);
        }
        Ok(dispatcher)
    }

    /// What template.yaml sets for a function, and what Lambda does.
    fn environment(&self, function: &str, endpoint: &str) -> Vec<(String, String)> {
        let lambda = [
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", CREDENTIALS.0.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1.to_owned()),
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_LAMBDA_LOG_LEVEL", self.setup.log_level.clone()),
            ("TZ", ":UTC".to_owned()),
        ];
        self.settings(function).into_iter().chain(lambda).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn settings(&self, function: &str) -> Vec<(&'static str, String)> {
        let Self { setup, slack, resources, .. } = self;
        let queue = |queue: Queue| resources.queues.get(&queue).cloned().expect("its queues");
        let dead = |of: Queue| ("DEAD_LETTERS_QUEUE_URL", queue(of).dead_letters);
        let intents = ("INTENTS_QUEUE_URL", queue(Queue::Intents).url);
        let posts = ("POSTS_QUEUE_URL", queue(Queue::Posts).url);
        let calls = ("CALLS_QUEUE_URL", queue(Queue::Calls).url);
        let timeline = ("TIMELINE_QUEUE_URL", queue(Queue::Timeline).url);
        let table = ("TABLE_NAME", resources.table.clone());
        let hooks = ("SLACK_HOOKS_URL", setup.hooks_url.clone().unwrap_or_else(|| slack.hooks_url()));
        let own_alarms = ("OWN_ALARMS", OWN_ALARMS.to_owned());
        let overlap = ("SIGNING_OVERLAP_HOURS", setup.signing_overlap_hours.to_string());
        let default_channel = ("DEFAULT_CHANNEL", setup.default_channel.clone());
        let workspace = ("DEFAULT_WORKSPACE", setup.default_workspace.clone());
        let install = ("INSTALL_URL", INSTALL_URL.to_owned());
        let fallback = ("FALLBACK_TOPIC_ARN", resources.notices.as_ref().map(|notices| notices.topic.clone()).unwrap_or_default());
        let secret = ("SLACK_SECRET_ARN", resources.secret.clone());
        let installations = ("INSTALLATION_SECRETS_PREFIX", resources.installations.clone());
        let api = ("SLACK_API_URL", slack.api_url());
        let mut own = match function {
            "commands" => vec![overlap, intents],
            "interactions" => vec![overlap, intents, hooks],
            "events" => vec![secret.clone(), overlap, intents],
            "intake" => vec![("INCIDENTS_QUEUE_URL", queue(Queue::Incidents).url), intents, dead(Queue::Incidents), own_alarms],
            "publisher" => vec![table, timeline, calls, dead(Queue::Timeline), ("EVENT_BUS_NAME", resources.bus.name.clone())],
            "caller" => {
                let call_secrets = ("CALL_SECRETS_PREFIX", resources.call_secrets());
                vec![table, intents, calls, dead(Queue::Calls), call_secrets, ("CALL_HOSTS", "127.0.0.1".to_owned())]
            }
            "worker" => vec![table, intents, posts, calls, timeline, dead(Queue::Intents), install, workspace, hooks, default_channel],
            "poster" => {
                let timeout = ("SLACK_TIMEOUT", setup.slack_timeout.to_string());
                let uncertain = ("UNCERTAIN_POSTS", setup.uncertain.to_owned());
                let updates = ("UPDATES_PER_MINUTE", setup.updates_per_minute.to_string());
                vec![fallback, own_alarms, table, posts, dead(Queue::Posts), install, workspace, hooks, timeout, uncertain, updates]
            }
            "clock" => vec![table, intents, posts, install, fallback, own_alarms],
            "api" => vec![("API_KEYS_SECRET_ARN", resources.api_keys.clone()), intents, table, default_channel, workspace],
            "oauth" => vec![table, ("SLACK_AUTHORIZE_URL", slack.authorize_url())],
            other => panic!("{other} is none of the functions"),
        };
        // Whoever calls Slack knows where it is and where the tokens are.
        if !matches!(function, "events" | "intake" | "publisher" | "caller") {
            own.extend([secret, installations, api]);
        }
        own
    }
}
