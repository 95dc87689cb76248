//! Cold start and warm answers by the clock, beside Bolt. All contenders take turns in each round, so whatever the machine does besides, it does to all of them; of what was
//! measured the medians and their ratios count.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use rustls::ServerConfig;
use serde_json::Value;
use tokio::process::Child;
use tokio::time::timeout;

use crate::aws::{self, Endpoint};
use crate::binaries::{self, API, OTHERS, RECEIVERS};
use crate::contenders::{self, Contender};
use crate::report::{self, Figure, Unit};
use crate::requests::{Case, cases};
use crate::run::{self, lambda_environment, peak};
use crate::runtime_api::RuntimeApi;
use crate::share::Share;
use crate::tool;

/// Warm answers after each cold start.
const WARM: usize = 200;
/// The same at a share of a core.
const WARM_SHARED: usize = 20;
/// Under the share of 128 MB a start of Bolt takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was measured of one contender.
#[derive(Default)]
struct Times {
    /// From the start of the process until it asks for work.
    init: Vec<Duration>,
    /// From the first request to its answer.
    first: Vec<Duration>,
    /// Both.
    cold: Vec<Duration>,
    /// From any later request to its answer.
    warm: Vec<Duration>,
    /// The highest resident set, in bytes.
    peak: u64,
}

/// Measures, prints, and writes bench/BESIDE.md and the tables of the pages that show it.
pub(crate) async fn run(rounds: usize, dry: bool) -> Result<()> {
    ensure!(rounds > 0, "no rounds, no figures");
    let target = binaries::target()?;
    let contenders = contenders::all(&target)?;
    let mut others = Vec::new();
    for name in RECEIVERS.into_iter().chain([API]).chain(OTHERS) {
        // The others call nobody before their first invocation.
        let init = if RECEIVERS.contains(&name) || name == API { aws::INIT } else { 0 };
        others.push(Contender::own(name, binaries::build(name, &target)?, init, false)?);
    }
    let course = Course { tls: aws::tls()?, case: case()?, log: target.join("bench/beside.log") };
    let whole = course.rounds(&contenders, rounds, WARM, None).await?;
    let share = Share::of_128_mb();
    let shared = match &share {
        Ok(share) => Ok(course.rounds(&contenders, rounds, WARM_SHARED, Some(share)).await?),
        Err(error) => Err(format!("{error:#}")),
    };
    let starts = course.starts(&others, rounds).await?;

    let table = beside(&contenders, &whole);
    let small = match &shared {
        Ok(shared) => beside(&contenders, shared),
        Err(error) => format!("Not measured: {error}.\n"),
    };
    let gates = gates(&whole)?;
    let text = format!(
        "# Beside Bolt\n\nWritten by `make bench` on {}: {rounds} cold starts of each and {WARM} warm answers after each, in turns; {}, {}, Node.js {}. [README.md](README.md) says how it is measured.\n\n\
         The slash command `/incident ack` with one message put on SQS over TLS before the answer; *hello* answers without any of it. Medians, of memory the most; in brackets times that of `commands`.\n\n\
         ## With a whole core\n\n{table}\n## With the share of a core that comes with 128 MB\n\nInit runs unthrottled, as on Lambda; what comes after it has 7 % of a core.\n\n{small}\n\
         ## Beside the gates\n\n{}\n## Every function\n\nFrom the start of the process until it asks for its first invocation.\n\n{}",
        Timestamp::now().strftime("%Y-%m-%d"),
        tool("rustc", "--version")?,
        tool("python3", "--version")?,
        tool("node", "--version")?,
        report::gates(&gates),
        every(&others, &starts),
    );
    println!("{text}");
    if !dry {
        report::write("bench/BESIDE.md", &text)?;
        report::show("README.md", "beside", &brief(&contenders, &whole))?;
        report::show("docs/benchmarks.md", "beside", &table)?;
        report::show("docs/benchmarks.md", "beside at 128 MB", &small)?;
    }
    Ok(())
}

/// The command that is queued.
fn case() -> Result<Case> {
    cases()?.into_iter().find(|case| case.function == "commands" && case.queues).context("a command that is queued")
}

/// What all contenders run over.
struct Course {
    tls: Arc<ServerConfig>,
    case: Case,
    log: std::path::PathBuf,
}

impl Course {
    /// Everybody in turns, so often.
    async fn rounds(
        &self,
        contenders: &[Contender],
        rounds: usize,
        warm: usize,
        share: Option<&Share>,
    ) -> Result<BTreeMap<&'static str, Times>> {
        let mut all: BTreeMap<_, Times> = BTreeMap::new();
        for round in 1..=rounds {
            eprintln!("bench: {}, round {round} of {rounds}", if share.is_some() { "7 % of a core" } else { "a whole core" });
            for contender in contenders {
                let times = all.entry(contender.name).or_default();
                self.once(contender, warm, share, times).await.with_context(|| format!("{}; {}", contender.name, self.log.display()))?;
            }
        }
        Ok(all)
    }

    /// One cold start, its first answer, and warm ones.
    async fn once(&self, contender: &Contender, warm: usize, share: Option<&Share>, times: &mut Times) -> Result<()> {
        let mut running = self.start(contender).await?;
        let init = running.init()?;
        if let Some(share) = share {
            share.holds(run::pid(&running.child)?)?;
        }
        let event = self.case.event()?;
        for requests in [1, warm] {
            running.api.add(std::iter::repeat_n(event.clone(), requests));
            running.rests().await?;
            let took = running.api.took();
            ensure!(took.len() == requests, "{} answers to {requests} requests", took.len());
            if requests == 1 {
                let first = *took.first().context("an answer")?;
                times.init.push(init);
                times.first.push(first);
                times.cold.push(init + first);
            } else {
                times.warm.extend(took);
            }
        }
        times.peak = times.peak.max(peak(run::pid(&running.child)?)?);
        running.check(contender, 1 + warm)?;
        running.child.kill().await?;
        Ok(())
    }

    /// Starts of our own functions alone: how long until they ask for work, and the memory that they have then.
    async fn starts(&self, functions: &[Contender], rounds: usize) -> Result<BTreeMap<&'static str, Times>> {
        eprintln!("bench: a start of every function");
        let mut all: BTreeMap<_, Times> = BTreeMap::new();
        for _ in 0..rounds {
            for function in functions {
                let mut running = self.start(function).await.with_context(|| format!("{}; {}", function.name, self.log.display()))?;
                let times = all.entry(function.name).or_default();
                times.init.push(running.init()?);
                times.peak = times.peak.max(peak(run::pid(&running.child)?)?);
                running.child.kill().await?;
            }
        }
        Ok(all)
    }

    /// A process that has asked for its first work.
    async fn start(&self, contender: &Contender) -> Result<Running> {
        let api = RuntimeApi::start(VecDeque::new()).await?;
        let endpoint = Endpoint::start(&self.tls, contender.init).await?;
        let mut command = contender.command();
        command
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(lambda_environment())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_ENDPOINT_URL", &endpoint.url)
            .env("AWS_CA_BUNDLE", aws::bundle())
            .stdin(Stdio::null())
            .stdout(File::create(&self.log)?)
            .stderr(File::options().append(true).open(&self.log)?)
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().context("it does not start")?;
        let mut running = Running { child, api, endpoint, started };
        running.rests().await?;
        Ok(running)
    }
}

/// A contender at work.
struct Running {
    child: Child,
    api: RuntimeApi,
    endpoint: Endpoint,
    started: Instant,
}

impl Running {
    /// From its start until it asked for work.
    fn init(&self) -> Result<Duration> {
        Ok(self.api.began().context("it did not ask for work")?.duration_since(self.started))
    }

    /// Waits until it has answered everything.
    async fn rests(&mut self) -> Result<()> {
        let rests = async {
            tokio::select! {
                () = self.api.idle() => Ok(()),
                ended = self.child.wait() => bail!("it ended ({})", ended?),
            }
        };
        timeout(PATIENCE, rests).await.context("it did not answer in time")?
    }

    /// A time stands only for what was really done: every answer is a 200, and there is a message on SQS for each.
    fn check(&self, contender: &Contender, requests: usize) -> Result<()> {
        let (answers, errors) = self.api.outcome();
        ensure!(errors.is_empty(), "it reported {errors:?}");
        for answer in &answers {
            let status = serde_json::from_str::<Value>(answer)?.get("statusCode").and_then(Value::as_u64);
            ensure!(status == Some(200), "it answered {answer}");
        }
        let sent = self.endpoint.calls().iter().skip(contender.init).filter(|call| *call == "AmazonSQS.SendMessage").count();
        let wanted = if contender.sends { requests } else { 0 };
        ensure!(sent == wanted, "{sent} messages on SQS for {requests} requests");
        Ok(())
    }
}

/// The duration that this part of them does not exceed.
fn quantile(times: &[Duration], part: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list of some thousand"
    )]
    let place = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

fn median(times: &[Duration]) -> Duration {
    quantile(times, 0.5)
}

/// The table of everybody, each figure with how many times that of `commands` it is.
fn beside(contenders: &[Contender], all: &BTreeMap<&'static str, Times>) -> String {
    let own = all.get("commands");
    let row = |contender: &Contender| {
        let times = all.get(contender.name);
        let shown = |figure: &dyn Fn(&Times) -> f64, digits: usize| {
            let (value, base) = (times.map_or(0.0, figure), own.map_or(0.0, figure));
            let ratio = value / base;
            let times = if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") };
            if contender.name == "commands" { format!("{value:.digits$}") } else { format!("{value:.digits$} ({times}\u{a0}×)") }
        };
        [
            contender.name.to_owned(),
            format!("{:.1}", crate::float(contender.size) / 1e6),
            shown(&|times| crate::float(times.peak) / 1e6, 1),
            shown(&|times| median(&times.init).as_secs_f64() * 1e3, 1),
            shown(&|times| median(&times.first).as_secs_f64() * 1e3, 1),
            shown(&|times| median(&times.cold).as_secs_f64() * 1e3, 1),
            shown(&|times| median(&times.warm).as_secs_f64() * 1e3, 2),
            shown(&|times| quantile(&times.warm, 0.99).as_secs_f64() * 1e3, 2),
        ]
    };
    let head =
        ["function", "size, MB", "peak memory, MB", "init, ms", "first answer, ms", "cold start, ms", "warm p50, ms", "warm p99, ms"];
    report::table(head, contenders.iter().map(row))
}

/// The same in a few columns.
fn brief(contenders: &[Contender], all: &BTreeMap<&'static str, Times>) -> String {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let row = |contender: &Contender| {
        let times = all.get(contender.name)?;
        let name = if contender.name == "commands" { "Tocsin" } else { contender.name };
        Some([
            name.to_owned(),
            format!("{:.1} ms", milliseconds(median(&times.cold))),
            format!("{:.2} ms", milliseconds(median(&times.warm))),
            format!("{:.2} ms", milliseconds(quantile(&times.warm, 0.99))),
            format!("{:.0} MB", crate::float(times.peak) / 1e6),
        ])
    };
    report::table(
        ["a slash command that is queued", "cold start", "warm, p50", "p99", "memory"],
        contenders.iter().filter(|contender| contender.sends).filter_map(row),
    )
}

fn gates(all: &BTreeMap<&'static str, Times>) -> Result<Vec<Figure>> {
    let of = |name: &str| all.get(name).with_context(|| format!("{name} was not measured"));
    let (own, javascript, python) = (of("commands")?, of("Bolt for JavaScript")?, of("Bolt for Python")?);
    let better = median(&javascript.cold).min(median(&python.cold));
    let figure = |what: &str, ours: Duration, theirs: Duration, gate: (f64, f64)| {
        let (ours, theirs) = (ours.as_secs_f64(), theirs.as_secs_f64());
        let note = format!("{:.2} / {:.2} ms", ours * 1e3, theirs * 1e3);
        Figure::new("commands", what, ours / theirs, Unit::Part, gate).noted(note)
    };
    Ok(vec![
        figure("cold start with SQS, beside the better Bolt", median(&own.cold), better, (1.0 / 40.0, 1.0 / 60.0)),
        figure("warm p99 with SQS, beside Bolt for Python", quantile(&own.warm, 0.99), quantile(&python.warm, 0.99), (0.5, 0.25)),
    ])
}

fn every(functions: &[Contender], starts: &BTreeMap<&'static str, Times>) -> String {
    let rows = functions.iter().filter_map(|function| {
        let times = starts.get(function.name)?;
        Some([
            function.name.to_owned(),
            format!("{:.2}", crate::float(function.size) / 1e6),
            format!("{:.2}", median(&times.init).as_secs_f64() * 1e3),
            format!("{:.2}", crate::float(times.peak) / 1e6),
        ])
    });
    report::table(["function", "size, MB", "init, ms", "memory after it, MB"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_what_was_measured() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!([0.5, 0.99, 1.0].map(|part| quantile(&times, part).as_millis()), [50, 99, 100]);
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
