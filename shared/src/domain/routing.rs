//! Where an incident shows: the channel by service, then by kind, then by severity, then the default.

use serde::Deserialize;

use super::ids::Channel;
use super::incident::Incident;
use super::severity::Severity;

/// A workspace's rules, from its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Where everything goes that no rule takes.
    pub default: Target,
    /// The rules; the order decides only between rules of the same sort.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// One rule: what it is about, and where that goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is about.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Where that goes.
    pub to: Vec<Target>,
}

/// What a rule is about: exactly one thing, so that there is no question which of two rules is the closer one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// The service's name, in any case.
    Service(String),
    /// The incident's kind.
    Kind(String),
    /// Its severity, or its urgency by another system's name. P2 goes where P1 goes, unless it has a rule of its own.
    Severity(Severity),
}

impl Match {
    /// Whether it is about this incident.
    pub fn takes(&self, incident: &Incident) -> bool {
        let same = |rule: &str, value: Option<&str>| value.is_some_and(|value| rule.eq_ignore_ascii_case(value));
        match self {
            Self::Service(name) => same(name, incident.service()),
            Self::Kind(name) => same(name, incident.kind()),
            Self::Severity(severity) => *severity == incident.severity(),
        }
    }
}

/// A place to show incidents, and whom to call there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The channel's id or `#name`, or a user's id for a direct message.
    pub channel: Channel,
    /// Usergroups and people the card calls: `S…`, `U…`.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// What people call this target.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// For people to find it by.
    #[serde(default)]
    pub labels: Vec<String>,
}

impl Target {
    /// A channel with nothing else said about it.
    pub fn channel(channel: Channel) -> Self {
        Self { channel, mentions: Vec::new(), name: None, description: None, labels: Vec::new() }
    }
}

impl Routing {
    /// Everything into one channel.
    pub fn all_to(channel: Channel) -> Self {
        Self { default: Target::channel(channel), rules: Vec::new() }
    }

    /// Where an incident goes. Never empty: the default takes what no rule takes.
    pub fn targets(&self, service: Option<&str>, kind: Option<&str>, severity: Severity) -> Vec<&Target> {
        let same = |rule: &str, incident: Option<&str>| incident.is_some_and(|value| rule.eq_ignore_ascii_case(value));
        self.first(|rule| matches!(rule, Match::Service(name) if same(name, service)))
            .or_else(|| self.first(|rule| matches!(rule, Match::Kind(name) if same(name, kind))))
            .or_else(|| self.first(|rule| *rule == Match::Severity(severity)))
            .or_else(|| (severity == Severity::P2).then(|| self.first(|rule| *rule == Match::Severity(Severity::P1)))?)
            .unwrap_or_else(|| vec![&self.default])
    }

    fn first(&self, matches: impl Fn(&Match) -> bool) -> Option<Vec<&Target>> {
        let rule = self.rules.iter().find(|rule| matches(&rule.matches) && !rule.to.is_empty())?;
        Some(rule.to.iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routing() -> Routing {
        let rule =
            |matches, channels: &[&str]| Rule { matches, to: channels.iter().map(|name| Target::channel(Channel::new(*name))).collect() };
        Routing {
            rules: vec![
                rule(Match::Severity(Severity::P1), &["#war-room", "#management"]),
                rule(Match::Kind("deployment".into()), &["#deploys"]),
                rule(Match::Service("checkout".into()), &["#payments"]),
                rule(Match::Severity(Severity::P4), &["#noise"]),
            ],
            ..Routing::all_to(Channel::new("#incidents"))
        }
    }

    fn channels(service: Option<&str>, kind: Option<&str>, severity: Severity) -> Vec<String> {
        routing().targets(service, kind, severity).into_iter().map(|target| target.channel.to_string()).collect()
    }

    #[test]
    fn the_service_comes_before_the_kind_and_the_kind_before_the_severity() {
        assert_eq!(channels(Some("Checkout"), Some("deployment"), Severity::P1), ["#payments"]);
        assert_eq!(channels(Some("search"), Some("deployment"), Severity::P1), ["#deploys"]);
        assert_eq!(channels(Some("search"), None, Severity::P4), ["#noise"]);
    }

    #[test]
    fn a_rule_may_name_several_channels_and_p2_goes_where_p1_goes() {
        assert_eq!(channels(None, None, Severity::P1), ["#war-room", "#management"]);
        assert_eq!(channels(None, None, Severity::P2), ["#war-room", "#management"]);
    }

    #[test]
    fn what_no_rule_takes_goes_to_the_default() {
        assert_eq!(channels(Some("search"), None, Severity::P3), ["#incidents"]);
    }
}
