//! `tocsin manifest create`. <https://docs.slack.dev/reference/methods/apps.manifest.create>

use anyhow::{Context, Result, anyhow, bail, ensure};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use shared::secrets::SecretError;
use shared::secrets::app::Secrets;

use super::Wish;
use super::api::Api;
use crate::deployment::{Deployment, Stack};
use crate::output::{Output, note};

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
    let receiver =
        if *hand_over { Some(deployment.as_ref().context("there is no stack to hand the app's credentials over to")?) } else { None };
    if let Some(deployment) = receiver {
        // Before, so that no app is made whose credentials nobody gets.
        is_empty(deployment).await?;
    }
    let api = Api::of(deployment.as_ref())?;
    let waiting = output.waiting("creating the app");
    let answer = api.call("apps.manifest.create", &manifest, None).await?;
    drop(waiting);
    let app = answer.get("app_id").and_then(Value::as_str).context("Slack names no app in its answer")?;
    if let Some(deployment) = receiver {
        keep(deployment, &answer)
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

/// Nothing that is in force is written over.
async fn is_empty(deployment: &Deployment) -> Result<()> {
    let secrets = Secrets::new(deployment.secrets(), deployment.output("SlackSecretArn")?.to_owned(), SignedDuration::ZERO);
    match secrets.now().await {
        Err(SecretError::Absent) => Ok(()),
        Ok(secret) => {
            ensure!(
                secret.is_empty(),
                "the Slack secret holds the credentials of an app already, and they are not written over: leave --hand-over out"
            );
            Ok(())
        }
        Err(error) => bail!("the Slack secret cannot be looked at: {error}"),
    }
}

async fn keep(deployment: &Deployment, answer: &Value) -> Result<()> {
    let credential = |name: &str| {
        answer.pointer(&format!("/credentials/{name}")).and_then(Value::as_str).map(|text| (name.to_owned(), Value::from(text)))
    };
    let secret = CREDENTIALS.into_iter().map(credential).collect::<Option<Map<_, _>>>().context("Slack's answer holds no credentials")?;
    let put = deployment
        .secrets()
        .put_secret_value()
        .secret_id(deployment.output("SlackSecretArn")?)
        .secret_string(Value::Object(secret).to_string());
    put.send().await.map(|_| ()).map_err(|error| anyhow!(shared::causes(&error)))
}
