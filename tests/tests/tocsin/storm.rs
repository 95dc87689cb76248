//! More new incidents than anybody reads: one live digest carries them, none is lost, and it ends by itself.

use std::collections::BTreeSet;

use serde_json::json;
use tests::inputs::own;
use tests::slack::Message;
use tests::world::World;

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
    jane.presses("acknowledge_incident", &format!("T0TOCSIN/{id}"), page).await;
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
