//! What every source makes of its samples: whose each is, what its card shows, and the table of all of it that people read.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use super::*;
use crate::domain::configuration::Configuration;
use crate::domain::ids::{Channel, IncidentId, Workspace};
use crate::domain::incident::Incident;
use crate::domain::intent::{Action, Actor, Target};
use crate::domain::settings::Settings;
use crate::domain::severity::Severity;
use crate::domain::sources::{WORDS, word};
use crate::intake::envelope;
use crate::intake::event::Content;
use crate::intake::tests::{files, message, path};
use crate::intake::{Reading, read as read_message};
use crate::render::card;

/// Sources that are no one's events: our own schema, and what sets up connections.
const OURS: [&str; 2] = ["own", "control"];

/// How many samples of our own each source has at least.
const SAMPLES: usize = 3;

/// A sample file.
struct Sample {
    /// From `events` or `tests/samples/aws` on.
    name: String,
    body: String,
}

impl Sample {
    fn events(&self) -> Vec<Event> {
        envelope::open(&message(&self.body, "m-1")).into_iter().flatten().collect()
    }

    fn is_of(&self, source: &Source) -> bool {
        self.events().iter().any(|event| source.knows(event))
    }
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for folder in ["events", "tests/samples/aws"] {
        for file in files(&path(folder)) {
            let name = file.strip_prefix(path(folder)).unwrap_or(&file).display().to_string();
            if file.extension().is_none_or(|kind| kind != "md") {
                let body = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
                samples.push(Sample { name, body });
            }
        }
    }
    samples
}

/// The sources that AWS and others are.
fn sources() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| !OURS.contains(&source.word))
}

#[test]
fn no_source_takes_what_is_anothers() {
    for sample in samples() {
        for event in sample.events() {
            let words: Vec<&str> = SOURCES.iter().filter(|source| source.knows(&event)).map(|source| source.word).collect();
            assert!(words.len() < 2, "{} is taken by {words:?}", sample.name);
        }
    }
    let mut seen = BTreeSet::new();
    for source in SOURCES {
        for shape in source.shapes {
            if let Bridge(service, types) = shape {
                for kind in *types {
                    assert!(seen.insert((service, kind)), "{kind} of {service} stands in the table twice");
                }
            }
        }
    }
}

#[test]
fn every_source_can_be_configured_by_its_word() {
    let mut words: Vec<&str> = sources().map(|source| source.word).collect();
    words.sort_unstable();
    assert_eq!(WORDS, words, "domain::sources::WORDS has to name them all");
    for source in SOURCES.iter().filter(|source| source.word != "control" && source.word != "own") {
        assert_eq!(word(source.name), source.word, "{} is not called by its word", source.name);
    }
}

#[test]
fn every_source_has_samples_under_its_own_name_and_reads_them_itself() {
    let samples = samples();
    for source in sources() {
        let mine: Vec<&Sample> = samples.iter().filter(|sample| sample.name.starts_with(&format!("{}-", source.word))).collect();
        assert!(mine.len() >= SAMPLES, "{} has {} samples", source.word, mine.len());
        for sample in mine {
            let read = read_message(&message(&sample.body, "m-1"));
            assert!(read.sources.iter().all(|word| *word == source.word), "{} is read by {:?}", sample.name, read.sources);
        }
    }
}

/// An event without one of its fields, for each of them.
fn halves(event: &Event) -> Vec<Event> {
    let Some(object) = event.object() else { return Vec::new() };
    let without = |name: &String| {
        let mut object = object.clone();
        object.remove(name);
        Event {
            content: Content::Object(object),
            bridge: event.bridge.clone(),
            sns: event.sns.clone(),
            attributes: event.attributes.clone(),
            place: event.place.clone(),
            sent_at: event.sent_at,
            now: event.now,
        }
    };
    object.keys().map(without).collect()
}

#[test]
fn what_is_half_missing_is_read_by_its_source_or_as_any_other_and_never_lost() {
    let mut tried = 0;
    for sample in samples() {
        for event in sample.events().iter().filter(|event| sources().any(|source| source.knows(event))) {
            for half in halves(event) {
                tried += 1;
                match read(&half) {
                    (_, Verdict::Intents(intents)) => {
                        let titled = |intent: &Intent| !matches!(&intent.action, Action::Create(changes) if changes.title.is_none());
                        assert!(intents.iter().all(titled), "{}: a card without a title", sample.name);
                    }
                    (_, Verdict::Ignored(why)) => assert!(!why.is_empty(), "{}", sample.name),
                    (word, Verdict::Refused(reason)) => panic!("{}: {word} refuses it: {reason}", sample.name),
                }
            }
        }
    }
    assert!(tried > 2_000, "{tried}");
}

/// What comes of a sample, with the card that shows it, as text.
fn shown(sample: &Sample) -> String {
    let mut text = format!("━━ {}\n", sample.name);
    let intents = match read_message(&message(&sample.body, "m-1")).reading {
        Reading::Intents(intents) | Reading::Partly { intents, .. } => intents,
        Reading::Ignored(why) => return format!("{text}ignored: {why}\n"),
        Reading::Refused(reason) => return format!("{text}refused: {reason}\n"),
    };
    for intent in intents {
        let key = match &intent.target {
            Target::Key(key) => key.as_str(),
            _ => "nothing: it is one of its own",
        };
        let by = match &intent.by {
            Actor::Source(name) => name,
            Actor::User(_) => "somebody",
        };
        writeln!(text, "{} by {by} at {}, known by {key}", intent.action.name(), intent.at).unwrap_or_default();
        match &intent.action {
            Action::Create(_) => {
                let expected = Incident::expected(Workspace::new("T0TOCSIN"), IncidentId::new("INC-7K3QPF"), None);
                let effect = expected.apply(&intent, &Settings::of(Channel::new("#incidents"), intent.at));
                let incident = effect.unwrap_or_else(|refusal| panic!("{}: {refusal}", sample.name)).incident;
                let card = serde_json::to_value(card(&incident, &Configuration::default())).unwrap_or_default();
                text.push_str(&seen(&card));
            }
            Action::Resolve(closing) => writeln!(text, "{}", closing.note.as_deref().unwrap_or_default()).unwrap_or_default(),
            other => writeln!(text, "{other:?}").unwrap_or_default(),
        }
    }
    text
}

/// What a person sees of a message, without its buttons that act.
fn seen(message: &Value) -> String {
    let mut text = String::new();
    let attached = message.pointer("/attachments/0/blocks").and_then(Value::as_array).into_iter().flatten();
    for block in message.get("blocks").and_then(Value::as_array).into_iter().flatten().chain(attached) {
        let said = |value: &Value| value.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
        let lines: Vec<String> = match block.get("type").and_then(Value::as_str) {
            Some("header") => vec![format!("# {}", block.get("text").map(said).unwrap_or_default())],
            Some("actions") => {
                let elements = block.get("elements").and_then(Value::as_array).into_iter().flatten();
                let link = |element: &Value| Some(format!("[{}] {}", said(element.get("text")?), element.get("url")?.as_str()?));
                elements.filter_map(link).collect()
            }
            _ => {
                let fields = block.get("fields").or_else(|| block.get("elements")).and_then(Value::as_array).into_iter().flatten();
                block.get("text").into_iter().chain(fields).map(said).collect()
            }
        };
        for line in lines.iter().flat_map(|line| line.lines()) {
            writeln!(text, "  {line}").unwrap_or_default();
        }
    }
    text
}

#[test]
fn the_cards_of_every_source_are_as_they_were() {
    let samples = samples();
    for source in sources() {
        let all: Vec<String> = samples.iter().filter(|sample| sample.is_of(source)).map(shown).collect();
        assert_snapshot!(source.word, all.join("\n"));
    }
}

/// A row of the table that people read.
#[derive(Default)]
struct Row {
    samples: usize,
    outcomes: BTreeMap<&'static str, usize>,
    severities: BTreeSet<&'static str>,
    links: BTreeSet<String>,
    progresses: bool,
}

impl Row {
    fn of(source: &Source, samples: &[Sample]) -> Self {
        let mut row = Self::default();
        for sample in samples.iter().filter(|sample| sample.is_of(source)) {
            row.samples += 1;
            match read_message(&message(&sample.body, "m-1")).reading {
                Reading::Intents(intents) | Reading::Partly { intents, .. } => intents.iter().for_each(|intent| row.count(intent)),
                Reading::Ignored(_) => *row.outcomes.entry("ignored").or_default() += 1,
                Reading::Refused(_) => *row.outcomes.entry("refused").or_default() += 1,
            }
        }
        row
    }

    fn count(&mut self, intent: &Intent) {
        let Action::Create(changes) = &intent.action else {
            let outcome = if matches!(intent.action, Action::Resolve(_)) { "resolves" } else { "note" };
            *self.outcomes.entry(outcome).or_default() += 1;
            return;
        };
        let outcome = if changes.is_notice() { "notice" } else { "card" };
        *self.outcomes.entry(outcome).or_default() += 1;
        self.severities.extend(changes.severity.map(Severity::as_str));
        self.links.extend(changes.url.as_ref().map(|_| "View".to_owned()));
        self.links.extend(changes.links.iter().flatten().map(|link| link.label.clone()));
        self.progresses |= changes.deployment.is_some();
    }
}

/// docs/sources.md, from the table and the samples.
fn table() -> String {
    let samples = samples();
    let mut table = String::from(
        "# Sources\n\n\
         What may be dropped on the incidents queue, in any envelope, and what becomes of it. Written by a test from the table of sources and their samples in\n\
         [events/](../events/README.md) and tests/samples/aws; how each card looks stands in shared/src/intake/sources/snapshots. The word is what `[sources.WORD]` and\n\
         `match = { kind = \"WORD\" }` in a workspace's configuration call it; what progresses is of the kind `deployment` or `workflow`.\n\n\
         | source | word | samples | outcomes of the samples | severities | links | recovers | progresses |\n|---|---|---|---|---|---|---|---|\n",
    );
    for source in sources() {
        let row = Row::of(source, &samples);
        let outcomes: Vec<String> = row.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let joined = |all: Vec<&str>| if all.is_empty() { "–".to_owned() } else { all.join(", ") };
        let severities = joined(row.severities.iter().copied().collect());
        let links = joined(row.links.iter().map(String::as_str).collect());
        let recovers = if row.outcomes.contains_key("resolves") { "yes" } else { "–" };
        let progresses = if row.progresses { "yes" } else { "–" };
        let (name, word, count) = (source.name, source.word, row.samples);
        let outcomes = outcomes.join(", ");
        writeln!(table, "| {name} | `{word}` | {count} | {outcomes} | {severities} | {links} | {recovers} | {progresses} |")
            .unwrap_or_default();
    }
    table
}

/// After a wanted change: `INSTA_UPDATE=always cargo test -p shared --all-features`, as for snapshots.
#[test]
fn the_table_of_sources_that_people_read_is_true() {
    let (file, table) = (path("docs/sources.md"), table());
    if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&file, &table).unwrap_or_else(|error| panic!("{error}"));
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(written == table, "docs/sources.md should be:\n{table}");
}
