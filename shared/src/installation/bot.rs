//! What calls Slack for one installation, and for no other.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::Installations;
use crate::domain::ids::{UserId, Workspace};
use crate::metrics;
use crate::secrets::Secret;
use crate::secrets::tokens::Held;
use crate::slack::client::{Client, SlackError};
use crate::slack::verdict::{Verdict, verdict};

/// A pause of so many seconds is waited out: the queue would bring a job back only after minutes, and somebody waits for it.
const WAITED_OUT: u64 = 3;

/// So often.
const WAITS: usize = 3;

/// Calls Slack for one workspace with its token, and reads the token again once when Slack does not accept it.
#[derive(Debug)]
pub struct Bot<'a> {
    pub(super) installations: &'a Installations,
    pub(super) client: &'a Client,
    pub(super) workspace: Workspace,
    pub(super) held: Mutex<Held>,
}

impl Bot<'_> {
    /// Calls a method that takes JSON, unless Slack wants a pause with it: then the answer is what is left of that. Where it wants one now, everybody in the workspace keeps it.
    pub async fn call(&self, method: &'static str, arguments: &impl Serialize) -> Result<Value, SlackError> {
        self.patiently(&[method], async || self.call_now(method, arguments, Timestamp::MAX).await).await
    }

    /// Calls a method that reads; for the rest as [`Self::call`].
    pub async fn ask(&self, method: &'static str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        self.patiently(&[method], async || self.read(method, arguments).await).await
    }

    /// The same without waiting anything out.
    pub async fn ask_now(&self, method: &'static str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        self.installations.unless_held(&self.workspace, &[method], Box::pin(self.read(method, arguments))).await
    }

    async fn read(&self, method: &'static str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        self.with_token(method, Timestamp::MAX, async |token| self.client.ask(token, method, arguments).await).await
    }

    /// Posts to a person. What Slack refuses here is mostly this conversation's own rate, so it is this conversation that pauses, and no channel waits for it.
    pub async fn tell(&self, person: &UserId, arguments: &impl Serialize) -> Result<Value, SlackError> {
        let conversation = format!("chat.postMessage#{person}");
        self.patiently(&["chat.postMessage", &conversation], async || self.call_now("chat.postMessage", arguments, Timestamp::MAX).await)
            .await
    }

    /// Calls a method that takes JSON, for those who have seen to the pauses themselves. No call begins after `until`: not the second one either, with another token.
    pub async fn call_now(&self, method: &'static str, arguments: &impl Serialize, until: Timestamp) -> Result<Value, SlackError> {
        self.with_token(method, until, async |token| self.client.call(token, method, arguments).await).await
    }

    /// Calls where none of these is held, and holds the last of them where Slack wants a pause. A short one is waited out.
    async fn patiently(&self, held: &[&str], call: impl AsyncFn() -> Result<Value, SlackError>) -> Result<Value, SlackError> {
        for _ in 0..WAITS {
            match self.installations.unless_held(&self.workspace, held, Box::pin(call())).await {
                // Slack says how long, and nothing else will say when it is over.
                Err(SlackError::RateLimited { retry_after }) if retry_after <= WAITED_OUT => {
                    tokio::time::sleep(Duration::from_secs(retry_after)).await;
                }
                other => return other,
            }
        }
        self.installations.unless_held(&self.workspace, held, Box::pin(call())).await
    }

    /// Calls with the token at hand, and once more with the one that came after it, if that is not after `until`.
    async fn with_token(
        &self,
        method: &'static str,
        until: Timestamp,
        call: impl AsyncFn(&Secret) -> Result<Value, SlackError>,
    ) -> Result<Value, SlackError> {
        let held = self.held();
        let mut answer = call(&held.token).await;
        if let Err(SlackError::Token(code)) = &answer {
            let newer = self.newer(&held, code.clone()).await?;
            if Timestamp::now() > until {
                // What failed was the old token; the next attempt has the new one.
                return Err(SlackError::Later("another token has come, too late for this attempt".to_owned()));
            }
            answer = call(&newer.token).await;
            if let Err(SlackError::Token(code)) = answer {
                return Err(self.installations.refused(&self.workspace, &newer, code).await);
            }
        }
        if matches!(answer, Err(SlackError::RateLimited { .. })) {
            metrics::rate_limited(method);
        }
        answer
    }

    fn held(&self) -> Held {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The token that came after the one which failed; where there is none, the verdict on `code`.
    async fn newer(&self, failed: &Held, code: String) -> Result<Held, SlackError> {
        let installations = self.installations;
        let item = installations.store.installation(&self.workspace).await?;
        // Before something is concluded for good, Secrets Manager is asked, however lately it was.
        let newer = if verdict(&code) == Verdict::Disabled {
            installations.tokens.now(&self.workspace).await
        } else {
            installations.tokens.again(&self.workspace).await
        };
        let newer = match newer {
            Ok(newer) => newer,
            Err(error) => return Err(installations.unavailable(&self.workspace, item.as_ref(), &error).await),
        };
        if newer.token == failed.token {
            return Err(installations.refused(&self.workspace, failed, code).await);
        }
        match installations.prove(self.client, &self.workspace, item.as_ref(), &newer).await {
            // It is another method that Slack wants a pause with.
            Err(SlackError::RateLimited { .. }) => return Err(SlackError::Later("Slack wants a pause with auth.test".to_owned())),
            other => other?,
        }
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = newer.clone();
        Ok(newer)
    }
}
