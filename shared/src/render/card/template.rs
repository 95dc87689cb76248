//! A workspace's own card: its texts, filled with what is known of an incident. Values come in after the JSON was read, so none can break it; into markup they come escaped, so none
//! calls anybody or passes for a link; and what is too long is cut by the constructors of the blocks, like everything else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, Value};

use crate::domain::configuration::templates::environment;
use crate::domain::incident::{Dated, Incident, State as Standing};
use crate::domain::intent::Actor;
use crate::domain::kind::{Change, Metric, Progress};
use crate::domain::template::{Piece, SUBJECT, Template, Text};
use crate::render::words;
use crate::slack::blocks::{AnyText, Block, Href, Mrkdwn, Plain};

use super::value;

/// The body of the card, or why the template could not be filled.
pub(super) fn body(template: &Template, incident: &Incident) -> Result<Vec<Block>, String> {
    let filler = Filler::new(incident);
    template.blocks.iter().map(|piece| filler.block(piece)).collect()
}

/// What a notification says, where the template says it.
pub(super) fn notification(template: &Template, incident: &Incident) -> Option<Result<Mrkdwn, String>> {
    template.text.as_ref().map(|source| Filler::new(incident).markup(source))
}

struct Filler {
    markup: Environment<'static>,
    plain: Environment<'static>,
    fields: Value,
}

impl Filler {
    fn new(incident: &Incident) -> Self {
        let (mut markup, mut plain) = (environment(), environment());
        markup.set_formatter(|out, _: &mut State<'_, '_>, value| {
            write_out(out, value, &|marked| marked.markup.as_str().to_owned(), &escaped)
        });
        plain.set_formatter(|out, _: &mut State<'_, '_>, value| write_out(out, value, &|marked| marked.plain.clone(), &str::to_owned));
        Self { markup, plain, fields: Value::from(BTreeMap::from([(SUBJECT.to_owned(), fields(incident))])) }
    }

    fn markup(&self, source: &str) -> Result<Mrkdwn, String> {
        let filled = self.markup.render_str(source, self.fields.clone());
        filled.map(Mrkdwn::configured).map_err(|error| error.to_string())
    }

    fn plain(&self, source: &str) -> Result<String, String> {
        self.plain.render_str(source, self.fields.clone()).map_err(|error| error.to_string())
    }

    fn text(&self, text: &Text) -> Result<AnyText, String> {
        if text.markup {
            self.markup(&text.source).map(AnyText::from)
        } else {
            self.plain(&text.source).map(|text| Plain::new(text).into())
        }
    }

    fn block(&self, piece: &Piece) -> Result<Block, String> {
        let texts = |all: &[Text]| all.iter().map(|text| self.text(text)).collect::<Result<Vec<_>, _>>();
        match piece {
            Piece::Header(source) => self.plain(source).map(Block::header),
            Piece::Section(text, fields) => {
                let text = text.as_ref().map(|text| self.text(text)).transpose()?;
                Ok(Block::section_of(text, texts(fields)?))
            }
            Piece::Context(all) => Ok(Block::context_of(texts(all)?)),
            Piece::Divider => Ok(Block::divider()),
        }
    }
}

fn escaped(text: &str) -> String {
    Mrkdwn::escape(text).as_str().to_owned()
}

/// Writes a value: what has a face of its own in markup with that, a list with commas, anything else as text.
fn write_out(out: &mut Output<'_>, value: &Value, marked: &dyn Fn(&Marked) -> String, text: &dyn Fn(&str) -> String) -> Result<(), Error> {
    let one = |value: &Value| match value.downcast_object_ref::<Marked>() {
        Some(face) => marked(face),
        None => text(&value.to_string()),
    };
    let all = match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Seq => value.try_iter()?.map(|value| one(&value)).collect::<Vec<_>>().join(", "),
        _ => one(value),
    };
    out.write_str(&all).map_err(Error::from)
}

/// What Slack shows in a way of its own, where it reads markup: a moment, a person.
#[derive(Debug)]
struct Marked {
    markup: Mrkdwn,
    plain: String,
}

impl Object for Marked {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plain)
    }
}

/// Its source's further facts: what is not there is empty, as every field is of which nothing is known.
#[derive(Debug)]
struct Details(BTreeMap<String, String>);

impl Object for Details {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let known = key.as_str().and_then(|key| self.0.get(key)).cloned();
        Some(Value::from(known.unwrap_or_default()))
    }
}

fn marked(markup: Mrkdwn, plain: impl Into<String>) -> Value {
    Value::from_object(Marked { markup, plain: plain.into() })
}

/// Everything that is named in `domain::template::FIELDS`.
fn fields(incident: &Incident) -> Value {
    let facts = &incident.facts;
    let text = |fact: &Option<Dated<String>>| Value::from(value(fact.as_ref()).cloned().unwrap_or_default());
    let person = |fact: &Option<Dated<String>>| {
        value(fact.as_ref()).map_or_else(|| Value::from(""), |name| marked(words::assignee(name), name.as_str()))
    };
    let actor = |actor: Option<&Actor>| actor.map_or_else(|| Value::from(""), |actor| marked(words::who(actor), words::name(actor)));
    let started = incident.fired.map(|fired| marked(Mrkdwn::when(fired.first), fired.first.strftime("%Y-%m-%d %H:%M UTC").to_string()));
    let lasted = words::lasted(incident).filter(|_| incident.state() == Standing::Resolved);
    let url = value(facts.url.as_ref()).and_then(|url| Href::parse(url));
    let components: Vec<String> = value(facts.components.as_ref()).cloned().unwrap_or_default();
    let details = value(facts.details.as_ref()).into_iter().flatten().map(|detail| (detail.label.clone(), detail.value.clone()));
    let deployment = &facts.deployment;
    let status = value(deployment.status.as_ref()).copied().map(Progress::name).unwrap_or_default();
    let all = [
        ("id", Value::from(incident.id.as_str())),
        ("title", Value::from(incident.title())),
        ("severity", Value::from(incident.severity().as_str())),
        ("priority", Value::from(incident.severity().as_str())),
        ("state", Value::from(words::state(incident.state()))),
        ("service", text(&facts.service)),
        ("kind", text(&facts.kind)),
        ("components", Value::from(components)),
        ("assignee", person(&facts.assignee)),
        ("acknowledged_by", actor(incident.acknowledged.as_ref().map(|mark| &mark.by))),
        ("reported_by", actor(incident.source.as_ref())),
        ("started", started.unwrap_or_else(|| Value::from(""))),
        ("duration", Value::from(lasted.unwrap_or_default())),
        ("description", text(&facts.description)),
        ("action_hint", text(&facts.action_hint)),
        ("count", Value::from(incident.count)),
        ("url", Value::from(url.as_ref().map_or("", Href::as_str))),
        ("metric", metric(incident)),
        (
            "deployment",
            map([
                ("version", text(&deployment.version)),
                ("environment", text(&deployment.environment)),
                ("status", Value::from(status)),
                ("commit", text(&deployment.commit)),
                ("by", person(&deployment.by)),
            ]),
        ),
        ("change", change(incident)),
        ("details", Value::from_object(Details(details.collect()))),
    ];
    map(all)
}

fn map<const N: usize>(all: [(&str, Value); N]) -> Value {
    Value::from(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>())
}

fn metric(incident: &Incident) -> Value {
    let metric = value(incident.facts.metric.as_ref());
    let said = |say: &dyn Fn(&Metric) -> String| Value::from(metric.map(say).unwrap_or_default());
    map([
        ("name", said(&|metric| metric.name.clone())),
        ("value", said(&|metric| words::number(metric.value.value()))),
        ("limit", said(&|metric| words::number(metric.limit.value()))),
        ("unit", said(&|metric| metric.unit.clone().unwrap_or_default())),
        ("excess", said(&|metric| metric.excess().map(|excess| format!("{} %", super::matter::percent(excess))).unwrap_or_default())),
    ])
}

fn change(incident: &Incident) -> Value {
    let change = value(incident.facts.change.as_ref());
    let said = |say: &dyn Fn(&Change) -> Option<String>| Value::from(change.and_then(say).unwrap_or_default());
    map([
        ("what", said(&|change| Some(change.what.clone()))),
        ("where", said(&|change| change.place.clone())),
        ("from", said(&|change| change.from.clone())),
        ("to", said(&|change| change.to.clone())),
    ])
}
