//! What a function asks of AWS: a proxy in front of ministack that notes every call, and lets some fail where a test wants it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::Full;
use hyper::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::lock;
use crate::http::Http;
use crate::rights;

/// One call to AWS: `AmazonSQS.SendMessage`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Service and action, as `X-Amz-Target` has them.
    pub action: String,
    /// What AWS answered; 0 where nothing came.
    pub status: u16,
}

/// What calls to DynamoDB are paid by.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Units {
    /// Items that were written; one in a transaction counts twice.
    pub writes: usize,
    /// Read units, as if every read were a consistent one: one for each 4 KB of an answer, and one at least; twice that in a transaction.
    pub reads: usize,
}

impl Units {
    fn of(action: &str, request: &[u8], answer: usize) -> Self {
        let parts = |name: &str| {
            let request: Value = serde_json::from_slice(request).unwrap_or_default();
            match request.get(name) {
                Some(Value::Array(items)) => items.len(),
                // Of a batch: the items by their table.
                Some(Value::Object(tables)) => tables.values().filter_map(Value::as_array).map(Vec::len).sum(),
                _ => 0,
            }
        };
        let read = answer.div_ceil(4096).max(1);
        match action.rsplit_once('.').map(|(_, action)| action) {
            Some("PutItem" | "UpdateItem" | "DeleteItem") => Self { writes: 1, reads: 0 },
            Some("TransactWriteItems") => Self { writes: 2 * parts("TransactItems"), reads: 0 },
            Some("BatchWriteItem") => Self { writes: parts("RequestItems"), reads: 0 },
            Some("GetItem" | "Query" | "Scan" | "BatchGetItem") => Self { writes: 0, reads: read },
            Some("TransactGetItems") => Self { writes: 0, reads: 2 * read.max(parts("TransactItems")) },
            _ => Self::default(),
        }
    }
}

/// Answers `status` instead of AWS, `times` times, to calls whose action contains `action`.
#[derive(Debug, Clone)]
struct Fault {
    action: String,
    status: u16,
    times: u32,
}

/// What happens to every call whose body contains some texts, until it is forgiven.
#[derive(Debug, Clone, Copy)]
enum Grudge {
    /// AWS does not take it, and trying again at once does not help.
    Refused,
    /// No answer ever comes.
    Stalled,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    http: Http,
    calls: Mutex<Vec<Call>>,
    needed: Mutex<BTreeSet<String>>,
    units: Mutex<Units>,
    faults: Mutex<Vec<Fault>>,
    grudges: Mutex<Vec<(Vec<String>, Grudge)>>,
    older_by: Mutex<SignedDuration>,
    awaited: Mutex<Vec<(String, oneshot::Sender<()>)>>,
    held: Mutex<Vec<Holding>>,
}

/// A call that is waited for, to be held: by whom it is told that it came, and who lets it go.
#[derive(Debug)]
struct Holding {
    text: String,
    came: oneshot::Sender<()>,
    let_go: oneshot::Receiver<()>,
}

/// A call that AWS has not heard of yet, or that is waited for.
#[derive(Debug)]
pub struct Held {
    came: oneshot::Receiver<()>,
    let_go: oneshot::Sender<()>,
}

impl Held {
    /// Waits until the function has made the call.
    pub async fn came(&mut self) {
        // The counter lives as long as the world that asks.
        let _ = (&mut self.came).await;
    }

    /// AWS hears of the call now; so it does when this is dropped.
    pub fn let_go(self) {
        // Nobody waits where the call never came.
        let _ = self.let_go.send(());
    }
}

/// A counting proxy for one function.
#[derive(Debug)]
pub struct Counter {
    /// What the function gets as `AWS_ENDPOINT_URL`.
    pub endpoint: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Counter {
    /// Listens on a free port.
    pub async fn start(upstream: &str, http: Http) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            http,
            calls: Mutex::default(),
            needed: Mutex::default(),
            units: Mutex::default(),
            faults: Mutex::default(),
            grudges: Mutex::default(),
            older_by: Mutex::default(),
            awaited: Mutex::default(),
            held: Mutex::default(),
        });
        let app = Router::new().fallback(forward).with_state(Arc::clone(&shared)).layer(axum::extract::DefaultBodyLimit::disable());
        let server = tokio::spawn(async move {
            // Ends only with its task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { endpoint, shared, server })
    }

    /// Waits for the next call whose body contains `text`: AWS has answered it, and the function does not know yet.
    pub fn next(&self, text: &str) -> impl Future<Output = ()> + use<> {
        let (happened, waits) = oneshot::channel();
        lock(&self.shared.awaited).push((text.to_owned(), happened));
        async {
            // The counter lives as long as the world that asks.
            let _ = waits.await;
        }
    }

    /// Holds the next call whose body contains `text` back from AWS, until it is let go.
    pub fn hold(&self, text: &str) -> Held {
        let (arrival, came) = oneshot::channel();
        let (release, let_go) = oneshot::channel();
        lock(&self.shared.held).push(Holding { text: text.to_owned(), came: arrival, let_go });
        Held { came, let_go: release }
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// What its calls to DynamoDB came to so far.
    pub fn units(&self) -> Units {
        *lock(&self.shared.units)
    }

    /// What a role has to allow for all that was ever called, as IAM names it.
    pub fn needed(&self) -> BTreeSet<String> {
        lock(&self.shared.needed).clone()
    }

    /// Forgets the calls so far.
    pub fn reset(&self) {
        lock(&self.shared.calls).clear();
    }

    /// Lets the next `times` calls whose action contains `action` fail with this status, before AWS hears of them.
    pub fn fail(&self, action: &str, status: u16, times: u32) {
        lock(&self.shared.faults).push(Fault { action: action.to_owned(), status, times });
    }

    /// From now on AWS refuses every call whose body contains all of `texts`.
    pub fn refuse(&self, texts: &[&str]) {
        self.bear(texts, Grudge::Refused);
    }

    /// From now on no call whose body contains all of `texts` is ever answered: whoever waits for it runs out of time.
    pub fn stall(&self, texts: &[&str]) {
        self.bear(texts, Grudge::Stalled);
    }

    fn bear(&self, texts: &[&str], grudge: Grudge) {
        lock(&self.shared.grudges).push((texts.iter().map(|text| (*text).to_owned()).collect(), grudge));
    }

    /// From now on every version of a secret was written so much earlier, as it will be when so much time has passed.
    pub fn says_older(&self, by: SignedDuration) {
        *lock(&self.shared.older_by) = by;
    }

    /// Nothing is refused or stalled any more.
    pub fn forgive(&self) {
        lock(&self.shared.grudges).clear();
    }
}

async fn forward(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let action = action(&headers, &body);
    lock(&shared.needed).extend(rights::needed(&action, &body));
    let grudge = shared.grudge(&body);
    let awaited = shared.awaited(&body);
    if let Some(Holding { came, let_go, .. }) = shared.holding(&body) {
        // Whoever wanted it held may be gone; then it is not held.
        let _ = came.send(());
        let _ = let_go.await;
    }
    let (status, response) = match shared.fault(&action) {
        None if matches!(grudge, Some(Grudge::Stalled)) => {
            lock(&shared.calls).push(Call { action, status: 0 });
            return std::future::pending().await;
        }
        None if matches!(grudge, Some(Grudge::Refused)) => {
            let refusal = r#"{"__type":"ValidationException","message":"a fault of the test"}"#;
            (400, (StatusCode::BAD_REQUEST, refusal).into_response())
        }
        Some(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status.as_u16(), (status, r#"{"__type":"InternalFailure","message":"a fault of the test"}"#).into_response())
        }
        None => shared.pass(method, &uri, headers, body).await.unwrap_or_else(|| (0, StatusCode::BAD_GATEWAY.into_response())),
    };
    lock(&shared.calls).push(Call { action, status });
    for happened in awaited {
        // Whoever waited for it may be gone.
        let _ = happened.send(());
    }
    response
}

fn action(headers: &HeaderMap, body: &[u8]) -> String {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target.map_or_else(
        || String::from_utf8_lossy(body).split('&').find(|pair| pair.starts_with("Action=")).unwrap_or("unknown").to_owned(),
        str::to_owned,
    )
}

impl Shared {
    fn fault(&self, action: &str) -> Option<u16> {
        let mut faults = lock(&self.faults);
        let fault = faults.iter_mut().find(|fault| fault.times > 0 && action.contains(&fault.action))?;
        fault.times -= 1;
        Some(fault.status)
    }

    fn awaited(&self, body: &[u8]) -> Vec<oneshot::Sender<()>> {
        let mut awaited = lock(&self.awaited);
        if awaited.is_empty() {
            return Vec::new();
        }
        let body = String::from_utf8_lossy(body);
        let (now, later) = std::mem::take(&mut *awaited).into_iter().partition(|(text, _)| body.contains(text));
        *awaited = later;
        now.into_iter().map(|(_, happened)| happened).collect()
    }

    fn holding(&self, body: &[u8]) -> Option<Holding> {
        let mut held = lock(&self.held);
        if held.is_empty() {
            return None;
        }
        let body = String::from_utf8_lossy(body);
        let place = held.iter().position(|holding| body.contains(&holding.text))?;
        Some(held.remove(place))
    }

    fn grudge(&self, body: &[u8]) -> Option<Grudge> {
        let grudges = lock(&self.grudges);
        if grudges.is_empty() {
            return None;
        }
        let body = String::from_utf8_lossy(body);
        grudges.iter().find(|(texts, _)| texts.iter().all(|text| body.contains(text))).map(|(_, grudge)| *grudge)
    }

    async fn pass(&self, method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Option<(u16, Response)> {
        let asked = headers
            .get("x-amz-target")
            .is_some_and(|target| target.as_bytes().starts_with(b"DynamoDB"))
            .then(|| (action(&headers, &body), body.clone()));
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.upstream)).body(Full::new(body)).ok()?;
        *request.headers_mut() = headers;
        request.headers_mut().remove("host");
        let mut answer = self.http.send(request).await.ok()?;
        if let Some((action, request)) = asked {
            let units = Units::of(&action, &request, answer.body.len());
            let mut all = lock(&self.units);
            all.writes += units.writes;
            all.reads += units.reads;
        }
        let older_by = *lock(&self.older_by);
        if let Some(body) = older(&answer.body, older_by).filter(|_| !older_by.is_zero()) {
            answer.body = body;
        }
        let mut response = (StatusCode::from_u16(answer.status).ok()?, answer.body).into_response();
        // Lengths and transfer encodings are this connection's own.
        let kept =
            answer.headers.iter().filter(|(name, _)| !["transfer-encoding", "content-length", "connection"].contains(&name.as_str()));
        for (name, value) in kept {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        Some((answer.status, response))
    }
}

/// An answer with the time at which a secret's version was written, so much earlier; `None` for any other.
fn older(body: &[u8], by: SignedDuration) -> Option<Bytes> {
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    let written_at = answer.get("CreatedDate")?.as_f64()?;
    answer["CreatedDate"] = json!(written_at - by.as_secs_f64());
    Some(answer.to_string().into())
}
