//! Workspaces and organisations, and the bot user that the app has in each of them.

use serde::Serialize;

use crate::world::{BOT_ID, BOT_USER, TEAM};

/// The app's bot user, as one installation has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Bot {
    pub(crate) user_id: String,
    pub(crate) bot_id: String,
}

impl Bot {
    /// The bot of a team or of an organisation.
    pub(crate) fn of(installation: &str) -> Self {
        if installation == TEAM {
            return Self { user_id: BOT_USER.to_owned(), bot_id: BOT_ID.to_owned() };
        }
        Self { user_id: format!("{BOT_USER}{installation}"), bot_id: format!("B{installation}") }
    }
}

/// A workspace.
#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Its name in web addresses.
    pub(crate) domain: String,
    /// The organisation it belongs to.
    pub(crate) enterprise_id: Option<String>,
}

/// An organisation of several workspaces.
#[derive(Debug, Clone)]
pub(crate) struct Enterprise {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether the app is installed in the organisation rather than in its workspaces.
    pub(crate) org_wide: bool,
}
