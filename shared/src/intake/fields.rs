//! Reading JSON that somebody else wrote: what is missing or of another type is simply not there.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A field by the way to it: `service.action.0.type` goes through objects by name and through lists by number.
pub(super) fn get<'a>(object: &'a Map<String, Value>, way: &str) -> Option<&'a Value> {
    let mut names = way.split('.');
    let first = object.get(names.next()?);
    names.fold(first, |value, name| match value? {
        Value::Object(object) => object.get(name),
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

/// A field that holds text with something in it.
pub(super) fn text<'a>(object: &'a Map<String, Value>, way: &str) -> Option<&'a str> {
    get(object, way)?.as_str().filter(|text| !text.trim().is_empty())
}

/// A field that holds an object.
pub(super) fn object<'a>(object: &'a Map<String, Value>, way: &str) -> Option<&'a Map<String, Value>> {
    get(object, way)?.as_object()
}

/// A field that holds a list; empty where it does not.
pub(super) fn list<'a>(object: &'a Map<String, Value>, way: &str) -> &'a [Value] {
    get(object, way).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The objects of a field that holds a list of them.
pub(super) fn objects<'a>(object: &'a Map<String, Value>, way: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    list(object, way).iter().filter_map(Value::as_object)
}

/// The texts of a field that holds a list of them.
pub(super) fn texts<'a>(object: &'a Map<String, Value>, way: &str) -> impl Iterator<Item = &'a str> {
    list(object, way).iter().filter_map(Value::as_str).filter(|text| !text.trim().is_empty())
}

/// A field that holds a number, or a number as text.
pub(super) fn number(object: &Map<String, Value>, way: &str) -> Option<f64> {
    let value = get(object, way)?;
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// A whole number that is not below zero, however it is written: `2` and `2.0` are the same in JSON.
pub(super) fn whole(value: &Value) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and small enough to be exact")]
    let exact = |number: f64| (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64);
    value.as_u64().or_else(|| exact(value.as_f64()?))
}

/// Text, number or truth as text; nothing for what has parts.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(shorter(&number.to_string()).to_owned()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A field that holds text, a number or a truth, as text with something in it.
pub(super) fn plain_in(object: &Map<String, Value>, way: &str) -> Option<String> {
    plain(get(object, way)?).filter(|text| !text.trim().is_empty())
}

/// The first sentence of a text, without its full stop: what fits into a title.
pub(super) fn first_sentence(text: &str) -> &str {
    let line = text.trim().lines().next().unwrap_or_default();
    line.split(". ").next().unwrap_or(line).trim_end_matches('.')
}

/// `5` for `5.0`: what a person would write.
fn shorter(number: &str) -> &str {
    number.strip_suffix(".0").unwrap_or(number)
}

/// Whether this is a link that a button may open: `http(s)://`, a host, and nothing in it that a link has to encode. No name or password stands
/// before the host, because the link is shown to a whole channel.
pub(super) fn is_link(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let host_fits = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    let port_fits = port.is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()));
    let path_fits = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    text.len() <= super::limits::LINK && host_fits && port_fits && path_fits
}

/// A date and a time of RFC 3339: `2026-01-31T12:00:00.5+01:00`. The parser of times alone takes much more, which the schema does not.
pub(super) fn rfc_3339(text: &str) -> Option<Timestamp> {
    if is_rfc_3339(text) { text.parse().ok() } else { None }
}

fn is_rfc_3339(text: &str) -> bool {
    let digits = |part: &str, shape: &str| {
        part.len() == shape.len()
            && part.bytes().zip(shape.bytes()).all(|(byte, wanted)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted })
    };
    let Some((date, rest)) = text.split_once(['T', 't']) else { return false };
    let Some(zone_at) = rest.find(['Z', 'z', '+', '-']) else { return false };
    let (clock, zone) = rest.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let fraction_fits =
        fraction.is_none_or(|fraction| (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit()));
    let zone_fits = matches!(zone, "Z" | "z") || digits(zone.get(1..).unwrap_or_default(), "00:00");
    digits(date, "0000-00-00") && digits(clock, "00:00:00") && fraction_fits && zone_fits
}
