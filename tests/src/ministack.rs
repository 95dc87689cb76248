//! AWS on this machine: one ministack for all tests of a process, and in it the resources of each world, by names of their own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::{paths, watchdog};

/// The one region there is.
pub const REGION: &str = "us-east-1";

/// Credentials of nobody: ministack asks for none.
pub const CREDENTIALS: (&str, &str) = ("test", "test");

/// How long ministack may take to answer at first, on a machine that compiles meanwhile.
const START: Duration = Duration::from_mins(1);

/// A running ministack.
#[derive(Debug)]
pub struct Ministack {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
}

static SHARED: OnceLock<std::result::Result<Ministack, String>> = OnceLock::new();

impl Ministack {
    /// The one of this process; started by whoever asks first, ended with the process.
    pub fn shared() -> &'static Self {
        match SHARED.get_or_init(|| start().map_err(|error| format!("{error:#}"))) {
            Ok(ministack) => ministack,
            Err(error) => panic!("ministack does not run: {error}"),
        }
    }
}

fn program() -> Result<PathBuf> {
    let path = std::env::var_os("TOCSIN_MINISTACK").map_or_else(|| paths::repository().join(".local/venv/bin/ministack"), PathBuf::from);
    if !path.is_file() {
        bail!("{} is not there; `make test` installs it, or TOCSIN_MINISTACK names another", path.display());
    }
    Ok(path)
}

fn start() -> Result<Ministack> {
    let program = program()?;
    let folder = paths::scratch("ministack")?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let log_path = folder.join("ministack.log");
    let log = File::create(&log_path)?;
    let mut child = Command::new(&program)
        .envs([
            ("BIND_HOST", "127.0.0.1"),
            ("IOT_MTLS_ENABLED", "0"),
            ("MINISTACK_HOST", "127.0.0.1"),
            ("LOG_LEVEL", "WARNING"),
            ("AWS_ACCESS_KEY_ID", CREDENTIALS.0),
            ("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1),
        ])
        .env("GATEWAY_PORT", port.to_string())
        // Its process id file and whatever else it puts into a temporary folder.
        .env("TMPDIR", &folder)
        .env("STATE_DIR", &folder)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .with_context(|| program.display().to_string())?;
    watchdog::guard(child.id());
    wait_for_health(&mut child, port).with_context(|| format!("its log: {}", tail(&log_path)))?;
    Ok(Ministack { endpoint: format!("http://127.0.0.1:{port}") })
}

fn wait_for_health(child: &mut Child, port: u16) -> Result<()> {
    let until = Instant::now() + START;
    while !is_healthy(port) {
        if let Some(status) = child.try_wait()? {
            bail!("it ended at once: {status}");
        }
        if Instant::now() > until {
            bail!("it did not answer within {} s", START.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn is_healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut connection = TcpStream::connect(("127.0.0.1", port))?;
        connection.set_read_timeout(Some(Duration::from_secs(2)))?;
        connection.write_all(b"GET /_ministack/health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// The SDK's configuration for an endpoint, over plain HTTP.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new(CREDENTIALS.0, CREDENTIALS.1, None, None, "tests");
    SdkConfig::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .endpoint_url(endpoint)
        .build()
}

/// The queues that jobs travel over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Queue {
    /// What is dropped from outside; a standard queue.
    Incidents,
    /// What is wanted.
    Intents,
    /// Which channel has something due.
    Posts,
    /// What happened and is to be told outside.
    Timeline,
    /// Whom to call.
    Calls,
}

impl Queue {
    /// All of them, in the order in which a job passes.
    pub const ALL: [Self; 5] = [Self::Incidents, Self::Intents, Self::Posts, Self::Timeline, Self::Calls];

    /// Its name in the template.
    pub fn name(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Intents => "intents",
            Self::Posts => "posts",
            Self::Timeline => "timeline",
            Self::Calls => "calls",
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Incidents => "",
            Self::Intents | Self::Posts | Self::Timeline | Self::Calls => ".fifo",
        }
    }

    /// As template.yaml has it: a receive spent on waiting for Slack is no failure.
    fn max_receive_count(self) -> u32 {
        match self {
            Self::Incidents | Self::Intents | Self::Timeline | Self::Calls => 30,
            Self::Posts => 1000,
        }
    }
}

/// Where a queue is, and where its dead letters are.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    /// The queue.
    pub url: String,
    /// Its dead-letter queue.
    pub dead_letters: String,
}

/// What one world has in AWS.
#[derive(Debug, Clone)]
pub struct Resources {
    /// The queues.
    pub queues: BTreeMap<Queue, QueueUrls>,
    /// The table's name.
    pub table: String,
    /// The secret's ARN.
    pub secret: String,
    /// The ARN of the secret that holds the API's keys.
    pub api_keys: String,
    /// How the names of installations' secrets begin.
    pub installations: String,
    /// Where notices go; a deployed stack has none.
    pub notices: Option<Notices>,
    /// Where is told what happens to incidents.
    pub bus: Bus,
}

/// An event bus, and a queue that hears everything of Tocsin's that comes onto it.
#[derive(Debug, Clone)]
pub struct Bus {
    /// The bus.
    pub name: String,
    /// The queue's URL.
    pub queue: String,
}

impl Resources {
    /// How the names of the secrets begin that calls are signed with.
    pub fn call_secrets(&self) -> String {
        self.installations.replace("/installations/", "/calls/")
    }
}

/// A topic, and a queue that hears everything that is published to it.
#[derive(Debug, Clone)]
pub struct Notices {
    /// The topic's ARN.
    pub topic: String,
    /// The queue's URL.
    pub queue: String,
}

/// Clients for one endpoint.
#[derive(Debug, Clone)]
pub struct Aws {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// EventBridge.
    pub events: aws_sdk_eventbridge::Client,
}

static WORLDS: AtomicU32 = AtomicU32::new(1);

impl Aws {
    /// Clients for this endpoint. Bound to the runtime they are made in.
    pub fn at(endpoint: &str) -> Self {
        let config = sdk_config(endpoint);
        Self {
            endpoint: endpoint.to_owned(),
            sqs: aws_sdk_sqs::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
        }
    }

    /// Makes a world's resources as template.yaml does, with names that no other world has.
    pub async fn create(&self, visibility: &BTreeMap<Queue, u32>, secret: &str) -> Result<Resources> {
        let name = format!("world-{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::Relaxed));
        let mut queues = BTreeMap::new();
        for queue in Queue::ALL {
            queues.insert(queue, self.create_queue(&name, queue, visibility.get(&queue).copied().unwrap_or(30)).await?);
        }
        self.create_table(&name).await?;
        let notices = self.create_notices(&name).await?;
        let secret = self.secrets.create_secret().name(format!("{name}-slack")).secret_string(secret).send().await?;
        let api_keys = self.secrets.create_secret().name(format!("{name}-api-keys")).secret_string("{}").send().await?;
        let installations = format!("{name}/installations/");
        let secret = secret.arn.context("a secret has an ARN")?;
        let api_keys = api_keys.arn.context("a secret has an ARN")?;
        self.events.create_event_bus().name(&name).send().await?;
        let bus = self.listen(&name).await?;
        Ok(Resources { queues, table: name, secret, api_keys, installations, notices: Some(notices), bus })
    }

    /// Subscribes a queue to a bus, as whoever wants to hear of incidents does: by a rule.
    pub async fn listen(&self, bus: &str) -> Result<Bus> {
        let name = format!("{bus}-heard");
        let queue = self.sqs.create_queue().queue_name(&name).send().await?.queue_url.context("a queue has a URL")?;
        self.events.put_rule().event_bus_name(bus).name(&name).event_pattern(r#"{"source":["tocsin"]}"#).send().await?;
        let target = Target::builder().id("queue").arn(arn(&queue)).build()?;
        self.events.put_targets().event_bus_name(bus).rule(&name).targets(target).send().await?;
        Ok(Bus { name: bus.to_owned(), queue })
    }

    async fn create_notices(&self, world: &str) -> Result<Notices> {
        let name = format!("{world}-notices");
        let topic = self.sns.create_topic().name(&name).send().await?.topic_arn.context("a topic has an ARN")?;
        let queue = self.sqs.create_queue().queue_name(&name).send().await?.queue_url.context("a queue has a URL")?;
        self.sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(arn(&queue)).send().await?;
        Ok(Notices { topic, queue })
    }

    async fn create_queue(&self, world: &str, queue: Queue, visibility: u32) -> Result<QueueUrls> {
        let create = |name: String| {
            let create = self.sqs.create_queue().queue_name(format!("{name}{}", queue.suffix()));
            match queue {
                Queue::Incidents => create,
                // High throughput: quotas and deduplication are counted by message group.
                Queue::Intents | Queue::Posts | Queue::Timeline | Queue::Calls => create
                    .attributes(QueueAttributeName::FifoQueue, "true")
                    .attributes(QueueAttributeName::DeduplicationScope, "messageGroup")
                    .attributes(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId"),
            }
        };
        let dead_letters = create(format!("{world}-{}-dead-letters", queue.name())).send().await?;
        let dead_letters = dead_letters.queue_url.context("a queue has a URL")?;
        let redrive = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{}}}"#, arn(&dead_letters), queue.max_receive_count());
        let created = create(format!("{world}-{}", queue.name()))
            .attributes(QueueAttributeName::VisibilityTimeout, visibility.to_string())
            .attributes(QueueAttributeName::RedrivePolicy, redrive)
            .send()
            .await?;
        Ok(QueueUrls { url: created.queue_url.context("a queue has a URL")?, dead_letters })
    }

    async fn create_table(&self, name: &str) -> Result<()> {
        let attribute = |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
        let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let projection = Projection::builder().projection_type(ProjectionType::Include).non_key_attributes("summary").build();
        let index = GlobalSecondaryIndex::builder()
            .index_name("by_workspace")
            .key_schema(key("workspace", KeyType::Hash)?)
            .key_schema(key("listing", KeyType::Range)?)
            .projection(projection)
            .build()?;
        self.dynamodb
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk")?)
            .attribute_definitions(attribute("sk")?)
            .attribute_definitions(attribute("workspace")?)
            .attribute_definitions(attribute("listing")?)
            .key_schema(key("pk", KeyType::Hash)?)
            .key_schema(key("sk", KeyType::Range)?)
            .global_secondary_indexes(index)
            .send()
            .await?;
        Ok(())
    }

    /// How many messages stand on a queue: waiting, being worked on, and delayed.
    pub async fn depth(&self, url: &str) -> Result<u32> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let answer = self.sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec())).send().await?;
        let attributes = answer.attributes.unwrap_or_default();
        names.iter().map(|name| attributes.get(name).map_or(Ok(0), |text| text.parse::<u32>().context("a number"))).sum()
    }

    /// Throws away what stands on a queue.
    pub async fn purge(&self, url: &str) -> Result<()> {
        self.sqs.purge_queue().queue_url(url).send().await?;
        Ok(())
    }
}

/// The ARN of the queue at `url`, whose last two parts are the account and the name.
pub fn arn(url: &str) -> String {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("arn:aws:sqs:{REGION}:{account}:{name}")
}
