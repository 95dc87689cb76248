//! `tocsin config diff FILE`

use anyhow::Result;
use serde_json::{Value, json};
use shared::domain::configuration::{self, Configuration};
use similar::{Change, ChangeTag, TextDiff};

use super::{Document, File, Settings, Whose};
use crate::deployment::Deployment;
use crate::output::{BAD, Ends, FAINT, GOOD, Output, note};

/// How many lines around a difference are shown.
const AROUND: usize = 3;

/// With what it ends where something is different and `--exit-code` asked for that: 1 is for what failed, so that a pipeline tells one from the other.
const DIFFERENT: u8 = 3;

/// Show what would be different, line by line.
///
/// From what is in force to the document. Where only comments or spelling are different, that is said.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 it is done, whether anything is different or not; 1 it is not, for a mistake in the document among others; 2 the command was not understood; 3 something is different, with --exit-code."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    whose: Whose,
    /// End with 3 where anything is different.
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(deployment: &Deployment, arguments: &Arguments, output: Output) -> Result<()> {
    let document = arguments.file.read()?;
    let wanted = document.settings()?;
    let settings = Settings::read(deployment, &arguments.whose).await?;
    let difference = Difference::between(&settings, &document);
    output.print(&difference.json(), || difference.print())?;
    difference.remark(&wanted);
    if difference.is_any() && arguments.exit_code {
        let why = format!("{} is not what is in force for {}", document.name, settings.workspace);
        return Err(Ends { code: DIFFERENT, why }.into());
    }
    Ok(())
}

/// What is different between what is in force and a document.
pub(super) struct Difference<'d> {
    settings: &'d Settings,
    document: &'d Document,
    diff: TextDiff<'d, 'd, str>,
}

impl<'d> Difference<'d> {
    pub(super) fn between(settings: &'d Settings, document: &'d Document) -> Self {
        Self { settings, document, diff: TextDiff::from_lines(settings.text(), document.text.as_str()) }
    }

    /// The lines that are different, for programs.
    pub(super) fn json(&self) -> Value {
        let line = |change: Change<&str>| {
            let text = without_end(change.value());
            let number = |index: Option<usize>| index.map(|index| index + 1);
            match change.tag() {
                ChangeTag::Equal => None,
                ChangeTag::Delete => Some(json!({ "removed": text, "line": number(change.old_index()) })),
                ChangeTag::Insert => Some(json!({ "added": text, "line": number(change.new_index()) })),
            }
        };
        let lines: Vec<Value> = self.diff.iter_all_changes().filter_map(line).collect();
        json!({ "workspace": self.settings.workspace, "differs": self.is_any(), "lines": lines })
    }

    /// Whether anything is.
    pub(super) fn is_any(&self) -> bool {
        self.settings.document.as_deref() != Some(self.document.text.as_str())
    }

    /// Says what the lines alone do not: that there is nothing to see, or that it means nothing.
    pub(super) fn remark(&self, wanted: &Configuration) {
        let Settings { workspace, document } = self.settings;
        if !self.is_any() {
            note(format_args!("{} is what is in force for {workspace}", self.document.name));
        // A document that cannot be read has no meaning that could be the same.
        } else if document.is_some() && configuration::read(self.settings.text()).is_ok_and(|known| known == *wanted) {
            note("the settings stay as they are: only how they are written is different");
        }
    }

    /// Shows it as other tools show such things.
    pub(super) fn print(&self) {
        let Settings { workspace, document } = self.settings;
        if !self.is_any() {
            return;
        }
        let before = if document.is_some() { "in force" } else { "nothing yet: the defaults" };
        anstream::println!("{BAD}--- {workspace}, {before}{BAD:#}\n{GOOD}+++ {}{GOOD:#}", self.document.name);
        for hunk in self.diff.unified_diff().context_radius(AROUND).iter_hunks() {
            anstream::println!("{FAINT}{}{FAINT:#}", hunk.header());
            for change in hunk.iter_changes() {
                let text = without_end(change.value());
                match change.tag() {
                    ChangeTag::Equal => anstream::println!(" {text}"),
                    ChangeTag::Delete => anstream::println!("{BAD}-{text}{BAD:#}"),
                    ChangeTag::Insert => anstream::println!("{GOOD}+{text}{GOOD:#}"),
                }
                if change.missing_newline() {
                    anstream::println!("{FAINT}\\ no new line after this{FAINT:#}");
                }
            }
        }
    }
}

fn without_end(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}
