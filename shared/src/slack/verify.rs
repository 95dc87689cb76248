//! Is it Slack that calls? Nothing of a request is parsed before that is known.
//!
//! <https://docs.slack.dev/authentication/verifying-requests-from-slack>: HMAC-SHA256 over `v0:{timestamp}:{raw body}`, hex, behind `v0=`.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use lambda_http::http::HeaderMap;
use sha2::Sha256;

use crate::secrets::Secret;

/// How far a request's time may be off, in seconds, either way.
const TOLERANCE: i64 = 300;

/// The body of a request that Slack signed. Only [`verify`] makes one, and only this can be parsed.
#[derive(Debug)]
pub struct Verified<'a>(&'a [u8]);

impl<'a> Verified<'a> {
    /// The bytes that were signed.
    pub fn bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// Why a request is not believed. For the log: the caller is told nothing but 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// A header is missing, there twice, or not of its form.
    #[error("a signature header is missing, there twice or malformed")]
    Headers,
    /// More than five minutes off.
    #[error("the timestamp is more than {TOLERANCE} s off")]
    Time,
    /// Another body or another secret.
    #[error("the signature does not match")]
    Signature,
    /// There is no secret to check against: nothing verifies.
    #[error("the signing secret is missing or blank in Secrets Manager: nothing can be verified")]
    NoSecret,
}

/// The body, if Slack signed it with one of the `secrets` within five minutes of `now`. A blank secret verifies nothing.
pub fn verify<'a, 's>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    headers: &HeaderMap,
    body: &'a [u8],
    now: Timestamp,
) -> Result<Verified<'a>, Unverified> {
    let mut secrets = secrets.into_iter().filter(|secret| !secret.is_blank()).peekable();
    if secrets.peek().is_none() {
        return Err(Unverified::NoSecret);
    }
    let timestamp = only(headers, "x-slack-request-timestamp").ok_or(Unverified::Headers)?;
    let signature = only(headers, "x-slack-signature").and_then(|text| unhex(text.strip_prefix("v0=")?)).ok_or(Unverified::Headers)?;
    let plain = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = timestamp.parse().ok().filter(|_| plain).ok_or(Unverified::Headers)?;
    if now.as_second().abs_diff(seconds) > TOLERANCE.unsigned_abs() {
        return Err(Unverified::Time);
    }
    let signed = |secret: &Secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().trim().as_bytes()) else { return false };
        mac.update(b"v0:");
        mac.update(timestamp.as_bytes());
        mac.update(b":");
        mac.update(body);
        // Compares in constant time.
        mac.verify_slice(&signature).is_ok()
    };
    if secrets.any(signed) { Ok(Verified(body)) } else { Err(Unverified::Signature) }
}

/// The signature that Slack would make for `body` at `timestamp`, in seconds since 1970: whoever tries a receiver out needs one. It is as good as the secret for this body, so it is one.
pub fn signature(secret: &Secret, timestamp: i64, body: &[u8]) -> Secret {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().trim().as_bytes()) else { return Secret::default() };
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    let digits = mac
        .finalize()
        .into_bytes()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect::<String>();
    Secret::new(format!("v0={digits}"))
}

/// Whether this is Slack's check of the certificate, which comes unsigned: `ssl_check=1` and perhaps a token, nothing else. It is answered and nothing is
/// done. With anything more in it, it is an unsigned request like any other.
pub fn is_ssl_check(body: &[u8]) -> bool {
    let mut checks = 0;
    for pair in body.split(|byte| *byte == b'&') {
        match pair {
            b"ssl_check=1" => checks += 1,
            token if token.starts_with(b"token=") => {}
            _ => return false,
        }
    }
    checks == 1
}

/// The value of a header that is there exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(*pair.first()?).to_digit(16)?;
        let low = char::from(*pair.last()?).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of Slack's documentation.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIME: i64 = 1_531_420_618;
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a header name"), value.parse().expect("a header value"))).collect()
    }

    fn check(secret: &str, body: &[u8], signature: &str, now: i64) -> Result<(), Unverified> {
        let headers = headers(&[("X-Slack-Request-Timestamp", &TIME.to_string()), ("x-slack-signature", signature)]);
        let now = Timestamp::from_second(now).expect("a time");
        verify([&Secret::new(secret)], &headers, body, now).map(|_| ())
    }

    #[test]
    fn slacks_own_vector_verifies() {
        assert_eq!(check(SECRET, BODY, SIGNATURE, TIME), Ok(()));
    }

    #[test]
    fn what_is_signed_here_is_what_slack_signs() {
        assert_eq!(signature(&Secret::new(SECRET), TIME, BODY).expose(), SIGNATURE);
    }

    #[test]
    fn one_altered_byte_does_not() {
        let mut body = BODY.to_vec();
        body[7] ^= 1;
        assert_eq!(check(SECRET, &body, SIGNATURE, TIME), Err(Unverified::Signature));
        assert_eq!(check("another", BODY, SIGNATURE, TIME), Err(Unverified::Signature));
    }

    #[test]
    fn a_blank_secret_verifies_nothing() {
        for blank in ["", " ", "\n\t"] {
            assert_eq!(check(blank, BODY, SIGNATURE, TIME), Err(Unverified::NoSecret));
        }
    }

    /// During a rotation either secret may be Slack's.
    #[test]
    fn one_of_several_secrets_suffices() {
        let headers = headers(&[("x-slack-request-timestamp", &TIME.to_string()), ("x-slack-signature", SIGNATURE)]);
        let now = Timestamp::from_second(TIME).expect("a time");
        let check = |texts: &[&str]| {
            let secrets: Vec<Secret> = texts.iter().copied().map(Secret::new).collect();
            verify(&secrets, &headers, BODY, now).map(|_| ())
        };
        assert_eq!(check(&["new", SECRET]), Ok(()));
        assert_eq!(check(&[" ", SECRET]), Ok(()));
        assert_eq!(check(&["new", "newer"]), Err(Unverified::Signature));
        assert_eq!(check(&[]), Err(Unverified::NoSecret));
    }

    #[test]
    fn five_minutes_either_way_and_not_a_second_more() {
        for off in [-300, 0, 300] {
            assert_eq!(check(SECRET, BODY, SIGNATURE, TIME + off), Ok(()), "{off}");
        }
        for off in [-301, 301, i64::from(i32::MAX)] {
            assert_eq!(check(SECRET, BODY, SIGNATURE, TIME + off), Err(Unverified::Time), "{off}");
        }
    }

    #[test]
    fn a_header_that_is_missing_doubled_or_malformed_is_refused() {
        let time = TIME.to_string();
        let now = Timestamp::from_second(TIME).expect("a time");
        let cases: [&[(&'static str, &str)]; 7] = [
            &[("x-slack-signature", SIGNATURE)],
            &[("x-slack-request-timestamp", &time)],
            &[("x-slack-request-timestamp", &time), ("x-slack-signature", &SIGNATURE[3..])],
            &[("x-slack-request-timestamp", &time), ("x-slack-signature", "v0=zz")],
            &[("x-slack-request-timestamp", "+1531420618"), ("x-slack-signature", SIGNATURE)],
            &[("x-slack-request-timestamp", "99999999999999999999"), ("x-slack-signature", SIGNATURE)],
            // A function URL joins doubled headers with a comma.
            &[("x-slack-request-timestamp", &time), ("x-slack-signature", &format!("{SIGNATURE},{SIGNATURE}"))],
        ];
        for case in cases {
            assert_eq!(verify([&Secret::new(SECRET)], &headers(case), BODY, now).map(|_| ()), Err(Unverified::Headers), "{case:?}");
        }
        let mut doubled = headers(&[("x-slack-request-timestamp", &time), ("x-slack-signature", SIGNATURE)]);
        doubled.append("x-slack-signature", SIGNATURE.parse().expect("a header value"));
        assert_eq!(verify([&Secret::new(SECRET)], &doubled, BODY, now).map(|_| ()), Err(Unverified::Headers));
    }

    #[test]
    fn an_ssl_check_carries_nothing_else() {
        assert!(is_ssl_check(b"ssl_check=1"));
        assert!(is_ssl_check(b"token=abc&ssl_check=1"));
        for smuggled in [
            "ssl_check=1&payload=%7B%7D",
            "ssl_check=1&command=%2Fincident",
            "ssl_check=0",
            "token=a",
            "",
            "ssl_check=1&",
            "ssl_check=1&ssl_check=1",
        ] {
            assert!(!is_ssl_check(smuggled.as_bytes()), "{smuggled}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new("xoxb-1")), "[redacted]");
    }
}
