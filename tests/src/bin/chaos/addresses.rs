//! A thousand hostile `response_url`s, signed as if Slack had sent them: nobody is connected to but the host that answers go to.
//!
//! They come as commands and clicks and pass the real functions; a part of them is answered by `interactions` itself, a part by `worker`, and a part for a workspace that Tocsin is not
//! installed in. Whoever is connected to is a listener of this part: the hooks host, which is `localhost` with a port here (`hooks.slack.com`, over HTTPS), and others, which stand on
//! other addresses and ports of this machine and count. A name that leads to nobody here shows by the log that it was refused before anybody was looked for.
//!
//! Nothing is scaled.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::ministack::Queue;
use tests::world::{Setup, WORKSPACE, World};
use tokio::net::TcpListener;

use crate::Options;
use crate::common::{Report, finish, outcomes, settle};

/// How many are on their way at once.
const AT_ONCE: usize = 20;

/// A workspace that has not installed Tocsin.
const NOWHERE: &str = "T0NOWHERE";

pub(crate) async fn run(options: &Options) -> Report {
    let hooks = Hooks::start().await;
    let foreign = Foreign::start(&hooks).await;
    let setup = Setup { hooks_url: Some(format!("http://{}/", hooks.host)), counted: false, ..Setup::default() };
    let world = World::with(setup).await;
    world.slack.tell("rates", &json!({ "off": true })).await;
    // The workspace becomes known, and the people in it.
    world.alarm_fires("before-the-addresses").await;
    let wanted = options.scaled(1_000);
    let mut forms: Vec<String> = hostile(&hooks.host, &foreign).into_iter().collect();
    fastrand::Rng::with_seed(options.seed).shuffle(&mut forms);
    let hostile: Vec<String> = forms.iter().cloned().cycle().take(wanted).enumerate().map(numbered).collect();
    let redirects = redirects(&hooks.host, &foreign, options.scaled(100));
    let honest: Vec<String> = honest(&hooks, &foreign).into_iter().cycle().take(options.scaled(100)).enumerate().map(numbered).collect();

    send_all(&world, 0, &honest).await;
    settle(&world).await;
    let answered = hooks.took();
    send_all(&world, honest.len(), &redirects).await;
    settle(&world).await;
    let redirected = hooks.took() - answered;
    let (told, not_told) = (hooks.took(), outcomes(&world, "not_told"));
    send_all(&world, honest.len() + redirects.len(), &hostile).await;
    settle(&world).await;
    let refused = outcomes(&world, "not_told") - not_told;

    let mut report = Report::default();
    report.row("hostile addresses", hostile.len());
    report.row("  of so many forms", forms.len());
    report.row("addresses on the hooks host, oddly written too", honest.len());
    report.must("  of these not answered", honest.len() - answered, 0);
    report.row("addresses on the hooks host that send on to others", redirects.len());
    report.must("  of these not called", redirects.len() - redirected, 0);
    report.must("connections to anybody else", foreign.connections(), 0);
    report.must("requests at the hooks host under a hostile address", hooks.took() - told, 0);
    report.must("requests at the hooks host under another name", hooks.strange(), 0);
    report.must("hostile addresses not refused in the log", hostile.len() - refused, 0);
    let mut parked = 0;
    for queue in Queue::ALL {
        parked += world.aws.depth(world.dead_letters_url(queue)).await.unwrap_or(u32::MAX);
    }
    report.must("jobs parked because of them", parked, 0);
    finish(world, "addresses").await;
    report
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the hooks host was asked for: under which name, and where.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// The host that answers go to.
struct Hooks {
    /// `localhost:PORT`
    host: String,
    port: u16,
    asked: Asked,
}

impl Hooks {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("{error}"));
        let port = port(&listener);
        let asked = Asked::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&asked));
        tokio::spawn(async move {
            // Ends with the process.
            let _ = axum::serve(listener, app).await;
        });
        Self { host: format!("localhost:{port}"), port, asked }
    }

    /// How many requests it took so far.
    fn took(&self) -> usize {
        lock(&self.asked).len()
    }

    /// How many of them were meant for a host of another name.
    fn strange(&self) -> usize {
        lock(&self.asked).iter().filter(|(host, _)| *host != self.host).count()
    }
}

/// Takes what comes, or sends it on to wherever the address says.
async fn answer(State(asked): State<Asked>, uri: Uri, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    lock(&asked).push((host, uri.to_string()));
    let mut parts = uri.path().trim_start_matches('/').splitn(3, '/');
    if let (Some("redirect"), Some(status), Some(to)) = (parts.next(), parts.next(), parts.next()) {
        let status = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::FOUND);
        return (status, [(header::LOCATION, format!("http://{to}"))]).into_response();
    }
    "ok".into_response()
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().map(|address| address.port()).unwrap_or_default()
}

/// Those whom nobody has to connect to.
struct Foreign {
    connections: Arc<AtomicUsize>,
    /// One at an address of this machine and a port of its own.
    v4: SocketAddr,
    /// One at another address of this machine and the port of the hooks host.
    beside: Option<SocketAddr>,
    /// One of IPv6, where there is any.
    v6: Option<SocketAddr>,
}

impl Foreign {
    async fn start(hooks: &Hooks) -> Self {
        let connections: Arc<AtomicUsize> = Arc::default();
        let count = async |at: String| {
            let listener = TcpListener::bind(at).await.ok()?;
            let address = listener.local_addr().ok()?;
            let connections = Arc::clone(&connections);
            tokio::spawn(async move {
                // Whoever connects is counted and sent away.
                while listener.accept().await.is_ok() {
                    connections.fetch_add(1, Ordering::SeqCst);
                }
            });
            Some(address)
        };
        let v4 = count("127.0.0.1:0".to_owned()).await.unwrap_or_else(|| panic!("127.0.0.1 cannot be listened at"));
        let (beside, v6) = (count(format!("127.0.0.2:{}", hooks.port)).await, count("[::1]:0".to_owned()).await);
        Self { connections, v4, beside, v6 }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// All of them, as they stand in an address.
    fn authorities(&self) -> Vec<String> {
        [Some(self.v4), self.beside, self.v6].into_iter().flatten().map(|address| address.to_string()).collect()
    }
}

/// Addresses on the hooks host, however they are written.
fn honest(hooks: &Hooks, foreign: &Foreign) -> Vec<String> {
    let (host, port, other) = (&hooks.host, hooks.port, foreign.v4);
    let ours = ["hooks/response/x", "@evil.example", "a/../b", ".", "%2e%2e/x", "//evil.example/x", "?http://evil.example/", ""];
    let mut all: Vec<String> = ours.map(|path| format!("http://{host}/{path}")).into();
    for between in ["#@", "?@", "\\@", "/@", "\\\\"] {
        all.push(format!("http://{host}{between}{other}/x"));
    }
    for start in ["HTTP://", "http:/", "http:", "http:///", "http:\\\\", " http://", "http://@", "h\tttp://"] {
        all.push(format!("{start}{host}/x"));
    }
    for name in ["LOCALHOST", "loc%61lhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌocalhost", "lo\u{ad}calhost"] {
        all.push(format!("http://{name}:{port}/x"));
    }
    all.push(format!("http://localhost:0{port}/x"));
    all
}

/// Addresses on the hooks host that send on to others.
fn redirects(hooks: &str, foreign: &Foreign, count: usize) -> Vec<String> {
    let statuses = [301, 302, 303, 307, 308];
    (0..count).map(|number| format!("http://{hooks}/redirect/{}/{}/{number}", statuses[number % 5], foreign.v4)).collect()
}

/// So that each is another one: the number comes where it changes nothing else.
fn numbered((number, address): (usize, String)) -> String {
    format!("{address}?{number}")
}

/// Every form of address that is not the hooks host's and tries to look so, or to be followed all the same.
fn hostile(hooks: &str, foreign: &Foreign) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for other in foreign.authorities() {
        elsewhere(hooks, &other, &mut all);
        names_alike(hooks, &other, &mut all);
    }
    nearly(hooks, &mut all);
    strange(hooks, &mut all);
    all
}

/// Addresses of somebody else, with the hooks host's name wherever an address has room for it.
fn elsewhere(hooks: &str, other: &str, all: &mut BTreeSet<String>) {
    let name = hooks.split(':').next().unwrap_or_default();
    let mut add = |address: String| all.insert(address);
    // Somebody else, plainly, with the host's name anywhere.
    for path in ["hooks/response/x", hooks, "@localhost/x", "//localhost/x", "%2f..%2flocalhost"] {
        add(format!("http://{other}/{path}"));
    }
    add(format!("http://{other}#@{hooks}/"));
    add(format!("http://{other}?http://{hooks}/"));
    // The host's name as somebody's user name, in every spelling of the sign between.
    for between in ["@", ":80@", ":x@", "%40@", "%2f@", "%00@", "%0d%0a@", ";@", "&@", " @", "\t@", "@@", "%5c@", ":pw@x@"] {
        add(format!("http://{hooks}{between}{other}/x"));
        add(format!("http://{name}{between}{other}/x"));
    }
    for between in ["\\@", "#@", "?@", "/@"] {
        add(format!("http://{name}{between}{other}/x"));
    }
    // Other schemes, other slashes.
    for scheme in ["https", "ftp", "ws", "wss", "gopher", "HTTP", "Https", "file", "blob:http", "view-source:http", "jar:http"] {
        add(format!("{scheme}://{other}/x"));
    }
    for start in ["//", "http:/", "http:", "http:///", "http:\\\\", "http:/\\", "\thttp://", " http://", "ht\ntp://"] {
        add(format!("{start}{other}/x"));
    }
}

/// Names of this machine and of nobody, at somebody else's port.
fn names_alike(hooks: &str, other: &str, all: &mut BTreeSet<String>) {
    let name = hooks.split(':').next().unwrap_or_default();
    let (bare, other_port) = other.rsplit_once(':').unwrap_or_default();
    let mut add = |address: String| all.insert(address);
    // Another port of the same name, in every spelling of the name. One of those others has the very port, on another address.
    let spellings = [name, "LOCALHOST", "loc%61lhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌocalhost", "lo\u{ad}calhost"];
    for same in spellings.into_iter().filter(|_| !hooks.ends_with(&format!(":{other_port}"))) {
        add(format!("http://{same}:{other_port}/x"));
    }
    for same in spellings {
        add(format!("http://{same}:{other_port}0/x"));
    }
    // Names and numbers that lead to the same machine.
    for same in ["localhost.", "localhost%2e", "127.1", "0x7f.1", "2130706433", "017700000001", "0"] {
        add(format!("http://{same}:{other_port}/x"));
        add(format!("http://{same}:{other_port}0/x"));
    }
    for same in [
        "127%2e0%2e0%2e1",
        "127。0。0。1",
        "１２７.0.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
    ] {
        add(format!("http://{same}:{other_port}/x"));
    }
    // What stands before and after the name, with whatever is behind it.
    for after in [".", "x", "-", "_", "\u{3002}x", "%2ex", "%00", "%09", ":"] {
        add(format!("http://{bare}{after}{name}:{other_port}/x"));
        add(format!("http://{name}{after}{bare}:{other_port}/x"));
    }
}

/// The hooks host's address, all but something: with somebody at its door, at another port, under another name.
fn nearly(hooks: &str, all: &mut BTreeSet<String>) {
    let (name, port) = hooks.split_once(':').unwrap_or_default();
    let mut add = |address: String| all.insert(address);
    // Somebody at the door: the right host, with a name or a password.
    for user in ["user", "user:password", ":password", "%20", "127.0.0.1", "localhost", "xoxb-", "a%40b", "é"] {
        add(format!("http://{user}@{hooks}/x"));
    }
    // The right name at the wrong port, the right port at the wrong name.
    for wrong in ["0", "1", "80", "443", "65535", "65536", "99999", "-1", "+80", " 80", "0x50", "８０", "http", ""] {
        add(format!("http://{name}:{wrong}/x"));
    }
    for wrong in [
        "localhost.",
        "localhost.evil.example",
        "evil.localhost",
        "evil-localhost",
        "localhost-evil.example",
        "localhos",
        "ocalhost",
        "localhost.localhost",
        "l0calhost",
        "1ocalhost",
        "lоcalhost",
        "localhοst",
        "ⅼocaⅼhost.example",
        "localhost\u{200b}x",
        "xn--localhost-",
        "ip6-localhost",
        "hooks.slack.com",
        "127.0.0.1",
        "127.0.0.2",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost%2eevil.example",
        "localhost%00.evil.example",
        "localhost／.evil.example",
        "localhost。evil.example",
        "*",
        "%",
        "..",
        "169.254.169.254",
        "metadata.google.internal",
        "[fe80::1%25lo]",
    ] {
        add(format!("http://{wrong}:{port}/x"));
    }
}

/// Addresses that are none of the web's.
fn strange(hooks: &str, all: &mut BTreeSet<String>) {
    let mut add = |address: String| all.insert(address);
    // The right host under a scheme that is not its own, or hidden in one that is none of the web's.
    for scheme in [
        "https",
        "ftp",
        "ws",
        "wss",
        "gopher",
        "ldap",
        "dict",
        "tftp",
        "file",
        "unix",
        "blob",
        "blob:http",
        "blob:https",
        "filesystem:http",
        "view-source:http",
        "feed:http",
        "javascript",
    ] {
        add(format!("{scheme}://{hooks}/x"));
    }
    for nowhere in [
        "javascript:alert(1)",
        "data:text/plain,x",
        "file:///etc/passwd",
        "about:blank",
        "mailto:x@localhost",
        "/hooks/response/x",
        "hooks/response/x",
        "//localhost/x",
        ".",
        "http",
        "http:",
        "http://",
        "://x",
    ] {
        add(nowhere.to_owned());
    }
}

/// Sends each address to the functions in one of four ways, so many at once. `first` is the number of the first one; no two have the same.
async fn send_all(world: &World, first: usize, addresses: &[String]) {
    let numbered: Vec<(usize, &String)> = addresses.iter().enumerate().collect();
    for some in numbered.chunks(AT_ONCE) {
        join_all(some.iter().map(|(number, address)| send(world, first + number, address))).await;
    }
}

async fn send(world: &World, number: usize, address: &str) {
    let (to, body) = match number % 4 {
        0 => ("commands", command(WORKSPACE, address)),
        1 => ("interactions", click("acknowledge_incident", address, number)),
        // No form can be opened for this trigger, so `interactions` says so itself.
        2 => ("interactions", click("resolve_incident", address, number)),
        _ => ("commands", command(NOWHERE, address)),
    };
    let answer = world.slack.tell("raw", &json!({ "to": to, "body": body })).await;
    assert_eq!(answer.get("status").and_then(Value::as_u64), Some(200), "{address}: {answer}");
}

fn command(workspace: &str, address: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("command", "/incident"),
            ("text", "list"),
            ("team_id", workspace),
            ("user_id", "U0JANE"),
            ("channel_id", "C0GENERAL"),
        ])
        .extend_pairs([("response_url", address), ("trigger_id", address)])
        .finish()
}

fn click(action: &str, address: &str, number: usize) -> String {
    let payload = json!({
        "type": "block_actions", "team": { "id": WORKSPACE }, "user": { "id": "U0JANE", "team_id": WORKSPACE }, "channel": { "id": "C0INCIDENTS" },
        "trigger_id": "1.2.nobody", "response_url": address,
        "actions": [{ "action_id": action, "value": format!("{WORKSPACE}/INC-000000"), "action_ts": format!("1795200000.{number:06}") }],
    });
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}
