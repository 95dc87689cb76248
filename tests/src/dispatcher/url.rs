//! A function URL: turns an HTTP request into an event of payload format 2.0 and the result into an HTTP answer.
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::Result;
use aws_smithy_types::base64;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Function, hex};

/// The host that functions believe to be reached at, over HTTPS as on AWS.
pub const HOST: &str = "tests.lambda-url.us-east-1.on.aws";

/// Which bodies come base64-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As AWS does it: whatever is not text, JSON, XML or JavaScript; a form is.
    AsAws,
    /// All of them.
    Base64,
    /// None that is UTF-8.
    Text,
}

/// A function's HTTP address.
#[derive(Debug)]
pub struct FunctionUrl {
    /// `http://127.0.0.1:PORT/`
    pub url: String,
    encoding: Arc<AtomicU8>,
    server: JoinHandle<()>,
}

impl Drop for FunctionUrl {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct Front {
    function: Arc<Function>,
    encoding: Arc<AtomicU8>,
}

impl FunctionUrl {
    /// Listens on a free port.
    pub async fn start(function: Arc<Function>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let encoding = Arc::new(AtomicU8::new(Encoding::AsAws as u8));
        let front = Front { function, encoding: Arc::clone(&encoding) };
        let app = Router::new().fallback(handle).with_state(front);
        let server = tokio::spawn(async move {
            // Ends only with its task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, encoding, server })
    }

    /// Changes which bodies come base64-encoded.
    pub fn encode(&self, encoding: Encoding) {
        self.encoding.store(encoding as u8, Ordering::SeqCst);
    }
}

async fn handle(State(front): State<Front>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let base64 = match front.encoding.load(Ordering::SeqCst) {
        all if all == Encoding::Base64 as u8 => true,
        none if none == Encoding::Text as u8 => std::str::from_utf8(&body).is_err(),
        _ => !is_text(&headers),
    };
    let event = event(&method, &uri, &headers, &body, base64);
    match front.function.call(&event).await {
        Ok(answer) => read_answer(&answer).unwrap_or_else(|| StatusCode::BAD_GATEWAY.into_response()),
        // So Lambda answers where the function failed, died or took too long.
        Err(_) => (StatusCode::BAD_GATEWAY, "Internal Server Error").into_response(),
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/") || ["application/json", "application/xml", "application/javascript"].iter().any(|text| kind.starts_with(text))
}

/// The event for a request: header names in lower case, several values of one name joined by commas, cookies by themselves.
pub fn event(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8], base64: bool) -> Value {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    let mut cookies: Vec<String> = Vec::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        if name == "cookie" {
            cookies.extend(value.split(';').map(|cookie| cookie.trim().to_owned()));
            continue;
        }
        joined
            .entry(name.as_str().to_ascii_lowercase())
            .and_modify(|all| *all = format!("{all},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    joined.insert("x-forwarded-proto".to_owned(), "https".to_owned());
    joined.insert("x-forwarded-port".to_owned(), "443".to_owned());
    joined.insert("host".to_owned(), HOST.to_owned());
    let now = Timestamp::now();
    let body = if base64 { base64::encode(body) } else { String::from_utf8_lossy(body).into_owned() };
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": uri.path(),
        "rawQueryString": uri.query().unwrap_or_default(),
        "headers": joined,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "tests",
            "domainName": HOST,
            "domainPrefix": "tests",
            "http": {
                "method": method.as_str(),
                "path": uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": joined.get("user-agent").cloned().unwrap_or_default(),
            },
            "requestId": hex(32),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "body": body,
        "isBase64Encoded": base64,
    });
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    event
}

fn read_answer(answer: &Value) -> Option<Response> {
    let status = u16::try_from(answer.get("statusCode")?.as_u64()?).ok()?;
    let text = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    let base64 = answer.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default();
    let body = if base64 { base64::decode(text).ok()? } else { text.as_bytes().to_vec() };
    let mut response = (StatusCode::from_u16(status).ok()?, body).into_response();
    response.headers_mut().remove("content-type");
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = axum::http::HeaderName::try_from(name).ok()?;
        response.headers_mut().insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response.headers_mut().append("set-cookie", HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    Some(response)
}
