//! What people press, choose and fill in.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::mrkdwn::{Plain, Text, cut, plain};
use crate::domain::ids::Channel;

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
const PLACEHOLDER: usize = 150;

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
pub(super) enum Control {
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
pub(super) struct Filter {
    include: [&'static str; 2],
    exclude_bot_users: bool,
}

/// What is asked before a press counts. <https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object>
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are Slack's, by Slack's names")]
pub(super) struct Confirm {
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
pub struct Button(pub(super) Control);

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
    pub(super) fn opens(&self) -> bool {
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
pub struct Element(pub(super) Control);

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

    pub(super) fn opens(&self) -> bool {
        matches!(&self.0, Control::Button { url: Some(_), .. })
    }
}

/// What an input block asks with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Field(pub(super) Control);

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

impl Control {
    pub(super) fn length(&self) -> usize {
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
