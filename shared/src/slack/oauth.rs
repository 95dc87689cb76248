//! Installing by a link: what is asked for, and what Slack grants. <https://docs.slack.dev/authentication/installing-with-oauth>

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::ids::{UserId, Workspace};
use crate::secrets::Secret;
use crate::secrets::vault::InstallationSecret;

/// What `oauth.v2.access` answers, to a code as to a refresh token.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The installation: the enterprise where the whole organisation installed the app, else the team.
    pub workspace: Workspace,
    /// What it is called.
    pub name: Option<String>,
    /// Who installed it.
    pub by: Option<UserId>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// What is kept in Secrets Manager.
    pub secret: InstallationSecret,
}

impl Grant {
    /// Reads an answer that came at `now`; `None` where it holds no bot token or no workspace.
    pub fn read(answer: &Value, now: Timestamp) -> Option<Self> {
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let organisation = answer.get("is_enterprise_install").and_then(Value::as_bool) == Some(true);
        let place = if organisation { "enterprise" } else { "team" };
        let lives = answer.get("expires_in").and_then(Value::as_i64).map(SignedDuration::from_secs);
        let secret = InstallationSecret {
            bot_token: Secret::new(text("/access_token")?),
            refresh_token: text("/refresh_token").map(Secret::new),
            expires_at: lives.and_then(|lives| Some(now.saturating_add(lives).ok()?.as_second())),
            written_at: None,
        };
        Some(Self {
            workspace: Workspace::new(text(&format!("/{place}/id"))?),
            name: text(&format!("/{place}/name")).map(str::to_owned),
            by: text("/authed_user/id").map(UserId::new),
            scopes: text("/scope").unwrap_or_default().split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            secret,
        })
    }
}

/// 256 random bits, as hexadecimal digits; `None` where the operating system has none to give.
#[cfg(feature = "slack-client")]
pub fn random() -> Option<Secret> {
    let mut bytes = [0_u8; 32];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(Secret::new(
        bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect::<String>(),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_team_and_a_whole_organisation() {
        let now = Timestamp::from_second(1_800_000_000).expect("a time");
        let mut answer = json!({
            "ok": true, "access_token": "xoxe.xoxb-1", "token_type": "bot", "scope": "commands,chat:write", "bot_user_id": "U0", "app_id": "A0",
            "expires_in": 43200, "refresh_token": "xoxe-1-1", "team": { "id": "T1", "name": "Ops" },
            "enterprise": { "id": "E1", "name": "Corp" }, "is_enterprise_install": false, "authed_user": { "id": "U1" },
        });
        let grant = Grant::read(&answer, now).expect("a grant");
        assert_eq!((grant.workspace.as_str(), grant.name.as_deref()), ("T1", Some("Ops")));
        assert_eq!((grant.by, grant.scopes.len()), (Some(UserId::new("U1")), 2));
        assert_eq!(grant.secret.expires_at, Some(1_800_043_200));
        answer["is_enterprise_install"] = json!(true);
        answer["team"] = Value::Null;
        let grant = Grant::read(&answer, now).expect("a grant");
        assert_eq!((grant.workspace.as_str(), grant.name.as_deref()), ("E1", Some("Corp")));
        answer["enterprise"] = Value::Null;
        assert!(Grant::read(&answer, now).is_none());
    }
}
