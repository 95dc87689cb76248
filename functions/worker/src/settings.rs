//! An admin changes a setting: the workspace's own document, and in it this one value.

use jiff::Timestamp;
use serde_json::Value;
use shared::domain::Refusal;
use shared::domain::ids::{Channel, Workspace};
use shared::domain::people::{Profile, may_set};
use shared::domain::surfaces::{Setting, SettingWish};
use shared::queue::Failure;
use shared::render::answer;
use shared::slack::client::SlackError;
use shared::store::workspaces::Stored;

use crate::{App, document};

/// How often it is tried when others change the document at the same moment.
const TRIES: u32 = 5;

impl App {
    /// Changes it, or says why not: where the person pressed.
    pub(crate) async fn set(&self, wish: &SettingWish) -> Result<(), Failure> {
        let SettingWish { id, workspace, by, change, reply } = wish;
        let workspace = match (self.workspace(Some(workspace)).await?, reply) {
            (Ok(workspace), _) => workspace,
            (Err(refusal), Some(reply)) => return self.refuse(None, reply, &refusal, id.as_str()).await,
            (Err(_), None) => return Ok(()),
        };
        let profile = self.profile_now(&workspace, by).await?;
        let done = self.try_to_set(&workspace, &profile, change).await?;
        let (user, change_text) = (by.id.as_str(), tracing::field::debug(change));
        let outcome = if done.is_ok() { "changed" } else { "refused" };
        tracing::info!(workspace = workspace.as_str(), intent = id.as_str(), user, change = change_text, outcome, "setting");
        let Some(reply) = reply else {
            return self.paint_home(&workspace, by, &profile, done.as_ref().err(), id.as_str()).await;
        };
        let settings = self.settings(self.store.wants(&workspace).await.map_err(|error| Failure::later(&error))?, Timestamp::now());
        let message = match done {
            Ok(()) => answer::set(change, &settings),
            Err(refusal) => answer::refused(&refusal),
        };
        self.say(&workspace, reply, &message, id.as_str()).await
    }

    async fn try_to_set(&self, workspace: &Workspace, profile: &Profile, change: &Setting) -> Result<Result<(), Refusal>, Failure> {
        if let Err(refusal) = may_set(profile) {
            return Ok(Err(refusal));
        }
        if let Setting::DefaultChannel(channel) = change
            && let Err(refusal) = self.is_in(workspace, channel).await?
        {
            return Ok(Err(refusal));
        }
        for _ in 0..TRIES {
            let known = self.store.configuration(workspace).await.map_err(|error| Failure::later(&error))?;
            let changed = match document::with(known.as_deref().unwrap_or_default(), change) {
                Ok(changed) => changed,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let replaced = self.store.replace_configuration(workspace, known.as_deref(), &changed).await;
            match replaced.map_err(|error| Failure::later(&error))? {
                Stored::Done => return Ok(Ok(())),
                Stored::Raced => {}
                Stored::Wrong(mistakes) => return Ok(Err(document::wrong(&mistakes))),
            }
        }
        Err(Failure::Later(format!("{TRIES} others were faster")))
    }

    /// Whether the bot is in a channel: incidents that go where it is not would be seen by nobody.
    pub(crate) async fn is_in(&self, workspace: &Workspace, channel: &Channel) -> Result<Result<(), Refusal>, Failure> {
        let info = match self.ask(workspace, "conversations.info", &[("channel", channel.as_str())]).await {
            Ok(info) => info,
            Err(error @ SlackError::Never { .. }) if error.is("channel_not_found") => Value::Null,
            Err(error @ (SlackError::Never { .. } | SlackError::Closed(_))) => {
                return Ok(Err(Refusal::new(format!(
                    "Slack does not say whether Tocsin is in that channel ({error}). {}",
                    error.advice()
                ))));
            }
            Err(error) => return Err(Failure::Later(format!("conversations.info: {error}"))),
        };
        let is = |flag: &str| info.pointer(&format!("/channel/{flag}")).and_then(Value::as_bool) == Some(true);
        if is("is_archived") {
            return Ok(Err(Refusal::new("That channel is archived, so no incident can show there. Please choose another one.")));
        }
        if is("is_member") {
            return Ok(Ok(()));
        }
        Ok(Err(Refusal::new("Tocsin is not in that channel yet. Please write `/invite @Tocsin` there, and then choose it again.")))
    }
}
