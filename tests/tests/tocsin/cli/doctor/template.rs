//! Against template.yaml: what is pasted makes what it describes, with the parameters that the stack has.

use std::collections::BTreeMap;
use std::fs;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use tests::cli::Admin;
use tests::connectors::Account;
use tests::paths;
use tests::world::World;
use yaml_rust2::{Yaml, YamlLoader};

use super::aws::impostor;
use super::{creates_queue, flag, looks};

const QUEUES: [&str; 5] = ["incidents", "intents.fifo", "posts.fifo", "calls.fifo", "timeline.fifo"];

fn template() -> String {
    fs::read_to_string(paths::repository().join("template.yaml")).expect("template.yaml")
}

/// What stands in the template between the lines that begin with these.
fn between<'t>(template: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = template.split_once(&format!("\n{from}")).unwrap_or_else(|| panic!("no {from}"));
    let (part, _) = rest.split_once(&format!("\n{to}")).unwrap_or_else(|| panic!("no {to}"));
    part.split_once('\n').expect("a line's end").1
}

/// A stack with all parameters of the template, and of its resources these.
async fn part<'w>(world: &'w World, resources: &str, outputs: &[(String, String)], given: &[(&str, &str)]) -> Admin<'w> {
    let template = template();
    let outputs = outputs.iter().map(|(name, value)| format!("  {name}: {{ Value: {value} }}")).collect::<Vec<_>>().join("\n");
    let (parameters, conditions) = (between(&template, "Parameters:", "Rules:"), between(&template, "Conditions:", "Globals:"));
    let text = format!("Parameters:\n{parameters}\nConditions:\n{conditions}\nResources:\n{resources}\nOutputs:\n{outputs}\n");
    let prefix = format!("part-{:08x}", fastrand::u32(..));
    let account = Account { http: &world.http, endpoint: &world.aws.endpoint, tocsin: &prefix };
    let api = world.slack.api_url();
    let given: Vec<_> = given.iter().copied().chain([("SlackApiUrl", api.as_str())]).collect();
    account.deploys("stack", &text, &given).await.unwrap_or_else(|error| panic!("{error:#}"));
    let mut admin = world.admin().await;
    admin.stack = format!("{prefix}-stack");
    admin
}

/// All that a queue is, but since when.
async fn attributes(world: &World, name: &str) -> BTreeMap<String, Value> {
    let url = url(world, name).await;
    let answer = world.aws.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All).send().await;
    let all = answer.unwrap_or_else(|error| panic!("SQS: {error:?}")).attributes.unwrap_or_default();
    let known = all.into_iter().filter(|(name, _)| !name.as_str().ends_with("Timestamp"));
    let read = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    let mut known: BTreeMap<_, _> = known.map(|(name, text)| (name.as_str().to_owned(), read(text))).collect();
    // AWS tells it of every FIFO queue, the local one only of those that CloudFormation has not made.
    known.entry("ContentBasedDeduplication".to_owned()).or_insert(Value::Bool(false));
    known
}

async fn url(world: &World, name: &str) -> String {
    let answer = world.aws.sqs.get_queue_url().queue_name(name).send().await;
    answer.unwrap_or_else(|error| panic!("SQS: {error:?}")).queue_url.expect("a URL")
}

/// Each queue, with its policy and under a key of one's own as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_that_are_gone_are_made_anew_with_all_that_they_had() {
    let world = World::start().await;
    let template = template();
    let queues = between(&template, "  # ---- Queues", "  # ----");
    let outputs: Vec<_> = ["Incidents", "Intents", "Posts", "Calls", "Timeline"]
        .iter()
        .flat_map(|queue| ["Queue", "DeadLetters"].map(|kind| (format!("{queue}{kind}Url"), format!("!Ref {queue}{kind}"))))
        .collect();
    let differing = [
        ("KmsKeyArn", "arn:aws:kms:us-east-1:000000000000:key/6f2c1c1e-0000-4000-8000-000000000000"),
        ("SenderArns", "arn:aws:sns:us-east-1:000000000000:pages,arn:aws:events:us-east-1:000000000000:rule/*"),
        ("TimelineVisibilityTimeout", "1234"),
    ];
    for given in [&[][..], &differing] {
        let admin = part(&world, queues, &outputs, given).await;
        for (check, seen, infix) in
            [("queue", "what would be put on it is refused", ""), ("dead_letters", "comes again and again", "-dead-letters")]
        {
            let names = QUEUES.map(|queue| {
                let (queue, suffix) = queue.split_once('.').map_or((queue, ""), |(queue, _)| (queue, ".fifo"));
                (queue, format!("{}-{queue}{infix}{suffix}", admin.stack))
            });
            let mut had = Vec::new();
            for (_, name) in &names {
                had.push(attributes(&world, name).await);
                let delete = world.aws.sqs.delete_queue().queue_url(url(&world, name).await).send().await;
                delete.unwrap_or_else(|error| panic!("SQS: {error:?}"));
            }
            let found = looks(&admin).await;
            for ((queue, name), had) in names.iter().zip(had) {
                let command = found.says(check, queue, "broken", seen, "aws sqs create-queue");
                creates_queue(&world, &command).await;
                assert_eq!(attributes(&world, name).await, had, "{command}");
            }
            let found = looks(&admin).await;
            assert!(names.iter().all(|(queue, _)| found.of(check, queue)["state"] == "well"), "{:#}", found.report);
        }
    }
    world.finish().await;
}

/// What somebody took away, a deployment does not bring back, so it is given as the template does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_may_not_be_called_gets_both_permissions_of_the_template() {
    let world = World::start().await;
    let refuses = impostor(403).await;
    let functions = [
        ("commands", "CommandsUrl", "CommandsFunction"),
        ("interactions", "InteractionsUrl", "InteractionsFunction"),
        ("events", "EventsUrl", "EventsFunction"),
        ("api", "ApiUrl", "ApiFunction"),
        ("install", "InstallUrl", "OAuthFunction"),
    ];
    let admin = world.admin_of(&functions.map(|(_, output, _)| (output, refuses.as_str()))).await;
    let found = looks(&admin).await;
    let template = YamlLoader::load_from_str(&template()).expect("YAML").remove(0);
    for (about, _, function) in functions {
        for (statement, only) in
            [("UrlPublicPermissions", "--function-url-auth-type NONE"), ("URLInvokeAllowPublicAccess", "--invoked-via-function-url")]
        {
            let wanted = format!("{function}{statement}");
            let command = found.says("url", about, "broken", "(403)", &format!("--statement-id {wanted} "));
            let described = &template["Resources"][wanted.as_str()]["Properties"];
            assert_eq!(
                (described["FunctionName"].as_str(), described["Principal"].as_str()),
                (Some(function), Some(flag(&command, "--principal")))
            );
            assert_eq!(described["Action"].as_str(), Some(flag(&command, "--action")));
            assert!(command.ends_with(only), "{command}");
            let told = [("FunctionUrlAuthType", "--function-url-auth-type"), ("InvokedViaFunctionUrl", "--invoked-via-function-url")];
            assert!(told.iter().all(|(property, option)| described[*property].is_badvalue() != command.contains(option)), "{command}");
            let named = template["Resources"][function]["Properties"]["FunctionName"].as_str().expect("a name");
            assert_eq!(named.replace("${AWS::StackName}", &admin.stack), flag(&command, "--function-name"));
        }
        let opens = found.says("url", about, "broken", "(403)", "update-function-url-config");
        assert_eq!(
            template["Resources"][format!("{function}Url").as_str()]["Properties"]["AuthType"],
            Yaml::String(flag(&opens, "--auth-type").to_owned())
        );
    }
    world.finish().await;
}

/// It raises what the stack has, and never lowers it; where nothing is reserved, nothing can be raised but the account's quota.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_reserved_is_doubled() {
    let world = World::start().await;
    let outputs = [("InteractionsUrl".to_owned(), impostor(429).await)];
    let nothing = "  Nothing: { Type: AWS::CloudFormation::WaitConditionHandle }";
    for (reserved, raised) in [("100", Some("200")), ("20", Some("40")), ("700", Some("1000")), ("0", None), ("1000", None)] {
        let admin = part(&world, nothing, &outputs, &[("ReceiverReservedConcurrency", reserved)]).await;
        let found = looks(&admin).await;
        let commands = found.of("url", "interactions")["fix"]["commands"].to_string();
        if let Some(raised) = raised {
            assert!(commands.contains(&format!("ReceiverReservedConcurrency={raised}\"")), "{reserved}: {commands}");
        } else {
            assert!(commands.contains("aws service-quotas request-service-quota-increase --service-code lambda"), "{commands}");
            assert!(!commands.contains("ReceiverReservedConcurrency"), "{commands}");
        }
    }
    world.finish().await;
}

/// Behind an HTTP API it is the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_entrance_comes_back_to_what_it_was() {
    let world = World::start().await;
    let outputs = [("EventsUrl".to_owned(), impostor(404).await), ("InstallUrl".to_owned(), impostor(404).await)];
    let nothing = "  Nothing: { Type: AWS::CloudFormation::WaitConditionHandle }";
    let base = "https://install.example.com/";
    let admin = part(&world, nothing, &outputs, &[("Entrance", "HttpApi"), ("InstallBaseUrl", base)]).await;
    let found = looks(&admin).await;
    let commands = found.of("url", "events")["fix"]["commands"].as_array().cloned().unwrap_or_default();
    let entrances: Vec<_> = commands.iter().filter_map(Value::as_str).filter_map(|command| command.split_once("Entrance=")).collect();
    assert_eq!(entrances.iter().map(|(_, entrance)| *entrance).collect::<Vec<_>>(), ["FunctionUrl", "HttpApi"]);
    let install = &found.of("url", "install")["fix"];
    assert!(install["say"].as_str().expect("a text").contains(base) && install.get("commands").is_none(), "{install}");
    world.finish().await;
}
