//! Finding out whether an earlier attempt had posted: by the metadata that every message of ours carries.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::domain::ids::{Channel, MessageTs};
use shared::slack::client::SlackError;
use shared::store::posts::{Due, Posted};

use crate::channel::Work;
use crate::post::{Failed, Need, text};

/// How far a look-up goes through what was posted since: 200 messages a page.
const PAGES: u32 = 10;

/// What a look-up came to.
#[derive(Debug)]
pub(crate) enum Found {
    /// It had been posted.
    There(Posted),
    /// It had not.
    NotThere,
    /// It cannot be known: the scope to look is not granted, or what was posted since is more than is read.
    Unknown(String),
}

impl Work<'_> {
    /// The message that an earlier attempt posted.
    pub(crate) async fn look_up(&self, due: &Due, need: &Need) -> Result<Found, Failed> {
        if self.voice.only_posts() {
            return Ok(Found::Unknown("what a webhook posts nobody can look up".to_owned()));
        }
        // A minute before the attempt, because Slack's clock and ours may differ.
        let attempted =
            due.attempt.as_ref().and_then(|attempt| Timestamp::from_microsecond(attempt.first).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        let oldest = format!("{}.000000", (attempted - SignedDuration::from_mins(1)).as_second());
        let mut arguments = vec![("include_all_metadata", "true"), ("limit", "200"), ("oldest", oldest.as_str())];
        let (method, place) = match need.under() {
            Some(card) => {
                arguments.push(("ts", card.ts.as_str()));
                ("conversations.replies", card.slack_channel.clone())
            }
            // Slack reads a history only by the channel's id. Its first message told it; before that, the list of channels does.
            None => match &self.pace.slack_channel {
                Some(known) => ("conversations.history", known.clone()),
                None => match self.id_by_name().await.map_err(Failed::LookUp)? {
                    Ok(id) => ("conversations.history", id),
                    Err(code) => return Ok(Found::Unknown(code)),
                },
            },
        };
        arguments.push(("channel", place.as_str()));
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let page = [arguments.as_slice(), &[("cursor", cursor.as_str())]].concat();
            let answer = match self.voice.ask(method, &page).await {
                // Where there is no thread any more, no reply is left in it.
                Err(error) if error.is("thread_not_found") => return Ok(Found::NotThere),
                Err(error @ SlackError::Never { .. }) => return Ok(Found::Unknown(error.to_string())),
                other => other.map_err(Failed::LookUp)?,
            };
            let messages = answer.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let post = |message: &&Value| message.pointer("/metadata/event_payload/post").and_then(Value::as_str) == Some(due.place());
            if let Some(ts) = messages.iter().find(post).and_then(|message| text(message, "ts")) {
                // What it shows is not known, so the next update paints it.
                return Ok(Found::There(Posted { slack_channel: place, ts: MessageTs::new(ts), shown: 0 }));
            }
            answer.pointer("/response_metadata/next_cursor").and_then(Value::as_str).unwrap_or_default().clone_into(&mut cursor);
            if cursor.is_empty() {
                return Ok(Found::NotThere);
            }
        }
        Ok(Found::Unknown(format!("more than {} messages were posted since", PAGES * 200)))
    }

    /// The id of a channel that is known as `#name`, or as it is given; the error says why it cannot be found out.
    async fn id_by_name(&self) -> Result<Result<Channel, String>, SlackError> {
        let Some(name) = self.channel.as_str().strip_prefix('#') else { return Ok(Ok(self.channel.clone())) };
        let mut cursor = String::new();
        loop {
            let types = ("types", "public_channel,private_channel");
            let page = [types, ("exclude_archived", "true"), ("limit", "1000"), ("cursor", cursor.as_str())];
            let answer = match self.voice.ask("conversations.list", &page).await {
                Err(error @ SlackError::Never { .. }) => return Ok(Err(error.to_string())),
                other => other?,
            };
            let channels = answer.get("channels").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            if let Some(id) = channels.iter().find(|channel| text(channel, "name") == Some(name)).and_then(|channel| text(channel, "id")) {
                return Ok(Ok(Channel::new(id)));
            }
            answer.pointer("/response_metadata/next_cursor").and_then(Value::as_str).unwrap_or_default().clone_into(&mut cursor);
            if cursor.is_empty() {
                return Ok(Err(format!("there is no channel {}", self.channel)));
            }
        }
    }
}
