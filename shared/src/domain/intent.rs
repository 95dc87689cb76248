//! What somebody or something wants done to an incident, and the jobs that carry it over `intents.fifo`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Refusal;
use super::call::Answered;
use super::decision::{Asked, Called};
use super::ids::{Channel, DedupKey, ExecutionId, IncidentId, IntentId, MessageTs, UserId, Workspace};
use super::kind::{Change, Deployment, Metric};
use super::oncall::Override;
use super::severity::Severity;
use super::sla::Promise;
use super::step::StepRefused;
use super::surfaces::{FromMessage, HomeOpened, Joined, Linked, Remark, SettingWish};

/// One wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Known by this when it is delivered again.
    pub id: IntentId,
    /// The installation; `None` means the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// When it happened at its source, else when it was sent: orders the incident.
    pub at: Timestamp,
    /// Who wants it.
    pub by: Actor,
    /// To which incident.
    pub target: Target,
    /// What is wanted.
    pub action: Action,
    /// Where a person waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<ReplyTo>,
}

impl Intent {
    fn group(&self) -> IntentId {
        let target = match &self.target {
            Target::New | Target::Only => self.id.as_str(),
            Target::Id(id) => id.as_str(),
            Target::Prefix(prefix) => prefix,
            Target::Key(key) => key.as_str(),
        };
        IntentId::of("incident", &[&named(self.workspace.as_ref()), target])
    }
}

fn named(workspace: Option<&Workspace>) -> String {
    workspace.map_or("only".to_owned(), ToString::to_string)
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person in Slack.
    User(Person),
    /// A system, by the name that people know it by: `CloudWatch`.
    Source(String),
}

/// A person in Slack, as the payload names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// `U…`
    pub id: UserId,
    /// What they are called and their address, once `worker` has asked Slack; no address: known "via Slack" only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// See `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The team the person belongs to: not the installation's, for somebody from another company in a shared channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Workspace>,
    /// The enterprise the person belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<Workspace>,
    /// Where they pressed or typed, for the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where in Slack something was pressed or typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The channel.
    pub channel: Channel,
    /// The message, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageTs>,
}

/// Which incident is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One that does not exist yet and has no key.
    New,
    /// By its whole id.
    Id(IncidentId),
    /// By the beginning of its id, as a person typed it, see [`IncidentId::prefix`].
    Prefix(String),
    /// The one open incident there is: "acknowledge" with no id, at 3 a.m.
    Only,
    /// By what its source calls it.
    Key(DedupKey),
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is wrong, or still is: creates the incident or counts up on the open one.
    Create(Changes),
    /// Change what is said about it.
    Update(Changes),
    /// Somebody has it.
    Acknowledge,
    /// It is over.
    Resolve(Closing),
    /// It is not over after all, or nobody has it any more.
    Reopen,
    /// Nobody is to look at it before this moment.
    Snooze {
        /// When it wakes up by itself.
        until: Timestamp,
    },
    /// Somebody is to look at it again: a person says so, or a timer of Tocsin's own.
    Wake,
    /// A timer of Tocsin's own: look whether what was flapping has been quiet.
    Settle,
    /// Somebody in particular is to look at it.
    Assign {
        /// Who.
        to: UserId,
    },
    /// More people are to look at it, without waiting for it: this person, or whom the policy calls next.
    Escalate {
        /// This person; `None`: whom the policy calls next.
        to: Option<UserId>,
        /// Why.
        note: Option<String>,
    },
    /// A timer of Tocsin's own: nobody has it yet, perhaps, and the next ones have to be called.
    CallNext,
    /// A timer of Tocsin's own: something was promised by this moment.
    Due(Promise),
    /// What is asked is decided so, as far as it is up to this person.
    Decide {
        /// The decision.
        decision: String,
        /// The option.
        option: String,
        /// Why.
        reason: Option<String>,
    },
    /// A timer of Tocsin's own: nobody has decided in time, perhaps.
    Expire,
    /// What was called because of a decision has answered, or never will.
    Called {
        /// The decision.
        decision: String,
        /// What came of it.
        outcome: Called,
    },
    /// A timer of Tocsin's own: a notice was to be told at this moment.
    Tell,
    /// A workflow goes on when it is over.
    Await {
        /// The step that waits.
        execution: ExecutionId,
    },
    /// Something to remember.
    Note {
        /// What.
        text: String,
        /// Under which of its cards it was said, where it was: there everybody has read it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heard_in: Option<Channel>,
    },
}

impl Action {
    /// The word for logs and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Acknowledge => "acknowledge",
            Self::Resolve(_) => "resolve",
            Self::Reopen => "reopen",
            Self::Snooze { .. } => "snooze",
            Self::Wake => "wake",
            Self::Settle => "settle",
            Self::Assign { .. } => "assign",
            Self::Escalate { .. } => "escalate",
            Self::CallNext => "call_next",
            Self::Due(_) => "sla",
            Self::Decide { .. } => "decide",
            Self::Expire => "expire",
            Self::Called { .. } => "called",
            Self::Tell => "tell",
            Self::Await { .. } => "await",
            Self::Note { .. } => "note",
        }
    }
}

/// What is said at the end of an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
}

/// What is known or newly said about an incident; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    /// One line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What happened and why, plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What routes it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What it is about (`incident`, `cloudwatch` …): routes it where the service does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What is affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<String>>,
    /// Who has to look, as the source names them: a name, an e-mail address or `U…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// What to do first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_hint: Option<String>,
    /// When the service level is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla_breach_at: Option<Timestamp>,
    /// The incident's page at its source: the button "View".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Runbook, dashboard, logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<Link>>,
    /// Further facts, in order, as the source names them: metric, threshold, account, region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Vec<Detail>>,
    /// What people are asked to decide. What has been asked under a name before stays as it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<Vec<Asked>>,
    /// What was measured, and its limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// What is brought where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
    /// What is different now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// When a notice is to be told; else at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tell_at: Option<Timestamp>,
}

/// A button that opens a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What the button says.
    pub label: String,
    /// `https://…`
    pub url: String,
}

/// One more fact on the card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What it is: `Threshold`.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// Where somebody waits for what comes of it: a person for an answer that only they see, or a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyTo {
    /// Slack's `response_url`: five uses within 30 minutes.
    ResponseUrl(String),
    /// An ephemeral message, where the payload brought no such address.
    Ephemeral {
        /// In which channel.
        channel: Channel,
        /// To whom.
        user: UserId,
        /// In which thread.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<MessageTs>,
    },
    /// A step of a workflow in Slack: it ends with what came of it, and the workflow goes on, or with why not.
    Step(ExecutionId),
}

/// Something a person wants to know. It changes nothing, so it has no marker and may be answered twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// The installation; `None` means the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// Who asks.
    pub by: Person,
    /// What.
    pub ask: Ask,
    /// Where they wait.
    pub reply: ReplyTo,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// What is open.
    List,
    /// One incident with its timeline.
    Show(Target),
    /// How things stand, in a line or two.
    Status,
    /// Who is on call.
    OnCall,
    /// How it is used.
    Help,
    /// Which commands this workspace has of its own.
    Commands,
    /// Nothing: what was asked cannot be done, and this says why.
    Nothing(Refusal),
}

/// Somebody takes over in a rotation for a while. Said twice, it is said once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeOver {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// The installation; `None` means the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// Who says so.
    pub by: Person,
    /// In which rotation; `None` means the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
    /// Who takes over, from when until when.
    pub taken: Override,
    /// Where they wait.
    pub reply: ReplyTo,
}

/// A line that only the workspace's configuration can tell the meaning of: a command of its own, or one under another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// Known by this when it is delivered again.
    pub id: IntentId,
    /// The installation; `None` means the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Person,
    /// The slash command, `/deploy`; `None`: the bot was spoken to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What came after it, as Slack escapes it.
    pub line: String,
    /// Where they wait.
    pub reply: ReplyTo,
}

/// Slack took Tocsin out of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uninstall {
    /// For the logs and the queue's deduplication.
    pub id: IntentId,
    /// From where.
    pub workspace: Workspace,
    /// When Slack says it happened.
    pub at: Timestamp,
    /// The event that told: `app_uninstalled`, `tokens_revoked`.
    pub reason: String,
}

/// What travels on `intents.fifo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Do it.
    Intent(Box<Intent>),
    /// Answer it.
    Question(Question),
    /// Remember it.
    TakeOver(TakeOver),
    /// See what it means.
    Spoken(Box<Spoken>),
    /// Tell what a command came to.
    Answered(Answered),
    /// Find out whether it means something.
    Remark(Remark),
    /// Do it, and say so at the message that it begins with.
    FromMessage(FromMessage),
    /// Paint it.
    Home(HomeOpened),
    /// Say hello.
    Joined(Joined),
    /// Show how incidents stand to which these lead.
    Linked(Linked),
    /// Change it.
    Setting(SettingWish),
    /// Tell a workflow why not.
    StepRefused(StepRefused),
    /// Clean up.
    Uninstall(Uninstall),
}

impl Job {
    /// The id that the job is known by when it comes again.
    pub fn id(&self) -> &IntentId {
        match self {
            Self::Intent(intent) => &intent.id,
            Self::Question(question) => &question.id,
            Self::TakeOver(take_over) => &take_over.id,
            Self::Spoken(spoken) => &spoken.id,
            Self::Answered(answered) => &answered.id,
            Self::Remark(remark) => &remark.id,
            Self::FromMessage(wish) => &wish.intent.id,
            Self::Home(opened) => &opened.id,
            Self::Joined(joined) => &joined.id,
            Self::Linked(linked) => &linked.id,
            Self::Setting(wish) => &wish.id,
            Self::StepRefused(step) => &step.id,
            Self::Uninstall(uninstall) => &uninstall.id,
        }
    }

    /// The FIFO group: one incident's jobs mostly stand in one line, which spares conflicts. What goes wrong about that costs a retry, never an order:
    /// the version condition decides.
    pub fn group(&self) -> String {
        let group = match self {
            Self::Intent(intent) => intent.group(),
            Self::FromMessage(wish) => wish.intent.group(),
            // A question waits for nobody.
            Self::Question(question) => question.id.clone(),
            Self::Spoken(spoken) => spoken.id.clone(),
            Self::Answered(answered) => answered.id.clone(),
            Self::TakeOver(take_over) => IntentId::of("oncall", &[&named(take_over.workspace.as_ref())]),
            Self::Remark(Remark { workspace, channel, message, .. }) => {
                IntentId::of("message", &[workspace.as_str(), channel.as_str(), message.as_str()])
            }
            // One after the other for each person, so that what is painted last is the present.
            Self::Home(HomeOpened { workspace, by, .. }) => IntentId::of("home", &[workspace.as_str(), by.id.as_str()]),
            Self::Joined(joined) => joined.id.clone(),
            Self::Linked(linked) => linked.id.clone(),
            Self::Setting(wish) => IntentId::of("settings", &[wish.workspace.as_str()]),
            Self::StepRefused(step) => step.id.clone(),
            Self::Uninstall(uninstall) => IntentId::of("workspace", &[uninstall.workspace.as_str()]),
        };
        group.as_str().to_owned()
    }
}
