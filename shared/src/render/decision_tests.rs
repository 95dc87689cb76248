//! What people are asked, in each state.

use super::hostile_tests::short;
use super::*;
use crate::domain::decision::{Asked, Called, Choice, Tone};
use crate::domain::people::Who;

fn choice(name: &str, label: &str, tone: Tone) -> Choice {
    Choice { name: name.into(), label: label.into(), tone, confirm: None, reason: false, quorum: None, call: Some("deploys".into()) }
}

/// Two approvals, and two buttons, all of whose words are `text`.
pub(super) fn asked_in(text: &str) -> Vec<Asked> {
    let option =
        |name: &str| Choice { confirm: Some(text.into()), quorum: Some(1), call: Some(text.into()), ..choice(name, text, Tone::Danger) };
    let asked = |name: &str, options| Asked { name: name.into(), options, who: Who::default(), expires_at: Some(at(600)) };
    let two = || vec![option("yes"), option("no")];
    let named = Asked { who: Who::new(vec![short(text)]), ..asked("third", two()) };
    vec![asked("first", two()), asked("second", vec![option("yes")]), named, asked("fourth", vec![option("yes")])]
}

pub(super) fn decides(decision: &str, option: &str, reason: Option<&str>) -> Action {
    Action::Decide { decision: decision.into(), option: option.into(), reason: reason.map(str::to_owned) }
}

pub(super) fn called(decision: &str, said: &str) -> Action {
    Action::Called { decision: decision.into(), outcome: Called { ok: false, said: said.into() } }
}

/// Somebody asks whether version 1.42 may go out.
fn release() -> Story {
    let approve = Choice {
        confirm: Some("Deploy checkout 1.42 to production now?".into()),
        quorum: Some(2),
        ..choice("approve", "Deploy", Tone::Primary)
    };
    let reject = Choice { reason: true, ..choice("reject", "Reject", Tone::Danger) };
    let who = Who::new(vec!["U0JANE".into(), "U0OMAR".into(), "S0RELEASE".into()]);
    let asked = Asked { name: "approval".into(), options: vec![approve, reject], who, expires_at: Some(at(240)) };
    let changes = Changes {
        title: Some("Deploy checkout 1.42 to production".into()),
        description: Some("12 commits by 3 people. Staging has been green for 2 h.".into()),
        severity: Some(Severity::P3),
        service: Some("checkout".into()),
        kind: Some("approval".into()),
        url: Some("https://ci.example.com/runs/4711".into()),
        decisions: Some(vec![asked]),
        ..Changes::default()
    };
    Story::new().then(0, &Actor::Source("ci".into()), Action::Create(changes))
}

fn came(ok: bool, said: &str) -> Action {
    Action::Called { decision: "approval".into(), outcome: Called { ok, said: said.into() } }
}

#[test]
fn an_approval_in_every_state() {
    let by = Actor::Source("deploys".into());
    let asked = release();
    assert_json_snapshot!("approval_asked", asked.card());
    let one = asked.clone().then(3, &jane(), decides("approval", "approve", None));
    assert_json_snapshot!("approval_one_of_two", one.card());
    assert_json_snapshot!("approval_one_of_two_reply", one.reply());
    let both = one.then(5, &omar(), decides("approval", "approve", None));
    assert_json_snapshot!("approval_calling", both.card());
    assert_json_snapshot!("approval_calling_reply", both.reply());
    let took = both.clone().then(6, &by, came(true, "rollout 991 started"));
    assert_json_snapshot!("approval_took", took.card());
    assert_json_snapshot!("approval_took_reply", took.reply());
    let failed = both.then(6, &by, came(false, "HTTP 503; given up after many tries"));
    assert_json_snapshot!("approval_failed", failed.card());
    assert_json_snapshot!("approval_failed_reply", failed.reply());
    let rejected = asked.clone().then(4, &omar(), decides("approval", "reject", Some("The error rate in staging is too high.")));
    assert_json_snapshot!("approval_rejected", rejected.card());
    assert_json_snapshot!("approval_rejected_reply", rejected.reply());
    let expired = asked.then(241, &Actor::Source("Tocsin".into()), Action::Expire);
    assert_json_snapshot!("approval_expired", expired.card());
    assert_json_snapshot!("approval_expired_reply", expired.reply());
}

#[test]
fn buttons_of_an_incidents_own() {
    let rollback = Choice { confirm: Some("Roll checkout back to 1.41?".into()), ..choice("rollback", "Roll back", Tone::Danger) };
    let asked = |choice: Choice| Asked { name: choice.name.clone(), options: vec![choice], who: Who::default(), expires_at: None };
    let decisions = Some(vec![asked(rollback), asked(choice("restart", "Restart", Tone::Plain))]);
    let story = Story::new().then(0, &cloudwatch(), Action::Create(Changes { decisions, ..full() }));
    assert_json_snapshot!("own_buttons", story.card());
    let pressed = story.then(2, &jane(), decides("rollback", "rollback", None));
    assert_json_snapshot!("own_button_pressed", pressed.card());
}

#[test]
fn the_form_for_a_reason() {
    let about = IncidentContext { workspace: Workspace::new("T1"), incident: IncidentId::new("INC-7K3QPF"), channel: None, message: None };
    let context = modal::ReasonContext { about, decision: "approval".into(), option: "reject".into() };
    assert_json_snapshot!("modal_reason", modal::reason(&context));
}

#[test]
fn a_workspaces_own_commands() {
    let mut settings = settings();
    assert_json_snapshot!("commands_none", answer::commands(&settings));
    let command = crate::domain::call::Command {
        name: "/deploy".into(),
        usage: Some("SERVICE [VERSION]".into()),
        help: Some("deploys a service".into()),
        call: "deploys".into(),
        who: Who::default(),
        in_channel: true,
    };
    settings.configuration.commands = vec![command];
    assert_json_snapshot!("commands", answer::commands(&settings));
    let Actor::User(by) = jane() else { panic!("a person") };
    let answered = |ok, text: &str| crate::domain::call::Answered {
        id: IntentId::of("test", &[]),
        workspace: Workspace::new("T1"),
        by: by.clone(),
        command: "/deploy".into(),
        ok,
        text: text.into(),
        reply: crate::domain::intent::ReplyTo::ResponseUrl(String::new()),
        in_channel: true,
    };
    assert_json_snapshot!("command_answered", answer::answered(&answered(true, "checkout 1.42 is on its way to <staging>")));
    assert_json_snapshot!("command_failed", answer::answered(&answered(false, "It was not done: HTTP 503.")));
}
