//! Secrets that occur nowhere else, so that whatever holds one is found: every world has its own, and at its end looks for them everywhere.

use std::sync::Mutex;

use crate::dispatcher::{hex, lock};

/// Shorter ones could occur by chance.
const LEAST: usize = 12;

/// How many hexadecimal digits a signature has.
const SIGNATURE: usize = 64;

/// The secrets of a world.
#[derive(Debug, Default)]
pub struct Canaries(Mutex<Vec<String>>);

impl Canaries {
    /// A bot token.
    pub fn token(&self) -> String {
        self.kept(format!("xoxb-canary-{}", hex(24)))
    }

    /// An app-level token.
    pub fn app_token(&self) -> String {
        self.kept(format!("xapp-1-canary-{}", hex(24)))
    }

    /// A signing secret, in Slack's form.
    pub fn signing_secret(&self) -> String {
        self.kept(hex(32))
    }

    fn kept(&self, secret: String) -> String {
        self.keep(&secret);
        secret
    }

    /// One more that must not be seen.
    pub fn keep(&self, secret: &str) {
        if secret.len() >= LEAST {
            lock(&self.0).push(secret.to_owned());
        }
    }

    /// From now on they may be seen.
    pub fn forget(&self) {
        lock(&self.0).clear();
    }

    /// What, of what was said, holds a secret or a signature, each once. What was said is not repeated.
    pub fn leaks(&self, said: &[(String, String)]) -> Vec<String> {
        let secrets = lock(&self.0);
        let leaks = |text: &str| secrets.iter().any(|secret| text.contains(secret)) || holds_signature(text) || holds_token(text);
        let mut places: Vec<String> = said.iter().filter(|(_, text)| leaks(text)).map(|(place, _)| place.clone()).collect();
        places.sort();
        places.dedup();
        places
    }
}

/// A signature that Slack would make is as good as the secret, for the body that it belongs to.
fn holds_signature(text: &str) -> bool {
    text.split("v0=").skip(1).any(|after| after.bytes().take_while(u8::is_ascii_hexdigit).count() >= SIGNATURE)
}

/// A token of Slack's, whoever made it. An ellipsis in its place is none.
fn holds_token(text: &str) -> bool {
    let begins = |start: &str| text.split(start).skip(1).any(|after| after.starts_with(|first: char| first.is_ascii_alphanumeric()));
    ["xoxb-", "xoxe-", "xoxe.", "xwfp-", "xapp-"].iter().any(|start| begins(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_holds_a_secret_or_a_signature_is_found() {
        let canaries = Canaries::default();
        let (token, signing_secret) = (canaries.token(), canaries.signing_secret());
        canaries.keep("short");
        let said = |text: &str| vec![("here".to_owned(), text.to_owned())];
        let foreign = "xoxe.xoxb-1-of-another-world".to_owned();
        for text in [token, format!("{{\"s\":\"{signing_secret}\"}}"), format!("v0={}", "a1".repeat(32)), foreign] {
            assert_eq!(canaries.leaks(&said(&text)), ["here"], "{text}");
        }
        for text in ["short", "v0=a1", &signing_secret[..12], "put xoxb-… there", ""] {
            assert!(canaries.leaks(&said(text)).is_empty(), "{text}");
        }
    }
}
