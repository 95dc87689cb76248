//! An incident that begins with somebody's message.

use serde_json::Value;
use tests::ministack::Queue;
use tests::slack::Message;
use tests::world::World;

use crate::once::{brought, deliver_much_later};

async fn says(world: &World, channel: &str, text: &str) -> String {
    let said = world.user("omar").says(channel, text).await.delivery;
    said.get("ts").and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn under(world: &World, ts: &str) -> Vec<Message> {
    let mut messages = world.slack.messages().await;
    messages.retain(|message| message.thread() == Some(ts) && message.only_for().is_none());
    messages
}

pub(crate) async fn a_message_becomes_an_incident_and_hears_of_it(world: &World) {
    let jane = world.user("jane");
    let ts = says(world, "general", "checkout is <down> again\nsince nine").await;
    jane.quotes("C0GENERAL", &ts).await;
    let form = jane.modal("create_incident").await;
    let quoted = form.to_string();
    assert!(quoted.contains("> checkout is <down> again\\n> since nine"), "{quoted}");
    let submitted = jane.submits(&[("title", "Checkout is down"), ("severity", "P2")]).await;
    let told = submitted.answer().await;
    assert!(told.contains("is open: P2 Checkout is down"), "{told}");
    let card = world.card("#incidents", "Checkout is down").await;
    let message = card.shows("> since nine").await;
    let link = message.buttons().into_iter().find(|button| button.label == "Message").and_then(|button| button.url).unwrap_or_default();
    assert!(link.contains("/archives/C0GENERAL/p"), "{link}");
    let reply = world.until("the message hears of it", async || under(world, &ts).await.pop().ok_or_else(|| "no reply".to_owned())).await;
    assert!(reply.is_ours() && reply.reads().contains(&card.incident) && reply.reads().contains("Checkout is down"), "{}", reply.reads());
    jane.types(&format!("/incident resolve {}", card.incident)).await.answer().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_said_once_however_often_the_form_is_sent() {
    let world = World::start().await;
    let jane = world.user("jane");
    let ts = says(&world, "general", "slow").await;
    jane.quotes("C0GENERAL", &ts).await;
    jane.modal("create_incident").await;
    let values = serde_json::json!({ "title": { "title": "Slow, said twice" } });
    world.slack.tell("submit", &serde_json::json!({ "user": jane.id, "values": values, "deliveries": 3 })).await;
    let card = world.card("#incidents", "Slow, said twice").await;
    card.thread_of(1).await;
    world.until("the message hears of it", async || if under(&world, &ts).await.is_empty() { Err(String::new()) } else { Ok(()) }).await;
    // SQS hands the job out again, long after it was done.
    for job in brought(&world, "worker", "Slow, said twice") {
        deliver_much_later(&world, Queue::Intents, &job).await;
    }
    world.settled().await;
    assert_eq!((under(&world, &ts).await.len(), world.cards("#incidents", "Slow, said twice").await.len()), (1, 1));
    world.finish().await;
}

/// Where the bot is not, nothing is said, and nobody is told by a dead letter; the person reads where the card is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_bot_is_not_the_person_alone_is_told() {
    let world = World::start().await;
    let jane = world.user("jane");
    let ts = says(&world, "random", "the coffee machine is broken").await;
    jane.quotes("C0RANDOM", &ts).await;
    jane.modal("create_incident").await;
    jane.submits(&[("title", "No coffee")]).await;
    let card = world.card("#incidents", "No coffee").await;
    card.shows("> the coffee machine is broken").await;
    card.thread_of(1).await;
    world
        .until("Jane is told by herself", async || {
            let told = world
                .slack
                .messages()
                .await
                .into_iter()
                .any(|message| message.channel() == "D0JANE" && message.reads().contains(&card.incident));
            if told { Ok(()) } else { Err(String::new()) }
        })
        .await;
    world.settled().await;
    assert_eq!(under(&world, &ts).await.len(), 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reply_of_a_thread_is_answered_in_that_thread() {
    let world = World::start().await;
    let jane = world.user("jane");
    let first = says(&world, "general", "anybody here?").await;
    let second = jane.replies_to("mails are late", "C0GENERAL", &first).await.delivery;
    let second = second.get("ts").and_then(Value::as_str).unwrap_or_default();
    jane.quotes("C0GENERAL", second).await;
    jane.modal("create_incident").await;
    jane.submits(&[("title", "Mails are late")]).await;
    world.card("#incidents", "Mails are late").await;
    let ours = async || under(&world, &first).await.into_iter().find(Message::is_ours).ok_or_else(String::new);
    world.until("the thread hears of it", ours).await;
    world.finish().await;
}
