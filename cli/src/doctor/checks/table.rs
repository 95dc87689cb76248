//! The table: who has installed Tocsin, and whether their installations are open.

use jiff::{SignedDuration, Timestamp};
use shared::store::installations::Installation;

use super::super::finding::{Check, Finding, Fix};
use super::{logs, unreadable};
use crate::deployment::Deployment;

/// `clock` refreshes a token two hours before its end, so one with less than this to live was not refreshed.
const LATE: SignedDuration = SignedDuration::from_mins(90);

/// What the table says.
#[derive(Debug, Default)]
pub(in super::super) struct Table {
    pub(in super::super) findings: Vec<Finding>,
    /// `None` where it cannot be read, which is among the findings.
    pub(in super::super) installations: Option<Vec<Installation>>,
}

pub(in super::super) async fn read(deployment: &Deployment) -> Table {
    let Ok(store) = deployment.store() else {
        return Table { findings: vec![Finding::skipped(Check::Installation, "the stack has no output TableName")], installations: None };
    };
    match store.installations().await {
        Ok(installations) => Table { findings: Vec::new(), installations: Some(installations) },
        Err(error) => Table { findings: vec![unreadable(Check::Installation, "the table", &error.to_string())], installations: None },
    }
}

/// How an installation stands; `digest` is that of the token in force, where there is one and it is known.
pub(super) fn installation(deployment: &Deployment, known: &Installation, digest: Option<&str>, token: &Fix) -> Finding {
    let (workspace, now) = (known.workspace.as_str(), Timestamp::now());
    let name = known.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    // What was said of another token than the one in force says nothing any more: Tocsin asks Slack about the new one when it needs it.
    let in_force = digest.is_none_or(|digest| digest == known.token_digest);
    let finding = if let Some((since, reason)) = known.closed().filter(|_| in_force) {
        Finding::broken(Check::Installation, format!("nothing is called for it since {since}: {reason}"), token.clone())
    } else if known.is_lost() && in_force {
        Finding::broken(
            Check::Installation,
            "its refresh token is used up with nothing to show for it: it works only until its token expires",
            token.clone(),
        )
    } else {
        match known.token_expires_at.and_then(|at| Timestamp::from_second(at).ok()).filter(|_| in_force) {
            Some(at) if at <= now => Finding::broken(Check::Installation, format!("its token expired at {at}"), token.clone()),
            Some(at) if at.duration_since(now) < LATE => Finding::look(
                Check::Installation,
                format!("its token expires at {at} and should have been refreshed by now"),
                Fix::new("`clock` refreshes it every minute; its log says what keeps it from that.")
                    .paste(logs(deployment, "ClockFunction")),
            ),
            Some(at) => Finding::well(Check::Installation, format!("open; its token is refreshed before {at}")),
            None => Finding::well(Check::Installation, "open"),
        }
    };
    finding.about(format!("{workspace}{name}"))
}
