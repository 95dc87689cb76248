//! `tocsin manifest link`. <https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests>

use std::fmt::Write;

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
    let link = link(deployment.as_ref(), &wish.document(deployment.as_ref())?.short()?)?;
    if link.as_str().len() > LONG {
        note(format_args!(
            "the link has {} characters; where a browser does not take it, --without workflows makes it shorter, and `tocsin manifest apply` brings the steps afterwards",
            link.as_str().len()
        ));
    }
    output.print(&json!({ "link": link.as_str() }), || anstream::println!("{link}"))
}

/// Where Slack's apps are made: beside its Web API, which has an address of its own for GovSlack.
fn link(deployment: Option<&Deployment>, manifest: &str) -> Result<Url> {
    let mut link = slack_api(deployment)?;
    if let Some(host @ ("slack.com" | "slack-gov.com")) = link.host_str() {
        let host = format!("api.{host}");
        link.set_host(Some(&host)).map_err(|error| anyhow!("{host}: {error}"))?;
    }
    link.set_path("/apps");
    link.set_query(Some(&format!("new_app=1&manifest_yaml={}", escaped(manifest))));
    Ok(link)
}

/// As much as has to be escaped in a query, and no more: each escape makes the link longer. A space is `%20`, because whoever reads a query as an address rather than as a form takes a plus
/// for a plus.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:,/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_made_where_slack_makes_apps_and_reads_back() {
        let text = "{name: \"a&b+c\",url: https://x.example.com/?a=1%20,d: é}";
        let link = link(None, text).unwrap();
        assert!(
            link.as_str().starts_with("https://api.slack.com/apps?new_app=1&manifest_yaml=%7Bname:%20%22a%26b%2Bc%22,url:%20https://x."),
            "{link}"
        );
        assert_eq!(link.query_pairs().nth(1).unwrap().1, text);
    }
}
