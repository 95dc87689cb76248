//! What is sent to Slack, as types that cannot break Slack's limits and cannot notify anybody by accident.
//!
//! Everything is made by constructors, and they cut to Slack's limits, here and nowhere else: one character too many, and Slack refuses the whole
//! message, which at night would be a card that nobody sees. The numbers are those of Slack's reference; where they are
//! undocumented, a comment says so.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::ids::{Channel, UserId, is_slack_id};

const HEADER: usize = 150;
const SECTION: usize = 3_000;
const FIELD: usize = 2_000;
const FIELDS: usize = 10;
const CONTEXT_TEXT: usize = 2_000;
const CONTEXT_ELEMENTS: usize = 10;
const ACTIONS: usize = 25;
const BUTTON: usize = 75;
const ACTION_ID: usize = 255;
const VALUE: usize = 2_000;
const URL: usize = 3_000;
const OPTION: usize = 75;
const OPTION_VALUE: usize = 150;
const OVERFLOW: usize = 5;
const CONFIRM_TITLE: usize = 100;
const CONFIRM: usize = 300;
const CONFIRM_BUTTON: usize = 30;
const LABEL: usize = 2_000;
const PLACEHOLDER: usize = 150;
const MODAL_WORD: usize = 24;
const MODAL_BLOCKS: usize = 100;
const BLOCKS: usize = 50;
/// Slack says 40,000 and advises 4,000; a notification shows far less.
const NOTIFICATION: usize = 1_000;
/// All text of a message's blocks together. Slack documents no number and answers `msg_blocks_too_long` at about 13,200.
const MESSAGE: usize = 12_500;

/// How long Slack may take a text to be. It says "characters" without saying which; UTF-16 code units are the larger count, so what
/// fits by them fits.
fn length(text: &str) -> usize {
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

fn clean(text: &str) -> Cow<'_, str> {
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
pub struct Mrkdwn(String);

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
pub use mrkdwn;

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

    fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Like [`cut`], but never within a `<…>` or an `&amp;`, whose first half would show as rubbish.
    /// As much of it as fits, with the mark `…` behind it; nothing of Slack's markup is cut in two.
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
pub struct Plain(String);

impl Plain {
    /// The text, of which only control characters are lost.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(clean(text.as_ref()).trim().to_owned())
    }

    fn cut(self, limit: usize) -> Self {
        Self(cut(&self.0, limit).into_owned())
    }
}

/// Slack's text object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Text {
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
    fn length(&self) -> usize {
        match self {
            Self::PlainText { text, .. } | Self::Mrkdwn { text: Mrkdwn(text), .. } => length(text),
        }
    }

    fn is_blank(&self) -> bool {
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
    fn cut(self, limit: usize) -> Text {
        match self.0 {
            Text::PlainText { text, emoji } => Text::PlainText { text: cut(&text, limit).into_owned(), emoji },
            Text::Mrkdwn { text, verbatim } => Text::Mrkdwn { text: text.cut(limit), verbatim },
        }
    }
}

fn plain(text: impl AsRef<str>, limit: usize) -> Text {
    AnyText::from(Plain::new(text).cut(limit)).0
}

/// An address that a button may open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Href(String);

impl Href {
    /// `None` for anything but `http://…` and `https://…` with a plain host: Slack refuses the whole message for one bad address, and a link with a
    /// name before the `@` looks like a place it does not lead to. What browsers would encode is encoded.
    pub fn parse(url: &str) -> Option<Self> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if !host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[') || !host.bytes().all(allowed) {
            return None;
        }
        if path.chars().any(char::is_control) {
            return None;
        }
        let mut href = format!("{}://{host}", scheme.to_ascii_lowercase());
        for byte in path.bytes() {
            if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
                href.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(href, "%{byte:02X}");
            }
        }
        (href.len() <= URL).then_some(Self(href))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A button's colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Green: the one thing to do.
    Primary,
    /// Red: what cannot be taken back.
    Danger,
}

/// What people press or fill in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Control {
    Button {
        action_id: String,
        text: Text,
        #[serde(skip_serializing_if = "Option::is_none")]
        style: Option<Style>,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<Href>,
        #[serde(skip_serializing_if = "Option::is_none")]
        confirm: Option<Confirm>,
    },
    StaticSelect {
        action_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        placeholder: Option<Text>,
        options: Vec<Choice>,
        #[serde(skip_serializing_if = "Option::is_none")]
        initial_option: Option<Choice>,
    },
    Overflow {
        action_id: String,
        options: Vec<Choice>,
    },
    UsersSelect {
        action_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        placeholder: Option<Text>,
    },
    #[serde(rename = "datetimepicker")]
    DateTimePicker {
        action_id: String,
        /// Seconds since 1970.
        #[serde(skip_serializing_if = "Option::is_none")]
        initial_date_time: Option<i64>,
    },
    PlainTextInput {
        action_id: String,
        multiline: bool,
        max_length: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        initial_value: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        placeholder: Option<Text>,
    },
    ConversationsSelect {
        action_id: String,
        placeholder: Text,
        filter: Filter,
        #[serde(skip_serializing_if = "Option::is_none")]
        initial_conversation: Option<Channel>,
    },
}

/// Which conversations one may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Filter {
    include: [&'static str; 2],
    exclude_bot_users: bool,
}

/// What is asked before a press counts. <https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object>
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are Slack's, by Slack's names")]
struct Confirm {
    title: Text,
    text: Text,
    confirm: Text,
    deny: Text,
}

/// One line of a select.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    text: Text,
    value: String,
}

impl Choice {
    /// What people read, and what comes back.
    pub fn new(text: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self { text: plain(text, OPTION), value: cut(value.as_ref(), OPTION_VALUE).into_owned() }
    }
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Button(Control);

impl Button {
    fn new(action_id: &str, text: &str, style: Option<Style>, value: Option<String>, url: Option<Href>) -> Self {
        Self(Control::Button {
            action_id: cut(action_id, ACTION_ID).into_owned(),
            text: plain(text, BUTTON),
            style,
            value,
            url,
            confirm: None,
        })
    }

    /// A button that sends `value` back to Tocsin.
    pub fn press(action_id: &'static str, text: &'static str, style: Option<Style>, value: &str) -> Self {
        Self::new(action_id, text, style, Some(cut(value, VALUE).into_owned()), None)
    }

    /// A button whose words come from outside, and which asks before it counts where `confirm` says what.
    pub fn choice(action_id: &str, text: &str, style: Option<Style>, value: &str, confirm: Option<&str>) -> Self {
        let Self(mut control) = Self::new(action_id, text, style, Some(cut(value, VALUE).into_owned()), None);
        if let Control::Button { confirm: asked, .. } = &mut control {
            *asked = confirm.map(|question| Confirm {
                title: plain("Are you sure?", CONFIRM_TITLE),
                text: plain(question, CONFIRM),
                confirm: plain(text, CONFIRM_BUTTON),
                deny: plain("Cancel", CONFIRM_BUTTON),
            });
        }
        Self(control)
    }

    /// A button whose words say how something stands; they are this program's own.
    pub fn switch(action_id: &str, text: &str, value: &'static str) -> Self {
        Self::new(action_id, text, None, Some(value.to_owned()), None)
    }

    /// Whether it opens a page, which needs nobody to answer.
    fn opens(&self) -> bool {
        matches!(&self.0, Control::Button { url: Some(_), .. })
    }

    /// A button that opens a page; `text` may come from outside.
    pub fn open(action_id: &str, text: &str, url: Href) -> Self {
        Self::new(action_id, text, None, None, Some(url))
    }
}

/// What stands in a row of things to press.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Element(Control);

impl From<Button> for Element {
    fn from(Button(control): Button) -> Self {
        Self(control)
    }
}

impl Element {
    /// A menu that shows what it is for; a choice sends its value at once.
    pub fn menu(action_id: &'static str, placeholder: &'static str, mut options: Vec<Choice>) -> Self {
        options.truncate(100);
        let placeholder = Some(plain(placeholder, PLACEHOLDER));
        Self(Control::StaticSelect { action_id: action_id.to_owned(), placeholder, options, initial_option: None })
    }

    /// The menu behind three dots: what is needed now and then. What is more than five is left out.
    pub fn overflow(action_id: &'static str, mut options: Vec<Choice>) -> Self {
        options.truncate(OVERFLOW);
        Self(Control::Overflow { action_id: action_id.to_owned(), options })
    }

    /// A channel, public or private; choosing one sends its id at once.
    pub fn channel(action_id: &'static str, placeholder: &'static str, initial: Option<Channel>) -> Self {
        let filter = Filter { include: ["public", "private"], exclude_bot_users: true };
        let placeholder = plain(placeholder, PLACEHOLDER);
        Self(Control::ConversationsSelect { action_id: action_id.to_owned(), placeholder, filter, initial_conversation: initial })
    }

    fn opens(&self) -> bool {
        matches!(&self.0, Control::Button { url: Some(_), .. })
    }
}

/// What an input block asks with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Field(Control);

impl Field {
    /// A text of at most `max_length` characters (Slack: 3,000).
    pub fn text(action_id: &'static str, multiline: bool, max_length: u16, placeholder: Option<&'static str>) -> Self {
        let placeholder = placeholder.map(|text| plain(text, PLACEHOLDER));
        let max_length = max_length.min(3_000);
        Self(Control::PlainTextInput { action_id: action_id.to_owned(), multiline, max_length, initial_value: None, placeholder })
    }

    /// The same field with this text in it already, as much of it as it takes; only texts can be begun.
    #[must_use]
    pub fn beginning_with(mut self, text: &str) -> Self {
        if let Control::PlainTextInput { initial_value, max_length, .. } = &mut self.0 {
            let Plain(text) = Plain::new(text).cut((*max_length).into());
            *initial_value = Some(text).filter(|text| !text.is_empty());
        }
        self
    }

    /// One of several (Slack: 100).
    pub fn select(action_id: &'static str, mut options: Vec<Choice>, initial: Option<Choice>) -> Self {
        options.truncate(100);
        Self(Control::StaticSelect { action_id: action_id.to_owned(), placeholder: None, options, initial_option: initial })
    }

    /// Somebody in the workspace.
    pub fn person(action_id: &'static str, placeholder: &'static str) -> Self {
        Self(Control::UsersSelect { action_id: action_id.to_owned(), placeholder: Some(plain(placeholder, PLACEHOLDER)) })
    }

    /// A day and an hour, on the clock of whoever is asked.
    pub fn moment(action_id: &'static str, initial: Timestamp) -> Self {
        Self(Control::DateTimePicker { action_id: action_id.to_owned(), initial_date_time: Some(initial.as_second()) })
    }
}

/// A piece of a message or of a modal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Block(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Kind {
    Header {
        text: Text,
    },
    Section {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<Text>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<Text>,
        #[serde(skip_serializing_if = "Option::is_none")]
        accessory: Option<Button>,
    },
    Actions {
        elements: Vec<Element>,
    },
    Context {
        elements: Vec<Text>,
    },
    Divider,
    Input {
        block_id: &'static str,
        label: Text,
        element: Field,
        optional: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<Text>,
    },
}

impl Block {
    /// The largest text there is, on one line.
    pub fn header(text: impl AsRef<str>) -> Self {
        Self(Kind::Header { text: plain(one_line(text.as_ref(), HEADER), HEADER) })
    }

    /// Text.
    pub fn section(text: impl Into<AnyText>) -> Self {
        Self::section_with(text, None)
    }

    /// Text with a button beside it.
    pub fn section_with(text: impl Into<AnyText>, accessory: Option<Button>) -> Self {
        Self(Kind::Section { text: Some(text.into().cut(SECTION)), fields: Vec::new(), accessory })
    }

    /// Short facts, in two columns where there is room. What is more than ten is left out: count before.
    pub fn fields(fields: impl IntoIterator<Item = Mrkdwn>) -> Self {
        let fields =
            fields.into_iter().map(|field| AnyText::from(field).cut(FIELD)).filter(|field| !field.is_blank()).take(FIELDS).collect();
        Self(Kind::Section { text: None, fields, accessory: None })
    }

    /// A text, if any, and short ones in two columns. What is more than ten is left out: count before.
    pub fn section_of(text: Option<AnyText>, fields: Vec<AnyText>) -> Self {
        let text = text.map(|text| text.cut(SECTION)).filter(|text| !text.is_blank());
        let fields = fields.into_iter().map(|field| field.cut(FIELD)).filter(|field| !field.is_blank()).take(FIELDS).collect();
        Self(Kind::Section { text, fields, accessory: None })
    }

    /// Small grey texts of either sort.
    pub fn context_of(texts: Vec<AnyText>) -> Self {
        let texts = texts.into_iter().map(|text| text.cut(CONTEXT_TEXT)).filter(|text| !text.is_blank());
        Self(Kind::Context { elements: texts.take(CONTEXT_ELEMENTS).collect() })
    }

    /// Buttons and menus.
    pub fn actions<E: Into<Element>>(elements: impl IntoIterator<Item = E>) -> Self {
        Self(Kind::Actions { elements: elements.into_iter().map(Into::into).take(ACTIONS).collect() })
    }

    /// Small grey text.
    pub fn context(texts: impl IntoIterator<Item = Mrkdwn>) -> Self {
        let texts = texts.into_iter().map(|text| AnyText::from(text).cut(CONTEXT_TEXT)).filter(|text| !text.is_blank());
        Self(Kind::Context { elements: texts.take(CONTEXT_ELEMENTS).collect() })
    }

    /// A line across.
    pub fn divider() -> Self {
        Self(Kind::Divider)
    }

    /// A question of a modal. The block's id and the element's action id are the same word.
    pub fn input(block_id: &'static str, label: &'static str, field: Field, optional: bool, hint: Option<&'static str>) -> Self {
        let hint = hint.map(|hint| plain(hint, LABEL));
        Self(Kind::Input { block_id, label: plain(label, LABEL), element: field, optional, hint })
    }

    fn without_actions(&mut self) {
        match &mut self.0 {
            Kind::Actions { elements } => elements.retain(Element::opens),
            Kind::Section { accessory, .. } => *accessory = accessory.take().filter(Button::opens),
            Kind::Header { .. } | Kind::Context { .. } | Kind::Divider | Kind::Input { .. } => {}
        }
    }

    /// Slack refuses empty blocks, so a message leaves them out.
    fn is_blank(&self) -> bool {
        match &self.0 {
            Kind::Header { text } => text.is_blank(),
            Kind::Section { text, fields, .. } => text.as_ref().is_none_or(Text::is_blank) && fields.is_empty(),
            Kind::Actions { elements } => elements.is_empty(),
            Kind::Context { elements } => elements.is_empty(),
            Kind::Divider | Kind::Input { .. } => false,
        }
    }

    /// How much of the message's budget of text it takes.
    fn length(&self) -> usize {
        match &self.0 {
            Kind::Header { text } => text.length(),
            Kind::Section { text, fields, accessory } => {
                let button = accessory.as_ref().map_or(0, |Button(control)| control.length());
                text.iter().chain(fields).map(Text::length).sum::<usize>() + button
            }
            Kind::Actions { elements } => elements.iter().map(|Element(control)| control.length()).sum(),
            Kind::Context { elements } => elements.iter().map(Text::length).sum(),
            Kind::Divider => 0,
            Kind::Input { label, hint, .. } => label.length() + hint.as_ref().map_or(0, Text::length),
        }
    }
}

impl Control {
    fn length(&self) -> usize {
        match self {
            Self::Button { text, confirm, .. } => {
                let asked =
                    confirm.as_ref().map_or(0, |ask| [&ask.title, &ask.text, &ask.confirm, &ask.deny].map(Text::length).iter().sum());
                text.length() + asked
            }
            Self::StaticSelect { options, placeholder, .. } => {
                options.iter().map(|option| &option.text).chain(placeholder).map(Text::length).sum()
            }
            Self::Overflow { options, .. } => options.iter().map(|option| option.text.length()).sum(),
            Self::PlainTextInput { placeholder, .. } | Self::UsersSelect { placeholder, .. } => {
                placeholder.as_ref().map_or(0, Text::length)
            }
            Self::ConversationsSelect { placeholder, .. } => placeholder.length(),
            Self::DateTimePicker { .. } => 0,
        }
    }
}

/// Blocks behind a coloured bar. Slack folds long ones behind "Show more", so what must be seen stands in the message's own blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    color: &'static str,
    blocks: Vec<Block>,
}

impl Attachment {
    /// `color` as `#rrggbb`.
    pub fn new(color: &'static str, blocks: Vec<Block>) -> Self {
        Self { color, blocks }
    }
}

/// A message, as `chat.postMessage`, `chat.update`, `chat.postEphemeral` and a `response_url` take it. Blocks and attachments are always sent,
/// empty ones too: what an update keeps of those it does not name is documented two ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    text: Mrkdwn,
    blocks: Vec<Block>,
    attachments: Vec<Attachment>,
}

impl Message {
    /// `text` is what notifications and screen readers use. Blank blocks are left out, and so are those at the end for which there is no
    /// room; a line says so.
    pub fn new(text: Mrkdwn, blocks: Vec<Block>, attachments: Vec<Attachment>) -> Self {
        let mut room = Room { blocks: BLOCKS - 1, text: MESSAGE, full: false };
        let mut blocks = room.take(blocks);
        let mut attachments: Vec<Attachment> =
            attachments.into_iter().map(|attachment| Attachment { blocks: room.take(attachment.blocks), ..attachment }).collect();
        attachments.retain(|attachment| !attachment.blocks.is_empty());
        if room.full {
            let rest = Block::context([mrkdwn!("The rest is too long for Slack.")]);
            attachments.last_mut().map_or(&mut blocks, |attachment| &mut attachment.blocks).push(rest);
        }
        Self { text: text.cut(NOTIFICATION), blocks, attachments }
    }

    /// A message of a sentence or two.
    pub fn just(text: Mrkdwn) -> Self {
        Self::new(text.clone(), vec![Block::section(text)], Vec::new())
    }

    /// The same where nothing that is pressed would arrive: without the buttons that act, and with a line that says why.
    #[must_use]
    pub fn without_actions(mut self, why: &'static str) -> Self {
        for blocks in std::iter::once(&mut self.blocks).chain(self.attachments.iter_mut().map(|attachment| &mut attachment.blocks)) {
            blocks.iter_mut().for_each(Block::without_actions);
            blocks.retain(|block| !block.is_blank());
        }
        // `new` has left room for one block.
        self.blocks.push(Block::context([mrkdwn!("{}", why)]));
        self
    }

    /// What a notification says.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }
}

/// What a message still has room for.
struct Room {
    blocks: usize,
    text: usize,
    full: bool,
}

impl Room {
    /// The first of `blocks`, up to the one that does not fit.
    fn take(&mut self, blocks: Vec<Block>) -> Vec<Block> {
        let mut taken = Vec::with_capacity(blocks.len());
        for block in blocks.into_iter().filter(|block| !block.is_blank()) {
            let text = self.text.checked_sub(block.length()).filter(|_| !self.full);
            let (Some(text), Some(count)) = (text, self.blocks.checked_sub(1)) else {
                self.full = true;
                break;
            };
            self.text = text;
            self.blocks = count;
            taken.push(block);
        }
        taken
    }
}

/// A modal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    r#type: &'static str,
    callback_id: &'static str,
    title: Text,
    submit: Text,
    close: Text,
    private_metadata: String,
    blocks: Vec<Block>,
}

impl View {
    /// `private_metadata` comes back with the submission. It holds a few ids, so that Slack's limit of 3,000 is far.
    pub fn modal(callback_id: &'static str, title: &str, submit: &'static str, private_metadata: String, mut blocks: Vec<Block>) -> Self {
        blocks.retain(|block| !block.is_blank());
        blocks.truncate(MODAL_BLOCKS);
        let word = |text: &str| plain(text, MODAL_WORD);
        Self { r#type: "modal", callback_id, title: word(title), submit: word(submit), close: word("Cancel"), private_metadata, blocks }
    }
}

/// What somebody sees at Home, and nobody else. <https://docs.slack.dev/surfaces/app-home>
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HomeView {
    r#type: &'static str,
    callback_id: &'static str,
    blocks: Vec<Block>,
}

impl HomeView {
    /// Blank blocks are left out, and those at the end for which there is no room.
    pub fn new(mut blocks: Vec<Block>) -> Self {
        blocks.retain(|block| !block.is_blank());
        blocks.truncate(MODAL_BLOCKS);
        Self { r#type: "home", callback_id: "home", blocks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::limits;

    fn json(value: &impl Serialize) -> serde_json::Value {
        serde_json::to_value(value).unwrap()
    }

    fn broken(blocks: Vec<Block>) -> Vec<String> {
        limits::check(&json(&Message::new(mrkdwn!("text"), blocks, Vec::new())))
    }

    #[test]
    fn every_constructor_cuts_to_its_limit() {
        for text in ["x".repeat(30_000), "👍".repeat(30_000), "&<>".repeat(10_000), " ".repeat(30_000)] {
            let raw = || Mrkdwn::escape(&text);
            let button = |number: usize| Button::open(&format!("link_{number}{text}"), &text, Href::parse("https://example.com").unwrap());
            let press = || Button::press("press", "Press", Some(Style::Danger), &text);
            let one_by_one = [
                Block::header(format!("x {text}")),
                Block::section(Plain::new(&text)),
                Block::section(raw()),
                Block::fields([raw()]),
                Block::context([raw()]),
                Block::actions(vec![press()]),
            ];
            for block in one_by_one {
                assert_eq!(broken(vec![block]), Vec::<String>::new());
            }
            let short = || Mrkdwn::escape(text.chars().take(20).collect::<String>());
            let many = vec![Block::fields((0..30).map(|_| short())), Block::context((0..30).map(|_| short()))];
            assert_eq!(broken(many), Vec::<String>::new());
            if !text.trim().is_empty() {
                assert_eq!(
                    limits::check(&json(&Message::new(mrkdwn!("text"), vec![Block::actions(vec![button(1)])], Vec::new()))),
                    Vec::<String>::new()
                );
            }
            let choices: Vec<_> = (0..300).map(|_| Choice::new(format!("x{text}"), "value")).collect();
            let blocks =
                vec![Block::input("block", "Label", Field::select("block", choices.clone(), choices.into_iter().next()), false, None)];
            let view = View::modal("callback", &format!("x{text}"), "Submit", "{}".into(), blocks);
            assert_eq!(limits::check(&json(&view)), Vec::<String>::new());
        }
        let field = Field::text("field", true, u16::MAX, Some("Placeholder"));
        let view = View::modal("callback", "Title", "Submit", "{}".into(), vec![Block::input("field", "Label", field, true, Some("Hint"))]);
        assert_eq!(limits::check(&json(&view)), Vec::<String>::new());
        let buttons = (0..60).map(|number| Button::open(&format!("link_{number}"), "Open", Href::parse("https://example.com").unwrap()));
        assert_eq!(broken(vec![Block::actions(buttons)]), Vec::<String>::new());
    }

    #[test]
    fn a_message_that_is_too_long_ends_with_a_word_about_it() {
        let rest = "The rest is too long for Slack.";
        let long = || Block::section(Plain::new("x".repeat(3_000)));
        let message =
            json(&Message::new(mrkdwn!("text"), vec![long(), long()], vec![Attachment::new("#000000", (0..9).map(|_| long()).collect())]));
        assert_eq!(limits::check(&message), Vec::<String>::new());
        assert_eq!(message["attachments"][0]["blocks"].as_array().unwrap().last().unwrap()["elements"][0]["text"], rest);
        let many = json(&Message::new(mrkdwn!("text"), vec![Block::divider(); 60], Vec::new()));
        assert_eq!(limits::check(&many), Vec::<String>::new());
        assert_eq!((many["blocks"].as_array().unwrap().len(), many.to_string().matches(rest).count()), (50, 1));
        let small = || vec![Attachment::new("#000000", vec![Block::section(Plain::new("small"))])];
        let after = json(&Message::new(mrkdwn!("text"), (0..9).map(|_| long()).collect(), small()));
        assert_eq!(after.to_string().matches("small").count(), 0, "nothing follows what was left out");
        let short = json(&Message::new(mrkdwn!("text"), vec![long()], Vec::new()));
        assert_eq!(short.to_string().matches(rest).count(), 0);
    }

    #[test]
    fn what_is_blank_is_not_sent() {
        let blank = || {
            vec![
                Block::section(mrkdwn!(" ")),
                Block::fields([]),
                Block::context([mrkdwn!("")]),
                Block::actions(Vec::<Button>::new()),
                Block::header("\u{0}"),
            ]
        };
        let message = json(&Message::new(mrkdwn!("text"), blank(), vec![Attachment::new("#000000", blank())]));
        assert_eq!(message, serde_json::json!({ "text": "text", "blocks": [], "attachments": [] }));
    }

    #[test]
    fn a_cut_falls_between_characters_and_is_marked() {
        assert_eq!(cut("checkout", 8), "checkout");
        assert_eq!(cut("checkout", 5), "chec…");
        assert_eq!(cut("check out", 7), "check…");
        assert_eq!(cut("👍👍👍", 6), "👍👍👍");
        assert_eq!(cut("👍👍👍", 5), "👍👍…");
        assert_eq!(cut("👍👍👍", 4), "👍…");
    }

    #[test]
    fn markup_is_not_cut_in_two() {
        let text = mrkdwn!("at {} and {}", Mrkdwn::ago(Timestamp::UNIX_EPOCH), "&");
        assert_eq!(text.clone().cut(200).as_str(), "at <!date^0^{ago}|1970-01-01 00:00 UTC> and &amp;");
        for limit in 5..39 {
            assert_eq!(text.clone().cut(limit).as_str(), "at…", "{limit}");
        }
        for limit in 45..49 {
            assert_eq!(text.clone().cut(limit).as_str(), "at <!date^0^{ago}|1970-01-01 00:00 UTC> and…", "{limit}");
        }
    }

    #[test]
    fn values_are_escaped_and_markup_is_not_escaped_twice() {
        let inner = mrkdwn!("*{}*", "<!channel> & co");
        assert_eq!(inner.as_str(), "*&lt;!channel&gt; &amp; co*");
        assert_eq!(mrkdwn!("{}: {}", 7, inner).as_str(), "7: *&lt;!channel&gt; &amp; co*");
        assert_eq!(mrkdwn!("{} {}", "{}", "x").as_str(), "{} x", "a value's own braces are no holes");
    }

    #[test]
    fn only_ids_become_mentions() {
        let user = |id: &str| Mrkdwn::user(&UserId::new(id)).as_str().to_owned();
        assert_eq!((user("U0JANE").as_str(), user("W0JANE").as_str(), user("Ute").as_str()), ("<@U0JANE>", "<@W0JANE>", "Ute"));
        assert_eq!(user("U1> <!channel"), "U1&gt; &lt;!channel");
        let call = |id: &str| Mrkdwn::call(id).map(|call| call.as_str().to_owned());
        assert_eq!((call("S0ONCALL"), call("U0LENA")), (Some("<!subteam^S0ONCALL>".into()), Some("<@U0LENA>".into())));
        assert_eq!((call("here"), call("channel"), call("C0GENERAL"), call("")), (None, None, None, None));
        let channel = |id: &str| Mrkdwn::channel(&Channel::new(id)).as_str().to_owned();
        assert_eq!(
            (channel("C0GENERAL").as_str(), channel("#incidents").as_str(), channel("U0JANE").as_str()),
            ("<#C0GENERAL>", "#incidents", "<@U0JANE>")
        );
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("  a\n\tb\u{a0} c\u{0}\r\n", 100), "a b c");
        assert_eq!(one_line("a b c", 4), "a b…");
        assert_eq!(one_line("abcd", 4), "abcd");
        assert_eq!(one_line(" \n ", 4), "");
    }
}
