//! Drops incidents onto the SQS queue, as other systems would.

use std::env;

use anyhow::Context;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// The incidents queue.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    pub(crate) fn new(url: String, client: Option<Client>) -> anyhow::Result<Self> {
        let client = client.map_or_else(Self::client_of_the_environment, Ok)?;
        Ok(Self { client, url })
    }

    /// Region, credentials and endpoint come from the usual variables of the AWS SDKs.
    fn client_of_the_environment() -> anyhow::Result<Client> {
        let required = |name: &str| env::var(name).with_context(|| format!("{name} is not set; the incidents queue needs it"));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            env::var("AWS_SESSION_TOKEN").ok(),
            None,
            "environment",
        );
        let mut config = SdkConfig::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::v2026_01_12())
            .region(Region::new(required("AWS_REGION")?))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()));
        if let Ok(endpoint) = env::var("AWS_ENDPOINT_URL") {
            config = config.endpoint_url(endpoint);
        }
        Ok(Client::new(&config.build()))
    }

    /// Sends one message; the answer is its id.
    pub(crate) async fn send(&self, body: &str) -> Result<String, String> {
        let sent = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        match sent {
            Ok(sent) => Ok(sent.message_id.unwrap_or_default()),
            Err(error) => Err(format!("the queue did not take the message: {}", DisplayErrorContext(error))),
        }
    }
}
