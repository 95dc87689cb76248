//! A storm: many messages, many calls.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::World;

/// A card as Tocsin posts it: about 4 kB.
fn card(number: usize) -> Value {
    let button = |action: &str| json!({"type": "button", "action_id": action, "value": format!("T0TOCSIN/INC-{number}"), "text": {"type": "plain_text", "text": action}});
    let buttons: Vec<Value> = ["acknowledge_incident", "resolve_incident", "snooze_incident", "escalate_incident"].map(button).to_vec();
    let field = |name: usize| json!({"type": "mrkdwn", "text": format!("*Field {name}*\n{}", "value ".repeat(20))});
    json!({
        "channel": "C0INCIDENTS", "text": format!("INC-{number} something is on fire"),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": format!("INC-{number} something is on fire")}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "what is known about it ".repeat(30)}},
            {"type": "section", "fields": (0..8).map(field).collect::<Vec<_>>()},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "from *cloudwatch*, seen 3 times"}]},
            {"type": "actions", "elements": buttons},
        ],
        "attachments": [{"color": "#d00000", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "the last lines of a log ".repeat(20)}}]}],
        "metadata": {"event_type": "incident", "event_payload": {"id": format!("INC-{number}")}},
    })
}

#[tokio::test]
async fn calls_and_messages_are_read_in_part() {
    let world = World::start().await;
    for text in ["one", "two", "three"] {
        world.post("C0INCIDENTS", text).await;
    }
    let first = world.look("calls?fields=id,error&limit=2").await;
    assert_eq!(first.as_array().unwrap().len(), 2);
    assert_eq!(first[0], json!({"id": first[0]["id"], "error": null}));
    let rest = world.look(&format!("calls?since={}&fields=arguments", first[1]["id"])).await;
    assert_eq!(rest, json!([{"arguments": {"channel": "C0INCIDENTS", "text": "three"}}]));
    let texts = world.look("messages?fields=text,channel").await;
    assert_eq!((texts.as_array().unwrap().len(), &texts[2]), (3, &json!({"text": "three", "channel": "C0INCIDENTS"})));
    assert_eq!(world.look("messages?channel=payments&fields=ts").await, json!([]));
    assert_eq!(world.look("state?fields=version,queue").await["queue"], false);
    for path in ["calls?fields=id,colour", "messages?fields=colour", "state?fields=colour"] {
        let response = world.http.get(format!("{}/sim/{path}", world.running.base_url)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 400, "{path}");
    }
}

#[tokio::test]
async fn a_long_conversation_is_read_page_by_page() {
    let world = World::start().await;
    world.sim("rates", json!({"off": true})).await;
    let root = world.post("C0INCIDENTS", "0").await;
    for number in 1..7 {
        world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": number.to_string(), "thread_ts": root})).await;
        world.post("C0INCIDENTS", &number.to_string()).await;
    }
    for (method, expected) in [("conversations.history", "6 5 4 3 2 1 0"), ("conversations.replies", "0 1 2 3 4 5 6")] {
        let (mut texts, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = world.get_api(&format!("{method}?channel=C0INCIDENTS&ts={root}&limit=3&cursor={cursor}")).await;
            texts.extend(answer["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()));
            answer["response_metadata"]["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
            assert_eq!(answer["has_more"], !cursor.is_empty());
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(texts.join(" "), expected, "{method}");
    }
    assert_eq!(world.get_api("conversations.history?channel=C0INCIDENTS&cursor=elsewhere").await["error"], "invalid_cursor");
}

#[tokio::test]
#[ignore = "a measurement of half a minute; run it by name, with --nocapture"]
#[expect(clippy::print_stdout, reason = "what was measured is told")]
async fn how_much_it_carries() {
    let world = World::start().await;
    world.sim("rates", json!({"off": true})).await;
    world.sim("app", json!({"events": []})).await;
    let timed = async |what: &str, times: usize, method: &str, arguments: &dyn Fn(usize) -> Value| {
        let started = Instant::now();
        let mut slowest = Duration::ZERO;
        for number in 0..times {
            let before = Instant::now();
            let answer = world.api(method, arguments(number)).await;
            slowest = slowest.max(before.elapsed());
            assert_eq!(answer.body["ok"], true, "{}", answer.body);
        }
        let each = started.elapsed() / u32::try_from(times).unwrap();
        println!("{what}: {times} calls, {each:?} each, slowest {slowest:?}");
    };
    timed("first cards", 500, "chat.postMessage", &card).await;
    timed("cards up to 10,000", 9_500, "chat.postMessage", &card).await;
    let messages = world.look("messages?fields=ts").await;
    let ts = |number: usize| messages[number * 7]["ts"].clone();
    timed("cards beyond", 500, "chat.postMessage", &card).await;
    timed("changes", 500, "chat.update", &|number| {
        let mut card = card(number);
        card["ts"] = ts(number);
        card
    })
    .await;
    timed("replies", 500, "chat.postMessage", &|number| json!({"channel": "C0INCIDENTS", "text": "noted", "thread_ts": ts(number)})).await;
    for path in [
        "calls?fields=id,at,team,method,http_status,early_ms",
        "calls",
        "messages?channel=incidents&fields=ts,text,thread_ts",
        "messages?channel=incidents",
        "state?fields=channels,views",
        "state",
    ] {
        let before = Instant::now();
        let text = world.http.get(format!("{}/sim/{path}", world.running.base_url)).send().await.unwrap().text().await.unwrap();
        println!("/sim/{path}: {:?}, {} kB", before.elapsed(), text.len() / 1024);
    }
    let before = Instant::now();
    let page = world.get_api("conversations.history?channel=C0INCIDENTS&limit=15&include_all_metadata=true").await;
    println!("conversations.history of 15: {:?}, {} messages", before.elapsed(), page["messages"].as_array().unwrap().len());
}
