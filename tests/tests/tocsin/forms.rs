//! Forms: opened in place, checked in place.

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::world::World;

pub(crate) async fn create_with_nothing_said_opens_a_form(world: &World) {
    let jane = world.user("jane");
    jane.types_in("payments", "/incident create").await;
    jane.modal("create_incident").await;
    let fields = [("title", "Payments are slow"), ("severity", "P2"), ("service", "payments"), ("description", "since 9:00")];
    let submitted = jane.submits(&fields).await;
    assert_eq!(submitted.delivery.get("closed"), Some(&json!(true)), "{}", submitted.delivery);
    let told = submitted.answer_message().await;
    assert!(told.reads().contains("is open: P2 Payments are slow"), "{}", told.reads());
    assert_eq!(told.channel(), "C0PAYMENTS", "the answer comes to where the form was opened");
    let card = world.card("#incidents", "Payments are slow").await;
    let message = card.shows("since 9:00").await;
    assert!(message.reads().contains("P2"), "{}", message.reads());
    jane.types(&format!("/incident resolve {}", card.incident)).await.answer().await;
}

pub(crate) async fn a_form_that_is_not_complete_stays_open(world: &World) {
    let jane = world.user("jane");
    jane.types("/incident create").await;
    jane.modal("create_incident").await;
    // As a client of Slack's would send it that does not check required fields itself.
    let sent = json!({ "user": jane.id, "values": { "title": { "title": "  " } }, "force": true });
    let answer = world.slack.tell("submit", &sent).await;
    assert_eq!(answer.get("closed"), Some(&json!(false)), "{answer}");
    let mistake = answer.pointer("/errors/title").and_then(Value::as_str).unwrap_or_default();
    assert!(mistake.contains("what is wrong"), "{answer}");
    jane.modal("create_incident").await;
    let submitted = jane.submits(&[("title", "Now with a title")]).await;
    assert_eq!(submitted.delivery.get("closed"), Some(&json!(true)), "{}", submitted.delivery);
    let card = world.card("#incidents", "Now with a title").await;

    let before = card.message().await;
    jane.clicks("Resolve", &card).await;
    jane.modal("resolve_incident").await;
    let long = "x".repeat(2_001);
    let sent = json!({ "user": jane.id, "values": { "note": { "note": long } }, "force": true });
    let answer = world.slack.tell("submit", &sent).await;
    let mistake = answer.pointer("/errors/note").and_then(Value::as_str).unwrap_or_default();
    assert!(mistake.contains("2000"), "{answer}");
    world.settled().await;
    assert_eq!(card.message().await.reads(), before.reads(), "nothing was resolved");
    let submitted = jane.submits(&[("note", "short")]).await;
    assert_eq!(submitted.delivery.get("closed"), Some(&json!(true)), "{}", submitted.delivery);
    card.shows("*Resolved*").await;
}

pub(crate) async fn a_form_grows_and_keeps_what_was_typed(world: &World) {
    let jane = world.user("jane");
    jane.types("/incident create").await;
    jane.modal("create_incident").await;
    let pressed = jane.presses_in_form("create_incident_more", &[("title", "Search is slow"), ("severity", "P2")]).await;
    assert_eq!(pressed.delivery.get("status"), Some(&json!(200)), "{}", pressed.delivery);
    let now = Timestamp::now();
    let seconds = |minutes: i64| (now.as_second() + minutes * 60).to_string();
    let more = [("assignee", "U0LENA"), ("since", &seconds(10)), ("affected", "search-api, , indexer"), ("hint", "Restart it")];
    let to_come = jane.submits(&more).await;
    let mistake = to_come.delivery.pointer("/errors/since").and_then(Value::as_str).unwrap_or_default();
    assert!(mistake.contains("still to come"), "{}", to_come.delivery);
    let submitted = jane.submits(&[&more[..1], &[("since", &seconds(-20))], &more[2..]].concat()).await;
    assert_eq!(submitted.delivery.get("closed"), Some(&json!(true)), "{}", submitted.delivery);
    let card = world.card("#incidents", "Search is slow").await;
    let reads = card.shows("*Assignee:* <@U0LENA>").await.reads();
    for text in ["P2", "*Affected:* search-api, indexer", "*Do first:* Restart it", &format!("<!date^{}^", seconds(-20))] {
        assert!(reads.contains(text), "{text}: {reads}");
    }
    jane.types(&format!("/incident resolve {}", card.incident)).await.answer().await;
}

pub(crate) async fn the_global_shortcut_creates_an_incident(world: &World) {
    let lena = world.user("lena");
    lena.picks_shortcut("create_incident").await;
    lena.modal("create_incident").await;
    lena.submits(&[("title", "Mails are late")]).await;
    let card = world.card("#incidents", "Mails are late").await;
    // A shortcut has no channel, so the answer is a direct message.
    world
        .until("Lena is told in a direct message", async || {
            let messages = world.slack.messages().await;
            let told = messages.iter().any(|message| message.channel() == "D0LENA" && message.reads().contains(&card.incident));
            if told { Ok(()) } else { Err(tests::card::readable(&messages)) }
        })
        .await;
    lena.types(&format!("/incident resolve {}", card.incident)).await.answer().await;
}
