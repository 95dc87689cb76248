//! One Tocsin with everything around it: its own queues, table and secret in ministack, a Slack of its own, and the functions.
//!
//! The same tests run over two kinds of world: [`World::start`] runs the functions by the [`Dispatcher`], [`World::deployed`] deploys template.yaml.
//! A test ends with [`World::finish`], which fails where something is left: a job, a dead letter, an error in the log, a secret in the log, a call that no role allows.

mod end;
mod kept;
mod queues;
mod start;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::canaries::Canaries;
use crate::card::{Card, readable};
use crate::deployed::Deployed;
use crate::dispatcher::{Dispatcher, InvokeError, hex};
use crate::http::Http;
use crate::inputs::Alarm;
use crate::logs::Logs;
use crate::ministack::{Aws, REGION, Resources};
use crate::people::User;
use crate::slack::{Message, Slack};
pub use queues::{DeadLetter, Notice};
pub use start::{CLIENT_ID, INSTALL_URL, OWN_ALARMS, Setup};

/// The simulator's team, which is the workspace.
pub const WORKSPACE: &str = "T0TOCSIN";

#[derive(Debug)]
enum Stack {
    Dispatched(Box<Dispatcher>),
    Deployed(Box<Deployed>),
}

/// One Tocsin with everything around it.
#[derive(Debug)]
pub struct World {
    /// Slack.
    pub slack: Slack,
    /// AWS, for looking at what is there.
    pub aws: Aws,
    /// What the world has in AWS.
    pub resources: Resources,
    /// For requests of the tests' own.
    pub http: Http,
    /// What the functions printed.
    pub logs: Logs,
    /// What Slack signs with.
    pub signing_secret: String,
    /// What Slack lets the bot in with.
    pub bot_token: String,
    /// By link: what proves that it is the app who asks for tokens.
    pub client_secret: String,
    patience: Duration,
    runs: Stack,
    canaries: Canaries,
    memory: Memory,
}

/// What a world has to know at its end.
#[derive(Debug, Default)]
struct Memory {
    expected_errors: Mutex<Vec<String>>,
    dead_letters: Mutex<Vec<String>>,
    notices: Mutex<Vec<Value>>,
    events: Mutex<Vec<Value>>,
    finished: AtomicBool,
}

impl Drop for World {
    fn drop(&mut self) {
        let ended = self.memory.finished.load(Ordering::SeqCst) || std::thread::panicking();
        assert!(ended, "the test has to end with `world.finish().await`, which looks at what is left");
    }
}

impl World {
    /// What runs the functions; a deployed world has none.
    pub fn dispatcher(&self) -> &Dispatcher {
        match &self.runs {
            Stack::Dispatched(dispatcher) => dispatcher,
            Stack::Deployed(_) => panic!("this test needs the dispatcher, so it does not run over a deployed stack"),
        }
    }

    /// Where a receiver is reached.
    pub fn url(&self, function: &str) -> String {
        match &self.runs {
            Stack::Dispatched(dispatcher) => dispatcher.url(function).url.clone(),
            Stack::Deployed(deployed) => deployed.url(function).unwrap_or_else(|error| panic!("{error:#}")),
        }
    }

    /// Somebody in Slack: `jane`, `omar`, `lena`, `guest`, `gone` or `ext`.
    pub fn user(&self, name: &'static str) -> User<'_> {
        self.person(name, &format!("U0{}", name.to_uppercase()))
    }

    /// Somebody whom the test itself has brought into Slack.
    pub fn person(&self, name: &'static str, id: &str) -> User<'_> {
        User { world: self, name, id: id.to_owned() }
    }

    /// From now on this must not be seen anywhere but where secrets belong.
    pub fn keeps_secret(&self, secret: &str) {
        self.canaries.keep(secret);
    }

    /// From now on Slack sends nothing to URLs, and everything over the connections that this app-level token opens.
    pub async fn turns_socket_mode_on(&self) -> String {
        let token = self.canaries.app_token();
        self.slack.tell("socket", &json!({ "enabled": true, "app_token": token })).await;
        token
    }

    /// Lets a minute pass for `clock`, as its schedule does.
    pub async fn ticks(&self) {
        let answer = self.try_tick().await;
        answer.unwrap_or_else(|error| panic!("clock failed: {error:?}\n{}", self.logs.tail(20)));
    }

    /// As [`World::ticks`], for a clock that may be killed meanwhile.
    pub async fn try_tick(&self) -> Result<Value, InvokeError> {
        let event = json!({
            "version": "0", "id": hex(32), "source": "aws.events", "detail-type": "Scheduled Event",
            "time": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "region": REGION, "resources": [], "detail": {},
        });
        self.dispatcher().function("clock").call(&event).await
    }

    /// Lets a CloudWatch alarm fire, and waits for its card in #incidents.
    pub async fn alarm_fires(&self, name: &str) -> Card<'_> {
        self.drops(&Alarm::named(name).fires(jiff::Timestamp::now())).await;
        self.card("#incidents", name).await
    }

    /// The cards in a channel that show `title`: messages of the channel itself that everybody sees.
    pub async fn cards(&self, channel: &str, title: &str) -> Vec<Message> {
        let channel = self.slack.channel_id(channel).await;
        let is_card = |message: &Message| {
            message.channel() == channel
                && message.is_ours()
                && message.thread().is_none()
                && message.only_for().is_none()
                && message.reads().contains(title)
        };
        self.slack.messages().await.into_iter().filter(is_card).collect()
    }

    /// Waits for the one card in a channel that shows `title`.
    pub async fn card(&self, channel: &str, title: &str) -> Card<'_> {
        let what = format!("a card {title:?} in {channel}");
        let message = self
            .until(&what, async || match self.cards(channel, title).await.as_slice() {
                [] => Err("no such card".to_owned()),
                [card] => Ok(card.clone()),
                several => panic!("{} cards {title:?} in {channel}:\n{}", several.len(), readable(several)),
            })
            .await;
        let incident = message.incident().unwrap_or_else(|| panic!("the card names no incident:\n{}", message.reads()));
        Card { world: self, channel: message.channel().to_owned(), ts: message.ts().to_owned(), incident }
    }

    /// Waits until `check` is content; what it says otherwise is the last thing read when patience ends. The one place where tests wait.
    pub async fn until<T>(&self, what: &str, mut check: impl AsyncFnMut() -> Result<T, String>) -> T {
        let patient_until = Instant::now() + self.patience;
        loop {
            let seen = match check().await {
                Ok(value) => return value,
                Err(seen) => seen,
            };
            if Instant::now() > patient_until {
                let portrait = self.portrait().await;
                panic!("waited {} s in vain: {what}.\nAt last: {seen}\n{portrait}", self.patience.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    }
}
