//! What is told once in a channel.

use crate::domain::ids::{Channel, Workspace};
use crate::domain::incident::Incident;
use crate::mrkdwn;
use crate::slack::blocks::{Block, Button, Href, Message, Mrkdwn};

use super::words;

/// The bot is in this channel now. Everybody sees the button; who may press it is decided when it is pressed.
pub fn hello(workspace: &Workspace, channel: &Channel) -> Message {
    let text = mrkdwn!(
        "👋 Tocsin is here: incidents that are routed to this channel show as live cards, which you acknowledge and resolve right here."
    );
    let how = mrkdwn!(
        "`/incident help` says what else there is. An admin can make this the channel for everything that no rule routes elsewhere:"
    );
    let button = Button::press("route_incidents_here", "Route incidents here", None, &format!("{workspace}/{channel}"));
    Message::new(text.clone(), vec![Block::section(text), Block::section(how), Block::actions([button])], Vec::new())
}

/// An incident began with the message above; `link` leads to its card, where that is there already.
pub fn began(incident: &Incident, link: Option<&str>) -> Message {
    let places = Mrkdwn::join(incident.channels.iter().map(Mrkdwn::channel), ", ");
    let places = if places.as_str().is_empty() { places } else { mrkdwn!("\nIts card is in {}.", places) };
    let what = mrkdwn!(
        "{} *{}* {} began with this message: {}",
        words::sign(incident.severity()),
        incident.id,
        incident.severity(),
        words::title(incident.title())
    );
    let open = link.and_then(Href::parse).map(|href| Button::open("open_card", "Open the card", href));
    Message::new(what.clone(), vec![Block::section_with(mrkdwn!("{}{}", what, places), open)], Vec::new())
}
