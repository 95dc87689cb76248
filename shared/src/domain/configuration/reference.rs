//! The reference of docs/configuration.md. Which settings there are, where, and what each takes, is asked of the reader itself: it says so to whoever makes a mistake. What a setting
//! does stands below, and a setting that stands in only one of the two fails the test.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::{Configuration, read};
use crate::domain::sources::WORDS;

/// A way to a setting (`routing.rules[].to[].channel`), its default as TOML (nothing: nothing), and what it does. In the order of the reference.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("thread", "true", "Whether what happens is told in the card's thread. `false`: the card alone."),
    ("aliases", "[]", "Other slash commands of the app that mean what `/incident` means. At the top, before the first table."),
    ("notify", "", "What is told under the card, and to whom besides."),
    ("notify.triggered", "true", "That it began, and that it is flapping."),
    ("notify.updated", "true", "That it changed, was assigned, or how far a deployment is."),
    ("notify.acknowledged", "true", "That somebody has it, and that it was opened again."),
    ("notify.resolved", "true", "That it is over."),
    ("notify.escalated", "true", "That more people were called."),
    ("notify.snoozed", "true", "That it was put off, and that it is back."),
    ("notify.sla_breached", "true", "That a promise of `[sla]` was not kept."),
    ("notify.decided", "true", "What was decided, that nobody decided in time, and what came of the call."),
    ("notify.noted", "true", "Notes."),
    ("notify.least", "\"P4\"", "What is less severe gets no card, and is only listed."),
    ("notify.direct_on_assignment", "true", "Whoever an incident is assigned to gets its card as a direct message."),
    ("notify.notice_on_resolve", "true", "The reply that it is over shows in the channel, too."),
    ("reactions", "", "Emoji under a card that act, by their names. An empty list: none."),
    ("reactions.acknowledge", "[\"eyes\"]", "I have it."),
    ("reactions.resolve", "[\"white_check_mark\", \"heavy_check_mark\"]", "It is over."),
    ("reactions.reopen", "[]", "It is not over after all, or nobody has it any more."),
    ("reactions.escalate", "[]", "I need more people."),
    ("snooze", "", "For how long one may snooze at a tap."),
    ("snooze.choices", "[\"15m\", \"30m\", \"1h\", \"4h\"]", "At most four; the menu's last line asks for a time."),
    ("storm", "", "When there are so many that one live digest carries them."),
    ("storm.above", "30", "More new cards than this in a channel within a minute are a storm, until fewer than half of it come. 0: never."),
    ("flapping", "", "What comes back again and again is held as one open incident until it has been quiet."),
    ("flapping.times", "4", "What begins so often within `minutes` is flapping. 0: nothing is."),
    ("flapping.minutes", "10", "Within how many minutes, and for how long it has to be quiet afterwards."),
    ("people", "", "Who may act besides members of the workspace, and in which channels."),
    ("people.guests", "[]", "Channels in which guests may act."),
    ("people.strangers", "[]", "Channels, shared with other companies, in which their people may act."),
    ("routing", "", "Where incidents go. Without it: into the parameter `DefaultChannel`."),
    ("routing.default", "", "Where everything goes that no rule takes."),
    (
        "routing.rules",
        "[]",
        "The service decides first, then the kind, then the severity; P2 goes where P1 goes unless it has a rule of its own.",
    ),
    ("routing.rules[].match", "", "What the rule is about."),
    ("routing.rules[].to", "", "Where that goes; several places are several cards."),
    ("oncall", "[]", "Rotations: who takes turns."),
    ("oncall[].name", "", "What steps of escalation call it, as `rotation:NAME`."),
    ("oncall[].zone", "\"UTC\"", "The time zone on whose clock turns begin."),
    ("oncall[].start", "", "When the first person's first turn begins. All others begin at the same hour, summer and winter."),
    ("oncall[].turn_days", "7", "How many days a turn lasts."),
    ("oncall[].people", "", "Who takes turns, in this order, by their ids."),
    ("escalation", "[]", "Policies: who is called while nobody has an incident. The first that matches is the incident's."),
    ("escalation[].name", "", "What it is called."),
    ("escalation[].match", "", "What it is for. Left out: everything."),
    ("escalation[].repeat", "0", "How often the steps begin again."),
    ("escalation[].steps", "", "Whom to call, one step after the other."),
    ("escalation[].steps[].after", "\"0s\"", "How long after the step before."),
    ("escalation[].steps[].call", "", "Rotations `rotation:NAME`, people `U…`, usergroups `S…` and channels `C…`."),
    ("sla", "", "By when something has to be done, by severity."),
    ("sla.P1", "", "Of P1; `sla.P2`, `sla.P3` and `sla.P4` alike."),
    ("sla.P1.acknowledge", "", "By when somebody has it."),
    ("sla.P1.resolve", "", "By when it is over."),
    ("approvals", "", "What an approval does not say itself."),
    ("approvals.who", "[]", "Who may decide: people `U…` and usergroups `S…`. Nobody named: everybody who may act."),
    ("approvals.quorum", "1", "How many have to approve."),
    ("approvals.expires_after", "", "Nobody can decide later. Left out: it does not expire."),
    ("endpoints", "[]", "Whom decisions, commands and subscribers call, signed. See [HTTP, events and calls](http.md)."),
    ("endpoints[].name", "", "What the rest of the document and messages call it, and its secret."),
    ("endpoints[].url", "", "Its address. Its host has to be one of the parameter `CallHosts`."),
    ("endpoints[].timeout", "\"10s\"", "How long one attempt may take."),
    ("subscribers", "[]", "Who is told what happens to incidents, beside the event bus."),
    ("subscribers[].endpoint", "", "Which endpoint is called."),
    ("subscribers[].events", "", "What it is told. Left out: everything."),
    ("subscribers[].match", "", "Of which incidents. Left out: all."),
    ("commands", "[]", "Commands of your own: a slash command of the app, and a word after `/incident`."),
    ("commands[].name", "", "The command."),
    ("commands[].usage", "", "What stands behind it, for the help."),
    ("commands[].help", "", "What it does, for the help."),
    ("commands[].call", "", "Which endpoint is called."),
    ("commands[].who", "[]", "Who may use it. Nobody named: everybody who may act."),
    ("commands[].answer", "\"person\"", "Who sees the answer: the person alone, or the whole channel."),
    ("accounts", "", "What cards call AWS accounts: each account's twelve digits, and a name of at most 60 characters."),
    ("sources", "", "What is said about a source, by its word in [the list of sources](sources.md)."),
    ("sources.WORD", "", "One table for each source, such as `[sources.guardduty]`."),
    ("sources.WORD.severity", "", "Instead of what the source says."),
    ("sources.WORD.service", "", "Where it names none."),
    ("sources.WORD.runbook", "", "A link on its cards."),
    ("templates", "[]", "Cards of your own: the first that matches makes the body. See [cards of your own](#cards-of-your-own)."),
    ("templates[].match", "", "What it is for. Left out: everything."),
    ("templates[].text", "", "What a notification says. Left out: what Tocsin says."),
    ("templates[].blocks", "", "Block Kit as JSON."),
    ("reports", "[]", "What is posted by the calendar."),
    ("reports[].name", "", "What was posted last is remembered under this name."),
    ("reports[].channel", "", "Where it is posted."),
    ("reports[].zone", "\"UTC\"", "The time zone of the calendar."),
    ("reports[].every", "", "When: `daily 09:00` or `weekly monday 09:00`. One of `every` and `cron`."),
    ("reports[].cron", "", "When: five fields of cron."),
    ("MATCH.service", "", "Its service."),
    ("MATCH.kind", "", "Its kind: a source's word, or one of [the kinds](concepts.md#kinds)."),
    ("MATCH.severity", "", "Its severity."),
    ("TARGET.channel", "", "The channel."),
    ("TARGET.mentions", "[]", "Usergroups `S…` and people `U…` whom a new card calls."),
    ("TARGET.name", "", "What you call this place."),
    ("TARGET.description", "", "What it is for."),
    ("TARGET.labels", "[]", "What you sort it by."),
];

/// A whole item of each list, for the defaults of what stands within it.
const WHOLE: &[(&str, &str)] = &[
    ("oncall[]", "name = \"a\"\nstart = \"2026-01-05T09:00\"\npeople = [\"U0JANE\"]\n"),
    ("escalation[]", "name = \"a\"\nsteps = [{ call = [\"U0JANE\"] }]\n"),
    ("endpoints[]", "name = \"a\"\nurl = \"https://a.example.com/\"\n"),
    ("reports[]", "name = \"a\"\nchannel = \"C0INCIDENTS\"\nevery = \"daily 09:00\"\n"),
];

/// What the reader says a value is that no setting takes.
const NONE: &str = "1.5";

/// A setting, as the reader tells of it.
struct Found {
    /// With `[]` where a list is.
    way: String,
    takes: String,
    required: bool,
}

/// A document in which `value` stands at `way`, and nothing else.
fn document(way: &str, value: &str) -> String {
    let (mut before, mut after) = (String::new(), String::new());
    let parts: Vec<&str> = way.split('.').collect();
    for (number, part) in parts.iter().enumerate() {
        let (key, list) = part.strip_suffix("[]").map_or((*part, false), |key| (key, true));
        let (open, close) = if list { ("[", "]") } else { ("", "") };
        let (table, end) = if number + 1 < parts.len() { ("{ ", " }") } else { ("", "") };
        _ = write!(before, "{key} = {open}{table}");
        after = format!("{end}{close}{after}");
    }
    format!("{before}{value}{after}")
}

/// What is said about `value` at `way`.
fn said(way: &str, value: &str) -> String {
    let key = way.replace("[]", "[1]");
    let mistakes = read(&document(way, value)).err().unwrap_or_default();
    let mistake = mistakes.into_iter().find(|mistake| mistake.key == key || mistake.key == format!("{key}[1]"));
    mistake.map(|mistake| mistake.what).unwrap_or_default()
}

/// The keys of the table at `way`, as the reader lists them.
fn keys(way: &str) -> Vec<String> {
    const UNKNOWN: &str = "no-setting-is-called-so";
    let table = if way.is_empty() { UNKNOWN.to_owned() } else { format!("{way}.{UNKNOWN}") };
    let what = said(&table, NONE);
    let (_, allowed) = what.split_once("Allowed here: ").unwrap_or_default();
    allowed.split(", ").map(|key| key.trim_matches('`').to_owned()).filter(|key| !key.is_empty()).collect()
}

/// Everything within the table at `way`.
fn within(way: &str, found: &mut Vec<Found>) {
    for key in keys(way) {
        let way = if way.is_empty() { key.clone() } else { format!("{way}.{key}") };
        let Some(wanted) = said(&way, NONE).strip_prefix("this is a number; it has to be ").map(str::to_owned) else {
            panic!("{way}: {}", said(&way, NONE))
        };
        let (table, key) = way.rsplit_once('.').unwrap_or(("", &way));
        let empty = if table.is_empty() { String::new() } else { document(table, "{}") };
        let required = format!("{}.{key}", table.replace("[]", "[1]"));
        let required = read(&empty)
            .err()
            .unwrap_or_default()
            .iter()
            .any(|mistake| mistake.key == required && mistake.what.starts_with("this is missing"));
        let takes = match wanted.as_str() {
            "a text, `\"…\"`" => text(&way, "\"\\u0001\""),
            "a list of texts, `[\"…\"]`" => format!("a list: {}", text(&way, "[\"\\u0001\"]")),
            "a table, `{ … }`" => "a table".to_owned(),
            "a list of tables, `[[…]]`" => "a list of tables".to_owned(),
            other => other.to_owned(),
        };
        found.push(Found { way: way.clone(), takes: takes.clone(), required });
        match takes.as_str() {
            // Each of its keys is an account.
            "a table" if way == "accounts" => {}
            "a table" => within(&way, found),
            "a list of tables" => within(&format!("{way}[]"), found),
            _ => {}
        }
    }
}

/// What a text has to be, as the reader says of one that means nothing.
fn text(way: &str, value: &str) -> String {
    let what = said(way, value);
    if let Some((_, wanted)) = what.split_once("is no length of time ") {
        return format!("a length of time {}", wanted.split(", such as").next().unwrap_or_default());
    }
    if let Some((_, names)) = what.split_once("There is: ") {
        return if names.is_empty() { "the name of one".to_owned() } else { format!("one of {names}") };
    }
    let wanted = what.split_once("it has to be ").map_or("a text", |(_, wanted)| wanted);
    wanted.trim().to_owned()
}

/// Where `[sources.guardduty]`, a rule's match and a place say the same in every place, it stands there once.
fn told(found: Vec<Found>) -> Vec<Found> {
    let mut told: Vec<Found> = Vec::new();
    for mut one in found {
        for word in WORDS {
            one.way = one.way.replace(&format!("sources.{word}"), "sources.WORD");
        }
        for severity in ["P2", "P3", "P4"] {
            one.way = one.way.replace(&format!("sla.{severity}"), "sla.P1");
        }
        for (within, name) in [("match.", "MATCH."), ("routing.default.", "TARGET."), ("routing.rules[].to[].", "TARGET.")] {
            if let Some((_, key)) = one.way.rsplit_once(within) {
                one.way = format!("{name}{key}");
            }
        }
        if let Some(known) = told.iter().find(|known| known.way == one.way) {
            assert_eq!((&known.takes, known.required), (&one.takes, one.required), "{} is read in two ways", one.way);
            continue;
        }
        told.push(one);
    }
    told
}

fn found() -> Vec<Found> {
    let mut found = Vec::new();
    within("", &mut found);
    told(found)
}

/// The table of settings that a setting stands in.
fn section(way: &str) -> &str {
    way.rsplit_once('.').map_or("", |(section, _)| section)
}

fn heading(section: &str) -> String {
    match section {
        "" => "At the top".to_owned(),
        "MATCH" => "match".to_owned(),
        "TARGET" => "A place: default, and each of to".to_owned(),
        "escalation[].steps[]" => "Each of steps".to_owned(),
        "routing.rules[]" => "`[[routing.rules]]`".to_owned(),
        list if list.ends_with("[]") => format!("`[[{}]]`", list.trim_end_matches("[]")),
        table => format!("`[{table}]`"),
    }
}

fn reference() -> String {
    let found = found();
    let mut sections: Vec<&str> = Vec::new();
    for (way, _, _) in SETTINGS {
        if !sections.contains(&section(way)) {
            sections.push(section(way));
        }
    }
    // What holds nothing but tables is told by these.
    sections.retain(|section| !["sla", "sources"].contains(section));
    let mut text = String::new();
    for section_of in sections {
        _ = write!(text, "### {}\n\n| Setting | Takes | Default | What it does |\n|---|---|---|---|\n", heading(section_of));
        for (way, default, what) in SETTINGS.iter().filter(|(way, _, _)| section(way) == section_of) {
            let key = way.rsplit('.').next().unwrap_or(way);
            let one = found.iter().find(|found| found.way == *way).unwrap_or_else(|| panic!("there is no setting {way}"));
            let default = match default {
                _ if one.required => "has to be said".to_owned(),
                &"" => "–".to_owned(),
                default => format!("`{default}`"),
            };
            _ = writeln!(text, "| `{key}` | {} | {default} | {what} |", one.takes);
        }
        text.push('\n');
    }
    text
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

#[test]
fn every_setting_is_described_and_nothing_else_is() {
    let read: BTreeSet<String> = found().into_iter().map(|found| found.way).collect();
    let described: BTreeSet<String> = SETTINGS.iter().map(|(way, _, _)| (*way).to_owned()).collect();
    let missing: Vec<_> = read.difference(&described).collect();
    let more: Vec<_> = described.difference(&read).collect();
    assert!(missing.is_empty() && more.is_empty(), "not described: {missing:?}; no settings: {more:?}");
}

#[test]
fn a_default_is_what_counts_where_nothing_is_said() {
    for (way, default, _) in SETTINGS.iter().filter(|(_, default, _)| !default.is_empty()) {
        let (list, key) = way.rsplit_once('.').unwrap_or(("", way));
        let whole = WHOLE.iter().find(|(known, _)| *known == list);
        if let Some((_, whole)) = whole {
            let item = format!("[[{}]]\n{whole}", list.trim_end_matches("[]"));
            assert_eq!(super::read(&format!("{item}{key} = {default}\n")), super::read(&item), "{way}");
        } else if !way.contains("[]") && !way.starts_with("TARGET") && !way.starts_with("routing") {
            assert_eq!(read(&document(way, default)), Ok(Configuration::default()), "{way}");
        }
    }
}

/// After a wanted change: `INSTA_UPDATE=always cargo test -p shared --all-features`, as for snapshots.
#[test]
fn the_reference_of_the_settings_is_true() {
    const BEGINS: &str = "<!-- settings: written by a test from what the reader takes -->\n";
    const ENDS: &str = "<!-- end of settings -->\n";
    let (file, reference) = (path("docs/configuration.md"), reference());
    let page = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parts = page.split_once(BEGINS).and_then(|(before, rest)| Some((before, rest.split_once(ENDS)?)));
    let Some((before, (written, after))) = parts else { panic!("docs/configuration.md has no place for the settings") };
    if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&file, format!("{before}{BEGINS}\n{reference}{ENDS}{after}")).unwrap_or_else(|error| panic!("{error}"));
        return;
    }
    assert!(written.trim() == reference.trim(), "docs/configuration.md should say:\n{reference}");
}
