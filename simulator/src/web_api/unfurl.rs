//! Links: which of a message's the app is told of, and what it shows under them. <https://docs.slack.dev/messaging/unfurling-links-in-messages>

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, ApiError, fields, limits};
use crate::installations::Caller;
use crate::messages::Message;
use crate::state::State;

/// The domains that the app's manifest names, with everything below them.
const DOMAINS: [&str; 1] = ["example.com"];

/// The event about a person's message with links to one of these domains.
pub(crate) fn shared(message: &Message) -> Option<Value> {
    let links: Vec<_> = links(message).map(|(domain, url)| json!({"domain": domain, "url": url})).collect();
    (message.bot_id.is_none() && !links.is_empty()).then(|| {
        json!({
            "type": "link_shared", "user": message.user, "channel": message.channel, "message_ts": message.ts, "thread_ts": message.thread_ts,
            "links": links, "unfurl_id": format!("{}.{}", message.channel, message.ts), "source": "conversations_history", "event_ts": message.ts,
        })
    })
}

/// As they stand in the text, so `&` is `&amp;`.
fn links(message: &Message) -> impl Iterator<Item = (&'static str, String)> + '_ {
    let words = message.text.split(|letter: char| letter.is_whitespace() || "<>|".contains(letter));
    words.filter_map(|word| {
        let host = word.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
        let domain = DOMAINS.into_iter().find(|domain| host == *domain || host.ends_with(&format!(".{domain}")))?;
        Some((domain, word.to_owned()))
    })
}

/// `chat.unfurl`. Said again, it stands there instead of what stood there before.
pub(super) fn unfurl(state: &mut State, caller: &Caller, args: &Args) -> Answer {
    let unfurl_id = args.text("unfurl_id").ok_or_else(|| ApiError::missing("unfurl_id"))?;
    if args.text("source").as_deref() != Some("conversations_history") {
        return Err("invalid_source".into());
    }
    let unfurls = args.get("unfurls").and_then(Value::as_object).ok_or("invalid_unfurls_format")?;
    let place =
        unfurl_id.split_once('.').and_then(|(channel, ts)| Some((caller.channel(&state.world, channel)?.id.clone(), ts.to_owned())));
    let (channel, ts) = place.ok_or("invalid_unfurl_id")?;
    let message = state.world.messages.get(&channel, &ts).ok_or("cannot_unfurl_message")?;
    let known: Vec<_> = links(message).map(|(_, url)| url).collect();
    if unfurls.keys().any(|url| !known.contains(url)) {
        return Err("cannot_unfurl_url".into());
    }
    limits::check_message(&[], &unfurls.values().cloned().collect::<Vec<_>>())?;
    let attachments: Vec<_> = unfurls
        .iter()
        .map(|(url, shown)| {
            let mut shown = shown.clone();
            shown["from_url"] = json!(url);
            shown
        })
        .collect();
    state.change(&channel, &ts, |message| message.attachments = attachments).ok_or("cannot_unfurl_message")?;
    Ok(fields(json!({})))
}
