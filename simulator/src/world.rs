//! What stands in the simulated workspaces: people, channels, messages, open modals.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock;
use crate::messages::Messages;
use crate::teams::{Bot, Enterprise, Team};

/// The workspace that is there from the start, with the app installed in it.
pub(crate) const TEAM: &str = "T0TOCSIN";
/// Its name in web addresses.
pub(crate) const TEAM_DOMAIN: &str = "tocsin";
/// A workspace that shares a channel with it (Slack Connect).
pub(crate) const OTHER_TEAM: &str = "T0OTHER";
pub(crate) const BOT_USER: &str = "U0BOT";
pub(crate) const BOT_ID: &str = "B0TOCSIN";
pub(crate) const APP_ID: &str = "A0TOCSIN";
/// The members of the usergroup of this id.
pub(crate) fn usergroup(id: &str) -> Option<&'static [&'static str]> {
    match id {
        "S0ONCALL" => Some(&["U0OMAR", "U0LENA"]),
        "S0RELEASE" => Some(&["U0JANE", "U0OMAR"]),
        _ => None,
    }
}

/// Slack's own voice: it tells a person that the app did not answer.
pub(crate) const SLACKBOT: &str = "USLACKBOT";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are Slack's own flags of a user")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) real_name: String,
    pub(crate) email: Option<String>,
    pub(crate) team_id: String,
    pub(crate) deleted: bool,
    pub(crate) is_restricted: bool,
    pub(crate) is_ultra_restricted: bool,
    pub(crate) is_stranger: bool,
    pub(crate) is_bot: bool,
    pub(crate) is_admin: bool,
    pub(crate) is_owner: bool,
    pub(crate) tz: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are Slack's own flags of a conversation")]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) team_id: String,
    pub(crate) is_private: bool,
    pub(crate) is_archived: bool,
    pub(crate) is_im: bool,
    /// The person on the other side of a direct message with the bot.
    pub(crate) user: Option<String>,
    /// Whether the bot is in it.
    pub(crate) is_member: bool,
    pub(crate) members: Vec<String>,
}

/// A modal on somebody's screen.
#[derive(Debug, Clone)]
pub(crate) struct OpenView {
    /// Slack's view object.
    pub(crate) view: Value,
    /// What the last submission was refused for, by block; `_` stands for the whole modal.
    pub(crate) errors: BTreeMap<String, String>,
}

impl OpenView {
    pub(crate) fn id(&self) -> &str {
        self.view["id"].as_str().unwrap_or_default()
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut view = self.view.clone();
        view["errors"] = json!(self.errors);
        view
    }
}

/// The workspaces as they stand.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) teams: Vec<Team>,
    pub(crate) enterprises: Vec<Enterprise>,
    pub(crate) users: Vec<User>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) messages: Messages,
    pub(crate) views: BTreeMap<String, Vec<OpenView>>,
    pub(crate) homes: BTreeMap<String, Value>,
    last_ts: HashMap<String, u64>,
    counter: u64,
}

impl World {
    /// The one workspace at the start: see the README of this folder.
    pub(crate) fn start() -> Self {
        let mut world = Self {
            teams: vec![Team { id: TEAM.to_owned(), name: "Tocsin Ltd".to_owned(), domain: TEAM_DOMAIN.to_owned(), enterprise_id: None }],
            enterprises: Vec::new(),
            users: start_users(),
            channels: Vec::new(),
            messages: Messages::default(),
            views: BTreeMap::new(),
            homes: BTreeMap::new(),
            last_ts: HashMap::new(),
            counter: 0,
        };
        let everybody = ["U0JANE", "U0OMAR", "U0LENA"];
        let with_bot =
            |more: &[&str]| -> Vec<String> { everybody.iter().chain(more).chain(&[BOT_USER]).map(|id| (*id).to_owned()).collect() };
        let channel = |id: &str, name: &str, members: Vec<String>| Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            team_id: TEAM.to_owned(),
            is_private: false,
            is_archived: false,
            is_im: false,
            user: None,
            is_member: members.iter().any(|member| member == BOT_USER),
            members,
        };
        let without_bot: Vec<String> = everybody.iter().map(|id| (*id).to_owned()).collect();
        world.channels = vec![
            channel("C0INCIDENTS", "incidents", with_bot(&["U0GUEST", "U0EXT"])),
            channel("C0PAYMENTS", "payments", with_bot(&[])),
            channel("C0GENERAL", "general", with_bot(&["U0GUEST"])),
            channel("C0RANDOM", "random", without_bot.clone()),
            Channel { is_private: true, ..channel("C0SECURITY", "security", without_bot) },
            Channel { is_archived: true, ..channel("C0OLD", "old", with_bot(&[])) },
        ];
        world
    }

    /// A number never given before in this world.
    pub(crate) fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The next `ts` of a channel: the real time, and always later than the one before.
    pub(crate) fn next_ts(&mut self, channel: &str) -> String {
        let last = self.last_ts.entry(channel.to_owned()).or_default();
        let now = clock::micros() / 100 * 100;
        *last = now.max(*last + 100);
        clock::ts(*last)
    }

    pub(crate) fn user(&self, id_or_name: &str) -> Option<&User> {
        let name = id_or_name.trim_start_matches('@');
        self.users.iter().find(|user| user.id == id_or_name).or_else(|| self.users.iter().find(|user| user.name == name))
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    /// A channel by its id, or by its name with or without `#`; of several with that name the one of this team, if there is one.
    pub(crate) fn channel_by_id_or_name(&self, wanted: &str, team: Option<&str>) -> Option<&Channel> {
        let name = wanted.trim_start_matches('#');
        let named = || self.channels.iter().filter(|channel| !channel.is_im && channel.name == name);
        self.channel(wanted).or_else(|| named().find(|channel| Some(channel.team_id.as_str()) == team)).or_else(|| named().next())
    }

    pub(crate) fn team(&self, id: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    pub(crate) fn enterprise(&self, id: &str) -> Option<&Enterprise> {
        self.enterprises.iter().find(|enterprise| enterprise.id == id)
    }

    /// The organisation that a team belongs to.
    pub(crate) fn enterprise_of(&self, team: &str) -> Option<&Enterprise> {
        self.enterprise(self.team(team)?.enterprise_id.as_deref()?)
    }

    /// Where the app is installed for this team: the organisation that installed it for all of its workspaces, or the team itself.
    pub(crate) fn installation_of(&self, team: &str) -> String {
        let org_wide = self.enterprise_of(team).filter(|enterprise| enterprise.org_wide);
        org_wide.map_or(team, |enterprise| &enterprise.id).to_owned()
    }

    /// The bot that acts in this team.
    pub(crate) fn bot(&self, team: &str) -> Bot {
        Bot::of(&self.installation_of(team))
    }

    /// Says whether an organisation has the app for all of its workspaces; of a team, which is none, nothing is said.
    pub(crate) fn set_org_wide(&mut self, id: &str, org_wide: bool) {
        if let Some(known) = self.enterprises.iter_mut().find(|known| known.id == id) {
            known.org_wide = org_wide;
        }
    }

    /// The teams that an installation, of a team or of an organisation, is for.
    pub(crate) fn teams_of(&self, installation: &str) -> Vec<String> {
        let fits = |team: &&Team| team.id == installation || team.enterprise_id.as_deref() == Some(installation);
        self.teams.iter().filter(fits).map(|team| team.id.clone()).collect()
    }

    /// Lets the bot of an installation be somebody that people see and can be a member of channels.
    pub(crate) fn settle_bot(&mut self, installation: &str) {
        let bot = Bot::of(installation);
        let teams = self.teams_of(installation);
        if !self.users.iter().any(|user| user.id == bot.user_id) {
            let home = teams.first().map_or(installation, String::as_str);
            self.users.push(User { is_bot: true, email: None, ..person(&bot.user_id, "tocsin", "Tocsin", "Etc/UTC", home) });
        }
        // An organisation's bot takes the place of a workspace's bot, or the other way round.
        let known: Vec<String> = self.bots();
        for channel in self.channels.iter_mut().filter(|channel| channel.is_member && teams.contains(&channel.team_id)) {
            channel.members.retain(|member| !known.contains(member));
            channel.members.push(bot.user_id.clone());
        }
    }

    /// The user ids of all bots that the app has or had.
    fn bots(&self) -> Vec<String> {
        let installations = self.teams.iter().map(|team| &team.id).chain(self.enterprises.iter().map(|enterprise| &enterprise.id));
        installations.map(|id| Bot::of(id).user_id).collect()
    }

    /// The id of the direct message between a team's bot and a person; it may not have come into being yet.
    pub(crate) fn direct_message_id(&self, user: &str, team: &str) -> String {
        let open = self.channels.iter().find(|channel| channel.is_im && channel.user.as_deref() == Some(user) && channel.team_id == team);
        if let Some(channel) = open {
            return channel.id.clone();
        }
        let id = format!("D{}", user.trim_start_matches(['U', 'W']));
        // A stranger may already talk with the bot of another team.
        if self.channel(&id).is_some() { format!("{id}{team}") } else { id }
    }

    /// The direct message between a team's bot and a person; it comes into being when first asked for.
    pub(crate) fn direct_message(&mut self, user: &str, team: &str) -> Channel {
        let id = self.direct_message_id(user, team);
        if let Some(channel) = self.channel(&id) {
            return channel.clone();
        }
        let channel = Channel {
            id,
            name: user.to_owned(),
            team_id: team.to_owned(),
            is_private: true,
            is_archived: false,
            is_im: true,
            user: Some(user.to_owned()),
            is_member: true,
            members: vec![user.to_owned(), self.bot(team).user_id],
        };
        self.channels.push(channel.clone());
        channel
    }

    /// Whether a person may look into a channel.
    pub(crate) fn sees(&self, user: &str, channel: &Channel) -> bool {
        let Some(user) = self.user(user) else { return false };
        let open_to_all = !channel.is_private && !user.is_restricted && !user.is_ultra_restricted && user.team_id == channel.team_id;
        open_to_all || channel.members.contains(&user.id)
    }

    /// Gives ids to what Slack gives ids to: blocks, attachments and the blocks within them.
    pub(crate) fn complete(&mut self, blocks: &mut [Value], attachments: &mut [Value]) {
        for block in blocks {
            self.complete_block(block);
        }
        for (index, attachment) in attachments.iter_mut().enumerate() {
            if let Some(inner) = attachment["blocks"].as_array_mut() {
                for block in inner {
                    self.complete_block(block);
                }
            }
            attachment["id"] = json!(index + 1);
            if attachment.get("fallback").is_none_or(Value::is_null) {
                attachment["fallback"] = json!("[no preview available]");
            }
            if let Some(colour) = attachment["color"].as_str().and_then(|colour| colour.strip_prefix('#')) {
                attachment["color"] = json!(colour);
            } else if attachment["color"].is_null()
                && let Some(fields) = attachment.as_object_mut()
            {
                fields.remove("color");
            }
        }
    }

    fn complete_block(&mut self, block: &mut Value) {
        let is_missing = block["block_id"].as_str().is_none_or(str::is_empty);
        if is_missing && block.is_object() {
            block["block_id"] = json!(format!("b{:04}", self.number()));
        }
    }
}

/// Somebody with an ordinary account.
pub(crate) fn person(id: &str, name: &str, real_name: &str, tz: &str, team: &str) -> User {
    User {
        id: id.to_owned(),
        name: name.to_owned(),
        real_name: real_name.to_owned(),
        email: Some(format!("{name}@example.com")),
        team_id: team.to_owned(),
        deleted: false,
        is_restricted: false,
        is_ultra_restricted: false,
        is_stranger: false,
        is_bot: false,
        is_admin: false,
        is_owner: false,
        tz: tz.to_owned(),
    }
}

fn start_users() -> Vec<User> {
    vec![
        person("U0JANE", "jane", "Jane Doe", "Europe/London", TEAM),
        person("U0OMAR", "omar", "Omar Haddad", "Africa/Cairo", TEAM),
        // Who looks after the workspace.
        User { is_admin: true, ..person("U0LENA", "lena", "Lena Fischer", "Europe/Berlin", TEAM) },
        User { is_restricted: true, ..person("U0GUEST", "guest", "Gus Guest", "Europe/London", TEAM) },
        User { deleted: true, ..person("U0GONE", "gone", "Gina Gone", "Europe/London", TEAM) },
        User { is_stranger: true, email: None, ..person("U0EXT", "ext", "Eve External", "America/New_York", OTHER_TEAM) },
        User { is_bot: true, email: None, ..person(BOT_USER, "tocsin", "Tocsin", "Etc/UTC", TEAM) },
        User { is_bot: true, email: None, ..person(SLACKBOT, "slackbot", "Slackbot", "Etc/UTC", TEAM) },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ts_is_unique_in_its_channel_and_rises() {
        let mut world = World::start();
        let mut last = String::new();
        for _ in 0..1000 {
            let ts = world.next_ts("C0INCIDENTS");
            assert!(ts > last, "{ts} after {last}");
            last = ts;
        }
    }

    #[test]
    fn private_channels_are_seen_by_members_only_and_guests_see_only_theirs() {
        let world = World::start();
        let channel = |name| world.channel_by_id_or_name(name, None).cloned().unwrap_or_else(|| panic!("no {name}"));
        assert!(world.sees("U0JANE", &channel("security")));
        assert!(!world.sees("U0GUEST", &channel("#payments")));
        assert!(world.sees("U0EXT", &channel("incidents")));
        assert!(!world.sees("U0EXT", &channel("general")));
    }
}
