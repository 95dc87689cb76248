//! Slack on the wire, in the order of a request: [`verify`] → [`receive`] → [`command`], [`interaction`], [`event`] (and of these [`step`], a workflow's) → [`reply`]; and what we
//! send: [`blocks`], `modals`, `client`, and `verdict` on what Slack answers; how we come to a token, with which scopes, and whether all is well: [`oauth`], [`features`], `connection`.

pub mod blocks;
#[cfg(feature = "slack-client")]
pub mod client;
pub mod command;
#[cfg(feature = "slack-client")]
pub mod connection;
pub mod event;
pub mod features;
pub mod interaction;
#[cfg(feature = "slack-client")]
pub mod modals;
pub mod oauth;
pub mod receive;
pub mod reply;
pub mod step;
pub mod text;
#[cfg(feature = "slack-client")]
pub mod verdict;
pub mod verify;

use jiff::Timestamp;

/// The moment that a `ts` or `action_ts` names: seconds and six digits after the point.
pub fn moment(ts: &str) -> Option<Timestamp> {
    let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
    let micros: i64 = format!("{micros:0<6}").get(..6)?.parse().ok()?;
    Timestamp::from_microsecond(seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ts_is_a_moment() {
        let micros = |ts| moment(ts).map(Timestamp::as_microsecond);
        assert_eq!(micros("1548426417.840180"), Some(1_548_426_417_840_180));
        assert_eq!(micros("1548426417"), Some(1_548_426_417_000_000));
        assert_eq!(micros("1548426417.8"), Some(1_548_426_417_800_000));
        assert_eq!(micros("now"), None);
        assert_eq!(micros("99999999999999999999.1"), None);
    }
}
