//! Socket Mode: what else goes to the app's addresses goes over a WebSocket that the app has opened. <https://docs.slack.dev/apis/events-api/using-socket-mode>
//!
//! `apps.connections.open` gives a ticket, [`link`] is a WebSocket, [`envelope`] what is sent over it. Where the documentation is silent, this is a guess on the strict side: an
//! acknowledgement counts on the connection that brought the envelope, once, and with a payload only where one is accepted.

mod envelope;
pub(crate) mod link;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::outbound::{Answer, Attempt};
use crate::state::{Payload, Slack, State};

/// How many connections an app may have at once.
const MOST: usize = 10;

/// How often it is looked whether everything that a connection brought was acknowledged: whoever gives up waiting for one tells nobody.
const LOOK: Duration = Duration::from_millis(10);

/// What a connection is told to do.
#[derive(Debug)]
enum Order {
    /// Send this.
    Say(String),
    /// Close it, as one does.
    Close,
    /// Drop it without a word.
    Cut,
    /// Keep it, and neither read nor say anything any more: no pong either.
    Hush,
}

/// A WebSocket that the app has opened.
#[derive(Debug)]
struct Link {
    id: String,
    orders: mpsc::UnboundedSender<Order>,
    /// It was told that its end is near; others come first.
    leaving: bool,
    /// Nothing new goes over it.
    ended: bool,
    sent: u64,
}

/// An envelope that was sent.
#[derive(Debug)]
struct Sent {
    link: String,
    accepts_payload: bool,
    /// Who waits for the acknowledgement; `None` once it has come.
    waits: Option<oneshot::Sender<Value>>,
}

/// Everything about it.
#[derive(Debug)]
pub(crate) struct SocketMode {
    /// Whether the app is in it: then nothing is sent to its addresses.
    pub(crate) enabled: bool,
    /// The app-level token.
    pub(crate) app_token: String,
    /// What the token is answered with, if it does not work.
    pub(crate) error: Option<String>,
    tickets: HashSet<String>,
    links: Vec<Link>,
    turn: usize,
    sent: HashMap<String, Sent>,
    opened: u64,
    acknowledged: u64,
    late: u64,
    mistakes: Vec<String>,
}

impl SocketMode {
    pub(crate) fn new(app_token: &str) -> Self {
        Self {
            enabled: false,
            app_token: app_token.to_owned(),
            error: None,
            tickets: HashSet::new(),
            links: Vec::new(),
            turn: 0,
            sent: HashMap::new(),
            opened: 0,
            acknowledged: 0,
            late: 0,
            mistakes: Vec::new(),
        }
    }

    /// What the control API shows.
    pub(crate) fn look(&self) -> Value {
        let shape = |link: &Link| json!({"id": link.id, "leaving": link.leaving, "ended": link.ended, "sent": link.sent, "waiting": self.waiting(&link.id)});
        json!({
            "enabled": self.enabled, "connections": self.links.iter().map(shape).collect::<Vec<_>>(), "opened": self.opened,
            "acknowledged": self.acknowledged, "late": self.late, "mistakes": self.mistakes,
        })
    }

    /// A ticket for one connection.
    pub(crate) fn admit(&mut self, ticket: &str) {
        self.tickets.insert(ticket.to_owned());
    }

    fn waiting(&self, link: &str) -> usize {
        self.sent.values().filter(|sent| sent.link == link && sent.waits.as_ref().is_some_and(|waits| !waits.is_closed())).count()
    }

    /// How many connections there are that something can come over.
    fn open(&self) -> usize {
        self.links.iter().filter(|link| !link.ended).count()
    }

    fn link(&mut self, id: &str) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.id == id)
    }

    /// The connection that is due: any of them, and one that was told of its end only where there is no other.
    fn due(&mut self) -> Option<&mut Link> {
        self.turn += 1;
        let places =
            |leaving| self.links.iter().enumerate().filter(move |(_, link)| !link.ended && link.leaving == leaving).map(|(place, _)| place);
        let (staying, leaving): (Vec<_>, Vec<_>) = (places(false).collect(), places(true).collect());
        let among = if staying.is_empty() { leaving } else { staying };
        let place = among.get(self.turn.checked_rem(among.len())?)?;
        self.links.get_mut(*place)
    }

    /// Sends an envelope over one of the connections.
    fn send(&mut self, id: &str, envelope: &Value) -> Result<oneshot::Receiver<Value>, String> {
        let link = self.due().ok_or("connection: the app has no WebSocket open")?;
        let (waits, answer) = oneshot::channel();
        link.sent += 1;
        let of = link.id.clone();
        // A connection that is going at this moment takes nothing with it: its envelopes are answered as lost.
        let _ = link.orders.send(Order::Say(envelope.to_string()));
        let accepts_payload = envelope["accepts_response_payload"] == true;
        self.sent.insert(id.to_owned(), Sent { link: of, accepts_payload, waits: Some(waits) });
        Ok(answer)
    }

    /// Reads what the app says over a connection: it can only acknowledge.
    fn hear(&mut self, link: &str, text: &str) {
        if let Err(mistake) = self.acknowledge(link, text) {
            self.mistakes.push(mistake);
        }
    }

    fn acknowledge(&mut self, link: &str, text: &str) -> Result<(), String> {
        let said: Value = serde_json::from_str(text).map_err(|_| "what was said is no JSON")?;
        let fields = said.as_object().ok_or("what was said is no object")?;
        if let Some(unknown) = fields.keys().find(|name| !["envelope_id", "payload"].contains(&name.as_str())) {
            return Err(format!("an acknowledgement has no field {unknown}"));
        }
        let id = said["envelope_id"].as_str().ok_or("no envelope is named")?;
        let sent = self.sent.get_mut(id).ok_or_else(|| format!("there is no envelope {id}"))?;
        if sent.link != link {
            self.late += 1;
            return Ok(());
        }
        match fields.get("payload") {
            Some(payload) if !payload.is_object() => return Err(format!("the payload for {id} is no object")),
            Some(_) if !sent.accepts_payload => return Err(format!("{id} accepts no payload")),
            None | Some(_) => {}
        }
        let waits = sent.waits.take().ok_or_else(|| format!("{id} was acknowledged before"))?;
        match waits.send(said["payload"].clone()) {
            Ok(()) => self.acknowledged += 1,
            Err(_) => self.late += 1,
        }
        Ok(())
    }

    /// A connection is no more, and nobody will acknowledge what it brought.
    fn gone(&mut self, link: &str) {
        self.links.retain(|known| known.id != link);
        for sent in self.sent.values_mut().filter(|sent| sent.link == link) {
            sent.waits = None;
        }
    }

    /// Tells a connection, or all that were told nothing yet, that its end is near; their ids.
    pub(crate) fn disconnect(&mut self, reason: &str, connection: Option<&str>) -> Vec<String> {
        let mut told = Vec::new();
        for link in self.links.iter_mut().filter(|link| !link.ended && connection.map_or(!link.leaving, |wanted| link.id == wanted)) {
            // After a warning, envelopes still come over it as over any other.
            link.leaving = reason != "warning";
            let _ = link.orders.send(Order::Say(goodbye(reason).to_string()));
            told.push(link.id.clone());
        }
        told
    }

    /// Drops a connection, or all of them; or keeps them, and never says anything over them again. Their ids.
    pub(crate) fn breaks(&mut self, silently: bool, connection: Option<&str>) -> Vec<String> {
        let mut broken = Vec::new();
        for link in self.links.iter_mut().filter(|link| !link.ended && connection.is_none_or(|wanted| link.id == wanted)) {
            link.ended = true;
            let _ = link.orders.send(if silently { Order::Hush } else { Order::Cut });
            broken.push(link.id.clone());
        }
        broken
    }

    /// Socket Mode is switched off in the app's settings.
    pub(crate) fn switch_off(&mut self) {
        self.enabled = false;
        self.disconnect("link_disabled", None);
        for link in &mut self.links {
            link.ended = true;
            let _ = link.orders.send(Order::Close);
        }
    }
}

/// What is said before a connection ends.
fn goodbye(reason: &str) -> Value {
    json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-simulator"}})
}

/// Closes a connection after a while: first nothing new goes over it, then it is waited for what it brought.
pub(crate) async fn close_after(slack: &Arc<Slack>, link: &str, pause: Duration) {
    tokio::time::sleep(pause).await;
    if let Some(link) = slack.lock().socket.link(link) {
        link.ended = true;
    }
    while slack.lock().socket.waiting(link) > 0 {
        tokio::time::sleep(LOOK).await;
    }
    if let Some(link) = slack.lock().socket.link(link) {
        let _ = link.orders.send(Order::Close);
    }
}

/// One attempt over a WebSocket, for as long as whoever calls waits.
pub(crate) async fn deliver(slack: &Arc<Slack>, payload: &Payload, attempt: &Attempt) -> Result<Answer, String> {
    let answer = begin(&mut slack.lock(), payload, attempt)?;
    let said = answer.await.map_err(|_| "connection: the WebSocket is gone")?;
    Ok((200, std::collections::BTreeMap::new(), if said.is_null() { String::new() } else { said.to_string() }))
}

fn begin(state: &mut State, payload: &Payload, attempt: &Attempt) -> Result<oneshot::Receiver<Value>, String> {
    let id = state.secret_text();
    let envelope = envelope::of(payload, &id, attempt)?;
    state.socket.send(&id, &envelope)
}
