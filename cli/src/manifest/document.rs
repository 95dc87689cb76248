//! What the manifest says: one template, of which the parts of features stay that were chosen.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Value as Filled, context};
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

use super::Wish;
use crate::deployment::Deployment;

const TEMPLATE: &str = include_str!("app.yaml.j2");

/// Where Slack reaches a deployment.
#[derive(Debug)]
pub(super) struct Addresses {
    commands: String,
    interactions: String,
    events: String,
    redirect: String,
}

impl Addresses {
    /// The outputs of a stack.
    pub(super) fn of(deployment: &Deployment) -> Result<Self> {
        let output = |name| deployment.output(name).map(str::to_owned);
        Ok(Self {
            commands: output("CommandsUrl")?,
            interactions: output("InteractionsUrl")?,
            events: output("EventsUrl")?,
            redirect: output("RedirectUrl")?,
        })
    }

    /// Their names in angle brackets, for whoever has no stack yet.
    pub(super) fn placeholders() -> Self {
        let name = |name: &str| format!("<{name}>");
        Self {
            commands: name("CommandsUrl"),
            interactions: name("InteractionsUrl"),
            events: name("EventsUrl"),
            redirect: name("RedirectUrl"),
        }
    }
}

/// A manifest.
#[derive(Debug)]
pub(super) struct Document {
    filled: Filled,
}

impl Document {
    /// The app as it is wished for.
    pub(super) fn new(wish: &Wish, stack: Option<&str>, addresses: &Addresses) -> Self {
        let features: Vec<_> = wish.chosen.features().collect();
        let mut events: Vec<&str> = features.iter().flat_map(|feature| feature.events.iter().copied()).collect();
        events.sort_unstable();
        let has: BTreeMap<String, bool> = features.iter().map(|feature| (feature.word.to_owned(), true)).collect();
        let described: Vec<Filled> = features
            .iter()
            .map(|feature| context! { word => feature.word, without => feature.without, scopes => feature.scopes.to_vec() })
            .collect();
        let filled = context! {
            stack => stack,
            name => scalar(&wish.name),
            command => &wish.command,
            domains => wish.domains.iter().map(|domain| scalar(domain)).collect::<Vec<_>>(),
            socket_mode => wish.socket_mode,
            commands_url => scalar(&addresses.commands),
            interactions_url => scalar(&addresses.interactions),
            events_url => scalar(&addresses.events),
            redirect_url => scalar(&addresses.redirect),
            features => described,
            events => events,
            has => has,
        };
        Self { filled }
    }

    /// With comments.
    pub(super) fn yaml(&self) -> Result<String> {
        let mut environment = Environment::new();
        let told = |error: minijinja::Error| anyhow!("the manifest cannot be made: {error}");
        // A line that only says what follows is none of the manifest's.
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).keep_trailing_newline(true).build().map_err(told)?);
        environment.add_template("app", TEMPLATE).map_err(told)?;
        environment.get_template("app").and_then(|template| template.render(&self.filled)).map_err(told)
    }

    /// Without, and as short as can be.
    pub(super) fn short(&self) -> Result<String> {
        self.json().map(|json| flow(&json))
    }

    /// Without, as Slack's API takes it.
    pub(super) fn json(&self) -> Result<Value> {
        let documents = YamlLoader::load_from_str(&self.yaml()?).context("the manifest is no YAML")?;
        documents.first().and_then(json).context("the manifest holds what JSON cannot say")
    }
}

/// A value in as few characters as YAML can say it.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            format!("{{{}}}", fields.iter().map(|(name, value)| format!("{name}: {}", flow(value))).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(",")),
        Value::String(text) => scalar(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A text as YAML has it: as it stands where that can mean nothing else, else in quotes, which are JSON's.
fn scalar(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || " /.:<>_-?=&%".contains(character);
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '<' || first == '/');
    let word = !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if begins && word && !text.ends_with([':', ' ']) && !text.contains(": ") && text.chars().all(plain) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

fn json(yaml: &Yaml) -> Option<Value> {
    Some(match yaml {
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::Boolean(yes) => Value::from(*yes),
        Yaml::Array(items) => items.iter().map(json).collect::<Option<Value>>()?,
        Yaml::Hash(fields) => {
            let fields = fields.iter().map(|(name, value)| Some((name.as_str()?.to_owned(), json(value)?)));
            Value::Object(fields.collect::<Option<Map<_, _>>>()?)
        }
        Yaml::Real(_) | Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::Arguments;

    fn document(arguments: &[&str]) -> Document {
        let all = ["tocsin", "manifest", "print"].iter().chain(arguments);
        let crate::Command::Manifest(arguments) = Arguments::try_parse_from(all).unwrap().command else { panic!("another command") };
        Document::new(&arguments.wish, None, &Addresses::placeholders())
    }

    /// Whoever deploys without this program pastes the file. To make it anew: `cargo run -p tocsin -- manifest print --placeholders > infra/app-manifest.yaml`.
    #[test]
    fn the_file_is_what_is_printed_with_placeholders() {
        let kept = include_str!("../../../infra/app-manifest.yaml");
        assert!(document(&[]).yaml().unwrap() == kept, "make infra/app-manifest.yaml anew, see above");
    }

    #[test]
    fn every_choice_is_yaml_with_the_scopes_and_events_that_belong_together() {
        let choices: [&[&str]; 6] = [
            &[],
            &["--without", "email,history,channels,mentions,reactions,home,shortcuts,workflows"],
            &["--with", "links,usergroups", "--domain", "grafana.example.com,wiki.example.com"],
            &["--socket-mode", "--name", "Tocsin: dev #1", "--command", "/incident-dev"],
            &["--without", "workflows"],
            &["--name", "\"yes\"\\"],
        ];
        for choice in choices {
            let json = document(choice).json().unwrap();
            let short = YamlLoader::load_from_str(&document(choice).short().unwrap()).unwrap();
            assert_eq!(super::json(&short[0]).as_ref(), Some(&json), "{choice:?}");
            let list = |pointer: &str| json.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
            let (scopes, events) = (list("/oauth_config/scopes/bot"), list("/settings/event_subscriptions/bot_events"));
            let without = choice.join(" ");
            for (scope, event, word) in [
                ("reactions:read", "reaction_added", "reactions"),
                ("app_mentions:read", "app_mention", "mentions"),
                ("links:read", "link_shared", "links"),
            ] {
                assert_eq!(scopes.contains(&Value::from(scope)), events.contains(&Value::from(event)), "{word} {choice:?}");
            }
            assert_eq!(json.get("functions").is_some(), !without.contains("workflows"), "{choice:?}");
            assert_eq!(json.to_string().contains("Url>"), !without.contains("--socket-mode"), "{choice:?}");
        }
        assert_eq!(document(&["--name", "\"yes\"\\"]).json().unwrap()["display_information"]["name"], "\"yes\"\\");
        let few = document(choices[1]).json().unwrap();
        assert_eq!(few["oauth_config"]["scopes"]["bot"], serde_json::json!(["commands", "chat:write", "users:read"]));
        assert_eq!(
            (&few["features"]["app_home"]["home_tab_enabled"], &few["features"]["app_home"]["messages_tab_read_only_enabled"]),
            (&false.into(), &true.into())
        );
    }
}
