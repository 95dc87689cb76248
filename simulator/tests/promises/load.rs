//! Many messages, many calls: read in part, or page by page.

use serde_json::json;

use crate::World;

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
