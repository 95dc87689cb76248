//! How findings are told: all of them, or what is different from the last look.

use std::fmt::Write;

use anstyle::Style;
use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;

use super::finding::{Finding, Fix, State};
use crate::output::{FAINT, Output, plain};

/// What was found at one look.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether nothing is broken.
    ok: bool,
    at: Timestamp,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.check);
        let ok = findings.iter().all(|finding| finding.state != State::Broken);
        Self { ok, at: Timestamp::now(), findings }
    }

    /// How many stand like this.
    pub(super) fn count(&self, state: State) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }

    /// Tells all of it.
    pub(super) fn print(&self, output: Output) -> Result<()> {
        output.print(self, || anstream::print!("{}", self.text(textwrap::termwidth())))
    }

    /// The first of many looks: in one line where it is JSON.
    pub(super) fn print_first(&self, output: Output) -> Result<()> {
        if output.json { self.line() } else { self.print(output) }
    }

    /// Tells what is different from the look before; nothing where nothing is.
    pub(super) fn print_changes(&self, before: &Self, output: Output) -> Result<()> {
        let changed: Vec<_> = self.findings.iter().filter(|finding| !before.findings.contains(finding)).collect();
        let gone: Vec<_> = before.findings.iter().filter(|old| !self.findings.iter().any(|finding| finding.is_about(old))).collect();
        if changed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        if output.json {
            return self.line();
        }
        let width = textwrap::termwidth();
        let mut text = format!("\n{FAINT}{}{FAINT:#}\n", self.at.strftime("%H:%M:%S UTC"));
        for finding in changed {
            text.push_str(&told(finding, std::slice::from_ref(&finding.about), finding.fix.as_ref(), width));
        }
        for finding in gone {
            _ = writeln!(text, "{FAINT}· {}: is not there any more{FAINT:#}", label(finding, std::slice::from_ref(&finding.about)));
        }
        anstream::print!("{text}");
        Ok(())
    }

    fn line(&self) -> Result<()> {
        anstream::println!("{}", serde_json::to_string(self)?);
        Ok(())
    }

    fn text(&self, width: usize) -> String {
        let mut text = String::new();
        let mut findings = self.findings.iter().peekable();
        while let Some(finding) = findings.next() {
            let mut about = vec![finding.about.clone()];
            // What is well in the same way is told in one line.
            let same = |next: &&Finding| {
                next.check == finding.check
                    && next.state == finding.state
                    && next.seen == finding.seen
                    && finding.fix.is_none()
                    && next.fix.is_none()
            };
            while let Some(next) = findings.next_if(same) {
                about.push(next.about.clone());
            }
            // And so is what mends several at once.
            let mends_more = findings.peek().is_some_and(|next| next.check == finding.check && next.fix == finding.fix);
            text.push_str(&told(finding, &about, if mends_more { None } else { finding.fix.as_ref() }, width));
        }
        text.push_str(&self.sum());
        text
    }

    fn sum(&self) -> String {
        let of = |state: State, word: &str| {
            let (count, (mark, style)) = (self.count(state), state.mark());
            (count > 0).then(|| format!("{style}{mark}{style:#} {count} {word}"))
        };
        let all =
            [of(State::Broken, "broken"), of(State::Look, "to look at"), of(State::Skipped, "not looked at"), of(State::Well, "well")];
        format!("\n{}\n", all.into_iter().flatten().collect::<Vec<_>>().join("   "))
    }
}

const BOLD: Style = Style::new().bold();

/// A finding in lines of this width. What can be pasted is never broken: a terminal that is too narrow does that without adding a line's end.
fn told(finding: &Finding, about: &[Option<String>], fix: Option<&Fix>, width: usize) -> String {
    let (mark, style) = finding.state.mark();
    let label = label(finding, about);
    let wrapped = |text: &str, indent: &str| {
        textwrap::fill(text, textwrap::Options::new(width.max(20)).initial_indent(indent).subsequent_indent(indent).break_words(false))
    };
    let body = wrapped(&format!("{label}: {}", plain(&finding.seen)), "  ");
    // The label may have been wrapped too; then it stays as it is.
    let body = body.trim_start().replacen(&format!("{label}:"), &format!("{BOLD}{label}{BOLD:#}:"), 1);
    let mut text = format!("{style}{mark}{style:#} {body}\n");
    if let Some(fix) = fix {
        _ = writeln!(text, "{}", wrapped(&fix.say, "    "));
        for command in &fix.commands {
            _ = writeln!(text, "      {command}");
        }
    }
    text
}

fn label(finding: &Finding, about: &[Option<String>]) -> String {
    let about: Vec<_> = about.iter().flatten().map(String::as_str).collect();
    if about.is_empty() { finding.check.to_string() } else { format!("{} {}", finding.check, plain(&about.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Check;
    use super::*;

    fn report() -> Report {
        let queue = |name: &str| Finding::well(Check::Queue, "nothing waits").about(name);
        Report::new(vec![
            queue("posts"),
            queue("calls"),
            Finding::broken(
                Check::Secret,
                "nothing is in it yet, so nothing of Slack's is believed and nothing can be posted",
                Fix::new("Hand over what the Slack app has under Basic Information.")
                    .paste("tocsin secrets set --stack a-stack-with-a-name-that-is-longer-than-the-line"),
            ),
            Finding::skipped(Check::Token, "the Slack secret is empty"),
        ])
    }

    #[test]
    fn lines_are_as_narrow_as_the_terminal_and_what_is_pasted_stays_whole() {
        let text = anstream::adapter::strip_str(&report().text(60)).to_string();
        assert!(text.lines().filter(|line| !line.starts_with("      ")).all(|line| line.chars().count() <= 60), "{text}");
        assert!(text.contains("      tocsin secrets set --stack a-stack-with-a-name-that-is-longer-than-the-line\n"), "{text}");
        assert!(text.contains("✓ queue posts, calls: nothing waits\n"), "{text}");
        assert!(text.ends_with("\n✗ 1 broken   · 1 not looked at   ✓ 2 well\n"), "{text}");
    }

    #[test]
    fn what_mends_several_is_told_once() {
        let scopes = |word: &str| {
            Finding::look(Check::Scopes, "not granted", Fix::new("Install it again.").paste("tocsin install-link")).about(word)
        };
        let report = Report::new(vec![scopes("email"), scopes("reactions")]);
        let text = anstream::adapter::strip_str(&report.text(80)).to_string();
        assert!(
            text.starts_with(
                "! scopes email: not granted\n! scopes reactions: not granted\n    Install it again.\n      tocsin install-link\n\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_is_told_has_the_order_of_the_checks() {
        let checks: Vec<_> = report().findings.iter().map(|finding| finding.check).collect();
        assert_eq!(checks, [Check::Secret, Check::Token, Check::Queue, Check::Queue]);
    }
}
