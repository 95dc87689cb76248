//! `tocsin incidents list`

use std::cmp::Reverse;

use anyhow::{Context, Result};
use comfy_table::{Cell, Color, ColumnConstraint, Width};
use jiff::Timestamp;
use shared::domain::ids::Workspace;
use shared::domain::incident::{State, Summary};
use shared::domain::severity::Severity;
use shared::render::duration;
use shared::store::Store;

use super::{holder, state};
use crate::output::{Output, note, show, table};

/// So many of each sort are listed.
const MOST: usize = 1_000;

/// In fewer columns than this a title would be a tower.
const NARROW: u16 = 76;

/// The longest word for a state, and the space behind it.
const STATE: u16 = 14;

/// List what is open, the worst first.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Also what is resolved.
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(store: &Store, workspace: &Workspace, arguments: &Arguments, output: Output) -> Result<()> {
    let waiting = output.waiting("reading incidents");
    let mut found = store.open(workspace, MOST).await.context("the table cannot be read")?;
    let mut more = found.len() == MOST;
    if arguments.all {
        let resolved = store.resolved(workspace, MOST).await.context("the table cannot be read")?;
        more |= resolved.len() == MOST;
        found.extend(resolved);
    }
    drop(waiting);
    found.sort_by_key(|summary| (summary.state == State::Resolved, summary.severity.rank(), Reverse(summary.started)));
    output.print(&found, || {
        if !found.is_empty() {
            print(&found);
        }
    })?;
    if found.is_empty() && !arguments.all {
        note(format_args!("nothing is open in {workspace}; --all shows what is resolved too"));
    } else if found.is_empty() {
        note(format_args!("there are no incidents in {workspace}"));
    }
    if more {
        note(format_args!("there are more than {MOST}; these are some of them"));
    }
    Ok(())
}

fn print(found: &[Summary]) {
    let now = Timestamp::now();
    let mut table = table(["id", "sev", "state", "age", "service", "title"]);
    // Where there is no room for both, the title has it, and begins with the service.
    let narrow = table.width().is_some_and(|width| width < NARROW);
    if narrow {
        table.set_header(["id", "sev", "state", "age", "title"]);
    }
    for summary in found {
        let by = summary.holder.as_ref().map(|by| format!(" by {}", holder(by))).unwrap_or_default();
        let times = if summary.count > 1 { format!(" (×{})", summary.count) } else { String::new() };
        let service = summary.service.as_deref();
        let before = service.filter(|_| narrow).map(|service| format!("{service}: ")).unwrap_or_default();
        let mut cells = vec![
            Cell::new(&summary.id),
            Cell::new(summary.severity).fg(colour(summary.severity)),
            Cell::new(format!("{}{by}", state(summary.state))),
            Cell::new(duration(now.duration_since(summary.started).as_secs())),
            Cell::new(format!("{before}{}{times}", summary.title)),
        ];
        if !narrow {
            cells.insert(4, Cell::new(service.unwrap_or("–")));
        }
        table.add_row(cells);
    }
    for place in [0, 1, 3] {
        if let Some(column) = table.column_mut(place) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    if let Some(column) = table.column_mut(2) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(STATE)));
    }
    show(table);
}

fn colour(severity: Severity) -> Color {
    match severity {
        Severity::P1 => Color::Red,
        Severity::P2 => Color::Yellow,
        Severity::P3 => Color::Blue,
        Severity::P4 => Color::Grey,
    }
}
