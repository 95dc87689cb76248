//! Slash commands: the payload, and the one grammar from which `help` is made. A mention of the bot is read by the same grammar.

use jiff::Timestamp;

use crate::domain::ids::{Channel, IncidentId, IntentId, UserId, Workspace};
use crate::domain::intent::{
    Action, Actor, Ask, Changes, Closing, Intent, Job, Person, Place, Question, ReplyTo, Spoken, TakeOver, Target,
};
use crate::domain::oncall::Override;
use crate::domain::severity::Severity;
use crate::domain::{self, Refusal};

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

/// The slash command whose grammar this is. What else the app has is a command of the workspace's own, or this one under another name.
pub const INCIDENT: &str = "/incident";

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

    /// What was said, by whom and where.
    pub fn spoken(&self, now: Timestamp) -> Spoken {
        let workspace = self.workspace();
        Spoken {
            // Slack sends a command once, and names it by its trigger.
            id: IntentId::of("command", &[workspace.as_str(), &self.user_id, &self.trigger_id]),
            workspace: Some(workspace),
            at: now,
            by: self.person(),
            command: Some(self.command.clone()),
            line: self.text.trim().to_owned(),
            reply: ReplyTo::ResponseUrl(self.response_url.clone()),
        }
    }

    fn person(&self) -> Person {
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
    /// Somebody takes over in this rotation, or in the only one.
    TakeOver(Option<String>, Override),
    /// Something that only the workspace's configuration can tell the meaning of.
    Unknown,
}

/// The job that a line comes to, where nobody can be answered in place. Saying nothing asks for help, and for a form it is too late: that can only be opened within
/// three seconds.
pub fn job(spoken: Spoken, wish: Result<Wish, Refusal>) -> Job {
    let ask = match wish {
        Ok(Wish::Do(target, action)) => {
            let Spoken { id, workspace, at, by, reply, .. } = spoken;
            return Job::Intent(Box::new(Intent { id, workspace, at, by: Actor::User(by), target, action, reply: Some(reply) }));
        }
        Ok(Wish::TakeOver(rotation, taken)) => {
            let Spoken { id, workspace, by, reply, .. } = spoken;
            return Job::TakeOver(TakeOver { id, workspace, by, rotation, taken, reply });
        }
        Ok(Wish::Unknown) => return Job::Spoken(Box::new(spoken)),
        Ok(Wish::Tell(ask)) => ask,
        Ok(Wish::Help) => Ask::Help,
        Ok(Wish::CreateForm) => Ask::Nothing(Refusal::new(format!(
            "What is wrong? Say it right away, `create checkout is down`, or use `{INCIDENT} create` for a form."
        ))),
        Err(refusal) => Ask::Nothing(refusal),
    };
    let Spoken { id, workspace, by, reply, .. } = spoken;
    Job::Question(Question { id, workspace, by, ask, reply })
}

/// One word of the grammar.
struct Verb {
    names: &'static [&'static str],
    usage: &'static str,
    help: &'static str,
    read: fn(&str, Timestamp) -> Result<Wish, Refusal>,
}

/// The grammar.
const VERBS: &[Verb] = &[
    Verb {
        names: &["create", "new", "declare"],
        usage: "create [P1|P2|P3|P4] TITLE",
        help: "opens an incident; without a title, a form",
        read: |rest, _| create(rest),
    },
    Verb { names: &["list", "ls"], usage: "list", help: "what is open, the worst first", read: |rest, _| alone("list", rest, Ask::List) },
    Verb {
        names: &["show", "view"],
        usage: "show ID",
        help: "one incident with its timeline",
        read: |rest, _| Ok(Wish::Tell(Ask::Show(one_target(rest)?))),
    },
    Verb {
        names: &["ack", "acknowledge"],
        usage: "ack [ID]",
        help: "you have it; the ID may be left out when only one is open",
        read: |rest, _| Ok(Wish::Do(one_target(rest)?, Action::Acknowledge)),
    },
    Verb { names: &["resolve", "close"], usage: "resolve ID [NOTE]", help: "it is over", read: |rest, _| resolve(rest) },
    Verb {
        names: &["reopen", "unack"],
        usage: "reopen ID",
        help: "it is not over, or you do not have it any more",
        read: |rest, _| Ok(Wish::Do(one_target(rest)?, Action::Reopen)),
    },
    Verb {
        names: &["snooze"],
        usage: "snooze [ID] 30m",
        help: "it sleeps for a while and wakes up by itself: `15m`, `2h`, `1d`",
        read: snooze,
    },
    Verb {
        names: &["wake"],
        usage: "wake [ID]",
        help: "it does not sleep any longer",
        read: |rest, _| Ok(Wish::Do(one_target(rest)?, Action::Wake)),
    },
    Verb { names: &["assign"], usage: "assign [ID] @NAME", help: "somebody in particular is to look at it", read: |rest, _| assign(rest) },
    Verb {
        names: &["escalate"],
        usage: "escalate [ID] [@NAME] [WHY]",
        help: "calls this person, or whoever is next",
        read: |rest, _| escalate(rest),
    },
    Verb { names: &["severity", "sev"], usage: "severity [ID] P1|P2|P3|P4", help: "how bad it is", read: |rest, _| severity(rest) },
    Verb {
        names: &["oncall"],
        usage: "oncall [override [ROTATION] @NAME 4h]",
        help: "who is on call; or somebody takes over for a while, from now on",
        read: oncall,
    },
    Verb { names: &["note"], usage: "note ID TEXT", help: "adds to the timeline", read: |rest, _| note(rest) },
    Verb {
        names: &["commands"],
        usage: "commands",
        help: "what this workspace has added of its own",
        read: |rest, _| alone("commands", rest, Ask::Commands),
    },
    Verb { names: &["status"], usage: "status", help: "how things stand", read: |rest, _| alone("status", rest, Ask::Status) },
    Verb { names: &["help"], usage: "help", help: "this", read: |_, _| Ok(Wish::Help) },
];

/// How each word is used and what it does, for `help`.
pub fn usage() -> impl Iterator<Item = (&'static str, &'static str)> {
    VERBS.iter().map(|verb| (verb.usage, verb.help))
}

/// What a line asks for at this moment. Nothing at all asks for help.
pub fn read(line: &str, now: Timestamp) -> Result<Wish, Refusal> {
    let (word, rest) = first_word(line);
    if word.is_empty() {
        return Ok(Wish::Help);
    }
    let word = word.to_lowercase();
    if let Some(verb) = VERBS.iter().find(|verb| verb.names.contains(&word.as_str())) {
        return (verb.read)(rest, now);
    }
    Ok(Wish::Unknown)
}

/// Why the first word of a line is none that there is; `own` are the words that the workspace has added.
pub fn no_such_word<'a>(line: &str, own: impl Iterator<Item = &'a str>) -> Refusal {
    let word = first_word(line).0.to_lowercase();
    let names = VERBS.iter().flat_map(|verb| verb.names.iter().copied()).chain(own);
    let near = names.map(|name| (strsim::damerau_levenshtein(name, &word), name)).min().filter(|(distance, _)| *distance <= 2);
    let word = text::plain(&word);
    Refusal::new(match near {
        Some((_, name)) => format!("There is no `{word}`. Did you mean `{name}`? `/incident help` lists everything."),
        None => format!("There is no `{word}`. `/incident help` lists what there is; `/incident create {word} …` opens an incident."),
    })
}

/// A word that nothing comes after: whoever adds something wants something else than they would read.
fn alone(word: &str, rest: &str, ask: Ask) -> Result<Wish, Refusal> {
    if rest.is_empty() {
        Ok(Wish::Tell(ask))
    } else {
        Err(Refusal::new(format!("`/incident {word}` stands alone: nothing comes after it.")))
    }
}

/// The first word of a line, and what comes after it.
pub fn first_word(line: &str) -> (&str, &str) {
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
    Ok(Wish::Do(one_target(id)?, Action::Note { text, heard_in: None }))
}

fn snooze(rest: &str, now: Timestamp) -> Result<Wish, Refusal> {
    // `30m` could be the beginning of an id; alone it is a length of time.
    let (id, time) = if domain::duration(rest).is_some() { ("", rest) } else { first_word(rest) };
    let wanted = || Refusal::new("For how long? `/incident snooze ID 30m`; also `2h` or `1d`.");
    let until = domain::duration(time).filter(|time| !time.is_zero()).and_then(|time| now.checked_add(time).ok()).ok_or_else(wanted)?;
    Ok(Wish::Do(one_target(id)?, Action::Snooze { until }))
}

fn assign(rest: &str) -> Result<Wish, Refusal> {
    let (target, rest) = target_before(rest, |word| word.starts_with(['<', '@']))?;
    let to = person(first_word(rest).0).ok_or_else(|| Refusal::new("To whom? `/incident assign ID @name`"))??;
    Ok(Wish::Do(target, Action::Assign { to }))
}

fn escalate(rest: &str) -> Result<Wish, Refusal> {
    let (target, rest) = target_before(rest, |word| word.starts_with(['<', '@']))?;
    let (word, after) = first_word(rest);
    let (to, note) = match person(word).transpose()? {
        Some(to) => (Some(to), after),
        None => (None, rest),
    };
    let note = Some(text::plain(note)).filter(|note| !note.is_empty());
    Ok(Wish::Do(target, Action::Escalate { to, note }))
}

fn severity(rest: &str) -> Result<Wish, Refusal> {
    let (target, word) = target_before(rest, |word| Severity::parse(word).is_some())?;
    let severity =
        Severity::parse(word).ok_or_else(|| Refusal::new("How bad is it? `/incident severity ID P2`, from P1, the worst, to P4."))?;
    Ok(Wish::Do(target, Action::Update(Changes { severity: Some(severity), ..Changes::default() })))
}

fn oncall(rest: &str, now: Timestamp) -> Result<Wish, Refusal> {
    let (word, rest) = first_word(rest);
    if word.is_empty() {
        return Ok(Wish::Tell(Ask::OnCall));
    }
    let usage = || Refusal::new("Who takes over, and for how long? `/incident oncall override ROTATION @name 4h`");
    if !word.eq_ignore_ascii_case("override") {
        return Err(usage());
    }
    // A rotation's name may be several words.
    let at = rest.find(['<', '@']).ok_or_else(usage)?;
    let (rotation, rest) = rest.split_at(at);
    let (who, time) = first_word(rest);
    let person = person(who).ok_or_else(usage)??;
    let until = domain::duration(time).filter(|time| !time.is_zero()).and_then(|time| now.checked_add(time).ok()).ok_or_else(usage)?;
    let rotation = Some(text::plain(rotation.trim())).filter(|rotation| !rotation.is_empty());
    Ok(Wish::TakeOver(rotation, Override { person, from: now, until, said_at: now }))
}

/// The incident at the beginning of a line, and the rest of it. Where the first word is what comes after the incident, the only open one is meant.
fn target_before(rest: &str, comes_after: impl Fn(&str) -> bool) -> Result<(Target, &str), Refusal> {
    let (word, after) = first_word(rest);
    if comes_after(word) { Ok((Target::Only, rest)) } else { Ok((one_target(word)?, after)) }
}

/// The person whom a word mentions; `None` where it mentions nobody. A name alone is none: only Slack knows whose it is.
fn person(word: &str) -> Option<Result<UserId, Refusal>> {
    if let Some(id) = text::mentioned_user(word) {
        return Some(Ok(UserId::new(id)));
    }
    let unknown = || {
        let word = text::plain(word);
        Refusal::new(format!("Slack did not say who {word} is. Choose the name from the list that Slack shows while you type it."))
    };
    word.starts_with('@').then(|| Err(unknown()))
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

    fn reads(line: &str) -> Result<Wish, Refusal> {
        read(line, Timestamp::UNIX_EPOCH)
    }

    fn create_of(title: &str, severity: Option<Severity>) -> Wish {
        Wish::Do(Target::New, Action::Create(Changes { title: Some(title.into()), severity, ..Changes::default() }))
    }

    #[test]
    fn create_takes_a_severity_and_a_title_as_a_person_types_it() {
        assert_eq!(reads("create P1 checkout is down"), Ok(create_of("checkout is down", Some(Severity::P1))));
        assert_eq!(reads("  CREATE <@U1|jane> sees p99 &gt; 2s  "), Ok(create_of("@jane sees p99 > 2s", None)));
        assert_eq!(reads("create high load"), Ok(create_of("high load", None)));
        assert_eq!(reads("create"), Ok(Wish::CreateForm));
        assert_eq!(reads("create p2"), Ok(Wish::CreateForm));
    }

    #[test]
    fn an_id_is_completed_by_its_first_characters() {
        assert_eq!(reads("ack 7k3"), Ok(Wish::Do(Target::Prefix("INC-7K3".into()), Action::Acknowledge)));
        assert_eq!(reads("ack"), Ok(Wish::Do(Target::Only, Action::Acknowledge)));
        let closing = Closing { note: Some("rolled back".into()), root_cause: None };
        assert_eq!(reads("resolve INC-7K3QPF rolled back"), Ok(Wish::Do(Target::Prefix("INC-7K3QPF".into()), Action::Resolve(closing))));
    }

    #[test]
    fn what_comes_after_the_id_may_stand_alone() {
        let only = |line: &str| matches!(reads(line), Ok(Wish::Do(Target::Only, _)));
        for line in
            ["snooze 30m", "snooze 1h 30m", "assign <@U1|jane>", "escalate", "escalate <@U1> it is beyond me", "severity P2", "sev high"]
        {
            assert!(only(line), "{line}: {:?}", reads(line));
        }
        let prefix = |line: &str| matches!(reads(line), Ok(Wish::Do(Target::Prefix(id), _)) if id == "INC-30M");
        for line in ["snooze 30m 1h", "assign 30m <@U1>", "escalate 30m", "escalate 30m beyond me", "severity 30m 1"] {
            assert!(prefix(line), "{line}: {:?}", reads(line));
        }
        let escalated = Action::Escalate { to: Some(UserId::new("U1")), note: Some("it is beyond @omar".into()) };
        assert_eq!(reads("escalate <@U1|jane> it is beyond <@U2|omar>"), Ok(Wish::Do(Target::Only, escalated)));
    }

    #[test]
    fn somebody_takes_over_in_a_rotation_or_in_the_only_one() {
        let taken = |line| match reads(line) {
            Ok(Wish::TakeOver(rotation, taken)) => (rotation, taken.person.to_string(), taken.until.as_second()),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(taken("oncall override <@U1|jane> 4h"), (None, "U1".into(), 4 * 3_600));
        assert_eq!(taken("oncall override check out <@U1> 1d"), (Some("check out".into()), "U1".into(), 24 * 3_600));
        assert_eq!(reads("oncall"), Ok(Wish::Tell(Ask::OnCall)));
        for line in ["oncall checkout", "oncall override", "oncall override <@U1>", "oncall override checkout 4h"] {
            assert!(reads(line).expect_err(line).to_string().contains("for how long?"), "{line}");
        }
    }

    #[test]
    fn a_mistake_reads_what_to_do() {
        let refusal = |line| reads(line).expect_err("a refusal").to_string();
        assert_eq!(reads("acknowlege INC-1"), Ok(Wish::Unknown));
        let no_such = |line| no_such_word(line, ["deploy"].into_iter()).to_string();
        assert!(no_such("acknowlege INC-1").contains("Did you mean `acknowledge`?"));
        assert!(no_such("depoly checkout").contains("Did you mean `deploy`?"));
        assert!(refusal("note 7K3").contains("note ID TEXT"));
        assert!(refusal("ack db#1").contains("is no incident's id"));
        assert!(no_such("<!channel> down").contains("`@channel`"));
        assert!(refusal("list P1").contains("stands alone") && refusal("status all").contains("stands alone"));
        assert!(refusal("snooze 7K3").contains("For how long?"));
        assert!(refusal("snooze 7K3 -5m").contains("For how long?"));
        assert!(refusal("assign 7K3").contains("To whom?"));
        assert!(refusal("assign 7K3 @jane").contains("who @jane is"));
        assert!(refusal("severity 7K3 P9").contains("P1, the worst, to P4"));
    }

    #[test]
    fn nothing_said_is_help_and_help_knows_every_word() {
        assert_eq!(reads("  "), Ok(Wish::Help));
        let words: Vec<_> = usage().map(|(usage, _)| usage.split(' ').next().unwrap_or_default()).collect();
        let all = [
            "create", "list", "show", "ack", "resolve", "reopen", "snooze", "wake", "assign", "escalate", "severity", "oncall", "note",
            "commands", "status", "help",
        ];
        assert_eq!(words, all);
    }
}
