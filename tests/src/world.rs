//! One Tocsin with everything around it: its own queues, table and secret in ministack, a Slack of its own, and the functions.
//!
//! The same tests run over two kinds of world: [`World::start`] runs the functions by the [`Dispatcher`], [`World::deployed`] deploys template.yaml.
//! A test ends with [`World::finish`], which fails where something is left: a job, a dead letter, an error in the log, a secret in the log, a call that no role allows.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use aws_sdk_sqs::types::MessageSystemAttributeName;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde_json::{Value, json};
use shared::domain::timeline::Entry;
use shared::store::keys::entry_place;

use crate::binaries;
use crate::canaries::Canaries;
use crate::card::{Card, readable};
use crate::deployed::Deployed;
use crate::dispatcher::counter::Counter;
use crate::dispatcher::mapping::Mapping;
use crate::dispatcher::url::FunctionUrl;
use crate::dispatcher::{Dispatcher, Function, InvokeError, Launch, hex, lock};
use crate::http::Http;
use crate::inputs::Alarm;
use crate::logs::Logs;
use crate::ministack::{Aws, CREDENTIALS, Ministack, Queue, REGION, Resources};
use crate::people::User;
use crate::slack::{Message, Slack};

/// The simulator's team, which is the workspace.
pub const WORKSPACE: &str = "T0TOCSIN";

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

#[derive(Debug)]
enum Stack {
    Dispatched(Box<Dispatcher>),
    Deployed(Box<Deployed>),
}

/// A message that nobody could handle.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// As it was sent.
    pub body: String,
    /// Why it is there; empty where SQS moved it itself.
    pub reason: String,
    /// How often it was received before.
    pub receives: u32,
    /// Its group, where the queue is FIFO.
    pub group: Option<String>,
}

/// What Tocsin said where Slack is not needed.
#[derive(Debug, Clone)]
pub struct Notice {
    /// In a few words.
    pub subject: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// One Tocsin with everything around it.
#[derive(Debug)]
pub struct World {
    /// Slack.
    pub slack: Slack,
    /// AWS, for looking at what is there.
    pub aws: Aws,
    /// What the world has in AWS.
    pub resources: Resources,
    /// For requests of the tests' own.
    pub http: Http,
    /// What the functions printed.
    pub logs: Logs,
    /// What Slack signs with.
    pub signing_secret: String,
    /// What Slack lets the bot in with.
    pub bot_token: String,
    /// By link: what proves that it is the app who asks for tokens.
    pub client_secret: String,
    patience: Duration,
    runs: Stack,
    expected_errors: Mutex<Vec<String>>,
    canaries: Canaries,
    taken: Mutex<Vec<String>>,
    notices: Mutex<Vec<Notice>>,
    events: Mutex<Vec<Value>>,
    finished: AtomicBool,
}

impl Drop for World {
    fn drop(&mut self) {
        let ended = self.finished.load(Ordering::SeqCst) || std::thread::panicking();
        assert!(ended, "the test has to end with `world.finish().await`, which looks at what is left");
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
        let secret = secret.to_string();
        let resources = aws.create(&setup.visibility, &secret).await?;
        let incidents = resources.queues.get(&Queue::Incidents).context("its queues")?.url.clone();
        let slack = Slack::start(&bot_token, &signing_secret, Some((aws.sqs.clone(), incidents)), http.clone()).await?;
        let logs = Logs::default();

        let mut dispatcher = Dispatcher::default();
        for name in binaries::FUNCTIONS {
            let instances = if name == "poster" { setup.posters.unwrap_or(setup.instances) } else { setup.instances };
            let counter = Counter::start(&aws.endpoint, http.clone()).await?;
            let endpoint = if setup.counted { &counter.endpoint } else { &aws.endpoint };
            let launch = Launch {
                name,
                binary: programs.join(name),
                environment: environment(name, setup, &slack, &resources, endpoint),
                // As many as a test wants at once: nothing but the test calls it.
                instances: if matches!(called_by(name), Caller::Test) { 32 } else { instances },
                timeout: setup.timeout,
            };
            let function = Arc::new(Function::new(launch, logs.clone()));
            match called_by(name) {
                Caller::Http => {
                    dispatcher.urls.insert(name, FunctionUrl::start(Arc::clone(&function)).await?);
                }
                Caller::Queue(queue) => {
                    let url = &resources.queues.get(&queue).context("its queues")?.url;
                    dispatcher.mappings.insert(name, Mapping::start(&function, &aws.sqs, url, instances, &logs));
                }
                Caller::Test => {}
            }
            dispatcher.counters.insert(name, counter);
            dispatcher.functions.insert(name, function);
        }
        let urls = json!({
            "commands_url": dispatcher.url("commands").url,
            "interactions_url": dispatcher.url("interactions").url,
            "events_url": dispatcher.url("events").url,
        });
        slack.tell("app", &urls).await;
        slack.tell("oauth", &json!({ "client_id": CLIENT_ID, "client_secret": client_secret, "rotation": setup.tokens_rotate })).await;
        let runs = Stack::Dispatched(Box::new(dispatcher));
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
            runs,
            expected_errors: Mutex::default(),
            canaries,
            taken: Mutex::default(),
            notices: Mutex::default(),
            events: Mutex::default(),
            finished: AtomicBool::new(false),
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
            expected_errors: Mutex::default(),
            canaries,
            taken: Mutex::default(),
            notices: Mutex::default(),
            events: Mutex::default(),
            finished: AtomicBool::new(false),
        })
    }

    /// What runs the functions; a deployed world has none.
    pub fn dispatcher(&self) -> &Dispatcher {
        match &self.runs {
            Stack::Dispatched(dispatcher) => dispatcher,
            Stack::Deployed(_) => panic!("this test needs the dispatcher, so it does not run over a deployed stack"),
        }
    }

    /// Where a receiver is reached.
    pub fn url(&self, function: &str) -> String {
        match &self.runs {
            Stack::Dispatched(dispatcher) => dispatcher.url(function).url.clone(),
            Stack::Deployed(deployed) => deployed.url(function).unwrap_or_else(|error| panic!("{error:#}")),
        }
    }

    fn queue(&self, queue: Queue) -> &crate::ministack::QueueUrls {
        self.resources.queues.get(&queue).expect("its queues")
    }

    /// The URL of a queue's dead-letter queue.
    pub fn dead_letters_url(&self, queue: Queue) -> &str {
        &self.queue(queue).dead_letters
    }

    /// The URL of a queue.
    pub fn queue_url(&self, queue: Queue) -> &str {
        &self.queue(queue).url
    }

    /// Somebody in Slack: `jane`, `omar`, `lena`, `guest`, `gone` or `ext`.
    pub fn user(&self, name: &'static str) -> User<'_> {
        self.person(name, &format!("U0{}", name.to_uppercase()))
    }

    /// Somebody whom the test itself has brought into Slack.
    pub fn person(&self, name: &'static str, id: &str) -> User<'_> {
        User { world: self, name, id: id.to_owned() }
    }

    /// Lets a minute pass for `clock`, as its schedule does.
    pub async fn ticks(&self) {
        let answer = self.try_tick().await;
        answer.unwrap_or_else(|error| panic!("clock failed: {error:?}\n{}", self.logs.tail(20)));
    }

    /// As [`World::ticks`], for a clock that may be killed meanwhile.
    pub async fn try_tick(&self) -> std::result::Result<Value, InvokeError> {
        let event = json!({
            "version": "0", "id": hex(32), "source": "aws.events", "detail-type": "Scheduled Event",
            "time": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "region": REGION, "resources": [], "detail": {},
        });
        self.dispatcher().function("clock").call(&event).await
    }

    /// Puts a message on the incidents queue.
    pub async fn drops(&self, message: &Value) {
        self.drops_text(&message.to_string()).await;
    }

    /// Puts any text on the incidents queue.
    pub async fn drops_text(&self, text: &str) {
        let sent = self.aws.sqs.send_message().queue_url(self.queue_url(Queue::Incidents)).message_body(text).send().await;
        sent.unwrap_or_else(|error| panic!("SQS: {error:?}"));
    }

    /// Puts up to ten messages onto the incidents queue at once.
    pub async fn drops_several(&self, messages: &[Value]) {
        self.drops_several_texts(&messages.iter().map(Value::to_string).collect::<Vec<_>>()).await;
    }

    /// The same for texts of any kind; together they take at most a megabyte.
    pub async fn drops_several_texts(&self, texts: &[String]) {
        let entries = texts.iter().enumerate().map(|(number, text)| {
            let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(text);
            entry.build().expect("an id and a body")
        });
        let send = self.aws.sqs.send_message_batch().queue_url(self.queue_url(Queue::Incidents)).set_entries(Some(entries.collect()));
        let answer = send.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
        assert!(answer.failed().is_empty(), "SQS did not take {:?}", answer.failed());
    }

    /// Lets a CloudWatch alarm fire, and waits for its card in #incidents.
    pub async fn alarm_fires(&self, name: &str) -> Card<'_> {
        self.drops(&Alarm::named(name).fires(jiff::Timestamp::now())).await;
        self.card("#incidents", name).await
    }

    /// The cards in a channel that show `title`: messages of the channel itself that everybody sees.
    pub async fn cards(&self, channel: &str, title: &str) -> Vec<Message> {
        let channel = self.slack.channel_id(channel).await;
        let is_card = |message: &Message| {
            message.channel() == channel
                && message.is_ours()
                && message.thread().is_none()
                && message.only_for().is_none()
                && message.reads().contains(title)
        };
        self.slack.messages().await.into_iter().filter(is_card).collect()
    }

    /// Waits for the one card in a channel that shows `title`.
    pub async fn card(&self, channel: &str, title: &str) -> Card<'_> {
        let what = format!("a card {title:?} in {channel}");
        let message = self
            .until(&what, async || match self.cards(channel, title).await.as_slice() {
                [] => Err("no such card".to_owned()),
                [card] => Ok(card.clone()),
                several => panic!("{} cards {title:?} in {channel}:\n{}", several.len(), readable(several)),
            })
            .await;
        let incident = message.incident().unwrap_or_else(|| panic!("the card names no incident:\n{}", message.reads()));
        Card { world: self, channel: message.channel().to_owned(), ts: message.ts().to_owned(), incident }
    }

    /// Waits until `check` is content; what it says otherwise is the last thing read when patience ends. The one place where tests wait.
    pub async fn until<T>(&self, what: &str, mut check: impl AsyncFnMut() -> Result<T, String>) -> T {
        let patient_until = Instant::now() + self.patience;
        loop {
            let seen = match check().await {
                Ok(value) => return value,
                Err(seen) => seen,
            };
            if Instant::now() > patient_until {
                let portrait = self.portrait().await;
                panic!("waited {} s in vain: {what}.\nAt last: {seen}\n{portrait}", self.patience.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    }

    /// Waits until nothing is on its way any more: queues empty, no invocation running, nothing due in any channel.
    pub async fn settled(&self) {
        let what = "everything settles";
        // Twice, because a job may have been put back onto an earlier queue between two looks.
        self.until(what, async || self.unsettled().await.map_or(Ok(()), Err)).await;
        self.until(what, async || self.unsettled().await.map_or(Ok(()), Err)).await;
    }

    /// How much is still on its way, in a line.
    pub async fn on_its_way(&self) -> String {
        let mut line = String::new();
        for queue in Queue::ALL {
            let depth = self.aws.depth(self.queue_url(queue)).await.map_or_else(|error| format!("{error:#}"), |depth| depth.to_string());
            let _ = write!(line, "{} {depth}, ", queue.name());
        }
        let running = if let Stack::Dispatched(dispatcher) = &self.runs { dispatcher.in_flight() } else { 0 };
        let _ = write!(line, "{running} invocations");
        line
    }

    /// The posts that are due and not parked.
    pub async fn unposted(&self) -> Vec<String> {
        self.due().await
    }

    /// Where every card is and which version it shows, as it is kept.
    pub async fn whereabouts(&self) -> BTreeMap<String, Value> {
        let items = self.scan().await.into_iter().filter_map(|item| {
            let place = format!("{} {}", item.get("pk")?.as_str()?, item.get("sk")?.as_str()?);
            place.contains(" message#").then_some((place, item))
        });
        items.collect()
    }

    /// What is still on its way; queues are looked at in the order in which a job passes.
    async fn unsettled(&self) -> Option<String> {
        for queue in Queue::ALL {
            match self.aws.depth(self.queue_url(queue)).await {
                Ok(0) => {}
                Ok(depth) => return Some(format!("{depth} on {}", queue.name())),
                Err(error) => return Some(format!("{error:#}")),
            }
        }
        if let Stack::Dispatched(dispatcher) = &self.runs
            && dispatcher.in_flight() > 0
        {
            return Some(format!("{} invocations", dispatcher.in_flight()));
        }
        let due = self.due().await;
        (!due.is_empty()).then(|| format!("due: {due:?}"))
    }

    /// The posts that are due in any channel and not parked.
    async fn due(&self) -> Vec<String> {
        let items = self.scan().await;
        let due = items.iter().filter(|item| ["parked", "refused"].iter().all(|aside| item.get(*aside).is_none()));
        due.filter_map(|item| item.get("sk")?.as_str().filter(|place| place.starts_with("due#")).map(str::to_owned)).collect()
    }

    /// Everything in the table.
    pub async fn scan(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let scan = self.aws.dynamodb.scan().table_name(&self.resources.table).consistent_read(true).set_exclusive_start_key(from);
            let answer = scan.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
            items.extend(answer.items.unwrap_or_default().into_iter().map(|item| serde_dynamo::from_item(item).expect("any item is JSON")));
            from = answer.last_evaluated_key;
            if from.is_none() {
                return items;
            }
        }
    }

    /// The timeline of an incident, oldest first, as it is kept.
    pub async fn timeline(&self, incident: &str) -> Vec<Value> {
        self.items(&format!("{WORKSPACE}#incident#{incident}"), "timeline#")
            .await
            .into_iter()
            .filter_map(|item| item.get("data").cloned())
            .collect()
    }

    /// Writes lines of an incident's timeline behind the functions' back, as a long story would.
    pub async fn writes_entries(&self, incident: &str, entries: &[Entry]) {
        let item = |entry: &Entry| {
            let item = json!({ "pk": format!("{WORKSPACE}#incident#{incident}"), "sk": entry_place(entry), "data": entry });
            let put = PutRequest::builder().set_item(serde_dynamo::to_item(item).ok()).build().expect("an item");
            WriteRequest::builder().put_request(put).build()
        };
        for some in entries.chunks(25) {
            let put = self.aws.dynamodb.batch_write_item().request_items(&self.resources.table, some.iter().map(item).collect());
            put.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
        }
    }

    /// An incident as it is kept.
    pub async fn incident(&self, incident: &str) -> Value {
        let items = self.items(&format!("{WORKSPACE}#incident#{incident}"), "incident").await;
        items.first().and_then(|item| item.get("data").cloned()).unwrap_or_else(|| panic!("{incident} is not in the table"))
    }

    async fn items(&self, partition: &str, beginning: &str) -> Vec<Value> {
        let query = self
            .aws
            .dynamodb
            .query()
            .table_name(&self.resources.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :beginning)")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":beginning", AttributeValue::S(beginning.to_owned()));
        let answer = query.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
        answer.items.unwrap_or_default().into_iter().map(|item| serde_dynamo::from_item(item).expect("any item is JSON")).collect()
    }

    /// Lets a minute pass, as far as the count of a channel's new cards goes: what came in it is not counted any more.
    pub async fn forgets_what_came_lately(&self, channel: &str) {
        self.aws
            .dynamodb
            .update_item()
            .table_name(&self.resources.table)
            .key("pk", AttributeValue::S(format!("{WORKSPACE}#channel#{channel}")))
            .key("sk", AttributeValue::S("pace".to_owned()))
            .update_expression("REMOVE lately")
            .send()
            .await
            .unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
    }

    /// Gives the workspace settings of its own, a TOML document.
    pub async fn configures(&self, document: &str) {
        self.configures_for(WORKSPACE, document).await;
    }

    /// Gives one of several workspaces settings of its own.
    pub async fn configures_for(&self, workspace: &str, document: &str) {
        self.aws
            .dynamodb
            .put_item()
            .table_name(&self.resources.table)
            .item("pk", AttributeValue::S(format!("{workspace}#workspace")))
            .item("sk", AttributeValue::S("configuration".to_owned()))
            .item("document", AttributeValue::S(document.to_owned()))
            .send()
            .await
            .unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
    }

    /// Gives the workspace's endpoint of this name the secret that its calls are signed with.
    pub async fn signs_calls_with(&self, endpoint: &str, secret: &str) {
        self.canaries.keep(secret);
        let name = format!("{}{WORKSPACE}/{endpoint}", self.resources.call_secrets());
        let made = self.aws.secrets.create_secret().name(name).secret_string(secret).send().await;
        made.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
    }

    /// The settings' document as it stands.
    pub async fn document(&self) -> String {
        let items = self.scan().await;
        let is_document = |item: &&Value| {
            item.get("pk").and_then(Value::as_str) == Some(&format!("{WORKSPACE}#workspace"))
                && item.get("sk") == Some(&json!("configuration"))
        };
        let found = items.iter().find(is_document).and_then(|item| item.get("document")?.as_str().map(str::to_owned));
        found.unwrap_or_default()
    }

    /// Changes an item of the table behind the functions' back, as time would: `expression` sets `:value`.
    pub async fn changes(&self, pk: &str, sk: &str, expression: &str, value: i64) {
        let update = self
            .aws
            .dynamodb
            .update_item()
            .table_name(&self.resources.table)
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .update_expression(expression)
            .expression_attribute_values(":value", AttributeValue::N(value.to_string()));
        let update = if expression.contains("#until") { update.expression_attribute_names("#until", "until") } else { update };
        update.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
    }

    /// An installation as it is kept.
    pub async fn installation(&self, workspace: &str) -> Value {
        let items = self.items("installations", workspace).await;
        items.first().cloned().unwrap_or_default()
    }

    /// The secret of an installation by link, as it stands; `None` where there is none.
    pub async fn installation_secret(&self, workspace: &str) -> Option<Value> {
        let id = format!("{}{workspace}", self.resources.installations);
        let answer = self.aws.secrets.get_secret_value().secret_id(id).send().await;
        serde_json::from_str(answer.ok()?.secret_string()?).ok()
    }

    /// Writes the app's secret anew, in whatever form.
    pub async fn writes_app_secret(&self, secret: &Value) {
        let put = self.aws.secrets.put_secret_value().secret_id(&self.resources.secret).secret_string(secret.to_string());
        put.send().await.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
    }

    /// Writes the secret anew, as an admin does who rotates it.
    pub async fn writes_secret(&self, bot_token: &str, signing_secret: &str) {
        self.keeps_secret(bot_token);
        self.keeps_secret(signing_secret);
        self.writes_app_secret(&json!({ "bot_token": bot_token, "signing_secret": signing_secret })).await;
    }

    /// Receives everything that stands on a queue this many times, without doing anything about it: as if whatever handled it had died each time.
    /// Nothing else may receive from it meanwhile.
    pub async fn receives_in_vain(&self, queue: Queue, times: u32) {
        for _ in 0..times {
            let receive = self.aws.sqs.receive_message().queue_url(self.queue_url(queue)).max_number_of_messages(10).visibility_timeout(0);
            receive.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
        }
    }

    /// Waits for a message on a queue's dead-letter queue and takes it off.
    pub async fn takes_dead_letter(&self, queue: Queue) -> DeadLetter {
        let url = &self.queue(queue).dead_letters;
        let what = format!("a dead letter of {}", queue.name());
        self.until(&what, async || {
            let receive = self
                .aws
                .sqs
                .receive_message()
                .queue_url(url)
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::All);
            let received = receive.send().await.map_err(|error| format!("{error:?}"))?;
            let message = received.messages.and_then(|mut messages| messages.pop()).ok_or("none")?;
            let delete = self.aws.sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle().unwrap_or_default());
            delete.send().await.map_err(|error| format!("{error:?}"))?;
            lock(&self.taken).push(format!("{message:?}"));
            let attribute = |name: &str| message.message_attributes.as_ref().and_then(|all| all.get(name)?.string_value.clone());
            let reason = attribute("Reason").unwrap_or_default();
            let times = attribute("Receives").and_then(|text| text.parse().ok()).unwrap_or_default();
            let group = message.attributes.as_ref().and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId)).cloned();
            Ok(DeadLetter { body: message.body.clone().unwrap_or_default(), reason, receives: times, group })
        })
        .await
    }

    /// What Tocsin has said so far where Slack is not needed, oldest first.
    pub async fn notices(&self) -> Vec<Notice> {
        let Some(notices) = &self.resources.notices else { return Vec::new() };
        loop {
            let receive = self.aws.sqs.receive_message().queue_url(&notices.queue).max_number_of_messages(10);
            let messages = receive.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}")).messages.unwrap_or_default();
            if messages.is_empty() {
                return lock(&self.notices).clone();
            }
            for message in messages {
                let said: Value = serde_json::from_str(message.body().unwrap_or_default()).unwrap_or_default();
                let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                lock(&self.notices).push(Notice { subject: text("Subject"), text: text("Message") });
                let handle = message.receipt_handle().unwrap_or_default();
                let delete = self.aws.sqs.delete_message().queue_url(&notices.queue).receipt_handle(handle);
                delete.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
            }
        }
    }

    /// What has been told on the event bus so far, as it came.
    pub async fn events(&self) -> Vec<Value> {
        let queue = &self.resources.bus.queue;
        loop {
            let receive = self.aws.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
            let messages = receive.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}")).messages.unwrap_or_default();
            if messages.is_empty() {
                return lock(&self.events).clone();
            }
            for message in messages {
                let event = serde_json::from_str(message.body().unwrap_or_default()).unwrap_or_default();
                lock(&self.events).push(event);
                let delete = self.aws.sqs.delete_message().queue_url(queue).receipt_handle(message.receipt_handle().unwrap_or_default());
                delete.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
            }
        }
    }

    /// From now on this must not be seen anywhere but where secrets belong.
    pub fn keeps_secret(&self, secret: &str) {
        self.canaries.keep(secret);
    }

    /// From now on Slack sends nothing to URLs, and everything over the `WebSockets` that this app-level token opens.
    pub async fn turns_socket_mode_on(&self) -> String {
        let token = self.canaries.app_token();
        self.slack.tell("socket", &json!({ "enabled": true, "app_token": token })).await;
        token
    }

    /// Puts a dead letter back onto its queue, as a redrive does: in its group, under a new deduplication id.
    pub async fn puts_back(&self, queue: Queue, letter: &DeadLetter) {
        self.queues_in(queue, &letter.body, letter.group.clone()).await;
    }

    /// Puts a job onto its queue as if SQS had never seen it.
    pub async fn queues_again(&self, queue: Queue, body: &str) {
        self.queues_in(queue, body, None).await;
    }

    async fn queues_in(&self, queue: Queue, body: &str, group: Option<String>) {
        let send = self.aws.sqs.send_message().queue_url(self.queue_url(queue)).message_body(body);
        let send = match queue {
            Queue::Incidents => send,
            Queue::Intents | Queue::Posts | Queue::Timeline | Queue::Calls => {
                send.message_group_id(group.unwrap_or_else(|| hex(16))).message_deduplication_id(hex(32))
            }
        };
        send.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
    }

    /// Lets everything settle and makes room for the next scenario of the same world: no incidents, no settings, no faults. Slack's messages stay, since
    /// a simulator that begins anew would give out its ids a second time, and what has been seen before is rightly done only once.
    pub async fn clear(&self) {
        self.settled().await;
        for item in self.scan().await {
            let part = |name: &str| item.get(name).and_then(Value::as_str).map(|text| AttributeValue::S(text.to_owned()));
            let (Some(pk), Some(sk)) = (part("pk"), part("sk")) else { continue };
            let delete = self.aws.dynamodb.delete_item().table_name(&self.resources.table).key("pk", pk).key("sk", sk);
            delete.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
        }
        self.slack.forget("faults").await;
        self.slack.forget("calls").await;
    }

    /// From now on lines at ERROR that contain `text` are no surprise; one has to come.
    pub fn expects_error(&self, text: &str) {
        lock(&self.expected_errors).push(text.to_owned());
    }

    /// Ends the test: everything settles, and nothing is left that has to be looked at.
    pub async fn finish(self) {
        self.settled().await;
        self.check_and_end().await;
    }

    /// Ends a test that left jobs on purpose, for a world that cannot settle any more. Secrets in the log and calls that no role allows count all the same.
    pub async fn finish_unsettled(self) {
        self.check_secrets(&self.all_logs().await).await;
        self.finished.store(true, Ordering::SeqCst);
        let not_allowed = self.not_allowed();
        assert!(not_allowed.is_empty(), "{not_allowed:?}");
    }

    async fn check_and_end(self) {
        let mut left = String::new();
        for queue in Queue::ALL {
            let depth = self.aws.depth(&self.queue(queue).dead_letters).await.unwrap_or_else(|error| panic!("SQS: {error:#}"));
            if depth > 0 {
                let letter = self.takes_dead_letter(queue).await;
                let _ = writeln!(left, "{depth} dead letters of {}, one of them: {letter:?}", queue.name());
            }
        }
        let lines = self.all_logs().await;
        let expected = lock(&self.expected_errors).clone();
        for line in lines.iter().filter(|line| line.is_error() && !expected.iter().any(|text| line.text.contains(text))) {
            let _ = writeln!(left, "an error in the log of {}: {}", line.function, line.text);
        }
        for text in expected.iter().filter(|text| !lines.iter().any(|line| line.is_error() && line.text.contains(*text))) {
            let _ = writeln!(left, "no error in the log contains {text:?}");
        }
        for call in self.not_allowed() {
            let _ = writeln!(left, "{call}");
        }
        self.check_secrets(&lines).await;
        self.finished.store(true, Ordering::SeqCst);
        assert!(left.is_empty(), "at the end there is:\n{left}");
    }

    fn not_allowed(&self) -> Vec<String> {
        if let Stack::Dispatched(dispatcher) = &self.runs { dispatcher.not_allowed() } else { Vec::new() }
    }

    async fn check_secrets(&self, lines: &[crate::logs::Line]) {
        let leaks = self.leaks_in(lines).await;
        assert!(leaks.is_empty(), "secrets are seen in: {leaks:?}");
    }

    /// Where secrets are seen, of all that anybody could read; and forgets them, so that the world can end.
    pub async fn leaks(&self) -> Vec<String> {
        let leaks = self.leaks_in(&self.all_logs().await).await;
        self.canaries.forget();
        leaks
    }

    /// Everything that anybody could read: logs and metrics, queues and dead letters, answers, the table, notices, Slack.
    async fn leaks_in(&self, lines: &[crate::logs::Line]) -> Vec<String> {
        let mut said: Vec<(String, String)> =
            lines.iter().map(|line| (format!("the log of {}", line.function), line.text.clone())).collect();
        if let Stack::Dispatched(dispatcher) = &self.runs {
            said.extend(dispatcher.traffic());
        }
        let text = |item: &Value| ("the table".to_owned(), item.to_string());
        said.extend(self.scan().await.iter().map(text));
        said.extend(lock(&self.taken).iter().map(|letter| ("a dead letter".to_owned(), letter.clone())));
        said.extend(self.notices().await.into_iter().map(|notice| ("a notice".to_owned(), format!("{} {}", notice.subject, notice.text))));
        said.extend(self.events().await.into_iter().map(|event| ("an event".to_owned(), event.to_string())));
        said.push(("Slack".to_owned(), self.slack.state().await.get("messages").cloned().unwrap_or_default().to_string()));
        self.canaries.leaks(&said)
    }

    async fn all_logs(&self) -> Vec<crate::logs::Line> {
        match &self.runs {
            Stack::Dispatched(_) => self.logs.lines(),
            Stack::Deployed(deployed) => deployed.logs(&self.http).await.unwrap_or_else(|error| panic!("CloudWatch Logs: {error:#}")),
        }
    }

    /// What there is: for a failure's message.
    pub async fn portrait(&self) -> String {
        let mut portrait = String::from("Messages in Slack:\n");
        for message in self.slack.messages().await {
            let thread = message.thread().map(|thread| format!(" in the thread of {thread}")).unwrap_or_default();
            let only = message.only_for().map(|user| format!(" only for {user}")).unwrap_or_default();
            let text = message.reads().replace('\n', " | ");
            let _ = writeln!(portrait, "  {} {}{thread}{only}: {text} {:?}", message.channel(), message.ts(), message.labels());
        }
        for queue in Queue::ALL {
            let urls = self.queue(queue);
            let depth =
                async |url: &str| self.aws.depth(url).await.map_or_else(|error| format!("? ({error:#})"), |depth| depth.to_string());
            let _ = writeln!(portrait, "{}: {}, dead letters: {}", queue.name(), depth(&urls.url).await, depth(&urls.dead_letters).await);
        }
        let _ = writeln!(portrait, "due: {:?}", self.due().await);
        for call in self.slack.ask("calls").await.as_array().into_iter().flatten().rev().take(15) {
            let part = |name: &str| call.get(name).cloned().unwrap_or_default();
            let _ = writeln!(portrait, "  called {}: {} {} {}", part("method"), part("http_status"), part("error"), part("fault"));
        }
        let lines = self.all_logs().await;
        let _ = writeln!(portrait, "Last lines of the functions:");
        for line in lines.iter().skip(lines.len().saturating_sub(30)) {
            let _ = writeln!(portrait, "  {}: {}", line.function, line.text);
        }
        portrait
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

/// What template.yaml sets for a function, and what Lambda does.
fn environment(function: &str, setup: &Setup, slack: &Slack, resources: &Resources, endpoint: &str) -> Vec<(String, String)> {
    let queue = |queue: Queue| resources.queues.get(&queue).cloned().expect("its queues");
    let secret = ("SLACK_SECRET_ARN", resources.secret.clone());
    let intents = ("INTENTS_QUEUE_URL", queue(Queue::Intents).url);
    let posts = ("POSTS_QUEUE_URL", queue(Queue::Posts).url);
    let calls = ("CALLS_QUEUE_URL", queue(Queue::Calls).url);
    let timeline = ("TIMELINE_QUEUE_URL", queue(Queue::Timeline).url);
    let table = ("TABLE_NAME", resources.table.clone());
    let api = ("SLACK_API_URL", slack.api_url());
    let hooks = ("SLACK_HOOKS_URL", setup.hooks_url.clone().unwrap_or_else(|| slack.hooks_url()));
    let own_alarms = ("OWN_ALARMS", OWN_ALARMS.to_owned());
    let dead = |of: Queue| ("DEAD_LETTERS_QUEUE_URL", queue(of).dead_letters);
    let installations = ("INSTALLATION_SECRETS_PREFIX", resources.installations.clone());
    let overlap = ("SIGNING_OVERLAP_HOURS", setup.signing_overlap_hours.to_string());
    let default_channel = ("DEFAULT_CHANNEL", setup.default_channel.clone());
    let default_workspace = ("DEFAULT_WORKSPACE", setup.default_workspace.clone());
    let install = ("INSTALL_URL", INSTALL_URL.to_owned());
    let fallback = ("FALLBACK_TOPIC_ARN", resources.notices.as_ref().map(|notices| notices.topic.clone()).unwrap_or_default());
    let own = match function {
        "commands" => vec![secret, overlap, intents, api, installations],
        "interactions" => vec![secret, overlap, intents, api, hooks, installations],
        "events" => vec![secret, overlap, intents],
        "intake" => vec![("INCIDENTS_QUEUE_URL", queue(Queue::Incidents).url), intents, dead(Queue::Incidents), own_alarms],
        "publisher" => vec![table, timeline, calls, dead(Queue::Timeline), ("EVENT_BUS_NAME", resources.bus.name.clone())],
        "caller" => vec![
            table,
            intents,
            calls,
            dead(Queue::Calls),
            ("CALL_SECRETS_PREFIX", resources.call_secrets()),
            ("CALL_HOSTS", "127.0.0.1".to_owned()),
        ],
        "worker" => vec![
            table,
            intents,
            posts,
            calls,
            timeline,
            dead(Queue::Intents),
            secret,
            installations,
            install,
            default_workspace,
            api,
            hooks,
            default_channel,
        ],
        "poster" => vec![
            fallback,
            own_alarms,
            table,
            posts,
            dead(Queue::Posts),
            secret,
            installations,
            install,
            default_workspace,
            api,
            hooks,
            ("SLACK_TIMEOUT", setup.slack_timeout.to_string()),
            ("UNCERTAIN_POSTS", setup.uncertain.to_owned()),
            ("UPDATES_PER_MINUTE", setup.updates_per_minute.to_string()),
        ],
        "clock" => vec![table, intents, posts, secret, installations, install, api, fallback, own_alarms],
        "api" => vec![
            ("API_KEYS_SECRET_ARN", resources.api_keys.clone()),
            intents,
            table,
            secret,
            installations,
            api,
            default_channel,
            default_workspace,
        ],
        "oauth" => vec![table, secret, installations, api, ("SLACK_AUTHORIZE_URL", slack.authorize_url())],
        other => panic!("{other} is none of the functions"),
    };
    let lambda = [
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", CREDENTIALS.0.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1.to_owned()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", setup.log_level.clone()),
        ("TZ", ":UTC".to_owned()),
    ];
    own.into_iter().chain(lambda).map(|(name, value)| (name.to_owned(), value)).collect()
}
