//! Slack's rate limits: a token bucket per channel for messages, a sliding minute per method.

use std::collections::{HashMap, VecDeque};

use crate::config::Rates;

/// What was used of the limits so far. Times are milliseconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Used {
    minutes: HashMap<String, VecDeque<u64>>,
    buckets: HashMap<String, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: u64,
}

impl Used {
    /// Counts one call; an error is the number of seconds after which the next one may come.
    /// `channel` is given for methods with a limit per channel.
    pub(crate) fn take(&mut self, rates: &Rates, method: &str, channel: Option<&str>, now: u64) -> Result<(), u64> {
        if rates.off {
            return Ok(());
        }
        let limit = rates.methods.get(method).copied().unwrap_or(rates.default_per_minute);
        let calls = self.minutes.entry(method.to_owned()).or_default();
        while calls.front().is_some_and(|at| at + 60_000 <= now) {
            calls.pop_front();
        }
        if calls.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            let free_at = calls.front().map_or(now + 60_000, |at| at + 60_000);
            return Err(free_at.saturating_sub(now).div_ceil(1000).max(1));
        }
        if let Some(channel) = channel {
            let burst = f64::from(rates.burst.max(1));
            let bucket = self.buckets.entry(channel.to_owned()).or_insert(Bucket { tokens: burst, at: now });
            let passed = f64::from(u32::try_from(now.saturating_sub(bucket.at)).unwrap_or(u32::MAX)) / 1000.0;
            bucket.tokens = (bucket.tokens + passed * rates.channel_per_second).min(burst);
            bucket.at = now;
            // A thousandth is forgiven: sums of fractions do not always reach one.
            if bucket.tokens < 0.999 {
                return Err(seconds_until(1.0 - bucket.tokens, rates.channel_per_second));
            }
            bucket.tokens -= 1.0;
        }
        calls.push_back(now);
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=3600 before")]
fn seconds_until(missing: f64, per_second: f64) -> u64 {
    (missing / per_second.max(0.001)).ceil().clamp(1.0, 3600.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_a_second_in_each_channel() {
        let (mut used, rates) = (Used::default(), Rates { burst: 3, ..Rates::default() });
        let mut post = |channel: &str, at| used.take(&rates, "chat.postMessage", Some(channel), at);
        for _ in 0..3 {
            assert_eq!(post("C1", 1000), Ok(()));
        }
        assert_eq!(post("C1", 1000), Err(1));
        assert_eq!(post("C2", 1000), Ok(()));
        assert_eq!(post("C1", 1900), Err(1));
        assert_eq!(post("C1", 2000), Ok(()));
        assert_eq!(post("C1", 2000), Err(1));
    }

    #[test]
    fn a_method_has_so_many_calls_a_minute() {
        let (mut used, rates) = (Used::default(), Rates::default());
        for _ in 0..50 {
            assert_eq!(used.take(&rates, "chat.update", None, 5000), Ok(()));
        }
        assert_eq!(used.take(&rates, "chat.update", None, 15_000), Err(50));
        assert_eq!(used.take(&rates, "chat.update", None, 65_000), Ok(()));
    }

    #[test]
    fn off_means_off() {
        let (mut used, rates) = (Used::default(), Rates { off: true, ..Rates::default() });
        assert!((0..500).all(|_| used.take(&rates, "chat.postMessage", Some("C1"), 1).is_ok()));
    }
}
