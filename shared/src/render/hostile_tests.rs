//! Every message and view, made of texts that try to break out, to break the layout or to break Slack's limits.

use super::*;
use crate::domain::call::{Answered, Command};
use crate::domain::escalation::Callee;
use crate::domain::people::Who;
use crate::domain::sla::Promise;

/// Texts that try to break out, to break the layout or to break the limits.
pub(in crate::render) fn hostile() -> Vec<String> {
    let texts = [
        "<!channel> <!here> <!everyone> <@U0JANE> <#C0GENERAL> <!subteam^S0ONCALL> @channel @here",
        "<https://evil.example|Slack> & <b>bold</b> &amp; &lt;!channel&gt;",
        "*bold* _it_ ~no~ `code` ```block``` > quote\n> quote\n\n\n• list",
        "\u{202e}txet desrever\u{202c} \u{2067}עברית مرحبا\u{2069}",
        "👩‍👩‍👧‍👦🔥👍🏽",
        "&",
        "<",
        ">",
        "\u{0}\u{7}\r\n\t",
        "   ",
        "",
        "<@",
        "<!",
        "<!date^1^{time}|x>",
    ];
    let long = ["x", "word ", "&", "<", "👍", "é\u{301}", "<!channel>", "\n", "ש"];
    let repeated = long.iter().map(|text| text.repeat(30_000 / text.chars().count()));
    texts.iter().map(|text| (*text).to_owned()).chain(repeated).collect()
}

/// Ten times what a short fact may be.
pub(super) fn short(text: &str) -> String {
    text.chars().take(3_000).collect()
}

pub(in crate::render) fn changes_of(text: &str) -> Changes {
    let (some, short) = (|| Some(text.to_owned()), short(text));
    let url = |text: &str| format!("https://example.com/{text}");
    let links =
        std::iter::once(link(text, &url(text))).chain((1..40).map(|_| link(&short, &url(&short.chars().take(900).collect::<String>()))));
    Changes {
        title: some(),
        description: some(),
        severity: Some(Severity::P1),
        service: some(),
        kind: some(),
        components: Some(vec![short.clone(); 60]),
        assignee: some(),
        action_hint: some(),
        sla_breach_at: Some(at(30)),
        url: Some(url(text)),
        links: Some(links.collect()),
        details: Some(vec![detail(&short, &short); 60]),
        decisions: Some(decision_tests::asked_in(text)),
        metric: Some(Metric {
            name: text.to_owned(),
            value: Number::parse("1e300").unwrap(),
            limit: Number::parse("-1e-300").unwrap(),
            unit: some(),
            comparison: Comparison::Above,
        }),
        deployment: Some(deployment(text, Progress::Failed)),
        change: Some(Change { what: text.to_owned(), place: some(), from: some(), to: some() }),
        ..Changes::default()
    }
}

fn deployment(text: &str, status: Progress) -> Deployment {
    let some = || Some(text.to_owned());
    Deployment { version: some(), environment: some(), status: Some(status), commit: some(), by: some() }
}

/// A workspace all of whose names are `text`, with a policy that calls many.
fn everybody_called(text: &str) -> Settings {
    let mut settings = acting_tests::on_duty();
    let configuration = &mut settings.configuration;
    let rotation = &mut configuration.rotations[0];
    (rotation.name, rotation.people) = (text.to_owned(), vec![UserId::new(short(text)); 60]);
    configuration.rotations = vec![rotation.clone(); 60];
    let step = &mut configuration.policies[0].steps[0];
    let each = || [Callee::Rotation(text.to_owned()), Callee::Person(UserId::new(short(text))), Callee::Group(short(text))];
    step.call = (0..20).flat_map(|_| each()).collect();
    let command = Command {
        name: short(text),
        usage: Some(text.to_owned()),
        help: Some(text.to_owned()),
        call: text.to_owned(),
        who: Who::default(),
        in_channel: true,
    };
    configuration.commands = vec![command; 60];
    settings
}

fn answered(text: &str, ok: bool) -> Answered {
    let Actor::User(by) = user(text, text) else { panic!("a person") };
    let (reply, command) = (crate::domain::intent::ReplyTo::ResponseUrl(String::new()), text.to_owned());
    let (id, workspace) = (IntentId::of("test", &[]), Workspace::new("T1"));
    Answered { id, workspace, by, command, ok, text: text.to_owned(), reply, in_channel: true }
}

/// Every message there is, about an incident all of whose texts are `text`.
fn every_message(text: &str) -> Vec<Value> {
    let source = Actor::Source(text.to_owned());
    let stranger =
        Actor::User(Person { id: UserId::new(text), name: Some(text.to_owned()), email: None, team: None, enterprise: None, place: None });
    let closing = Closing { note: Some(text.to_owned()), root_cause: Some(text.to_owned()) };
    let mut story = Story::within(everybody_called(text));
    story.incident.mentions = vec![short(text); 60];
    story.incident.channels = vec![Channel::new(short(text)); 60];
    let steps = [
        (&source, Action::Create(changes_of(text))),
        (&source, Action::Create(changes_of(text))),
        (&source, Action::Due(Promise::Acknowledge)),
        (&source, Action::CallNext),
        (&stranger, Action::Escalate { to: Some(UserId::new(text)), note: Some(text.to_owned()) }),
        (&stranger, Action::Escalate { to: None, note: Some(text.to_owned()) }),
        (&stranger, Action::Assign { to: UserId::new(text) }),
        (&stranger, Action::Snooze { until: at(600) }),
        (&source, Action::Wake),
        (&source, severity(Severity::P4)),
        (&source, Action::Update(Changes { deployment: Some(deployment(text, Progress::Started)), ..Changes::default() })),
        (&stranger, Action::Acknowledge),
        (&source, note(text)),
        (&stranger, decision_tests::decides("first", "yes", Some(text))),
        (&source, decision_tests::called("first", text)),
        (&stranger, decision_tests::decides("second", "yes", Some(text))),
        (&stranger, Action::Resolve(closing.clone())),
        (&source, Action::Reopen),
        (&source, Action::Resolve(closing)),
        (&source, Action::Update(Changes { deployment: Some(deployment(text, Progress::Succeeded)), ..Changes::default() })),
        (&source, Action::Update(Changes { kind: Some("notice".to_owned()), ..Changes::default() })),
    ];
    let mut messages = Vec::new();
    for (minute, (by, action)) in (0..).zip(steps) {
        story = story.then(minute, by, action);
        messages.extend([json(&story.card()), json(&story.answer())]);
        messages.push(json(&story.reply()));
        let entries: Vec<_> = story.entries.iter().cycle().take(60).cloned().collect();
        messages.push(json(&answer::show(&story.incident, &entries)));
    }
    let summary = Summary { state: State::Acknowledged, ..story.incident.summary().unwrap() };
    let summaries: Vec<_> = (0..60).map(|number| Summary { severity: Severity::ALL[number % 4], ..summary.clone() }).collect();
    messages.extend([json(&answer::list(&summaries, 7)), json(&answer::status(&summaries, 7))]);
    messages.push(json(&under_a_link(&summary)));
    messages.push(json(&report::report(&format!("x{text}"), &tally(text))));
    let line = format!("{text} <@U0JANE> {text}");
    messages.push(json(&answer::refused(&Refusal::new(line))));
    messages.push(json(&help([(text, text); 10])));
    let page = json(&digest::page(&vec![story.incident.clone(); PAGE]));
    assert_eq!(page["blocks"].as_array().map(Vec::len), Some(PAGE), "every incident of a page has its place");
    let members = vec![Member::of(&story.incident); 60];
    let open = members.into_iter().map(|member| Member { state: State::Triggered, ..member }).collect();
    messages.push(json(&notice::hello(&Workspace::new("T0TOCSIN"), &Channel::new("C0GENERAL"))));
    messages.extend([Some(text), None].map(|link| json(&notice::began(&story.incident, link))));
    messages.push(json(&answer::on_call(&story.settings)));
    messages.push(json(&answer::commands(&story.settings)));
    messages.extend([true, false].map(|ok| json(&answer::answered(&answered(text, ok)))));
    messages.push(json(&answer::set(&Setting::DefaultChannel(Channel::new(text)), &configured())));
    messages.extend([page, json(&digest::digest(&Overview { started: at(0), ended: None, members: open }))]);
    messages
}

/// Home of somebody who has sixty incidents all of whose texts are `text`, in every state.
fn every_home(text: &str) -> Vec<Value> {
    let summary = Story::new().then(0, &Actor::Source(text.to_owned()), Action::Create(changes_of(text))).incident.summary().unwrap();
    // Slack gives ids, and keeps them short.
    let person = UserId::new(text.chars().take(30).collect::<String>());
    let open: Vec<_> =
        (0..60).map(|number| Summary { severity: Severity::ALL[number % 4], assignee: Some(person.clone()), ..summary.clone() }).collect();
    let mut settings = configured();
    let mut rotation = settings.configuration.rotations[0].clone();
    (rotation.name, rotation.people) = (text.to_owned(), vec![person.clone()]);
    settings.configuration.rotations = vec![rotation; 100];
    settings.configuration.routing = Some(Routing::all_to(Channel::new(text)));
    let refusal = Refusal::new(format!("{text} <@U0JANE>"));
    let admin = Home { person: &person, open: &open, elsewhere: 7, settings: &settings, admin: true, trouble: Some(&refusal) };
    vec![json(&home::home(&admin)), json(&home::home(&Home { admin: false, trouble: None, ..admin })), json(&home::closed(&refusal))]
}

#[test]
fn every_message_stays_within_the_limits_whatever_it_is_made_from() {
    let mut broken = Vec::new();
    for text in hostile() {
        for message in every_message(&text).into_iter().chain(every_home(&text)) {
            let found = limits::check(&message);
            if !found.is_empty() {
                let start: String = text.chars().take(30).collect();
                broken.push(format!("{start:?} × {}: {found:?} in {:.300}", text.len(), message.to_string()));
            }
        }
    }
    assert!(broken.is_empty(), "{} messages break a limit, the first: {}", broken.len(), broken.first().unwrap());
}

/// All `<…>` of a message's markup: what Slack acts upon.
pub(in crate::render) fn tokens(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) if fields.get("type").is_some_and(|sort| sort == "plain_text") => Vec::new(),
        Value::Object(fields) => fields.values().flat_map(tokens).collect(),
        Value::Array(values) => values.iter().flat_map(tokens).collect(),
        Value::String(text) => text.split('<').skip(1).map(|token| token.split('>').next().unwrap_or_default().to_owned()).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[test]
fn text_from_outside_notifies_nobody() {
    let hostile = "<!channel> <!here> <!everyone> <@U0JANE> <#C0GENERAL> <!subteam^S0ONCALL> <https://evil.example|Slack>";
    // The refusal is this program's own text, in which people are named on purpose.
    let messages = every_message(hostile).into_iter().filter(|message| !message["text"].as_str().unwrap().ends_with("Slack&gt;"));
    // Whom the workspace's own configuration calls is called.
    let ours = ["!subteam^S0ONCALL", "@U0LENA", "#C0MANAGEMENT"];
    for message in messages {
        let found = tokens(&message);
        let outside: Vec<_> = found.iter().filter(|token| !token.starts_with("!date^") && !ours.contains(&token.as_str())).collect();
        assert_eq!(outside, Vec::<&String>::new(), "{}", message["text"]);
    }
}

#[test]
fn a_refusal_names_people_and_calls_nobody_else() {
    let text = |line: &str| json(&answer::refused(&Refusal::new(line)))["text"].as_str().unwrap().to_owned();
    assert_eq!(text("<@U0JANE> had INC-1 already."), "<@U0JANE> had INC-1 already.");
    assert_eq!(text("<!channel> & <@U0JANE|jane> <@here> <@"), "&lt;!channel&gt; &amp; &lt;@U0JANE|jane&gt; &lt;@here&gt; &lt;@");
}
