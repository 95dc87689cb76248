//! Faults on demand: what Slack's side of the wire does when it does not work, by method, for so many calls or with a probability.

use std::time::Duration;

use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::server::Cut;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// HTTP 429 with `Retry-After`; nothing is applied.
    RateLimited,
    /// An HTTP status of 5xx; nothing is applied.
    ServerError,
    /// HTTP 200 with `ok: false`; nothing is applied.
    Error,
    /// The call takes effect, and then the connection is cut without an answer.
    AcceptThenReset,
    /// The connection is cut and nothing is applied.
    ResetBefore,
    /// The call takes effect at once, and the answer comes late.
    Slow,
}

/// What the control API is asked for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Wanted {
    kind: Kind,
    method: Option<String>,
    channel: Option<String>,
    team: Option<String>,
    times: Option<u32>,
    probability: Option<f64>,
    #[serde(default = "default_seed")]
    seed: u64,
    #[serde(default = "default_retry_after")]
    retry_after: u64,
    #[serde(default = "default_status")]
    status: u16,
    #[serde(default = "default_code")]
    code: String,
    #[serde(default = "default_delay")]
    delay_ms: u64,
}

fn default_seed() -> u64 {
    1
}
fn default_retry_after() -> u64 {
    1
}
fn default_status() -> u16 {
    500
}
fn default_code() -> String {
    "internal_error".into()
}
fn default_delay() -> u64 {
    1000
}

/// A fault that is switched on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fault {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    /// None: every method.
    pub(crate) method: Option<String>,
    /// None: every channel.
    pub(crate) channel: Option<String>,
    /// None: every installation, and calls with an unknown token.
    pub(crate) team: Option<String>,
    /// How often it still strikes; none: until cleared.
    pub(crate) times: Option<u32>,
    pub(crate) probability: Option<f64>,
    pub(crate) retry_after: u64,
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) delay_ms: u64,
    /// How often it has struck.
    pub(crate) hits: u64,
    #[serde(skip)]
    dice: u64,
}

/// All faults that are switched on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) list: Vec<Fault>,
    last_id: u64,
}

impl Faults {
    /// Switches one on. `channel` is the id of the channel it is limited to.
    pub(crate) fn add(&mut self, wanted: Wanted, channel: Option<String>) -> Fault {
        self.last_id += 1;
        let fault = Fault {
            id: self.last_id,
            kind: wanted.kind,
            method: wanted.method,
            channel,
            team: wanted.team,
            times: wanted.times,
            probability: wanted.probability,
            retry_after: wanted.retry_after,
            status: wanted.status,
            code: wanted.code,
            delay_ms: wanted.delay_ms,
            hits: 0,
            dice: wanted.seed,
        };
        self.list.push(fault.clone());
        fault
    }

    /// The fault that strikes this call, if any: the oldest that fits. `team` is the installation that calls.
    pub(crate) fn strike(&mut self, method: &str, channel: Option<&str>, team: Option<&str>) -> Option<Fault> {
        let fitting = self.list.iter_mut().filter(|fault| {
            fault.method.as_deref().is_none_or(|of| of == method)
                && fault.channel.as_deref().is_none_or(|of| Some(of) == channel)
                && fault.team.as_deref().is_none_or(|of| Some(of) == team)
        });
        for fault in fitting {
            if fault.times == Some(0) {
                continue;
            }
            if let Some(probability) = fault.probability
                && roll(&mut fault.dice) >= probability
            {
                continue;
            }
            fault.times = fault.times.map(|left| left - 1);
            fault.hits += 1;
            return Some(fault.clone());
        }
        None
    }
}

impl Fault {
    /// What it does to the answer: cuts the connection instead, or keeps it back for a while.
    pub(crate) async fn strikes_the_answer(&self) -> Option<Response> {
        match self.kind {
            Kind::AcceptThenReset | Kind::ResetBefore => return Some(Cut::response()),
            Kind::Slow => tokio::time::sleep(Duration::from_millis(self.delay_ms)).await,
            Kind::RateLimited | Kind::ServerError | Kind::Error => {}
        }
        None
    }
}

impl Wanted {
    pub(crate) fn channel(&self) -> Option<&str> {
        self.channel.as_deref()
    }
}

/// The next number in [0, 1) of a repeatable row (`SplitMix64`).
fn roll(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    // The upper 32 bits fit a float exactly.
    f64::from(u32::try_from(z >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(json: serde_json::Value) -> Wanted {
        serde_json::from_value(json).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn strikes_so_many_times_and_only_its_method_and_channel() {
        let mut faults = Faults::default();
        faults.add(wanted(serde_json::json!({"kind": "server_error", "method": "chat.update", "times": 2})), Some("C1".into()));
        let mut strike = |method, channel| faults.strike(method, channel, Some("T1"));
        assert!(strike("chat.postMessage", Some("C1")).is_none());
        assert!(strike("chat.update", Some("C2")).is_none());
        assert!(strike("chat.update", Some("C1")).is_some());
        assert!(strike("chat.update", Some("C1")).is_some());
        assert!(strike("chat.update", Some("C1")).is_none());
    }

    #[test]
    fn each_installation_may_have_faults_of_its_own() {
        let mut faults = Faults::default();
        faults.add(wanted(serde_json::json!({"kind": "accept_then_reset", "team": "T1", "times": 1})), None);
        assert!(faults.strike("chat.update", None, Some("T2")).is_none());
        assert!(faults.strike("chat.update", None, None).is_none());
        assert!(faults.strike("chat.update", None, Some("T1")).is_some());
        assert!(faults.strike("chat.update", None, Some("T1")).is_none());
    }

    #[test]
    fn a_probability_is_repeatable_by_its_seed_and_about_right() {
        let run = |seed: u64| {
            let mut faults = Faults::default();
            faults.add(wanted(serde_json::json!({"kind": "reset_before", "probability": 0.3, "seed": seed})), None);
            (0..1000).map(|_| faults.strike("users.info", None, None).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&hits), "{hits}");
    }
}
