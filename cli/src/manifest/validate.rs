//! `tocsin manifest validate`. <https://docs.slack.dev/reference/methods/apps.manifest.validate>

use anyhow::Result;
use serde_json::json;

use super::Wish;
use super::api::Api;
use crate::deployment::Stack;
use crate::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The app that it is for, if there is one already: A….
    #[arg(long, value_name = "A…")]
    app_id: Option<String>,
}

pub(super) async fn run(stack: &Stack, wish: &Wish, Arguments { app_id }: &Arguments, output: Output) -> Result<()> {
    let deployment = wish.deployment(stack, output).await?;
    let manifest = wish.document(deployment.as_ref())?.json()?;
    let api = Api::of(deployment.as_ref())?;
    let waiting = output.waiting("asking Slack");
    api.call("apps.manifest.validate", Some(&manifest), app_id.as_deref()).await?;
    drop(waiting);
    output.print(&json!({ "valid": true }), || anstream::println!("Slack would take this manifest"))
}
