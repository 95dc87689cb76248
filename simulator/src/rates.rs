//! Slack's rate limits: a token bucket per channel for messages, a sliding minute per installation and method, and one over all messages of an installation.

use std::collections::{HashMap, VecDeque};

use crate::calls::{Limit, Wait};
use crate::config::Rates;

/// A new message counts against its channel and its workspace as well.
const POST: &str = "chat.postMessage";

/// What was used of the limits so far. Times are milliseconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Used {
    methods: HashMap<(String, String), Minute>,
    posts: HashMap<String, Minute>,
    buckets: HashMap<String, Bucket>,
}

/// The calls of the last minute.
#[derive(Debug, Default)]
struct Minute(VecDeque<u64>);

impl Minute {
    /// The number of seconds until another call fits; zero when one does.
    fn wait(&mut self, limit: u32, now: u64) -> u64 {
        while self.0.front().is_some_and(|at| at + 60_000 <= now) {
            self.0.pop_front();
        }
        if self.0.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            return 0;
        }
        let free_at = self.0.front().map_or(now + 60_000, |at| at + 60_000);
        free_at.saturating_sub(now).div_ceil(1000).max(1)
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: u64,
}

impl Used {
    /// Counts one call; an error is how long to wait for the next one. `channel` is the id of the channel that the call is about.
    pub(crate) fn take(&mut self, rates: &Rates, installation: &str, method: &str, channel: Option<&str>, now: u64) -> Result<(), Wait> {
        if rates.off {
            return Ok(());
        }
        let limit = rates.methods.get(method).copied().unwrap_or(rates.default_per_minute);
        let of_method = self.methods.entry((installation.to_owned(), method.to_owned())).or_default();
        let refused = |seconds, limit, in_channel| if seconds == 0 { Ok(()) } else { Err(Wait { seconds, limit, in_channel }) };
        refused(of_method.wait(limit, now), Limit::Method, false)?;
        if method == POST {
            let of_workspace = self.posts.entry(installation.to_owned()).or_default();
            if let Some(cap) = rates.workspace_per_minute {
                refused(of_workspace.wait(cap, now), Limit::Workspace, false)?;
            }
            if let Some(channel) = channel {
                let bucket = bucket(&mut self.buckets, channel, rates.burst, now);
                refused(bucket.take(rates.channel_per_second, rates.burst, now), Limit::Channel, true)?;
            }
            of_workspace.0.push_back(now);
        }
        of_method.0.push_back(now);
        Ok(())
    }

    /// Counts one message of an incoming webhook, which has a rate of its own.
    pub(crate) fn take_webhook(&mut self, rates: &Rates, webhook: &str, now: u64) -> Result<(), Wait> {
        if rates.off {
            return Ok(());
        }
        match bucket(&mut self.buckets, webhook, rates.burst, now).take(rates.channel_per_second, rates.burst, now) {
            0 => Ok(()),
            seconds => Err(Wait { seconds, limit: Limit::Channel, in_channel: true }),
        }
    }
}

fn bucket<'a>(buckets: &'a mut HashMap<String, Bucket>, of: &str, burst: u32, now: u64) -> &'a mut Bucket {
    buckets.entry(of.to_owned()).or_insert_with(|| Bucket { tokens: f64::from(burst.max(1)), at: now })
}

impl Bucket {
    /// Takes one; the number of seconds until there is one again, zero when there was.
    fn take(&mut self, per_second: f64, burst: u32, now: u64) -> u64 {
        let passed = f64::from(u32::try_from(now.saturating_sub(self.at)).unwrap_or(u32::MAX)) / 1000.0;
        self.tokens = (self.tokens + passed * per_second).min(f64::from(burst.max(1)));
        self.at = now;
        // A thousandth is forgiven: sums of fractions do not always reach one.
        if self.tokens < 0.999 {
            return seconds_until(1.0 - self.tokens, per_second);
        }
        self.tokens -= 1.0;
        0
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=3600 before")]
fn seconds_until(missing: f64, per_second: f64) -> u64 {
    (missing / per_second.max(0.001)).ceil().clamp(1.0, 3600.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(seconds: u64, limit: Limit) -> Result<(), Wait> {
        Err(Wait { seconds, limit, in_channel: limit == Limit::Channel })
    }

    #[test]
    fn a_burst_then_one_a_second_in_each_channel() {
        let (mut used, rates) = (Used::default(), Rates { burst: 3, ..Rates::default() });
        let mut post = |channel: &str, at| used.take(&rates, "T1", POST, Some(channel), at);
        for _ in 0..3 {
            assert_eq!(post("C1", 1000), Ok(()));
        }
        assert_eq!(post("C1", 1000), wait(1, Limit::Channel));
        assert_eq!(post("C2", 1000), Ok(()));
        assert_eq!(post("C1", 1900), wait(1, Limit::Channel));
        assert_eq!(post("C1", 2000), Ok(()));
        assert_eq!(post("C1", 2000), wait(1, Limit::Channel));
    }

    #[test]
    fn a_method_has_so_many_calls_a_minute_in_each_installation() {
        let (mut used, rates) = (Used::default(), Rates::default());
        for _ in 0..50 {
            assert_eq!(used.take(&rates, "T1", "chat.update", Some("C1"), 5000), Ok(()));
        }
        assert_eq!(used.take(&rates, "T1", "chat.update", Some("C1"), 15_000), wait(50, Limit::Method));
        assert_eq!(used.take(&rates, "T2", "chat.update", Some("C2"), 15_000), Ok(()));
        assert_eq!(used.take(&rates, "T1", "chat.update", Some("C1"), 65_000), Ok(()));
    }

    #[test]
    fn all_messages_of_a_workspace_have_a_cap_and_what_is_refused_does_not_count() {
        let (mut used, rates) = (Used::default(), Rates { workspace_per_minute: Some(2), ..Rates::default() });
        let mut post = |team: &str, channel: &str, at| used.take(&rates, team, POST, Some(channel), at);
        assert_eq!(post("T1", "C1", 1000), Ok(()));
        assert_eq!(post("T1", "C2", 2000), Ok(()));
        assert_eq!(post("T1", "C3", 3000), wait(58, Limit::Workspace));
        assert_eq!(post("T2", "C4", 3000), Ok(()));
        assert_eq!(post("T1", "C3", 61_000), Ok(()));
        assert_eq!(post("T1", "C3", 61_500), wait(1, Limit::Workspace));
        let rates = Rates { workspace_per_minute: None, ..rates };
        assert_eq!(used.take(&rates, "T1", POST, Some("C5"), 61_500), Ok(()));
    }

    #[test]
    fn off_means_off() {
        let (mut used, rates) = (Used::default(), Rates { off: true, ..Rates::default() });
        assert!((0..500).all(|_| used.take(&rates, "T1", POST, Some("C1"), 1).is_ok()));
    }
}
