//! Faults on demand.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::World;

#[tokio::test]
async fn accept_then_reset_applies_and_the_client_sees_a_broken_connection() {
    let world = World::start().await;
    world.sim("faults", json!({"kind": "accept_then_reset", "method": "chat.postMessage", "times": 1})).await;
    let broken = world.try_api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "once"})).await;
    let error = broken.err().unwrap();
    assert!(!error.is_timeout() && !error.is_connect() && error.status().is_none(), "{error:?}");
    let messages = world.look("messages?channel=incidents").await;
    assert_eq!(messages.as_array().unwrap().len(), 1);
    let call = &world.look("calls").await[0];
    assert_eq!((&call["applied"], &call["http_status"], &call["fault"]), (&json!(true), &Value::Null, &json!("accept_then_reset")));
    world.post("C0INCIDENTS", "the next one passes").await;
}

#[tokio::test]
async fn reset_before_applies_nothing() {
    let world = World::start().await;
    world.sim("faults", json!({"kind": "reset_before"})).await;
    assert!(world.try_api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "lost"})).await.is_err());
    assert_eq!(world.look("messages?channel=incidents").await, json!([]));
    let call = &world.look("calls").await[0];
    assert_eq!((&call["applied"], &call["http_status"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn refusals_apply_nothing_and_pass_after_so_many_calls() {
    let world = World::start().await;
    world.sim("faults", json!({"kind": "rate_limited", "retry_after": 7, "times": 1})).await;
    world.sim("faults", json!({"kind": "server_error", "status": 503, "times": 1})).await;
    world.sim("faults", json!({"kind": "error", "code": "fatal_error", "times": 1})).await;
    let limited = world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x"})).await;
    assert_eq!((limited.status, limited.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x"})).await.status, 503);
    assert_eq!(world.api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "x"})).await.body["error"], "fatal_error");
    assert_eq!(world.look("messages?channel=incidents").await, json!([]));
    world.post("C0INCIDENTS", "at last").await;
}

#[tokio::test]
async fn slow_applies_at_once_and_answers_late_even_to_a_client_that_gave_up() {
    let world = World::start().await;
    world.sim("faults", json!({"kind": "slow", "delay_ms": 300, "times": 1})).await;
    let started = Instant::now();
    world.post("C0INCIDENTS", "slow").await;
    assert!(started.elapsed() >= Duration::from_millis(300));

    world.sim("faults", json!({"kind": "slow", "delay_ms": 60_000, "times": 1})).await;
    let call = world.try_api("chat.postMessage", json!({"channel": "C0INCIDENTS", "text": "given up"}));
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    assert_eq!(world.look("calls?method=chat.postMessage").await.as_array().unwrap().len(), 2);
    assert_eq!(world.look("messages?channel=incidents").await[1]["text"], "given up");
}

#[tokio::test]
async fn faults_can_be_limited_to_a_channel_and_cleared() {
    let world = World::start().await;
    world.sim("faults", json!({"kind": "server_error", "channel": "payments"})).await;
    world.post("incidents", "passes").await;
    assert_eq!(world.api("chat.postMessage", json!({"channel": "#payments", "text": "x"})).await.status, 500);
    assert_eq!(world.look("faults").await[0]["hits"], 1);
    world.http.delete(format!("{}/sim/faults", world.running.base_url)).send().await.unwrap();
    world.post("payments", "passes").await;
}
