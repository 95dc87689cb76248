//! The pieces of a message, of a modal and of Home.

use serde::Serialize;

use super::control::{Button, Element, Field};
use super::mrkdwn::{AnyText, Mrkdwn, Text, one_line, plain};

const HEADER: usize = 150;
const SECTION: usize = 3_000;
const FIELD: usize = 2_000;
const FIELDS: usize = 10;
const CONTEXT_TEXT: usize = 2_000;
const CONTEXT_ELEMENTS: usize = 10;
const ACTIONS: usize = 25;
const LABEL: usize = 2_000;

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

    pub(super) fn without_actions(&mut self) {
        match &mut self.0 {
            Kind::Actions { elements } => elements.retain(Element::opens),
            Kind::Section { accessory, .. } => *accessory = accessory.take().filter(Button::opens),
            Kind::Header { .. } | Kind::Context { .. } | Kind::Divider | Kind::Input { .. } => {}
        }
    }

    /// Slack refuses empty blocks, so a message leaves them out.
    pub(super) fn is_blank(&self) -> bool {
        match &self.0 {
            Kind::Header { text } => text.is_blank(),
            Kind::Section { text, fields, .. } => text.as_ref().is_none_or(Text::is_blank) && fields.is_empty(),
            Kind::Actions { elements } => elements.is_empty(),
            Kind::Context { elements } => elements.is_empty(),
            Kind::Divider | Kind::Input { .. } => false,
        }
    }

    /// How much of the message's budget of text it takes.
    pub(super) fn length(&self) -> usize {
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
