//! One running copy of a function: its process, and the runtime API that it asks for work.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use super::{Launch, hex};
use crate::logs::Logs;
use crate::watchdog;

/// How long a function may take until it asks for its first work, as on Lambda.
const INIT: Duration = Duration::from_secs(10);

/// Why an invocation has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeError {
    /// The function said so itself.
    Function(String),
    /// Its process ended meanwhile, or did not start.
    Exited(String),
    /// It took too long and was killed.
    TimedOut,
}

struct Work {
    id: String,
    payload: Bytes,
}

struct Current {
    id: String,
    result: oneshot::Sender<Result<Bytes, InvokeError>>,
    handed_out: Option<oneshot::Sender<()>>,
}

/// What the process and the runtime API share.
#[derive(Default)]
struct Desk {
    current: Mutex<Option<Current>>,
}

impl Desk {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, id: Option<&str>, result: Result<Bytes, InvokeError>) -> bool {
        let mut current = self.lock();
        if id.is_some_and(|id| current.as_ref().is_none_or(|current| current.id != id)) {
            return false;
        }
        // Whoever waited may have given up.
        current.take().is_some_and(|current| current.result.send(result).is_ok())
    }
}

/// One running copy of a function.
pub struct Instance {
    pid: u32,
    binary: PathBuf,
    desk: Arc<Desk>,
    work: mpsc::Sender<Work>,
    alive: Arc<AtomicBool>,
    tasks: Vec<AbortHandle>,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Instance {
    /// Starts the process and waits until it asks for work.
    pub(super) async fn start(launch: &Launch, logs: &Logs) -> Result<Self, InvokeError> {
        let (instance, mut ready) = Self::spawn(launch, logs).await.map_err(|error| InvokeError::Exited(format!("{error:#}")))?;
        match tokio::time::timeout(INIT, ready.wait_for(|ready| *ready)).await {
            Ok(Ok(_)) => Ok(instance),
            Ok(Err(_)) => Err(InvokeError::Exited("it ended before it asked for work".to_owned())),
            Err(_) => Err(InvokeError::TimedOut),
        }
    }

    async fn spawn(launch: &Launch, logs: &Logs) -> Result<(Self, watch::Receiver<bool>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut child = Command::new(&launch.binary)
            .env_clear()
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", launch.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", launch.name))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "tests")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| launch.binary.display().to_string())?;
        let pid = child.id().context("a process has an id")?;
        watchdog::guard(pid);
        let output = [
            tokio::spawn(keep(child.stdout.take().context("piped")?, launch.name, logs.clone())),
            tokio::spawn(keep(child.stderr.take().context("piped")?, launch.name, logs.clone())),
        ];

        let (work, queue) = mpsc::channel(1);
        let (ready, is_ready) = watch::channel(false);
        let desk = Arc::new(Desk::default());
        let api = Api {
            desk: Arc::clone(&desk),
            queue: Arc::new(tokio::sync::Mutex::new(queue)),
            ready,
            launch: launch.clone(),
            logs: logs.clone(),
        };
        let server = tokio::spawn(serve(listener, api));

        let alive = Arc::new(AtomicBool::new(true));
        let watcher = tokio::spawn({
            let (alive, desk, server) = (Arc::clone(&alive), Arc::clone(&desk), server.abort_handle());
            async move {
                let status = child.wait().await;
                alive.store(false, Ordering::SeqCst);
                watchdog::release(pid);
                let [out, err] = output;
                // What it printed last belongs before whatever is concluded from its end.
                let _ = tokio::join!(out, err);
                // Ends whoever waits for it to be ready.
                server.abort();
                let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                desk.finish(None, Err(InvokeError::Exited(how)));
            }
        });
        // The watcher goes on after this is dropped: it reaps the process.
        drop(watcher);
        let instance = Self { pid, binary: launch.binary.clone(), desk, work, alive, tasks: vec![server.abort_handle()] };
        Ok((instance, is_ready))
    }

    /// Whether this is the program that it runs.
    pub(super) fn runs(&self, binary: &std::path::Path) -> bool {
        self.binary == binary
    }

    /// Whether the process is still there.
    pub(super) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    /// Hands work to the process and waits for the result. A process that takes longer than `patience`, counted from when it took the work, is killed.
    pub(super) async fn invoke(&self, payload: Bytes, patience: Duration) -> Result<Bytes, InvokeError> {
        let id = uuid();
        let (sender, result) = oneshot::channel();
        let (handed_out, taken) = oneshot::channel();
        *self.desk.lock() = Some(Current { id: id.clone(), result: sender, handed_out: Some(handed_out) });
        let ended = || InvokeError::Exited("the process has ended".to_owned());
        if !self.is_alive() || self.work.send(Work { id, payload }).await.is_err() {
            return Err(ended());
        }
        let in_time = async {
            if taken.await.is_ok() {
                tokio::time::sleep(patience).await;
            } else {
                // Never handed out: the process has ended, and the result says so.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            result = result => result.unwrap_or_else(|_| Err(ended())),
            () = in_time => {
                self.kill();
                Err(InvokeError::TimedOut)
            }
        }
    }

    /// `kill -9`.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Stands still from now on: SIGSTOP.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Goes on: SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).filter(|_| self.is_alive());
        if let Some(pid) = pid {
            // It may have ended a moment ago, and then there is nothing to do.
            let _ = kill_process(pid, signal);
        }
    }
}

async fn keep(output: impl AsyncRead + Unpin, function: &'static str, logs: Logs) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        logs.push(function, line);
    }
}

#[derive(Clone)]
struct Api {
    desk: Arc<Desk>,
    queue: Arc<tokio::sync::Mutex<mpsc::Receiver<Work>>>,
    ready: watch::Sender<bool>,
    launch: Launch,
    logs: Logs,
}

async fn serve(listener: TcpListener, api: Api) {
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(api)
        .layer(axum::extract::DefaultBodyLimit::disable());
    // Ends only with its task.
    let _ = axum::serve(listener, routes).await;
}

async fn next(State(api): State<Api>) -> impl IntoResponse {
    // Nobody listens any more once the instance is in use.
    let _ = api.ready.send(true);
    let Some(work) = api.queue.lock().await.recv().await else {
        return (StatusCode::GONE, HeaderMap::new(), Bytes::new());
    };
    if let Some(current) = api.desk.lock().as_mut().filter(|current| current.id == work.id) {
        current.handed_out.take().map(|handed_out| handed_out.send(()));
    }
    let deadline = SystemTime::now() + api.launch.timeout;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string();
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{}", api.launch.name);
    let trace = format!("Root=1-{}-{};Sampled=0", hex(8), hex(24));
    let headers = [
        ("lambda-runtime-aws-request-id", work.id),
        ("lambda-runtime-deadline-ms", deadline),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-trace-id", trace),
        ("content-type", "application/json".to_owned()),
    ];
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect();
    (StatusCode::OK, headers, work.payload)
}

async fn response(State(api): State<Api>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    finished(&api, &id, Ok(body))
}

async fn error(State(api): State<Api>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    finished(&api, &id, Err(InvokeError::Function(String::from_utf8_lossy(&body).into_owned())))
}

fn finished(api: &Api, id: &str, result: Result<Bytes, InvokeError>) -> StatusCode {
    if api.desk.finish(Some(id), result) { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST }
}

async fn init_error(State(api): State<Api>, body: Bytes) -> StatusCode {
    api.logs.push(api.launch.name, format!("init error: {}", String::from_utf8_lossy(&body)));
    StatusCode::ACCEPTED
}

fn uuid() -> String {
    format!("{}-{}-4{}-8{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
}
