//! One post: render the incident as it stands, call Slack, write down what came of it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use shared::domain::ids::{Channel, MessageTs, Workspace};
use shared::domain::incident::Incident;
use shared::domain::timeline::Entry;
use shared::installation::Bot;
use shared::render::{card, thread};
use shared::slack::blocks::Message;
use shared::slack::client::SlackError;
use shared::store::StoreError;
use shared::store::posts::{Due, Posted};

use crate::channel::Rest;
use crate::{App, Turn};

/// How long an attempt has for itself: longer than a call to Slack may take, so that whoever comes after it looks at what is there for good.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(10);

/// What has to be done for a post that is due.
#[derive(Debug)]
pub(crate) enum Need {
    /// A new card.
    Card,
    /// A newer face for a card.
    Update(Posted),
    /// A reply under a card.
    Reply(Posted, Box<Entry>),
}

/// Why a post failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Slack(#[from] SlackError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be found out whether an earlier attempt had posted: its mark stays.
    #[error("the look-up: {0}")]
    LookUp(SlackError),
}

#[derive(Serialize)]
struct Metadata<'a> {
    event_type: &'static str,
    event_payload: EventPayload<'a>,
}

#[derive(Serialize)]
struct EventPayload<'a> {
    incident: &'a str,
    post: &'a str,
}

#[derive(Serialize)]
struct Arguments<'a> {
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<&'a MessageTs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a MessageTs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_broadcast: Option<bool>,
    #[serde(flatten)]
    message: &'a Message,
    metadata: Metadata<'a>,
    /// Nothing in the text is made a link or a mention that we did not write as one.
    parse: &'static str,
    unfurl_links: bool,
    unfurl_media: bool,
}

/// How far a look-up goes through what was posted since: 200 messages a page.
const LOOK_UP_PAGES: u32 = 10;

/// By which our messages are found again.
const EVENT_TYPE: &str = "tocsin_post";

impl Need {
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Update(_) => "chat.update",
            Self::Card | Self::Reply(..) => "chat.postMessage",
        }
    }

    /// Whether it is a new message: those have the channel's pace, and done twice there are two.
    pub(crate) fn is_message(&self) -> bool {
        !matches!(self, Self::Update(_))
    }

    /// Whether this failure means that there is no card any more to update or to reply under.
    pub(crate) fn card_is_gone(&self, error: &SlackError) -> bool {
        let gone: &[&str] = match self {
            Self::Card => &[],
            Self::Update(_) => &["message_not_found", "cant_update_message", "edit_window_closed"],
            Self::Reply(..) => &["message_not_found", "thread_not_found"],
        };
        gone.iter().any(|code| error.is(code))
    }
}

impl App {
    /// What a due post needs; `None` when it cannot be done yet, because it is a reply and its card is not there.
    pub(crate) async fn need(&self, workspace: &Workspace, channel: &Channel, due: &Due) -> Result<Option<Need>, Rest> {
        let posted = self.store.posted(workspace, &due.incident, channel).await?;
        let Some(place) = &due.entry else { return Ok(Some(posted.map_or(Need::Card, Need::Update))) };
        let Some(posted) = posted else { return Ok(None) };
        let entry = self.store.entry(workspace, &due.incident, place).await?;
        let missing = || Rest::Park(format!("the timeline of {} has no entry {place}", due.incident));
        Ok(Some(Need::Reply(posted, Box::new(entry.ok_or_else(missing)?))))
    }

    /// Does it. The attempt is marked; when this returns `Ok` with the channel's id, the post is off the list.
    pub(crate) async fn post(
        &self,
        bot: &Bot<'_>,
        turn: &Turn,
        workspace: &Workspace,
        channel: &Channel,
        due: &Due,
        need: &Need,
    ) -> Result<Channel, Failed> {
        let incident = self.store.incident(workspace, &due.incident).await?;
        let incident = incident.ok_or_else(|| StoreError::Form(format!("{} is due and does not exist", due.incident)))?;
        // An attempt without a result may have posted: look before posting again.
        if need.is_message()
            && due.attempt.is_some()
            && let Some(found) = self.look_up(bot, workspace, channel, due, need).await?
        {
            tracing::info!(
                incident = due.incident.as_str(),
                channel = channel.as_str(),
                outcome = "found",
                "an earlier attempt had posted"
            );
            // What it shows is not known, so the next update paints it.
            return self.write_down(turn, workspace, channel, due, need, Posted { shown: 0, ..found }).await;
        }
        let message = match need {
            Need::Card | Need::Update(_) => card::card(&incident),
            Need::Reply(_, entry) => thread::reply(&incident, entry),
        };
        let answer = bot.call(need.method(), &arguments(channel, due, need, &message)).await?;
        let posted = Posted {
            slack_channel: text(&answer, "channel").map_or_else(|| channel.clone(), Channel::new),
            ts: MessageTs::new(text(&answer, "ts").unwrap_or_default()),
            shown: incident.version,
        };
        log(&incident, channel, need, &posted);
        self.write_down(turn, workspace, channel, due, need, posted).await
    }

    async fn write_down(
        &self,
        turn: &Turn,
        workspace: &Workspace,
        channel: &Channel,
        due: &Due,
        need: &Need,
        posted: Posted,
    ) -> Result<Channel, Failed> {
        let in_time = match need {
            Need::Card | Need::Update(_) => self.store.card_done(workspace, channel, due, &turn.owner, &posted).await?,
            Need::Reply(..) => self.store.reply_done(due, &turn.owner).await?,
        };
        if !in_time {
            tracing::warn!(
                incident = due.incident.as_str(),
                channel = channel.as_str(),
                outcome = "overtaken",
                "another poster was at work meanwhile"
            );
        }
        Ok(posted.slack_channel)
    }

    /// The message that an earlier attempt posted, by its metadata; `None` where there is none, or where the scope to look is not granted.
    async fn look_up(
        &self,
        bot: &Bot<'_>,
        workspace: &Workspace,
        channel: &Channel,
        due: &Due,
        need: &Need,
    ) -> Result<Option<Posted>, Failed> {
        // A minute before the attempt, because Slack's clock and ours may differ.
        let attempted =
            due.attempt.as_ref().and_then(|attempt| Timestamp::from_microsecond(attempt.first).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        let oldest = format!("{}.000000", (attempted - SignedDuration::from_mins(1)).as_second());
        let mut arguments = vec![("include_all_metadata", "true"), ("limit", "200"), ("oldest", oldest.as_str())];
        let (method, place) = match need {
            Need::Reply(card, _) => {
                arguments.push(("ts", card.ts.as_str()));
                ("conversations.replies", card.slack_channel.clone())
            }
            Need::Card | Need::Update(_) => {
                // Slack reads a history only by the channel's id. Its first message told it; before that, the list of channels does.
                let place = match self.store.slack_channel(workspace, channel).await? {
                    Some(known) => known,
                    None => id_by_name(bot, channel).await.map_err(Failed::LookUp)?.unwrap_or_else(|| channel.clone()),
                };
                ("conversations.history", place)
            }
        };
        arguments.push(("channel", place.as_str()));
        let mut cursor = String::new();
        for _ in 0..LOOK_UP_PAGES {
            let page = [arguments.as_slice(), &[("cursor", cursor.as_str())]].concat();
            let answer = match bot.ask(method, &page).await {
                Ok(answer) => answer,
                Err(error @ SlackError::Never { .. }) => {
                    let incident = due.incident.as_str();
                    tracing::warn!(incident, %error, outcome = "not_looked_up", "it cannot be known whether it was posted; posting again");
                    return Ok(None);
                }
                Err(error) => return Err(Failed::LookUp(error)),
            };
            let messages = answer.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let post = |message: &&Value| message.pointer("/metadata/event_payload/post").and_then(Value::as_str) == Some(due.place());
            if let Some(ts) = messages.iter().find(post).and_then(|message| text(message, "ts")) {
                return Ok(Some(Posted { slack_channel: place, ts: MessageTs::new(ts), shown: 0 }));
            }
            answer.pointer("/response_metadata/next_cursor").and_then(Value::as_str).unwrap_or_default().clone_into(&mut cursor);
            if cursor.is_empty() {
                break;
            }
        }
        Ok(None)
    }
}

/// The id of a channel that is known as `#name`; `None` where there is none of that name, or the scope to list channels is not granted.
async fn id_by_name(bot: &Bot<'_>, channel: &Channel) -> Result<Option<Channel>, SlackError> {
    let Some(name) = channel.as_str().strip_prefix('#') else { return Ok(None) };
    let mut cursor = String::new();
    loop {
        let types = ("types", "public_channel,private_channel");
        let page = [types, ("exclude_archived", "true"), ("limit", "1000"), ("cursor", cursor.as_str())];
        let answer = match bot.ask("conversations.list", &page).await {
            Err(SlackError::Never { .. }) => return Ok(None),
            other => other?,
        };
        let channels = answer.get("channels").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if let Some(id) = channels.iter().find(|channel| text(channel, "name") == Some(name)).and_then(|channel| text(channel, "id")) {
            return Ok(Some(Channel::new(id)));
        }
        answer.pointer("/response_metadata/next_cursor").and_then(Value::as_str).unwrap_or_default().clone_into(&mut cursor);
        if cursor.is_empty() {
            return Ok(None);
        }
    }
}

fn arguments<'a>(channel: &'a Channel, due: &'a Due, need: &'a Need, message: &'a Message) -> Arguments<'a> {
    let (channel, ts, thread_ts, broadcast) = match need {
        Need::Card => (channel, None, None, None),
        Need::Update(posted) => (&posted.slack_channel, Some(&posted.ts), None, None),
        Need::Reply(posted, entry) => (&posted.slack_channel, None, Some(&posted.ts), Some(entry.is_broadcast())),
    };
    let event_payload = EventPayload { incident: due.incident.as_str(), post: due.place() };
    Arguments {
        channel: channel.as_str(),
        ts,
        thread_ts,
        reply_broadcast: broadcast,
        message,
        metadata: Metadata { event_type: EVENT_TYPE, event_payload },
        parse: "none",
        unfurl_links: false,
        unfurl_media: false,
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn log(incident: &Incident, channel: &Channel, need: &Need, posted: &Posted) {
    let outcome = match need {
        Need::Card => "card",
        Need::Update(_) => "updated",
        Need::Reply(..) => "replied",
    };
    let (version, ts) = (incident.version, posted.ts.as_str());
    tracing::info!(
        workspace = incident.workspace.as_str(),
        incident = incident.id.as_str(),
        channel = channel.as_str(),
        ts,
        version,
        outcome,
        "post"
    );
}
