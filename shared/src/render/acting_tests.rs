//! What responders do with an incident, and who is called: cards, replies, answers and forms.

use super::*;
use crate::domain::configuration;
use crate::domain::sla::Promise;

/// A workspace with a rotation, a policy that calls it and then others, and promises.
pub(super) fn on_duty() -> Settings {
    let document = r#"
        [[oncall]]
        name = "checkout"
        start = "2026-01-05T09:00"
        people = ["U0JANE", "U0OMAR"]

        [[escalation]]
        name = "urgent"
        steps = [
          { after = "0m", call = ["rotation:checkout"] },
          { after = "10m", call = ["U0LENA", "S0ONCALL", "C0MANAGEMENT"] },
        ]

        [sla.P1]
        acknowledge = "5m"
        resolve = "4h"
    "#;
    let configuration = configuration::read(document).unwrap();
    Settings { configuration, ..Settings::of(Channel::new("#incidents"), at(0)) }
}

fn tocsin() -> Actor {
    Actor::Source("Tocsin".into())
}

fn to(person: &str) -> Action {
    Action::Assign { to: UserId::new(person) }
}

#[test]
fn what_is_snoozed_says_until_when_and_wakes_up() {
    let snoozed = Story::triggered().then(4, &jane(), Action::Snooze { until: at(64) });
    assert_json_snapshot!("card_snoozed", snoozed.card());
    assert_json_snapshot!("reply_snoozed", snoozed.reply());
    assert_json_snapshot!("answer_snoozed", snoozed.answer());
    let by_itself = snoozed.clone().then(64, &tocsin(), Action::Wake);
    assert_json_snapshot!("card_woken", by_itself.card());
    assert_json_snapshot!("reply_woken", by_itself.reply());
    let by_a_person = snoozed.then(10, &omar(), Action::Wake);
    assert_json_snapshot!("reply_woken_by_a_person", by_a_person.reply());
    assert_json_snapshot!("answer_woken", by_a_person.answer());
}

#[test]
fn what_is_assigned_names_whose_it_is() {
    let assigned = Story::triggered().then(4, &jane(), to("U0LENA"));
    assert_json_snapshot!("card_assigned", assigned.card());
    assert_json_snapshot!("reply_assigned", assigned.reply());
    assert_json_snapshot!("answer_assigned", assigned.answer());
}

#[test]
fn who_is_called_stands_on_the_card_until_somebody_has_it() {
    let called = Story::within(on_duty()).then(0, &cloudwatch(), Action::Create(full()));
    assert_json_snapshot!("card_called", called.card());
    let next = called.clone().then(10, &tocsin(), Action::CallNext);
    assert_json_snapshot!("card_called_next", next.card());
    assert_json_snapshot!("reply_called_next", next.reply());
    let all = next.then(20, &tocsin(), Action::CallNext);
    assert_json_snapshot!("card_called_all", all.card());
    assert_json_snapshot!("reply_called_all", all.reply());
    assert_json_snapshot!("card_called_and_taken", all.then(21, &jane(), Action::Acknowledge).card());
    let why = Some("It is beyond us.".to_owned());
    let escalated = called.then(3, &omar(), Action::Escalate { to: Some(UserId::new("U0LENA")), note: why });
    assert_json_snapshot!("card_escalated", escalated.card());
    assert_json_snapshot!("reply_escalated", escalated.reply());
    assert_json_snapshot!("answer_escalated", escalated.answer());
}

#[test]
fn what_was_promised_and_not_kept_is_told() {
    let begun = Story::within(on_duty()).then(0, &cloudwatch(), Action::Create(Changes { sla_breach_at: None, ..full() }));
    assert_json_snapshot!("card_promised", begun.card());
    let late = begun.then(5, &tocsin(), Action::Due(Promise::Acknowledge));
    assert_json_snapshot!("card_late", late.card());
    assert_json_snapshot!("reply_late_to_acknowledge", late.reply());
    let later = late.then(6, &jane(), Action::Acknowledge).then(240, &tocsin(), Action::Due(Promise::Resolve));
    assert_json_snapshot!("card_late_to_resolve", later.card());
    assert_json_snapshot!("reply_late_to_resolve", later.reply());
}

#[test]
fn who_is_on_call_and_who_comes_next() {
    assert_json_snapshot!("answer_on_call", answer::on_call(&on_duty()));
    assert_json_snapshot!("answer_on_call_nobody", answer::on_call(&Settings::of(Channel::new("#incidents"), at(0))));
}

/// Every form about this incident.
pub(super) fn forms(id: &str) -> Vec<(&'static str, Value)> {
    let context = IncidentContext {
        workspace: Workspace::new("T0TOCSIN"),
        incident: IncidentId::new(id),
        channel: Some(Channel::new("C0INCIDENTS")),
        message: Some(MessageTs::new("1768446121.000100")),
    };
    vec![
        ("modal_snooze", json(&modal::snooze(&context, at(4)))),
        ("modal_assign", json(&modal::assign(&context))),
        ("modal_escalate", json(&modal::escalate(&context))),
        ("modal_severity", json(&modal::severity(&context, Severity::P2))),
        ("modal_note", json(&modal::note(&context))),
    ]
}

#[test]
fn a_form_for_each_thing_that_needs_more_than_a_press() {
    for (name, form) in forms("INC-7K3QPF") {
        assert_json_snapshot!(name, form);
    }
    for (name, form) in forms("INC-0123456789ABCDEF") {
        assert_eq!(limits::check(&form), Vec::<String>::new(), "{name}");
        assert_eq!(form["title"]["text"], "INC-0123456789ABCDEF", "{name}: the longest id is not cut");
    }
}
