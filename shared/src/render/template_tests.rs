//! Cards of a workspace's own: what they show, and that nothing which comes from outside gets the better of them.

use insta::assert_json_snapshot;
use serde_json::Value;

use super::tests::{Story, changes_of, cloudwatch, full, hostile, jane, tokens};
use super::{card, limits};
use crate::domain::configuration::{self, Configuration};
use crate::domain::intent::{Action, Changes};
use crate::domain::template::{FIELDS, PARTS};

/// Settings with one template of these blocks.
fn with(blocks: &str) -> Configuration {
    let document = format!("[[templates]]\ntext = \"{{{{ incident.priority }}}} {{{{ incident.title }}}}\"\nblocks = '''{blocks}'''\n");
    configuration::read(&document).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

const OURS: &str = r#"[
  {"type": "header", "text": {"type": "plain_text", "text": "{{ incident.service | upper }}"}},
  {"type": "section", "text": {"type": "mrkdwn", "text": "*{{ incident.priority }}* since {{ incident.started }}, <{{ incident.url }}|at its source>"},
   "fields": [
     {"type": "mrkdwn", "text": "*Region*\\n{{ incident.details.Region | default('everywhere') }}"},
     {"type": "plain_text", "text": "{{ incident.started }} {{ incident.acknowledged_by }}"},
     {"type": "mrkdwn", "text": "{{ incident.details.Nothing }}"}
   ]},
  {"type": "divider"},
  {"type": "context", "elements": [
    {"type": "mrkdwn", "text": "{% if incident.acknowledged_by %}{{ incident.acknowledged_by }} has it{% endif %}"},
    {"type": "plain_text", "text": "{{ incident.components | join(' + ') }} ({{ incident.components }})"}
  ]}
]"#;

#[test]
fn a_template_is_the_body_and_the_buttons_stay() {
    let settings = with(OURS);
    assert_json_snapshot!("card_of_their_own", card(&Story::triggered().incident, &settings));
    assert_json_snapshot!("card_of_their_own_acknowledged", card(&Story::acknowledged().incident, &settings));
}

#[test]
fn a_template_is_for_what_it_matches() {
    let mut settings = with(OURS);
    settings.templates[0].matches = Some(crate::domain::routing::Match::Service("Search".into()));
    let shown = card(&Story::triggered().incident, &settings);
    assert_eq!(shown, Story::triggered().card());
}

/// Every field, in markup and in plain text.
fn everything() -> Configuration {
    let parts = PARTS.iter().flat_map(|(field, parts)| parts.iter().map(move |part| format!("{field}.{part}")));
    let fields = FIELDS
        .iter()
        .map(|(field, _)| (*field).to_owned())
        .filter(|field| !["metric", "deployment", "change", "details"].contains(&field.as_str()));
    let places: Vec<String> =
        fields.chain(parts).map(|field| format!("{{{{ incident.{field} }}}} {{{{ incident.{field} | default('-') }}}}")).collect();
    let text = |sort: &str, text: &str| format!(r#"{{"type": "{sort}", "text": {}}}"#, Value::from(text));
    let sections = places
        .iter()
        .map(|place| format!(r#"{{"type": "section", "text": {}, "fields": [{}]}}"#, text("mrkdwn", place), text("plain_text", place)));
    let header = format!(r#"{{"type": "header", "text": {}}}"#, text("plain_text", &places[1]));
    let context = format!(r#"{{"type": "context", "elements": [{}, {}]}}"#, text("mrkdwn", &places[13]), text("plain_text", &places[13]));
    with(&format!("[{}]", [header, context].into_iter().chain(sections).collect::<Vec<_>>().join(",")))
}

#[test]
fn no_value_breaks_a_template_its_limits_or_its_markup() {
    let settings = everything();
    for text in hostile() {
        let mut story = Story::new();
        story.incident.mentions.clear();
        let story = story.then(0, &crate::domain::intent::Actor::Source(text.clone()), Action::Create(changes_of(&text)));
        for story in [story.clone(), story.then(1, &jane(), Action::Acknowledge)] {
            let shown = serde_json::to_value(card(&story.incident, &settings)).unwrap();
            assert_eq!(limits::check(&shown), Vec::<String>::new(), "{text:.40}");
            assert!(!shown.to_string().contains("does not work"), "{text:.40}");
            // Whom the configuration calls, and who acted.
            let ours = ["!subteam^S0ONCALL", "@U0LENA", "@U0JANE"];
            let outside = tokens(&shown).into_iter().filter(|token| !token.starts_with("!date^") && !ours.contains(&token.as_str()));
            assert_eq!(outside.collect::<Vec<_>>(), Vec::<String>::new(), "{text:.40}");
        }
    }
}

#[test]
fn a_template_that_fails_at_night_shows_tocsins_own_words_and_why() {
    let settings = with(
        r#"[{"type": "section", "text": {"type": "mrkdwn", "text": "{% if incident.state == 'resolved' %}{{ incident.title | shout }}{% endif %}ok"}}]"#,
    );
    let open = serde_json::to_value(card(&Story::triggered().incident, &settings)).unwrap().to_string();
    assert!(open.contains("\"ok\"") && !open.contains("does not work"), "{open}");
    let over = serde_json::to_value(card(&Story::resolved().incident, &settings)).unwrap().to_string();
    assert!(over.contains("does not work: unknown filter") && over.contains("*Service:*"), "{over}");
}

#[test]
fn what_a_template_repeats_without_end_ends() {
    let settings = with(
        r#"[{"type": "section", "text": {"type": "mrkdwn", "text": "{% for a in incident.components %}{% for b in incident.components %}{% for c in incident.components %}{{ incident.title }}{% endfor %}{% endfor %}{% endfor %}"}}]"#,
    );
    let components = Some(vec!["x".to_owned(); 100]);
    let story = Story::new().then(0, &cloudwatch(), Action::Create(Changes { components, ..full() }));
    let shown = serde_json::to_value(card(&story.incident, &settings)).unwrap();
    assert_eq!(limits::check(&shown), Vec::<String>::new());
    assert!(shown.to_string().contains("ran out of fuel"), "{shown}");
}
