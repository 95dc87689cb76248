//! What people do in Slack, and what they are told.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::card::Card;
use crate::slack::Message;
use crate::world::World;

/// Somebody in Slack.
#[derive(Debug, Clone)]
pub struct User<'w> {
    pub(crate) world: &'w World,
    /// As the simulator knows them: `jane`.
    pub name: &'static str,
    /// `U…`
    pub id: String,
}

/// Something that was done in Slack, and its answer if there is one.
#[derive(Debug)]
pub struct Done<'w> {
    user: User<'w>,
    before: HashSet<(String, String)>,
    /// What the simulator says about the delivery.
    pub delivery: Value,
}

impl Done<'_> {
    /// What only this person is told: waits for one new message and gives what can be read on it.
    pub async fn answer(&self) -> String {
        self.answer_message().await.reads()
    }

    /// As [`Done::answer`], with the buttons.
    pub async fn answer_message(&self) -> Message {
        let what = format!("{} is told something", self.user.name);
        self.user
            .world
            .until(&what, async || {
                let new = self.answers().await;
                new.into_iter().next_back().ok_or_else(|| "nothing".to_owned())
            })
            .await
    }

    /// What this person has been told since, without waiting.
    pub async fn answers(&self) -> Vec<Message> {
        let told = self.user.told().await;
        told.into_iter().filter(|message| !self.before.contains(&(message.channel().to_owned(), message.ts().to_owned()))).collect()
    }

    /// Takes for granted that the function answered at all.
    fn delivered(self, what: &str) -> Self {
        let all = self.delivery.get("all").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![self.delivery.clone()]);
        for one in all {
            let status = one.get("status").and_then(Value::as_u64);
            assert!(status == Some(200), "{} {what}, and Slack got no 200: {one}\n{}", self.user.name, self.user.world.logs.tail(20));
        }
        self
    }
}

impl<'w> User<'w> {
    /// What only this person sees.
    pub async fn told(&self) -> Vec<Message> {
        let messages = self.world.slack.messages().await;
        messages.into_iter().filter(|message| message.only_for() == Some(&self.id)).collect()
    }

    async fn does(&self, path: &str, body: Value) -> Done<'w> {
        let told = self.told().await;
        let before = told.into_iter().map(|message| (message.channel().to_owned(), message.ts().to_owned())).collect();
        let delivery = self.world.slack.tell(path, &body).await;
        Done { user: self.clone(), before, delivery }
    }

    /// Clicks a button by what it says.
    pub async fn clicks(&self, label: &str, card: &Card<'_>) -> Done<'w> {
        self.clicks_on(label, &card.message().await, 1).await
    }

    /// Clicks a button of any message; Slack delivers the click as many times, all at once.
    pub async fn clicks_on(&self, label: &str, message: &Message, deliveries: u32) -> Done<'w> {
        let button = message.buttons().into_iter().find(|button| button.label == label);
        let button = button.unwrap_or_else(|| panic!("no button {label:?} among {:?} on:\n{}", message.labels(), message.reads()));
        let mut click = json!({ "user": self.id, "channel": message.channel(), "ts": message.ts(), "action_id": button.action_id });
        if let Some(value) = button.value {
            click["value"] = json!(value);
        }
        if deliveries > 1 {
            click["deliveries"] = json!(deliveries);
        }
        self.does("click", click).await.delivered(&format!("clicked {label}"))
    }

    /// Chooses a line of a menu by what it says.
    pub async fn chooses(&self, line: &str, card: &Card<'_>) -> Done<'w> {
        let message = card.message().await;
        let found = message.menu_line(line);
        let (action_id, value) = found.unwrap_or_else(|| panic!("no menu has a line {line:?} on:\n{}", message.reads()));
        let click = json!({ "user": self.id, "channel": message.channel(), "ts": message.ts(), "action_id": action_id, "selected": value });
        self.does("click", click).await.delivered(&format!("chose {line}"))
    }

    /// Presses the one of several like buttons that carries this value.
    pub async fn presses(&self, action_id: &str, value: &str, message: &Message) -> Done<'w> {
        let click = json!({ "user": self.id, "channel": message.channel(), "ts": message.ts(), "action_id": action_id, "value": value });
        self.does("click", click).await.delivered(&format!("pressed {action_id} of {value}"))
    }

    /// Types a slash command into #general: `/incident list`.
    pub async fn types(&self, line: &str) -> Done<'w> {
        self.types_in("general", line).await
    }

    /// Types a slash command into a channel.
    pub async fn types_in(&self, channel: &str, line: &str) -> Done<'w> {
        let (command, text) = line.split_once(' ').unwrap_or((line, ""));
        let body = json!({ "user": self.id, "channel": channel.trim_start_matches('#'), "command": command, "text": text, "typed": true });
        self.does("command", body).await.delivered(&format!("typed {line}"))
    }

    /// Says something in a channel, as typed: `@tocsin status`.
    pub async fn says(&self, channel: &str, text: &str) -> Done<'w> {
        let body = json!({ "user": self.id, "channel": channel.trim_start_matches('#'), "text": text, "typed": true });
        self.does("message", body).await
    }

    /// Says something in the thread of a card.
    pub async fn replies(&self, text: &str, card: &Card<'_>) -> Done<'w> {
        self.replies_to(text, &card.channel, &card.ts).await
    }

    /// Says something in the thread of any message.
    pub async fn replies_to(&self, text: &str, channel: &str, thread_ts: &str) -> Done<'w> {
        self.does("message", json!({ "user": self.id, "channel": channel, "text": text, "thread_ts": thread_ts, "typed": true })).await
    }

    /// Puts an emoji under a card.
    pub async fn reacts(&self, name: &str, card: &Card<'_>) -> Done<'w> {
        self.reacts_to(name, &card.channel, &card.ts).await
    }

    /// Puts an emoji under any message.
    pub async fn reacts_to(&self, name: &str, channel: &str, ts: &str) -> Done<'w> {
        self.does("reaction", json!({ "user": self.id, "channel": channel, "ts": ts, "name": name })).await
    }

    /// Picks the shortcut of a message.
    pub async fn quotes(&self, channel: &str, ts: &str) -> Done<'w> {
        let callback_id = "create_incident_from_message";
        let wish = json!({ "user": self.id, "callback_id": callback_id, "channel": channel.trim_start_matches('#'), "ts": ts });
        self.does("shortcut", wish).await.delivered("picked a message's shortcut")
    }

    /// Looks at Home, and waits until it reads so.
    pub async fn finds_at_home(&self, text: &str) -> Message {
        self.does("home", json!({ "user": self.id })).await;
        self.home_shows(text).await
    }

    /// Waits until Home reads so, without opening it anew.
    pub async fn home_shows(&self, text: &str) -> Message {
        let what = format!("{text:?} at {}'s Home", self.name);
        self.world
            .until(&what, async || {
                let home = self.home().await.ok_or_else(|| "nothing was published".to_owned())?;
                if home.reads().contains(text) { Ok(home) } else { Err(home.reads()) }
            })
            .await
    }

    /// Home as it is, as far as anything was published.
    pub async fn home(&self) -> Option<Message> {
        let state = self.world.slack.state().await;
        let homes = state.get("homes").and_then(Value::as_array).cloned().unwrap_or_default();
        let own = homes.into_iter().find(|home| home.get("user").and_then(Value::as_str) == Some(&self.id));
        own.and_then(|own| own.get("view").cloned()).map(Message)
    }

    /// Presses a button at Home by what it says, or chooses in the menu of that name.
    pub async fn presses_at_home(&self, label: &str) -> Done<'w> {
        let home = self.home().await.unwrap_or_else(|| panic!("{} has no Home", self.name));
        let button = home.buttons().into_iter().find(|button| button.label == label);
        let button = button.unwrap_or_else(|| panic!("no button {label:?} among {:?} at Home:\n{}", home.labels(), home.reads()));
        let click = json!({ "user": self.id, "view_id": home.0.get("id"), "action_id": button.action_id, "value": button.value });
        self.does("click", click).await.delivered(&format!("pressed {label} at Home"))
    }

    /// Chooses the channel that everything goes to which no rule takes.
    pub async fn chooses_default_channel(&self, id: &str) -> Done<'w> {
        let home = self.home().await.unwrap_or_else(|| panic!("{} has no Home", self.name));
        let click = json!({ "user": self.id, "view_id": home.0.get("id"), "action_id": "default_channel", "selected": id });
        self.does("click", click).await.delivered("chose a channel at Home")
    }

    /// Picks a global shortcut.
    pub async fn picks_shortcut(&self, callback_id: &str) -> Done<'w> {
        self.does("shortcut", json!({ "user": self.id, "callback_id": callback_id })).await.delivered("picked a shortcut")
    }

    /// Waits for the modal on top of this person's screen.
    pub async fn modal(&self, callback_id: &str) -> Value {
        let what = format!("{} sees the modal {callback_id}", self.name);
        self.world
            .until(&what, async || {
                let views = self.open_views().await;
                let top = views.last().filter(|view| view.get("callback_id").and_then(Value::as_str) == Some(callback_id));
                top.cloned().ok_or_else(|| format!("{views:?}"))
            })
            .await
    }

    /// The modals this person has open, the top one last.
    pub async fn open_views(&self) -> Vec<Value> {
        let state = self.world.slack.state().await;
        let views = state.get("views").and_then(Value::as_array).cloned().unwrap_or_default();
        let own = views.into_iter().find(|views| views.get("user").and_then(Value::as_str) == Some(&self.id));
        own.and_then(|own| own.get("stack")?.as_array().cloned()).unwrap_or_default()
    }

    /// Fills the top modal's fields, by block id, and submits it. The values are what is typed, or the value of an option.
    pub async fn submits(&self, fields: &[(&str, &str)]) -> Done<'w> {
        let values = self.fills(fields).await;
        self.does("submit", json!({ "user": self.id, "values": values })).await
    }

    /// Fills the top modal's fields, and presses a button in it.
    pub async fn presses_in_form(&self, action_id: &str, fields: &[(&str, &str)]) -> Done<'w> {
        let values = self.fills(fields).await;
        let view = self.open_views().await.pop().unwrap_or_else(|| panic!("{} has no modal open", self.name));
        self.does("click", json!({ "user": self.id, "view_id": view["id"], "action_id": action_id, "values": values })).await
    }

    async fn fills(&self, fields: &[(&str, &str)]) -> Value {
        let view = self.open_views().await.pop().unwrap_or_else(|| panic!("{} has no modal open", self.name));
        let mut values = json!({});
        for (block, text) in fields {
            values[*block] = json!({ action_of(&view, block): text });
        }
        values
    }
}

/// The action id of the input in a block.
fn action_of(view: &Value, block_id: &str) -> String {
    let blocks = view.get("blocks").and_then(Value::as_array).cloned().unwrap_or_default();
    let block = blocks.iter().find(|block| block.get("block_id").and_then(Value::as_str) == Some(block_id));
    let action = block.and_then(|block| block.pointer("/element/action_id")?.as_str().map(str::to_owned));
    action.unwrap_or_else(|| panic!("the modal has no input {block_id:?}: {view}"))
}
