//! Reading a workspace's own cards: JSON as Slack's Block Kit Builder writes it, of which only what shows something is taken. Every text is compiled and tried out when it is
//! stored, so that a slip of the pen is found by who made it and not at night.
//!
//! The limits are Slack's: <https://docs.slack.dev/reference/block-kit/blocks>.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value as Filled};
use serde_json::{Map, Value};

use super::section::{Placed, Section, listed};
use crate::domain::template::{FIELDS, FUEL, PARTS, Piece, SUBJECT, Template, Text};

/// Tocsin's own header and buttons need the rest of Slack's 50.
const BLOCKS: usize = 40;
const TYPES: &[&str] = &["header", "section", "context", "divider"];
const HEADER: usize = 150;
const SECTION: usize = 3_000;
const FIELD: usize = 2_000;
const FIELDS_MOST: usize = 10;
const CONTEXT: usize = 2_000;
const CONTEXT_MOST: usize = 10;
const NOTIFICATION: usize = 1_000;

/// One of `[[templates]]`.
pub(super) fn template(section: &mut Section<'_, '_>) -> Option<Template> {
    let matches = section.section("match").map(|section| section.read(super::read::matching));
    let text = section.text("text");
    let blocks = section.text("blocks");
    section.required("blocks", "Slack's blocks as JSON, `'''[{ \"type\": \"section\", … }]'''`");
    let read = blocks.map(|blocks| {
        let mut reader = Reader { section: &*section, placed: &blocks };
        reader.blocks()
    });
    if let Some(text) = &text {
        let mut reader = Reader { section: &*section, placed: text };
        reader.source(&text.value, "", NOTIFICATION, true);
    }
    // A rule that could not be read is no rule for everything.
    let matches = match matches {
        None => None,
        Some(None) => return None,
        Some(found) => found,
    };
    Some(Template { matches, text: text.map(|text| text.value), blocks: read.flatten()? })
}

/// A text of the document that is being read as JSON.
struct Reader<'r, 's, 'd> {
    section: &'r Section<'s, 'd>,
    placed: &'r Placed<String>,
}

impl Reader<'_, '_, '_> {
    /// Says that something is wrong at a place of the JSON; `near` is a text that stands there.
    fn wrong(&self, way: &str, near: Option<&str>, what: impl Into<String>) {
        let quoted = near.map(|near| Value::from(near).to_string());
        let at = quoted.as_ref().and_then(|quoted| self.placed.value.find(quoted.as_str())).unwrap_or_default();
        self.section.wrong_within(self.placed, at, way, what);
    }

    fn blocks(&mut self) -> Option<Vec<Piece>> {
        let all: Value = match serde_json::from_str(&self.placed.value) {
            Ok(all) => all,
            Err(error) => {
                let before = self.placed.value.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
                let at = before + error.column().saturating_sub(1);
                let what = error.to_string();
                let what = what.split(" at line").next().unwrap_or_default();
                self.section.wrong_within(self.placed, at, "", format!("this is no JSON: {what}"));
                return None;
            }
        };
        // Block Kit Builder writes an object around the list.
        let list = all.get("blocks").unwrap_or(&all).as_array();
        let Some(list) = list.filter(|list| !list.is_empty()) else {
            self.wrong("", None, "this has to be a list of blocks, `[{ \"type\": \"section\", … }]`");
            return None;
        };
        if list.len() > BLOCKS {
            self.wrong("", None, format!("these are {} blocks; there is room for {BLOCKS}", list.len()));
        }
        let pieces: Vec<_> =
            list.iter().enumerate().filter_map(|(number, block)| self.piece(block, &format!("[{}]", number + 1))).collect();
        Some(pieces)
    }

    fn piece(&mut self, block: &Value, way: &str) -> Option<Piece> {
        let Some(object) = block.as_object() else {
            self.wrong(way, None, "this has to be a block, `{ \"type\": … }`");
            return None;
        };
        let sort = object.get("type").and_then(Value::as_str).unwrap_or_default();
        match sort {
            "header" => {
                self.only(object, &["text"], way);
                let text = self.text(object.get("text"), &format!("{way}.text"), HEADER, Some(false))?;
                Some(Piece::Header(text.source))
            }
            "section" => {
                self.only(object, &["text", "fields"], way);
                let text = object.get("text").and_then(|text| self.text(Some(text), &format!("{way}.text"), SECTION, None));
                let fields = self.texts(object, "fields", way, FIELDS_MOST, FIELD);
                if !object.contains_key("text") && !object.contains_key("fields") {
                    self.wrong(way, Some(sort), "a section has a `text` or `fields`");
                }
                Some(Piece::Section(text, fields))
            }
            "context" => {
                self.only(object, &["elements"], way);
                Some(Piece::Context(self.texts(object, "elements", way, CONTEXT_MOST, CONTEXT)))
            }
            "divider" => {
                self.only(object, &[], way);
                Some(Piece::Divider)
            }
            other => {
                let own = if matches!(other, "actions" | "input") { " Buttons are Tocsin's own." } else { "" };
                let what = format!("`{other}` is no type of block that can stand here.{own} Allowed: {}", listed(TYPES));
                self.wrong(&format!("{way}.type"), Some(other).filter(|other| !other.is_empty()), what);
                None
            }
        }
    }

    /// Says which keys of an object are none.
    fn only(&self, object: &Map<String, Value>, allowed: &[&str], way: &str) {
        let known = |key: &str| key == "type" || key == "block_id" || allowed.contains(&key);
        for key in object.keys().filter(|key| !known(key)) {
            let allowed = listed(["type"].iter().chain(allowed));
            self.wrong(&format!("{way}.{key}"), Some(key), format!("there is no such key here. Allowed: {allowed}"));
        }
    }

    fn texts(&mut self, object: &Map<String, Value>, key: &str, way: &str, most: usize, limit: usize) -> Vec<Text> {
        let way = format!("{way}.{key}");
        let Some(value) = object.get(key) else { return Vec::new() };
        let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
            self.wrong(&way, Some(key), "this has to be a list of texts, `[{ \"type\": \"mrkdwn\", \"text\": … }]`");
            return Vec::new();
        };
        if list.len() > most {
            self.wrong(&way, Some(key), format!("these are {}; there is room for {most}", list.len()));
        }
        list.iter().enumerate().filter_map(|(number, text)| self.text(Some(text), &format!("{way}[{}]", number + 1), limit, None)).collect()
    }

    /// A text object. `markup`: which sort it has to be.
    fn text(&mut self, value: Option<&Value>, way: &str, limit: usize, markup: Option<bool>) -> Option<Text> {
        let object = value.and_then(Value::as_object);
        let sort = object.and_then(|object| object.get("type")).and_then(Value::as_str);
        let source = object.and_then(|object| object.get("text")).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let wanted = match markup {
            Some(false) => "`{ \"type\": \"plain_text\", \"text\": … }`",
            Some(true) | None => "`{ \"type\": \"mrkdwn\", \"text\": … }`, or `plain_text`",
        };
        let is_markup = match sort {
            Some("mrkdwn") => Some(true),
            Some("plain_text") => Some(false),
            Some(_) | None => None,
        };
        let (Some(object), Some(source), Some(is_markup)) =
            (object, source, is_markup.filter(|is| markup.is_none_or(|wanted| wanted == *is)))
        else {
            self.wrong(way, source.or(sort), format!("this has to be a text, {wanted}"));
            return None;
        };
        self.only(object, &["text", "emoji", "verbatim"], way);
        self.source(source, &format!("{way}.text"), limit, is_markup);
        Some(Text { markup: is_markup, source: source.to_owned() })
    }

    /// The text itself: compiled, looked through for fields that there are not, and tried out.
    fn source(&mut self, source: &str, way: &str, limit: usize, markup: bool) {
        let near = Some(source);
        let length = source.encode_utf16().count();
        if length > limit {
            self.wrong(way, near, format!("this is {length} long; there is room for {limit}"));
        }
        let environment = environment();
        let compiled = match environment.template_from_str(source) {
            Ok(compiled) => compiled,
            Err(error) => {
                self.wrong(way, near, format!("this is no template: {}. A field is written `{{{{ incident.title }}}}`", said(&error)));
                return;
            }
        };
        let mut names: Vec<_> = compiled.undeclared_variables(true).into_iter().collect();
        names.sort();
        let unknown: Vec<_> = names.iter().filter(|name| !is_field(name)).collect();
        if let Some(first) = unknown.first() {
            let fields = FIELDS.iter().map(|(name, _)| *name);
            let meant = meant(first);
            self.wrong(way, near, format!("there is no field `{first}`.{meant} Of `{SUBJECT}` there are: {}", listed(fields)));
            return;
        }
        if let Err(error) = compiled.render(sample()) {
            self.wrong(way, near, format!("this template does not work: {}", said(&error)));
        }
        if markup && let Some(why) = calls(source) {
            self.wrong(way, near, why);
        }
    }
}

/// How templates are read and filled: no includes, no macros, only these filters, and not for long.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("upper", |text: String| text.to_uppercase());
    environment.add_filter("lower", |text: String| text.to_lowercase());
    environment.add_filter("default", |text: String, otherwise: String| if text.trim().is_empty() { otherwise } else { text });
    environment.add_filter("join", |all: Vec<String>, between: String| all.join(&between));
    environment
}

/// An error of the template's, without the place that it means: the texts have no lines that anybody would look for.
fn said(error: &minijinja::Error) -> String {
    let kind = error.kind().to_string();
    error.detail().map_or(kind.clone(), |detail| format!("{kind}: {detail}"))
}

fn is_field(name: &str) -> bool {
    let mut way = name.split('.');
    let (subject, field, part, more) = (way.next(), way.next(), way.next(), way.next());
    let Some(field) = field.filter(|_| subject == Some(SUBJECT)) else { return false };
    let parts = PARTS.iter().find(|(of, _)| *of == field).map(|(_, parts)| *parts);
    let known = FIELDS.iter().any(|(known, _)| *known == field);
    let has = |part| field == "details" || parts.is_some_and(|parts| parts.contains(&part));
    known && more.is_none() && part.is_none_or(has)
}

fn meant(name: &str) -> String {
    let field = name.split('.').nth(1).unwrap_or(name);
    let near = FIELDS.iter().map(|(known, _)| (strsim::damerau_levenshtein(known, field), *known)).min();
    near.filter(|(distance, _)| *distance <= 2).map(|(_, known)| format!(" Did you mean `{SUBJECT}.{known}`?")).unwrap_or_default()
}

/// An incident in which every field is something.
fn sample() -> Filled {
    let part = |parts: &[&str]| Filled::from(parts.iter().map(|part| ((*part).to_owned(), Filled::from("x"))).collect::<BTreeMap<_, _>>());
    let fields = FIELDS.iter().map(|(field, _)| {
        let parts = PARTS.iter().find(|(of, _)| of == field);
        let value = match (*field, parts) {
            (_, Some((_, parts))) => part(parts),
            ("details", None) => Filled::from_object(Anything),
            ("components", None) => Filled::from(vec!["x"]),
            ("count", None) => Filled::from(1),
            (_, None) => Filled::from("x"),
        };
        ((*field).to_owned(), value)
    });
    let incident: BTreeMap<String, Filled> = fields.collect();
    Filled::from(BTreeMap::from([(SUBJECT.to_owned(), Filled::from(incident))]))
}

/// Has every key.
#[derive(Debug)]
struct Anything;

impl minijinja::value::Object for Anything {
    fn get_value(self: &std::sync::Arc<Self>, _: &Filled) -> Option<Filled> {
        Some(Filled::from("x"))
    }
}

/// Why a text could call somebody whom a value names, or break its markup.
fn calls(source: &str) -> Option<String> {
    for (at, _) in source.match_indices("{{") {
        let before = &source[..at];
        let Some(open) = before.rfind('<').filter(|open| !before[*open..].contains('>')) else { continue };
        let inside = &before[open + 1..];
        let is_link = inside.starts_with("http") || (inside.is_empty() && source[at + 2..].trim_start().starts_with("incident.url"));
        if !is_link {
            return Some(
                "a value cannot stand within `<…>`, where it would decide who is called; only `<{{ incident.url }}|a link>` can".to_owned(),
            );
        }
    }
    let rest = source.rsplit('>').next().unwrap_or_default();
    (rest.contains('<')).then(|| "this `<` is never closed; the sign itself is written `&lt;`".to_owned())
}
