//! A browser that follows install links: it keeps cookies, and reaches over plain HTTP what the function believes to be its address on AWS.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};

use crate::dispatcher::lock;
use crate::dispatcher::url::HOST;
use crate::http::Answer;
use crate::world::World;

/// Somebody's browser.
#[derive(Debug)]
pub struct Browser<'w> {
    world: &'w World,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// A page that Slack was asked for: whether somebody wants to install.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where the browser was sent.
    pub location: String,
    /// What the address carries.
    pub parameters: BTreeMap<String, String>,
}

impl Asked {
    /// One of the parameters.
    pub fn parameter(&self, name: &str) -> String {
        self.parameters.get(name).cloned().unwrap_or_else(|| panic!("{name} is missing in {}", self.location))
    }
}

impl<'w> Browser<'w> {
    /// One that has never been anywhere.
    pub fn new(world: &'w World) -> Self {
        Self { world, cookies: Mutex::default() }
    }

    /// The cookies it keeps, as it sends them.
    pub fn cookies(&self) -> String {
        lock(&self.cookies).iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Opens an address of the function `oauth`: a path, or the whole address. Redirects are not followed.
    pub async fn opens(&self, address: &str) -> Answer {
        let path = address.strip_prefix(&format!("https://{HOST}")).unwrap_or(address);
        assert!(path.starts_with('/'), "{address} leads somewhere else");
        let url = format!("{}{path}", self.world.url("oauth").trim_end_matches('/'));
        let mut request = Request::builder().method(Method::GET).uri(url);
        let cookies = self.cookies();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        let request = request.body(Full::new(Bytes::new())).unwrap_or_else(|error| panic!("{error}"));
        let answer = self.world.http.send(request).await.unwrap_or_else(|error| panic!("{error:#}"));
        for cookie in answer.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok()) {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let mut cookies = lock(&self.cookies);
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Follows the install link as far as Slack's question.
    pub async fn begins(&self) -> Asked {
        let answer = self.opens("/install").await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        let location = answer.headers.get("location").and_then(|location| location.to_str().ok()).unwrap_or_default().to_owned();
        let (_, query) = location.split_once('?').unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Asked { location, parameters }
    }

    /// Somebody allows it in this workspace: where Slack sends the browser then.
    pub async fn allows(&self, asked: &Asked, workspace: &str) -> String {
        let allowed = json!({
            "team": workspace, "state": asked.parameter("state"), "redirect_uri": asked.parameter("redirect_uri"), "scope": asked.parameter("scope"),
        });
        let answer = self.world.slack.tell("authorize", &allowed).await;
        let location = answer.get("location").and_then(Value::as_str);
        location.unwrap_or_else(|| panic!("Slack sends nobody back: {answer}")).to_owned()
    }

    /// Installs Tocsin in a workspace, from the link to the last page.
    pub async fn installs(&self, workspace: &str) -> String {
        let asked = self.begins().await;
        let back = self.allows(&asked, workspace).await;
        let answer = self.opens(&back).await;
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), self.world.logs.tail(10));
        answer.text()
    }
}
