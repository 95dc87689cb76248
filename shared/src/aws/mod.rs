//! How all functions reach AWS: one HTTPS client on rustls with *ring*, region and credentials from Lambda's environment.
//!
//! The SDK's own defaults are left out on purpose, because a cold start pays for them: they link a second TLS stack, read the system's root certificates and
//! walk a chain of credential providers. Lambda hands the credentials over in the environment, and AWS's endpoints chain up to
//! Amazon's five roots, which are compiled in (<https://www.amazontrust.com/repository/>).

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::config::{self, ConfigError};

/// Amazon Root CA 1 to 4 and the Starfield root they are cross-signed by.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// How long it may take to reach AWS.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a call to AWS may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// One attempt.
    pub attempt: Duration,
    /// All attempts of a call together.
    pub call: Duration,
    /// How many attempts.
    pub attempts: u32,
}

impl Patience {
    /// Slack hangs up after 3 seconds, so two quick attempts and an answer that says what happened.
    pub const RECEIVER: Self = Self { attempt: Duration::from_millis(1200), call: Duration::from_millis(2200), attempts: 2 };
    /// Nobody waits: a queue delivers again.
    pub const BACKGROUND: Self = Self { attempt: Duration::from_secs(3), call: Duration::from_secs(8), attempts: 3 };
}

/// The configuration that every SDK client is built from; clients share its connections.
///
/// `AWS_ENDPOINT_URL` points all of them elsewhere, and `AWS_CA_BUNDLE` names a PEM file of further roots: both as in every AWS SDK.
pub fn sdk_config(patience: Patience) -> Result<SdkConfig, ConfigError> {
    let credentials = Credentials::new(
        config::required("AWS_ACCESS_KEY_ID")?,
        config::required("AWS_SECRET_ACCESS_KEY")?,
        config::optional("AWS_SESSION_TOKEN"),
        None,
        "Lambda's environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(patience.attempt)
        .operation_timeout(patience.call)
        .build();
    let mut builder = SdkConfig::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::v2026_01_12())
        .region(Region::new(config::required("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(https_client()?)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(patience.attempts).with_initial_backoff(Duration::from_millis(100)));
    if let Some(endpoint) = config::optional("AWS_ENDPOINT_URL") {
        builder = builder.endpoint_url(endpoint);
    }
    Ok(builder.build())
}

/// The client that all SDK clients share. Its connector is built once, here: left to the SDK, every client would build one to see whether that can be done, throw it away, and
/// build it again at its first call, which reads the roots three times over.
fn https_client() -> Result<SharedHttpClient, ConfigError> {
    let mut roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    if let Some(path) = config::optional("AWS_CA_BUNDLE") {
        let bundle = std::fs::read(path).map_err(|_| ConfigError::Unusable { name: "AWS_CA_BUNDLE", expected: "a readable PEM file" })?;
        roots = roots.with_pem_certificate(bundle);
    }
    let unusable = |_| ConfigError::Unusable { name: "AWS_CA_BUNDLE", expected: "a PEM file of certificates" };
    let context = TlsContext::builder().with_trust_store(roots).build().map_err(unusable)?;
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT).build())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build();
    let connector = SharedHttpConnector::new(connector);
    Ok(http_client_fn(move |_, _| connector.clone()))
}
