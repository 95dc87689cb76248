//! The Events API: what Slack tells, and what of it is a job. <https://docs.slack.dev/apis/events-api>

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::ids::{Channel, IntentId, MessageTs, UserId, Workspace};
use crate::domain::intent::{Ask, Job, Person, Place, ReplyTo, Spoken, Uninstall};
use crate::domain::surfaces::{HomeOpened, Joined, Linked, Remark, Remarked};

use crate::render::modal::NOTE_MAX;

use super::blocks::cut;
use super::command::{self, Wish};
use super::step;
use super::text;
use super::verify::Verified;

/// How many links of one message are looked at.
const LINKS: usize = 5;

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
    pub user_id: Option<String>,
    pub is_bot: Option<bool>,
    pub is_enterprise_install: Option<bool>,
}

/// The event itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: String,
    pub subtype: Option<String>,
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
    pub tab: Option<String>,
    pub parent_user_id: Option<String>,
    pub files: Option<Vec<File>>,
    pub reaction: Option<String>,
    pub item: Option<Item>,
    pub item_user: Option<String>,
    pub tokens: Option<Tokens>,
    pub function: Option<Function>,
    pub inputs: Option<serde_json::Map<String, serde_json::Value>>,
    pub function_execution_id: Option<String>,
    pub links: Option<Vec<Link>>,
    pub unfurl_id: Option<String>,
    pub source: Option<String>,
}

/// The step that a workflow has come to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Function {
    pub callback_id: String,
}

/// A link in a message, to a domain that the app's manifest names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Link {
    pub url: String,
}

/// What was reacted to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Item {
    #[serde(rename = "type")]
    pub kind: String,
    pub channel: Option<String>,
    pub ts: Option<String>,
}

/// A file that came with a message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct File {
    pub title: Option<String>,
    pub name: Option<String>,
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
            "reaction_added" => self.reaction(event, workspace, now),
            "message" => self.reply(event, workspace, now),
            "app_home_opened" => home_opened(event, self.team(), workspace),
            "link_shared" => linked(event, self.team(), workspace),
            "member_joined_channel" => self.joined(event, workspace),
            "function_executed" => step::wanted(event, workspace, now),
            "app_uninstalled" => self.uninstalled(event, workspace, now),
            // Only the bot's own token matters: users' tokens are not asked for.
            "tokens_revoked" if event.tokens.as_ref().and_then(|tokens| tokens.bot.as_ref()).is_some_and(|bots| !bots.is_empty()) => {
                self.uninstalled(event, workspace, now)
            }
            other => Wanted::Ignore(format!("nothing to do for `{other}`")),
        }
    }

    /// The team in which it happened, of an organisation that has several.
    fn team(&self) -> Option<Workspace> {
        self.team_id.as_ref().filter(|id| !id.is_empty()).map(Workspace::new)
    }

    /// The bot's own user, where Slack says who that is.
    fn bot(&self) -> Option<&str> {
        let first = self.authorizations.as_ref()?.first()?;
        first.user_id.as_deref().filter(|id| first.is_bot == Some(true) && !id.is_empty())
    }

    /// Whether Slack says that somebody else wrote it: then it is no card.
    fn is_of_another(&self, author: Option<&String>) -> bool {
        self.bot().zip(author).is_some_and(|(bot, author)| bot != author)
    }

    /// Somebody put an emoji under a message. What it means, and whether the message is a card, the worker finds out; what is surely none goes no further.
    /// <https://docs.slack.dev/reference/events/reaction_added>
    fn reaction(&self, event: &Event, workspace: Workspace, now: Timestamp) -> Wanted {
        let nothing = |why: &str| Wanted::Ignore(format!("a reaction {why}"));
        let place = event.item.as_ref().filter(|item| item.kind == "message").and_then(|item| item.channel.as_ref().zip(item.ts.as_ref()));
        let (Some(user), Some(name), Some((channel, ts))) = (word(event.user.as_ref()), &event.reaction, place) else {
            return nothing("to no message");
        };
        if self.bot() == Some(&user) || self.is_of_another(event.item_user.as_ref()) {
            return nothing("that is not about a card");
        }
        let event_ts = event.event_ts.clone().unwrap_or_default();
        // A name as long as this is no emoji's.
        let name: String = name.chars().take(200).collect();
        let id = IntentId::of("event", &[workspace.as_str(), channel, &event_ts, &event.kind, ts, &user, &name]);
        remark(event, (id, workspace), &user, (channel, ts), Remarked::Reacted(name), super::moment(&event_ts).unwrap_or(now))
    }

    /// Somebody wrote in a thread. Where that is a card's, it is a note; what bots write, and what mentions the bot and is read as a command, is none.
    /// <https://docs.slack.dev/reference/events/message>
    fn reply(&self, event: &Event, workspace: Workspace, now: Timestamp) -> Wanted {
        let nothing = |why: &str| Wanted::Ignore(format!("a message {why}"));
        let by_a_person = matches!(event.subtype.as_deref(), None | Some("thread_broadcast" | "file_share")) && event.bot_id.is_none();
        if !by_a_person {
            return nothing("that no person wrote just now");
        }
        let (user, channel) = (word(event.user.as_ref()), word(event.channel.as_ref()));
        let thread = event.thread_ts.as_ref().filter(|thread| event.ts.as_ref() != Some(*thread));
        let (Some(user), Some(channel), Some(thread), Some(ts)) = (user, channel, thread, &event.ts) else {
            return nothing("in no thread");
        };
        if self.bot() == Some(&user) || self.is_of_another(event.parent_user_id.as_ref()) {
            return nothing("in a thread that is not a card's");
        }
        let said = event.text.as_deref().unwrap_or_default();
        if self.bot().is_some_and(|bot| said.contains(&format!("<@{bot}"))) {
            return nothing("to the bot, which comes as a mention too");
        }
        let Some(said) = what_was_said(said, event.files.as_deref().unwrap_or_default()) else { return nothing("without words") };
        let id = IntentId::of("event", &[workspace.as_str(), &channel, ts, "reply"]);
        remark(event, (id, workspace), &user, (&channel, thread), Remarked::Replied(said), super::moment(ts).unwrap_or(now))
    }

    /// Somebody joined a channel: the bot itself says hello there. <https://docs.slack.dev/reference/events/member_joined_channel>
    fn joined(&self, event: &Event, workspace: Workspace) -> Wanted {
        let joined = word(event.user.as_ref()).filter(|user| self.bot() == Some(user)).and_then(|_| word(event.channel.as_ref()));
        let Some(channel) = joined else { return Wanted::Ignore("somebody else joined a channel".to_owned()) };
        let event_ts = event.event_ts.as_deref().unwrap_or_default();
        let id = IntentId::of("event", &[workspace.as_str(), &channel, event_ts, &event.kind]);
        Wanted::Queue(Job::Joined(Joined { id, workspace, channel: Channel::new(channel) }))
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

/// A text that stands where other events hold an object.
fn word(value: Option<&serde_json::Value>) -> Option<String> {
    value.and_then(|value| value.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Words as people read them; of a message without any, the names of its files.
fn what_was_said(text: &str, files: &[File]) -> Option<String> {
    let words = text::plain(text);
    if !words.trim().is_empty() {
        return Some(cut(words.trim(), NOTE_MAX).into_owned());
    }
    let names = files.iter().filter_map(|file| file.title.as_ref().or(file.name.as_ref())).map(String::as_str);
    let names = names.collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| cut(&format!("Shared {names}"), NOTE_MAX).into_owned())
}

fn remark(
    event: &Event,
    (id, workspace): (IntentId, Workspace),
    user: &str,
    (channel, message): (&str, &str),
    what: Remarked,
    at: Timestamp,
) -> Wanted {
    let (channel, message) = (Channel::new(channel), MessageTs::new(message));
    let by = Person {
        id: UserId::new(user),
        name: None,
        email: None,
        team: event.user_team.clone().or_else(|| word(event.team.as_ref())).map(Workspace::new),
        enterprise: None,
        place: Some(Place { channel: channel.clone(), message: Some(message.clone()) }),
    };
    Wanted::Queue(Job::Remark(Remark { id, workspace, at, by, channel, message, what }))
}

/// Somebody looks at Home; the other tab is the conversation with the bot. <https://docs.slack.dev/reference/events/app_home_opened>
fn home_opened(event: &Event, team: Option<Workspace>, workspace: Workspace) -> Wanted {
    let user = word(event.user.as_ref()).filter(|_| event.tab.as_deref() == Some("home"));
    let Some(user) = user else { return Wanted::Ignore("another tab than Home".to_owned()) };
    let event_ts = event.event_ts.as_deref().unwrap_or_default();
    let id = IntentId::of("event", &[workspace.as_str(), &user, event_ts, &event.kind]);
    let by = Person { id: UserId::new(user), name: None, email: None, team, enterprise: None, place: None };
    Wanted::Queue(Job::Home(HomeOpened { id, workspace, by }))
}

/// Somebody shares links, or is about to. <https://docs.slack.dev/reference/events/link_shared>
fn linked(event: &Event, team: Option<Workspace>, workspace: Workspace) -> Wanted {
    let urls: Vec<_> = event.links.iter().flatten().map(|link| &link.url).filter(|url| !url.is_empty()).take(LINKS).cloned().collect();
    let (Some(user), Some(unfurl_id), Some(source)) = (word(event.user.as_ref()), &event.unfurl_id, &event.source) else {
        return Wanted::Ignore("links of which Slack does not say where they stand".to_owned());
    };
    if urls.is_empty() {
        return Wanted::Ignore("no links".to_owned());
    }
    let place = word(event.channel.as_ref()).map(|channel| Place { channel: Channel::new(channel), message: None });
    let by = Person { id: UserId::new(&user), name: None, email: None, team, enterprise: None, place };
    let id = IntentId::of("event", &[workspace.as_str(), unfurl_id, source, &event.kind]);
    let (unfurl_id, source) = (unfurl_id.clone(), source.clone());
    Wanted::Queue(Job::Linked(Linked { id, workspace, by, urls, unfurl_id, source }))
}

/// Somebody speaks to the bot: the same words as after `/incident`; nothing said asks how things stand.
fn mention(event: &Event, workspace: Workspace, now: Timestamp) -> Wanted {
    let (Some(user), Some(channel)) = (word(event.user.as_ref()), word(event.channel.as_ref())) else {
        return Wanted::Ignore("a mention without a user or a channel".to_owned());
    };
    let event_ts = event.event_ts.as_ref().or(event.ts.as_ref()).cloned().unwrap_or_default();
    let person = Person {
        id: UserId::new(&user),
        name: None,
        email: None,
        team: event.user_team.clone().or_else(|| word(event.team.as_ref())).map(Workspace::new),
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
    let wish = match command::read(line, at) {
        Ok(Wish::Help) if line.trim().is_empty() => Ok(Wish::Tell(Ask::Status)),
        read => read,
    };
    let spoken = Spoken { id, workspace: Some(workspace), at, by: person, command: None, line: line.trim().to_owned(), reply };
    Wanted::Queue(command::job(spoken, wish))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What an event comes to, with the bot `U0BOT` in the workspace `T1`.
    fn wanted(event: &Value) -> Wanted {
        let delivery = json!({
            "type": "event_callback", "team_id": "T1", "event": event,
            "authorizations": [{ "team_id": "T1", "user_id": "U0BOT", "is_bot": true }],
        });
        serde_json::from_value::<Delivery>(delivery).unwrap().wanted(Timestamp::UNIX_EPOCH)
    }

    /// A reply of Jane's in a thread of the bot's, and `more`.
    fn reply(more: &Value) -> Wanted {
        let mut event = json!({
            "type": "message", "channel": "C1", "user": "U0JANE", "text": "the pool is full", "ts": "1768446121.000200",
            "thread_ts": "1768446121.000100", "parent_user_id": "U0BOT",
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wanted(&event)
    }

    fn said(wanted: Wanted) -> Option<String> {
        match wanted {
            Wanted::Queue(Job::Remark(Remark { what: Remarked::Replied(said), .. })) => Some(said),
            Wanted::Ignore(_) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_person_says_in_a_thread_of_ours_may_be_a_note() {
        assert_eq!(said(reply(&json!({}))).as_deref(), Some("the pool is full"));
        assert_eq!(said(reply(&json!({ "subtype": "thread_broadcast" }))).as_deref(), Some("the pool is full"));
        // Of some messages Slack does not say whose they are.
        assert_eq!(said(reply(&json!({ "parent_user_id": null }))).as_deref(), Some("the pool is full"));
        let file = json!({ "subtype": "file_share", "text": "", "files": [{ "title": "p99.png" }, { "name": "log.txt" }] });
        assert_eq!(said(reply(&file)).as_deref(), Some("Shared p99.png, log.txt"));
        let long = said(reply(&json!({ "text": "x".repeat(40_000) }))).unwrap();
        assert_eq!((long.chars().count(), long.ends_with('…')), (NOTE_MAX, true));
    }

    #[test]
    fn what_is_surely_no_note_goes_no_further() {
        let none = [
            json!({ "user": "U0BOT" }),
            json!({ "bot_id": "B1" }),
            json!({ "subtype": "message_changed" }),
            json!({ "subtype": "message_deleted" }),
            json!({ "parent_user_id": "U0OMAR" }),
            json!({ "thread_ts": null }),
            json!({ "thread_ts": "1768446121.000200" }),
            json!({ "text": " " }),
            json!({ "text": "<@U0BOT> status" }),
        ];
        for more in none {
            assert_eq!(said(reply(&more)), None, "{more}");
        }
    }

    #[test]
    fn links_travel_with_the_name_by_which_slack_knows_their_message() {
        let links = |more: Value| {
            let mut event = json!({
                "type": "link_shared", "user": "U0JANE", "channel": "C1", "message_ts": "1768446121.000100", "unfurl_id": "C1.1", "source": "composer",
                "links": [{ "domain": "example.com", "url": "https://example.com/1" }, { "domain": "example.com", "url": "" }],
            });
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            match wanted(&event) {
                Wanted::Queue(Job::Linked(linked)) => Some((linked.urls, linked.unfurl_id, linked.source)),
                Wanted::Ignore(_) => None,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(links(json!({})), Some((vec!["https://example.com/1".to_owned()], "C1.1".to_owned(), "composer".to_owned())));
        let many: Vec<_> = (0..50).map(|number| json!({ "url": format!("https://example.com/{number}") })).collect();
        assert_eq!(links(json!({ "links": many })).map(|(urls, ..)| urls.len()), Some(LINKS));
        for none in [json!({ "unfurl_id": null }), json!({ "links": [] }), json!({ "source": null }), json!({ "user": null })] {
            assert_eq!(links(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn a_reaction_travels_by_its_name_unless_the_message_is_somebody_elses() {
        let reaction = |more: Value| {
            let mut event = json!({
                "type": "reaction_added", "user": "U0JANE", "reaction": "eyes", "item_user": "U0BOT", "event_ts": "1768446121.000300",
                "item": { "type": "message", "channel": "C1", "ts": "1768446121.000100" },
            });
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            match wanted(&event) {
                Wanted::Queue(Job::Remark(remark)) => Some((remark.id, remark.what)),
                Wanted::Ignore(_) => None,
                other => panic!("{other:?}"),
            }
        };
        let (id, what) = reaction(json!({})).unwrap();
        assert_eq!(what, Remarked::Reacted("eyes".to_owned()));
        let of = |more: Value| reaction(more).map(|(id, _)| id);
        assert_eq!(of(json!({ "event_id": "Ev2" })), Some(id.clone()), "under another id it is the same");
        for another in [json!({ "user": "U0OMAR" }), json!({ "reaction": "tada" }), json!({ "event_ts": "1768446121.000400" })] {
            assert!(of(another.clone()).is_some_and(|other| other != id), "{another}");
        }
        for none in [
            json!({ "item_user": "U0OMAR" }),
            json!({ "user": "U0BOT" }),
            json!({ "item": { "type": "file" } }),
            json!({ "type": "reaction_removed" }),
        ] {
            assert_eq!(of(none.clone()), None, "{none}");
        }
    }
}
