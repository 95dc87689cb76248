//! What Tocsin called, how it was answered, and whether it kept to the waits that it had been told.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::Value;

use crate::faults::Kind;
use crate::fields::{Record, put};

/// Which limit a 429 stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    /// The calls of one method, per installation.
    Method,
    /// The messages in one channel.
    Channel,
    /// The messages of one installation.
    Workspace,
    /// None: a fault that is switched on.
    Fault,
}

/// A 429: how many seconds to wait, for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) seconds: u64,
    pub(crate) limit: Limit,
    /// Only the channel has to wait, not the method.
    pub(crate) in_channel: bool,
}

/// A Web API call or a post to a `response_url` or a webhook, as it came and as it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Given when it is recorded.
    pub(crate) id: u64,
    pub(crate) at: u64,
    pub(crate) ms: u64,
    /// The installation that the token belongs to.
    pub(crate) team: Option<String>,
    pub(crate) method: String,
    /// JSON.
    pub(crate) arguments: String,
    pub(crate) response_url_for: Option<&'static str>,
    /// The address of an incoming webhook, as far as it is no secret: `T…/B…`.
    pub(crate) webhook: Option<String>,
    /// None: the connection was cut.
    pub(crate) http_status: Option<u16>,
    pub(crate) ok: bool,
    pub(crate) error: Option<String>,
    /// JSON.
    pub(crate) answer: Option<Arc<str>>,
    pub(crate) fault: Option<Kind>,
    pub(crate) applied: bool,
    pub(crate) scopes_needed: &'static [&'static str],
    pub(crate) wait: Option<Wait>,
    /// The wait that had not passed when it came; found out when it is recorded.
    pub(crate) early: Option<Early>,
}

/// A call that came before the end of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Early {
    pub(crate) ms: u64,
    /// The call that was answered with the wait.
    pub(crate) after: u64,
}

impl Record for Call {
    const FIELDS: &'static [&'static str] = &[
        "id",
        "at",
        "ms",
        "team",
        "method",
        "arguments",
        "response_url_for",
        "webhook",
        "http_status",
        "ok",
        "error",
        "answer",
        "fault",
        "applied",
        "scopes_needed",
        "limit",
        "retry_after",
        "early_ms",
        "early_after",
    ];

    fn write(&self, field: &str, json: &mut Vec<u8>) -> bool {
        match field {
            "id" => put(json, &self.id),
            "at" => put(json, &self.at),
            "ms" => put(json, &self.ms),
            "team" => put(json, &self.team),
            "method" => put(json, &self.method),
            "arguments" => put_text(json, &self.arguments),
            "response_url_for" => put(json, &self.response_url_for),
            "webhook" => self.webhook.as_ref().is_some_and(|webhook| put(json, webhook)),
            "http_status" => put(json, &self.http_status),
            "ok" => put(json, &self.ok),
            "error" => put(json, &self.error),
            "answer" => put_text(json, self.answer.as_deref().unwrap_or("null")),
            "fault" => put(json, &self.fault),
            "applied" => put(json, &self.applied),
            "scopes_needed" => put(json, self.scopes_needed),
            "limit" => self.wait.is_some_and(|wait| put(json, &wait.limit)),
            "retry_after" => self.wait.is_some_and(|wait| put(json, &wait.seconds)),
            "early_ms" => self.early.is_some_and(|early| put(json, &early.ms)),
            "early_after" => self.early.is_some_and(|early| put(json, &early.after)),
            _ => false,
        }
    }
}

/// What is JSON already.
fn put_text(json: &mut Vec<u8>, text: &str) -> bool {
    json.extend_from_slice(text.as_bytes());
    true
}

/// Who has to wait: an installation with one method, in one channel or everywhere.
type Waiting = (Option<String>, String, Option<String>);

/// All calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    list: Vec<Arc<Call>>,
    last_id: u64,
    /// Until when, and the call that was told so.
    waits: HashMap<Waiting, (u64, u64)>,
}

impl Calls {
    /// Ids go on rising after this one.
    pub(crate) fn after(last_id: u64) -> Self {
        Self { last_id, ..Self::default() }
    }

    pub(crate) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Remembers a call under a new id. `channel` is the id of the channel that it is about.
    pub(crate) fn record(&mut self, mut call: Call, channel: Option<&str>) -> Arc<Call> {
        self.last_id += 1;
        call.id = self.last_id;
        let everywhere = (call.team.clone(), call.method.clone(), None);
        let here = channel.map(|channel| (call.team.clone(), call.method.clone(), Some(channel.to_owned())));
        let waits = [Some(&everywhere), here.as_ref()].into_iter().flatten().filter_map(|waiting| self.waits.get(waiting));
        let longest = waits.max().copied();
        call.early = longest.filter(|(until, _)| *until > call.at).map(|(until, after)| Early { ms: until - call.at, after });
        if let Some(wait) = call.wait {
            let waiting = here.filter(|_| wait.in_channel).unwrap_or(everywhere);
            let told = (call.at + wait.seconds * 1000, call.id);
            let known = self.waits.entry(waiting).or_insert(told);
            *known = told.max(*known);
        }
        let call = Arc::new(call);
        self.list.push(call.clone());
        call
    }

    /// The calls after one with this id, oldest first.
    pub(crate) fn since(&self, id: u64) -> impl Iterator<Item = &Arc<Call>> {
        let first = self.list.partition_point(|call| call.id <= id);
        self.list.iter().skip(first)
    }

    /// Forgets the calls, not the waits: what was told still holds.
    pub(crate) fn forget(&mut self) {
        self.list.clear();
    }
}

/// The error in a Web API answer.
pub(crate) fn error_in(answer: &Value) -> Option<String> {
    answer["error"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(team: &str, method: &str, at: u64, wait: Option<(u64, bool)>) -> Call {
        Call {
            id: 0,
            at,
            ms: 0,
            team: Some(team.to_owned()),
            method: method.to_owned(),
            arguments: "{}".to_owned(),
            response_url_for: None,
            webhook: None,
            http_status: Some(200),
            ok: true,
            error: None,
            answer: None,
            fault: None,
            applied: true,
            scopes_needed: &[],
            wait: wait.map(|(seconds, in_channel)| Wait { seconds, limit: Limit::Method, in_channel }),
            early: None,
        }
    }

    #[test]
    fn who_comes_before_the_end_of_a_wait_is_early_by_so_much() {
        let mut calls = Calls::default();
        let mut early = |team, method, channel, at, wait| calls.record(call(team, method, at, wait), channel).early.map(|early| early.ms);
        assert_eq!(early("T1", "chat.update", Some("C1"), 1000, Some((2, false))), None);
        assert_eq!(early("T1", "chat.update", Some("C2"), 2999, None), Some(1));
        assert_eq!(early("T1", "chat.postMessage", Some("C1"), 2999, None), None, "another method");
        assert_eq!(early("T2", "chat.update", Some("C1"), 2999, None), None, "another workspace");
        assert_eq!(early("T1", "chat.update", Some("C1"), 3000, None), None, "the wait is over");
    }

    #[test]
    fn a_wait_of_one_channel_holds_back_only_this_channel() {
        let mut calls = Calls::default();
        let mut early = |channel, at, wait| calls.record(call("T1", "chat.postMessage", at, wait), Some(channel)).early;
        assert_eq!(early("C1", 1000, Some((1, true))), None);
        assert_eq!(early("C2", 1500, None), None);
        assert_eq!(early("C1", 1500, Some((3, true))), Some(Early { ms: 500, after: 1 }), "which prolongs it");
        assert_eq!(early("C1", 4000, None), Some(Early { ms: 500, after: 3 }));
        calls.forget();
        assert_eq!(calls.record(call("T1", "chat.postMessage", 4400, None), Some("C1")).early.map(|early| early.ms), Some(100));
    }
}
