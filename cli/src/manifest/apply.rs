//! `tocsin manifest apply`. <https://docs.slack.dev/reference/methods/apps.manifest.update>

use anyhow::Result;
use serde_json::{Value, json};

use super::Wish;
use super::api::Api;
use crate::deployment::Stack;
use crate::output::{Output, note};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The app: A…, under Basic Information at `https://api.slack.com/apps`.
    #[arg(long, value_name = "A…")]
    app_id: String,
}

pub(super) async fn run(stack: &Stack, wish: &Wish, Arguments { app_id }: &Arguments, output: Output) -> Result<()> {
    let deployment = wish.deployment(stack, output).await?;
    let manifest = wish.document(deployment.as_ref())?.json()?;
    let api = Api::of(deployment.as_ref())?;
    let waiting = output.waiting("handing the manifest to Slack");
    let answer = api.call("apps.manifest.update", &manifest, Some(app_id)).await?;
    drop(waiting);
    let again = answer.get("permissions_updated").and_then(Value::as_bool) == Some(true);
    output.print(&json!({ "app_id": app_id, "install_again": again }), || anstream::println!("{app_id} has this manifest"))?;
    if again {
        note("its scopes are different: they count once it is installed again, under Install App or by `tocsin install-link`");
    }
    Ok(())
}
