//! What is known of a workspace: which is meant, its settings, its people.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::domain::Refusal;
use shared::domain::ids::Workspace;
use shared::domain::intent::Person;
use shared::domain::people::{Profile, Standing, stands_outside};
use shared::domain::settings::Settings;
use shared::installation::Bot;
use shared::queue::Failure;
use shared::slack::client::SlackError;
use shared::store::workspaces::Wants;

use crate::App;

/// The team in which a person is asked about: a token of a whole organisation does not say it.
pub(crate) fn team_of<'a>(workspace: &Workspace, person: &'a Person) -> Option<&'a str> {
    person.team.as_ref().filter(|_| workspace.is_enterprise()).map(Workspace::as_str)
}

impl App {
    /// The installation that is meant, or why there is none.
    pub(crate) async fn workspace(&self, named: Option<&Workspace>) -> Result<Result<Workspace, Refusal>, Failure> {
        self.installations.meant(&self.slack, named).await.map_err(|error| Failure::later(&error))
    }

    /// What a workspace wants, at this moment.
    pub(crate) fn settings(&self, wants: Wants, now: Timestamp) -> Settings {
        let Wants { configuration, taken_over } = wants;
        Settings { configuration, taken_over, default_channel: self.default_channel.clone(), now, member_of: Vec::new() }
    }

    /// What calls Slack for a workspace.
    pub(crate) async fn bot(&self, workspace: &Workspace) -> Result<Bot<'_>, SlackError> {
        self.installations.bot(&self.slack, workspace).await
    }

    /// Asks Slack something that changes nothing, and once or twice more when Slack stumbles: the queue would only bring the job back after minutes, and somebody
    /// waits for it.
    pub(crate) async fn ask(&self, workspace: &Workspace, method: &'static str, arguments: &[(&str, &str)]) -> Result<Value, SlackError> {
        let bot = self.bot(workspace).await?;
        (|| bot.ask(method, arguments)).retry(once_or_twice_more()).sleep(tokio::time::sleep).when(may_pass).await
    }

    /// Tells Slack something that it takes once, however often it is told; once or twice more as well.
    pub(crate) async fn tell_again(
        &self,
        workspace: &Workspace,
        method: &'static str,
        arguments: &impl Serialize,
    ) -> Result<Value, SlackError> {
        let bot = self.bot(workspace).await?;
        (|| bot.call(method, arguments)).retry(once_or_twice_more()).sleep(tokio::time::sleep).when(may_pass).await
    }

    /// Who somebody is: from the payload where that already tells, else from Slack, kept for an hour.
    pub(crate) async fn profile(&self, workspace: &Workspace, person: &Person) -> Result<Profile, Failure> {
        if let Some(standing) = stands_outside(person, workspace) {
            return Ok(Profile { name: person.id.to_string(), email: None, standing, admin: false });
        }
        let known = self.store.profile(workspace, &person.id, Timestamp::now()).await.map_err(|error| Failure::later(&error))?;
        if let Some(profile) = known { Ok(profile) } else { self.profile_now(workspace, person).await }
    }

    /// Who somebody is, as Slack says at this moment: who looked after the workspace an hour ago may not any more.
    pub(crate) async fn profile_now(&self, workspace: &Workspace, person: &Person) -> Result<Profile, Failure> {
        if let Some(standing) = stands_outside(person, workspace) {
            return Ok(Profile { name: person.id.to_string(), email: None, standing, admin: false });
        }
        let now = Timestamp::now();
        let profile = match self.ask(workspace, "users.info", &[("user", person.id.as_str())]).await {
            Ok(answer) => crate::people::profile(&answer, workspace),
            Err(error @ SlackError::Never { .. }) if error.is("user_not_found") || error.is("user_not_visible") => {
                Profile { name: person.id.to_string(), email: None, standing: Standing::Stranger, admin: false }
            }
            Err(error @ (SlackError::Token(_) | SlackError::Closed(_) | SlackError::Never { .. })) => {
                // Said to the person now, rather than to nobody for as long as it takes to mend; and asked again the next time.
                tracing::error!(user = person.id.as_str(), %error, advice = error.advice(), outcome = "unknown_user", "users.info failed");
                return Ok(Profile { name: person.id.to_string(), email: None, standing: Standing::Unknown, admin: false });
            }
            Err(error) => return Err(Failure::Later(format!("users.info: {error}. {}", error.advice()))),
        };
        self.store.keep_profile(workspace, &person.id, &profile, now).await.map_err(|error| Failure::later(&error))?;
        Ok(profile)
    }
}

/// What may pass by itself is tried again within two seconds: the queue would only bring the job back after minutes.
fn once_or_twice_more() -> ExponentialBuilder {
    ExponentialBuilder::default().with_min_delay(Duration::from_millis(300)).with_factor(4.0).with_max_times(2)
}

fn may_pass(error: &SlackError) -> bool {
    matches!(error, SlackError::Later(_) | SlackError::Ambiguous(_))
}
