//! `tocsin config`: a workspace's settings, one TOML document that is kept where code is kept.

mod apply;
mod check;
mod diff;
mod show;

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use shared::domain::configuration::{self, Configuration, Mistake};
use shared::domain::ids::Workspace;

use crate::deployment::{Deployment, Stack, workspace};
use crate::output::{BAD, FAINT, Output, several};

/// Check a workspace's settings, compare them with what is in force, and put them in force.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Arguments),
    Diff(diff::Arguments),
    Apply(apply::Arguments),
    Show(show::Arguments),
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { stack, command } = arguments;
    match command {
        Command::Check(arguments) => check::run(&arguments, output),
        Command::Diff(arguments) => diff::run(&Deployment::read(&stack).await?, &arguments, output).await,
        Command::Apply(arguments) => apply::run(&Deployment::read(&stack).await?, &arguments, output).await,
        Command::Show(arguments) => show::run(&Deployment::read(&stack).await?, &arguments, output).await,
    }
}

/// Whose settings.
#[derive(Debug, clap::Args)]
struct Whose {
    /// The workspace, T… or E…; without it, the one that the deployment is for.
    #[arg(long, value_name = "T…", value_parser = workspace)]
    workspace: Option<Workspace>,
}

/// What is in force somewhere.
struct Settings {
    workspace: Workspace,
    /// As it was written; `None`: nothing was, and the defaults count.
    document: Option<String>,
}

impl Settings {
    async fn read(deployment: &Deployment, whose: &Whose) -> Result<Self> {
        let workspace = deployment.workspace(whose.workspace.as_ref()).await?;
        let document = deployment.store()?.configuration(&workspace).await.context("the table cannot be read")?;
        Ok(Self { workspace, document })
    }

    fn text(&self) -> &str {
        self.document.as_deref().unwrap_or_default()
    }
}

/// A document that somebody keeps.
struct Document {
    name: String,
    text: String,
}

impl Document {
    fn read(path: &Path) -> Result<Self> {
        let is_input = path == Path::new("-");
        let name = if is_input { "standard input".to_owned() } else { path.display().to_string() };
        let mut bytes = Vec::new();
        let read = if is_input { std::io::stdin().read_to_end(&mut bytes).map(|_| bytes) } else { std::fs::read(path) };
        let read = read.with_context(|| format!("{name} cannot be read"))?;
        let Ok(text) = String::from_utf8(read) else { bail!("{name} is no text in UTF-8") };
        Ok(Self { name, text })
    }

    /// The settings that it comes to; else every mistake is told on standard error.
    fn settings(&self) -> Result<Configuration> {
        configuration::read(&self.text).map_err(|mistakes| {
            anstream::eprint!("{}", self.told(&mistakes));
            anyhow::anyhow!("{}: nothing is changed", self.sum(&mistakes))
        })
    }

    fn sum(&self, mistakes: &[Mistake]) -> String {
        format!("{} has {}", self.name, several(mistakes.len(), "mistake", "mistakes"))
    }

    /// `tocsin.toml:3:1: what`, and the line with a mark under the place.
    fn told(&self, mistakes: &[Mistake]) -> String {
        let mut told = String::new();
        for Mistake { line, column, key, what } in mistakes {
            let key = if key.is_empty() { String::new() } else { format!("`{key}`: ") };
            // Writing into a text cannot fail.
            _ = writeln!(told, "{}:{line}:{column}: {BAD}{key}{BAD:#}{what}", self.name);
            let Some(text) = self.text.lines().nth(line.saturating_sub(1)) else { continue };
            // A tab is as wide in the mark's line as in the text's.
            let before: String =
                text.chars().take(column.saturating_sub(1)).map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
            _ = writeln!(told, "{FAINT}{line:>5} |{FAINT:#} {text}\n{FAINT}      |{FAINT:#} {before}{BAD}^{BAD:#}");
        }
        told
    }
}

/// A document on the command line.
#[derive(Debug, clap::Args)]
struct File {
    /// The document; `-` is standard input.
    file: PathBuf,
}

impl File {
    fn read(&self) -> Result<Document> {
        let document = Document::read(&self.file)?;
        ensure!(document.text.len() <= MOST, "{} has {} bytes, and there is room for {MOST}", document.name, document.text.len());
        Ok(document)
    }
}

/// The table takes 400 KB in one item, <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.
const MOST: usize = 390 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_line_and_a_mark_under_its_place() {
        let document = Document { name: "tocsin.toml".to_owned(), text: "thread = true\n[notify]\n\tleast = \"P9\"\n".to_owned() };
        let mistakes = configuration::read(&document.text).unwrap_err();
        let told = anstream::adapter::strip_str(&document.told(&mistakes)).to_string();
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].starts_with("tocsin.toml:3:11: `notify.least`: `P9` is no severity"), "{told}");
        assert_eq!(lines[1..], ["    3 | \tleast = \"P9\"", "      | \t         ^"], "{told}");
        assert_eq!(document.sum(&mistakes), "tocsin.toml has 1 mistake");
    }
}
