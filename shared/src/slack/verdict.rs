//! What an error code of the Web API means for whoever called: one table, the codes of
//! <https://docs.slack.dev/reference/methods/chat.postMessage> and its neighbours. A code that is not in it concerns the one call that it answers.

/// What to do about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing was done, and trying again helps.
    Later,
    /// Slack says itself that part of it may have been done: look before trying again.
    Uncertain,
    /// Too many calls: wait as long as the answer says.
    RateLimited,
    /// The token is not accepted; it may have been rotated a moment ago: read the secret again.
    Token,
    /// The installation is no more, or shut off, if a second look at the secret brings no other token.
    Disabled,
    /// The message is gone or cannot be changed any more: post anew.
    Gone,
    /// Nothing can be posted in this channel until somebody does something about it.
    Channel,
    /// The app lacks something that every call like this needs.
    App,
    /// This one call is refused; the next may not be.
    Post,
}

struct Row {
    codes: &'static [&'static str],
    verdict: Verdict,
    advice: &'static str,
}

const AGAIN: &str = "It is tried again by itself.";
const TOKEN: &str = "Put the app's current bot token into the Slack secret in Secrets Manager, or install the app again.";
const INSTALL: &str = "Install the app again, then put what waits back from the dead-letter queue.";
const UNKNOWN: &str = "See https://docs.slack.dev/reference/methods for this error code.";

const TABLE: &[Row] = &[
    Row {
        codes: &["service_unavailable", "team_added_to_org", "not_allowed_for_migration", "external_channel_migrating"],
        verdict: Verdict::Later,
        advice: AGAIN,
    },
    // "It's possible some aspect of the operation succeeded before the error was raised."
    Row { codes: &["internal_error", "fatal_error", "request_timeout", "update_failed"], verdict: Verdict::Uncertain, advice: AGAIN },
    Row { codes: &["ratelimited", "rate_limited", "message_limit_exceeded"], verdict: Verdict::RateLimited, advice: AGAIN },
    Row { codes: &["invalid_auth", "not_authed", "token_expired"], verdict: Verdict::Token, advice: TOKEN },
    Row {
        codes: &[
            "account_inactive",
            "token_revoked",
            "app_uninstalled",
            "team_access_not_granted",
            "org_login_required",
            "enterprise_is_restricted",
            "team_not_found",
            "two_factor_setup_required",
        ],
        verdict: Verdict::Disabled,
        advice: INSTALL,
    },
    Row {
        codes: &["message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "is_inactive"],
        verdict: Verdict::Gone,
        advice: "A new message takes its place.",
    },
    Row {
        codes: &["channel_not_found", "user_not_found", "users_not_found"],
        verdict: Verdict::Channel,
        advice: "The channel does not exist, or is private and the bot is not in it: /invite the bot, or correct the routing.",
    },
    Row {
        codes: &["not_in_channel", "user_not_in_channel"],
        verdict: Verdict::Channel,
        advice: "Invite the bot into the channel: /invite @Tocsin.",
    },
    Row { codes: &["is_archived"], verdict: Verdict::Channel, advice: "The channel is archived: route to another one." },
    Row {
        codes: &[
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "slack_connect_canvas_sharing_blocked",
            "posting_to_channel_denied",
        ],
        verdict: Verdict::Channel,
        advice: "The channel's posting permissions keep the bot out: allow it there.",
    },
    // The rest of the channel goes on.
    Row {
        codes: &["restricted_action_thread_locked", "cannot_reply_to_message"],
        verdict: Verdict::Post,
        advice: "Nobody can reply in this one thread: unlock it, or leave it, since the card itself tells how things stand.",
    },
    Row {
        codes: &["cannot_dm_bot", "messages_tab_disabled", "user_disabled"],
        verdict: Verdict::Channel,
        advice: "This person cannot be written to: route to somebody else, or to a channel.",
    },
    Row {
        codes: &[
            "no_service",
            "no_service_id",
            "no_active_hooks",
            "no_team",
            "team_disabled",
            "invalid_token",
            "channel_is_archived",
            "action_prohibited",
            "posting_to_general_channel_denied",
            "webhook_foreign",
        ],
        verdict: Verdict::Channel,
        advice: "The webhook does not work any more: make a new one and put its address into the Slack secret under `webhooks`.",
    },
    Row {
        codes: &["execution_not_in_running_state", "function_execution_not_found"],
        verdict: Verdict::Post,
        advice: "The workflow has gone on, or somebody has stopped it.",
    },
    Row {
        codes: &["parameter_validation_failed"],
        verdict: Verdict::Post,
        advice: "The app's steps are not those of this version: `tocsin manifest apply` gives the app its manifest.",
    },
    Row {
        codes: &["missing_scope", "no_permission", "not_allowed_token_type"],
        verdict: Verdict::App,
        advice: "Add the scope to the app under OAuth & Permissions and install it again.",
    },
    Row {
        codes: &[
            "access_denied",
            "accesslimited",
            "ekm_access_denied",
            "as_user_not_supported",
            "method_deprecated",
            "deprecated_endpoint",
        ],
        verdict: Verdict::App,
        advice: "An administrator of the workspace keeps the app from calling Slack: ask them.",
    },
];

fn row(code: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.codes.contains(&code))
}

/// What this code means; an unknown one concerns the one call.
pub fn verdict(code: &str) -> Verdict {
    row(code).map_or(Verdict::Post, |row| row.verdict)
}

/// What to do about it, for whoever looks after Tocsin.
pub fn advice(code: &str) -> &'static str {
    row(code).map_or(UNKNOWN, |row| row.advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_has_two_verdicts() {
        let mut codes: Vec<_> = TABLE.iter().flat_map(|row| row.codes).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn a_thread_in_which_nobody_can_reply_stops_no_channel() {
        for code in ["restricted_action_thread_locked", "cannot_reply_to_message"] {
            assert_eq!(verdict(code), Verdict::Post, "{code}");
            assert!(advice(code).contains("unlock"), "{code}");
        }
    }

    #[test]
    fn a_code_that_nobody_knew_concerns_the_one_call() {
        for code in ["msg_too_long", "invalid_blocks", "msg_blocks_too_long", "a_new_one", ""] {
            assert_eq!(verdict(code), Verdict::Post, "{code}");
        }
        assert!(advice("a_new_one").contains("https://docs.slack.dev/"));
    }
}
