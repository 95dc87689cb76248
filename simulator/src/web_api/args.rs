//! The arguments of a Web API call, however they came: JSON body, form, query.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::oauth;

/// Methods that read only forms and queries: a JSON body is ignored by Slack.
const WITHOUT_JSON: [&str; 11] = [
    "chat.getPermalink",
    "conversations.history",
    "conversations.info",
    "conversations.list",
    "conversations.members",
    "conversations.replies",
    "usergroups.users.list",
    "users.conversations",
    "users.info",
    "users.list",
    "users.lookupByEmail",
];

/// Arguments that hold JSON; in forms they are texts.
const JSON_VALUES: [&str; 6] = ["attachments", "blocks", "metadata", "outputs", "unfurls", "view"];

/// Arguments of `oauth.v2.access` that are secret.
const SECRETS: [&str; 3] = ["client_secret", "code", "refresh_token"];

/// The arguments of one call.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) token: Option<String>,
    /// Whether it came in the header, where some methods want it.
    pub(crate) token_in_header: bool,
    pub(crate) map: Map<String, Value>,
    /// What was taken out of the arguments because nobody should find it in a record.
    secrets: Map<String, Value>,
    /// User and password of HTTP Basic.
    pub(crate) basic: Option<(String, String)>,
    /// Names of arguments that had to hold JSON and do not.
    pub(crate) broken: Vec<String>,
    /// The body is not what its content type says.
    pub(crate) unreadable: bool,
    pub(crate) warnings: Vec<&'static str>,
}

impl Args {
    pub(crate) fn read(method: &str, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Self {
        let mut args = Self::default();
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        if let Some(query) = query {
            args.form(query.as_bytes());
        }
        if content_type.starts_with("application/json") {
            if !content_type.contains("charset") {
                args.warnings.push("missing_charset");
            }
            match serde_json::from_slice::<Value>(body) {
                Ok(Value::Object(map)) if !WITHOUT_JSON.contains(&method) => args.map.extend(map),
                Ok(Value::Object(_)) => {}
                _ if body.is_empty() => {}
                _ => args.unreadable = true,
            }
        } else if !body.is_empty() {
            args.form(body);
        }
        for name in JSON_VALUES {
            if let Some(Value::String(text)) = args.map.get(name) {
                match serde_json::from_str::<Value>(text) {
                    Ok(value) => {
                        args.map.insert(name.to_owned(), value);
                    }
                    Err(_) => args.broken.push(name.to_owned()),
                }
            }
        }
        if method == oauth::ACCESS {
            for name in SECRETS {
                args.secrets.extend(args.map.remove_entry(name));
            }
        }
        let credentials = |wanted: &str| {
            let (scheme, credentials) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case(wanted).then(|| credentials.trim().to_owned())
        };
        let basic = credentials("basic").and_then(|text| String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok());
        args.basic = basic.and_then(|text| text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned())));
        let in_arguments = args.map.remove("token").and_then(|token| token.as_str().map(str::to_owned));
        let in_header = credentials("bearer");
        args.token_in_header = in_header.is_some();
        args.token = in_header.or(in_arguments);
        args
    }

    fn form(&mut self, text: &[u8]) {
        for (name, value) in form_urlencoded::parse(text) {
            self.map.insert(name.into_owned(), json!(value));
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Something secret that was given.
    pub(crate) fn secret(&self, name: &str) -> Option<&str> {
        self.secrets.get(name).and_then(Value::as_str)
    }

    /// A text that is neither absent nor empty; numbers are read as their digits.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => ["true", "1"].contains(&text.as_str()),
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            _ => false,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A list; `None` when it was not given at all.
    pub(crate) fn list(&self, name: &str) -> Option<&Vec<Value>> {
        self.get(name).and_then(Value::as_array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(content_type: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
        headers
    }

    #[test]
    fn a_form_holds_json_as_text_and_may_hold_the_token() {
        let args = Args::read(
            "chat.postMessage",
            &headers("application/x-www-form-urlencoded"),
            None,
            b"token=t&channel=C1&blocks=%5B%5D&metadata=%7B",
        );
        assert_eq!(args.token.as_deref(), Some("t"));
        assert_eq!(args.list("blocks").map(Vec::len), Some(0));
        assert_eq!(args.broken, ["metadata"]);
        assert!(!args.map.contains_key("token"));
    }

    #[test]
    fn methods_that_read_forms_only_ignore_json() {
        let body = br#"{"user": "U1"}"#;
        assert!(Args::read("users.info", &headers("application/json; charset=utf-8"), None, body).get("user").is_none());
        assert!(Args::read("views.open", &headers("application/json"), None, body).get("user").is_some());
        assert_eq!(Args::read("users.info", &headers(""), Some("user=U2"), b"").text("user").as_deref(), Some("U2"));
    }
}
