//! Instructions, sizes and peak memory of what Slack waits for, beside the gates: RESULTS.md for people, counts.json for [`growth`], which fails where one has grown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::binaries::{self, API, OTHERS, RECEIVERS};
use crate::report::{self, Figure, Unit, grouped, million};
use crate::requests::{Case, cases};
use crate::run::{Bench, Run};
use crate::{aws, float, tool};

/// Everything is counted this often, and the smaller count stands; how far apart they are is printed.
const ROUNDS: usize = 2;
/// What is further apart than this was disturbed, and is counted again until two agree …
const APART: f64 = 0.01;
/// … or until this often.
const MOST_ROUNDS: usize = 6;
/// A warm answer is the difference of two runs, which answer this often …
const FEW: usize = 5;
/// … and this often.
const MANY: usize = 25;
/// The same for keys that are refused: what tells them apart is to be seen at a thousandth.
const MANY_REFUSED: usize = 125;
/// Requests before the peak memory is read.
const MEMORY: usize = 200;

/// By how much a count may grow until somebody has to say that it may: 5 %.
const GROWTH: f64 = 0.05;

const WRITE: &str = "`make bench ARGS=counts` writes it";

/// Whether the counts are as they have to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every target is met.
    Met,
    /// So many are not.
    Missed(usize),
    /// Somebody can tell a key that is revoked from one that is not known, which is no matter of speed.
    ToldApart,
}

/// What is kept in counts.json: what a start and an answer of each receiver cost, and what compiled and counted it.
#[derive(Serialize, Deserialize)]
struct Kept {
    architecture: String,
    rustc: String,
    valgrind: String,
    counts: BTreeMap<String, u64>,
}

/// Measures everything, prints it, and writes RESULTS.md and counts.json; unless only the `named` binaries are measured, or `dry`.
pub(crate) async fn run(named: Vec<(&'static str, PathBuf)>, dry: bool) -> Result<Outcome> {
    let valgrind = valgrind()?;
    let partial = !named.is_empty();
    let measured = Measured::of(named, |package| !partial || package == "hello").await?;
    let figures = measured.figures()?;
    let missed = figures.iter().filter(|figure| !figure.is_met()).count();
    let text = format!(
        "# Results\n\nWritten by `make bench` on {}; {}, {valgrind}. [README.md](README.md) says how it is measured, and what limits what is missed.\n\n\
         {missed} of {} targets missed.\n\n{}\n## What was counted\n\nInstructions; the smaller of two that agree, and how far apart they were.\n\n{}",
        Timestamp::now().strftime("%Y-%m-%d"),
        tool("rustc", "--version")?,
        figures.len(),
        report::gates(&figures),
        measured.counted(),
    );
    println!("{text}");
    if !dry && !partial {
        report::write("bench/RESULTS.md", &text)?;
        let kept = Kept {
            architecture: std::env::consts::ARCH.to_owned(),
            rustc: tool("rustc", "--version")?,
            valgrind,
            counts: measured.costs()?,
        };
        report::write("bench/counts.json", &format!("{}\n", serde_json::to_string_pretty(&kept)?))?;
    }
    let told_apart = figures.iter().any(|figure| matches!(figure.unit, Unit::Percent) && !figure.is_met());
    Ok(match (told_apart, missed) {
        (true, _) => Outcome::ToldApart,
        (false, 0) => Outcome::Met,
        (false, missed) => Outcome::Missed(missed),
    })
}

/// Counts the receivers again and compares with counts.json: an error where one count is more than 5 % above.
pub(crate) async fn growth() -> Result<()> {
    let valgrind = valgrind()?;
    let path = binaries::root().join("bench/counts.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read; {WRITE}", path.display()))?;
    let kept: Kept = serde_json::from_str(&text).with_context(|| format!("{} is not what was written; {WRITE}", path.display()))?;
    if kept.architecture != std::env::consts::ARCH {
        println!("counts.json is of {}, which says nothing of {}: not compared.", kept.architecture, std::env::consts::ARCH);
        return Ok(());
    }
    let found = Measured::of(Vec::new(), |package| RECEIVERS.contains(&package)).await?.costs()?;
    let mut grown = Vec::new();
    let mut rows = Vec::new();
    for (name, now) in &found {
        let before = *kept.counts.get(name).with_context(|| format!("counts.json does not know {name}; {WRITE}"))?;
        let change = float(*now) / float(before) - 1.0;
        if change > GROWTH {
            grown.push(name.as_str());
        }
        rows.push([name.clone(), grouped(before), grouped(*now), format!("{:+.1} %", change * 100.0)]);
    }
    let gone: Vec<&str> = kept.counts.keys().filter(|name| !found.contains_key(*name)).map(String::as_str).collect();
    ensure!(gone.is_empty(), "counts.json has what is counted no more: {}; {WRITE}", gone.join(", "));
    println!("{}", report::table(["what", "counts.json", "now", "change"], rows.into_iter()));
    let rustc = tool("rustc", "--version")?;
    if (&rustc, &valgrind) != (&kept.rustc, &kept.valgrind) {
        println!("counts.json is by {} and {}, this by {rustc} and {valgrind}.", kept.rustc, kept.valgrind);
    }
    ensure!(
        grown.is_empty(),
        "more than {:.0} % above counts.json: {}. Where it has to be, {WRITE}, and the commit says why.",
        GROWTH * 100.0,
        grown.join(", ")
    );
    Ok(())
}

/// Its version, where it is there.
fn valgrind() -> Result<String> {
    tool("valgrind", "--version").context("bench needs valgrind, which counts the instructions: on Debian, apt-get install valgrind")
}

/// Every package that can be measured.
pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
    ["hello"].into_iter().chain(RECEIVERS).chain([API]).chain(OTHERS)
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
    /// Measures the binaries that are named, and those that are `wanted`, which it builds.
    async fn of(named: Vec<(&'static str, PathBuf)>, wanted: impl Fn(&str) -> bool) -> Result<Self> {
        let target = binaries::target()?;
        let mut built: BTreeMap<_, _> = named.into_iter().collect();
        for package in packages().filter(|package| wanted(package)) {
            if !built.contains_key(package) {
                built.insert(package, binaries::build(package, &target)?);
            }
        }
        let folder = target.join("bench");
        std::fs::create_dir_all(&folder)?;
        let bench = Bench { folder, tls: aws::tls()? };
        Self { bench, built, counts: BTreeMap::new(), memory: BTreeMap::new() }.all().await
    }

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
                let counted: &mut Vec<u64> = counts.entry((function, stage)).or_default();
                counted.push(bench.instructions(&run).await?);
                while round == ROUNDS && agreed(counted).is_none() {
                    ensure!(counted.len() < MOST_ROUNDS, "no two counts of {} agree: {counted:?}", run.name);
                    eprintln!("bench: once more, since they differ: {} {counted:?}", run.name);
                    counted.push(bench.instructions(&run).await?);
                }
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
        self.counts.get(&key).and_then(|counts| agreed(counts)).map(|(least, _)| least).with_context(|| format!("{key:?} was not counted"))
    }

    /// Instructions for one more answer of a function that is warm.
    fn warm(&self, function: &'static str, case: &'static str) -> Result<f64> {
        let times = many(function);
        let few = self.count(function, Stage::Answered(case, FEW))?;
        let many = self.count(function, Stage::Answered(case, times))?;
        Ok((float(many) - float(few)) / float((times - FEW) as u64))
    }

    /// What a start and an answer of each receiver cost, by what they are: what is kept in counts.json.
    fn costs(&self) -> Result<BTreeMap<String, u64>> {
        let mut costs = BTreeMap::new();
        for function in RECEIVERS.into_iter().filter(|function| self.built.contains_key(function)) {
            costs.insert(format!("{function}: init"), self.count(function, Stage::Init)?);
            costs.insert(format!("{function}: init without warming"), self.count(function, Stage::InitUnwarmed)?);
        }
        for case in cases()?.iter().filter(|case| RECEIVERS.contains(&case.function) && self.built.contains_key(case.function)) {
            let times = many(case.function);
            let (few, many) = (Stage::Answered(case.name, FEW), Stage::Answered(case.name, times));
            let warm = (self.count(case.function, many)? - self.count(case.function, few)?) / (times - FEW) as u64;
            costs.insert(format!("{}: warm answer ({})", case.function, case.name), warm);
            let first = self.count(case.function, Stage::Answered(case.name, 1))?;
            costs.insert(format!("{}: init and first answer ({})", case.function, case.name), first);
        }
        Ok(costs)
    }

    fn figures(&self) -> Result<Vec<Figure>> {
        let cases = cases()?;
        let mut figures = Vec::new();
        for function in RECEIVERS.into_iter().filter(|function| self.built.contains_key(function)) {
            figures.extend(self.of_receiver(function, cases.iter().filter(|case| case.function == function))?);
        }
        figures.extend(self.told_apart(cases.iter().filter(|case| case.function == API))?);
        figures.extend(self.sizes()?);
        Ok(figures)
    }

    /// What a start and an answer of a receiver cost, beside hello's.
    fn of_receiver<'a>(&self, function: &'static str, cases: impl Iterator<Item = &'a Case>) -> Result<Vec<Figure>> {
        let figure = |what: &str, value, unit, gate| Figure::new(function, what, value, unit, gate);
        let hello = float(self.count("hello", Stage::Init)?);
        let unwarmed = float(self.count(function, Stage::InitUnwarmed)?);
        let init = float(self.count(function, Stage::Init)?);
        let note = format!("{} / {}", million(unwarmed), million(hello));
        let mut figures = vec![figure("init without warming", unwarmed / hello, Unit::Ratio, (6.0, 4.0)).noted(note)];
        for case in cases {
            if case.queues {
                let both = float(self.count(function, Stage::Answered(case.name, 1))?);
                let name = format!("first answer with TLS and SQS ({})", case.name);
                figures.push(figure(&name, (both - init) / 1e6, Unit::Million, (1.0, 0.7)));
                let note = format!("init warmed {}", million(init));
                figures.push(figure("init and first answer", both / 1e6, Unit::Million, (7.0, 4.0)).noted(note));
            }
            let (ours, theirs) = (self.warm(function, case.name)?, self.warm("hello", case.name)?);
            let (with, gate) = if case.queues { ("with", (3.5, 2.5)) } else { ("without", (1.3, 1.15)) };
            let note = format!("{} / {}", million(ours), million(theirs));
            figures.push(figure(&format!("warm answer {with} SQS ({})", case.name), ours / theirs, Unit::Ratio, gate).noted(note));
        }
        let peak = self.memory.get(function).copied().unwrap_or_default();
        let note = format!("after {MEMORY} requests");
        figures.push(figure("peak memory", float(peak) / 1e6, Unit::Megabytes, (10.0, 7.0)).noted(note));
        Ok(figures)
    }

    /// By how much keys that are refused for different reasons differ in what refusing them costs.
    fn told_apart<'a>(&self, cases: impl Iterator<Item = &'a Case>) -> Result<Option<Figure>> {
        if !self.built.contains_key(API) {
            return Ok(None);
        }
        let refused: Vec<(&str, f64)> = cases.map(|case| Ok((case.name, self.warm(API, case.name)?))).collect::<Result<_>>()?;
        let (least, most) = refused.iter().fold((f64::MAX, 0.0_f64), |(least, most), (_, count)| (least.min(*count), most.max(*count)));
        let note: Vec<String> = refused.iter().map(|(name, count)| format!("{name} {}", million(*count))).collect();
        let apart = (most - least) / least * 100.0;
        Ok(Some(Figure::new(API, "what tells refused keys apart", apart, Unit::Percent, (1.0, 0.1)).noted(note.join(", "))))
    }

    fn sizes(&self) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for (package, binary) in self.built.iter().filter(|(package, _)| **package != "hello") {
            let gate = if RECEIVERS.contains(package) { (6.0, 4.5) } else { (8.0, 6.5) };
            let mut figure = |what: &str, path: &Path, note: &str| {
                let size = std::fs::metadata(path)?.len();
                figures.push(Figure::new(package, what, float(size) / 1e6, Unit::Megabytes, gate).noted(note.to_owned()));
                anyhow::Ok(())
            };
            figure("size of the binary", binary, "")?;
            if let Some(bootstrap) = binaries::bootstrap(package) {
                figure("size of the bootstrap", &bootstrap, "as sam build made it")?;
            }
        }
        Ok(figures)
    }

    fn counted(&self) -> String {
        let rows = self.counts.iter().map(|((function, stage), counts)| {
            let (least, most) = agreed(counts).unwrap_or_default();
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

/// The two counts that are nearest to each other, the smaller first, where they are near enough.
fn agreed(counts: &[u64]) -> Option<(u64, u64)> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let pairs = sorted.iter().zip(sorted.get(1..)?).map(|(less, more)| (*less, *more));
    let nearest = pairs.min_by_key(|(less, more)| more - less)?;
    (float(nearest.1 - nearest.0) <= APART * float(nearest.0)).then_some(nearest)
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

/// How often a warm function answers in the longer of two runs.
fn many(function: &str) -> usize {
    if function == API { MANY_REFUSED } else { MANY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_count_does_not_stand() {
        assert_eq!(agreed(&[8_500_000, 9_788_000]), None);
        assert_eq!(agreed(&[8_500_000, 9_788_000, 9_780_000]), Some((9_780_000, 9_788_000)));
        assert_eq!(agreed(&[7]), None);
    }
}
