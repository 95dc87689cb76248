//! Every message in every state, as snapshots; and every message within Slack's limits, whatever it is made from.

use insta::assert_json_snapshot;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::home::{self, Home};
use super::modal::{CreateContext, Draft, IncidentContext};
use super::{answer, card, digest, help, limits, modal, notice, reply, report};
use crate::domain::Refusal;
use crate::domain::configuration::Switch;
use crate::domain::flapping::FlappingRate;
use crate::domain::ids::{Channel, DedupKey, IncidentId, IntentId, MessageTs, UserId, Workspace};
use crate::domain::incident::{Incident, Outcome, State, Summary};
use crate::domain::intent::{self, Action, Actor, Changes, Closing, Detail, Intent, Link, Person};
use crate::domain::kind::{Change, Comparison, Deployment, Metric, Number, Progress};
use crate::domain::report::{Period, Tally};
use crate::domain::routing::{Match, Routing, Rule, Target};
use crate::domain::settings::Settings;
use crate::domain::severity::Severity;
use crate::domain::storm::{Member, Overview, PAGE};
use crate::domain::surfaces::{Quoted, Setting};
use crate::domain::timeline::Entry;
use crate::mrkdwn;
use crate::slack::blocks::Message;

#[path = "acting_tests.rs"]
mod acting_tests;
#[path = "decision_tests.rs"]
mod decision_tests;
#[path = "hostile_tests.rs"]
mod hostile_tests;

pub(super) use hostile_tests::{changes_of, hostile, tokens};

/// 2026-01-15 03:02 UTC, and `minutes` later.
pub(super) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_768_446_120 + minutes * 60).unwrap()
}

pub(super) fn cloudwatch() -> Actor {
    Actor::Source("CloudWatch".into())
}

fn user(id: &str, name: &str) -> Actor {
    Actor::User(Person { id: UserId::new(id), name: Some(name.into()), email: None, team: None, enterprise: None, place: None })
}

pub(super) fn jane() -> Actor {
    user("U0JANE", "Jane Doe")
}

pub(super) fn omar() -> Actor {
    user("U0OMAR", "Omar Haddad")
}

/// A workspace in which a card shows in two places and calls somebody.
fn settings() -> Settings {
    let mut settings = Settings::of(Channel::new("#incidents"), at(0));
    let called = ["S0ONCALL", "U0LENA", "here"].map(str::to_owned);
    let everything = Severity::ALL.map(|severity| Rule {
        matches: Match::Severity(severity),
        to: vec![
            Target { mentions: called.to_vec(), ..Target::channel(Channel::new("C0PAYMENTS")) },
            Target::channel(Channel::new("#incidents")),
        ],
    });
    settings.configuration.routing = Some(Routing { rules: everything.into(), ..Routing::all_to(Channel::new("#incidents")) });
    settings
}

/// An incident as it comes about: by what was done to it.
#[derive(Clone)]
pub(super) struct Story {
    pub(super) incident: Incident,
    entries: Vec<Entry>,
    outcome: Option<Outcome>,
    settings: Settings,
}

impl Story {
    pub(super) fn new() -> Self {
        let key = Some(DedupKey::new("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-p99"));
        let incident = Incident::expected(Workspace::new("T0TOCSIN"), IncidentId::new("INC-7K3QPF"), key);
        Self { incident, entries: Vec::new(), outcome: None, settings: settings() }
    }

    /// In a workspace with these settings.
    pub(super) fn within(settings: Settings) -> Self {
        Self { settings, ..Self::new() }
    }

    pub(super) fn then(mut self, minutes: i64, by: &Actor, action: Action) -> Self {
        let intent = Intent {
            id: IntentId::of("test", &[&minutes.to_string(), action.name()]),
            workspace: None,
            at: at(minutes),
            by: by.clone(),
            target: intent::Target::Id(self.incident.id.clone()),
            action,
            reply: None,
        };
        match self.incident.apply(&intent, &Settings { now: at(minutes), ..self.settings.clone() }) {
            Ok(effect) => {
                self.incident = effect.incident;
                self.entries.extend(effect.entry);
                self.outcome = Some(effect.outcome);
            }
            Err(refusal) => self.outcome = Some(Outcome::Refused(refusal)),
        }
        self
    }

    pub(super) fn triggered() -> Self {
        Self::new().then(0, &cloudwatch(), Action::Create(full()))
    }

    pub(super) fn acknowledged() -> Self {
        Self::triggered().then(3, &jane(), Action::Acknowledge)
    }

    pub(super) fn resolved() -> Self {
        Self::acknowledged().then(12, &jane(), Action::Resolve(closing()))
    }

    pub(super) fn card(&self) -> Message {
        card(&self.incident, &self.settings.configuration)
    }

    pub(super) fn state(&self) -> State {
        self.incident.state()
    }

    /// The reply to what was done last.
    pub(super) fn reply(&self) -> Message {
        reply(&self.incident, self.entries.last().unwrap())
    }

    /// The answer to what was done last.
    pub(super) fn answer(&self) -> Message {
        answer::done(&self.incident, self.outcome.as_ref().unwrap())
    }
}

fn json(message: &impl Serialize) -> Value {
    serde_json::to_value(message).unwrap()
}

fn link(label: &str, url: &str) -> Link {
    Link { label: label.into(), url: url.into() }
}

fn detail(label: &str, value: &str) -> Detail {
    Detail { label: label.into(), value: value.into() }
}

pub(super) fn full() -> Changes {
    Changes {
        title: Some("Checkout p99 above 2 s".into()),
        description: Some("Threshold crossed: 3 datapoints were greater than the threshold (2.0).\nThe newest is 4.7 s.".into()),
        severity: Some(Severity::P1),
        service: Some("checkout".into()),
        kind: Some("cloudwatch".into()),
        components: Some(vec!["api".into(), "payments-db".into()]),
        assignee: Some("payments@example.com".into()),
        action_hint: Some("Look at the connection pool; a rollback is safe.".into()),
        sla_breach_at: Some(at(30)),
        url: Some("https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/checkout p99".into()),
        links: Some(vec![
            link("Runbook", "https://wiki.example.com/runbooks/checkout"),
            link("Logs", "https://logs.example.com/?q=checkout"),
        ]),
        details: Some(vec![detail("Metric", "Latency p99"), detail("Threshold", "> 2 s for 3 of 3 min"), detail("Region", "eu-west-1")]),
        ..Changes::default()
    }
}

fn least() -> Changes {
    Changes { title: Some("Disk is filling up".into()), ..Changes::default() }
}

fn closing() -> Closing {
    Closing { note: Some("Rolled back to v41.".into()), root_cause: Some("Connection pool too small".into()) }
}

fn note(text: &str) -> Action {
    Action::Note { text: text.into(), heard_in: None }
}

fn severity(severity: Severity) -> Action {
    Action::Update(Changes { severity: Some(severity), ..Changes::default() })
}

#[test]
fn a_card_in_every_state() {
    assert_json_snapshot!("card_triggered", Story::triggered().card());
    assert_json_snapshot!("card_acknowledged", Story::acknowledged().card());
    assert_json_snapshot!("card_acknowledged_by_a_system", Story::triggered().then(3, &cloudwatch(), Action::Acknowledge).card());
    assert_json_snapshot!("card_resolved", Story::resolved().card());
    assert_json_snapshot!(
        "card_resolved_by_its_source",
        Story::triggered().then(42, &cloudwatch(), Action::Resolve(Closing::default())).card()
    );
    assert_json_snapshot!("card_reopened", Story::resolved().then(20, &omar(), Action::Reopen).card());
    assert_json_snapshot!("card_expected", Story::new().then(1, &cloudwatch(), Action::Resolve(Closing::default())).card());
}

#[test]
fn a_card_of_which_little_is_known_has_no_empty_places() {
    let mut story = Story::new();
    story.incident.mentions.clear();
    assert_json_snapshot!("card_least", story.then(0, &omar(), Action::Create(least())).card());
}

#[test]
fn a_card_counts_repeats() {
    let repeated = (1..14).fold(Story::triggered(), |story, minute| story.then(minute, &cloudwatch(), Action::Create(full())));
    assert_json_snapshot!("card_counted", repeated.card());
    assert_json_snapshot!("answer_counted", repeated.answer());
}

#[test]
fn what_is_flapping_says_so() {
    let rate = FlappingRate::default();
    let mut story = Story::resolved();
    story.incident = story.incident.held(rate, at(20));
    let story = story.then(20, &cloudwatch(), Action::Create(full()));
    assert_json_snapshot!("card_flapping", story.card());
    assert_json_snapshot!("reply_flapping", story.reply());
}

#[test]
fn the_colour_follows_the_severity_until_it_is_over() {
    let color = |story: &Story| json(&story.card())["attachments"][0]["color"].as_str().unwrap().to_owned();
    let of = |severity| color(&Story::new().then(0, &omar(), Action::Create(Changes { severity: Some(severity), ..full() })));
    let mut colors: Vec<_> = Severity::ALL.map(of).into();
    colors.push(color(&Story::resolved()));
    assert_eq!(colors, ["#e01e5a", "#f2711c", "#ecb22e", "#36c5f0", "#2eb67d"]);
}

#[test]
fn a_reply_for_everything_that_is_done() {
    assert_json_snapshot!("reply_triggered", Story::triggered().reply());
    assert_json_snapshot!("reply_triggered_by_a_person", Story::new().then(0, &omar(), Action::Create(least())).reply());
    assert_json_snapshot!("reply_acknowledged", Story::acknowledged().reply());
    assert_json_snapshot!("reply_resolved", Story::resolved().reply());
    assert_json_snapshot!(
        "reply_resolved_by_its_source",
        Story::triggered().then(42, &cloudwatch(), Action::Resolve(Closing::default())).reply()
    );
    assert_json_snapshot!("reply_reopened", Story::resolved().then(20, &omar(), Action::Reopen).reply());
    assert_json_snapshot!("reply_noted", Story::triggered().then(5, &omar(), note("The pool is at 100 %.\nI am raising it.")).reply());
    let calmer = Story::triggered().then(5, &jane(), severity(Severity::P3));
    assert_json_snapshot!("reply_severity_down", calmer.reply());
    assert_json_snapshot!("reply_severity_up", calmer.clone().then(6, &cloudwatch(), severity(Severity::P2)).reply());
    let others = Changes { title: Some("Checkout is down".into()), assignee: Some("U0LENA".into()), ..Changes::default() };
    assert_json_snapshot!("reply_updated", Story::triggered().then(5, &cloudwatch(), Action::Update(others)).reply());
    let worse = Changes { severity: Some(Severity::P1), title: Some("Checkout is down".into()), ..Changes::default() };
    assert_json_snapshot!("reply_severity_and_title", calmer.then(7, &jane(), Action::Update(worse)).reply());
}

#[test]
fn what_was_opened_again_is_not_to_be_reopened() {
    let resolved = Story::resolved();
    let told_late = resolved.clone().then(20, &omar(), Action::Reopen);
    let buttons =
        |incident: &Incident| json(&reply(incident, resolved.entries.last().unwrap())).to_string().matches("reopen_incident").count();
    assert_eq!((buttons(&resolved.incident), buttons(&told_late.incident)), (1, 0));
}

#[test]
fn an_answer_for_every_outcome() {
    assert_json_snapshot!("answer_created", Story::triggered().answer());
    assert_json_snapshot!("answer_updated", Story::triggered().then(5, &jane(), severity(Severity::P3)).answer());
    assert_json_snapshot!("answer_acknowledged", Story::acknowledged().answer());
    assert_json_snapshot!("answer_resolved", Story::resolved().answer());
    assert_json_snapshot!("answer_reopened", Story::resolved().then(20, &omar(), Action::Reopen).answer());
    assert_json_snapshot!("answer_noted", Story::triggered().then(5, &omar(), note("raising it")).answer());
    assert_json_snapshot!("answer_expected", Story::new().then(1, &cloudwatch(), Action::Acknowledge).answer());
    assert_json_snapshot!("answer_late", Story::acknowledged().then(2, &cloudwatch(), Action::Acknowledge).answer());
    assert_json_snapshot!("answer_refused", Story::acknowledged().then(4, &omar(), Action::Acknowledge).answer());
    assert_json_snapshot!("answer_refused_resolved", Story::resolved().then(14, &omar(), Action::Acknowledge).answer());
}

/// A person's message, with what stands under the link in it.
fn under_a_link(summary: &Summary) -> Message {
    Message::new(mrkdwn!("look at this"), vec![], vec![super::link::link(summary)])
}

#[test]
fn what_stands_under_a_link() {
    assert_json_snapshot!("link", under_a_link(&Story::acknowledged().incident.summary().unwrap()));
    assert_json_snapshot!("link_resolved", under_a_link(&Story::resolved().incident.summary().unwrap()));
}

/// One of several open incidents.
fn one_of(number: u8, severity: Severity, minutes: i64) -> Summary {
    let changes = Changes { severity: Some(severity), title: Some(format!("Queue {number} is not read")), ..full() };
    let mut story = Story::new();
    story.incident.id = IncidentId::new(format!("INC-00000{number}"));
    story.then(minutes, &cloudwatch(), Action::Create(changes)).incident.summary().unwrap()
}

fn several() -> Vec<Summary> {
    let mut least = Story::new().then(-90, &omar(), Action::Create(least())).incident;
    least.id = IncidentId::new("INC-1EA5T0");
    let resolved = Story::resolved().incident.summary().unwrap();
    vec![
        one_of(3, Severity::P3, 4),
        least.summary().unwrap(),
        resolved,
        Story::acknowledged().incident.summary().unwrap(),
        one_of(2, Severity::P1, 9),
    ]
}

#[test]
fn a_list_is_sorted_and_leaves_out_what_is_over() {
    assert_json_snapshot!("list", answer::list(&several(), 0));
    assert_json_snapshot!("list_of_a_few", answer::list(&several()[..1], 3));
    assert_json_snapshot!("list_of_what_is_elsewhere", answer::list(&[], 1));
    assert_json_snapshot!("list_empty", answer::list(&[Story::resolved().incident.summary().unwrap()], 0));
    let many: Vec<_> = (0..30).map(|number| one_of(number, Severity::P2, i64::from(number))).collect();
    let many = json(&answer::list(&many, 0)).to_string();
    assert_eq!((many.matches("is not read").count(), many.matches("and 10 more").count()), (20, 1));
}

#[test]
fn a_list_of_long_titles_loses_none() {
    let long = |number| Summary { title: "Checkout answers slowly ".repeat(20), ..one_of(number, Severity::P2, i64::from(number)) };
    let many: Vec<_> = (0..20).map(long).collect();
    assert_eq!(json(&answer::list(&many, 0)).to_string().matches("INC-0000").count(), 20);
}

#[test]
fn a_long_timeline_shows_its_newest_lines() {
    let story = (1..30)
        .fold(Story::triggered(), |story, minute| story.then(minute, &omar(), note(&format!("{} line {minute}.", "word ".repeat(50)))));
    let shown = json(&answer::show(&story.incident, &story.entries));
    assert_eq!((shown.to_string().matches("*Note* by").count(), shown.to_string().matches("5 earlier entries").count()), (25, 1));
    assert_eq!(limits::check(&shown), Vec::<String>::new());
}

#[test]
fn what_is_only_expected_is_in_no_list() {
    assert_eq!(Story::new().then(1, &cloudwatch(), Action::Acknowledge).incident.summary(), None);
}

#[test]
fn the_status_in_two_lines() {
    assert_json_snapshot!("status", answer::status(&several(), 0));
    assert_json_snapshot!("status_all_held", answer::status(&[Story::acknowledged().incident.summary().unwrap()], 0));
    assert_json_snapshot!("status_quiet", answer::status(&[], 0));
}

#[test]
fn one_incident_is_shown_with_its_timeline() {
    let story = Story::triggered()
        .then(1, &jane(), severity(Severity::P2))
        .then(3, &jane(), Action::Acknowledge)
        .then(2, &cloudwatch(), Action::Acknowledge)
        .then(5, &omar(), note("raising the pool"))
        .then(12, &jane(), Action::Resolve(closing()));
    assert_json_snapshot!("show", answer::show(&story.incident, &story.entries));
    assert_json_snapshot!("show_least", answer::show(&Story::new().then(0, &omar(), Action::Create(least())).incident, &[]));
}

#[test]
fn the_forms() {
    let context = |id: &str| IncidentContext {
        workspace: Workspace::new("T0TOCSIN"),
        incident: IncidentId::new(id),
        channel: Some(Channel::new("C0INCIDENTS")),
        message: Some(MessageTs::new("1768446121.000100")),
    };
    assert_json_snapshot!("modal_resolve", modal::resolve(&context("INC-7K3QPF")));
    assert_json_snapshot!("modal_create", modal::create(&CreateContext { channel: Some(Channel::new("C0GENERAL")), message: None }));
    let draft = Draft { title: "Checkout is down".into(), severity: Some(Severity::P1), ..Draft::default() };
    assert_json_snapshot!("modal_create_with_more", modal::create_with_more(&CreateContext::default(), &draft, at(0)));
    let title = json(&modal::resolve(&context("INC-0123456789ABCDEF")))["title"]["text"].clone();
    assert_eq!(title, "INC-0123456789ABCDEF", "the longest id is not cut");
    let back: IncidentContext =
        serde_json::from_str(json(&modal::resolve(&context("INC-1")))["private_metadata"].as_str().unwrap()).unwrap();
    assert_eq!(back, context("INC-1"));
    for view in [modal::resolve(&context("INC-0123456789ABCDEF")), modal::create(&CreateContext::default())] {
        assert_eq!(limits::check(&json(&view)), Vec::<String>::new());
    }
}

#[test]
fn a_message_is_quoted_in_the_form_that_it_opens() {
    let (channel, ts) = (Channel::new("C0GENERAL"), MessageTs::new("1768446121.000100"));
    let context = CreateContext { channel: Some(channel.clone()), message: Some(Quoted { channel, ts, thread: None }) };
    let view = json(&modal::create_quoting(&context, "checkout is down\n\nsince nine"));
    assert_json_snapshot!("modal_create_quoting", view);
    let back: CreateContext = serde_json::from_str(view["private_metadata"].as_str().unwrap()).unwrap();
    assert_eq!(back, context);
    for text in hostile() {
        assert_eq!(limits::check(&json(&modal::create_quoting(&context, &text))), Vec::<String>::new());
        let draft = Draft { title: text.clone(), severity: None, service: text.clone(), description: text.clone() };
        assert_eq!(limits::check(&json(&modal::create_with_more(&context, &draft, at(0)))), Vec::<String>::new());
    }
}

#[test]
fn what_is_told_once_in_a_channel() {
    assert_json_snapshot!("notice_hello", notice::hello(&Workspace::new("T0TOCSIN"), &Channel::new("C0GENERAL")));
    let incident = Story::triggered().incident;
    assert_json_snapshot!(
        "notice_began",
        notice::began(&incident, Some("https://tocsin.slack.com/archives/C0INCIDENTS/p1768446121000100"))
    );
    assert_json_snapshot!("notice_began_before_its_card", notice::began(&incident, None));
}

/// A workspace with a rotation and a rule.
fn configured() -> Settings {
    let document = "[notify]\nupdated = false\nnoted = false\n[[oncall]]\nname = \"checkout\"\nstart = \"2026-01-05T09:00\"\npeople = [\"U0JANE\", \"U0OMAR\"]\n[routing]\ndefault = { channel = \"C0INCIDENTS\" }\n[[routing.rules]]\nmatch = { severity = \"P4\" }\nto = [{ channel = \"C0NOISE\" }]";
    let configuration = crate::domain::configuration::read(document).unwrap();
    Settings { configuration, ..Settings::of(Channel::new("#incidents"), at(0)) }
}

#[test]
fn home_shows_what_is_ones_own_what_is_open_and_to_admins_the_settings() {
    let (person, settings) = (UserId::new("U0JANE"), configured());
    let mut open = several();
    open[0].assignee = Some(person.clone());
    let member = Home { person: &person, open: &open, elsewhere: 0, settings: &settings, admin: false, trouble: None };
    assert_json_snapshot!("home", home::home(&member));
    let refusal = Refusal::new("Tocsin is not in that channel yet.");
    let bare = Settings::of(Channel::new("#incidents"), at(0));
    assert_json_snapshot!("home_of_an_admin", home::home(&Home { open: &[], elsewhere: 2, settings: &settings, admin: true, ..member }));
    let trouble = Home { open: &[], settings: &bare, admin: true, trouble: Some(&refusal), ..member };
    assert_json_snapshot!("home_with_trouble", home::home(&trouble));
    assert_json_snapshot!("home_closed", home::closed(&Refusal::new("Guests cannot act on incidents here.")));
}

#[test]
fn home_of_a_thousand_open_incidents_shows_the_worst_and_says_how_many_more() {
    let person = UserId::new("U0JANE");
    let one = Summary { assignee: Some(person.clone()), ..one_of(1, Severity::P2, 0) };
    let of =
        |number: usize| Summary { severity: Severity::ALL[number % 4], id: IncidentId::new(format!("INC-{number:06}")), ..one.clone() };
    let open: Vec<_> = (0..1_000).map(of).collect();
    let settings = configured();
    let home = json(&home::home(&Home { person: &person, open: &open, elsewhere: 0, settings: &settings, admin: true, trouble: None }));
    assert_eq!(limits::check(&home), Vec::<String>::new());
    let text = home.to_string();
    assert!(text.contains("1000 open incidents") && text.contains("and 980 more") && text.contains("and 990 more"), "{text}");
    assert!(text.contains("INC-000000") && !text.contains("INC-000001"), "the worst first");
}

#[test]
fn a_setting_that_was_changed_is_confirmed() {
    let settings = configured();
    assert_json_snapshot!("answer_set_channel", answer::set(&Setting::DefaultChannel(Channel::new("C0GENERAL")), &settings));
    assert_json_snapshot!("answer_set_switch", answer::set(&Setting::Switch(Switch::Noted, false), &settings));
}

#[test]
fn what_comes_by_a_webhook_has_nothing_to_press_and_says_so() {
    let why = "Sent by a webhook.";
    assert_json_snapshot!("card_by_webhook", Story::triggered().card().without_actions(why));
    assert_json_snapshot!("reply_by_webhook", Story::resolved().reply().without_actions(why));
}

#[test]
fn a_digest_tells_how_many_there_are_and_how_they_stand() {
    let stories = [Story::triggered(), Story::acknowledged(), Story::resolved()];
    let members = stories.iter().map(|story| Member::of(&story.incident));
    let many = (0..1_200).map(|number| Member { id: IncidentId::new(format!("INC-{number:06}")), ..Member::of(&stories[0].incident) });
    let members = members.chain(many.map(|member| Member { severity: Severity::P3, ..member })).collect();
    let overview = Overview { started: at(0), ended: None, members };
    assert_json_snapshot!("digest", digest::digest(&overview));
    assert_json_snapshot!("digest_over", digest::digest(&Overview { ended: Some(at(12)), ..overview }));
    let incidents: Vec<_> = stories.into_iter().map(|story| story.incident).collect();
    assert_json_snapshot!("digest_page", digest::page(&incidents));
}

fn tally(service: &str) -> Tally {
    let period = Period { from: at(-24 * 60), until: at(0) };
    let noisiest = vec![(service.to_owned(), 12, 1_087), (service.to_owned(), 1, 1)];
    Tally {
        period,
        open: [1, 0, 2, 0],
        untaken: 2,
        new: 13,
        resolved: 1_200,
        until_acknowledged: Some(240),
        until_resolved: Some(4_500),
        noisiest,
    }
}

#[test]
fn a_report_says_how_things_stand_and_what_happened() {
    assert_json_snapshot!("report", report::report("Every morning", &tally("checkout")));
    assert_json_snapshot!("report_quiet", report::report("Every morning", &Tally::of(tally("checkout").period, &[], &[])));
}

#[test]
fn help_is_made_from_the_grammar() {
    let lines = [
        ("create [P1|P2|P3|P4] TITLE", "opens an incident; without a title, a form"),
        ("note ID TEXT", "adds <one> & more to the timeline"),
    ];
    assert_json_snapshot!("help", help(lines));
}

/// Where the buttons of a card lead.
fn links_of(card: &Value) -> Vec<&str> {
    let rows = card["blocks"].as_array().unwrap().iter().filter_map(|block| block["elements"].as_array());
    rows.flatten().filter_map(|button| button["url"].as_str()).collect()
}

#[test]
fn a_card_that_leaves_things_out_says_so() {
    let card = json(&Story::new().then(0, &cloudwatch(), Action::Create(changes_of("x"))).card());
    let foot = card["attachments"][0]["blocks"].as_array().unwrap().last().unwrap().to_string();
    assert!(foot.contains("50 more details") && foot.contains("30 more links"), "{foot}");
    assert_eq!(links_of(&card).len(), 11, "View and ten links");
}

#[test]
fn a_long_title_is_whole_in_the_body() {
    let title = format!("{}end", "Checkout answers slowly ".repeat(10));
    let card = json(&Story::new().then(0, &cloudwatch(), Action::Create(Changes { title: Some(title.clone()), ..full() })).card());
    assert!(card["blocks"][0]["text"]["text"].as_str().unwrap().ends_with('…'));
    assert_eq!(card["attachments"][0]["blocks"][0]["text"]["text"], title);
}

#[test]
fn a_link_that_slack_would_refuse_makes_no_button() {
    let urls = [
        "javascript:alert(1)",
        "ftp://example.com",
        "https://",
        "https:///path",
        "https://user@evil.example/",
        "https://ex ample.com/",
        "//x.io",
        "",
        "https://good.example/a b?q=é|<x>",
        "HTTP://good.example:8080",
        "https://good.example/\n",
    ];
    let links =
        urls.iter().map(|url| link("Link", url)).chain([link("Long", &format!("https://good.example/{}", "x".repeat(3_000)))]).collect();
    let card = json(&Story::new().then(0, &cloudwatch(), Action::Create(Changes { links: Some(links), ..least() })).card());
    assert_eq!(links_of(&card), ["https://good.example/a%20b?q=%C3%A9%7C%3Cx%3E", "http://good.example:8080", "https://good.example/"]);
}

#[test]
fn a_title_cannot_turn_the_words_beside_it_round() {
    let title = Some("\u{202e}gpj.exe\u{2066}".to_owned());
    let card = json(&Story::new().then(0, &cloudwatch(), Action::Create(Changes { title, ..full() })).card()).to_string();
    assert!(!card.contains(['\u{202e}', '\u{2066}']), "{card}");
}
