//! Secrets that stray into events: what a field's name or a value's shape gives away is replaced before anybody sees it.
//!
//! A card shows to a whole channel, so a false alarm costs a word and a miss costs a key: where in doubt, it is masked.

use serde_json::{Map, Value};

/// Stands where a secret stood.
pub const MASKED: &str = "[masked]";

/// Parts of names that hold secrets, in lower case and without `_`, `-` and spaces.
const SECRET_PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "encryptionkey",
    "signingkey",
    "accountkey",
    "sharedkey",
    "credential",
    "authorization",
    "cookie",
    "signature",
    "connectionstring",
    "webhookurl",
    "responseurl",
    "signedurl",
    "subscribeurl",
    "sessionid",
];

/// Whole names that hold secrets; as parts of longer names they would be everywhere.
const SECRET_NAMES: &[&str] = &["auth", "pwd", "pass", "sig", "pin", "otp", "jwt", "bearer", "mfacode", "dsn"];

/// What the keys of well-known services begin with.
const SECRET_BEGINNINGS: &[&str] = &[
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxe-",
    "xoxe.",
    "xoxr-",
    "xoxs-",
    "xapp-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "sk-",
    "AIza",
    "npm_",
    "hf_",
    "SG.",
    "whsec_",
    "pypi-",
    "dop_v1_",
    "shpat_",
    "eyJ",
];

/// A key that begins as one of [`SECRET_BEGINNINGS`] is at least this long; `sk-1` is something else.
const SHORTEST_KEY: usize = 16;

/// A name in lower case, without what people put between its words.
pub(super) fn plain_name(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a field of this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = plain_name(name);
    SECRET_NAMES.contains(&name.as_str()) || SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// Whether a field of a secret's name shows its value all the same: an ARN says where the secret is, not what it is, and a truth or nothing says nothing.
pub(super) fn is_harmless(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::String(text) => text.trim().is_empty() || (text.starts_with("arn:") && !text.contains(char::is_whitespace)),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether an object says `name: DB_PASSWORD, value: …`, as environment variables and parameters do.
pub(super) fn names_a_secret(object: &Map<String, Value>) -> bool {
    object.iter().any(|(name, value)| {
        let name = plain_name(name);
        (name.ends_with("name") || name.ends_with("key")) && value.as_str().is_some_and(is_secret_name)
    })
}

/// Whether the field holds the other half of what [`names_a_secret`] found.
pub(super) fn is_value(name: &str) -> bool {
    plain_name(name).ends_with("value")
}

/// What somebody wrote, without the secrets in it: JSON value by value, anything else as [`text`] does.
pub fn document(written: &str) -> String {
    match serde_json::from_str(written) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => {
            mask(&mut value);
            value.to_string()
        }
        _ => text(written),
    }
}

/// What a name gives away is masked whole, be it the field's own or one that stands beside it.
fn mask(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(written) => *written = document(written),
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Object(fields) => {
            let values_are_secret = names_a_secret(fields);
            let masked = |(name, mut value): (String, Value)| {
                if (is_secret_name(&name) || (values_are_secret && is_value(&name))) && !is_harmless(&value) {
                    value = MASKED.into();
                } else {
                    mask(&mut value);
                }
                // A key may stand there, too.
                (text(&name), value)
            };
            *fields = std::mem::take(fields).into_iter().map(masked).collect();
        }
    }
}

/// What the words so far say about the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing.
    Plain,
    /// A secret's name stood there: a `:` or `=` makes what follows a secret.
    Named,
    /// It is a secret.
    Secret,
}

/// `text` without the secrets in it: whole words that look like keys, what follows `password=` or `"token": `, names before a host, private keys.
pub fn text(text: &str) -> String {
    let text = without_private_keys(text);
    let mut masked = String::with_capacity(text.len());
    let mut next = Next::Plain;
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let word_end = rest.find(separates).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        let gap_end = after.find(|letter| !separates(letter)).unwrap_or(after.len());
        let (gap, after) = after.split_at(gap_end);
        if !word.is_empty() {
            next = push_word(&mut masked, word, next);
        }
        masked.push_str(gap);
        rest = after;
    }
    masked
}

/// What stands between words. `=` and `:` do not: they tie a name to its value, or belong to the value.
fn separates(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '"' | '\'' | '`' | '\\' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '|' | '&' | '?')
}

/// Writes one word, and says what it says about the next.
fn push_word(masked: &mut String, word: &str, next: Next) -> Next {
    let value = word.trim_start_matches([':', '=']);
    let (tie, _) = word.split_at(word.len() - value.len());
    if next == Next::Secret || (next == Next::Named && !tie.is_empty()) {
        masked.push_str(tie);
        return push_secret(masked, value);
    }
    // `Authorization: Bearer …`, with or without the first word.
    if ["bearer", "basic"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) {
        masked.push_str(word);
        return Next::Secret;
    }
    if let Some(at) = word.find(['=', ':'])
        && let (name, value) = word.split_at(at)
        && is_secret_name(name)
    {
        let (tie, value) = value.split_at(1);
        masked.push_str(name);
        masked.push_str(tie);
        return push_secret(masked, value);
    }
    masked.push_str(&masked_word(word));
    if is_secret_name(word) { Next::Named } else { Next::Plain }
}

/// Writes a secret's value; where it is still to come, the next word is one.
fn push_secret(masked: &mut String, value: &str) -> Next {
    let is_scheme = ["bearer", "basic"].iter().any(|scheme| value.eq_ignore_ascii_case(scheme));
    let is_harmless = value.starts_with("arn:") || matches!(value, "null" | "true" | "false");
    masked.push_str(if value.is_empty() || is_scheme || is_harmless { value } else { MASKED });
    if value.is_empty() || is_scheme { Next::Secret } else { Next::Plain }
}

/// A word without the secret it is or holds.
fn masked_word(word: &str) -> String {
    if let Some((scheme, rest)) = word.split_once("://") {
        return masked_address(scheme, rest);
    }
    // `KEY=AKIA…`: a harmless name, a telling value.
    match word.rsplit_once(['=', ':']) {
        Some((name, value)) if looks_secret(value) => {
            let tie = word.get(name.len()..=name.len()).unwrap_or_default();
            format!("{name}{tie}{MASKED}")
        }
        _ if looks_secret(word) => MASKED.to_owned(),
        _ => word.to_owned(),
    }
}

fn masked_address(scheme: &str, rest: &str) -> String {
    let end = rest.find(['/', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{MASKED}@{host}"),
        None => authority.to_owned(),
    };
    if is_webhook(rest) && path.len() > 1 {
        return format!("{scheme}://{host}/{MASKED}");
    }
    let path = path.split('/').map(|part| if looks_secret(part) { MASKED } else { part }).collect::<Vec<_>>().join("/");
    format!("{scheme}://{host}{path}")
}

/// Whether a link tells a secret: in its query, or as the address of a webhook. What stands in its way is mostly the id of a page, however random it looks.
pub(super) fn is_telling(link: &str) -> bool {
    let (way, query) = link.split_once('?').unwrap_or((link, ""));
    let webhook = way.split_once("://").is_some_and(|(_, rest)| is_webhook(rest));
    webhook || text(query) != query
}

/// Whoever knows an incoming webhook's path may post there.
fn is_webhook(rest: &str) -> bool {
    let (authority, path) = rest.split_at(rest.find(['/', '#']).unwrap_or(rest.len()));
    let behind = ["/webhook/", "/webhooks/"].into_iter().find_map(|word| path.split_once(word));
    // What names a page of a handbook is words; what lets somebody post is not.
    let is_key = |part: &str| part.len() >= SHORTEST_KEY && part.contains(|letter: char| letter.is_ascii_digit());
    authority.ends_with("hooks.slack.com") || behind.is_some_and(|(_, rest)| rest.split(['/', '?', '#']).any(is_key))
}

/// Whether a word has the shape of a key.
fn looks_secret(word: &str) -> bool {
    let word = word.trim_end_matches(['.', '!', ':']);
    let known = word.len() >= SHORTEST_KEY && SECRET_BEGINNINGS.iter().any(|beginning| word.starts_with(beginning));
    known || is_access_key(word) || is_random(word)
}

/// `AKIA…`, `ASIA…`: AWS's access key ids.
fn is_access_key(word: &str) -> bool {
    let id = word.strip_prefix("AKIA").or_else(|| word.strip_prefix("ASIA"));
    id.is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

/// Forty characters or more of base 64, too mixed for a path or a name: AWS's secret keys, session tokens.
fn is_random(word: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'=');
    if word.len() < 40 || !word.bytes().all(alphabet) {
        return false;
    }
    let count = |class: fn(&u8) -> bool| word.bytes().filter(class).count();
    let mixed = count(u8::is_ascii_digit) >= 1 && count(u8::is_ascii_uppercase) >= 5 && count(u8::is_ascii_lowercase) >= 5;
    // Words have long runs of small letters, random text has not.
    let longest_run = word.split(|letter: char| !letter.is_ascii_lowercase()).map(str::len).max().unwrap_or_default();
    mixed && longest_run < 8
}

/// Replaces `-----BEGIN … PRIVATE KEY-----` and all that follows up to its end, or to the end of the text.
fn without_private_keys(text: &str) -> String {
    const BEGIN: &str = "-----BEGIN ";
    const KEY: &str = "PRIVATE KEY-----";
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, block)) = rest.split_once(BEGIN) {
        kept.push_str(before);
        // The kind of key stands in the same line: without that bound a text of many BEGINs would be searched again and again.
        let line_end = block.find(['\n', '\\']).unwrap_or(block.len());
        let line = block.get(..line_end).unwrap_or_default();
        if line.contains(KEY) {
            kept.push_str(MASKED);
            let body = block.get(line_end..).unwrap_or_default();
            let after = body.split_once("-----END ").map_or("", |(_, after)| after);
            rest = after.split_once(KEY).map_or("", |(_, after)| after);
        } else {
            kept.push_str(BEGIN);
            rest = block;
        }
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shows(written: &str, shown: &str) {
        assert_eq!(text(written), shown);
    }

    #[test]
    fn what_follows_a_secrets_name_is_masked() {
        shows("login failed: password=hunter2 for bob", "login failed: password=[masked] for bob");
        shows("login failed: password: hunter2 for bob", "login failed: password: [masked] for bob");
        shows(r#"{"api_key": "abc", "region": "eu-west-1"}"#, r#"{"api_key": "[masked]", "region": "eu-west-1"}"#);
        shows(r#"{"dbPassword":"abc","n":1}"#, r#"{"dbPassword":"[masked]","n":1}"#);
        shows(r#"{\"client_secret\":\"abc\"}"#, r#"{\"client_secret\":\"[masked]\"}"#);
        shows("DB_PASSWORD = hunter2", "DB_PASSWORD = [masked]");
        shows("Authorization: Bearer abc.def", "Authorization: Bearer [masked]");
    }

    #[test]
    fn what_looks_like_a_key_is_masked_wherever_it_stands() {
        shows("key AKIAIOSFODNN7EXAMPLE was used", "key [masked] was used");
        shows("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "[masked]");
        // Put together here, so that no scanner takes this file for a leak.
        shows(&format!("posted with {}-1234567890-abcdefghijkl.", "xoxb"), "posted with [masked]");
        shows("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[masked]");
        shows("postgres://app:hunter2@db.internal/shop", "postgres://[masked]@db.internal/shop");
        shows("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/[masked]");
        shows("https://b.s3.amazonaws.com/a?X-Amz-Signature=00ff&x=1", "https://b.s3.amazonaws.com/a?X-Amz-Signature=[masked]&x=1");
        shows("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a [masked] b");
        shows("a -----BEGIN PRIVATE KEY-----\nMIIE", "a [masked]");
    }

    #[test]
    fn what_people_have_to_read_stays() {
        for harmless in [
            "",
            "The password of this user expires in 3 days: see the wiki",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:checkout/db-AbCdEf rotated",
            "SecretId: arn:aws:secretsmanager:eu-west-1:123456789012:secret:checkout/db-AbCdEf",
            "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234",
            "AWSLogs/000000000000/Config/us-east-1/2016/2/24/ConfigSnapshot/000000000000_Config.json.gz",
            "checkout-CheckoutFunction1A2B3C4D-0aBcDeFgHiJk timed out after 29.01 s",
            "https://console.aws.amazon.com/dms/home?region=us-east-1#tasks:ids=hello-world",
            "CPU über 90 % — 東京",
        ] {
            shows(harmless, harmless);
        }
    }
}
