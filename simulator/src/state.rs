//! Everything the simulator remembers, behind one lock, and the stream of what changes in it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};

use crate::calls::{Call, Calls};
use crate::clock;
use crate::config::{Config, Rates, Timing};
use crate::faults::Faults;
use crate::fields::{self, put};
use crate::installations::Access;
use crate::messages::Message;
use crate::oauth::OAuth;
use crate::queue::Queue;
use crate::rates::Used;
use crate::socket_mode::SocketMode;
use crate::teams::Team;
use crate::webhooks::Webhook;
use crate::workflows::Workflows;
use crate::world::{APP_ID, BOT_ID, BOT_USER, Channel, SLACKBOT, TEAM, World};

/// How many changes a slow reader of the stream may lag behind before it gets a new snapshot.
const STREAM_BACKLOG: usize = 1024;

/// One simulator, shared by all its connections.
#[derive(Debug)]
pub(crate) struct Slack {
    pub(crate) config: Config,
    pub(crate) queue: Option<Queue>,
    pub(crate) changes: broadcast::Sender<Arc<str>>,
    base_url: OnceLock<String>,
    outbox: mpsc::UnboundedSender<Emitted>,
    state: Mutex<State>,
}

/// An event that came about inside the Web API, and the team in which it did.
#[derive(Debug)]
pub(crate) struct Emitted {
    pub(crate) team: String,
    pub(crate) event: Value,
}

impl Slack {
    /// The receiver yields events that came about inside the Web API and are to be delivered to the app.
    pub(crate) fn new(config: Config, queue: Option<Queue>) -> (Self, mpsc::UnboundedReceiver<Emitted>) {
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
        let (last_call, last_delivery) = (state.calls.last_id(), state.last_delivery);
        *state = State::start(&self.config, self.changes.clone(), self.outbox.clone(), generation);
        state.calls = Calls::after(last_call);
        state.last_delivery = last_delivery;
        state.tell(|_| json!({"kind": "reset"}));
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

/// The apps that there are, for whoever configures them.
#[derive(Debug)]
pub(crate) struct Apps {
    /// The app configuration token.
    pub(crate) token: String,
    /// What it is answered with, if it does not work any more.
    pub(crate) error: Option<String>,
    /// What was handed over, by the app's id.
    pub(crate) manifests: BTreeMap<String, Value>,
}

/// The permission to open one modal.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) user: String,
    /// The team in which the person did something.
    pub(crate) team: String,
    pub(crate) at: u64,
    pub(crate) view_id: Option<String>,
    pub(crate) used: bool,
}

/// An address to answer one person's action at.
#[derive(Debug, Clone)]
pub(crate) struct ResponseUrl {
    pub(crate) user: String,
    /// The team of the channel.
    pub(crate) team: String,
    pub(crate) channel: String,
    /// The message that was clicked on, or the one that this address brought about last.
    pub(crate) original: Option<String>,
    pub(crate) thread_ts: Option<String>,
    /// `command` or `block_actions`.
    pub(crate) of: &'static str,
    pub(crate) at: u64,
    pub(crate) uses: u32,
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
    pub(crate) apps: Apps,
    pub(crate) access: Access,
    pub(crate) oauth: OAuth,
    pub(crate) socket: SocketMode,
    pub(crate) rates: Rates,
    pub(crate) used: Used,
    pub(crate) timing: Timing,
    pub(crate) faults: Faults,
    pub(crate) triggers: HashMap<String, Trigger>,
    pub(crate) response_urls: HashMap<String, ResponseUrl>,
    pub(crate) webhooks: Vec<Webhook>,
    pub(crate) workflows: Workflows,
    pub(crate) payloads: HashMap<String, Payload>,
    pub(crate) calls: Calls,
    pub(crate) deliveries: Vec<Delivery>,
    /// Raised by a reset, so that what still runs from before it stops.
    pub(crate) generation: u64,
    pub(crate) version: u64,
    last_delivery: u64,
    changes: broadcast::Sender<Arc<str>>,
    outbox: mpsc::UnboundedSender<Emitted>,
}

impl State {
    fn start(config: &Config, changes: broadcast::Sender<Arc<str>>, outbox: mpsc::UnboundedSender<Emitted>, generation: u64) -> Self {
        Self {
            world: World::start(),
            app: App {
                commands_url: config.commands_url.clone(),
                interactions_url: config.interactions_url.clone(),
                events_url: config.events_url.clone(),
                events: config.events.clone(),
            },
            apps: Apps { token: config.config_token.clone(), error: None, manifests: BTreeMap::new() },
            access: Access::start(&config.signing_secret, &config.bot_token, &config.scopes),
            oauth: OAuth::new(&config.client_id, &config.client_secret, config.rotation),
            socket: SocketMode::new(&config.app_token),
            rates: config.rates.clone(),
            used: Used::default(),
            timing: config.timing.clone(),
            faults: Faults::default(),
            triggers: HashMap::new(),
            response_urls: HashMap::new(),
            webhooks: Vec::new(),
            workflows: Workflows { steps: config.steps.clone(), executions: Vec::new() },
            payloads: HashMap::new(),
            calls: Calls::default(),
            deliveries: Vec::new(),
            generation,
            version: 0,
            last_delivery: 0,
            changes,
            outbox,
        }
    }

    /// Tells everybody who reads the stream. What there is to tell is put into words only when somebody reads.
    pub(crate) fn tell(&mut self, change: impl FnOnce(&Self) -> Value) {
        self.version += 1;
        if self.changes.receiver_count() > 0 {
            // No reader left meanwhile: nobody misses it.
            let _ = self.changes.send(change(self).to_string().into());
        }
    }

    /// Whether the app wants to know of anything that happens.
    pub(crate) fn has_listener(&self) -> bool {
        self.app.events_url.is_some() || self.socket.enabled
    }

    /// Has an event of a team delivered to the app, in the background.
    pub(crate) fn emit(&self, team: &str, event: Value) {
        // The receiver lives as long as the simulator.
        let _ = self.outbox.send(Emitted { team: team.to_owned(), event });
    }

    /// Puts a message into its channel, under a new `ts`, and tells everybody.
    pub(crate) fn post(&mut self, mut message: Message) -> Arc<Message> {
        message.ts = self.world.next_ts(&message.channel);
        self.world.channel(&message.channel).map_or(TEAM, |channel| &channel.team_id).clone_into(&mut message.team);
        self.world.complete(&mut message.blocks, &mut message.attachments);
        let message = Arc::new(message);
        self.world.messages.insert(message.clone());
        if let (Some(thread_ts), None) = (&message.thread_ts, &message.ephemeral_for) {
            let parent = self.world.messages.change(&message.channel, thread_ts, |parent| {
                parent.reply_count += 1;
                parent.latest_reply = Some(message.ts.clone());
            });
            if let Some(parent) = parent {
                self.tell_message(&parent);
            }
        }
        self.tell_message(&message);
        message
    }

    /// Changes a message in place and tells everybody.
    pub(crate) fn change(&mut self, channel: &str, ts: &str, change: impl FnOnce(&mut Message)) -> Option<Arc<Message>> {
        // What stands there is taken out while it is completed, so that nothing is copied.
        let (mut blocks, mut attachments) = (Vec::new(), Vec::new());
        self.world.messages.change(channel, ts, |message| {
            change(message);
            blocks = std::mem::take(&mut message.blocks);
            attachments = std::mem::take(&mut message.attachments);
        })?;
        self.world.complete(&mut blocks, &mut attachments);
        let message = self.world.messages.change(channel, ts, |message| {
            message.blocks = blocks;
            message.attachments = attachments;
        })?;
        self.tell_message(&message);
        Some(message)
    }

    /// Removes a message and tells everybody.
    pub(crate) fn remove(&mut self, channel: &str, ts: &str) {
        let Some(gone) = self.world.messages.remove(channel, ts) else { return };
        let parent = gone.thread_ts.as_ref().filter(|_| gone.ephemeral_for.is_none());
        let shrink = |parent: &mut Message| parent.reply_count = parent.reply_count.saturating_sub(1);
        if let Some(parent) = parent.and_then(|thread_ts| self.world.messages.change(channel, thread_ts, shrink)) {
            self.tell_message(&parent);
        }
        self.tell(|_| json!({"kind": "message_deleted", "channel": channel, "ts": ts}));
    }

    fn tell_message(&mut self, message: &Message) {
        self.tell(|_| json!({"kind": "message", "message": fields::to_value(message)}));
    }

    /// Slack speaks to one person in its own voice.
    pub(crate) fn slackbot_says(&mut self, user: &str, channel: &str, text: &str) {
        let mut message = Message::by_person(channel, SLACKBOT, text);
        message.ephemeral_for = Some(user.to_owned());
        self.post(message);
    }

    /// The direct message of a team's bot with a person, opened if need be.
    pub(crate) fn direct_message(&mut self, user: &str, team: &str) -> String {
        let known = self.world.channels.len();
        let id = self.world.direct_message(user, team).id;
        if self.world.channels.len() > known {
            self.tell_channels();
        }
        id
    }

    pub(crate) fn tell_channels(&mut self) {
        self.tell(|state| json!({"kind": "channels", "channels": state.world.channels}));
    }

    pub(crate) fn tell_users(&mut self) {
        self.tell(|state| json!({"kind": "users", "users": state.world.users}));
    }

    pub(crate) fn tell_teams(&mut self) {
        self.tell(|state| json!({"kind": "teams", "teams": state.teams()}));
    }

    pub(crate) fn tell_faults(&mut self) {
        self.tell(|state| json!({"kind": "faults", "faults": state.faults.list}));
    }

    /// Tells what is on a person's screen now.
    pub(crate) fn tell_views(&mut self, user: &str) {
        self.tell(|state| json!({"kind": "views", "user": user, "stack": state.stack(user)}));
    }

    pub(crate) fn stack(&self, user: &str) -> Vec<Value> {
        self.world.views.get(user).map(|stack| stack.iter().map(crate::world::OpenView::to_json).collect()).unwrap_or_default()
    }

    /// Remembers a call under a new id. `channel` is the id of the channel that it is about.
    pub(crate) fn record_call(&mut self, call: Call, channel: Option<&str>) {
        let call = self.calls.record(call, channel);
        self.tell(|_| {
            json!({"kind": "call", "call": {
                "id": call.id, "at": call.at, "method": call.method, "http_status": call.http_status, "error": call.error, "fault": call.fault,
            }})
        });
    }

    /// Remembers an attempt to deliver. Its id is given here.
    pub(crate) fn record_delivery(&mut self, mut delivery: Delivery) -> Delivery {
        self.last_delivery += 1;
        delivery.id = self.last_delivery;
        self.tell(|_| json!({"kind": "delivery", "delivery": delivery}));
        self.deliveries.push(delivery.clone());
        delivery
    }

    /// A new permission to open a modal, valid from now.
    pub(crate) fn new_trigger(&mut self, user: &str, team: &str) -> String {
        let number = self.world.number();
        let id = format!("{}.{}.{}", clock::micros(), 1_000_000 + number, self.secret_text());
        self.triggers
            .insert(id.clone(), Trigger { user: user.to_owned(), team: team.to_owned(), at: clock::millis(), view_id: None, used: false });
        id
    }

    /// A new address to answer at.
    pub(crate) fn new_response_url(&mut self, base_url: &str, url: ResponseUrl) -> String {
        let key = format!("{}/{}", clock::micros(), self.secret_text());
        let address = format!("{base_url}/hooks/response/{}/{key}", url.team);
        self.response_urls.insert(key, url);
        address
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

    /// Makes a team or an organisation one that has the app. False: its organisation has it already, for all of its workspaces.
    pub(crate) fn install(&mut self, id: &str) -> bool {
        let organisation = self.world.enterprise_of(id).filter(|enterprise| enterprise.org_wide).map(|enterprise| enterprise.id.clone());
        if let Some(organisation) = organisation {
            if self.access.installations.get(&organisation).is_some_and(|known| known.error.is_none()) {
                return false;
            }
            self.world.set_org_wide(&organisation, false);
        }
        self.world.set_org_wide(id, true);
        self.access.installation(id);
        self.world.settle_bot(id);
        self.tell_users();
        self.tell_channels();
        true
    }

    /// The teams as the control API shows them.
    pub(crate) fn teams(&self) -> Vec<Value> {
        let shape = |team: &Team| {
            let installation = self.world.installation_of(&team.id);
            let is_installed = self.access.installations.get(&installation).is_some_and(|known| known.error.is_none());
            json!({
                "id": team.id, "name": team.name, "domain": team.domain, "enterprise_id": team.enterprise_id,
                "enterprise_name": self.world.enterprise_of(&team.id).map(|enterprise| &enterprise.name), "bot": self.world.bot(&team.id),
                "installation": is_installed.then_some(installation),
            })
        };
        self.world.teams.iter().map(shape).collect()
    }

    /// The world as the control API shows it; with a user, only what that person sees. Its messages are taken along, to be written down
    /// while others go on.
    pub(crate) fn look(&self, user: Option<&str>, parts: &[&'static str]) -> Look {
        let world = &self.world;
        let sees = |channel: &Channel| user.is_none_or(|user| world.sees(user, channel));
        let mut look = Look::default();
        for part in parts {
            let mut json = Vec::new();
            match *part {
                "version" => put(&mut json, &self.version),
                "now" => put(&mut json, &clock::millis()),
                "team" => put(&mut json, &self.teams().first()),
                "teams" => put(&mut json, &self.teams()),
                "bot" => put(&mut json, &json!({"user_id": BOT_USER, "bot_id": BOT_ID, "app_id": APP_ID, "name": "tocsin"})),
                "app" => put(&mut json, &self.app),
                "users" => put(&mut json, &world.users),
                "channels" => put(&mut json, &world.channels.iter().filter(|channel| sees(channel)).collect::<Vec<_>>()),
                "messages" => {
                    let visible = |message: &&Arc<Message>| user.is_none_or(|user| message.visible_to(user));
                    let channels = world.channels.iter().filter(|channel| sees(channel));
                    look.messages.extend(channels.map(|channel| world.messages.of(&channel.id).filter(visible).cloned().collect()));
                    continue;
                }
                "views" => {
                    let of = world.views.keys().filter(|of| user.is_none_or(|user| user == of.as_str()));
                    put(&mut json, &of.map(|of| json!({"user": of, "stack": self.stack(of)})).collect::<Vec<_>>())
                }
                "homes" => {
                    let homes = world.homes.iter().map(|(user, view)| json!({"user": user, "view": view}));
                    put(&mut json, &homes.collect::<Vec<_>>())
                }
                "faults" => put(&mut json, &self.faults.list),
                "rates" => put(&mut json, &self.rates),
                "timing" => put(&mut json, &self.timing),
                "workflows" => put(&mut json, &self.workflows.look()),
                "deliveries" => put(&mut json, &self.deliveries[self.deliveries.len().saturating_sub(50)..]),
                _ => continue,
            };
            look.parts.push((part, json));
        }
        look
    }
}

/// What `/sim/state` consists of, but for what lies outside of the state.
pub(crate) const PARTS: [&str; 16] = [
    "version",
    "now",
    "team",
    "teams",
    "bot",
    "app",
    "users",
    "channels",
    "messages",
    "views",
    "homes",
    "faults",
    "rates",
    "timing",
    "workflows",
    "deliveries",
];

/// A look at the world.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Names, and JSON.
    pub(crate) parts: Vec<(&'static str, Vec<u8>)>,
    /// By channel, oldest first.
    pub(crate) messages: Vec<Vec<Arc<Message>>>,
}
