//! `tocsin dead-letters show ID`

use std::io::IsTerminal;

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::intake::{MASKED, masked_document};
use shared::queue::dead_letters::{Filter, Letter};

use super::{Queue, Told, about, meant, reason, standing, tell_hidden};
use crate::deployment::Deployment;
use crate::output::{self, Output, ago, moment, note, plain, rows};

/// Show a letter with its text, in which what looks like a secret is masked.
///
/// That takes nothing away.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id or the beginning of it; an intent's, an incident's, or what a source calls it.
    id: String,
    /// Only of these queues.
    #[arg(long = "queue", value_name = "QUEUE")]
    queues: Vec<Queue>,
    /// The text as it came, with whatever secrets are in it.
    #[arg(long)]
    raw: bool,
}

pub(crate) async fn run(deployment: &Deployment, arguments: &Arguments, output: Output) -> Result<()> {
    let filter = Filter { id: Some(arguments.id.clone()), ..Filter::default() };
    let found = standing(deployment, meant(&arguments.queues), &filter, output).await?;
    let letters: Vec<(Queue, &Letter)> =
        found.iter().flat_map(|(queue, listing)| listing.letters.iter().map(|letter| (*queue, letter))).collect();
    if letters.is_empty() {
        tell_hidden(&found);
        bail!("there is no dead letter {}; `tocsin dead-letters list` shows all there are", arguments.id);
    }
    let text = |letter: &Letter| if arguments.raw { letter.body.clone() } else { readable(&letter.body) };
    let one = |(queue, letter): &(Queue, &Letter)| {
        let mut told = serde_json::to_value(Told::of(*queue, letter)).unwrap_or_default();
        told["attributes"] = attributes(letter).collect();
        told["body"] = json!(text(letter));
        told
    };
    output.print(&letters.iter().map(one).collect::<Value>(), || {
        for (number, (queue, letter)) in letters.iter().enumerate() {
            if number > 0 {
                anstream::println!();
            }
            print(*queue, letter);
            let text = text(letter);
            // Who hands it on to a program wants it as it came.
            anstream::println!("{}", if arguments.raw && !std::io::stdout().is_terminal() { text } else { harmless(&text) });
        }
    })?;
    if letters.iter().any(|(_, letter)| text(letter).matches(MASKED).count() > letter.body.matches(MASKED).count()) {
        note("what looks like a secret is masked; --raw shows the text as it came");
    }
    Ok(())
}

/// The text without its secrets, and JSON with a line for each field.
fn readable(body: &str) -> String {
    let masked = masked_document(body);
    let pretty = serde_json::from_str::<Value>(&masked).and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or(masked)
}

fn print(queue: Queue, letter: &Letter) {
    let now = Timestamp::now();
    let bold = anstyle::Style::new().bold();
    anstream::println!("{bold}{}{bold:#}  on {}", letter.id, queue.name());
    let mut facts = rows();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            facts.add_row([plain(name), plain(value)]);
        }
    };
    let since = |at: Timestamp| format!("{}, {}", moment(at), ago(at, now));
    add("why", &reason(letter));
    match &letter.said {
        // Mostly that is why it is here.
        Err(why) if letter.reason.as_ref() == Some(why) => {}
        Err(why) => add("cannot be read", why),
        Ok(_) => add("about", &about(letter)),
    }
    add("sent", &since(letter.sent_at));
    add("parked", &letter.parked_at.map(since).unwrap_or_default());
    add("by", letter.function.as_deref().unwrap_or_default());
    add("came", &format!("{}×", letter.receives));
    add("message", &letter.message_id);
    for (name, value) in attributes(letter) {
        add(name, &value);
    }
    output::show(facts);
    anstream::println!();
}

/// What its sender had written beside it, without its secrets.
fn attributes(letter: &Letter) -> impl Iterator<Item = (&str, String)> {
    letter.attributes.iter().map(|(name, value)| (name.as_str(), masked_document(value)))
}

/// A text of several lines that can do nothing to a terminal.
fn harmless(text: &str) -> String {
    text.lines().map(|line| plain(&line.replace('\t', "    "))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_does_nothing_to_the_terminal_that_shows_it() {
        assert_eq!(harmless("{\n\t\"a\": \"\u{1b}[2J\u{9b}31m\u{7f}\"\r\n}"), "{\n    \"a\": \"[2J31m\"\n}");
    }

    #[test]
    fn json_is_shown_by_its_fields_and_without_its_secrets() {
        assert_eq!(readable(r#"{"db_password":"hunter2","n":1}"#), "{\n  \"db_password\": \"[masked]\",\n  \"n\": 1\n}");
        assert_eq!(readable("{ password=hunter2"), "{ password=[masked]");
        let within = json!({"Message": json!({"password": "correct horse battery", "n": 1}).to_string()}).to_string();
        assert_eq!(readable(&within), "{\n  \"Message\": \"{\\\"n\\\":1,\\\"password\\\":\\\"[masked]\\\"}\"\n}");
        let beside = readable(r#"{"environment":[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"STAGE","value":"prod"}]}"#);
        assert!(!beside.contains("hunter2") && beside.contains("prod"), "{beside}");
        assert_eq!(readable(r#"{"AKIAIOSFODNN7EXAMPLE":{"n":1}}"#), "{\n  \"[masked]\": {\n    \"n\": 1\n  }\n}");
    }
}
