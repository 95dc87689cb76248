//! What template.yaml promises whoever deploys it, read off the file.

use std::collections::BTreeSet;
use std::fs;

use tests::paths;
use yaml_rust2::{Yaml, YamlLoader};

/// The template. A tag such as `!Ref` is passed over, so that `!Ref Table` is its text and `!If` a list.
fn template() -> Yaml {
    let text = fs::read_to_string(paths::repository().join("template.yaml")).expect("template.yaml");
    YamlLoader::load_from_str(&text).expect("YAML").into_iter().next().expect("a document")
}

fn entries<'y>(template: &'y Yaml, section: &str) -> Vec<(&'y str, &'y Yaml)> {
    let entries = template[section].as_hash().expect("a section");
    entries.iter().map(|(name, entry)| (name.as_str().expect("a name"), entry)).collect()
}

/// The resources of this type, by name.
fn of_type<'y>(template: &'y Yaml, kind: &str) -> Vec<(&'y str, &'y Yaml)> {
    let mut found = entries(template, "Resources");
    found.retain(|(_, resource)| resource["Type"].as_str() == Some(kind));
    assert!(!found.is_empty(), "{kind}");
    found
}

fn says(yaml: &Yaml, word: &str) -> bool {
    match yaml {
        Yaml::String(text) => text.contains(word),
        Yaml::Array(parts) => parts.iter().any(|part| says(part, word)),
        Yaml::Hash(fields) => fields.values().any(|part| says(part, word)),
        _ => false,
    }
}

/// Since October 2025 Lambda wants both: <https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>.
#[test]
fn a_public_url_has_both_permissions_that_it_needs() {
    let template = template();
    let permissions = of_type(&template, "AWS::Lambda::Permission");
    let urls = of_type(&template, "AWS::Lambda::Url");
    for (name, url) in &urls {
        let function = url["Properties"]["TargetFunctionArn"].as_str().expect("a function");
        assert_eq!(url["Properties"]["AuthType"].as_str(), Some("NONE"), "{name}");
        // What SAM called it when it made the URL: another name would be another URL, and Slack would go on calling the old one.
        assert_eq!(*name, format!("{function}Url"));
        let granted = |action: &str, only: &str, value: &Yaml| {
            permissions.iter().any(|(_, permission)| {
                let properties = &permission["Properties"];
                properties["FunctionName"].as_str() == Some(function)
                    && properties["Principal"].as_str() == Some("*")
                    && properties["Action"].as_str() == Some(action)
                    && &properties[only] == value
                    && permission["Condition"] == url["Condition"]
            })
        };
        assert!(granted("lambda:InvokeFunctionUrl", "FunctionUrlAuthType", &Yaml::String("NONE".to_owned())), "{name}");
        assert!(granted("lambda:InvokeFunction", "InvokedViaFunctionUrl", &Yaml::Boolean(true)), "{name}");
    }
    // Nobody else is let in by everybody's name.
    let public = permissions.iter().filter(|(_, permission)| permission["Properties"]["Principal"].as_str() == Some("*"));
    assert_eq!(public.count(), urls.len() * 2);
    for (name, function) in of_type(&template, "AWS::Serverless::Function") {
        assert!(function["Properties"]["FunctionUrlConfig"].is_badvalue(), "{name}: what SAM makes of this knows no condition");
    }
}

#[test]
fn behind_the_http_api_are_the_same_functions_and_no_public_url() {
    let template = template();
    for (name, resource) in entries(&template, "Resources") {
        let kind = resource["Type"].as_str().expect("a type");
        let public = resource["Properties"]["Principal"].as_str() == Some("*") && kind == "AWS::Lambda::Permission";
        if public || kind == "AWS::Lambda::Url" {
            assert_eq!(resource["Condition"].as_str(), Some("HasFunctionUrls"), "{name}");
        }
        if kind.starts_with("AWS::ApiGatewayV2::") {
            assert_eq!(resource["Condition"].as_str(), Some("HasHttpApi"), "{name}");
        }
    }
    let permissions = of_type(&template, "AWS::Lambda::Permission");
    let mut integrated = BTreeSet::new();
    for (name, integration) in of_type(&template, "AWS::ApiGatewayV2::Integration") {
        let function = integration["Properties"]["IntegrationUri"].as_str().and_then(|uri| uri.strip_suffix(".Arn")).expect("a function");
        integrated.insert(function);
        assert_eq!(integration["Properties"]["PayloadFormatVersion"].as_str(), Some("2.0"), "{name}: the form that function URLs have");
        let target = format!("integrations/${{{name}}}");
        let routes = of_type(&template, "AWS::ApiGatewayV2::Route");
        assert!(routes.iter().any(|(_, route)| route["Properties"]["Target"].as_str() == Some(&target)), "{name} has a route");
        let allowed = permissions.iter().any(|(_, permission)| {
            let properties = &permission["Properties"];
            properties["FunctionName"].as_str() == Some(function)
                && properties["Principal"].as_str() == Some("apigateway.amazonaws.com")
                && properties["SourceArn"].as_str().is_some_and(|arn| arn.contains(":${HttpApi}/"))
        });
        assert!(allowed, "{function} may be called by this API and no other");
    }
    let with_urls = of_type(&template, "AWS::Lambda::Url");
    let with_urls: BTreeSet<_> = with_urls.iter().filter_map(|(_, url)| url["Properties"]["TargetFunctionArn"].as_str()).collect();
    assert_eq!(integrated, with_urls);
    for (name, stage) in of_type(&template, "AWS::ApiGatewayV2::Stage") {
        assert_eq!(stage["Properties"]["StageName"].as_str(), Some("$default"), "{name}: any other would stand in the paths");
        let log = stage["Properties"]["AccessLogSettings"]["Format"].as_str().expect("a format");
        assert!(!log.contains("path") && !log.contains("query"), "{name}: Slack sends browsers back with a code in the query");
    }
}

#[test]
fn a_parameter_says_what_it_is_and_refuses_what_it_is_not() {
    let template = template();
    let parameters = entries(&template, "Parameters");
    for (name, parameter) in &parameters {
        assert!(!parameter["Description"].is_badvalue(), "{name}");
        assert!(!parameter["Default"].is_badvalue(), "{name} is answered by pressing Enter");
        let numbers = parameter["Type"].as_str() == Some("Number") && !parameter["MinValue"].is_badvalue();
        let pattern = !parameter["AllowedPattern"].is_badvalue();
        assert!(numbers || pattern || !parameter["AllowedValues"].is_badvalue(), "{name} takes anything");
        assert!(!pattern || !parameter["ConstraintDescription"].is_badvalue(), "{name}: a pattern is no explanation");
    }
    // The console shows groups, SAM asks in the order of the file: they are the same.
    let groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_vec().expect("groups");
    let grouped: Vec<_> =
        groups.iter().flat_map(|group| group["Parameters"].as_vec().into_iter().flatten()).filter_map(Yaml::as_str).collect();
    let names: Vec<_> = parameters.iter().map(|(name, _)| *name).collect();
    assert_eq!(grouped, names);
    assert_eq!(names.first(), Some(&"DefaultChannel"));
}

#[test]
fn the_chapter_on_deploying_names_every_parameter_and_output() {
    let template = template();
    let chapter = fs::read_to_string(paths::repository().join("docs/deploy.md")).expect("docs/deploy.md");
    for section in ["Parameters", "Outputs"] {
        for (name, _) in entries(&template, section) {
            assert!(chapter.contains(&format!("`{name}`")), "docs/deploy.md says nothing of {name}");
        }
    }
}

#[test]
fn a_key_of_ones_own_encrypts_all_that_is_kept_and_may_be_used_where_it_is_needed() {
    let template = template();
    for kind in ["AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup", "AWS::SNS::Topic"] {
        for (name, resource) in of_type(&template, kind) {
            assert!(says(&resource["Properties"], "KmsKeyArn"), "{name}");
        }
    }
    for (name, role) in of_type(&template, "AWS::IAM::Role") {
        let statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].as_vec().expect("statements");
        let key = statements.iter().find(|statement| says(statement, "KmsKeyArn")).unwrap_or_else(|| panic!("{name} may not use the key"));
        assert_eq!(key[0].as_str(), Some("HasKey"), "{name}");
        let services = &key[1]["Condition"]["StringEquals"]["kms:ViaService"];
        for service in ["sqs", "dynamodb", "secretsmanager", "sns"] {
            let uses = statements.iter().filter(|statement| *statement != key).any(|statement| uses(statement, service));
            assert_eq!(says(services, &format!("{service}.")), uses, "{name} and {service}");
        }
    }
}

/// Whether a statement, or one under a condition, is about this service.
fn uses(statement: &Yaml, service: &str) -> bool {
    let action = &statement["Action"];
    let here = !action.is_badvalue() && says(action, &format!("{service}:"));
    here || statement.as_vec().is_some_and(|parts| parts.iter().any(|part| uses(part, service)))
}

#[test]
fn the_stack_policy_guards_what_cannot_be_made_again() {
    let template = template();
    let text = fs::read_to_string(paths::repository().join("infra/stack-policy.json")).expect("infra/stack-policy.json");
    let policy: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let guarded: BTreeSet<_> =
        policy["Statement"][1]["Resource"].as_array().expect("resources").iter().filter_map(|id| id.as_str()).collect();
    let kinds = ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"];
    let kept: BTreeSet<_> =
        kinds.iter().flat_map(|kind| of_type(&template, kind)).map(|(name, _)| format!("LogicalResourceId/{name}")).collect();
    assert_eq!(guarded, kept.iter().map(String::as_str).collect());
    assert_eq!(policy["Statement"][1]["Effect"], "Deny");
}
