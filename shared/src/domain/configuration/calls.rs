//! What concerns decisions and commands: who may, and whom they call.

use jiff::SignedDuration;
use url::{Host, Url};

use super::Approvals;
use super::section::{Section, listed};
use crate::domain::call::{self, Command, Endpoint};
use crate::domain::ids::is_slack_id;
use crate::domain::people::Who;

const TIMEOUTS: std::ops::RangeInclusive<SignedDuration> = SignedDuration::from_secs(1)..=SignedDuration::from_secs(10);
const EXPIRIES: std::ops::RangeInclusive<SignedDuration> = SignedDuration::from_mins(1)..=SignedDuration::from_hours(30 * 24);

pub(super) fn approvals(section: &mut Section<'_, '_>) -> Approvals {
    let default = Approvals::default();
    Approvals {
        who: who(section),
        quorum: section.number("quorum", 1..=20).and_then(|quorum| u16::try_from(quorum).ok()).unwrap_or(default.quorum),
        expires_after: section.duration("expires_after", EXPIRIES),
    }
}

/// People and usergroups.
fn who(section: &mut Section<'_, '_>) -> Who {
    let mut who = Vec::new();
    for one in section.texts("who", 0).unwrap_or_default() {
        if is_slack_id(&one.value, &['S', 'U', 'W']) {
            who.push(one.value);
        } else {
            section.wrong_at(&one, format!("`{}` is nobody; it has to be a person's id `U…` or a usergroup's `S…`", one.value));
        }
    }
    Who::new(who)
}

pub(super) fn endpoint(section: &mut Section<'_, '_>) -> Option<Endpoint> {
    let name = section.parsed("name", |text| {
        let known = (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let wanted = "it has to be up to 40 letters, digits, `-` and `_`, because its secret is called so too";
        if known { Ok(text.to_owned()) } else { Err(format!("`{text}` cannot be a name; {wanted}")) }
    });
    section.required("name", "what decisions and commands call it");
    let url = section.parsed("url", address);
    section.required("url", "`https://…`");
    let timeout = section.duration("timeout", TIMEOUTS).unwrap_or(call::TIMEOUT);
    Some(Endpoint { name: name?.value, url: url?.value, timeout })
}

/// Nothing that is signed is sent in the clear, except to this machine itself.
fn address(text: &str) -> Result<String, String> {
    let no = |why: &str| Err(format!("`{text}` cannot be called: {why}; it has to be `https://…`"));
    let Ok(url) = Url::parse(text) else { return no("it is no address") };
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => {
            no("there is a user name in it, which belongs into no configuration")
        }
        "https" => Ok(url.into()),
        "http" if here => Ok(url.into()),
        "http" => no("anybody could read it on its way"),
        _ => no("only web addresses are"),
    }
}

/// The name of an endpoint that stands at `key`.
pub(super) fn endpoint_named(section: &mut Section<'_, '_>, key: &'static str, endpoints: &[Endpoint]) -> Option<String> {
    let name = section.parsed(key, |text| {
        let known = endpoints.iter().any(|endpoint| endpoint.name == text);
        let names = || listed(endpoints.iter().map(|endpoint| endpoint.name.as_str()));
        if known { Ok(text.to_owned()) } else { Err(format!("there is no endpoint `{text}`. There is: {}", names())) }
    });
    section.required(key, "the name of an endpoint");
    name.map(|placed| placed.value)
}

pub(super) fn command(section: &mut Section<'_, '_>, endpoints: &[Endpoint]) -> Option<Command> {
    let name = section.parsed("name", slash);
    section.required("name", "`/…`");
    let call = endpoint_named(section, "call", endpoints);
    let in_channel = section.parsed("answer", |text| match text {
        "channel" => Ok(true),
        "person" => Ok(false),
        _ => Err(format!("`{text}` sees no answer; it has to be `channel` or `person`")),
    });
    let usage = section.text("usage").map(|placed| placed.value);
    let help = section.text("help").map(|placed| placed.value);
    let who = who(section);
    Some(Command { name: name?.value, usage, help, call: call?, who, in_channel: in_channel.is_some_and(|placed| placed.value) })
}

pub(super) fn aliases(document: &mut Section<'_, '_>) -> Vec<String> {
    let mut aliases = Vec::new();
    for alias in document.texts("aliases", 0).unwrap_or_default() {
        match slash(&alias.value) {
            Ok(name) => aliases.push(name),
            Err(what) => document.wrong_at(&alias, what),
        }
    }
    aliases
}

/// A slash command, as Slack allows them: up to 32 characters. <https://docs.slack.dev/interactivity/implementing-slash-commands>
fn slash(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix('/').unwrap_or_default();
    let known = (1..=31).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    if known {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is no slash command; it has to be `/` and up to 31 small letters, digits, `-` and `_`"))
    }
}
