//! What Slack's `users.info` says about a person. <https://docs.slack.dev/reference/objects/user-object>

use serde_json::Value;
use shared::domain::ids::Workspace;
use shared::domain::people::{Profile, Standing};

/// The profile in an answer of `users.info`.
pub(crate) fn profile(answer: &Value, workspace: &Workspace) -> Profile {
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let is = |name: &str| answer.pointer(&format!("/user/{name}")).and_then(Value::as_bool) == Some(true);
    let elsewhere = ["/user/team_id", "/user/enterprise_user/enterprise_id"].map(text);
    let known_elsewhere = elsewhere.iter().any(Option::is_some) && !elsewhere.iter().flatten().any(|place| place == workspace.as_str());
    let standing = if is("deleted") {
        Standing::Inactive
    } else if is("is_bot") {
        Standing::Bot
    } else if is("is_stranger") || known_elsewhere {
        Standing::Stranger
    } else if is("is_restricted") || is("is_ultra_restricted") {
        Standing::Guest
    } else {
        Standing::Member
    };
    let name = text("/user/profile/display_name")
        .or_else(|| text("/user/real_name"))
        .or_else(|| text("/user/name"))
        .unwrap_or_else(|| "somebody".to_owned());
    let admin = ["/user/is_admin", "/user/is_owner", "/user/enterprise_user/is_admin", "/user/enterprise_user/is_owner"];
    let admin = admin.iter().any(|flag| answer.pointer(flag).and_then(Value::as_bool) == Some(true));
    Profile { name, email: text("/user/profile/email"), standing, admin }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn standing(user: &Value) -> Standing {
        profile(&json!({ "ok": true, "user": user }), &Workspace::new("T1")).standing
    }

    #[test]
    fn guests_strangers_bots_and_leavers_are_told_from_members() {
        assert_eq!(standing(&json!({ "team_id": "T1" })), Standing::Member);
        assert_eq!(standing(&json!({ "team_id": "T1", "is_restricted": true })), Standing::Guest);
        assert_eq!(standing(&json!({ "team_id": "T1", "is_ultra_restricted": true })), Standing::Guest);
        assert_eq!(standing(&json!({ "team_id": "T2" })), Standing::Stranger);
        assert_eq!(standing(&json!({ "team_id": "T1", "is_stranger": true })), Standing::Stranger);
        assert_eq!(standing(&json!({ "team_id": "T1", "deleted": true, "is_restricted": true })), Standing::Inactive);
        assert_eq!(standing(&json!({ "team_id": "T1", "is_bot": true })), Standing::Bot);
        assert_eq!(standing(&json!({ "team_id": "T9", "enterprise_user": { "enterprise_id": "T1" } })), Standing::Member);
    }

    #[test]
    fn admins_and_owners_of_the_workspace_or_of_its_organisation_look_after_it() {
        let admin = |user: Value| profile(&json!({ "ok": true, "user": user }), &Workspace::new("T1")).admin;
        assert!(admin(json!({ "team_id": "T1", "is_admin": true })) && admin(json!({ "team_id": "T1", "is_owner": true })));
        assert!(admin(json!({ "team_id": "T1", "enterprise_user": { "enterprise_id": "E1", "is_owner": true } })));
        assert!(!admin(json!({ "team_id": "T1", "is_admin": false })) && !admin(json!({ "team_id": "T1" })));
    }

    #[test]
    fn the_name_is_the_one_people_chose() {
        let answer = json!({ "user": { "team_id": "T1", "name": "jdoe", "real_name": "Jane Doe", "profile": { "display_name": "jane", "email": "jane@example.com" } } });
        let profile = profile(&answer, &Workspace::new("T1"));
        assert_eq!((profile.name.as_str(), profile.email.as_deref()), ("jane", Some("jane@example.com")));
    }
}
