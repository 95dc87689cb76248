//! How much of what a source says is kept. An intent travels as JSON over SQS and into one DynamoDB item, and stays below 64 KB whatever arrived, so every
//! limit counts bytes as JSON writes them: a line break is two, a Chinese character three, an emoji four.

use crate::domain::decision::MOST;
use crate::domain::ids::DedupKey;
use crate::domain::intent::{Changes, Closing, Detail, Link};

/// What one intent may take, all in all. The limits below add up to less.
pub(super) const INTENT: usize = 64 * 1024;
/// One line. Slack's header shows 150 characters; the rest is for the thread and the search.
pub(super) const TITLE: usize = 512;
/// A description, a note, a root cause. Slack shows 3,000 characters in a block.
pub(super) const PROSE: usize = 8 * 1024;
/// What to do first: read at a glance, or not at all.
pub(super) const HINT: usize = 2 * 1024;
/// A name: a service, a kind, a person, a component, what stands on a button.
pub(super) const NAME: usize = 256;
/// A word about a deployment, a metric or a change.
pub(super) const WORD: usize = 96;
/// How many such words there are.
const WORDS: usize = 10;
/// A fact's value.
pub(super) const VALUE: usize = 600;
/// A link; Slack's buttons take 3,000. A longer one is left out, because half a link is none.
pub(super) const LINK: usize = 2000;
/// Links beside the incident's own page.
pub(super) const LINKS: usize = 8;
/// Further facts.
pub(super) const DETAILS: usize = 20;
/// What a decision's button says; Slack takes 75 characters.
pub(super) const LABEL: usize = 75;
/// What is asked before a button counts; a card has no room for more.
pub(super) const CONFIRM: usize = 150;
/// An endpoint's name.
pub(super) const ENDPOINT: usize = 40;
/// Who may decide.
pub(super) const WHO: usize = 10;
/// Things affected.
pub(super) const COMPONENTS: usize = 20;

/// What names an incident: its key, its workspace, who acts, and JSON's own words around all of it.
const FRAME: usize = 4 * 1024;

/// Names of fields, quotes and commas around a part of a list.
const AROUND: usize = 32;

const _: () = {
    let lists = COMPONENTS * (NAME + AROUND) + LINKS * (NAME + LINK + AROUND) + DETAILS * (NAME + VALUE + AROUND);
    // A name, a label, a question, an endpoint, who may; and an approval has two options.
    let decision = 40 + LABEL + CONFIRM + ENDPOINT + WHO * 24 + 3 * AROUND;
    let fields = TITLE + PROSE + HINT + 4 * NAME + LINK + WORDS * WORD + (MOST + 1) * decision;
    assert!(fields + lists + FRAME < INTENT, "an intent with every field full must fit");
    assert!(2 * PROSE + FRAME < INTENT, "so must a resolution");
};

/// Says that something was left out.
const MARK: &str = "…";

/// At most `limit` bytes of JSON of `text`, trimmed, without control characters, with a mark where it was cut.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let mut kept = String::new();
    let mut cost = 0;
    // The length of what is kept if the mark has to fit as well.
    let mut length_with_mark = 0;
    for letter in text.trim().chars() {
        let letter = match letter {
            '\n' | '\t' => letter,
            '\r' => continue,
            other if other.is_control() || is_noncharacter(other) => ' ',
            other => other,
        };
        cost += match letter {
            '"' | '\\' | '\n' | '\t' => 2,
            other => other.len_utf8(),
        };
        if cost > limit {
            kept.truncate(length_with_mark);
            kept.truncate(kept.trim_end().len());
            kept.push_str(MARK);
            return kept;
        }
        kept.push(letter);
        if cost + MARK.len() <= limit {
            length_with_mark = kept.len();
        }
    }
    kept
}

/// U+FFFE and U+FFFF: SQS takes no message that holds one.
fn is_noncharacter(letter: char) -> bool {
    matches!(letter, '\u{fffe}' | '\u{ffff}')
}

/// A key as it can travel; two keys stay two, unless they differ in nothing but letters that are none.
pub(super) fn key(text: &str) -> DedupKey {
    DedupKey::new(text.replace(is_noncharacter, "\u{fffd}"))
}

/// [`cut`], in one line.
pub(super) fn cut_line(text: &str, limit: usize) -> String {
    let mut line = cut(text, limit);
    if line.contains(['\n', '\t']) {
        line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    line
}

/// What is left of `text` after [`cut`], if anything.
pub(super) fn said(text: &str, limit: usize) -> Option<String> {
    Some(cut(text, limit)).filter(|text| !text.is_empty())
}

/// What is left of `text` after [`cut_line`], if anything.
pub(super) fn said_line(text: &str, limit: usize) -> Option<String> {
    Some(cut_line(text, limit)).filter(|text| !text.is_empty())
}

/// The first `limit` of `all`, the last place taken by how many more there are.
pub(super) fn first<T>(mut all: Vec<T>, limit: usize, more: impl Fn(usize) -> T) -> Vec<T> {
    if all.len() > limit {
        let kept = limit.saturating_sub(1);
        let left_out = all.len() - kept;
        all.truncate(kept);
        all.push(more(left_out));
    }
    all
}

/// Cuts every field to its limit. What is empty counts as not said.
pub(super) fn fit(changes: Changes) -> Changes {
    let line = |text: Option<String>, limit| text.and_then(|text| said_line(&text, limit));
    let prose = |text: Option<String>, limit| text.and_then(|text| said(&text, limit));
    let Changes { title, description, severity, service, kind, components, assignee, action_hint, sla_breach_at, .. } = changes;
    let Changes { url, links, details, metric, deployment, change, tell_at, decisions, .. } = changes;
    Changes {
        title: line(title, TITLE),
        description: prose(description, PROSE),
        severity,
        service: line(service, NAME),
        kind: line(kind, NAME),
        components: components
            .map(|all| first(all, COMPONENTS, |more| format!("{MARK} and {more} more")))
            .map(|all| all.iter().filter_map(|name| said_line(name, NAME)).collect()),
        assignee: line(assignee, NAME),
        action_hint: prose(action_hint, HINT),
        sla_breach_at,
        url: url.filter(|url| super::fields::is_link(url)),
        links: links.map(|all| all.into_iter().filter_map(fit_link).take(LINKS).collect()),
        details: details.map(|all| {
            let more = |more| Detail { label: MARK.to_owned(), value: format!("and {more} more") };
            first(all.iter().filter_map(fit_detail).collect(), DETAILS, more)
        }),
        // Read to size already.
        decisions,
        // Their words were cut where they were read.
        metric,
        deployment,
        change,
        tell_at,
    }
}

fn fit_link(link: Link) -> Option<Link> {
    let label = said_line(&link.label, NAME)?;
    super::fields::is_link(&link.url).then_some(Link { label, url: link.url })
}

fn fit_detail(detail: &Detail) -> Option<Detail> {
    Some(Detail { label: said_line(&detail.label, NAME)?, value: said(&detail.value, VALUE)? })
}

/// [`fit`] for what is said at the end.
pub(super) fn fit_closing(closing: Closing) -> Closing {
    let prose = |text: Option<String>| text.and_then(|text| said(&text, PROSE));
    Closing { note: prose(closing.note), root_cause: prose(closing.root_cause) }
}
