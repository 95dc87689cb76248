//! How the receivers are reached, whichever entrance the stack has.

use http_body_util::Full;
use hyper::{Method, Request};
use tests::world::World;

/// Without a signature or a key, each of them refuses, at the address that the stack tells.
pub(crate) async fn every_receiver_is_reached_and_believes_nobody(world: &World) {
    let api = world.url("api");
    let oauth = world.url("oauth");
    for (method, url, status) in [
        (Method::POST, world.url("commands"), 401),
        (Method::POST, world.url("interactions"), 401),
        (Method::POST, world.url("events"), 401),
        (Method::GET, format!("{api}v1/openapi.json"), 200),
        (Method::POST, format!("{api}v1/incidents"), 401),
        (Method::PATCH, format!("{api}v1/incidents/INC-ABCDEF"), 401),
        (Method::GET, format!("{api}elsewhere"), 404),
        // This app's secret holds a token, so nobody installs it by a link; and what was not begun is not finished.
        (Method::GET, format!("{oauth}install"), 404),
        (Method::GET, format!("{oauth}callback?state=a&code=b"), 403),
    ] {
        let request = Request::builder().method(method).uri(&url).body(Full::default()).expect("a request");
        let answer = world.http.send(request).await.expect("an answer");
        assert_eq!(answer.status, status, "{url}: {}", answer.text());
    }
}
