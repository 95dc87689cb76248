//! The deployment that is meant: a CloudFormation stack, what it was told, what it has, and the clients that reach it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_cloudformation::types::Stack as Described;
use aws_types::SdkConfig;
use jiff::SignedDuration;
use shared::domain::ids::Workspace;
use shared::secrets::app::{Access, Secrets};
use shared::store::Store;
use url::Url;

/// How long Slack may take for one call.
const SLACK_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the stack is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Stack {
    /// The stack's name.
    #[arg(long, env = "TOCSIN_STACK", default_value = "tocsin", global = true)]
    pub(crate) stack: String,
}

/// What every client is built from: TLS on ring, and the chain of providers that all tools use.
pub(crate) async fn sdk_config() -> SdkConfig {
    let tls = aws_smithy_http_client::tls::Provider::Rustls(aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}

/// Whether it is said where AWS is and who asks, once AWS could not be asked: the SDK's own error speaks of a machine that is none of AWS's.
async fn can_ask(aws: &SdkConfig) -> Result<()> {
    ensure!(aws.region().is_some(), "no region is set: AWS_REGION names it, or AWS_PROFILE a profile that has one");
    if let Some(provider) = aws.credentials_provider() {
        let found = provider.provide_credentials().await.map_err(|error| anyhow!(shared::causes(&error)));
        found.context(
            "nothing gives credentials for AWS: AWS_PROFILE names a profile that does (after `aws sso login`, say), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold them; for \
             `make local`, export what it prints",
        )?;
    }
    Ok(())
}

/// A stack as CloudFormation knows it.
#[derive(Debug)]
pub(crate) struct Deployment {
    /// The stack's name.
    pub(crate) stack: String,
    /// How AWS is reached.
    pub(crate) aws: SdkConfig,
    /// What CloudFormation did last with it, such as `UPDATE_COMPLETE`.
    pub(crate) status: String,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Deployment {
    /// Asks CloudFormation for the stack.
    pub(crate) async fn read(stack: &Stack) -> Result<Self> {
        let (aws, name) = (sdk_config().await, stack.stack.clone());
        let asked = aws_sdk_cloudformation::Client::new(&aws).describe_stacks().stack_name(&name).send().await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) => {
                can_ask(&aws).await?;
                return Err(anyhow!(shared::causes(&error)).context(format!(
                    "CloudFormation says nothing of the stack {name}; --stack or TOCSIN_STACK names another, AWS_PROFILE and AWS_REGION say where"
                )));
            }
        };
        let said = answer.stacks().first().with_context(|| format!("there is no stack {name} in this account and region"))?;
        let status = said.stack_status().map(|status| status.as_str().to_owned()).unwrap_or_default();
        Ok(Self { outputs: outputs(said), parameters: parameters(said), stack: name, aws, status })
    }

    /// An output, such as `ApiKeysSecretArn`.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the stack {} has no output {name}; is it of an older version?", self.stack))
    }

    /// An output that is the address of a function, as it is called from here.
    pub(crate) fn url(&self, name: &str) -> Result<String> {
        let url = self.output(name)?;
        Ok(self.aws.endpoint_url().and_then(|endpoint| locally(endpoint, url)).unwrap_or_else(|| url.to_owned()))
    }

    /// A parameter as it was given or defaulted; `None` where it is empty or the stack has none of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The table.
    pub(crate) fn store(&self) -> Result<Store> {
        Ok(Store::new(aws_sdk_dynamodb::Client::new(&self.aws), self.output("TableName")?.to_owned()))
    }

    /// Secrets Manager.
    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.aws)
    }

    /// SQS.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.aws)
    }

    /// How the names of its own alarms begin, as template.yaml says it.
    pub(crate) fn alarms(&self) -> String {
        format!("{}/watch/", self.stack)
    }

    /// CloudWatch.
    pub(crate) fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.aws)
    }

    /// The Slack that this deployment calls.
    pub(crate) fn slack(&self) -> Result<shared::slack::client::Client> {
        let base = self.parameter("SlackApiUrl").unwrap_or("https://slack.com/api/");
        let base: Url = base.parse().with_context(|| format!("the parameter SlackApiUrl of the stack {} is no URL: {base}", self.stack))?;
        Ok(shared::slack::client::Client::new(base, SLACK_TIMEOUT)?)
    }

    /// The workspace that is meant: the named one, else the parameter `DefaultWorkspace`, else the only one that the table knows, else that of the bot token: the table knows it
    /// from the first incident on.
    pub(crate) async fn workspace(&self, named: Option<&Workspace>) -> Result<Workspace> {
        if let Some(named) = named {
            return Ok(named.clone());
        }
        if let Some(named) = self.parameter("DefaultWorkspace") {
            return Ok(Workspace::new(named));
        }
        let known = self.store()?.installations().await.context("the table cannot be read")?;
        match known.as_slice() {
            [only] => Ok(only.workspace.clone()),
            [] => self.pasted().await.context("no workspace is known yet: name one with --workspace T…"),
            several => {
                let ids: Vec<_> = several.iter().map(|installation| installation.workspace.as_str()).collect();
                bail!("there are several workspaces, {}: name one with --workspace", ids.join(", "))
            }
        }
    }
}

impl Deployment {
    /// The workspace of the bot token in the Slack secret.
    async fn pasted(&self) -> Result<Workspace> {
        let secrets = Secrets::new(self.secrets(), self.output("SlackSecretArn")?.to_owned(), SignedDuration::ZERO);
        let secret = secrets.now().await.context("the Slack secret cannot be read")?;
        let Access::Pasted(token) = secret.access() else { bail!("the Slack secret holds no bot token, which would tell it") };
        Ok(self.slack()?.identity(token).await.context("Slack does not say whose the bot token is")?.workspace)
    }
}

/// Reads a workspace as it is given on the command line.
pub(crate) fn workspace(text: &str) -> Result<Workspace, &'static str> {
    Workspace::parse(text).ok_or("a Slack team is T and capital letters or digits, an enterprise E and these")
}

/// An AWS on this machine names the addresses of functions by hosts that nobody finds, as AWS does or below its own address, and answers them below a path of its own.
fn locally(endpoint: &str, url: &str) -> Option<String> {
    let endpoint = Url::parse(endpoint).ok()?;
    let here = endpoint.host_str().filter(|host| matches!(*host, "127.0.0.1" | "[::1]" | "localhost"))?;
    // Some of these are no URLs: a host does not end in an IP address.
    let (host, path) = url.split_once("://")?.1.split_once('/')?;
    let (id, host) = host.split_once('.')?;
    let (kind, host) = host.split_once('.')?;
    let host = host.split(':').next()?;
    let is_its_own = host.ends_with(".on.aws") || host.ends_with(".amazonaws.com") || host == here;
    (is_its_own && matches!(kind, "lambda-url" | "execute-api")).then(|| format!("{endpoint}_aws/{kind}/{id}/{path}"))
}

fn outputs(stack: &Described) -> BTreeMap<String, String> {
    let pair = |output: &aws_sdk_cloudformation::types::Output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()));
    stack.outputs().iter().filter_map(pair).collect()
}

fn parameters(stack: &Described) -> BTreeMap<String, String> {
    let pair = |parameter: &aws_sdk_cloudformation::types::Parameter| {
        Some((parameter.parameter_key()?.to_owned(), parameter.parameter_value()?.to_owned()))
    };
    stack.parameters().iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_an_aws_on_this_machine_are_others_than_they_say() {
        let (here, there) = ("http://127.0.0.1:4566", "https://vpce-1.cloudformation.eu-central-1.vpce.amazonaws.com");
        let (function, api) = ("https://abc.lambda-url.us-east-1.on.aws/", "https://def.execute-api.us-east-1.amazonaws.com/slack/events");
        assert_eq!(locally(here, function).as_deref(), Some("http://127.0.0.1:4566/_aws/lambda-url/abc/"));
        assert_eq!(locally(here, api).as_deref(), Some("http://127.0.0.1:4566/_aws/execute-api/def/slack/events"));
        let below = "http://def.execute-api.127.0.0.1:4566/slack/events";
        assert_eq!(locally(here, below).as_deref(), Some("http://127.0.0.1:4566/_aws/execute-api/def/slack/events"));
        let others = ["http://127.0.0.1:3001/", "http://abc.lambda-url.us-east-1.localhost:4566/", "https://tocsin.example.com/", "no URL"];
        for (endpoint, url) in others.map(|url| (here, url)).into_iter().chain([(there, function), (there, api)]) {
            assert_eq!(locally(endpoint, url), None, "{url} at {endpoint}");
        }
    }
}
