//! What Tocsin does in Slack, by features that can be left out: which scopes each needs, which events it listens to, and what one misses without it.
//!
//! The one table that the app's manifest, the install link and everything that compares scopes are made of. <https://docs.slack.dev/reference/scopes>

/// Something that Tocsin does in Slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// What it is called on the command line.
    pub word: &'static str,
    /// Whether an app has it.
    pub usual: Usual,
    /// The scopes that it needs.
    pub scopes: &'static [&'static str],
    /// The events that it listens to.
    pub events: &'static [&'static str],
    /// What one misses without it: the end of a sentence.
    pub without: &'static str,
}

/// Whether an app has a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usual {
    /// Nothing works without it.
    Always,
    /// Unless somebody leaves it out.
    Chosen,
    /// Only if somebody asks for it: the install link does not.
    Asked,
}

/// All features.
pub const FEATURES: [Feature; 11] = [
    Feature {
        word: "core",
        usual: Usual::Always,
        scopes: &["commands", "chat:write", "users:read"],
        events: &["app_uninstalled", "tokens_revoked"],
        without: "there is no /incident and no card, and nobody knows who pressed a button",
    },
    Feature {
        word: "email",
        usual: Usual::Chosen,
        scopes: &["users:read.email"],
        events: &[],
        without: "other systems are not told by e-mail address who acted",
    },
    Feature {
        word: "history",
        usual: Usual::Chosen,
        scopes: &["channels:history", "groups:history", "im:history", "mpim:history"],
        events: &["message.channels", "message.groups", "message.im"],
        without: "replies under cards do not become notes, and a post whose outcome was lost is not looked up before it is posted again",
    },
    Feature {
        word: "channels",
        usual: Usual::Chosen,
        scopes: &["channels:read", "groups:read"],
        events: &["member_joined_channel"],
        without: "nobody can see whether the bot is in a channel: not Home, not `tocsin doctor`; and it says no hello where it is brought in",
    },
    Feature {
        word: "mentions",
        usual: Usual::Chosen,
        scopes: &["app_mentions:read"],
        events: &["app_mention"],
        without: "mentions of the bot are not answered",
    },
    Feature {
        word: "reactions",
        usual: Usual::Chosen,
        scopes: &["reactions:read"],
        events: &["reaction_added"],
        without: "emoji under a card neither acknowledge nor resolve",
    },
    Feature {
        word: "home",
        usual: Usual::Chosen,
        scopes: &[],
        events: &["app_home_opened"],
        without: "the app has no Home: what is open and whose turn it is shows only by /incident, and settings are changed from the command line",
    },
    Feature {
        word: "shortcuts",
        usual: Usual::Chosen,
        scopes: &[],
        events: &[],
        without: "no incident is created from a message or from the shortcuts menu",
    },
    Feature {
        word: "workflows",
        usual: Usual::Chosen,
        scopes: &[],
        events: &["function_executed"],
        without: "Workflow Builder has no steps of Tocsin's",
    },
    Feature {
        word: "links",
        usual: Usual::Asked,
        scopes: &["links:read", "links:write"],
        events: &["link_shared"],
        without: "links to an incident's page do not show how it stands",
    },
    Feature {
        word: "usergroups",
        usual: Usual::Asked,
        scopes: &["usergroups:read"],
        events: &[],
        without: "approvals and commands cannot be for the members of a usergroup",
    },
];

/// The scopes that the install link asks for: those of an app that has what is usual.
pub const SCOPES: [&str; usual_scopes()] = {
    let (mut scopes, mut count, mut feature) = ([""; usual_scopes()], 0, 0);
    while feature < FEATURES.len() {
        let mut scope = 0;
        while !matches!(FEATURES[feature].usual, Usual::Asked) && scope < FEATURES[feature].scopes.len() {
            scopes[count] = FEATURES[feature].scopes[scope];
            (count, scope) = (count + 1, scope + 1);
        }
        feature += 1;
    }
    scopes
};

const fn usual_scopes() -> usize {
    let (mut count, mut feature) = (0, 0);
    while feature < FEATURES.len() {
        if !matches!(FEATURES[feature].usual, Usual::Asked) {
            count += FEATURES[feature].scopes.len();
        }
        feature += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_link_asks_for_what_is_usual_and_for_nothing_else() {
        assert_eq!(SCOPES.len(), 12);
        let usual: Vec<_> =
            FEATURES.iter().filter(|feature| feature.usual != Usual::Asked).flat_map(|feature| feature.scopes).copied().collect();
        assert_eq!(SCOPES.to_vec(), usual);
        assert!(!SCOPES.contains(&"links:read"));
    }

    /// A scope of two features would be taken away with the first of them.
    #[test]
    fn nothing_is_named_twice() {
        let words: BTreeSet<_> = FEATURES.iter().map(|feature| feature.word).collect();
        assert_eq!(words.len(), FEATURES.len());
        let all: Vec<_> = FEATURES.iter().flat_map(|feature| feature.scopes.iter().chain(feature.events)).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
