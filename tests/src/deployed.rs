//! The stack of template.yaml, deployed to a ministack of its own by infra/local/run.py.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::http::Http;
use crate::logs::Line;
use crate::ministack::{Bus, Queue, QueueUrls, Resources};
use crate::{binaries, paths};

/// The stack's name, and thereby the beginning of its functions' names.
pub(crate) const STACK: &str = "tocsin-test";

/// Small timeouts, so that what dies comes again soon; no reserved concurrency, which ministack has nothing to reserve from.
const PARAMETERS: &[&str] = &[
    "IntakeTimeout=2",
    "WorkerTimeout=5",
    "PosterTimeout=5",
    "IncidentsVisibilityTimeout=12",
    "IntentsVisibilityTimeout=30",
    "PostsVisibilityTimeout=30",
    "CallHosts=127.0.0.1",
    "ReceiverReservedConcurrency=0",
    "TableDeletionProtection=false",
];

/// A deployed stack. It goes when this goes: run.py ends at the end of its input.
#[derive(Debug)]
pub struct Deployed {
    /// Where AWS is.
    pub endpoint: String,
    outputs: Value,
    run: Child,
}

impl Drop for Deployed {
    fn drop(&mut self) {
        drop(self.run.stdin.take());
        // It stops ministack and the functions, and only then is the next test's turn.
        let _ = self.run.wait();
    }
}

impl Deployed {
    /// Deploys, which takes some seconds. `entrance` is the parameter of that name.
    pub fn start(slack_api: &str, slack_hooks: &str, bot_token: &str, signing_secret: &str, entrance: &str) -> Result<Self> {
        let python = std::env::var_os("TOCSIN_PYTHON").map_or_else(|| paths::repository().join(".local/venv/bin/python"), PathBuf::from);
        let script = std::env::var_os("TOCSIN_RUN").map_or_else(|| paths::repository().join("infra/local/run.py"), PathBuf::from);
        for file in [&python, &script] {
            if !file.is_file() {
                bail!("{} is not there; `make test` sets everything up", file.display());
            }
        }
        let mut command = Command::new(&python);
        command.arg(&script).args(["up", "--stack-name", STACK, "--bot-token", bot_token, "--signing-secret", signing_secret]);
        let own = [format!("SlackApiUrl={slack_api}"), format!("SlackHooksUrl={slack_hooks}"), format!("Entrance={entrance}")];
        for parameter in own.iter().map(String::as_str).chain(PARAMETERS.iter().copied()) {
            command.args(["--param", parameter]);
        }
        let folder = paths::scratch("deployed")?;
        let progress = folder.join(format!("run-{entrance}.log"));
        let mut run = command
            .current_dir(paths::repository())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&progress)?)
            .process_group(0)
            .spawn()
            .with_context(|| python.display().to_string())?;
        let mut line = String::new();
        BufReader::new(run.stdout.take().context("piped")?).read_line(&mut line)?;
        if line.trim().is_empty() {
            let status = run.wait()?;
            bail!("{} ended with {status}:\n{}", script.display(), std::fs::read_to_string(&progress).unwrap_or_default());
        }
        let up: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let endpoint = text(&up, "endpoint_url")?;
        let outputs = up.get("outputs").cloned().context("outputs")?;
        Ok(Self { endpoint, outputs, run })
    }

    fn output(&self, name: &str) -> Result<String> {
        text(&self.outputs, name)
    }

    /// Where a receiver is reached.
    pub fn url(&self, function: &str) -> Result<String> {
        self.output(match function {
            "commands" => "CommandsUrl",
            "interactions" => "InteractionsUrl",
            "events" => "EventsUrl",
            "api" => "ApiUrl",
            "oauth" => return Ok(self.output("InstallUrl")?.trim_end_matches("install").to_owned()),
            other => bail!("{other} has no URL"),
        })
    }

    /// For the simulator: where the app is.
    pub fn app_urls(&self) -> Result<Value> {
        Ok(json!({
            "commands_url": self.url("commands")?,
            "interactions_url": self.url("interactions")?,
            "events_url": self.url("events")?,
        }))
    }

    /// What the stack has in AWS.
    pub fn resources(&self, bus: Bus) -> Result<Resources> {
        let queue = |queue: &str| -> Result<QueueUrls> {
            Ok(QueueUrls { url: self.output(&format!("{queue}QueueUrl"))?, dead_letters: self.output(&format!("{queue}DeadLettersUrl"))? })
        };
        let queues = [
            (Queue::Incidents, queue("Incidents")?),
            (Queue::Intents, queue("Intents")?),
            (Queue::Posts, queue("Posts")?),
            (Queue::Timeline, queue("Timeline")?),
            (Queue::Calls, queue("Calls")?),
        ];
        let installations = format!("{STACK}/installations/");
        let (table, secret, api_keys) = (self.output("TableName")?, self.output("SlackSecretArn")?, self.output("ApiKeysSecretArn")?);
        Ok(Resources { queues: queues.into(), table, secret, api_keys, installations, notices: None, bus })
    }

    /// The name of its event bus.
    pub fn bus(&self) -> Result<String> {
        self.output("EventBusName")
    }

    /// Everything the functions printed, from CloudWatch Logs.
    pub async fn logs(&self, http: &Http) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        for function in binaries::FUNCTIONS {
            let mut token = Value::Null;
            loop {
                let mut ask = json!({ "logGroupName": format!("/aws/lambda/{STACK}-{function}") });
                if !token.is_null() {
                    ask["nextToken"] = token.clone();
                }
                let headers = [
                    ("content-type", "application/x-amz-json-1.1"),
                    ("x-amz-target", "Logs_20140328.FilterLogEvents"),
                    (
                        "authorization",
                        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0",
                    ),
                ];
                let answer = http.post(&format!("{}/", self.endpoint), &headers, ask.to_string()).await?.json()?;
                let events = answer.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
                let text = |event: &Value| event.get("message").and_then(Value::as_str).unwrap_or_default().trim_end().to_owned();
                lines.extend(events.iter().map(|event| Line { function: function.to_owned(), text: text(event) }));
                let next = answer.get("nextToken").cloned().unwrap_or_default();
                if next.is_null() || next == token {
                    break;
                }
                token = next;
            }
        }
        Ok(lines)
    }
}

fn text(value: &Value, name: &str) -> Result<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("{name} is missing"))
}
