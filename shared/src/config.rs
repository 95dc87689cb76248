//! The environment, read once at the start. What is missing stops the start with its name.

use std::env;
use std::str::FromStr;

use url::Url;

/// A setting that is missing or makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not there, or empty.
    #[error("the environment variable {0} is missing or empty; template.yaml sets it")]
    Missing(&'static str),
    /// There, and not what it should be.
    #[error("the environment variable {name} is not {expected}")]
    Unusable {
        /// Which.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// The value of an environment variable that has to be there.
pub fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}

/// The value of an environment variable; `None` where it is missing or empty.
pub fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// A whole number that has to be there.
pub fn number<T: FromStr>(name: &'static str) -> Result<T, ConfigError> {
    required(name)?.trim().parse().map_err(|_| ConfigError::Unusable { name, expected: "a whole number" })
}

/// A URL that is used as it stands: where Slack asks people whether they want to install (`SLACK_AUTHORIZE_URL`).
pub fn url(name: &'static str) -> Result<Url, ConfigError> {
    let unusable = ConfigError::Unusable { name, expected: "an http(s) URL" };
    Url::parse(&required(name)?).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https")).ok_or(unusable)
}

/// A base URL: Slack's Web API (`SLACK_API_URL`) or where its `response_url`s live (`SLACK_HOOKS_URL`). Both are parameters because GovSlack has
/// its own, and the simulator too.
pub fn base_url(name: &'static str) -> Result<Url, ConfigError> {
    let text = required(name)?;
    let unusable = ConfigError::Unusable { name, expected: "an http(s) URL that ends in /" };
    match Url::parse(&text) {
        Ok(url) if text.ends_with('/') && url.has_host() && matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err(unusable),
    }
}
