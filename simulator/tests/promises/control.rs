//! The control API where it is more than a door to the rest: the stream, the page, settings, samples.

use serde_json::{Value, json};

use crate::World;

/// Reads the stream up to the end of the next event that is not a comment.
async fn next_event(response: &mut reqwest::Response, buffer: &mut String) -> (String, Value) {
    loop {
        if let Some(end) = buffer.find("\n\n") {
            let event: String = buffer.drain(..end + 2).collect();
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
            if event.starts_with(':') {
                continue;
            }
            return (field("event:"), serde_json::from_str(&field("data:")).unwrap());
        }
        let chunk = response.chunk().await.unwrap().unwrap();
        buffer.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn the_stream_begins_with_everything_and_tells_each_change() {
    let world = World::start().await;
    world.sim("app", json!({"events": []})).await;
    world.post("incidents", "before").await;
    let mut response = world.http.get(format!("{}/sim/stream", world.running.base_url)).send().await.unwrap();
    let mut buffer = String::new();
    let (kind, snapshot) = next_event(&mut response, &mut buffer).await;
    assert_eq!((kind.as_str(), &snapshot["messages"][0]["text"]), ("snapshot", &json!("before")));
    let ts = world.post("incidents", "after").await;
    let (kind, change) = next_event(&mut response, &mut buffer).await;
    assert_eq!((kind.as_str(), &change["kind"], &change["message"]["ts"]), ("change", &json!("message"), &json!(ts)));
    let (_, change) = next_event(&mut response, &mut buffer).await;
    assert_eq!((&change["kind"], &change["call"]["method"]), (&json!("call"), &json!("chat.postMessage")));
    world.sim("reset", json!({})).await;
    let (kind, snapshot) = next_event(&mut response, &mut buffer).await;
    assert_eq!((kind.as_str(), &snapshot["messages"]), ("snapshot", &json!([])));
}

#[tokio::test]
async fn without_a_page_it_says_how_to_build_one() {
    let world = World::start_with(simulator::Config { page: "nowhere".into(), ..Default::default() }).await;
    let response = world.http.get(format!("{}/", world.running.base_url)).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    let text = response.text().await.unwrap();
    assert!(text.contains("npm ci && npm run build"), "{text}");
}

#[tokio::test]
async fn the_page_is_served_from_its_folder() {
    let folder = std::env::temp_dir().join(format!("simulator-page-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("index.html"), "<p>page</p>").unwrap();
    let world = World::start_with(simulator::Config { page: folder.clone(), ..Default::default() }).await;
    let page = world.http.get(format!("{}/", world.running.base_url)).send().await.unwrap().text().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(page, "<p>page</p>");
}

#[tokio::test]
async fn people_and_channels_can_be_changed() {
    let world = World::start().await;
    world.sim("users", json!({"id": "U0OMAR", "deleted": true})).await;
    let omar = world.get_api("users.info?user=U0OMAR").await;
    assert_eq!((&omar["user"]["deleted"], &omar["user"]["name"]), (&json!(true), &json!("omar")));
    world.sim("channels", json!({"id": "C0INCIDENTS", "is_member": false})).await;
    assert_eq!(world.api("chat.postMessage", json!({"channel": "incidents", "text": "x"})).await.body["error"], "not_in_channel");
    world.sim("invite", json!({"channel": "incidents"})).await;
    world.post("incidents", "back").await;
    world.sim("channels", json!({"id": "C0INCIDENTS", "is_archived": true})).await;
    assert_eq!(world.api("chat.postMessage", json!({"channel": "incidents", "text": "x"})).await.body["error"], "is_archived");
}

#[tokio::test]
async fn only_the_files_of_the_samples_folder_are_read() {
    let folder = std::env::temp_dir().join(format!("simulator-samples-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("inner")).unwrap();
    std::fs::write(folder.join("b.json"), "{\"b\": 1}").unwrap();
    std::fs::write(folder.join("a.txt"), "a").unwrap();
    std::fs::write(folder.join("README.md"), "about").unwrap();
    let world = World::start_with(simulator::Config { samples: folder.clone(), ..Default::default() }).await;
    assert_eq!(world.look("samples").await, json!(["a.txt", "b.json"]));
    assert_eq!(world.look("samples/b.json").await, json!({"b": 1}));
    for name in ["..%2Fsecret", "inner", "c.json"] {
        let response = world.http.get(format!("{}/sim/samples/{name}", world.running.base_url)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 404, "{name}");
    }
    let send = world.http.post(format!("{}/sim/samples/b.json/send", world.running.base_url)).send().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(send.status().as_u16(), 503, "there is no queue");
}

#[tokio::test]
async fn a_stopped_simulator_is_gone() {
    let World { running, http, .. } = World::start().await;
    let url = format!("{}/sim/state", running.base_url);
    assert!(http.get(&url).send().await.is_ok());
    running.stop().await;
    assert!(http.get(&url).send().await.is_err());
}
