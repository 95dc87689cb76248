//! What was filled into a form: a wish, or what is wrong with it, at its field.

use jiff::{SignedDuration, Timestamp};

use super::{Payload, Pressed, Submitted, Wanted};
use crate::domain::Refusal;
use crate::domain::ids::{Channel, IntentId, UserId, Workspace};
use crate::domain::incident::LONGEST_SNOOZE;
use crate::domain::intent::{Action, Actor, Changes, Closing, Intent, Job, Place, ReplyTo, Target};
use crate::domain::severity::Severity;
use crate::domain::surfaces::FromMessage;
use crate::render::modal::{self, CreateContext, Draft, IncidentContext, ReasonContext};

/// A form's wish, or its mistakes.
type Read = Result<Action, Vec<(&'static str, Refusal)>>;

/// How long ago what a person reports may have begun.
const LONGEST_AGO: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Payload {
    /// Somebody wants to say more than the create form asks for at first. <https://docs.slack.dev/reference/methods/views.update>
    pub(super) fn more(&self, pressed: &Pressed, now: Timestamp) -> Option<Wanted> {
        let view = self.view.as_ref().filter(|_| pressed.action_id == "create_incident_more")?;
        let typed = |block| view.text(block).unwrap_or_default();
        let severity = view.chosen("severity").as_deref().and_then(Severity::parse);
        let draft = Draft { title: typed("title"), severity, service: typed("service"), description: typed("description") };
        let context: CreateContext = serde_json::from_str(&view.private_metadata).unwrap_or_default();
        let Some(workspace) = self.workspace() else { return Some(Wanted::Ignore("a form of no workspace".to_owned())) };
        let grown = Box::new(modal::create_with_more(&context, &draft, now));
        Some(Wanted::Replace { workspace, shown: view.id.clone(), hash: view.hash.clone(), view: grown })
    }

    pub(super) fn submitted(&self, now: Timestamp) -> Wanted {
        let Some(view) = &self.view else { return Wanted::Ignore("a submission without a view".to_owned()) };
        let read = match view.callback_id.as_str() {
            "create_incident" => view.create(now),
            "resolve_incident" => view.resolve(),
            "snooze_incident" => view.snooze(now),
            "assign_incident" => view.assign(),
            "escalate_incident" => view.escalate(),
            "severity_incident" => view.severity(),
            "note_incident" => view.note(),
            "reason_incident" => view.reason(),
            other => return Wanted::Ignore(format!("no view `{other}` here")),
        };
        let action = match read {
            Ok(action) => action,
            Err(mistakes) => return Wanted::Correct(mistakes),
        };
        let mut quoted = None;
        let (workspace, place, target) = if let Action::Create(_) = action {
            let context: CreateContext = serde_json::from_str(&view.private_metadata).unwrap_or_default();
            quoted = context.message;
            (self.workspace(), context.channel.map(|channel| Place { channel, message: None }), Target::New)
        } else {
            let context: Option<IncidentContext> = serde_json::from_str(&view.private_metadata).ok();
            let Some(context) = context else { return Wanted::Ignore("a form about an incident that is not ours".to_owned()) };
            let place = context.channel.map(|channel| Place { channel, message: context.message });
            (Some(context.workspace), place, Target::Id(context.incident))
        };
        let at = view.moment("since").unwrap_or(now);
        match (self.submission(view, workspace, place, (target, action), at), quoted) {
            (None, _) => Wanted::Ignore("a submission without a workspace or a user".to_owned()),
            (Some(intent), None) => Wanted::Queue(Job::Intent(Box::new(intent))),
            (Some(intent), Some(message)) => Wanted::Queue(Job::FromMessage(FromMessage { intent: Box::new(intent), message })),
        }
    }

    fn submission(
        &self,
        view: &Submitted,
        workspace: Option<Workspace>,
        place: Option<Place>,
        (target, action): (Target, Action),
        at: Timestamp,
    ) -> Option<Intent> {
        let (workspace, person) = (workspace?, self.person(place)?);
        // A submission brings no response_url: the answer goes to where the form was opened from, or to the person.
        let channel = person.place.as_ref().map_or_else(|| Channel::new(person.id.as_str()), |place| place.channel.clone());
        let reply = ReplyTo::Ephemeral { channel, user: person.id.clone(), thread: None };
        Some(Intent {
            // One form makes one wish, however often its button is pressed.
            id: IntentId::of("form", &[workspace.as_str(), &view.id]),
            workspace: Some(workspace),
            at,
            by: Actor::User(person),
            target,
            action,
            reply: Some(reply),
        })
    }
}

impl Submitted {
    fn create(&self, now: Timestamp) -> Read {
        let (title, description, service) = (self.text("title"), self.text("description"), self.text("service"));
        let (affected, hint) = (self.text("affected"), self.text("hint"));
        let mut mistakes: Vec<_> = [
            too_long("title", title.as_ref(), modal::TITLE_MAX),
            too_long("description", description.as_ref(), modal::DESCRIPTION_MAX),
            too_long("service", service.as_ref(), modal::SERVICE_MAX),
            too_long("affected", affected.as_ref(), modal::AFFECTED_MAX),
            too_long("hint", hint.as_ref(), modal::HINT_MAX),
        ]
        .into_iter()
        .flatten()
        .collect();
        if title.is_none() {
            mistakes.push(("title", Refusal::new("Say in a few words what is wrong.")));
        }
        match self.moment("since").map(|since| now.duration_since(since)) {
            Some(ago) if ago < SignedDuration::ZERO => mistakes.push(("since", Refusal::new("That moment is still to come."))),
            Some(ago) if ago > LONGEST_AGO => {
                let days = LONGEST_AGO.as_hours() / 24;
                mistakes
                    .push(("since", Refusal::new(format!("At most {days} days ago, please: say in the description that it is older."))));
            }
            Some(_) | None => {}
        }
        let severity = self.chosen("severity").as_deref().and_then(Severity::parse);
        let assignee = self.person("assignee").map(|id| id.to_string());
        let each = |text: String| text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
        let components = affected.map(each);
        if mistakes.is_empty() {
            let said = Changes { title, description, severity, service, ..Changes::default() };
            Ok(Action::Create(Changes { assignee, components, action_hint: hint, ..said }))
        } else {
            Err(mistakes)
        }
    }

    fn resolve(&self) -> Read {
        let (note, root_cause) = (self.text("note"), self.text("root_cause"));
        let long = [too_long("note", note.as_ref(), modal::NOTE_MAX), too_long("root_cause", root_cause.as_ref(), modal::ROOT_CAUSE_MAX)];
        let mistakes: Vec<_> = long.into_iter().flatten().collect();
        if mistakes.is_empty() { Ok(Action::Resolve(Closing { note, root_cause })) } else { Err(mistakes) }
    }

    fn snooze(&self, now: Timestamp) -> Read {
        let wrong = |what: String| Err(vec![("until", Refusal::new(what))]);
        let Some(until) = self.moment("until") else { return wrong("Choose a day and an hour.".to_owned()) };
        let time = until.duration_since(now);
        if time <= SignedDuration::ZERO {
            return wrong("That moment is over already. Choose one that is still to come.".to_owned());
        }
        if time > LONGEST_SNOOZE {
            return wrong(format!("At most {} days, please: what sleeps longer is forgotten.", LONGEST_SNOOZE.as_hours() / 24));
        }
        Ok(Action::Snooze { until })
    }

    fn assign(&self) -> Read {
        self.person("to").map(|to| Action::Assign { to }).ok_or_else(|| vec![("to", Refusal::new("Choose who is to look at it."))])
    }

    fn escalate(&self) -> Read {
        let note = self.text("note");
        match too_long("note", note.as_ref(), modal::NOTE_MAX) {
            Some(mistake) => Err(vec![mistake]),
            None => Ok(Action::Escalate { to: self.person("to"), note }),
        }
    }

    fn severity(&self) -> Read {
        let severity = self.chosen("severity").as_deref().and_then(Severity::parse);
        let Some(severity) = severity else { return Err(vec![("severity", Refusal::new("Choose how bad it is."))]) };
        Ok(Action::Update(Changes { severity: Some(severity), ..Changes::default() }))
    }

    fn note(&self) -> Read {
        let Some(text) = self.text("note") else { return Err(vec![("note", Refusal::new("What should the note say?"))]) };
        match too_long("note", Some(&text), modal::NOTE_MAX) {
            Some(mistake) => Err(vec![mistake]),
            None => Ok(Action::Note { text, heard_in: None }),
        }
    }

    /// Why something is decided so.
    fn reason(&self) -> Read {
        // What is decided, the form has kept; that it is one of ours is seen to where its incident is.
        let kept: Option<ReasonContext> = serde_json::from_str(&self.private_metadata).ok();
        let (Some(kept), Some(reason)) = (kept, self.text("reason")) else {
            return Err(vec![("reason", Refusal::new("Please say why."))]);
        };
        match too_long("reason", Some(&reason), modal::REASON_MAX) {
            Some(mistake) => Err(vec![mistake]),
            None => Ok(Action::Decide { decision: kept.decision, option: kept.option, reason: Some(reason) }),
        }
    }

    fn field(&self, block: &str) -> Option<&super::Field> {
        self.state.values.get(block)?.values().next()
    }

    /// What was typed into a block, without the space around it; `None` for nothing.
    fn text(&self, block: &str) -> Option<String> {
        self.field(block)?.value.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn moment(&self, block: &str) -> Option<Timestamp> {
        Timestamp::from_second(self.field(block)?.selected_date_time?).ok()
    }

    fn chosen(&self, block: &str) -> Option<String> {
        self.field(block)?.selected_option.as_ref().map(|chosen| chosen.value.clone())
    }

    fn person(&self, block: &str) -> Option<UserId> {
        self.field(block)?.selected_user.as_ref().filter(|id| !id.is_empty()).map(UserId::new)
    }
}

fn too_long(block: &'static str, text: Option<&String>, most: usize) -> Option<(&'static str, Refusal)> {
    let length = text?.chars().count();
    let refusal = || Refusal::new(format!("At most {most} characters, please; these are {length}."));
    (length > most).then(|| (block, refusal()))
}
