//! Figures, gates, and the table.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};

use crate::binaries;

/// A figure beside its gate: smaller is better.
pub(crate) struct Figure {
    /// Whose.
    function: String,
    /// What was measured.
    what: String,
    /// How much.
    value: f64,
    /// In what.
    pub(crate) unit: Unit,
    /// What has to be reached, and what would be good.
    gate: Gate,
    /// What stands behind it.
    note: String,
}

/// What has to be reached, and what would be good.
#[derive(Debug, Clone, Copy)]
struct Gate {
    target: f64,
    stretch: f64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Times the figure of hello in the same run.
    Ratio,
    /// Million instructions.
    Million,
    /// 10^6 bytes.
    Megabytes,
    /// Hundredths.
    Percent,
    /// One in so many.
    Part,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Ratio => format!("{value:.2} ×"),
            Self::Million => format!("{value:.2} M"),
            Self::Megabytes => format!("{value:.2} MB"),
            Self::Percent => format!("{value:.3} %"),
            Self::Part => format!("1/{:.0}", 1.0 / value),
        }
    }
}

impl Figure {
    /// `target` has to be reached, `stretch` would be good.
    pub(crate) fn new(function: &str, what: &str, value: f64, unit: Unit, (target, stretch): (f64, f64)) -> Self {
        Self { function: function.to_owned(), what: what.to_owned(), value, unit, gate: Gate { target, stretch }, note: String::new() }
    }

    /// With what stands behind it.
    pub(crate) fn noted(self, note: String) -> Self {
        Self { note, ..self }
    }

    /// Whether the target is reached.
    pub(crate) fn is_met(&self) -> bool {
        self.value <= self.gate.target
    }

    fn verdict(&self) -> &'static str {
        match self.value {
            value if value <= self.gate.stretch => "stretch",
            value if value <= self.gate.target => "target",
            _ => "**missed**",
        }
    }
}

/// The gates as a Markdown table.
pub(crate) fn gates(figures: &[Figure]) -> String {
    let rows = figures.iter().map(|figure| {
        [
            figure.function.clone(),
            figure.what.clone(),
            figure.unit.show(figure.value),
            figure.unit.show(figure.gate.target),
            figure.unit.show(figure.gate.stretch),
            figure.verdict().to_owned(),
            figure.note.clone(),
        ]
    });
    table(["function", "figure", "measured", "target", "stretch", "met", "counted"], rows)
}

/// A Markdown table whose columns line up.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a string does not fail.
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if at == 0 {
            for width in widths {
                let _ = write!(text, "|{:-<1$}", "", width + 2);
            }
            text.push_str("|\n");
        }
    }
    text
}

/// Writes a file of the repository.
pub(crate) fn write(path: &str, text: &str) -> Result<()> {
    fs::write(binaries::root().join(path), text).with_context(|| format!("{path} cannot be written"))
}

/// Puts a table where a page of the repository shows it, between the two lines that name it.
pub(crate) fn show(path: &str, name: &str, table: &str) -> Result<()> {
    let page = fs::read_to_string(binaries::root().join(path)).with_context(|| format!("{path} cannot be read"))?;
    let (begins, ends) = (format!("<!-- {name}: written by make bench -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begins).with_context(|| format!("{path} has no line {begins}"))?;
    let (_, after) = rest.split_once(&ends).with_context(|| format!("{path} has no line {ends}"))?;
    write(path, &format!("{before}{begins}\n{table}\n{ends}{after}"))
}

/// Instructions as `1.234 M`.
pub(crate) fn million(count: f64) -> String {
    format!("{:.3} M", count / 1e6)
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_what_it_reached() {
        let figure = |value| Figure::new("events", "size", value, Unit::Megabytes, (6.0, 4.5));
        assert_eq!([4.5, 6.0, 6.1].map(|value| figure(value).verdict()), ["stretch", "target", "**missed**"]);
        assert_eq!([4.5, 6.0, 6.1].map(|value| figure(value).is_met()), [true, true, false]);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([7, 1000, 1_234_567].map(grouped), ["7", "1,000", "1,234,567"]);
    }

    #[test]
    fn columns_line_up() {
        let text = table(["a", "bb"], [["× 1".to_owned(), "2".to_owned()]].into_iter());
        assert_eq!(text, "| a   | bb |\n|-----|----|\n| × 1 | 2  |\n");
    }
}
