//! Steps of the workflows that people build in Slack: what a step was filled in with, and what the workflow gets to go on with.
//! <https://docs.slack.dev/reference/events/function_executed>
//!
//! `infra/app-manifest.yaml` declares the steps with the same names. The event brings a token of its own (`bot_access_token`), which is good for 15 minutes, or
//! until the step has ended. It is never read: the app's own token ends a step as well, whenever that is, and so no secret travels over a queue.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::Refusal;
use crate::domain::ids::{ExecutionId, IncidentId, IntentId, UserId, Workspace, is_slack_id};
use crate::domain::incident::{Incident, Resolution, State};
use crate::domain::intent::{Action, Actor, Changes, Intent, Job, Person, ReplyTo, Target};
use crate::domain::severity::Severity;
use crate::domain::step::StepRefused;
use crate::render::modal::{DESCRIPTION_MAX, SERVICE_MAX, TITLE_MAX};

use super::blocks::{Message, cut};
use super::event::{Event, Wanted};
use super::text;

/// Opens an incident.
pub const CREATE: &str = "create_incident_step";
/// Says something about one that there is.
pub const UPDATE: &str = "update_incident_step";
/// Ends when an incident is over.
pub const WAIT: &str = "wait_until_resolved_step";

/// Who acts where a step names nobody.
const WORKFLOW: &str = "Workflow";

/// No id of Slack's is as long.
const LONGEST_ID: usize = 255;

/// A workflow has come to a step of ours.
pub(super) fn wanted(event: &Event, workspace: Workspace, now: Timestamp) -> Wanted {
    let execution = event.function_execution_id.as_ref().filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    let (Some(execution), Some(function)) = (execution, &event.function) else {
        return Wanted::Ignore("a step without an id".to_owned());
    };
    // Under whatever event_id it comes, a step runs once.
    let id = IntentId::of("step", &[workspace.as_str(), execution]);
    let execution = ExecutionId::new(execution);
    let nothing = Map::new();
    let inputs = Inputs(event.inputs.as_ref().unwrap_or(&nothing));
    match inputs.read(&function.callback_id, &execution) {
        Ok((by, target, action)) => {
            let at = event.event_ts.as_deref().and_then(super::moment).unwrap_or(now);
            let reply = Some(ReplyTo::Step(execution));
            Wanted::Queue(Job::Intent(Box::new(Intent { id, workspace: Some(workspace), at, by, target, action, reply })))
        }
        Err(why) => Wanted::Queue(Job::StepRefused(StepRefused { id, workspace, execution, why })),
    }
}

/// What whoever built the workflow has filled in, and what earlier steps have left there.
struct Inputs<'a>(&'a Map<String, Value>);

impl Inputs<'_> {
    fn read(&self, step: &str, execution: &ExecutionId) -> Result<(Actor, Target, Action), Refusal> {
        let (target, action) = match step {
            CREATE => {
                let title = self.text("title", TITLE_MAX);
                let title = title.ok_or_else(|| Refusal::new("The step has no title. Say in its *Title* in a few words what is wrong."))?;
                (Target::New, Action::Create(Changes { title: Some(title), ..self.changes()? }))
            }
            UPDATE => {
                let changes = Changes { title: self.text("title", TITLE_MAX), ..self.changes()? };
                if changes == Changes::default() {
                    return Err(Refusal::new("The step changes nothing. Fill in at least one of its fields beside the incident."));
                }
                (self.incident()?, Action::Update(changes))
            }
            WAIT => (self.incident()?, Action::Await { execution: execution.clone() }),
            other => {
                let other = cut(other, 100);
                return Err(Refusal::new(format!("Tocsin has no step `{other}`. Take it out of the workflow and choose it anew.")));
            }
        };
        let by = self.user("user")?.map_or_else(|| Actor::Source(WORKFLOW.to_owned()), person);
        Ok((by, target, action))
    }

    fn changes(&self) -> Result<Changes, Refusal> {
        Ok(Changes {
            description: self.text("description", DESCRIPTION_MAX),
            severity: self.severity()?,
            service: self.text("service", SERVICE_MAX),
            assignee: self.user("assignee")?.map(|user| user.to_string()),
            ..Changes::default()
        })
    }

    /// Words as people read them.
    fn text(&self, name: &str, limit: usize) -> Option<String> {
        let words = text::plain(self.0.get(name)?.as_str()?);
        let words = words.trim();
        (!words.is_empty()).then(|| cut(words, limit).into_owned())
    }

    fn severity(&self) -> Result<Option<Severity>, Refusal> {
        let Some(said) = self.text("severity", 40) else { return Ok(None) };
        let wrong = || Refusal::new(format!("`{said}` is no severity. Use P1, the worst, P2, P3 or P4."));
        Severity::parse(&said).map(Some).ok_or_else(wrong)
    }

    fn user(&self, name: &str) -> Result<Option<UserId>, Refusal> {
        let Some(said) = self.text(name, 40) else { return Ok(None) };
        // As text, a person comes as a mention.
        let id = self.0.get(name).and_then(Value::as_str).and_then(|raw| text::mentioned_user(raw.trim())).unwrap_or(&said);
        let nobody = || Refusal::new(format!("`{said}` is nobody. Choose a person in the step's field `{name}`."));
        if is_slack_id(id, &['U', 'W']) { Ok(Some(UserId::new(id))) } else { Err(nobody()) }
    }

    /// A workflow runs at any time, so it has to say which incident it means, even if only one is open; and all of its id, since by the time it runs
    /// another one may begin so.
    fn incident(&self) -> Result<Target, Refusal> {
        let example = "An id looks like `INC-7K3QPF`; the step *Create incident* of the same workflow gives one.";
        let said = self.text("incident_id", 40).ok_or_else(|| Refusal::new(format!("The step names no incident. {example}")))?;
        IncidentId::whole(&said).map(Target::Id).ok_or_else(|| Refusal::new(format!("`{said}` is no incident's id. {example}")))
    }
}

fn person(id: UserId) -> Actor {
    Actor::User(Person { id, name: None, email: None, team: None, enterprise: None, place: None })
}

/// What the steps after it can use, by the names that the manifest declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outputs {
    incident_id: String,
    title: String,
    severity: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<String>,
    #[serde(flatten)]
    end: Option<End>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct End {
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root_cause: Option<String>,
}

impl Outputs {
    /// The incident as it stands; `card` is the address of its card, where it has one yet.
    pub fn standing(incident: &Incident, card: Option<String>) -> Self {
        let state = match incident.state() {
            State::Expected => "expected",
            State::Triggered => "triggered",
            State::Acknowledged => "acknowledged",
            State::Snoozed => "snoozed",
            State::Resolved => "resolved",
        };
        let title = calls_nobody(&cut(incident.title(), TITLE_MAX));
        Self { incident_id: incident.id.to_string(), title, severity: incident.severity().as_str(), state, card, end: None }
    }

    /// The same with how it ended: whoever resolved it, where that was a person, and what they said.
    pub fn ended(incident: &Incident, card: Option<String>) -> Self {
        let end = incident.resolution.as_ref().map(|Resolution { by, closing, .. }| End {
            resolved_by: if let Actor::User(person) = by { Some(person.id.to_string()) } else { None },
            note: closing.note.as_deref().map(calls_nobody),
            root_cause: closing.root_cause.as_deref().map(calls_nobody),
        });
        Self { end, ..Self::standing(incident, card) }
    }
}

/// Why a step does not go on, as `message` says it. Slack puts that into a message.
pub fn why(message: &Message) -> String {
    calls_nobody(&text::plain(message.text()))
}

/// Why Slack does not take the outputs: the app it knows has other steps than this version.
pub const OUTDATED: &str = "The step has done its part, and the workflow cannot go on: Slack does not take what the step gives, since the app's manifest is not \
                            that of this version of Tocsin. Ask whoever looks after Tocsin to update the app's manifest.";

/// A later step may put this into a message, and nobody is to be called by what a source says.
fn calls_nobody(text: &str) -> String {
    ["<!", "<@", "<#"].into_iter().fold(text.to_owned(), |text, call| text.replace(call, &call.replace('<', "‹")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::SignedDuration;
    use serde_json::json;
    use yaml_rust2::{Yaml, YamlLoader};

    use super::super::event::Delivery;
    use super::*;
    use crate::domain::ids::Channel;
    use crate::domain::intent::Closing;
    use crate::domain::settings::Settings;

    /// What a step comes to with these inputs, in the workspace `T1`.
    fn step(callback_id: &str, inputs: &Value) -> Job {
        let delivery = json!({
            "type": "event_callback", "team_id": "T1",
            "event": {
                "type": "function_executed", "function": { "callback_id": callback_id, "type": "app" }, "inputs": inputs,
                "function_execution_id": "Fx1", "workflow_execution_id": "Wx1", "event_ts": "1768446121.000100", "bot_access_token": "xwfp-secret",
            },
        });
        match serde_json::from_value::<Delivery>(delivery).unwrap().wanted(Timestamp::UNIX_EPOCH) {
            Wanted::Queue(job) => job,
            other => panic!("{other:?}"),
        }
    }

    fn wish(callback_id: &str, inputs: &Value) -> Intent {
        match step(callback_id, inputs) {
            Job::Intent(intent) => *intent,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(callback_id: &str, inputs: &Value) -> String {
        match step(callback_id, inputs) {
            Job::StepRefused(step) => step.why.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn create_takes_what_was_filled_in_as_people_read_it() {
        let inputs = json!({
            "title": " <@U1|jane> says p99 &gt; 2 s ", "description": "since nine", "severity": "high", "service": "checkout", "assignee": "U0OMAR",
            "user": "<@U0JANE|jane>", "what_comes_next_year": 1,
        });
        let intent = wish(CREATE, &inputs);
        let changes = Changes {
            title: Some("@jane says p99 > 2 s".into()),
            description: Some("since nine".into()),
            severity: Some(Severity::P1),
            service: Some("checkout".into()),
            assignee: Some("U0OMAR".into()),
            ..Changes::default()
        };
        assert_eq!((intent.target, intent.action), (Target::New, Action::Create(changes)));
        assert!(matches!(intent.by, Actor::User(person) if person.id.as_str() == "U0JANE"));
        assert_eq!((intent.at.as_microsecond(), intent.reply), (1_768_446_121_000_100, Some(ReplyTo::Step(ExecutionId::new("Fx1")))));
        let long = wish(CREATE, &json!({ "title": "x".repeat(1_000), "severity": null }));
        assert!(
            matches!(&long.action, Action::Create(changes) if changes.title.as_ref().is_some_and(|title| title.chars().count() == TITLE_MAX))
        );
        assert_eq!(long.by, Actor::Source("Workflow".into()), "nobody was named");
    }

    #[test]
    fn update_and_wait_name_their_incident_as_people_do() {
        let update = wish(UPDATE, &json!({ "incident_id": "inc-7k3qpf", "severity": "P2" }));
        let changes = Changes { severity: Some(Severity::P2), ..Changes::default() };
        assert_eq!((update.target, update.action), (Target::Id(IncidentId::new("INC-7K3QPF")), Action::Update(changes)));
        let wait = wish(WAIT, &json!({ "incident_id": "INC-7K3QPF" }));
        assert_eq!(wait.action, Action::Await { execution: ExecutionId::new("Fx1") });
    }

    #[test]
    fn what_is_wrong_is_said_in_words_that_say_what_to_do() {
        let incident = "INC-7K3QPF";
        for (step, inputs, says) in [
            (CREATE, json!({}), "in a few words what is wrong"),
            (CREATE, json!({ "title": " " }), "in a few words what is wrong"),
            (CREATE, json!({ "title": 7 }), "in a few words what is wrong"),
            (CREATE, json!({ "title": "slow", "severity": "urgent" }), "`urgent` is no severity. Use P1"),
            (CREATE, json!({ "title": "slow", "assignee": "jane" }), "`jane` is nobody. Choose a person"),
            (CREATE, json!({ "title": "slow", "user": "jane" }), "`jane` is nobody. Choose a person"),
            (UPDATE, json!({ "severity": "P1" }), "names no incident"),
            (UPDATE, json!({ "incident_id": incident }), "changes nothing"),
            (UPDATE, json!({ "incident_id": "the database", "severity": "P1" }), "`the database` is no incident's id"),
            (UPDATE, json!({ "incident_id": "P1", "title": "slow" }), "`P1` is no incident's id"),
            (WAIT, json!({ "incident_id": "INC-7K3" }), "`INC-7K3` is no incident's id. An id looks like `INC-7K3QPF`"),
            (WAIT, Value::Null, "names no incident"),
            ("a_step_of_last_year", json!({}), "Tocsin has no step `a_step_of_last_year`"),
        ] {
            let said = refusal(step, &inputs);
            assert!(said.contains(says), "{said}");
        }
    }

    /// The token in the event ends the step in anybody's hands.
    #[test]
    fn the_token_in_the_event_travels_nowhere() {
        for job in
            [step(CREATE, &json!({ "title": "slow" })), step(CREATE, &json!({})), step(WAIT, &json!({ "incident_id": "INC-7K3QPF" }))]
        {
            let said = format!("{} {job:?}", serde_json::to_string(&job).unwrap());
            assert!(!said.contains("xwfp"), "{said}");
        }
    }

    #[test]
    fn the_same_step_is_the_same_wish_however_often_it_is_told() {
        let first = wish(CREATE, &json!({ "title": "slow" })).id;
        assert_eq!(step(CREATE, &json!({ "title": "slow" })).id(), &first);
        let nameless = json!({ "type": "event_callback", "team_id": "T1", "event": { "type": "function_executed", "function": { "callback_id": CREATE } } });
        let nameless = serde_json::from_value::<Delivery>(nameless).unwrap().wanted(Timestamp::UNIX_EPOCH);
        assert!(matches!(nameless, Wanted::Ignore(_)), "there is nothing to end");
    }

    /// The names that the manifest declares for a step.
    fn declared(step: &Yaml, parameters: &str) -> BTreeSet<String> {
        step[parameters].as_hash().unwrap().keys().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    fn names(outputs: &Outputs) -> BTreeSet<String> {
        serde_json::to_value(outputs).unwrap().as_object().unwrap().keys().cloned().collect()
    }

    /// An incident that Jane has resolved, and everything about it.
    fn resolved() -> Incident {
        let create = wish(CREATE, &json!({ "title": "p99 &lt;!channel&gt; &lt; 2 s" }));
        let at = create.at;
        let settings = Settings::of(Channel::new("#incidents"), at);
        let nothing = Incident::expected(Workspace::new("T1"), IncidentId::derive(&Workspace::new("T1"), &create.id, 6), None);
        let open = nothing.apply(&create, &settings).unwrap().incident;
        let closing = Closing { note: Some("rolled back".into()), root_cause: Some("v42".into()) };
        let by = person(UserId::new("U0JANE"));
        let at = at + SignedDuration::from_mins(1);
        let resolve = Intent { id: IntentId::of("test", &["resolve"]), at, by, action: Action::Resolve(closing), ..create };
        open.apply(&resolve, &settings).unwrap().incident
    }

    /// A name that only one of them knows would be a field that nobody reads, or a step that Slack never lets end.
    #[test]
    fn the_manifest_declares_what_is_read_and_written() {
        let manifest = YamlLoader::load_from_str(include_str!("../../../infra/app-manifest.yaml")).unwrap();
        let steps = manifest[0]["functions"].as_hash().unwrap();
        let callback_ids: Vec<_> = steps.keys().filter_map(Yaml::as_str).collect();
        assert_eq!(callback_ids, [CREATE, UPDATE, WAIT]);
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let changes = ["title", "description", "severity", "service", "assignee", "user"];
        let reads = [set(&changes), &set(&changes) | &set(&["incident_id"]), set(&["incident_id", "user"])];
        let card = Some("https://example.com".to_owned());
        let (standing, ended) = (Outputs::standing(&resolved(), card.clone()), Outputs::ended(&resolved(), card));
        let writes = [names(&standing), names(&standing), names(&ended)];
        for ((step, reads), writes) in steps.values().zip(reads).zip(writes) {
            assert_eq!((declared(step, "input_parameters"), declared(step, "output_parameters")), (reads, writes), "{:?}", step["title"]);
            for parameters in ["input_parameters", "output_parameters"] {
                for (name, parameter) in step[parameters].as_hash().unwrap() {
                    assert_eq!(&parameter["name"], name);
                    let is_user = ["user", "assignee", "resolved_by"].contains(&name.as_str().unwrap());
                    assert_eq!(parameter["type"].as_str(), Some(if is_user { "slack#/types/user_id" } else { "string" }), "{name:?}");
                }
            }
        }
        assert_eq!(manifest[0]["settings"]["org_deploy_enabled"].as_bool(), Some(true));
        let events = manifest[0]["settings"]["event_subscriptions"]["bot_events"].as_vec().unwrap();
        assert!(events.iter().any(|event| event.as_str() == Some("function_executed")));
    }

    #[test]
    fn why_not_calls_nobody_by_what_was_filled_in() {
        let said = refusal(CREATE, &json!({ "title": "slow", "severity": "&lt;!channel&gt; <@U0OMAR> &lt;@U0OMAR&gt;" }));
        assert!(said.contains("<!channel>"), "{said}");
        let why = why(&crate::render::answer::refused(&Refusal::new(said)));
        assert!(why.starts_with("`‹!channel> @U0OMAR ") && !["<!", "<@"].iter().any(|call| why.contains(call)), "{why}");
    }

    #[test]
    fn a_workflow_goes_on_with_how_it_ended_and_calls_nobody_by_what_a_source_said() {
        let incident = resolved();
        assert_eq!(incident.state(), State::Resolved);
        let outputs = serde_json::to_value(Outputs::ended(&incident, None)).unwrap();
        assert_eq!(
            outputs,
            json!({
                "incident_id": incident.id, "title": "p99 ‹!channel> < 2 s", "severity": "P3", "state": "resolved", "resolved_by": "U0JANE",
                "note": "rolled back", "root_cause": "v42",
            })
        );
    }
}
