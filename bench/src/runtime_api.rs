//! The Lambda runtime API as far as a function needs it: it hands out invocations one after the other, and then nothing more until there are others.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Listens until it is dropped.
pub(crate) struct RuntimeApi {
    /// Where: the value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    work: Mutex<Work>,
    /// The function waits.
    idled: Notify,
    /// There are others.
    refilled: Notify,
}

#[derive(Default)]
struct Work {
    invocations: VecDeque<String>,
    /// The function has answered everything and asks for more.
    idle: bool,
    /// When it asked for the first time.
    began: Option<Instant>,
    /// When it was given what it is at.
    handed_out: Option<Instant>,
    answers: Vec<String>,
    /// How long it took for each.
    took: Vec<Duration>,
    errors: Vec<String>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next invocation; where there is none, the function waits from now on.
    fn take(&self) -> Option<String> {
        let mut work = self.lock();
        let next = work.invocations.pop_front();
        let now = Instant::now();
        work.idle = next.is_none();
        work.began.get_or_insert(now);
        work.handed_out = next.as_ref().map(|_| now);
        next
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl RuntimeApi {
    /// Will hand out these invocations.
    pub(crate) async fn start(invocations: VecDeque<String>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state =
            Arc::new(State { work: Mutex::new(Work { invocations, ..Work::default() }), idled: Notify::new(), refilled: Notify::new() });
        let shared = Arc::clone(&state);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&state), request));
                    // The function is killed in the middle of its last request, so the connection ends in an error, always.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { address, state, server })
    }

    /// Comes back when the function has answered everything and asks for more.
    pub(crate) async fn idle(&self) {
        loop {
            let idled = self.state.idled.notified();
            if self.state.lock().idle {
                return;
            }
            idled.await;
        }
    }

    /// Hands out these as well.
    pub(crate) fn add(&self, invocations: impl IntoIterator<Item = String>) {
        let mut work = self.state.lock();
        work.invocations.extend(invocations);
        work.idle = false;
        drop(work);
        self.state.refilled.notify_waiters();
    }

    /// When the function asked for work for the first time.
    pub(crate) fn began(&self) -> Option<Instant> {
        self.state.lock().began
    }

    /// From handing out to the answer, for each invocation since this was asked last.
    pub(crate) fn took(&self) -> Vec<Duration> {
        std::mem::take(&mut self.state.lock().took)
    }

    /// What the function answered and what it reported as errors.
    pub(crate) fn outcome(&self) -> (Vec<String>, Vec<String>) {
        let mut work = self.state.lock();
        (std::mem::take(&mut work.answers), std::mem::take(&mut work.errors))
    }
}

/// The next invocation, whenever there is one.
async fn next(state: &State) -> String {
    loop {
        let refilled = state.refilled.notified();
        if let Some(invocation) = state.take() {
            return invocation;
        }
        state.idled.notify_waiters();
        refilled.await;
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut reply = Response::new(Full::default());
    if request.method() == Method::GET && path.ends_with("/invocation/next") {
        *reply.body_mut() = Full::from(next(&state).await);
        let deadline = Timestamp::now().as_millisecond() + 3000;
        for (name, value) in [
            ("content-type", "application/json"),
            ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
            ("lambda-runtime-deadline-ms", &deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:tocsin-bench"),
            ("lambda-runtime-trace-id", "Root=1-6967a3f0-5c1d2f3e4a5b6c7d8e9f0a1b;Parent=1a2b3c4d5e6f7a8b;Sampled=0"),
        ] {
            if let Ok(value) = value.parse() {
                reply.headers_mut().insert(name, value);
            }
        }
        return Ok(reply);
    }
    let body = request.into_body().collect().await.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
    if path.ends_with("/response") {
        let mut work = state.lock();
        let took = work.handed_out.take().map(|at| at.elapsed());
        work.took.extend(took);
        work.answers.push(body);
    } else {
        state.lock().errors.push(format!("{path}: {body}"));
    }
    *reply.status_mut() = StatusCode::ACCEPTED;
    Ok(reply)
}
