//! The reference of docs/commands.md, written from clap's definitions; and whether every command line of the book is one that this program takes.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::Arguments;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Outside of backticks, what a table or HTML would take for its own.
fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(number, part)| if number % 2 == 0 { part.replace('<', "&lt;").replace('*', "\\*") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`").replace('|', "\\|").replace('\n', " ")
}

/// With the full stop that clap takes away.
fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', ':', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// How an argument is written.
fn written(argument: &Arg) -> String {
    let names = argument.get_value_names().into_iter().flatten();
    let value = names.map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ");
    let takes = argument.get_action().takes_values();
    let optional = takes && argument.get_num_args().is_some_and(|range| range.min_values() == 0);
    let value = if optional { format!("[{value}]") } else { value };
    match (argument.get_long(), argument.get_short()) {
        (None, None) if argument.is_required_set() => value,
        (None, None) => format!("[{}]", value.trim_matches(['[', ']'])),
        (Some(long), short) => {
            let short = short.map(|short| format!("-{short}, ")).unwrap_or_default();
            let value = if takes { format!(" {value}") } else { String::new() };
            format!("{short}--{long}{value}")
        }
        (None, Some(short)) => format!("-{short}"),
    }
}

/// What an argument does, and what counts where it is not given.
fn told(argument: &Arg) -> String {
    let text = argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = sentence(&escaped(&text));
    let takes = argument.get_action().takes_values();
    let values: Vec<_> = argument.get_possible_values().into_iter().filter(|_| takes).collect();
    if !values.is_empty() {
        let one = |value: &clap::builder::PossibleValue| {
            let help = value.get_help().map(|help| format!(": {}", escaped(&help.to_string()).trim_end_matches('.'))).unwrap_or_default();
            format!("`{}`{help}", value.get_name())
        };
        _ = write!(text, " One of {}.", values.iter().map(one).collect::<Vec<_>>().join("; "));
    }
    let defaults: Vec<_> = argument.get_default_values().iter().filter(|_| takes).map(|value| format!("`{}`", value.display())).collect();
    if !defaults.is_empty() {
        _ = write!(text, " Default: {}.", defaults.join(", "));
    }
    if let Some(variable) = argument.get_env() {
        _ = write!(text, " Environment: `{}`.", variable.display());
    }
    text
}

/// What stands at the end of a command's help: examples as a block, the rest as it is.
fn end(help: &str) -> String {
    let mut text = String::new();
    let mut within = false;
    for line in help.lines() {
        let example = line.strip_prefix("  ");
        match (example, within) {
            (Some(_), false) => text.push_str("\n```sh\n"),
            (None, true) => text.push_str("```\n"),
            _ => {}
        }
        within = example.is_some();
        let line = example.map_or_else(|| escaped(line), str::to_owned);
        _ = writeln!(text, "{line}");
    }
    if within {
        text.push_str("```\n");
    }
    format!("{}\n", text.trim())
}

/// A command and all below it. `known` are the options that were told further up and count here, too.
fn section(text: &mut String, command: &Command, way: &str, level: usize, known: &[&str]) {
    let level = level.min(4);
    _ = write!(text, "{} {way}\n\n", "#".repeat(level));
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
    _ = write!(text, "{}\n\n", sentence(&about.lines().map(escaped).collect::<Vec<_>>().join("\n")));
    let is_leaf = !command.has_subcommands();
    if is_leaf {
        let usage = command.clone().bin_name(way).render_usage().to_string();
        _ = write!(text, "```text\n{}\n```\n\n", usage.trim_start_matches("Usage: "));
    }
    let arguments: Vec<_> =
        command.get_arguments().filter(|argument| !argument.is_hide_set() && !known.contains(&argument.get_id().as_str())).collect();
    if !arguments.is_empty() {
        text.push_str("| Argument | What it does |\n|---|---|\n");
        for argument in &arguments {
            _ = writeln!(text, "| `{}` | {} |", written(argument), told(argument));
        }
        text.push('\n');
    }
    // What counts for every command is said once, at the top.
    if let Some(help) = command.get_after_help().filter(|_| level > 2) {
        _ = writeln!(text, "{}", end(&help.to_string()));
    }
    let known: Vec<&str> = known.iter().copied().chain(arguments.iter().map(|argument| argument.get_id().as_str())).collect();
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        section(text, below, &format!("{way} {}", below.get_name()), level + 1, &known);
    }
}

fn reference() -> String {
    let mut text = String::new();
    section(&mut text, &Arguments::command(), "tocsin", 2, &["help", "version"]);
    text
}

/// After a wanted change: `INSTA_UPDATE=always cargo test -p tocsin`, as for snapshots.
#[test]
fn the_reference_of_the_commands_is_true() {
    const BEGINS: &str = "<!-- commands: written by a test from the program's own definitions -->\n";
    const ENDS: &str = "<!-- end of commands -->\n";
    let (file, reference) = (root().join("docs/commands.md"), reference());
    let page = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parts = page.split_once(BEGINS).and_then(|(before, rest)| Some((before, rest.split_once(ENDS)?)));
    let Some((before, (written, after))) = parts else { panic!("docs/commands.md has no place for the commands") };
    if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&file, format!("{before}{BEGINS}\n{reference}{ENDS}{after}")).unwrap_or_else(|error| panic!("{error}"));
        return;
    }
    assert!(written.trim() == reference.trim(), "docs/commands.md should say:\n{reference}");
}

/// A command line of this program that a page shows.
struct Line {
    page: String,
    words: Vec<String>,
    /// In a block it is whole; within a sentence it may only name a command.
    whole: bool,
}

/// The words of a shell's line, up to where the command ends.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '|' | ';' | '&' | '>' | '<' | ')') => break,
            (None, '#') if word.is_none() => break,
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Where `tocsin` stands as a command.
fn commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in script.lines() {
        for (at, _) in line.match_indices("tocsin ") {
            let before = line[..at].trim_end();
            if before.is_empty() || before.ends_with("$(") || before.ends_with('|') || before.ends_with("&&") {
                found.push(words(&line[at..]));
            }
        }
    }
    found
}

fn lines() -> Vec<Line> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "infra/connect/README.md"].map(|name| root().join(name)));
    pages.retain(|page| page.extension().is_some_and(|ends| ends == "md"));
    pages.sort();
    let mut lines = Vec::new();
    for page in pages {
        let name = page.file_name().unwrap_or_default().display().to_string();
        let mut add = |found: Vec<Vec<String>>, whole| {
            lines.extend(found.into_iter().map(|words| Line { page: name.clone(), words, whole }));
        };
        let mut script: Option<String> = None;
        for event in Parser::new_ext(&fs::read_to_string(&page).unwrap(), pulldown_cmark::Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(sort))) if matches!(&*sort, "sh" | "bash" | "yaml") => {
                    script = Some(String::new());
                }
                Event::Text(text) if script.is_some() => script.get_or_insert_default().push_str(&text),
                Event::End(TagEnd::CodeBlock) => add(commands(&script.take().unwrap_or_default()), true),
                Event::Code(code) if code.starts_with("tocsin ") => add(commands(&code), false),
                _ => {}
            }
        }
    }
    lines
}

#[test]
fn every_command_line_that_a_page_shows_is_one_that_the_program_takes() {
    let lines = lines();
    assert!(lines.len() > 30, "the pages were read wrongly: {}", lines.len());
    // `tocsin …` names the program, and no command.
    let named_at_all = |words: &[String]| words.get(1).is_some_and(|word| word != "…");
    let mut wrong = Vec::new();
    for Line { page, words, whole } in lines.into_iter().filter(|line| named_at_all(&line.words)) {
        let Err(error) = Arguments::command().try_get_matches_from(&words) else { continue };
        let named = [ErrorKind::MissingRequiredArgument, ErrorKind::MissingSubcommand, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
        let shown = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
        if shown.contains(&error.kind()) || !whole && named.contains(&error.kind()) {
            continue;
        }
        let why = error.to_string();
        wrong.push(format!("{page}: {}: {}", words.join(" "), why.lines().next().unwrap_or_default()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_is_found_wherever_a_shell_would_run_it() {
    let found = commands(
        "KEY=\"$(tocsin keys list --json)\" # tocsin no\nx | tocsin send - --wait && tocsin doctor\ntocsin send --title 'a b' \\\n  --severity P2 > out\n",
    );
    let found: Vec<_> = found.iter().map(|words| words.join("_")).collect();
    assert_eq!(found, ["tocsin_keys_list_--json", "tocsin_send_-_--wait", "tocsin_doctor", "tocsin_send_--title_a b_--severity_P2"]);
}
