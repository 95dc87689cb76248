//! Reaching AWS, and what a stack has there.

use anyhow::{Context, Result};
use aws_config::BehaviorVersion;
use aws_types::SdkConfig;

/// Where the stack is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Stack {
    /// The stack's name.
    #[arg(long, env = "TOCSIN_STACK", default_value = "tocsin", global = true)]
    pub(crate) stack: String,
}

/// What every client is built from: TLS on ring, and the chain of providers that all tools use.
pub(crate) async fn config() -> SdkConfig {
    let tls = aws_smithy_http_client::tls::Provider::Rustls(aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}

/// An output of the stack, such as `ApiKeysSecretArn`.
pub(crate) async fn output(config: &SdkConfig, stack: &Stack, name: &str) -> Result<String> {
    let asked = aws_sdk_cloudformation::Client::new(config).describe_stacks().stack_name(&stack.stack).send().await;
    let answer = asked
        .map_err(|error| anyhow::anyhow!(shared::causes(&error)))
        .with_context(|| format!("CloudFormation says nothing of the stack {}", stack.stack))?;
    let outputs = answer.stacks().iter().flat_map(aws_sdk_cloudformation::types::Stack::outputs);
    let found = outputs.filter(|output| output.output_key() == Some(name)).find_map(|output| output.output_value().map(str::to_owned));
    found.with_context(|| format!("the stack {} has no output {name}; is it of an older version?", stack.stack))
}
