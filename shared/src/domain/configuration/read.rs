//! From the document to the settings, or to everything that is wrong with it.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::section::{self, Mistake, Mistakes, Placed, Section, listed};
use super::{Configuration, Notify, templates};
use super::{calls, sources, subscribers};
use crate::domain::call::Endpoint;
use crate::domain::escalation::{Callee, Policy, Step};
use crate::domain::flapping::FlappingRate;
use crate::domain::ids::{Channel, UserId, is_slack_id};
use crate::domain::oncall::Rotation;
use crate::domain::people::Others;
use crate::domain::reactions::{self, Reactions};
use crate::domain::report::{Report, Schedule};
use crate::domain::routing::{Match, Routing, Rule, Target};
use crate::domain::severity::Severity;
use crate::domain::sla;
use crate::domain::storm::StormRate;

/// What is snoozed for longer is forgotten.
const SNOOZES: std::ops::RangeInclusive<SignedDuration> = SignedDuration::from_mins(1)..=SignedDuration::from_hours(30 * 24);
/// Slack shows a menu of five lines in a card, and the last one asks for a time.
const SNOOZE_CHOICES: usize = 4;
const WAITS: std::ops::RangeInclusive<SignedDuration> = SignedDuration::ZERO..=SignedDuration::from_hours(7 * 24);
const PROMISES: std::ops::RangeInclusive<SignedDuration> = SignedDuration::from_mins(1)..=SignedDuration::from_hours(365 * 24);
const CHANNEL: &str = "a channel's id `C…` or name `#…`, a person's id `U…`, or a webhook's name `webhook:…`";
/// It is part of a key.
const REPORT_NAME: usize = 80;
const SEVERITIES: &str = "`P1`, `P2`, `P3`, `P4`, or `HIGH`, `MEDIUM`, `LOW`";

/// Reads a document. The error is every mistake in it, in the order of its lines.
pub fn read(document: &str) -> Result<Configuration, Vec<Mistake>> {
    let mistakes = Mistakes::of(document);
    let configuration = Section::whole(&mistakes).map(|section| section.read(whole)).unwrap_or_default();
    let mistakes = mistakes.all();
    if mistakes.is_empty() { Ok(configuration) } else { Err(mistakes) }
}

fn whole(document: &mut Section<'_, '_>) -> Configuration {
    let default = Configuration::default();
    let rotations: Vec<Rotation> = document.sections("oncall", 0).into_iter().filter_map(|section| section.read(rotation)).collect();
    let policies = document.sections("escalation", 0).into_iter();
    let policies: Vec<Policy> = policies.filter_map(|section| section.read(|section| policy(section, &rotations))).collect();
    let endpoints: Vec<Endpoint> =
        document.sections("endpoints", 0).into_iter().filter_map(|section| section.read(calls::endpoint)).collect();
    let commands = document.sections("commands", 0).into_iter();
    let commands = commands.filter_map(|section| section.read(|section| calls::command(section, &endpoints))).collect();
    Configuration {
        thread: document.flag("thread", default.thread),
        notify: document.section("notify").map_or(default.notify, |section| section.read(notify)),
        reactions: document.section("reactions").map_or(default.reactions, |section| section.read(reactions)),
        snooze: document.section("snooze").map_or(default.snooze, |section| section.read(snooze)),
        storm: document.section("storm").map_or(default.storm, |section| section.read(storm)),
        flapping: document.section("flapping").map_or(default.flapping, |section| section.read(flapping)),
        sla: document.section("sla").map_or(default.sla, |section| section.read(targets)),
        routing: document.section("routing").and_then(|section| section.read(routing)),
        people: document.section("people").map_or(default.people, |section| section.read(others)),
        approvals: document.section("approvals").map_or(default.approvals, |section| section.read(calls::approvals)),
        aliases: calls::aliases(document),
        sources: sources::sources(document),
        subscribers: subscribers::subscribers(document, &endpoints),
        rotations,
        policies,
        endpoints,
        commands,
        reports: reports(document),
        templates: document.sections("templates", 0).into_iter().filter_map(|section| section.read(templates::template)).collect(),
    }
}

fn notify(section: &mut Section<'_, '_>) -> Notify {
    Notify {
        triggered: section.flag("triggered", true),
        updated: section.flag("updated", true),
        acknowledged: section.flag("acknowledged", true),
        resolved: section.flag("resolved", true),
        escalated: section.flag("escalated", true),
        snoozed: section.flag("snoozed", true),
        sla_breached: section.flag("sla_breached", true),
        decided: section.flag("decided", true),
        noted: section.flag("noted", true),
        least: section.parsed("least", severity).map_or(Severity::P4, |placed| placed.value),
        direct_on_assignment: section.flag("direct_on_assignment", true),
        notice_on_resolve: section.flag("notice_on_resolve", true),
    }
}

fn reactions(section: &mut Section<'_, '_>) -> Reactions {
    let default = Reactions::default();
    let mut taken: Vec<(String, String)> = Vec::new();
    let mut names = |key: &'static str, default: Vec<String>| {
        let Some(texts) = section.texts(key, 0) else { return default };
        let mut names = Vec::new();
        for text in texts {
            let name = text.value.trim_matches(':').to_owned();
            if !reactions::is_name(&name) {
                section.wrong_at(
                    &text,
                    format!("`{}` is no emoji's name; it has to be what stands between the colons, such as `eyes`", text.value),
                );
            } else if let Some((_, other)) = taken.iter().find(|(known, _)| *known == name) {
                section.wrong_at(&text, format!("`{name}` stands in `{other}` already; it can mean one thing"));
            } else {
                taken.push((name.clone(), text.path.clone()));
                names.push(name);
            }
        }
        names
    };
    Reactions {
        acknowledge: names("acknowledge", default.acknowledge),
        resolve: names("resolve", default.resolve),
        reopen: names("reopen", default.reopen),
        escalate: names("escalate", default.escalate),
    }
}

fn snooze(section: &mut Section<'_, '_>) -> Vec<SignedDuration> {
    let Some(texts) = section.texts("choices", 1) else { return Configuration::default().snooze };
    if texts.len() > SNOOZE_CHOICES {
        section.wrong(section.span, "choices", format!("these are {}; there is room for {SNOOZE_CHOICES}", texts.len()));
    }
    let mut choices = Vec::new();
    for text in texts {
        match section::duration(&text.value, &SNOOZES) {
            Ok(choice) => choices.push(choice),
            Err(what) => section.wrong_at(&text, what),
        }
    }
    choices
}

fn storm(section: &mut Section<'_, '_>) -> StormRate {
    section.number("above", 0..=1_000_000).map_or_else(StormRate::default, |above| StormRate { above })
}

fn flapping(section: &mut Section<'_, '_>) -> FlappingRate {
    let default = FlappingRate::default();
    let small = |number: Option<u32>, default: u16| number.and_then(|number| u16::try_from(number).ok()).unwrap_or(default);
    let times = small(section.number("times", 0..=1_000), default.times);
    FlappingRate { times, minutes: small(section.number("minutes", 1..=1_440), default.minutes) }
}

fn targets(section: &mut Section<'_, '_>) -> sla::Targets {
    let mut targets = sla::Targets::default();
    for (severity, name) in Severity::ALL.into_iter().zip(["P1", "P2", "P3", "P4"]) {
        let target = section.section(name).map(|section| {
            section.read(|section| sla::Target {
                acknowledge: section.duration("acknowledge", PROMISES),
                resolve: section.duration("resolve", PROMISES),
            })
        });
        targets.set(severity, target.unwrap_or_default());
    }
    targets
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("`{name}` is no time zone; it has to be a name such as `Europe/Berlin` or `UTC`"))
}

/// What is posted by the calendar. Two of one name would be taken for one.
fn reports(document: &mut Section<'_, '_>) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    for section in document.sections("reports", 0) {
        let report = section.read(|section| {
            let name = section.required_text("name");
            if let Some(name) = name.as_ref().filter(|name| name.value.chars().count() > REPORT_NAME) {
                section.wrong_at(name, format!("this is longer than {REPORT_NAME} characters"));
            }
            if let Some(again) = name.as_ref().filter(|name| reports.iter().any(|known| known.name == name.value)) {
                section.wrong_at(again, format!("there are two reports `{}`; each has to have a name of its own", again.value));
            }
            let channel = section.parsed("channel", channel);
            section.required("channel", CHANNEL);
            let zone = section.parsed("zone", zone).map_or(TimeZone::UTC, |placed| placed.value);
            let every = section.parsed("every", |text| Schedule::every(text, &zone));
            let cron = section.parsed("cron", |text| Schedule::cron(text, &zone));
            if section.has("every") == section.has("cron") {
                section.wrong(section.span, "", "this needs one of `every`, such as `daily 09:00`, and `cron`, such as `0 9 * * 1-5`");
            }
            let schedule = every.or(cron)?.value;
            Some(Report { name: name?.value, channel: channel?.value, zone, schedule })
        });
        reports.extend(report);
    }
    reports
}

fn rotation(section: &mut Section<'_, '_>) -> Option<Rotation> {
    let name = section.required_text("name");
    let zone = section.parsed("zone", zone);
    let start = section.parsed("start", |text| {
        text.parse::<DateTime>()
            .map_err(|_| format!("`{text}` is no moment; it has to be one on the zone's clock, such as `2026-01-05T09:00`"))
    });
    section.required("start", "when the first turn begins, such as `2026-01-05T09:00`");
    let days = section.number("turn_days", 1..=366).unwrap_or(7);
    let people = section.texts("people", 1).unwrap_or_default();
    section.required("people", "who takes turns, as Slack's ids: `[\"U…\"]`");
    let mut ids = Vec::new();
    for person in people {
        if is_slack_id(&person.value, &['U', 'W']) {
            ids.push(UserId::new(person.value));
        } else {
            section.wrong_at(&person, format!("`{}` is no person's id; it has to be Slack's, `U…`", person.value));
        }
    }
    let days = u16::try_from(days).ok()?;
    let zone = zone.map_or(TimeZone::UTC, |placed| placed.value);
    (!ids.is_empty()).then_some(Rotation { name: name?.value, zone, start: start?.value, days, people: ids })
}

fn policy(section: &mut Section<'_, '_>, rotations: &[Rotation]) -> Option<Policy> {
    let name = section.required_text("name");
    let matches = section.section("match").map(|section| section.read(matching));
    let repeat = section.number("repeat", 0..=100).unwrap_or_default();
    let steps: Vec<Step> =
        section.sections("steps", 1).into_iter().map(|section| section.read(|section| step(section, rotations))).collect();
    section.required("steps", "whom to call, `[{ after = \"10m\", call = [\"U…\"] }]`");
    // A rule that could not be read is no rule for everything.
    let matches = match matches {
        None => None,
        Some(None) => return None,
        Some(found) => found,
    };
    (!steps.is_empty()).then_some(Policy { name: name?.value, matches, steps, repeat: u16::try_from(repeat).ok()? })
}

fn step(section: &mut Section<'_, '_>, rotations: &[Rotation]) -> Step {
    let after = section.duration("after", WAITS).unwrap_or_default();
    let callees = section.texts("call", 1).unwrap_or_default();
    section.required("call", "whom to call, `[\"rotation:…\", \"U…\", \"S…\", \"C…\"]`");
    let mut call = Vec::new();
    for callee in callees {
        match callee_of(&callee, rotations) {
            Ok(callee) => call.push(callee),
            Err(what) => section.wrong_at(&callee, what),
        }
    }
    Step { after, call }
}

fn callee_of(callee: &Placed<String>, rotations: &[Rotation]) -> Result<Callee, String> {
    let text = callee.value.as_str();
    if let Some(name) = text.strip_prefix("rotation:") {
        let known = rotations.iter().any(|rotation| rotation.name == name);
        let names = || listed(rotations.iter().map(|rotation| format!("rotation:{}", rotation.name)));
        return if known {
            Ok(Callee::Rotation(name.to_owned()))
        } else {
            Err(format!("there is no rotation `{name}`. There is: {}", names()))
        };
    }
    if is_slack_id(text, &['U', 'W']) {
        return Ok(Callee::Person(UserId::new(text)));
    }
    if is_slack_id(text, &['S']) {
        return Ok(Callee::Group(text.to_owned()));
    }
    if is_slack_id(text, &['C', 'G']) || text.starts_with('#') {
        return Ok(Callee::Channel(Channel::new(text)));
    }
    Err(format!("`{text}` can be called by nobody; it has to be `rotation:NAME`, a person `U…`, a usergroup `S…` or a channel `C…`"))
}

fn routing(section: &mut Section<'_, '_>) -> Option<Routing> {
    let default = section.section("default").map(|section| section.read(target));
    section.required("default", "where everything goes that no rule takes, `{ channel = \"C…\" }`");
    let rules = section.sections("rules", 0).into_iter().filter_map(|section| section.read(rule)).collect();
    Some(Routing { default: default??, rules })
}

fn rule(section: &mut Section<'_, '_>) -> Option<Rule> {
    let matches = section.section("match").map(|section| section.read(matching));
    section.required("match", "what it is about, `{ service = \"…\" }`, `{ kind = \"…\" }` or `{ severity = \"P1\" }`");
    let targets = section.sections("to", 1);
    section.required("to", "where that goes, `[{ channel = \"C…\" }]`");
    let to: Vec<Target> = targets.into_iter().filter_map(|section| section.read(target)).collect();
    Some(Rule { matches: matches??, to })
}

pub(super) fn matching(section: &mut Section<'_, '_>) -> Option<Match> {
    let service = section.text("service").map(|placed| Match::Service(placed.value));
    let kind = section.text("kind").map(|placed| Match::Kind(placed.value));
    let severity = section.parsed("severity", severity).map(|placed| Match::Severity(placed.value));
    let mut found: Vec<_> = [service, kind, severity].into_iter().flatten().collect();
    if section.is_empty() {
        section.wrong(section.span, "", "this names nothing; it has to be one of `service`, `kind` and `severity`");
    }
    if found.len() > 1 {
        section.wrong(section.span, "", "this names several things; it has to be one of `service`, `kind` and `severity`");
    }
    found.pop()
}

fn channel(text: &str) -> Result<Channel, String> {
    let known = is_slack_id(text, &['C', 'G', 'D', 'U', 'W'])
        || text.len() > 1 && text.starts_with('#')
        || text.len() > 8 && text.starts_with("webhook:");
    if known { Ok(Channel::new(text)) } else { Err(format!("`{text}` is no channel; it has to be {CHANNEL}")) }
}

fn target(section: &mut Section<'_, '_>) -> Option<Target> {
    let channel = section.parsed("channel", channel);
    section.required("channel", CHANNEL);
    let mut mentions = Vec::new();
    for mention in section.texts("mentions", 0).unwrap_or_default() {
        if is_slack_id(&mention.value, &['S', 'U', 'W']) {
            mentions.push(mention.value);
        } else {
            section
                .wrong_at(&mention, format!("`{}` cannot be called; it has to be a usergroup's id `S…` or a person's `U…`", mention.value));
        }
    }
    let name = section.text("name").map(|placed| placed.value);
    let description = section.text("description").map(|placed| placed.value);
    let labels = section.texts("labels", 0).unwrap_or_default().into_iter().map(|placed| placed.value).collect();
    Some(Target { channel: channel?.value, mentions, name, description, labels })
}

fn others(section: &mut Section<'_, '_>) -> Others {
    let mut channels = |key| {
        let mut channels = Vec::new();
        for channel in section.texts(key, 0).unwrap_or_default() {
            // A press says where it was by id.
            if is_slack_id(&channel.value, &['C', 'G']) {
                channels.push(Channel::new(channel.value));
            } else {
                section.wrong_at(&channel, format!("`{}` is no channel's id; it has to be `C…`", channel.value));
            }
        }
        channels
    };
    Others { guests: channels("guests"), strangers: channels("strangers") }
}

pub(super) fn severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| format!("`{text}` is no severity; it has to be {SEVERITIES}"))
}
