//! `tocsin keys list`

use anyhow::Result;
use serde_json::json;
use shared::secrets::keys::Entry;

use super::{Secret, words};
use crate::output::{Output, note};

pub(crate) async fn run(secret: &Secret, output: Output) -> Result<()> {
    let entries = secret.read().await?.entries;
    let one = |(name, Entry { workspace, revoked, may, .. }): (&String, &Entry)| json!({ "name": name, "workspace": workspace, "may": words(may.as_deref()), "revoked": revoked });
    output.print(&entries.iter().map(one).collect::<serde_json::Value>(), || {
        if entries.is_empty() {
            note("there are no keys yet; `tocsin keys create NAME --workspace T…` makes one");
        }
        for (name, Entry { workspace, revoked, may, .. }) in &entries {
            let place = workspace.as_ref().map_or("any workspace", |workspace| workspace.as_str());
            let state = revoked.as_ref().map(|since| format!(", revoked {since}")).unwrap_or_default();
            anstream::println!("{name}: {}, {place}{state}", words(may.as_deref()).join(" "));
        }
    })
}
