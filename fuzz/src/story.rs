//! An incident as it may come about: wishes of anybody, at any time, in any order, in whatever words. And what of it does not depend on the order.

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use jiff::{SignedDuration, Timestamp};
use shared::domain::configuration;
use shared::domain::decision::{Asked, Called, Choice, Tone};
use shared::domain::flapping::FlappingRate;
use shared::domain::ids::{Channel, DedupKey, ExecutionId, IncidentId, IntentId, UserId, Workspace};
use shared::domain::incident::Incident;
use shared::domain::intent::{Action, Actor, Changes, Closing, Detail, Intent, Link, Person, Target};
use shared::domain::kind::{Change, Comparison, Deployment, Metric, Number, Progress};
use shared::domain::people;
use shared::domain::settings::Settings;
use shared::domain::severity::Severity;
use shared::domain::sla::Promise;

/// So much happens to one incident at most: an input that says more tries nothing new.
const STEPS: usize = 16;

/// No text is longer: several times what intake keeps of one, and more than a form of Slack's takes.
const LONGEST: usize = 20_000;

/// More than anything keeps or shows.
const MANY: usize = 60;

/// What happens to one incident.
#[derive(Debug, Arbitrary)]
pub(crate) struct Story {
    held: Option<(u16, Moment)>,
    channels: Vec<Text>,
    mentions: Vec<Text>,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
struct Step {
    at: Moment,
    by: Who,
    what: What,
}

/// A time: mostly near the others, so that the order matters.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Moment {
    Second(u8),
    Minute(i16),
    Anywhere(i64),
    First,
    Last,
}

impl Moment {
    fn at(self) -> Timestamp {
        let after = |seconds: i64| crate::now().saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        match self {
            Self::Second(seconds) => after(seconds.into()),
            Self::Minute(minutes) => after(i64::from(minutes) * 60),
            Self::Anywhere(micros) => Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN),
            Self::First => Timestamp::MIN,
            Self::Last => Timestamp::MAX,
        }
    }
}

#[derive(Debug, Arbitrary)]
enum Who {
    Source(u8),
    Stranger(Text),
    Person(u8),
    Somebody(Text),
}

impl Who {
    fn actor(&self) -> Actor {
        let person =
            |id: String| Actor::User(Person { id: UserId::new(id), name: None, email: None, team: None, enterprise: None, place: None });
        match self {
            Self::Source(number) => Actor::Source(format!("source {}", number % 3)),
            Self::Stranger(name) => Actor::Source(name.text()),
            Self::Person(number) => person(format!("U0PERSON{}", number % 3)),
            Self::Somebody(id) => person(id.text()),
        }
    }
}

#[derive(Debug, Arbitrary)]
enum What {
    Create(Said),
    Update(Said),
    Acknowledge,
    Resolve(Option<Text>, Option<Text>),
    Reopen,
    Settle,
    Note(Text),
    Snooze(Moment),
    Wake,
    Assign(Text),
    Decide(bool, Option<Text>),
    Called(bool, Text),
    Escalate(Option<Text>, Option<Text>),
    CallNext,
    Tell,
    Due(bool),
    Await(u8),
}

#[derive(Debug, Arbitrary)]
struct Said {
    title: Option<Text>,
    description: Option<Text>,
    severity: Option<u8>,
    service: Option<Text>,
    kind: Option<Text>,
    components: Option<Many<Text>>,
    assignee: Option<Text>,
    action_hint: Option<Text>,
    sla_breach_at: Option<Moment>,
    url: Option<Text>,
    links: Option<Many<(Text, Text)>>,
    details: Option<Many<(Text, Text)>>,
    asked: Option<Text>,
    metric: Option<(Text, f64, f64, bool)>,
    deployment: Option<(Option<u8>, Option<Text>)>,
    change: Option<(Text, Option<Text>)>,
    tell_at: Option<Moment>,
}

/// Some, and the last of them again and again.
#[derive(Debug, Arbitrary)]
struct Many<T> {
    some: Vec<T>,
    again: u8,
}

impl<T> Many<T> {
    fn map<R: Clone>(&self, make: impl Fn(&T) -> R) -> Vec<R> {
        let mut all: Vec<R> = self.some.iter().take(MANY).map(make).collect();
        if let Some(last) = all.last().cloned() {
            all.extend(std::iter::repeat_n(last, usize::from(self.again) % MANY));
        }
        all
    }
}

#[derive(Debug, Arbitrary)]
enum Text {
    Said(String),
    Again(String, u16),
    Hostile(u8),
    Address(String, u16),
}

/// What tries to call somebody, to break out of the markup or to break the layout.
const HOSTILE: &[&str] = &[
    "<!channel> <!here> <!everyone> <@U0JANE> <#C0GENERAL> <!subteam^S0ONCALL>",
    "<@U0JANE>",
    "<!date^1^{time}|x>",
    "<https://evil.example|Slack>",
    "&amp;&lt;!channel&gt;&",
    "\u{202e}txet\u{2067}",
    "\u{0}\u{7}\r\n\t",
    "   ",
    "👩‍👩‍👧‍👦",
    "U0JANE",
    "S0ONCALL",
    "C0GENERAL",
    "notice",
];

impl Text {
    fn text(&self) -> String {
        let repeated = |piece: &str, times: u16| piece.repeat(usize::from(times).min(LONGEST / piece.len().max(1)));
        match self {
            Self::Said(text) => repeated(text, 1),
            Self::Again(piece, times) => repeated(piece, *times),
            Self::Hostile(number) => HOSTILE[usize::from(*number) % HOSTILE.len()].to_owned(),
            Self::Address(path, times) => format!("https://example.com/{}", repeated(path, *times)),
        }
    }
}

impl Said {
    fn changes(&self) -> Changes {
        let text = |text: &Option<Text>| text.as_ref().map(Text::text);
        Changes {
            title: text(&self.title),
            description: text(&self.description),
            severity: self.severity.map(|number| Severity::ALL[usize::from(number) % Severity::ALL.len()]),
            service: text(&self.service),
            kind: text(&self.kind),
            components: self.components.as_ref().map(|all| all.map(Text::text)),
            assignee: text(&self.assignee),
            action_hint: text(&self.action_hint),
            sla_breach_at: self.sla_breach_at.map(Moment::at),
            url: text(&self.url),
            links: self.links.as_ref().map(|all| all.map(|(label, url)| Link { label: label.text(), url: url.text() })),
            details: self.details.as_ref().map(|all| all.map(|(label, value)| Detail { label: label.text(), value: value.text() })),
            decisions: self.asked.as_ref().map(|label| vec![asked(&label.text())]),
            metric: self.metric.as_ref().and_then(|(name, value, limit, below)| {
                let number = |number: &f64| Number::parse(&number.to_string());
                let comparison = if *below { Comparison::Below } else { Comparison::Above };
                Some(Metric { name: name.text(), value: number(value)?, limit: number(limit)?, unit: Some(name.text()), comparison })
            }),
            deployment: self.deployment.as_ref().map(|(status, by)| Deployment {
                status: status.map(|number| Progress::ALL[usize::from(number) % Progress::ALL.len()]),
                version: text(by),
                environment: text(by),
                commit: text(by),
                by: text(by),
            }),
            change: self.change.as_ref().map(|(what, to)| Change { what: what.text(), place: text(to), from: text(to), to: text(to) }),
            tell_at: self.tell_at.map(Moment::at),
        }
    }
}

/// Yes or no, in somebody's words.
fn asked(label: &str) -> Asked {
    let choice = |name: &str| Choice {
        name: name.to_owned(),
        label: label.to_owned(),
        tone: Tone::Primary,
        confirm: Some(label.to_owned()),
        reason: false,
        quorum: Some(1),
        call: Some(label.to_owned()),
    };
    let options = vec![choice("yes"), choice("no")];
    Asked { name: "asked".to_owned(), options, who: people::Who::default(), expires_at: None }
}

impl What {
    fn action(&self) -> Action {
        let text = |text: &Option<Text>| text.as_ref().map(Text::text);
        match self {
            Self::Create(said) => Action::Create(said.changes()),
            Self::Update(said) => Action::Update(said.changes()),
            Self::Acknowledge => Action::Acknowledge,
            Self::Resolve(note, root_cause) => Action::Resolve(Closing { note: text(note), root_cause: text(root_cause) }),
            Self::Reopen => Action::Reopen,
            Self::Settle => Action::Settle,
            Self::Note(note) => Action::Note { text: note.text(), heard_in: None },
            Self::Snooze(until) => Action::Snooze { until: until.at() },
            Self::Wake => Action::Wake,
            Self::Decide(yes, reason) => {
                let option = if *yes { "yes" } else { "no" }.to_owned();
                Action::Decide { decision: "asked".to_owned(), option, reason: text(reason) }
            }
            Self::Called(ok, said) => Action::Called { decision: "asked".to_owned(), outcome: Called { ok: *ok, said: said.text() } },
            Self::Assign(to) => Action::Assign { to: UserId::new(to.text()) },
            Self::Escalate(to, note) => Action::Escalate { to: text(to).map(UserId::new), note: text(note) },
            Self::CallNext => Action::CallNext,
            Self::Tell => Action::Tell,
            Self::Await(number) => Action::Await { execution: ExecutionId::new(format!("Fx{number}")) },
            Self::Due(acknowledge) => Action::Due(if *acknowledge { Promise::Acknowledge } else { Promise::Resolve }),
        }
    }
}

impl Story {
    /// The incident before anything is known about it.
    pub(crate) fn beginning(&self) -> Incident {
        let mut incident = nothing();
        incident.channels = self.channels.iter().take(MANY).map(|name| Channel::new(name.text())).collect();
        incident.mentions = self.mentions.iter().take(MANY).map(Text::text).collect();
        match self.held {
            Some((minutes, since)) => incident.held(FlappingRate { times: 1, minutes }, since.at()),
            None => incident,
        }
    }

    /// What is wanted, in the order in which it arrives.
    pub(crate) fn intents(&self) -> Vec<Intent> {
        let wish = |(number, step): (usize, &Step)| Intent {
            id: IntentId::of("story", &[&number.to_string()]),
            workspace: None,
            at: step.at.at(),
            by: step.by.actor(),
            target: Target::New,
            action: step.what.action(),
            reply: None,
        };
        self.steps.iter().take(STEPS).enumerate().map(wish).collect()
    }
}

/// An incident that nobody knows of.
pub(crate) fn nothing() -> Incident {
    Incident::expected(Workspace::new("T0TOCSIN"), IncidentId::new("INC-7K3QPF"), Some(DedupKey::new("cpu")))
}

/// A workspace that promises something, and in which somebody is called.
pub(crate) fn settings() -> Settings {
    let document = r#"
        [sla.P3]
        acknowledge = "5m"
        resolve = "1h"

        [[oncall]]
        name = "everybody"
        start = "2026-01-05T09:00"
        people = ["U0PERSON0", "U0PERSON1"]

        [[escalation]]
        name = "everything"
        repeat = 1
        steps = [{ call = ["rotation:everybody"] }, { after = "10m", call = ["U0PERSON2", "S0ONCALL", "C0MANAGEMENT"] }]
    "#;
    let configuration = configuration::read(document).expect("settings");
    Settings { configuration, ..Settings::of(Channel::new("#incidents"), crate::now()) }
}

/// Of what sources say, each at a time of its own, the end is the same in whatever order it arrives. People are left out: they answer what they see.
pub(crate) fn ends_the_same(intents: &[Intent]) {
    let mut times = BTreeSet::new();
    let by_sources = intents.iter().filter(|intent| {
        let counts = matches!(intent.action, Action::Create(_) | Action::Update(_) | Action::Acknowledge | Action::Resolve(_));
        counts && matches!(intent.by, Actor::Source(_)) && times.insert(intent.at)
    });
    let arrived: Vec<&Intent> = by_sources.collect();
    let mut in_time = arrived.clone();
    in_time.sort_by_key(|intent| intent.at);
    let backwards: Vec<&Intent> = in_time.iter().rev().copied().collect();
    let is_create = |intent: &Intent| matches!(intent.action, Action::Create(_));
    let last_create = in_time.iter().rposition(|intent| is_create(intent));
    let first_end = in_time.iter().position(|intent| matches!(intent.action, Action::Resolve(_)));
    if first_end.is_none_or(|end| last_create.is_none_or(|create| create < end)) {
        let whole = |intents: &[&Intent]| {
            let end = intents.iter().fold(nothing(), |incident, intent| after(incident, intent));
            (end.state(), end.facts, end.fired, end.closed)
        };
        assert_eq!(whole(&arrived), whole(&in_time), "as it arrived, and in time");
        assert_eq!(whole(&backwards), whole(&in_time), "backwards, and in time");
    }
    // Whoever acknowledges what is over, and begins again afterwards, contradicts itself.
    let rounds = |intents: &[&Intent]| {
        let told = intents.iter().filter(|intent| intent.action != Action::Acknowledge);
        let meant = told.fold(nothing(), |incident, intent| {
            let anew = is_create(intent) && incident.is_over_before(intent.at);
            after(if anew { nothing() } else { incident }, intent)
        });
        meant.state()
    };
    assert_eq!(rounds(&arrived), rounds(&in_time), "rounds as they arrived, and in time");
    assert_eq!(rounds(&backwards), rounds(&in_time), "rounds backwards, and in time");
}

fn after(incident: Incident, intent: &Intent) -> Incident {
    incident.apply(intent, &settings()).map_or(incident, |effect| effect.incident)
}
