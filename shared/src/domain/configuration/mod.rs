//! A workspace's settings: one TOML document. A workspace without one works too: everything goes into the default channel.
//!
//! ```toml
//! thread = true                      # false: the card alone, no replies under it
//! aliases = ["/opsknight"]           # slash commands of the app that mean what `/incident` means
//!
//! [notify]                           # what is told under the card; all of it unless said otherwise
//! acknowledged = true                # and triggered, updated, resolved, escalated, snoozed, sla_breached, decided, noted
//! least = "P4"                       # what is less severe gets no card, and is only listed
//! direct_on_assignment = true        # whoever it is assigned to gets its card directly
//! notice_on_resolve = true           # the reply that it is resolved shows in the channel too
//!
//! [people]                           # who may act besides members, and where
//! guests = ["C0PARTNERS"]
//! strangers = ["C0SHARED"]           # people of other companies, in a channel shared with them
//!
//! [approvals]                        # what an approval does not say itself
//! who = ["S0RELEASE", "U0JANE"]      # who may decide; nobody named: everybody who may act
//! quorum = 1                         # how many have to approve
//! expires_after = "4h"               # nobody can decide later
//!
//! [[endpoints]]                      # whom decisions and commands call, signed; its secret is STACK/calls/WORKSPACE/NAME in Secrets Manager
//! name = "deploys"
//! url = "https://deploys.example.com/tocsin"
//! timeout = "10s"
//!
//! [[subscribers]]                    # who is told what happens to incidents, signed, besides the stack's own event bus
//! endpoint = "deploys"               # the name of an endpoint
//! events = ["resolved", "refused"]   # these and nothing else; without it, everything
//! match = { service = "checkout" }   # or { kind = "…" }, or { severity = "P1" }; none: all incidents
//!
//! [[commands]]                       # a command of one's own: a slash command of the app, and a word after `/incident`
//! name = "/deploy"
//! usage = "SERVICE [VERSION]"
//! help = "deploys a service"
//! call = "deploys"
//! who = ["S0RELEASE"]
//! answer = "channel"                 # who sees the answer; "person" unless said otherwise
//!
//! [reactions]                        # under a card, by the emoji's names; an empty list means none
//! acknowledge = ["eyes"]             # and resolve, reopen, escalate
//! resolve = ["white_check_mark", "heavy_check_mark"]
//!
//! [snooze]
//! choices = ["15m", "30m", "1h", "4h"]
//!
//! [storm]
//! above = 30                         # more new cards than this in a channel within a minute come in one digest; 0: never
//!
//! [flapping]
//! times = 4                          # what begins so often within so many minutes is held as one incident; 0: nothing is
//! minutes = 10
//!
//! [sla.P1]                           # and P2, P3, P4
//! acknowledge = "5m"
//! resolve = "4h"
//!
//! [[oncall]]
//! name = "checkout"
//! zone = "Europe/Berlin"
//! start = "2026-01-05T09:00"         # when the first person's first turn begins, on the clock of the zone
//! turn_days = 7
//! people = ["U0JANE", "U0OMAR"]
//!
//! [[escalation]]                     # the first policy that matches is the incident's
//! name = "urgent"
//! match = { severity = "P1" }        # or { service = "…" }, or { kind = "…" }; none: everything
//! repeat = 1                         # from the first step again, so often
//! steps = [
//!   { after = "0m", call = ["rotation:checkout"] },
//!   { after = "10m", call = ["U0LENA", "S0ONCALL", "C0MANAGEMENT"] },
//! ]
//!
//! [routing]
//! default = { channel = "C0INCIDENTS" }
//!
//! [[routing.rules]]
//! match = { service = "checkout" }   # or { kind = "…" }, or { severity = "P1" }
//! to = [{ channel = "C0PAYMENTS", mentions = ["S0ONCALL"] }]
//!
//! [accounts]                         # what cards call the AWS accounts
//! 123456789012 = "production"
//!
//! [sources.guardduty]                # and every other source, by its word in docs/sources.md
//! severity = "P3"                    # instead of what it says itself
//! service = "security"               # where it names none
//! runbook = "https://wiki.example.com/guardduty"
//!
//! [[templates]]                      # the first that matches is the body of the incident's card; its header and buttons stay
//! match = { kind = "deployment" }    # or { service = "…" }, or { severity = "P1" }; none: everything
//! text = "{{ incident.title }}"      # what a notification says
//! blocks = '''[{ "type": "section", "text": { "type": "mrkdwn", "text": "*{{ incident.priority }}* {{ incident.description }}" } }]'''
//!
//! [[reports]]
//! name = "Every morning"             # what was posted last is remembered under this name
//! channel = "C0INCIDENTS"
//! zone = "Europe/Berlin"
//! every = "daily 09:00"              # or "weekly monday 09:00"; or instead: cron = "0 9 * * 1-5"
//! ```

#[cfg(feature = "configuration")]
mod calls;
#[cfg(feature = "configuration")]
mod read;
#[cfg(feature = "configuration")]
mod section;
#[cfg(feature = "configuration")]
mod sources;
#[cfg(feature = "configuration")]
mod subscribers;
mod switch;
#[cfg(feature = "configuration")]
pub(crate) mod templates;

use jiff::SignedDuration;

use super::call::{Command, Endpoint, Subscriber};
use super::escalation::Policy;
use super::flapping::FlappingRate;
use super::oncall::Rotation;
use super::people::{Others, Who};
use super::reactions::Reactions;
use super::report::Report;
use super::routing::Routing;
use super::severity::Severity;
use super::sla::Targets;
use super::sources::Sources;
use super::storm::StormRate;
use super::template::Template;
use super::timeline::What;

#[cfg(feature = "configuration")]
pub use read::read;
#[cfg(feature = "configuration")]
pub use section::Mistake;
pub use switch::Switch;

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Whether what happens is told in the card's thread.
    pub thread: bool,
    /// What is told, and to whom besides.
    pub notify: Notify,
    /// What a reaction under a card means.
    pub reactions: Reactions,
    /// For how long one may snooze at a tap.
    pub snooze: Vec<SignedDuration>,
    /// When there are so many that one digest carries them.
    pub storm: StormRate,
    /// What is flapping and held as one incident.
    pub flapping: FlappingRate,
    /// By when something has to be done.
    pub sla: Targets,
    /// Who takes turns.
    pub rotations: Vec<Rotation>,
    /// Who is called when nobody has it.
    pub policies: Vec<Policy>,
    /// Who may act besides members.
    pub people: Others,
    /// What an approval does not say itself.
    pub approvals: Approvals,
    /// Whom decisions and commands call.
    pub endpoints: Vec<Endpoint>,
    /// Who is told what happens.
    pub subscribers: Vec<Subscriber>,
    /// Commands of the workspace's own.
    pub commands: Vec<Command>,
    /// Slash commands that mean what `/incident` means.
    pub aliases: Vec<String>,
    /// Where incidents go; `None`: into the default channel.
    pub routing: Option<Routing>,
    /// What is said about sources and accounts.
    pub sources: Sources,
    /// Cards of the workspace's own.
    pub templates: Vec<Template>,
    /// What is posted by the calendar.
    pub reports: Vec<Report>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            thread: true,
            notify: Notify::default(),
            reactions: Reactions::default(),
            snooze: [15, 30, 60, 240].map(SignedDuration::from_mins).into(),
            storm: StormRate::default(),
            flapping: FlappingRate::default(),
            sla: Targets::default(),
            rotations: Vec::new(),
            policies: Vec::new(),
            people: Others::default(),
            approvals: Approvals::default(),
            endpoints: Vec::new(),
            subscribers: Vec::new(),
            commands: Vec::new(),
            aliases: Vec::new(),
            routing: None,
            sources: Sources::default(),
            templates: Vec::new(),
            reports: Vec::new(),
        }
    }
}

/// What an approval does not say itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// Who may decide.
    pub who: Who,
    /// How many have to choose the first option.
    pub quorum: u16,
    /// Nobody can decide later.
    pub expires_after: Option<SignedDuration>,
}

impl Default for Approvals {
    fn default() -> Self {
        Self { who: Who::default(), quorum: 1, expires_after: None }
    }
}

/// What is told under the card, and to whom besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[expect(missing_docs, reason = "a switch says by its name what it is about")]
pub struct Notify {
    pub triggered: bool,
    pub updated: bool,
    pub acknowledged: bool,
    pub resolved: bool,
    pub escalated: bool,
    pub snoozed: bool,
    pub sla_breached: bool,
    pub decided: bool,
    pub noted: bool,
    /// What is less severe gets no card, and is only listed.
    pub least: Severity,
    /// Whoever it is assigned to gets its card directly.
    pub direct_on_assignment: bool,
    /// The reply that it is resolved shows in the channel too.
    pub notice_on_resolve: bool,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            triggered: true,
            updated: true,
            acknowledged: true,
            resolved: true,
            escalated: true,
            snoozed: true,
            sla_breached: true,
            decided: true,
            noted: true,
            least: Severity::P4,
            direct_on_assignment: true,
            notice_on_resolve: true,
        }
    }
}

impl Notify {
    /// Whether this is told under the card.
    pub fn tells(&self, what: &What) -> bool {
        match what {
            What::Triggered { .. } | What::Flapping { .. } => self.triggered,
            What::Updated { .. } | What::Assigned { .. } | What::Deployed { .. } => self.updated,
            What::Acknowledged | What::Reopened => self.acknowledged,
            What::Resolved { .. } => self.resolved,
            What::Snoozed { .. } | What::Woken => self.snoozed,
            What::Escalated { .. } => self.escalated,
            What::SlaBreached { .. } => self.sla_breached,
            What::Decided { .. } | What::Expired { .. } | What::Called { .. } => self.decided,
            What::Noted { .. } => self.noted,
        }
    }
}

#[cfg(all(test, feature = "configuration"))]
mod reference;
#[cfg(all(test, feature = "configuration"))]
mod tests;
