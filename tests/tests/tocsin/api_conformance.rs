//! The HTTP API does what its document (infra/openapi.json) says: schemathesis sends what the document allows and what it does not, and looks at every answer.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::json;
use tests::paths;
use tests::world::{WORKSPACE, World};
use tokio::process::Command;

/// How many requests are made up for each operation and phase: a number and not a time, so that the same is tried on a quick machine and on a busy one.
const EXAMPLES: &str = "40";

fn program() -> PathBuf {
    std::env::var_os("TOCSIN_SCHEMATHESIS").map_or_else(|| paths::repository().join(".local/venv/bin/schemathesis"), PathBuf::from)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_does_what_its_document_says() {
    let world = World::start().await;
    // For one workspace: what names another is refused, and nothing is parked for it.
    let key = world.makes_api_key("fuzzer", json!({ "workspace": WORKSPACE })).await;
    // Thousands of cards are of no interest here, nor who is told of them: what they cost the local AWS, the API would wait for.
    for function in ["poster", "publisher"] {
        world.dispatcher().mapping(function).pause();
    }
    let known = key.wants("v1/incidents", &json!({ "title": "Known to the fuzzer", "dedup_key": "known" })).await;
    let folder = paths::scratch("schemathesis").expect("a folder");
    let settings = std::fs::read_to_string(paths::repository().join("tests/schemathesis/schemathesis.toml")).expect("its settings");
    // In its dictionaries it replaces no variables itself.
    let known_as = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
    let settings = settings.replace("${TOCSIN_INCIDENT}", &known_as("incident")).replace("${TOCSIN_REQUEST}", &known_as("request"));
    let config = folder.join("schemathesis.toml");
    std::fs::write(&config, settings).expect("its settings can be written");
    let output = Command::new(program())
        .arg("--config-file")
        .arg(config)
        .args(["run", "--max-examples", EXAMPLES, "--generation-deterministic"])
        .arg(paths::repository().join("infra/openapi.json"))
        .env("TOCSIN_API", world.url("api").trim_end_matches('/'))
        .env("TOCSIN_API_KEY", key.authorization().trim_start_matches("Bearer "))
        .env("PYTHONPATH", paths::repository().join("tests/schemathesis"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // It keeps what it finds where it runs.
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|error| panic!("{} does not run: {error}; `make test` installs it", program().display()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    assert!(output.status.success(), "schemathesis found something:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    world.finish_unsettled().await;
}
