//! What a source's file makes of one event: what is the matter, what it is known by, and what there is to say. The frame around that is the same for all and
//! stands here: ids, times, where it is from, masks and limits.

use std::collections::HashSet;

use jiff::Timestamp;

use super::event::{Arn, Event};
use super::fields::is_link;
use super::place::Place;
use super::{limits, mask};
use crate::domain::ids::IntentId;
use crate::domain::intent::{Action, Actor, Changes, Closing, Detail, Intent, Link, Target};
use crate::domain::kind::{Deployment, Metric, NOTICE, Progress};
use crate::domain::severity::Severity;
use crate::domain::sources::ACCOUNT;

/// The kind that routes what is brought to where it runs.
const DEPLOYMENT: &str = "deployment";

/// The kind that routes what takes its course by itself: a backup, a job, a state machine.
const WORKFLOW: &str = "workflow";

/// One thing that a source says.
#[derive(Debug)]
pub(super) struct News {
    is: Is,
    /// See [`News::the_same_as`].
    id: Option<IntentId>,
    key: Option<String>,
    at: Option<Timestamp>,
    place: Place,
    /// Whether what is affected is all told, so that the resources beside the event do not count as affected.
    all_told: bool,
    changes: Changes,
}

/// What it means.
#[derive(Debug)]
enum Is {
    /// Something is wrong or still is, takes its course, or is told.
    Told,
    /// What is known by its key is over.
    Over(Option<String>),
    /// Nobody has to hear of it, and why.
    Nothing(&'static str),
}

/// What a source's file may say about one event.
impl News {
    fn new(is: Is, title: &str) -> Self {
        let changes = Changes { title: Some(limits::cut(title, limits::PROSE)), ..Changes::default() };
        Self { is, id: None, key: None, at: None, place: Place::default(), all_told: false, changes }
    }

    /// Something is wrong, or still is.
    pub(super) fn wrong(title: impl AsRef<str>) -> Self {
        Self::new(Is::Told, title.as_ref())
    }

    /// What was wrong, and goes by the key that [`News::known_by`] gives it, is over. `why` is what the source says about it.
    pub(super) fn over<T: Into<String>>(why: Option<T>) -> Self {
        Self::new(Is::Over(why.map(|why| said(why))), "")
    }

    /// Good to know, and nobody has to do anything.
    pub(super) fn notice(title: impl AsRef<str>) -> Self {
        Self::new(Is::Told, title.as_ref()).kind(NOTICE)
    }

    /// Something is brought to where it runs: one card says how far it is.
    pub(super) fn deployment(title: impl AsRef<str>, progress: Progress) -> Self {
        Self::new(Is::Told, title.as_ref()).kind(DEPLOYMENT).progress(progress)
    }

    /// Something takes its course: one card says how far it is.
    pub(super) fn workflow(title: impl AsRef<str>, progress: Progress) -> Self {
        Self::new(Is::Told, title.as_ref()).kind(WORKFLOW).progress(progress)
    }

    /// Nobody has to hear of it, and why.
    pub(super) fn nothing(why: &'static str) -> Self {
        Self::new(Is::Nothing(why), "")
    }

    /// The only thing that the event says.
    #[expect(clippy::unnecessary_wraps, reason = "a source's reader ends with it, and comes to nothing where half of the event is missing")]
    pub(super) fn only(self) -> Option<Vec<Self>> {
        Some(vec![self])
    }

    /// By what all that is said about the same thing is known, mostly an ARN. Nothing: each is one of its own.
    pub(super) fn known_by(mut self, key: Option<String>) -> Self {
        self.key = key.map(|key| short(&key));
        self
    }

    /// What makes it the same when it comes again, for a source that says so itself, or says again and again in the same words what no id tells apart. Else the id of its
    /// envelope does.
    pub(super) fn the_same_as(mut self, parts: &[&str]) -> Self {
        self.id = Some(IntentId::of("said", parts));
        self
    }

    /// When it happened, where the event itself says so; else its envelopes do.
    pub(super) fn at(mut self, at: Option<Timestamp>) -> Self {
        self.at = at;
        self
    }

    /// Where it is from, where the event itself knows it better than its envelopes.
    pub(super) fn in_place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// What routes it, where it is not the source's own word.
    pub(super) fn kind(mut self, kind: &str) -> Self {
        self.changes.kind = Some(kind.to_owned());
        self
    }

    pub(super) fn severity(mut self, severity: Option<Severity>) -> Self {
        self.changes.severity = severity;
        self
    }

    /// What happened and why, in the source's words.
    pub(super) fn why<T: Into<String>>(mut self, why: Option<T>) -> Self {
        self.changes.description = why.map(said);
        self
    }

    /// What to do first.
    pub(super) fn hint<T: Into<String>>(mut self, hint: Option<T>) -> Self {
        self.changes.action_hint = hint.map(said);
        self
    }

    /// Whose it is: routes it first. A name that people use, not a service of AWS.
    pub(super) fn service<T: Into<String>>(mut self, service: Option<T>) -> Self {
        self.changes.service = service.map(Into::into);
        self
    }

    /// What is affected, besides the resources that EventBridge names.
    pub(super) fn affects<T: Into<String>>(mut self, components: impl IntoIterator<Item = T>) -> Self {
        self.changes.components.get_or_insert_default().extend(components.into_iter().map(Into::into));
        self
    }

    /// All that is affected. The resources that EventBridge names beside such an event are what found it out: a finding, an analyzer, a plan.
    pub(super) fn affects_only<T: Into<String>>(mut self, components: impl IntoIterator<Item = T>) -> Self {
        self.all_told = true;
        self.affects(components)
    }

    /// One more fact.
    pub(super) fn detail<T: Into<String>>(mut self, label: &str, value: Option<T>) -> Self {
        if let Some(value) = value {
            self.changes.details.get_or_insert_default().push(Detail { label: label.to_owned(), value: said(value) });
        }
        self
    }

    /// One more moment: `2026-03-15 14:05 UTC`.
    pub(super) fn moment(self, label: &str, at: Option<Timestamp>) -> Self {
        self.detail(label, at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()))
    }

    /// Its page at its source, which the button *View* opens. What is no link, or holds a secret, is left out.
    pub(super) fn page<T: Into<String>>(mut self, url: Option<T>) -> Self {
        self.changes.url = url.map(Into::into).filter(|url| may_be_opened(url));
        self
    }

    /// One more button that opens a page. What is no link, or holds a secret, is left out.
    pub(super) fn link<T: Into<String>>(mut self, label: &str, url: Option<T>) -> Self {
        if let Some(url) = url.map(Into::into).filter(|url| may_be_opened(url)) {
            self.changes.links.get_or_insert_default().push(Link { label: label.to_owned(), url });
        }
        self
    }

    /// What was measured, and its limit.
    pub(super) fn metric(mut self, metric: Option<Metric>) -> Self {
        self.changes.metric = metric;
        self
    }

    fn progress(mut self, progress: Progress) -> Self {
        self.changes.deployment.get_or_insert_default().status = Some(progress);
        self
    }

    /// Which version is brought, from which commit, where to and by whom, where that is known.
    pub(super) fn brings(mut self, deployment: Deployment) -> Self {
        let word = |text: Option<String>| text.and_then(|text| limits::said_line(&mask::text(&text), limits::WORD));
        let known = self.changes.deployment.get_or_insert_default();
        known.version = word(deployment.version);
        known.environment = word(deployment.environment);
        known.commit = word(deployment.commit);
        known.by = word(deployment.by);
        self
    }
}

/// As much of it as is kept, so that what is said of hundreds of things in one message stays small from the beginning.
fn said<T: Into<String>>(text: T) -> String {
    limits::cut(&text.into(), limits::PROSE)
}

/// Whether everybody in a channel may follow this link.
pub(super) fn may_be_opened(url: &str) -> bool {
    is_link(url) && !mask::is_telling(url)
}

/// What a source wants done because of an event.
pub(super) struct Wanted {
    /// The intents.
    pub(super) intents: Vec<Intent>,
    /// Where nothing is wanted: why.
    pub(super) ignored: Vec<&'static str>,
}

/// Puts the frame around all that an event says. `source` is the name that people know it by, `word` the one that routes it.
pub(super) fn framed(all: Vec<News>, event: &Event, source: &str, word: &str) -> Wanted {
    let mut wanted = Wanted { intents: Vec::new(), ignored: Vec::new() };
    let several = all.len() > 1;
    for (number, news) in all.into_iter().enumerate() {
        // What an event says first does not change its id, so it is the same with and without what comes after it.
        let id = if several && number > 0 { IntentId::of("part", &[event.id().as_str(), &number.to_string()]) } else { event.id() };
        match news.framed(event, id, source, word) {
            Ok(intent) => wanted.intents.push(intent),
            Err(why) => wanted.ignored.push(why),
        }
    }
    wanted
}

impl News {
    fn framed(self, event: &Event, id: IntentId, source: &str, word: &str) -> Result<Intent, &'static str> {
        let target = self.key.as_deref().map_or(Target::New, |key| Target::Key(limits::key(key)));
        let at = event.at(self.at);
        let action = match self.is {
            Is::Nothing(why) => return Err(why),
            Is::Over(_) if self.key.is_none() => return Err("it is over, and nobody said what"),
            Is::Over(why) => Action::Resolve(limits::fit_closing(Closing { note: why.map(|why| mask::text(&why)), root_cause: None })),
            Is::Told => {
                let place = self.place.or(event.place());
                let resources = if self.all_told { &[] } else { event.resources() };
                Action::Create(limits::fit(dressed(self.changes, resources, &place, word)))
            }
        };
        let id = self.id.unwrap_or(id);
        Ok(Intent { id, workspace: None, at, by: Actor::Source(source.to_owned()), target, action, reply: None })
    }
}

/// A name of an AWS resource is never longer than this; what claims to be one would not fit into a key of the store.
const LONGEST_KEY: usize = 1024;

/// A key that fits: itself, or its digest.
pub(super) fn short(key: &str) -> String {
    if key.len() <= LONGEST_KEY { key.to_owned() } else { IntentId::of("key", &[key]).as_str().to_owned() }
}

/// With what every card says: the resources, where it is from. Without secrets.
fn dressed(mut changes: Changes, resources: &[String], place: &Place, word: &str) -> Changes {
    changes.components = affected(changes.components.as_deref().unwrap_or_default(), resources);
    let details = changes.details.get_or_insert_default();
    for (label, value) in [("Region", &place.region), (ACCOUNT, &place.account)] {
        if let Some(value) = value.clone() {
            details.push(Detail { label: label.to_owned(), value });
        }
    }
    changes.kind.get_or_insert_with(|| word.to_owned());
    without_secrets(changes)
}

/// What is affected, each once: what the source names, and the resources that it does not name. Where they are stands beside it, so that of a long name only what it names is left
/// to read.
fn affected(named: &[String], resources: &[String]) -> Option<Vec<String>> {
    let parts = |name: &'_ str| name.split(['/', ':']).map(str::to_owned).collect::<Vec<_>>();
    let known: HashSet<String> = named.iter().filter_map(|name| parts(name).pop()).collect();
    let unnamed = resources.iter().filter(|resource| !parts(resource).iter().any(|part| known.contains(part))).cloned();
    let mut seen = HashSet::new();
    let all = named
        .iter()
        .cloned()
        .chain(unnamed)
        .map(|name| Arn::parse(&name).map(|arn| arn.resource).filter(|name| !name.is_empty()).unwrap_or(name));
    let all: Vec<String> = all.filter(|name| seen.insert(name.clone())).collect();
    (!all.is_empty()).then_some(all)
}

/// Without what looks like a secret, or goes by the name of one.
pub(super) fn without_secrets(mut changes: Changes) -> Changes {
    let clean = |text: &mut String| *text = mask::text(&limits::cut(text, limits::PROSE));
    for text in [&mut changes.title, &mut changes.description, &mut changes.action_hint].into_iter().flatten() {
        clean(text);
    }
    for component in changes.components.iter_mut().flatten().take(limits::COMPONENTS) {
        clean(component);
    }
    for detail in changes.details.iter_mut().flatten() {
        if mask::is_secret_name(&detail.label) {
            mask::MASKED.clone_into(&mut detail.value);
        } else {
            clean(&mut detail.value);
        }
    }
    changes.url = changes.url.filter(|url| may_be_opened(url));
    changes.links = changes.links.map(|links| links.into_iter().filter(|link| may_be_opened(&link.url)).collect());
    changes
}
