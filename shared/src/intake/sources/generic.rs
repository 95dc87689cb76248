//! Anything else: an event nobody knows becomes a card that a person can read at a glance: what it calls itself, where it is from, and its most telling
//! fields, with secrets masked. Every one is an incident of its own, because nothing says which of them belong together.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::Verdict;
use crate::domain::ids::IntentId;
use crate::domain::intent::{Action, Actor, Changes, Detail, Intent, Link, Target};
use crate::domain::severity::Severity;
use crate::domain::sources::ACCOUNT;
use crate::intake::event::{Content, Event, time_in};
use crate::intake::fields::{is_link, plain, plain_in, text};
use crate::intake::{limits, mask};

/// How many fields of an event are looked at, the outermost first; what tells most stands outside.
const FIELDS_SEEN: usize = 500;

/// How many entries of one list are looked at: the rest is more of the same.
const ENTRIES_SEEN: usize = 3;

/// How many of the event's own fields show on the card.
const FIELDS_SHOWN: usize = 10;

/// What a text that stands for the whole event may take on its one line.
const HEADLINE: usize = 150;

/// Names under which events say what happened, the best first. All names are in lower case and without `_`, `-` and spaces.
const TITLES: &[&str] = &["title", "subject", "headline", "summary", "alertname"];
/// Names of what is but a word for it, and counts only where the event itself has it, not one of its parts.
const TITLE_WORDS: &[&str] =
    &["eventname", "eventtypecode", "notificationtype", "event", "type", "name", "resourcetype", "documentname", "jobname"];
/// Names under which events tell more.
const DESCRIPTIONS: &[&str] = &[
    "description",
    "latestdescription",
    "message",
    "eventmessage",
    "text",
    "body",
    "details",
    "statusmessage",
    "errormessage",
    "reason",
    "cause",
    "error",
];
/// Names under which events say how it stands.
const STATES: &[&str] = &[
    "state",
    "status",
    "buildstatus",
    "scanstatus",
    "detailedstatus",
    "jobstatus",
    "currentstate",
    "completedphase",
    "result",
    "outcome",
    "operationtype",
];
/// Names under which events say how bad it is. Numbers do not count: on every scale they mean something else.
const SEVERITIES: &[&str] = &["severity", "severitylabel", "priority", "urgency", "level", "label"];
/// Names under which events say when it happened.
const TIMES: &[&str] = &[
    "eventTime",
    "Event Time",
    "time",
    "timestamp",
    "Timestamp",
    "date",
    "startsAt",
    "createdAt",
    "updatedAt",
    "notificationCreationTime",
];
/// Names under which events say where from.
const ACCOUNTS: &[&str] = &["account", "accountId", "AccountId", "awsAccountId", "AWSAccountId", "recipientAccountId"];
const REGIONS: &[&str] = &["region", "awsRegion", "Region"];
const SOURCES: &[&str] = &["eventSource", "EventSource", "Event Source", "source", "Service", "service"];
/// Names of fields that tell most, the best first, beside those above.
const TELLING: &[&str] = &[
    "reason",
    "cause",
    "errorcode",
    "errormessage",
    "error",
    "severity",
    "normalized",
    "environment",
    "stage",
    "action",
    "eventname",
    "project",
    "projectname",
    "pipeline",
    "application",
    "jobname",
    "repositoryname",
    "instanceid",
    "ec2instanceid",
    "dbinstanceidentifier",
    "functionname",
    "clustername",
    "bucketname",
    "key",
    "documentname",
    "username",
    "deploymentid",
    "executionid",
    "commandid",
    "count",
];
/// Ends of names that hold links people want to open, and the links nobody should.
const LINK_ENDS: &[&str] = &["url", "link", "href", "uri"];
const NO_LINKS: &[&str] =
    &["responseurl", "unsubscribeurl", "subscribeurl", "signingcerturl", "schemaurl", "avatarurl", "imageurl", "iconurl"];
/// Words that say all is well, or that nothing has come of it yet: good to know, no more. "Completed" is not one of them: a scan completes with its findings.
const CALM: &[&str] = &["success", "succeeded", "successful", "started", "queued", "pending", "running", "inprogress"];

/// One field of an event, with its secrets masked.
struct Field {
    /// The way to it: `service.count`.
    path: String,
    /// Its own name, plain.
    name: String,
    value: String,
    /// How many objects it is inside of, the event itself not counted.
    depth: usize,
    /// Whether it holds a text of its own: no number, no list, nothing masked.
    is_text: bool,
}

/// Reads any event.
pub(super) fn read(event: &Event) -> Verdict {
    let (changes, itself) = match &event.content {
        Content::Text(text) => (from_text(event, text), None),
        Content::Object(object) => (from_object(event, object), TIMES.iter().find_map(|name| time_in(object, name))),
    };
    let source = source(event);
    let intent = Intent {
        id: id(event),
        workspace: None,
        at: event.at(event.bridge.as_ref().and_then(|bridge| bridge.time).or(itself)),
        by: Actor::Source(limits::said_line(&mask::text(&source), limits::NAME).unwrap_or_else(|| "the incidents queue".to_owned())),
        target: Target::New,
        action: Action::Create(limits::fit(changes)),
        reply: None,
    };
    Verdict::Intents(vec![intent])
}

/// AWS's records (S3, DynamoDB, CloudTrail …) have an id of their own beside their source.
fn id(event: &Event) -> IntentId {
    let own = || {
        let object = event.object().filter(|_| event.bridge.is_none() && event.sns.is_none())?;
        let source = text(object, "eventSource")?;
        let id = text(object, "eventID").or_else(|| text(object, "eventId"))?;
        Some(IntentId::of("record", &[source, id]))
    };
    own().unwrap_or_else(|| event.id())
}

/// Who says so, as AWS names it: `aws.guardduty`, `aws:s3`, a topic.
fn source(event: &Event) -> String {
    let topic = || Some(event.sns.as_ref()?.topic.as_ref()?.resource.clone());
    known_source(event).or_else(topic).unwrap_or_else(|| "the incidents queue".to_owned())
}

/// Who the event says that it is from.
fn known_source(event: &Event) -> Option<String> {
    let bridge = event.bridge.as_ref().and_then(|bridge| bridge.source.clone());
    bridge.or_else(|| first_of(event.object()?, SOURCES))
}

fn first_of(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| plain_in(object, name)).map(|value| limits::cut_line(&value, limits::NAME))
}

/// The kind that routes it: `aws.guardduty`, `aws:guardduty` and `guardduty.amazonaws.com` are all `guardduty`.
fn kind(event: &Event) -> String {
    let bridge = event.bridge.as_ref().and_then(|bridge| bridge.source.clone());
    let named = bridge.or_else(|| text(event.object()?, "eventSource").map(str::to_owned));
    let Some(named) = named else { return "event".to_owned() };
    let short = named.trim_start_matches("aws.").trim_start_matches("aws:").trim_end_matches(".amazonaws.com");
    short.to_lowercase()
}

/// What somebody wrote to an SNS topic: the subject, or where there is none the first line, is the title.
fn from_text(event: &Event, text: &str) -> Changes {
    let text = mask::text(&limits::cut(text, limits::PROSE));
    let subject = event.sns.as_ref().and_then(|sns| sns.subject.as_deref()).map(mask::text);
    let first_line = || limits::said_line(text.lines().next().unwrap_or_default(), HEADLINE);
    let title = subject.or_else(first_line).unwrap_or_else(|| format!("Message from {}", source(event)));
    Changes {
        title: Some(title),
        description: Some(text),
        kind: Some("notification".to_owned()),
        details: Some(origin(event)),
        ..Changes::default()
    }
}

fn from_object(event: &Event, object: &Map<String, Value>) -> Changes {
    let fields = fields(object);
    // How a part of it stands says nothing about the whole.
    let state = outermost(&fields, STATES, 1);
    let description = named(&fields, DESCRIPTIONS);
    let title = title(event, &fields, description, state);
    let grade = SEVERITIES.iter().find_map(|name| fields.iter().filter(|field| field.is_text && field.name == *name).find_map(grade));
    let calm = || state.filter(|state| CALM.contains(&mask::plain_name(&state.value).as_str())).map(|_| Severity::P4);

    let mut details = origin(event);
    details.extend(state.map(detail));
    let links = links(&fields);
    // What the card says already need not be said again.
    let said = |field: &&Field| {
        let again = [state, description].iter().flatten().any(|other| std::ptr::eq(*other, *field));
        again || title.starts_with(&field.value) || field.value == "[]" || links.iter().any(|link| link.url == field.value)
    };
    let mut others: Vec<&Field> = fields.iter().filter(|field| !said(field) && !is_origin(field)).collect();
    others.sort_by_key(|field| TELLING.iter().position(|name| *name == field.name).unwrap_or(TELLING.len()));
    details.extend(others.into_iter().take(FIELDS_SHOWN).map(detail));

    let resources = event.bridge.as_ref().map(|bridge| bridge.resources.clone()).unwrap_or_default();
    let resources: Vec<String> = resources.iter().map(|resource| mask::text(&limits::cut_line(resource, limits::NAME))).collect();
    Changes {
        title: Some(title),
        description: description.map(|field| field.value.clone()),
        severity: grade.or_else(calm),
        kind: Some(kind(event)),
        components: (!resources.is_empty()).then_some(resources),
        links: (!links.is_empty()).then_some(links),
        details: Some(details),
        ..Changes::default()
    }
}

/// A field by the last two names of its way: the rest is how the event is built, not what it says.
fn detail(field: &Field) -> Detail {
    let names: Vec<&str> = field.path.split('.').filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit())).collect();
    let label = names.get(names.len().saturating_sub(2)..).unwrap_or_default().join(".");
    Detail { label: if label.is_empty() { field.path.clone() } else { label }, value: field.value.clone() }
}

/// A grade in words; `9` on one scale is `2` on another.
fn grade(field: &Field) -> Option<Severity> {
    let has_letters = field.value.bytes().any(|byte| byte.is_ascii_alphabetic());
    has_letters.then(|| Severity::parse(&field.value))?
}

/// What the event calls itself, then EventBridge's word for it, then SNS's subject, then a mere name or type, then its description's first line; and how it
/// stands, where that is not in it.
fn title(event: &Event, fields: &[Field], description: Option<&Field>, state: Option<&Field>) -> String {
    let strong = named(fields, TITLES).map(|field| field.value.clone());
    let bridge = || event.bridge.as_ref().map(|bridge| bridge.detail_type.clone());
    let subject = || event.sns.as_ref()?.subject.as_deref().map(mask::text);
    let word = || {
        let word = &outermost(fields, TITLE_WORDS, 0)?.value;
        let source = known_source(event).map(|source| format!(" ({source})")).unwrap_or_default();
        Some(format!("{word}{source}"))
    };
    let first_line = || limits::said_line(description?.value.lines().next()?.trim_end_matches('.'), HEADLINE);
    // `{"awslogs": {…}}`: the one name there is.
    let only = || {
        let mut names = event.object()?.keys();
        names.next().filter(|_| names.next().is_none()).cloned()
    };
    let title = strong.or_else(bridge).or_else(subject).or_else(word).or_else(first_line).or_else(only);
    let title = title.unwrap_or_else(|| format!("Event from {}", source(event)));
    match state {
        Some(state) if !title.to_lowercase().contains(&state.value.to_lowercase()) && state.value.len() <= 64 => {
            format!("{title}: {}", state.value)
        }
        _ => title,
    }
}

/// The field with the best of these names that holds text.
fn named<'a>(fields: &'a [Field], names: &[&str]) -> Option<&'a Field> {
    outermost(fields, names, usize::MAX)
}

/// The same, not deeper than so many levels.
fn outermost<'a>(fields: &'a [Field], names: &[&str], depth: usize) -> Option<&'a Field> {
    names.iter().find_map(|name| fields.iter().find(|field| field.is_text && field.depth <= depth && field.name == *name))
}

/// Where it is from.
fn origin(event: &Event) -> Vec<Detail> {
    let bridge = event.bridge.as_ref();
    let topic = || event.sns.as_ref()?.topic.as_ref();
    let itself = |names: &[&str]| first_of(event.object()?, names);
    let account = bridge.and_then(|bridge| bridge.account.clone()).or_else(|| itself(ACCOUNTS)).or_else(|| topic()?.account.clone());
    let region = bridge.and_then(|bridge| bridge.region.clone()).or_else(|| itself(REGIONS)).or_else(|| topic()?.region.clone());
    let source = known_source(event).or_else(|| Some(topic()?.resource.clone()));
    let details = [("Source", source), (ACCOUNT, account), ("Region", region)];
    details.into_iter().filter_map(|(label, value)| Some(Detail { label: label.to_owned(), value: mask::text(&value?) })).collect()
}

/// Whether the field repeats what [`origin`] says, or says nothing to a person.
fn is_origin(field: &Field) -> bool {
    let repeats = [ACCOUNTS, REGIONS, SOURCES, TIMES].into_iter().flatten().any(|name| mask::plain_name(name) == field.name);
    repeats
        || matches!(
            field.name.as_str(),
            "version" | "schemaversion" | "eventversion" | "requestid" | "eventid" | "recordversion" | "s3schemaversion"
        )
}

/// The fields with something in them, the outermost first, secrets masked.
fn fields(object: &Map<String, Value>) -> Vec<Field> {
    let mut found = Vec::new();
    let mut seen = 0;
    let mut open: VecDeque<(String, usize, &Map<String, Value>)> = VecDeque::from([(String::new(), 0, object)]);
    while let Some((path, depth, object)) = open.pop_front() {
        let values_are_secret = mask::names_a_secret(object);
        for (name, value) in object {
            seen += 1;
            if seen > FIELDS_SEEN {
                return found;
            }
            let path = if path.is_empty() {
                limits::cut_line(name, limits::NAME)
            } else {
                limits::cut_line(&format!("{path}.{name}"), limits::NAME)
            };
            if (mask::is_secret_name(name) || (values_are_secret && mask::is_value(name))) && !mask::is_harmless(value) {
                found.push(Field { path, name: mask::plain_name(name), value: mask::MASKED.to_owned(), depth, is_text: false });
                continue;
            }
            match value {
                Value::Object(inner) => open.push_back((path, depth + 1, inner)),
                Value::Array(entries) => {
                    let plain: Vec<String> = entries.iter().take(ENTRIES_SEEN).filter_map(plain).collect();
                    if plain.is_empty() {
                        let inner = entries.iter().take(ENTRIES_SEEN).enumerate();
                        open.extend(inner.filter_map(|(index, entry)| Some((format!("{path}.{index}"), depth + 1, entry.as_object()?))));
                    } else {
                        let more = if entries.len() > ENTRIES_SEEN { format!(", … ({} in all)", entries.len()) } else { String::new() };
                        push(&mut found, path, depth, name, &format!("{}{more}", plain.join(", ")), false);
                    }
                }
                Value::String(text) => push(&mut found, path, depth, name, text, true),
                Value::Number(_) | Value::Bool(_) => push(&mut found, path, depth, name, &plain(value).unwrap_or_default(), false),
                Value::Null => {}
            }
        }
    }
    found
}

fn push(found: &mut Vec<Field>, path: String, depth: usize, name: &str, value: &str, is_text: bool) {
    // Cut before masking, so that a value of a megabyte costs no more than the part that shows; a secret that is cut in two keeps its beginning, by which it is known.
    if let Some(value) = limits::said(value, limits::PROSE) {
        found.push(Field { path, name: mask::plain_name(name), value: mask::text(&value), depth, is_text });
    }
}

/// The links that the event brings for people.
fn links(fields: &[Field]) -> Vec<Link> {
    let wanted = |field: &&Field| {
        let name = field.name.as_str();
        is_link(&field.value)
            && !field.value.contains(mask::MASKED)
            && LINK_ENDS.iter().any(|end| name.ends_with(end))
            && !NO_LINKS.contains(&name)
    };
    let label = |field: &Field| field.path.rsplit('.').next().unwrap_or(&field.path).to_owned();
    fields.iter().filter(wanted).take(3).map(|field| Link { label: label(field), url: field.value.clone() }).collect()
}
