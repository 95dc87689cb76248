//! The Events API: what Slack tells, and what of it is a job. <https://docs.slack.dev/apis/events-api>

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::Refusal;
use crate::domain::ids::{Channel, IntentId, MessageTs, UserId, Workspace};
use crate::domain::intent::{Actor, Ask, Intent, Job, Person, Place, Question, ReplyTo, Spoken, TakeOver, Uninstall};

use super::command::{self, Wish};
use super::text;
use super::verify::Verified;

/// What Slack sends, as far as it is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Delivery {
    #[serde(rename = "type")]
    pub kind: String,
    pub challenge: Option<String>,
    pub team_id: Option<String>,
    pub enterprise_id: Option<String>,
    pub event_id: Option<String>,
    pub event_time: Option<i64>,
    pub authorizations: Option<Vec<Authorization>>,
    pub event: Option<Event>,
}

/// For which installation an event is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Authorization {
    pub team_id: Option<String>,
    pub enterprise_id: Option<String>,
    pub is_enterprise_install: Option<bool>,
}

/// The event itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: String,
    // Some events hold a whole object here.
    pub user: Option<serde_json::Value>,
    pub team: Option<serde_json::Value>,
    pub user_team: Option<String>,
    pub bot_id: Option<String>,
    pub text: Option<String>,
    pub channel: Option<serde_json::Value>,
    pub ts: Option<String>,
    pub thread_ts: Option<String>,
    pub event_ts: Option<String>,
    pub tokens: Option<Tokens>,
}

/// Whose tokens were revoked: user ids, not tokens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Tokens {
    pub bot: Option<Vec<String>>,
}

/// What an event asks for.
#[derive(Debug)]
pub enum Wanted {
    /// Echo the challenge: Slack checks that the URL is ours.
    Echo(String),
    /// Put on the queue.
    Queue(Job),
    /// Nothing.
    Ignore(String),
}

impl Delivery {
    /// Reads the JSON; the error says where it is wrong, not what stands there.
    pub fn parse(body: &Verified<'_>) -> Result<Self, String> {
        serde_json::from_slice(body.bytes()).map_err(|error| format!("no readable JSON (line {}, column {})", error.line(), error.column()))
    }

    /// What is wanted.
    pub fn wanted(&self, now: Timestamp) -> Wanted {
        match (self.kind.as_str(), &self.challenge, &self.event) {
            ("url_verification", Some(challenge), _) => Wanted::Echo(challenge.clone()),
            ("event_callback", _, Some(event)) => self.event(event, now),
            ("app_rate_limited", _, _) => {
                tracing::warn!(outcome = "rate_limited", "Slack drops events of this workspace: more than 30,000 in an hour");
                Wanted::Ignore("app_rate_limited".to_owned())
            }
            (other, _, _) => Wanted::Ignore(format!("nothing to do for `{other}`")),
        }
    }

    fn event(&self, event: &Event, now: Timestamp) -> Wanted {
        let Some(workspace) = self.workspace() else { return Wanted::Ignore("an event of no workspace".to_owned()) };
        match event.kind.as_str() {
            "app_mention" if event.bot_id.is_none() => mention(event, workspace, now),
            "app_uninstalled" => self.uninstalled(event, workspace, now),
            // Only the bot's own token matters: users' tokens are not asked for.
            "tokens_revoked" if event.tokens.as_ref().and_then(|tokens| tokens.bot.as_ref()).is_some_and(|bots| !bots.is_empty()) => {
                self.uninstalled(event, workspace, now)
            }
            other => Wanted::Ignore(format!("nothing to do for `{other}`")),
        }
    }

    /// The installation: of several authorizations Slack shows the first.
    fn workspace(&self) -> Option<Workspace> {
        let first = self.authorizations.as_ref().and_then(|all| all.first());
        let organisation = first.filter(|first| first.is_enterprise_install == Some(true)).and_then(|first| first.enterprise_id.as_ref());
        let team = first.and_then(|first| first.team_id.as_ref()).or(self.team_id.as_ref());
        organisation.or(team).or(self.enterprise_id.as_ref()).filter(|id| !id.is_empty()).map(Workspace::new)
    }

    fn uninstalled(&self, event: &Event, workspace: Workspace, now: Timestamp) -> Wanted {
        let at = self.event_time.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(now);
        let id = IntentId::of("event", &[workspace.as_str(), &event.kind, &at.to_string()]);
        Wanted::Queue(Job::Uninstall(Uninstall { id, workspace, at, reason: event.kind.clone() }))
    }
}

/// Somebody speaks to the bot: the same words as after `/incident`; nothing said asks how things stand.
fn mention(event: &Event, workspace: Workspace, now: Timestamp) -> Wanted {
    let word = |value: &Option<serde_json::Value>| value.as_ref().and_then(|value| value.as_str()).map(str::to_owned);
    let (Some(user), Some(channel)) = (word(&event.user), word(&event.channel)) else {
        return Wanted::Ignore("a mention without a user or a channel".to_owned());
    };
    let event_ts = event.event_ts.as_ref().or(event.ts.as_ref()).cloned().unwrap_or_default();
    let person = Person {
        id: UserId::new(&user),
        name: None,
        email: None,
        team: event.user_team.clone().or_else(|| word(&event.team)).map(Workspace::new),
        enterprise: None,
        place: Some(Place { channel: Channel::new(&channel), message: event.ts.as_ref().map(MessageTs::new) }),
    };
    // The same event may come under several event_ids, so it is known by its place and time.
    let id = IntentId::of("event", &[workspace.as_str(), &channel, &event_ts, &event.kind]);
    let reply = ReplyTo::Ephemeral {
        channel: Channel::new(channel),
        user: person.id.clone(),
        thread: event.thread_ts.as_ref().map(MessageTs::new),
    };
    let line = event.text.as_deref().unwrap_or_default().trim();
    let line = line.split_once(char::is_whitespace).filter(|(first, _)| text::mentioned_user(first).is_some()).map_or("", |(_, rest)| rest);
    let at = super::moment(&event_ts).unwrap_or(now);
    let ask = match command::read(line, at) {
        Ok(Wish::Do(target, action)) => {
            let intent = Intent { id, workspace: Some(workspace), at, by: Actor::User(person), target, action, reply: Some(reply) };
            return Wanted::Queue(Job::Intent(Box::new(intent)));
        }
        Ok(Wish::Help) if line.trim().is_empty() => Ask::Status,
        Ok(Wish::Help) => Ask::Help,
        Ok(Wish::CreateForm) => {
            Ask::Nothing(Refusal::new("What is wrong? Say it here, `create checkout is down`, or use `/incident create` for a form."))
        }
        Ok(Wish::Tell(ask)) => ask,
        Ok(Wish::TakeOver(rotation, taken)) => {
            return Wanted::Queue(Job::TakeOver(TakeOver { id, workspace: Some(workspace), by: person, rotation, taken, reply }));
        }
        Ok(Wish::Unknown) => {
            let line = line.trim().to_owned();
            let spoken = Spoken { id, workspace: Some(workspace), at, by: person, command: None, line, reply };
            return Wanted::Queue(Job::Spoken(Box::new(spoken)));
        }
        Err(refusal) => Ask::Nothing(refusal),
    };
    Wanted::Queue(Job::Question(Question { id, workspace: Some(workspace), by: person, ask, reply }))
}
