//! The secrets that calls to internal APIs are signed with, each under its workspace and its endpoint: `whsec_…`, as the Standard Webhooks convention writes them.
//!
//! They are read for each call, which happens seldom: a new one is in force at once.

use std::fmt;

use aws_sdk_secretsmanager::Client;

use super::{Secret, SecretError, version};
use crate::domain::ids::Workspace;

/// The secrets.
pub struct CallSecrets {
    client: Client,
    prefix: String,
}

impl fmt::Debug for CallSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSecrets").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl CallSecrets {
    /// The secrets whose names begin with `prefix`.
    pub fn new(client: Client, prefix: String) -> Self {
        Self { client, prefix }
    }

    /// The secret of an endpoint of this workspace's, and of no other's.
    pub async fn read(&self, workspace: &Workspace, endpoint: &str) -> Result<Secret, SecretError> {
        let id = self.id(workspace, endpoint).ok_or(SecretError::Absent)?;
        let secret = Secret::new(version(&self.client, &id, None).await?.text);
        if secret.is_blank() { Err(SecretError::Absent) } else { Ok(secret) }
    }

    fn id(&self, workspace: &Workspace, endpoint: &str) -> Option<String> {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        (plain(workspace.as_str()) && plain(endpoint)).then(|| format!("{}{workspace}/{endpoint}", self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::config::BehaviorVersion;

    use super::*;

    #[test]
    fn no_name_reaches_another_workspaces_secret() {
        let config = aws_sdk_secretsmanager::Config::builder().behavior_version(BehaviorVersion::latest()).build();
        let secrets = CallSecrets::new(Client::from_conf(config), "tocsin/calls/".to_owned());
        let id = |workspace: &str, endpoint: &str| secrets.id(&Workspace::new(workspace), endpoint);
        assert_eq!(id("T1", "deploys").as_deref(), Some("tocsin/calls/T1/deploys"));
        for (workspace, endpoint) in [("T1", "../T2/deploys"), ("T1/T2", "deploys"), ("", "deploys"), ("T1", ""), ("T1", "a b")] {
            assert_eq!(id(workspace, endpoint), None, "{workspace} {endpoint}");
        }
    }
}
