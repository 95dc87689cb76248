//! What each function may do in AWS: ministack lets everybody do everything, so what a function does is compared with its role in template.yaml.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::paths;

/// IAM's actions, such as `dynamodb:GetItem`, by function.
#[derive(Debug)]
pub struct Rights(BTreeMap<String, BTreeSet<String>>);

static TEMPLATE: OnceLock<Result<Rights, String>> = OnceLock::new();

impl Rights {
    /// What template.yaml gives.
    pub fn of_template() -> &'static Self {
        let read = || -> Result<Self> { Self::read(&fs::read_to_string(paths::repository().join("template.yaml"))?) };
        match TEMPLATE.get_or_init(|| read().map_err(|error| format!("{error:#}"))) {
            Ok(rights) => rights,
            Err(error) => panic!("template.yaml cannot be read: {error}"),
        }
    }

    /// Reads a template. A tag such as `!Ref` is passed over, so that `!GetAtt IntakeRole.Arn` is its text and `!If` a list: whatever is allowed under some condition counts.
    fn read(template: &str) -> Result<Self> {
        let documents = YamlLoader::load_from_str(template)?;
        let resources = &documents.first().context("a document")?["Resources"];
        let mut rights = BTreeMap::new();
        for resource in resources.as_hash().context("resources")?.values() {
            let properties = &resource["Properties"];
            if resource["Type"].as_str() != Some("AWS::Serverless::Function") {
                continue;
            }
            let name = properties["FunctionName"].as_str().and_then(|name| name.rsplit('-').next()).context("a function has a name")?;
            let role = properties["Role"].as_str().and_then(|role| role.strip_suffix(".Arn")).context("a function has a role")?;
            let mut allowed = BTreeSet::new();
            collect(&resources[role]["Properties"]["Policies"], &mut allowed);
            rights.insert(name.to_owned(), allowed);
        }
        Ok(Self(rights))
    }

    /// Whether the function's role allows it.
    pub fn allow(&self, function: &str, action: &str) -> bool {
        self.0.get(function).is_some_and(|allowed| allowed.contains(action))
    }
}

/// The actions of every statement that allows, however deep it stands.
fn collect(yaml: &Yaml, allowed: &mut BTreeSet<String>) {
    if let Yaml::Array(parts) = yaml {
        for part in parts {
            collect(part, allowed);
        }
    }
    let Yaml::Hash(fields) = yaml else { return };
    if yaml["Effect"].as_str() == Some("Allow") {
        let actions = &yaml["Action"];
        allowed
            .extend(actions.as_str().into_iter().chain(actions.as_vec().into_iter().flatten().filter_map(Yaml::as_str)).map(str::to_owned));
    }
    for part in fields.values() {
        collect(part, allowed);
    }
}

/// What a role has to allow for a call: `action` is its service and action as `X-Amz-Target` has them, or `Action=Publish`.
pub fn needed(action: &str, body: &[u8]) -> Vec<String> {
    let (service, action) = action.split_once(['.', '=']).unwrap_or(("", action));
    let (service, action) = match service {
        // A transaction has no right of its own: its parts are allowed or not.
        "DynamoDB_20120810" if action == "TransactWriteItems" => return parts(body),
        "DynamoDB_20120810" => ("dynamodb", action),
        // Nor has a batch.
        "AmazonSQS" => ("sqs", action.strip_suffix("Batch").unwrap_or(action)),
        "AWSEvents" => ("events", action),
        "Action" => ("sns", action),
        other => (other, action),
    };
    vec![format!("{service}:{action}")]
}

fn parts(body: &[u8]) -> Vec<String> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let parts = body.get("TransactItems").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let name =
        |part: &String| if part == "ConditionCheck" { "dynamodb:ConditionCheckItem".to_owned() } else { format!("dynamodb:{part}Item") };
    parts.flat_map(serde_json::Map::keys).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_allows_what_it_names_and_nothing_else() {
        let rights = Rights::read(
            "
            Resources:
              OneFunction: { Type: AWS::Serverless::Function, Properties: { FunctionName: !Sub \"${AWS::StackName}-one\", Role: !GetAtt OneRole.Arn } }
              OneRole:
                Properties:
                  AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Action: sts:AssumeRole }] }
                  Policies:
                    - PolicyDocument:
                        Statement:
                          - { Effect: Allow, Action: [dynamodb:GetItem, dynamodb:Query], Resource: !GetAtt Table.Arn }
                          - { Effect: Deny, Action: dynamodb:DeleteItem }
                          - !If [SendsMail, { Effect: Allow, Action: sns:Publish, Resource: !Ref Topic }, !Ref AWS::NoValue]
            ",
        )
        .unwrap_or_else(|error| panic!("{error:#}"));
        for (action, allowed) in [
            ("dynamodb:Query", true),
            ("sns:Publish", true),
            ("dynamodb:DeleteItem", false),
            ("dynamodb:BatchGetItem", false),
            ("sts:AssumeRole", false),
        ] {
            assert_eq!(rights.allow("one", action), allowed, "{action}");
        }
        assert!(!rights.allow("two", "dynamodb:Query"), "a function that is not there may do nothing");
    }

    #[test]
    fn every_call_needs_the_right_that_iam_asks_for() {
        let transaction = br#"{"TransactItems": [{"Put": {}}, {"Update": {}}, {"ConditionCheck": {}}]}"#;
        for (action, body, rights) in [
            ("DynamoDB_20120810.BatchGetItem", &b"{}"[..], &["dynamodb:BatchGetItem"][..]),
            (
                "DynamoDB_20120810.TransactWriteItems",
                transaction,
                &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"],
            ),
            ("AmazonSQS.DeleteMessageBatch", b"{}", &["sqs:DeleteMessage"]),
            ("secretsmanager.GetSecretValue", b"{}", &["secretsmanager:GetSecretValue"]),
            ("AWSEvents.PutEvents", b"{}", &["events:PutEvents"]),
            ("Action=Publish", b"", &["sns:Publish"]),
        ] {
            assert_eq!(needed(action, body), rights, "{action}");
        }
    }
}
