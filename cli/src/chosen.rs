//! Which features the Slack app has: said to `manifest`, which asks for them, and to `doctor`, which misses them.

use clap::builder::{PossibleValue, PossibleValuesParser};
use shared::slack::features::{FEATURES, Feature, Usual};

/// What the app does in Slack.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Chosen {
    /// Features that the app has beside the usual ones; several by commas.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',', value_parser = words(Usual::Asked), env = "TOCSIN_WITH", global = true)]
    with: Vec<String>,
    /// Features that the app does without, and their scopes; several by commas.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',', value_parser = words(Usual::Chosen), env = "TOCSIN_WITHOUT", global = true)]
    without: Vec<String>,
}

impl Chosen {
    /// The features that the app has, in the table's order.
    pub(crate) fn features(&self) -> impl Iterator<Item = &'static Feature> {
        FEATURES.iter().filter(|feature| self.has(feature))
    }

    /// The scopes that they need.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.features().flat_map(|feature| feature.scopes.iter().copied())
    }

    fn has(&self, feature: &Feature) -> bool {
        let named = |words: &[String]| words.iter().any(|word| word == feature.word);
        match feature.usual {
            Usual::Always => true,
            Usual::Chosen => !named(&self.without),
            Usual::Asked => named(&self.with),
        }
    }

    /// The same choice as arguments, for a command that somebody is to paste.
    pub(crate) fn arguments(&self) -> String {
        let flag = |flag, words: &[String]| if words.is_empty() { String::new() } else { format!(" --{flag} {}", words.join(",")) };
        flag("with", &self.with) + &flag("without", &self.without)
    }
}

/// The words that may be said, each with what one misses without it.
fn words(usual: Usual) -> PossibleValuesParser {
    let named = FEATURES.iter().filter(|feature| feature.usual == usual);
    PossibleValuesParser::new(named.map(|feature| PossibleValue::new(feature.word).help(format!("without it, {}", feature.without))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_takes_its_scopes_along() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let chosen = Chosen { with: words(&["usergroups"]), without: words(&["reactions", "email"]) };
        let scopes: Vec<_> = chosen.scopes().collect();
        assert!(scopes.contains(&"usergroups:read") && scopes.contains(&"commands"));
        assert!(!scopes.contains(&"reactions:read") && !scopes.contains(&"users:read.email") && !scopes.contains(&"links:read"));
        assert_eq!(chosen.arguments(), " --with usergroups --without reactions,email");
        assert_eq!(Chosen::default().arguments(), "");
    }
}
