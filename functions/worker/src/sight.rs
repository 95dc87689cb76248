//! What somebody sees: incidents that show in a channel they are in. `users.conversations` says which those are, of the channels that the bot is in as well or that are public; it is kept for a minute.
//! <https://docs.slack.dev/reference/methods/users.conversations>

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared::domain::Refusal;
use shared::domain::ids::{Channel, UserId, Workspace};
use shared::domain::incident::Summary;
use shared::domain::intent::Person;
use shared::queue::Failure;
use shared::render::answer;
use shared::slack::client::SlackError;

use crate::workspace::team_of;
use crate::{App, lock};

/// For how long it is believed in which channels somebody is.
const KEPT: Duration = Duration::from_mins(1);

/// Slack gives so many channels at once.
const PAGE: &str = "999";

/// More channels than this nobody reads; a bound all the same.
const PAGES_MOST: usize = 20;

/// The channels that somebody is in, each by its id and by its `#name`.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    person: UserId,
    channels: HashSet<String>,
}

/// What this container has asked lately.
#[derive(Debug, Default)]
pub(crate) struct Sights(Mutex<HashMap<(Workspace, UserId), (Sight, Instant)>>);

impl Sight {
    /// Whether somebody sees this: because of where it shows, or because it is theirs. Of which nobody wrote down where it shows, only that.
    pub(crate) fn sees(&self, summary: &Summary) -> bool {
        summary.is_of(&self.person) || summary.channels.as_ref().is_some_and(|channels| self.shows(channels))
    }

    /// Of these, what somebody sees; and how many more are open that they do not.
    pub(crate) fn of(&self, mut summaries: Vec<Summary>) -> (Vec<Summary>, usize) {
        let all = answer::open(&summaries).len();
        summaries.retain(|summary| self.sees(summary));
        let elsewhere = all - answer::open(&summaries).len();
        (summaries, elsewhere)
    }

    /// Whether what shows in these channels is seen. What shows nowhere, because it is not severe enough or goes to webhooks alone, every member sees.
    pub(crate) fn shows(&self, channels: &[Channel]) -> bool {
        let hidden = |channel: &&Channel| !channel.as_str().starts_with("webhook:");
        let mut places = channels.iter().filter(hidden).peekable();
        places.peek().is_none()
            || places.any(|channel| channel.person().as_ref() == Some(&self.person) || self.channels.contains(channel.as_str()))
    }
}

impl App {
    /// What this person sees, or why that cannot be known.
    pub(crate) async fn sight(&self, workspace: &Workspace, person: &Person) -> Result<Result<Sight, Refusal>, Failure> {
        let key = (workspace.clone(), person.id.clone());
        let known = lock(&self.sights.0).get(&key).filter(|(_, at)| at.elapsed() < KEPT).map(|(sight, _)| sight.clone());
        if let Some(sight) = known {
            return Ok(Ok(sight));
        }
        // Mostly it is known.
        let channels = match Box::pin(self.channels_of(workspace, person)).await {
            Ok(channels) => channels,
            Err(error @ (SlackError::Never { .. } | SlackError::Token(_) | SlackError::Closed(_))) => {
                tracing::error!(workspace = workspace.as_str(), user = person.id.as_str(), %error, advice = error.advice(), outcome = "unknown_channels", "users.conversations failed");
                let why = "Tocsin cannot find out in which channels you are, and shows only what shows there. Please tell whoever looks after it: the app needs the scopes channels:read and groups:read.";
                return Ok(Err(Refusal::new(why)));
            }
            Err(error) => return Err(Failure::Later(format!("users.conversations: {error}. {}", error.advice()))),
        };
        let sight = Sight { person: person.id.clone(), channels };
        let mut sights = lock(&self.sights.0);
        sights.retain(|_, (_, at)| at.elapsed() < KEPT);
        sights.insert(key, (sight.clone(), Instant::now()));
        Ok(Ok(sight))
    }

    async fn channels_of(&self, workspace: &Workspace, person: &Person) -> Result<HashSet<String>, SlackError> {
        let (mut channels, mut cursor) = (HashSet::new(), String::new());
        for _ in 0..PAGES_MOST {
            let mut arguments =
                vec![("user", person.id.as_str()), ("types", "public_channel,private_channel"), ("limit", PAGE), ("cursor", &cursor)];
            arguments.extend(team_of(workspace, person).map(|team| ("team_id", team)));
            let answer = self.ask(workspace, "users.conversations", &arguments).await?;
            let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
            for channel in answer.get("channels").and_then(Value::as_array).into_iter().flatten() {
                channels.extend(text(channel, "id"));
                channels.extend(text(channel, "name").map(|name| format!("#{name}")));
            }
            match answer.pointer("/response_metadata/next_cursor").and_then(Value::as_str).filter(|next| !next.is_empty()) {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        Ok(channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_in_one_of_ones_channels_is_seen() {
        let sight = Sight { person: UserId::new("U1JANE"), channels: ["C1", "#payments"].map(str::to_owned).into() };
        let sees = |channels: &[&str]| sight.shows(&channels.iter().copied().map(Channel::new).collect::<Vec<_>>());
        for seen in [&["C1"][..], &["C2", "#payments"], &["U1JANE"], &[], &["webhook:ops"]] {
            assert!(sees(seen), "{seen:?}");
        }
        for hidden in [&["C2"][..], &["#secret"], &["U1OMAR"], &["webhook:ops", "C2"]] {
            assert!(!sees(hidden), "{hidden:?}");
        }
    }
}
