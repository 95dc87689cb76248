//! Installing by link, done wrongly in every way; and two workspaces that work side by side, ten thousand times, and try to reach what is the other's.
//!
//! Scaled: Slack's rates are off, and the posters update as many cards as they can. Ten minutes after a link was followed are made to have passed by changing when it ends.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::http::Answer;
use tests::inputs::own;
use tests::ministack::Queue;
use tests::slack::Message;
use tests::world::{Setup, WORKSPACE, World};

use crate::Options;
use crate::common::{Report, channel, channels_of, drop_all, duplicates, finish, quiet, settle, taken, wake_once};

/// The other workspace.
const SECOND: &str = "T0SECOND";

/// The workspaces, each with what its incidents are called and who works in it.
const PLACES: [(&str, &str, [&str; 2]); 2] = [(WORKSPACE, "first", ["U0JANE", "U0OMAR"]), (SECOND, "second", ["U0SAM", "U0TOM"])];

/// Channels of each workspace.
const CHANNELS: usize = 25;

/// How many people do something at the same time.
const AT_ONCE: usize = 12;

/// How much one person does before what all have done is worked off: a local SQS in which thousands wait answers nobody in time.
const IN_A_ROW: usize = 20;

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::default();
    refusals(&mut report, options.scaled(20)).await;
    killed(&mut report, options.scaled(30)).await;
    side_by_side(options, &mut report).await;
    report
}

async fn by_link() -> World {
    let setup = Setup {
        by_link: true,
        instances: 8,
        updates_per_minute: 6_000,
        patience: Duration::from_mins(30),
        visibility: Queue::ALL.into_iter().map(|queue| (queue, 60)).collect(),
        counted: false,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    world.slack.tell("rates", &json!({ "off": true })).await;
    world.slack.tell("teams", &json!({ "id": SECOND, "name": "Second" })).await;
    for (id, name) in [("U0SAM", "sam"), ("U0TOM", "tom")] {
        world.slack.tell("users", &json!({ "id": id, "name": name, "team_id": SECOND })).await;
    }
    world
}

/// What is installed, as far as the table and the secrets know.
async fn installed(world: &World) -> Vec<String> {
    let mut kept = Vec::new();
    for (workspace, ..) in PLACES {
        kept.push(world.installation(workspace).await.to_string());
        kept.push(format!("{:?}", world.installation_secret(workspace).await));
    }
    kept
}

/// Links followed wrongly: with a state that is used up, too old, nobody's, missing or another browser's.
async fn refusals(report: &mut Report, rounds: usize) {
    let world = by_link().await;
    let (mut good, mut unlike) = (0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls = 0;
    for _ in 0..rounds {
        // One that is installed, so that there is something to change.
        let owner = Browser::new(&world);
        let asked = owner.begins().await;
        let used = owner.allows(&asked, WORKSPACE).await;
        let cookies = owner.cookies();
        good += usize::from(owner.opens(&used).await.status == 200);
        let before = installed(&world).await;
        calls += 1;
        let mut check = |how: &'static str, answer: &Answer| {
            if [400, 403].contains(&answer.status) { *refused.entry(how).or_default() += 1 } else { unlike += 1 }
        };
        check("replayed", &owner.opens(&used).await);
        check("replayed with its cookie", &with_cookies(&world, &used, &cookies).await);
        let late = Browser::new(&world);
        let asked = late.begins().await;
        let back = late.allows(&asked, SECOND).await;
        expire(&world).await;
        check("expired", &late.opens(&back).await);
        let mine = Browser::new(&world);
        mine.begins().await;
        check("never given out", &mine.opens(&format!("/callback?code=1.2.3&state={}", "0".repeat(64))).await);
        let mine = Browser::new(&world);
        mine.begins().await;
        check("missing", &mine.opens("/callback?code=1.2.3").await);
        let (victim, attacker) = (Browser::new(&world), Browser::new(&world));
        let asked = attacker.begins().await;
        let back = attacker.allows(&asked, SECOND).await;
        check("in a browser without a cookie", &victim.opens(&back).await);
        victim.begins().await;
        check("in a browser with a cookie of its own", &victim.opens(&back).await);
        unlike += usize::from(installed(&world).await != before);
    }
    report.row("links followed as they should be", good);
    for (how, count) in &refused {
        report.must(format!("refused: {how}"), count, rounds);
    }
    report.must("links refused, in all", refused.values().sum::<usize>(), 7 * rounds);
    report.must("not refused, or something changed by it", unlike, 0);
    report.must("calls to oauth.v2.access beyond the good ones'", world.slack.calls("oauth.v2.access").await.len() - calls, 0);
    finish(world, "installs").await;
}

/// `oauth` is killed while somebody installs; whoever it is follows the link again until it works.
async fn killed(report: &mut Report, kills: usize) {
    let world = by_link().await;
    let function = world.dispatcher().function("oauth");
    let (mut left, mut installs) = (kills, 0);
    while left > 0 {
        let browser = Browser::new(&world);
        let asked = browser.begins().await;
        let back = browser.allows(&asked, WORKSPACE).await;
        let kill = async {
            while function.busy_instance().is_none() {
                tokio::task::yield_now().await;
            }
            let Some(instance) = function.busy_instance() else { return false };
            // A random moment of an install: this is what is tried, and nothing is waited for.
            tokio::time::sleep(Duration::from_micros(fastrand::u64(0..30_000))).await;
            let is_at_work = function.is_busy(&instance);
            if is_at_work {
                instance.kill();
            }
            is_at_work
        };
        let opening = browser.opens(&back);
        tokio::pin!(opening);
        let was_killed = tokio::select! {
            _ = &mut opening => false,
            was_killed = kill => {
                opening.await;
                was_killed
            }
        };
        left -= usize::from(was_killed);
        installs += 1;
        // What was killed just after its answer takes the next request along; whoever it is follows the link again.
        let answers = async || match browser.opens("/install").await.status {
            302 => Ok(()),
            other => Err(other.to_string()),
        };
        world.until("it answers again", answers).await;
    }
    Browser::new(&world).installs(WORKSPACE).await;
    drop_all(&world, &[own("create", "after-the-kills", Timestamp::now(), &json!({ "title": "after the kills", "workspace": WORKSPACE }))])
        .await;
    world.card("#incidents", "after the kills").await;
    report.row("oauth killed at the end of an install", kills);
    report.row("  of so many installs", installs);
    report.must("installed in the end, with a token that works", world.installation_secret(WORKSPACE).await.is_some(), true);
    finish(world, "installs-killed").await;
}

/// Opens an address with cookies that a browser had before it was told to forget them.
async fn with_cookies(world: &World, address: &str, cookies: &str) -> Answer {
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let request = hyper::Request::builder().uri(format!("{}{path}", world.url("oauth"))).header("cookie", cookies);
    let request = request.body(http_body_util::Full::default()).unwrap_or_else(|error| panic!("{error}"));
    world.http.send(request).await.unwrap_or_else(|error| panic!("{error:#}"))
}

/// Lets ten minutes pass for every link that is being followed.
async fn expire(world: &World) {
    for state in world.scan().await.iter().filter(|item| item.get("sk") == Some(&json!("state"))) {
        let pk = state.get("pk").and_then(Value::as_str).unwrap_or_default();
        world.changes(pk, "state", "SET expires_at = :value", Timestamp::now().as_second()).await;
    }
}

/// An incident of one of the workspaces, with its card.
#[derive(Debug, Clone)]
struct Known {
    incident: String,
    channel: String,
    ts: String,
}

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    /// Acknowledges by the button.
    Acknowledge,
    /// Adds a note by command.
    Note,
    /// Asks what is open.
    List,
    /// Asks for an incident of the other workspace by its id.
    ShowTheirs,
    /// Resolves one of the other workspace by its id.
    ResolveTheirs,
    /// Presses a button that names one of the other workspace.
    PressTheirs,
}

/// Of ten thousand: three thousand alarms, and of each workspace so many of the others.
const SHARES: [(Deed, usize); 6] = [
    (Deed::Acknowledge, 1_000),
    (Deed::Note, 1_000),
    (Deed::List, 300),
    (Deed::ShowTheirs, 400),
    (Deed::ResolveTheirs, 400),
    (Deed::PressTheirs, 400),
];

async fn side_by_side(options: &Options, report: &mut Report) {
    let world = by_link().await;
    for (number, (workspace, ..)) in PLACES.into_iter().enumerate() {
        Browser::new(&world).installs(workspace).await;
        channels_of(&world, workspace, number * CHANNELS..(number + 1) * CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    }
    let began = Instant::now();
    let incidents = options.scaled(1_500);
    // The same keys in both: they are two incidents each.
    let now = Timestamp::now();
    let alarms: Vec<Value> = (0..incidents)
        .flat_map(|number| {
            PLACES.iter().enumerate().map(move |(place, (workspace, called, _))| {
                let service = format!("service-{}", place * CHANNELS + number % CHANNELS);
                let fields = json!({ "title": format!("{called} {number:04}"), "service": service, "workspace": workspace });
                own("create", &format!("shared-{number}"), now, &fields)
            })
        })
        .collect();
    drop_all(&world, &alarms).await;
    settle(&world).await;
    println!("   {} incidents after {} s", alarms.len(), began.elapsed().as_secs());
    let known = cards(&world, incidents).await;
    let mut deeds: Vec<(usize, Deed, usize)> = SHARES
        .iter()
        .flat_map(|(deed, share)| {
            (0..options.scaled(*share)).flat_map(move |number| (0..PLACES.len()).map(move |place| (place, *deed, number)))
        })
        .collect();
    fastrand::Rng::with_seed(options.seed).shuffle(&mut deeds);
    let operations = alarms.len() + deeds.len();
    let unanswered = AtomicUsize::new(0);
    let left = Mutex::new(deeds.clone());
    let somebody = async |_| {
        for done in 1.. {
            let next = left.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
            let Some((place, deed, number)) = next else { return };
            if !does(&world, &known, place, deed, number).await {
                unanswered.fetch_add(1, Ordering::SeqCst);
            }
            if done % IN_A_ROW == 0 {
                quiet(&world).await;
            }
        }
    };
    // The wakes of all of it would keep the local SQS so busy that it takes no more: one for each channel comes in their place.
    let poster = world.dispatcher().mapping("poster");
    poster.pause();
    join_all((0..AT_ONCE).map(somebody)).await;
    let places = PLACES.iter().enumerate().map(|(place, (workspace, ..))| (*workspace, place * CHANNELS..(place + 1) * CHANNELS));
    wake_once(&world, places).await;
    poster.resume();
    settle(&world).await;
    report.row("operations of two workspaces, interleaved", operations);
    report.row("  alarms with the same keys in both", alarms.len());
    report.row("  commands and clicks", deeds.len());
    report.row("  of these, that name an incident of the other", deeds.iter().filter(|(_, deed, _)| *deed >= Deed::ShowTheirs).count());
    report.row("settled after, s", began.elapsed().as_secs());
    report.must("commands and clicks without a 200", unanswered.into_inner(), 0);
    tokens(&world, report).await;
    apart(&world, report, &deeds).await;
    report.must("alarms without their one card", PLACES.len() * incidents - known.iter().map(BTreeMap::len).sum::<usize>(), 0);
    report.must("messages there twice", duplicates(&taken(&world).await), 0);
    let mut parked = 0;
    for queue in Queue::ALL {
        parked += world.aws.depth(world.dead_letters_url(queue)).await.unwrap_or(u32::MAX);
    }
    // A click without a `response_url` whose refusal nobody can be told stands on the dead-letter queue, with the refusal as its reason.
    let pressed = deeds.iter().filter(|(_, deed, _)| *deed == Deed::PressTheirs).count();
    report.must("parked: clicks on the other's, whose refusal nobody could be told", parked, pressed);
    finish(world, "installs").await;
}

/// The incidents of each workspace, by number, as far as each has exactly one card and that in its own channel.
async fn cards(world: &World, incidents: usize) -> Vec<BTreeMap<usize, Known>> {
    let messages = world.slack.messages().await;
    let mut cards: BTreeMap<String, Vec<&Message>> = BTreeMap::new();
    for message in messages.iter().filter(|message| message.is_ours() && message.thread().is_none()) {
        let reads = message.reads();
        for (_, called, _) in PLACES {
            let number =
                reads.split(&format!("{called} ")).nth(1).and_then(|rest| rest.get(..4)).filter(|text| text.parse::<usize>().is_ok());
            if let Some(number) = number {
                cards.entry(format!("{called} {number}")).or_default().push(message);
            }
        }
    }
    let known = |place: usize, number: usize| {
        let (_, called, _) = PLACES[place];
        let [card] = cards.get(&format!("{called} {number:04}"))?.as_slice() else { return None };
        let is_there = card.channel() == channel(place * CHANNELS + number % CHANNELS);
        let known = Known { incident: card.incident()?, channel: card.channel().to_owned(), ts: card.ts().to_owned() };
        is_there.then_some((number, known))
    };
    (0..PLACES.len()).map(|place| (0..incidents).filter_map(|number| known(place, number)).collect()).collect()
}

/// Somebody of one workspace does something: whether the function answered with 200.
async fn does(world: &World, known: &[BTreeMap<usize, Known>], place: usize, deed: Deed, number: usize) -> bool {
    let (workspace, _, people) = PLACES[place];
    let (user, there) = (people[number % people.len()], channel(place * CHANNELS + number % CHANNELS));
    let (theirs, of) = (1 - place, PLACES[1 - place].0);
    let (Some(own), Some(other)) = (known[place].get(&number), known[theirs].get(&number)) else { return false };
    let types = |text: String| json!({ "user": user, "channel": there, "text": text });
    let answer = match deed {
        Deed::Acknowledge => {
            let click = json!({ "user": user, "channel": own.channel, "ts": own.ts, "action_id": "acknowledge_incident" });
            world.slack.tell("click", &click).await
        }
        Deed::Note => world.slack.tell("command", &types(format!("note {} note {number:04} of {workspace}.", own.incident))).await,
        Deed::List => world.slack.tell("command", &types("list".to_owned())).await,
        Deed::ShowTheirs => world.slack.tell("command", &types(format!("show {}", other.incident))).await,
        Deed::ResolveTheirs => world.slack.tell("command", &types(format!("resolve {} it is ours now", other.incident))).await,
        Deed::PressTheirs => {
            let action = ["acknowledge_incident", "reopen_incident"][number % 2];
            let payload = json!({
                "type": "block_actions", "team": { "id": workspace }, "user": { "id": user, "team_id": workspace }, "channel": { "id": there },
                "actions": [{ "action_id": action, "value": format!("{of}/{}", other.incident), "action_ts": format!("1795200000.{number:06}") }],
            });
            let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
            world.slack.tell("raw", &json!({ "to": "interactions", "body": body })).await
        }
    };
    answer.get("status").and_then(Value::as_u64) == Some(200)
}

/// Whose token was used for what.
async fn tokens(world: &World, report: &mut Report) {
    let state = world.slack.ask("state?fields=channels,users").await;
    let mut homes: BTreeMap<String, String> = BTreeMap::new();
    for kind in ["channels", "users"] {
        for thing in state.get(kind).and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| thing.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            homes.insert(text("id"), text("team_id"));
        }
    }
    let calls = world.slack.ask("calls?fields=team,method,error,arguments").await;
    let (mut of_team, mut foreign, mut failed) = (BTreeMap::<String, usize>::new(), 0, 0);
    for call in calls.as_array().into_iter().flatten() {
        let team = call.get("team").and_then(Value::as_str).unwrap_or_default();
        let named = ["channel", "user"].map(|name| call.pointer(&format!("/arguments/{name}")).and_then(Value::as_str));
        let strange = named.into_iter().flatten().any(|id| homes.get(id).is_some_and(|home| home != team));
        foreign += usize::from(strange);
        // A `response_url` that is used up belongs to nobody's token.
        failed += usize::from(call.get("error").is_some_and(Value::is_string));
        *of_team.entry(team.to_owned()).or_default() += 1;
    }
    for (workspace, ..) in PLACES {
        report.row(format!("calls with the token of {workspace}"), of_team.get(workspace).copied().unwrap_or_default());
    }
    report.must("calls with a token for the other's channel or person", foreign, 0);
    report.must("calls that Slack refused", failed, 0);
}

/// What each workspace's people did and read, and what became of it.
async fn apart(world: &World, report: &mut Report, deeds: &[(usize, Deed, usize)]) {
    let items = world.scan().await;
    let text = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let place_of = |user: &str| PLACES.iter().position(|(_, _, people)| people.contains(&user));
    let (mut touched, mut turned_away) = (0, 0);
    let mut done: BTreeMap<(usize, Deed), usize> = BTreeMap::new();
    for item in items.iter().filter(|item| text(item, "/sk").starts_with("timeline#")) {
        let Some(place) = place_of(&text(item, "/data/by/user/id")) else { continue };
        let is_done = text(item, "/data/fate") == "done";
        if !text(item, "/pk").starts_with(&format!("{}#", PLACES[place].0)) {
            if is_done { touched += 1 } else { turned_away += 1 }
        } else if is_done {
            let deed = if text(item, "/data/what") == "acknowledged" { Deed::Acknowledge } else { Deed::Note };
            *done.entry((place, deed)).or_default() += 1;
        }
    }
    let mut lost = 0;
    for place in 0..PLACES.len() {
        for deed in [Deed::Acknowledge, Deed::Note] {
            let wanted = deeds.iter().filter(|(of, kind, _)| *of == place && *kind == deed).count();
            lost += wanted.saturating_sub(done.get(&(place, deed)).copied().unwrap_or_default());
        }
    }
    let messages = world.slack.messages().await;
    let (mut seen, mut answers) = (0, 0);
    for message in messages.iter().filter(|message| message.is_ours()) {
        let place = match message.only_for() {
            Some(user) => {
                answers += 1;
                place_of(user)
            }
            None => (0..PLACES.len())
                .find(|place| (place * CHANNELS..(place + 1) * CHANNELS).any(|number| channel(number) == message.channel())),
        };
        let reads = message.reads();
        seen += usize::from(place.is_some_and(|place| {
            reads.contains(&format!("{} 0", PLACES[1 - place].1)) || reads.contains(&format!("{} 1", PLACES[1 - place].1))
        }));
    }
    report.row("answers to single people", answers);
    report.must("messages that show something of the other's", seen, 0);
    report.must("incidents touched from the other", touched, 0);
    report.row("clicks on the other's that were turned away", turned_away);
    report.must("acknowledgements and notes lost", lost, 0);
}
