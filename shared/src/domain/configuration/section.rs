//! Reading a TOML document so that everybody who writes one reads all of their mistakes at once, each with its line, its key and what is allowed there.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;

use jiff::SignedDuration;
use toml_span::Span;
use toml_span::value::{Table, Value, ValueInner};

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The character within it, from 1.
    pub column: usize,
    /// The whole way to the key: `routing.rules[2].to[1].channel`; empty where the document is no TOML.
    pub key: String,
    /// What is wrong, and what is allowed.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

/// The mistakes of one document.
#[derive(Debug)]
pub(super) struct Mistakes<'d> {
    document: &'d str,
    found: RefCell<Vec<Mistake>>,
}

impl<'d> Mistakes<'d> {
    pub(super) fn of(document: &'d str) -> Self {
        Self { document, found: RefCell::default() }
    }

    /// All of them, in the order of the document.
    pub(super) fn all(self) -> Vec<Mistake> {
        let mut found = self.found.into_inner();
        found.sort_by(|one, other| (one.line, one.column, &one.key).cmp(&(other.line, other.column, &other.key)));
        found
    }

    pub(super) fn add(&self, span: Span, key: impl Into<String>, what: impl Into<String>) {
        let before = self.document.get(..span.start).unwrap_or(self.document);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.found.borrow_mut().push(Mistake { line, column, key: key.into(), what: what.into() });
    }
}

/// A table of the document, on the way to being read: each of its keys is asked for once, and what is left at the end is a mistake.
pub(super) struct Section<'s, 'd> {
    table: Table<'d>,
    /// Where the table stands.
    pub(super) span: Span,
    /// The way to it.
    pub(super) path: String,
    allowed: Vec<&'static str>,
    /// Which of them are there.
    present: Vec<&'static str>,
    mistakes: &'s Mistakes<'d>,
}

/// A value that was read, and where it stands, for what only shows when everything has been read.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) span: Span,
    pub(super) path: String,
}

impl<'s, 'd> Section<'s, 'd> {
    /// The whole document; `None` where it is no TOML.
    pub(super) fn whole(mistakes: &'s Mistakes<'d>) -> Option<Self> {
        match toml_span::parse(mistakes.document) {
            Ok(mut root) => Self::of(&mut root, String::new(), mistakes),
            Err(error) => {
                mistakes.add(error.span, "", format!("this is no TOML: {}", error.kind));
                None
            }
        }
    }

    fn of(value: &mut Value<'d>, path: String, mistakes: &'s Mistakes<'d>) -> Option<Self> {
        match value.take() {
            ValueInner::Table(table) => Some(Self { table, span: value.span, path, allowed: Vec::new(), present: Vec::new(), mistakes }),
            other => {
                mistakes.add(value.span, path, format!("this is {}; it has to be a table, `{{ … }}`", sort_of(&other)));
                None
            }
        }
    }

    /// Reads it with `read`, and then says which of its keys are none.
    pub(super) fn read<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let read = read(&mut self);
        for key in self.table.keys() {
            let near = self.allowed.iter().map(|known| (strsim::damerau_levenshtein(known, &key.name), known)).min();
            let meant =
                near.filter(|(distance, _)| *distance <= 2).map(|(_, known)| format!(" Did you mean `{known}`?")).unwrap_or_default();
            let what = format!("there is no such setting.{meant} Allowed here: {}", listed(&self.allowed));
            self.mistakes.add(key.span, self.way(&key.name), what);
        }
        read
    }

    fn way(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            (path, "") => path.to_owned(),
            ("", key) => key.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    /// Says that something is wrong at a key, or at the section where the key is not there.
    pub(super) fn wrong(&self, at: Span, key: &str, what: impl Into<String>) {
        self.mistakes.add(at, self.way(key), what);
    }

    fn take(&mut self, key: &'static str) -> Option<Value<'d>> {
        self.allowed.push(key);
        let value = self.table.remove(key);
        self.present.extend(value.is_some().then_some(key));
        value
    }

    /// What stands at `key`, where it is what `read` takes; `wanted` says what that is.
    fn value<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(ValueInner<'d>) -> Result<T, ValueInner<'d>>,
    ) -> Option<Placed<T>> {
        let mut value = self.take(key)?;
        match read(value.take()) {
            Ok(read) => Some(Placed { value: read, span: value.span, path: self.way(key) }),
            Err(other) => {
                self.wrong(value.span, key, format!("this is {}; it has to be {wanted}", sort_of(&other)));
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let flag = self.value(key, "`true` or `false`", |value| match value {
            ValueInner::Boolean(flag) => Ok(flag),
            other => Err(other),
        });
        flag.map_or(default, |placed| placed.value)
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, key: &'static str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let (least, most) = (bounds.start(), bounds.end());
        let wanted = format!("a whole number from {least} to {most}");
        let number = self.value(key, &wanted, |value| match value {
            ValueInner::Integer(number) => Ok(number),
            other => Err(other),
        })?;
        let fits = u32::try_from(number.value).ok().filter(|number| bounds.contains(number));
        if fits.is_none() {
            self.wrong(number.span, key, format!("this is {}; it has to be {wanted}", number.value));
        }
        fits
    }

    /// A text, not blank.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Placed<String>> {
        let text = self.value(key, "a text, `\"…\"`", |value| match value {
            ValueInner::String(text) => Ok(text.into_owned()),
            other => Err(other),
        })?;
        if text.value.trim().is_empty() {
            self.wrong(text.span, key, "this is empty; it has to be a text");
            return None;
        }
        Some(text)
    }

    /// A text that cannot be left out.
    pub(super) fn required_text(&mut self, key: &'static str) -> Option<Placed<String>> {
        let text = self.text(key);
        self.required(key, "a text");
        text
    }

    /// Whether none of the keys that were asked for is there.
    pub(super) fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// Whether a key that was asked for is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.present.contains(&key)
    }

    /// Says that a key is not there, of those that were asked for, where it is not.
    pub(super) fn required(&self, key: &'static str, wanted: &str) {
        if !self.present.contains(&key) {
            self.wrong(self.span, key, format!("this is missing: {wanted}"));
        }
    }

    /// A text that means something; `meaning` says what, or what is allowed.
    pub(super) fn parsed<T>(&mut self, key: &'static str, meaning: impl FnOnce(&str) -> Result<T, String>) -> Option<Placed<T>> {
        let text = self.text(key)?;
        match meaning(&text.value) {
            Ok(value) => Some(Placed { value, span: text.span, path: text.path }),
            Err(what) => {
                self.wrong(text.span, key, what);
                None
            }
        }
    }

    /// A length of time within bounds.
    pub(super) fn duration(&mut self, key: &'static str, bounds: RangeInclusive<SignedDuration>) -> Option<SignedDuration> {
        self.parsed(key, |text| duration(text, &bounds)).map(|placed| placed.value)
    }

    fn list(&mut self, key: &'static str, wanted: &str, least: usize) -> Option<Placed<Vec<Value<'d>>>> {
        let values = self.value(key, wanted, |value| match value {
            ValueInner::Array(values) => Ok(values),
            other => Err(other),
        })?;
        if values.value.len() < least {
            self.wrong(values.span, key, format!("this is empty; it has to be {wanted}"));
        }
        Some(values)
    }

    /// Several texts, and not fewer than `least`.
    pub(super) fn texts(&mut self, key: &'static str, least: usize) -> Option<Vec<Placed<String>>> {
        let path = self.way(key);
        let values = self.list(key, "a list of texts, `[\"…\"]`", least)?;
        let texts = values.value.into_iter().enumerate().filter_map(|(number, mut value)| {
            let path = format!("{path}[{}]", number + 1);
            match value.take() {
                ValueInner::String(text) if !text.trim().is_empty() => Some(Placed { value: text.into_owned(), span: value.span, path }),
                other => {
                    self.mistakes.add(value.span, path, format!("this is {}; it has to be a text, `\"…\"`", sort_of(&other)));
                    None
                }
            }
        });
        Some(texts.collect())
    }

    /// A table within this one.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Self> {
        let mut value = self.take(key)?;
        Self::of(&mut value, self.way(key), self.mistakes)
    }

    /// All of its keys that nobody has asked for yet, as texts by key.
    pub(super) fn named_texts(&mut self) -> Vec<(Placed<String>, String)> {
        let keys: Vec<_> = self.table.keys().cloned().collect();
        let mut texts = Vec::new();
        for key in keys {
            let Some(mut value) = self.table.remove(&key) else { continue };
            match value.take() {
                ValueInner::String(text) if !text.trim().is_empty() => {
                    let placed = Placed { value: key.name.to_string(), span: key.span, path: self.way(&key.name) };
                    texts.push((placed, text.into_owned()));
                }
                other => self.wrong(value.span, &key.name, format!("this is {}; it has to be a text, `\"…\"`", sort_of(&other))),
            }
        }
        texts
    }

    /// Several tables, `[[…]]`, and not fewer than `least`.
    pub(super) fn sections(&mut self, key: &'static str, least: usize) -> Vec<Self> {
        let path = self.way(key);
        let values = self.list(key, "a list of tables, `[[…]]`", least);
        let values = values.map(|placed| placed.value).unwrap_or_default();
        let sections = values.into_iter().enumerate();
        sections.filter_map(|(number, mut value)| Self::of(&mut value, format!("{path}[{}]", number + 1), self.mistakes)).collect()
    }

    /// Says that something is wrong `at` a byte of a text that was read before; `way` leads on from its key. Where the text stands in the document as it is, so does that place.
    pub(super) fn wrong_within(&self, text: &Placed<String>, at: usize, way: &str, what: impl Into<String>) {
        let document = self.mistakes.document;
        let begin = document.get(text.span.start..).and_then(|rest| rest.find(&text.value)).map(|found| text.span.start + found);
        let place = begin.map_or(text.span.start, |begin| begin + at);
        self.mistakes.add(Span::new(place, place), format!("{}{way}", text.path), what);
    }

    /// Says that something is wrong with a value that was read before.
    pub(super) fn wrong_at<T>(&self, placed: &Placed<T>, what: impl Into<String>) {
        self.mistakes.add(placed.span, placed.path.clone(), what);
    }
}

/// A length of time as people write it: `90s`, `15m`, `1h 30m`, `7d`.
pub(super) fn duration(text: &str, bounds: &RangeInclusive<SignedDuration>) -> Result<SignedDuration, String> {
    let read = crate::domain::duration(text).filter(|duration| bounds.contains(duration));
    let (least, most) = (bounds.start(), bounds.end());
    read.ok_or_else(|| format!("`{text}` is no length of time from {least:#} to {most:#}, such as `90s`, `15m`, `1h 30m` or `7d`"))
}

/// `a`, `b`, `c`.
pub(super) fn listed<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn sort_of(value: &ValueInner<'_>) -> &'static str {
    match value {
        ValueInner::String(text) if text.trim().is_empty() => "an empty text",
        ValueInner::String(_) => "a text",
        ValueInner::Integer(_) | ValueInner::Float(_) => "a number",
        ValueInner::Boolean(_) => "`true` or `false`",
        ValueInner::Array(_) => "a list",
        ValueInner::Table(_) => "a table",
    }
}
