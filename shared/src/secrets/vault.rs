//! The secrets of installations by link: each has one of its own, named by its workspace.
//!
//! `{"bot_token": "xoxb-…", "refresh_token": "xoxe-1-…", "expires_at": 1800000000}`; the last two only where the app rotates its tokens.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_sdk_secretsmanager::Client;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Cache, Secret, SecretError, version};
use crate::domain::ids::Workspace;

const FORM: &str = r#"{"bot_token": …}"#;

/// How many installations a container remembers.
const KEPT_MOST: usize = 256;

/// What an installation was given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InstallationSecret {
    /// For calling Slack.
    pub bot_token: Secret,
    /// For the next pair, where the app rotates its tokens. It works once.
    #[serde(default)]
    pub refresh_token: Option<Secret>,
    /// Until when the token works, in seconds since 1970; `None` for one that does not expire.
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// When this version was written.
    #[serde(skip)]
    pub written_at: Option<Timestamp>,
}

type Kept = Arc<Cache<InstallationSecret>>;

/// The secrets, cached.
pub struct Vault {
    client: Client,
    prefix: String,
    key: Option<String>,
    kept: Mutex<HashMap<Workspace, (Kept, Instant)>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Vault {
    /// The secrets whose names begin with `prefix`; nothing is read yet.
    pub fn new(client: Client, prefix: String) -> Self {
        Self { client, prefix, key: None, kept: Mutex::default() }
    }

    /// New secrets are encrypted with this key of KMS; without one, with AWS's own for Secrets Manager. A secret that is there keeps its key.
    #[must_use]
    pub fn encrypted_with(self, key: Option<String>) -> Self {
        Self { key, ..self }
    }

    /// What is cached and younger than [`super::FRESH`], else read anew.
    pub async fn fresh(&self, workspace: &Workspace) -> Result<Arc<InstallationSecret>, SecretError> {
        self.cache(workspace).within(super::FRESH, self.read(workspace)).await
    }

    /// Reads anew because the cached one failed; `None` where that was done less than [`super::REREAD_TOKEN`] ago.
    pub async fn reread(&self, workspace: &Workspace) -> Option<Result<Arc<InstallationSecret>, SecretError>> {
        self.cache(workspace).reread(super::REREAD_TOKEN, self.read(workspace)).await
    }

    /// What is cached, however old.
    pub fn at_hand(&self, workspace: &Workspace) -> Option<Arc<InstallationSecret>> {
        self.cache(workspace).value()
    }

    /// Reads, whatever is cached.
    pub async fn now(&self, workspace: &Workspace) -> Result<Arc<InstallationSecret>, SecretError> {
        self.cache(workspace).now(self.read(workspace)).await
    }

    /// Writes a new version; the first one makes the secret. Whoever writes or deletes holds the installation's lock.
    pub async fn write(&self, workspace: &Workspace, secret: &InstallationSecret) -> Result<(), SecretError> {
        let id = self.id(workspace)?;
        let text = json!({
            "bot_token": secret.bot_token.expose(),
            "refresh_token": secret.refresh_token.as_ref().map(Secret::expose),
            "expires_at": secret.expires_at,
        })
        .to_string();
        let put = || self.client.put_secret_value().secret_id(&id).secret_string(&text).send();
        let Err(error) = put().await else { return Ok(()) };
        let unavailable = |error: &dyn std::error::Error| SecretError::Unavailable(crate::causes(error));
        let Some(refused) = error.as_service_error() else { return Err(unavailable(&error)) };
        if refused.is_resource_not_found_exception() {
            let description = format!("Slack token of {workspace}, written by Tocsin");
            let create = self.client.create_secret().name(&id).description(description).secret_string(&text);
            let create = create.set_kms_key_id(self.key.clone());
            return create.send().await.map(|_| ()).map_err(|error| unavailable(&error));
        }
        if refused.is_invalid_request_exception() {
            // Somebody has marked it for deletion; an installation brings it back.
            self.client.restore_secret().secret_id(&id).send().await.map_err(|error| unavailable(&error))?;
            return put().await.map(|_| ()).map_err(|error| unavailable(&error));
        }
        Err(unavailable(&error))
    }

    /// Deletes it at once: what was revoked is of no use to anybody. Deleting nothing is no failure.
    pub async fn delete(&self, workspace: &Workspace) -> Result<(), SecretError> {
        let id = self.id(workspace)?;
        let deleted = self.client.delete_secret().secret_id(&id).force_delete_without_recovery(true).send().await;
        let gone = |error: &aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError| error.is_resource_not_found_exception();
        match deleted {
            Err(error) if !error.as_service_error().is_some_and(gone) => Err(SecretError::Unavailable(crate::causes(&error))),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn read(&self, workspace: &Workspace) -> Result<InstallationSecret, SecretError> {
        let version = version(&self.client, &self.id(workspace)?, None).await?;
        // The error of a parse may quote the text, so it is dropped.
        let secret: InstallationSecret = serde_json::from_str(&version.text).map_err(|_| SecretError::Malformed(FORM))?;
        Ok(InstallationSecret { written_at: version.written_at, ..secret })
    }

    /// The secret's name. Only Slack's ids are part of a name: anything else could be made to mean another installation's.
    fn id(&self, workspace: &Workspace) -> Result<String, SecretError> {
        let plain = !workspace.as_str().is_empty() && workspace.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric());
        if plain { Ok(format!("{}{workspace}", self.prefix)) } else { Err(SecretError::Absent) }
    }

    fn cache(&self, workspace: &Workspace) -> Kept {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains_key(workspace) && kept.len() >= KEPT_MOST {
            let longest_unused = kept.iter().min_by_key(|(_, (_, used_at))| *used_at).map(|(workspace, _)| workspace.clone());
            longest_unused.map(|workspace| kept.remove(&workspace));
        }
        let (cache, used_at) = kept.entry(workspace.clone()).or_insert_with(|| (Arc::default(), Instant::now()));
        *used_at = Instant::now();
        Arc::clone(cache)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::config::BehaviorVersion;

    use super::*;

    fn vault() -> Vault {
        let config = aws_sdk_secretsmanager::Config::builder().behavior_version(BehaviorVersion::latest()).build();
        Vault::new(Client::from_conf(config), "tocsin/installations/".to_owned())
    }

    #[test]
    fn only_slacks_ids_name_a_secret() {
        assert_eq!(vault().id(&Workspace::new("T0TOCSIN")).ok().as_deref(), Some("tocsin/installations/T0TOCSIN"));
        for hostile in ["", "T1/T2", "../slack", "T1-AbCdEf", "T1 ", "T1*"] {
            assert!(vault().id(&Workspace::new(hostile)).is_err(), "{hostile}");
        }
    }

    #[test]
    fn a_container_remembers_so_many_installations_and_no_more() {
        let vault = vault();
        let first = vault.cache(&Workspace::new("T0"));
        for number in 1..=KEPT_MOST {
            vault.cache(&Workspace::new(format!("T{number}")));
            vault.cache(&Workspace::new("T1"));
        }
        let kept = vault.kept.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(kept.len(), KEPT_MOST);
        assert!(kept.contains_key(&Workspace::new("T1")), "what is in use stays");
        assert!(!kept.contains_key(&Workspace::new("T0")), "what was unused the longest goes");
        drop(first);
    }
}
