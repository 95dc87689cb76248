//! Slash commands: the payload, and the one grammar from which `help` is made. A mention of the bot is read by the same grammar.

use crate::domain::Refusal;
use crate::domain::ids::{Channel, IncidentId, UserId, Workspace};
use crate::domain::intent::{Action, Ask, Changes, Closing, Person, Place, Target};
use crate::domain::severity::Severity;

use super::text;
use super::verify::Verified;

/// What Slack sends for a slash command, as a form. <https://docs.slack.dev/interactivity/implementing-slash-commands>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct SlashCommand {
    pub team_id: String,
    pub enterprise_id: String,
    pub is_enterprise_install: bool,
    pub channel_id: String,
    pub user_id: String,
    pub command: String,
    pub text: String,
    pub response_url: String,
    pub trigger_id: String,
}

impl SlashCommand {
    /// Reads the form; what is not there stays empty, and what is unknown is passed over.
    pub fn parse(body: &Verified<'_>) -> Self {
        let mut command = Self::default();
        for (name, value) in form_urlencoded::parse(body.bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "team_id" => command.team_id = value,
                "enterprise_id" => command.enterprise_id = value,
                "is_enterprise_install" => command.is_enterprise_install = value == "true",
                "channel_id" => command.channel_id = value,
                "user_id" => command.user_id = value,
                "command" => command.command = value,
                "text" => command.text = value,
                "response_url" => command.response_url = value,
                "trigger_id" => command.trigger_id = value,
                _ => {}
            }
        }
        command
    }

    /// The installation: the organisation where it installed the app, else the team.
    pub fn workspace(&self) -> Workspace {
        let organisation = self.is_enterprise_install && !self.enterprise_id.is_empty();
        Workspace::new(if organisation { &self.enterprise_id } else { &self.team_id })
    }

    /// Who typed it, and where.
    pub fn person(&self) -> Person {
        let given = |text: &str| (!text.is_empty()).then(|| Workspace::new(text));
        Person {
            id: UserId::new(&self.user_id),
            name: None,
            email: None,
            team: given(&self.team_id),
            enterprise: given(&self.enterprise_id),
            place: Some(Place { channel: Channel::new(&self.channel_id), message: None }),
        }
    }
}

/// What a line of text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// How it is used.
    Help,
    /// A form to fill in: "create" with nothing said.
    CreateForm,
    /// Something done to an incident.
    Do(Target, Action),
    /// Something to know.
    Tell(Ask),
}

/// One word of the grammar.
struct Verb {
    names: &'static [&'static str],
    usage: &'static str,
    help: &'static str,
    read: fn(&str) -> Result<Wish, Refusal>,
}

/// The grammar.
const VERBS: &[Verb] = &[
    Verb {
        names: &["create", "new", "declare"],
        usage: "create [P1|P2|P3|P4] TITLE",
        help: "opens an incident; without a title, a form",
        read: create,
    },
    Verb { names: &["list", "ls"], usage: "list", help: "what is open, the worst first", read: |_| Ok(Wish::Tell(Ask::List)) },
    Verb {
        names: &["show", "view"],
        usage: "show ID",
        help: "one incident with its timeline",
        read: |rest| Ok(Wish::Tell(Ask::Show(one_target(rest)?))),
    },
    Verb {
        names: &["ack", "acknowledge"],
        usage: "ack [ID]",
        help: "you have it; the ID may be left out when only one is open",
        read: |rest| Ok(Wish::Do(one_target(rest)?, Action::Acknowledge)),
    },
    Verb { names: &["resolve", "close"], usage: "resolve ID [NOTE]", help: "it is over", read: resolve },
    Verb {
        names: &["reopen", "unack"],
        usage: "reopen ID",
        help: "it is not over, or you do not have it any more",
        read: |rest| Ok(Wish::Do(one_target(rest)?, Action::Reopen)),
    },
    Verb { names: &["note"], usage: "note ID TEXT", help: "adds to the timeline", read: note },
    Verb { names: &["status"], usage: "status", help: "how things stand", read: |_| Ok(Wish::Tell(Ask::Status)) },
    Verb { names: &["help"], usage: "help", help: "this", read: |_| Ok(Wish::Help) },
];

/// How each word is used and what it does, for `help`.
pub fn usage() -> impl Iterator<Item = (&'static str, &'static str)> {
    VERBS.iter().map(|verb| (verb.usage, verb.help))
}

/// What a line asks for. Nothing at all asks for help.
pub fn read(line: &str) -> Result<Wish, Refusal> {
    let (word, rest) = first_word(line);
    if word.is_empty() {
        return Ok(Wish::Help);
    }
    let word = word.to_lowercase();
    if let Some(verb) = VERBS.iter().find(|verb| verb.names.contains(&word.as_str())) {
        return (verb.read)(rest);
    }
    let names = VERBS.iter().flat_map(|verb| verb.names);
    let near = names.map(|name| (strsim::damerau_levenshtein(name, &word), name)).min().filter(|(distance, _)| *distance <= 2);
    let word = text::plain(&word);
    Err(Refusal::new(match near {
        Some((_, name)) => format!("There is no `{word}`. Did you mean `{name}`? `/incident help` lists everything."),
        None => format!("There is no `{word}`. `/incident help` lists what there is; `/incident create {word} …` opens an incident."),
    }))
}

fn first_word(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

#[expect(clippy::unnecessary_wraps, reason = "every verb has the same signature, and most can refuse")]
fn create(rest: &str) -> Result<Wish, Refusal> {
    let (word, after) = first_word(rest);
    let (severity, title) = match Severity::parse(word).filter(|_| word.len() == 2) {
        Some(severity) => (Some(severity), after),
        None => (None, rest),
    };
    let title = text::plain(title).trim().to_owned();
    if title.is_empty() {
        return Ok(Wish::CreateForm);
    }
    let changes = Changes { title: Some(title), severity, ..Changes::default() };
    Ok(Wish::Do(Target::New, Action::Create(changes)))
}

fn resolve(rest: &str) -> Result<Wish, Refusal> {
    let (id, note) = first_word(rest);
    let note = Some(text::plain(note)).filter(|note| !note.is_empty());
    Ok(Wish::Do(one_target(id)?, Action::Resolve(Closing { note, root_cause: None })))
}

fn note(rest: &str) -> Result<Wish, Refusal> {
    let (id, note) = first_word(rest);
    let text = text::plain(note);
    if text.is_empty() {
        return Err(Refusal::new("What should the note say? `/incident note ID TEXT`"));
    }
    Ok(Wish::Do(one_target(id)?, Action::Note { text }))
}

/// The incident that a word names; no word means the only open one.
fn one_target(word: &str) -> Result<Target, Refusal> {
    if word.is_empty() {
        return Ok(Target::Only);
    }
    let not_an_id = || {
        let shown = text::plain(word);
        Refusal::new(format!(
            "`{shown}` is no incident's id. An id looks like `INC-7K3QPF`, and its first characters are enough; `/incident list` shows what is open."
        ))
    };
    IncidentId::prefix(word).map(Target::Prefix).ok_or_else(not_an_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_of(title: &str, severity: Option<Severity>) -> Wish {
        Wish::Do(Target::New, Action::Create(Changes { title: Some(title.into()), severity, ..Changes::default() }))
    }

    #[test]
    fn create_takes_a_severity_and_a_title_as_a_person_types_it() {
        assert_eq!(read("create P1 checkout is down"), Ok(create_of("checkout is down", Some(Severity::P1))));
        assert_eq!(read("  CREATE <@U1|jane> sees p99 &gt; 2s  "), Ok(create_of("@jane sees p99 > 2s", None)));
        assert_eq!(read("create high load"), Ok(create_of("high load", None)));
        assert_eq!(read("create"), Ok(Wish::CreateForm));
        assert_eq!(read("create p2"), Ok(Wish::CreateForm));
    }

    #[test]
    fn an_id_is_completed_by_its_first_characters() {
        assert_eq!(read("ack 7k3"), Ok(Wish::Do(Target::Prefix("INC-7K3".into()), Action::Acknowledge)));
        assert_eq!(read("ack"), Ok(Wish::Do(Target::Only, Action::Acknowledge)));
        let closing = Closing { note: Some("rolled back".into()), root_cause: None };
        assert_eq!(read("resolve INC-7K3QPF rolled back"), Ok(Wish::Do(Target::Prefix("INC-7K3QPF".into()), Action::Resolve(closing))));
    }

    #[test]
    fn a_mistake_reads_what_to_do() {
        let refusal = |line| read(line).expect_err("a refusal").to_string();
        assert!(refusal("acknowlege INC-1").contains("Did you mean `acknowledge`?"));
        assert!(refusal("note 7K3").contains("note ID TEXT"));
        assert!(refusal("ack db#1").contains("is no incident's id"));
        assert!(refusal("<!channel> down").contains("`@channel`"));
    }

    #[test]
    fn nothing_said_is_help_and_help_knows_every_word() {
        assert_eq!(read("  "), Ok(Wish::Help));
        let words: Vec<_> = usage().map(|(usage, _)| usage.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(words, ["create", "list", "show", "ack", "resolve", "reopen", "note", "status", "help"]);
    }
}
