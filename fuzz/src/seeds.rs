//! What a search begins with: the samples that the tests read, in the form that each target takes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use shared::slack::step::{CREATE, UPDATE, WAIT};

use crate::ingress::Sort;
use crate::{receivers, render};

/// A target's name, and what does one input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 5] = [
    ("ingress", crate::ingress::check),
    ("receivers", crate::receivers::check),
    ("messages", crate::messages::check),
    ("render", crate::render::check),
    ("configuration", crate::configuration::check),
];

/// Lines that people type.
const LINES: &[&str] = &[
    "",
    "help",
    "create",
    "create P1 checkout is down",
    "declare p99 &gt; 2 s, <@U1|jane> looks at <https://example.com/a|the graph>",
    "list",
    "show INC-7K3QPF",
    "ack",
    "acknowlege 7k3",
    "resolve 7k3 rolled back",
    "reopen inc-7k3qpf",
    "note 7k3 the pool is full",
    "status",
    "<!channel> everything",
];

/// Addresses at which an answer might be wanted.
const ADDRESSES: &[&str] = &[
    "https://hooks.slack.com/commands/T0TOCSIN/1/abc",
    "https://hooks.slack.com@example.com/x",
    "https://user:word@hooks.slack.com/x",
    "https://hooks.slack.com:8443/x",
    "https://hooks.slack.com.example.com/x",
    "HTTPS://HOOKS.SLACK.COM:443/x",
    "https:\\\\hooks.slack.com\\x",
    "http://hooks.slack.com/x",
];

/// A workspace's settings, as the book shows them.
fn settings() -> Result<String> {
    let page = include_str!("../../docs/configuration.md");
    let (_, rest) = page.split_once("```toml\n").context("the page shows no settings")?;
    let (settings, _) = rest.split_once("```").context("the settings of the page do not end")?;
    Ok(settings.to_owned())
}

/// The first inputs of a target.
pub fn of(target: &str) -> Result<Vec<Vec<u8>>> {
    let seeds = match target {
        "ingress" => ingress()?,
        "receivers" => ingress()?.iter().flat_map(|input| receivers::inputs(input)).collect(),
        "messages" => messages()?,
        "render" => messages()?.iter().map(|message| render::told_by(message)).chain(render::stories()).collect(),
        "configuration" => {
            let settings = settings()?;
            settings.split("\n\n").chain([&*settings, ""]).map(|text| text.as_bytes().to_vec()).collect()
        }
        other => anyhow::bail!("there is no target {other}"),
    };
    Ok(seeds)
}

fn ingress() -> Result<Vec<Vec<u8>>> {
    let all = |sort: Sort, bodies: Vec<Vec<u8>>| bodies.into_iter().map(move |body| sort.input(&body));
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
    let forms = files("tests/samples/slack/http_bodies")?;
    let interactions = ["interactions", "schema_interactions"].map(|folder| files(&format!("tests/samples/slack/{folder}")));
    let interactions: Vec<_> = interactions.into_iter().collect::<Result<Vec<_>>>()?.concat();
    let interactions = [interactions, clicks()].concat();
    let headers = forms.iter().map(|body| [b"1768446120\nv0=0123\n", body.as_slice()].concat()).collect();
    Ok(all(Sort::Command, forms.clone())
        .chain(all(Sort::Line, texts(LINES)))
        .chain(all(Sort::Form, forms))
        .chain(all(Sort::Interaction, interactions))
        .chain(all(Sort::Event, files("tests/samples/slack/schema_events")?))
        .chain(all(Sort::Event, mentions()))
        .chain(all(Sort::Event, steps()))
        .chain(all(Sort::Headers, headers))
        .chain(all(Sort::Headers, texts(&["\n\nssl_check=1&token=abc"])))
        .chain(all(Sort::Address, texts(ADDRESSES)))
        .collect())
}

/// The samples are other apps': these are what Tocsin's own cards and forms send.
fn clicks() -> Vec<Vec<u8>> {
    let by = r#""team":{"id":"T0TOCSIN"},"user":{"id":"U0JANE","team_id":"T0TOCSIN"},"trigger_id":"1.2.3""#;
    let click = |action: &str| {
        format!(
            r#"{{"type":"block_actions",{by},"response_url":"https://hooks.slack.com/actions/T0TOCSIN/1/abc","channel":{{"id":"C0INCIDENTS"}},"message":{{"ts":"1768446120.000100"}},"actions":[{{"action_id":"{action}_incident","value":"T0TOCSIN/INC-7K3QPF","action_ts":"1768446130.123456"}}]}}"#
        )
    };
    let submission = |form: &str, metadata: &str, values: &str| {
        format!(
            r#"{{"type":"view_submission",{by},"view":{{"id":"V1","callback_id":"{form}_incident","private_metadata":"{metadata}","state":{{"values":{{{values}}}}}}}}}"#
        )
    };
    let resolve = r#"{\"workspace\":\"T0TOCSIN\",\"incident\":\"INC-7K3QPF\",\"channel\":\"C0INCIDENTS\"}"#;
    let note = r#""note":{"note":{"type":"plain_text_input","value":"rolled back"}},"root_cause":{"root_cause":{"value":null}}"#;
    let title = r#""title":{"title":{"value":"checkout is down"}},"severity":{"severity":{"selected_option":{"value":"P2"}}}"#;
    let shortcut = format!(r#"{{"type":"shortcut",{by},"callback_id":"create_incident"}}"#);
    ["acknowledge", "reopen", "resolve"]
        .map(click)
        .into_iter()
        .chain([submission("resolve", resolve, note), submission("create", "{}", title), submission("create", "{}", ""), shortcut])
        .map(String::into_bytes)
        .collect()
}

fn mentions() -> Vec<Vec<u8>> {
    let said = |text: &str| {
        format!(
            r#"{{"type":"event_callback","team_id":"T0TOCSIN","event_id":"Ev1","event_time":1768446120,"event":{{"type":"app_mention","user":"U0JANE","text":"<@U0TOCSIN> {text}","channel":"C0INCIDENTS","ts":"1768446120.000100","event_ts":"1768446120.000100"}}}}"#
        )
    };
    let gone = r#"{"type":"event_callback","team_id":"T0TOCSIN","event_time":1768446120,"event":{"type":"tokens_revoked","tokens":{"bot":["U0TOCSIN"]}}}"#;
    LINES.iter().map(|line| said(line).into_bytes()).chain([gone.as_bytes().to_vec()]).collect()
}

/// The steps that workflows come to.
fn steps() -> Vec<Vec<u8>> {
    let step = |callback_id: &str, inputs: &str| {
        format!(
            r#"{{"type":"event_callback","team_id":"T0TOCSIN","event":{{"type":"function_executed","function":{{"callback_id":"{callback_id}"}},"inputs":{{{inputs}}},"function_execution_id":"Fx1","event_ts":"1768446120.000100","bot_access_token":"xwfp-1"}}}}"#
        )
    };
    let filled =
        r#""title":"checkout is <!channel> down","severity":"P2","service":"checkout","assignee":"U0JANE","user":"<@U0OMAR|omar>""#;
    let incident = r#""incident_id":"inc-7k3qpf","description":"since nine","severity":"high""#;
    [(CREATE, filled), (CREATE, ""), (UPDATE, incident), (UPDATE, r#""incident_id":7"#), (WAIT, incident), ("gone", "")]
        .map(|(callback_id, inputs)| step(callback_id, inputs).into_bytes())
        .to_vec()
}

/// What is dropped on the incidents queue.
fn messages() -> Result<Vec<Vec<u8>>> {
    let folders = ["events", "tests/samples/aws/sources", "tests/samples/aws/queue_envelopes"];
    Ok(folders.into_iter().map(files).collect::<Result<Vec<_>>>()?.concat())
}

/// The contents of a folder's files, by their names.
fn files(folder: &str) -> Result<Vec<Vec<u8>>> {
    let folder = repository().join(folder);
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    // What is written about the samples is none.
    files.retain(|file| file.extension().is_none_or(|kind| kind != "md"));
    files.sort();
    files.iter().map(|file| std::fs::read(file).with_context(|| file.display().to_string())).collect()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found by searching is looked for elsewhere; what the search begins with holds at once.
    #[test]
    fn every_promise_holds_for_every_sample() {
        for (name, check) in TARGETS {
            let seeds = of(name).expect("seeds");
            assert!(seeds.len() > 4, "{name} begins with nothing");
            for seed in &seeds {
                check(seed);
            }
        }
    }
}
