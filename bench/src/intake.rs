//! How much the function intake takes in: its release build, fed with batches of ten as Lambda feeds it, sending what it made of them over TLS.
//!
//! Only the time that the process itself was on a core counts, as the kernel tells it in nanoseconds, so whatever else the machine does is not in it. The peak of its memory is
//! set back before each file.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::aws::{self, Endpoint};
use crate::runtime_api::RuntimeApi;
use crate::{binaries, of_many, report, run};

/// As many messages as Lambda brings at a time.
const BATCH: usize = 10;
/// Batches of each file.
const BATCHES: usize = 10;
/// After so many messages of all files it is looked whether one more costs more.
const CHECKPOINTS: [usize; 4] = [1_000, 10_000, 50_000, 100_000];
/// Bodies of these sizes, in KB.
const SIZES: [usize; 5] = [1, 16, 64, 256, 1_000];
/// How long a hundred batches may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// A file, or whatever else is brought.
struct Sample {
    name: String,
    body: String,
}

/// The function at work.
struct Intake {
    child: Child,
    api: RuntimeApi,
    endpoint: Endpoint,
    sent: usize,
}

/// What some messages cost.
struct Cost {
    messages: usize,
    nanoseconds: u64,
    peak: u64,
    /// What it sent on.
    sends: usize,
}

impl Cost {
    fn per_second(&self) -> f64 {
        of_many(self.messages) / (crate::float(self.nanoseconds) / 1e9)
    }

    fn microseconds(&self) -> f64 {
        crate::float(self.nanoseconds) / 1e3 / of_many(self.messages)
    }
}

/// Measures, prints, and writes bench/INTAKE.md.
pub(crate) async fn run(dry: bool) -> Result<()> {
    let target = binaries::target()?;
    let binary = binaries::build("intake", &target)?;
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    let mut intake = Intake::start(&binary, &folder.join("intake-throughput.log")).await?;
    let samples = samples()?;
    // What comes first pays for memory that stays, and for the connection.
    intake.takes(&samples.iter().map(|sample| sample.body.as_str()).collect::<Vec<_>>()).await?;
    let rows = by_file(&mut intake, &samples).await?;
    let sizes = by_size(&mut intake).await?;
    let (lines, growth) = in_the_long_run(&mut intake, &samples).await?;
    let text = format!(
        "# Intake\n\nWritten by `make bench ARGS=intake` on {}. Messages per second of one core, the function's own time alone, with all that it does for one: Lambda's runtime API, \
         reading, and a call to SQS over TLS for its intents, ten at a time. [README.md](README.md) says how it is measured.\n\n\
         ## Up to 100,000\n\n{lines}\nOne of the last costs {growth:.2} times one of the first thousand.\n\n## By size\n\nOne message to a batch, with a crowd of fields that nobody knows: the dearest kind for its size.\n\n{sizes}\n## By file\n\n{rows}",
        Timestamp::now().strftime("%Y-%m-%d"),
    );
    println!("{text}");
    if !dry {
        fs::write(binaries::root().join("bench/INTAKE.md"), text)?;
    }
    Ok(())
}

/// Every sample that intake can read; what it refuses goes to another queue and costs no more.
fn samples() -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for folder in ["events", "tests/samples/aws/sources", "tests/samples/aws/queue_envelopes"] {
        let mut files: Vec<PathBuf> = fs::read_dir(binaries::root().join(folder))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.sort();
        for file in files.into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "json")) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let refused = name.starts_with("poison-") || name == "rustrt_sqs-event";
            if !refused {
                samples.push(Sample { name, body: fs::read_to_string(&file)? });
            }
        }
    }
    ensure!(samples.len() > 100, "there are only {} samples", samples.len());
    Ok(samples)
}

async fn by_file(intake: &mut Intake, samples: &[Sample]) -> Result<String> {
    let mut rows = Vec::new();
    for (number, sample) in samples.iter().enumerate() {
        if number % 50 == 0 {
            eprintln!("bench: file {} of {}", number + 1, samples.len());
        }
        let cost = intake.takes(&vec![sample.body.as_str(); BATCH * BATCHES]).await?;
        rows.push([
            sample.name.clone(),
            format!("{:.1}", of_many(sample.body.len()) / 1e3),
            format!("{:.1}", of_many(cost.sends) / of_many(cost.messages)),
            format!("{:.0}", cost.per_second()),
            format!("{:.1}", crate::float(cost.peak) / 1e6),
        ]);
    }
    Ok(report::table(["file", "KB", "calls to SQS", "messages per second", "peak MB"], rows.into_iter()))
}

async fn by_size(intake: &mut Intake) -> Result<String> {
    let mut rows = Vec::new();
    for size in SIZES {
        // A crowd of fields, as something that nobody knows has them: the dearest kind of message for its size.
        let field =
            |number: usize| (format!("field{number}"), json!({ "name": format!("part {number}"), "state": "FAILED", "count": number }));
        let mut object: serde_json::Map<String, Value> = serde_json::Map::new();
        while Value::Object(object.clone()).to_string().len() < size * 1_000 {
            let known = object.len();
            object.extend((known..known + 12 + known / 4).map(field));
        }
        let body = Value::Object(object).to_string();
        // SQS brings at most 1 MiB at a time, whatever the size of the batch.
        let copies = if size >= 100 { 20 } else { 100 };
        let cost = intake.takes_by(&vec![body.as_str(); copies], 1).await?;
        rows.push([
            format!("{:.0}", of_many(body.len()) / 1e3),
            format!("{:.0}", cost.per_second()),
            format!("{:.2}", cost.microseconds() / (of_many(body.len()) / 1e3)),
            format!("{:.1}", crate::float(cost.peak) / 1e6),
        ]);
    }
    Ok(report::table(["KB", "messages per second", "µs per KB", "peak MB"], rows.into_iter()))
}

/// All files, again and again: whether the hundred thousandth costs more than the first.
async fn in_the_long_run(intake: &mut Intake, samples: &[Sample]) -> Result<(String, f64)> {
    let mut rows = Vec::new();
    let (mut done, mut first, mut last) = (0, 0.0, 0.0);
    let mut all = samples.iter().map(|sample| sample.body.as_str()).cycle();
    for checkpoint in CHECKPOINTS {
        let mut sum = Cost { messages: 0, nanoseconds: 0, peak: 0, sends: 0 };
        while done < checkpoint {
            let some: Vec<&str> = all.by_ref().take((checkpoint - done).min(1_000)).collect();
            done += some.len();
            let cost = intake.takes(&some).await?;
            sum = Cost {
                messages: sum.messages + cost.messages,
                nanoseconds: sum.nanoseconds + cost.nanoseconds,
                peak: cost.peak,
                sends: sum.sends + cost.sends,
            };
        }
        eprintln!("bench: {done} messages");
        last = sum.microseconds();
        first = if first > 0.0 { first } else { last };
        rows.push([
            report::grouped(done as u64),
            format!("{:.0}", sum.per_second()),
            format!("{:.0}", sum.microseconds()),
            format!("{:.1}", crate::float(sum.peak) / 1e6),
        ]);
    }
    Ok((report::table(["messages up to here", "per second since", "µs for one", "peak MB"], rows.into_iter()), last / first))
}

impl Intake {
    async fn start(binary: &Path, log: &Path) -> Result<Self> {
        let api = RuntimeApi::start(VecDeque::new()).await?;
        let endpoint = Endpoint::start(&aws::tls()?, aws::INIT).await?;
        let child = Command::new(binary)
            .env_clear()
            .envs(run::lambda_environment())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_ENDPOINT_URL", &endpoint.url)
            .env("AWS_CA_BUNDLE", aws::bundle())
            .env("AWS_LAMBDA_LOG_LEVEL", "ERROR")
            .stdin(Stdio::null())
            .stdout(fs::File::create(log)?)
            .stderr(fs::File::options().append(true).open(log)?)
            .kill_on_drop(true)
            .spawn()
            .context("intake does not start")?;
        let mut intake = Self { child, api, endpoint, sent: 0 };
        intake.rest().await?;
        Ok(intake)
    }

    /// Brings these in batches of ten.
    async fn takes(&mut self, bodies: &[&str]) -> Result<Cost> {
        self.takes_by(bodies, BATCH).await
    }

    async fn takes_by(&mut self, bodies: &[&str], batch: usize) -> Result<Cost> {
        let pid = run::pid(&self.child)?;
        // 5 sets the peak back: `proc_pid_clear_refs(5)`
        fs::write(format!("/proc/{pid}/clear_refs"), "5").context("the peak of the memory cannot be set back")?;
        let before = on_core(pid)?;
        let events: Vec<String> = bodies.chunks(batch).map(|some| self.event(some)).collect();
        let batches = events.len();
        self.api.add(events);
        self.rest().await?;
        let (answers, errors) = self.api.outcome();
        ensure!(errors.is_empty() && answers.len() == batches, "{} answers to {batches} batches, {errors:?}", answers.len());
        let failed = answers.iter().find(|answer| !answer.contains("\"batchItemFailures\":[]"));
        ensure!(failed.is_none(), "it did not take everything: {failed:?}");
        let sends = self.endpoint.calls().len();
        Ok(Cost { messages: bodies.len(), nanoseconds: on_core(pid)? - before, peak: run::peak(pid)?, sends })
    }

    fn event(&mut self, bodies: &[&str]) -> String {
        let record = |body: &&str| {
            self.sent += 1;
            json!({
                "messageId": format!("5fea7756-0ea4-451a-a703-{:012}", self.sent), "receiptHandle": "MessageReceiptHandle", "body": body,
                "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": Timestamp::now().as_millisecond().to_string() },
                "messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:tocsin-incidents",
            })
        };
        json!({ "Records": bodies.iter().map(record).collect::<Vec<_>>() }).to_string()
    }

    /// Waits until it has taken everything.
    async fn rest(&mut self) -> Result<()> {
        tokio::select! {
            () = self.api.idle() => Ok(()),
            ended = self.child.wait() => bail!("intake ended ({})", ended?),
            () = tokio::time::sleep(PATIENCE) => bail!("intake did not take everything in {PATIENCE:?}"),
        }
    }
}

/// How long the process was on a core, in nanoseconds: `proc_pid_schedstat(5)`
fn on_core(pid: i32) -> Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split_whitespace().next().context("no time in schedstat")?.parse::<u64>()?;
    }
    Ok(sum)
}
