//! The command line, as an admin runs it: the real program, over a stack that CloudFormation knows.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::binaries;
use crate::connectors::Account;
use crate::deployed;
use crate::dispatcher::hex;
use crate::ministack::{CREDENTIALS, Queue, REGION};
use crate::world::World;

/// An admin at a shell.
#[derive(Debug)]
pub struct Admin<'w> {
    pub(crate) world: &'w World,
    /// The stack's name, as `TOCSIN_STACK` says it.
    pub stack: String,
    variables: BTreeMap<String, String>,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// What it printed on standard output.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
    /// How it ended; `None` where something killed it.
    pub code: Option<i32>,
}

impl Ran {
    /// What it printed, as JSON, where it ended well.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

impl World {
    /// An admin of this world. CloudFormation at the local AWS gets a stack that has this world's addresses as its outputs.
    pub async fn admin(&self) -> Admin<'_> {
        self.admin_of(&[]).await
    }

    /// The same, where these outputs (or parameters, by their names in template.yaml) are different.
    pub async fn admin_of(&self, differing: &[(&str, &str)]) -> Admin<'_> {
        self.admin_without(&[], differing).await
    }

    /// The same over a stack of an older version, which does not have these outputs yet.
    pub async fn admin_without(&self, missing: &[&str], differing: &[(&str, &str)]) -> Admin<'_> {
        let mut outputs = self.outputs();
        outputs.retain(|name, _| !missing.contains(&name.as_str()));
        let mut parameters = BTreeMap::from([
            ("SlackApiUrl".to_owned(), self.slack.api_url()),
            ("SlackHooksUrl".to_owned(), self.slack.hooks_url()),
            ("DefaultChannel".to_owned(), "#incidents".to_owned()),
            ("DefaultWorkspace".to_owned(), String::new()),
            ("FallbackEmail".to_owned(), String::new()),
            ("SigningOverlapHours".to_owned(), "24".to_owned()),
        ]);
        for (name, value) in differing {
            let known = if parameters.contains_key(*name) { &mut parameters } else { &mut outputs };
            known.insert((*name).to_owned(), (*value).to_owned());
        }
        let defaulted =
            parameters.iter().map(|(name, value)| (name.clone(), json!({ "Type": "String", "Default": value }))).collect::<Value>();
        let said = outputs.iter().map(|(name, value)| (name.clone(), json!({ "Value": value }))).collect::<Value>();
        // A stack wants to have something.
        let template = json!({ "Resources": { "Nothing": { "Type": "AWS::CloudFormation::WaitConditionHandle" } }, "Parameters": defaulted, "Outputs": said });
        let prefix = format!("world-{}", hex(8));
        let account = Account { http: &self.http, endpoint: &self.aws.endpoint, tocsin: &prefix };
        let given: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        account.deploys("stack", &template.to_string(), &given).await.unwrap_or_else(|error| panic!("{error:#}"));
        Admin { world: self, stack: format!("{prefix}-stack"), variables: BTreeMap::new() }
    }

    /// An admin of a deployed world, over the stack itself.
    pub fn admin_of_the_stack(&self) -> Admin<'_> {
        Admin { world: self, stack: deployed::STACK.to_owned(), variables: BTreeMap::new() }
    }

    /// The outputs of template.yaml, as far as this world has what they name.
    fn outputs(&self) -> BTreeMap<String, String> {
        let mut outputs = BTreeMap::from([
            ("CommandsUrl".to_owned(), self.url("commands")),
            ("InteractionsUrl".to_owned(), self.url("interactions")),
            ("EventsUrl".to_owned(), self.url("events")),
            ("ApiUrl".to_owned(), self.url("api")),
            ("InstallUrl".to_owned(), format!("{}install", self.url("oauth"))),
            ("RedirectUrl".to_owned(), format!("{}callback", self.url("oauth"))),
            ("SlackSecretArn".to_owned(), self.resources.secret.clone()),
            ("ApiKeysSecretArn".to_owned(), self.resources.api_keys.clone()),
            ("InstallationSecretsPrefix".to_owned(), self.resources.installations.clone()),
            ("TableName".to_owned(), self.resources.table.clone()),
            ("EventBusName".to_owned(), self.resources.bus.name.clone()),
        ]);
        for queue in Queue::ALL {
            let (first, rest) = queue.name().split_at(1);
            let name = format!("{}{rest}", first.to_uppercase());
            outputs.insert(format!("{name}QueueUrl"), self.queue_url(queue).to_owned());
            outputs.insert(format!("{name}DeadLettersUrl"), self.dead_letters_url(queue).to_owned());
        }
        outputs
    }
}

impl Admin<'_> {
    /// The same admin, with this environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs `tocsin …`.
    pub async fn runs(&self, arguments: &[&str]) -> Ran {
        self.runs_with(arguments, "").await
    }

    /// Runs `tocsin …`, with this on its standard input.
    pub async fn runs_with(&self, arguments: &[&str], stdin: &str) -> Ran {
        run(self.command(arguments).await, stdin).await
    }

    /// `tocsin …`, as this admin would run it.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tocsin(&self.world.aws.endpoint).await;
        command.args(arguments).env("TOCSIN_STACK", &self.stack).envs(&self.variables);
        command
    }
}

/// The program, with AWS at this address.
pub async fn tocsin(endpoint: &str) -> Command {
    let program = tokio::task::spawn_blocking(binaries::folder).await.expect("it builds").join(binaries::CLI);
    let mut command = Command::new(program);
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .envs([("AWS_ACCESS_KEY_ID", CREDENTIALS.0), ("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1), ("AWS_REGION", REGION)])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .kill_on_drop(true);
    command
}

/// Runs it to its end.
pub async fn run(mut command: Command, stdin: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    // Whoever does not read it has ended before.
    _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).await;
    let output = child.wait_with_output().await.expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let ran = Ran { stdout: text(&output.stdout), stderr: text(&output.stderr), code: output.status.code() };
    eprintln!("{}", ran.stderr);
    ran
}
