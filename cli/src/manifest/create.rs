//! `tocsin manifest create`. <https://docs.slack.dev/reference/methods/apps.manifest.create>

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Wish;
use super::api::Api;
use crate::deployment::{Deployment, Stack};
use crate::output::{Output, note};
use crate::secrets::{AppSecret, Field};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write the new app's client id, client secret and signing secret into the stack's Slack secret, where nothing stands yet: nothing has to be copied, and the app is installed by its link.
    #[arg(long)]
    hand_over: bool,
}

/// What Slack gives with a new app, and the secret keeps under the same names.
const CREDENTIALS: [&str; 3] = ["client_id", "client_secret", "signing_secret"];

pub(super) async fn run(stack: &Stack, wish: &Wish, Arguments { hand_over }: &Arguments, output: Output) -> Result<()> {
    let deployment = wish.deployment(stack, output).await?;
    let manifest = wish.document(deployment.as_ref())?.json()?;
    let receiver = if *hand_over {
        // Before, so that no app is made whose credentials nobody gets.
        Some(empty(deployment.as_ref().context("there is no stack to hand the app's credentials over to")?).await?)
    } else {
        None
    };
    let api = Api::of(deployment.as_ref())?;
    let waiting = output.waiting("creating the app");
    let answer = api.call("apps.manifest.create", Some(&manifest), None).await?;
    drop(waiting);
    let app = answer.get("app_id").and_then(Value::as_str).context("Slack names no app in its answer")?;
    if let Some(secret) = receiver {
        keep(secret, &answer)
            .await
            .with_context(|| format!("{app} is created, and its credentials are not handed over: copy them from Basic Information"))?;
    }
    output.print(&json!({ "app_id": app, "handed_over": hand_over }), || anstream::println!("{app} is created"))?;
    note(if *hand_over {
        "its credentials stand in the Slack secret; `tocsin install-link` has the link by which it is installed"
    } else {
        "its credentials stand under Basic Information at https://api.slack.com/apps; `tocsin secrets set` asks for them"
    });
    Ok(())
}

/// The secret as it stands, where no app's credentials stand in it: nothing that is in force is written over, and webhooks are kept.
async fn empty(deployment: &Deployment) -> Result<AppSecret> {
    let secret = AppSecret::read(deployment, false).await?;
    ensure!(
        Field::ALL.into_iter().all(|field| !secret.has(field)),
        "the Slack secret holds the credentials of an app already, and they are not written over: leave --hand-over out"
    );
    Ok(secret)
}

async fn keep(mut secret: AppSecret, answer: &Value) -> Result<()> {
    for name in CREDENTIALS {
        let credential = answer.pointer(&format!("/credentials/{name}")).and_then(Value::as_str);
        secret.fields.insert(name.to_owned(), credential.context("Slack's answer holds no credentials")?.into());
    }
    secret.write().await
}
