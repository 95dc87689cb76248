//! Block Kit's limits, with the sentences that Slack gives in `response_metadata.messages`.
//!
//! Lengths are counted in characters. Element and block types that are not known here pass: Slack adds new ones without notice.

use std::collections::HashSet;

use serde_json::Value;

/// Blocks in a message.
const MESSAGE_BLOCKS: usize = 50;
/// Blocks in a modal or Home view.
const VIEW_BLOCKS: usize = 100;
/// All text in the blocks of one message; not documented by Slack.
const ALL_BLOCK_TEXT: usize = 13_200;
/// Size of a whole view.
const VIEW_BYTES: usize = 250_000;
/// What an attachment may hold beside its `blocks`.
const ATTACHMENT_KEYS_BESIDE_BLOCKS: [&str; 4] = ["blocks", "color", "fallback", "id"];

/// What is wrong with a message's blocks and attachments: Slack's error code and the sentences behind it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) code: &'static str,
    pub(crate) messages: Vec<String>,
}

/// Checks the blocks and attachments of one message.
pub(crate) fn check_message(blocks: &[Value], attachments: &[Value]) -> Result<(), Wrong> {
    let mut check = Check::default();
    check.blocks(blocks, "/blocks", MESSAGE_BLOCKS);
    check.finish("invalid_blocks")?;

    let mut check = Check::default();
    if attachments.len() > 100 {
        return Err(Wrong { code: "too_many_attachments", messages: Vec::new() });
    }
    for (index, attachment) in attachments.iter().enumerate() {
        let path = format!("/attachments/{index}");
        let Some(fields) = attachment.as_object() else {
            check.say("must be an object", &path);
            continue;
        };
        if let Some(blocks) = fields.get("blocks").filter(|blocks| !blocks.is_null()) {
            if fields.keys().any(|key| !ATTACHMENT_KEYS_BESIDE_BLOCKS.contains(&key.as_str())) {
                check.messages.push("[ERROR] invalid_keys".into());
            }
            match blocks.as_array() {
                Some(blocks) => check.blocks(blocks, &format!("{path}/blocks"), MESSAGE_BLOCKS),
                None => check.say("must be an array", &format!("{path}/blocks")),
            }
        }
    }
    check.finish("invalid_attachments")?;

    let in_attachments = attachments.iter().filter_map(|attachment| attachment["blocks"].as_array()).flatten();
    let text: usize = blocks.iter().chain(in_attachments).map(text_length).sum();
    if text > ALL_BLOCK_TEXT {
        return Err(Wrong { code: "msg_blocks_too_long", messages: Vec::new() });
    }
    Ok(())
}

/// Checks a modal or Home view.
pub(crate) fn check_view(view: &Value) -> Result<(), Wrong> {
    let mut check = Check { in_view: true, ..Check::default() };
    let kind = view["type"].as_str().unwrap_or_default();
    if !view.is_object() || !["modal", "home"].contains(&kind) {
        check.say("failed to match all allowed schemas", "/view");
        return check.finish("invalid_arguments");
    }
    if view.to_string().len() > VIEW_BYTES {
        return Err(Wrong { code: "view_too_large", messages: Vec::new() });
    }
    match view["blocks"].as_array() {
        Some(blocks) => check.blocks(blocks, "/view/blocks", VIEW_BLOCKS),
        None => check.say("missing required field: blocks", "/view"),
    }
    if kind == "modal" {
        check.plain_text(view, "title", 24, "/view", true);
        check.plain_text(view, "submit", 24, "/view", false);
        check.plain_text(view, "close", 24, "/view", false);
        let has_input = view["blocks"].as_array().is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "input"));
        if has_input && view["submit"].is_null() {
            check.say("missing required field: submit", "/view");
        }
    }
    check.length(view, "private_metadata", 3000, "/view");
    check.length(view, "callback_id", 255, "/view");
    check.length(view, "external_id", 255, "/view");
    check.finish("invalid_arguments")
}

#[derive(Default)]
struct Check {
    messages: Vec<String>,
    in_view: bool,
}

impl Check {
    fn finish(self, code: &'static str) -> Result<(), Wrong> {
        if self.messages.is_empty() { Ok(()) } else { Err(Wrong { code, messages: self.messages }) }
    }

    fn say(&mut self, what: &str, path: &str) {
        self.messages.push(format!("[ERROR] {what} [json-pointer:{path}]"));
    }

    fn blocks(&mut self, blocks: &[Value], path: &str, most: usize) {
        if blocks.len() > most {
            self.say(&format!("no more than {most} items allowed"), path);
        }
        let mut ids = HashSet::new();
        for (index, block) in blocks.iter().enumerate() {
            let path = format!("{path}/{index}");
            if let Some(id) = block["block_id"].as_str().filter(|id| !id.is_empty())
                && !ids.insert(id)
            {
                self.say(&format!("`block_id` already exists: {id}"), &path);
            }
            let mut action_ids = HashSet::new();
            for id in elements_of(block).filter_map(|element| element["action_id"].as_str()) {
                if !action_ids.insert(id) {
                    self.say(&format!("`action_id` \"{id}\" already exists"), &path);
                }
            }
            self.block(block, &path);
        }
    }

    fn block(&mut self, block: &Value, path: &str) {
        let Some(kind) = block["type"].as_str() else {
            self.say("missing required field: type", path);
            return;
        };
        self.length(block, "block_id", 255, path);
        match kind {
            "header" => self.plain_text(block, "text", 150, path, true),
            "section" => self.section(block, path),
            "actions" => {
                let elements = self.elements(block, 25, path);
                for (index, element) in elements.iter().enumerate() {
                    self.element(element, &format!("{path}/elements/{index}"));
                }
            }
            "context" => {
                let elements = self.elements(block, 10, path);
                for (index, element) in elements.iter().enumerate() {
                    let path = format!("{path}/elements/{index}");
                    match element["type"].as_str() {
                        Some("image") => self.image(element, &path),
                        Some("mrkdwn" | "plain_text") => self.text_object(element, 3000, &path),
                        _ => self.say("failed to match all allowed schemas", &path),
                    }
                }
            }
            "image" => {
                self.image(block, path);
                self.plain_text(block, "title", 2000, path, false);
            }
            "input" => self.input(block, path),
            "rich_text" if !block["elements"].is_array() => self.say("missing required field: elements", path),
            "markdown" => self.length(block, "text", 12_000, path),
            _ => {}
        }
    }

    fn section(&mut self, block: &Value, path: &str) {
        let fields = block["fields"].as_array();
        if block["text"].is_null() && fields.is_none() {
            self.say("missing required field: text or fields", path);
        }
        if !block["text"].is_null() {
            self.text_object(&block["text"], 3000, &format!("{path}/text"));
        }
        if let Some(fields) = fields {
            if fields.is_empty() {
                self.say("must have at least 1 item", &format!("{path}/fields"));
            }
            if fields.len() > 10 {
                self.say("no more than 10 items allowed", &format!("{path}/fields"));
            }
            for (index, field) in fields.iter().enumerate() {
                self.text_object(field, 2000, &format!("{path}/fields/{index}"));
            }
        }
        if !block["accessory"].is_null() {
            self.element(&block["accessory"], &format!("{path}/accessory"));
        }
    }

    fn input(&mut self, block: &Value, path: &str) {
        if !self.in_view {
            self.say("unsupported type: input", path);
        }
        self.plain_text(block, "label", 2000, path, true);
        self.plain_text(block, "hint", 2000, path, false);
        if block["element"].is_object() {
            self.element(&block["element"], &format!("{path}/element"));
        } else {
            self.say("missing required field: element", path);
        }
    }

    fn elements<'a>(&mut self, block: &'a Value, most: usize, path: &str) -> &'a [Value] {
        let path = format!("{path}/elements");
        let Some(elements) = block["elements"].as_array() else {
            self.say("missing required field: elements", &path);
            return &[];
        };
        if elements.is_empty() {
            self.say("must have at least 1 item", &path);
        }
        if elements.len() > most {
            self.say(&format!("no more than {most} items allowed"), &path);
        }
        elements
    }

    fn element(&mut self, element: &Value, path: &str) {
        let Some(kind) = element["type"].as_str() else {
            self.say("missing required field: type", path);
            return;
        };
        self.length(element, "action_id", 255, path);
        if !element["confirm"].is_null() {
            self.confirm(&element["confirm"], &format!("{path}/confirm"));
        }
        match kind {
            "button" => {
                self.plain_text(element, "text", 75, path, true);
                self.length(element, "value", 2000, path);
                self.length(element, "url", 3000, path);
                self.length(element, "accessibility_label", 75, path);
                if !matches!(element["style"].as_str(), None | Some("primary" | "danger"))
                    || !(element["style"].is_null() || element["style"].is_string())
                {
                    self.say("failed to match all allowed schemas", &format!("{path}/style"));
                }
                if let Some(url) = element["url"].as_str()
                    && !url.contains("://")
                    && !url.starts_with("mailto:")
                {
                    self.say("must be a valid URL", &format!("{path}/url"));
                }
            }
            "image" => self.image(element, path),
            "static_select" | "multi_static_select" => {
                self.plain_text(element, "placeholder", 150, path, false);
                self.options(element, 100, 75, path);
            }
            "overflow" => self.options(element, 5, 75, path),
            "checkboxes" | "radio_buttons" => self.options(element, 10, 75, path),
            "conversations_select" => {
                self.plain_text(element, "placeholder", 150, path, false);
                if element["initial_conversation"].as_str().is_some_and(|id| !id.starts_with(['C', 'D', 'G'])) {
                    self.say("must be the id of a conversation", &format!("{path}/initial_conversation"));
                }
            }
            "plain_text_input" => {
                self.plain_text(element, "placeholder", 150, path, false);
                let most = element["max_length"].as_u64().unwrap_or(3000);
                self.length(element, "initial_value", usize::try_from(most).unwrap_or(3000), path);
                if element["max_length"].as_u64().is_some_and(|most| most > 3000) {
                    self.say("must be less than or equal to 3000", &format!("{path}/max_length"));
                }
            }
            _ => self.plain_text(element, "placeholder", 150, path, false),
        }
    }

    fn options(&mut self, element: &Value, most: usize, text: usize, path: &str) {
        let groups = element["option_groups"].as_array().into_iter().flatten();
        let lists = groups.map(|group| &group["options"]).chain(std::iter::once(&element["options"]));
        let mut any = false;
        for list in lists.filter_map(Value::as_array) {
            any = true;
            let path = format!("{path}/options");
            if list.is_empty() {
                self.say("must have at least 1 item", &path);
            }
            if list.len() > most {
                self.say(&format!("no more than {most} items allowed"), &path);
            }
            for (index, option) in list.iter().enumerate() {
                let path = format!("{path}/{index}");
                self.text_object(&option["text"], text, &format!("{path}/text"));
                match option["value"].as_str() {
                    Some(_) => self.length(option, "value", 150, &path),
                    None => self.say("missing required field: value", &path),
                }
                if !option["description"].is_null() {
                    self.text_object(&option["description"], 75, &format!("{path}/description"));
                }
            }
        }
        if !any {
            self.say("missing required field: options", path);
        }
    }

    fn confirm(&mut self, confirm: &Value, path: &str) {
        self.plain_text(confirm, "title", 100, path, true);
        self.text_object(&confirm["text"], 300, &format!("{path}/text"));
        self.plain_text(confirm, "confirm", 30, path, false);
        self.plain_text(confirm, "deny", 30, path, false);
    }

    fn image(&mut self, image: &Value, path: &str) {
        match image["alt_text"].as_str() {
            Some(_) => self.length(image, "alt_text", 2000, path),
            None => self.say("missing required field: alt_text", path),
        }
        self.length(image, "image_url", 3000, path);
        if image["image_url"].is_null() && image["slack_file"].is_null() {
            self.say("missing required field: image_url", path);
        }
    }

    /// A text object in mrkdwn or plain text, never empty.
    fn text_object(&mut self, text: &Value, most: usize, path: &str) {
        if !matches!(text["type"].as_str(), Some("mrkdwn" | "plain_text")) {
            self.say("failed to match all allowed schemas", path);
            return;
        }
        match text["text"].as_str() {
            None => self.say("missing required field: text", path),
            Some("") => self.say("must be more than 0 characters", &format!("{path}/text")),
            Some(_) => self.length(text, "text", most, path),
        }
    }

    fn plain_text(&mut self, of: &Value, field: &str, most: usize, path: &str, required: bool) {
        let text = &of[field];
        let path_of_field = format!("{path}/{field}");
        if text.is_null() {
            if required {
                self.say(&format!("missing required field: {field}"), path);
            }
        } else if text["type"] == "plain_text" {
            self.text_object(text, most, &path_of_field);
        } else {
            self.say("failed to match all allowed schemas", &path_of_field);
        }
    }

    fn length(&mut self, of: &Value, field: &str, most: usize, path: &str) {
        match &of[field] {
            Value::String(text) if text.chars().count() > most => {
                self.say(&format!("must be less than {} characters", most + 1), &format!("{path}/{field}"));
            }
            Value::Null | Value::String(_) => {}
            _ => self.say("must provide a string", &format!("{path}/{field}")),
        }
    }
}

/// Every interactive element of a block, wherever the block keeps it.
pub(crate) fn elements_of(block: &Value) -> impl Iterator<Item = &Value> {
    let list = (block["type"] == "actions").then(|| block["elements"].as_array()).flatten();
    list.into_iter().flatten().chain([&block["accessory"], &block["element"]].into_iter().filter(|element| element.is_object()))
}

/// Characters of all text objects within.
fn text_length(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(text_length).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if name == "text" => text.chars().count(),
                other => text_length(other),
            })
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn long(characters: usize) -> String {
        "é".repeat(characters)
    }

    fn section(text: &str) -> Value {
        json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    }

    fn button(fields: &Value) -> Value {
        let mut button = json!({"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}});
        for (name, value) in fields.as_object().into_iter().flatten() {
            button[name] = value.clone();
        }
        json!({"type": "actions", "elements": [button]})
    }

    #[test]
    fn each_limit_holds_at_its_edge_and_breaks_one_beyond() {
        let texts = |count: usize| json!({"type": "context", "elements": vec![json!({"type": "mrkdwn", "text": "x"}); count]});
        let fields = |count: usize| json!({"type": "section", "fields": vec![json!({"type": "mrkdwn", "text": "x"}); count]});
        let field = |length: usize| json!({"type": "section", "fields": [{"type": "mrkdwn", "text": long(length)}]});
        let header = |length: usize| json!({"type": "header", "text": {"type": "plain_text", "text": long(length)}});
        let buttons = |count: usize| {
            let one = |index| json!({"type": "button", "action_id": format!("a{index}"), "text": {"type": "plain_text", "text": "Go"}});
            json!({"type": "actions", "elements": (0..count).map(one).collect::<Vec<_>>()})
        };
        let edges = [
            (section(&long(3000)), section(&long(3001))),
            (header(150), header(151)),
            (fields(10), fields(11)),
            (field(2000), field(2001)),
            (texts(10), texts(11)),
            (buttons(25), buttons(26)),
            (
                button(&json!({"text": {"type": "plain_text", "text": long(75)}})),
                button(&json!({"text": {"type": "plain_text", "text": long(76)}})),
            ),
            (button(&json!({"value": long(2000)})), button(&json!({"value": long(2001)}))),
            (button(&json!({"action_id": long(255)})), button(&json!({"action_id": long(256)}))),
            (button(&json!({"url": format!("https://{}", long(2992))})), button(&json!({"url": format!("https://{}", long(2993))}))),
        ];
        for (fits, exceeds) in edges {
            assert_eq!(check_message(std::slice::from_ref(&fits), &[]), Ok(()), "{fits}");
            assert_eq!(check_message(std::slice::from_ref(&exceeds), &[]).map_err(|wrong| wrong.code), Err("invalid_blocks"), "{exceeds}");
        }
    }

    #[test]
    fn the_number_of_blocks_and_their_text_in_all() {
        assert_eq!(check_message(&vec![section("x"); 50], &[]), Ok(()));
        let wrong = check_message(&vec![section("x"); 51], &[]).err().map(|wrong| wrong.messages);
        assert_eq!(wrong, Some(vec!["[ERROR] no more than 50 items allowed [json-pointer:/blocks]".to_owned()]));
        assert_eq!(check_message(&vec![section(&long(2640)); 5], &[]), Ok(()));
        assert_eq!(check_message(&vec![section(&long(2641)); 5], &[]).map_err(|wrong| wrong.code), Err("msg_blocks_too_long"));
    }

    #[test]
    fn what_is_not_allowed_at_all() {
        let wrong = [
            json!({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}),
            json!({"type": "section"}),
            section(""),
            json!({"type": "context", "elements": []}),
            json!({"type": "image", "image_url": "https://example.com/a.png"}),
            button(&json!({"style": "default"})),
            button(&json!({"url": "runbook"})),
            json!({"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": {"type": "plain_text_input"}}),
        ];
        for block in wrong {
            assert_eq!(check_message(std::slice::from_ref(&block), &[]).map_err(|wrong| wrong.code), Err("invalid_blocks"), "{block}");
        }
        let twice = json!({"type": "divider", "block_id": "same"});
        assert_eq!(check_message(&[twice.clone(), twice], &[]).map_err(|wrong| wrong.code), Err("invalid_blocks"));
    }

    #[test]
    fn an_attachment_with_blocks_has_no_legacy_fields() {
        assert_eq!(check_message(&[], &[json!({"color": "#ff0000", "blocks": [section("x")]})]), Ok(()));
        let wrong = check_message(&[], &[json!({"text": "old", "blocks": [section("x")]})]);
        assert_eq!(wrong, Err(Wrong { code: "invalid_attachments", messages: vec!["[ERROR] invalid_keys".into()] }));
        let wrong = check_message(&[], &[json!({"blocks": [section(&long(3001))]})]);
        assert_eq!(wrong.map_err(|wrong| wrong.code), Err("invalid_attachments"));
    }

    #[test]
    fn modals() {
        let modal = |title: usize, metadata: usize, blocks: usize| json!({"type": "modal", "title": {"type": "plain_text", "text": long(title)}, "private_metadata": long(metadata), "blocks": vec![section("x"); blocks]});
        assert_eq!(check_view(&modal(24, 3000, 100)), Ok(()));
        for wrong in [modal(25, 0, 1), modal(24, 3001, 1), modal(24, 0, 101)] {
            assert_eq!(check_view(&wrong).map_err(|wrong| wrong.code), Err("invalid_arguments"));
        }
        let mut large = modal(24, 0, 1);
        large["blocks"] = json!(vec![json!({"type": "later", "data": long(2000)}); 80]);
        assert_eq!(check_view(&large).map_err(|wrong| wrong.code), Err("view_too_large"));
        let mut without_submit = modal(24, 0, 0);
        without_submit["blocks"] = json!([{"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": "x"}, "element": {"type": "plain_text_input", "action_id": "a"}}]);
        assert_eq!(check_view(&without_submit).map_err(|wrong| wrong.code), Err("invalid_arguments"));
    }
}
