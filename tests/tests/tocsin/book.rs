//! The book: what a page says can be followed, typed and pasted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};
use std::{env, fs};

use jiff::Timestamp;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;
use shared::domain::configuration;
use shared::intake::{self, Message, Reading};
use tests::paths;
use yaml_rust2::{Yaml, YamlLoader};

/// A page, and what stands on it.
struct Page {
    /// From the repository's root.
    path: PathBuf,
    links: Vec<String>,
    /// What a link may lead to within it.
    anchors: BTreeSet<String>,
    /// Fenced blocks: what they are of, and their text.
    blocks: Vec<(String, String)>,
    /// What stands in backticks within sentences.
    spans: Vec<String>,
}

impl Page {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(paths::repository().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut page = Self { path: path.to_owned(), links: Vec::new(), anchors: BTreeSet::new(), blocks: Vec::new(), spans: Vec::new() };
        let (mut heading, mut block): (Option<String>, Option<(String, String)>) = (None, None);
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => page.links.push(dest_url.to_string()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.anchor(&heading.take().unwrap_or_default()),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(sort))) => block = Some((sort.to_string(), String::new())),
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Text(text) => {
                    if let Some((_, block)) = &mut block {
                        block.push_str(&text);
                    } else if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    page.spans.push(code.to_string());
                }
                _ => {}
            }
        }
        page
    }

    /// As mdBook and GitHub both make it; of two alike the second has a number.
    fn anchor(&mut self, heading: &str) {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_') || letter.is_whitespace());
        let id: String = kept.map(|letter| if letter.is_whitespace() { '-' } else { letter }).collect();
        let mut number = 0;
        let mut unique = id.clone();
        while !self.anchors.insert(unique) {
            number += 1;
            unique = format!("{id}-{number}");
        }
    }

    fn blocks_of(&self, sort: &str) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter(move |(of, _)| of == sort).map(|(_, text)| text.as_str())
    }

    /// Lines that somebody types: of blocks, and what a sentence quotes.
    fn lines(&self) -> Vec<String> {
        let blocks = self.blocks.iter().filter(|(sort, _)| sort == "sh").flat_map(|(_, text)| {
            let whole = text.replace("\\\n", " ");
            whole.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        blocks.chain(self.spans.iter().cloned()).collect()
    }
}

/// The pages of docs/, and those beside it that people read first.
fn pages() -> Vec<Page> {
    let docs = fs::read_dir(paths::repository().join("docs")).expect("docs");
    let mut names: Vec<PathBuf> = docs.flatten().map(|entry| Path::new("docs").join(entry.file_name())).collect();
    names.retain(|name| name.extension().is_some_and(|ends| ends == "md"));
    names.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(PathBuf::from));
    names.sort();
    names.iter().map(|name| Page::read(name)).collect()
}

/// `docs/../infra/key.yaml` is `infra/key.yaml`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = plain.pop(),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Fails with all of them, where there are any.
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut wrong = Vec::new();
    let mut followed = 0;
    for page in &pages {
        for link in page.links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            followed += 1;
            let (file, anchor) = link.split_once('#').map_or((link.as_str(), None), |(file, anchor)| (file, Some(anchor)));
            let folder = page.path.parent().unwrap_or(Path::new(""));
            let target = if file.is_empty() { page.path.clone() } else { plain(&folder.join(file)) };
            if !paths::repository().join(&target).exists() {
                wrong.push(format!("{}: {link}: there is no {}", page.path.display(), target.display()));
                continue;
            }
            let Some(anchor) = anchor else { continue };
            let there =
                pages.iter().find(|page| page.path == target).map_or_else(|| Page::read(&target).anchors, |page| page.anchors.clone());
            if !there.contains(anchor) {
                wrong.push(format!("{}: {link}: there is no such heading; there is {there:?}", page.path.display()));
            }
        }
    }
    assert!(followed > 50, "the pages were read wrongly: {followed}");
    none(&wrong);
}

#[test]
fn the_summary_names_every_page_once() {
    let summary = Page::read(Path::new("docs/SUMMARY.md"));
    let named: Vec<PathBuf> = summary.links.iter().map(|link| plain(&Path::new("docs").join(link))).collect();
    let once: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(once.len(), named.len(), "{named:?}");
    let pages: BTreeSet<_> =
        pages().into_iter().map(|page| page.path).filter(|path| path.starts_with("docs") && !path.ends_with("SUMMARY.md")).collect();
    let forgotten: Vec<_> = pages.difference(&once).collect();
    assert!(forgotten.is_empty(), "SUMMARY.md forgets {forgotten:?}");
}

#[test]
fn every_make_that_a_page_names_is_there() {
    let makefile = fs::read_to_string(paths::repository().join("Makefile")).expect("Makefile");
    let known: BTreeSet<&str> = makefile.lines().filter_map(|line| line.split_once(": ##").map(|(name, _)| name)).collect();
    let mut wrong = Vec::new();
    let mut named = BTreeSet::new();
    for page in pages() {
        for line in page.lines() {
            // `make -s test-env`, `make bench ARGS=intake`
            let Some((_, rest)) = line.split_once("make ").filter(|(before, _)| before.is_empty() || before.ends_with('(')) else {
                continue;
            };
            let name = rest.split_whitespace().find(|word| !word.starts_with('-')).unwrap_or_default();
            let name = name.trim_end_matches([')', '"', ';']);
            named.insert(name.to_owned());
            if !known.contains(name) {
                wrong.push(format!("{}: make {name}", page.path.display()));
            }
        }
    }
    assert!(named.len() > 5, "the pages were read wrongly: {named:?}");
    none(&wrong);
}

#[test]
fn every_example_of_a_configuration_is_one_that_is_read() {
    let mut read = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for document in page.blocks_of("toml") {
            read += 1;
            for mistake in configuration::read(document).err().unwrap_or_default() {
                wrong.push(format!("{}: {mistake}, in\n{document}", page.path.display()));
            }
        }
    }
    assert!(read >= 5, "the pages were read wrongly: {read}");
    none(&wrong);
}

/// What an example in JSON is.
fn wrong_with(example: &str) -> Option<String> {
    let value: Value = match serde_json::from_str(example) {
        Ok(value) => value,
        Err(error) => return Some(error.to_string()),
    };
    // A pattern of EventBridge.
    if let Some(types) = value["detail-type"].as_array() {
        let words = shared::domain::timeline::Heading::ALL.map(shared::domain::timeline::Heading::word);
        let known = |word: &str| words.iter().any(|known| known.replace('_', " ").eq_ignore_ascii_case(word));
        let unknown = types.iter().filter_map(Value::as_str).find(|one| !one.strip_prefix("Incident ").is_some_and(known));
        return unknown.map(|unknown| format!("nothing is told by the name of {unknown}"));
    }
    // The secret of the Slack app.
    if let Some(fields) = value.as_object().filter(|fields| fields.contains_key("signing_secret") || fields.contains_key("webhooks")) {
        let known = ["signing_secret", "bot_token", "client_id", "client_secret", "webhooks"];
        return fields.keys().find(|name| !known.contains(&name.as_str())).map(|name| format!("the secret has no {name}"));
    }
    // A message for the queue.
    let now = Timestamp::now();
    let message = Message { body: example, message_id: "m", attributes: &BTreeMap::new(), sent_at: now, now, watch: None };
    match intake::read(&message).reading {
        Reading::Intents(_) => {}
        Reading::Ignored(why) | Reading::Refused(why) | Reading::Partly { reason: why, .. } => return Some(why),
    }
    let schema = fs::read_to_string(paths::repository().join("infra/incident.schema.json")).expect("a schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema").validate(&value).err().map(|error| error.to_string())
}

#[test]
fn every_example_in_json_is_one_that_is_read() {
    let mut read = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for example in page.blocks_of("json") {
            read += 1;
            wrong.extend(wrong_with(example).map(|why| format!("{}: {why}, in\n{example}", page.path.display())));
        }
    }
    assert!(read > 3, "the pages were read wrongly: {read}");
    none(&wrong);
}

/// A template. A tag such as `!Ref` is passed over.
fn template(name: &str) -> Yaml {
    let text = fs::read_to_string(paths::repository().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    YamlLoader::load_from_str(&text).expect("YAML").into_iter().next().expect("a document")
}

#[test]
fn every_command_names_parameters_that_its_template_has() {
    let mut named = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for line in page.lines() {
            let Some((_, given)) = line.split_once("--parameter-overrides ") else { continue };
            let file = line.split_once("--template-file ").and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or("template.yaml");
            let template = template(file);
            for pair in given.split_whitespace().take_while(|word| !word.starts_with("--")) {
                let Some((name, _)) = pair.trim_matches(['\'', '"']).split_once('=') else { continue };
                named += 1;
                if template["Parameters"][name].is_badvalue() {
                    wrong.push(format!("{}: {file} has no parameter {name}", page.path.display()));
                }
            }
        }
    }
    assert!(named > 3, "the pages were read wrongly: {named}");
    none(&wrong);
}

/// For a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('*', "\\*").replace('|', "\\|").replace('<', "&lt;")
}

fn said(yaml: &Yaml) -> String {
    match yaml {
        Yaml::String(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

fn parameters(template: &Yaml) -> String {
    let mut text = String::new();
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_vec().expect("groups") {
        let label = group["Label"]["default"].as_str().expect("a label");
        _ = write!(text, "### {label}\n\n| Parameter | Default | What it is |\n|---|---|---|\n");
        for name in group["Parameters"].as_vec().expect("parameters").iter().filter_map(Yaml::as_str) {
            let parameter = &template["Parameters"][name];
            let allowed = match (parameter["AllowedValues"].as_vec(), &parameter["MinValue"], parameter["ConstraintDescription"].as_str()) {
                (Some(values), _, _) => {
                    format!("{}.", values.iter().map(|value| format!("`{}`", said(value))).collect::<Vec<_>>().join(", "))
                }
                (None, least @ Yaml::Integer(_), _) => format!("{} to {}.", said(least), said(&parameter["MaxValue"])),
                (None, _, Some(constraint)) => cell(constraint),
                (None, _, None) => panic!("{name} takes anything"),
            };
            let default = said(&parameter["Default"]);
            let default = if default.is_empty() { "nothing".to_owned() } else { format!("`{default}`") };
            let what = cell(parameter["Description"].as_str().expect("a description"));
            _ = writeln!(text, "| `{name}` | {default} | {what} Allowed: {allowed} |");
        }
        text.push('\n');
    }
    text
}

fn outputs(template: &Yaml) -> String {
    let mut text = String::from("| Output | What it is |\n|---|---|\n");
    for (name, output) in template["Outputs"].as_hash().expect("outputs") {
        _ = writeln!(text, "| `{}` | {} |", name.as_str().expect("a name"), cell(output["Description"].as_str().expect("a description")));
    }
    text
}

/// A resource of a statement, as one speaks of it.
fn resource(text: &str) -> String {
    if let Some((_, secrets)) = text.split_once(":secret:${AWS::StackName}/") {
        return format!("secrets `STACK/{secrets}`");
    }
    if text.ends_with("/index/by_workspace") {
        return "the index of `Table`".to_owned();
    }
    if text == "*" {
        return "everything, since EC2 knows no narrower resource".to_owned();
    }
    format!("`{}`", text.trim_end_matches(".Arn").trim_end_matches(".Id"))
}

/// What a statement allows, a line for each; under a condition, with what it stands for.
fn allowed(statement: &Yaml, condition: &str, lines: &mut Vec<String>) {
    if let Some(parts) = statement.as_vec() {
        let condition = match parts[0].as_str().expect("a condition") {
            "HasKey" => " (with `KmsKeyArn`, by way of the services above)",
            "SendsMail" => " (with `FallbackEmail`)",
            "HasAlarmTopic" => " (with `AlarmTopicArn`)",
            "CallsFromNetwork" => " (with `CallerSubnetIds`)",
            other => panic!("{other} has no words"),
        };
        allowed(&parts[1], condition, lines);
        return allowed(&parts[2], "", lines);
    }
    // `AWS::NoValue`, of a condition that is not met.
    if statement.as_str().is_some() {
        return;
    }
    let texts = |yaml: &Yaml| match yaml {
        Yaml::Array(parts) => parts.iter().map(said).collect::<Vec<_>>(),
        one => vec![said(one)],
    };
    let actions: Vec<_> = texts(&statement["Action"]).iter().map(|action| format!("`{action}`")).collect();
    let on: Vec<_> = texts(&statement["Resource"]).iter().map(|text| resource(text)).collect();
    lines.push(format!("{} on {}{condition}", actions.join(", "), on.join(", ")));
}

fn rights(template: &Yaml) -> String {
    let mut text = String::new();
    for (_, function) in template["Resources"].as_hash().expect("resources") {
        if function["Type"].as_str() != Some("AWS::Serverless::Function") {
            continue;
        }
        let name = function["Properties"]["CodeUri"].as_str().and_then(|path| path.rsplit('/').next()).expect("a function");
        let role = function["Properties"]["Role"].as_str().expect("a role").trim_end_matches(".Arn");
        let mut lines = Vec::new();
        for statement in
            template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].as_vec().expect("statements")
        {
            allowed(statement, "", &mut lines);
        }
        // Every function writes its own log.
        lines.retain(|line| !line.starts_with("`logs:"));
        _ = write!(text, "**`{name}`**\n\n{}\n\n", lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"));
    }
    text
}

/// After a wanted change: `INSTA_UPDATE=always cargo test -p tests --test tocsin -- book::`, as for snapshots.
#[test]
fn what_stands_in_the_book_about_the_template_is_true() {
    let template = template("template.yaml");
    let update = env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    let told = [
        ("docs/deploy.md", "parameters", parameters(&template)),
        ("docs/deploy.md", "outputs", outputs(&template)),
        ("docs/security.md", "rights", rights(&template)),
    ];
    for (name, what, text) in told {
        let file = paths::repository().join(name);
        let page = fs::read_to_string(&file).expect("a page");
        let (begins, ends) = (format!("<!-- {what}: written by a test from template.yaml -->\n"), format!("<!-- end of {what} -->\n"));
        let parts = page.split_once(&begins).and_then(|(before, rest)| Some((before, rest.split_once(&ends)?)));
        let Some((before, (written, after))) = parts else { panic!("{name} has no place for {what}") };
        if update {
            fs::write(&file, format!("{before}{begins}\n{}\n\n{ends}{after}", text.trim())).expect("a page");
        } else {
            assert!(written.trim() == text.trim(), "{name} should say of the {what}:\n{text}");
        }
    }
}
