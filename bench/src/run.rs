//! Runs one function from start to end, and counts.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use rustls::ServerConfig;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::aws::{self, Endpoint};
use crate::requests::Case;
use crate::runtime_api::RuntimeApi;

/// Under valgrind a start takes seconds, on a busy machine tens of seconds.
const PATIENCE: Duration = Duration::from_mins(3);

/// How often a run is tried.
const ATTEMPTS: usize = 20;

/// Where things are that every run needs.
pub(crate) struct Bench {
    /// Callgrind's files and the functions' logs.
    pub(crate) folder: PathBuf,
    /// How the endpoint speaks TLS.
    pub(crate) tls: Arc<ServerConfig>,
}

/// A run: which binary, which requests, how often.
pub(crate) struct Run<'a> {
    /// The binary.
    pub(crate) binary: &'a Path,
    /// What the files of this run are called.
    pub(crate) name: String,
    /// What is asked; `None` stops after init.
    pub(crate) case: Option<(&'a Case, usize)>,
    /// Where AWS is: at the endpoint, which counts what is called; else nowhere, so that every client is built and each call fails before it
    /// reaches for the network.
    pub(crate) calls_aws: bool,
}

impl Bench {
    /// Instructions from the start of the process until it waits for an invocation that does not come.
    ///
    /// Valgrind is slow and the functions' timeouts are not, so on a busy machine a call may be given up and made again. Such a run does not pass
    /// the check and is made again.
    pub(crate) async fn instructions(&self, run: &Run<'_>) -> Result<u64> {
        for _ in 1..ATTEMPTS {
            match self.attempt(run).await {
                Ok(count) => return Ok(count),
                Err(error) => eprintln!("bench: once more: {}: {}", run.name, error.root_cause()),
            }
        }
        self.attempt(run).await
    }

    async fn attempt(&self, run: &Run<'_>) -> Result<u64> {
        let out = self.folder.join(format!("{}.callgrind", run.name));
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--quiet", &format!("--callgrind-out-file={}", out.display())]).arg(run.binary);
        let mut child = self.drive(command, run).await?;
        kill(&child, Signal::TERM)?;
        timeout(PATIENCE, child.wait()).await.context("valgrind did not end")??;
        let text = std::fs::read_to_string(&out).with_context(|| format!("callgrind wrote no {}", out.display()))?;
        let totals = text.lines().filter_map(|line| line.strip_prefix("totals: ")).next_back();
        totals.and_then(|count| count.trim().parse().ok()).with_context(|| format!("no totals in {}", out.display()))
    }

    /// The highest resident set of the process, in bytes.
    pub(crate) async fn peak_memory(&self, run: &Run<'_>) -> Result<u64> {
        let mut child = self.drive(Command::new(run.binary), run).await?;
        let peak = peak(pid(&child)?)?;
        child.kill().await?;
        Ok(peak)
    }

    /// Starts the function, lets it answer everything, checks the answers, and leaves it waiting for more.
    async fn drive(&self, mut command: Command, run: &Run<'_>) -> Result<Child> {
        let mut events = VecDeque::new();
        if let Some((case, times)) = run.case {
            let event = case.event()?;
            events.extend(std::iter::repeat_n(event, times));
        }
        let api = RuntimeApi::start(events).await?;
        let endpoint = Endpoint::start(&self.tls, aws::INIT).await?;
        let log = self.folder.join(format!("{}.log", run.name));
        let address = if run.calls_aws { endpoint.url.as_str() } else { "nowhere" };
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(lambda_environment())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_ENDPOINT_URL", address)
            .env("AWS_CA_BUNDLE", aws::bundle())
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?)
            .kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("{} does not start", run.name))?;
        tokio::select! {
            () = api.idle() => {}
            ended = child.wait() => bail!("{} ended ({}) before it answered everything; its log is {}", run.name, ended?, log.display()),
            () = sleep(PATIENCE) => bail!("{} did not answer everything in {PATIENCE:?}; its log is {}", run.name, log.display()),
        }
        settled(&child).await?;
        check(run, &api, &endpoint).with_context(|| format!("{} did not do what is measured; its log is {}", run.name, log.display()))?;
        Ok(child)
    }
}

/// A number stands only for what was really done: every answer is the one that is expected, and the calls to AWS are the two of init and those of the case.
fn check(run: &Run<'_>, api: &RuntimeApi, endpoint: &Endpoint) -> Result<()> {
    let (answers, errors) = api.outcome();
    ensure!(errors.is_empty(), "it reported {errors:?}");
    let (times, queues) = run.case.map_or((0, false), |(case, times)| (times, case.queues));
    let expected = run.case.map_or(200, |(case, _)| case.status);
    ensure!(answers.len() == times, "{} answers to {times} requests", answers.len());
    for answer in &answers {
        let status = serde_json::from_str::<Value>(answer)?.get("statusCode").and_then(Value::as_u64);
        ensure!(status == Some(expected), "it answered {answer}");
    }
    let refused = expected == 401;
    let mut expected = Vec::new();
    if run.calls_aws {
        expected.extend(["AmazonSQS.SendMessage", "secretsmanager.GetSecretValue"]);
        // A key that is not known may be a new one: the secret is read again for the first of them, and then not for ten seconds.
        expected.extend(refused.then_some("secretsmanager.GetSecretValue"));
        expected.extend(std::iter::repeat_n("AmazonSQS.SendMessage", if queues { times } else { 0 }));
    }
    let mut calls = endpoint.calls();
    // The two of init run side by side.
    if let Some(init) = calls.get_mut(..aws::INIT) {
        init.sort();
    }
    ensure!(calls == expected, "its calls to AWS were {calls:?}");
    let connections = endpoint.connections();
    ensure!(connections == calls.len().min(2), "it opened {connections} connections to AWS");
    Ok(())
}

/// Waits until the process has used no time for a while: after it has asked for the next invocation, it still has to fall asleep.
async fn settled(child: &Child) -> Result<()> {
    let path = format!("/proc/{}/stat", pid(child)?);
    let mut last = String::new();
    let mut same = 0;
    while same < 3 {
        sleep(Duration::from_millis(20)).await;
        let stat = std::fs::read_to_string(&path)?;
        // After the name in brackets: state is the 1st field, time in user mode and in the kernel the 12th and 13th.
        let fields: Vec<&str> = stat.rsplit_once(')').map_or(stat.as_str(), |(_, rest)| rest).split_whitespace().collect();
        let now = format!("{:?} {:?} {:?}", fields.first(), fields.get(11), fields.get(12));
        same = if now == last && fields.first() == Some(&"S") { same + 1 } else { 0 };
        last = now;
    }
    Ok(())
}

pub(crate) fn pid(child: &Child) -> Result<i32> {
    child.id().and_then(|id| id.try_into().ok()).context("the process has ended")
}

fn kill(child: &Child, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(pid(child)?).context("no process id")?;
    Ok(kill_process(pid, signal)?)
}

/// What Lambda and template.yaml set, for any of the functions. The session token is as long as a real one, because it is signed and sent with every call.
pub(crate) fn lambda_environment() -> Vec<(&'static str, String)> {
    let text = [
        ("AWS_LAMBDA_FUNCTION_NAME", "tocsin-bench"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/tocsin-bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/15/[$LATEST]0123456789abcdef0123456789abcdef"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("SLACK_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tocsin/slack-AbCdEf"),
        ("API_KEYS_SECRET_ARN", aws::API_KEYS),
        ("TABLE_NAME", "tocsin-table"),
        ("DEFAULT_CHANNEL", "#incidents"),
        ("SIGNING_OVERLAP_HOURS", "24"),
        ("INSTALLATION_SECRETS_PREFIX", "tocsin/installations/"),
        ("INTENTS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/tocsin-intents.fifo"),
        ("INCIDENTS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/tocsin-incidents"),
        ("POSTS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/tocsin-posts.fifo"),
        ("TIMELINE_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/tocsin-timeline.fifo"),
        ("CALLS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/tocsin-calls.fifo"),
        ("DEAD_LETTERS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/tocsin-dead-letters"),
        ("OWN_ALARMS", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tocsin/watch/"),
        ("EVENT_BUS_NAME", "tocsin-events"),
        ("CALL_SECRETS_PREFIX", "tocsin/calls/"),
        ("CALL_HOSTS", ""),
        ("DEFAULT_WORKSPACE", ""),
        ("FALLBACK_TOPIC_ARN", ""),
        ("INSTALL_URL", ""),
        ("SLACK_API_URL", "https://slack.com/api/"),
        ("SLACK_HOOKS_URL", "https://hooks.slack.com/"),
        ("SLACK_AUTHORIZE_URL", "https://slack.com/oauth/v2/authorize"),
        ("SLACK_TIMEOUT", "8"),
        ("UNCERTAIN_POSTS", "again"),
        ("UPDATES_PER_MINUTE", "50"),
    ];
    text.into_iter().map(|(name, value)| (name, value.to_owned())).chain([("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2Vj".repeat(64))]).collect()
}

/// The highest resident set of a process, in bytes.
pub(crate) fn peak(pid: i32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
}
