//! Which usergroups somebody belongs to: `usergroups.users.list`, kept for a minute. <https://docs.slack.dev/reference/methods/usergroups.users.list>

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared::domain::Refusal;
use shared::domain::ids::Workspace;
use shared::domain::intent::Person;
use shared::domain::people::Who;
use shared::queue::Failure;
use shared::slack::client::SlackError;

use crate::workspace::team_of;
use crate::{App, lock};

/// For how long a usergroup's members are believed.
const KEPT: Duration = Duration::from_mins(1);

/// A usergroup's members, and when Slack said so.
type Members = (Vec<String>, Instant);

/// The members of usergroups that this container has asked for lately.
#[derive(Debug, Default)]
pub(crate) struct Groups(Mutex<HashMap<(Workspace, String), Members>>);

impl App {
    /// Those of the usergroups among these that the person belongs to, looked up where they are not named themselves; or why that cannot be known.
    pub(crate) async fn member_of(
        &self,
        workspace: &Workspace,
        person: &Person,
        who: &Who,
    ) -> Result<Result<Vec<String>, Refusal>, Failure> {
        let mut member_of = Vec::new();
        if who.includes(&person.id, &[]) {
            return Ok(Ok(member_of));
        }
        for group in who.groups() {
            match self.members(workspace, person, group).await {
                Ok(members) if members.iter().any(|member| member == person.id.as_str()) => member_of.push(group.to_owned()),
                Ok(_) => {}
                Err(error @ (SlackError::Never { .. } | SlackError::Token(_) | SlackError::Closed(_))) => {
                    tracing::error!(workspace = workspace.as_str(), group, %error, advice = error.advice(), outcome = "unknown_group", "usergroups.users.list failed");
                    let why = format!(
                        "Tocsin cannot find out who belongs to the usergroup {group}, so nothing was done. Please tell whoever looks after it: the app needs the scope usergroups:read, and the usergroup has to exist."
                    );
                    return Ok(Err(Refusal::new(why)));
                }
                Err(error) => return Err(Failure::Later(format!("usergroups.users.list: {error}. {}", error.advice()))),
            }
        }
        Ok(Ok(member_of))
    }

    async fn members(&self, workspace: &Workspace, person: &Person, group: &str) -> Result<Vec<String>, SlackError> {
        let key = (workspace.clone(), group.to_owned());
        let known = lock(&self.groups.0).get(&key).filter(|(_, at)| at.elapsed() < KEPT).map(|(members, _)| members.clone());
        if let Some(members) = known {
            return Ok(members);
        }
        let mut arguments = vec![("usergroup", group)];
        arguments.extend(team_of(workspace, person).map(|team| ("team_id", team)));
        let answer = self.ask(workspace, "usergroups.users.list", &arguments).await?;
        let members = answer.get("users").and_then(Value::as_array).into_iter().flatten();
        let members: Vec<String> = members.filter_map(|user| user.as_str().map(str::to_owned)).collect();
        let mut groups = lock(&self.groups.0);
        groups.retain(|_, (_, at)| at.elapsed() < KEPT);
        groups.insert(key, (members.clone(), Instant::now()));
        Ok(members)
    }
}
