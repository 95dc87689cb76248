//! `tocsin doctor` against set-ups that somebody has broken: each is found, what it says to do is done, and it is found no more.

mod alarms;
mod aws;
mod secret;
mod slack;
mod template;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use tests::cli::Admin;
use tests::world::World;

/// What was found at one look.
struct Found {
    code: Option<i32>,
    report: Value,
}

/// Lets the doctor look.
async fn looks(admin: &Admin<'_>) -> Found {
    looks_with(admin, &[]).await
}

async fn looks_with(admin: &Admin<'_>, more: &[&str]) -> Found {
    let ran = admin.runs(&[&["doctor", "--json"], more].concat()).await;
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", ran.stdout, ran.stderr));
    Found { code: ran.code, report }
}

impl Found {
    fn all(&self) -> impl Iterator<Item = &Value> {
        self.report["findings"].as_array().expect("findings").iter()
    }

    /// What was found of a thing; `about` is the beginning of which of several.
    fn of(&self, check: &str, about: &str) -> &Value {
        let is_meant = |finding: &&Value| finding["check"] == check && finding["about"].as_str().unwrap_or_default().starts_with(about);
        self.all().find(is_meant).unwrap_or_else(|| panic!("nothing of {check} {about}: {:#}", self.report))
    }

    fn marks(&self, state: &str) -> Vec<&Value> {
        self.all().filter(|finding| finding["state"] == state).collect()
    }

    /// Nothing is broken, and nothing could not be looked at.
    fn is_well(&self) {
        let not_well: Vec<_> = self.marks("broken").into_iter().chain(self.marks("skipped")).collect();
        assert!(not_well.is_empty() && self.code == Some(0), "{not_well:#?}");
    }

    /// This one thing is broken and no other, with this among what was seen and this among what can be pasted, which is returned. What could not be looked at because of it is told as such.
    fn only_broken(&self, check: &str, about: &str, seen: &str, paste: &str) -> String {
        let broken = self.marks("broken");
        assert_eq!((broken.len(), self.code, &self.report["ok"]), (1, Some(1), &json!(false)), "{broken:#?}");
        self.says(check, about, "broken", seen, paste)
    }

    fn says(&self, check: &str, about: &str, state: &str, seen: &str, paste: &str) -> String {
        let finding = self.of(check, about);
        assert_eq!(finding["state"], state, "{finding:#}");
        assert!(finding["seen"].as_str().expect("a text").contains(seen), "{seen:?} is not in {finding:#}");
        let commands = finding["fix"]["commands"].as_array().cloned().unwrap_or_default();
        let command = commands.iter().filter_map(Value::as_str).find(|command| command.contains(paste));
        command.unwrap_or_else(|| panic!("nothing to paste has {paste:?}: {finding:#}")).to_owned()
    }
}

/// What stands behind a flag of a command that was to be pasted; in quotes, it is what is within them.
fn flag<'c>(command: &'c str, name: &str) -> &'c str {
    let (_, rest) = command.split_once(&format!("{name} ")).unwrap_or_else(|| panic!("no {name} in {command}"));
    match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next().expect("a quote"),
        None => rest.split(' ').next().expect("a word"),
    }
}

/// A world whose everything has been called once, so that no function starts in the middle of what is broken.
async fn healthy(world: &World) -> Admin<'_> {
    let admin = world.admin().await;
    looks(&admin).await.is_well();
    admin
}

/// Does what `aws secretsmanager update-secret-version-stage …` does.
async fn moves_stage(world: &World, command: &str) {
    assert!(command.starts_with("aws secretsmanager update-secret-version-stage "), "{command}");
    let given = |name: &str| command.contains(&format!("{name} ")).then(|| flag(command, name));
    let update = world
        .aws
        .secrets
        .update_secret_version_stage()
        .secret_id(flag(command, "--secret-id"))
        .version_stage(flag(command, "--version-stage"));
    let update = update.set_move_to_version_id(given("--move-to-version-id").map(str::to_owned));
    let update = update.set_remove_from_version_id(given("--remove-from-version-id").map(str::to_owned));
    update.send().await.unwrap_or_else(|error| panic!("Secrets Manager: {error:?}"));
}

/// Does what `aws sqs create-queue …` does.
async fn creates_queue(world: &World, command: &str) {
    assert!(command.starts_with("aws sqs create-queue "), "{command}");
    let wanted: Value = serde_json::from_str(flag(command, "--attributes")).expect("JSON");
    let mut create = world.aws.sqs.create_queue().queue_name(flag(command, "--queue-name"));
    for (name, value) in wanted.as_object().expect("attributes") {
        create = create.attributes(QueueAttributeName::from(name.as_str()), value.as_str().expect("a text"));
    }
    create.send().await.unwrap_or_else(|error| panic!("SQS: {error:?}"));
}

/// Pastes a command of ours as it was said, with this on its standard input.
async fn pastes(admin: &Admin<'_>, command: &str, stdin: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let Some((&"tocsin", arguments)) = words.split_first() else { panic!("{command} is none of ours") };
    let ran = admin.runs_with(arguments, stdin).await;
    assert_eq!(ran.code, Some(0), "{command}: {}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_is_well_it_says_so_and_changes_nothing() {
    let world = World::start().await;
    world.alarm_fires("disk-full").await;
    world.settled().await;
    let before = world.scan().await;
    let found = looks(&world.admin_of(&[("FallbackEmail", "oncall@example.com")]).await).await;
    found.is_well();
    assert!(found.marks("look").is_empty(), "{:#?}", found.marks("look"));
    assert_eq!(world.scan().await, before);
    for (check, about, seen) in [
        ("url", "commands", "answers what is signed"),
        ("token", "", "tocsin of Tocsin"),
        ("channel", "#incidents", "The bot is in #incidents"),
        ("installation", "T0TOCSIN", "open"),
        ("queue", "posts", "nothing waits"),
        ("clock", "", "agree"),
        ("alarms", "", "FallbackEmail"),
    ] {
        assert!(found.of(check, about)["seen"].as_str().expect("a text").contains(seen), "{:#}", found.of(check, about));
    }
    // For people, in lines that fit; nothing of the secrets in either.
    let admin = world.admin().await;
    let said = admin.runs(&["doctor"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{}", said.stdout);
    assert!(said.stdout.contains("✓ queue incidents, intents, posts, calls, timeline: nothing waits"), "{}", said.stdout);
    assert!(said.stdout.contains("! alarms: neither FallbackEmail nor AlarmTopicArn"), "{}", said.stdout);
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80 || line.starts_with("      ")), "{}", said.stdout);
    for secret in [&world.bot_token, &world.signing_secret] {
        assert!(!said.stdout.contains(secret) && !found.report.to_string().contains(secret));
    }
    world.finish().await;
}
