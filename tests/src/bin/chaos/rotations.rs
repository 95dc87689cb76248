//! Secrets are rotated a hundred times while requests come in: what Secrets Manager holds is believed at the first request, what it holds no more is not, and no flood of bad signatures
//! makes a flood of reads.
//!
//! A refusal is wrong where Secrets Manager held the secret, as `AWSCURRENT` or `AWSPREVIOUS`, when the request was sent. Slack changes first, then Secrets Manager, and only then comes a
//! request that is signed with the new one. A container reads again at most once in 10 s, so the rotations of one world are 11 s apart, and each function runs as one container, which all
//! requests pass. What happens where Slack signs with the new secret before anybody has pasted it is measured apart: before, there is nothing to believe it by; and the reading that such a
//! request causes is spent, so that it may take 10 s from the paste until it is believed. So it is with a rotation under a flood.
//!
//! Scaled: a hundred rotations one after the other would take 18 minutes, so there are five worlds side by side for the signing secret, each at 50 requests a second, and five for the bot
//! token, each at 10, because each of those opens a form. An overlap that has ended is one of 0 hours, and one of 24 hours where Secrets Manager says that the version is almost a day old.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::canaries::Canaries;
use tests::world::{Setup, WORKSPACE, World};
use tokio::time::{Instant, interval, sleep, sleep_until};

use crate::Options;
use crate::common::{Report, channels, create, duplicates, finish, outcomes, settle, taken};

const WORLDS: usize = 5;

/// More than the ten seconds within which a container reads its secret again only once.
const APART: Duration = Duration::from_secs(11);

/// For how long before a rotation nothing is signed with the secret that it makes Secrets Manager forget: what is on its way arrives.
const LAST_CALL: Duration = Duration::from_millis(300);

/// How long it takes until somebody has pasted what Slack signs with already.
const PASTE: Duration = Duration::from_secs(3);

/// How long a flood lasts; half-way the secret is rotated.
const FLOOD: Duration = Duration::from_secs(36);

/// How long it is from a reading to the next that a bad signature may cause, in seconds.
const REREAD: u64 = 10;

const FORM: &str = "application/x-www-form-urlencoded";

/// The receivers, and for each a request that shows by its answer whether it was believed, and does nothing.
const RECEIVERS: [(&str, &str, &str); 3] = [
    ("commands", FORM, "command=%2Fincident&text=help&team_id=T0TOCSIN&user_id=U0JANE&channel_id=C0GENERAL"),
    ("interactions", FORM, "payload=%7B%22type%22%3A%22block_actions%22%7D"),
    ("events", "application/json", r#"{"type":"url_verification","challenge":"a rotation"}"#),
];

pub(crate) async fn run(options: &Options) -> Report {
    let each = options.scaled(100).div_ceil(WORLDS);
    let mut report = Report::default();
    let (signing, tokens, late) = tokio::join!(
        join_all((0..WORLDS).map(|_| signing_secrets(each))),
        join_all((0..WORLDS).map(|_| bot_tokens(each))),
        pasted_late(options.scaled(10)),
    );
    println!("   all are rotated");
    let sum = |of: fn(&Signing) -> usize| signing.iter().map(of).sum::<usize>();
    report.row("signing secret: rotations", sum(|tally| tally.rotations));
    report.row("signing secret: requests, signed with either", sum(|tally| tally.requests));
    report.row("signing secret: requests a second in each world", signing.iter().map(|tally| tally.rate).min().unwrap_or_default());
    report.must("signing secret: wrong refusals", sum(|tally| tally.wrong), 0);
    report.row("signing secret: requests signed with one replaced twice", sum(|tally| tally.late));
    report.must("signing secret: of these let in", sum(|tally| tally.let_in), 0);
    let sum = |of: fn(&Tokens) -> usize| tokens.iter().map(of).sum::<usize>();
    report.row("bot token: rotations", sum(|tally| tally.rotations));
    report.row("bot token: forms and mentions", sum(|tally| tally.requests));
    report.row("bot token: requests a second in all worlds", sum(|tally| tally.rate));
    report.must("bot token: forms that did not open", sum(|tally| tally.unopened), 0);
    report.must("bot token: mentions without an answer", sum(|tally| tally.unanswered), 0);
    report.row("bot token: incidents meanwhile", sum(|tally| tally.incidents));
    report.must("bot token: cards lost", sum(|tally| tally.lost), 0);
    report.must("bot token: cards there twice", sum(|tally| tally.twice), 0);
    report.must("bot token: installations closed", sum(|tally| tally.closed), 0);
    report.row("bot token: calls with a dead one, all made again", sum(|tally| tally.dead));
    report.row("pasted late: rotations", late.rotations);
    report.row("pasted late: refused before, as there was nothing to believe", late.before);
    at_most(&mut report, "pasted late: believed so long after the paste, ms", late.after.as_millis(), REREAD * 1_000);
    flooded(&mut report).await;
    aged(&mut report).await;
    refreshed(&mut report, options.scaled(10)).await;
    report
}

fn at_most(report: &mut Report, name: &str, figure: u128, most: u64) {
    report.row(name, figure);
    if figure > most.into() {
        report.problem(format!("{name}: {figure}, more than {most}"));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A world in which each function runs as one container.
async fn world(signing_overlap_hours: u32) -> World {
    let setup = Setup { instances: 1, signing_overlap_hours, patience: Duration::from_mins(5), ..Setup::default() };
    let world = World::with(setup).await;
    for (name, ..) in RECEIVERS {
        world.dispatcher().function(name).warm().await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    world
}

/// A new signing secret, first in Slack and then in Secrets Manager.
async fn rotates_signing_secret(world: &World) -> String {
    let new = Canaries::default().signing_secret();
    world.slack.tell("token", &json!({ "signing_secret": new })).await;
    world.writes_secret(&world.bot_token, &new).await;
    new
}

/// Asks the receiver with this number for something that does nothing, signed with this secret: the status of the answer.
async fn asks(world: &World, receiver: usize, secret: &str) -> u16 {
    let (name, content_type, body) = RECEIVERS[receiver % RECEIVERS.len()];
    let time = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    let (time_text, signature) = (time.to_string(), simulator::sign(secret, time, body));
    let headers = [("content-type", content_type), ("x-slack-request-timestamp", &*time_text), ("x-slack-signature", &*signature)];
    world.http.post(&world.url(name), &headers, body).await.unwrap_or_else(|error| panic!("{error:#}")).status
}

/// What one world came to whose signing secret was rotated.
#[derive(Debug, Default)]
struct Signing {
    rotations: usize,
    requests: usize,
    rate: usize,
    wrong: usize,
    late: usize,
    let_in: usize,
}

/// Rotates, while 50 requests a second are signed with either secret that Secrets Manager holds.
async fn signing_secrets(rotations: usize) -> Signing {
    const LANES: usize = 10;
    let world = world(24).await;
    let held = Mutex::new(vec![world.signing_secret.clone()]);
    let over = AtomicBool::new(false);
    let (requests, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let began = Instant::now();
    let lane = async |lane: usize| {
        let mut beat = interval(Duration::from_millis(200));
        let mut turn = lane;
        while !over.load(Ordering::SeqCst) {
            beat.tick().await;
            turn += 1;
            let secret = {
                let held = lock(&held);
                held[turn % held.len()].clone()
            };
            requests.fetch_add(1, Ordering::SeqCst);
            if asks(&world, turn, &secret).await != 200 {
                wrong.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let mut tally = Signing { rotations, ..Signing::default() };
    let rotating = async {
        for round in 1..=rotations {
            sleep_until(began + APART * u32::try_from(round).unwrap_or_default() - LAST_CALL).await;
            let gone = lock(&held).drain(1..).next();
            sleep(LAST_CALL).await;
            let new = rotates_signing_secret(&world).await;
            lock(&held).insert(0, new.clone());
            let Some(gone) = gone else { continue };
            // A container forgets the old ones when it learns the new one, or within a minute.
            for receiver in 0..RECEIVERS.len() {
                tally.late += 1;
                tally.let_in += usize::from(asks(&world, receiver, &new).await == 200 && asks(&world, receiver, &gone).await == 200);
            }
        }
        sleep(APART / 2).await;
        over.store(true, Ordering::SeqCst);
    };
    tokio::join!(join_all((0..LANES).map(lane)), rotating);
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap_or_default();
    (tally.requests, tally.wrong) = (requests.into_inner(), wrong.into_inner());
    tally.rate = (tally.requests + seconds / 2) / seconds.max(1);
    finish(world, "rotations-signing_secrets").await;
    tally
}

/// What one world came to whose bot token was rotated.
#[derive(Debug, Default)]
struct Tokens {
    rotations: usize,
    requests: usize,
    rate: usize,
    unopened: usize,
    unanswered: usize,
    incidents: usize,
    lost: usize,
    twice: usize,
    closed: usize,
    dead: usize,
}

/// Rotates, while forms are opened, mentions answered and cards posted, all with the bot token. Slack lets both tokens in until the new one is pasted.
async fn bot_tokens(rotations: usize) -> Tokens {
    const FORMS: usize = 4;
    const CHANNELS: usize = 4;
    let world = world(24).await;
    channels(&world, CHANNELS, "thread = false\n[storm]\nabove = 0").await;
    world.slack.tell("rates", &json!({ "off": true })).await;
    let over = AtomicBool::new(false);
    let (forms, mentions, incidents, unopened) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let began = Instant::now();
    let lane = async |_| {
        let mut beat = interval(Duration::from_millis(500));
        while !over.load(Ordering::SeqCst) {
            beat.tick().await;
            forms.fetch_add(1, Ordering::SeqCst);
            let asked = json!({ "user": "jane", "channel": "general", "text": "create" });
            let answer = world.slack.tell("command", &asked).await;
            if answer.pointer("/trigger/used").and_then(Value::as_bool) != Some(true) {
                unopened.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let people = async {
        let mut beat = interval(Duration::from_millis(500));
        while !over.load(Ordering::SeqCst) {
            beat.tick().await;
            mentions.fetch_add(1, Ordering::SeqCst);
            world.slack.tell("message", &json!({ "user": "omar", "channel": "general", "text": "@tocsin status", "typed": true })).await;
        }
    };
    let sources = async {
        let mut beat = interval(Duration::from_secs(1));
        while !over.load(Ordering::SeqCst) {
            beat.tick().await;
            let number = incidents.fetch_add(1, Ordering::SeqCst);
            let title = format!("rotation {number:04}");
            world.drops(&create(&format!("rotation-{number}"), &title, number % CHANNELS, Timestamp::now())).await;
        }
    };
    let rotating = async {
        let mut old = world.bot_token.clone();
        for round in 1..=rotations {
            sleep_until(began + APART * u32::try_from(round).unwrap_or_default()).await;
            let new = Canaries::default().token();
            world.slack.tell("token", &json!({ "bot_token": [new, old] })).await;
            world.writes_secret(&new, &world.signing_secret).await;
            world.slack.tell("token", &json!({ "bot_token": new })).await;
            old = new;
        }
        sleep(APART / 2).await;
        over.store(true, Ordering::SeqCst);
    };
    tokio::join!(join_all((0..FORMS).map(lane)), people, sources, rotating);
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap_or_default();
    settle(&world).await;
    let (forms, mentions, incidents) = (forms.into_inner(), mentions.into_inner(), incidents.into_inner());
    let taken = taken(&world).await;
    let calls = world.slack.ask("calls?fields=method,error,applied").await;
    let calls: Vec<&Value> = calls.as_array().into_iter().flatten().collect();
    let is = |call: &Value, method: &str| call.get("method").and_then(Value::as_str) == Some(method);
    let answered = calls.iter().filter(|call| is(call, "chat.postEphemeral") && call.get("applied") == Some(&json!(true))).count();
    let dead = calls.iter().filter(|call| call.get("error").and_then(Value::as_str) == Some("invalid_auth")).count();
    let closed = outcomes(&world, "disabled") + outcomes(&world, "parked");
    finish(world, "rotations-bot_tokens").await;
    Tokens {
        rotations,
        requests: forms + mentions,
        rate: (forms + mentions + seconds / 2) / seconds.max(1),
        unopened: unopened.into_inner(),
        unanswered: mentions.saturating_sub(answered),
        incidents,
        lost: incidents - taken.len(),
        twice: duplicates(&taken),
        closed,
        dead,
    }
}

/// What came of it where Slack signed with a new secret before it was pasted.
#[derive(Debug, Default)]
struct Late {
    rotations: usize,
    before: usize,
    after: Duration,
}

async fn pasted_late(rotations: usize) -> Late {
    let world = world(24).await;
    let mut late = Late { rotations, ..Late::default() };
    for _ in 0..rotations {
        // As far as it depends on what was before, the container may read.
        sleep(APART).await;
        let new = Canaries::default().signing_secret();
        let pasted = Mutex::new(None);
        let paste = async {
            sleep(PASTE).await;
            world.writes_secret(&world.bot_token, &new).await;
            *lock(&pasted) = Some(Instant::now());
        };
        let requests = async {
            let mut beat = interval(Duration::from_millis(50));
            let mut before = 0;
            while asks(&world, 0, &new).await != 200 {
                before += usize::from(lock(&pasted).is_none());
                beat.tick().await;
            }
            before
        };
        let ((), before) = tokio::join!(paste, requests);
        late.before += before;
        late.after = late.after.max(lock(&pasted).map(|at| at.elapsed()).unwrap_or_default());
    }
    finish(world, "rotations-pasted_late").await;
    late
}

/// A flood of bad signatures at one container, which goes on serving Slack. No overlap, so that a reading is one call.
async fn flooded(report: &mut Report) {
    const LANES: usize = 20;
    let world = world(0).await;
    let counter = world.dispatcher().counter("commands");
    counter.reset();
    let began = Instant::now();
    let (bad, believed, good, refused) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let flood = async |_| {
        let mut beat = interval(Duration::from_millis(100));
        while began.elapsed() < FLOOD {
            beat.tick().await;
            bad.fetch_add(1, Ordering::SeqCst);
            believed.fetch_add(usize::from(asks(&world, 0, "a guess").await != 401), Ordering::SeqCst);
        }
    };
    let old = world.signing_secret.clone();
    let slack = async {
        let mut beat = interval(Duration::from_millis(100));
        while began.elapsed() < FLOOD / 2 {
            beat.tick().await;
            good.fetch_add(1, Ordering::SeqCst);
            refused.fetch_add(usize::from(asks(&world, 0, &old).await != 200), Ordering::SeqCst);
        }
        let new = rotates_signing_secret(&world).await;
        let rotated = Instant::now();
        while asks(&world, 0, &new).await != 200 {
            beat.tick().await;
        }
        let known = rotated.elapsed();
        let is_refused = asks(&world, 0, &old).await == 401;
        while began.elapsed() < FLOOD {
            beat.tick().await;
            good.fetch_add(1, Ordering::SeqCst);
            refused.fetch_add(usize::from(asks(&world, 0, &new).await != 200), Ordering::SeqCst);
        }
        (known, is_refused)
    };
    let (_, (known, is_refused)) = tokio::join!(join_all((0..LANES).map(flood)), slack);
    let reads = counter.calls();
    let most = began.elapsed().as_secs() / REREAD + 1;
    report.row("flood: bad signatures", bad.into_inner());
    report.must("flood: of these believed", believed.into_inner(), 0);
    report.row("flood: Slack's own requests meanwhile", good.into_inner());
    report.must("flood: of these refused", refused.into_inner(), 0);
    at_most(report, &format!("flood: readings in {} s", began.elapsed().as_secs()), reads.len() as u128, most);
    report.must(
        "flood: calls that were no readings",
        reads.iter().filter(|call| call.action != "secretsmanager.GetSecretValue").count(),
        0,
    );
    at_most(report, "flood: a rotation in it was believed after, ms", known.as_millis(), REREAD * 1_000);
    report.must("overlap of 0 hours: the old one is refused once the new one is known", is_refused, true);
    finish(world, "rotations-flooded").await;
}

/// An overlap of 24 hours that ends while a container lives, and one that has ended before a container began.
async fn aged(report: &mut Report) {
    const LEFT: Duration = Duration::from_secs(8);
    let world = world(24).await;
    let old = world.signing_secret.clone();
    let counter = world.dispatcher().counter("commands");
    counter.says_older(SignedDuration::from_hours(24) - SignedDuration::try_from(LEFT).unwrap_or_default());
    let rotated = Instant::now();
    let new = rotates_signing_secret(&world).await;
    let within = [asks(&world, 0, &new).await, asks(&world, 0, &old).await];
    sleep_until(rotated + LEFT).await;
    let after = [asks(&world, 0, &new).await, asks(&world, 0, &old).await];
    world.dispatcher().function("commands").cool_down();
    counter.reset();
    let anew = [asks(&world, 0, &new).await, asks(&world, 0, &old).await];
    let readings = counter.calls().iter().filter(|call| call.action.ends_with("GetSecretValue")).count();
    report.must("aged version: new and old within the overlap", format!("{within:?}"), "[200, 200]");
    report.must("aged version: new and old after it, same container", format!("{after:?}"), "[200, 401]");
    report.must("aged version: new and old after it, new container", format!("{anew:?}"), "[200, 401]");
    // One at its start, one because of the old one's signature: the version before is not asked for.
    report.must("aged version: readings of the new container", readings, 2);
    finish(world, "rotations-aged").await;
}

/// Thirty-two clocks find one token about to expire.
async fn refreshed(report: &mut Report, rounds: usize) {
    const CLOCKS: usize = 32;
    let world = World::with(Setup { by_link: true, tokens_rotate: true, ..Setup::default() }).await;
    Browser::new(&world).installs(WORKSPACE).await;
    let mut kept = Vec::new();
    for _ in 0..rounds {
        let soon = (Timestamp::now() + SignedDuration::from_mins(110)).as_second();
        world.changes("installations", WORKSPACE, "SET token_expires_at = :value", soon).await;
        join_all((0..CLOCKS).map(|_| world.ticks())).await;
        kept.push(world.installation_secret(WORKSPACE).await.unwrap_or_default().to_string());
    }
    kept.dedup();
    let calls = world.slack.calls("oauth.v2.access").await;
    let is_refresh = |call: &&Value| call.pointer("/arguments/grant_type").and_then(Value::as_str) == Some("refresh_token");
    report.row("refreshes: rounds of 32 at once", rounds);
    report.must("refreshes: calls to oauth.v2.access", calls.iter().filter(is_refresh).count(), rounds);
    report.must("refreshes: pairs of tokens kept", kept.len(), rounds);
    finish(world, "rotations-refreshed").await;
}
