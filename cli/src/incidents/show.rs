//! `tocsin incidents show ID`

use anyhow::{Context, Result, bail};
use comfy_table::{Cell, Table};
use jiff::Timestamp;
use serde::Serialize;
use shared::domain::ids::{IncidentId, Workspace};
use shared::domain::incident::{Incident, State};
use shared::domain::intent::Actor;
use shared::domain::timeline::{Entry, Fate, What};
use shared::public;
use shared::render::{duration, headline};
use shared::slack::text::plain;
use shared::store::Store;

use super::state;
use crate::output::{self, FAINT, GOOD, Output, WARN, ago, moment, rows};

/// So many lines of a timeline are shown; DynamoDB gives at most 1 MB of them.
const ENTRIES: u16 = 500;

/// How many incidents are named whose ids begin alike.
const ALIKE: usize = 10;

/// Show an incident and everything that happened to it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id or the beginning of it, in capitals or small letters, with or without `INC-`.
    id: String,
}

/// An incident with its timeline, as the HTTP API has it.
#[derive(Serialize)]
struct Shown<'i> {
    #[serde(flatten)]
    incident: public::Incident<'i>,
    timeline: Vec<public::Entry<'i>>,
    more: bool,
}

pub(crate) async fn run(store: &Store, workspace: &Workspace, arguments: &Arguments, output: Output) -> Result<()> {
    let incident = find(store, workspace, &arguments.id).await?;
    let (mut entries, more) = store.newest(workspace, &incident.id, ENTRIES).await.context("the table cannot be read")?;
    entries.reverse();
    let shown = Shown { incident: public::Incident::from(&incident), timeline: entries.iter().map(public::Entry::from).collect(), more };
    output.print(&shown, || print(&incident, &entries, more))
}

async fn find(store: &Store, workspace: &Workspace, typed: &str) -> Result<Incident> {
    let Some(prefix) = IncidentId::prefix(typed) else {
        bail!("`{typed}` is no id and the beginning of none: they are like INC-7K3QPF, and `tocsin incidents list` shows them")
    };
    // A whole id is also looked for where the list does not have it: what is only expected, and what was written just now.
    if let Some(id) = IncidentId::whole(typed)
        && let Some(incident) = store.incident(workspace, &id).await.context("the table cannot be read")?
    {
        return Ok(incident);
    }
    let alike = store.beginning_with(workspace, &prefix, ALIKE + 1).await.context("the table cannot be read")?;
    match alike.as_slice() {
        [] => bail!("there is no incident {prefix} in {workspace}; `tocsin incidents list --all` shows all there are"),
        [only] => {
            let incident = store.incident(workspace, &only.id).await.context("the table cannot be read")?;
            incident.with_context(|| format!("{} was there a moment ago and is not any more", only.id))
        }
        several => {
            let named: Vec<_> = several.iter().take(ALIKE).map(|summary| format!("\n  {}  {}", summary.id, summary.title)).collect();
            let more = if several.len() > ALIKE { "\n  …" } else { "" };
            bail!("several incidents begin so: name one with more letters{}{more}", named.concat())
        }
    }
}

fn print(incident: &Incident, entries: &[Entry], more: bool) {
    let bold = anstyle::Style::new().bold();
    let now = Timestamp::now();
    let style = if incident.state() == State::Resolved { GOOD } else { WARN };
    let word = state(incident.state());
    anstream::println!("{bold}{}{bold:#}  {}  {style}{word}{style:#}", incident.id, incident.severity());
    anstream::println!("{bold}{}{bold:#}\n", incident.title());
    output::show(facts(incident, now));
    anstream::println!();
    if more {
        anstream::println!("{FAINT}(more happened before this){FAINT:#}");
    }
    output::show(timeline(entries));
}

fn facts(incident: &Incident, now: Timestamp) -> Table {
    let public = public::Incident::from(incident);
    let mut facts = rows();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            facts.add_row([name, &value]);
        }
    };
    let since = |at: Timestamp| format!("{}, {}", moment(at), ago(at, now));
    let by = |actor: &Actor, at: Timestamp| format!("by {}, {}", who(actor), since(at));
    add("service", public.service.map(str::to_owned));
    add("kind", public.kind.map(str::to_owned));
    add("began", public.started_at.map(since));
    if let (Some(begun), State::Resolved, Some(over)) = (public.started_at, incident.state(), incident.over_at()) {
        add("lasted", Some(duration(over.duration_since(begun).as_secs())));
    }
    add("reported by", incident.source.as_ref().map(|source| who(source).to_owned()));
    add("came", (incident.count > 1).then(|| format!("{} times", incident.count)));
    add("acknowledged", incident.acknowledged.as_ref().map(|mark| by(&mark.by, mark.at)));
    if incident.state() == State::Snoozed {
        add("snoozed", incident.snoozed.as_ref().map(|snooze| format!("by {}, until {}", who(&snooze.by), moment(snooze.until))));
    }
    if incident.state() == State::Resolved {
        add("resolved", incident.resolution.as_ref().map(|end| by(&end.by, end.at)));
    }
    add("assignee", public.assignee.map(str::to_owned));
    add("components", Some(public.components.join(", ")));
    add("shows in", Some(incident.channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    add("key", public.dedup_key.map(|key| output::plain(key.as_str())));
    add("page", public.url.map(str::to_owned));
    for link in public.links {
        add(&link.label, Some(link.url.clone()));
    }
    for detail in public.details {
        add(&detail.label, Some(detail.value.clone()));
    }
    add("what to do", public.action_hint.map(str::to_owned));
    add("description", public.description.map(str::to_owned));
    facts
}

fn timeline(entries: &[Entry]) -> Table {
    let mut lines = rows();
    for entry in entries {
        lines.add_row([Cell::new(moment(entry.at)), Cell::new(told(entry))]);
    }
    lines
}

/// What happened, as the thread under the card has it, in plain text.
fn told(entry: &Entry) -> String {
    let mut told = plain(headline(entry).as_str()).replace('*', "");
    match &entry.fate {
        Fate::Done => {}
        Fate::Late => told.push_str(" – something newer was known, so this changed nothing"),
        Fate::Refused(refusal) => told = format!("{told} – refused: {refusal}"),
    }
    let cause = if let What::Resolved { closing, .. } = &entry.what { closing.root_cause.as_deref() } else { None };
    for said in entry.what.said().into_iter().chain(cause) {
        told = format!("{told}\n{said}");
    }
    told
}

fn who(actor: &Actor) -> &str {
    match actor {
        Actor::User(person) => person.name.as_deref().unwrap_or(person.id.as_str()),
        Actor::Source(name) => name,
    }
}
