//! `tocsin dev` while it runs, and a function whose answers a test decides upon.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cli::{Admin, Ran};
use crate::dispatcher::lock;
use crate::watchdog;
use crate::world::World;

type Lines = Arc<Mutex<Vec<String>>>;

/// A running `tocsin dev`.
#[derive(Debug)]
pub struct Dev<'w> {
    world: &'w World,
    token: String,
    child: Child,
    pid: u32,
    stdout: Lines,
    stderr: Lines,
    readers: Vec<JoinHandle<()>>,
}

impl<'w> Admin<'w> {
    /// Turns Socket Mode on and starts `tocsin dev …`, which is connected then.
    pub async fn connects(&self, arguments: &[&str]) -> Dev<'w> {
        let token = self.world.turns_socket_mode_on().await;
        let dev = self.starts_dev(&token, arguments).await;
        self.world.until("it is connected", async || dev.open_connections(1).await).await;
        dev
    }

    /// Starts `tocsin dev …` with this token.
    pub async fn starts_dev(&self, token: &str, arguments: &[&str]) -> Dev<'w> {
        let mut command = self.command(&["dev"]).await;
        command.args(arguments).env("SLACK_APP_TOKEN", token);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let pid = child.id().expect("it runs");
        watchdog::guard(pid);
        let (stdout, stderr) = (Lines::default(), Lines::default());
        let readers = vec![
            tokio::spawn(read(child.stdout.take().expect("a pipe"), Arc::clone(&stdout))),
            tokio::spawn(read(child.stderr.take().expect("a pipe"), Arc::clone(&stderr))),
        ];
        Dev { world: self.world, token: token.to_owned(), child, pid, stdout, stderr, readers }
    }
}

async fn read(pipe: impl AsyncRead + Unpin, lines: Lines) {
    let mut read = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = read.next_line().await {
        lock(&lines).push(line);
    }
}

impl Dev<'_> {
    /// What it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.stdout).clone()
    }

    /// What it has said beside that.
    pub fn notes(&self) -> Vec<String> {
        lock(&self.stderr).clone()
    }

    /// Waits for a line, printed or said, that contains this.
    pub async fn says(&self, text: &str) -> String {
        let what = format!("`tocsin dev` says {text:?}");
        self.world
            .until(&what, async || {
                let all = [self.lines(), self.notes()].concat();
                all.iter().find(|line| line.contains(text)).cloned().ok_or_else(|| all.join("\n"))
            })
            .await
    }

    /// How Slack sees its connections.
    pub async fn seen_by_slack(&self) -> Value {
        self.world.slack.ask("socket").await
    }

    /// Waits until this many connections were opened, and one of them, none of the old ones, is there.
    pub async fn is_connected_anew(&self, opened: u64) {
        let what = format!("connection number {opened}, and no other");
        self.world.until(&what, async || self.open_connections(opened).await).await;
    }

    async fn open_connections(&self, opened: u64) -> Result<(), String> {
        let seen = self.seen_by_slack().await;
        let alone = seen["connections"].as_array().is_some_and(|all| all.len() == 1 && all.iter().all(|one| one["leaving"] == false));
        if alone && seen["opened"].as_u64() >= Some(opened) { Ok(()) } else { Err(format!("{seen}\n{}", self.notes().join("\n"))) }
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::INT).expect("it runs");
    }

    /// Presses Ctrl-C, and looks at how it ended: well, with everything that it said to Slack understood.
    pub async fn ends(self) -> Ran {
        self.interrupt();
        let (world, ran) = (self.world, self.over().await);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let seen = world.slack.ask("socket").await;
        assert_eq!((&seen["mistakes"], &seen["connections"]), (&json!([]), &json!([])), "{seen}");
        ran
    }

    /// Waits until it ends by itself. Nothing that it said holds its token.
    pub async fn over(mut self) -> Ran {
        let status = self.child.wait().await.expect("it ends");
        watchdog::release(self.pid);
        for reader in self.readers {
            reader.await.expect("it reads");
        }
        let (stdout, stderr) = (lock(&self.stdout).join("\n"), lock(&self.stderr).join("\n"));
        eprintln!("{stdout}\n{stderr}");
        for said in [&stdout, &stderr] {
            assert!(!said.contains(&self.token) && !said.contains("ticket"), "the token, or what it opens, was said");
        }
        Ran { stdout, stderr, code: status.code() }
    }
}

/// A function whose answers a test decides upon: it holds each request until there is one.
pub struct Stub {
    /// `http://127.0.0.1:PORT/`
    pub url: String,
    asked: Arc<Asked>,
    running: JoinHandle<()>,
}

struct Asked {
    answers: watch::Sender<VecDeque<(u16, &'static str)>>,
    requests: Mutex<Vec<HeaderMap>>,
}

impl std::fmt::Debug for Stub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stub").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Stub {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let asked = Arc::new(Asked { answers: watch::Sender::default(), requests: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&asked));
        let running = tokio::spawn(async move {
            // Ends only with its task.
            let _ = axum::serve(listener, app).await;
        });
        Self { url, asked, running }
    }

    /// One more request is answered so.
    pub fn answers(&self, status: u16, body: &'static str) {
        self.asked.answers.send_modify(|answers| answers.push_back((status, body)));
    }

    /// The headers of what was asked so far.
    pub fn requests(&self) -> Vec<HeaderMap> {
        lock(&self.asked.requests).clone()
    }

    /// Waits until it was asked this often.
    pub async fn is_asked(&self, world: &World, times: usize) {
        let what = format!("{times} requests");
        world
            .until(&what, async || {
                let seen = self.requests().len();
                if seen >= times { Ok(()) } else { Err(format!("{seen}")) }
            })
            .await;
    }
}

async fn answer(State(asked): State<Arc<Asked>>, headers: HeaderMap) -> (StatusCode, &'static str) {
    lock(&asked.requests).push(headers);
    let mut answers = asked.answers.subscribe();
    loop {
        let mut next = None;
        asked.answers.send_if_modified(|answers| {
            next = answers.pop_front();
            next.is_some()
        });
        if let Some((status, body)) = next {
            return (StatusCode::from_u16(status).expect("a status"), body);
        }
        answers.changed().await.expect("it is kept");
    }
}
