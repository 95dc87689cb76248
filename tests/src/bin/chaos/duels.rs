//! Two people press at once: both Acknowledge, and one Approve where the other presses Reject. One decision; the other reads who was first; the internal API is told once.
//!
//! Nothing is scaled but the rates of the simulated Slack, so that it does not take hours; ten incidents are fought over at a time.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::card::{Card, is_what};
use tests::inputs::own;
use tests::internal_api::InternalApi;
use tests::people::User;
use tests::world::{Setup, World};

use crate::Options;
use crate::common::{Report, channel, channels, duplicates, finish, settle, taken};

const AT_ONCE: usize = 10;
const BUTTONS: [&str; 4] = ["Acknowledge", "Resolve", "Approve", "Reject"];

pub(crate) async fn run(options: &Options) -> Report {
    let rounds = options.scaled(500);
    let setup = Setup { patience: Duration::from_mins(10), counted: false, updates_per_minute: 100_000, instances: 4, ..Setup::default() };
    let world = World::with(setup).await;
    let api = InternalApi::start(&world, "deploys").await;
    let endpoint = format!("[storm]\nabove = 0\n[[endpoints]]\nname = \"deploys\"\nurl = \"{}\"", api.url);
    channels(&world, AT_ONCE, &endpoint).await;
    let plenty = json!({ "workspace_per_minute": 100_000, "methods": { "chat.postMessage": 100_000, "chat.update": 100_000 } });
    world.slack.tell("rates", &plenty).await;
    let mut cards = Vec::new();
    for from in (0..rounds).step_by(AT_ONCE) {
        let some = from..(from + AT_ONCE).min(rounds);
        for round in some.clone() {
            world.drops(&asks(round)).await;
        }
        let mut fought = Vec::new();
        for round in some {
            fought.push(world.card(&channel(round % AT_ONCE), &format!("duel {round:03}")).await);
        }
        // Nobody's card moves before all have pressed.
        for card in &fought {
            card.has_buttons(&BUTTONS).await;
        }
        world.dispatcher().mapping("worker").rest().await;
        join_all(fought.iter().map(|card| duel(&world, card))).await;
        world.dispatcher().mapping("worker").resume();
        cards.extend(fought);
        if cards.len() % 50 == 0 {
            println!("   {} rounds", cards.len());
        }
    }
    settle(&world).await;
    let report = count(&world, &api, &cards).await;
    finish(world, "duels").await;
    report
}

/// The message that asks for an approval of an incident that can be acknowledged as well.
fn asks(round: usize) -> Value {
    let fields = json!({
        "title": format!("duel {round:03}"), "service": format!("service-{}", round % AT_ONCE), "kind": "release", "approval": { "call": "deploys" },
    });
    own("create", &format!("duel-{round}"), Timestamp::now(), &fields)
}

/// All four press what the card shows them, at once.
async fn duel(world: &World, card: &Card<'_>) {
    let message = card.has_buttons(&BUTTONS).await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    tokio::join!(
        jane.clicks_on("Acknowledge", &message, 1),
        omar.clicks_on("Acknowledge", &message, 1),
        jane.clicks_on("Approve", &message, 1),
        omar.clicks_on("Reject", &message, 1),
    );
}

async fn count(world: &World, api: &InternalApi, cards: &[Card<'_>]) -> Report {
    let (mut acknowledged, mut decided, mut refused, mut otherwise) = (0, 0, 0, 0);
    for card in cards {
        let timeline = card.timeline().await;
        let fates = |what: &str, done: bool| {
            let is = |entry: &&Value| is_what(entry, what) && (entry.get("fate").and_then(Value::as_str) == Some("done")) == done;
            timeline.iter().filter(is).count()
        };
        acknowledged += fates("acknowledged", true);
        decided += fates("decided", true);
        refused += fates("acknowledged", false) + fates("decided", false);
        let each = [fates("acknowledged", true), fates("decided", true), fates("acknowledged", false), fates("decided", false)];
        otherwise += usize::from(each != [1, 1, 1, 1]);
    }
    let told = async |user: User<'_>| {
        let told = user.told().await;
        told.iter().filter(|message| message.reads().contains("<@U0") && message.reads().contains(" already")).count()
    };
    let told = told(world.user("jane")).await + told(world.user("omar")).await;
    let mut report = Report::default();
    report.row("incidents, with four presses at once on each", cards.len());
    report.must("acknowledged", acknowledged, cards.len());
    report.must("decided", decided, cards.len());
    report.must("refused", refused, 2 * cards.len());
    report.must("incidents where it was not one of each", otherwise, 0);
    report.must("people who read who was first", told, 2 * cards.len());
    report.must("calls that the internal API was asked for", api.requests().len(), cards.len());
    report.must("what it did", api.effects().len(), cards.len());
    report.must("messages that are there twice", duplicates(&taken(world).await), 0);
    report
}
