//! Measures what performance.md promises: sizes, instructions of start and answer beside the smallest function there is, peak memory.
//! README.md says how; `cargo run -p bench` prints the table and writes RESULTS.md.

mod aws;
mod binaries;
mod intake;
mod report;
mod requests;
mod run;
mod runtime_api;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use jiff::Timestamp;

use crate::binaries::{API, OTHERS, RECEIVERS};
use crate::report::{Figure, Gate, Unit, grouped};
use crate::requests::{Case, cases};
use crate::run::{Bench, Run};

/// Everything is counted this often; the smaller count stands, because a disturbance only adds, and the spread is printed.
const ROUNDS: usize = 2;
/// A warm answer is the difference of two runs, which answer this often …
const FEW: usize = 5;
/// … and this often.
const MANY: usize = 25;
/// The same for keys that are refused: what tells them apart is to be seen at a thousandth.
const MANY_REFUSED: usize = 125;
/// Requests before the peak memory is read.
const MEMORY: usize = 200;

#[derive(Parser)]
#[command(about = "Sizes, instruction counts and peak memory of the functions, beside the gates")]
struct Arguments {
    /// End with 1 where a target is missed.
    #[arg(long)]
    check: bool,
    /// Measure how much the function intake takes in, by sample file, and write bench/INTAKE.md; nothing else.
    #[arg(long)]
    intake: bool,
    /// Print, and leave bench/RESULTS.md as it is.
    #[arg(long)]
    dry: bool,
    /// Measure this binary as the function of that name, and only what is named so (and hello); RESULTS.md is left as it is.
    #[arg(long = "binary", value_name = "FUNCTION=PATH", value_parser = named)]
    binaries: Vec<(&'static str, PathBuf)>,
}

fn named(text: &str) -> Result<(&'static str, PathBuf)> {
    let (name, path) = text.split_once('=').context("not FUNCTION=PATH")?;
    let name = packages().find(|package| *package == name).with_context(|| format!("there is no function {name}"))?;
    Ok((name, path.into()))
}

fn packages() -> impl Iterator<Item = &'static str> {
    ["hello"].into_iter().chain(RECEIVERS).chain([API]).chain(OTHERS)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.intake {
        return intake::run(arguments.dry).await.map(|()| ExitCode::SUCCESS);
    }
    let valgrind = tool("valgrind", "--version")
        .context("bench needs valgrind, which counts the instructions: on Debian, apt-get install valgrind")?;
    let target = binaries::target()?;
    let partial = !arguments.binaries.is_empty();
    let mut built: BTreeMap<_, _> = arguments.binaries.into_iter().collect();
    for package in packages().filter(|package| !partial || *package == "hello") {
        if !built.contains_key(package) {
            built.insert(package, binaries::build(package, &target)?);
        }
    }
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;
    let bench = Bench { folder, tls: aws::tls()? };
    let measured = Measured { bench, built, counts: BTreeMap::new(), memory: BTreeMap::new() }.all().await?;
    let figures = measured.figures()?;
    let missed = figures.iter().filter(|figure| !figure.is_met()).count();
    let text = format!(
        "# Results\n\nWritten by `make bench` on {}; {}, {valgrind}. [README.md](README.md) says how it is measured.\n\n\
         {missed} of {} targets missed.\n\n{}\n## What was counted\n\nInstructions; the smaller of {ROUNDS} rounds, and how far apart they were.\n\n{}",
        Timestamp::now().strftime("%Y-%m-%d"),
        tool("rustc", "--version")?,
        figures.len(),
        report::gates(&figures),
        measured.counted(),
    );
    println!("{text}");
    if !arguments.dry && !partial {
        std::fs::write(binaries::root().join("bench/RESULTS.md"), text)?;
    }
    // What tells one refused key from another is no matter of speed.
    let told_apart = figures.iter().any(|figure| matches!(figure.unit, Unit::Percent) && !figure.is_met());
    Ok(if told_apart || arguments.check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The first line a tool says about itself.
fn tool(name: &str, argument: &str) -> Result<String> {
    let output = Command::new(name).arg(argument).output().with_context(|| format!("{name} does not run"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// A function, how far it is run, and what it is asked how often.
type Step<'a> = (&'static str, Stage, Option<(&'a Case, usize)>);

/// How far a function was run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Until it asks for the first invocation.
    Init,
    /// The same with AWS nowhere: what is built, without the calls that warm it.
    InitUnwarmed,
    /// Until it has answered this case so often.
    Answered(&'static str, usize),
}

struct Measured {
    bench: Bench,
    built: BTreeMap<&'static str, PathBuf>,
    counts: BTreeMap<(&'static str, Stage), Vec<u64>>,
    memory: BTreeMap<&'static str, u64>,
}

impl Measured {
    /// Runs everything, round by round.
    async fn all(self) -> Result<Self> {
        let Self { bench, built, mut counts, mut memory } = self;
        let cases: Vec<Case> = cases()?.into_iter().filter(|case| built.contains_key(case.function)).collect();
        for round in 1..=ROUNDS {
            eprintln!("bench: counting instructions, round {round} of {ROUNDS}");
            for (function, stage, case) in plan(&cases).into_iter().filter(|(function, ..)| built.contains_key(function)) {
                let name = format!("{function}-{stage:?}").to_lowercase().replace([' ', '"', ',', '('], "-").replace(')', "");
                let run = Run {
                    binary: built.get(function).context("a function that was not built")?,
                    name,
                    case,
                    calls_aws: function != "hello" && stage != Stage::InitUnwarmed,
                };
                counts.entry((function, stage)).or_insert_with(Vec::new).push(bench.instructions(&run).await?);
            }
        }
        eprintln!("bench: peak memory");
        for case in cases.iter().filter(|case| case.queues) {
            let binary = built.get(case.function).context("a function that was not built")?;
            let run = Run { binary, name: format!("{}-memory", case.function), case: Some((case, MEMORY)), calls_aws: true };
            memory.insert(case.function, bench.peak_memory(&run).await?);
        }
        Ok(Self { bench, built, counts, memory })
    }

    fn count(&self, function: &'static str, stage: Stage) -> Result<u64> {
        let key = (function, stage);
        self.counts.get(&key).and_then(|counts| counts.iter().min()).copied().with_context(|| format!("{key:?} was not counted"))
    }

    /// Instructions for one more answer of a function that is warm.
    fn warm(&self, function: &'static str, case: &'static str) -> Result<f64> {
        let times = many(function);
        let few = self.count(function, Stage::Answered(case, FEW))?;
        let many = self.count(function, Stage::Answered(case, times))?;
        Ok((float(many) - float(few)) / float((times - FEW) as u64))
    }

    fn figures(&self) -> Result<Vec<Figure>> {
        let cases = cases()?;
        let hello = float(self.count("hello", Stage::Init)?);
        let mut figures = Vec::new();
        let mut figure = |function: &str, what: &str, value, unit, (target, stretch), note| {
            figures.push(Figure {
                function: function.to_owned(),
                what: what.to_owned(),
                value,
                unit,
                gate: Gate { target, stretch },
                note,
            });
        };
        for function in RECEIVERS.into_iter().filter(|function| self.built.contains_key(function)) {
            let unwarmed = float(self.count(function, Stage::InitUnwarmed)?);
            figure(
                function,
                "init without warming",
                unwarmed / hello,
                Unit::Ratio,
                (6.0, 4.0),
                format!("{} / {}", million(unwarmed), million(hello)),
            );
            let init = float(self.count(function, Stage::Init)?);
            for case in cases.iter().filter(|case| case.function == function) {
                let both = float(self.count(function, Stage::Answered(case.name, 1))?);
                if case.queues {
                    let first = both - init;
                    let name = format!("first answer with TLS and SQS ({})", case.name);
                    figure(function, &name, first / 1e6, Unit::Million, (1.0, 0.7), String::new());
                    figure(
                        function,
                        "init and first answer",
                        both / 1e6,
                        Unit::Million,
                        (7.0, 4.0),
                        format!("init warmed {}", million(init)),
                    );
                }
                let (ours, theirs) = (self.warm(function, case.name)?, self.warm("hello", case.name)?);
                let gate = if case.queues { (3.5, 2.5) } else { (1.3, 1.15) };
                let name = format!("warm answer {} SQS ({})", if case.queues { "with" } else { "without" }, case.name);
                figure(function, &name, ours / theirs, Unit::Ratio, gate, format!("{} / {}", million(ours), million(theirs)));
            }
            let peak = self.memory.get(function).copied().unwrap_or_default();
            figure(function, "peak memory", float(peak) / 1e6, Unit::Megabytes, (10.0, 7.0), format!("after {MEMORY} requests"));
        }
        if self.built.contains_key(API) {
            let refused: Vec<(&str, f64)> = cases
                .iter()
                .filter(|case| case.function == API)
                .map(|case| Ok((case.name, self.warm(API, case.name)?)))
                .collect::<Result<_>>()?;
            let (least, most) = refused.iter().fold((f64::MAX, 0.0_f64), |(least, most), (_, count)| (least.min(*count), most.max(*count)));
            let note: Vec<String> = refused.iter().map(|(name, count)| format!("{name} {}", million(*count))).collect();
            figure(API, "what tells refused keys apart", (most - least) / least * 100.0, Unit::Percent, (1.0, 0.1), note.join(", "));
        }
        for (package, binary) in &self.built {
            let gate = match *package {
                "hello" => continue,
                package if RECEIVERS.contains(&package) => (6.0, 4.5),
                _ => (8.0, 6.5),
            };
            let size = std::fs::metadata(binary)?.len();
            figure(package, "size of the binary", float(size) / 1e6, Unit::Megabytes, gate, String::new());
            if let Some(bootstrap) = binaries::bootstrap(package) {
                let size = std::fs::metadata(&bootstrap)?.len();
                figure(package, "size of the bootstrap", float(size) / 1e6, Unit::Megabytes, gate, "as sam build made it".to_owned());
            }
        }
        Ok(figures)
    }

    fn counted(&self) -> String {
        let rows = self.counts.iter().map(|((function, stage), counts)| {
            let (least, most) = (counts.iter().min().copied().unwrap_or_default(), counts.iter().max().copied().unwrap_or_default());
            let stage = match stage {
                Stage::Init => "init".to_owned(),
                Stage::InitUnwarmed => "init without warming".to_owned(),
                Stage::Answered(case, times) => format!("init and {times} × {case}"),
            };
            [(*function).to_owned(), stage, grouped(least), format!("{:.2} %", float(most - least) / float(least) * 100.0)]
        });
        report::table(["function", "until", "instructions", "apart"], rows)
    }
}

/// What is run: hello answers every case too, because what an envelope costs depends on its length.
fn plan(cases: &[Case]) -> Vec<Step<'_>> {
    let mut plan = vec![("hello", Stage::Init, None)];
    plan.extend(RECEIVERS.iter().flat_map(|function| [(*function, Stage::Init, None), (*function, Stage::InitUnwarmed, None)]));
    for case in cases {
        for times in [1, FEW, many(case.function)] {
            let stage = Stage::Answered(case.name, times);
            plan.push((case.function, stage.clone(), Some((case, times))));
            // Which answers everything with 200.
            if times > 1 && case.function != API {
                plan.push(("hello", stage, Some((case, times))));
            }
        }
    }
    plan
}

/// Counts here stay far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "a count of messages, far below 2^52")]
fn of_many(count: usize) -> f64 {
    count as f64
}

/// How often a warm function answers in the longer of two runs.
fn many(function: &str) -> usize {
    if function == API { MANY_REFUSED } else { MANY }
}

fn million(count: f64) -> String {
    format!("{:.3} M", count / 1e6)
}

/// Counts here stay far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "a count of instructions or bytes, far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Bytes as small hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
