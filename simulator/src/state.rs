//! Everything the simulator remembers, behind one lock, and the stream of what changes in it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};

use crate::clock;
use crate::config::{Config, Rates, Timing};
use crate::faults::Faults;
use crate::queue::Queue;
use crate::rates::Used;
use crate::world::{APP_ID, BOT_ID, BOT_USER, Message, SLACKBOT, TEAM, TEAM_DOMAIN, World};

/// How many changes a slow reader of the stream may lag behind before it gets a new snapshot.
const STREAM_BACKLOG: usize = 1024;

/// One simulator, shared by all its connections.
#[derive(Debug)]
pub(crate) struct Slack {
    pub(crate) config: Config,
    pub(crate) queue: Option<Queue>,
    pub(crate) changes: broadcast::Sender<Arc<str>>,
    base_url: OnceLock<String>,
    outbox: mpsc::UnboundedSender<Value>,
    state: Mutex<State>,
}

impl Slack {
    /// The receiver yields events that came about inside the Web API and are to be delivered to the app.
    pub(crate) fn new(config: Config, queue: Option<Queue>) -> (Self, mpsc::UnboundedReceiver<Value>) {
        let (changes, _) = broadcast::channel(STREAM_BACKLOG);
        let (outbox, events) = mpsc::unbounded_channel();
        let state = Mutex::new(State::start(&config, changes.clone(), outbox.clone(), 0));
        (Self { config, queue, changes, base_url: OnceLock::new(), outbox, state }, events)
    }

    /// A panic elsewhere leaves the state as usable as before: nothing is half-written across fields that belong together.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn base_url(&self) -> &str {
        self.base_url.get().map_or("", String::as_str)
    }

    pub(crate) fn listens_at(&self, base_url: &str) {
        // Only `start` calls this, once.
        let _ = self.base_url.set(base_url.to_owned());
    }

    /// Back to the start, except that ids of calls and deliveries go on rising, so that a reader's `since` stays meaningful.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        let generation = state.generation + 1;
        let (calls, deliveries) = (state.last_call, state.last_delivery);
        *state = State::start(&self.config, self.changes.clone(), self.outbox.clone(), generation);
        state.last_call = calls;
        state.last_delivery = deliveries;
        state.tell(&json!({"kind": "reset"}));
    }
}

/// Where the app is, and what it is subscribed to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct App {
    pub(crate) commands_url: Option<String>,
    pub(crate) interactions_url: Option<String>,
    pub(crate) events_url: Option<String>,
    pub(crate) events: Vec<String>,
}

/// What the Web API lets in.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) bot_tokens: Vec<String>,
    pub(crate) signing_secret: String,
    pub(crate) scopes: Vec<String>,
    /// What a known token is answered with, once it was revoked or the app uninstalled.
    pub(crate) error: Option<String>,
}

/// The permission to open one modal.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) user: String,
    pub(crate) at: u64,
    pub(crate) view_id: Option<String>,
    pub(crate) used: bool,
}

/// An address to answer one person's action at.
#[derive(Debug, Clone)]
pub(crate) struct ResponseUrl {
    pub(crate) user: String,
    pub(crate) channel: String,
    /// The message that was clicked on, or the one that this address brought about last.
    pub(crate) original: Option<String>,
    pub(crate) thread_ts: Option<String>,
    /// `command` or `block_actions`.
    pub(crate) of: &'static str,
    pub(crate) at: u64,
    pub(crate) uses: u32,
}

/// A Web API call or a post to a `response_url`, as it came and as it was answered.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) at: u64,
    pub(crate) ms: u64,
    pub(crate) method: String,
    pub(crate) arguments: Value,
    pub(crate) response_url_for: Option<&'static str>,
    /// None: the connection was cut.
    pub(crate) http_status: Option<u16>,
    pub(crate) ok: bool,
    pub(crate) error: Option<String>,
    pub(crate) answer: Option<Value>,
    pub(crate) fault: Option<crate::faults::Kind>,
    pub(crate) applied: bool,
    pub(crate) scopes_needed: Vec<String>,
}

/// A request to the app; kept so that the very same body can be delivered again.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) type_name: String,
    pub(crate) user: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) to: Target,
    pub(crate) content_type: String,
    pub(crate) body: String,
    pub(crate) signed: bool,
}

/// Which of the app's addresses.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Commands,
    Interactions,
    Events,
}

/// One attempt to deliver a payload.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) payload: String,
    pub(crate) at: u64,
    pub(crate) ms: u64,
    pub(crate) kind: &'static str,
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) user: Option<String>,
    pub(crate) http_status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) body: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) retry_num: Option<u32>,
    pub(crate) retry_reason: Option<String>,
}

/// All that changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) app: App,
    pub(crate) access: Access,
    pub(crate) rates: Rates,
    pub(crate) used: Used,
    pub(crate) timing: Timing,
    pub(crate) faults: Faults,
    pub(crate) triggers: HashMap<String, Trigger>,
    pub(crate) response_urls: HashMap<String, ResponseUrl>,
    pub(crate) payloads: HashMap<String, Payload>,
    pub(crate) calls: Vec<Call>,
    pub(crate) deliveries: Vec<Delivery>,
    /// Raised by a reset, so that what still runs from before it stops.
    pub(crate) generation: u64,
    pub(crate) version: u64,
    last_call: u64,
    last_delivery: u64,
    changes: broadcast::Sender<Arc<str>>,
    outbox: mpsc::UnboundedSender<Value>,
}

impl State {
    fn start(config: &Config, changes: broadcast::Sender<Arc<str>>, outbox: mpsc::UnboundedSender<Value>, generation: u64) -> Self {
        Self {
            world: World::start(),
            app: App {
                commands_url: config.commands_url.clone(),
                interactions_url: config.interactions_url.clone(),
                events_url: config.events_url.clone(),
                events: config.events.clone(),
            },
            access: Access {
                bot_tokens: vec![config.bot_token.clone()],
                signing_secret: config.signing_secret.clone(),
                scopes: config.scopes.clone(),
                error: None,
            },
            rates: config.rates.clone(),
            used: Used::default(),
            timing: config.timing.clone(),
            faults: Faults::default(),
            triggers: HashMap::new(),
            response_urls: HashMap::new(),
            payloads: HashMap::new(),
            calls: Vec::new(),
            deliveries: Vec::new(),
            generation,
            version: 0,
            last_call: 0,
            last_delivery: 0,
            changes,
            outbox,
        }
    }

    /// Tells everybody who reads the stream.
    pub(crate) fn tell(&mut self, change: &Value) {
        self.version += 1;
        if self.changes.receiver_count() > 0 {
            // No reader left meanwhile: nobody misses it.
            let _ = self.changes.send(change.to_string().into());
        }
    }

    /// Has an event delivered to the app, in the background.
    pub(crate) fn emit(&self, event: Value) {
        // The receiver lives as long as the simulator.
        let _ = self.outbox.send(event);
    }

    /// Puts a message into its channel, under a new `ts`, and tells everybody.
    pub(crate) fn post(&mut self, mut message: Message) -> Message {
        message.ts = self.world.next_ts(&message.channel);
        let (mut blocks, mut attachments) = (std::mem::take(&mut message.blocks), std::mem::take(&mut message.attachments));
        self.world.complete(&mut blocks, &mut attachments);
        message.blocks = blocks;
        message.attachments = attachments;
        self.world.messages.insert((message.channel.clone(), message.ts.clone()), message.clone());
        if let (Some(thread_ts), None) = (&message.thread_ts, &message.ephemeral_for) {
            let parent = self.world.message_mut(&message.channel, thread_ts).map(|parent| {
                parent.reply_count += 1;
                parent.latest_reply = Some(message.ts.clone());
                parent.clone()
            });
            if let Some(parent) = parent {
                self.tell(&json!({"kind": "message", "message": parent}));
            }
        }
        self.tell(&json!({"kind": "message", "message": message}));
        message
    }

    /// Changes a message in place and tells everybody.
    pub(crate) fn change(&mut self, channel: &str, ts: &str, change: impl FnOnce(&mut Message)) -> Option<Message> {
        let mut message = self.world.message(channel, ts)?.clone();
        change(&mut message);
        let (mut blocks, mut attachments) = (message.blocks, message.attachments);
        self.world.complete(&mut blocks, &mut attachments);
        message.blocks = blocks;
        message.attachments = attachments;
        self.world.messages.insert((channel.to_owned(), ts.to_owned()), message.clone());
        self.tell(&json!({"kind": "message", "message": message}));
        Some(message)
    }

    /// Removes a message and tells everybody.
    pub(crate) fn remove(&mut self, channel: &str, ts: &str) {
        let Some(gone) = self.world.messages.remove(&(channel.to_owned(), ts.to_owned())) else { return };
        let parent = gone.thread_ts.filter(|_| gone.ephemeral_for.is_none());
        if let Some(parent) = parent.and_then(|thread_ts| self.world.message_mut(channel, &thread_ts)) {
            parent.reply_count = parent.reply_count.saturating_sub(1);
            let parent = parent.clone();
            self.tell(&json!({"kind": "message", "message": parent}));
        }
        self.tell(&json!({"kind": "message_deleted", "channel": channel, "ts": ts}));
    }

    /// Slack speaks to one person in its own voice.
    pub(crate) fn slackbot_says(&mut self, user: &str, channel: &str, text: &str) {
        let mut message = Message::new(channel, SLACKBOT, text);
        message.ephemeral_for = Some(user.to_owned());
        self.post(message);
    }

    /// The direct message with a person, opened if need be.
    pub(crate) fn direct_message(&mut self, user: &str) -> String {
        let known = self.world.channels.len();
        let id = self.world.direct_message(user).id;
        if self.world.channels.len() > known {
            self.tell_channels();
        }
        id
    }

    pub(crate) fn tell_channels(&mut self) {
        let channels = json!({"kind": "channels", "channels": self.world.channels});
        self.tell(&channels);
    }

    /// Tells what is on a person's screen now.
    pub(crate) fn tell_views(&mut self, user: &str) {
        let stack = self.stack(user);
        self.tell(&json!({"kind": "views", "user": user, "stack": stack}));
    }

    pub(crate) fn stack(&self, user: &str) -> Vec<Value> {
        self.world.views.get(user).map(|stack| stack.iter().map(crate::world::OpenView::to_json).collect()).unwrap_or_default()
    }

    /// Remembers a call. Its id is given here.
    pub(crate) fn record_call(&mut self, mut call: Call) {
        self.last_call += 1;
        call.id = self.last_call;
        self.tell(&json!({"kind": "call", "call": {
            "id": call.id, "at": call.at, "method": call.method, "http_status": call.http_status, "error": call.error, "fault": call.fault,
        }}));
        self.calls.push(call);
    }

    /// Remembers an attempt to deliver. Its id is given here.
    pub(crate) fn record_delivery(&mut self, mut delivery: Delivery) -> Delivery {
        self.last_delivery += 1;
        delivery.id = self.last_delivery;
        self.tell(&json!({"kind": "delivery", "delivery": delivery}));
        self.deliveries.push(delivery.clone());
        delivery
    }

    /// A new permission to open a modal, valid from now.
    pub(crate) fn new_trigger(&mut self, user: &str) -> String {
        let number = self.world.number();
        let id = format!("{}.{}.{}", clock::micros(), 1_000_000 + number, self.secret_text());
        self.triggers.insert(id.clone(), Trigger { user: user.to_owned(), at: clock::millis(), view_id: None, used: false });
        id
    }

    /// A new address to answer at.
    pub(crate) fn new_response_url(&mut self, base_url: &str, url: ResponseUrl) -> String {
        let key = format!("{}/{}", clock::micros(), self.secret_text());
        self.response_urls.insert(key.clone(), url);
        format!("{base_url}/hooks/response/{TEAM}/{key}")
    }

    /// 32 hex digits that nobody guesses by accident.
    pub(crate) fn secret_text(&mut self) -> String {
        let seed = format!("{}-{}", self.world.number(), self.generation);
        crate::signature::sign(&seed, clock::micros(), "").chars().skip(3).take(32).collect()
    }

    /// What the person knows of a trigger's fate.
    pub(crate) fn trigger_fate(&self, id: &str) -> Value {
        self.triggers.get(id).map_or(Value::Null, |trigger| {
            let expired = clock::millis() > trigger.at + self.timing.trigger_ms;
            json!({"id": id, "used": trigger.used, "view_id": trigger.view_id, "expired": expired})
        })
    }

    /// The whole world as the control API shows it; with a user, only what that person sees.
    pub(crate) fn to_json(&self, user: Option<&str>) -> Value {
        let world = &self.world;
        let shown = |message: &&Message| {
            user.is_none_or(|user| {
                message.visible_to(user) && world.channel(&message.channel).is_some_and(|channel| world.sees(user, channel))
            })
        };
        let mut messages: Vec<&Message> = world.messages.values().filter(shown).collect();
        messages.sort_by(|a, b| a.ts.cmp(&b.ts));
        let channels: Vec<_> = world.channels.iter().filter(|channel| user.is_none_or(|user| world.sees(user, channel))).collect();
        let views: Vec<Value> = world
            .views
            .keys()
            .filter(|of| user.is_none_or(|user| user == of.as_str()))
            .map(|of| json!({"user": of, "stack": self.stack(of)}))
            .collect();
        let homes: Vec<Value> = world.homes.iter().map(|(user, view)| json!({"user": user, "view": view})).collect();
        json!({
            "version": self.version,
            "now": clock::millis(),
            "team": {"id": TEAM, "name": "Tocsin Ltd", "domain": TEAM_DOMAIN},
            "bot": {"user_id": BOT_USER, "bot_id": BOT_ID, "app_id": APP_ID, "name": "tocsin"},
            "app": self.app,
            "users": world.users,
            "channels": channels,
            "messages": messages,
            "views": views,
            "homes": homes,
            "faults": self.faults.list,
            "rates": self.rates,
            "timing": self.timing,
            "deliveries": &self.deliveries[self.deliveries.len().saturating_sub(50)..],
        })
    }
}
