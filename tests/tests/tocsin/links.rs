//! Links to incidents' pages, shared in a conversation.

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::inputs::own;
use tests::slack::Message;
use tests::world::World;

async fn says(world: &World, name: &'static str, text: &str) -> String {
    let said = world.user(name).says("general", text).await.delivery;
    said.get("ts").and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn message(world: &World, ts: &str) -> Message {
    world.slack.messages().await.into_iter().find(|message| message.ts() == ts).unwrap_or_else(|| panic!("no message {ts}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_link_stands_how_its_incident_stands() {
    let world = World::start().await;
    world.slack.tell("channels", &json!({ "id": "C0SECURITY", "members": ["U0JANE", "U0BOT"], "is_member": true })).await;
    let routing = "[routing]\ndefault = { channel = \"#incidents\" }\n[[routing.rules]]\nmatch = { service = \"vault\" }\nto = [{ channel = \"C0SECURITY\" }]";
    world.configures(routing).await;
    let page = |name: &str| format!("https://grafana.example.com/d/{name}?from=1&to=2");
    for (title, service) in [("checkout <is> slow", "checkout"), ("somebody is in the vault", "vault")] {
        world.drops(&own("create", title, Timestamp::now(), &json!({ "title": title, "service": service, "url": page(service) }))).await;
    }
    let card = world.card("#incidents", "is> slow").await;
    world.card("C0SECURITY", "in the vault").await;

    let ts = says(&world, "omar", &format!("look: {} and {}", page("checkout"), page("search"))).await;
    let shown = async || {
        let reads = message(&world, &ts).await.reads();
        if reads.contains(&card.incident) { Ok(reads) } else { Err(reads) }
    };
    let reads = world.until("what is under the link", shown).await;
    assert!(reads.contains("checkout &lt;is&gt; slow") && reads.contains("triggered"), "{reads}");

    // Omar is not where the vault's card is; Jane is.
    let hidden = says(&world, "omar", &page("vault")).await;
    world.settled().await;
    assert!(!message(&world, &hidden).await.reads().contains("INC-"), "nobody reads here what is not theirs to read");
    let ts = says(&world, "jane", &page("vault")).await;
    let shown = async || {
        let reads = message(&world, &ts).await.reads();
        if reads.contains("in the vault") { Ok(()) } else { Err(reads) }
    };
    world.until("what is under Jane's link", shown).await;

    // What is over is not live any more.
    world.user("jane").types(&format!("/incident resolve {}", card.incident)).await.answer().await;
    card.shows("*Resolved*").await;
    let late = says(&world, "omar", &page("checkout")).await;
    world.settled().await;
    assert!(!message(&world, &late).await.reads().contains(&card.incident));
    world.finish().await;
}
