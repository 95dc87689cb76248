//! `tocsin install-link`

use anyhow::Result;
use serde_json::json;
use shared::secrets::app::{Access, Secrets};

use crate::deployment::{Deployment, Stack};
use crate::output::{Output, note};

/// Print the link by which a workspace installs the app, and say where it would not work.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Result<()> {
    let deployment = Deployment::read(&arguments.stack).await?;
    let link = deployment.output("InstallUrl")?;
    let secrets = Secrets::new(deployment.secrets(), deployment.output("SlackSecretArn")?.to_owned(), jiff::SignedDuration::ZERO);
    let hindrance = match secrets.now().await.map(|secret| hindrance(secret.access())) {
        Ok(hindrance) => hindrance.map(str::to_owned),
        Err(error) => Some(format!("whether the Slack secret holds client_id and client_secret is not known: {error}")),
    };
    output.print(&json!({ "link": link, "hindrance": hindrance }), || anstream::println!("{link}"))?;
    if let Some(hindrance) = hindrance {
        note(format_args!("nobody can install the app by this link yet: {hindrance}"));
    } else {
        let redirect = deployment.output("RedirectUrl")?;
        note(format_args!(
            "the Slack app has to name {redirect} among its redirect URLs; other workspaces than its own need Manage Distribution"
        ));
    }
    Ok(())
}

fn hindrance(access: Access<'_>) -> Option<&'static str> {
    match access {
        Access::ByLink { .. } => None,
        Access::Pasted(_) => Some(
            "the Slack secret holds a bot token, and no client_id and client_secret: `tocsin secrets set --replace` puts them in its place",
        ),
        Access::None => Some("the Slack secret holds no client_id and client_secret: `tocsin secrets set` puts them there"),
    }
}
