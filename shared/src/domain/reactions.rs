//! What a reaction under a card means: who is in a hurry taps an emoji.

use super::intent::{Action, Closing};

/// The emoji that act, by their names without colons. What is in no list means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reactions {
    /// I have it.
    pub acknowledge: Vec<String>,
    /// It is over.
    pub resolve: Vec<String>,
    /// It is not over after all, or nobody has it any more.
    pub reopen: Vec<String>,
    /// I need more people.
    pub escalate: Vec<String>,
}

impl Default for Reactions {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            acknowledge: names(&["eyes"]),
            resolve: names(&["white_check_mark", "heavy_check_mark"]),
            reopen: Vec::new(),
            escalate: Vec::new(),
        }
    }
}

impl Reactions {
    /// What somebody wants who reacts so, in whatever skin tone (`+1::skin-tone-2`).
    pub fn meaning(&self, reaction: &str) -> Option<Action> {
        let name = reaction.split("::").next().unwrap_or(reaction);
        let is_in = |names: &[String]| names.iter().any(|known| known == name);
        let Self { acknowledge, resolve, reopen, escalate } = self;
        [
            (acknowledge, Action::Acknowledge),
            (resolve, Action::Resolve(Closing::default())),
            (reopen, Action::Reopen),
            (escalate, Action::Escalate { to: None, note: None }),
        ]
        .into_iter()
        .find_map(|(names, action)| is_in(names).then_some(action))
    }
}

/// Whether an emoji can have this name: Slack's are of small letters, digits and a few signs.
pub fn is_name(name: &str) -> bool {
    let allowed = |letter: char| (letter.is_alphanumeric() && !letter.is_uppercase()) || "_-+'".contains(letter);
    !name.is_empty() && name.chars().count() <= 100 && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eyes_acknowledge_and_check_marks_resolve_unless_said_otherwise() {
        let reactions = Reactions::default();
        assert_eq!(reactions.meaning("eyes"), Some(Action::Acknowledge));
        for check in ["white_check_mark", "heavy_check_mark"] {
            assert_eq!(reactions.meaning(check), Some(Action::Resolve(Closing::default())));
        }
        assert_eq!(reactions.meaning("tada"), None);
    }

    #[test]
    fn the_skin_tone_does_not_matter() {
        let reactions = Reactions { escalate: vec!["raised_hand".into()], ..Reactions::default() };
        assert_eq!(reactions.meaning("raised_hand::skin-tone-4"), Some(Action::Escalate { to: None, note: None }));
    }

    #[test]
    fn a_name_is_what_stands_between_the_colons() {
        for name in ["eyes", "+1", "white_check_mark", "flag-de", "1234", "été"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ":eyes:", "Eyes", "two words", "👀"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
