//! `tocsin manifest link`. <https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests>

use anyhow::{Result, anyhow};
use serde_json::json;
use url::Url;

use super::{Wish, slack_api};
use crate::deployment::{Deployment, Stack};
use crate::output::{Output, note};

/// A longer address is more than some browsers and servers take.
const LONG: usize = 8000;

pub(super) async fn run(stack: &Stack, wish: &Wish, output: Output) -> Result<()> {
    let deployment = wish.deployment(stack, output).await?;
    let link = link(deployment.as_ref(), &wish.document(deployment.as_ref())?.json()?)?;
    if link.as_str().len() > LONG {
        note(format_args!(
            "the link has {} characters; where a browser does not take it, --without workflows makes it shorter, and `tocsin manifest apply` brings the steps afterwards",
            link.as_str().len()
        ));
    }
    output.print(&json!({ "link": link.as_str() }), || anstream::println!("{link}"))
}

/// Where Slack's apps are made: beside its Web API, which has an address of its own for GovSlack.
fn link(deployment: Option<&Deployment>, manifest: &serde_json::Value) -> Result<Url> {
    let mut link = slack_api(deployment)?;
    if let Some(host @ ("slack.com" | "slack-gov.com")) = link.host_str() {
        let host = format!("api.{host}");
        link.set_host(Some(&host)).map_err(|error| anyhow!("{host}: {error}"))?;
    }
    link.set_path("/apps");
    link.query_pairs_mut().append_pair("new_app", "1").append_pair("manifest_json", &manifest.to_string());
    // Whoever reads a query as an address rather than as a form takes a plus for a plus. One that is meant stands as %2B.
    let query = link.query().unwrap_or_default().replace('+', "%20");
    link.set_query(Some(&query));
    Ok(link)
}
