//! What Slack sends: nothing unsigned is believed, and whatever is signed is read without a panic and comes to jobs that travel and messages that fit.
//!
//! The first byte says what the others are, see [`Sort`].

use form_urlencoded::Serializer;
use hmac::{Hmac, KeyInit, Mac};
use lambda_http::http::{HeaderMap, HeaderValue};
use sha2::Sha256;
use shared::render::modal::{self, CreateContext};
use shared::render::{answer, help};
use shared::secrets::Secret;
use shared::slack::client::address_on;
use shared::slack::command::{self, SlashCommand, Wish};
use shared::slack::event::{self, Delivery};
use shared::slack::interaction::{self, Payload};
use shared::slack::reply;
use shared::slack::verify::{Unverified, Verified, is_ssl_check, verify};
use url::Url;

/// What every request is signed with.
pub(crate) const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// What an input is, by its first byte.
#[derive(Debug, Clone, Copy)]
pub enum Sort {
    /// A slash command's whole form.
    Command,
    /// What somebody types after the command's name.
    Line,
    /// An interaction's JSON.
    Interaction,
    /// The form around it.
    Form,
    /// An event's JSON.
    Event,
    /// The two headers of a signature and a body, a line each.
    Headers,
    /// A `response_url`.
    Address,
}

impl Sort {
    const ALL: [Self; 7] = [Self::Command, Self::Line, Self::Interaction, Self::Form, Self::Event, Self::Headers, Self::Address];

    pub(crate) fn of(byte: u8) -> Self {
        Self::ALL[usize::from(byte) % Self::ALL.len()]
    }

    /// An input of this sort.
    pub fn input(self, rest: &[u8]) -> Vec<u8> {
        // A digit, so that an input can be read.
        let byte = (b'0'..=b'9').find(|byte| Self::of(*byte) as u8 == self as u8);
        byte.into_iter().chain(rest.iter().copied()).collect()
    }
}

/// One input.
pub fn check(input: &[u8]) {
    let Some((sort, rest)) = input.split_first() else { return };
    match Sort::of(*sort) {
        Sort::Command => command(rest),
        Sort::Line => {
            line(&String::from_utf8_lossy(rest));
            command(&typed(rest));
        }
        Sort::Interaction => interaction(&in_form(rest)),
        Sort::Form => interaction(rest),
        Sort::Event => event(rest),
        Sort::Headers => unsigned(rest),
        Sort::Address => address(&String::from_utf8_lossy(rest)),
    }
}

/// A slash command in which somebody typed this.
pub(crate) fn typed(text: &[u8]) -> Vec<u8> {
    let mut form = Serializer::new(String::new());
    for (name, value) in [
        ("team_id", "T0TOCSIN"),
        ("channel_id", "C0INCIDENTS"),
        ("user_id", "U0JANE"),
        ("command", "/incident"),
        ("text", &String::from_utf8_lossy(text)),
        ("response_url", "https://hooks.slack.com/commands/T0TOCSIN/397700885554/96rGlfmibIGlgcZRskXaIFfN"),
        ("trigger_id", "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"),
    ] {
        form.append_pair(name, value);
    }
    form.finish().into_bytes()
}

/// An interaction's form around its JSON.
pub(crate) fn in_form(payload: &[u8]) -> Vec<u8> {
    let payload: String = form_urlencoded::byte_serialize(payload).collect();
    format!("payload={payload}").into_bytes()
}

/// What Slack would sign a body with at this second.
pub(crate) fn signature(seconds: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).expect("a key of any length");
    for part in [b"v0:", seconds.as_bytes(), b":", body] {
        mac.update(part);
    }
    format!("v0={}", hex(&mac.finalize().into_bytes()))
}

/// In hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn seconds() -> String {
    crate::now().as_second().to_string()
}

fn verified(headers: &HeaderMap, body: &[u8]) -> Result<(), Unverified> {
    verify([&Secret::new(SIGNING_SECRET)], headers, body, crate::now()).map(|_| ())
}

fn headers(seconds: &[u8], signature: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // What is no header's value never gets here.
    for (name, value) in [("x-slack-request-timestamp", seconds), ("x-slack-signature", signature)] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    headers
}

/// The body as its receiver gets it: signed, and believed.
fn signed<T>(body: &[u8], read: impl FnOnce(&Verified<'_>) -> T) -> T {
    let secret = Secret::new(SIGNING_SECRET);
    let headers = headers(seconds().as_bytes(), signature(&seconds(), body).as_bytes());
    let verified = verify([&secret], &headers, body, crate::now()).expect("what Slack signed is believed");
    read(&verified)
}

/// Garbled headers are never believed, and one other byte in the body makes a signature worthless.
fn unsigned(input: &[u8]) {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let [at, by, body] = [lines.next(), lines.next(), lines.next()].map(Option::unwrap_or_default);
    let right = signature(&seconds(), body);
    let is_right = at == seconds().as_bytes() && by.eq_ignore_ascii_case(right.as_bytes());
    assert_eq!(verified(&headers(at, by), body).is_ok(), is_right, "only a right signature is believed");
    assert_eq!(verified(&headers(at, right.as_bytes()), body).is_ok(), at == seconds().as_bytes(), "a signature is of its second");
    let right = headers(seconds().as_bytes(), right.as_bytes());
    assert_eq!(verified(&right, body), Ok(()));
    let other = [body, &[0]].concat();
    assert_eq!(verified(&right, &other), Err(Unverified::Signature));
    if is_ssl_check(body) {
        let harmless = form_urlencoded::parse(body).all(|(name, _)| name == "ssl_check" || name == "token");
        assert!(harmless, "a certificate check that brings something else");
    }
}

fn command(body: &[u8]) {
    let command = signed(body, SlashCommand::parse);
    let wish = command::read(&command.text, crate::now());
    crate::travels(&command::job(command.spoken(crate::now()), wish.clone()));
    if let Ok(Wish::CreateForm) = wish {
        crate::fits(
            "the form",
            &modal::create(&CreateContext { channel: Some(shared::domain::ids::Channel::new(&command.channel_id)), message: None }),
        );
    }
    address(&command.response_url);
}

/// A line is a wish or a refusal that can be shown.
fn line(text: &str) {
    match command::read(text, crate::now()) {
        Ok(Wish::Help) => {
            crate::fits("help", &help::help(command::usage()));
        }
        Ok(Wish::CreateForm | Wish::Do(..) | Wish::Tell(_) | Wish::TakeOver(..)) => {}
        Ok(Wish::Unknown) => {
            crate::fits("a refusal", &answer::refused(&command::no_such_word(text, std::iter::once("deploy"))));
        }
        Err(refusal) => {
            let message = answer::refused(&refusal);
            crate::fits("a refusal", &message);
            assert_eq!(reply::only_to_you(&message).status(), 200);
        }
    }
}

fn interaction(body: &[u8]) {
    let Ok(payload) = signed(body, Payload::parse) else { return };
    match payload.wanted(crate::now()) {
        interaction::Wanted::Queue(job) => crate::travels(&job),
        interaction::Wanted::Open { view, otherwise, .. } => {
            crate::fits("a form", &view);
            address(otherwise.as_deref().unwrap_or_default());
        }
        interaction::Wanted::Replace { view, .. } => {
            crate::fits("a form that has grown", &view);
        }
        interaction::Wanted::Correct(mistakes) => {
            assert!(!mistakes.is_empty(), "nothing to correct");
            assert_eq!(reply::errors(&mistakes).status(), 200);
        }
        interaction::Wanted::Ignore(_) => {}
    }
}

fn event(body: &[u8]) {
    let Ok(delivery) = signed(body, Delivery::parse) else { return };
    match delivery.wanted(crate::now()) {
        event::Wanted::Echo(challenge) => assert_eq!(reply::json(&challenge).status(), 200),
        event::Wanted::Queue(job) => crate::travels(&job),
        event::Wanted::Ignore(_) => {}
    }
}

/// An answer goes to Slack and to nobody else, as an address is read by whoever connects: by its text, not by how it was taken apart.
fn address(response_url: &str) {
    let hooks = Url::parse("https://hooks.slack.com/").expect("a URL");
    if let Ok(url) = address_on(&hooks, response_url, "response_url") {
        assert!(url.as_str().starts_with("https://hooks.slack.com/"), "an answer would go to {url}");
    }
}
