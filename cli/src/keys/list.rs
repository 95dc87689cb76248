//! `tocsin keys list`

use anyhow::Result;
use serde_json::json;
use shared::secrets::keys::{Entry, May};

use super::Secret;
use crate::output::{Output, note};

pub(crate) async fn run(secret: &Secret, output: Output) -> Result<()> {
    let entries = secret.read().await?.entries;
    if output.json {
        let one = |(name, Entry { workspace, revoked, may, .. }): (&String, &Entry)| json!({ "name": name, "workspace": workspace, "may": words(may.as_deref()), "revoked": revoked });
        println!("{}", entries.iter().map(one).collect::<serde_json::Value>());
        return Ok(());
    }
    if entries.is_empty() {
        note("there are no keys yet; `tocsin keys create NAME --workspace T…` makes one");
    }
    for (name, Entry { workspace, revoked, may, .. }) in &entries {
        let place = workspace.as_ref().map_or("any workspace", |workspace| workspace.as_str());
        let state = revoked.as_ref().map(|since| format!(", revoked {since}")).unwrap_or_default();
        println!("{name}: {}, {place}{state}", words(may.as_deref()).join(" "));
    }
    Ok(())
}

fn words(may: Option<&[May]>) -> Vec<&'static str> {
    may.unwrap_or(&May::ALL).iter().map(|may| may.word()).collect()
}
