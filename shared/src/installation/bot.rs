//! What calls Slack for one installation, and for no other.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::Installations;
use crate::domain::ids::Workspace;
use crate::secrets::Secret;
use crate::secrets::tokens::Held;
use crate::slack::client::{Client, SlackError};
use crate::slack::verdict::{Verdict, verdict};

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
    pub async fn call(&self, method: &str, arguments: &impl Serialize) -> Result<Value, SlackError> {
        self.unless_held(method).await?;
        self.pausing(method, Box::pin(self.call_now(method, arguments)).await).await
    }

    /// Calls a method that reads; for the rest as [`Self::call`].
    pub async fn ask(&self, method: &str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        self.unless_held(method).await?;
        let answer = Box::pin(self.with_token(async |token| self.client.ask(token, method, arguments).await)).await;
        self.pausing(method, answer).await
    }

    /// Posts to a person. It waits as everybody does, but what Slack refuses here is mostly this conversation's own rate, which nobody keeps: no channel waits for that.
    pub async fn tell(&self, arguments: &impl Serialize) -> Result<Value, SlackError> {
        self.unless_held("chat.postMessage").await?;
        Box::pin(self.call_now("chat.postMessage", arguments)).await
    }

    /// Calls a method that takes JSON, for those who have seen to the pauses themselves.
    pub async fn call_now(&self, method: &str, arguments: &impl Serialize) -> Result<Value, SlackError> {
        self.with_token(async |token| self.client.call(token, method, arguments).await).await
    }

    async fn unless_held(&self, method: &str) -> Result<(), SlackError> {
        let now = Timestamp::now();
        match self.installations.store.held_until(&self.workspace, method).await?.filter(|until| *until > now) {
            Some(until) => Err(SlackError::RateLimited { retry_after: until.duration_since(now).as_secs().unsigned_abs() + 1 }),
            None => Ok(()),
        }
    }

    async fn pausing(&self, method: &str, answer: Result<Value, SlackError>) -> Result<Value, SlackError> {
        if let Err(SlackError::RateLimited { retry_after }) = answer {
            self.installations.store.hold(&self.workspace, method, retry_after).await?;
        }
        answer
    }

    /// Calls with the token at hand, and once more with the one that came after it.
    async fn with_token(&self, call: impl AsyncFn(&Secret) -> Result<Value, SlackError>) -> Result<Value, SlackError> {
        let held = self.held();
        match call(&held.token).await {
            Err(SlackError::Token(code)) => {
                let newer = self.newer(&held, code).await?;
                match call(&newer.token).await {
                    Err(SlackError::Token(code)) => Err(self.installations.refused(&self.workspace, &newer, code).await),
                    other => other,
                }
            }
            other => other,
        }
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
        installations.prove(self.client, &self.workspace, item.as_ref(), &newer).await?;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = newer.clone();
        Ok(newer)
    }
}
