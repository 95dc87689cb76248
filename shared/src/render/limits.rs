//! Slack's limits as a test sees them: on the JSON that is sent, and written down apart from the code that keeps them.

use serde_json::Value;

/// Every limit that `message` breaks, as sentences; empty when Slack would take it.
pub fn check(message: &Value) -> Vec<String> {
    let mut found = Findings::default();
    let is_modal = message["type"] == "modal";
    let is_view = is_modal || message["type"] == "home";
    let attached = message["attachments"].as_array().cloned().unwrap_or_default();
    let attached = attached.iter().flat_map(|attachment| attachment["blocks"].as_array().cloned().unwrap_or_default());
    let blocks: Vec<Value> = message["blocks"].as_array().cloned().unwrap_or_default().into_iter().chain(attached).collect();
    if is_view {
        found.at_most("blocks of a view", blocks.len(), 100);
        found.text("callback_id", &message["callback_id"], 255);
    }
    if is_modal {
        for word in ["title", "submit", "close"] {
            found.plain(word, &message[word], 24);
        }
        found.text("private_metadata", &message["private_metadata"], 3_000);
    }
    if !is_view {
        found.at_most("blocks of a message", blocks.len(), 50);
        found.text("text", &message["text"], 3_999);
        found.markup("text", message["text"].as_str().unwrap_or_default());
        found.expect("a message has its text", message["text"].as_str().is_some_and(|text| !text.trim().is_empty()));
        found.expect("blocks and attachments are always sent", message["blocks"].is_array() && message["attachments"].is_array());
    }
    for attachment in message["attachments"].as_array().into_iter().flatten() {
        let keys: Vec<_> = attachment.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        found.expect("an attachment has no legacy fields", keys.iter().all(|key| ["blocks", "color"].contains(key)));
    }
    for block in &blocks {
        found.block(block);
    }
    let all: usize = blocks.iter().map(all_text).sum();
    found.at_most("all text of a message's blocks", if is_view { 0 } else { all }, 13_200);
    let everything = message.to_string();
    found.at_most("the whole view in bytes", everything.len(), 250_000);
    let mut ids: Vec<_> = blocks.iter().filter_map(|block| block["block_id"].as_str()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    found.expect("block_ids are unique", ids.len() == count);
    found.0
}

/// UTF-16 code units: no count of characters is larger.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn all_text(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(
                |(key, value)| {
                    if key == "text" && value.is_string() { length(value.as_str().unwrap_or_default()) } else { all_text(value) }
                },
            )
            .sum(),
        Value::Array(values) => values.iter().map(all_text).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn expect(&mut self, what: &str, holds: bool) {
        if !holds {
            self.0.push(format!("does not hold: {what}"));
        }
    }

    fn at_most(&mut self, what: &str, count: usize, limit: usize) {
        if count > limit {
            self.0.push(format!("{what}: {count}, at most {limit}"));
        }
    }

    fn text(&mut self, what: &str, value: &Value, limit: usize) {
        match value.as_str() {
            Some(text) => self.at_most(what, length(text), limit),
            None => self.0.push(format!("{what} is missing")),
        }
    }

    fn plain(&mut self, what: &str, value: &Value, limit: usize) {
        self.expect(&format!("{what} is plain_text"), value["type"] == "plain_text");
        self.object(what, value, limit);
    }

    /// A text object.
    fn object(&mut self, what: &str, value: &Value, limit: usize) {
        self.text(what, &value["text"], limit);
        let text = value["text"].as_str().unwrap_or_default();
        self.expect(&format!("{what} is not blank"), !text.trim().is_empty());
        match value["type"].as_str() {
            Some("plain_text") => self.expect("plain_text has no `verbatim`", value.get("verbatim").is_none()),
            Some("mrkdwn") => {
                self.expect("mrkdwn makes no mentions of words", value["verbatim"] == true);
                self.markup(what, text);
            }
            other => self.0.push(format!("{what} is a text object of type {other:?}")),
        }
    }

    /// Every `<` opens something that Slack knows and that closes, and every `&` is an entity: nothing was cut in two.
    fn markup(&mut self, what: &str, text: &str) {
        for piece in text.split('<').skip(1) {
            let token = piece.split_once('>').map(|(token, _)| token);
            let known =
                token.is_some_and(|token| ["@U", "@W", "#C", "#G", "!subteam^S", "!date^"].iter().any(|start| token.starts_with(start)));
            self.expect(&format!("{what}: <{piece:.40} is markup of ours"), known);
        }
        for piece in text.split('&').skip(1) {
            let entity = ["amp;", "lt;", "gt;"].iter().any(|entity| piece.starts_with(entity));
            self.expect(&format!("{what}: &{piece:.10} is an entity"), entity);
        }
    }

    fn block(&mut self, block: &Value) {
        let elements = block["elements"].as_array().map_or(0, Vec::len);
        if let Some(id) = block.get("block_id") {
            self.text("block_id", id, 255);
        }
        match block["type"].as_str() {
            Some("header") => self.plain("header", &block["text"], 150),
            Some("section") => {
                let fields = block["fields"].as_array().cloned().unwrap_or_default();
                self.at_most("fields", fields.len(), 10);
                self.expect("a section has text or fields", block.get("text").is_some() || !fields.is_empty());
                if let Some(text) = block.get("text") {
                    self.object("section", text, 3_000);
                }
                for field in &fields {
                    self.object("field", field, 2_000);
                }
                if let Some(accessory) = block.get("accessory") {
                    self.element(accessory);
                }
            }
            Some("actions") => {
                self.at_most("elements of actions", elements, 25);
                self.expect("actions are not empty", elements > 0);
                for element in block["elements"].as_array().into_iter().flatten() {
                    self.element(element);
                }
                let mut ids: Vec<_> =
                    block["elements"].as_array().into_iter().flatten().map(|element| element["action_id"].as_str()).collect();
                ids.sort_unstable();
                ids.dedup();
                self.expect("action_ids of a block are unique", ids.len() == elements);
            }
            Some("context") => {
                self.at_most("elements of a context", elements, 10);
                self.expect("a context is not empty", elements > 0);
                for element in block["elements"].as_array().into_iter().flatten() {
                    self.object("context", element, 3_000);
                }
            }
            Some("divider") => {}
            Some("input") => {
                self.plain("label", &block["label"], 2_000);
                self.element(&block["element"]);
            }
            other => self.0.push(format!("a block of type {other:?}")),
        }
    }

    fn element(&mut self, element: &Value) {
        self.text("action_id", &element["action_id"], 255);
        match element["type"].as_str() {
            Some("button") => {
                self.plain("button", &element["text"], 75);
                if let Some(value) = element.get("value") {
                    self.text("value", value, 2_000);
                }
                if let Some(url) = element.get("url") {
                    self.text("url", url, 3_000);
                    let url = url.as_str().unwrap_or_default();
                    let web = url.starts_with("https://") || url.starts_with("http://");
                    self.expect(&format!("{url:.60} is an address of the web"), web && url.bytes().all(|byte| byte.is_ascii_graphic()));
                }
            }
            Some("static_select") => {
                let options = element["options"].as_array().cloned().unwrap_or_default();
                self.at_most("options", options.len(), 100);
                for option in &options {
                    self.plain("option", &option["text"], 75);
                    self.text("value of an option", &option["value"], 150);
                }
                if let Some(initial) = element.get("initial_option") {
                    self.expect("the initial option is one of the options", options.contains(initial));
                }
                if let Some(placeholder) = element.get("placeholder") {
                    self.plain("placeholder", placeholder, 150);
                }
            }
            Some("overflow") => {
                let options = element["options"].as_array().cloned().unwrap_or_default();
                self.expect("an overflow menu has one to five options", (1..=5).contains(&options.len()));
                for option in &options {
                    self.plain("option", &option["text"], 75);
                    self.text("value of an option", &option["value"], 150);
                }
            }
            Some("conversations_select") => {
                self.plain("placeholder", &element["placeholder"], 150);
                let initial = element.get("initial_conversation").and_then(Value::as_str);
                self.expect("an initial channel is named by its id", initial.is_none_or(|id| id.starts_with(['C', 'G'])));
            }
            Some("users_select") => {
                if let Some(placeholder) = element.get("placeholder") {
                    self.plain("placeholder", placeholder, 150);
                }
            }
            Some("datetimepicker") => {
                // Slack: ten digits.
                let fits = |seconds: i64| (1_000_000_000..10_000_000_000).contains(&seconds);
                self.expect("a moment has ten digits", element["initial_date_time"].as_i64().is_none_or(fits));
            }
            Some("plain_text_input") => {
                let longest = element["max_length"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or_default();
                self.at_most("initial_value", length(element["initial_value"].as_str().unwrap_or_default()), longest);
                self.expect("max_length is at most 3,000", element["max_length"].as_u64().is_some_and(|most| (1..=3_000).contains(&most)));
                if let Some(placeholder) = element.get("placeholder") {
                    self.plain("placeholder", placeholder, 150);
                }
            }
            other => self.0.push(format!("an element of type {other:?}")),
        }
    }
}
