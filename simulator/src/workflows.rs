//! Workflows, as far as an app has to do with them: the steps that its manifest declares, and the runs of these.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::clock;

/// A step that the app brings. <https://docs.slack.dev/tools/bolt-js/tutorials/custom-steps>
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Step {
    pub callback_id: String,
    pub title: String,
    pub description: String,
    pub input_parameters: Vec<Parameter>,
    pub output_parameters: Vec<Parameter>,
}

/// What goes into a step, or comes out of it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are Slack's, by Slack's names")]
pub struct Parameter {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub title: String,
    pub description: String,
    pub is_required: bool,
}

/// The steps that an app's manifest declares.
pub fn declared(manifest: &Path) -> anyhow::Result<Vec<Step>> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("{} cannot be read", manifest.display()))?;
    let documents = YamlLoader::load_from_str(&text).with_context(|| format!("{} is no YAML", manifest.display()))?;
    let steps = documents.first().and_then(|manifest| manifest["functions"].as_hash());
    steps.into_iter().flatten().map(|(callback_id, step)| Step::read(callback_id, step)).collect()
}

fn text(yaml: &Yaml, name: &str) -> anyhow::Result<String> {
    yaml[name].as_str().map(str::to_owned).with_context(|| format!("a step without `{name}`"))
}

impl Step {
    /// A step as a manifest in JSON describes it, if it can be read.
    pub(crate) fn described(callback_id: &str, step: &Value) -> Option<Self> {
        let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
        let parameter = |(name, described): (&String, &Value)| {
            Some(Parameter {
                kind: text(described, "type")?,
                name: name.clone(),
                title: text(described, "title")?,
                description: text(described, "description")?,
                is_required: described.get("is_required").and_then(Value::as_bool).unwrap_or_default(),
            })
        };
        let parameters =
            |of: &str| step.get(of).and_then(Value::as_object).into_iter().flatten().map(parameter).collect::<Option<Vec<_>>>();
        Some(Self {
            callback_id: callback_id.to_owned(),
            title: text(step, "title")?,
            description: text(step, "description")?,
            input_parameters: parameters("input_parameters")?,
            output_parameters: parameters("output_parameters")?,
        })
    }

    fn read(callback_id: &Yaml, step: &Yaml) -> anyhow::Result<Self> {
        let parameters = |of: &str| -> anyhow::Result<Vec<Parameter>> {
            let declared = step[of].as_hash().into_iter().flatten();
            declared.map(|(name, parameter)| Parameter::read(name, parameter)).collect()
        };
        Ok(Self {
            callback_id: callback_id.as_str().context("a step without a callback id")?.to_owned(),
            title: text(step, "title")?,
            description: text(step, "description")?,
            input_parameters: parameters("input_parameters")?,
            output_parameters: parameters("output_parameters")?,
        })
    }
}

impl Parameter {
    fn read(name: &Yaml, parameter: &Yaml) -> anyhow::Result<Self> {
        let kind = text(parameter, "type")?;
        anyhow::ensure!(["string", USER].contains(&kind.as_str()), "the simulator does not know the type {kind}");
        Ok(Self {
            kind,
            name: name.as_str().context("a parameter without a name")?.to_owned(),
            title: text(parameter, "title")?,
            description: text(parameter, "description")?,
            is_required: parameter["is_required"].as_bool().unwrap_or_default(),
        })
    }
}

const USER: &str = "slack#/types/user_id";

/// What is wrong with these values, each in a sentence.
pub(crate) fn mistakes(parameters: &[Parameter], values: &Map<String, Value>, is_user: impl Fn(&str) -> bool) -> Vec<String> {
    let mut mistakes = Vec::new();
    for parameter in parameters {
        let name = &parameter.name;
        match values.get(name).filter(|value| !value.is_null()) {
            None if parameter.is_required => mistakes.push(format!("Missing required parameter `{name}`")),
            None => {}
            Some(value) => match value.as_str() {
                None => mistakes.push(format!("Parameter `{name}` must be of type {}", parameter.kind)),
                Some(user) if parameter.kind == USER && !is_user(user) => mistakes.push(format!("Parameter `{name}` names no user")),
                Some(_) => {}
            },
        }
    }
    let unknown = values.keys().filter(|name| !parameters.iter().any(|parameter| parameter.name == **name));
    mistakes.extend(unknown.map(|name| format!("Parameter `{name}` is not declared")));
    mistakes
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Running,
    Completed,
    Failed,
}

/// A step that a workflow has come to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) at: u64,
    pub(crate) callback_id: String,
    pub(crate) team: String,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) status: Status,
    pub(crate) outputs: Option<Map<String, Value>>,
    /// What the person reads.
    pub(crate) error: Option<String>,
    pub(crate) ended_at: Option<u64>,
}

impl Execution {
    pub(crate) fn end(&mut self, came: Result<Map<String, Value>, String>) {
        self.ended_at = Some(clock::millis());
        match came {
            Ok(outputs) => (self.status, self.outputs) = (Status::Completed, Some(outputs)),
            Err(error) => (self.status, self.error) = (Status::Failed, Some(error)),
        }
    }
}

/// The app's steps and what became of them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Workflows {
    pub(crate) steps: Vec<Step>,
    pub(crate) executions: Vec<Execution>,
}

impl Workflows {
    pub(crate) fn step(&self, callback_id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.callback_id == callback_id)
    }

    /// The last of them, for those who look.
    pub(crate) fn look(&self) -> Value {
        json!({"steps": self.steps, "executions": self.executions[self.executions.len().saturating_sub(50)..]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_has_to_be_there_and_nothing_else() {
        let parameter = |name: &str, kind: &str, is_required| Parameter {
            kind: kind.to_owned(),
            name: name.to_owned(),
            title: String::new(),
            description: String::new(),
            is_required,
        };
        let parameters = [parameter("title", "string", true), parameter("by", USER, false)];
        let count = |values: Value| mistakes(&parameters, values.as_object().unwrap_or(&Map::new()), |user| user == "U1").len();
        assert_eq!(count(json!({"title": "x"})), 0);
        assert_eq!(count(json!({"title": "x", "by": "U1"})), 0);
        assert_eq!(count(json!({"title": "x", "by": null})), 0);
        for wrong in
            [json!({}), json!({"title": null}), json!({"title": 1}), json!({"title": "x", "by": "jane"}), json!({"title": "x", "new": "y"})]
        {
            assert_eq!(count(wrong.clone()), 1, "{wrong}");
        }
    }

    #[test]
    fn the_apps_own_manifest_is_read() {
        let steps = declared(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/app-manifest.yaml"));
        let steps = steps.unwrap_or_else(|error| panic!("{error:#}"));
        assert_eq!(steps.len(), 3);
        assert!(steps.iter().all(|step| step.input_parameters.iter().any(|parameter| parameter.is_required)));
    }
}
