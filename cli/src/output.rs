//! How things are said: what was asked for on standard output, as a table or as JSON; the rest on standard error. Colour only on a terminal, and never under `NO_COLOR`.

use std::io::IsTerminal;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use comfy_table::{ContentArrangement, Table, TableStyle};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// How it is said.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Output {
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What is not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What somebody should look at.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What is less important.
pub(crate) const FAINT: Style = Style::new().dimmed();

impl Output {
    /// Prints a value: as JSON where that was asked for, else as `text` says.
    pub(crate) fn print(self, value: &impl Serialize, text: impl FnOnce()) -> anyhow::Result<()> {
        if self.json {
            anstream::println!("{}", serde_json::to_string_pretty(value)?);
        } else {
            text();
        }
        Ok(())
    }

    /// Says on standard error what is being waited for, until it is dropped; nothing where standard error is no terminal.
    pub(crate) fn waiting(self, what: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        bar.set_style(ProgressStyle::default_spinner());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// Says something on standard error, beside what was asked for.
pub(crate) fn note(text: impl std::fmt::Display) {
    anstream::eprintln!("tocsin: {text}");
}

/// A table without lines, as wide as the terminal.
pub(crate) fn table<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    table
}
