//! How things are said: what was asked for on standard output, as a table or as JSON; the rest on standard error. Colour only on a terminal, and never under `NO_COLOR`.

use std::fmt;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use comfy_table::{ContentArrangement, Table, TableStyle};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use jiff::Timestamp;
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
        let bar = ProgressBar::new_spinner().with_message(what.to_owned()).with_finish(ProgressFinish::AndClear);
        bar.set_style(ProgressStyle::default_spinner());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// Says something on standard error, beside what was asked for.
pub(crate) fn note(text: impl std::fmt::Display) {
    anstream::eprintln!("tocsin: {text}");
}

/// An end that scripts tell from others by its number.
#[derive(Debug)]
pub(crate) struct Ends {
    /// With which number it ends.
    pub(crate) code: u8,
    /// Why, for people.
    pub(crate) why: String,
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Ends {}

/// Says why it is not done, and how that is told to whoever called.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    note(format_args!("{error:#}"));
    error.downcast_ref::<Ends>().map_or(ExitCode::FAILURE, |ends| ExitCode::from(ends.code))
}

/// Whether there is somebody at a terminal who can be asked.
pub(crate) fn is_attended() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks whoever is at the terminal. A program that runs this one has made up its mind, and so has whoever says `--yes`.
pub(crate) fn ask(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes || !is_attended() {
        return Ok(());
    }
    anstream::eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    anyhow::ensure!(matches!(answer.trim(), "y" | "Y" | "yes"), "nothing is changed, as you wish");
    Ok(())
}

/// Text that can do nothing to a terminal: what steers it is left out.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

/// How long ago something was, as one says it.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", shared::render::duration(now.duration_since(at).as_secs()))
}

/// A moment, on the one clock that everybody has.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// One of many, many of many.
pub(crate) fn several(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// A table without lines, as wide as the terminal.
pub(crate) fn table<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    table
}

/// A table without a head.
pub(crate) fn rows() -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// Prints a table at the left edge, with two spaces between its columns and none at the ends of its lines.
pub(crate) fn show(mut table: Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for line in table.lines() {
        anstream::println!("{}", line.trim_end());
    }
}
