//! A document is read whole or refused with everything that is wrong with it.

use jiff::SignedDuration;

use super::{Configuration, Mistake, Switch, read};
use crate::domain::call::Subscriber;
use crate::domain::escalation::Callee;
use crate::domain::flapping::FlappingRate;
use crate::domain::ids::{Channel, UserId};
use crate::domain::people::Who;
use crate::domain::routing::Match;
use crate::domain::severity::Severity;
use crate::domain::sources::Sources;
use crate::domain::timeline::Heading;

const DOCUMENT: &str = r##"
thread = false
aliases = ["/opsknight"]

[notify]
acknowledged = false
least = "MEDIUM"

[reactions]
acknowledge = ["eyes", ":+1:"]
reopen = ["leftwards_arrow_with_hook"]

[snooze]
choices = ["5m", "1h 30m", "2d"]

[storm]
above = 100

[flapping]
times = 3

[sla.P1]
acknowledge = "5m"
resolve = "4h"

[[oncall]]
name = "checkout"
zone = "Europe/Berlin"
start = "2026-01-05T09:00"
people = ["U0JANE", "U0OMAR"]

[[escalation]]
name = "urgent"
match = { severity = "P1" }
repeat = 1
steps = [
  { call = ["rotation:checkout"] },
  { after = "10m", call = ["U0LENA", "S0ONCALL", "#management"] },
]

[approvals]
who = ["S0RELEASE"]
quorum = 2
expires_after = "4h"

[[endpoints]]
name = "deploys"
url = "https://deploys.example.com/tocsin"

[[subscribers]]
endpoint = "deploys"
events = ["resolved", "sla_breached", "refused"]
match = { service = "checkout" }

[[commands]]
name = "/deploy"
call = "deploys"
who = ["U0JANE"]
answer = "channel"

[accounts]
123456789012 = "production"

[sources.guardduty]
severity = "LOW"
service = "security"
runbook = "https://wiki.example.com/guardduty"

[routing]
default = { channel = "#incidents" }

[[routing.rules]]
match = { service = "checkout" }
to = [{ channel = "C0PAYMENTS", mentions = ["S0ONCALL"], name = "Payments", labels = ["tier-1"] }]

[[routing.rules]]
match = { severity = "HIGH" }
to = [{ channel = "#war-room" }, { channel = "U0JANE" }, { channel = "webhook:oncall" }]
"##;

#[test]
fn a_document_says_what_a_workspace_wants() {
    let Configuration { thread, notify, reactions, snooze, storm, flapping, sla, rotations, policies, routing, templates, reports, .. } =
        read(DOCUMENT).expect("a document");
    assert!(!thread && !notify.acknowledged && notify.resolved && notify.least == Severity::P2);
    assert_eq!(reactions.acknowledge, ["eyes", "+1"]);
    assert_eq!((reactions.resolve.len(), reactions.reopen.len(), reactions.escalate.len()), (2, 1, 0), "what is not said stays");
    assert_eq!(snooze, [5, 90, 2 * 24 * 60].map(SignedDuration::from_mins));
    assert!(templates.is_empty() && reports.is_empty());
    assert_eq!((storm.above, flapping), (100, FlappingRate { times: 3, minutes: 10 }));
    assert_eq!(sla.of(Severity::P1).acknowledge, Some(SignedDuration::from_mins(5)));
    assert_eq!(sla.of(Severity::P2).resolve, None);
    assert_eq!((rotations[0].days, rotations[0].people.len()), (7, 2));
    assert_eq!(policies[0].steps[0].call, [Callee::Rotation("checkout".into())]);
    let second = [Callee::Person(UserId::new("U0LENA")), Callee::Group("S0ONCALL".into()), Callee::Channel(Channel::new("#management"))];
    assert_eq!((policies[0].steps[1].call.as_slice(), policies[0].steps[1].after), (second.as_slice(), SignedDuration::from_mins(10)));
    let routing = routing.expect("routing");
    let channels =
        |service, severity| routing.targets(service, None, severity).iter().map(|target| target.channel.to_string()).collect::<Vec<_>>();
    assert_eq!(channels(Some("checkout"), Severity::P4), ["C0PAYMENTS"]);
    assert_eq!(channels(None, Severity::P2), ["#war-room", "U0JANE", "webhook:oncall"]);
    assert_eq!(channels(None, Severity::P3), ["#incidents"]);
}

#[test]
fn a_document_says_who_decides_and_who_is_called() {
    let Configuration { approvals, endpoints, subscribers, commands, aliases, .. } = read(DOCUMENT).expect("a document");
    assert_eq!((approvals.who, approvals.quorum), (Who::new(vec!["S0RELEASE".to_owned()]), 2));
    assert_eq!(approvals.expires_after, Some(SignedDuration::from_hours(4)));
    assert_eq!((endpoints[0].url.as_str(), endpoints[0].timeout), ("https://deploys.example.com/tocsin", SignedDuration::from_secs(10)));
    let events = vec![Heading::Resolved, Heading::SlaBreached, Heading::Refused];
    let matches = Some(Match::Service("checkout".into()));
    assert_eq!(subscribers, [Subscriber { endpoint: "deploys".into(), events, matches }]);
    assert_eq!((commands[0].word(), commands[0].call.as_str(), commands[0].in_channel), ("deploy", "deploys", true));
    assert_eq!(aliases, ["/opsknight"]);
}

#[test]
fn a_document_says_what_accounts_are_called_and_how_loud_a_source_is() {
    let Sources { accounts, wishes } = read(DOCUMENT).expect("a document").sources;
    assert_eq!(accounts, [("123456789012".to_owned(), "production".to_owned())]);
    let [wish] = wishes.as_slice() else { panic!("{wishes:?}") };
    assert_eq!((wish.source.as_str(), wish.severity, wish.service.as_deref()), ("guardduty", Some(Severity::P3), Some("security")));
    assert_eq!(wish.runbook.as_deref(), Some("https://wiki.example.com/guardduty"));
}

#[test]
fn nothing_said_is_a_workspace_that_works() {
    assert_eq!(read(""), Ok(Configuration::default()));
}

/// Each wrong in one way: the document, the line, the key, and what its mistake says.
#[derive(serde::Deserialize)]
struct Wrong {
    document: String,
    line: usize,
    key: String,
    says: String,
}

#[test]
fn each_mistake_is_refused_at_its_place() {
    let wrong: Vec<Wrong> = serde_json::from_str(include_str!("wrong.json")).expect("a list");
    assert!(wrong.len() >= 50, "{}", wrong.len());
    for Wrong { document, line, key, says } in wrong {
        let mistakes = read(&document).expect_err(&document);
        let named = |mistake: &Mistake| mistake.line == line && mistake.key == key && mistake.what.contains(&says);
        assert!(mistakes.iter().any(named), "{document}\n{mistakes:#?}");
    }
}

#[test]
fn every_switch_is_a_setting_of_its_own() {
    for switch in Switch::ALL {
        let off = read(&format!("[notify]\n{} = false", switch.key())).expect("a document").notify;
        let others = Switch::ALL.into_iter().filter(|other| *other != switch);
        assert!(!off.is_on(switch) && others.into_iter().all(|other| off.is_on(other)), "{}", switch.key());
        assert_eq!(Switch::parse(switch.key()), Some(switch));
    }
}

#[test]
fn all_mistakes_of_a_document_are_told_at_once_and_in_order() {
    let document = "tread = true\n\n[storm]\nabove = -1\n\n[routing]\ndefault = { channel = \"incidents\" }\n";
    let mistakes: Vec<String> = read(document).expect_err("mistakes").iter().map(ToString::to_string).collect();
    let begins = ["line 1, column 1: `tread`: ", "line 4, column 9: `storm.above`: ", "line 7, column 24: `routing.default.channel`: "];
    assert_eq!(mistakes.len(), 3, "{mistakes:#?}");
    for (mistake, begin) in mistakes.iter().zip(begins) {
        assert!(mistake.starts_with(begin), "{mistake}");
    }
}

/// What is wrong with a template of these blocks, with the line and the column within the blocks.
fn wrong_blocks(blocks: &str) -> Vec<String> {
    let document = format!("[[templates]]\nblocks = '''\n{blocks}\n'''\n");
    let mistakes = read(&document).err().unwrap_or_default();
    mistakes
        .into_iter()
        .map(|mistake| format!("{}:{} {}: {}", mistake.line.saturating_sub(2), mistake.column, mistake.key, mistake.what))
        .collect()
}

/// A section with this text.
fn of_text(text: &str) -> String {
    format!("[\n  {{\"type\": \"section\", \"text\": {{\"type\": \"mrkdwn\", \"text\": {}}}}}\n]", serde_json::Value::from(text))
}

#[test]
fn a_template_is_read_with_its_texts() {
    let document = r#"
[[templates]]
match = { service = "checkout" }
text = "{{ incident.title }}"
blocks = '''{"blocks": [
  {"type": "header", "text": {"type": "plain_text", "text": "{{ incident.title | upper }}", "emoji": true}},
  {"type": "section", "block_id": "b", "text": {"type": "mrkdwn", "text": "<{{ incident.url }}|Open> {% if incident.service %}*{{ incident.service }}*{% endif %}"},
   "fields": [{"type": "plain_text", "text": "{{ incident.details['Region'] | default('-') }}"}]},
  {"type": "divider"},
  {"type": "context", "elements": [{"type": "mrkdwn", "text": "{% for name in incident.components %}{{ name }} {% endfor %}{{ incident.metric.value }} {{ incident.details.a }}"}]}
]}'''
"#;
    let document = document.replace("\\'", "'");
    let configuration = read(&document).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert_eq!((configuration.templates.len(), configuration.templates[0].blocks.len()), (1, 4));
}

#[test]
fn a_mistake_in_a_template_says_where_it_is_and_what_is_allowed() {
    let text = |text: &str| wrong_blocks(&of_text(text));
    let one = |found: Vec<String>, place: &str, words: &[&str]| {
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(place) && words.iter().all(|word| found[0].contains(word)), "{found:?}");
    };
    let leaf = "2:58 templates[1].blocks[1].text.text: ";
    one(text("{{ incident.titel }}"), leaf, &["no field `incident.titel`", "Did you mean `incident.title`?", "`priority`"]);
    one(text("{{ title }}"), leaf, &["no field `title`", "Did you mean `incident.title`?"]);
    one(text("{{ incident.metric.size }}"), leaf, &["no field `incident.metric.size`"]);
    one(text("{{ incident.details.a.b }}"), leaf, &["no field `incident.details.a.b`"]);
    one(text("{{ incident['title'] }}"), leaf, &["no field"]);
    one(text("{{ incident.title"), leaf, &["this is no template", "{{ incident.title }}"]);
    one(text("{% include 'x' %}"), leaf, &["this is no template"]);
    one(text("{{ incident.title | shout }}"), leaf, &["does not work", "shout"]);
    one(text("{% for a in incident.components %}{% for b in 'y' * 30000 %}{{ b }}{% endfor %}{% endfor %}"), leaf, &["does not work"]);
    one(text(&"x".repeat(3_001)), leaf, &["3001 long", "3000"]);
    one(text("<!{{ incident.title }}>"), leaf, &["who is called"]);
    one(text("<{{ incident.title }}>"), leaf, &["who is called"]);
    one(text("<@{{ incident.assignee }}>"), leaf, &["who is called"]);
    one(text("a < b"), leaf, &["never closed", "&lt;"]);
    assert_eq!(
        text("<!here> *{{ incident.title }}* <https://example.com/{{ incident.id }}|here>"),
        Vec::<String>::new(),
        "one's own words may call"
    );
    one(wrong_blocks("[\n  {\"type\": \"section\",,}\n]"), "2:22 templates[1].blocks: ", &["no JSON"]);
    one(wrong_blocks("{}"), "1:1 templates[1].blocks: ", &["list of blocks"]);
    one(
        wrong_blocks("[\n{\"type\": \"actions\", \"elements\": []}]"),
        "2:10 templates[1].blocks[1].type: ",
        &["Tocsin's own", "`context`"],
    );
    one(wrong_blocks("[\n{\"type\": \"divider\", \"colour\": 1}]"), "2:21 templates[1].blocks[1].colour: ", &["no such key"]);
    one(wrong_blocks("[\n{\"type\": \"section\"}]"), "2:10 templates[1].blocks[1]: ", &["`text` or `fields`"]);
    let header = |sort: &str| wrong_blocks(&format!("[{{\"type\": \"header\", \"text\": {{\"type\": \"{sort}\", \"text\": \"x\"}}}}]"));
    one(header("mrkdwn"), "1:", &["blocks[1].text", "plain_text"]);
    assert!(header("plain_text").is_empty());
    let many = format!("[{}]", vec!["{\"type\": \"divider\"}"; 41].join(","));
    one(wrong_blocks(&many), "1:1 templates[1].blocks: ", &["41 blocks", "40"]);
    let fields = ["{\"type\": \"plain_text\", \"text\": \"x\"}"; 11].join(",");
    one(
        wrong_blocks(&format!("[{{\"type\": \"section\", \"fields\": [{fields}]}}]")),
        "1:22 templates[1].blocks[1].fields: ",
        &["11", "10"],
    );
    let both = read("[[templates]]\ntext = \"{{ x }}\"\nmatch = { kind = \"a\", service = \"b\" }").expect_err("mistakes");
    let keys: Vec<_> = both.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(keys, ["templates[1].blocks", "templates[1].text", "templates[1].match"]);
}

#[test]
fn a_report_says_when_and_where() {
    let document = r##"
[[reports]]
name = "Every morning"
channel = "#incidents"
zone = "Europe/Berlin"
every = "daily 09:00"

[[reports]]
name = "Working days"
channel = "C0INCIDENTS"
cron = "0  9 * * 1-5"
"##;
    let reports = read(document).expect("a document").reports;
    let said: Vec<_> = reports.iter().map(|report| (report.name.as_str(), report.schedule.as_str())).collect();
    assert_eq!(said, [("Every morning", "0 9 * * *"), ("Working days", "0 9 * * 1-5")]);
    let wrong = "[[reports]]\nname = \"a\"\nchannel = \"x\"\nevery = \"hourly\"\n\
                 [[reports]]\nname = \"b\"\nchannel = \"#b\"\nevery = \"daily 09:00\"\ncron = \"0 9 * * *\"\n\
                 [[reports]]\nname = \"b\"\nchannel = \"#b\"\ncron = \"9\"\nzone = \"Mars\"";
    let mistakes = read(wrong).expect_err("mistakes");
    let keys: Vec<_> = mistakes.iter().map(|mistake| format!("{}:{}", mistake.line, mistake.key)).collect();
    assert_eq!(
        keys,
        ["3:reports[1].channel", "4:reports[1].every", "5:reports[2]", "11:reports[3].name", "13:reports[3].cron", "14:reports[3].zone"]
    );
}
