//! By what a source's events are known, and how it reads them.

use serde_json::{Map, Value};

use super::Verdict;
use crate::intake::event::{Bridge, Event};
use crate::intake::fields::get;
use crate::intake::news::News;

/// One row of the table.
pub(super) struct Source {
    /// Small letters and digits: it is routed, counted and configured by this.
    pub(super) word: &'static str,
    /// Stands on the card.
    pub(super) name: &'static str,
    /// One of these is enough.
    pub(super) shapes: &'static [Shape],
    pub(super) read: Reader,
}

/// By what a source's event is known.
pub(super) enum Shape {
    /// An event of EventBridge from this service and of one of these types. Who cuts the service off leaves its types, which are no less its own.
    Bridge(&'static str, &'static [&'static str]),
    /// JSON without EventBridge's envelope in which all of these fields are. `a.b` is a field in a field, `a=x` one that says just that, `a=x*` one that begins so,
    /// `!a` one that is not there.
    Fields(&'static [&'static str]),
    /// No JSON but a text, in which this stands.
    Says(&'static str),
    /// What only its own file can tell.
    Is(fn(&Event) -> bool),
}

/// How a source reads its events.
pub(super) enum Reader {
    /// It says what the matter is, and the frame around it is put there by `framed`. `None`: half of the event is missing, so it is read as any other.
    Each(fn(&Event) -> Option<Vec<News>>),
    /// It knows better.
    Whole(fn(&Event) -> Verdict),
}

impl Source {
    pub(super) fn knows(&self, event: &Event) -> bool {
        self.shapes.iter().any(|shape| shape.fits(event))
    }
}

impl Shape {
    pub(super) fn is_of(bridge: &Bridge, service: &str, types: &[&str]) -> bool {
        bridge.source.as_deref().is_none_or(|source| source == service) && types.contains(&bridge.detail_type.as_str())
    }

    fn fits(&self, event: &Event) -> bool {
        match self {
            Self::Bridge(service, types) => event.bridge.as_ref().is_some_and(|bridge| Self::is_of(bridge, service, types)),
            Self::Fields(wanted) => {
                let object = event.object().filter(|_| event.bridge.is_none());
                object.is_some_and(|object| wanted.iter().all(|field| holds(object, field)))
            }
            Self::Says(words) => event.text().is_some_and(|text| text.contains(words)),
            Self::Is(fits) => fits(event),
        }
    }
}

/// Whether the object has the field as a shape wants it.
fn holds(object: &Map<String, Value>, field: &str) -> bool {
    let is_there = |way| get(object, way).is_some_and(|value| !value.is_null());
    if let Some(way) = field.strip_prefix('!') {
        return !is_there(way);
    }
    match field.split_once('=') {
        None => is_there(field),
        Some((way, words)) => get(object, way).and_then(Value::as_str).is_some_and(|text| begins(text, words)),
    }
}

/// `words` itself, or what begins with it where it ends in `*`.
fn begins(text: &str, words: &str) -> bool {
    words.strip_suffix('*').map_or(text == words, |beginning| text.starts_with(beginning))
}
