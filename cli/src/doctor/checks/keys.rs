//! The secret with the digests of the HTTP API's keys.

use aws_sdk_secretsmanager::Client;
use shared::secrets::keys;

use super::super::finding::{Check, Finding, Fix};
use super::{of, secret, unreadable};
use crate::deployment::Deployment;

pub(in super::super) async fn look(deployment: &Deployment) -> Vec<Finding> {
    let Ok(id) = deployment.output("ApiKeysSecretArn") else {
        return vec![Finding::skipped(Check::ApiKeys, "the stack has no output ApiKeysSecretArn")];
    };
    let client = deployment.secrets();
    vec![match secret::text(&client, id, "AWSCURRENT").await {
        Ok(text) => match keys::check(&text.unwrap_or_default()) {
            Ok(entries) => {
                let valid = entries.values().filter(|entry| entry.revoked.is_none()).count();
                Finding::well(
                    Check::ApiKeys,
                    if valid == 0 { "none yet, so the HTTP API lets nobody in".to_owned() } else { format!("{valid} in force") },
                )
            }
            Err(error) => malformed(deployment, &client, id, &error.to_string()).await,
        },
        Err(error) => unreadable(Check::ApiKeys, "the secret", &error),
    }]
}

/// The version before brings all keys back, where it can be read; else they have to be made anew.
async fn malformed(deployment: &Deployment, client: &Client, id: &str, error: &str) -> Finding {
    let seen = format!("{error}; the HTTP API lets nobody in");
    let before = secret::text(client, id, "AWSPREVIOUS").await.ok().flatten().filter(|text| keys::check(text).is_ok());
    let restore = match before {
        Some(_) => secret::restore(client, id).await,
        None => None,
    };
    let fix = match restore {
        Some(command) => {
            Fix::new("Somebody has written it by hand. The version before can be read, and brings its keys back:").paste(command)
        }
        None => Fix::new("Somebody has written it by hand. Begin with none, and make keys anew:")
            .paste(format!("aws secretsmanager put-secret-value --secret-id {id} --secret-string '{{}}'"))
            .paste(format!("tocsin keys create NAME --any-workspace{}", of(deployment))),
    };
    Finding::broken(Check::ApiKeys, seen, fix)
}
