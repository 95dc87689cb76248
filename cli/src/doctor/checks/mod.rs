//! What is looked at, one thing a file.

mod address;
pub(super) mod alarms;
pub(super) mod clock;
mod gone;
pub(super) mod keys;
pub(super) mod queues;
pub(super) mod secret;
pub(super) mod slack;
pub(super) mod stack;
pub(super) mod table;
pub(super) mod urls;

use std::fmt::Display;

use super::finding::{Check, Finding, Fix};
use crate::chosen::Chosen;
use crate::deployment::Deployment;

/// AWS does not show it.
fn unreadable(check: Check, what: &str, why: &str) -> Finding {
    let fix = Fix::new(
        "Whoever runs this has to be allowed to read it: AWS_PROFILE names another role. Else it passes, or somebody has deleted it, and no deployment brings it back: `aws secretsmanager restore-secret --secret-id …` \
         does within its days of grace, and a table comes back from a backup.",
    );
    Finding::broken(check, format!("{what} cannot be read: {why}"), fix)
}

/// Shows what a function logged.
fn logs(deployment: &Deployment, function: &str) -> String {
    format!("sam logs --stack-name {} --name {function}", deployment.stack)
}

/// A parameter of the stack, changed: for one deployment. What `sam deploy --guided` wrote down would take it back with the next one.
fn changed(deployment: &Deployment, advice: impl Display, name: &str, value: impl Display) -> Fix {
    let advice = format!("{advice} Write it into samconfig.toml too: the next `sam deploy` takes what stands there.");
    Fix::new(advice).paste(changing(deployment, name, value))
}

fn changing(deployment: &Deployment, name: &str, value: impl Display) -> String {
    format!("sam deploy --stack-name {} --parameter-overrides {name}={value}", deployment.stack)
}

/// The same deployment for a command of this program that somebody pastes.
fn of(deployment: &Deployment) -> String {
    if deployment.stack == "tocsin" { String::new() } else { format!(" --stack {}", deployment.stack) }
}

/// Gives the app its manifest, with the features that whoever looks has named.
fn manifest(deployment: &Deployment, chosen: &Chosen) -> String {
    let shows_links = chosen.features().any(|feature| feature.word == "links");
    // Whoever has set this pastes into the same shell.
    let domain = if shows_links && std::env::var_os("TOCSIN_DOMAIN").is_none() { " --domain DOMAIN" } else { "" };
    format!("tocsin manifest apply --app-id A…{}{}{domain}", of(deployment), chosen.arguments())
}

/// What belongs beside it: with what else an app was made, nothing here can know.
const AS_MADE: &str = "Add to `tocsin manifest apply` whatever else the app was made with (--with, --without, --name, --command, --domain, --socket-mode): what is not said, it has no more.";
