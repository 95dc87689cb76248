//! What a workspace wants, as it stands at a moment: its configuration, who took over from whom, and where things go that nothing is said about.

use jiff::Timestamp;

use super::configuration::Configuration;
use super::escalation::{Called, Callee, Policy};
use super::ids::Channel;
use super::incident::Incident;
use super::oncall::{Override, Turn};
use super::routing::{Routing, Target};

/// What an incident has to know of its workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its configuration.
    pub configuration: Configuration,
    /// Who takes over for a while, by the name of the rotation.
    pub taken_over: Vec<(String, Override)>,
    /// Where everything goes that no rule takes.
    pub default_channel: Channel,
    /// The moment.
    pub now: Timestamp,
    /// To which usergroups whoever acts belongs, of those that matter here.
    pub member_of: Vec<String>,
}

impl Settings {
    /// Of a workspace that has configured nothing.
    pub fn of(default_channel: Channel, now: Timestamp) -> Self {
        Self { configuration: Configuration::default(), taken_over: Vec::new(), default_channel, now, member_of: Vec::new() }
    }

    /// Where an incident shows as it stands, and who is called there; nowhere, where it is not severe enough.
    pub fn places(&self, incident: &Incident) -> (Vec<Channel>, Vec<String>) {
        let severity = incident.severity();
        if self.configuration.notify.least.worse_than(severity) {
            return (Vec::new(), Vec::new());
        }
        let all_to_default;
        let routing = if let Some(routing) = &self.configuration.routing {
            routing
        } else {
            all_to_default = Routing::all_to(self.default_channel.clone());
            &all_to_default
        };
        let targets: Vec<&Target> = routing.targets(incident.service(), incident.kind(), severity);
        let mut channels: Vec<Channel> = Vec::new();
        for target in &targets {
            if !channels.contains(&target.channel) {
                channels.push(target.channel.clone());
            }
        }
        let mut mentions: Vec<String> = targets.iter().flat_map(|target| target.mentions.iter().cloned()).collect();
        mentions.sort();
        mentions.dedup();
        (channels, mentions)
    }

    /// Who is called while nobody has it.
    pub fn policy_for(&self, incident: &Incident) -> Option<&Policy> {
        self.configuration.policies.iter().find(|policy| policy.matches.as_ref().is_none_or(|rule| rule.takes(incident)))
    }

    /// The policy of this name.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.configuration.policies.iter().find(|policy| policy.name == name)
    }

    /// Who is on call in a rotation; `None` where there is no such rotation, or it is nobody's turn.
    pub fn on_call(&self, rotation: &str) -> Option<Turn> {
        self.on_call_at(rotation, self.now)
    }

    /// The same at another moment.
    pub fn on_call_at(&self, rotation: &str, at: Timestamp) -> Option<Turn> {
        let overrides: Vec<_> = self.taken_over.iter().filter(|(name, _)| name == rotation).map(|(_, taken)| taken.clone()).collect();
        self.configuration.rotations.iter().find(|known| known.name == rotation)?.on_call(at, &overrides)
    }

    /// Who these are.
    pub fn called(&self, callees: &[Callee]) -> Vec<Called> {
        let mut called: Vec<Called> = Vec::new();
        for callee in callees {
            let who = match callee {
                Callee::Rotation(name) => {
                    let turn = self.on_call(name);
                    turn.map_or_else(|| Called::Nobody(name.clone()), |turn| Called::Person(turn.person))
                }
                Callee::Person(person) => Called::Person(person.clone()),
                Callee::Group(group) => Called::Group(group.clone()),
                Callee::Channel(channel) => Called::Channel(channel.clone()),
            };
            if !called.contains(&who) {
                called.push(who);
            }
        }
        called
    }
}
