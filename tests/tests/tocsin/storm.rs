//! More new incidents than anybody reads: one live digest carries them, none is lost, and it ends by itself.

use std::collections::BTreeSet;

use serde_json::json;
use tests::dispatcher::counter::Call;
use tests::inputs::own;
use tests::ministack::Queue;
use tests::slack::Message;
use tests::world::{Setup, WORKSPACE, World};

/// How many come at once.
const MANY: usize = 100;

fn title(number: usize) -> String {
    format!("storm alarm {number:03}")
}

async fn drops_many(world: &World, from: usize, to: usize) {
    let now = jiff::Timestamp::now();
    for number in from..to {
        let severity = if number == 77 { "P1" } else { "P3" };
        world.drops(&own("create", &format!("storm-{number}"), now, &json!({ "title": title(number), "severity": severity }))).await;
    }
}

/// Waits until at least this many posts of a kind are due: `due#card`.
async fn due(world: &World, kind: &str, count: usize) -> Vec<String> {
    world
        .until(&format!("{count} posts {kind}"), async || {
            let due: Vec<_> = world.unposted().await.into_iter().filter(|place| place.starts_with(kind)).collect();
            if due.len() >= count { Ok(due) } else { Err(format!("{due:?}")) }
        })
        .await
}

/// Waits until the faults have hit this often, and nobody is at work in Slack then, nor begins to be.
async fn faults_hit(world: &World, times: u64) {
    world
        .until("lost answers", async || match world.slack.hits().await {
            hits if hits >= times => Ok(()),
            hits => Err(format!("{hits} hits")),
        })
        .await;
    world.dispatcher().mapping("poster").rest().await;
}

/// The digest, once it reads so.
async fn digest(world: &World, reads: &str) -> Message {
    world
        .until(&format!("a digest that reads {reads:?}"), async || {
            let digests: Vec<_> = world.cards("#incidents", "in this thread").await;
            match digests.as_slice() {
                [digest] if digest.reads().contains(reads) => Ok(digest.clone()),
                others => Err(tests::card::readable(others)),
            }
        })
        .await
}

async fn thread(world: &World, of: &Message) -> Vec<Message> {
    world.slack.messages().await.into_iter().filter(|message| message.thread() == Some(of.ts())).collect()
}

/// The incidents whose titles stand in these messages.
fn shown(messages: &[Message]) -> BTreeSet<usize> {
    let text: String = messages.iter().map(Message::reads).collect::<Vec<_>>().join("\n");
    (0..2 * MANY).filter(|number| text.contains(&title(*number))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_comes_as_one_live_digest_and_ends_by_itself() {
    let world = World::start().await;
    world.configures("[storm]\nabove = 20\n").await;
    drops_many(&world, 0, MANY).await;
    let first = digest(&world, "storm alarm 077").await;
    world.settled().await;

    let pages = thread(&world, &first).await;
    let single: Vec<_> = world.cards("#incidents", "storm alarm").await.into_iter().filter(|card| card.ts() != first.ts()).collect();
    assert!(single.len() <= 20, "{} cards of their own", single.len());
    let (on_pages, on_cards) = (shown(&pages), shown(&single));
    assert!(on_pages.is_disjoint(&on_cards), "an incident is shown twice");
    assert_eq!(on_pages.len() + on_cards.len(), MANY, "an incident is not shown");
    assert!(pages.len() <= 5, "{} replies", pages.len());
    digest(&world, &format!("{} triggered", on_pages.len())).await;

    // One of them is acted upon, at its button and by its id.
    let jane = world.user("jane");
    let page = pages.iter().find(|page| page.reads().contains(&title(77))).expect("the worst is on a page");
    let id = page.reads().split(&title(77)).nth(1).and_then(tests::slack::incident_in).expect("its id");
    jane.presses("acknowledge_incident", &format!("T0TOCSIN/{id}/P1"), page).await;
    digest(&world, "1 acknowledged").await;
    jane.types(&format!("/incident resolve {id} rolled back")).await.answer().await;
    digest(&world, "1 resolved").await;
    world.settled().await;
    assert_eq!(thread(&world, &first).await.len(), pages.len(), "what happens shows on the pages and makes no replies");

    // A quiet minute later.
    world.forgets_what_came_lately("#incidents").await;
    drops_many(&world, MANY, MANY + 1).await;
    world.card("#incidents", &title(MANY)).await.thread_of(1).await;
    digest(&world, "in a storm that is over").await;
    world.finish().await;
}

/// A page that was posted, of which nobody learnt, and that has grown before it is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_answer_was_lost_shows_what_has_moved_onto_it_since() {
    let world = World::with(Setup { slack_timeout: 1, ..Setup::default() }).await;
    world.configures("[storm]\nabove = 5\n").await;
    let poster = world.dispatcher().mapping("poster");
    poster.rest().await;
    drops_many(&world, 0, 12).await;
    due(&world, "due#card", 12).await;
    // The digest's answer, then the page's.
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": 2 })).await;
    poster.resume();
    faults_hit(&world, 2).await;
    drops_many(&world, 12, 22).await;
    due(&world, "due#card", 10).await;
    poster.resume();
    let head = digest(&world, "22 triggered").await;
    world.settled().await;
    assert_eq!(shown(&thread(&world, &head).await), (0..22).collect(), "an incident is not on its page");
    world.finish().await;
}

/// A card that was found by a look-up is a message already, whatever it was when it became due: a storm has nothing to move there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_was_found_in_a_storm_stops_nobody() {
    let world = World::with(Setup { slack_timeout: 1, ..Setup::default() }).await;
    world.configures("[storm]\nabove = 5\n").await;
    let poster = world.dispatcher().mapping("poster");
    world.slack.fault(&json!({ "kind": "accept_then_reset", "method": "chat.postMessage", "times": 1 })).await;
    world.drops(&own("create", "lost", jiff::Timestamp::now(), &json!({ "title": "the answer is lost", "severity": "P1" }))).await;
    faults_hit(&world, 1).await;
    drops_many(&world, 0, 12).await;
    due(&world, "due#card", 13).await;
    poster.resume();
    let head = digest(&world, "12 triggered").await;
    world.settled().await;
    assert_eq!(shown(&thread(&world, &head).await), (0..12).collect());
    world.card("#incidents", "the answer is lost").await;
    let in_vain = |call: &&Call| call.action.ends_with("TransactWriteItems") && call.status == 400;
    let in_vain = world.dispatcher().counter("poster").calls().iter().filter(in_vain).count();
    assert_eq!(in_vain, 0, "transactions in vain");
    world.finish().await;
}

/// Moving onto a page is all or nothing; where it cannot be, what waits is posted one by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_cannot_move_onto_a_page_stops_nobody() {
    let world = World::start().await;
    world.configures("[storm]\nabove = 5\n").await;
    let poster = world.dispatcher().mapping("poster");
    poster.rest().await;
    drops_many(&world, 0, 8).await;
    let cards = due(&world, "due#card", 8).await;
    let stuck = cards[0].rsplit('#').next().expect("an incident's id");
    world.changes(&format!("{WORKSPACE}#incident#{stuck}"), "message##incidents", "SET since = :value", 1).await;
    poster.resume();
    world.settled().await;
    let messages = world.slack.messages().await;
    assert_eq!(shown(&messages), (0..8).collect());
    world.finish().await;
}

/// A poster has found that a storm is over, and is frozen before it can say so; meanwhile the storm goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_that_goes_on_is_not_ended_by_a_poster_that_was_frozen() {
    let visibility = [(Queue::Incidents, 8), (Queue::Intents, 8), (Queue::Posts, 4)].into();
    let world = World::with(Setup { slack_timeout: 1, instances: 3, visibility, ..Setup::default() }).await;
    world.configures("thread = false\n[storm]\nabove = 5\n").await;
    let poster = world.dispatcher().mapping("poster");
    poster.rest().await;
    drops_many(&world, 0, 12).await;
    due(&world, "due#card", 12).await;
    poster.resume();
    digest(&world, "12 triggered").await;
    world.settled().await;

    world.forgets_what_came_lately("#incidents").await;
    let mut ends = world.dispatcher().counter("poster").hold("SET ended = :now");
    drops_many(&world, 12, 13).await;
    ends.came().await;
    let frozen = world.dispatcher().function("poster").busy_instance().expect("a poster at work");
    frozen.freeze();
    poster.pause();
    drops_many(&world, 13, 30).await;
    due(&world, "due#card", 18).await;
    poster.resume();
    digest(&world, "30 triggered").await;
    ends.let_go();
    frozen.thaw();
    world.settled().await;
    drops_many(&world, 30, 40).await;
    let head = digest(&world, "40 triggered").await;
    assert!(!head.reads().contains("over"), "{}", head.reads());
    world.finish().await;
}
