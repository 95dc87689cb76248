//! The one way to call anybody over HTTPS who is not AWS: Slack, and the APIs that a workspace configures.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigError;

/// A client could not be made; only a broken build can cause it.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built: {0}")]
pub struct Unbuildable(String);

/// Why a function that calls others cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is missing.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] Unbuildable),
}

/// How the other side proves who it is: by Mozilla's roots, with TLS on ring.
pub fn tls() -> Result<ClientConfig, Unbuildable> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(|error| Unbuildable(error.to_string()))?.with_root_certificates(roots).with_no_client_auth())
}

/// A client that waits at most `timeout` for an answer. It keeps no connection for later: one that Lambda froze may be dead when it thaws, which would turn a post into an
/// ambiguous one.
pub fn client(timeout: Duration) -> Result<reqwest::Client, Unbuildable> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        // A redirect would lead a token or an answer to somebody else's host.
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .connect_timeout(timeout / 2)
        .timeout(timeout)
        .build()
        .map_err(|error| Unbuildable(crate::causes(&error.without_url())))
}
