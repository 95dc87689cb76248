//! Text: cut to a length, on one line, in Slack's markup or as it is.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::ids::{Channel, UserId, is_slack_id};

/// How long Slack may take a text to be. It says "characters" without saying which; UTF-16 code units are the larger count, so what
/// fits by them fits.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The byte at which the longest beginning of `text` ends that is no longer than `limit`.
fn boundary(text: &str, limit: usize) -> usize {
    let mut left = limit;
    for (at, letter) in text.char_indices() {
        let Some(rest) = left.checked_sub(letter.len_utf16()) else { return at };
        left = rest;
    }
    text.len()
}

/// `text`, or as much of it as fits with the mark `…` behind it.
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if boundary(text, limit) == text.len() {
        return Cow::Borrowed(text);
    }
    let end = boundary(text, limit.saturating_sub(1));
    Cow::Owned(format!("{}…", text[..end].trim_end()))
}

/// What is no text: control characters, and the marks that turn the direction of everything behind them round, which would let a title rearrange
/// the words that Tocsin puts beside it.
fn is_no_text(letter: char) -> bool {
    let turns_round = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns_round || (letter.is_control() && letter != '\n')
}

pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_no_text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\t', " ").replace(is_no_text, ""))
}

/// `text` on a single line, at most `limit` long.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut room = limit;
    let mut gap = false;
    for letter in text.chars().filter(|letter| letter.is_whitespace() || !is_no_text(*letter)) {
        if letter.is_whitespace() {
            gap = !line.is_empty();
            continue;
        }
        let needed = letter.len_utf16() + usize::from(gap);
        if gap {
            line.push(' ');
            gap = false;
        }
        line.push(letter);
        let Some(rest) = room.checked_sub(needed) else { break };
        room = rest;
    }
    cut(&line, limit).into_owned()
}

/// Text in Slack's markup. It is made of literals of this program ([`mrkdwn!`]), of escaped text, and of what the functions here write;
/// so text from outside can neither call anybody (`<!channel>`) nor pass for a link. Of the markup that Slack cannot escape, `*bold*` and its like, what
/// comes from outside keeps its own: long texts are therefore sent as [`Plain`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Mrkdwn(pub(super) String);

/// What may stand in a hole of [`mrkdwn!`]. Not to be implemented elsewhere: the two ways that exist are escaping and having been escaped.
pub trait Part: sealed::Sealed {
    #[doc(hidden)]
    fn add_to(&self, text: &mut String);
}

mod sealed {
    pub trait Sealed {}
    impl<T: std::fmt::Display + ?Sized> Sealed for T {}
    impl Sealed for super::Mrkdwn {}
}

impl<T: Display + ?Sized> Part for T {
    fn add_to(&self, text: &mut String) {
        escape_into(text, &self.to_string());
    }
}

fn escape_into(out: &mut String, text: &str) {
    for letter in clean(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}

impl Part for Mrkdwn {
    fn add_to(&self, text: &mut String) {
        text.push_str(&self.0);
    }
}

/// Like `format!`, with `{}` only: the template is a literal and stays as it is, values are escaped unless they are [`Mrkdwn`] already.
#[macro_export]
macro_rules! mrkdwn {
    ($template:literal $(, $value:expr)* $(,)?) => {{
        const { assert!($crate::slack::blocks::holes($template) == <[&str]>::len(&[$(stringify!($value)),*]), "every hole takes one value") };
        $crate::slack::blocks::Mrkdwn::fill($template, &[$(&$value),*])
    }};
}

/// How many `{}` a template has.
#[doc(hidden)]
pub const fn holes(template: &str) -> usize {
    let bytes = template.as_bytes();
    let (mut at, mut count) = (1, 0);
    while at < bytes.len() {
        if bytes[at - 1] == b'{' && bytes[at] == b'}' {
            count += 1;
        }
        at += 1;
    }
    count
}

impl Mrkdwn {
    /// What [`mrkdwn!`] stands for. The template lives as long as the program: it is part of it.
    #[doc(hidden)]
    pub fn fill(template: &'static str, values: &[&dyn Part]) -> Self {
        let mut text = String::with_capacity(template.len() + 64);
        let mut pieces = template.split("{}");
        text.push_str(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(values) {
            value.add_to(&mut text);
            text.push_str(piece);
        }
        Self(text)
    }

    /// Text from outside, escaped.
    pub fn escape(text: impl Display) -> Self {
        Self::fill("{}", &[&text])
    }

    /// A person, whom Slack shows by name. What is no user's id is shown as the text it is.
    pub fn user(id: &UserId) -> Self {
        if is_slack_id(id.as_str(), &['U', 'W']) { Self(format!("<@{id}>")) } else { Self::escape(id) }
    }

    /// A person or a usergroup to call; `None` for anything else, `here` and `channel` among it.
    pub fn call(id: &str) -> Option<Self> {
        if is_slack_id(id, &['S']) {
            return Some(Self(format!("<!subteam^{id}>")));
        }
        is_slack_id(id, &['U', 'W']).then(|| Self(format!("<@{id}>")))
    }

    /// A channel, by its id as a link, otherwise by the name that was configured.
    pub fn channel(channel: &Channel) -> Self {
        let id = channel.as_str();
        if is_slack_id(id, &['C', 'G']) {
            return Self(format!("<#{id}>"));
        }
        Self::call(id).unwrap_or_else(|| Self::escape(id))
    }

    /// A moment, which Slack shows in the reader's time zone and in words ("Today at 3:14 AM").
    pub fn when(at: Timestamp) -> Self {
        Self::date(at, "{date_short_pretty} at {time}")
    }

    /// A moment as the reader's distance from it ("5 minutes ago", "in 2 hours"), which goes on counting on the screen.
    pub fn ago(at: Timestamp) -> Self {
        Self::date(at, "{ago}")
    }

    fn date(at: Timestamp, format: &'static str) -> Self {
        Self(format!("<!date^{}^{format}|{}>", at.as_second(), at.strftime("%Y-%m-%d %H:%M UTC")))
    }

    /// A text of this program with people in it, such as a refusal: everything is escaped except `<@U…>`.
    pub fn with_people(text: &str) -> Self {
        let mut out = Self::default();
        let mut rest = text;
        while let Some(at) = rest.find("<@") {
            let mention = rest[at..].find('>').map(|end| &rest[at + 2..at + end]).filter(|id| is_slack_id(id, &['U', 'W']));
            let escaped_to = mention.map_or(at + 2, |_| at);
            escape_into(&mut out.0, &rest[..escaped_to]);
            rest = &rest[escaped_to..];
            if let Some(id) = mention {
                // Writing to a string cannot fail.
                let _ = write!(out.0, "<@{id}>");
                rest = &rest[id.len() + 3..];
            }
        }
        escape_into(&mut out.0, rest);
        out
    }

    /// Text of the workspace's own configuration, in which values stand escaped: it may call and link as it says.
    #[cfg(feature = "configuration")]
    pub(crate) fn configured(text: String) -> Self {
        Self(if text.contains(is_no_text) { clean(&text).into_owned() } else { text })
    }

    /// The parts that are not blank, with `separator` between them.
    pub fn join(parts: impl IntoIterator<Item = Self>, separator: &'static str) -> Self {
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_blank()).map(|part| part.0).collect();
        Self(parts.join(separator))
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// As much of it as fits, with the mark `…` behind it; never within a `<…>` or an `&amp;`, whose first half would show as rubbish.
    #[must_use]
    pub fn cut(mut self, limit: usize) -> Self {
        if boundary(&self.0, limit) == self.0.len() {
            return self;
        }
        let mut end = boundary(&self.0, limit.saturating_sub(1));
        let kept = &self.0[..end];
        if let Some(open) = kept.rfind('<').filter(|open| !kept[*open..].contains('>')) {
            end = open;
        }
        let kept = &self.0[..end];
        if let Some(entity) = kept.rfind('&').filter(|entity| !kept[*entity..].contains(';')) {
            end = entity;
        }
        self.0.truncate(end);
        self.0.truncate(self.0.trim_end().len());
        self.0.push('…');
        self
    }
}

/// Text that Slack shows as it is: the place for what comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain(pub(super) String);

impl Plain {
    /// The text, of which only control characters are lost.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(clean(text.as_ref()).trim().to_owned())
    }

    pub(super) fn cut(self, limit: usize) -> Self {
        Self(cut(&self.0, limit).into_owned())
    }
}

/// Slack's text object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Text {
    PlainText {
        text: String,
        emoji: bool,
    },
    Mrkdwn {
        text: Mrkdwn,
        /// `true`: Slack makes no links and no mentions out of words that look like them, such as `@here`.
        verbatim: bool,
    },
}

impl Text {
    pub(super) fn length(&self) -> usize {
        match self {
            Self::PlainText { text, .. } | Self::Mrkdwn { text: Mrkdwn(text), .. } => length(text),
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::PlainText { text, .. } | Self::Mrkdwn { text: Mrkdwn(text), .. } => text.trim().is_empty(),
        }
    }
}

/// Text where Slack takes either sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyText(Text);

impl From<Plain> for AnyText {
    fn from(Plain(text): Plain) -> Self {
        Self(Text::PlainText { text, emoji: true })
    }
}

impl From<Mrkdwn> for AnyText {
    fn from(text: Mrkdwn) -> Self {
        Self(Text::Mrkdwn { text, verbatim: true })
    }
}

impl AnyText {
    pub(super) fn cut(self, limit: usize) -> Text {
        match self.0 {
            Text::PlainText { text, emoji } => Text::PlainText { text: cut(&text, limit).into_owned(), emoji },
            Text::Mrkdwn { text, verbatim } => Text::Mrkdwn { text: text.cut(limit), verbatim },
        }
    }
}

pub(super) fn plain(text: impl AsRef<str>, limit: usize) -> Text {
    AnyText::from(Plain::new(text).cut(limit)).0
}
